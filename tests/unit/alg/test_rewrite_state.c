#include <stdio.h>
#include <string.h>

#include "tests/unit/alg/gw.h"
#include "tests/unit/suite.h"

Suite *suite_rewrite_state(void);

static void
started(struct gw *g)
{
	gw_init(g);
	gw_open(g);
	gw_start(g);
}

/* --- the ordinary lives ----------------------------------------------------------------- */

START_TEST(outgoing_call)
{
	struct alg_call call;
	struct gw g;

	started(&g);
	gw_call(&g);
	ck_assert_uint_eq(alg_rewrite_calls(g.rw, &call, 1), 1);
	ck_assert_uint_eq(call.client_id, 5);
	ck_assert_uint_eq(call.client_xid, 1005);
	ck_assert_uint_eq(call.server_id, 7);
	ck_assert_uint_eq(call.server_xid, 2007);
	gw_say(&g, ALG_CLIENT, SLI, 0, 2007);
	gw_say(&g, ALG_SERVER, WEN, 0, 1005);
	ck_assert_str_eq(gw_line(&g), "<WEN/5 >SLI/7");
	gw_say(&g, ALG_CLIENT, CCR, 5, 0);
	gw_say(&g, ALG_SERVER, CDN, 7, 0);
	/* Defect 1 of the kernel's helper: the server's own id, as the client knows it. */
	ck_assert_str_eq(gw_line(&g), "<CDN:2007=4 >CCR:1005 END#1:cleared");
	gw_free(&g);
}
END_TEST

START_TEST(outgoing_call_of_the_server)
{
	struct gw g;

	started(&g);
	gw_say(&g, ALG_SERVER, OCRQ, 7, 0);
	ck_assert_str_eq(gw_line(&g), "<OCRQ:2007 NEW#1");
	ck_assert_int_eq(g.last.call.requester, ALG_SERVER);
	gw_say(&g, ALG_CLIENT, OCRP, 5, 2007);
	ck_assert_str_eq(gw_line(&g), "GATES#1");
	alg_rewrite_gates(g.rw, 1, true);
	gw_say(&g, ALG_SERVER, SLI, 0, 1005);
	gw_say(&g, ALG_CLIENT, CDN, 5, 0);
	ck_assert_str_eq(gw_line(&g), "<SLI/5 >OCRP:1005/7=1 >CDN:1005=4 END#1:cleared");
	gw_free(&g);
}
END_TEST

START_TEST(incoming_call)
{
	struct gw g;

	started(&g);
	gw_incoming(&g);
	gw_say(&g, ALG_CLIENT, SLI, 0, 2007);
	gw_say(&g, ALG_SERVER, WEN, 0, 1005);
	gw_say(&g, ALG_CLIENT, CCR, 5, 0);
	gw_say(&g, ALG_SERVER, CDN, 7, 0);
	ck_assert_str_eq(gw_line(&g), "<WEN/5 <CDN:2007=4 >SLI/7 >CCR:1005 END#1:cleared");
	gw_free(&g);
}
END_TEST

START_TEST(several_calls)
{
	char want[64];
	struct gw g;

	started(&g);
	for (uint16_t i = 1; i <= 8; i++) {
		gw_say(&g, ALG_CLIENT, OCRQ, i, 0);
		gw_line(&g);
	}
	for (uint16_t i = 8; i >= 1; i--) { /* answered in another order */
		gw_say(&g, ALG_SERVER, OCRP, (uint16_t)(100 + i), (uint16_t)(1000 + i));
		gw_line(&g);
		alg_rewrite_gates(g.rw, g.last.call.number, true);
		snprintf(want, sizeof(want), "<OCRP:%d/%d=1", 2100 + i, i);
		ck_assert_str_eq(gw_line(&g), want);
	}
	gw_say(&g, ALG_CLIENT, OCRQ, 9, 0);
	ck_assert_str_eq(gw_line(&g), "<OCRP:0/9=2 REFUSED:crowded");
	gw_say(&g, ALG_CLIENT, CCR, 3, 0);
	gw_line(&g);
	gw_say(&g, ALG_CLIENT, OCRQ, 9, 0); /* the one that nobody answered gives way */
	ck_assert_str_eq(gw_line(&g), ">OCRQ:1009 END#3:cleared NEW#9");
	gw_say(&g, ALG_SERVER, CDN, 103, 0);
	ck_assert_str_eq(gw_line(&g), ""); /* late, but no fault */
	gw_free(&g);
}
END_TEST

