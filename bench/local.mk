noinst_PROGRAMS += bench/bench_gre
bench_bench_gre_SOURCES = bench/bench_gre.c
bench_bench_gre_LDADD = libpptp/libpptp_core.la
noinst_PROGRAMS += bench/bench_tunnel
bench_bench_tunnel_SOURCES = bench/bench_tunnel.c
bench_bench_tunnel_LDADD = tunnel/libtunnel.la
dist_noinst_SCRIPTS += bench/tunnel
noinst_PROGRAMS += bench/bench_mppe
bench_bench_mppe_SOURCES = bench/bench_mppe.c
bench_bench_mppe_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS)
bench_bench_mppe_LDADD = libppp/libppp.la $(CRYPTO_LIBS)

noinst_PROGRAMS += bench/pptpload
bench_pptpload_SOURCES = bench/pptpload.c
bench_pptpload_CFLAGS = $(AM_CFLAGS) $(EVENT_CFLAGS)
bench_pptpload_LDADD = tunnel/libtunnel.la libppp/libppp.la libpptp/libpptp_core.la sys/libsys.la libbase.la $(EVENT_LIBS)
EXTRA_DIST += bench/run
noinst_PROGRAMS += bench/ctlload
bench_ctlload_SOURCES = bench/ctlload.c
bench_ctlload_LDADD = libpptp/libpptp_core.la
EXTRA_DIST += bench/gateway bench/greflood.bpf.c
if HAVE_BPF
noinst_PROGRAMS += bench/greflood
bench_greflood_SOURCES = bench/greflood.c bench/greflood_plan.h
bench_greflood_CFLAGS = $(AM_CFLAGS) $(BPF_CFLAGS)
bench_greflood_LDADD = $(BPF_LIBS)
noinst_DATA += bench/greflood.bpf.o
CLEANFILES += bench/greflood.bpf.o
bench/greflood.bpf.o: $(srcdir)/bench/greflood.bpf.c $(srcdir)/bench/greflood_plan.h
	$(AM_V_GEN)$(MKDIR_P) bench && $(COMPILE_BPF) -c $(srcdir)/bench/greflood.bpf.c -o $@ && $(BPF_STRIP) -g $@
endif
