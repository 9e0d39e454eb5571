#include <stdlib.h>
#include <string.h>

#include "pptpc/cmdline.h"
#include "tests/unit/suite.h"

enum { MAX_ARGS = 16 };

static struct client_config config;
static struct cmdline line;
static char err[512];

static void
setup(void)
{
	client_config_init(&config);
	memset(&line, 0, sizeof(line));
	err[0] = '\0';
}

static void
teardown(void)
{
	free(line.text);
	line.text = NULL;
	client_config_fini(&config);
}

/* Parses words that stand with single blanks; each call begins anew. */
static bool
parse(const char *words)
{
	char copy[512], *argv[MAX_ARGS + 1] = {(char[]){"pptpc"}}, *save = NULL;
	int argc = 1;

	teardown();
	setup();
	strcpy(copy, words);
	for (char *w = strtok_r(copy, " ", &save); w != NULL && argc < MAX_ARGS; w = strtok_r(NULL, " ", &save))
		argv[argc++] = w;
	return cmdline_parse(argc, argv, &line, &config, err, sizeof(err));
}

START_TEST(test_plain_words)
{
	const struct profile *p;

	ck_assert_msg(parse("vpn.example.org user bob default-route mru 1300 routes 10.0.0.0/8,192.168.0.0/16"), "%s", err);
	p = &config.tunnels[0];
	ck_assert(config.by_hand);
	ck_assert_uint_eq(config.count, 1);
	ck_assert_str_eq(p->name, "vpn.example.org");
	ck_assert_str_eq(p->servers.names[0], "vpn.example.org");
	ck_assert_str_eq(p->user, "bob");
	ck_assert(p->default_route);
	ck_assert_uint_eq(p->tunnel.link.mru, 1300);
	ck_assert_uint_eq(p->routes.count, 2);
	ck_assert(!p->retry);
}
END_TEST

START_TEST(test_long_options_mean_the_same)
{
	ck_assert_msg(parse("--user=bob vpn.example.org --default-route --mru 1300 --retry"), "%s", err);
	ck_assert_str_eq(config.tunnels[0].user, "bob");
	ck_assert_str_eq(config.tunnels[0].servers.names[0], "vpn.example.org");
	ck_assert(config.tunnels[0].default_route);
	ck_assert(config.tunnels[0].retry);
}
END_TEST

START_TEST(test_switches_with_and_without_a_value)
{
	ck_assert(parse("h user bob ipv6 no demand"));
	ck_assert(!config.tunnels[0].tunnel.bundle.ipv6);
	ck_assert(config.tunnels[0].demand);
	ck_assert(parse("h user bob demand default-route no"));
	ck_assert(config.tunnels[0].demand);
	ck_assert(!config.tunnels[0].default_route);
}
END_TEST

START_TEST(test_several_hosts)
{
	ck_assert(parse("a.example,b.example user bob"));
	ck_assert_uint_eq(config.tunnels[0].servers.count, 2);
}
END_TEST

START_TEST(test_service)
{
	ck_assert(parse("-c /etc/pptpc.conf"));
	ck_assert_str_eq(line.file, "/etc/pptpc.conf");
	ck_assert(!config.by_hand);
	ck_assert(parse("-nvd -s/tmp/x -c/f"));
	ck_assert(line.check && line.verbose && line.debug);
	ck_assert_str_eq(line.socket, "/tmp/x");
	ck_assert_str_eq(line.file, "/f");
}
END_TEST

START_TEST(test_help_and_version_need_nothing_else)
{
	ck_assert(parse("--help") && line.help);
	ck_assert(parse("-h") && line.help);
	ck_assert(parse("--version") && line.version);
	ck_assert(parse("-V") && line.version);
}
END_TEST

START_TEST(test_a_password_is_never_an_argument)
{
	static const char *const tries[] = {"h user bob password secret", "h --password=secret", "h --password secret", "h password"};

	for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
		ck_assert(!parse(tries[i]));
		ck_assert_ptr_nonnull(strstr(err, "password-file"));
		ck_assert_ptr_null(strstr(err, "secret"));
	}
}
END_TEST

START_TEST(test_errors_name_the_argument)
{
	static const char *const rows[][2] = {
	    {"", "HOST"},
	    {"h", "no user"},
	    {"h user", "user: a value is missing"},
	    {"h usr bob", "\"usr\""},
	    {"h usr", "\"usr\""},
	    {"h user bob mru 99999", "mru"},
	    {"h user bob routes home", "home"},
	    {"-x", "-x"},
	    {"-c", "-c"},
	    {"-c f h user bob", "-c"},
	    {"h user bob ip-down down.sh", "ip-down"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ck_assert_msg(!parse(rows[i][0]), "%s", rows[i][0]);
		ck_assert_msg(strstr(err, rows[i][1]) != NULL, "%s: %s", rows[i][0], err);
	}
}
END_TEST

START_TEST(test_it_can_be_written_as_a_section)
{
	ck_assert(parse("h user a\"b\\c demand"));
	ck_assert_str_eq(
	    line.text, "tunnel \"by-hand\" {\n\tretry = \"no\"\n\tserver = \"h\"\n\tuser = \"a\\\"b\\\\c\"\n\tdemand = \"yes\"\n}\n");
}
END_TEST

Suite *suite_cmdline(void);

Suite *
suite_cmdline(void)
{
	Suite *s = suite_create("cmdline");
	TCase *t = tcase_create("cmdline");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_plain_words);
	tcase_add_test(t, test_long_options_mean_the_same);
	tcase_add_test(t, test_switches_with_and_without_a_value);
	tcase_add_test(t, test_several_hosts);
	tcase_add_test(t, test_service);
	tcase_add_test(t, test_help_and_version_need_nothing_else);
	tcase_add_test(t, test_a_password_is_never_an_argument);
	tcase_add_test(t, test_errors_name_the_argument);
	tcase_add_test(t, test_it_can_be_written_as_a_section);
	suite_add_tcase(s, t);
	return s;
}
