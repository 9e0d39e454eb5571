/* Calls: two endpoints in conversation, and peers that get ids wrong. */
#include <pptp/conn.h>

#include <string.h>

#include "tests/unit/libpptp/solo.h"
#include "tests/unit/suite.h"

Suite *suite_call(void);

/* --- two endpoints ------------------------------------------------------------------------ */

struct pair {
	struct solo a, b; /* a opened TCP */
};

static size_t
carry(struct solo *from, struct solo *to)
{
	const uint8_t *data;
	size_t n = pptp_conn_output(from->conn, &data), taken = pptp_conn_recv(to->conn, data, n, to->ts);

	pptp_conn_sent(from->conn, taken);
	return taken;
}

/* Both lines after all bytes went over: events only, since the bytes are the other's. */
static void
pair_is(struct pair *p, const char *a, const char *b)
{
	while (carry(&p->a, &p->b) + carry(&p->b, &p->a) > 0)
		continue;
	ck_assert_str_eq(solo_line(&p->a), a);
	ck_assert_str_eq(solo_line(&p->b), b);
}

static void
pair_init(struct pair *p, enum pptp_policy policy)
{
	solo_init(&p->a);
	solo_init(&p->b);
	p->b.random = 43;
	p->a.config.policy = p->b.config.policy = policy;
	solo_open(&p->a, true);
	solo_open(&p->b, false);
	ck_assert_int_eq(pptp_conn_start(p->a.conn, p->a.ts), PPTP_OK);
	pair_is(p, "ESTABLISHED", "ESTABLISHED");
}

static void
pair_free(struct pair *p)
{
	solo_free(&p->a);
	solo_free(&p->b);
}

static void
ids_match(struct pair *p, struct pptp_call_info *a, struct pptp_call_info *b)
{
	ck_assert_int_eq(pptp_call_info(p->a.conn, p->a.call_id, a), PPTP_OK);
	ck_assert_int_eq(pptp_call_info(p->b.conn, p->b.call_id, b), PPTP_OK);
	ck_assert_int_eq(a->state, PPTP_CALL_ESTABLISHED);
	ck_assert_int_eq(b->state, PPTP_CALL_ESTABLISHED);
	ck_assert_uint_eq(a->call_id, b->peer_call_id);
	ck_assert_uint_eq(b->call_id, a->peer_call_id);
	ck_assert_uint_eq(a->serial, b->serial);
	ck_assert_int_eq(a->kind, b->kind);
}

/* Loop tests run under both policies. */

START_TEST(outgoing_call)
{
	struct pptp_call_params ask = {.recv_window = 32,
	    .processing_delay = 3,
	    .minimum_bps = 2400,
	    .maximum_bps = 64000,
	    .framing_type = PPTP_FRAMING_SYNC,
	    .bearer_type = PPTP_BEARER_DIGITAL,
	    .called_number = "12345",
	    .subaddress = "s"};
	struct pptp_call_params answer = {.recv_window = 16, .processing_delay = 1, .connect_speed = 64000};
	struct pptp_call_info a, b;
	struct pair p;

	pair_init(&p, (enum pptp_policy)_i);
	ck_assert_int_eq(pptp_call_open(p.a.conn, &ask, &p.a.call_id, p.a.ts), PPTP_OK);
	pair_is(&p, "", "REQUEST");
	ck_assert_int_eq(p.b.last.call.state, PPTP_CALL_WAIT_ANSWER);
	ck_assert_str_eq(p.b.last.call.called_number, "12345");
	ck_assert_str_eq(p.b.last.call.subaddress, "s");
	ck_assert_int_eq(pptp_call_accept(p.b.conn, p.b.call_id, &answer, p.b.ts), PPTP_OK);
	pair_is(&p, "UP", "UP");
	ids_match(&p, &a, &b);
	ck_assert_int_eq(a.kind, PPTP_OUTGOING);
	ck_assert_uint_eq(a.peer_window, 16);
	ck_assert_uint_eq(a.peer_delay, 1);
	ck_assert_uint_eq(b.peer_window, 32);
	ck_assert_uint_eq(b.peer_delay, 3);
	ck_assert_uint_eq(b.minimum_bps, 2400);
	ck_assert_uint_eq(b.maximum_bps, 64000);
	ck_assert_uint_eq(b.framing_type, PPTP_FRAMING_SYNC);
	ck_assert_uint_eq(b.bearer_type, PPTP_BEARER_DIGITAL);
	ck_assert_uint_eq(a.connect_speed, 64000);
	ck_assert_uint_eq(b.connect_speed, 64000);
	ck_assert_int_eq(pptp_call_set_link_info(p.a.conn, p.a.call_id, 0xffffffff, 0xa0000, p.a.ts), PPTP_OK);
	pair_is(&p, "", "LINK");
	ck_assert_uint_eq(p.b.last.call_id, p.b.call_id);
	ck_assert_uint_eq(p.b.last.link_info.send_accm, 0xffffffff);
	ck_assert_uint_eq(p.b.last.link_info.receive_accm, 0xa0000);
	ck_assert_int_eq(pptp_call_clear(p.a.conn, p.a.call_id, PPTP_CDN_REQUEST, p.a.ts), PPTP_OK);
	pair_is(&p, "DOWN:local", "DOWN:peer");
	ck_assert_uint_eq(p.a.last.result_code, PPTP_CDN_REQUEST);
	pair_free(&p);
}
END_TEST

