#include "alg/gates.h"

#include <errno.h>
#include <string.h>

#include "base/timerheap.h"
#include "tests/unit/suite.h"

Suite *suite_gates(void);

static void
fill(void *user, void *buf, size_t len)
{
	(void)user;
	memset(buf, 0x5a, len);
}

static struct gates *
make(struct gates_config config)
{
	struct gates *g;

	config.fill = fill;
	config.first_id = 100;
	if (config.max_calls == 0)
		config.max_calls = 10;
	ck_assert_int_eq(gates_new(&g, &config, NULL), 0);
	return g;
}

static struct gates_owner
owner(uint8_t client)
{
	return (struct gates_owner){.client = {.family = 4, .bytes = {10, 0, 0, client}},
	    .server = {.family = 4, .bytes = {1, 2, 3, 4}},
	    .conn = 1,
	    .number = client};
}

static enum gates_refusal
want(struct gates *g, uint8_t client, uint64_t ts)
{
	struct gates_owner o = owner(client);
	struct gate_pair pair = {.up = {.call_id = client}};

	return gates_want(g, &o, &pair, ts);
}

static struct gates_action
next(struct gates *g, enum gates_action_type type)
{
	struct gates_action a;

	ck_assert(gates_action(g, &a));
	ck_assert_int_eq(a.type, type);
	return a;
}

static void
none(struct gates *g)
{
	struct gates_action a;

	ck_assert(!gates_action(g, &a));
}

/* Wanted and installed. */
static uint64_t
up(struct gates *g, uint8_t client, uint64_t ts)
{
	uint64_t id;

	ck_assert_int_eq(want(g, client, ts), GATES_OK);
	id = next(g, GATES_ADD).info.pair.id;
	gates_added(g, id, 0, ts);
	return id;
}

static void
gone(struct gates *g, uint64_t id, uint64_t ts)
{
	ck_assert_uint_eq(next(g, GATES_DEL).info.pair.id, id);
	gates_deleted(g, id, NULL, ts);
	ck_assert_uint_eq(next(g, GATES_GONE).info.pair.id, id);
	none(g);
}

START_TEST(limit_of_calls)
{
	struct gates *g = make((struct gates_config){.max_calls = 3});
	struct gates_stats stats;
	uint64_t first = up(g, 1, 0);

	up(g, 2, 0);
	up(g, 3, 0);
	ck_assert_int_eq(want(g, 4, TS_S(5)), GATES_TOO_MANY_CALLS);
	gates_stats(g, &stats);
	ck_assert_uint_eq(stats.calls, 3);
	ck_assert_uint_eq(stats.clients, 3);
	ck_assert_uint_eq(stats.waiting, 3);
	ck_assert_uint_eq(stats.refused[GATES_TOO_MANY_CALLS].count, 1);
	ck_assert_uint_eq(stats.refused[GATES_TOO_MANY_CALLS].last_who.bytes[3], 4);
	ck_assert_uint_eq(stats.refused[GATES_TOO_MANY_CALLS].last_ts, TS_S(5));
	gates_end(g, first, ALG_WHY_CLEARED, TS_S(6)); /* counts no longer, though it isn't gone yet */
	gates_stats(g, &stats);
	ck_assert_uint_eq(stats.removing, 1);
	ck_assert_int_eq(want(g, 4, TS_S(6)), GATES_OK);
	gates_free(g);
}
END_TEST

START_TEST(limit_of_a_client)
{
	struct gates *g = make((struct gates_config){.max_per_client = 2});
	struct gates_stats stats;
	struct addr client = owner(1).client;
	uint64_t id = up(g, 1, 0);

	ck_assert_int_eq(gates_check(g, &client, 0, 0), GATES_OK);
	ck_assert_int_eq(gates_check(g, &client, 1, 0), GATES_TOO_MANY_OF_CLIENT); /* those that are asked for count */
	up(g, 1, 0);
	ck_assert_int_eq(gates_check(g, &client, 0, 0), GATES_TOO_MANY_OF_CLIENT);
	ck_assert_int_eq(want(g, 1, 0), GATES_TOO_MANY_OF_CLIENT);
	up(g, 2, 0);
	gates_stats(g, &stats);
	ck_assert_uint_eq(stats.refused[GATES_TOO_MANY_OF_CLIENT].count, 3);
	ck_assert_uint_eq(stats.clients, 2);
	gates_end(g, id, ALG_WHY_CLEARED, 0);
	gone(g, id, 0);
	up(g, 1, 0);
	gates_free(g);
}
END_TEST

static void
adopt(struct gates *g, uint8_t client, uint64_t id)
{
	const struct gate_counters zero = {0};
	const struct gate_pair pair = {.id = id};
	struct gates_owner o = owner(client);

	o.conn = 0;
	ck_assert_int_eq(gates_adopt(g, &o, &pair, &zero, 0), GATES_OK);
}

