#include <string.h>

#include "base/timerheap.h"
#include "pptpc/option.h"
#include "tests/unit/suite.h"

static struct profile p;
static char err[256];

static void
setup(void)
{
	profile_init(&p, false);
	err[0] = '\0';
}

static bool
set(const char *name, const char *value)
{
	return profile_set(&p, name, value, err, sizeof(err));
}

/* A good profile, to be spoilt. */
static void
complete(void)
{
	ck_assert(set("server", "192.0.2.1"));
	ck_assert(set("user", "bob"));
	ck_assert_msg(profile_check(&p, err, sizeof(err)), "%s", err);
}

START_TEST(test_defaults)
{
	ck_assert_uint_eq(p.port, 1723);
	ck_assert_uint_eq(p.allow, PPP_AUTH_MSCHAPV2 | PPP_AUTH_EAP_MSCHAPV2);
	ck_assert_int_eq(p.tunnel.bundle.mppe, PPP_MPPE_REQUIRE);
	ck_assert_uint_eq(p.tunnel.bundle.mppe_bits, PPP_MPPE_128);
	ck_assert_str_eq(p.interface, "pptp%d");
	ck_assert_int_eq(p.password_fd, -1);
	ck_assert_uint_eq(p.waits.auth_ns, TS_NEVER);
	ck_assert_uint_eq(p.retry_max_ns, TS_S(600));
	ck_assert(p.retry);
	profile_init(&p, true);
	ck_assert(!p.retry);
}
END_TEST

START_TEST(test_every_row_takes_its_own_default)
{
	size_t count;
	const struct option_row *rows = option_rows(&count);

	ck_assert_uint_gt(count, 30);
	for (size_t i = 0; i < count; i++) {
		ck_assert_ptr_eq(option_find(rows[i].name), &rows[i]);
		ck_assert(rows[i].initial == NULL || set(rows[i].name, rows[i].initial));
		ck_assert_msg(!tunnel_option_known(rows[i].name), "%s is in both tables", rows[i].name);
	}
	ck_assert_ptr_null(option_find("nonsense"));
}
END_TEST

START_TEST(test_values)
{
	ck_assert(set("default-route", "on") && p.default_route);
	ck_assert(set("default-route", "FALSE") && !p.default_route);
	ck_assert(set("mark", "0x10") && p.mark == 16);
	ck_assert(set("idle-timeout", "5m") && p.idle_ns == TS_S(300));
	ck_assert(set("retry-auth", "15m") && p.waits.auth_ns == TS_S(900));
	ck_assert(set("retry-network", "stop") && p.waits.network_ns == TS_NEVER);
	ck_assert(set("family", "IPv6") && p.family == PROFILE_IPV6);
	ck_assert(set("address", "10.0.0.7") && p.address.family == 4);
	ck_assert(set("bind-address", "fd00::7") && p.bind_address.family == 6);
	ck_assert(set("password-fd", "3") && p.password_fd == 3);
	ck_assert(set("mru", "1300") && p.tunnel.link.mru == 1300);
	ck_assert(set("password", "") && p.password_set);
}
END_TEST

START_TEST(test_lists_replace_what_was_there)
{
	ck_assert(set("server", "a.example, b.example"));
	ck_assert(set("server", "c.example"));
	ck_assert_uint_eq(p.servers.count, 1);
	ck_assert_str_eq(p.servers.names[0], "c.example");
	ck_assert(set("allow", "pap chap,mschap1"));
	ck_assert_uint_eq(p.allow, PPP_AUTH_PAP | PPP_AUTH_CHAP_MD5 | PPP_AUTH_MSCHAP);
	ck_assert(set("allow", "eap"));
	ck_assert_uint_eq(p.allow, PPP_AUTH_EAP_MD5 | PPP_AUTH_EAP_MSCHAPV2);
}
END_TEST

