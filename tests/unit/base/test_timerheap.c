#include "base/timerheap.h"

#include "tests/unit/suite.h"

Suite *suite_timerheap(void);

START_TEST(pops_in_order_of_time)
{
	static const uint64_t times[] = {50, 10, 40, 10, 30, 20, 60};
	struct theap_node nodes[7] = {0};
	struct theap h;
	uint64_t last = 0;

	theap_init(&h);
	for (size_t i = 0; i < 7; i++)
		ck_assert(theap_set(&h, &nodes[i], times[i]));
	ck_assert_uint_eq(theap_next(&h), 10);
	for (size_t i = 0; i < 7; i++) {
		struct theap_node *n = theap_pop(&h, 60);

		ck_assert_ptr_nonnull(n);
		ck_assert_uint_ge(n->ts, last);
		last = n->ts;
	}
	ck_assert_ptr_null(theap_pop(&h, UINT64_MAX));
	theap_fini(&h);
}
END_TEST

START_TEST(moves_and_removes_at_random)
{
	enum { N = 500 };
	static struct theap_node nodes[N];
	struct theap h;
	uint32_t seed = 12345;
	bool ordered = true;
	size_t in = 0;

	theap_init(&h);
	for (int step = 0; step < 20000; step++) {
		struct theap_node *n = &nodes[(seed = seed * 1664525 + 1013904223) % N];

		if (seed >> 30 == 0)
			theap_set(&h, n, TS_NEVER);
		else
			ck_assert(theap_set(&h, n, seed % 1000));
		for (size_t i = 1; i < h.len; i++)
			ordered = ordered && h.nodes[(i - 1) / 2]->ts <= h.nodes[i]->ts;
		ck_assert(ordered);
	}
	for (size_t i = 0; i < N; i++)
		in += nodes[i].pos != 0;
	ck_assert_uint_eq(in, h.len);
	theap_fini(&h);
}
END_TEST

START_TEST(future_timers_stay)
{
	struct theap_node n = {0};
	struct theap h;

	theap_init(&h);
	ck_assert(theap_set(&h, &n, 100));
	ck_assert_ptr_null(theap_pop(&h, 99));
	ck_assert_ptr_eq(theap_pop(&h, 100), &n);
	ck_assert_uint_eq(theap_next(&h), TS_NEVER);
	theap_fini(&h);
}
END_TEST

Suite *
suite_timerheap(void)
{
	Suite *s = suite_create("base/timerheap");
	TCase *tc = tcase_create("timerheap");

	tcase_add_test(tc, pops_in_order_of_time);
	tcase_add_test(tc, moves_and_removes_at_random);
	tcase_add_test(tc, future_timers_stay);
	suite_add_tcase(s, tc);
	return s;
}
