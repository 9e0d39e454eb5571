#include <string.h>

#include "tests/unit/alg/gw.h"
#include "tests/unit/suite.h"

Suite *suite_rewrite(void);

START_TEST(output_is_bounded)
{
	struct pptp_msg msg = gw_msg(ECHORQ, 0, 0);
	uint8_t stream[16 * 1000];
	const uint8_t *data;
	size_t taken, total = 0;
	struct gw g;

	for (size_t i = 0; i < sizeof(stream); i += 16)
		pptp_msg_encode(stream + i, 16, &msg);
	gw_init(&g);
	gw_open(&g);
	gw_start(&g);
	taken = gw_feed(&g, ALG_CLIENT, stream, sizeof(stream));
	ck_assert_uint_lt(taken, sizeof(stream));
	ck_assert_uint_eq(gw_feed(&g, ALG_CLIENT, stream + taken, sizeof(stream) - taken), 0);
	ck_assert_uint_eq(gw_feed(&g, ALG_SERVER, stream, 16), 0); /* a refusal might need the room */
	while (taken < sizeof(stream)) {
		total += alg_rewrite_output(g.rw, ALG_SERVER, &data);
		alg_rewrite_sent(g.rw, ALG_SERVER, 7); /* only a few bytes at a time */
		total -= alg_rewrite_output(g.rw, ALG_SERVER, &data);
		taken += gw_feed(&g, ALG_CLIENT, stream + taken, sizeof(stream) - taken);
	}
	total += alg_rewrite_output(g.rw, ALG_SERVER, &data);
	ck_assert_uint_eq(total, sizeof(stream));
	gw_free(&g);
}
END_TEST

START_TEST(events_are_bounded)
{
	struct pptp_msg msg = gw_msg(CCR, 9, 0);
	uint8_t stream[16 * 100];
	struct alg_event event;
	size_t taken = 0, events = 0;
	struct gw g;

	for (size_t i = 0; i < sizeof(stream); i += 16)
		pptp_msg_encode(stream + i, 16, &msg);
	gw_init(&g);
	gw_open(&g);
	gw_start(&g);
	while (taken < sizeof(stream)) {
		size_t n = gw_feed(&g, ALG_CLIENT, stream + taken, sizeof(stream) - taken);

		ck_assert_uint_lt(n, sizeof(stream) / 2);
		taken += n;
		ck_assert(alg_rewrite_event(g.rw, &event));
		events++;
	}
	while (alg_rewrite_event(g.rw, &event))
		events++;
	ck_assert_uint_eq(events, 100);
	gw_free(&g);
}
END_TEST

/* More calls than events fit: each has its end told, as the events are taken. */
START_TEST(all_calls_end_with_the_transport)
{
	struct alg_event event;
	int ends = 0;
	struct gw g;

	gw_init(&g);
	g.config.max_calls = 100;
	gw_open(&g);
	gw_start(&g);
	for (uint16_t i = 1; i <= 100; i++) {
		gw_say(&g, ALG_CLIENT, OCRQ, i, 0);
		gw_line(&g);
	}
	alg_rewrite_transport_closed(g.rw, ALG_CLIENT);
	alg_rewrite_transport_closed(g.rw, ALG_SERVER);
	while (alg_rewrite_event(g.rw, &event)) {
		ck_assert_int_eq(event.type, ALG_EVENT_CALL_END);
		ck_assert_int_eq(event.why, ALG_WHY_TRANSPORT);
		ck_assert_uint_eq(event.call.number, ++ends);
	}
	ck_assert_int_eq(ends, 100);
	ck_assert_int_eq(g.taken, 0);
	ck_assert_uint_eq(gw_feed(&g, ALG_SERVER, "x", 1), 1);
	gw_free(&g);
}
END_TEST

/* More to say than fits: it is said as the output goes. */
START_TEST(clears_wait_for_room)
{
	struct gw g;

	gw_init(&g);
	g.config.max_calls = 100;
	gw_open(&g);
	gw_start(&g);
	for (uint16_t i = 1; i <= 100; i++) {
		gw_say(&g, ALG_SERVER, ICRQ, i, 0);
		gw_line(&g);
	}
	for (uint32_t i = 1; i <= 100; i++)
		ck_assert(alg_rewrite_clear(g.rw, i, ALG_WHY_ADMIN));
	ck_assert_uint_eq(alg_rewrite_calls(g.rw, NULL, 0), 94); /* six messages of 148 bytes fit */
	ck_assert_uint_eq(gw_feed(&g, ALG_SERVER, "\0", 1), 0);  /* first things first */
	for (;;) {
		uint32_t was = g.last.call.number;

		gw_line(&g);
		if (g.last.call.number == was)
			break;
	}
	ck_assert_uint_eq(g.last.call.number, 100);
	ck_assert_int_eq(g.last.type, ALG_EVENT_CALL_END);
	ck_assert_uint_eq(alg_rewrite_calls(g.rw, NULL, 0), 0);
	ck_assert_int_eq(g.taken, 0);
	gw_free(&g);
}
END_TEST

START_TEST(output_survives_the_transports_end)
{
	struct gw g;

	gw_init(&g);
	gw_open(&g);
	gw_start(&g);
	gw_say(&g, ALG_CLIENT, STOPRQ, 0, 0);
	alg_rewrite_transport_closed(g.rw, ALG_CLIENT);
	ck_assert_str_eq(gw_line(&g), ">STOPRQ");
	gw_free(&g);
}
END_TEST

/* --- memory ------------------------------------------------------------------------------- */

/* A whole life; whatever allocation fails, nothing is lost and the requester is told. */
static bool
live(struct gw *g)
{
	bool refused = false;

	if (alg_rewrite_new(&g->rw, &g->config) != 0)
		return true;
	gw_start(g);
	for (uint16_t i = 1; i <= 5; i++) {
		gw_say(g, ALG_CLIENT, OCRQ, i, 0);
		refused |= strstr(gw_line(g), "=2 REFUSED:no-memory") != NULL;
	}
	ck_assert_uint_eq(alg_rewrite_calls(g->rw, NULL, 0), refused ? 4 : 5);
	return refused;
}

START_TEST(every_allocation_fails_once)
{
	size_t n;

	for (n = 1;; n++) {
		bool failed;
		struct gw g;

		gw_init(&g);
		mem_failing_init(&g.failing, n);
		failed = live(&g);
		gw_free(&g);
		if (!failed)
			break;
	}
	ck_assert_uint_eq(n, 6); /* the rewriter, and its calls' array four times */
}
END_TEST

START_TEST(words_for_all_reasons)
{
	for (int why = 0; why < ALG_WHYS; why++)
		ck_assert_uint_gt(strlen(alg_why_text((enum alg_why)why)), 3);
}
END_TEST

Suite *
suite_rewrite(void)
{
	Suite *s = suite_create("rewrite");
	TCase *t = tcase_create("rewrite");

	tcase_add_test(t, output_is_bounded);
	tcase_add_test(t, events_are_bounded);
	tcase_add_test(t, all_calls_end_with_the_transport);
	tcase_add_test(t, clears_wait_for_room);
	tcase_add_test(t, output_survives_the_transports_end);
	tcase_add_test(t, every_allocation_fails_once);
	tcase_add_test(t, words_for_all_reasons);
	suite_add_tcase(s, t);
	return s;
}
