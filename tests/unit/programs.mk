check_PROGRAMS += tests/unit/test_pptpd
TESTS += tests/unit/test_pptpd
tests_unit_test_pptpd_SOURCES = \
	tests/unit/suite.h \
	tests/unit/suite.c \
	tests/unit/pptpd/fake.c tests/unit/pptpd/fake.h \
	tests/unit/pptpd/main.c \
	tests/unit/pptpd/test_auth.c \
	tests/unit/pptpd/test_config.c \
	tests/unit/pptpd/test_conn.c \
	tests/unit/pptpd/test_hash.c \
	tests/unit/pptpd/test_pool.c \
	tests/unit/pptpd/test_session.c \
	tests/unit/pptpd/test_users.c \
	tests/unit/pptpd/test_words.c
tests_unit_test_pptpd_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(CONFUSE_CFLAGS) $(EVENT_CFLAGS) $(JANSSON_CFLAGS)
tests_unit_test_pptpd_LDADD = pptpd/libpptpd.la $(CHECK_LIBS)
include tests/unit/pptpc.mk
