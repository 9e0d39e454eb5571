#include "alg/table.h"

#include <stdlib.h>

#include "tests/unit/suite.h"

Suite *suite_table(void);

struct object {
	int before;
	struct table_node node;
};

static const uint64_t key[2] = {UINT64_C(0x0123456789abcdef), UINT64_C(0xfedcba9876543211)};

START_TEST(finds_by_hash)
{
	struct object o[100];
	struct table t;
	int n = 0;

	ck_assert(table_init(&t, 10, key, NULL));
	for (int i = 0; i < 100; i++) {
		o[i].before = i;
		table_add(&t, &o[i].node, (uint32_t)i % 50);
	}
	for (struct table_node *p = table_first(&t, 7); p != NULL; p = table_next(p), n++)
		ck_assert_int_eq(TABLE_OWNER(p, struct object, node)->before % 50, 7);
	ck_assert_int_eq(n, 2);
	table_del(&t, &o[57].node);
	ck_assert_ptr_eq(table_first(&t, 7), &o[7].node);
	ck_assert_ptr_null(table_next(&o[7].node));
	table_del(&t, &o[7].node);
	ck_assert_ptr_null(table_first(&t, 7));
	ck_assert_ptr_nonnull(table_first(&t, 23)); /* 7 + 16: the same chain */
	table_fini(&t, NULL);
}
END_TEST

/* Neighbouring addresses and ids, as they are in life, spread well; other keys spread them otherwise. */
START_TEST(hashes_spread)
{
	static const uint64_t other[2] = {1, 2};
	enum { BUCKETS = 1024 };
	int fill[BUCKETS] = {0}, most = 0, same = 0;
	struct table t, u;

	ck_assert(table_init(&t, 16, key, NULL));
	ck_assert(table_init(&u, 16, other, NULL));
	for (uint32_t i = 0; i < 10 * BUCKETS; i++) {
		struct addr a = {.family = 4, .bytes = {10, 0, (uint8_t)(i >> 8), (uint8_t)i}};
		uint32_t h = table_hash_end(&t, table_hash_u64(&t, table_hash_addr(&t, 0, &a), i & 0xc000));

		same += h == table_hash_end(&u, table_hash_u64(&u, table_hash_addr(&u, 0, &a), i & 0xc000));
		fill[h % BUCKETS]++;
	}
	for (int i = 0; i < BUCKETS; i++)
		most = fill[i] > most ? fill[i] : most;
	ck_assert_int_lt(most, 40);
	ck_assert_int_lt(same, 3);
	table_fini(&t, NULL);
	table_fini(&u, NULL);
}
END_TEST

START_TEST(no_memory)
{
	struct mem_failing f;
	struct table t;

	mem_failing_init(&f, 1);
	ck_assert(!table_init(&t, 10, key, &f.mem));
}
END_TEST

Suite *
suite_table(void)
{
	Suite *s = suite_create("table");
	TCase *t = tcase_create("table");

	tcase_add_test(t, finds_by_hash);
	tcase_add_test(t, hashes_spread);
	tcase_add_test(t, no_memory);
	suite_add_tcase(s, t);
	return s;
}