/* Each is refused with a sentence that begins with the option's name, and changes nothing. */
START_TEST(test_bad_values)
{
	static const char *const bad[][2] = {
	    {"default-route", "maybe"},
	    {"port", "0"},
	    {"port", "65536"},
	    {"port", "http"},
	    {"port", "-1"},
	    {"port", "17 23"},
	    {"port", ""},
	    {"mark", "4294967296"},
	    {"mark", "99999999999999999999999"},
	    {"idle-timeout", "soon"},
	    {"idle-timeout", "stop"},
	    {"connect-timeout", "0"},
	    {"retry-auth", "never"},
	    {"family", "ipx"},
	    {"address", "10.0.0"},
	    {"address", "fd00::1"},
	    {"bind-address", "eth0"},
	    {"routes", "10.0.0.0/33"},
	    {"routes", "10.0.0.0/8, home"},
	    {"allow", "mschap3"},
	    {"interface", "a-name-that-is-too-long"},
	    {"server", "1,2,3,4,5,6,7,8,9"},
	    {"password-fd", "-1"},
	    {"mru", "99999"},
	    {"mppe", "perhaps"},
	    {"nonsense", "1"},
	};
	struct profile before = p;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		err[0] = '\0';
		ck_assert_msg(!set(bad[i][0], bad[i][1]), "%s %s was taken", bad[i][0], bad[i][1]);
		ck_assert_ptr_nonnull(strstr(err, bad[i][0]));
		ck_assert_msg(memcmp(&before, &p, sizeof(p)) == 0, "%s changed something", bad[i][0]);
	}
}
END_TEST

START_TEST(test_texts_up_to_their_room)
{
	char longest[PROFILE_TEXT + 1];

	memset(longest, 'x', sizeof(longest));
	longest[PROFILE_TEXT - 1] = '\0';
	ck_assert(set("user", longest));
	ck_assert_str_eq(p.user, longest);
	longest[PROFILE_TEXT - 1] = 'x';
	longest[PROFILE_TEXT] = '\0';
	ck_assert(!set("user", longest));
	ck_assert(set("user", "bob"));
	ck_assert_str_eq(p.user, "bob");
}
END_TEST

START_TEST(test_switches)
{
	ck_assert(profile_is_switch("default-route"));
	ck_assert(profile_is_switch("ipv6"));
	ck_assert(!profile_is_switch("user"));
	ck_assert(!profile_is_switch("mru"));
	ck_assert(!profile_is_switch("nonsense"));
}
END_TEST

/* What single values can't show. */
START_TEST(test_check)
{
	static const char *const spoil[][3] = {
	    {"server", "", "no server"},
	    {"user", "", "no user"},
	    {"interface", "a/b", "interface"},
	    {"interface", "a*", "interface"},
	    {"allow", "pap, chap", "mschap2"},
	    {"allow", "", "no authentication method"},
	    {"default-route6", "yes", "ipv6 = yes"},
	    {"routes", "fd00::/8", "ipv6 = yes"},
	};

	for (size_t i = 0; i < sizeof(spoil) / sizeof(spoil[0]); i++) {
		setup();
		complete();
		ck_assert(set("ipv6", "no"));
		ck_assert_msg(set(spoil[i][0], spoil[i][1]), "%s", err);
		ck_assert_msg(!profile_check(&p, err, sizeof(err)), "%s = %s was taken", spoil[i][0], spoil[i][1]);
		ck_assert_msg(strstr(err, spoil[i][2]) != NULL, "%s", err);
	}
}
END_TEST

START_TEST(test_check_of_pairs)
{
	complete();
	ck_assert(set("mppe", "allow") && set("allow", "pap"));
	ck_assert(profile_check(&p, err, sizeof(err)));
	ck_assert(set("password-file", "/x") && set("password-fd", "0"));
	ck_assert(!profile_check(&p, err, sizeof(err)));
	setup();
	complete();
	ck_assert(set("ipv4", "no") && set("default-route", "yes"));
	ck_assert(!profile_check(&p, err, sizeof(err)));
	ck_assert(set("default-route", "no") && set("demand", "yes"));
	ck_assert(!profile_check(&p, err, sizeof(err)));
	ck_assert(set("demand", "no") && set("routes", "10.0.0.0/8"));
	ck_assert(!profile_check(&p, err, sizeof(err)));
	ck_assert(set("routes", "") && set("ipv6", "no"));
	ck_assert(!profile_check(&p, err, sizeof(err)));
	setup();
	complete();
	ck_assert(set("family", "ipv6") && set("bind-address", "192.0.2.2"));
	ck_assert(!profile_check(&p, err, sizeof(err)));
}
END_TEST

Suite *suite_option(void);

Suite *
suite_option(void)
{
	Suite *s = suite_create("option");
	TCase *t = tcase_create("option");

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, test_defaults);
	tcase_add_test(t, test_every_row_takes_its_own_default);
	tcase_add_test(t, test_values);
	tcase_add_test(t, test_lists_replace_what_was_there);
	tcase_add_test(t, test_bad_values);
	tcase_add_test(t, test_texts_up_to_their_room);
	tcase_add_test(t, test_switches);
	tcase_add_test(t, test_check);
	tcase_add_test(t, test_check_of_pairs);
	suite_add_tcase(s, t);
	return s;
}
