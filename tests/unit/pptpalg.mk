# The gateway's program: all of it but main(). Its sans-I/O core has tests/unit/alg.
check_PROGRAMS += tests/unit/test_pptpalg
TESTS += tests/unit/test_pptpalg
tests_unit_test_pptpalg_SOURCES = \
	tests/unit/suite.h \
	tests/unit/suite.c \
	tests/unit/pptpalg/main.c \
	tests/unit/pptpalg/source.c \
	tests/unit/pptpalg/source.h \
	tests/unit/pptpalg/test_bpf_table.c \
	tests/unit/pptpalg/test_config.c \
	tests/unit/pptpalg/test_conntrack.c \
	tests/unit/pptpalg/test_ct.c \
	tests/unit/pptpalg/test_ctl.c \
	tests/unit/pptpalg/test_journal.c \
	tests/unit/pptpalg/test_monitor.c \
	tests/unit/pptpalg/test_machine.c \
	tests/unit/pptpalg/test_nft.c \
	tests/unit/pptpalg/test_nft_text.c \
	tests/unit/pptpalg/test_policy.c \
	tests/unit/pptpalg/test_reload.c \
	tests/unit/pptpalg/test_trace.c \
	tests/unit/pptpalg/test_user.c \
	tests/unit/sys/capture.c \
	tests/unit/sys/capture.h \
	tests/unit/sys/netns.c \
	tests/unit/sys/netns.h
tests_unit_test_pptpalg_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(CONFUSE_CFLAGS) $(EVENT_CFLAGS) $(JANSSON_CFLAGS)
tests_unit_test_pptpalg_LDADD = libpptpalg.la $(NFTABLES_LIBS) $(NFCT_LIBS) $(CHECK_LIBS)
