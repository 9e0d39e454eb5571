check_PROGRAMS += tests/unit/test_alg
TESTS += tests/unit/test_alg
tests_unit_test_alg_SOURCES = \
	tests/unit/suite.h \
	tests/unit/suite.c \
	tests/unit/alg/gw.c \
	tests/unit/alg/gw.h \
	tests/unit/alg/main.c \
	tests/unit/alg/test_gates.c \
	tests/unit/alg/test_gates_fsm.c \
	tests/unit/alg/test_rewrite.c \
	tests/unit/alg/test_rewrite_rx.c \
	tests/unit/alg/test_rewrite_save.c \
	tests/unit/alg/test_rewrite_state.c \
	tests/unit/alg/test_rewrite_streams.c \
	tests/unit/alg/test_rewrite_tx.c \
	tests/unit/alg/test_table.c \
	tests/unit/alg/test_user_gates.c \
	tests/unit/alg/test_user_packet.c \
	tests/unit/alg/test_xlate.c
tests_unit_test_alg_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_alg_LDADD = libalg.la libpptp/libpptp_core.la libbase.la $(CHECK_LIBS)
