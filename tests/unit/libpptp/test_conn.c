/* The control connection: start, stop, collision, bad streams, time, room. */
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

static size_t
encode(uint8_t *buf, const struct pptp_msg *msg)
{
	int n = pptp_msg_encode(buf, PPTP_MAX_MESSAGE, msg);

	ck_assert_int_gt(n, 0);
	return (size_t)n;
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

/* --- streams ----------------------------------------------------------------------------- */

START_TEST(unknown_types_are_skipped)
{
	uint8_t buf[PPTP_MAX_MESSAGE];
	size_t len = golden_bytes(buf, golden_messages[PPTP_ECHO_REQUEST].hex);
	struct pptp_conn_stats stats;
	struct solo s;

	solo_init(&s);
	solo_establish(&s);
	buf[9] = 16;
	solo_recv_bytes(&s, buf, len);
	buf[9] = PPTP_ECHO_REQUEST;
	solo_recv_bytes(&s, buf, len);
	ck_assert_str_eq(solo_line(&s), "EchoRP:1/0");
	pptp_conn_stats(s.conn, &stats);
	ck_assert_uint_eq(stats.refused, 1);
	solo_free(&s);

	solo_init(&s);
	s.config.policy = PPTP_STRICT;
	solo_establish(&s);
	buf[9] = 16;
	solo_recv_bytes(&s, buf, len);
	ck_assert_str_eq(solo_line(&s), "CLOSED:protocol");
	ck_assert_int_eq(s.last.error, PPTP_ERR_TYPE);
	solo_free(&s);
}
END_TEST

START_TEST(lost_streams_close)
{
	static const struct {
		size_t at;
		uint8_t value;
		int error;
		const char *text;
	} bad[] = {
	    {1, 11, PPTP_ERR_LENGTH, "wrong length"},
	    {0, 0xff, PPTP_ERR_LENGTH, "wrong length"},
	    {1, 0, PPTP_ERR_LENGTH, "wrong length"},
	    {1, 17, PPTP_ERR_LENGTH, "wrong length"},
	    {3, 2, PPTP_ERR_KIND, "wrong message kind or version"},
	    {7, 0x4e, PPTP_ERR_MAGIC, "wrong magic cookie"},
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		uint8_t buf[PPTP_MAX_MESSAGE];
		size_t len = golden_bytes(buf, golden_messages[PPTP_ECHO_REQUEST].hex);
		struct solo s;

		solo_init(&s);
		solo_establish(&s);
		buf[bad[i].at] = bad[i].value;
		ck_assert_uint_le(pptp_conn_recv(s.conn, buf, len, s.ts), len);
		ck_assert_str_eq(solo_line(&s), "CLOSED:protocol");
		ck_assert_int_eq(s.last.error, bad[i].error);
		ck_assert_str_eq(s.last.text, bad[i].text);
		ck_assert_uint_eq(pptp_conn_recv(s.conn, buf, len, s.ts), 0);
		solo_free(&s);
	}
}
END_TEST

/* A whole conversation in one stream, cut at every byte. */
START_TEST(splits_at_every_byte)
{
	static const char want[] = "SCCRP:1/0 EchoRP:1/0 CDN:4/0 StopRP:1/0 ESTABLISHED REQUEST DOWN:peer CLOSED:peer";
	uint8_t stream[1024];
	size_t len = 0;

	for (int i = 0; i < 5; i++) {
		static const enum pptp_msg_type types[] = {PPTP_START_CONTROL_CONNECTION_REQUEST, PPTP_ECHO_REQUEST,
		    PPTP_OUTGOING_CALL_REQUEST, PPTP_CALL_CLEAR_REQUEST, PPTP_STOP_CONTROL_CONNECTION_REQUEST};
		struct pptp_msg msg = msg_about(types[i], 0, PEER_ID);

		len += encode(stream + len, &msg);
	}
	for (size_t split = 0; split <= len; split++) {
		struct solo s;

		solo_init(&s);
		solo_open(&s, false);
		solo_recv_bytes(&s, stream, split);
		solo_recv_bytes(&s, stream + split, len - split);
		ck_assert_str_eq(solo_line(&s), want);
		solo_free(&s);
	}
}
END_TEST

/* k requests in one segment are all answered, in order, however little room there is: what isn't taken is fed again. */
START_TEST(coalesced_messages_are_all_answered)
{
	uint8_t stream[32 * PPTP_MAX_MESSAGE];
	size_t len = 0, at = 0;
	unsigned answers = 0;
	struct solo s;

	for (int i = 0; i < _i; i++) {
		struct pptp_msg msg = msg_about(i % 2 == 0 ? PPTP_ECHO_REQUEST : PPTP_OUTGOING_CALL_REQUEST, 0, (uint16_t)i);

		msg.echo.identifier = i % 2 == 0 ? (uint32_t)i : msg.echo.identifier;
		len += encode(stream + len, &msg);
	}
	solo_init(&s);
	s.config.accept_outgoing_calls = false;
	solo_establish(&s);
	while (at < len) {
		size_t n = pptp_conn_recv(s.conn, stream + at, len - at, s.ts);
		const uint8_t *data;
		struct pptp_msg msg;

		ck_assert_uint_gt(n, 0);
		at += n;
		for (; (n = pptp_conn_output(s.conn, &data)) > 0; pptp_conn_sent(s.conn, get_u16(data)), answers++) {
			ck_assert_int_eq(pptp_msg_decode(&msg, data, get_u16(data), PPTP_STRICT, NULL), PPTP_OK);
			ck_assert_int_eq(msg.type, answers % 2 == 0 ? PPTP_ECHO_REPLY : PPTP_OUTGOING_CALL_REPLY);
			ck_assert_uint_eq(answers % 2 == 0 ? msg.echo.identifier : msg.outgoing_call_reply.peer_call_id, answers);
		}
	}
	ck_assert_uint_eq(answers, _i);
	solo_free(&s);
}
END_TEST

/* --- room ---------------------------------------------------------------------------------- */

/* A peer that asks for ever and never reads: we stop taking, and its Echo time-out ends it. */
START_TEST(flood_without_reading)
{
	struct pptp_msg msg = msg_about(PPTP_ECHO_REQUEST, 0, 0);
	uint8_t buf[PPTP_MAX_MESSAGE];
	size_t len = encode(buf, &msg), taken = 0, n;
	const uint8_t *data;
	struct solo s;

	solo_init(&s);
	solo_establish(&s);
	while ((n = pptp_conn_recv(s.conn, buf, len, s.ts)) == len)
		ck_assert_uint_lt(++taken, 1000);
	ck_assert_uint_eq(n, 0);
	ck_assert_uint_le(pptp_conn_output(s.conn, &data), 2048);
	ck_assert_int_eq(pptp_conn_stop(s.conn, PPTP_STOP_NONE, s.ts), PPTP_ERR_FULL);
	solo_pass(&s, 60);
	ck_assert_int_eq(pptp_conn_state(s.conn), PPTP_CONN_ESTABLISHED);
	solo_pass(&s, 60);
	ck_assert_int_eq(pptp_conn_state(s.conn), PPTP_CONN_CLOSED);
	pptp_conn_sent(s.conn, 1 << 20);
	ck_assert_str_eq(solo_line(&s), "CLOSED:echo");
	solo_free(&s);
}
END_TEST

/* Draining lets a stopped stream go on where it was, in any measure. */
START_TEST(drained_byte_by_byte)
{
	struct pptp_msg msg = msg_about(PPTP_ECHO_REQUEST, 0, 0);
	uint8_t buf[PPTP_MAX_MESSAGE], got[20000];
	size_t len, sent = 0, fed = 0;
	const uint8_t *data;
	struct solo s;

	solo_init(&s);
	solo_establish(&s);
	for (unsigned i = 0; i < 500;) {
		msg.echo.identifier = i;
		len = encode(buf, &msg);
		fed = pptp_conn_recv(s.conn, buf, len, s.ts);
		i += fed == len;
		if (fed == len)
			continue;
		ck_assert_uint_eq(fed, 0);
		for (int n = 0; n < 7 && pptp_conn_output(s.conn, &data) > 0; n++) {
			got[sent++] = data[0];
			pptp_conn_sent(s.conn, 1);
		}
	}
	while (pptp_conn_output(s.conn, &data) > 0) {
		got[sent++] = data[0];
		pptp_conn_sent(s.conn, 1);
	}
	ck_assert_uint_eq(sent, 500 * 20);
	for (unsigned i = 0; i < 500; i++)
		ck_assert_uint_eq(get_u32(got + 20 * i + 12), i);
	solo_free(&s);
}
END_TEST

/* A program that doesn't take its events: the ring fills, no more is taken, nothing is lost. */
START_TEST(events_not_taken)
{
	struct pptp_msg call = msg_about(PPTP_OUTGOING_CALL_REQUEST, 0, PEER_ID), info;
	uint8_t buf[PPTP_MAX_MESSAGE];
	size_t len, taken = 0, told = 0;
	struct pptp_event event;
	struct solo s;

	solo_init(&s);
	solo_establish(&s);
	solo_recv(&s, &call);
	solo_line(&s);
	ck_assert_int_eq(pptp_call_accept(s.conn, s.call_id, NULL, s.ts), PPTP_OK);
	solo_line(&s);
	info = msg_about(PPTP_SET_LINK_INFO, s.call_id, PEER_ID);
	for (;; taken++) {
		info.set_link_info.send_accm = (uint32_t)taken;
		len = encode(buf, &info);
		if (pptp_conn_recv(s.conn, buf, len, s.ts) != len)
			break;
		ck_assert_uint_lt(taken, 1000);
	}
	ck_assert_int_eq(pptp_call_clear(s.conn, s.call_id, 3, s.ts), PPTP_ERR_FULL);
	for (; pptp_conn_event(s.conn, &event); told++) {
		ck_assert_int_eq(event.type, PPTP_EVENT_LINK_INFO);
		ck_assert_uint_eq(event.link_info.send_accm, told);
	}
	ck_assert_uint_eq(told, taken);
	ck_assert_uint_eq(pptp_conn_recv(s.conn, buf, len, s.ts), len);
	solo_free(&s);
}
END_TEST

/* --- time ---------------------------------------------------------------------------------- */

START_TEST(start_never_comes)
{
	struct solo s;

	solo_init(&s);
	solo_open(&s, _i != 0);
	if (_i != 0) {
		ck_assert_uint_eq(pptp_conn_expiry(s.conn), PPTP_TS_NEVER);
		ck_assert_int_eq(pptp_conn_start(s.conn, s.ts), PPTP_OK);
		solo_line(&s);
	}
	solo_pass(&s, 59);
	ck_assert_str_eq(solo_line(&s), "");
	solo_pass(&s, 1);
	ck_assert_str_eq(solo_line(&s), "CLOSED:timeout");
	ck_assert_str_eq(s.last.text, _i == 0 ? "no Start-Control-Connection-Request" : "no Start-Control-Connection-Reply");
	solo_free(&s);
}
END_TEST

START_TEST(echo_after_silence)
{
	struct pptp_msg reply = msg_about(PPTP_ECHO_REPLY, 0, 0), request = msg_about(PPTP_ECHO_REQUEST, 0, 0);
	struct pptp_conn_stats stats;
	struct solo s;

	solo_init(&s);
	s.config.echo_interval_ns = 30 * SEC;
	s.config.echo_timeout_ns = 10 * SEC;
	solo_establish(&s);
	solo_pass(&s, 29);
	solo_recv(&s, &request); /* whatever comes puts it off */
	ck_assert_str_eq(solo_line(&s), "EchoRP:1/0");
	solo_pass(&s, 29);
	ck_assert_str_eq(solo_line(&s), "");
	solo_pass(&s, 1);
	ck_assert_str_eq(solo_line(&s), "EchoRQ");
	s.ts += SEC / 1000;
	reply.echo.identifier = s.said.echo.identifier;
	solo_recv(&s, &reply);
	pptp_conn_stats(s.conn, &stats);
	ck_assert_uint_eq(stats.rtt_ns, SEC / 1000);
	ck_assert_uint_eq(pptp_conn_expiry(s.conn), s.ts + 30 * SEC);
	solo_pass(&s, 30);
	ck_assert_str_eq(solo_line(&s), "EchoRQ");
	ck_assert_uint_ne(s.said.echo.identifier, reply.echo.identifier);
	solo_pass(&s, 10);
	ck_assert_str_eq(solo_line(&s), "CLOSED:echo");
	solo_free(&s);
}
END_TEST

/* Only the reply with the identifier of our request counts; other messages don't stand for it. */
START_TEST(echo_identifier_must_match)
{
	struct pptp_msg reply = msg_about(PPTP_ECHO_REPLY, 0, 0), request = msg_about(PPTP_ECHO_REQUEST, 0, 0);
	struct pptp_conn_stats stats;
	struct solo s;

	solo_init(&s);
	solo_establish(&s);
	solo_recv(&s, &reply); /* nobody asked */
	solo_pass(&s, 60);
	ck_assert_str_eq(solo_line(&s), "EchoRQ");
	reply.echo.identifier = s.said.echo.identifier + 1;
	solo_recv(&s, &reply);
	solo_recv(&s, &request);
	ck_assert_str_eq(solo_line(&s), "EchoRP:1/0");
	pptp_conn_stats(s.conn, &stats);
	ck_assert_uint_eq(stats.refused, 2);
	ck_assert_uint_eq(stats.rtt_ns, 0);
	solo_pass(&s, 60);
	ck_assert_str_eq(solo_line(&s), "CLOSED:echo");
	ck_assert_str_eq(s.last.text, "no Echo-Reply");
	solo_free(&s);
}
END_TEST

START_TEST(echo_can_be_off)
{
	struct solo s;

	solo_init(&s);
	s.config.echo_interval_ns = PPTP_TS_NEVER;
	solo_establish(&s);
	ck_assert_uint_eq(pptp_conn_expiry(s.conn), PPTP_TS_NEVER);
	solo_free(&s);
}
END_TEST

/* Calls that time out while the peer reads nothing wait for room, and their expiry doesn't spin meanwhile. */
START_TEST(timeouts_wait_for_room)
{
	struct pptp_msg msg = msg_about(PPTP_ECHO_REQUEST, 0, 0);
	uint8_t buf[PPTP_MAX_MESSAGE];
	size_t len = encode(buf, &msg);
	struct solo s;

	solo_init(&s);
	s.config.echo_interval_ns = PPTP_TS_NEVER;
	solo_establish(&s);
	ck_assert_int_eq(pptp_call_open(s.conn, NULL, &s.call_id, s.ts), PPTP_OK);
	ck_assert_int_eq(pptp_call_open(s.conn, NULL, &s.call_id, s.ts), PPTP_OK);
	while (pptp_conn_recv(s.conn, buf, len, s.ts) == len)
		continue;
	solo_pass(&s, 100);
	ck_assert_uint_eq(pptp_conn_expiry(s.conn), PPTP_TS_NEVER);
	pptp_conn_sent(s.conn, 1 << 20);
	ck_assert_uint_lt(pptp_conn_expiry(s.conn), s.ts);
	solo_pass(&s, 0);
	ck_assert_str_eq(solo_line(&s), "CCRQ CCRQ DOWN:timeout DOWN:timeout");
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
	TCase *streams = tcase_create("streams");
	TCase *time = tcase_create("time");

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
	tcase_add_test(streams, unknown_types_are_skipped);
	tcase_add_test(streams, lost_streams_close);
	tcase_add_test(streams, splits_at_every_byte);
	tcase_add_loop_test(streams, coalesced_messages_are_all_answered, 1, 33);
	tcase_add_test(streams, flood_without_reading);
	tcase_add_test(streams, drained_byte_by_byte);
	tcase_add_test(streams, events_not_taken);
	suite_add_tcase(s, streams);
	tcase_add_loop_test(time, start_never_comes, 0, 2);
	tcase_add_test(time, echo_after_silence);
	tcase_add_test(time, echo_identifier_must_match);
	tcase_add_test(time, echo_can_be_off);
	tcase_add_test(time, timeouts_wait_for_room);
	suite_add_tcase(s, time);
	return s;
}
