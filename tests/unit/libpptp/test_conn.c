/* The control connection: start, stop, collision, memory. What comes as bytes is in test_conn_streams.c, time in test_conn_time.c. */
#include <pptp/conn.h>

#include <string.h>

#include "base/wire.h"
#include "tests/unit/libpptp/golden.h"
#include "tests/unit/libpptp/solo.h"
#include "tests/unit/suite.h"

Suite *suite_conn(void);

static struct pptp_msg
start_request(void)
{
	return msg_about(PPTP_START_CONTROL_CONNECTION_REQUEST, 0, 0);
}

START_TEST(says_who_it_is)
{
	struct solo s;

	solo_init(&s);
	s.config.vendor_name = "openpptp";
	s.config.maximum_channels = 7;
	s.config.firmware_revision = 0x0102;
	s.config.framing_capabilities = PPTP_FRAMING_SYNC;
	s.config.bearer_capabilities = 0;
	solo_open(&s, true);
	ck_assert_int_eq(pptp_conn_start(s.conn, s.ts), PPTP_OK);
	ck_assert_str_eq(solo_line(&s), "SCCRQ");
	ck_assert_uint_eq(s.said.start.protocol_version, 0x0100);
	ck_assert_uint_eq(s.said.start.framing_capabilities, PPTP_FRAMING_SYNC);
	ck_assert_uint_eq(s.said.start.bearer_capabilities, 3);
	ck_assert_uint_eq(s.said.start.maximum_channels, 7);
	ck_assert_uint_eq(s.said.start.firmware_revision, 0x0102);
	ck_assert_str_eq(s.said.start.host_name, "solo");
	ck_assert_str_eq(s.said.start.vendor_name, "openpptp");
	solo_free(&s);
}
END_TEST

START_TEST(tells_who_the_peer_is)
{
	struct solo s;

	solo_init(&s);
	solo_establish(&s);
	ck_assert_int_eq(s.last.type, PPTP_EVENT_ESTABLISHED);
	ck_assert_str_eq(s.last.peer.host_name, "peer");
	ck_assert_uint_eq(s.last.peer.framing_capabilities, 3);
	solo_free(&s);
}
END_TEST

START_TEST(configuration_is_checked)
{
	char name[66];
	struct pptp_conn *conn = NULL;
	struct solo s;

	memset(name, 'n', sizeof(name));
	name[65] = '\0';
	solo_init(&s);
	s.config.host_name = name;
	ck_assert_int_eq(pptp_conn_new(&conn, &s.config, true, 0), PPTP_ERR_INVALID);
	s.config.host_name = name + 1;
	s.config.vendor_name = name;
	ck_assert_int_eq(pptp_conn_new(&conn, &s.config, true, 0), PPTP_ERR_INVALID);
	s.config.vendor_name = NULL;
	s.config.max_calls = 0;
	ck_assert_int_eq(pptp_conn_new(&conn, &s.config, true, 0), PPTP_ERR_INVALID);
	s.config.max_calls = 1;
	s.config.call_ids = NULL;
	ck_assert_int_eq(pptp_conn_new(&conn, &s.config, true, 0), PPTP_ERR_INVALID);
	ck_assert_ptr_null(conn);
	s.config.call_ids = s.pool;
	ck_assert_int_eq(pptp_conn_new(&s.conn, &s.config, true, 0), PPTP_OK);
	solo_free(&s);
}
END_TEST

START_TEST(configuration_is_copied)
{
	char name[8] = "before";
	struct solo s;

	solo_init(&s);
	s.config.host_name = name;
	solo_open(&s, true);
	memcpy(name, "after!", 7);
	ck_assert_int_eq(pptp_conn_start(s.conn, s.ts), PPTP_OK);
	solo_line(&s);
	ck_assert_str_eq(s.said.start.host_name, "before");
	solo_free(&s);
}
END_TEST

START_TEST(wrong_version_in_request)
{
	static const uint16_t wrong[] = {0, 1, 0x0101, 0x0200, 0xffff};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct pptp_msg msg = start_request();
		struct solo s;

		solo_init(&s);
		s.config.policy = i % 2 == 0 ? PPTP_LENIENT : PPTP_STRICT;
		solo_open(&s, false);
		msg.start.protocol_version = wrong[i];
		solo_recv(&s, &msg);
		ck_assert_str_eq(solo_line(&s), "SCCRP:5/0 CLOSED:protocol");
		ck_assert_uint_eq(s.said.start.protocol_version, 0x0100);
		ck_assert_str_eq(s.last.text, "Start-Control-Connection-Request: wrong protocol version");
		solo_free(&s);
	}
}
END_TEST

