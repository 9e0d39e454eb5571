#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/pptpc/fake.h"
#include "tests/unit/suite.h"

static struct dial *d;

static void
setup(void)
{
	fake_init();
	fake_tunnel("office", "server 192.0.2.1 user bob ipv6 no");
	fake_tunnel("plant", "server 192.0.2.2 user eve auto no interface plant0");
	fake_start();
	d = &fake.client.dials[0];
}

static void
finish(void)
{
	dial_stop(d);
	if (d->state == DIAL_HANGUP) {
		fake_closed(d, PPP_DOWN_LOCAL, 0, "");
		fake_disconnect(4);
		fake_stop_reply();
	}
	fake_fini();
}

/* Whether text has every one of the words. */
static void
has(const char *text, const char *const *words)
{
	for (; *words != NULL; words++)
		ck_assert_msg(strstr(text, *words) != NULL, "%s not in %s", *words, text);
}

START_TEST(test_a_tunnel_that_is_up)
{
	static const char *const words[] = {"\"session\":\"1\"", "\"tunnel\":\"office\"", "\"user\":\"bob\"", "\"peer\":\"192.0.2.1\"",
	    "\"address\":\"10.1.1.2\"", "\"remote\":\"10.1.1.1\"", "\"ifname\":\"t0\"", "\"state\":\"up\"",
	    "\"encoding\":\"MPPE128 stateless\"", "\"mtu\":1396", "\"mru\":1400", "\"rx_bytes\":1000", "\"tx_bytes\":2000", "\"idle_s\":0",
	    "\"uptime_s\":0", "\"tunnel\":\"plant\"", "\"state\":\"down\"", NULL};
	static const char *const detail[] = {
	    "\"method\":\"mschap2\"", "\"local\":\"198.51.100.2\"", "\"gre_lost\":0", "\"dns1\":\"10.1.1.53\"", NULL};

	fake_dial_up(d);
	d->counters->rx_bytes = 1000;
	d->counters->tx_bytes = 2000;
	has(fake_command("show sessions", "{}"), words);
	has(fake_command("show session", "{\"tunnel\":\"office\"}"), detail);
	has(fake_command("show session", "{\"session\":\"1\"}"), detail);
	has(fake_command("show session", "{\"session\":\"office\"}"), detail);
	ck_assert_ptr_nonnull(strstr(fake_command("status", "{}"), "\"sessions\":1"));
}
END_TEST

START_TEST(test_a_tunnel_in_trouble)
{
	static const char *const words[] = {"\"state\":\"waiting\"", "\"last_error\":\"tcp-refused\"",
	    "\"last_error_text\":\"Nothing listens on 192.0.2.1 port 1723\"", "\"advice\":\"PPTP is not running there",
	    "\"retry_s\":", NULL};

	dial_start(d);
	fake_resolve(d);
	fake_answer();
	fake_unreachable(ECONNREFUSED);
	has(fake_command("show session", "{\"tunnel\":\"office\"}"), words);
}
END_TEST

START_TEST(test_connect_and_disconnect)
{
	fake_command("connect", "{\"tunnel\":\"office\"}");
	ck_assert_int_eq(d->state, DIAL_RESOLVE);
	fake_command("disconnect", "{\"tunnel\":\"office\"}");
	ck_assert_int_eq(d->state, DIAL_DOWN);
	fake_command("disconnect", "{\"tunnel\":\"office\"}");
	ck_assert_int_eq(d->state, DIAL_DOWN);
}
END_TEST

/* Who tells a waiting tunnel to connect does not want to wait. */
START_TEST(test_connect_while_waiting)
{
	dial_start(d);
	fake_resolve(d);
	fake_answer();
	fake_unreachable(ECONNREFUSED);
	ck_assert_int_eq(d->state, DIAL_WAIT);
	fake_command("connect", "{\"tunnel\":\"office\"}");
	ck_assert_int_eq(d->state, DIAL_RESOLVE);
}
END_TEST

START_TEST(test_kick)
{
	ck_assert_str_eq(fake_command("kick", "{\"tunnel\":\"office\"}"), "error: tunnel office has no session: it is down");
	fake_dial_up(d);
	ck_assert_str_eq(fake_command("kick", "{\"session\":\"1\"}"), "{\"kicked\":1}");
	ck_assert_int_eq(d->state, DIAL_HANGUP);
	ck_assert(d->wanted);
}
END_TEST

START_TEST(test_nobody_of_that_name)
{
	static const char *const commands[] = {"show session", "connect", "disconnect", "kick"};

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		ck_assert_ptr_nonnull(strstr(fake_command(commands[i], "{\"tunnel\":\"nowhere\"}"), "error: no such tunnel: nowhere"));
		ck_assert_ptr_nonnull(strstr(fake_command(commands[i], "{}"), "error: "));
		ck_assert_ptr_nonnull(strstr(fake_command(commands[i], "{\"tunnel\":7,\"session\":\"\"}"), "error: "));
	}
}
END_TEST

Suite *suite_status(void);

Suite *
suite_status(void)
{
	Suite *s = suite_create("status");
	TCase *t = tcase_create("status");

	tcase_add_checked_fixture(t, setup, finish);
	tcase_add_test(t, test_a_tunnel_that_is_up);
	tcase_add_test(t, test_a_tunnel_in_trouble);
	tcase_add_test(t, test_connect_and_disconnect);
	tcase_add_test(t, test_connect_while_waiting);
	tcase_add_test(t, test_kick);
	tcase_add_test(t, test_nobody_of_that_name);
	suite_add_tcase(s, t);
	return s;
}