START_TEST(call_with_an_id_of_our_wish)
{
	struct pptp_call_params params = {.call_id = 0x8000};
	struct pptp_call_info first;
	struct pair p;
	uint16_t other;

	pair_init(&p, (enum pptp_policy)_i);
	ck_assert_int_eq(pptp_call_open(p.a.conn, &params, &p.a.call_id, p.a.ts), PPTP_OK);
	ck_assert_uint_eq(p.a.call_id, 0x8000);
	pair_is(&p, "", "REQUEST");
	ck_assert_int_eq(pptp_call_info(p.b.conn, p.b.call_id, &first), PPTP_OK);
	ck_assert_uint_eq(first.peer_call_id, 0x8000);
	/* One that is in use can't be had twice. */
	ck_assert_int_eq(pptp_call_open(p.a.conn, &params, &other, p.a.ts), PPTP_OK);
	ck_assert_uint_ne(other, 0x8000);
	pair_free(&p);
}
END_TEST

START_TEST(outgoing_call_ended_by_pac)
{
	struct pptp_wan_error_notify counts = {.crc_errors = 1, .timeout_errors = 2};
	struct pair p;

	pair_init(&p, (enum pptp_policy)_i);
	ck_assert_int_eq(pptp_call_open(p.a.conn, NULL, &p.a.call_id, p.a.ts), PPTP_OK);
	pair_is(&p, "", "REQUEST");
	ck_assert_int_eq(pptp_call_accept(p.b.conn, p.b.call_id, NULL, p.b.ts), PPTP_OK);
	pair_is(&p, "UP", "UP");
	ck_assert_int_eq(pptp_call_wan_error(p.b.conn, p.b.call_id, &counts, p.b.ts), PPTP_OK);
	pair_is(&p, "WAN", "");
	ck_assert_uint_eq(p.a.last.wan_error.crc_errors, 1);
	ck_assert_uint_eq(p.a.last.wan_error.timeout_errors, 2);
	ck_assert_int_eq(pptp_call_clear(p.b.conn, p.b.call_id, PPTP_CDN_LOST_CARRIER, p.b.ts), PPTP_OK);
	pair_is(&p, "DOWN:peer", "DOWN:local");
	ck_assert_uint_eq(p.a.last.result_code, PPTP_CDN_LOST_CARRIER);
	ck_assert_int_eq(p.a.last.call.kind, PPTP_OUTGOING);
	pair_free(&p);
}
END_TEST

START_TEST(incoming_call)
{
	struct pptp_call_params offer = {.recv_window = 20,
	    .processing_delay = 2,
	    .connect_speed = 33600,
	    .framing_type = PPTP_FRAMING_ASYNC,
	    .bearer_type = PPTP_BEARER_ANALOG,
	    .called_number = "100",
	    .calling_number = "200"};
	struct pptp_call_params answer = {.recv_window = 10, .processing_delay = 4};
	struct pptp_call_info a, b;
	struct pair p;

	pair_init(&p, (enum pptp_policy)_i);
	ck_assert_int_eq(pptp_call_offer(p.a.conn, &offer, &p.a.call_id, p.a.ts), PPTP_OK);
	pair_is(&p, "", "REQUEST");
	ck_assert_int_eq(p.b.last.call.kind, PPTP_INCOMING);
	ck_assert_str_eq(p.b.last.call.called_number, "100");
	ck_assert_str_eq(p.b.last.call.calling_number, "200");
	ck_assert_int_eq(pptp_call_accept(p.b.conn, p.b.call_id, &answer, p.b.ts), PPTP_OK);
	pair_is(&p, "UP", "UP");
	ids_match(&p, &a, &b);
	ck_assert_uint_eq(a.peer_window, 10);
	ck_assert_uint_eq(a.peer_delay, 4);
	ck_assert_uint_eq(b.peer_window, 20);
	ck_assert_uint_eq(b.peer_delay, 2);
	ck_assert_uint_eq(b.connect_speed, 33600);
	ck_assert_uint_eq(b.framing_type, PPTP_FRAMING_ASYNC);
	/* The PNS is the one that clears. */
	ck_assert_int_eq(pptp_call_clear(p.b.conn, p.b.call_id, PPTP_CDN_REQUEST, p.b.ts), PPTP_OK);
	pair_is(&p, "DOWN:peer", "DOWN:local");
	pair_free(&p);
}
END_TEST

/* The side that opened TCP may be PAC or PNS: here the TCP server asks for the outgoing call. */
START_TEST(tcp_server_as_pns)
{
	struct pptp_call_info a, b;
	struct pair p;

	pair_init(&p, (enum pptp_policy)_i);
	ck_assert_int_eq(pptp_call_open(p.b.conn, NULL, &p.b.call_id, p.b.ts), PPTP_OK);
	pair_is(&p, "REQUEST", "");
	ck_assert_int_eq(pptp_call_accept(p.a.conn, p.a.call_id, NULL, p.a.ts), PPTP_OK);
	pair_is(&p, "UP", "UP");
	ids_match(&p, &a, &b);
	pair_free(&p);
}
END_TEST

