#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/timerheap.h"
#include "tests/unit/pptpc/fake.h"
#include "tests/unit/suite.h"

static struct dial *d;

#define ck_log(text) ck_assert_str_eq(fake_log(), text)

START_TEST(test_a_call_from_its_beginning_to_its_end)
{
	d = fake_client("routes 10.0.0.0/8 ip-up /up ip-down /down");
	fake.connects = true;
	dial_start(d);
	ck_assert_int_eq(d->state, DIAL_RESOLVE);
	fake_resolve(d);
	ck_assert_int_eq(d->state, DIAL_CONNECT);
	ck_log("tcp4");
	fake_answer();
	ck_log("connect:192.0.2.1:1723 Start-Control-Connection-Request");
	fake_start_reply(1);
	ck_assert_int_eq(d->state, DIAL_CALL);
	/* The session is there before the answer: the server's first GRE may overtake it. */
	ck_log("OPEN Outgoing-Call-Request");
	ck_assert(fake.last.open.peer_later);
	ck_assert_uint_eq(fake.last.open.call_id, fake.call_id);
	fake_call_reply(1, 0);
	ck_assert_int_eq(d->state, DIAL_LINK);
	ck_log("PEER Set-Link-Info");
	ck_assert_uint_eq(fake.last.peer.call_id, 77);
	ck_assert_uint_eq(fake.last.peer.window, 16);
	fake_network(d);
	ck_log("tun:pptp%d");
	fake_answer();
	ck_log("IF_ADD BIND");
	fake_up(d, true, true, true);
	ck_assert_int_eq(d->state, DIAL_UP);
	ck_log("mtu:1396 +addr:10.1.1.2>10.1.1.1 +addr:fe80::2>none +route:10.0.0.0/8>link script:0 script:1@exit");

	dial_stop(d);
	ck_assert_int_eq(d->state, DIAL_HANGUP);
	ck_log("script:1 -route:10.0.0.0/8>link -addr:10.1.1.2>10.1.1.1 -addr:fe80::2>none CLOSE");
	fake_closed(d, PPP_DOWN_LOCAL, 0, "");
	ck_log("Call-Clear-Request");
	fake_disconnect(4);
	ck_log("Stop-Control-Connection-Request");
	fake_stop_reply();
	ck_log("free IF_DEL");
	ck_assert_int_eq(d->state, DIAL_DOWN);
	ck_assert_int_eq(d->trouble.kind, TROUBLE_STOPPED);
}
END_TEST

/* Whatever is under way when it is told to stop, it ends, even if nobody answers any more. */
START_TEST(test_stop_in_every_state)
{
	for (int state = DIAL_RESOLVE; state <= DIAL_UP; state++) {
		struct tunnel_counters *counters;

		fake_fini();
		fake_init();
		d = fake_client("retry-network 1");
		fake.connects = true;
		dial_start(d);
		if (state >= DIAL_CONNECT)
			fake_resolve(d);
		if (state >= DIAL_CALL) {
			fake_answer();
			fake_start_reply(1);
		}
		if (state >= DIAL_LINK)
			fake_call_reply(1, 0);
		if (state >= DIAL_UP) {
			fake_network(d);
			fake_answer();
			fake_up(d, true, false, true);
		}
		ck_assert_int_eq(d->state, state);
		counters = d->counters;
		dial_stop(d);
		for (int i = 0; i < 5 && d->state != DIAL_DOWN; i++)
			fake_timer(d);
		ck_assert_msg(d->state == DIAL_DOWN, "from %s", dial_state_name((enum dial_state)state));
		ck_assert_ptr_null(d->control);
		ck_assert_uint_eq(d->session, 0);
		/* A worker that never closed the session may still write to them. */
		free(counters);
	}
}
END_TEST

START_TEST(test_a_socket_that_comes_too_late_is_closed)
{
	d = fake_client("");
	dial_start(d);
	fake_resolve(d);
	dial_stop(d);
	ck_assert_int_eq(d->state, DIAL_DOWN);
	fake_log();
	fake_answer();
	ck_log("");
	ck_assert_ptr_null(d->control);
}
END_TEST