START_TEST(refused_by_the_other_end)
{
	struct pptp_msg no = gw_msg(OCRP, 0, 1005);
	struct gw g;

	no.outgoing_call_reply.result_code = PPTP_OCRP_BUSY;
	started(&g);
	gw_say(&g, ALG_CLIENT, OCRQ, 5, 0);
	gw_line(&g);
	gw_send(&g, ALG_SERVER, &no);
	ck_assert_str_eq(gw_line(&g), "<OCRP:0/5=4 END#1:no");
	gw_free(&g);
}
END_TEST

/* --- gates ---------------------------------------------------------------------------------- */

START_TEST(a_reply_and_all_behind_it_wait)
{
	uint8_t bytes[2 * PPTP_MAX_MESSAGE];
	struct pptp_msg reply = gw_msg(OCRP, 7, 1005), info = gw_msg(SLI, 0, 1005);
	size_t first = (size_t)pptp_msg_encode(bytes, PPTP_MAX_MESSAGE, &reply);
	size_t both = first + (size_t)pptp_msg_encode(bytes + first, PPTP_MAX_MESSAGE, &info);
	struct gw g;

	started(&g);
	gw_say(&g, ALG_CLIENT, OCRQ, 5, 0);
	gw_line(&g);
	ck_assert_uint_eq(gw_feed(&g, ALG_SERVER, bytes, both), first);
	ck_assert_str_eq(gw_line(&g), "GATES#1");
	ck_assert_uint_eq(gw_feed(&g, ALG_SERVER, bytes + first, both - first), 0);
	gw_say(&g, ALG_CLIENT, ECHORQ, 0, 0); /* the other direction goes on */
	ck_assert_str_eq(gw_line(&g), ">ECHORQ");
	alg_rewrite_gates(g.rw, 1, true);
	ck_assert_uint_eq(gw_feed(&g, ALG_SERVER, bytes + first, both - first), both - first);
	ck_assert_str_eq(gw_line(&g), "<OCRP:2007/5=1 <SLI/5");
	alg_rewrite_gates(g.rw, 1, false); /* nobody waits any more */
	ck_assert_str_eq(gw_line(&g), "");
	gw_free(&g);
}
END_TEST

START_TEST(no_gates_no_call)
{
	struct gw g;

	started(&g);
	gw_say(&g, ALG_CLIENT, OCRQ, 5, 0);
	gw_say(&g, ALG_SERVER, OCRP, 7, 1005);
	gw_line(&g);
	alg_rewrite_gates(g.rw, 1, false);
	ck_assert_str_eq(gw_line(&g), "<OCRP:0/5=2 >CCR:1005 END#1:gates");
	gw_say(&g, ALG_SERVER, CDN, 7, 0);
	gw_say(&g, ALG_SERVER, ICRQ, 8, 0);
	ck_assert_str_eq(gw_line(&g), "<ICRQ:2008 NEW#2");
	gw_say(&g, ALG_CLIENT, ICRP, 6, 2008);
	gw_line(&g);
	alg_rewrite_gates(g.rw, 2, false);
	ck_assert_str_eq(gw_line(&g), "<CDN:2008=2 >ICRP:0/8=2 END#2:gates");
	gw_free(&g);
}
END_TEST

START_TEST(no_id_for_the_reply)
{
	struct gw g;

	started(&g);
	gw_say(&g, ALG_CLIENT, OCRQ, 5, 0);
	gw_line(&g);
	g.take_fails = ALG_WHY_NO_ID;
	gw_say(&g, ALG_SERVER, OCRP, 7, 1005);
	ck_assert_str_eq(gw_line(&g), "<OCRP:0/5=2 >CCR:1005 END#1:no-id");
	gw_free(&g);
}
END_TEST

/* What is limited is how many calls begin: a reply is not refused for those that others asked for in between. */
START_TEST(limits_are_for_requests)
{
	struct gw g;

	started(&g);
	gw_say(&g, ALG_CLIENT, OCRQ, 5, 0);
	gw_line(&g);
	g.admit_fails = ALG_WHY_TOO_MANY;
	gw_say(&g, ALG_CLIENT, OCRQ, 6, 0);
	gw_say(&g, ALG_SERVER, ICRQ, 7, 0);
	ck_assert_str_eq(gw_line(&g), "<OCRP:0/6=2 >ICRP:0/7=2 REFUSED:too-many REFUSED:too-many");
	ck_assert_int_eq(g.taken, 1);
	gw_say(&g, ALG_SERVER, OCRP, 8, 1005);
	ck_assert_str_eq(gw_line(&g), "GATES#1");
	gw_free(&g);
}
END_TEST