START_TEST(requests_refused)
{
	struct pair p;

	pair_init(&p, (enum pptp_policy)_i);
	ck_assert_int_eq(pptp_call_open(p.a.conn, NULL, &p.a.call_id, p.a.ts), PPTP_OK);
	pair_is(&p, "", "REQUEST");
	ck_assert_int_eq(pptp_call_reject(p.b.conn, p.b.call_id, PPTP_OCRP_CONNECTED, 0, p.b.ts), PPTP_ERR_INVALID);
	ck_assert_int_eq(pptp_call_reject(p.b.conn, p.b.call_id, PPTP_OCRP_BUSY, PPTP_EC_NONE, p.b.ts), PPTP_OK);
	pair_is(&p, "DOWN:refused", "DOWN:local");
	ck_assert_uint_eq(p.a.last.result_code, PPTP_OCRP_BUSY);
	ck_assert_str_eq(p.a.last.text, "busy");
	ck_assert_int_eq(pptp_call_offer(p.a.conn, NULL, &p.a.call_id, p.a.ts), PPTP_OK);
	pair_is(&p, "", "REQUEST");
	ck_assert_int_eq(pptp_call_reject(p.b.conn, p.b.call_id, PPTP_ICRP_GENERAL_ERROR, PPTP_EC_NO_RESOURCE, p.b.ts), PPTP_OK);
	pair_is(&p, "DOWN:refused", "DOWN:local");
	ck_assert_uint_eq(p.a.last.error_code, PPTP_EC_NO_RESOURCE);
	ck_assert_int_eq(pptp_call_reject(p.b.conn, p.b.call_id, PPTP_OCRP_BUSY, 0, p.b.ts), PPTP_ERR_NOTFOUND);
	pair_free(&p);
}
END_TEST

/* Clearing before the answer: the PAC's Call-Disconnect-Notify carries an id that the PNS has never seen. */
START_TEST(cleared_before_the_answer)
{
	struct pair p;

	pair_init(&p, (enum pptp_policy)_i);
	ck_assert_int_eq(pptp_call_open(p.a.conn, NULL, &p.a.call_id, p.a.ts), PPTP_OK);
	ck_assert_int_eq(pptp_call_clear(p.a.conn, p.a.call_id, PPTP_CDN_REQUEST, p.a.ts), PPTP_OK);
	pair_is(&p, "DOWN:local", "REQUEST DOWN:peer");
	/* The program is slower than the peer: its answer finds no call. */
	ck_assert_int_eq(pptp_call_accept(p.b.conn, p.b.call_id, NULL, p.b.ts), PPTP_ERR_NOTFOUND);
	pair_free(&p);
}
END_TEST

/* Both ends clear at once, and both come to an end. */
START_TEST(clears_cross)
{
	struct pair p;

	pair_init(&p, (enum pptp_policy)_i);
	ck_assert_int_eq(pptp_call_open(p.a.conn, NULL, &p.a.call_id, p.a.ts), PPTP_OK);
	pair_is(&p, "", "REQUEST");
	ck_assert_int_eq(pptp_call_accept(p.b.conn, p.b.call_id, NULL, p.b.ts), PPTP_OK);
	pair_is(&p, "UP", "UP");
	ck_assert_int_eq(pptp_call_clear(p.a.conn, p.a.call_id, PPTP_CDN_REQUEST, p.a.ts), PPTP_OK);
	ck_assert_int_eq(pptp_call_clear(p.b.conn, p.b.call_id, PPTP_CDN_ADMIN_SHUTDOWN, p.b.ts), PPTP_OK);
	pair_is(&p, "DOWN:local", "DOWN:local");
	ck_assert_uint_eq(p.a.last.result_code, PPTP_CDN_ADMIN_SHUTDOWN);
	pair_free(&p);
}
END_TEST

START_TEST(stops_cross)
{
	struct pair p;

	pair_init(&p, (enum pptp_policy)_i);
	ck_assert_int_eq(pptp_conn_stop(p.a.conn, PPTP_STOP_NONE, p.a.ts), PPTP_OK);
	ck_assert_int_eq(pptp_conn_stop(p.b.conn, PPTP_STOP_LOCAL_SHUTDOWN, p.b.ts), PPTP_OK);
	pair_is(&p, "StopRP:1/0 CLOSED:local", "StopRP:1/0 CLOSED:local");
	pair_free(&p);
}
END_TEST

