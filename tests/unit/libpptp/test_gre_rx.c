#include "tests/unit/suite.h"

#include <pptp/gre.h>
#include <string.h>

Suite *suite_gre_rx(void);

#define MS UINT64_C(1000000)
#define SECOND (1000 * MS)

/* A packet's handle is its number plus one, so that zero has one too. */
static void *
handle(uint32_t seq)
{
	return (void *)((uintptr_t)seq + 1);
}

static struct pptp_gre_session *
session(uint32_t reorder_pkts)
{
	struct pptp_gre_session *s = NULL;
	struct pptp_gre_config config;

	pptp_gre_config_init(&config);
	config.reorder_pkts = reorder_pkts;
	config.max_jump = 1000;
	ck_assert_int_eq(pptp_gre_session_new(&s, &config, NULL), PPTP_OK);
	return s;
}

static enum pptp_gre_verdict
rx(struct pptp_gre_session *s, uint32_t seq, uint64_t ts)
{
	struct pptp_gre_header h = {.payload_length = 10, .has_sequence = true, .sequence = seq, .header_length = 12};

	return pptp_gre_rx(s, &h, handle(seq), ts);
}

#define assert_rx(s, seq, ts, verdict) ck_assert_int_eq(rx(s, seq, ts), verdict)
#define assert_next(s, seq, ts) ck_assert_ptr_eq(pptp_gre_next(s, ts), handle(seq))
#define assert_none(s, ts) ck_assert_ptr_null(pptp_gre_next(s, ts))

/* A session that has delivered first..last in order at time 0. */
static struct pptp_gre_session *
running(uint32_t reorder_pkts, uint32_t first, uint32_t last)
{
	struct pptp_gre_session *s = session(reorder_pkts);

	for (uint32_t seq = first; seq != last + 1; seq++)
		assert_rx(s, seq, 0, PPTP_GRE_DELIVER);
	return s;
}

START_TEST(in_order)
{
	struct pptp_gre_session *s = running(64, 0, 999);
	const struct pptp_gre_stats *st = pptp_gre_stats(s);

	assert_none(s, 0);
	ck_assert_uint_eq(st->rx_pkts, 1000);
	ck_assert_uint_eq(st->rx_bytes, 10000);
	ck_assert_uint_eq(st->lost + st->duplicate + st->late + st->reordered + st->jumped, 0);
	pptp_gre_session_free(s);
}
END_TEST

START_TEST(any_start_within_bounds)
{
	static const uint32_t starts[] = {0, 1, 65, 500, 1000};

	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		struct pptp_gre_session *s = running(64, starts[i], starts[i] + 2);

		ck_assert_uint_eq(pptp_gre_stats(s)->lost, 0);
		pptp_gre_session_free(s);
	}
}
END_TEST

START_TEST(start_overtaken)
{
	struct pptp_gre_session *s = session(63);

	assert_rx(s, 64, 0, PPTP_GRE_DELIVER); /* not within the buffer: taken as the start */
	pptp_gre_session_free(s);
	s = session(63);
	assert_rx(s, 2, 0, PPTP_GRE_HELD);
	assert_rx(s, 64, 0, PPTP_GRE_HELD);
	assert_rx(s, 0, 0, PPTP_GRE_DELIVER);
	assert_none(s, 0);
	assert_rx(s, 1, 0, PPTP_GRE_DELIVER);
	assert_next(s, 2, 0);
	assert_none(s, 0);
	pptp_gre_session_free(s);
	s = session(63);
	assert_rx(s, 2, 0, PPTP_GRE_HELD); /* a peer that starts at 1 */
	assert_rx(s, 1, 0, PPTP_GRE_DELIVER);
	assert_next(s, 2, 0);
	assert_rx(s, 0, 0, PPTP_GRE_DROP);
	ck_assert_uint_eq(pptp_gre_stats(s)->lost, 0);
	pptp_gre_session_free(s);
}
END_TEST

