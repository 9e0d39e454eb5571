bin_PROGRAMS += pptpctl/pptpctl
pptpctl_pptpctl_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
pptpctl_pptpctl_LDADD = sys/libsys.la $(JANSSON_LIBS)
pptpctl_pptpctl_SOURCES = \
	pptpctl/alg.c \
	pptpctl/kick.c \
	pptpctl/main.c \
	pptpctl/pptpctl.h \
	pptpctl/print.c \
	pptpctl/reload.c \
	pptpctl/request.c \
	pptpctl/show.c \
	pptpctl/status.c \
	pptpctl/tunnel.c