START_TEST(wrong_version_in_reply)
{
	struct pptp_msg msg = msg_about(PPTP_START_CONTROL_CONNECTION_REPLY, 0, 0);
	struct pptp_msg stop_reply = msg_about(PPTP_STOP_CONTROL_CONNECTION_REPLY, 0, 0);
	struct solo s;

	solo_init(&s);
	solo_open(&s, true);
	ck_assert_int_eq(pptp_conn_start(s.conn, s.ts), PPTP_OK);
	msg.start.protocol_version = 0x0200;
	solo_recv(&s, &msg);
	ck_assert_str_eq(solo_line(&s), "SCCRQ StopRQ:2/0");
	solo_recv(&s, &stop_reply);
	ck_assert_str_eq(solo_line(&s), "CLOSED:protocol");
	ck_assert_int_eq(s.last.error, PPTP_ERR_FIELD);
	solo_free(&s);
}
END_TEST

START_TEST(start_refused)
{
	for (unsigned result = 0; result < 7; result++) {
		struct pptp_msg msg = msg_about(PPTP_START_CONTROL_CONNECTION_REPLY, 0, 0);
		struct solo s;

		solo_init(&s);
		solo_open(&s, true);
		pptp_conn_start(s.conn, s.ts);
		solo_line(&s);
		msg.start.result_code = (uint8_t)result;
		msg.start.error_code = 4;
		solo_recv(&s, &msg);
		ck_assert_str_eq(solo_line(&s), result <= 1 ? "ESTABLISHED" : "CLOSED:refused");
		if (result > 1) {
			ck_assert_uint_eq(s.last.result_code, result);
			ck_assert_uint_eq(s.last.error_code, 4);
		}
		if (result == 4)
			ck_assert_str_eq(s.last.text, "not authorized");
		solo_free(&s);
	}
}
END_TEST

/* Under PPTP_STRICT a bad value is answered, and a start that can't be understood ends the connection. */
START_TEST(strict_values)
{
	struct pptp_msg msg = start_request();
	struct pptp_msg call = msg_about(PPTP_OUTGOING_CALL_REQUEST, 0, PEER_ID);
	struct pptp_msg clear = msg_about(PPTP_CALL_DISCONNECT_NOTIFY, 0, PEER_ID);
	struct solo s;

	solo_init(&s);
	s.config.policy = PPTP_STRICT;
	solo_open(&s, false);
	msg.start.framing_capabilities = 0xff;
	solo_recv(&s, &msg);
	ck_assert_str_eq(solo_line(&s), "SCCRP:2/3 CLOSED:protocol");
	ck_assert_int_eq(s.last.error, PPTP_ERR_FIELD);
	solo_free(&s);

	solo_init(&s);
	s.config.policy = PPTP_STRICT;
	solo_establish(&s);
	call.outgoing_call_request.bearer_type = 9;
	solo_recv(&s, &call);
	clear.call_disconnect_notify.result_code = 0;
	solo_recv(&s, &clear);
	ck_assert_str_eq(solo_line(&s), "OCRP:2/3");
	ck_assert_uint_eq(s.said.outgoing_call_reply.peer_call_id, PEER_ID);
	solo_free(&s);
}
END_TEST

START_TEST(strict_start_reply)
{
	struct pptp_msg msg = msg_about(PPTP_START_CONTROL_CONNECTION_REPLY, 0, 0);
	struct solo s;

	solo_init(&s);
	s.config.policy = PPTP_STRICT;
	solo_open(&s, true);
	pptp_conn_start(s.conn, s.ts);
	msg.start.result_code = 0;
	solo_recv(&s, &msg);
	ck_assert_str_eq(solo_line(&s), "SCCRQ CLOSED:protocol");
	solo_free(&s);
}
END_TEST

START_TEST(stop_by_this_side)
{
	struct pptp_msg reply = msg_about(PPTP_STOP_CONTROL_CONNECTION_REPLY, 0, 0);
	struct pptp_msg call = msg_about(PPTP_OUTGOING_CALL_REQUEST, 0, PEER_ID);
	struct solo s;

	solo_init(&s);
	solo_establish(&s);
	solo_recv(&s, &call);
	solo_line(&s);
	ck_assert_int_eq(pptp_conn_stop(s.conn, PPTP_STOP_LOCAL_SHUTDOWN, s.ts), PPTP_OK);
	ck_assert_str_eq(solo_line(&s), "StopRQ:3/0 DOWN:local");
	solo_recv(&s, &reply);
	ck_assert_str_eq(solo_line(&s), "CLOSED:local");
	ck_assert_uint_eq(pptp_conn_expiry(s.conn), PPTP_TS_NEVER);
	solo_free(&s);
}
END_TEST

