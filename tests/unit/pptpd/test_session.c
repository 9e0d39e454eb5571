#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/timerheap.h"
#include "sys/clock.h"
#include "tests/unit/pptpd/fake.h"
#include "tests/unit/suite.h"

static void
closed_by(struct session *s, enum ppp_down down)
{
	struct tunnel_event e = {.type = TUNNEL_EVENT_CLOSED, .down = down};

	session_fsm(s, SESSION_E_CLOSED, &e);
}

START_TEST(a_whole_life)
{
	struct conn *c = fake_conn("192.0.2.7");
	struct session *s;
	char text[ADDR_TEXT_MAX];

	ck_assert_str_eq(fake_log(), "Start-Control-Connection-Reply");
	s = fake_call(c);
	ck_assert_str_eq(fake_log(), "OPEN Outgoing-Call-Reply");
	ck_assert_int_eq(s->state, SESSION_LINK);
	session_end(s, PPP_DOWN_LOCAL, PPTP_CDN_ADMIN_SHUTDOWN, "test");
	ck_assert_str_eq(fake_log(), "CLOSE");
	closed_by(s, PPP_DOWN_LOCAL);
	ck_assert_str_eq(fake_log(), "Call-Disconnect-Notify");

	s = fake_session(c, SESSION_UP, "alice");
	ck_assert_str_eq(fake_log(), "OPEN Outgoing-Call-Reply AUTH ROUTE_ADD:10.0.0.10/32 BIND script:0 script:1@exit");
	ck_assert_int_eq(s->state, SESSION_UP);
	ck_assert_str_eq(addr_text(&fake.last.bind.bundle.peer_v4, text), "10.0.0.10");
	ck_assert_uint_eq(fake.last.bind.sources_count, 1);
	ck_assert_uint_eq(session_count_user(fake.srv, "alice"), 1);
	closed_by(s, PPP_DOWN_PEER);
	ck_assert_str_eq(fake_log(), "script:1 ROUTE_DEL:10.0.0.10/32 Call-Disconnect-Notify");
	ck_assert_uint_eq(session_count_user(fake.srv, "alice"), 0);
}
END_TEST

START_TEST(the_first_reason_stays)
{
	struct session *s = fake_session(fake_conn("192.0.2.7"), SESSION_UP, "alice");

	session_end(s, PPP_DOWN_LOCAL, PPTP_CDN_ADMIN_SHUTDOWN, "kicked");
	session_end(s, PPP_DOWN_LOCAL, PPTP_CDN_ADMIN_SHUTDOWN, "again");
	closed_by(s, PPP_DOWN_PEER);
	ck_assert_str_eq(s->reason, "kicked");
	ck_assert_int_eq(s->down, PPP_DOWN_LOCAL);
}
END_TEST

/* A lost control connection ends its sessions, whatever they are doing. */
START_TEST(conn_is_lost)
{
	struct conn *c = fake_conn("192.0.2.7");
	struct session *s = fake_session(c, (enum session_state)_i, "carol");

	fake_log();
	conn_destroy(c, "TCP ended");
	ck_assert_int_eq(s->state, SESSION_CLOSING);
	ck_assert_ptr_null(s->conn);
	ck_assert_str_eq(fake_log(), "ABORT conn-free");
	closed_by(s, PPP_DOWN_LOCAL);
	ck_assert_ptr_null(fake.srv->sessions);
	ck_assert_str_eq(s->reason, "TCP ended");
}
END_TEST

START_TEST(refused_users)
{
	struct session *s = fake_call(fake_conn("192.0.2.7"));
	struct ppp_auth_request request = {.method = PPP_AUTH_MSCHAPV2, .id = 3, .name = "stranger"};

	session_fsm(s, SESSION_E_AUTH_REQUEST, &request);
	ck_assert_int_eq(s->state, SESSION_LINK);
	ck_assert_uint_eq(fake.last.auth.id, 3);
	ck_assert(!fake.last.auth.verdict.ok);
	ck_assert(!s->authed);
	ck_assert_uint_eq(fake.srv->counters.auth_refused, 1);
	/* a link that wants its network all the same does not get it */
	session_fsm(s, SESSION_E_AUTHED, NULL);
	ck_assert_int_eq(s->state, SESSION_CLOSING);
	ck_assert_str_eq(s->reason, "the peer did not authenticate");
}
END_TEST

