#include "tunnel/fib.h"

#include <string.h>

#include "tests/unit/suite.h"
#include "tests/unit/tunnel/packets.h"

Suite *suite_fib(void);

static struct prefix
prefix(const char *text)
{
	struct prefix p;

	ck_assert(prefix_parse(&p, text));
	return p;
}

static int
lookup(const struct fib *f, uint32_t if_id, const char *text)
{
	struct addr a;

	ck_assert(addr_parse(&a, text));
	return fib_lookup(f, if_id, &a);
}

static void
set(struct fib *f, uint32_t if_id, const char *text, uint16_t call_id)
{
	struct prefix p = prefix(text);

	ck_assert(fib_set(f, if_id, &p, call_id));
}

START_TEST(longest_prefix_wins)
{
	struct fib *f = fib_new();
	struct prefix p;

	set(f, 1, "10.0.0.0/8", 1);
	set(f, 1, "10.1.0.0/16", 2);
	set(f, 1, "10.1.2.3/32", 3);
	set(f, 1, "2001:db8::/32", 4);
	set(f, 1, "2001:db8:0:1::/64", 5);
	ck_assert_int_eq(lookup(f, 1, "10.1.2.3"), 3);
	ck_assert_int_eq(lookup(f, 1, "10.1.2.4"), 2);
	ck_assert_int_eq(lookup(f, 1, "10.2.0.0"), 1);
	ck_assert_int_eq(lookup(f, 1, "11.0.0.1"), -1);
	ck_assert_int_eq(lookup(f, 1, "2001:db8:0:1::9"), 5);
	ck_assert_int_eq(lookup(f, 1, "2001:db8:0:2::9"), 4);
	ck_assert_int_eq(lookup(f, 1, "2001:db9::"), -1);
	ck_assert_int_eq(lookup(f, 2, "10.1.2.3"), -1);
	set(f, 1, "0.0.0.0/0", 65535);
	ck_assert_int_eq(lookup(f, 1, "11.0.0.1"), 65535);
	p = prefix("10.1.2.3/32");
	ck_assert(!fib_remove(f, 1, &p, 9));
	ck_assert(fib_remove(f, 1, &p, 3));
	ck_assert(!fib_remove(f, 1, &p, 3));
	ck_assert_int_eq(lookup(f, 1, "10.1.2.3"), 2);
	fib_free(f);
}
END_TEST

START_TEST(replaces_and_refuses)
{
	struct fib *f = fib_new();
	struct prefix p = {.addr = {.family = 4}, .len = 33};

	set(f, 1, "10.0.0.1/32", 1);
	set(f, 1, "10.0.0.1/32", 2);
	ck_assert_uint_eq(fib_count(f), 1);
	ck_assert_int_eq(lookup(f, 1, "10.0.0.1"), 2);
	ck_assert(!fib_set(f, 1, &p, 1));
	p = (struct prefix){.addr = {.family = 0}, .len = 0};
	ck_assert(!fib_set(f, 1, &p, 1));
	/* Host bits do not matter. */
	p = (struct prefix){.addr = {.family = 4, .bytes = {10, 7, 7, 7}}, .len = 8};
	ck_assert(fib_set(f, 1, &p, 5));
	ck_assert_int_eq(lookup(f, 1, "10.200.0.1"), 5);
	fib_free(f);
}
END_TEST

START_TEST(an_interface_goes_whole)
{
	struct fib *f = fib_new();

	for (uint32_t i = 0; i < 2000; i++) {
		struct prefix p = {.addr = {.family = 4, .bytes = {10, 0, (uint8_t)(i >> 8), (uint8_t)i}}, .len = 32};

		ck_assert(fib_set(f, 1 + i % 2, &p, (uint16_t)i));
	}
	fib_remove_if(f, 1);
	ck_assert_uint_eq(fib_count(f), 1000);
	ck_assert_int_eq(lookup(f, 1, "10.0.0.2"), -1);
	ck_assert_int_eq(lookup(f, 2, "10.0.0.3"), 3);
	ck_assert_int_eq(lookup(f, 2, "10.0.7.207"), 1999);
	fib_free(f);
}
END_TEST

/* Against a plain list, under random additions and removals. */
START_TEST(agrees_with_a_list)
{
	enum { N = 600 };
	static struct {
		bool used;
		struct prefix p;
		uint16_t call_id;
	} list[N];
	struct fib *f = fib_new();
	uint64_t state = 9;

	for (int step = 0; step < 6000; step++) {
		size_t i = next_random(&state) % N;
		struct addr a = {.family = 4,
		    .bytes = {10, (uint8_t)(next_random(&state) % 3), (uint8_t)(next_random(&state) % 4), (uint8_t)(next_random(&state))}};
		int best = -1, bestlen = -1;

		if (list[i].used) {
			ck_assert(fib_remove(f, 1, &list[i].p, list[i].call_id));
			list[i].used = false;
		} else {
			struct prefix p = {.addr = a, .len = (uint8_t)(8 + next_random(&state) % 25)};
			bool taken = false;

			addr_mask(&p.addr, p.len);
			for (size_t k = 0; k < N; k++)
				taken |= list[k].used && list[k].p.len == p.len && addr_equal(&list[k].p.addr, &p.addr);
			if (taken)
				continue;
			list[i].used = true;
			list[i].p = p;
			list[i].call_id = (uint16_t)step;
			ck_assert(fib_set(f, 1, &p, (uint16_t)step));
		}
		for (size_t k = 0; k < N; k++)
			if (list[k].used && list[k].p.len > bestlen && prefix_contains(&list[k].p, &a)) {
				best = list[k].call_id;
				bestlen = list[k].p.len;
			}
		ck_assert_int_eq(fib_lookup(f, 1, &a), best);
	}
	fib_free(f);
}
END_TEST

Suite *
suite_fib(void)
{
	Suite *s = suite_create("fib");
	TCase *tc = tcase_create("fib");

	tcase_add_test(tc, longest_prefix_wins);
	tcase_add_test(tc, replaces_and_refuses);
	tcase_add_test(tc, an_interface_goes_whole);
	tcase_add_test(tc, agrees_with_a_list);
	suite_add_tcase(s, tc);
	return s;
}
