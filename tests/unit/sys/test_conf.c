#include "sys/conf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/suite.h"
#include "tests/unit/sys/capture.h"

Suite *suite_conf(void);

static cfg_opt_t limits_opts[] = {CFG_INT("sessions", 100, CFGF_NONE), CONF_STR("idle", "15m", conf_check_duration), CFG_END()};
static cfg_opt_t pool_opts[] = {CONF_STR_LIST("ranges", NULL, conf_check_range), CFG_BOOL("proxy-arp", cfg_false, CFGF_NONE), CFG_END()};
static cfg_opt_t opts[] = {
    CONF_STR_LIST("listen", "{0.0.0.0, \"::\"}", conf_check_addr),
    CONF_INT("port", 1723, conf_check_port),
    CONF_STR("name", NULL, NULL),
    CONF_STR_LIST("auth", "{mschap2}", NULL),
    CFG_BOOL("debug", cfg_false, CFGF_NONE),
    CFG_FLOAT("ratio", 0.1, CFGF_NONE),
    CFG_SEC("limits", limits_opts, CFGF_NONE),
    CFG_SEC("pool", pool_opts, CFGF_MULTI | CFGF_TITLE),
    CFG_END(),
};

START_TEST(defaults_and_values)
{
	cfg_t *cfg = conf_parse_text("t.conf",
	    "# comment\nport = 1724\nlisten = {192.0.2.1}\nlimits { sessions = 5 }\n"
	    "pool \"a\" { ranges = {10.0.0.1-10.0.0.9, 10.1.0.0/16} proxy-arp = yes }\npool b { }\n",
	    opts);

	ck_assert_ptr_nonnull(cfg);
	ck_assert_int_eq(cfg_getint(cfg, "port"), 1724);
	ck_assert_uint_eq(cfg_size(cfg, "listen"), 1);
	ck_assert_str_eq(cfg_getnstr(cfg, "listen", 0), "192.0.2.1");
	ck_assert_str_eq(cfg_getstr(cfg, "auth"), "mschap2");
	ck_assert_int_eq(cfg_getint(cfg, "limits|sessions"), 5);
	ck_assert_str_eq(cfg_getstr(cfg, "limits|idle"), "15m");
	ck_assert_uint_eq(cfg_size(cfg, "pool"), 2);
	ck_assert_str_eq(cfg_getnstr(cfg_gettsec(cfg, "pool", "a"), "ranges", 1), "10.1.0.0/16");
	cfg_free(cfg);
	cfg = conf_parse_text("t.conf", "", opts);
	ck_assert_ptr_nonnull(cfg);
	ck_assert_uint_eq(cfg_size(cfg, "listen"), 2);
	cfg_free(cfg);
}
END_TEST

START_TEST(errors_name_file_line_option_and_value)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
	    {"\n\ncolour = red\n", "t.conf:3: no such option 'colour'\n"},
	    {"# a\n# b\n/* c\n */\nport = x\n", "t.conf:5: option 'port': 'x' is no whole number\n"},
	    {"port = \"\"\n", "t.conf:1: option 'port': '' is no whole number\n"},
	    {"port = 99999999999999999999\n", "t.conf:1: option 'port': '99999999999999999999' is no whole number\n"},
	    {"port = 0\n", "t.conf:1: option 'port': 0 is no port (1 to 65535)\n"},
	    {"port = 65536\n", "t.conf:1: option 'port': 65536 is no port (1 to 65535)\n"},
	    {"debug = maybe\n", "t.conf:1: option 'debug': 'maybe' is neither yes nor no\n"},
	    {"listen = {192.0.2.1,\n192.0.2.256}\n", "t.conf:2: option 'listen': '192.0.2.256' is not an IPv4 or IPv6 address\n"},
	    {"limits {\n\tidle = 15x\n}\n", "t.conf:2: option 'idle': '15x' is not a time like"},
	    {"limits {\n\tlunch = 1\n}\n", "t.conf:2: no such option 'lunch'\n"},
	    {"pool a {\n\tranges = {10.0.0.9-10.0.0.1}\n}\n", "t.conf:2: option 'ranges': '10.0.0.9-10.0.0.1' is not a range"},
	    {"\npool a {\n", "t.conf:2: a brace that is opened here is never closed\n"},
	    {"\nport =\n", "t.conf:3: premature end of file\n"},
	    {"pool { }\n", "t.conf:1: missing title for section 'pool'\n"},
	    {"port 5\n", "t.conf:1: missing equal sign after option 'port'\n"},
	    {"port = 5\n}\n", "t.conf:2: unexpected closing brace\n"},
	    {"\nname = \"open\nport = 5\n", "t.conf:2: a string that begins here is never closed\n"},
	    {"name = ppp*\n", "t.conf:1: a value with one of + * $ in it must stand in quotes\n"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *got;
		cfg_t *cfg;

		capture_begin();
		cfg = conf_parse_text("t.conf", rows[i].text, opts);
		got = capture_end();
		ck_assert_msg(cfg == NULL, "taken: %s", rows[i].text);
		ck_assert_msg(strncmp(got, rows[i].want, strlen(rows[i].want)) == 0, "want %s got %s", rows[i].want, got);
		ck_assert_msg(strchr(got, '\n') == got + strlen(got) - 1, "more than one line: %s", got);
	}
}
END_TEST

