check_PROGRAMS += tests/unit/test_tunnel
TESTS += tests/unit/test_tunnel
tests_unit_test_tunnel_SOURCES = \
	tests/unit/suite.h \
	tests/unit/suite.c \
	tests/unit/tunnel/main.c \
	tests/unit/tunnel/packets.c tests/unit/tunnel/packets.h \
	tests/unit/tunnel/rig.c tests/unit/tunnel/rig.h \
	tests/unit/tunnel/test_coalesce.c \
	tests/unit/tunnel/test_control.c \
	tests/unit/tunnel/test_engine.c \
	tests/unit/tunnel/test_csum.c \
	tests/unit/tunnel/test_fib.c \
	tests/unit/tunnel/test_fit.c \
	tests/unit/tunnel/test_ip.c \
	tests/unit/tunnel/test_mss.c \
	tests/unit/tunnel/test_nat.c \
	tests/unit/tunnel/test_options.c \
	tests/unit/tunnel/test_ra.c \
	tests/unit/tunnel/test_segment.c
tests_unit_test_tunnel_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(CONFUSE_CFLAGS) $(EVENT_CFLAGS)
tests_unit_test_tunnel_LDADD = tunnel/libtunnel.la $(CHECK_LIBS)
