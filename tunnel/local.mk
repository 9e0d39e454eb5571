noinst_LTLIBRARIES += tunnel/libtunnel.la
tunnel_libtunnel_la_CFLAGS = $(AM_CFLAGS) $(CONFUSE_CFLAGS) $(EVENT_CFLAGS)
tunnel_libtunnel_la_LIBADD = libpptp/libpptp_core.la libppp/libppp.la sys/libsys.la libbase.la $(CONFUSE_LIBS) $(EVENT_LIBS)
tunnel_libtunnel_la_SOURCES = \
	tunnel/coalesce.c tunnel/coalesce.h \
	tunnel/command.c \
	tunnel/control.c tunnel/control.h \
	tunnel/counters.c \
	tunnel/csum.c tunnel/csum.h \
	tunnel/engine.c tunnel/engine.h \
	tunnel/fib.c tunnel/fib.h \
	tunnel/frag.c tunnel/frag.h \
	tunnel/icmp.c tunnel/icmp.h \
	tunnel/iface.c \
	tunnel/ip.c tunnel/ip.h \
	tunnel/mss.c tunnel/mss.h \
	tunnel/nat.c tunnel/nat.h \
	tunnel/nd.c \
	tunnel/options.c tunnel/options.h \
	tunnel/parcel.c \
	tunnel/ra.c tunnel/ra.h \
	tunnel/rx.c \
	tunnel/segment.c tunnel/segment.h \
	tunnel/session.c \
	tunnel/tx.c \
	tunnel/worker.c tunnel/worker.h