/* The peer hangs up at once when it is refused: the link's reason is the true one, but not when it only lost its call. */
START_TEST(refused_and_hung_up)
{
	struct conn *c = fake_conn("192.0.2.7");
	struct session *s = fake_call(c);

	conn_destroy(c, "TCP ended");
	ck_assert_str_eq(s->reason, "TCP ended");
	closed_by(s, PPP_DOWN_AUTH_FAILED);
	ck_assert_str_eq(s->reason, ppp_down_text(PPP_DOWN_AUTH_FAILED));

	s = fake_call(fake_conn("192.0.2.7"));
	session_end(s, PPP_DOWN_LOCAL, PPTP_CDN_ADMIN_SHUTDOWN, "kicked");
	conn_destroy(s->conn, "TCP ended");
	closed_by(s, PPP_DOWN_AUTH_FAILED);
	ck_assert_str_eq(s->reason, "kicked");
}
END_TEST

START_TEST(methods_not_asked_for)
{
	struct session *s = fake_call(fake_conn("192.0.2.7"));
	struct ppp_auth_request request = {.method = PPP_AUTH_PAP, .id = 3, .name = "alice"};

	session_fsm(s, SESSION_E_AUTH_REQUEST, &request);
	ck_assert(!fake.last.auth.verdict.ok);
	ck_assert(!s->authed);
}
END_TEST

START_TEST(sessions_of_a_user)
{
	struct conn *c = fake_conn("192.0.2.7");
	struct session *first = fake_session(c, SESSION_UP, "carol"), *second = fake_session(c, SESSION_LINK, "");
	struct ppp_auth_request request = {.method = PPP_AUTH_MSCHAPV2, .id = 3, .name = "carol"};

	session_fsm(second, SESSION_E_AUTH_REQUEST, &request);
	ck_assert(!fake.last.auth.verdict.ok);
	ck_assert_str_eq(fake.last.auth.verdict.message, "too many sessions");
	closed_by(first, PPP_DOWN_PEER);
	session_fsm(second, SESSION_E_AUTH_REQUEST, &request);
	ck_assert(fake.last.auth.verdict.ok);
}
END_TEST

START_TEST(the_pool_is_exhausted)
{
	struct conn *c = fake_conn("192.0.2.7");
	struct session *s;

	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(fake_session(c, SESSION_UP, "alice")->state, SESSION_UP);
	s = fake_session(c, SESSION_SETUP, "alice");
	ck_assert_int_eq(s->state, SESSION_CLOSING);
	ck_assert_str_eq(s->reason, "the address pool is exhausted");
	ck_assert_str_eq(fake.last.close.reason, "the address pool is exhausted");
	ck_assert_uint_eq(fake.srv->counters.pool_exhausted, 1);
}
END_TEST

START_TEST(fixed_addresses)
{
	struct conn *c = fake_conn("192.0.2.7");
	struct session *bob, *dave;

	fake_log();
	bob = fake_session(c, SESSION_UP, "bob");
	ck_assert_str_eq(fake_log(), "OPEN Outgoing-Call-Reply AUTH route:10.0.0.30/32 route:10.9.0.0/24 "
				     "ROUTE_ADD:10.0.0.30/32 ROUTE_ADD:10.9.0.0/24 BIND script:0 script:1@exit");
	ck_assert_uint_eq(fake.last.bind.sources_count, 2);
	dave = fake_session(c, SESSION_UP, "dave");
	ck_assert(pool_has(fake.srv->pool_v4, pool_value_v4(&dave->v4)));
	ck_assert_str_eq(fake_session(c, SESSION_SETUP, "bob")->reason, "the user's own address is in use by another session");
	ck_assert_str_eq(fake_session(c, SESSION_SETUP, "dave")->reason, "the user's own address is in use by another session");
	ck_assert_str_eq(fake_session(fake_conn("192.0.2.8"), SESSION_SETUP, "none")->reason, "no address of either family for the user");
	fake_log();
	closed_by(bob, PPP_DOWN_PEER);
	ck_assert_str_eq(fake_log(), "script:1 ROUTE_DEL:10.0.0.30/32 ROUTE_DEL:10.9.0.0/24 unroute:10.0.0.30/32 unroute:10.9.0.0/24 "
				     "Call-Disconnect-Notify");
}
END_TEST

