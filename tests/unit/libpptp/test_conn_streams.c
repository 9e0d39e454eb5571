/* The control connection: bytes in any shape, and room for what is to be said and told. */
#include <pptp/conn.h>

#include <string.h>

#include "base/wire.h"
#include "tests/unit/libpptp/golden.h"
#include "tests/unit/libpptp/solo.h"
#include "tests/unit/suite.h"

Suite *suite_conn_streams(void);

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

		len += msg_bytes(stream + len, &msg);
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
		len += msg_bytes(stream + len, &msg);
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
	size_t len = msg_bytes(buf, &msg), taken = 0, n;
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
		len = msg_bytes(buf, &msg);
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
		len = msg_bytes(buf, &info);
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

Suite *
suite_conn_streams(void)
{
	Suite *s = suite_create("libpptp/conn_streams");
	TCase *c = tcase_create("streams");

	tcase_add_test(c, unknown_types_are_skipped);
	tcase_add_test(c, lost_streams_close);
	tcase_add_test(c, splits_at_every_byte);
	tcase_add_loop_test(c, coalesced_messages_are_all_answered, 1, 33);
	tcase_add_test(c, flood_without_reading);
	tcase_add_test(c, drained_byte_by_byte);
	tcase_add_test(c, events_not_taken);
	suite_add_tcase(s, c);
	return s;
}