START_TEST(test_the_next_server_then_a_wait)
{
	d = fake_client("server 192.0.2.1,192.0.2.2");
	dial_start(d);
	fake_resolve(d);
	fake_answer();
	fake_log();
	fake_unreachable(ECONNREFUSED);
	fake_resolve(d);
	fake_answer();
	ck_log("free tcp4 connect:192.0.2.2:1723");
	fake_unreachable(ETIMEDOUT);
	ck_assert_int_eq(d->state, DIAL_WAIT);
	ck_assert_int_eq(d->trouble.kind, TROUBLE_TCP_TIMEOUT);
	ck_assert_uint_eq(d->backoff.total, 1);
	fake_log();
	fake_timer(d);
	fake_resolve(d);
	fake_answer();
	ck_log("tcp4 connect:192.0.2.1:1723");
	fake_unreachable(ECONNREFUSED);
	dial_stop(d);
}
END_TEST

START_TEST(test_by_hand_it_is_tried_once)
{
	fake.config.by_hand = true;
	d = fake_client("");
	dial_start(d);
	fake_resolve(d);
	fake_answer();
	fake_unreachable(ECONNREFUSED);
	ck_assert_int_eq(d->state, DIAL_DOWN);
	ck_assert_int_eq(fake.client.status, EXIT_UNREACHABLE);
}
END_TEST

START_TEST(test_a_refused_call)
{
	d = fake_client("");
	fake.connects = true;
	dial_start(d);
	fake_resolve(d);
	fake_answer();
	fake_start_reply(1);
	fake_log();
	fake_call_reply(PPTP_OCRP_BUSY, 0);
	ck_assert_int_eq(d->trouble.kind, TROUBLE_CALL_BUSY);
	/* The session that waits for the peer hears that it will not come. */
	ck_assert_int_eq(d->state, DIAL_HANGUP);
	ck_log("ABORT");
	ck_assert_uint_eq(fake.last.abort.listen_ns, 0);
	fake_closed(d, PPP_DOWN_NO_REPLY, 0, "");
	ck_log("Stop-Control-Connection-Request");
	fake_stop_reply();
	ck_assert_int_eq(d->state, DIAL_WAIT);
	ck_assert_int_eq(d->trouble.kind, TROUBLE_CALL_BUSY);
	dial_stop(d);
}
END_TEST

START_TEST(test_a_refused_control_connection)
{
	d = fake_client("");
	fake.connects = true;
	dial_start(d);
	fake_resolve(d);
	fake_answer();
	fake_start_reply(PPTP_START_NOT_AUTHORIZED);
	ck_assert_int_eq(d->trouble.kind, TROUBLE_CONTROL_FORBIDDEN);
	ck_assert_int_eq(d->state, DIAL_WAIT);
	dial_stop(d);
}
END_TEST

/* Dials one tunnel as far as the negotiation of its link. */
static void
negotiate(const char *options)
{
	d = fake_client(options);
	fake.connects = true;
	dial_start(d);
	fake_resolve(d);
	fake_answer();
	fake_start_reply(1);
	fake_call_reply(1, 0);
	ck_assert_int_eq(d->state, DIAL_LINK);
	fake_log();
}

/* The call goes first and takes the link with it; the link knows why. */
START_TEST(test_a_wrong_password_whose_news_comes_late)
{
	negotiate("");
	fake_disconnect(3);
	ck_assert_int_eq(d->state, DIAL_HANGUP);
	ck_assert_int_eq(d->trouble.kind, TROUBLE_ENDED_CALL);
	ck_log("ABORT");
	ck_assert_uint_eq(fake.last.abort.listen_ns, TS_S(1));
	fake_closed(d, PPP_DOWN_AUTH_REJECTED, 691, "");
	ck_assert_int_eq(d->trouble.kind, TROUBLE_AUTH_WRONG);
	fake_stop_reply();
	/* retry-auth is stop */
	ck_assert_int_eq(d->state, DIAL_DOWN);
	ck_assert(!d->wanted);
	dial_start(d);
	ck_assert_int_eq(d->state, DIAL_RESOLVE);
	dial_stop(d);
}
END_TEST

