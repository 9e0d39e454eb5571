#include <string.h>

#include "pptpd/hash.h"
#include "tests/unit/suite.h"

struct item {
	int key;
	struct hash_node node;
};

START_TEST(adds_finds_and_deletes)
{
	static struct item items[100];
	struct hash h;

	ck_assert(hash_init(&h, 4));
	for (int i = 0; i < 100; i++) {
		items[i].key = i;
		hash_add(&h, &items[i].node, (uint64_t)(i % 10));
	}
	ck_assert_uint_eq(h.count, 100);
	for (uint64_t v = 0; v < 10; v++) {
		int n = 0;

		for (struct hash_node *node = hash_first(&h, v); node != NULL; node = hash_next(node), n++)
			ck_assert_int_eq(HASH_ENTRY(node, struct item, node)->key % 10, (int)v);
		ck_assert_int_eq(n, 10);
	}
	for (int i = 0; i < 100; i += 2)
		hash_del(&h, &items[i].node);
	ck_assert_uint_eq(h.count, 50);
	ck_assert_ptr_null(hash_first(&h, 4));
	hash_del(&h, &items[0].node);
	ck_assert_uint_eq(h.count, 50);
	hash_fini(&h);
}
END_TEST

START_TEST(seed_and_bytes_matter)
{
	ck_assert(hash_bytes(0, "alice", 5) != hash_bytes(0, "alicf", 5));
	ck_assert(hash_bytes(0, "alice", 5) != hash_bytes(1, "alice", 5));
	ck_assert(hash_bytes(7, "alice", 5) == hash_bytes(7, "alice", 5));
}
END_TEST

Suite *suite_hash(void);

Suite *
suite_hash(void)
{
	Suite *s = suite_create("pptpd/hash");
	TCase *t = tcase_create("hash");

	tcase_add_test(t, adds_finds_and_deletes);
	tcase_add_test(t, seed_and_bytes_matter);
	suite_add_tcase(s, t);
	return s;
}
