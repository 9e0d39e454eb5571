/* Received packets: the order of their numbers, and the buffer of those that came too early. */
#include "libpptp/gre_private.h"

static struct gre_slot *
slot_of(struct pptp_gre_session *s, uint32_t seq)
{
	return &s->ring[seq & s->ring_mask];
}

static void
owe_ack(struct pptp_gre_session *s, uint64_t ts)
{
	if (s->ack_owed++ == 0)
		s->ack_at = ts + s->ack_delay_ns;
}

/* A packet is the caller's: next is the number after it. */
static void
deliver(struct pptp_gre_session *s, uint32_t next, uint16_t length, uint64_t ts)
{
	s->rx_next = next;
	s->rx_ts = ts;
	s->stats.rx_pkts++;
	s->stats.rx_bytes += length;
}

static void
update_slow(struct pptp_gre_session *s)
{
	s->rx_slow = !s->started || s->held > 0 || s->beyond.pkt != NULL;
}

/* --- numbers that were given up -------------------------------------------- */

static void
remember_lost(struct pptp_gre_session *s, uint32_t first, uint32_t count)
{
	struct gre_run *last = &s->lost[s->lost_pos];

	if (last->count > 0 && last->first + last->count == first && last->count + count > count) {
		last->count += count;
		return;
	}
	s->lost_pos = (s->lost_pos + 1) % GRE_LOST_RUNS;
	s->lost[s->lost_pos] = (struct gre_run){first, count};
}

static bool
was_lost(const struct pptp_gre_session *s, uint32_t seq)
{
	for (size_t i = 0; i < GRE_LOST_RUNS; i++)
		if (seq - s->lost[i].first < s->lost[i].count)
			return true;
	return false;
}

static void
give_up_to(struct pptp_gre_session *s, uint32_t seq)
{
	uint32_t count = seq - s->rx_next;

	if (count == 0)
		return;
	s->stats.lost += count;
	remember_lost(s, s->rx_next, count);
	s->rx_next = seq;
}

/* --- the ring --------------------------------------------------------------- */

static void
ring_put(struct pptp_gre_session *s, uint32_t seq, const struct gre_slot *slot)
{
	if (s->held == 0 || serial_lt(s->high, seq))
		s->high = seq;
	if (s->held == 0 || slot->ts < s->oldest_ts)
		s->oldest_ts = slot->ts;
	if (s->held == 0 && s->beyond.pkt == NULL)
		s->floor = s->rx_next;
	if (s->beyond.pkt != NULL && s->beyond_restarts)
		s->floor = s->high + 1; /* nothing of the old sequence waits any longer */
	*slot_of(s, seq) = *slot;
	s->held++;
}

/* Takes out the packet whose number is rx_next. */
static void *
ring_take(struct pptp_gre_session *s, uint64_t ts)
{
	struct gre_slot *slot = slot_of(s, s->rx_next);
	void *pkt = slot->pkt;

	slot->pkt = NULL;
	s->held--;
	s->stats.reordered++;
	deliver(s, s->rx_next + 1, slot->length, ts);
	update_slow(s);
	return pkt;
}

static uint32_t
ring_lowest(struct pptp_gre_session *s)
{
	uint32_t seq = s->rx_next;

	while (slot_of(s, seq)->pkt == NULL)
		seq++;
	return seq;
}

/* Finds the packet that waits longest, which makes oldest_ts exact again. */
static uint32_t
ring_oldest(struct pptp_gre_session *s)
{
	uint32_t oldest = s->high;

	for (uint32_t seq = s->rx_next; seq != s->high; seq++) {
		const struct gre_slot *slot = slot_of(s, seq);

		if (slot->pkt != NULL && slot->ts < slot_of(s, oldest)->ts)
			oldest = seq;
	}
	s->oldest_ts = slot_of(s, oldest)->ts;
	return oldest;
}

static bool
waited_enough(const struct pptp_gre_session *s, uint64_t ts)
{
	return ts >= s->oldest_ts && ts - s->oldest_ts >= s->reorder_ns;
}

/* Whether the number rx_next, which is missing, is given up at ts. Sets floor if by time. */
static bool
gap_given_up(struct pptp_gre_session *s, uint64_t ts)
{
	uint32_t oldest;

	if (serial_lt(s->rx_next, s->floor))
		return true;
	if (!waited_enough(s, ts))
		return false;
	oldest = ring_oldest(s);
	if (!waited_enough(s, ts))
		return false;
	s->floor = oldest;
	return true;
}

/* --- the packet beyond the ring ---------------------------------------------- */