START_TEST(stop_never_answered)
{
	struct solo s;

	solo_init(&s);
	s.config.reply_timeout_ns = 5 * SEC;
	solo_establish(&s);
	pptp_conn_stop(s.conn, PPTP_STOP_NONE, s.ts);
	solo_pass(&s, 4);
	ck_assert_str_eq(solo_line(&s), "StopRQ:1/0");
	solo_pass(&s, 1);
	ck_assert_str_eq(solo_line(&s), "CLOSED:local");
	solo_free(&s);
}
END_TEST

START_TEST(stop_by_peer)
{
	struct pptp_msg stop = msg_about(PPTP_STOP_CONTROL_CONNECTION_REQUEST, 0, 0);
	struct pptp_msg call = msg_about(PPTP_OUTGOING_CALL_REQUEST, 0, PEER_ID);
	struct solo s;

	solo_init(&s);
	solo_establish(&s);
	solo_recv(&s, &call);
	solo_line(&s);
	stop.stop_request.reason = 0; /* accel-ppp */
	solo_recv(&s, &stop);
	ck_assert_str_eq(solo_line(&s), "StopRP:1/0 DOWN:peer CLOSED:peer");
	solo_free(&s);
}
END_TEST

START_TEST(tcp_ends)
{
	struct pptp_msg call = msg_about(PPTP_OUTGOING_CALL_REQUEST, 0, PEER_ID);
	const uint8_t *data;
	struct solo s;

	solo_init(&s);
	solo_establish(&s);
	solo_recv(&s, &call);
	solo_line(&s);
	pptp_conn_transport_closed(s.conn, s.ts);
	ck_assert_uint_eq(pptp_conn_output(s.conn, &data), 0);
	ck_assert_str_eq(solo_line(&s), "DOWN:tcp CLOSED:tcp");
	pptp_conn_transport_closed(s.conn, s.ts);
	ck_assert_str_eq(solo_line(&s), "");
	solo_free(&s);
}
END_TEST

START_TEST(tcp_ends_after_stop)
{
	struct solo s;

	solo_init(&s);
	solo_establish(&s);
	pptp_conn_stop(s.conn, PPTP_STOP_NONE, s.ts);
	solo_line(&s);
	pptp_conn_transport_closed(s.conn, s.ts);
	ck_assert_str_eq(solo_line(&s), "CLOSED:local");
	solo_free(&s);
}
END_TEST

/* --- collision ------------------------------------------------------------------------- */

/* Both ends of one TCP connection, both of which start; bytes cross. Addresses decide, or who opened TCP. */
static void
cross_starts(struct solo *a, struct solo *b, uint8_t a_addr, uint8_t b_addr)
{
	solo_init(a);
	solo_init(b);
	a->config.local_addr[3] = b->config.peer_addr[3] = a_addr;
	b->config.local_addr[3] = a->config.peer_addr[3] = b_addr;
	solo_open(a, true);
	solo_open(b, false);
	ck_assert_int_eq(pptp_conn_start(a->conn, a->ts), PPTP_OK);
	ck_assert_int_eq(pptp_conn_start(b->conn, b->ts), PPTP_OK);
}

static void
swap(struct solo *a, struct solo *b)
{
	uint8_t from_a[4096], from_b[4096];
	const uint8_t *p;
	size_t na = pptp_conn_output(a->conn, &p), nb;

	memcpy(from_a, p, na);
	nb = pptp_conn_output(b->conn, &p);
	memcpy(from_b, p, nb);
	pptp_conn_sent(a->conn, na);
	pptp_conn_sent(b->conn, nb);
	ck_assert_uint_eq(pptp_conn_recv(a->conn, from_b, nb, a->ts), nb);
	ck_assert_uint_eq(pptp_conn_recv(b->conn, from_a, na, b->ts), na);
}

START_TEST(collision_on_one_connection)
{
	static const uint8_t addrs[][2] = {{2, 1}, {1, 2}, {1, 1}};
	struct solo a, b;

	cross_starts(&a, &b, addrs[_i][0], addrs[_i][1]);
	swap(&a, &b);
	/* One has answered, the other waits for that answer. */
	ck_assert_int_eq(pptp_conn_state(a.conn), _i == 1 ? PPTP_CONN_ESTABLISHED : PPTP_CONN_WAIT_CTL_REPLY);
	ck_assert_int_eq(pptp_conn_state(b.conn), _i == 1 ? PPTP_CONN_WAIT_CTL_REPLY : PPTP_CONN_ESTABLISHED);
	swap(&a, &b);
	swap(&a, &b);
	ck_assert_str_eq(solo_line(&a), "ESTABLISHED");
	ck_assert_str_eq(solo_line(&b), "ESTABLISHED");
	solo_free(&a);
	solo_free(&b);
}
END_TEST

