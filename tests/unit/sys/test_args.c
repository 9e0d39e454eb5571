/* The daemons' command line. Each row runs in a process of its own, as getopt keeps its place. */
#include "sys/args.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

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

START_TEST(log_level)
{
	static const struct {
		unsigned debug;
		enum log_level configured, want;
	} levels[] = {
	    {0, LOG_LEVEL_ERROR, LOG_LEVEL_ERROR},
	    {0, LOG_LEVEL_TRACE, LOG_LEVEL_TRACE},
	    {1, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG},
	    {1, LOG_LEVEL_TRACE, LOG_LEVEL_TRACE},
	    {2, LOG_LEVEL_ERROR, LOG_LEVEL_TRACE},
	};

	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		struct args args = {.debug = levels[i].debug};

		ck_assert_int_eq(args_log(&args, "prog", LOG_TO_STDERR, levels[i].configured), levels[i].want);
		ck_assert(log_enabled(levels[i].want));
		ck_assert(levels[i].want == LOG_LEVEL_TRACE || !log_enabled(levels[i].want + 1));
	}
	log_init("test", LOG_TO_STDERR, LOG_LEVEL_INFO);
}
END_TEST

/* What the process that goes on sees of itself is read from a pipe; whoever waits for the first one sees it end. */
static char
go(bool foreground, enum log_target target)
{
	struct args args = {.foreground = foreground};
	int fds[2], status;
	char seen = 0;
	pid_t pid;

	ck_assert_int_eq(pipe(fds), 0);
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		pid_t before = getpid();
		bool ok = args_background(&args, "prog", target);
		struct stat err, null;

		fstat(STDERR_FILENO, &err);
		stat("/dev/null", &null);
		seen = !ok ? 'x' : getpid() == before ? 'f' : err.st_rdev == null.st_rdev ? 'n' : 'e';
		_exit(write(fds[1], &seen, 1) != 1);
	}
	close(fds[1]);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	ck_assert_int_eq(read(fds[0], &seen, 1), 1);
	close(fds[0]);
	return seen;
}

START_TEST(background)
{
	char with_stderr, with_syslog, in_front;

	capture_begin(); /* so that stderr is no /dev/null */
	in_front = go(true, LOG_TO_SYSLOG);
	with_syslog = go(false, LOG_TO_SYSLOG);
	with_stderr = go(false, LOG_TO_STDERR);
	ck_assert_str_eq(capture_end(), "");
	ck_assert_int_eq(in_front, 'f');
	ck_assert_int_eq(with_syslog, 'n');
	ck_assert_int_eq(with_stderr, 'e');
}
END_TEST

Suite *
suite_args(void)
{
	Suite *s = suite_create("args");
	TCase *t = tcase_create("args");

	tcase_add_loop_test(t, line, 0, (int)(sizeof(rows) / sizeof(rows[0])));
	tcase_add_test(t, log_level);
	tcase_add_test(t, background);
	suite_add_tcase(s, t);
	return s;
}
