#include "alg/xlate.h"

#include <stdio.h>
#include <string.h>

#include "base/timerheap.h"
#include "tests/unit/suite.h"

Suite *suite_xlate(void);

static uint64_t seed;

static void
fill(void *user, void *buf, size_t len)
{
	uint64_t *state = user;

	for (size_t i = 0; i < len; i++) {
		*state = *state * UINT64_C(6364136223846793005) + 1442695040888963407;
		((uint8_t *)buf)[i] = (uint8_t)(*state >> 56);
	}
}

static struct xlate *
make(size_t limit)
{
	struct xlate_config config = {.limit = limit, .rest_ns = TS_S(60), .fill = fill, .fill_user = &seed};
	struct xlate *x;

	seed = 1;
	ck_assert_int_eq(xlate_new(&x, &config, NULL), 0);
	return x;
}

static struct addr
ip(const char *text)
{
	struct addr a;

	ck_assert(addr_parse(&a, text));
	return a;
}

static struct xlate_line
line(const char *from, const char *to)
{
	return (struct xlate_line){.from = ip(from), .to = ip(to)};
}

static struct xlate_owner
owner(const char *addr, uint16_t id)
{
	return (struct xlate_owner){.addr = ip(addr), .port = 40000, .id = id};
}

struct search {
	const struct xlate_line *line;
	uint16_t xid;
	const struct xlate_entry *found;
};

static void
look(void *user, const struct xlate_entry *e)
{
	struct search *s = user;

	if (e->xid == s->xid && addr_equal(&e->line.from, &s->line->from) && addr_equal(&e->line.to, &s->line->to))
		s->found = e;
}

/* The entry of a taken id; NULL: it is not taken. */
static const struct xlate_entry *
find(const struct xlate *x, const struct xlate_line *l, uint16_t xid)
{
	struct search s = {.line = l, .xid = xid};

	xlate_each(x, look, &s);
	return s.found;
}

static uint16_t
take(struct xlate *x, const struct xlate_line *l, const char *who, uint16_t id, uint64_t ts)
{
	struct xlate_owner o = owner(who, id);
	uint16_t xid = 0;

	ck_assert_int_eq(xlate_take(x, l, &o, ts, &xid), XLATE_OK);
	ck_assert_uint_ne(xid, 0);
	return xid;
}

/* Windows clients all call themselves 16384: the first keeps it, the others get ids of their own. */
START_TEST(unique_on_a_line)
{
	struct xlate_line l = line("198.51.100.1", "203.0.113.1"), m = line("198.51.100.2", "203.0.113.1");
	struct xlate *x = make(100);
	struct xlate_stats stats;
	uint16_t a, b, c;

	a = take(x, &l, "10.0.0.1", 16384, 0);
	b = take(x, &l, "10.0.0.2", 16384, 0);
	c = take(x, &l, "10.0.0.3", 16384, 0);
	ck_assert_uint_eq(a, 16384);
	ck_assert(a != b && b != c && a != c);
	ck_assert_uint_eq(take(x, &m, "10.0.0.2", 16384, 0), 16384); /* to another server it is free */
	xlate_stats(x, &stats);
	ck_assert_uint_eq(stats.used, 4);
	ck_assert_uint_eq(stats.kept, 2);
	ck_assert_uint_eq(stats.lines, 2);
	ck_assert_uint_eq(find(x, &l, b)->owner.id, 16384);
	ck_assert_uint_eq(find(x, &l, b)->owner.addr.bytes[3], 2);
	ck_assert_ptr_null(find(x, &m, b));
	xlate_free(x);
}
END_TEST

START_TEST(families)
{
	struct xlate_line six = line("2001:db8::1", "2001:db8::2"), four = line("198.51.100.1", "203.0.113.1");
	struct xlate *x = make(10);

	ck_assert_uint_eq(take(x, &six, "fd00::1", 5, 0), 5);
	ck_assert_uint_ne(take(x, &six, "fd00::2", 5, 0), 5);
	ck_assert_uint_eq(take(x, &four, "fd00::1", 5, 0), 5); /* NAT64: an IPv6 owner on an IPv4 line */
	xlate_free(x);
}
END_TEST