START_TEST(cleared_while_the_reply_waits)
{
	struct gw g;

	started(&g);
	gw_say(&g, ALG_CLIENT, OCRQ, 5, 0);
	gw_say(&g, ALG_SERVER, OCRP, 7, 1005);
	gw_line(&g);
	gw_say(&g, ALG_CLIENT, CCR, 5, 0);
	ck_assert_str_eq(gw_line(&g), ">CCR:1005");
	alg_rewrite_gates(g.rw, 1, true);
	gw_say(&g, ALG_SERVER, CDN, 7, 0);
	ck_assert_str_eq(gw_line(&g), "<OCRP:2007/5=1 <CDN:2007=4 END#1:cleared");
	gw_free(&g);
}
END_TEST

START_TEST(disconnected_while_the_reply_waits)
{
	struct gw g;

	started(&g);
	gw_say(&g, ALG_SERVER, ICRQ, 7, 0);
	gw_say(&g, ALG_CLIENT, ICRP, 5, 2007);
	gw_line(&g);
	gw_say(&g, ALG_SERVER, CDN, 7, 0);
	ck_assert_str_eq(gw_line(&g), "<CDN:2007=4 END#1:cleared");
	alg_rewrite_gates(g.rw, 1, true);
	gw_say(&g, ALG_CLIENT, ECHORQ, 0, 0); /* the client's direction is open again */
	ck_assert_str_eq(gw_line(&g), ">ECHORQ");
	gw_free(&g);
}
END_TEST

/* --- messages that cross -------------------------------------------------------------------------- */

START_TEST(cleared_before_the_reply)
{
	struct gw g;

	started(&g);
	gw_say(&g, ALG_CLIENT, OCRQ, 5, 0);
	gw_say(&g, ALG_CLIENT, CCR, 5, 0);
	gw_line(&g);
	gw_say(&g, ALG_SERVER, OCRP, 7, 1005); /* crossed it: no gates are wanted */
	gw_say(&g, ALG_SERVER, CDN, 7, 0);
	ck_assert_str_eq(gw_line(&g), "<OCRP:2007/5=1 <CDN:2007=4 END#1:cleared");
	gw_free(&g);
}
END_TEST

START_TEST(cleared_and_never_replied)
{
	struct gw g;

	started(&g);
	gw_say(&g, ALG_CLIENT, OCRQ, 5, 0);
	gw_say(&g, ALG_CLIENT, CCR, 5, 0);
	gw_line(&g);
	gw_say(&g, ALG_SERVER, CDN, 7, 0); /* an id that nobody was told */
	ck_assert_str_eq(gw_line(&g), "<CDN:2007=4 END#1:cleared");
	gw_free(&g);
}
END_TEST

START_TEST(cleared_and_never_replied_without_an_id)
{
	struct gw g;

	started(&g);
	gw_say(&g, ALG_CLIENT, OCRQ, 5, 0);
	gw_say(&g, ALG_CLIENT, CCR, 5, 0);
	gw_line(&g);
	g.take_fails = ALG_WHY_NO_ID;
	gw_say(&g, ALG_SERVER, CDN, 7, 0);
	ck_assert_str_eq(gw_line(&g), "<CDN:0=4 END#1:cleared");
	gw_free(&g);
}
END_TEST

/* By chance the id that was never told is what another call's client calls itself: that call must not die of it. */
START_TEST(an_untold_id_that_looks_like_anothers)
{
	struct gw g;

	started(&g);
	gw_call(&g);
	gw_say(&g, ALG_CLIENT, OCRQ, 6, 0);
	gw_say(&g, ALG_CLIENT, CCR, 6, 0);
	gw_line(&g);
	gw_say(&g, ALG_SERVER, CDN, 1005, 0);
	ck_assert_str_eq(gw_line(&g), "<CDN:3005=4 END#2:cleared");
	gw_say(&g, ALG_CLIENT, OCRQ, 8, 0);
	gw_line(&g);
	alg_rewrite_clear(g.rw, 3, ALG_WHY_ADMIN); /* the same, ended by the gateway */
	ck_assert_str_eq(gw_line(&g), "<OCRP:0/8=7 >CCR:1008 END#3:admin");
	gw_say(&g, ALG_SERVER, CDN, 77, 0);
	ck_assert_str_eq(gw_line(&g), "");
	gw_say(&g, ALG_SERVER, CDN, 77, 0); /* nobody owes one now */
	ck_assert_str_eq(gw_line(&g), "VIOLATION:sequence");
	gw_free(&g);
}
END_TEST

