#include <pptp/callid.h>

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tests/unit/suite.h"

Suite *suite_callid(void);

enum { IDS = 65535 };

/* A xorshift generator: good enough to look at a distribution, and the same every time. */
static void
prng(void *user, void *buf, size_t len)
{
	uint64_t *state = user;
	uint8_t *p = buf;

	for (size_t i = 0; i < len; i++) {
		*state ^= *state << 13;
		*state ^= *state >> 7;
		*state ^= *state << 17;
		p[i] = (uint8_t)(*state >> 32);
	}
}

static struct pptp_callid_pool *
new_pool(uint64_t rest_ns, uint64_t *state)
{
	struct pptp_callid_pool *pool;

	ck_assert_int_eq(pptp_callid_pool_new(&pool, rest_ns, prng, state, NULL), PPTP_OK);
	return pool;
}

START_TEST(all_ids_once_then_exhausted)
{
	uint64_t state = 1;
	struct pptp_callid_pool *pool = new_pool(10, &state);
	uint8_t *seen = calloc(IDS + 1, 1);
	size_t taken, resting;
	uint16_t id = 0;
	int wrong = 0;

	for (int i = 0; i < IDS; i++) {
		wrong += pptp_callid_take(pool, &id, 0) != PPTP_OK || id == 0 || seen[id] != 0;
		seen[id] = 1;
	}
	ck_assert_int_eq(wrong, 0);
	ck_assert_int_eq(pptp_callid_take(pool, &id, 0), PPTP_ERR_EXHAUSTED);
	pptp_callid_count(pool, 0, &taken, &resting);
	ck_assert_uint_eq(taken, IDS);
	ck_assert_uint_eq(resting, 0);
	free(seen);
	pptp_callid_pool_free(pool);
}
END_TEST

START_TEST(freed_ids_rest)
{
	uint64_t state = 2;
	struct pptp_callid_pool *pool = new_pool(100, &state);
	uint16_t id = 0, first = 0;
	size_t taken, resting;

	ck_assert_int_eq(pptp_callid_take(pool, &first, 0), PPTP_OK);
	for (int i = 2; i < IDS; i++)
		pptp_callid_take(pool, &id, 0);
	pptp_callid_give(pool, first, 1000);
	pptp_callid_count(pool, 1099, &taken, &resting);
	ck_assert_uint_eq(taken, IDS - 2);
	ck_assert_uint_eq(resting, 1);
	/* the last free one, though the other was there before it */
	ck_assert_int_eq(pptp_callid_take(pool, &id, 1099), PPTP_OK);
	ck_assert_uint_ne(id, first);
	pptp_callid_count(pool, 1100, &taken, &resting);
	ck_assert_uint_eq(resting, 0);
	ck_assert_int_eq(pptp_callid_take(pool, &id, 1100), PPTP_OK);
	ck_assert_uint_eq(id, first);
	pptp_callid_pool_free(pool);
}
END_TEST

/* One peer that makes and ends calls as fast as it can would else keep everybody from theirs. */
START_TEST(without_free_ones_the_longest_rest_ends)
{
	uint64_t state = 6;
	struct pptp_callid_pool *pool = new_pool(100, &state);
	uint16_t ids[3] = {0}, id = 0;

	for (int i = 0; i < IDS; i++)
		pptp_callid_take(pool, i < 3 ? &ids[i] : &id, 0);
	for (uint64_t i = 0; i < 3; i++)
		pptp_callid_give(pool, ids[i], 1000 + i);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(pptp_callid_take(pool, &id, 1010), PPTP_OK);
		ck_assert_uint_eq(id, ids[i]);
	}
	ck_assert_int_eq(pptp_callid_take(pool, &id, 1010), PPTP_ERR_EXHAUSTED);
	pptp_callid_pool_free(pool);
}
END_TEST

START_TEST(ids_that_are_not_taken_are_ignored)
{
	uint64_t state = 3;
	struct pptp_callid_pool *pool = new_pool(100, &state);
	size_t taken, resting;
	uint16_t id;

	ck_assert_int_eq(pptp_callid_take(pool, &id, 0), PPTP_OK);
	pptp_callid_give(pool, 0, 0);
	pptp_callid_give(pool, (uint16_t)(id == 1 ? 2 : 1), 0);
	pptp_callid_give(pool, id, 0);
	pptp_callid_give(pool, id, 0);
	pptp_callid_count(pool, 0, &taken, &resting);
	ck_assert_uint_eq(taken, 0);
	ck_assert_uint_eq(resting, 1);
	pptp_callid_pool_free(pool);
}
END_TEST

