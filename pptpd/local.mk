# All but main() is a convenience library, so that tests and fuzzers link it.
noinst_LTLIBRARIES += pptpd/libpptpd.la
pptpd_libpptpd_la_CFLAGS = $(AM_CFLAGS) $(CONFUSE_CFLAGS) $(EVENT_CFLAGS) $(JANSSON_CFLAGS)
pptpd_libpptpd_la_LIBADD = tunnel/libtunnel.la sys/libsys.la libppp/libppp.la libpptp/libpptp_core.la libbase.la
pptpd_libpptpd_la_SOURCES = \
	pptpd/auth.c pptpd/auth.h \
	pptpd/config.c pptpd/config.h \
	pptpd/config_check.c pptpd/config_check.h \
	pptpd/conn.c pptpd/conn.h \
	pptpd/ctl.c pptpd/ctl.h \
	pptpd/hash.c pptpd/hash.h \
	pptpd/pool.c pptpd/pool.h \
	pptpd/server.c pptpd/server.h \
	pptpd/session.c pptpd/session.h \
	pptpd/session_fsm.c \
	pptpd/session_log.c \
	pptpd/session_net.c \
	pptpd/start.c pptpd/start.h \
	pptpd/users.c pptpd/users.h \
	pptpd/words.c pptpd/words.h

sbin_PROGRAMS += pptpd/pptpd
pptpd_pptpd_CFLAGS = $(AM_CFLAGS) $(CONFUSE_CFLAGS)
pptpd_pptpd_SOURCES = pptpd/main.c
pptpd_pptpd_LDADD = pptpd/libpptpd.la
