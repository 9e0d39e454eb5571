/* Options that several daemons have: what is refused, with which words, and what becomes of values. */
#include <string.h>

#include "sys/conf.h"
#include "tests/unit/suite.h"
#include "tests/unit/sys/capture.h"

Suite *suite_conf_value(void);

static const char *const sizes[] = {"small", "large", NULL};

static int
check_size(cfg_t *cfg, cfg_opt_t *opt)
{
	return conf_check_word(cfg, opt, sizes, "small or large");
}

static int
check_few(cfg_t *cfg, cfg_opt_t *opt)
{
	return conf_check_count(cfg, opt, 2, "numbers");
}

static int
check_number(cfg_t *cfg, cfg_opt_t *opt)
{
	static const struct conf_number numbers[] = {{"other", 5, 6}, {"number", -1, 9}};

	return conf_check_number(cfg, opt, numbers, sizeof(numbers) / sizeof(numbers[0]));
}

/* The section that has just ended is the last one. */
static int
check_section(cfg_t *cfg, cfg_opt_t *opt)
{
	cfg_t *section = cfg_opt_getnsec(opt, cfg_opt_size(opt) - 1);

	if (cfg_getint(section, "any") != 0)
		return 0;
	cfg_error(cfg, "section %s", cfg_title(section));
	return -1;
}

static cfg_opt_t section_opts[] = {CONF_INT("any", 0, check_number), CFG_END()};

static cfg_opt_t opts[] = {
    CONF_STR("size", "small", check_size),
    CONF_INT_LIST("few", "{1, 2}", check_few),
    CONF_SECTIONS("part", section_opts, check_section),
    CONF_STR("v4", "", conf_check_v4),
    CONF_STR("v6", "", conf_check_v6),
    CONF_STR("path", "", conf_check_path),
    CONF_STR("mode", "0600", conf_check_mode),
    CONF_STR("name", "nobody", conf_check_name),
    CONF_STR("log", "stderr", conf_check_log),
    CONF_STR("level", "info", conf_check_log_level),
    CONF_STR("time", "15m", conf_check_duration),
    CONF_INT("number", 5, check_number),
    CFG_END(),
};

START_TEST(good_ones)
{
	cfg_t *cfg = conf_parse_text("t.conf",
	    "v4 = 192.0.2.1\nv6 = \"2001:db8::1\"\npath = /x\nmode = 0660\nname = daemon\nlog = journal\nlevel = trace\ntime = 2h\n", opts);

	ck_assert_ptr_nonnull(cfg);
	ck_assert_str_eq(conf_text(cfg, "path"), "/x");
	ck_assert_uint_eq(conf_mode(cfg, "mode"), 0660);
	ck_assert_int_eq(conf_log_target(cfg, "log"), LOG_TO_JOURNAL);
	ck_assert_uint_eq(conf_ns(cfg, "time"), UINT64_C(7200000000000));
	cfg_free(cfg);
	cfg = conf_parse_text("t.conf", "log = syslog\n", opts);
	ck_assert_ptr_nonnull(cfg);
	ck_assert_ptr_null(conf_text(cfg, "path"));
	ck_assert_int_eq(conf_log_target(cfg, "log"), LOG_TO_SYSLOG);
	ck_assert_uint_eq(conf_number(cfg, "number"), 5);
	cfg_free(cfg);
	cfg = conf_parse_text("t.conf", "", opts);
	ck_assert_int_eq(conf_log_target(cfg, "log"), LOG_TO_STDERR);
	cfg_free(cfg);
	cfg = conf_parse_text("t.conf", "number = -1 size = large few = {3, 4} few += {} part a { any = 77 } part b { any = 1 }", opts);
	ck_assert_ptr_nonnull(cfg);
	ck_assert_int_eq(cfg_getint(cfg, "number"), -1);
	ck_assert_int_eq(conf_get_word(cfg, "size", sizes), 1);
	ck_assert_uint_eq(cfg_size(cfg, "few"), 2);
	ck_assert_uint_eq(cfg_size(cfg, "part"), 2);
	ck_assert_int_eq(cfg_getint(cfg_getnsec(cfg, "part", 0), "any"), 77);
	capture_begin();
	ck_assert(!conf_say(cfg, "too much of it"));
	ck_assert_str_eq(capture_end(), "t.conf: too much of it\n");
	cfg_free(cfg);
}
END_TEST

