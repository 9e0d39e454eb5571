#include <errno.h>
#include <string.h>

#include "alg/gates_private.h"
#include "tests/unit/suite.h"

Suite *suite_gates_fsm(void);

/* One pair under test; the kernel is played by hand. */
struct world {
	struct gates *g;
	uint64_t id;
	struct gate_counters kernel;
	bool missing;
	struct gates_info record; /* once GONE */
	int adds, dels;
};

static void
fill(void *user, void *buf, size_t len)
{
	(void)user;
	memset(buf, 0x5a, len);
}

static const struct gates_owner owner = {.client = {.family = 4, .bytes = {10, 0, 0, 1}}, .conn = 7, .number = 1};

static void
init(struct world *w, struct gates_config config)
{
	config.fill = fill;
	config.max_calls = 4;
	memset(w, 0, sizeof(*w));
	ck_assert_int_eq(gates_new(&w->g, &config, NULL), 0);
}

static void
want(struct world *w)
{
	struct gate_pair pair = {0};

	ck_assert_int_eq(gates_want(w->g, &owner, &pair, 0), GATES_OK);
	w->id = pair.id;
}

/* Does what is to be done, and answers at once. */
static void
serve(struct world *w, uint64_t ts)
{
	struct gates_action a;

	while (gates_action(w->g, &a)) {
		switch (a.type) {
		case GATES_ADD:
			w->adds++;
			gates_added(w->g, w->id, 0, ts);
			break;
		case GATES_READ:
			gates_counted(w->g, w->id, w->missing ? NULL : &w->kernel, ts);
			break;
		case GATES_DEL:
			w->dels++;
			gates_deleted(w->g, w->id, w->missing ? NULL : &w->kernel, ts);
			break;
		case GATES_GONE:
			w->record = a.info;
			break;
		}
	}
}

/* Time passes until ts, with whatever falls due. */
static void
pass(struct world *w, uint64_t ts)
{
	serve(w, 0);
	while (gates_expiry(w->g) <= ts) {
		uint64_t now = gates_expiry(w->g);

		gates_expire(w->g, now);
		serve(w, now);
	}
}

static enum gates_state
state(const struct world *w)
{
	struct gates_info info;

	return gates_find(w->g, w->id, &info) ? info.state : GATES_FREE;
}

START_TEST(ages_without_a_packet)
{
	struct world w;

	init(&w, (struct gates_config){0});
	want(&w);
	pass(&w, TS_S(120) - 1);
	ck_assert_int_eq(state(&w), GATES_AGEING);
	pass(&w, TS_S(120));
	ck_assert_int_eq(state(&w), GATES_FREE);
	ck_assert_int_eq(w.record.why, ALG_WHY_AGED);
	ck_assert_int_eq(w.dels, 1);
	gates_free(w.g);
}
END_TEST

START_TEST(idles_out_after_the_last_packet)
{
	struct world w;

	init(&w, (struct gates_config){0});
	want(&w);
	w.kernel.up_pkts = 1;
	pass(&w, TS_S(10));
	ck_assert_int_eq(state(&w), GATES_ACTIVE);
	pass(&w, TS_S(1000));
	w.kernel.down_pkts = 5; /* either direction will do */
	w.kernel.down_bytes = 500;
	pass(&w, TS_S(1010));
	pass(&w, TS_S(1010 + 1800) - 1);
	ck_assert_int_eq(state(&w), GATES_ACTIVE);
	pass(&w, TS_S(1010 + 1800));
	ck_assert_int_eq(state(&w), GATES_FREE);
	ck_assert_int_eq(w.record.why, ALG_WHY_IDLE);
	ck_assert_uint_eq(w.record.last_up, TS_S(10));
	ck_assert_uint_eq(w.record.last_down, TS_S(1010));
	ck_assert_uint_eq(w.record.counters.down_bytes, 500);
	gates_free(w.g);
}
END_TEST

/* Right before a time-out the counters are read once more, so the last packet counts. */
START_TEST(a_packet_in_the_last_moment)
{
	struct world w;

	init(&w, (struct gates_config){.ageing_ns = TS_S(15)});
	want(&w);
	pass(&w, TS_S(14));
	w.kernel.down_pkts = 1;
	pass(&w, TS_S(15));
	ck_assert_int_eq(state(&w), GATES_ACTIVE);
	gates_free(w.g);
}
END_TEST

