check_PROGRAMS += tests/unit/test_base
TESTS += tests/unit/test_base
tests_unit_test_base_SOURCES = \
	tests/unit/suite.h \
	tests/unit/suite.c \
	tests/unit/base/main.c \
	tests/unit/base/test_addr.c \
	tests/unit/base/test_mem.c \
	tests/unit/base/test_pkt.c \
	tests/unit/base/test_text.c \
	tests/unit/base/test_timerheap.c \
	tests/unit/base/test_wire.c
tests_unit_test_base_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_base_LDADD = libbase.la $(CHECK_LIBS)
