#include <stdio.h>
#include <string.h>

#include "pptpc/option.h"
#include "pptpc/routeplan.h"
#include "tests/unit/suite.h"

static struct profile p;
static struct route_plan plan;
static char text[2048];

static void
setup(void)
{
	profile_init(&p, false);
	plan.count = 0;
}

static void
set(const char *name, const char *value)
{
	char err[256];

	ck_assert_msg(profile_set(&p, name, value, err, sizeof(err)), "%s", err);
}

static struct addr
addr_of(const char *s)
{
	struct addr a;

	ck_assert(addr_parse(&a, s));
	return a;
}

/* The plan as one line: DST[ src SRC][ metric N][ table N], with semicolons. */
static const char *
planned(bool ipv4, bool ipv6)
{
	const struct route_facts facts = {.ifindex = 7, .ipv4 = ipv4, .ipv6 = ipv6, .local = addr_of("10.1.1.2")};
	char a[ADDR_TEXT_MAX];

	routeplan_tunnel(&plan, &p, &facts);
	text[0] = '\0';
	for (size_t i = 0; i < plan.count; i++) {
		const struct route_op *op = &plan.ops[i];
		size_t n = strlen(text);

		ck_assert_int_eq(op->ifindex, 7);
		ck_assert_uint_eq(op->gateway.family, 0);
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s", i > 0 ? "; " : "", prefix_text(&op->dst, a));
		if (op->source.family != 0)
			n += (size_t)snprintf(text + n, sizeof(text) - n, " src %s", addr_text(&op->source, a));
		if (op->metric != 0)
			n += (size_t)snprintf(text + n, sizeof(text) - n, " metric %u", op->metric);
		if (op->table != 0)
			snprintf(text + n, sizeof(text) - n, " table %u", op->table);
	}
	return text;
}

START_TEST(test_nothing_is_wanted_by_default)
{
	ck_assert_str_eq(planned(true, true), "");
}
END_TEST

START_TEST(test_default_route_is_two_halves)
{
	set("default-route", "yes");
	ck_assert_str_eq(planned(true, true), "0.0.0.0/1 src 10.1.1.2; 128.0.0.0/1 src 10.1.1.2");
	ck_assert_str_eq(planned(false, true), "");
}
END_TEST

START_TEST(test_default_route_of_ipv6)
{
	set("default-route6", "yes");
	ck_assert_str_eq(planned(true, true), "::/1; 8000::/1");
	ck_assert_str_eq(planned(true, false), "");
}
END_TEST

START_TEST(test_in_a_table_of_its_own_it_is_whole)
{
	set("default-route", "yes");
	set("default-route6", "yes");
	set("table", "100");
	ck_assert_str_eq(planned(true, true), "0.0.0.0/0 src 10.1.1.2 table 100; ::/0 table 100");
}
END_TEST

START_TEST(test_split_routes_of_both_families)
{
	set("routes", "10.0.0.0/8, fd00::/8 192.168.7.0/24,10.0.0.0/8");
	set("metric", "5");
	ck_assert_str_eq(planned(true, true), "10.0.0.0/8 src 10.1.1.2 metric 5; fd00::/8 metric 5; 192.168.7.0/24 src 10.1.1.2 metric 5");
	ck_assert_str_eq(planned(false, true), "fd00::/8 metric 5");
}
END_TEST

START_TEST(test_as_many_routes_as_allowed)
{
	char list[PROFILE_MAX_ROUTES * 16] = "", err[256];

	for (int i = 0; i < PROFILE_MAX_ROUTES; i++)
		sprintf(list + strlen(list), "10.%d.0.0/16 ", i);
	set("routes", list);
	set("default-route", "yes");
	planned(true, true);
	ck_assert_uint_eq(plan.count, PROFILE_MAX_ROUTES + 2);
	strcat(list, "11.0.0.0/8");
	ck_assert(!profile_set(&p, "routes", list, err, sizeof(err)));
	ck_assert_uint_eq(p.routes.count, PROFILE_MAX_ROUTES);
}
END_TEST

START_TEST(test_when_the_server_needs_a_host_route)
{
	struct addr v4 = addr_of("10.9.0.1"), v6 = addr_of("2001:db8::1");

	ck_assert(!routeplan_needs_host(&p, &v4));
	set("routes", "10.0.0.0/16");
	ck_assert(!routeplan_needs_host(&p, &v4));
	set("routes", "10.0.0.0/8");
	ck_assert(routeplan_needs_host(&p, &v4));
	ck_assert(!routeplan_needs_host(&p, &v6));
	set("routes", "");
	set("default-route", "yes");
	ck_assert(routeplan_needs_host(&p, &v4));
	ck_assert(!routeplan_needs_host(&p, &v6));
	set("default-route6", "yes");
	ck_assert(routeplan_needs_host(&p, &v6));
	/* The main table stays as it is. */
	set("table", "100");
	ck_assert(!routeplan_needs_host(&p, &v4));
}
END_TEST

START_TEST(test_host_route)
{
	struct addr server = addr_of("192.0.2.1"), gateway = addr_of("192.168.1.1"), none = {.family = 0};
	struct route_op a = routeplan_host(&server, &gateway, 3), b = routeplan_host(&server, &none, 3);

	ck_assert_uint_eq(a.dst.len, 32);
	ck_assert(routeplan_same(&a, &a));
	ck_assert(!routeplan_same(&a, &b));
	server = addr_of("2001:db8::1");
	ck_assert_uint_eq(routeplan_host(&server, &none, 3).dst.len, 128);
}
END_TEST

Suite *suite_routeplan(void);

Suite *
suite_routeplan(void)
{
	Suite *s = suite_create("routeplan");
	TCase *t = tcase_create("routeplan");

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, test_nothing_is_wanted_by_default);
	tcase_add_test(t, test_default_route_is_two_halves);
	tcase_add_test(t, test_default_route_of_ipv6);
	tcase_add_test(t, test_in_a_table_of_its_own_it_is_whole);
	tcase_add_test(t, test_split_routes_of_both_families);
	tcase_add_test(t, test_as_many_routes_as_allowed);
	tcase_add_test(t, test_when_the_server_needs_a_host_route);
	tcase_add_test(t, test_host_route);
	suite_add_tcase(s, t);
	return s;
}
