check_PROGRAMS += tests/unit/test_libppp
TESTS += tests/unit/test_libppp
tests_unit_test_libppp_SOURCES = \
	tests/unit/libppp/auth_pair.c \
	tests/unit/libppp/auth_pair.h \
	tests/unit/libppp/main.c \
	tests/unit/libppp/mppe_oracle.c \
	tests/unit/libppp/mppe_oracle.h \
	tests/unit/libppp/pair.c \
	tests/unit/libppp/pair.h \
	tests/unit/libppp/test_auth_check.c \
	tests/unit/libppp/test_auth_chap.c \
	tests/unit/libppp/test_auth_eap.c \
	tests/unit/libppp/test_auth_fsm.c \
	tests/unit/libppp/test_auth_mschap.c \
	tests/unit/libppp/test_auth_trace.c \
	tests/unit/libppp/test_ccp.c \
	tests/unit/libppp/test_crypto.c \
	tests/unit/libppp/test_fsm.c \
	tests/unit/libppp/test_lcp.c \
	tests/unit/libppp/test_link.c \
	tests/unit/libppp/test_link_eap.c \
	tests/unit/libppp/test_link_early.c \
	tests/unit/libppp/test_mppe.c \
	tests/unit/libppp/test_mppe_key.c \
	tests/unit/libppp/test_mppe_stateful.c \
	tests/unit/libppp/test_mschap.c \
	tests/unit/libppp/test_ncp.c \
	tests/unit/libppp/test_options.c \
	tests/unit/libppp/test_outq.c \
	tests/unit/libppp/test_rc4.c \
	tests/unit/libppp/test_trace.c \
	tests/unit/libppp/util.c \
	tests/unit/libppp/util.h \
	tests/unit/suite.c \
	tests/unit/suite.h
tests_unit_test_libppp_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(CRYPTO_CFLAGS)
tests_unit_test_libppp_LDADD = libppp/libppp.la libbase.la $(CRYPTO_LIBS) $(CHECK_LIBS)
