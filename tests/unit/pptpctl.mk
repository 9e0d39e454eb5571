check_PROGRAMS += tests/unit/test_pptpctl
TESTS += tests/unit/test_pptpctl
tests_unit_test_pptpctl_SOURCES = \
	tests/unit/suite.h \
	tests/unit/suite.c \
	tests/unit/pptpctl/daemon.c tests/unit/pptpctl/daemon.h \
	tests/unit/pptpctl/main.c \
	tests/unit/pptpctl/test_commands.c \
	tests/unit/pptpctl/test_print.c \
	tests/unit/pptpctl/test_sort.c
tests_unit_test_pptpctl_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(EVENT_CFLAGS) $(JANSSON_CFLAGS)
tests_unit_test_pptpctl_LDADD = pptpctl/libpptpctl.la $(CHECK_LIBS)
