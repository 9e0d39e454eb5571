/* What the machine and its operator do to a tunnel. */
#include <errno.h>
#include <string.h>

#include "base/timerheap.h"
#include "tests/unit/pptpc/fake.h"
#include "tests/unit/suite.h"

static struct dial *d;

/* The server answers all that it is asked while the tunnel ends. */
static void
hang_up(void)
{
	fake_closed(d, PPP_DOWN_LOCAL, 0, "");
	fake_disconnect(4);
	fake_stop_reply();
}

/* The one who says so last is right, at once. */
START_TEST(test_told_to_dial_while_it_hangs_up)
{
	d = fake_client("");
	fake_dial_up(d);
	dial_stop(d);
	dial_start(d);
	ck_assert_int_eq(d->state, DIAL_HANGUP);
	hang_up();
	ck_assert_int_eq(d->state, DIAL_RESOLVE);
	ck_assert(d->wanted);
	fake_resolve(d);
	ck_assert_int_eq(d->state, DIAL_CONNECT);
	dial_stop(d);
	ck_assert_int_eq(d->state, DIAL_DOWN);

	fake_dial_up(d);
	dial_stop(d);
	dial_start(d);
	dial_stop(d);
	hang_up();
	ck_assert_int_eq(d->state, DIAL_DOWN);
}
END_TEST

START_TEST(test_told_to_dial_while_it_stands_by)
{
	d = fake_client("demand yes");
	dial_start(d);
	fake_resolve(d);
	fake_answer();
	ck_assert_int_eq(d->state, DIAL_STANDBY);
	dial_start(d);
	ck_assert_int_eq(d->state, DIAL_RESOLVE);
	dial_stop(d);
}
END_TEST

START_TEST(test_an_interface_that_somebody_deletes)
{
	d = fake_client("");
	fake_dial_up(d);
	netif_check(d);
	ck_assert_int_eq(d->state, DIAL_UP);
	fake.link_lost = true;
	netif_check(d);
	ck_assert_int_eq(d->state, DIAL_HANGUP);
	ck_assert_int_eq(d->trouble.kind, TROUBLE_LOCAL);
	ck_assert_str_eq(d->trouble.detail, "another program, or somebody by hand, deleted the interface t0");
	ck_assert_int_eq(d->netif.ifindex, 0);
	hang_up();
	ck_assert_int_eq(d->state, DIAL_WAIT);
	fake.link_lost = false;
	fake_log();
	fake_timer(d);
	fake_resolve(d);
	fake_answer();
	fake_start_reply(1);
	fake_call_reply(1, 0);
	fake_log();
	fake_network(d);
	ck_assert_str_eq(fake_log(), "tun:pptp%d");
	fake_answer();
	fake_up(d, true, true, true);
	ck_assert_int_eq(d->state, DIAL_UP);
	dial_stop(d);
	hang_up();
}
END_TEST

START_TEST(test_an_interface_that_somebody_deletes_while_it_waits_for_packets)
{
	d = fake_client("demand yes");
	dial_start(d);
	fake_resolve(d);
	fake_answer();
	ck_assert_int_eq(d->state, DIAL_STANDBY);
	fake_log();
	fake.link_lost = true;
	netif_check(d);
	ck_assert_int_eq(d->state, DIAL_STANDBY);
	fake.link_lost = false;
	fake_resolve(d);
	fake_answer();
	ck_assert_ptr_nonnull(strstr(fake_log(), "IF_DEL tun:pptp%d IF_ADD"));
	ck_assert_int_eq(d->netif.ifindex, 7);
	dial_stop(d);
}
END_TEST

/* Another program has such a route: it is told, and not taken for ours at the end. */
START_TEST(test_a_route_that_is_refused)
{
	d = fake_client("routes 10.0.0.0/8");
	fake_dial_link(d);
	fake_network(d);
	fake_answer();
	fake_up(d, true, true, true);
	ck_assert_uint_eq(d->netif.routes.count, 1);
	fake.error = EEXIST;
	fake_answer();
	fake.error = 0;
	ck_assert_uint_eq(d->netif.routes.count, 0);
	fake_log();
	dial_stop(d);
	ck_assert_ptr_null(strstr(fake_log(), "-route"));
	hang_up();
}
END_TEST

static const struct {
	const char *options;
	int error;
	const char *sentence;
} bindings[] = {
    {"bind-interface wwan0", ENODEV, "there is no interface wwan0 (bind-interface)"},
    {"bind-address 192.0.2.9", EADDRNOTAVAIL, "192.0.2.9 is no address of this machine (bind-address)"},
};

/* They may come later, as a modem's do. */
START_TEST(test_what_to_bind_to_is_not_there)
{
	d = fake_client(bindings[_i].options);
	dial_start(d);
	fake_resolve(d);
	fake.error = bindings[_i].error;
	fake_answer();
	ck_assert_int_eq(d->state, DIAL_WAIT);
	ck_assert_str_eq(d->trouble.detail, bindings[_i].sentence);
	fake.error = 0;
	dial_stop(d);
}
END_TEST

START_TEST(test_a_negotiation_without_end)
{
	d = fake_client("lcp-restart 1 lcp-max-configure 2 auth-timeout 3");
	fake_dial_link(d);
	fake_network(d);
	fake_answer();
	ck_assert_uint_eq(fake.last.bind.bundle.restart_ns, TS_S(1));
	ck_assert_uint_eq(fake.last.bind.bundle.max_configure, 2);
	fake_tick(d);
	ck_assert_int_eq(d->state, DIAL_LINK);
	d->link_ts -= TS_S(15);
	fake_tick(d);
	ck_assert_int_eq(d->state, DIAL_HANGUP);
	ck_assert_int_eq(d->trouble.kind, TROUBLE_ENDLESS);
	hang_up();
	ck_assert_int_eq(d->state, DIAL_WAIT);
	dial_stop(d);
}
END_TEST

Suite *suite_line(void);

Suite *
suite_line(void)
{
	Suite *s = suite_create("line");
	TCase *t = tcase_create("line");

	tcase_add_checked_fixture(t, fake_init, fake_fini);
	tcase_add_test(t, test_told_to_dial_while_it_hangs_up);
	tcase_add_test(t, test_told_to_dial_while_it_stands_by);
	tcase_add_test(t, test_an_interface_that_somebody_deletes);
	tcase_add_test(t, test_an_interface_that_somebody_deletes_while_it_waits_for_packets);
	tcase_add_test(t, test_a_route_that_is_refused);
	tcase_add_loop_test(t, test_what_to_bind_to_is_not_there, 0, (int)(sizeof(bindings) / sizeof(bindings[0])));
	tcase_add_test(t, test_a_negotiation_without_end);
	suite_add_tcase(s, t);
	return s;
}