START_TEST(freed_ids_rest)
{
	struct xlate_line l = line("198.51.100.1", "203.0.113.1");
	struct xlate *x = make(10);
	struct xlate_stats stats;

	ck_assert_uint_eq(take(x, &l, "10.0.0.1", 5, 0), 5);
	ck_assert(xlate_give(x, &l, 5, TS_S(1)));
	ck_assert(!xlate_give(x, &l, 5, TS_S(1)));
	ck_assert(!xlate_give(x, &l, 6, TS_S(1)));
	ck_assert_ptr_null(find(x, &l, 5));
	ck_assert_uint_ne(take(x, &l, "10.0.0.1", 5, TS_S(60)), 5);
	xlate_stats(x, &stats);
	ck_assert_uint_eq(stats.resting, 1);
	ck_assert_uint_eq(stats.lines, 1);
	ck_assert_uint_eq(take(x, &l, "10.0.0.1", 5, TS_S(61)), 5);
	xlate_free(x);
}
END_TEST

START_TEST(limit_is_counted)
{
	struct xlate_line l = line("198.51.100.1", "203.0.113.1");
	struct xlate_owner o = owner("10.0.0.1", 9);
	struct xlate *x = make(3);
	struct xlate_stats stats;
	uint16_t xid;

	for (uint16_t i = 1; i <= 3; i++)
		take(x, &l, "10.0.0.1", i, 0);
	ck_assert_int_eq(xlate_take(x, &l, &o, 0, &xid), XLATE_LIMIT);
	xlate_stats(x, &stats);
	ck_assert_uint_eq(stats.used, 3);
	ck_assert_uint_eq(stats.limit, 3);
	ck_assert_uint_eq(stats.failed, 1);
	ck_assert_uint_eq(stats.failed_limit, 1);
	xlate_free(x);
}
END_TEST

/* Ids at rest never keep a call out while the limit allows it: memory is bounded by waking the oldest. */
START_TEST(rest_gives_way)
{
	struct xlate *x = make(4);
	struct xlate_stats stats;

	for (uint16_t i = 1; i <= 1000; i++) {
		char from[32];
		struct xlate_line l;

		snprintf(from, sizeof(from), "198.51.%d.%d", i / 256, i % 256);
		l = line(from, "203.0.113.1");
		ck_assert_uint_eq(take(x, &l, "10.0.0.1", i, 0), i);
		ck_assert(xlate_give(x, &l, i, 0));
	}
	xlate_stats(x, &stats);
	ck_assert_uint_eq(stats.used, 0);
	ck_assert_uint_le(stats.resting, 8);
	ck_assert_uint_eq(stats.lines, stats.resting);
	xlate_free(x);
}
END_TEST

/* A line can be used to its last id, and then says so. */
START_TEST(a_full_line)
{
	static bool seen[65536];
	struct xlate_line l = line("198.51.100.1", "203.0.113.1"), m = line("198.51.100.2", "203.0.113.1");
	struct xlate_owner o = owner("10.0.0.1", 1);
	struct xlate *x = make(70000);
	struct xlate_stats stats;
	uint16_t xid;

	memset(seen, 0, sizeof(seen));
	for (int i = 0; i < 65535; i++) {
		ck_assert_int_eq(xlate_take(x, &l, &o, 0, &xid), XLATE_OK);
		ck_assert(xid != 0 && !seen[xid]);
		seen[xid] = true;
	}
	ck_assert_int_eq(xlate_take(x, &l, &o, 0, &xid), XLATE_FULL);
	ck_assert_int_eq(xlate_take(x, &m, &o, 0, &xid), XLATE_OK);
	xlate_stats(x, &stats);
	ck_assert_uint_eq(stats.failed_full, 1);
	ck_assert_uint_eq(stats.used, 65536);
	ck_assert(xlate_give(x, &l, 77, 0));
	ck_assert_int_eq(xlate_take(x, &l, &o, TS_S(59), &xid), XLATE_FULL); /* it rests */
	ck_assert_int_eq(xlate_take(x, &l, &o, TS_S(60), &xid), XLATE_OK);
	ck_assert_uint_eq(xid, 77);
	xlate_free(x);
}
END_TEST

