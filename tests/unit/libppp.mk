check_PROGRAMS += tests/unit/test_libppp
TESTS += tests/unit/test_libppp
tests_unit_test_libppp_SOURCES = \
	tests/unit/suite.h \
	tests/unit/suite.c \
	tests/unit/libppp/main.c \
	tests/unit/libppp/pair.c tests/unit/libppp/pair.h \
	tests/unit/libppp/test_link.c
tests_unit_test_libppp_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_libppp_LDADD = libppp/libppp.la libbase.la $(CHECK_LIBS)