/* The same when TCP itself ends first. */
START_TEST(test_a_wrong_password_behind_the_end_of_tcp)
{
	negotiate("server 192.0.2.1,192.0.2.2");
	fake_tcp_closed();
	ck_assert_int_eq(d->trouble.kind, TROUBLE_ENDED_EARLY);
	ck_log("ABORT free");
	ck_assert_uint_eq(fake.last.abort.listen_ns, TS_S(1));
	fake_closed(d, PPP_DOWN_AUTH_REJECTED, 691, "");
	ck_assert_int_eq(d->trouble.kind, TROUBLE_AUTH_WRONG);
	/* Another server would not know a better password. */
	ck_assert_int_eq(d->state, DIAL_DOWN);
}
END_TEST

START_TEST(test_a_server_that_requires_encryption_behind_the_end_of_tcp)
{
	negotiate("");
	fake_tcp_closed();
	fake_closed(d, PPP_DOWN_PEER, 0, "MPPE required but cannot negotiate MPPE key");
	ck_assert_int_eq(d->trouble.kind, TROUBLE_ENCRYPTION_WANTED);
	ck_assert_int_eq(trouble_exit(d->trouble.kind), EXIT_ENCRYPTION);
	dial_stop(d);
}
END_TEST

START_TEST(test_the_end_of_tcp_without_a_word)
{
	negotiate("");
	fake_tcp_closed();
	fake_closed(d, PPP_DOWN_PEER, 0, "the call ended");
	ck_assert_int_eq(d->trouble.kind, TROUBLE_ENDED_EARLY);
	ck_assert_str_eq(d->trouble.detail, ": it closed the TCP connection");
	ck_assert_int_eq(d->state, DIAL_WAIT);
	dial_stop(d);
}
END_TEST

START_TEST(test_stop_while_listening_for_last_words)
{
	negotiate("");
	fake_tcp_closed();
	fake_log();
	dial_stop(d);
	ck_log("ABORT");
	ck_assert_uint_eq(fake.last.abort.listen_ns, 0);
	/* Once is enough. */
	dial_stop(d);
	ck_log("");
	fake_closed(d, PPP_DOWN_PEER, 0, "the call ended");
	ck_assert_int_eq(d->state, DIAL_DOWN);
}
END_TEST

/* A reason that is one already is not improved by waiting. */
START_TEST(test_a_mute_server_has_no_last_words)
{
	negotiate("");
	fake_event(d, TUNNEL_EVENT_NO_GRE);
	fake_log();
	fake_tcp_closed();
	ck_log("ABORT free");
	ck_assert_uint_eq(fake.last.abort.listen_ns, 0);
	ck_assert_int_eq(d->trouble.kind, TROUBLE_GRE_BLOCKED);
	fake_closed(d, PPP_DOWN_NO_REPLY, 0, "");
	ck_assert_int_eq(d->state, DIAL_WAIT);
	dial_stop(d);
}
END_TEST

START_TEST(test_a_call_that_just_ends)
{
	d = fake_client("");
	fake_dial_up(d);
	fake_disconnect(1);
	ck_assert_uint_eq(fake.last.abort.listen_ns, TS_MS(300));
	fake_closed(d, PPP_DOWN_PEER, 0, "the call ended");
	ck_assert_int_eq(d->trouble.kind, TROUBLE_ENDED_CALL);
	fake_stop_reply();
	ck_assert_int_eq(d->state, DIAL_WAIT);
	/* The interface waits for the next call. */
	ck_assert_int_eq(d->netif.ifindex, 7);
	dial_stop(d);
	ck_assert_int_eq(d->netif.ifindex, 0);
}
END_TEST

START_TEST(test_tcp_that_breaks)
{
	d = fake_client("");
	fake_dial_up(d);
	fake_tcp_closed();
	ck_assert_int_eq(d->trouble.kind, TROUBLE_TCP_LOST);
	ck_assert_uint_eq(fake.last.abort.listen_ns, TS_MS(300));
	fake_closed(d, PPP_DOWN_PEER, 0, "the call ended");
	ck_assert_int_eq(d->state, DIAL_WAIT);
	dial_stop(d);
}
END_TEST

START_TEST(test_nobody_answers_while_hanging_up)
{
	struct tunnel_counters *counters;

	d = fake_client("");
	fake_dial_up(d);
	counters = d->counters;
	dial_stop(d);
	fake_log();
	fake_timer(d);
	ck_log("ABORT");
	fake_timer(d);
	ck_log("Call-Clear-Request");
	fake_timer(d);
	ck_log("Stop-Control-Connection-Request");
	fake_timer(d);
	ck_log("free IF_DEL");
	ck_assert_int_eq(d->state, DIAL_DOWN);
	free(counters);
}
END_TEST

