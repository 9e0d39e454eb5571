#include "tests/unit/suite.h"

#include <pptp/gre.h>

Suite *suite_gre_window(void);

#define MS UINT64_C(1000000)

static struct pptp_gre_session *
session(uint16_t peer_window, uint16_t peer_delay)
{
	struct pptp_gre_session *s = NULL;
	struct pptp_gre_config config;

	pptp_gre_config_init(&config);
	config.window = true;
	config.peer_window = peer_window;
	config.peer_delay = peer_delay;
	ck_assert_int_eq(pptp_gre_session_new(&s, &config, NULL), PPTP_OK);
	return s;
}

static void
rx_ack(struct pptp_gre_session *s, uint32_t ack, uint64_t ts)
{
	struct pptp_gre_header h = {.has_ack = true, .ack = ack, .header_length = 12};

	ck_assert_int_eq(pptp_gre_rx(s, &h, s, ts), PPTP_GRE_ACK_ONLY);
}

/* Sends until the window is full; returns how many went out. */
static unsigned
fill(struct pptp_gre_session *s, uint64_t ts)
{
	uint8_t buf[PPTP_GRE_MAX_HEADER];
	unsigned n = 0;

	while (n < 1000 && pptp_gre_may_send(s, ts)) {
		pptp_gre_tx(s, buf + PPTP_GRE_MAX_HEADER, 10, ts);
		n++;
	}
	return n;
}

START_TEST(off_never_stalls)
{
	struct pptp_gre_session *s = NULL;
	struct pptp_gre_config config;

	pptp_gre_config_init(&config);
	config.peer_window = 1;
	ck_assert_int_eq(pptp_gre_session_new(&s, &config, NULL), PPTP_OK);
	ck_assert_uint_eq(fill(s, 0), 1000);
	ck_assert_uint_eq(pptp_gre_expiry(s), PPTP_TS_NEVER);
	pptp_gre_expire(s, 1000000 * MS);
	ck_assert_uint_eq(pptp_gre_stats(s)->timeouts, 0);
	ck_assert_uint_eq(pptp_gre_stats(s)->window_full, 0);
	pptp_gre_session_free(s);
}
END_TEST

START_TEST(zero_means_no_limit)
{
	struct pptp_gre_session *s = session(0, 0);

	ck_assert_uint_eq(fill(s, 0), 1000);
	ck_assert_uint_eq(pptp_gre_expiry(s), PPTP_TS_NEVER);
	pptp_gre_session_free(s);
}
END_TEST

START_TEST(starts_with_half_rounded_up)
{
	static const uint16_t windows[][2] = {{1, 1}, {2, 1}, {3, 2}, {64, 32}, {65, 33}};

	for (size_t i = 0; i < sizeof(windows) / sizeof(windows[0]); i++) {
		struct pptp_gre_session *s = session(windows[i][0], 0);

		ck_assert_uint_eq(fill(s, 0), windows[i][1]);
		ck_assert_uint_eq(pptp_gre_stats(s)->window_full, 1);
		pptp_gre_session_free(s);
	}
}
END_TEST

START_TEST(grows_by_one_a_window)
{
	struct pptp_gre_session *s = session(4, 0);
	uint32_t next = 0;

	for (unsigned expect = 2; expect <= 4; expect++) {
		ck_assert_uint_eq(fill(s, 0), expect);
		next += expect;
		rx_ack(s, next - 2, 0); /* all but one: no whole window yet */
		ck_assert_uint_eq(fill(s, 0), expect - 1);
		next += expect - 1;
		rx_ack(s, next - 1, 0);
	}
	ck_assert_uint_eq(fill(s, 0), 4); /* the peer's maximum */
	pptp_gre_session_free(s);
}
END_TEST

START_TEST(time_out_halves)
{
	struct pptp_gre_session *s = session(10, 1);

	ck_assert_uint_eq(fill(s, 0), 5);
	ck_assert_uint_eq(pptp_gre_expiry(s), 100 * MS); /* the peer's processing delay */
	ck_assert_uint_eq(fill(s, 100 * MS - 1), 0);
	pptp_gre_expire(s, 100 * MS);
	ck_assert_uint_eq(pptp_gre_stats(s)->timeouts, 1);
	ck_assert_uint_eq(pptp_gre_expiry(s), PPTP_TS_NEVER);
	ck_assert_uint_eq(fill(s, 100 * MS), 3);         /* half of 5, rounded up */
	ck_assert_uint_eq(pptp_gre_expiry(s), 300 * MS); /* and twice the time */
	ck_assert_uint_eq(fill(s, 300 * MS), 2);
	ck_assert_uint_eq(pptp_gre_expiry(s), 700 * MS);
	ck_assert_uint_eq(fill(s, 700 * MS), 1);
	ck_assert_uint_eq(fill(s, 1500 * MS), 1); /* never below one */
	ck_assert_uint_eq(pptp_gre_expiry(s), 3100 * MS);
	ck_assert_uint_eq(fill(s, 3100 * MS), 1);
	ck_assert_uint_eq(pptp_gre_expiry(s), 6100 * MS); /* never above three seconds */
	ck_assert_uint_eq(pptp_gre_stats(s)->timeouts, 5);
	pptp_gre_session_free(s);
}
END_TEST

