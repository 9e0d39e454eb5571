/* What the files of an enhanced GRE session share. */
#ifndef LIBPPTP_GRE_PRIVATE_H
#define LIBPPTP_GRE_PRIVATE_H

#include "base/serial.h"

#include <pptp/gre.h>

/* The first two bytes of a header: K set, version 1; and the two flags that may vary. */
enum {
	GRE_BITS = 0x2001,
	GRE_BIT_S = 0x1000,
	GRE_BIT_A = 0x0080,
	GRE_VERSION_MASK = 0x0007,
};

/* A number behind the expected one starts a new sequence only after this much time without a delivery: until
 * then it is a duplicate or a late packet. */
#define GRE_RESTART_NS UINT64_C(1000000000)

/* How many runs of given-up numbers are remembered to tell late packets from duplicates. */
enum { GRE_LOST_RUNS = 32 };

struct gre_slot {
	void *pkt; /* NULL: empty */
	uint64_t ts;
	uint16_t length;
};

struct gre_run {
	uint32_t first;
	uint32_t count;
};

/* A refused number whose successor would start a new sequence, if nothing is delivered in between. */
struct gre_candidate {
	bool valid;
	uint32_t next;
	uint64_t rx_pkts; /* the counter when it came */
};

/* The sliding window and its time-out, sections 4.2 and 4.4. */
struct gre_window {
	uint32_t max;       /* what the peer takes */
	uint32_t size;      /* what we send now, 1..max */
	uint32_t grow_at;   /* the number whose acknowledgement completes a window */
	uint64_t expires;   /* PPTP_TS_NEVER: nothing under way */
	uint64_t rtt_ns;    /* smoothed round trip; starts as the peer's processing delay; 0: unknown */
	uint64_t dev_ns;    /* its mean deviation */
	uint64_t sample_ts; /* when sample was sent */
	uint32_t sample;    /* the number that is timed */
	bool sampling;
	bool on; /* wanted, and the peer has a limit; sampling goes on without */
};

struct pptp_gre_session {
	/* What the fast paths touch comes first. */
	uint32_t rx_next; /* the number to deliver next */
	bool rx_slow;     /* not started, or packets are held */
	bool started;
	uint16_t peer_call_id;
	uint32_t ack_owed; /* packets taken since the last acknowledgement sent */
	uint32_t tx_next;  /* the number to send next */
	uint32_t tx_una;   /* the oldest number sent and not acknowledged; tx_next: none */
	uint64_t ack_at;   /* when ack_owed > 0: the time to send it alone */
	uint64_t ack_delay_ns;
	uint64_t rx_ts; /* of the last delivery */
	struct pptp_gre_stats stats;

	struct gre_window window;
	bool window_wanted;
	uint32_t ack_pkts;
	uint32_t max_jump;
	uint32_t reorder_pkts;
	uint64_t reorder_ns;

	uint32_t held;      /* packets in the ring */
	uint32_t high;      /* when held > 0: the highest number among them */
	uint32_t floor;     /* when held > 0 or beyond: numbers before it are given up */
	uint64_t oldest_ts; /* when held > 0: none of them came before */
	struct gre_slot *ring;
	uint32_t ring_mask;

	/* One packet too far ahead for the ring waits here until pptp_gre_next() has made room. */
	struct gre_slot beyond;
	uint32_t beyond_seq;
	bool beyond_restarts; /* and it starts a new sequence */

	struct gre_candidate candidate;
	bool empty_valid; /* a number without payload was seen: */
	uint32_t empty_seq;

	struct gre_run lost[GRE_LOST_RUNS];
	uint32_t lost_pos;

	const struct pptp_mem *mem;
};

/* The number to acknowledge: the highest received. */
static inline uint32_t
gre_ack_number(const struct pptp_gre_session *s)
{
	return s->held > 0 ? s->high : s->rx_next - 1;
}

/* Reads the acknowledgement of a received packet. */
void gre_acked(struct pptp_gre_session *s, uint32_t ack, uint64_t ts);

/* When a held packet is due; PPTP_TS_NEVER if none is held. */
uint64_t gre_held_expiry(const struct pptp_gre_session *s);

/* una: the oldest number not acknowledged. */
void gre_window_init(struct gre_window *w, bool wanted, uint16_t peer_window, uint16_t peer_delay, uint32_t una);
/* A packet with this number goes out; alone: nothing else was under way. */
void gre_window_sent(struct gre_window *w, uint32_t seq, bool alone, uint64_t ts);
/* Everything before una is acknowledged; all: nothing else is under way. Returns whether rtt_ns was measured anew. */
bool gre_window_acked(struct gre_window *w, uint32_t una, bool all, uint64_t ts);
/* The time-out came; tx_next is the number to send next. */
void gre_window_timed_out(struct gre_window *w, uint32_t tx_next);

#endif
