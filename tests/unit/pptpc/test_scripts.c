#include <string.h>

#include "pptpc/client.h"
#include "tests/unit/suite.h"

static struct profile profile;
static struct tunnel_counters counters;
static struct dial d;
static char env[PRIV_ENV_BYTES];
static uint16_t len;

static void
setup(void)
{
	profile_init(&profile, false);
	strcpy(profile.name, "office");
	strcpy(profile.user, "bob");
	memset(&counters, 0, sizeof(counters));
	memset(&d, 0, sizeof(d));
	d.profile = &profile;
	d.script_key = 0x1f;
	d.counters = &counters;
	strcpy(d.netif.name, "pptp0");
	addr_parse(&d.server, "192.0.2.1");
	addr_parse(&d.bundle.local_v4, "10.1.1.2");
	addr_parse(&d.bundle.peer_v4, "10.1.1.1");
}

/* The value of a name in env; NULL if it is not there. */
static const char *
value(const char *name)
{
	size_t namelen = strlen(name);

	for (const char *p = env; p < env + len; p += strlen(p) + 1)
		if (strncmp(p, name, namelen) == 0 && p[namelen] == '=')
			return p + namelen + 1;
	return NULL;
}

START_TEST(test_ip_up)
{
	len = scripts_environment(&d, NULL, env);
	ck_assert_int_eq(env[len - 1], '\0');
	ck_assert_str_eq(value("PPTP_EVENT"), "ip-up");
	ck_assert_str_eq(value("PPTP_TUNNEL"), "office");
	ck_assert_str_eq(value("PPTP_SESSION"), "1f");
	ck_assert_str_eq(value("PPTP_IFNAME"), "pptp0");
	ck_assert_str_eq(value("PPTP_USER"), "bob");
	ck_assert_str_eq(value("PPTP_PEER"), "192.0.2.1");
	ck_assert_str_eq(value("PPTP_LOCAL_IP"), "10.1.1.2");
	ck_assert_str_eq(value("PPTP_REMOTE_IP"), "10.1.1.1");
	ck_assert_str_eq(value("PPTP_DNS1"), "");
	ck_assert_ptr_null(value("PPTP_REASON"));
}
END_TEST

START_TEST(test_ip_down)
{
	counters.rx_bytes = 1000;
	counters.tx_bytes = 2000;
	len = scripts_environment(&d, "echo-lcp", env);
	ck_assert_str_eq(value("PPTP_EVENT"), "ip-down");
	ck_assert_str_eq(value("PPTP_REASON"), "echo-lcp");
	ck_assert_str_eq(value("PPTP_BYTES_RCVD"), "1000");
	ck_assert_str_eq(value("PPTP_BYTES_SENT"), "2000");
}
END_TEST

START_TEST(test_the_longest_texts_fit)
{
	memset(profile.user, 'u', sizeof(profile.user) - 1);
	memset(profile.name, 'n', sizeof(profile.name) - 1);
	len = scripts_environment(&d, "stopped", env);
	ck_assert_str_eq(value("PPTP_USER"), profile.user);
	ck_assert_ptr_nonnull(value("PPTP_PACKETS_RCVD"));
}
END_TEST

Suite *suite_scripts(void);

Suite *
suite_scripts(void)
{
	Suite *s = suite_create("scripts");
	TCase *t = tcase_create("scripts");

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, test_ip_up);
	tcase_add_test(t, test_ip_down);
	tcase_add_test(t, test_the_longest_texts_fit);
	suite_add_tcase(s, t);
	return s;
}