/* As up(), where that ends another call. */
static uint64_t
up_instead(struct gates *g, uint8_t client, uint64_t ended)
{
	uint64_t id;

	ck_assert_int_eq(want(g, client, 0), GATES_OK);
	ck_assert_uint_eq(next(g, GATES_DEL).info.pair.id, ended);
	id = next(g, GATES_ADD).info.pair.id;
	gates_added(g, id, 0, 0);
	return id;
}

/* After a crash, or while its gates linger, a client's old call doesn't keep it from dialing anew; another client's stays. */
START_TEST(a_call_without_control_makes_room_for_its_clients_next)
{
	struct gates *g = make((struct gates_config){.max_calls = 4, .max_per_client = 2, .linger_ns = TS_S(60)});
	struct gates_stats stats;
	struct addr second = owner(2).client, third = owner(3).client;
	uint64_t id;

	adopt(g, 1, 10);
	adopt(g, 1, 11);
	adopt(g, 2, 12);
	id = up_instead(g, 1, 10); /* at the client's limit: its oldest */
	up(g, 2, 0);
	ck_assert_int_eq(gates_check(g, &third, 0, 0), GATES_TOO_MANY_CALLS);
	gates_control_lost(g, id, 0);
	up_instead(g, 1, 11); /* at everybody's */
	up_instead(g, 1, id);
	ck_assert_int_eq(want(g, 1, 0), GATES_TOO_MANY_CALLS);
	ck_assert_int_eq(gates_check(g, &second, 2, 0), GATES_TOO_MANY_CALLS); /* two are asked for: it would not help */
	up_instead(g, 2, 12);
	none(g);
	gates_stats(g, &stats);
	ck_assert_uint_eq(stats.calls, 4);
	ck_assert_uint_eq(stats.adopted, 0);
	ck_assert_uint_eq(stats.refused[GATES_TOO_MANY_CALLS].count, 3);
	ck_assert_uint_eq(stats.refused[GATES_TOO_MANY_OF_CLIENT].count, 0);
	gates_free(g);
}
END_TEST

/* Defect 9 of the kernel's helper: the limit can be chosen, and a refusal isn't silent. */
START_TEST(limit_of_waiting_gates)
{
	struct gates *g = make((struct gates_config){.max_waiting = 2});
	struct gate_counters one = {.up_pkts = 1};
	struct gates_stats stats;
	uint64_t id = up(g, 1, 0);

	up(g, 2, 0);
	ck_assert_int_eq(want(g, 3, 0), GATES_TOO_MANY_WAITING);
	gates_expire(g, TS_S(10));
	ck_assert_uint_eq(next(g, GATES_READ).info.pair.id, id);
	gates_counted(g, id, &one, TS_S(10));
	next(g, GATES_READ);
	up(g, 3, TS_S(10));
	gates_stats(g, &stats);
	ck_assert_uint_eq(stats.waiting, 2);
	ck_assert_uint_eq(stats.calls, 3);
	gates_free(g);
}
END_TEST

START_TEST(ids_are_never_used_twice)
{
	struct gates *g = make((struct gates_config){0});
	struct gate_pair found = {.id = 500};
	struct gate_counters zero = {0};
	struct gates_owner o = owner(1);

	ck_assert_uint_eq(up(g, 1, 0), 100);
	gates_end(g, 100, ALG_WHY_CLEARED, 0);
	gone(g, 100, 0);
	ck_assert_uint_eq(up(g, 1, 0), 101);
	ck_assert_int_eq(gates_adopt(g, &o, &found, &zero, 0), GATES_OK);
	ck_assert_int_eq(gates_adopt(g, &o, &found, &zero, 0), GATES_TOO_MANY_CALLS);
	ck_assert_uint_eq(up(g, 1, 0), 501);
	gates_free(g);
}
END_TEST

/* Pairs that wait to be removed have room beside a full house; then nothing more is let in, and nothing breaks. */
START_TEST(bounded_while_nothing_is_removed)
{
	struct gates *g = make((struct gates_config){.max_calls = 8});
	struct gates_stats stats;
	int taken = 0;

	while (want(g, 1, 0) == GATES_OK) {
		uint64_t id = next(g, GATES_ADD).info.pair.id;

		gates_added(g, id, 0, 0);
		gates_end(g, id, ALG_WHY_CLEARED, 0);
		next(g, GATES_DEL);
		ck_assert_int_lt(++taken, 1000);
	}
	ck_assert_int_eq(taken, 8 + 8 / 4 + 16);
	gates_stats(g, &stats);
	ck_assert_uint_eq(stats.refused[GATES_NO_MEMORY].count, 1);
	ck_assert_uint_eq(stats.calls, 0);
	ck_assert_uint_eq(stats.clients, 0);
	for (uint64_t id = 100; id < 100 + (uint64_t)taken; id++) {
		gates_deleted(g, id, NULL, 0);
		next(g, GATES_GONE);
	}
	gates_stats(g, &stats);
	ck_assert_uint_eq(stats.removing, 0);
	up(g, 1, 0);
	gates_free(g);
}
END_TEST

