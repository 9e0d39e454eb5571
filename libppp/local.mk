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
	libppp/bundle.h \
	libppp/crypto.c \
	libppp/crypto.h \
	libppp/link.h \
	libppp/mppe.c \
	libppp/mppe.h \
	libppp/mppe_key.c \
	libppp/mppe_key.h \
	libppp/mschap.c \
	libppp/mschap.h \
	libppp/mschap_failure.c \
	libppp/outq.c \
	libppp/outq.h \
	libppp/proto.h \
	libppp/rc4.c \
	libppp/rc4.h
