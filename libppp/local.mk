noinst_LTLIBRARIES += libppp/libppp.la
libppp_libppp_la_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS)
libppp_libppp_la_LIBADD = libbase.la $(CRYPTO_LIBS)
libppp_libppp_la_SOURCES = \
	libppp/auth.c \
	libppp/auth.h \
	libppp/auth_check.c \
	libppp/auth_fsm.h \
	libppp/auth_trace.c \
	libppp/auth_wire.h \
	libppp/authe.c \
	libppp/authe_eap.c \
	libppp/authr.c \
	libppp/authr_eap.c \
	libppp/bundle.c \
	libppp/bundle.h \
	libppp/bundle_int.h \
	libppp/ccp.c \
	libppp/ccp.h \
	libppp/crypto.c \
	libppp/crypto.h \
	libppp/events.c \
	libppp/events.h \
	libppp/fsm.c \
	libppp/fsm.h \
	libppp/fsm_rx.c \
	libppp/ipcp.c \
	libppp/ipcp.h \
	libppp/ipv6cp.c \
	libppp/ipv6cp.h \
	libppp/lcp.c \
	libppp/lcp.h \
	libppp/lcp_rx.c \
	libppp/link.c \
	libppp/link.h \
	libppp/link_auth.c \
	libppp/link_int.h \
	libppp/link_rx.c \
	libppp/link_tx.c \
	libppp/mppe.c \
	libppp/mppe.h \
	libppp/mppe_key.c \
	libppp/mppe_key.h \
	libppp/mschap.c \
	libppp/mschap.h \
	libppp/mschap_failure.c \
	libppp/options.c \
	libppp/options.h \
	libppp/outq.c \
	libppp/outq.h \
	libppp/proto.h \
	libppp/rc4.c \
	libppp/rc4.h \
	libppp/trace.c \
	libppp/trace.h