START_TEST(a_claimed_id_is_taken_once)
{
	uint64_t state = 7;
	struct pptp_callid_pool *pool = new_pool(100, &state);
	uint16_t id = 0;
	int doubled = 0;

	ck_assert_int_eq(pptp_callid_claim(pool, 0, 0), PPTP_ERR_EXHAUSTED);
	ck_assert_int_eq(pptp_callid_claim(pool, 1, 0), PPTP_OK);
	ck_assert_int_eq(pptp_callid_claim(pool, 65535, 0), PPTP_OK);
	ck_assert_int_eq(pptp_callid_claim(pool, 1, 0), PPTP_ERR_EXHAUSTED);
	for (int i = 2; i < IDS; i++)
		doubled += pptp_callid_take(pool, &id, 0) != PPTP_OK || id == 1 || id == 65535;
	ck_assert_int_eq(doubled, 0);
	pptp_callid_give(pool, 65535, 0);
	ck_assert_int_eq(pptp_callid_claim(pool, 65535, 99), PPTP_ERR_EXHAUSTED);
	ck_assert_int_eq(pptp_callid_claim(pool, 65535, 100), PPTP_OK);
	pptp_callid_pool_free(pool);
}
END_TEST

/* Many more turns than there are ids: the ring wraps and nothing is lost or doubled. */
START_TEST(turns_over)
{
	uint64_t state = 4, ts = 0;
	struct pptp_callid_pool *pool = new_pool(1000, &state);
	uint16_t held[64] = {0};
	size_t taken, resting;
	int wrong = 0;

	for (int i = 0; i < 300000; i++, ts++) {
		uint16_t *slot = &held[i % 64];

		pptp_callid_give(pool, *slot, ts);
		wrong += pptp_callid_take(pool, slot, ts) != PPTP_OK;
	}
	ck_assert_int_eq(wrong, 0);
	pptp_callid_count(pool, ts, &taken, &resting);
	ck_assert_uint_eq(taken, 64);
	ck_assert_uint_eq(resting, 999);
	pptp_callid_pool_free(pool);
}
END_TEST

START_TEST(rest_without_end)
{
	uint64_t state = 5;
	struct pptp_callid_pool *pool = new_pool(PPTP_TS_NEVER, &state);
	size_t taken, resting;
	uint16_t id;

	ck_assert_int_eq(pptp_callid_take(pool, &id, 7), PPTP_OK);
	pptp_callid_give(pool, id, 7);
	pptp_callid_count(pool, UINT64_MAX - 1, &taken, &resting);
	ck_assert_uint_eq(resting, 1);
	pptp_callid_pool_free(pool);
}
END_TEST

/* 16 bins of 64,000 draws; chi-square with 15 degrees of freedom is above 37.7 once in a thousand. */
START_TEST(ids_are_spread_evenly)
{
	uint64_t state = 6;
	struct pptp_callid_pool *pool = new_pool(0, &state);
	double chi = 0;
	int bins[16] = {0};
	uint16_t id = 0, last = 0;
	int ordered = 0;

	for (int i = 0; i < 64000; i++) {
		pptp_callid_take(pool, &id, 0);
		pptp_callid_give(pool, id, 0);
		bins[id >> 12]++;
		ordered += id == (uint16_t)(last + 1);
		last = id;
	}
	for (int i = 0; i < 16; i++)
		chi += (bins[i] - 4000) * (bins[i] - 4000) / 4000.0;
	ck_assert_double_lt(chi, 37.7);
	ck_assert_int_lt(ordered, 20);
	pptp_callid_pool_free(pool);
}
END_TEST

START_TEST(ids_depend_on_the_random_source)
{
	uint64_t a = 11, b = 12;
	struct pptp_callid_pool *pa = new_pool(0, &a), *pb = new_pool(0, &b);
	uint16_t x, y;
	int equal = 0;

	for (int i = 0; i < 100; i++) {
		pptp_callid_take(pa, &x, 0);
		pptp_callid_take(pb, &y, 0);
		equal += x == y;
	}
	ck_assert_int_lt(equal, 3);
	pptp_callid_pool_free(pa);
	pptp_callid_pool_free(pb);
}
END_TEST

START_TEST(no_memory)
{
	uint64_t state = 1;
	struct mem_failing f;
	struct pptp_mem mem;
	struct pptp_callid_pool *pool = NULL;

	mem_failing_init(&f, 1);
	mem = (struct pptp_mem){.user = &f, .calloc = f.mem.calloc, .free = f.mem.free};
	ck_assert_int_eq(pptp_callid_pool_new(&pool, 0, prng, &state, &mem), PPTP_ERR_NOMEM);
	ck_assert_ptr_null(pool);
	ck_assert_int_eq(pptp_callid_pool_new(&pool, 0, prng, &state, &mem), PPTP_OK);
	pptp_callid_pool_free(pool);
	ck_assert_uint_eq(f.held, 0);
	pptp_callid_pool_free(NULL);
}
END_TEST

Suite *
suite_callid(void)
{
	Suite *s = suite_create("libpptp/callid");
	TCase *tc = tcase_create("callid");

	tcase_add_test(tc, all_ids_once_then_exhausted);
	tcase_add_test(tc, freed_ids_rest);
	tcase_add_test(tc, without_free_ones_the_longest_rest_ends);
	tcase_add_test(tc, ids_that_are_not_taken_are_ignored);
	tcase_add_test(tc, a_claimed_id_is_taken_once);
	tcase_add_test(tc, turns_over);
	tcase_add_test(tc, rest_without_end);
	tcase_add_test(tc, ids_are_spread_evenly);
	tcase_add_test(tc, ids_depend_on_the_random_source);
	tcase_add_test(tc, no_memory);
	suite_add_tcase(s, tc);
	return s;
}