START_TEST(an_error_leaves_nothing_behind)
{
	static const char *const bad[] = {"name = \"x", "name = \"\\9\"", "pool a { ranges = { 1", "/* x", "name = 'x"};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		cfg_t *cfg;

		capture_begin();
		cfg = conf_parse_text("t.conf", bad[i], opts);
		capture_end();
		ck_assert_ptr_null(cfg);
		errno = ERANGE;
		cfg = conf_parse_text("t.conf", "name = ok port = 5", opts);
		ck_assert_msg(cfg != NULL, "after: %s", bad[i]);
		ck_assert_str_eq(cfg_getstr(cfg, "name"), "ok");
		cfg_free(cfg);
	}
}
END_TEST

START_TEST(words_of_any_length)
{
	enum { LEN = 70000 };
	static char text[LEN + 100];
	cfg_t *cfg;

	for (int quoted = 0; quoted < 3; quoted++) {
		const char *q = quoted == 0 ? "" : quoted == 1 ? "\"" : "'";
		int n = sprintf(text, "name = %s", q);

		memset(text + n, 'x', LEN);
		strcpy(text + n + LEN, q);
		cfg = conf_parse_text("t.conf", text, opts);
		ck_assert_ptr_nonnull(cfg);
		ck_assert_uint_eq(strlen(cfg_getstr(cfg, "name")), LEN);
		cfg_free(cfg);
	}
	memset(text, 'k', LEN);
	strcpy(text + LEN, " = 1");
	capture_begin();
	cfg = conf_parse_text("t.conf", text, opts);
	ck_assert_ptr_null(cfg);
	ck_assert_uint_lt(strlen(capture_end()), 1000);
}
END_TEST

static char *
printed(cfg_t *cfg)
{
	char *text = NULL;
	size_t len;
	FILE *fp = open_memstream(&text, &len);

	conf_print_to(cfg, fp);
	fclose(fp);
	return text;
}

START_TEST(print_parses_back_to_itself)
{
	static const char *const texts[] = {
	    "",
	    "name = \"a \\\"b\\\" \\\\ \\n ${HOME} $x # /* \\x01z'\" ratio = 0.30000000000000004",
	    "ratio = 1e300",
	    "listen = {} debug = yes pool \"q\\\"t\" { ranges = {10.0.0.1-7} } limits { idle = 0 }",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		cfg_t *first = conf_parse_text("first", texts[i], opts), *second;
		char *a, *b;

		ck_assert_ptr_nonnull(first);
		a = printed(first);
		second = conf_parse_text("second", a, opts);
		ck_assert_msg(second != NULL, "%s", a);
		b = printed(second);
		ck_assert_str_eq(a, b);
		if (cfg_getstr(first, "name") != NULL)
			ck_assert_str_eq(cfg_getstr(first, "name"), cfg_getstr(second, "name"));
		ck_assert(cfg_getfloat(first, "ratio") - cfg_getfloat(second, "ratio") == 0.0);
		ck_assert_uint_eq(cfg_size(first, "listen"), cfg_size(second, "listen"));
		ck_assert_uint_eq(cfg_size(first, "pool"), cfg_size(second, "pool"));
		free(a);
		free(b);
		cfg_free(first);
		cfg_free(second);
	}
}
END_TEST

START_TEST(print_shows_defaults)
{
	cfg_t *cfg = conf_parse_text("t", "pool a { ranges = {10.0.0.1} }", opts);
	char *text = printed(cfg);

	ck_assert_str_eq(text,
	    "listen = {\"0.0.0.0\", \"::\"}\nport = 1723\nauth = {\"mschap2\"}\ndebug = no\nratio = 0.10000000000000001\n"
	    "limits {\n\tsessions = 100\n\tidle = \"15m\"\n}\npool \"a\" {\n\tranges = {\"10.0.0.1\"}\n\tproxy-arp = no\n}\n");
	free(text);
	cfg_free(cfg);
}
END_TEST

