#include <string.h>

#include "alg/policy.h"
#include "tests/unit/suite.h"

static struct config *
config(const char *text)
{
	struct config *c = config_load_text("t.conf", text);

	ck_assert_ptr_nonnull(c);
	return c;
}

static struct addr
addr(const char *s)
{
	struct addr a = {0};

	ck_assert_msg(addr_parse(&a, s), "%s", s);
	return a;
}

static struct policy_query
from_to(const char *client, const char *dialed)
{
	struct policy_query q = {.client = addr(client), .dialed = addr(dialed), .dialed_port = 1723, .dst_port = 1723, .ifname = "eth1"};

	q.dst = q.dialed;
	return q;
}

static struct policy_verdict
decide(const struct config *c, const struct policy_query *q)
{
	struct policy_verdict v;

	memset(&v, 0xff, sizeof(v));
	policy_decide(c, q, &v);
	return v;
}

static void
is_addr(const struct addr *a, const char *wanted)
{
	char buf[ADDR_TEXT_MAX];

	ck_assert_str_eq(addr_text(a, buf), wanted);
}

static bool
matches_any(const struct config_policy *p, const struct addr *a)
{
	for (size_t i = 0; i < p->outside_count; i++) {
		if (prefix_contains(&p->outside[i], a))
			return true;
	}
	return false;
}

START_TEST(the_default_is_auto)
{
	struct config *c = config("");
	struct policy_query q = from_to("10.0.0.1", "192.0.2.1");
	struct policy_verdict v = decide(c, &q);

	ck_assert_int_eq(v.action, ACTION_PROXY);
	ck_assert_str_eq(v.policy, "default");
	ck_assert_int_eq(v.nat, NAT_AUTO);
	ck_assert(!v.nat64);
	ck_assert_int_eq(v.source_kind, SOURCE_CLIENT);
	is_addr(&v.source, "10.0.0.1");
	is_addr(&v.server, "192.0.2.1");
	ck_assert_uint_eq(v.server_port, 1723);
	ck_assert_ptr_null(v.reason);
	config_free(c);
}
END_TEST

static void
mode(const char *text, enum policy_source kind, const char *source)
{
	struct config *c = config(text);
	struct policy_query q = from_to("10.0.0.1", "192.0.2.1");
	struct policy_verdict v = decide(c, &q);

	ck_assert_int_eq(v.source_kind, kind);
	is_addr(&v.source, source);
	config_free(c);
}

START_TEST(modes_without_addresses)
{
	mode("nat = route", SOURCE_FIXED, "10.0.0.1");
	mode("nat = interface", SOURCE_INTERFACE, "none");
	mode("nat = route\npolicy a {\n nat = auto\n}", SOURCE_CLIENT, "10.0.0.1");
}
END_TEST

static const char *
who(const struct config *c, struct policy_query q)
{
	return decide(c, &q).policy;
}

START_TEST(the_first_match_wins)
{
	struct config *c = config("ports = {1723, 1800}\n"
				  "policy source { source = {10.1.0.0/16, \"fd01::/16\"} }\n"
				  "policy destination { destination = {203.0.113.0/24} }\n"
				  "policy interface { interface = {eth7, eth8} }\n"
				  "policy port { port = {1800} }\n"
				  "policy all { source = {10.2.0.1} destination = {192.0.2.0/24} interface = {eth1} port = {1723} }\n");
	struct policy_query q;

	ck_assert_str_eq(who(c, from_to("10.1.2.3", "203.0.113.1")), "source");
	ck_assert_str_eq(who(c, from_to("fd01::1", "fd02::1")), "source");
	ck_assert_str_eq(who(c, from_to("10.3.2.3", "203.0.113.1")), "destination");
	ck_assert_str_eq(who(c, from_to("10.2.0.1", "192.0.2.1")), "all");
	ck_assert_str_eq(who(c, from_to("10.2.0.2", "192.0.2.1")), "default");
	ck_assert_str_eq(who(c, from_to("10.2.0.1", "192.0.3.1")), "default");
	q = from_to("10.2.0.1", "192.0.2.1");
	strcpy(q.ifname, "eth8");
	ck_assert_str_eq(who(c, q), "interface");
	q.own = true;
	ck_assert_str_eq(who(c, q), "default");
	q = from_to("10.2.0.1", "192.0.2.1");
	q.dialed_port = 1800;
	ck_assert_str_eq(who(c, q), "port");
	config_free(c);
}
END_TEST

