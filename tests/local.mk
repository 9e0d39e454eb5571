# Unit tests: one program per room, one file per source file. They link the convenience libraries.
if HAVE_CHECK
include tests/unit/alg.mk
include tests/unit/base.mk
include tests/unit/libpptp.mk
include tests/unit/libppp.mk
include tests/unit/sys.mk
include tests/unit/tunnel.mk
include tests/unit/pptpalg.mk
include tests/unit/pptpctl.mk
include tests/unit/programs.mk
endif

# Tools of the end-to-end tests.
noinst_PROGRAMS += tests/e2e/blob tests/e2e/fdstore tests/e2e/impair tests/e2e/pptpeer tests/e2e/spoof
tests_e2e_blob_SOURCES = tests/e2e/blob.c
tests_e2e_fdstore_SOURCES = tests/e2e/fdstore.c
tests_e2e_impair_SOURCES = tests/e2e/impair.c
tests_e2e_pptpeer_SOURCES = tests/e2e/pptpeer.c tests/e2e/pptpeer.h tests/e2e/pptpeer_gre.c tests/e2e/pptpeer_ppp.c \
	tests/e2e/pptpeer_tcp.c
tests_e2e_pptpeer_LDADD = libpptp/libpptp_core.la sys/libsys.la libbase.la
tests_e2e_spoof_SOURCES = tests/e2e/spoof.c
noinst_PROGRAMS += tests/e2e/gatectl tests/e2e/relay
tests_e2e_relay_SOURCES = tests/e2e/relay.c
tests_e2e_gatectl_SOURCES = tests/e2e/gatectl.c tests/e2e/gate_args.c tests/e2e/gate_args.h
tests_e2e_gatectl_LDADD = libpptpalg.la
noinst_PROGRAMS += tests/e2e/forwarder
tests_e2e_forwarder_SOURCES = tests/e2e/forwarder.c tests/e2e/gate_args.c tests/e2e/gate_args.h
tests_e2e_forwarder_LDADD = libpptpalg.la
EXTRA_DIST += tests/e2e/34-fallback.t tests/e2e/35-other-gre.t

# What the gateway must do, between scripted and real peers.
EXTRA_DIST += tests/e2e/41-calls.t tests/e2e/42-nat.t tests/e2e/43-gates.t tests/e2e/44-tables.t tests/e2e/48-two-gateways.t \
	tests/e2e/40-helper.t tests/e2e/45-alg-hostile.t tests/e2e/46-restart.t tests/e2e/47-real.t tests/e2e/README.md tests/e2e/readme-check

# The gateway as its administrator sees it.
EXTRA_DIST += tests/e2e/36-machine.t tests/e2e/37-reload.t tests/e2e/38-unit.t tests/e2e/39-options.t

# All programs, as the README shows them first.
EXTRA_DIST += tests/e2e/19-quickstart.t

# Simulations: whole engines against each other on a virtual clock, by seed.
check_PROGRAMS += tests/sim/test_gre_sim
TESTS += tests/sim/test_gre_sim
tests_sim_test_gre_sim_SOURCES = tests/sim/sim.c tests/sim/sim.h tests/sim/test_gre_sim.c
tests_sim_test_gre_sim_LDADD = libpptp/libpptp_core.la libbase.la
check_PROGRAMS += tests/sim/test_conn_sim
TESTS += tests/sim/test_conn_sim
tests_sim_test_conn_sim_SOURCES = tests/sim/sim.c tests/sim/sim.h tests/sim/test_conn_sim.c
tests_sim_test_conn_sim_LDADD = libpptp/libpptp_core.la libbase.la
check_PROGRAMS += tests/sim/test_ppp_sim
TESTS += tests/sim/test_ppp_sim
tests_sim_test_ppp_sim_SOURCES = tests/sim/sim.c tests/sim/sim.h tests/sim/test_ppp_sim.c
tests_sim_test_ppp_sim_LDADD = libppp/libppp.la libpptp/libpptp_core.la libbase.la $(CRYPTO_LIBS)
check_PROGRAMS += tests/sim/test_alg_sim
TESTS += tests/sim/test_alg_sim
tests_sim_test_alg_sim_SOURCES = tests/sim/sim.c tests/sim/sim.h tests/sim/test_alg_sim.c
tests_sim_test_alg_sim_LDADD = libalg.la libpptp/libpptp_core.la libbase.la

# Conformance of any server at an address: tests/conform/pptp-conform ADDRESS
noinst_PROGRAMS += tests/conform/pptp-conform
tests_conform_pptp_conform_SOURCES = \
	tests/conform/case_call.c \
	tests/conform/case_connection.c \
	tests/conform/case_stream.c \
	tests/conform/cases.c \
	tests/conform/conform.h \
	tests/conform/main.c \
	tests/conform/peer.c
tests_conform_pptp_conform_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS)
tests_conform_pptp_conform_LDADD = libpptp/libpptp_core.la libbase.la $(JANSSON_LIBS)
noinst_PROGRAMS += tests/e2e/gresend
tests_e2e_gresend_SOURCES = tests/e2e/gresend.c
