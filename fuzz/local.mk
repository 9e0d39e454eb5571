# Each target is one file, fuzz/fuzz_NAME.c with LLVMFuzzerTestOneInput(), and one block below:
#   fuzz/replay_NAME  runs it over fuzz/corpus/NAME/*, in `make check`, with any compiler;
#   fuzz/fuzz_NAME    is the libFuzzer binary, with --enable-fuzz: fuzz/fuzz_NAME fuzz/corpus/NAME
# Inputs that found a bug belong into the corpus.
EXTRA_DIST += fuzz/corpus
LIBFUZZER = $(AM_LDFLAGS) -fsanitize=fuzzer

check_PROGRAMS += fuzz/replay_config
TESTS += fuzz/replay_config
fuzz_replay_config_SOURCES = fuzz/replay.c fuzz/fuzz.h fuzz/fuzz_config.c
fuzz_replay_config_CFLAGS = $(AM_CFLAGS) $(CONFUSE_CFLAGS)
fuzz_replay_config_LDADD = sys/libsys.la
if FUZZ
noinst_PROGRAMS += fuzz/fuzz_config
fuzz_fuzz_config_SOURCES = fuzz/fuzz.h fuzz/fuzz_config.c
fuzz_fuzz_config_CFLAGS = $(AM_CFLAGS) $(CONFUSE_CFLAGS)
fuzz_fuzz_config_LDADD = $(fuzz_replay_config_LDADD)
fuzz_fuzz_config_LDFLAGS = $(LIBFUZZER)
endif

check_PROGRAMS += fuzz/replay_alg_rewrite
TESTS += fuzz/replay_alg_rewrite
fuzz_replay_alg_rewrite_SOURCES = fuzz/replay.c fuzz/fuzz.h fuzz/fuzz_alg_rewrite.c
fuzz_replay_alg_rewrite_LDADD = libalg.la libpptp/libpptp_core.la libbase.la
if FUZZ
noinst_PROGRAMS += fuzz/fuzz_alg_rewrite
fuzz_fuzz_alg_rewrite_SOURCES = fuzz/fuzz.h fuzz/fuzz_alg_rewrite.c
fuzz_fuzz_alg_rewrite_LDADD = $(fuzz_replay_alg_rewrite_LDADD)
fuzz_fuzz_alg_rewrite_LDFLAGS = $(LIBFUZZER)
endif

check_PROGRAMS += fuzz/replay_alg_user
TESTS += fuzz/replay_alg_user
fuzz_replay_alg_user_SOURCES = fuzz/replay.c fuzz/fuzz.h fuzz/fuzz_alg_user.c
fuzz_replay_alg_user_LDADD = libalg.la libpptp/libpptp_core.la libbase.la
if FUZZ
noinst_PROGRAMS += fuzz/fuzz_alg_user
fuzz_fuzz_alg_user_SOURCES = fuzz/fuzz.h fuzz/fuzz_alg_user.c
fuzz_fuzz_alg_user_LDADD = $(fuzz_replay_alg_user_LDADD)
fuzz_fuzz_alg_user_LDFLAGS = $(LIBFUZZER)
endif

check_PROGRAMS += fuzz/replay_alg_handover
TESTS += fuzz/replay_alg_handover
fuzz_replay_alg_handover_SOURCES = fuzz/replay.c fuzz/fuzz.h fuzz/fuzz_alg_handover.c
fuzz_replay_alg_handover_CFLAGS = $(AM_CFLAGS) $(CONFUSE_CFLAGS)
fuzz_replay_alg_handover_LDADD = libpptpalg.la
if FUZZ
noinst_PROGRAMS += fuzz/fuzz_alg_handover
fuzz_fuzz_alg_handover_SOURCES = fuzz/fuzz.h fuzz/fuzz_alg_handover.c
fuzz_fuzz_alg_handover_CFLAGS = $(AM_CFLAGS) $(CONFUSE_CFLAGS)
fuzz_fuzz_alg_handover_LDADD = $(fuzz_replay_alg_handover_LDADD)
fuzz_fuzz_alg_handover_LDFLAGS = $(LIBFUZZER)
endif

check_PROGRAMS += fuzz/replay_alg_journal
TESTS += fuzz/replay_alg_journal
fuzz_replay_alg_journal_SOURCES = fuzz/replay.c fuzz/fuzz.h fuzz/fuzz_alg_journal.c
fuzz_replay_alg_journal_CFLAGS = $(AM_CFLAGS) $(CONFUSE_CFLAGS)
fuzz_replay_alg_journal_LDADD = libpptpalg.la
if FUZZ
noinst_PROGRAMS += fuzz/fuzz_alg_journal
fuzz_fuzz_alg_journal_SOURCES = fuzz/fuzz.h fuzz/fuzz_alg_journal.c
fuzz_fuzz_alg_journal_CFLAGS = $(AM_CFLAGS) $(CONFUSE_CFLAGS)
fuzz_fuzz_alg_journal_LDADD = $(fuzz_replay_alg_journal_LDADD)
fuzz_fuzz_alg_journal_LDFLAGS = $(LIBFUZZER)
endif

