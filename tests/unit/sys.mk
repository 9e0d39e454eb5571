check_PROGRAMS += tests/unit/test_sys
TESTS += tests/unit/test_sys
tests_unit_test_sys_SOURCES = \
	tests/unit/suite.h \
	tests/unit/suite.c \
	tests/unit/sys/addrs.c tests/unit/sys/addrs.h \
	tests/unit/sys/allow_rig.c tests/unit/sys/allow_rig.h \
	tests/unit/sys/capture.c tests/unit/sys/capture.h \
	tests/unit/sys/main.c \
	tests/unit/sys/netns.c tests/unit/sys/netns.h \
	tests/unit/sys/priv_rig.c tests/unit/sys/priv_rig.h \
	tests/unit/sys/test_clock.c \
	tests/unit/sys/test_args.c \
	tests/unit/sys/test_conf.c \
	tests/unit/sys/test_conf_text.c \
	tests/unit/sys/test_conf_value.c \
	tests/unit/sys/test_ctl.c \
	tests/unit/sys/test_handover.c \
	tests/unit/sys/test_log.c \
	tests/unit/sys/test_log_limit.c \
	tests/unit/sys/test_mbox.c \
	tests/unit/sys/test_metrics.c \
	tests/unit/sys/test_netlink.c \
	tests/unit/sys/test_priv.c \
	tests/unit/sys/test_priv_allow.c \
	tests/unit/sys/test_priv_allow_fds.c \
	tests/unit/sys/test_priv_claim.c \
	tests/unit/sys/test_priv_program.c \
	tests/unit/sys/test_priv_resolv.c \
	tests/unit/sys/test_priv_serve.c \
	tests/unit/sys/test_priv_undo.c \
	tests/unit/sys/test_sockaddr.c \
	tests/unit/sys/test_priv_wire.c
tests_unit_test_sys_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(EVENT_CFLAGS) $(CONFUSE_CFLAGS) $(JANSSON_CFLAGS)
tests_unit_test_sys_LDADD = sys/libsys.la $(CHECK_LIBS)
