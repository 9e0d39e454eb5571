check_PROGRAMS += tests/unit/test_libpptp
TESTS += tests/unit/test_libpptp
tests_unit_test_libpptp_SOURCES = \
	tests/unit/suite.h \
	tests/unit/suite.c \
	tests/unit/libpptp/golden.c \
	tests/unit/libpptp/golden.h \
	tests/unit/libpptp/main.c \
	tests/unit/libpptp/solo.c \
	tests/unit/libpptp/solo.h \
	tests/unit/libpptp/test_call.c \
	tests/unit/libpptp/test_callid.c \
	tests/unit/libpptp/test_conn.c \
	tests/unit/libpptp/test_conn_streams.c \
	tests/unit/libpptp/test_conn_time.c \
	tests/unit/libpptp/test_framer.c \
	tests/unit/libpptp/test_fsm.c \
	tests/unit/libpptp/test_gre_header.c \
	tests/unit/libpptp/test_gre_rx.c \
	tests/unit/libpptp/test_gre_tx.c \
	tests/unit/libpptp/test_gre_window.c \
	tests/unit/libpptp/test_msg.c
tests_unit_test_libpptp_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_libpptp_LDADD = libpptp/libpptp_core.la libbase.la $(CHECK_LIBS)

# What the shared library exports.
TESTS += tests/unit/libpptp/exports.sh
EXTRA_DIST += tests/unit/libpptp/exports.sh

# The manual page's example builds and does what it says.
check_PROGRAMS += tests/unit/libpptp_example
TESTS += tests/unit/libpptp_example
nodist_tests_unit_libpptp_example_SOURCES = tests/unit/libpptp_example.c
tests_unit_libpptp_example_LDADD = libpptp/libpptp_core.la libbase.la
CLEANFILES += tests/unit/libpptp_example.c
tests/unit/libpptp_example.c: man/libpptp.3 tests/unit/$(am__dirstamp)
	$(AM_V_GEN)sed -n '/^\.Bd -literal/,/^\.Ed/{/^\.[BE]d/!p}' $(srcdir)/man/libpptp.3 | sed 's/\\e/\\/g' >$@
