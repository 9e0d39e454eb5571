#include <string.h>

#include "sys/priv_core.h"
#include "tests/unit/suite.h"

Suite *suite_priv_undo(void);

static struct priv_deed
deed(enum priv_type type, int ifindex, const char *dst, uint32_t metric)
{
	struct priv_deed d = {.type = type, .ifindex = ifindex, .metric = metric};

	ck_assert(prefix_parse(&d.dst, dst));
	return d;
}

START_TEST(newest_first)
{
	struct priv_undo *u = priv_undo_new();
	struct priv_deed a = deed(PRIV_ADDR_ADD, 1, "10.0.0.1", 0), b = deed(PRIV_ROUTE_ADD, 1, "10.1.0.0/16", 0);
	struct priv_deed c = deed(PRIV_PROXY_ADD, 2, "10.0.0.1", 0), got;

	ck_assert(priv_undo_add(u, &a) && priv_undo_add(u, &b) && priv_undo_add(u, &c));
	ck_assert(priv_undo_add(u, &a)); /* again: still one, with its age */
	priv_undo_remove(u, &b);
	priv_undo_remove(u, &b);
	ck_assert(priv_undo_pop(u, &got) && got.type == PRIV_PROXY_ADD);
	ck_assert(priv_undo_pop(u, &got) && got.type == PRIV_ADDR_ADD);
	ck_assert(!priv_undo_pop(u, &got));
	priv_undo_free(u);
	priv_undo_free(NULL);
}
END_TEST

START_TEST(what_counts_as_the_same)
{
	struct priv_undo *u = priv_undo_new();
	struct priv_deed route = deed(PRIV_ROUTE_ADD, 3, "10.1.0.0/16", 5), proxy = deed(PRIV_PROXY_ADD, 4, "10.0.0.9", 0);
	struct priv_deed address = deed(PRIV_ADDR_ADD, 5, "10.0.0.1", 0), got;

	ck_assert(priv_undo_add(u, &route) && priv_undo_add(u, &proxy) && priv_undo_add(u, &address));
	got = deed(PRIV_ROUTE_ADD, 99, "10.1.0.0/16", 5);
	ck_assert(priv_undo_find(u, &got) && got.ifindex == 3);
	got = deed(PRIV_ROUTE_ADD, 3, "10.1.0.0/16", 6);
	ck_assert(!priv_undo_find(u, &got));
	got = deed(PRIV_ROUTE_ADD, 3, "10.1.0.0/17", 5);
	ck_assert(!priv_undo_find(u, &got));
	got = deed(PRIV_PROXY_ADD, 0, "10.0.0.9", 0);
	ck_assert(priv_undo_find(u, &got) && got.ifindex == 4);
	got = deed(PRIV_ADDR_ADD, 6, "10.0.0.1", 0);
	ck_assert(!priv_undo_find(u, &got));
	/* A route that moved to another interface is undone there. */
	route.ifindex = 7;
	ck_assert(priv_undo_add(u, &route));
	got = deed(PRIV_ROUTE_ADD, 0, "10.1.0.0/16", 5);
	ck_assert(priv_undo_find(u, &got) && got.ifindex == 7);
	priv_undo_free(u);
}
END_TEST

static bool
is_odd(void *user, int ifindex)
{
	(void)user;
	return ifindex % 2 != 0;
}

START_TEST(gone_interfaces_are_forgotten)
{
	struct priv_undo *u = priv_undo_new();
	struct priv_deed got;
	int count = 0;

	for (int i = 0; i < 100; i++) {
		struct priv_deed d = deed(PRIV_ADDR_ADD, i, "10.0.0.1", 0);

		ck_assert(priv_undo_add(u, &d));
	}
	priv_undo_forget(u, is_odd, NULL);
	for (int want = 98; priv_undo_pop(u, &got); want -= 2, count++)
		ck_assert_int_eq(got.ifindex, want);
	ck_assert_int_eq(count, 50);
	priv_undo_free(u);
}
END_TEST

START_TEST(the_list_is_bounded)
{
	struct priv_undo *u = priv_undo_new();
	struct priv_deed d = {.type = PRIV_ROUTE_ADD, .dst = {.addr.family = 4, .len = 32}};
	bool all = true;

	for (uint32_t i = 0; i < PRIV_UNDO_MAX; i++) {
		memcpy(d.dst.addr.bytes, &i, sizeof(i));
		all = all && priv_undo_add(u, &d);
	}
	ck_assert(all && priv_undo_full(u));
	ck_assert(priv_undo_add(u, &d)); /* it is in the list */
	d.dst.addr.bytes[3] = 0xff;
	ck_assert(!priv_undo_add(u, &d));
	priv_undo_free(u);
}
END_TEST

START_TEST(requests_become_deeds)
{
	struct priv_request r = {.type = PRIV_ROUTE_DEL, .route = {.ifindex = 4, .metric = 7, .table = 9}};
	struct priv_deed d;

	ck_assert(prefix_parse(&r.route.dst, "10.1.0.0/16"));
	d = priv_deed_of(&r);
	ck_assert(d.type == PRIV_ROUTE_ADD && d.ifindex == 4 && d.metric == 7 && d.table == 9 && d.dst.len == 16);
	r = (struct priv_request){.type = PRIV_ADDR_ADD, .addr = {.ifindex = 3, .prefix_len = 24}};
	ck_assert(addr_parse(&r.addr.local, "10.0.0.1") && addr_parse(&r.addr.peer, "10.0.0.2"));
	d = priv_deed_of(&r);
	ck_assert(d.type == PRIV_ADDR_ADD && d.ifindex == 3 && d.dst.len == 24 && d.peer.bytes[3] == 2);
	r = (struct priv_request){.type = PRIV_PROXY_DEL};
	ck_assert(addr_parse(&r.proxy.addr, "10.0.0.1"));
	d = priv_deed_of(&r);
	ck_assert(d.type == PRIV_PROXY_ADD && d.ifindex == 0 && d.dst.addr.family == 4);
}
END_TEST

Suite *
suite_priv_undo(void)
{
	Suite *s = suite_create("priv_undo");
	TCase *t = tcase_create("priv_undo");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, newest_first);
	tcase_add_test(t, what_counts_as_the_same);
	tcase_add_test(t, gone_interfaces_are_forgotten);
	tcase_add_test(t, the_list_is_bounded);
	tcase_add_test(t, requests_become_deeds);
	suite_add_tcase(s, t);
	return s;
}