START_TEST(start_out_of_bounds)
{
	struct pptp_gre_session *s = session(64);

	assert_rx(s, 1001, 0, PPTP_GRE_DROP);
	ck_assert_uint_eq(pptp_gre_stats(s)->jumped, 1);
	assert_rx(s, 0x80000000, 0, PPTP_GRE_DROP);
	assert_rx(s, 1002, 0, PPTP_GRE_DROP); /* not consecutive */
	assert_rx(s, 1003, 0, PPTP_GRE_DELIVER);
	assert_rx(s, 1004, 0, PPTP_GRE_DELIVER);
	ck_assert_uint_eq(pptp_gre_stats(s)->jumped, 3);
	pptp_gre_session_free(s);
}
END_TEST

START_TEST(wraps)
{
	struct pptp_gre_session *s = session(64);

	assert_rx(s, 0xfffffffd, 0, PPTP_GRE_DROP);
	assert_rx(s, 0xfffffffe, 0, PPTP_GRE_DELIVER);
	assert_rx(s, 1, 0, PPTP_GRE_HELD);
	assert_rx(s, 0, 0, PPTP_GRE_HELD);
	assert_none(s, 0);
	assert_rx(s, 0xffffffff, 0, PPTP_GRE_DELIVER);
	assert_next(s, 0, 0);
	assert_next(s, 1, 0);
	assert_none(s, 0);
	assert_rx(s, 0xffffffff, 0, PPTP_GRE_DROP);
	assert_rx(s, 2, 0, PPTP_GRE_DELIVER);
	ck_assert_uint_eq(pptp_gre_stats(s)->duplicate, 1);
	ck_assert_uint_eq(pptp_gre_stats(s)->lost, 0);
	pptp_gre_session_free(s);
}
END_TEST

START_TEST(gap_is_filled)
{
	struct pptp_gre_session *s = running(64, 0, 9);

	assert_rx(s, 12, 1, PPTP_GRE_HELD);
	assert_none(s, 1);
	assert_rx(s, 11, 2, PPTP_GRE_HELD);
	assert_none(s, 2);
	assert_rx(s, 10, 3, PPTP_GRE_DELIVER);
	assert_next(s, 11, 3);
	assert_next(s, 12, 3);
	assert_none(s, 3);
	assert_rx(s, 13, 4, PPTP_GRE_DELIVER);
	ck_assert_uint_eq(pptp_gre_stats(s)->reordered, 2);
	ck_assert_uint_eq(pptp_gre_stats(s)->rx_pkts, 14);
	ck_assert_uint_eq(pptp_gre_stats(s)->rx_bytes, 140);
	pptp_gre_session_free(s);
}
END_TEST

START_TEST(gap_is_given_up_by_time)
{
	struct pptp_gre_session *s = running(64, 0, 9);

	assert_rx(s, 13, 10 * MS, PPTP_GRE_HELD);
	assert_rx(s, 11, 50 * MS, PPTP_GRE_HELD);
	assert_rx(s, 15, 60 * MS, PPTP_GRE_HELD);
	assert_none(s, 110 * MS - 1);
	assert_next(s, 11, 110 * MS); /* 13's time is up, so those before it go too */
	assert_next(s, 13, 110 * MS);
	assert_none(s, 110 * MS);
	ck_assert_uint_eq(pptp_gre_stats(s)->lost, 2);
	assert_none(s, 160 * MS - 1);
	assert_next(s, 15, 160 * MS);
	ck_assert_uint_eq(pptp_gre_stats(s)->lost, 3);
	assert_rx(s, 12, 161 * MS, PPTP_GRE_DROP);
	ck_assert_uint_eq(pptp_gre_stats(s)->late, 1);
	assert_rx(s, 11, 161 * MS, PPTP_GRE_DROP);
	ck_assert_uint_eq(pptp_gre_stats(s)->duplicate, 1);
	pptp_gre_session_free(s);
}
END_TEST

