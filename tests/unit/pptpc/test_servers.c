#include <string.h>

#include "pptpc/servers.h"
#include "tests/unit/suite.h"

static struct name_list names;
static struct servers s;

static struct addr
addr_of(const char *text)
{
	struct addr a;

	ck_assert(addr_parse(&a, text));
	return a;
}

static void
setup(void)
{
	names = (struct name_list){.count = 2, .names = {"one.example", "two.example"}};
	servers_init(&s, &names, PROFILE_ANY);
}

static bool
is_at(const char *name, const char *addr)
{
	struct addr at = servers_addr(&s), wanted = {.family = 0};

	if (addr != NULL)
		wanted = addr_of(addr);
	return strcmp(servers_name(&s), name) == 0 && addr_equal(&at, &wanted);
}

START_TEST(test_names_have_to_be_resolved_first)
{
	ck_assert(is_at("one.example", NULL));
}
END_TEST

START_TEST(test_all_addresses_of_a_name_then_the_next_name)
{
	const struct addr both[] = {addr_of("192.0.2.1"), addr_of("2001:db8::1")}, other[] = {addr_of("192.0.2.9")};

	ck_assert(servers_resolved(&s, both, 2));
	ck_assert(is_at("one.example", "192.0.2.1"));
	ck_assert(servers_next(&s));
	ck_assert(is_at("one.example", "2001:db8::1"));
	ck_assert(servers_next(&s));
	ck_assert(is_at("two.example", NULL));
	ck_assert(servers_resolved(&s, other, 1));
	ck_assert(is_at("two.example", "192.0.2.9"));
	ck_assert(!servers_next(&s));
	ck_assert(is_at("one.example", NULL));
}
END_TEST

START_TEST(test_a_name_without_addresses_is_passed_over)
{
	ck_assert(!servers_resolved(&s, NULL, 0));
	ck_assert(servers_next_name(&s));
	ck_assert(is_at("two.example", NULL));
	ck_assert(!servers_next_name(&s));
}
END_TEST

START_TEST(test_families_that_are_not_wanted)
{
	const struct addr both[] = {addr_of("192.0.2.1"), addr_of("2001:db8::1")};

	servers_init(&s, &names, PROFILE_IPV6);
	ck_assert(servers_resolved(&s, both, 2));
	ck_assert(is_at("one.example", "2001:db8::1"));
	servers_init(&s, &names, PROFILE_IPV4);
	ck_assert(!servers_resolved(&s, both + 1, 1));
}
END_TEST

START_TEST(test_earlier_addresses_help_when_names_fail)
{
	const struct addr one[] = {addr_of("192.0.2.1")};

	ck_assert(!servers_use_known(&s));
	ck_assert(servers_resolved(&s, one, 1));
	servers_restart(&s);
	ck_assert(is_at("one.example", NULL));
	ck_assert(servers_use_known(&s));
	ck_assert(is_at("one.example", "192.0.2.1"));
	ck_assert(servers_next(&s));
	ck_assert(!servers_use_known(&s));
}
END_TEST

START_TEST(test_more_addresses_than_room)
{
	struct addr many[40];

	for (size_t i = 0; i < 40; i++)
		many[i] = addr_v4((const uint8_t[4]){192, 0, 2, (uint8_t)i});
	ck_assert(servers_resolved(&s, many, 40));
	for (size_t i = 1; i < SERVERS_MAX_ADDRS; i++)
		ck_assert(servers_next(&s));
	ck_assert(is_at("one.example", "192.0.2.15"));
	ck_assert(servers_next(&s));
	ck_assert(is_at("two.example", NULL));
}
END_TEST

Suite *suite_servers(void);

Suite *
suite_servers(void)
{
	Suite *suite = suite_create("servers");
	TCase *t = tcase_create("servers");

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, test_names_have_to_be_resolved_first);
	tcase_add_test(t, test_all_addresses_of_a_name_then_the_next_name);
	tcase_add_test(t, test_a_name_without_addresses_is_passed_over);
	tcase_add_test(t, test_families_that_are_not_wanted);
	tcase_add_test(t, test_earlier_addresses_help_when_names_fail);
	tcase_add_test(t, test_more_addresses_than_room);
	suite_add_tcase(suite, t);
	return suite;
}