START_TEST(files)
{
	char path[] = "/tmp/test-conf-XXXXXX", want[100];
	int fd = mkstemp(path);
	cfg_t *cfg;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, "port = 7\nx = 1\n", 9), 9);
	cfg = conf_parse(path, opts);
	ck_assert_ptr_nonnull(cfg);
	ck_assert_int_eq(cfg_getint(cfg, "port"), 7);
	cfg_free(cfg);
	ck_assert_int_eq(write(fd, "x = 1\n", 6), 6);
	close(fd);
	capture_begin();
	cfg = conf_parse(path, opts);
	snprintf(want, sizeof(want), "%s:2: no such option 'x'\n", path);
	ck_assert_str_eq(capture_end(), want);
	ck_assert_ptr_null(cfg);
	unlink(path);
	capture_begin();
	ck_assert_ptr_null(conf_parse(path, opts));
	ck_assert_ptr_null(conf_parse("/tmp", opts));
	ck_assert_ptr_nonnull(strstr(capture_end(), "/tmp: can't read the configuration: Is a directory\n"));
}
END_TEST

START_TEST(durations)
{
	static const struct {
		const char *text;
		uint64_t ns; /* UINT64_MAX: none */
	} rows[] = {
	    {"0", 0},
	    {"30", 30000000000},
	    {"30s", 30000000000},
	    {"500ms", 500000000},
	    {"15m", 900000000000},
	    {"2h", 7200000000000},
	    {"1d", 86400000000000},
	    {"200000d", 17280000000000000000u},
	    {"300000d", UINT64_MAX},
	    {"99999999999999999999999", UINT64_MAX},
	    {"", UINT64_MAX},
	    {"m", UINT64_MAX},
	    {"-1", UINT64_MAX},
	    {"1.5h", UINT64_MAX},
	    {"1 h", UINT64_MAX},
	    {" 1", UINT64_MAX},
	    {"1w", UINT64_MAX},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t ns = UINT64_MAX;
		bool ok = conf_duration(rows[i].text, &ns);

		ck_assert_msg(ok == (rows[i].ns != UINT64_MAX), "'%s'", rows[i].text);
		if (ok)
			ck_assert_uint_eq(ns, rows[i].ns);
	}
}
END_TEST

START_TEST(ranges)
{
	static const struct {
		const char *text;
		bool ok;
		uint32_t first, last;
	} rows[] = {
	    {"10.0.0.5", true, 0x0a000005, 0x0a000005},
	    {"10.0.0.5-10.0.1.7", true, 0x0a000005, 0x0a000107},
	    {"10.0.0.5-99", true, 0x0a000005, 0x0a000063},
	    {"10.0.0.0/30", true, 0x0a000000, 0x0a000003},
	    {"0.0.0.0/0", true, 0, UINT32_MAX},
	    {"10.0.0.5/32", true, 0x0a000005, 0x0a000005},
	    {"10.0.0.5-4", false, 0, 0},
	    {"10.0.0.5-256", false, 0, 0},
	    {"10.0.0.5-", false, 0, 0},
	    {"10.0.0.5-+6", false, 0, 0},
	    {"-10.0.0.5", false, 0, 0},
	    {"10.0.0.5-fe80::1", false, 0, 0},
	    {"2001:db8::1", false, 0, 0},
	    {"10.0.0.0/33", false, 0, 0},
	    {"", false, 0, 0},
	    {"10.0.0.5-10.0.0.4", false, 0, 0},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint32_t first = 0, last = 0;

		ck_assert_msg(conf_range(rows[i].text, &first, &last) == rows[i].ok, "'%s'", rows[i].text);
		ck_assert_uint_eq(first, rows[i].first);
		ck_assert_uint_eq(last, rows[i].last);
	}
}
END_TEST

Suite *
suite_conf(void)
{
	Suite *s = suite_create("conf");
	TCase *t = tcase_create("conf");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, defaults_and_values);
	tcase_add_test(t, errors_name_file_line_option_and_value);
	tcase_add_test(t, an_error_leaves_nothing_behind);
	tcase_add_test(t, words_of_any_length);
	tcase_add_test(t, print_parses_back_to_itself);
	tcase_add_test(t, print_shows_defaults);
	tcase_add_test(t, files);
	tcase_add_test(t, durations);
	tcase_add_test(t, ranges);
	suite_add_tcase(s, t);
	return s;
}