static enum pptp_gre_verdict
keep_beyond(struct pptp_gre_session *s, uint32_t seq, const struct gre_slot *slot, bool restarts)
{
	uint32_t floor = restarts ? s->high + 1 : seq - s->reorder_pkts;

	if (s->beyond.pkt != NULL) {
		s->stats.overrun++;
		return PPTP_GRE_DROP;
	}
	s->beyond = *slot;
	s->beyond_seq = seq;
	s->beyond_restarts = restarts;
	if (serial_lt(s->floor, floor))
		s->floor = floor;
	owe_ack(s, slot->ts);
	update_slow(s);
	return PPTP_GRE_HELD;
}

static void
begin_at(struct pptp_gre_session *s, uint32_t seq)
{
	s->started = true;
	s->rx_next = seq;
	s->candidate.valid = false;
	s->empty_valid = false;
	for (size_t i = 0; i < GRE_LOST_RUNS; i++)
		s->lost[i].count = 0;
}

/* Moves the packet beyond into the ring once there is room. */
static void
settle_beyond(struct pptp_gre_session *s)
{
	struct gre_slot slot = s->beyond;

	if (slot.pkt == NULL)
		return;
	if (s->held == 0 && s->beyond_restarts)
		begin_at(s, s->beyond_seq);
	else if (s->held == 0 && serial_lt(s->rx_next, s->floor))
		give_up_to(s, s->floor);
	else if (s->beyond_restarts || serial_lt(s->rx_next, s->floor))
		return;
	s->beyond.pkt = NULL;
	ring_put(s, s->beyond_seq, &slot);
}

/* --- one packet --------------------------------------------------------------- */

static bool
confirms(const struct pptp_gre_session *s, uint32_t seq)
{
	return s->candidate.valid && s->candidate.next == seq && s->candidate.rx_pkts == s->stats.rx_pkts;
}

static void
suspect(struct pptp_gre_session *s, uint32_t seq)
{
	s->candidate = (struct gre_candidate){.valid = true, .next = seq + 1, .rx_pkts = s->stats.rx_pkts};
}

/* The second packet of a new sequence. */
static enum pptp_gre_verdict
rx_restart(struct pptp_gre_session *s, uint32_t seq, const struct gre_slot *slot)
{
	if (s->rx_slow && s->started)
		return keep_beyond(s, seq, slot, true);
	begin_at(s, seq);
	deliver(s, seq + 1, slot->length, slot->ts);
	owe_ack(s, slot->ts);
	update_slow(s);
	return PPTP_GRE_DELIVER;
}

static enum pptp_gre_verdict
rx_jump(struct pptp_gre_session *s, uint32_t seq, const struct gre_slot *slot)
{
	if (confirms(s, seq))
		return rx_restart(s, seq, slot);
	suspect(s, seq);
	s->stats.jumped++;
	return PPTP_GRE_DROP;
}

/* A number that was passed: a copy, a late one, or a peer that began anew. */
static enum pptp_gre_verdict
rx_past(struct pptp_gre_session *s, uint32_t seq, const struct gre_slot *slot)
{
	if (slot->ts > s->rx_ts && slot->ts - s->rx_ts >= GRE_RESTART_NS) {
		if (confirms(s, seq))
			return rx_restart(s, seq, slot);
		suspect(s, seq);
	}
	if (was_lost(s, seq))
		s->stats.late++;
	else
		s->stats.duplicate++;
	return PPTP_GRE_DROP;
}

/* seq: not before rx_next. */
static bool
is_held(struct pptp_gre_session *s, uint32_t seq)
{
	if (s->beyond.pkt != NULL && s->beyond_seq == seq)
		return true;
	return seq - s->rx_next <= s->reorder_pkts && slot_of(s, seq)->pkt != NULL;
}

static enum pptp_gre_verdict
rx_duplicate(struct pptp_gre_session *s)
{
	s->stats.duplicate++;
	return PPTP_GRE_DROP;
}

static enum pptp_gre_verdict
rx_in_order(struct pptp_gre_session *s, uint32_t seq, const struct gre_slot *slot)
{
	deliver(s, seq + 1, slot->length, slot->ts);
	owe_ack(s, slot->ts);
	update_slow(s);
	return PPTP_GRE_DELIVER;
}

static enum pptp_gre_verdict
rx_hold(struct pptp_gre_session *s, uint32_t seq, const struct gre_slot *slot)
{
	ring_put(s, seq, slot);
	owe_ack(s, slot->ts);
	update_slow(s);
	return PPTP_GRE_HELD;
}

/* Too far ahead for the ring: the numbers that can't wait any longer are given up. */
static enum pptp_gre_verdict
rx_far_ahead(struct pptp_gre_session *s, uint32_t seq, const struct gre_slot *slot)
{
	if (s->held > 0 || s->beyond.pkt != NULL)
		return keep_beyond(s, seq, slot, false);
	give_up_to(s, seq - s->reorder_pkts);
	return s->reorder_pkts == 0 ? rx_in_order(s, seq, slot) : rx_hold(s, seq, slot);
}

