noinst_LTLIBRARIES += tunnel/libtunnel.la
tunnel_libtunnel_la_CFLAGS = $(AM_CFLAGS) $(CONFUSE_CFLAGS) $(EVENT_CFLAGS)
tunnel_libtunnel_la_LIBADD = libpptp/libpptp_core.la libppp/libppp.la sys/libsys.la libbase.la $(CONFUSE_LIBS) $(EVENT_LIBS)
tunnel_libtunnel_la_SOURCES = \
	tunnel/control.c tunnel/control.h \
	tunnel/engine.h \
	tunnel/options.c tunnel/options.h