/* Many calls on one connection, ended in another order than they were made. */
START_TEST(many_calls)
{
	enum { CALLS = 2000 };
	static uint16_t ids[CALLS];
	struct pptp_conn_stats stats;
	struct pptp_event event;
	struct pair p;
	size_t up = 0, down = 0;

	solo_init(&p.a);
	solo_init(&p.b);
	p.a.config.max_calls = p.b.config.max_calls = CALLS;
	solo_open(&p.a, true);
	solo_open(&p.b, false);
	pptp_conn_start(p.a.conn, p.a.ts);
	pair_is(&p, "ESTABLISHED", "ESTABLISHED");
	for (size_t i = 0; i < CALLS; i++) {
		ck_assert_int_eq(pptp_call_open(p.a.conn, NULL, &ids[i], p.a.ts), PPTP_OK);
		pair_is(&p, "", "REQUEST");
		ck_assert_int_eq(pptp_call_accept(p.b.conn, p.b.call_id, NULL, p.b.ts), PPTP_OK);
		pair_is(&p, "UP", "UP");
		up++;
	}
	pptp_conn_stats(p.b.conn, &stats);
	ck_assert_uint_eq(stats.calls, up);
	ck_assert_int_eq(pptp_call_open(p.a.conn, NULL, &p.a.call_id, p.a.ts), PPTP_ERR_EXHAUSTED);
	for (size_t i = 0; i < CALLS / 2; i++) {
		ck_assert_int_eq(pptp_call_clear(p.a.conn, ids[i * 7 % CALLS], 1, p.a.ts), PPTP_OK);
		pair_is(&p, "DOWN:local", "DOWN:peer");
		ck_assert_uint_eq(p.a.last.call_id, ids[i * 7 % CALLS]);
	}
	/* One message ends the rest, with one event each. */
	ck_assert_int_eq(pptp_conn_stop(p.a.conn, PPTP_STOP_NONE, p.a.ts), PPTP_OK);
	while (carry(&p.a, &p.b) > 0)
		continue;
	while (pptp_conn_event(p.b.conn, &event))
		down += event.type == PPTP_EVENT_CALL_DOWN && event.end == PPTP_END_PEER;
	ck_assert_uint_eq(down, CALLS / 2);
	pair_free(&p);
}
END_TEST

/* --- peers that err ------------------------------------------------------------------------- */

/* A call that the peer asked for and that is up. */
static void
bring_up(struct solo *s, enum pptp_policy policy)
{
	struct pptp_msg msg = msg_about(PPTP_OUTGOING_CALL_REQUEST, 0, PEER_ID);

	solo_init(s);
	s->config.policy = policy;
	solo_establish(s);
	solo_recv(s, &msg);
	ck_assert_str_eq(solo_line(s), "REQUEST");
	ck_assert_int_eq(pptp_call_accept(s->conn, s->call_id, NULL, s->ts), PPTP_OK);
	ck_assert_str_eq(solo_line(s), "OCRP:1/0 UP");
}

static void
recv_gets(struct solo *s, struct pptp_msg msg, const char *line)
{
	solo_recv(s, &msg);
	ck_assert_str_eq(solo_line(s), line);
}

START_TEST(clear_with_a_wrong_id)
{
	struct solo s;

	bring_up(&s, (enum pptp_policy)_i);
	recv_gets(&s, msg_about(PPTP_CALL_CLEAR_REQUEST, 0, PEER_ID + 1), "");
	recv_gets(&s, msg_about(PPTP_CALL_CLEAR_REQUEST, 0, s.call_id), "");
	recv_gets(&s, msg_about(PPTP_CALL_CLEAR_REQUEST, 0, 0), "");
	recv_gets(&s, msg_about(PPTP_ECHO_REQUEST, 0, 0), "EchoRP:1/0");
	recv_gets(&s, msg_about(PPTP_CALL_CLEAR_REQUEST, 0, PEER_ID), "CDN:4/0 DOWN:peer");
	ck_assert_uint_eq(s.said.call_disconnect_notify.call_id, s.call_id);
	recv_gets(&s, msg_about(PPTP_CALL_CLEAR_REQUEST, 0, PEER_ID), "");
	solo_free(&s);
}
END_TEST

START_TEST(disconnect_with_our_own_id)
{
	struct solo s;

	solo_init(&s);
	s.config.policy = (enum pptp_policy)_i;
	solo_establish(&s);
	ck_assert_int_eq(pptp_call_open(s.conn, NULL, &s.call_id, s.ts), PPTP_OK);
	recv_gets(&s, msg_about(PPTP_OUTGOING_CALL_REPLY, s.call_id, PEER_ID), "OCRQ UP");
	recv_gets(&s, msg_about(PPTP_CALL_DISCONNECT_NOTIFY, 0, PEER_ID + 1), "");
	recv_gets(&s, msg_about(PPTP_CALL_DISCONNECT_NOTIFY, 0, s.call_id), _i == PPTP_LENIENT ? "DOWN:peer" : "");
	solo_free(&s);
}
END_TEST

/* A call that was cleared before its reply waits for a Call-Disconnect-Notify with an id that was never told. That id may by chance be
 * our own id of another call, which goes on. */
START_TEST(disconnect_of_a_call_cleared_early)
{
	struct pptp_call_info info;
	uint16_t other;
	struct solo s;

	bring_up(&s, (enum pptp_policy)_i);
	other = s.call_id;
	ck_assert_int_eq(pptp_call_open(s.conn, NULL, &s.call_id, s.ts), PPTP_OK);
	ck_assert_int_eq(pptp_call_clear(s.conn, s.call_id, PPTP_CDN_REQUEST, s.ts), PPTP_OK);
	ck_assert_str_eq(solo_line(&s), "OCRQ CCRQ");
	recv_gets(&s, msg_about(PPTP_CALL_DISCONNECT_NOTIFY, 0, other), "DOWN:local");
	ck_assert_int_eq(pptp_call_info(s.conn, other, &info), PPTP_OK);
	ck_assert_int_eq(info.state, PPTP_CALL_ESTABLISHED);
	solo_free(&s);
}
END_TEST

