#include <fnmatch.h>
#include <string.h>

#include "pptpc/client.h"
#include "tests/unit/suite.h"

static struct client_config config;
static struct client_policy policy;
static char err[256];

static void
setup(void)
{
	client_config_init(&config);
}

static void
teardown(void)
{
	client_config_fini(&config);
}

static struct profile *
add(const char *name, const char *interface, const char *up, const char *down)
{
	struct profile *p = client_config_add(&config, name);

	strcpy(p->interface, interface);
	strcpy(p->ip_up, up);
	strcpy(p->ip_down, down);
	return p;
}

START_TEST(test_only_its_own_interfaces)
{
	add("a", "pptp%d", "", "");
	add("b", "office0", "", "");
	ck_assert(client_policy_fill(&policy, &config, err, sizeof(err)));
	ck_assert_int_eq(fnmatch(policy.policy.ifnames[0], "pptp0", 0), 0);
	ck_assert_int_eq(fnmatch(policy.policy.ifnames[0], "pptp17", 0), 0);
	ck_assert_int_ne(fnmatch(policy.policy.ifnames[0], "pptpx", 0), 0);
	ck_assert_str_eq(policy.policy.ifnames[1], "office0");
	ck_assert_ptr_null(policy.policy.ifnames[2]);
}
END_TEST

START_TEST(test_only_what_a_client_needs)
{
	add("a", "pptp%d", "", "");
	ck_assert(client_policy_fill(&policy, &config, err, sizeof(err)));
	ck_assert(policy.policy.types[PRIV_TUN_OPEN] && policy.policy.types[PRIV_GRE_OPEN] && policy.policy.types[PRIV_TCP_SOCKET]);
	ck_assert(!policy.policy.types[PRIV_TCP_LISTEN]);
	ck_assert(!policy.policy.types[PRIV_FILE_OPEN]);
	ck_assert(!policy.policy.types[PRIV_PROXY_ADD]);
	ck_assert_uint_eq(policy.policy.max_queues, 1);
}
END_TEST

START_TEST(test_scripts_are_numbered_once_each)
{
	add("a", "pptp%d", "/up", "/down");
	add("b", "pptp%d", "/up", "");
	add("c", "pptp%d", "/up2", "/down");
	ck_assert(client_policy_fill(&policy, &config, err, sizeof(err)));
	ck_assert_int_eq(client_script(&config, "/up"), 0);
	ck_assert_int_eq(client_script(&config, "/down"), 1);
	ck_assert_int_eq(client_script(&config, "/up2"), 2);
	ck_assert_int_eq(client_script(&config, ""), -1);
	ck_assert_int_eq(client_script(&config, "/other"), -1);
	ck_assert_str_eq(policy.policy.scripts[0], "/up");
	ck_assert_str_eq(policy.policy.scripts[1], "/down");
	ck_assert_str_eq(policy.policy.scripts[2], "/up2");
	ck_assert_ptr_null(policy.policy.scripts[3]);
}
END_TEST

START_TEST(test_too_many_scripts)
{
	add("a", "pptp%d", "/1", "/2");
	add("b", "pptp%d", "/3", "/4");
	ck_assert(client_policy_fill(&policy, &config, err, sizeof(err)));
	add("c", "pptp%d", "/5", "");
	ck_assert(!client_policy_fill(&policy, &config, err, sizeof(err)));
	ck_assert_ptr_nonnull(strstr(err, "/5"));
}
END_TEST

START_TEST(test_as_many_tunnels_as_allowed)
{
	for (int i = 0; i < PROFILE_MAX_TUNNELS; i++)
		ck_assert_ptr_nonnull(client_config_add(&config, "x"));
	ck_assert_ptr_null(client_config_add(&config, "x"));
	ck_assert(client_policy_fill(&policy, &config, err, sizeof(err)));
}
END_TEST

START_TEST(test_every_state_has_a_name)
{
	for (int s = DIAL_DOWN; s <= DIAL_WAIT; s++)
		ck_assert_uint_gt(strlen(dial_state_name((enum dial_state)s)), 1);
}
END_TEST

Suite *suite_client(void);

Suite *
suite_client(void)
{
	Suite *s = suite_create("client");
	TCase *t = tcase_create("client");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_only_its_own_interfaces);
	tcase_add_test(t, test_only_what_a_client_needs);
	tcase_add_test(t, test_scripts_are_numbered_once_each);
	tcase_add_test(t, test_too_many_scripts);
	tcase_add_test(t, test_as_many_tunnels_as_allowed);
	tcase_add_test(t, test_every_state_has_a_name);
	suite_add_tcase(s, t);
	return s;
}