/* A policy sees what the client dialed, not what the box made of it. */
START_TEST(destinations_are_as_dialed)
{
	struct config *c = config("policy outside { destination = {198.51.100.0/24} }\npolicy inside { destination = {10.0.0.0/8} }\n");
	struct policy_query q = from_to("192.0.2.1", "198.51.100.1");
	struct policy_verdict v;

	q.dst = addr("10.0.0.9");
	q.dst_port = 1799;
	v = decide(c, &q);
	ck_assert_str_eq(v.policy, "outside");
	is_addr(&v.server, "10.0.0.9");
	ck_assert_uint_eq(v.server_port, 1799);
	config_free(c);
}
END_TEST

START_TEST(refuse_and_pass)
{
	struct config *c =
	    config("policy no { source = {10.1.0.0/16} action = refuse }\npolicy by { source = {10.2.0.0/16} action = pass }\n");
	struct policy_query q = from_to("10.1.0.1", "192.0.2.1");
	struct policy_verdict v = decide(c, &q);

	ck_assert_int_eq(v.action, ACTION_REFUSE);
	ck_assert_ptr_null(v.reason);
	q = from_to("10.2.0.1", "192.0.2.1");
	ck_assert_int_eq(decide(c, &q).action, ACTION_PASS);
	config_free(c);
}
END_TEST

static const char statics[] = "policy four { nat = static inside = 10.0.0.0/24 outside = {198.51.100.0/24} }\n"
			      "policy six { nat = static inside = \"fd00:0:0:7::/64\" outside = {\"2001:db8:0:9::/64\"} }\n"
			      "policy one { nat = static inside = 10.5.0.5 outside = {198.51.101.9} }\n";

START_TEST(static_is_one_to_one)
{
	struct config *c = config(statics);
	struct policy_query q = from_to("10.0.0.0", "192.0.2.1");
	struct policy_verdict v = decide(c, &q);

	ck_assert_int_eq(v.nat, NAT_STATIC);
	ck_assert_int_eq(v.source_kind, SOURCE_FIXED);
	is_addr(&v.source, "198.51.100.0");
	q.client = addr("10.0.0.255");
	v = decide(c, &q);
	is_addr(&v.source, "198.51.100.255");
	q = from_to("10.5.0.5", "192.0.2.1");
	v = decide(c, &q);
	is_addr(&v.source, "198.51.101.9");
	q = from_to("fd00:0:0:7:1:2:3:4", "2001:db8::1");
	v = decide(c, &q);
	is_addr(&v.source, "2001:db8:0:9:1:2:3:4");
	/* Inside is what it is for. */
	q = from_to("10.0.1.1", "192.0.2.1");
	ck_assert_str_eq(decide(c, &q).policy, "default");
	config_free(c);
}
END_TEST

static const char pools[] =
    "policy p { nat = pool outside = {198.51.100.0/30, 198.51.101.8/29, 198.51.102.1, 198.51.103.0/30, 198.51.104.0/30,"
    " \"2001:db8:1::/126\", \"2001:db8:2::/64\"} }\n";

/* Which of the five prefixes, and which address of it. */
static unsigned
bucket(const struct addr *a)
{
	return (unsigned)(a->bytes[2] - 100) * 8 + (a->bytes[3] & 7);
}

START_TEST(a_pool_is_spread_evenly)
{
	struct config *c = config(pools);
	unsigned used[40] = {0}, different = 0;

	for (unsigned i = 0; i < 21000; i++) {
		struct policy_query q = from_to("10.0.0.0", "192.0.2.1");
		struct policy_verdict v, again;

		q.client.bytes[2] = (uint8_t)(i >> 8);
		q.client.bytes[3] = (uint8_t)i;
		v = decide(c, &q);
		again = decide(c, &q);
		ck_assert_int_eq(v.action, ACTION_PROXY);
		ck_assert(addr_equal(&v.source, &again.source));
		ck_assert(matches_any(&c->policies[0], &v.source));
		used[bucket(&v.source)]++;
	}
	/* 4 + 8 + 1 + 4 + 4 addresses: 1,000 clients each. */
	for (unsigned i = 0; i < 40; i++) {
		ck_assert_msg(used[i] == 0 || (used[i] > 850 && used[i] < 1150), "%u clients have address %u", used[i], i);
		different += used[i] > 0;
	}
	ck_assert_uint_eq(different, 21);
	config_free(c);
}
END_TEST

/* Nearly all of the IPv6 pool is the /64; the router's own address is never drawn. */
START_TEST(a_pool_of_ipv6)
{
	struct config *c = config(pools);
	struct addr last = {0};

	for (unsigned i = 0; i < 1000; i++) {
		struct policy_query q = from_to("fd00::", "2001:db8:ffff::1");
		struct policy_verdict v;

		q.client.bytes[15] = (uint8_t)i;
		q.client.bytes[14] = (uint8_t)(i >> 8);
		v = decide(c, &q);
		ck_assert_uint_eq(v.source.family, 6);
		ck_assert(matches_any(&c->policies[0], &v.source));
		ck_assert(!addr_equal(&v.source, &last));
		last = v.source;
	}
	config_free(c);
}
END_TEST