START_TEST(a_late_reply_tells_its_id)
{
	struct gw g;

	started(&g);
	gw_say(&g, ALG_CLIENT, ICRQ, 5, 0);
	gw_say(&g, ALG_CLIENT, CDN, 5, 0);
	gw_line(&g);
	gw_say(&g, ALG_SERVER, ICRP, 7, 1005);
	gw_say(&g, ALG_SERVER, CCR, 7, 0); /* it clears what has ended long since */
	ck_assert_str_eq(gw_line(&g), "");
	gw_say(&g, ALG_SERVER, CCR, 8, 0);
	ck_assert_str_eq(gw_line(&g), "VIOLATION:sequence");
	gw_free(&g);
}
END_TEST

START_TEST(a_refused_request_may_be_spoken_of)
{
	struct gw g;

	started(&g);
	g.take_fails = ALG_WHY_NO_ID;
	gw_say(&g, ALG_CLIENT, OCRQ, 5, 0);
	gw_line(&g);
	gw_say(&g, ALG_CLIENT, CCR, 5, 0); /* crossed the refusal */
	ck_assert_str_eq(gw_line(&g), "");
	gw_free(&g);
}
END_TEST

START_TEST(both_ends_at_once)
{
	struct alg_rewrite_stats stats;
	struct gw g;

	started(&g);
	gw_call(&g);
	gw_say(&g, ALG_SERVER, CDN, 7, 0);
	gw_say(&g, ALG_CLIENT, CCR, 5, 0);
	gw_say(&g, ALG_CLIENT, SLI, 0, 2007);
	ck_assert_str_eq(gw_line(&g), "<CDN:2007=4 END#1:cleared");
	alg_rewrite_stats(g.rw, &stats);
	ck_assert_uint_eq(stats.late, 2);
	ck_assert_uint_eq(stats.refused, 0);
	gw_free(&g);
}
END_TEST

START_TEST(an_id_again_right_after_clear)
{
	struct gw g;

	started(&g);
	gw_call(&g);
	gw_say(&g, ALG_CLIENT, OCRQ, 5, 0);
	ck_assert_str_eq(gw_line(&g), "VIOLATION:sequence");
	ck_assert_str_eq(g.last.text, "Outgoing-Call-Request: another call of the sender has the id 5");
	gw_say(&g, ALG_CLIENT, CCR, 5, 0);
	gw_say(&g, ALG_CLIENT, OCRQ, 5, 0);
	ck_assert_str_eq(gw_line(&g), ">CCR:1005 >OCRQ:1005 END#1:cleared NEW#2");
	gw_free(&g);
}
END_TEST

/* --- known peers -------------------------------------------------------------------------------------- */

START_TEST(accel_ppp_disconnects_with_the_receivers_id)
{
	struct alg_rewrite_stats stats;
	struct gw g;

	started(&g);
	gw_call(&g);
	gw_say(&g, ALG_SERVER, CDN, 1005, 0);
	ck_assert_str_eq(gw_line(&g), "<CDN:5=4 END#1:cleared");
	alg_rewrite_stats(g.rw, &stats);
	ck_assert_uint_eq(stats.repaired, 1);
	gw_free(&g);
}
END_TEST

START_TEST(link_info_with_odd_ids)
{
	struct gw g;

	started(&g);
	gw_call(&g);
	gw_say(&g, ALG_CLIENT, SLI, 0, 0); /* there is only one call */
	gw_say(&g, ALG_CLIENT, SLI, 0, 5); /* its own id */
	gw_say(&g, ALG_CLIENT, WEN, 0, 5);
	ck_assert_str_eq(gw_line(&g), ">SLI/7 >SLI/7 >WEN/7");
	gw_say(&g, ALG_CLIENT, OCRQ, 6, 0);
	gw_line(&g);
	gw_say(&g, ALG_CLIENT, SLI, 0, 0); /* which? */
	ck_assert_str_eq(gw_line(&g), "VIOLATION:sequence");
	gw_free(&g);
}
END_TEST

