#include <string.h>

#include "base/timerheap.h"
#include "tests/unit/pptpd/fake.h"
#include "tests/unit/suite.h"

static struct addr
source(const char *text)
{
	struct addr a;

	ck_assert(addr_parse(&a, text));
	return a;
}

/* A connection that says nothing. */
static struct conn *
silent(const char *from)
{
	struct addr a = source(from);
	struct conn *before = fake.srv->conns;

	conn_accept(fake.srv, -1, &a);
	return fake.srv->conns != before ? fake.srv->conns : NULL;
}

START_TEST(half_open_ones_give_way)
{
	struct conn *old[3];

	for (int i = 0; i < 3; i++)
		old[i] = silent("192.0.2.9");
	ck_assert_uint_eq(fake.srv->half_open_count, 3);
	ck_assert_ptr_eq(fake.srv->half_open, old[0]);
	ck_assert_ptr_nonnull(silent("192.0.2.9"));
	ck_assert_uint_eq(fake.srv->half_open_count, 3);
	ck_assert_ptr_eq(fake.srv->half_open, old[1]);
	ck_assert_uint_eq(fake.srv->counters.half_open_dropped, 1);
}
END_TEST

START_TEST(a_thousand_idle_ones_block_nobody)
{
	struct conn *c;

	for (int i = 0; i < 1000; i++)
		ck_assert_ptr_nonnull(silent("192.0.2.9"));
	c = fake_conn("192.0.2.7");
	ck_assert_ptr_nonnull(c);
	ck_assert(c->established);
	for (int i = 0; i < 1000; i++)
		silent("192.0.2.9");
	ck_assert_int_eq(fake_session(c, SESSION_UP, "alice")->state, SESSION_UP);
}
END_TEST

/* A flood from one source: another's connection that is being set up is not what gives way. */
START_TEST(a_crowd_pushes_out_its_own)
{
	struct conn *slow = silent("192.0.2.7");

	for (int i = 0; i < 100; i++)
		silent("192.0.2.9");
	ck_assert_uint_eq(fake.srv->half_open_count, 3);
	ck_assert_ptr_eq(fake.srv->half_open, slow);
	for (int i = 0; i < 100; i++)
		silent(i % 2 ? "2001:db8::9" : "2001:db8::1:0:0:8");
	ck_assert_uint_eq(fake.srv->half_open_count, 3);
	ck_assert_uint_eq(fake.srv->counters.conns_refused, 0);
}
END_TEST

START_TEST(a_source_of_ipv6_is_a_network)
{
	fake.config.max_connections_per_source = 2;
	ck_assert_ptr_nonnull(fake_conn("2001:db8:0:1::1"));
	ck_assert_ptr_nonnull(fake_conn("2001:db8:0:1:ffff::2"));
	ck_assert_ptr_null(silent("2001:db8:0:1::3"));
	ck_assert_ptr_nonnull(silent("2001:db8:0:2::1"));
}
END_TEST

START_TEST(established_ones_stay)
{
	for (int i = 0; i < 8; i++)
		ck_assert_ptr_nonnull(fake_conn("192.0.2.7"));
	ck_assert_ptr_null(silent("192.0.2.9"));
	ck_assert_uint_eq(fake.srv->conns_count, 8);
	ck_assert_uint_eq(fake.srv->counters.conns_refused, 1);
}
END_TEST

START_TEST(a_source_has_its_own_limit)
{
	fake.config.max_connections_per_source = 2;
	ck_assert_ptr_nonnull(fake_conn("192.0.2.9"));
	ck_assert_ptr_nonnull(silent("192.0.2.9"));
	/* its own half-open one gives way, not another's */
	ck_assert_ptr_nonnull(silent("192.0.2.8"));
	ck_assert_ptr_nonnull(fake_conn("192.0.2.9"));
	ck_assert_uint_eq(fake.srv->conns_count, 3);
	ck_assert_ptr_null(silent("192.0.2.9"));
	ck_assert_ptr_nonnull(silent("2001:db8::9"));
}
END_TEST

START_TEST(handshakes_have_their_time)
{
	struct conn *c = silent("192.0.2.9");

	conn_check_timeouts(fake.srv, c->accepted_ts + TS_S(30));
	ck_assert_uint_eq(fake.srv->conns_count, 1);
	conn_check_timeouts(fake.srv, c->accepted_ts + TS_S(31));
	ck_assert_uint_eq(fake.srv->conns_count, 0);
	ck_assert_uint_eq(fake.srv->counters.handshake_timeouts, 1);
}
END_TEST

START_TEST(several_calls_on_one)
{
	struct conn *c = fake_conn("192.0.2.7");
	struct session *a = fake_session(c, SESSION_UP, "alice"), *b = fake_session(c, SESSION_UP, "bob");

	ck_assert_ptr_ne(a, b);
	ck_assert_ptr_eq(c->sessions, b);
	ck_assert_ptr_eq(b->conn_next, a);
	session_end(b, PPP_DOWN_LOCAL, PPTP_CDN_ADMIN_SHUTDOWN, "x");
	ck_assert_int_eq(a->state, SESSION_UP);
}
END_TEST

START_TEST(stopping)
{
	struct conn *c = fake_conn("192.0.2.7");

	fake_log();
	conn_stop(c, PPTP_STOP_LOCAL_SHUTDOWN);
	ck_assert_str_eq(fake_log(), "Stop-Control-Connection-Request");
	fake.srv->stopping = true;
	ck_assert_ptr_null(silent("192.0.2.9"));
	/* half-open ones can't be stopped in order */
	fake.srv->stopping = false;
	conn_stop(silent("192.0.2.9"), PPTP_STOP_LOCAL_SHUTDOWN);
	ck_assert_str_eq(fake_log(), "conn-free");
}
END_TEST

START_TEST(out_of_descriptors)
{
	ck_assert(!conn_drop_half_open(fake.srv));
	silent("192.0.2.9");
	ck_assert(conn_drop_half_open(fake.srv));
	ck_assert_uint_eq(fake.srv->conns_count, 0);
}
END_TEST

Suite *suite_conn(void);

Suite *
suite_conn(void)
{
	Suite *s = suite_create("pptpd/conn");
	TCase *t = tcase_create("conn");

	tcase_add_checked_fixture(t, fake_init, fake_fini);
	tcase_add_test(t, half_open_ones_give_way);
	tcase_add_test(t, a_thousand_idle_ones_block_nobody);
	tcase_add_test(t, a_crowd_pushes_out_its_own);
	tcase_add_test(t, a_source_of_ipv6_is_a_network);
	tcase_add_test(t, established_ones_stay);
	tcase_add_test(t, a_source_has_its_own_limit);
	tcase_add_test(t, handshakes_have_their_time);
	tcase_add_test(t, several_calls_on_one);
	tcase_add_test(t, stopping);
	tcase_add_test(t, out_of_descriptors);
	suite_add_tcase(s, t);
	return s;
}