START_TEST(a_small_ipv6_pool_spares_the_router)
{
	struct config *c = config("policy p { nat = pool outside = {\"2001:db8:1::/126\"} }\n");

	for (unsigned i = 0; i < 100; i++) {
		struct policy_query q = from_to("fd00::", "2001:db8:ffff::1");

		q.client.bytes[15] = (uint8_t)i;
		ck_assert_uint_ne(decide(c, &q).source.bytes[15], 0);
	}
	config_free(c);
}
END_TEST

START_TEST(families_must_match)
{
	struct config *c = config("policy p { nat = pool outside = {198.51.100.0/24} }\n");
	struct policy_query q = from_to("fd00::1", "2001:db8::1");
	struct policy_verdict v = decide(c, &q);

	ck_assert_int_eq(v.action, ACTION_REFUSE);
	ck_assert_str_eq(v.policy, "p");
	ck_assert_str_eq(v.reason, "the pool has no address of the server's family");
	config_free(c);
}
END_TEST

static const char servers[] = "ports = {1723, 1800}\n"
			      "server a { address = 198.51.100.1 port = 1800 to = 10.0.0.1 to-port = 1723 }\n"
			      "server b { address = 198.51.100.1 port = 1723 to = 10.0.0.2 }\n"
			      "server c { address = \"2001:db8::1\" to = \"fd00::1\" }\n";

START_TEST(destination_nat)
{
	struct config *c = config(servers);
	struct policy_query q = from_to("192.0.2.1", "198.51.100.1");
	struct policy_verdict v = decide(c, &q);

	is_addr(&v.server, "10.0.0.2");
	ck_assert_uint_eq(v.server_port, 1723);
	q.dialed_port = q.dst_port = 1800;
	v = decide(c, &q);
	is_addr(&v.server, "10.0.0.1");
	ck_assert_uint_eq(v.server_port, 1723);
	q = from_to("fd99::9", "2001:db8::1");
	q.dialed_port = q.dst_port = 1800;
	v = decide(c, &q);
	is_addr(&v.server, "fd00::1");
	ck_assert_uint_eq(v.server_port, 1800);
	ck_assert(!v.nat64);
	config_free(c);
}
END_TEST

START_TEST(the_boxs_own_dnat_wins)
{
	struct config *c = config(servers);
	struct policy_query q = from_to("192.0.2.1", "198.51.100.1");
	struct policy_verdict v;

	q.dst = addr("10.7.7.7");
	v = decide(c, &q);
	is_addr(&v.server, "10.7.7.7");
	config_free(c);
}
END_TEST

START_TEST(another_address_or_port_is_no_server)
{
	struct config *c = config(servers);
	struct policy_query q = from_to("192.0.2.1", "198.51.100.2");
	struct policy_verdict v = decide(c, &q);

	is_addr(&v.server, "198.51.100.2");
	q = from_to("192.0.2.1", "198.51.100.1");
	q.dialed_port = q.dst_port = 1999;
	v = decide(c, &q);
	is_addr(&v.server, "198.51.100.1");
	ck_assert_uint_eq(v.server_port, 1999);
	config_free(c);
}
END_TEST

START_TEST(nat64)
{
	struct config *c = config("nat64-prefix = \"64:ff9b::/96\"\npolicy r { source = {\"fd01::/16\"} nat = route }\n"
				  "policy p { source = {\"fd02::/16\"} nat = pool outside = {198.51.100.9} }\n");
	struct policy_query q = from_to("fd00::1", "64:ff9b::192.0.2.7");
	struct policy_verdict v = decide(c, &q);

	ck_assert_int_eq(v.action, ACTION_PROXY);
	ck_assert(v.nat64);
	is_addr(&v.server, "192.0.2.7");
	ck_assert_int_eq(v.nat, NAT_INTERFACE);
	ck_assert_int_eq(v.source_kind, SOURCE_INTERFACE);
	/* A client's own address can't be kept. */
	q.client = addr("fd01::1");
	ck_assert_int_eq(decide(c, &q).source_kind, SOURCE_INTERFACE);
	q.client = addr("fd02::1");
	v = decide(c, &q);
	ck_assert_int_eq(v.source_kind, SOURCE_FIXED);
	is_addr(&v.source, "198.51.100.9");
	q = from_to("fd00::1", "2001:db8::1");
	ck_assert(!decide(c, &q).nat64);
	config_free(c);
}
END_TEST

START_TEST(nat64_from_a_fixed_address)
{
	struct config *c = config("nat64-prefix = \"64:ff9b::/96\"\nnat64-source = 198.51.100.64\n");
	struct policy_query q = from_to("fd00::1", "64:ff9b::192.0.2.7");
	struct policy_verdict v = decide(c, &q);

	ck_assert_int_eq(v.source_kind, SOURCE_FIXED);
	is_addr(&v.source, "198.51.100.64");
	config_free(c);
}
END_TEST