static enum pptp_gre_verdict
rx_ahead(struct pptp_gre_session *s, uint32_t seq, const struct gre_slot *slot)
{
	uint32_t ahead = seq - s->rx_next;

	if (is_held(s, seq))
		return rx_duplicate(s);
	if (ahead == 1 && s->empty_valid && s->empty_seq == s->rx_next && !is_held(s, s->rx_next))
		ahead = 0; /* the peer spent a number on a packet without payload */
	if (ahead == 0)
		return rx_in_order(s, seq, slot);
	return ahead <= s->reorder_pkts ? rx_hold(s, seq, slot) : rx_far_ahead(s, seq, slot);
}

/* The first number. Linux starts at 1, RFC 2637 at 0; one within the ring may have overtaken those. */
static void
rx_begin(struct pptp_gre_session *s, uint32_t seq)
{
	begin_at(s, seq <= s->reorder_pkts && seq > 0 ? 1 : seq);
}

static enum pptp_gre_verdict
rx_payload(struct pptp_gre_session *s, uint32_t seq, const struct gre_slot *slot)
{
	int32_t diff = serial_diff(s->rx_next, seq);

	if (!s->started) {
		if (seq > s->max_jump)
			return rx_jump(s, seq, slot);
		rx_begin(s, seq);
		diff = serial_diff(s->rx_next, seq);
	}
	if (diff == -1 && seq == 0 && s->stats.rx_pkts == 0 && s->stats.lost == 0) {
		s->rx_next = seq; /* nothing was delivered yet: the peer starts at 0 after all */
		diff = 0;
	}
	if (diff > (int64_t)s->max_jump || diff < -(int64_t)s->max_jump)
		return rx_jump(s, seq, slot);
	return diff < 0 ? rx_past(s, seq, slot) : rx_ahead(s, seq, slot);
}

static enum pptp_gre_verdict
rx_without_payload(struct pptp_gre_session *s, const struct pptp_gre_header *h)
{
	if (h->has_sequence) {
		s->stats.no_payload++;
		s->empty_valid = true;
		s->empty_seq = h->sequence;
	} else if (h->has_ack) {
		s->stats.rx_acks++;
	}
	return PPTP_GRE_ACK_ONLY;
}

/* Not inlined, so that the short path below saves no registers. */
static __attribute__((noinline)) enum pptp_gre_verdict
rx_slow(struct pptp_gre_session *s, const struct pptp_gre_header *h, void *pkt, uint64_t ts)
{
	struct gre_slot slot = {.pkt = pkt, .ts = ts, .length = h->payload_length};

	if (h->payload_length == 0)
		return rx_without_payload(s, h);
	if (!h->has_sequence) {
		s->stats.no_sequence++;
		return PPTP_GRE_DROP;
	}
	return rx_payload(s, h->sequence, &slot);
}

enum pptp_gre_verdict
pptp_gre_rx(struct pptp_gre_session *s, const struct pptp_gre_header *h, void *pkt, uint64_t ts)
{
	if (h->has_ack)
		gre_acked(s, h->ack, ts);
	if (h->has_sequence && h->sequence == s->rx_next && !s->rx_slow && h->payload_length > 0) {
		deliver(s, s->rx_next + 1, h->payload_length, ts);
		owe_ack(s, ts);
		return PPTP_GRE_DELIVER;
	}
	return rx_slow(s, h, pkt, ts);
}

/* --- held packets --------------------------------------------------------------- */

static __attribute__((noinline)) void *
next_held(struct pptp_gre_session *s, uint64_t ts)
{
	for (;;) {
		uint32_t lowest;

		settle_beyond(s);
		if (s->held == 0)
			return NULL;
		if (slot_of(s, s->rx_next)->pkt != NULL)
			return ring_take(s, ts);
		if (!gap_given_up(s, ts))
			return NULL;
		lowest = ring_lowest(s);
		give_up_to(s, serial_lt(s->floor, lowest) ? s->floor : lowest);
	}
}

void *
pptp_gre_next(struct pptp_gre_session *s, uint64_t ts)
{
	return s->rx_slow ? next_held(s, ts) : NULL;
}

void *
pptp_gre_drain(struct pptp_gre_session *s)
{
	settle_beyond(s);
	if (s->held == 0)
		return NULL;
	give_up_to(s, ring_lowest(s));
	return ring_take(s, s->rx_ts);
}

uint64_t
gre_held_expiry(const struct pptp_gre_session *s)
{
	if (s->beyond.pkt != NULL)
		return 0;
	if (s->held == 0 || s->reorder_ns > PPTP_TS_NEVER - s->oldest_ts)
		return PPTP_TS_NEVER;
	return s->oldest_ts + s->reorder_ns;
}