START_TEST(test_blocked_gre)
{
	d = fake_client("");
	fake.connects = true;
	dial_start(d);
	fake_resolve(d);
	fake_answer();
	fake_start_reply(1);
	fake_call_reply(1, 0);
	fake_event(d, TUNNEL_EVENT_NO_GRE);
	ck_assert(d->no_gre);
	ck_assert_int_eq(d->state, DIAL_LINK);
	fake_closed(d, PPP_DOWN_NO_REPLY, 0, "");
	ck_assert_int_eq(d->trouble.kind, TROUBLE_GRE_BLOCKED);
	fake_disconnect(4);
	fake_stop_reply();
	ck_assert_int_eq(d->state, DIAL_WAIT);
	dial_stop(d);
}
END_TEST

START_TEST(test_up_waits_for_encryption_and_ipv4)
{
	d = fake_client("");
	fake.connects = true;
	dial_start(d);
	fake_resolve(d);
	fake_answer();
	fake_start_reply(1);
	fake_call_reply(1, 0);
	fake_network(d);
	fake_answer();
	fake_log();
	fake_up(d, false, true, false);
	ck_assert_int_eq(d->state, DIAL_LINK);
	fake_up(d, false, true, true);
	ck_assert_int_eq(d->state, DIAL_LINK);
	ck_log("");
	fake_up(d, true, true, true);
	ck_assert_int_eq(d->state, DIAL_UP);
	dial_stop(d);
	fake_closed(d, PPP_DOWN_LOCAL, 0, "");
	fake_disconnect(4);
	fake_stop_reply();
}
END_TEST

START_TEST(test_up_without_ipv4_after_a_while)
{
	d = fake_client("");
	fake.connects = true;
	dial_start(d);
	fake_resolve(d);
	fake_answer();
	fake_start_reply(1);
	fake_call_reply(1, 0);
	fake_network(d);
	fake_answer();
	fake_up(d, false, true, true);
	fake_timer(d);
	ck_assert_int_eq(d->state, DIAL_UP);
	dial_stop(d);
	fake_closed(d, PPP_DOWN_LOCAL, 0, "");
	fake_disconnect(4);
	fake_stop_reply();
}
END_TEST

START_TEST(test_an_interface_that_cannot_be_made)
{
	d = fake_client("");
	fake.connects = true;
	dial_start(d);
	fake_resolve(d);
	fake_answer();
	fake_start_reply(1);
	fake_call_reply(1, 0);
	fake_network(d);
	fake.error = EBUSY;
	fake_answer();
	ck_assert_int_eq(d->trouble.kind, TROUBLE_LOCAL);
	fake.error = 0;
	fake_closed(d, PPP_DOWN_LOCAL, 0, "");
	fake_disconnect(4);
	fake_stop_reply();
	ck_assert_int_eq(d->state, DIAL_WAIT);
	dial_stop(d);
}
END_TEST

START_TEST(test_a_kick_dials_again)
{
	d = fake_client("retry-ended 1");
	fake_dial_up(d);
	dial_hangup_kind(d, TROUBLE_KICKED, NULL);
	fake_closed(d, PPP_DOWN_LOCAL, 0, "");
	fake_disconnect(4);
	fake_stop_reply();
	ck_assert_int_eq(d->state, DIAL_WAIT);
	fake_timer(d);
	fake_resolve(d);
	ck_assert_int_eq(d->state, DIAL_CONNECT);
	dial_stop(d);
}
END_TEST

/* --- dial on demand ---------------------------------------------------------------------------- */

static void
hang_up_idle(void)
{
	dial_hangup_kind(d, TROUBLE_IDLE, NULL);
	fake_closed(d, PPP_DOWN_LOCAL, 0, "");
	fake_disconnect(4);
	fake_stop_reply();
}