static const char *const nobodies[] = {"64:ff9b::127.0.0.1", "64:ff9b::0.0.0.0", "64:ff9b::224.0.0.1", "64:ff9b::255.255.255.255"};

/* Nobody may reach the gateway's loopback by way of NAT64. */
START_TEST(nat64_to_nobody)
{
	struct config *c = config("nat64-prefix = \"64:ff9b::/96\"\n");
	struct policy_query q = from_to("fd00::1", nobodies[_i]);
	struct policy_verdict v = decide(c, &q);

	ck_assert_int_eq(v.action, ACTION_REFUSE);
	ck_assert_ptr_nonnull(v.reason);
	config_free(c);
}
END_TEST

/* Their GRE doesn't pass the forwarder; they can dial IPv4. */
START_TEST(nat64_from_the_gateway)
{
	struct config *c = config("nat64-prefix = \"64:ff9b::/96\"\n");
	struct policy_query q = from_to("fd00::1", "64:ff9b::192.0.2.7");
	struct policy_verdict v;

	q.own = true;
	v = decide(c, &q);
	ck_assert_int_eq(v.action, ACTION_REFUSE);
	ck_assert_ptr_nonnull(strstr(v.reason, "dial the IPv4 address"));
	config_free(c);
}
END_TEST

START_TEST(own_connections_stay_as_they_are)
{
	struct config *c = config("policy p { nat = pool outside = {198.51.100.9} }\n");
	struct policy_query q = from_to("192.0.2.254", "192.0.2.1");
	struct policy_verdict v;

	q.own = true;
	v = decide(c, &q);
	ck_assert_int_eq(v.nat, NAT_AUTO);
	ck_assert_int_eq(v.source_kind, SOURCE_CLIENT);
	is_addr(&v.source, "192.0.2.254");
	config_free(c);
}
END_TEST

Suite *suite_policy(void);

static bool
may(const struct config *c, const char *client, const char *dialed)
{
	struct addr from = addr(client), to = addr(dialed);

	return policy_may_proxy(c, &from, &to);
}

START_TEST(who_may_have_gates)
{
	struct config *c = config("policy no { source = {10.1.0.66/32}\n action = refuse }\n"
				  "policy lan { destination = {203.0.113.0/24}\n interface = {eth7}\n action = pass }\n"
				  "policy some { source = {10.1.0.0/24}\n destination = {203.0.113.0/24} }\n"
				  "policy port { source = {10.2.0.0/24}\n port = {1723} }\n"
				  "policy rest { action = refuse }\n");

	ck_assert(may(c, "10.1.0.2", "203.0.113.1"));
	ck_assert(!may(c, "10.1.0.66", "203.0.113.1"));
	ck_assert(!may(c, "10.1.0.2", "198.51.100.1"));
	ck_assert(!may(c, "203.0.113.1", "10.1.0.2"));
	ck_assert(may(c, "10.2.0.2", "198.51.100.1"));
	ck_assert(!may(c, "10.3.0.2", "203.0.113.1"));
	config_free(c);
	c = config("");
	ck_assert(may(c, "203.0.113.1", "10.1.0.2"));
	config_free(c);
}
END_TEST

Suite *
suite_policy(void)
{
	Suite *s = suite_create("pptpalg/policy");
	TCase *t = tcase_create("policy");

	tcase_add_test(t, the_default_is_auto);
	tcase_add_test(t, modes_without_addresses);
	tcase_add_test(t, the_first_match_wins);
	tcase_add_test(t, destinations_are_as_dialed);
	tcase_add_test(t, refuse_and_pass);
	tcase_add_test(t, static_is_one_to_one);
	tcase_add_test(t, a_pool_is_spread_evenly);
	tcase_add_test(t, a_pool_of_ipv6);
	tcase_add_test(t, a_small_ipv6_pool_spares_the_router);
	tcase_add_test(t, families_must_match);
	tcase_add_test(t, destination_nat);
	tcase_add_test(t, the_boxs_own_dnat_wins);
	tcase_add_test(t, another_address_or_port_is_no_server);
	tcase_add_test(t, nat64);
	tcase_add_test(t, nat64_from_a_fixed_address);
	tcase_add_loop_test(t, nat64_to_nobody, 0, (int)(sizeof(nobodies) / sizeof(nobodies[0])));
	tcase_add_test(t, nat64_from_the_gateway);
	tcase_add_test(t, own_connections_stay_as_they_are);
	tcase_add_test(t, who_may_have_gates);
	suite_add_tcase(s, t);
	return s;
}