START_TEST(claims_what_was_before)
{
	struct xlate_line l = line("198.51.100.1", "203.0.113.1");
	struct xlate_owner o = owner("10.0.0.1", 5);
	struct xlate *x = make(2);

	ck_assert_int_eq(xlate_claim(x, &l, &o, 1234, 0), XLATE_OK);
	ck_assert_int_eq(xlate_claim(x, &l, &o, 1234, 0), XLATE_TAKEN);
	ck_assert_int_eq(xlate_claim(x, &l, &o, 0, 0), XLATE_TAKEN);
	ck_assert_uint_eq(find(x, &l, 1234)->owner.id, 5);
	ck_assert(xlate_give(x, &l, 1234, 0));
	ck_assert_int_eq(xlate_claim(x, &l, &o, 1234, 1), XLATE_OK); /* out of its rest */
	ck_assert_int_eq(xlate_claim(x, &l, &o, 1235, 1), XLATE_OK);
	ck_assert_int_eq(xlate_claim(x, &l, &o, 1236, 1), XLATE_LIMIT);
	xlate_free(x);
}
END_TEST

START_TEST(random_when_asked)
{
	struct xlate_config config = {.limit = 100, .random = true, .fill = fill, .fill_user = &seed};
	struct xlate_line l = line("198.51.100.1", "203.0.113.1");
	struct xlate_stats stats;
	struct xlate *x;

	seed = 7;
	ck_assert_int_eq(xlate_new(&x, &config, NULL), 0);
	for (uint16_t i = 1; i <= 50; i++)
		take(x, &l, "10.0.0.1", i, 0);
	xlate_stats(x, &stats);
	ck_assert_uint_lt(stats.kept, 3);
	xlate_free(x);
}
END_TEST

static void
collect(void *user, const struct xlate_entry *e)
{
	uint16_t **p = user;

	*(*p)++ = e->owner.id;
}

START_TEST(lists_the_latest_first)
{
	struct xlate_line l = line("198.51.100.1", "203.0.113.1");
	struct xlate *x = make(10);
	uint16_t ids[10] = {0}, *p = ids;

	for (uint16_t i = 1; i <= 4; i++)
		take(x, &l, "10.0.0.1", i, i);
	xlate_give(x, &l, 2, 5);
	xlate_each(x, collect, &p);
	ck_assert_int_eq(p - ids, 3);
	ck_assert(ids[0] == 4 && ids[1] == 3 && ids[2] == 1);
	xlate_free(x);
}
END_TEST

/* Twenty thousand calls, all with one id, from as many clients; ended and begun anew. */
START_TEST(many)
{
	enum { CALLS = 20000 };
	static uint16_t xids[CALLS];
	struct xlate_line l = line("198.51.100.1", "203.0.113.1");
	struct xlate *x = make(CALLS);
	struct xlate_stats stats;

	for (int i = 0; i < CALLS; i++)
		xids[i] = take(x, &l, "10.0.0.1", 16384, 0);
	for (int round = 1; round <= 2; round++)
		for (int i = 0; i < CALLS; i++) {
			uint64_t ts = TS_S(100 * round);

			ck_assert(xlate_give(x, &l, xids[i], ts));
			xids[i] = take(x, &l, "10.0.0.1", 16384, ts);
		}
	xlate_stats(x, &stats);
	ck_assert_uint_eq(stats.used, CALLS);
	ck_assert_uint_eq(stats.taken, 3 * CALLS);
	xlate_free(x);
}
END_TEST

START_TEST(every_allocation_fails_once)
{
	struct xlate_config config = {.limit = 10, .fill = fill, .fill_user = &seed};
	struct mem_failing f;
	struct xlate *x;
	size_t n;

	for (n = 1;; n++) {
		mem_failing_init(&f, n);
		if (xlate_new(&x, &config, &f.mem) == 0)
			break;
		ck_assert_uint_eq(f.held, 0);
	}
	ck_assert_uint_eq(n, 6);
	xlate_free(x);
	ck_assert_uint_eq(f.held, 0);
}
END_TEST

Suite *
suite_xlate(void)
{
	Suite *s = suite_create("xlate");
	TCase *t = tcase_create("xlate");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, unique_on_a_line);
	tcase_add_test(t, families);
	tcase_add_test(t, freed_ids_rest);
	tcase_add_test(t, limit_is_counted);
	tcase_add_test(t, rest_gives_way);
	tcase_add_test(t, a_full_line);
	tcase_add_test(t, claims_what_was_before);
	tcase_add_test(t, random_when_asked);
	tcase_add_test(t, lists_the_latest_first);
	tcase_add_test(t, many);
	tcase_add_test(t, every_allocation_fails_once);
	suite_add_tcase(s, t);
	return s;
}