START_TEST(test_demand)
{
	d = fake_client("demand yes routes 10.0.0.0/8 ipv6 no");
	fake.connects = true;
	dial_start(d);
	ck_assert_int_eq(d->state, DIAL_STANDBY);
	/* The server's addresses are known before the routes are there. */
	fake_resolve(d);
	ck_log("tun:pptp%d");
	fake_answer();
	ck_log("IF_ADD +addr:192.0.0.7>none +route:10.0.0.0/8>link");
	fake_event(d, TUNNEL_EVENT_DIAL);
	fake_resolve(d);
	fake_answer();
	fake_start_reply(1);
	fake_call_reply(1, 0);
	fake_log();
	fake_network(d);
	ck_log("BIND");
	ck_assert_uint_eq(fake.last.bind.nat_inside.bytes[0], 192);
	/* Nothing changes on the interface: what was begun before goes on. */
	fake_up(d, true, false, true);
	ck_log("mtu:1396");
	ck_assert_int_eq(d->state, DIAL_UP);
	hang_up_idle();
	ck_log("CLOSE Call-Clear-Request Stop-Control-Connection-Request free");
	ck_assert_int_eq(d->state, DIAL_STANDBY);
	fake_event(d, TUNNEL_EVENT_DIAL);
	ck_assert_int_eq(d->state, DIAL_RESOLVE);
	fake_log();
	dial_stop(d);
	ck_log("-route:10.0.0.0/8>link IF_DEL");
}
END_TEST

START_TEST(test_a_packet_while_hanging_up_dials_again)
{
	d = fake_client("demand yes");
	fake.connects = true;
	dial_start(d);
	fake_resolve(d);
	fake_answer();
	fake_event(d, TUNNEL_EVENT_DIAL);
	fake_resolve(d);
	fake_answer();
	fake_start_reply(1);
	fake_call_reply(1, 0);
	fake_network(d);
	fake_up(d, true, false, true);
	dial_hangup_kind(d, TROUBLE_IDLE, NULL);
	fake_event(d, TUNNEL_EVENT_DIAL);
	fake_closed(d, PPP_DOWN_LOCAL, 0, "");
	fake_disconnect(4);
	fake_stop_reply();
	ck_assert_int_eq(d->state, DIAL_RESOLVE);
	dial_stop(d);
}
END_TEST

START_TEST(test_idle_without_demand_stays_down)
{
	d = fake_client("");
	fake_dial_up(d);
	hang_up_idle();
	ck_assert_int_eq(d->state, DIAL_DOWN);
	ck_assert(!d->wanted);
}
END_TEST

/* --- routes and addresses -------------------------------------------------------------------------- */

START_TEST(test_host_route)
{
	d = fake_client("default-route yes ipv6 no dns yes");
	addr_parse(&fake.gateway, "198.51.100.1");
	fake.connects = true;
	dial_start(d);
	fake_resolve(d);
	/* The route is there before the socket is. */
	ck_log("+route:192.0.2.1/32>198.51.100.1 tcp4");
	fake_answer();
	fake_start_reply(1);
	fake_call_reply(1, 0);
	fake_network(d);
	fake_answer();
	fake_log();
	fake_up(d, true, false, true);
	ck_log("mtu:1396 +addr:10.1.1.2>10.1.1.1 +route:0.0.0.0/1>link +route:128.0.0.0/1>link +dns");

	/* Nothing changed; another gateway; no way for a while; the kernel dropped it; back. */
	hostroute_check(d);
	ck_log("");
	addr_parse(&fake.gateway, "198.51.100.9");
	hostroute_check(d);
	ck_log("-route:192.0.2.1/32>198.51.100.1 +route:192.0.2.1/32>198.51.100.9");
	fake.gateway.family = 0;
	hostroute_check(d);
	ck_log("");
	addr_parse(&fake.gateway, "198.51.100.9");
	fake.route_lost = true;
	hostroute_check(d);
	ck_log("+route:192.0.2.1/32>198.51.100.9");
	dial_stop(d);
	ck_log("-route:0.0.0.0/1>link -route:128.0.0.0/1>link -addr:10.1.1.2>10.1.1.1 -dns CLOSE");
	fake_closed(d, PPP_DOWN_LOCAL, 0, "");
	fake_disconnect(4);
	fake_stop_reply();
	ck_log("Call-Clear-Request Stop-Control-Connection-Request free -route:192.0.2.1/32>198.51.100.9 IF_DEL");
}
END_TEST