/* Defect 5 of the kernel's helper. */
START_TEST(kept_while_the_control_connection_lives)
{
	struct world w;

	init(&w, (struct gates_config){.keep_with_control = true, .linger_ns = TS_S(3)});
	want(&w);
	w.kernel.up_pkts = 1;
	pass(&w, TS_S(20000));
	ck_assert_int_eq(state(&w), GATES_ACTIVE);
	gates_control_lost(w.g, w.id, TS_S(20001));
	pass(&w, TS_S(20004) - 1);
	ck_assert_int_eq(state(&w), GATES_LINGER);
	pass(&w, TS_S(20004));
	ck_assert_int_eq(w.record.why, ALG_WHY_TRANSPORT);
	gates_free(w.g);
}
END_TEST

START_TEST(control_lost_removes_at_once)
{
	struct world w;

	init(&w, (struct gates_config){0});
	want(&w);
	serve(&w, 0);
	w.kernel.up_pkts = 9;
	gates_control_lost(w.g, w.id, TS_S(1));
	serve(&w, TS_S(1));
	ck_assert_int_eq(state(&w), GATES_FREE);
	ck_assert_int_eq(w.record.why, ALG_WHY_TRANSPORT);
	ck_assert_uint_eq(w.record.counters.up_pkts, 9); /* the last count is in the record */
	gates_free(w.g);
}
END_TEST

START_TEST(ended_before_it_was_added)
{
	struct world w;

	init(&w, (struct gates_config){0});
	want(&w);
	gates_end(w.g, w.id, ALG_WHY_CLEARED, 0);
	serve(&w, 0);
	ck_assert_int_eq(w.adds + w.dels, 0); /* nobody had begun */
	ck_assert_int_eq(w.record.why, ALG_WHY_CLEARED);
	gates_free(w.g);
}
END_TEST

START_TEST(ended_while_it_is_added)
{
	struct gates_action a;
	struct world w;

	init(&w, (struct gates_config){0});
	want(&w);
	ck_assert(gates_action(w.g, &a));
	gates_end(w.g, w.id, ALG_WHY_ADMIN, 0);
	ck_assert(!gates_action(w.g, &a));
	gates_added(w.g, w.id, 0, 0);
	serve(&w, 0);
	ck_assert_int_eq(w.dels, 1);
	ck_assert_int_eq(w.record.why, ALG_WHY_ADMIN);
	gates_free(w.g);
}
END_TEST

START_TEST(could_not_be_added)
{
	struct gates_action a;
	struct gates_stats stats;
	struct world w;

	init(&w, (struct gates_config){0});
	want(&w);
	ck_assert(gates_action(w.g, &a));
	gates_added(w.g, w.id, EEXIST, 0);
	serve(&w, 0);
	ck_assert_int_eq(w.dels, 0);
	ck_assert_int_eq(w.record.why, ALG_WHY_GATES_FAILED);
	gates_stats(w.g, &stats);
	ck_assert_uint_eq(stats.add_failed, 1);
	ck_assert_uint_eq(stats.calls, 0);
	gates_free(w.g);
}
END_TEST

/* An administrator flushed the kernel's table: they come back, and what they had carried stays counted. */
START_TEST(removed_behind_our_back)
{
	struct gates_stats stats;
	struct gates_info info;
	struct world w;

	init(&w, (struct gates_config){0});
	want(&w);
	w.kernel.up_pkts = 10;
	pass(&w, TS_S(10));
	w.missing = true;
	gates_expire(w.g, TS_S(20));
	serve(&w, TS_S(20));
	ck_assert_int_eq(w.adds, 2);
	ck_assert_int_eq(state(&w), GATES_ACTIVE);
	w.missing = false;
	w.kernel.up_pkts = 3;
	pass(&w, TS_S(30));
	ck_assert(gates_find(w.g, w.id, &info));
	ck_assert_uint_eq(info.counters.up_pkts, 13);
	gates_stats(w.g, &stats);
	ck_assert_uint_eq(stats.restored, 1);
	gates_free(w.g);
}
END_TEST

/* Back in the kernel, they still wait for their first packet. */
START_TEST(removed_before_the_first_packet)
{
	struct gates_stats stats;
	struct world w;

	init(&w, (struct gates_config){.keep_with_control = true});
	want(&w);
	pass(&w, TS_S(9));
	w.missing = true;
	pass(&w, TS_S(10));
	w.missing = false;
	ck_assert_int_eq(w.adds, 2);
	gates_stats(w.g, &stats);
	ck_assert_uint_eq(stats.waiting, 1);
	pass(&w, TS_S(120) - 1);
	ck_assert_int_eq(state(&w), GATES_AGEING);
	pass(&w, TS_S(120));
	ck_assert_int_eq(w.record.why, ALG_WHY_AGED);
	gates_free(w.g);
}
END_TEST