START_TEST(first_time_out_without_delay)
{
	struct pptp_gre_session *s = session(10, 0);

	fill(s, 0);
	ck_assert_uint_eq(pptp_gre_expiry(s), 500 * MS);
	pptp_gre_session_free(s);
}
END_TEST

START_TEST(adapts_to_the_round_trip)
{
	struct pptp_gre_session *s = session(2, 0);
	uint32_t seq = 0;
	uint64_t ts = 0;

	for (int i = 0; i < 200; i++) {
		ck_assert_uint_gt(fill(s, ts), 0);
		ts += 200 * MS;
		seq = (uint32_t)pptp_gre_stats(s)->tx_pkts - 1;
		rx_ack(s, seq, ts);
	}
	ck_assert_uint_eq(pptp_gre_stats(s)->rtt_ns, 200 * MS);
	ck_assert_uint_eq(pptp_gre_stats(s)->timeouts, 0);
	fill(s, ts);
	ck_assert_uint_ge(pptp_gre_expiry(s), ts + 200 * MS);
	ck_assert_uint_le(pptp_gre_expiry(s), ts + 201 * MS); /* the deviation has died away */
	rx_ack(s, seq + 2, ts + 600 * MS);                    /* one slow answer: 1/8 of it counts, and 4/4 as deviation */
	ck_assert_uint_eq(pptp_gre_stats(s)->rtt_ns, 250 * MS);
	fill(s, ts + 600 * MS);
	ck_assert_uint_ge(pptp_gre_expiry(s), ts + 600 * MS + 650 * MS);
	ck_assert_uint_le(pptp_gre_expiry(s), ts + 600 * MS + 651 * MS);
	pptp_gre_session_free(s);
}
END_TEST

START_TEST(time_out_has_a_least_value)
{
	struct pptp_gre_session *s = session(2, 0);

	for (uint32_t i = 0; i < 50; i++) {
		fill(s, i * MS);
		rx_ack(s, (uint32_t)pptp_gre_stats(s)->tx_pkts - 1, i * MS + 1000);
	}
	fill(s, 50 * MS);
	ck_assert_uint_eq(pptp_gre_expiry(s), 150 * MS);
	pptp_gre_session_free(s);
}
END_TEST

START_TEST(an_acknowledgement_restarts_the_timer)
{
	struct pptp_gre_session *s = session(8, 1);

	ck_assert_uint_eq(fill(s, 0), 4);
	rx_ack(s, 0, 50 * MS);
	ck_assert_uint_ge(pptp_gre_expiry(s), 150 * MS);
	rx_ack(s, 0, 60 * MS); /* nothing new: no change */
	ck_assert_uint_lt(pptp_gre_expiry(s), 210 * MS);
	rx_ack(s, 3, 70 * MS);
	ck_assert_uint_eq(pptp_gre_expiry(s), PPTP_TS_NEVER);
	pptp_gre_session_free(s);
}
END_TEST

START_TEST(late_ack_after_time_out)
{
	struct pptp_gre_session *s = session(8, 1);

	ck_assert_uint_eq(fill(s, 0), 4);
	ck_assert_uint_eq(fill(s, 100 * MS), 2);
	rx_ack(s, 3, 110 * MS); /* of what was written off: opens nothing, harms nothing */
	ck_assert_uint_eq(fill(s, 110 * MS), 0);
	rx_ack(s, 5, 120 * MS);
	ck_assert_uint_eq(fill(s, 120 * MS), 3);
	ck_assert_uint_eq(pptp_gre_stats(s)->bad_ack, 0);
	pptp_gre_session_free(s);
}
END_TEST

START_TEST(peer_told_later)
{
	struct pptp_gre_session *s = session(0, 0);

	ck_assert_uint_eq(fill(s, 0), 1000);
	pptp_gre_set_peer(s, 7, 6, 2);
	ck_assert_uint_eq(fill(s, 0), 3);
	ck_assert_uint_eq(pptp_gre_expiry(s), 200 * MS);
	pptp_gre_set_peer(s, 7, 0, 0);
	ck_assert_uint_eq(fill(s, 0), 1000);
	ck_assert_uint_eq(pptp_gre_expiry(s), PPTP_TS_NEVER);
	pptp_gre_session_free(s);
}
END_TEST

Suite *
suite_gre_window(void)
{
	Suite *s = suite_create("libpptp/gre_window");
	TCase *tc = tcase_create("gre_window");

	tcase_add_test(tc, off_never_stalls);
	tcase_add_test(tc, zero_means_no_limit);
	tcase_add_test(tc, starts_with_half_rounded_up);
	tcase_add_test(tc, grows_by_one_a_window);
	tcase_add_test(tc, time_out_halves);
	tcase_add_test(tc, first_time_out_without_delay);
	tcase_add_test(tc, adapts_to_the_round_trip);
	tcase_add_test(tc, time_out_has_a_least_value);
	tcase_add_test(tc, an_acknowledgement_restarts_the_timer);
	tcase_add_test(tc, late_ack_after_time_out);
	tcase_add_test(tc, peer_told_later);
	suite_add_tcase(s, tc);
	return s;
}
