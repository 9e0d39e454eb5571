/* The daemons' command line. Each row runs in a process of its own, as getopt keeps its place. */
#include "sys/args.h"

#include <string.h>

#include "tests/unit/suite.h"
#include "tests/unit/sys/capture.h"

Suite *suite_args(void);

/* status -1: to go on. flags: of check, print, foreground in this order. */
static const struct {
	const char *line;
	int status;
	const char *config, *flags;
	unsigned debug;
	const char *said; /* on standard error */
} rows[] = {
    {"", -1, "/etc/default", "---", 0, ""},
    {"-f", -1, "/etc/default", "--f", 0, ""},
    {"-n -c x.conf", -1, "x.conf", "n--", 0, ""},
    {"-nv", -1, "/etc/default", "nv-", 0, ""},
    {"-d", -1, "/etc/default", "--f", 1, ""},
    {"-dd", -1, "/etc/default", "--f", 2, ""},
    {"-f now", 2, "/etc/default", "--f", 0, "prog: unexpected argument: now\nUSAGE\n"},
    {"-x", 2, "/etc/default", "---", 0, "invalid option -- 'x'\nUSAGE\n"},
    {"-c", 2, "/etc/default", "---", 0, "requires an argument -- 'c'\nUSAGE\n"},
    {"--help", 0, "/etc/default", "---", 0, ""},
    {"--version", 0, "/etc/default", "---", 0, ""},
};

START_TEST(line)
{
	char words[64], program[] = "prog", *argv[8] = {program}, *save = NULL;
	struct args a = {.config = "/etc/default"};
	const char *said;
	int argc = 1, status;

	strcpy(words, rows[_i].line);
	for (char *w = strtok_r(words, " ", &save); w != NULL; w = strtok_r(NULL, " ", &save))
		argv[argc++] = w;
	capture_begin();
	status = args_parse(&a, "prog", "USAGE\n", argc, argv);
	said = capture_end();
	ck_assert_int_eq(status, rows[_i].status);
	ck_assert_str_eq(a.config, rows[_i].config);
	ck_assert_int_eq(a.check, rows[_i].flags[0] == 'n');
	ck_assert_int_eq(a.print, rows[_i].flags[1] == 'v');
	ck_assert_int_eq(a.foreground, rows[_i].flags[2] == 'f');
	ck_assert_uint_eq(a.debug, rows[_i].debug);
	ck_assert_msg(strlen(said) >= strlen(rows[_i].said), "%s", said);
	ck_assert_str_eq(said + strlen(said) - strlen(rows[_i].said), rows[_i].said);
}
END_TEST

Suite *
suite_args(void)
{
	Suite *s = suite_create("args");
	TCase *t = tcase_create("args");

	tcase_add_loop_test(t, line, 0, (int)(sizeof(rows) / sizeof(rows[0])));
	suite_add_tcase(s, t);
	return s;
}
