# The gateway. Its core is sans-I/O: libalg.la is what the tests, the simulator and the fuzzer link.
noinst_LTLIBRARIES += libalg.la
libalg_la_SOURCES = \
	alg/datapath.h \
	alg/gates.c alg/gates.h \
	alg/gates_fsm.c alg/gates_private.h \
	alg/rewrite.c alg/rewrite.h \
	alg/rewrite_private.h \
	alg/rewrite_rx.c \
	alg/rewrite_save.c \
	alg/rewrite_state.c \
	alg/rewrite_tx.c \
	alg/table.c alg/table.h \
	alg/xlate.c alg/xlate.h
libalg_la_LIBADD = libpptp/libpptp_core.la libbase.la