static void
count(void *user, const struct gates_info *info)
{
	int *sum = user;

	*sum = *sum * 10 + info->owner.client.bytes[3];
}

START_TEST(tables)
{
	struct gates *g = make((struct gates_config){0});
	struct gates_info info;
	int sum = 0;
	uint64_t id;

	up(g, 1, 0);
	id = up(g, 2, 0);
	up(g, 1, 0);
	gates_each(g, count, &sum);
	ck_assert_int_eq(sum, 121);
	ck_assert(gates_find(g, id, &info));
	ck_assert_uint_eq(info.pair.up.call_id, 2);
	ck_assert_uint_eq(info.expires, TS_S(120));
	gates_end(g, id, ALG_WHY_ADMIN, 0);
	gone(g, id, 0);
	ck_assert(!gates_find(g, id, &info));
	sum = 0;
	gates_each(g, count, &sum);
	ck_assert_int_eq(sum, 11);
	gates_free(g);
}
END_TEST

START_TEST(many)
{
	enum { CALLS = 10000 };
	struct gates *g = make((struct gates_config){.max_calls = CALLS});
	struct gate_counters one = {.down_pkts = 1};
	struct gates_stats stats;
	struct gates_action a;
	size_t reads = 0;

	for (int i = 0; i < CALLS; i++)
		up(g, (uint8_t)i, TS_MS(i));
	while (gates_expiry(g) < TS_S(1700)) {
		uint64_t ts = gates_expiry(g);

		gates_expire(g, ts);
		while (gates_action(g, &a)) {
			ck_assert_int_eq(a.type, GATES_READ);
			gates_counted(g, a.info.pair.id, &one, ts);
			if (++reads > 3 * CALLS)
				goto enough;
		}
	}
enough:
	gates_stats(g, &stats);
	ck_assert_uint_eq(stats.calls, CALLS);
	ck_assert_uint_eq(stats.waiting, 0);
	ck_assert_uint_eq(stats.clients, 256);
	for (uint64_t id = 100; id < 100 + CALLS; id++)
		gates_control_lost(g, id, TS_S(2000));
	while (gates_action(g, &a))
		if (a.type == GATES_DEL)
			gates_deleted(g, a.info.pair.id, &one, TS_S(2000));
	gates_stats(g, &stats);
	ck_assert_uint_eq(stats.calls + stats.removing + stats.clients, 0);
	ck_assert_uint_eq(stats.ended_by[ALG_WHY_TRANSPORT], CALLS);
	ck_assert_uint_eq(gates_expiry(g), TS_NEVER);
	gates_free(g);
}
END_TEST

START_TEST(every_allocation_fails_once)
{
	struct gates_config config = {.max_calls = 10, .fill = fill};
	struct mem_failing f;
	struct gates *g;
	size_t n;

	for (n = 1;; n++) {
		mem_failing_init(&f, n);
		if (gates_new(&g, &config, &f.mem) == 0)
			break;
		ck_assert_uint_eq(f.held, 0);
	}
	ck_assert_uint_eq(n, 6);
	gates_free(g);
	ck_assert_uint_eq(f.held, 0);
}
END_TEST

START_TEST(words)
{
	for (int i = 0; i < GATES_STATES; i++)
		ck_assert_uint_gt(strlen(gates_state_text((enum gates_state)i)), 3);
	for (int i = 0; i < GATES_REFUSALS; i++)
		ck_assert_uint_gt(strlen(gates_refusal_text((enum gates_refusal)i)), 3);
}
END_TEST

Suite *
suite_gates(void)
{
	Suite *s = suite_create("gates");
	TCase *t = tcase_create("gates");

	tcase_add_test(t, limit_of_calls);
	tcase_add_test(t, limit_of_a_client);
	tcase_add_test(t, a_call_without_control_makes_room_for_its_clients_next);
	tcase_add_test(t, limit_of_waiting_gates);
	tcase_add_test(t, ids_are_never_used_twice);
	tcase_add_test(t, bounded_while_nothing_is_removed);
	tcase_add_test(t, tables);
	tcase_add_test(t, many);
	tcase_add_test(t, every_allocation_fails_once);
	tcase_add_test(t, words);
	suite_add_tcase(s, t);
	return s;
}
