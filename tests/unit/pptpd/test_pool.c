#include <stdlib.h>
#include <string.h>

#include "pptpd/pool.h"
#include "tests/unit/suite.h"

static char err[128];

static struct pool *
make(uint64_t first, uint64_t last, bool skip)
{
	struct pool_range r = {first, last};
	struct pool *p = pool_new(&r, 1, skip, err, sizeof(err));

	ck_assert_msg(p != NULL, "%s", err);
	return p;
}

START_TEST(all_is_given_and_then_no_more)
{
	struct pool *p = make(100, 109, false);
	bool seen[10] = {false};
	uint64_t v;

	for (int i = 0; i < 10; i++) {
		ck_assert(pool_take(p, 0, &v));
		ck_assert(v >= 100 && v <= 109 && !seen[v - 100]);
		seen[v - 100] = true;
	}
	ck_assert(!pool_take(p, 0, &v));
	ck_assert_uint_eq(pool_count(p).free, 0);
	ck_assert_uint_eq(pool_count(p).taken, 10);
	pool_give(p, 105);
	ck_assert(pool_take(p, 0, &v));
	ck_assert_uint_eq(v, 105);
	pool_free(p);
}
END_TEST

START_TEST(what_came_back_rests_longest)
{
	struct pool *p = make(1, 3, false);
	uint64_t v;

	ck_assert(pool_take(p, 0, &v));
	ck_assert_uint_eq(v, 1);
	pool_give(p, 1);
	ck_assert(pool_take(p, 0, &v));
	ck_assert_uint_eq(v, 2);
	pool_free(p);
}
END_TEST

START_TEST(a_user_gets_the_same_again)
{
	struct pool *p = make(1, 50, false);
	uint64_t a, b, again;

	ck_assert(pool_take(p, 0xa, &a));
	ck_assert(pool_take(p, 0xb, &b));
	pool_give(p, a);
	pool_give(p, b);
	ck_assert(pool_take(p, 0xb, &again));
	ck_assert_uint_eq(again, b);
	ck_assert(pool_take(p, 0xa, &again));
	ck_assert_uint_eq(again, a);
	/* but not if somebody else has it by now */
	pool_give(p, a);
	ck_assert(pool_take_value(p, a));
	ck_assert(pool_take(p, 0xa, &again));
	ck_assert_uint_ne(again, a);
	pool_free(p);
}
END_TEST

START_TEST(named_values)
{
	struct pool *p = make(10, 12, false);

	ck_assert(pool_take_value(p, 11));
	ck_assert(!pool_take_value(p, 11));
	ck_assert(!pool_take_value(p, 9));
	ck_assert(!pool_has(p, 13));
	pool_give(p, 13);
	pool_give(p, 10);
	ck_assert_uint_eq(pool_count(p).taken, 1);
	ck_assert_uint_eq(pool_count(p).free, 2);
	pool_free(p);
}
END_TEST

START_TEST(reserved_values)
{
	struct pool *p = make(1, 3, false);
	uint64_t v;

	pool_reserve(p, 1);
	pool_reserve(p, 99);
	ck_assert_uint_eq(pool_count(p).reserved, 1);
	ck_assert(pool_take(p, 0, &v));
	ck_assert_uint_eq(v, 2);
	ck_assert(pool_take_value(p, 1));
	pool_give(p, 1);
	ck_assert_uint_eq(pool_count(p).reserved, 1);
	ck_assert(pool_take(p, 0, &v));
	ck_assert(!pool_take(p, 0, &v));
	pool_unreserve_all(p);
	ck_assert(pool_take(p, 0, &v));
	ck_assert_uint_eq(v, 1);
	/* reserved while taken */
	pool_reserve(p, 2);
	pool_give(p, 2);
	ck_assert(!pool_take(p, 0, &v));
	pool_free(p);
}
END_TEST