START_TEST(collision_of_two_connections)
{
	uint8_t low[16] = {192, 33, 45, 17}, high[16] = {192, 33, 45, 89};
	const uint8_t *data;
	struct solo s;

	ck_assert(pptp_collision_won(high, low));
	ck_assert(!pptp_collision_won(low, high));
	ck_assert(!pptp_collision_won(low, low));
	solo_init(&s);
	solo_open(&s, true);
	ck_assert_int_eq(pptp_conn_start(s.conn, s.ts), PPTP_OK);
	pptp_conn_yield(s.conn, s.ts);
	ck_assert_uint_eq(pptp_conn_output(s.conn, &data), 0);
	ck_assert_str_eq(solo_line(&s), "CLOSED:collision");
	solo_free(&s);
}
END_TEST

/* --- memory and traces ------------------------------------------------------------------------ */

/* Everything that a connection and three calls allocate, with the N-th refused. */
START_TEST(allocation_failures)
{
	struct pptp_msg start = start_request();
	size_t fail_at;

	for (fail_at = 1;; fail_at++) {
		struct solo s;
		uint16_t id;
		int error;

		solo_init(&s);
		s.failing.fail_at = fail_at;
		error = pptp_conn_new(&s.conn, &s.config, false, s.ts);
		if (error != PPTP_OK) {
			ck_assert_int_eq(error, PPTP_ERR_NOMEM);
			ck_assert_ptr_null(s.conn);
		} else {
			solo_recv(&s, &start);
			solo_line(&s);
			for (uint16_t peer = 1; peer <= 2; peer++) {
				struct pptp_msg call = msg_about(PPTP_OUTGOING_CALL_REQUEST, 0, peer);

				solo_recv(&s, &call);
				ck_assert_str_eq(solo_line(&s), s.failing.calls == fail_at ? "OCRP:2/4" : "REQUEST");
			}
			error = pptp_call_open(s.conn, NULL, &id, s.ts);
			ck_assert_int_eq(error, s.failing.calls == fail_at ? PPTP_ERR_NOMEM : PPTP_OK);
		}
		if (s.failing.calls < fail_at) {
			solo_free(&s);
			break;
		}
		solo_free(&s);
	}
	ck_assert_uint_eq(fail_at, 5);
}
END_TEST

static void
trace(void *user, bool sent, const struct pptp_msg *msg)
{
	struct text *t = user;

	text_addf(t, sent ? " >" : " <");
	msg_word(t, msg);
}

START_TEST(traces_both_ways)
{
	char buf[256];
	struct pptp_msg echo = msg_about(PPTP_ECHO_REQUEST, 0, 0);
	struct pptp_conn_stats stats;
	struct text t;
	struct solo s;

	text_init(&t, buf, sizeof(buf));
	solo_init(&s);
	s.config.trace = trace;
	s.config.trace_user = &t;
	solo_establish(&s);
	solo_recv(&s, &echo);
	ck_assert_str_eq(buf, " <SCCRQ >SCCRP:1/0 <EchoRQ >EchoRP:1/0");
	pptp_conn_stats(s.conn, &stats);
	ck_assert_uint_eq(stats.rx_messages, 2);
	ck_assert_uint_eq(stats.tx_messages, 2);
	solo_free(&s);
}
END_TEST

START_TEST(ends_have_words)
{
	for (int end = PPTP_END_LOCAL; end <= PPTP_END_NOMEM; end++)
		ck_assert_str_ne(pptp_end_text((enum pptp_end)end), "unknown");
	ck_assert_str_eq(pptp_end_text((enum pptp_end)99), "unknown");
}
END_TEST

Suite *
suite_conn(void)
{
	Suite *s = suite_create("libpptp/conn");
	TCase *life = tcase_create("life");

	tcase_add_test(life, says_who_it_is);
	tcase_add_test(life, tells_who_the_peer_is);
	tcase_add_test(life, configuration_is_checked);
	tcase_add_test(life, configuration_is_copied);
	tcase_add_test(life, wrong_version_in_request);
	tcase_add_test(life, wrong_version_in_reply);
	tcase_add_test(life, start_refused);
	tcase_add_test(life, strict_values);
	tcase_add_test(life, strict_start_reply);
	tcase_add_test(life, stop_by_this_side);
	tcase_add_test(life, stop_never_answered);
	tcase_add_test(life, stop_by_peer);
	tcase_add_test(life, tcp_ends);
	tcase_add_test(life, tcp_ends_after_stop);
	tcase_add_loop_test(life, collision_on_one_connection, 0, 3);
	tcase_add_test(life, collision_of_two_connections);
	tcase_add_test(life, allocation_failures);
	tcase_add_test(life, traces_both_ways);
	tcase_add_test(life, ends_have_words);
	suite_add_tcase(s, life);
	return s;
}