START_TEST(test_no_host_route_for_split_routes_elsewhere)
{
	d = fake_client("routes 10.0.0.0/8");
	addr_parse(&fake.gateway, "198.51.100.1");
	dial_start(d);
	fake_resolve(d);
	ck_log("tcp4");
	dial_stop(d);
}
END_TEST

/* The advertisement is often quicker than IPCP. */
START_TEST(test_a_prefix_before_and_after_up)
{
	struct tunnel_event e = {.type = TUNNEL_EVENT_PREFIX};

	d = fake_client("default-route6 yes");
	fake.connects = true;
	dial_start(d);
	fake_resolve(d);
	fake_answer();
	fake_start_reply(1);
	fake_call_reply(1, 0);
	fake_network(d);
	fake_answer();
	fake_up(d, false, true, true);
	fake_log();
	prefix_parse(&e.prefix, "fd00:1::/64");
	dial_engine_event(d, &e);
	ck_log("");
	fake_up(d, true, true, true);
	ck_log("mtu:1396 +addr:10.1.1.2>10.1.1.1 +addr:fe80::2>none +addr:fd00:1::2>none +route:::/1>link +route:8000::/1>link");
	prefix_parse(&e.prefix, "fd00:2::/64");
	dial_engine_event(d, &e);
	ck_log("-addr:fd00:1::2>none +addr:fd00:2::2>none");
	dial_stop(d);
	fake_closed(d, PPP_DOWN_LOCAL, 0, "");
	fake_disconnect(4);
	fake_stop_reply();
}
END_TEST

/* A server that calls its outer address its inner one must not draw its own packets into the tunnel. */
START_TEST(test_inner_address_that_is_the_outer_one)
{
	d = fake_client("server 10.1.1.1 ipv6 no");
	fake_dial_up(d);
	ck_assert_ptr_nonnull(strstr(fake_log(), "+addr:10.1.1.2>none"));
	dial_stop(d);
	fake_closed(d, PPP_DOWN_LOCAL, 0, "");
	fake_disconnect(4);
	fake_stop_reply();
}
END_TEST

static void
add_dial_tests(TCase *t)
{
	tcase_add_test(t, test_a_call_from_its_beginning_to_its_end);
	tcase_add_test(t, test_stop_in_every_state);
	tcase_add_test(t, test_a_socket_that_comes_too_late_is_closed);
	tcase_add_test(t, test_the_next_server_then_a_wait);
	tcase_add_test(t, test_by_hand_it_is_tried_once);
	tcase_add_test(t, test_a_refused_call);
	tcase_add_test(t, test_a_refused_control_connection);
	tcase_add_test(t, test_a_wrong_password_whose_news_comes_late);
	tcase_add_test(t, test_a_wrong_password_behind_the_end_of_tcp);
	tcase_add_test(t, test_a_server_that_requires_encryption_behind_the_end_of_tcp);
	tcase_add_test(t, test_the_end_of_tcp_without_a_word);
	tcase_add_test(t, test_stop_while_listening_for_last_words);
	tcase_add_test(t, test_a_mute_server_has_no_last_words);
	tcase_add_test(t, test_a_call_that_just_ends);
	tcase_add_test(t, test_tcp_that_breaks);
	tcase_add_test(t, test_nobody_answers_while_hanging_up);
	tcase_add_test(t, test_blocked_gre);
	tcase_add_test(t, test_up_waits_for_encryption_and_ipv4);
	tcase_add_test(t, test_up_without_ipv4_after_a_while);
	tcase_add_test(t, test_an_interface_that_cannot_be_made);
	tcase_add_test(t, test_a_kick_dials_again);
}

Suite *suite_dial(void);

Suite *
suite_dial(void)
{
	Suite *s = suite_create("dial");
	TCase *t = tcase_create("dial");

	tcase_add_checked_fixture(t, fake_init, fake_fini);
	add_dial_tests(t);
	tcase_add_test(t, test_demand);
	tcase_add_test(t, test_a_packet_while_hanging_up_dials_again);
	tcase_add_test(t, test_idle_without_demand_stays_down);
	tcase_add_test(t, test_host_route);
	tcase_add_test(t, test_no_host_route_for_split_routes_elsewhere);
	tcase_add_test(t, test_a_prefix_before_and_after_up);
	tcase_add_test(t, test_inner_address_that_is_the_outer_one);
	suite_add_tcase(s, t);
	return s;
}