START_TEST(adopted_gates_age)
{
	struct gate_pair pair = {.id = 9};
	struct gates_owner none = owner;
	struct gates_stats stats;
	struct world w;

	none.conn = 0;
	init(&w, (struct gates_config){.adopted_ns = TS_S(300), .keep_with_control = true});
	w.id = 9;
	w.kernel.up_pkts = 100;
	ck_assert_int_eq(gates_adopt(w.g, &none, &pair, &w.kernel, TS_S(1)), GATES_OK);
	gates_stats(w.g, &stats);
	ck_assert_uint_eq(stats.adopted, 1);
	pass(&w, TS_S(301) - 1);
	ck_assert_int_eq(state(&w), GATES_ADOPTED);
	pass(&w, TS_S(301));
	ck_assert_int_eq(w.record.why, ALG_WHY_IDLE);
	ck_assert_int_eq(w.adds, 0);
	ck_assert_uint_eq(w.record.counters.up_pkts, 100);
	gates_stats(w.g, &stats);
	ck_assert_uint_eq(stats.adopted, 0);
	gates_free(w.g);
}
END_TEST

START_TEST(adopted_gates_with_data_go_on)
{
	struct gate_pair pair = {.id = 9};
	struct gates_owner none = owner;
	struct world w;

	none.conn = 0;
	init(&w, (struct gates_config){.adopted_ns = TS_S(300)});
	w.id = 9;
	ck_assert_int_eq(gates_adopt(w.g, &none, &pair, &w.kernel, 0), GATES_OK);
	for (uint64_t s = 100; s <= 2000; s += 100) {
		w.kernel.down_pkts++;
		pass(&w, TS_S(s));
	}
	ck_assert_int_eq(state(&w), GATES_ADOPTED);
	gates_free(w.g);
}
END_TEST

/* A hand-over that brings the control connection along. */
START_TEST(handed_over)
{
	struct gate_pair pair = {.id = 9};
	struct world w;

	init(&w, (struct gates_config){0});
	w.id = 9;
	ck_assert_int_eq(gates_adopt(w.g, &owner, &pair, &w.kernel, 0), GATES_OK);
	ck_assert_int_eq(state(&w), GATES_AGEING);
	w.id = pair.id = 10;
	w.kernel.down_pkts = 1;
	ck_assert_int_eq(gates_adopt(w.g, &owner, &pair, &w.kernel, 0), GATES_OK);
	ck_assert_int_eq(state(&w), GATES_ACTIVE);
	gates_free(w.g);
}
END_TEST

/* The data path counts from 1 again, or from where it was. */
START_TEST(counters_go_on)
{
	const struct gate_counters total = {.up_pkts = 100, .up_bytes = 5000, .down_pkts = 3};
	struct gate_pair pair = {.id = 9};
	struct gates_info info;
	struct world w;

	init(&w, (struct gates_config){0});
	w.id = 9;
	w.kernel = (struct gate_counters){.up_pkts = 1, .up_bytes = 6000, .down_pkts = 3};
	ck_assert_int_eq(gates_adopt(w.g, &owner, &pair, &w.kernel, 0), GATES_OK);
	gates_carry(w.g, 9, &total);
	gates_carry(w.g, 10, &total);
	ck_assert(gates_find(w.g, 9, &info));
	ck_assert_uint_eq(info.counters.up_pkts, 100);
	ck_assert_uint_eq(info.counters.up_bytes, 6000);
	ck_assert_uint_eq(info.counters.down_pkts, 3);
	w.kernel.up_pkts += 5;
	gates_look(w.g, 1);
	serve(&w, 1);
	ck_assert(gates_find(w.g, 9, &info));
	ck_assert_uint_eq(info.counters.up_pkts, 105);
	ck_assert_uint_eq(info.counters.up_bytes, 6000);
	gates_free(w.g);
}
END_TEST

START_TEST(unknown_answers_are_ignored)
{
	struct gate_counters c = {0};
	struct world w;

	init(&w, (struct gates_config){0});
	want(&w);
	gates_counted(w.g, w.id, &c, 0);
	gates_deleted(w.g, w.id, &c, 0);
	gates_added(w.g, 12345, 0, 0);
	gates_counted(w.g, 12345, NULL, 0);
	gates_deleted(w.g, 12345, NULL, 0);
	gates_end(w.g, 12345, ALG_WHY_ADMIN, 0);
	gates_control_lost(w.g, 12345, 0);
	ck_assert_int_eq(state(&w), GATES_ADDING);
	gates_added(w.g, w.id, 0, 0);
	gates_added(w.g, w.id, EIO, 0); /* twice */
	ck_assert_int_eq(state(&w), GATES_AGEING);
	gates_free(w.g);
}
END_TEST