START_TEST(expiry_of_held)
{
	struct pptp_gre_session *s = running(64, 0, 9);
	uint8_t buf[PPTP_GRE_MAX_HEADER];
	uint64_t due;

	ck_assert_uint_gt(pptp_gre_ack(s, buf, 100 * MS), 0);
	ck_assert_uint_eq(pptp_gre_expiry(s), PPTP_TS_NEVER);
	assert_rx(s, 11, 150 * MS, PPTP_GRE_HELD);
	ck_assert_uint_gt(pptp_gre_ack(s, buf, 250 * MS), 0);
	ck_assert_uint_eq(pptp_gre_expiry(s), 250 * MS);
	assert_rx(s, 13, 160 * MS, PPTP_GRE_HELD);
	ck_assert_uint_gt(pptp_gre_ack(s, buf, 260 * MS), 0);
	assert_rx(s, 10, 170 * MS, PPTP_GRE_DELIVER);
	ck_assert_uint_gt(pptp_gre_ack(s, buf, 270 * MS), 0);
	assert_next(s, 11, 170 * MS);
	assert_none(s, 170 * MS);
	due = pptp_gre_expiry(s); /* may be early once, not late */
	ck_assert_uint_le(due, 260 * MS);
	assert_none(s, due);
	ck_assert_uint_eq(pptp_gre_expiry(s), 260 * MS);
	assert_next(s, 13, 260 * MS);
	ck_assert_uint_eq(pptp_gre_expiry(s), PPTP_TS_NEVER);
	pptp_gre_session_free(s);
}
END_TEST

START_TEST(gap_is_given_up_by_packets)
{
	struct pptp_gre_session *s = running(4, 0, 9);

	for (uint32_t seq = 11; seq <= 14; seq++) {
		assert_rx(s, seq, 0, PPTP_GRE_HELD);
		assert_none(s, 0);
	}
	assert_rx(s, 15, 0, PPTP_GRE_HELD);
	for (uint32_t seq = 11; seq <= 15; seq++)
		assert_next(s, seq, 0);
	assert_none(s, 0);
	ck_assert_uint_eq(pptp_gre_stats(s)->lost, 1);
	assert_rx(s, 10, 0, PPTP_GRE_DROP);
	ck_assert_uint_eq(pptp_gre_stats(s)->late, 1);
	assert_rx(s, 16, 0, PPTP_GRE_DELIVER);
	pptp_gre_session_free(s);
}
END_TEST

START_TEST(far_ahead_with_empty_buffer)
{
	struct pptp_gre_session *s = running(4, 0, 9);

	assert_rx(s, 110, 0, PPTP_GRE_HELD); /* the four before it may still come */
	assert_none(s, 0);
	ck_assert_uint_eq(pptp_gre_stats(s)->lost, 96);
	assert_rx(s, 105, 0, PPTP_GRE_DROP);
	assert_rx(s, 106, 0, PPTP_GRE_DELIVER);
	assert_rx(s, 107, 0, PPTP_GRE_DELIVER);
	assert_next(s, 110, 100 * MS);
	ck_assert_uint_eq(pptp_gre_stats(s)->lost, 98);
	ck_assert_uint_eq(pptp_gre_stats(s)->late, 1);
	pptp_gre_session_free(s);
}
END_TEST

START_TEST(far_ahead_with_held)
{
	struct pptp_gre_session *s = running(4, 0, 9);

	assert_rx(s, 11, 0, PPTP_GRE_HELD);
	assert_rx(s, 13, 0, PPTP_GRE_HELD);
	assert_rx(s, 500, 0, PPTP_GRE_HELD);
	assert_rx(s, 500, 0, PPTP_GRE_DROP);
	ck_assert_uint_eq(pptp_gre_stats(s)->duplicate, 1);
	ck_assert_uint_eq(pptp_gre_expiry(s), 0);
	assert_next(s, 11, 0);
	assert_next(s, 13, 0);
	assert_none(s, 0);
	assert_rx(s, 499, 0, PPTP_GRE_HELD);
	assert_rx(s, 496, 0, PPTP_GRE_DELIVER);
	assert_none(s, 0);
	assert_next(s, 499, 100 * MS);
	assert_next(s, 500, 100 * MS);
	assert_none(s, 100 * MS);
	ck_assert_uint_eq(pptp_gre_stats(s)->rx_pkts, 10 + 5);
	ck_assert_uint_eq(pptp_gre_stats(s)->lost, 501 - 15);
	pptp_gre_session_free(s);
}
END_TEST