/* Two calls, and our id of the one is the peer's of the other, known or not: what a peer that names calls by our ids would mean can't be
 * told from what the RFC means. */
START_TEST(disconnect_with_our_own_id_of_several)
{
	uint16_t first, second;
	struct solo s;

	solo_init(&s);
	solo_establish(&s);
	ck_assert_int_eq(pptp_call_open(s.conn, NULL, &first, s.ts), PPTP_OK);
	ck_assert_int_eq(pptp_call_open(s.conn, NULL, &second, s.ts), PPTP_OK);
	recv_gets(&s, msg_about(PPTP_OUTGOING_CALL_REPLY, first, PEER_ID), "OCRQ OCRQ UP");
	/* The PAC has given up on the second, which it never told its id of: by chance it is ours of the first. */
	recv_gets(&s, msg_about(PPTP_CALL_DISCONNECT_NOTIFY, 0, first), "");
	recv_gets(&s, msg_about(PPTP_OUTGOING_CALL_REPLY, second, first), "UP");
	recv_gets(&s, msg_about(PPTP_CALL_DISCONNECT_NOTIFY, 0, second), "");
	recv_gets(&s, msg_about(PPTP_CALL_DISCONNECT_NOTIFY, 0, first), "DOWN:peer");
	ck_assert_uint_eq(s.last.call_id, second);
	recv_gets(&s, msg_about(PPTP_CALL_DISCONNECT_NOTIFY, 0, first), "DOWN:peer");
	ck_assert_uint_eq(s.last.call_id, first);
	solo_free(&s);
}
END_TEST

/* A reply that crosses our Call-Clear-Request tells the id that the disconnect will carry, so no other call is taken for this one. */
START_TEST(reply_to_a_call_cleared_early)
{
	uint16_t first, second;
	struct solo s;

	solo_init(&s);
	s.config.policy = (enum pptp_policy)_i;
	solo_establish(&s);
	ck_assert_int_eq(pptp_call_open(s.conn, NULL, &first, s.ts), PPTP_OK);
	ck_assert_int_eq(pptp_call_open(s.conn, NULL, &second, s.ts), PPTP_OK);
	ck_assert_int_eq(pptp_call_clear(s.conn, first, PPTP_CDN_REQUEST, s.ts), PPTP_OK);
	ck_assert_int_eq(pptp_call_clear(s.conn, second, PPTP_CDN_REQUEST, s.ts), PPTP_OK);
	recv_gets(&s, msg_about(PPTP_OUTGOING_CALL_REPLY, first, PEER_ID), "OCRQ OCRQ CCRQ CCRQ");
	recv_gets(&s, msg_about(PPTP_OUTGOING_CALL_REPLY, second, PEER_ID + 1), "");
	recv_gets(&s, msg_about(PPTP_CALL_DISCONNECT_NOTIFY, 0, PEER_ID + 1), "DOWN:local");
	ck_assert_uint_eq(s.last.call_id, second);
	recv_gets(&s, msg_about(PPTP_OUTGOING_CALL_REPLY, first, PEER_ID + 2), ""); /* once is enough */
	recv_gets(&s, msg_about(PPTP_CALL_DISCONNECT_NOTIFY, 0, PEER_ID), "DOWN:local");
	ck_assert_uint_eq(s.last.call_id, first);
	solo_free(&s);
}
END_TEST

/* There is nothing to disconnect, and the peer may say no more about it. */
START_TEST(refusal_of_a_call_cleared_early)
{
	struct pptp_msg reply;
	struct solo s;

	solo_init(&s);
	s.config.policy = (enum pptp_policy)_i;
	solo_establish(&s);
	ck_assert_int_eq(pptp_call_open(s.conn, NULL, &s.call_id, s.ts), PPTP_OK);
	ck_assert_int_eq(pptp_call_clear(s.conn, s.call_id, PPTP_CDN_REQUEST, s.ts), PPTP_OK);
	reply = msg_about(PPTP_OUTGOING_CALL_REPLY, s.call_id, 0);
	reply.outgoing_call_reply.result_code = PPTP_OCRP_BUSY;
	recv_gets(&s, reply, "OCRQ CCRQ DOWN:local");
	solo_free(&s);
}
END_TEST

START_TEST(disconnect_is_told_in_full)
{
	struct pptp_msg msg = msg_about(PPTP_CALL_DISCONNECT_NOTIFY, 0, PEER_ID);
	struct solo s;

	bring_up(&s, PPTP_LENIENT);
	msg.call_disconnect_notify.result_code = 0;
	msg.call_disconnect_notify.error_code = 6;
	recv_gets(&s, msg, "DOWN:peer");
	ck_assert_uint_eq(s.last.result_code, 0);
	ck_assert_uint_eq(s.last.error_code, 6);
	ck_assert_uint_eq(s.last.cause_code, 16);
	ck_assert_str_eq(s.last.text, "in=1 \\x22out\\x22=2");
	ck_assert_uint_eq(s.last.call.peer_call_id, PEER_ID);
	ck_assert_int_eq(s.last.call.state, PPTP_CALL_IDLE);
	solo_free(&s);
}
END_TEST