START_TEST(ranges_overlap_and_skip)
{
	struct pool_range r[] = {{0x0a000100, 0x0a0001ff}, {0x0a000180, 0x0a000201}, {0x0a000301, 0x0a000301}};
	struct pool *p = pool_new(r, 3, true, err, sizeof(err));
	uint64_t v;

	ck_assert_ptr_nonnull(p);
	/* .1.1-.1.254, .2.1 (.2.0 is left out), .3.1 */
	ck_assert_uint_eq(pool_count(p).size, 254 + 1 + 1);
	while (pool_take(p, 0, &v)) {
		ck_assert_uint_ne(v & 0xff, 0);
		ck_assert_uint_ne(v & 0xff, 0xff);
	}
	ck_assert(!pool_has(p, 0x0a000200));
	ck_assert(pool_has(p, 0x0a000201));
	pool_free(p);
	p = pool_new(r, 3, false, err, sizeof(err));
	ck_assert_uint_eq(pool_count(p).size, 256 + 2 + 1);
	pool_free(p);
}
END_TEST

START_TEST(refused_pools)
{
	struct pool_range empty = {0x0a0000ff, 0x0a000100}, huge = {0, UINT64_MAX}, many[2] = {{0, 1 << 22}, {1 << 23, 1 << 24}};

	ck_assert_ptr_null(pool_new(&empty, 1, true, err, sizeof(err)));
	ck_assert_str_eq(err, "the pool is empty: all its addresses end in .0 or .255");
	ck_assert_ptr_null(pool_new(&huge, 1, false, err, sizeof(err)));
	ck_assert_str_eq(err, "the pool is larger than 4194304");
	ck_assert_ptr_null(pool_new(many, 2, false, err, sizeof(err)));
	ck_assert_ptr_null(pool_new(NULL, 0, false, err, sizeof(err)));
}
END_TEST

/* Any order of taking and giving keeps every value in one place: taken, reserved or free. */
START_TEST(random_walk)
{
	struct pool *p = make(0, 63, false);
	bool taken[64] = {false};
	uint32_t rnd = 12345;

	for (int i = 0; i < 20000; i++) {
		uint64_t v = (rnd = rnd * 1103515245 + 12345) >> 16 & 63;
		struct pool_count n;

		if ((rnd >> 8 & 3) == 0 && pool_take(p, rnd >> 24, &v)) {
			ck_assert(!taken[v]);
			taken[v] = true;
		} else if ((rnd >> 8 & 3) == 1) {
			ck_assert(pool_take_value(p, v) == !taken[v]);
			taken[v] = true;
		} else {
			pool_give(p, v);
			taken[v] = false;
		}
		n = pool_count(p);
		ck_assert_uint_eq(n.taken + n.free, 64);
	}
	pool_free(p);
}
END_TEST

START_TEST(addresses)
{
	struct addr a;
	struct prefix p;
	char text[ADDR_TEXT_MAX];

	ck_assert(addr_parse(&a, "10.1.2.3"));
	ck_assert_uint_eq(pool_value_v4(&a), 0x0a010203);
	a = pool_addr_v4(0x0a010204);
	ck_assert_str_eq(addr_text(&a, text), "10.1.2.4");
	ck_assert(prefix_parse(&p, "fd00:1:2:3::/64"));
	ck_assert_uint_eq(pool_value_v6(&p), UINT64_C(0xfd00000100020003));
	p = pool_prefix_v6(UINT64_C(0xfd00000100020004));
	ck_assert_str_eq(prefix_text(&p, text), "fd00:1:2:4::/64");
}
END_TEST

Suite *suite_pool(void);

Suite *
suite_pool(void)
{
	Suite *s = suite_create("pptpd/pool");
	TCase *t = tcase_create("pool");

	tcase_add_test(t, all_is_given_and_then_no_more);
	tcase_add_test(t, what_came_back_rests_longest);
	tcase_add_test(t, a_user_gets_the_same_again);
	tcase_add_test(t, named_values);
	tcase_add_test(t, reserved_values);
	tcase_add_test(t, ranges_overlap_and_skip);
	tcase_add_test(t, refused_pools);
	tcase_add_test(t, random_walk);
	tcase_add_test(t, addresses);
	suite_add_tcase(s, t);
	return s;
}
