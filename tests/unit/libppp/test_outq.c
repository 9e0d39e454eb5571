#include "libppp/outq.h"

#include <string.h>

#include "libppp/events.h"
#include "tests/unit/suite.h"

Suite *suite_outq(void);

static struct outq q;
static struct events e;

static void
setup(void)
{
	outq_init(&q);
	memset(&e, 0, sizeof(e));
}

static bool
put(uint8_t id, size_t len)
{
	wr_zero(outq_begin(&q, PPP_PROTO_LCP, 9, id), len);
	return outq_end(&q);
}

START_TEST(test_first_in_first_out)
{
	uint8_t buf[PPP_MAX_CONTROL + 2];

	ck_assert_uint_eq(outq_peek(&q), 0);
	ck_assert_uint_eq(outq_take(&q, buf, sizeof(buf)), 0);
	ck_assert(put(1, 0));
	ck_assert(put(2, 3));
	ck_assert_uint_eq(outq_peek(&q), PPP_PROTO_LCP);
	ck_assert_uint_eq(outq_take(&q, buf, sizeof(buf)), 6);
	ck_assert_int_eq(memcmp(buf, "\xc0\x21\x09\x01\x00\x04", 6), 0);
	ck_assert_uint_eq(outq_take(&q, buf, sizeof(buf)), 9);
	ck_assert_int_eq(memcmp(buf, "\xc0\x21\x09\x02\x00\x07\x00\x00\x00", 9), 0);
	ck_assert_uint_eq(outq_peek(&q), 0);
}
END_TEST

/* Full, the newest are lost; room that was made is used again. */
START_TEST(test_bounded)
{
	uint8_t buf[PPP_MAX_CONTROL + 2];
	unsigned held = 0, taken = 0;

	for (unsigned i = 0; i < 1000; i++)
		held += put((uint8_t)i, 100);
	ck_assert_uint_gt(held, 30);
	ck_assert_uint_lt(held * 106, OUTQ_BYTES);
	ck_assert_uint_eq(q.dropped, 1000 - held);
	for (unsigned i = 0; i < 10000; i++) {
		ck_assert_uint_gt(outq_take(&q, buf, sizeof(buf)), 0);
		ck_assert_uint_eq(buf[3], taken < held ? taken : 7);
		taken++;
		ck_assert(put(7, 90));
	}
}
END_TEST

START_TEST(test_longest)
{
	uint8_t buf[PPP_MAX_CONTROL + 2];

	ck_assert(!put(1, PPP_MAX_CONTROL)); /* with its header it is too long */
	ck_assert(put(2, PPP_MAX_CONTROL - 4));
	ck_assert_uint_eq(outq_take(&q, buf, 100), 0); /* and dropped where the reader has no room */
	ck_assert_uint_eq(q.dropped, 2);
	ck_assert_uint_eq(outq_peek(&q), 0);
}
END_TEST

START_TEST(test_events_keep_down)
{
	struct event_slot s;
	int n = 0;

	for (int i = 0; i < 100; i++)
		events_push(&e, PPP_EVENT_IDENTIFICATION, "again");
	ck_assert_uint_eq(e.count, EVENTS_MAX - EVENTS_RESERVE);
	for (int i = 0; i < EVENTS_RESERVE; i++)
		ck_assert_ptr_nonnull(events_push(&e, PPP_EVENT_IPCP_UP, NULL));
	ck_assert_ptr_null(events_push(&e, PPP_EVENT_IPCP_DOWN, NULL));
	events_down(&e, PPP_DOWN_PEER, 691, "first");
	events_down(&e, PPP_DOWN_LOCAL, 0, "second");
	while (events_take(&e, &s))
		n++;
	ck_assert_int_eq(n, EVENTS_MAX + 1);
	ck_assert_int_eq(s.type, PPP_EVENT_DOWN);
	ck_assert_int_eq(s.down, PPP_DOWN_PEER);
	ck_assert_uint_eq(s.mschap_error, 691);
	ck_assert_str_eq(s.message, "first");
	ck_assert_ptr_null(events_push(&e, PPP_EVENT_IPCP_UP, NULL)); /* nothing comes after it */
	ck_assert(!events_take(&e, &s));
}
END_TEST

START_TEST(test_events_in_order)
{
	struct event_slot s;
	char longest[400];

	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	for (int round = 0; round < 5; round++) {
		for (int i = 0; i < 3; i++)
			events_push(&e, (enum ppp_event_type)(PPP_EVENT_LCP_UP + i), longest);
		for (int i = 0; i < 3; i++) {
			ck_assert(events_take(&e, &s));
			ck_assert_int_eq(s.type, PPP_EVENT_LCP_UP + i);
			ck_assert_uint_eq(strlen(s.message), PPP_MESSAGE_MAX);
		}
	}
}
END_TEST

Suite *
suite_outq(void)
{
	Suite *s = suite_create("outq, events");
	TCase *t = tcase_create("outq");

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, test_first_in_first_out);
	tcase_add_test(t, test_bounded);
	tcase_add_test(t, test_longest);
	tcase_add_test(t, test_events_keep_down);
	tcase_add_test(t, test_events_in_order);
	suite_add_tcase(s, t);
	return s;
}
