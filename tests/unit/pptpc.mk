check_PROGRAMS += tests/unit/test_pptpc
TESTS += tests/unit/test_pptpc
tests_unit_test_pptpc_SOURCES = \
	tests/unit/suite.h \
	tests/unit/suite.c \
	tests/unit/pptpc/fake.c tests/unit/pptpc/fake.h \
	tests/unit/pptpc/main.c \
	tests/unit/pptpc/test_backoff.c \
	tests/unit/pptpc/test_client.c \
	tests/unit/pptpc/test_cmdline.c \
	tests/unit/pptpc/test_conffile.c \
	tests/unit/pptpc/test_diag.c \
	tests/unit/pptpc/test_dial.c \
	tests/unit/pptpc/test_line.c \
	tests/unit/pptpc/test_option.c \
	tests/unit/pptpc/test_resolve.c \
	tests/unit/pptpc/test_routeplan.c \
	tests/unit/pptpc/test_scripts.c \
	tests/unit/pptpc/test_secret.c \
	tests/unit/pptpc/test_servers.c \
	tests/unit/pptpc/test_status.c
tests_unit_test_pptpc_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(CONFUSE_CFLAGS) $(EVENT_CFLAGS) $(JANSSON_CFLAGS)
tests_unit_test_pptpc_LDADD = pptpc/libpptpc.la $(CONFUSE_LIBS) $(EVENT_LIBS) $(CHECK_LIBS)