/* A user calls again before his old session is known to be dead: when that ends, it does not take his network away. */
START_TEST(a_network_behind_two_sessions)
{
	struct conn *c = fake_conn("192.0.2.7");
	struct session *old = fake_session(c, SESSION_UP, "erin"), *fresh = fake_session(c, SESSION_UP, "erin"), *third;

	fake_log();
	closed_by(old, PPP_DOWN_ECHO);
	ck_assert_str_eq(fake_log(), "script:1 ROUTE_DEL:10.0.0.10/32 ROUTE_DEL:10.8.0.0/24 ROUTE_ADD:10.8.0.0/24 Call-Disconnect-Notify");
	ck_assert_uint_eq(fake.last_route.route.call_id, fresh->call.call_id);
	/* and when the newest ends, it goes back to the one before */
	third = fake_session(c, SESSION_UP, "erin");
	closed_by(third, PPP_DOWN_PEER);
	ck_assert_uint_eq(fake.last_route.route.call_id, fresh->call.call_id);
	fake_log();
	closed_by(fresh, PPP_DOWN_PEER);
	ck_assert_str_eq(fake_log(), "script:1 ROUTE_DEL:10.0.0.11/32 ROUTE_DEL:10.8.0.0/24 unroute:10.8.0.0/24 Call-Disconnect-Notify");
}
END_TEST

/* The same with an interface each: the kernel's route is led to the other one. */
START_TEST(a_network_behind_two_interfaces)
{
	struct conn *c = fake_conn("192.0.2.7");
	struct session *old, *fresh;

	fake.srv->shared_if = 0;
	old = fake_session(c, SESSION_UP, "erin");
	fresh = fake_session(c, SESSION_UP, "erin");
	old->ifindex = 7;
	fresh->ifindex = 8;
	fake_log();
	closed_by(fresh, PPP_DOWN_PEER);
	ck_assert_str_eq(fake_log(), "script:1 route:10.8.0.0/24 IF_DEL Call-Disconnect-Notify");
	closed_by(old, PPP_DOWN_PEER);
	ck_assert_str_eq(fake_log(), "script:1 unroute:10.8.0.0/24 IF_DEL Call-Disconnect-Notify");
}
END_TEST

START_TEST(an_interface_of_its_own)
{
	struct session *s = fake_session(fake_conn("192.0.2.7"), SESSION_SETUP, "carol");

	ck_assert_str_eq(fake_log(), "Start-Control-Connection-Reply OPEN Outgoing-Call-Reply AUTH tun:carol0");
	fake_answer();
	ck_assert_str_eq(fake_log(), "IF_ADD addr:10.0.0.10");
	ck_assert_int_eq(s->state, SESSION_SETUP);
	fake_answer();
	ck_assert_str_eq(fake_log(), "BIND");
	ck_assert_uint_eq(fake.last.bind.if_id, s->if_id);
	closed_by(s, PPP_DOWN_PEER);
	ck_assert_str_eq(fake_log(), "IF_DEL Call-Disconnect-Notify");
}
END_TEST

/* The monitor's answer comes to a session that is ending, or gone: what it made is closed. */
START_TEST(answers_too_late)
{
	struct session *s = fake_session(fake_conn("192.0.2.7"), SESSION_SETUP, "carol");

	closed_by(s, PPP_DOWN_PEER);
	fake_log();
	fake_answer();
	ck_assert_str_eq(fake_log(), "");
	s = fake_session(fake_conn("192.0.2.8"), SESSION_SETUP, "carol");
	session_end(s, PPP_DOWN_LOCAL, PPTP_CDN_ADMIN_SHUTDOWN, "kicked");
	fake_log();
	fake_answer();
	ck_assert_str_eq(fake_log(), "");
	ck_assert_int_eq(s->state, SESSION_CLOSING);
}
END_TEST