/* --- every state by every event ------------------------------------------------------------ */

#define S(state) ((uint8_t)GATES_##state)

/* As the machine is meant, written down a second time: ADDED ADD_FAILED TRAFFIC SILENT MISSING END LOST DELETED TIMER. Lingering is on. */
static const uint8_t expected[GATES_STATES][GATES_EVENTS] = {
    [GATES_ADDING] = {S(AGEING), S(DONE), S(ADDING), S(ADDING), S(ADDING), S(CANCEL), S(CANCEL), S(ADDING), S(ADDING)},
    [GATES_RESTORING] = {S(AGEING), S(DONE), S(RESTORING), S(RESTORING), S(RESTORING), S(CANCEL), S(CANCEL), S(RESTORING), S(RESTORING)},
    [GATES_CANCEL] = {S(DELETING), S(DONE), S(CANCEL), S(CANCEL), S(CANCEL), S(CANCEL), S(CANCEL), S(CANCEL), S(CANCEL)},
    [GATES_AGEING] = {S(AGEING), S(AGEING), S(ACTIVE), S(DELETING), S(RESTORING), S(DELETING), S(LINGER), S(AGEING), S(AGEING)},
    [GATES_ACTIVE] = {S(ACTIVE), S(ACTIVE), S(ACTIVE), S(DELETING), S(RESTORING), S(DELETING), S(LINGER), S(ACTIVE), S(ACTIVE)},
    [GATES_LINGER] = {S(LINGER), S(LINGER), S(LINGER), S(LINGER), S(DELETING), S(DELETING), S(LINGER), S(LINGER), S(DELETING)},
    [GATES_ADOPTED] = {S(ADOPTED), S(ADOPTED), S(ADOPTED), S(DELETING), S(DELETING), S(DELETING), S(ADOPTED), S(ADOPTED), S(ADOPTED)},
    [GATES_DELETING] = {S(DELETING), S(DELETING), S(DELETING), S(DELETING), S(DELETING), S(DELETING), S(DELETING), S(DONE), S(DELETING)},
    [GATES_DONE] = {S(DONE), S(DONE), S(DONE), S(DONE), S(DONE), S(DONE), S(DONE), S(DONE), S(DONE)},
};

START_TEST(every_state_by_every_event)
{
	for (int from = GATES_ADDING; from < GATES_STATES; from++)
		for (int event = 0; event < GATES_EVENTS; event++) {
			struct gates_action a;
			struct world w;
			struct pair *p;

			init(&w, (struct gates_config){.linger_ns = TS_S(1)});
			want(&w);
			p = gates_by_id(w.g, w.id);
			ck_assert(gates_action(w.g, &a));
			if (from != GATES_ADDING)
				gates_set_state(w.g, p, (enum gates_state)from, 0);
			if (from == GATES_RESTORING)
				ck_assert(gates_action(w.g, &a));
			gates_fsm(w.g, p, (enum gates_event)event, 0);
			ck_assert_msg(p->info.state == expected[from][event], "%s, event %d: %s", gates_state_text((enum gates_state)from),
			    event, gates_state_text(p->info.state));
			gates_free(w.g);
		}
}
END_TEST

Suite *
suite_gates_fsm(void)
{
	Suite *s = suite_create("gates_fsm");
	TCase *t = tcase_create("gates_fsm");

	tcase_add_test(t, ages_without_a_packet);
	tcase_add_test(t, idles_out_after_the_last_packet);
	tcase_add_test(t, a_packet_in_the_last_moment);
	tcase_add_test(t, kept_while_the_control_connection_lives);
	tcase_add_test(t, control_lost_removes_at_once);
	tcase_add_test(t, ended_before_it_was_added);
	tcase_add_test(t, ended_while_it_is_added);
	tcase_add_test(t, could_not_be_added);
	tcase_add_test(t, removed_behind_our_back);
	tcase_add_test(t, removed_before_the_first_packet);
	tcase_add_test(t, adopted_gates_age);
	tcase_add_test(t, adopted_gates_with_data_go_on);
	tcase_add_test(t, handed_over);
	tcase_add_test(t, counters_go_on);
	tcase_add_test(t, unknown_answers_are_ignored);
	tcase_add_test(t, every_state_by_every_event);
	suite_add_tcase(s, t);
	return s;
}
