noinst_PROGRAMS += bench/bench_gre
bench_bench_gre_SOURCES = bench/bench_gre.c
bench_bench_gre_LDADD = libpptp/libpptp_core.la
noinst_PROGRAMS += bench/bench_tunnel
bench_bench_tunnel_SOURCES = bench/bench_tunnel.c
bench_bench_tunnel_LDADD = tunnel/libtunnel.la
dist_noinst_SCRIPTS += bench/tunnel
