/* The control connection: what happens when nothing does. */
#include <pptp/conn.h>

#include "tests/unit/libpptp/solo.h"
#include "tests/unit/suite.h"

Suite *suite_conn_time(void);

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
	size_t len = msg_bytes(buf, &msg);
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

Suite *
suite_conn_time(void)
{
	Suite *s = suite_create("libpptp/conn_time");
	TCase *c = tcase_create("time");

	tcase_add_loop_test(c, start_never_comes, 0, 2);
	tcase_add_test(c, echo_after_silence);
	tcase_add_test(c, echo_identifier_must_match);
	tcase_add_test(c, echo_can_be_off);
	tcase_add_test(c, timeouts_wait_for_room);
	suite_add_tcase(s, c);
	return s;
}
