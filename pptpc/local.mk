# All but main() is a convenience library, so that tests link it.
noinst_LTLIBRARIES += pptpc/libpptpc.la
pptpc_libpptpc_la_CFLAGS = $(AM_CFLAGS) $(CONFUSE_CFLAGS) $(EVENT_CFLAGS) $(JANSSON_CFLAGS) $(PTHREAD_CFLAGS)
pptpc_libpptpc_la_LIBADD = tunnel/libtunnel.la sys/libsys.la libppp/libppp.la libpptp/libpptp_core.la libbase.la
pptpc_libpptpc_la_SOURCES = \
	pptpc/backoff.c pptpc/backoff.h \
	pptpc/client.c pptpc/client.h \
	pptpc/cmdline.c pptpc/cmdline.h \
	pptpc/conffile.c pptpc/conffile.h \
	pptpc/data.c \
	pptpc/diag.c pptpc/diag.h \
	pptpc/diag_text.c \
	pptpc/dial.c \
	pptpc/dial_end.c \
	pptpc/dial_link.c \
	pptpc/hostroute.c \
	pptpc/netif.c \
	pptpc/option.c pptpc/option.h \
	pptpc/option_set.c \
	pptpc/profile.c pptpc/profile.h \
	pptpc/resolve.c pptpc/resolve.h \
	pptpc/routeplan.c pptpc/routeplan.h \
	pptpc/scripts.c \
	pptpc/secret.c pptpc/secret.h \
	pptpc/servers.c pptpc/servers.h \
	pptpc/status.c

sbin_PROGRAMS += pptpc/pptpc
pptpc_pptpc_CFLAGS = $(AM_CFLAGS) $(CONFUSE_CFLAGS)
pptpc_pptpc_SOURCES = pptpc/main.c
pptpc_pptpc_LDADD = pptpc/libpptpc.la $(CONFUSE_LIBS)
