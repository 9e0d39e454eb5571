noinst_PROGRAMS += bench/bench_gre
bench_bench_gre_SOURCES = bench/bench_gre.c
bench_bench_gre_LDADD = libpptp/libpptp_core.la