check_PROGRAMS += fuzz/replay_alg_monitor
TESTS += fuzz/replay_alg_monitor
fuzz_replay_alg_monitor_SOURCES = fuzz/replay.c fuzz/fuzz.h fuzz/fuzz_alg_monitor.c
fuzz_replay_alg_monitor_CFLAGS = $(AM_CFLAGS) $(CONFUSE_CFLAGS)
fuzz_replay_alg_monitor_LDADD = libpptpalg.la
if FUZZ
noinst_PROGRAMS += fuzz/fuzz_alg_monitor
fuzz_fuzz_alg_monitor_SOURCES = fuzz/fuzz.h fuzz/fuzz_alg_monitor.c
fuzz_fuzz_alg_monitor_CFLAGS = $(AM_CFLAGS) $(CONFUSE_CFLAGS)
fuzz_fuzz_alg_monitor_LDADD = $(fuzz_replay_alg_monitor_LDADD)
fuzz_fuzz_alg_monitor_LDFLAGS = $(LIBFUZZER)
endif

check_PROGRAMS += fuzz/replay_conn
TESTS += fuzz/replay_conn
fuzz_replay_conn_SOURCES = fuzz/replay.c fuzz/fuzz.h fuzz/fuzz_conn.c
fuzz_replay_conn_LDADD = libpptp/libpptp_core.la libbase.la
if FUZZ
noinst_PROGRAMS += fuzz/fuzz_conn
fuzz_fuzz_conn_SOURCES = fuzz/fuzz.h fuzz/fuzz_conn.c
fuzz_fuzz_conn_LDADD = $(fuzz_replay_conn_LDADD)
fuzz_fuzz_conn_LDFLAGS = $(LIBFUZZER)
endif

check_PROGRAMS += fuzz/replay_framer
TESTS += fuzz/replay_framer
fuzz_replay_framer_SOURCES = fuzz/replay.c fuzz/fuzz.h fuzz/fuzz_framer.c
fuzz_replay_framer_LDADD = libpptp/libpptp_core.la libbase.la
if FUZZ
noinst_PROGRAMS += fuzz/fuzz_framer
fuzz_fuzz_framer_SOURCES = fuzz/fuzz.h fuzz/fuzz_framer.c
fuzz_fuzz_framer_LDADD = $(fuzz_replay_framer_LDADD)
fuzz_fuzz_framer_LDFLAGS = $(LIBFUZZER)
endif

check_PROGRAMS += fuzz/replay_gre
TESTS += fuzz/replay_gre
fuzz_replay_gre_SOURCES = fuzz/replay.c fuzz/fuzz.h fuzz/fuzz_gre.c
fuzz_replay_gre_LDADD = libpptp/libpptp_core.la libbase.la
if FUZZ
noinst_PROGRAMS += fuzz/fuzz_gre
fuzz_fuzz_gre_SOURCES = fuzz/fuzz.h fuzz/fuzz_gre.c
fuzz_fuzz_gre_LDADD = $(fuzz_replay_gre_LDADD)
fuzz_fuzz_gre_LDFLAGS = $(LIBFUZZER)
endif

check_PROGRAMS += fuzz/replay_auth
TESTS += fuzz/replay_auth
fuzz_replay_auth_SOURCES = fuzz/replay.c fuzz/fuzz.h fuzz/fuzz_auth.c
fuzz_replay_auth_LDADD = libppp/libppp.la libbase.la $(CRYPTO_LIBS)
if FUZZ
noinst_PROGRAMS += fuzz/fuzz_auth
fuzz_fuzz_auth_SOURCES = fuzz/fuzz.h fuzz/fuzz_auth.c
fuzz_fuzz_auth_LDADD = $(fuzz_replay_auth_LDADD)
fuzz_fuzz_auth_LDFLAGS = $(LIBFUZZER)
endif

check_PROGRAMS += fuzz/replay_ppp_link
TESTS += fuzz/replay_ppp_link
fuzz_replay_ppp_link_SOURCES = fuzz/replay.c fuzz/fuzz.h fuzz/fuzz_ppp_link.c
fuzz_replay_ppp_link_LDADD = libppp/libppp.la libbase.la $(CRYPTO_LIBS)
if FUZZ
noinst_PROGRAMS += fuzz/fuzz_ppp_link
fuzz_fuzz_ppp_link_SOURCES = fuzz/fuzz.h fuzz/fuzz_ppp_link.c
fuzz_fuzz_ppp_link_LDADD = $(fuzz_replay_ppp_link_LDADD)
fuzz_fuzz_ppp_link_LDFLAGS = $(LIBFUZZER)
endif

check_PROGRAMS += fuzz/replay_ppp_options
TESTS += fuzz/replay_ppp_options
fuzz_replay_ppp_options_SOURCES = fuzz/replay.c fuzz/fuzz.h fuzz/fuzz_ppp_options.c
fuzz_replay_ppp_options_LDADD = libppp/libppp.la libbase.la $(CRYPTO_LIBS)
if FUZZ
noinst_PROGRAMS += fuzz/fuzz_ppp_options
fuzz_fuzz_ppp_options_SOURCES = fuzz/fuzz.h fuzz/fuzz_ppp_options.c
fuzz_fuzz_ppp_options_LDADD = $(fuzz_replay_ppp_options_LDADD)
fuzz_fuzz_ppp_options_LDFLAGS = $(LIBFUZZER)
endif

check_PROGRAMS += fuzz/replay_secrets
TESTS += fuzz/replay_secrets
fuzz_replay_secrets_SOURCES = fuzz/replay.c fuzz/fuzz.h fuzz/fuzz_secrets.c
fuzz_replay_secrets_LDADD = pptpd/libpptpd.la
if FUZZ
noinst_PROGRAMS += fuzz/fuzz_secrets
fuzz_fuzz_secrets_SOURCES = fuzz/fuzz.h fuzz/fuzz_secrets.c
fuzz_fuzz_secrets_LDADD = $(fuzz_replay_secrets_LDADD)
fuzz_fuzz_secrets_LDFLAGS = $(LIBFUZZER)
endif