START_TEST(statistics_of_any_bytes)
{
	struct pptp_msg msg = msg_about(PPTP_CALL_DISCONNECT_NOTIFY, 0, PEER_ID);
	struct solo s;

	bring_up(&s, PPTP_LENIENT);
	memset(msg.call_disconnect_notify.call_statistics, 0x1b, 128);
	recv_gets(&s, msg, "DOWN:peer");
	ck_assert_uint_eq(strlen(s.last.text), 128);
	for (const char *p = s.last.text; *p != '\0'; p++)
		ck_assert_int_ge(*p, 0x20);
	solo_free(&s);
}
END_TEST

START_TEST(link_info_with_wrong_ids)
{
	struct solo s;
	bool lenient = _i == PPTP_LENIENT;

	bring_up(&s, (enum pptp_policy)_i);
	recv_gets(&s, msg_about(PPTP_SET_LINK_INFO, s.call_id, 0), "LINK");
	recv_gets(&s, msg_about(PPTP_SET_LINK_INFO, 0, 0), lenient ? "LINK" : "");
	recv_gets(&s, msg_about(PPTP_SET_LINK_INFO, PEER_ID, 0), lenient ? "LINK" : "");
	recv_gets(&s, msg_about(PPTP_SET_LINK_INFO, PEER_ID + 1, 0), "");
	/* With two calls, 0 names neither. */
	recv_gets(&s, msg_about(PPTP_OUTGOING_CALL_REQUEST, 0, PEER_ID + 1), "REQUEST");
	recv_gets(&s, msg_about(PPTP_SET_LINK_INFO, 0, 0), "");
	recv_gets(&s, msg_about(PPTP_WAN_ERROR_NOTIFY, 0, 0), "");
	solo_free(&s);
}
END_TEST

/* The id of a call that is up names that call; a second request with it makes none and harms none. */
START_TEST(request_with_an_id_in_use)
{
	struct pptp_call_info info;
	uint16_t first;
	struct solo s;

	bring_up(&s, (enum pptp_policy)_i);
	first = s.call_id;
	recv_gets(&s, msg_about(PPTP_OUTGOING_CALL_REQUEST, 0, PEER_ID), "OCRP:2/5");
	ck_assert_uint_eq(s.said.outgoing_call_reply.call_id, 0);
	recv_gets(&s, msg_about(PPTP_INCOMING_CALL_REQUEST, 0, PEER_ID), "ICRP:2/5");
	ck_assert_int_eq(pptp_call_info(s.conn, first, &info), PPTP_OK);
	ck_assert_int_eq(info.state, PPTP_CALL_ESTABLISHED);
	recv_gets(&s, msg_about(PPTP_CALL_CLEAR_REQUEST, 0, PEER_ID), "CDN:4/0 DOWN:peer");
	recv_gets(&s, msg_about(PPTP_OUTGOING_CALL_REQUEST, 0, PEER_ID), "REQUEST");
	ck_assert_uint_ne(s.call_id, first);
	solo_free(&s);
}
END_TEST

START_TEST(reply_with_an_id_in_use)
{
	struct solo s;

	bring_up(&s, (enum pptp_policy)_i);
	ck_assert_int_eq(pptp_call_open(s.conn, NULL, &s.call_id, s.ts), PPTP_OK);
	recv_gets(&s, msg_about(PPTP_OUTGOING_CALL_REPLY, s.call_id, PEER_ID), "OCRQ CCRQ");
	recv_gets(&s, msg_about(PPTP_CALL_DISCONNECT_NOTIFY, 0, 999), "DOWN:protocol");
	ck_assert_str_eq(s.last.text, "the peer gave one call id to two calls");
	ck_assert_int_eq(pptp_call_offer(s.conn, NULL, &s.call_id, s.ts), PPTP_OK);
	recv_gets(&s, msg_about(PPTP_INCOMING_CALL_REPLY, s.call_id, PEER_ID), "ICRQ CDN:2/5 DOWN:protocol");
	solo_free(&s);
}
END_TEST

START_TEST(calls_not_accepted)
{
	struct solo s;

	solo_init(&s);
	s.config.accept_outgoing_calls = _i == 0;
	s.config.accept_incoming_calls = _i == 1;
	solo_establish(&s);
	recv_gets(&s, msg_about(PPTP_OUTGOING_CALL_REQUEST, 0, 5), _i == 0 ? "REQUEST" : "OCRP:7/0");
	if (_i != 0)
		ck_assert_uint_eq(s.said.outgoing_call_reply.peer_call_id, 5);
	recv_gets(&s, msg_about(PPTP_INCOMING_CALL_REQUEST, 0, 6), _i == 1 ? "REQUEST" : "ICRP:3/0");
	if (_i != 1)
		ck_assert_uint_eq(s.said.incoming_call_reply.peer_call_id, 6);
	solo_free(&s);
}
END_TEST

