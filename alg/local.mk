# The gateway. Its core is sans-I/O: libalg.la is what the tests, the simulator and the fuzzer link.
noinst_LTLIBRARIES += libalg.la
libalg_la_SOURCES = \
	alg/datapath/datapath.h \
	alg/datapath/user.h \
	alg/datapath/user_gates.c alg/datapath/user_gates.h \
	alg/datapath/user_packet.c alg/datapath/user_packet.h \
	alg/gates.c alg/gates.h \
	alg/gates_fsm.c alg/gates_private.h \
	alg/rewrite.c alg/rewrite.h \
	alg/rewrite_private.h \
	alg/rewrite_rx.c \
	alg/rewrite_save.c \
	alg/rewrite_state.c \
	alg/rewrite_tx.c \
	alg/saved.h \
	alg/table.c alg/table.h \
	alg/xlate.c alg/xlate.h
libalg_la_LIBADD = libpptp/libpptp_core.la libbase.la

# All of the program but main(), so that unit tests see its insides.
noinst_LTLIBRARIES += libpptpalg.la
libpptpalg_la_SOURCES = \
	alg/calls.c alg/calls.h \
	alg/config.c alg/config.h \
	alg/config_check.c alg/config_check.h \
	alg/counters.c alg/counters.h \
	alg/ct.c alg/ct.h \
	alg/ctl.c alg/ctl_private.h \
	alg/ctl_flows.c \
	alg/ctl_resources.c \
	alg/ctl_rows.c \
	alg/ctnl.c alg/ctnl.h \
	alg/datapath/bpf_map.h \
	alg/datapath/bpf_table.c alg/datapath/bpf_table.h \
	alg/datapath/conntrack.c alg/datapath/conntrack_private.h \
	alg/datapath/conntrack_add.c \
	alg/datapath/conntrack_entry.c \
	alg/datapath/conntrack_read.c \
	alg/datapath/user.c \
	alg/datapath/user_io.h \
	alg/datapath/user_rx.c \
	alg/datapath/user_thread.c alg/datapath/user_thread.h \
	alg/datapath/user_tx.c \
	alg/flow.c alg/flow.h \
	alg/flow_accept.c \
	alg/flow_events.c \
	alg/flow_io.c \
	alg/flow_open.c \
	alg/gates_io.c \
	alg/gateway.c alg/gateway.h \
	alg/guard.c alg/guard.h \
	alg/handover.h \
	alg/handover_load.c \
	alg/handover_save.c \
	alg/handover_state.c \
	alg/ids.c \
	alg/journal.c alg/journal.h \
	alg/machine.c alg/machine.h \
	alg/machine_net.c \
	alg/metrics.c \
	alg/monitor.c alg/monitor.h \
	alg/monitor_check.c \
	alg/monitor_client.c \
	alg/monitor_files.c \
	alg/monitor_private.h \
	alg/monitor_start.c \
	alg/nfnl.c alg/nfnl.h \
	alg/nft.c alg/nft.h \
	alg/nft_text.c alg/nft_text.h \
	alg/nft_watch.c alg/nft_watch.h \
	alg/policy.c alg/policy.h \
	alg/reload.c alg/reload.h \
	alg/start.c alg/start.h \
	alg/trace.c alg/trace.h
libpptpalg_la_CFLAGS = $(AM_CFLAGS) $(EVENT_CFLAGS) $(CONFUSE_CFLAGS) $(JANSSON_CFLAGS) $(MNL_CFLAGS) $(NFTABLES_CFLAGS) $(NFCT_CFLAGS)
libpptpalg_la_LIBADD = libalg.la sys/libsys.la $(EVENT_LIBS) $(CONFUSE_LIBS) $(JANSSON_LIBS) $(MNL_LIBS) $(NFTABLES_LIBS) $(NFCT_LIBS)

# The eBPF data path: a program for the kernel, compiled by clang and carried inside ours.
EXTRA_DIST += alg/datapath/gates.bpf.c
if HAVE_BPF
COMPILE_BPF = $(BPF_CLANG) -O2 -g -Wall -Wextra -target bpf -mcpu=v3 -fdebug-prefix-map=$(abs_srcdir)=. $(BPF_CPPFLAGS) $(BPF_CFLAGS)
libpptpalg_la_SOURCES += \
	alg/datapath/bpf.c \
	alg/datapath/bpf_links.c alg/datapath/bpf_links.h \
	alg/datapath/bpf_netdev.c alg/datapath/bpf_netdev.h \
	alg/datapath/bpf_object.c alg/datapath/bpf_object.h
libpptpalg_la_CFLAGS += $(BPF_CFLAGS)
libpptpalg_la_LIBADD += $(BPF_LIBS)
CLEANFILES += alg/datapath/gates.bpf.o
# By way of a variable: automake would take the plain name for a rule that replaces its own.
bpf_object_lo = alg/datapath/libpptpalg_la-bpf_object.lo
$(bpf_object_lo): alg/datapath/gates.bpf.o
alg/datapath/gates.bpf.o: $(srcdir)/alg/datapath/gates.bpf.c $(srcdir)/alg/datapath/bpf_map.h
	$(AM_V_GEN)$(MKDIR_P) alg/datapath && \
	$(COMPILE_BPF) -c $(srcdir)/alg/datapath/gates.bpf.c -o $@ && $(BPF_STRIP) -g $@
else
libpptpalg_la_SOURCES += alg/datapath/bpf_none.c
endif

sbin_PROGRAMS += alg/pptpalg
alg_pptpalg_CFLAGS = $(AM_CFLAGS) $(CONFUSE_CFLAGS) $(JANSSON_CFLAGS)
alg_pptpalg_SOURCES = alg/main.c
alg_pptpalg_LDADD = libpptpalg.la
