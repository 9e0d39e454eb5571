noinst_LTLIBRARIES += libppp/libppp.la
libppp_libppp_la_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS)
libppp_libppp_la_LIBADD = libbase.la $(CRYPTO_LIBS)
libppp_libppp_la_SOURCES = \
	libppp/auth.h \
	libppp/auth_fsm.h \
	libppp/bundle.h \
	libppp/crypto.h \
	libppp/link.h \
	libppp/mppe.h \
	libppp/outq.c libppp/outq.h \
	libppp/proto.h \
	libppp/rc4.h