/* A peer holds at most max_calls, counting those that ended but whose end the program has not taken. */
START_TEST(calls_are_bounded)
{
	struct pptp_msg clear = msg_about(PPTP_CALL_CLEAR_REQUEST, 0, 1);
	struct pptp_conn_stats stats;
	struct solo s;

	solo_init(&s);
	s.config.max_calls = 2;
	solo_establish(&s);
	recv_gets(&s, msg_about(PPTP_OUTGOING_CALL_REQUEST, 0, 1), "REQUEST");
	recv_gets(&s, msg_about(PPTP_OUTGOING_CALL_REQUEST, 0, 2), "REQUEST");
	recv_gets(&s, msg_about(PPTP_OUTGOING_CALL_REQUEST, 0, 3), "OCRP:2/4");
	solo_recv(&s, &clear);
	recv_gets(&s, msg_about(PPTP_OUTGOING_CALL_REQUEST, 0, 3), "CDN:4/0 OCRP:2/4 DOWN:peer");
	recv_gets(&s, msg_about(PPTP_OUTGOING_CALL_REQUEST, 0, 3), "REQUEST");
	pptp_conn_stats(s.conn, &stats);
	ck_assert_uint_eq(stats.calls, 2);
	ck_assert_uint_eq(stats.refused, 2);
	solo_free(&s);
}
END_TEST

START_TEST(call_ids_exhausted)
{
	struct solo s;
	uint16_t id;

	solo_init(&s);
	solo_establish(&s);
	while (pptp_callid_take(s.pool, &id, s.ts) == PPTP_OK)
		continue;
	recv_gets(&s, msg_about(PPTP_OUTGOING_CALL_REQUEST, 0, 1), "OCRP:2/4");
	ck_assert_int_eq(pptp_call_open(s.conn, NULL, &id, s.ts), PPTP_ERR_EXHAUSTED);
	for (unsigned i = 1; i <= UINT16_MAX; i++)
		pptp_callid_give(s.pool, (uint16_t)i, s.ts);
	solo_free(&s);
}
END_TEST

/* A call that came and went before the program looked is told in order, and nothing dangles (CVE-2021-42870's shape). */
START_TEST(request_and_clear_at_once)
{
	struct pptp_msg call = msg_about(PPTP_OUTGOING_CALL_REQUEST, 0, PEER_ID), clear = msg_about(PPTP_CALL_CLEAR_REQUEST, 0, PEER_ID);
	struct pptp_event event;
	struct solo s;
	uint16_t first;

	solo_init(&s);
	solo_establish(&s);
	for (int i = 0; i < 3; i++) {
		solo_recv(&s, &call);
		solo_recv(&s, &clear);
	}
	ck_assert(pptp_conn_event(s.conn, &event));
	ck_assert_int_eq(event.type, PPTP_EVENT_CALL_REQUEST);
	ck_assert_int_eq(event.call.state, PPTP_CALL_WAIT_ANSWER);
	first = event.call_id;
	ck_assert(pptp_conn_event(s.conn, &event));
	ck_assert_int_eq(event.type, PPTP_EVENT_CALL_DOWN);
	ck_assert_uint_eq(event.call_id, first);
	ck_assert_str_eq(solo_line(&s), "CDN:4/0 CDN:4/0 CDN:4/0 REQUEST DOWN:peer REQUEST DOWN:peer");
	solo_free(&s);
}
END_TEST

/* What follows a call request finds the program's answer given: replies keep the order of the requests. */
START_TEST(in_order)
{
	struct pptp_msg call = msg_about(PPTP_OUTGOING_CALL_REQUEST, 0, PEER_ID), clear = msg_about(PPTP_CALL_CLEAR_REQUEST, 0, PEER_ID);
	uint8_t stream[2 * PPTP_MAX_MESSAGE];
	int n, m;
	struct solo s;

	solo_init(&s);
	s.config.in_order = true;
	solo_establish(&s);
	n = pptp_msg_encode(stream, sizeof(stream), &call);
	m = pptp_msg_encode(stream + n, sizeof(stream) - (size_t)n, &clear);
	ck_assert_uint_eq(pptp_conn_recv(s.conn, stream, (size_t)(n + m), s.ts), (size_t)n);
	ck_assert_str_eq(solo_line(&s), "REQUEST");
	ck_assert_int_eq(pptp_call_accept(s.conn, s.call_id, NULL, s.ts), PPTP_OK);
	ck_assert_uint_eq(pptp_conn_recv(s.conn, stream + n, (size_t)m, s.ts), (size_t)m);
	ck_assert_str_eq(solo_line(&s), "OCRP:1/0 CDN:4/0 UP DOWN:peer");
	solo_free(&s);
}
END_TEST

