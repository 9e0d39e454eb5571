/* What one packet costs in the enhanced GRE session, in nanoseconds. */
#include "base/wire.h"

#include <pptp/gre.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { PACKETS = 20000000 };

static uint64_t
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static struct pptp_gre_session *
session(void)
{
	struct pptp_gre_session *s = NULL;
	struct pptp_gre_config config;

	pptp_gre_config_init(&config);
	if (pptp_gre_session_new(&s, &config, NULL) != PPTP_OK) {
		fprintf(stderr, "bench_gre: out of memory\n");
		exit(EXIT_FAILURE);
	}
	return s;
}

/* Orders and acknowledges as a data path does; returns packets given on. */
static uint64_t
receive(struct pptp_gre_session *s, uint32_t seq, uint64_t ts)
{
	struct pptp_gre_header h = {.payload_length = 1388, .has_sequence = true, .sequence = seq, .header_length = 12};
	uint8_t ack[PPTP_GRE_MAX_HEADER];
	uint64_t n = 0;

	n += pptp_gre_rx(s, &h, ack, ts) == PPTP_GRE_DELIVER;
	while (pptp_gre_next(s, ts) != NULL)
		n++;
	pptp_gre_ack(s, ack, ts);
	return n;
}

static void
report(const char *name, uint64_t begin, uint64_t given, uint64_t expected)
{
	printf("%-28s %6.2f ns a packet\n", name, (double)(now_ns() - begin) / PACKETS);
	if (given != expected) {
		fprintf(stderr, "bench_gre: %s: %llu packets given on, not %llu\n", name, (unsigned long long)given,
		    (unsigned long long)expected);
		exit(EXIT_FAILURE);
	}
}

/* every: one in so many packets changes places with the next; 0: none. */
static void
bench_rx(const char *name, uint32_t every)
{
	struct pptp_gre_session *s = session();
	uint64_t begin = now_ns();
	uint64_t given = 0;
	uint32_t until = every;

	for (uint32_t seq = 0; seq < PACKETS; seq++) {
		if (every != 0 && --until == 0 && seq + 1 < PACKETS) {
			until = every;
			given += receive(s, seq + 1, seq);
			given += receive(s, seq, seq);
			seq++;
		} else {
			given += receive(s, seq, seq);
		}
	}
	report(name, begin, given, PACKETS);
	pptp_gre_session_free(s);
}

static void
bench_tx(void)
{
	static uint8_t out[PPTP_GRE_MAX_HEADER + 1400];
	struct pptp_gre_session *s = session();
	uint64_t begin = now_ns();
	uint64_t with_ack = 0;

	for (uint32_t seq = 0; seq < PACKETS; seq++) {
		receive(s, seq, seq);
		with_ack += pptp_gre_tx(s, out + PPTP_GRE_MAX_HEADER, 1388, seq) == PPTP_GRE_MAX_HEADER;
	}
	report("rx in order + tx piggyback", begin, with_ack, PACKETS);
	pptp_gre_session_free(s);
}

static void
bench_tx_alone(void)
{
	static uint8_t out[PPTP_GRE_MAX_HEADER + 1400];
	struct pptp_gre_session *s = session();
	uint64_t begin = now_ns();

	for (uint32_t seq = 0; seq < PACKETS; seq++)
		pptp_gre_tx(s, out + PPTP_GRE_MAX_HEADER, 1388, seq);
	report("tx", begin, pptp_gre_stats(s)->tx_pkts, PACKETS);
	pptp_gre_session_free(s);
}

static void
bench_decode(void)
{
	static uint8_t wire[1400] = {0x30, 0x01, 0x88, 0x0b, (1400 - 12) >> 8, (1400 - 12) & 0xff, 0, 1};
	uint64_t begin = now_ns();
	uint64_t good = 0;

	for (uint32_t seq = 0; seq < PACKETS; seq++) {
		struct pptp_gre_header h;

		put_u32(wire + 8, seq);
		good += pptp_gre_decode(&h, wire, sizeof(wire)) == PPTP_OK && h.sequence == seq;
	}
	report("decode", begin, good, PACKETS);
}

int
main(void)
{
	bench_decode();
	bench_rx("rx in order", 0);
	bench_rx("rx 1% out of order", 100);
	bench_tx();
	bench_tx_alone();
	return 0;
}