START_TEST(caller_leaves_packets)
{
	struct pptp_gre_session *s = running(4, 0, 9);

	assert_rx(s, 11, 0, PPTP_GRE_HELD);
	assert_rx(s, 20, 0, PPTP_GRE_HELD);
	assert_rx(s, 40, 0, PPTP_GRE_DROP);
	ck_assert_uint_eq(pptp_gre_stats(s)->overrun, 1);
	assert_rx(s, 10, 0, PPTP_GRE_DELIVER);
	assert_rx(s, 11, 0, PPTP_GRE_DROP); /* its turn has come, but it is held */
	assert_next(s, 11, 0);
	assert_none(s, 0);
	assert_next(s, 20, 100 * MS);
	pptp_gre_session_free(s);
}
END_TEST

START_TEST(no_reordering)
{
	struct pptp_gre_session *s = running(0, 0, 9);

	assert_rx(s, 11, 0, PPTP_GRE_DELIVER);
	assert_none(s, 0);
	assert_rx(s, 10, 0, PPTP_GRE_DROP);
	assert_rx(s, 12, 0, PPTP_GRE_DELIVER);
	ck_assert_uint_eq(pptp_gre_stats(s)->lost, 1);
	ck_assert_uint_eq(pptp_gre_stats(s)->late, 1);
	pptp_gre_session_free(s);
}
END_TEST

START_TEST(duplicates)
{
	struct pptp_gre_session *s = running(64, 0, 9);

	assert_rx(s, 9, 0, PPTP_GRE_DROP);
	assert_rx(s, 0, 0, PPTP_GRE_DROP);
	assert_rx(s, 12, 0, PPTP_GRE_HELD);
	assert_rx(s, 12, 0, PPTP_GRE_DROP);
	ck_assert_uint_eq(pptp_gre_stats(s)->duplicate, 3);
	ck_assert_ptr_eq(pptp_gre_drain(s), handle(12));
	ck_assert_ptr_null(pptp_gre_drain(s));
	pptp_gre_session_free(s);
}
END_TEST

START_TEST(late_among_many_losses)
{
	struct pptp_gre_session *s = session(0);

	for (uint32_t seq = 0; seq < 60; seq += 2)
		assert_rx(s, seq, 0, PPTP_GRE_DELIVER);
	for (uint32_t seq = 1; seq < 58; seq += 2)
		assert_rx(s, seq, 0, PPTP_GRE_DROP);
	ck_assert_uint_eq(pptp_gre_stats(s)->lost, 29);
	ck_assert_uint_eq(pptp_gre_stats(s)->late, 29);
	ck_assert_uint_eq(pptp_gre_stats(s)->duplicate, 0);
	pptp_gre_session_free(s);
}
END_TEST

START_TEST(one_forged_jump_changes_nothing)
{
	struct pptp_gre_session *s = running(64, 0, 9);

	assert_rx(s, 0x70000000, 0, PPTP_GRE_DROP);
	assert_rx(s, 10, 0, PPTP_GRE_DELIVER);
	assert_rx(s, 0x70000001, 0, PPTP_GRE_DROP); /* a delivery lies between: not confirmed */
	assert_rx(s, 11, 0, PPTP_GRE_DELIVER);
	ck_assert_uint_eq(pptp_gre_stats(s)->jumped, 2);
	ck_assert_uint_eq(pptp_gre_stats(s)->lost, 0);
	pptp_gre_session_free(s);
}
END_TEST