START_TEST(parameters_are_checked)
{
	char number[66];
	struct pptp_call_params params = {.called_number = number};
	struct solo s;

	memset(number, '9', sizeof(number));
	number[65] = '\0';
	solo_init(&s);
	solo_establish(&s);
	ck_assert_int_eq(pptp_call_open(s.conn, &params, &s.call_id, s.ts), PPTP_ERR_INVALID);
	params = (struct pptp_call_params){.subaddress = number};
	ck_assert_int_eq(pptp_call_offer(s.conn, &params, &s.call_id, s.ts), PPTP_ERR_INVALID);
	params = (struct pptp_call_params){.called_number = number + 1};
	ck_assert_int_eq(pptp_call_open(s.conn, &params, &s.call_id, s.ts), PPTP_OK);
	ck_assert_str_eq(solo_line(&s), "OCRQ");
	ck_assert_str_eq(s.said.outgoing_call_request.phone_number, number + 1);
	ck_assert_uint_eq(s.said.outgoing_call_request.phone_number_length, 64);
	ck_assert_uint_eq(s.said.outgoing_call_request.packet_recv_window_size, 64);
	solo_free(&s);
}
END_TEST

START_TEST(calls_that_are_not_there)
{
	struct pptp_wan_error_notify counts = {0};
	struct pptp_call_info info;
	struct solo s;

	solo_init(&s);
	solo_establish(&s);
	ck_assert_int_eq(pptp_call_accept(s.conn, 9, NULL, s.ts), PPTP_ERR_NOTFOUND);
	ck_assert_int_eq(pptp_call_clear(s.conn, 9, 1, s.ts), PPTP_ERR_NOTFOUND);
	ck_assert_int_eq(pptp_call_set_link_info(s.conn, 9, 0, 0, s.ts), PPTP_ERR_NOTFOUND);
	ck_assert_int_eq(pptp_call_wan_error(s.conn, 9, &counts, s.ts), PPTP_ERR_NOTFOUND);
	ck_assert_int_eq(pptp_call_info(s.conn, 9, &info), PPTP_ERR_NOTFOUND);
	solo_free(&s);
}
END_TEST

/* Late answers: a call that timed out here gets its Call-Clear-Request, and what comes later is nobody's. */
START_TEST(late_reply)
{
	struct solo s;

	solo_init(&s);
	s.config.reply_timeout_ns = 3 * SEC;
	solo_establish(&s);
	ck_assert_int_eq(pptp_call_open(s.conn, NULL, &s.call_id, s.ts), PPTP_OK);
	solo_pass(&s, 3);
	ck_assert_str_eq(solo_line(&s), "OCRQ CCRQ DOWN:timeout");
	recv_gets(&s, msg_about(PPTP_OUTGOING_CALL_REPLY, s.call_id, PEER_ID), "");
	recv_gets(&s, msg_about(PPTP_CALL_DISCONNECT_NOTIFY, 0, PEER_ID), "");
	solo_free(&s);
}
END_TEST

Suite *
suite_call(void)
{
	Suite *s = suite_create("libpptp/call");
	TCase *pairs = tcase_create("conversations");
	TCase *peers = tcase_create("peers");

	tcase_add_loop_test(pairs, outgoing_call, 0, 2);
	tcase_add_loop_test(pairs, call_with_an_id_of_our_wish, 0, 2);
	tcase_add_loop_test(pairs, outgoing_call_ended_by_pac, 0, 2);
	tcase_add_loop_test(pairs, incoming_call, 0, 2);
	tcase_add_loop_test(pairs, tcp_server_as_pns, 0, 2);
	tcase_add_loop_test(pairs, requests_refused, 0, 2);
	tcase_add_loop_test(pairs, cleared_before_the_answer, 0, 2);
	tcase_add_loop_test(pairs, clears_cross, 0, 2);
	tcase_add_loop_test(pairs, stops_cross, 0, 2);
	tcase_add_test(pairs, many_calls);
	suite_add_tcase(s, pairs);
	tcase_add_loop_test(peers, clear_with_a_wrong_id, 0, 2);
	tcase_add_loop_test(peers, disconnect_with_our_own_id, 0, 2);
	tcase_add_loop_test(peers, disconnect_of_a_call_cleared_early, 0, 2);
	tcase_add_test(peers, disconnect_with_our_own_id_of_several);
	tcase_add_loop_test(peers, reply_to_a_call_cleared_early, 0, 2);
	tcase_add_loop_test(peers, refusal_of_a_call_cleared_early, 0, 2);
	tcase_add_test(peers, disconnect_is_told_in_full);
	tcase_add_test(peers, statistics_of_any_bytes);
	tcase_add_loop_test(peers, link_info_with_wrong_ids, 0, 2);
	tcase_add_loop_test(peers, request_with_an_id_in_use, 0, 2);
	tcase_add_loop_test(peers, reply_with_an_id_in_use, 0, 2);
	tcase_add_loop_test(peers, calls_not_accepted, 0, 2);
	tcase_add_test(peers, calls_are_bounded);
	tcase_add_test(peers, call_ids_exhausted);
	tcase_add_test(peers, request_and_clear_at_once);
	tcase_add_test(peers, in_order);
	tcase_add_test(peers, parameters_are_checked);
	tcase_add_test(peers, calls_that_are_not_there);
	tcase_add_test(peers, late_reply);
	suite_add_tcase(s, peers);
	return s;
}