/* Nobody has told the server's id yet, so there is none to put into it: 0 would be another call's. */
START_TEST(link_info_before_the_reply)
{
	struct alg_rewrite_stats stats;
	struct gw g;

	started(&g);
	gw_say(&g, ALG_CLIENT, OCRQ, 5, 0);
	gw_say(&g, ALG_CLIENT, CCR, 5, 0);
	gw_line(&g);
	gw_say(&g, ALG_CLIENT, SLI, 0, 5);
	gw_say(&g, ALG_CLIENT, SLI, 0, 0);
	ck_assert_str_eq(gw_line(&g), "VIOLATION:sequence VIOLATION:sequence");
	alg_rewrite_stats(g.rw, &stats);
	ck_assert_uint_eq(stats.repaired, 0);
	gw_free(&g);
}
END_TEST

START_TEST(strict_repairs_nothing)
{
	struct gw g;

	gw_init(&g);
	g.config.policy = PPTP_STRICT;
	gw_open(&g);
	gw_start(&g);
	gw_call(&g);
	gw_say(&g, ALG_SERVER, CDN, 1005, 0);
	gw_say(&g, ALG_CLIENT, SLI, 0, 0);
	ck_assert_str_eq(gw_line(&g), "VIOLATION:sequence VIOLATION:sequence");
	gw_free(&g);
}
END_TEST

START_TEST(windows_pac_clears)
{
	struct gw g;

	started(&g);
	gw_call(&g);
	gw_say(&g, ALG_SERVER, SLI, 0, 1005);
	gw_say(&g, ALG_SERVER, CCR, 7, 0);
	gw_say(&g, ALG_CLIENT, CDN, 5, 0);
	ck_assert_str_eq(gw_line(&g), "<SLI/5 <CCR:2007 >CDN:1005=4 END#1:cleared");
	gw_free(&g);
}
END_TEST

START_TEST(a_server_that_gives_one_id_twice)
{
	struct gw g;

	started(&g);
	gw_call(&g);
	gw_say(&g, ALG_CLIENT, OCRQ, 6, 0);
	gw_line(&g);
	gw_say(&g, ALG_SERVER, OCRP, 7, 1006);
	ck_assert_str_eq(gw_line(&g), "<OCRP:0/6=2 >CCR:1006 VIOLATION:sequence END#2:sequence");
	gw_say(&g, ALG_CLIENT, SLI, 0, 2007); /* the first goes on */
	ck_assert_str_eq(gw_line(&g), ">SLI/7");
	gw_free(&g);
}
END_TEST

START_TEST(ids_of_zero)
{
	struct gw g;

	started(&g);
	gw_say(&g, ALG_CLIENT, OCRQ, 0, 0);
	ck_assert_str_eq(gw_line(&g), ">OCRQ:1000 NEW#1");
	gw_say(&g, ALG_SERVER, OCRP, 0, 1000);
	gw_line(&g);
	alg_rewrite_gates(g.rw, 1, true);
	ck_assert_str_eq(gw_line(&g), "<OCRP:2000/0=1");
	gw_free(&g);
}
END_TEST

/* --- every state by every message ----------------------------------------------------------------------- */

enum { REQUESTED, HELD, REPLIED, UP, CLEARING, STATES };

static void
bring_to(struct gw *g, int state, bool incoming)
{
	enum alg_side requester = incoming ? ALG_SERVER : ALG_CLIENT, replier = incoming ? ALG_CLIENT : ALG_SERVER;

	started(g);
	gw_say(g, requester, incoming ? ICRQ : OCRQ, incoming ? 7 : 5, 0);
	if (state >= HELD && state != CLEARING) {
		gw_say(g, replier, incoming ? ICRP : OCRP, incoming ? 5 : 7, incoming ? 2007 : 1005);
		gw_line(g);
		if (state >= REPLIED)
			alg_rewrite_gates(g->rw, 1, true);
		if (state == UP && incoming)
			gw_say(g, requester, ICCN, 0, 1005);
	}
	if (state == CLEARING)
		gw_say(g, requester, CCR, incoming ? 7 : 5, 0);
	gw_line(g);
}