START_TEST(two_forged_jumps_are_survived)
{
	struct pptp_gre_session *s = running(64, 0, 9);

	assert_rx(s, 0x70000000, 0, PPTP_GRE_DROP);
	assert_rx(s, 0x70000001, 0, PPTP_GRE_DELIVER);
	assert_rx(s, 10, 0, PPTP_GRE_DROP);
	assert_rx(s, 11, 0, PPTP_GRE_DELIVER);
	assert_rx(s, 12, 0, PPTP_GRE_DELIVER);
	pptp_gre_session_free(s);
}
END_TEST

START_TEST(jump_just_within_bounds)
{
	struct pptp_gre_session *s = running(0, 0, 9);

	assert_rx(s, 10 + 1001, 0, PPTP_GRE_DROP);
	ck_assert_uint_eq(pptp_gre_stats(s)->jumped, 1);
	assert_rx(s, 10 + 1000, 0, PPTP_GRE_DELIVER);
	ck_assert_uint_eq(pptp_gre_stats(s)->lost, 1000);
	assert_rx(s, 11, 0, PPTP_GRE_DROP); /* exactly max_jump behind */
	ck_assert_uint_eq(pptp_gre_stats(s)->late, 1);
	assert_rx(s, 10, 0, PPTP_GRE_DROP);
	ck_assert_uint_eq(pptp_gre_stats(s)->jumped, 2);
	pptp_gre_session_free(s);
}
END_TEST

START_TEST(peer_begins_anew)
{
	struct pptp_gre_session *s = running(64, 0, 499);

	assert_rx(s, 0, 10 * MS, PPTP_GRE_DROP);
	assert_rx(s, 1, 10 * MS, PPTP_GRE_DROP); /* too soon: copies */
	assert_rx(s, 2, SECOND, PPTP_GRE_DROP);
	assert_rx(s, 3, 4 * SECOND, PPTP_GRE_DELIVER);
	assert_rx(s, 4, 4 * SECOND, PPTP_GRE_DELIVER);
	ck_assert_uint_eq(pptp_gre_stats(s)->duplicate, 3);
	ck_assert_uint_eq(pptp_gre_stats(s)->lost, 0);
	pptp_gre_session_free(s);
}
END_TEST

START_TEST(peer_begins_anew_while_packets_wait)
{
	struct pptp_gre_session *s = running(64, 0, 499);

	assert_rx(s, 502, 0, PPTP_GRE_HELD);
	assert_rx(s, 504, 0, PPTP_GRE_HELD);
	assert_rx(s, 80000, 0, PPTP_GRE_DROP);
	assert_rx(s, 80001, 0, PPTP_GRE_HELD);
	assert_next(s, 502, 0);
	assert_next(s, 504, 0);
	assert_next(s, 80001, 0);
	assert_none(s, 0);
	assert_rx(s, 80002, 0, PPTP_GRE_DELIVER);
	ck_assert_uint_eq(pptp_gre_stats(s)->lost, 3);
	pptp_gre_session_free(s);
}
END_TEST

START_TEST(sequence_without_payload)
{
	struct pptp_gre_session *s = running(64, 0, 9);
	struct pptp_gre_header h = {.has_sequence = true, .sequence = 10, .header_length = 12};

	ck_assert_int_eq(pptp_gre_rx(s, &h, handle(10), 0), PPTP_GRE_ACK_ONLY);
	assert_rx(s, 11, 0, PPTP_GRE_DELIVER); /* the peer spent the number */
	h.sequence = 12;
	ck_assert_int_eq(pptp_gre_rx(s, &h, handle(12), 0), PPTP_GRE_ACK_ONLY);
	assert_rx(s, 12, 0, PPTP_GRE_DELIVER); /* the peer did not */
	ck_assert_uint_eq(pptp_gre_stats(s)->no_payload, 2);
	ck_assert_uint_eq(pptp_gre_stats(s)->lost, 0);
	pptp_gre_session_free(s);
}
END_TEST