START_TEST(the_monitor_refuses)
{
	struct session *s = fake_session(fake_conn("192.0.2.7"), SESSION_SETUP, "carol");

	fake.error = EBUSY;
	fake_answer();
	ck_assert_int_eq(s->state, SESSION_CLOSING);
	ck_assert_str_eq(s->reason, "interface");
	fake.error = 0;
	s = fake_session(fake_conn("192.0.2.8"), SESSION_SETUP, "bob");
	fake.error = EEXIST;
	fake_answer();
	ck_assert_int_eq(s->state, SESSION_CLOSING);
	ck_assert_str_eq(s->reason, "route");
}
END_TEST

START_TEST(the_engine_is_full)
{
	struct conn *c = fake_conn("192.0.2.7");

	fake.full = true;
	fake_call(c);
	ck_assert_ptr_null(fake.srv->sessions);
	fake.full = false;
	ck_assert_int_eq(fake_session(c, SESSION_UP, "alice")->state, SESSION_UP);
}
END_TEST

START_TEST(encryption_is_waited_for)
{
	struct session *s = fake_session(fake_conn("192.0.2.7"), SESSION_NETWORK, "alice");
	struct tunnel_event up = {.type = TUNNEL_EVENT_UP, .up.bundle.ipv4_up = true};

	fake.config.options.bundle.mppe = PPP_MPPE_REQUIRE;
	session_fsm(s, SESSION_E_NETWORK_UP, &up);
	ck_assert_int_eq(s->state, SESSION_NETWORK);
	up.up.bundle.mppe_up = true;
	session_fsm(s, SESSION_E_NETWORK_UP, &up);
	ck_assert_int_eq(s->state, SESSION_UP);
}
END_TEST

START_TEST(time_outs)
{
	struct session *s = fake_session(fake_conn("192.0.2.7"), SESSION_UP, "alice");
	uint64_t ts = s->up_ts;

	fake.config.idle_timeout_ns = TS_S(60);
	fake.config.session_timeout_ns = TS_S(600);
	session_check_timeouts(s, ts + TS_S(59));
	ck_assert_int_eq(s->state, SESSION_UP);
	atomic_store(&s->counters->last_rx_ts, ts + TS_S(50));
	session_check_timeouts(s, ts + TS_S(109));
	ck_assert_int_eq(s->state, SESSION_UP);
	session_check_timeouts(s, ts + TS_S(110));
	ck_assert_int_eq(s->state, SESSION_CLOSING);
	ck_assert_str_eq(s->reason, "idle time-out");

	s = fake_session(fake_conn("192.0.2.8"), SESSION_UP, "alice");
	s->profile.idle_timeout_ns = 0;
	s->profile.session_timeout_ns = TS_S(10);
	session_check_timeouts(s, s->up_ts + TS_S(9));
	ck_assert_int_eq(s->state, SESSION_UP);
	session_check_timeouts(s, s->up_ts + TS_S(10));
	ck_assert_str_eq(s->reason, "session time-out");
}
END_TEST

START_TEST(session_limit)
{
	fake.config.max_sessions = 1;
	ck_assert_int_eq(fake_session(fake_conn("192.0.2.7"), SESSION_UP, "alice")->state, SESSION_UP);
	ck_assert_ptr_null(fake_call(fake_conn("192.0.2.8")));
	ck_assert_uint_eq(fake.srv->counters.sessions_refused, 1);
}
END_TEST

/* Calls on which nobody authenticates: the oldest makes room for the next, none that is authenticated does. */
START_TEST(strangers_make_room)
{
	struct conn *c = fake_conn("192.0.2.7"), *d = fake_conn("192.0.2.8");
	struct session *up = fake_session(c, SESSION_UP, "alice"), *first, *second, *third;

	fake.config.max_sessions = 3;
	first = fake_call(c);
	second = fake_call(d);
	fake_log();
	third = fake_call(d);
	ck_assert_ptr_nonnull(third);
	ck_assert_str_eq(fake_log(), "ABORT Call-Disconnect-Notify OPEN Outgoing-Call-Reply");
	ck_assert_int_eq(first->state, SESSION_CLOSING);
	ck_assert_str_eq(first->reason, "not authenticated yet, and others wait");
	ck_assert_int_eq(second->state, SESSION_LINK);
	ck_assert_int_eq(up->state, SESSION_UP);
	closed_by(first, PPP_DOWN_LOCAL);
	ck_assert_uint_eq(fake.srv->sessions_count, 3);
	/* of the same connection, and in the middle of a call to come */
	ck_assert_ptr_nonnull(fake_call(d));
	ck_assert_int_eq(second->state, SESSION_CLOSING);
	ck_assert_uint_eq(fake.srv->counters.strangers_dropped, 2);
}
END_TEST