/* What a message about the call does, sent by the client, then by the server: + goes through, - violation, ! goes through and ends the
 * call, h held, x not taken as its direction waits. In CLEARING the replier's id is not known yet. */
static const char *const cells[2][STATES] = {
    {
	/*  client: OCRP ICRP ICCN CCR CDN WEN SLI   server: the same */
	[REQUESTED] = "---+!-- h------",
	[HELD] = "---+!-- xxxxxxx",
	[REPLIED] = "---+!++ ---+!++", /* an outgoing call has no such state: it is up */
	[UP] = "---+!++ ---+!++",
	[CLEARING] = "---+!-- +---!++",
    },
    {
	[REQUESTED] = "-h----- ---+!--",
	[HELD] = "xxxxxxx ---+!--",
	[REPLIED] = "---+!++ --++!++",
	[UP] = "---+!++ ---+!++",
	[CLEARING] = "-+--!++ ---+!--",
    },
};

static char
outcome(struct gw *g, enum alg_side from, unsigned type, bool incoming)
{
	struct pptp_msg msg = gw_msg(type, from == ALG_CLIENT ? 5 : 7, from == ALG_CLIENT ? 2007 : 1005);
	uint8_t buf[PPTP_MAX_MESSAGE];
	const char *line;

	(void)incoming;
	if (gw_feed(g, from, buf, (size_t)pptp_msg_encode(buf, sizeof(buf), &msg)) == 0)
		return 'x';
	line = gw_line(g);
	if (strstr(line, "VIOLATION") != NULL)
		return '-';
	if (strstr(line, "GATES") != NULL)
		return 'h';
	return strstr(line, "END") != NULL ? '!' : line[0] == '<' || line[0] == '>' ? '+' : '?';
}

START_TEST(every_state_by_every_message)
{
	static const unsigned types[] = {OCRP, ICRP, ICCN, CCR, CDN, WEN, SLI};

	for (int incoming = 0; incoming < 2; incoming++)
		for (int state = 0; state < STATES; state++)
			for (size_t i = 0; i < 14; i++) {
				enum alg_side from = i < 7 ? ALG_CLIENT : ALG_SERVER;
				char want = cells[incoming][state][i < 7 ? i : i + 1], found;
				struct gw g;

				bring_to(&g, state, incoming);
				found = outcome(&g, from, types[i % 7], incoming);
				ck_assert_msg(found == want, "incoming %d, state %d, %s's message %u: %c, not %c: %s", incoming, state,
				    from == ALG_CLIENT ? "client" : "server", types[i % 7], found, want, g.last.text);
				gw_free(&g);
			}
}
END_TEST

Suite *
suite_rewrite_state(void)
{
	Suite *s = suite_create("rewrite_state");
	TCase *t = tcase_create("rewrite_state");

	tcase_add_test(t, outgoing_call);
	tcase_add_test(t, outgoing_call_of_the_server);
	tcase_add_test(t, incoming_call);
	tcase_add_test(t, several_calls);
	tcase_add_test(t, refused_by_the_other_end);
	tcase_add_test(t, a_reply_and_all_behind_it_wait);
	tcase_add_test(t, no_gates_no_call);
	tcase_add_test(t, no_id_for_the_reply);
	tcase_add_test(t, limits_are_for_requests);
	tcase_add_test(t, cleared_while_the_reply_waits);
	tcase_add_test(t, disconnected_while_the_reply_waits);
	tcase_add_test(t, cleared_before_the_reply);
	tcase_add_test(t, cleared_and_never_replied);
	tcase_add_test(t, cleared_and_never_replied_without_an_id);
	tcase_add_test(t, an_untold_id_that_looks_like_anothers);
	tcase_add_test(t, a_late_reply_tells_its_id);
	tcase_add_test(t, a_refused_request_may_be_spoken_of);
	tcase_add_test(t, both_ends_at_once);
	tcase_add_test(t, an_id_again_right_after_clear);
	tcase_add_test(t, accel_ppp_disconnects_with_the_receivers_id);
	tcase_add_test(t, link_info_with_odd_ids);
	tcase_add_test(t, link_info_before_the_reply);
	tcase_add_test(t, strict_repairs_nothing);
	tcase_add_test(t, windows_pac_clears);
	tcase_add_test(t, a_server_that_gives_one_id_twice);
	tcase_add_test(t, ids_of_zero);
	tcase_add_test(t, every_state_by_every_message);
	suite_add_tcase(s, t);
	return s;
}