START_TEST(payload_without_sequence)
{
	struct pptp_gre_session *s = running(64, 0, 9);
	struct pptp_gre_header h = {.payload_length = 4, .header_length = 8};

	ck_assert_int_eq(pptp_gre_rx(s, &h, handle(0), 0), PPTP_GRE_DROP);
	ck_assert_uint_eq(pptp_gre_stats(s)->no_sequence, 1);
	h.payload_length = 0;
	ck_assert_int_eq(pptp_gre_rx(s, &h, handle(0), 0), PPTP_GRE_ACK_ONLY);
	ck_assert_uint_eq(pptp_gre_stats(s)->rx_acks, 0);
	pptp_gre_session_free(s);
}
END_TEST

START_TEST(drains_all_in_order)
{
	struct pptp_gre_session *s = running(4, 0, 9);

	assert_rx(s, 13, 0, PPTP_GRE_HELD);
	assert_rx(s, 11, 0, PPTP_GRE_HELD);
	assert_rx(s, 90, 0, PPTP_GRE_HELD);
	ck_assert_ptr_eq(pptp_gre_drain(s), handle(11));
	ck_assert_ptr_eq(pptp_gre_drain(s), handle(13));
	ck_assert_ptr_eq(pptp_gre_drain(s), handle(90));
	ck_assert_ptr_null(pptp_gre_drain(s));
	ck_assert_ptr_null(pptp_gre_next(s, SECOND));
	pptp_gre_session_free(s);
}
END_TEST

START_TEST(largest_buffer)
{
	struct pptp_gre_session *s = running(PPTP_GRE_MAX_REORDER, 0, 9);

	for (uint32_t seq = 10 + PPTP_GRE_MAX_REORDER; seq > 10; seq--)
		assert_rx(s, seq, 0, PPTP_GRE_HELD);
	assert_none(s, 0);
	assert_rx(s, 10, 0, PPTP_GRE_DELIVER);
	for (uint32_t seq = 11; seq <= 10 + PPTP_GRE_MAX_REORDER; seq++)
		assert_next(s, seq, 0);
	assert_none(s, 0);
	ck_assert_uint_eq(pptp_gre_stats(s)->lost, 0);
	pptp_gre_session_free(s);
}
END_TEST

Suite *
suite_gre_rx(void)
{
	Suite *s = suite_create("libpptp/gre_rx");
	TCase *order = tcase_create("order");
	TCase *jumps = tcase_create("jumps");

	tcase_add_test(order, in_order);
	tcase_add_test(order, any_start_within_bounds);
	tcase_add_test(order, start_overtaken);
	tcase_add_test(order, wraps);
	tcase_add_test(order, gap_is_filled);
	tcase_add_test(order, gap_is_given_up_by_time);
	tcase_add_test(order, expiry_of_held);
	tcase_add_test(order, gap_is_given_up_by_packets);
	tcase_add_test(order, far_ahead_with_empty_buffer);
	tcase_add_test(order, far_ahead_with_held);
	tcase_add_test(order, caller_leaves_packets);
	tcase_add_test(order, no_reordering);
	tcase_add_test(order, duplicates);
	tcase_add_test(order, late_among_many_losses);
	tcase_add_test(order, sequence_without_payload);
	tcase_add_test(order, payload_without_sequence);
	tcase_add_test(order, drains_all_in_order);
	tcase_add_test(order, largest_buffer);
	suite_add_tcase(s, order);
	tcase_add_test(jumps, start_out_of_bounds);
	tcase_add_test(jumps, one_forged_jump_changes_nothing);
	tcase_add_test(jumps, two_forged_jumps_are_survived);
	tcase_add_test(jumps, jump_just_within_bounds);
	tcase_add_test(jumps, peer_begins_anew);
	tcase_add_test(jumps, peer_begins_anew_while_packets_wait);
	suite_add_tcase(s, jumps);
	return s;
}
