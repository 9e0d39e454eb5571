noinst_LTLIBRARIES += pptpctl/libpptpctl.la
pptpctl_libpptpctl_la_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
pptpctl_libpptpctl_la_LIBADD = sys/libsys.la $(JANSSON_LIBS)
pptpctl_libpptpctl_la_SOURCES = \
	pptpctl/alg.c \
	pptpctl/kick.c \
	pptpctl/pptpctl.h \
	pptpctl/print.c \
	pptpctl/reload.c \
	pptpctl/request.c \
	pptpctl/show.c \
	pptpctl/sort.c \
	pptpctl/status.c \
	pptpctl/tunnel.c

bin_PROGRAMS += pptpctl/pptpctl
pptpctl_pptpctl_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
pptpctl_pptpctl_LDADD = pptpctl/libpptpctl.la
pptpctl_pptpctl_SOURCES = pptpctl/main.c