static const struct {
	const char *text, *said;
} wrongs[] = {
    {"v4 = \"::1\"", "t.conf:1: option 'v4': '::1' is not an IPv4 address\n"},
    {"v6 = 192.0.2.1", "t.conf:1: option 'v6': '192.0.2.1' is not an IPv6 address\n"},
    {"path = x", "t.conf:1: option 'path': 'x' is not an absolute path\n"},
    {"mode = 9", "t.conf:1: option 'mode': '9' is not an octal mode like 0660\n"},
    {"mode = 00660", "t.conf:1: option 'mode': '00660' is not an octal mode like 0660\n"},
    {"name = \"\"", "t.conf:1: option 'name': '' is not a name of 1 to 255 bytes\n"},
    {"log = file", "t.conf:1: option 'log': 'file' is not stderr, syslog or journal\n"},
    {"size = huge", "t.conf:1: option 'size': 'huge' is not small or large\n"},
    {"few = {1, 2,\n3}", "t.conf:2: option 'few': more than 2 numbers\n"},
    {"number = -2", "t.conf:1: option 'number': -2 is not in -1..9\n"},
    {"number = 10", "t.conf:1: option 'number': 10 is not in -1..9\n"},
    {"part a { any = 1 }\npart b { any = 0 }", "t.conf:2: section b\n"},
    {"level = loud", "t.conf:1: option 'level': 'loud' is not error, warning, info, debug or trace\n"},
};

START_TEST(wrong_ones)
{
	capture_begin();
	ck_assert_ptr_null(conf_parse_text("t.conf", wrongs[_i].text, opts));
	ck_assert_str_eq(capture_end(), wrongs[_i].said);
}
END_TEST

static const struct {
	const char *text, *host;
	uint16_t port; /* 0: none */
} endpoints[] = {
    {"127.0.0.1:9723", "127.0.0.1", 9723},
    {"[::1]:1", "::1", 1},
    {"0.0.0.0:65535", "0.0.0.0", 65535},
    {"127.0.0.1", NULL, 0},
    {"127.0.0.1:", NULL, 0},
    {"127.0.0.1:0", NULL, 0},
    {"127.0.0.1:65536", NULL, 0},
    {"127.0.0.1:9x", NULL, 0},
    {":9723", NULL, 0},
    {"::1:9723", NULL, 0},
    {"[127.0.0.1]:9723", NULL, 0},
    {"[::1:9723", NULL, 0},
    {"[]:9723", NULL, 0},
    {"[:9723", NULL, 0},
    {"", NULL, 0},
    {"111111111111111111111111111111111111111111111111111111111111:1", NULL, 0},
};

START_TEST(endpoint)
{
	char host[ADDR_TEXT_MAX];
	struct addr a;
	uint16_t port;

	ck_assert_int_eq(conf_endpoint(endpoints[_i].text, &a, &port), endpoints[_i].host != NULL);
	if (endpoints[_i].host == NULL)
		return;
	ck_assert_str_eq(addr_text(&a, host), endpoints[_i].host);
	ck_assert_uint_eq(port, endpoints[_i].port);
}
END_TEST

START_TEST(words)
{
	ck_assert_int_eq(conf_word(sizes, "small"), 0);
	ck_assert_int_eq(conf_word(sizes, "large"), 1);
	ck_assert_int_eq(conf_word(sizes, "larg"), -1);
	ck_assert_int_eq(conf_word(sizes, ""), -1);
	ck_assert_int_eq(conf_word(sizes + 2, "small"), -1);
}
END_TEST

Suite *
suite_conf_value(void)
{
	Suite *s = suite_create("conf_value");
	TCase *t = tcase_create("conf_value");

	tcase_add_test(t, good_ones);
	tcase_add_test(t, words);
	tcase_add_loop_test(t, wrong_ones, 0, (int)(sizeof(wrongs) / sizeof(wrongs[0])));
	tcase_add_loop_test(t, endpoint, 0, (int)(sizeof(endpoints) / sizeof(endpoints[0])));
	suite_add_tcase(s, t);
	return s;
}