/* Workers that do not get on with it: what ends at once is bounded as well. */
START_TEST(strangers_that_end_are_bounded)
{
	struct conn *c = fake_conn("192.0.2.7");

	fake.config.max_sessions = 1;
	for (int i = 0; i < 1 + 256; i++)
		ck_assert_ptr_nonnull(fake_call(c));
	ck_assert_ptr_null(fake_call(c));
	ck_assert_uint_eq(fake.srv->sessions_count, 1 + 256);
}
END_TEST

/* Every event in every state: nothing crashes, nothing is lost (see fake_fini()). */
START_TEST(every_state_and_event)
{
	static const enum session_state states[] = {SESSION_LINK, SESSION_SETUP, SESSION_NETWORK, SESSION_UP, SESSION_CLOSING};
	struct conn *c = fake_conn("192.0.2.7");
	struct session *s;
	union {
		struct ppp_auth_request request;
		struct auth_answer answer;
		struct session_close close;
		struct tunnel_event event;
	} arg;
	enum session_state state = states[_i / SESSION_EVENTS];
	enum session_event event = (enum session_event)(_i % SESSION_EVENTS);

	s = fake_session(c, state == SESSION_CLOSING ? SESSION_UP : state, "carol");
	if (state == SESSION_CLOSING)
		session_end(s, PPP_DOWN_LOCAL, PPTP_CDN_ADMIN_SHUTDOWN, "test");
	ck_assert_int_eq(s->state, state);
	memset(&arg, 0, sizeof(arg));
	if (event == SESSION_E_CLOSE || event == SESSION_E_CALL_DOWN)
		arg.close.reason = "x";
	if (event == SESSION_E_CALL_UP)
		return;
	session_fsm(s, event, &arg);
	if (state == SESSION_CLOSING)
		ck_assert(s->state == SESSION_CLOSING || s->state == SESSION_DEAD);
	if (event == SESSION_E_CLOSED)
		ck_assert_int_eq(s->state, SESSION_DEAD);
	if (event == SESSION_E_CALL_DOWN)
		ck_assert_int_eq(s->state, SESSION_CLOSING);
}
END_TEST

Suite *suite_session(void);

Suite *
suite_session(void)
{
	Suite *s = suite_create("pptpd/session");
	TCase *t = tcase_create("session");

	tcase_add_checked_fixture(t, fake_init, fake_fini);
	tcase_add_test(t, a_whole_life);
	tcase_add_test(t, the_first_reason_stays);
	tcase_add_loop_test(t, conn_is_lost, SESSION_SETUP, SESSION_UP + 1);
	tcase_add_test(t, refused_users);
	tcase_add_test(t, refused_and_hung_up);
	tcase_add_test(t, methods_not_asked_for);
	tcase_add_test(t, sessions_of_a_user);
	tcase_add_test(t, the_pool_is_exhausted);
	tcase_add_test(t, fixed_addresses);
	tcase_add_test(t, a_network_behind_two_sessions);
	tcase_add_test(t, a_network_behind_two_interfaces);
	tcase_add_test(t, an_interface_of_its_own);
	tcase_add_test(t, answers_too_late);
	tcase_add_test(t, the_monitor_refuses);
	tcase_add_test(t, the_engine_is_full);
	tcase_add_test(t, encryption_is_waited_for);
	tcase_add_test(t, time_outs);
	tcase_add_test(t, session_limit);
	tcase_add_test(t, strangers_make_room);
	tcase_add_test(t, strangers_that_end_are_bounded);
	tcase_add_loop_test(t, every_state_and_event, 0, 5 * SESSION_EVENTS);
	suite_add_tcase(s, t);
	return s;
}
