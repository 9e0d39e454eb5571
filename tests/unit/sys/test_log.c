#include "sys/log.h"

#include <errno.h>
#include <pthread.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/suite.h"
#include "tests/unit/sys/capture.h"

Suite *suite_log(void);

static bool
matches(const char *text, const char *pattern)
{
	regex_t re;
	bool yes;

	ck_assert_int_eq(regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB), 0);
	yes = regexec(&re, text, 0, NULL, 0) == 0;
	regfree(&re);
	return yes;
}

START_TEST(line_has_time_level_event_and_rest)
{
	const char *got;

	log_init("test", LOG_TO_STDERR, LOG_LEVEL_INFO);
	capture_begin();
	log_event(LOG_LEVEL_WARN, "auth", "session=%x peer=%s", 0x1f3a, "192.0.2.7");
	got = capture_end();
	ck_assert_msg(matches(got, "^time=[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z level=warning "
				   "event=auth session=1f3a peer=192\\.0\\.2\\.7\n$"),
	    "got: %s", got);
}
END_TEST

START_TEST(levels_above_the_set_one_are_silent)
{
	log_init("test", LOG_TO_STDERR, LOG_LEVEL_INFO);
	capture_begin();
	log_event(LOG_LEVEL_DEBUG, "x", "a=1");
	ck_assert_str_eq(capture_end(), "");
	ck_assert(!log_enabled(LOG_LEVEL_DEBUG));
	log_set_level(LOG_LEVEL_TRACE);
	ck_assert(log_enabled(LOG_LEVEL_TRACE));
	capture_begin();
	log_event(LOG_LEVEL_TRACE, "x", "a=1");
	ck_assert_ptr_nonnull(strstr(capture_end(), "level=trace event=x a=1\n"));
	log_set_level(LOG_LEVEL_INFO);
}
END_TEST

START_TEST(a_value_cannot_forge_a_line)
{
	const char *got;

	log_init("test", LOG_TO_STDERR, LOG_LEVEL_INFO);
	capture_begin();
	log_event(LOG_LEVEL_INFO, "x", "a=%s", "1\nevent=auth result=ok\033[2J");
	got = capture_end();
	ck_assert_ptr_eq(strchr(got, '\n'), got + strlen(got) - 1);
	ck_assert_ptr_null(strchr(got, '\033'));
}
END_TEST

START_TEST(long_lines_are_cut_and_whole)
{
	char big[10000];
	const char *got;

	memset(big, 'y', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	log_init("test", LOG_TO_STDERR, LOG_LEVEL_INFO);
	capture_begin();
	log_event(LOG_LEVEL_INFO, "x", "a=%s", big);
	got = capture_end();
	ck_assert_uint_le(strlen(got), 4096 + 80);
	ck_assert_int_eq(got[strlen(got) - 1], '\n');
}
END_TEST

START_TEST(errno_is_kept_and_printed)
{
	log_init("test", LOG_TO_STDERR, LOG_LEVEL_INFO);
	capture_begin();
	errno = ENOENT;
	log_event(LOG_LEVEL_INFO, "x", "error=\"%m\"");
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_ptr_nonnull(strstr(capture_end(), "error=\"No such file or directory\"\n"));
}
END_TEST

START_TEST(quoting)
{
	char buf[64], small[6];

	ck_assert_str_eq(log_quote(buf, sizeof(buf), "bob"), "\"bob\"");
	ck_assert_str_eq(log_quote(buf, sizeof(buf), ""), "\"\"");
	ck_assert_str_eq(log_quote(buf, sizeof(buf), "a\" result=\"ok\n\\\xff"), "\"a\\x22 result=\\x22ok\\x0a\\x5c\\xff\"");
	ck_assert_str_eq(log_quote(small, sizeof(small), "abcdefgh"), "\"abc\"");
	ck_assert_str_eq(log_quote(small, 3, "abc"), "\"\"");
	ck_assert_str_eq(log_quote(small, 2, "abc"), "");
}
END_TEST

START_TEST(level_words)
{
	ck_assert_int_eq(log_parse_level("error"), LOG_LEVEL_ERROR);
	ck_assert_int_eq(log_parse_level("warning"), LOG_LEVEL_WARN);
	ck_assert_int_eq(log_parse_level("trace"), LOG_LEVEL_TRACE);
	ck_assert_int_eq(log_parse_level("loud"), -1);
	ck_assert_int_eq(log_parse_level(""), -1);
}
END_TEST

enum { THREADS = 4, LINES = 100 };

static void *
write_lines(void *arg)
{
	for (int i = 0; i < LINES; i++)
		log_event(LOG_LEVEL_INFO, "t", "text=%s", (const char *)arg);
	return NULL;
}

START_TEST(lines_of_threads_do_not_mix)
{
	static char words[THREADS][65];
	pthread_t threads[THREADS];
	const char *got;
	int lines = 0;

	log_init("test", LOG_TO_STDERR, LOG_LEVEL_INFO);
	capture_begin();
	for (size_t i = 0; i < THREADS; i++) {
		memset(words[i], 'a' + (int)i, 64);
		ck_assert_int_eq(pthread_create(&threads[i], NULL, write_lines, words[i]), 0);
	}
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	for (got = capture_end(); *got != '\0'; got = strchr(got, '\n') + 1) {
		const char *text = strstr(got, "event=t text=");

		ck_assert_ptr_nonnull(text);
		text += strlen("event=t text=");
		ck_assert_uint_eq(strspn(text, (char[]){*text, '\0'}), 64);
		ck_assert_int_eq(text[64], '\n');
		lines++;
	}
	ck_assert_int_eq(lines, THREADS * LINES);
}
END_TEST

START_TEST(fatal_ends_with_status_1)
{
	int status;
	pid_t pid;

	log_init("test", LOG_TO_STDERR, LOG_LEVEL_INFO);
	capture_begin();
	pid = fork();
	if (pid == 0) {
		log_fatal("no such user: %s", "bob");
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_ptr_nonnull(strstr(capture_end(), "level=error event=fatal no such user: bob\n"));
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 1);
}
END_TEST

START_TEST(every_target_can_be_chosen)
{
	/* Whether a journal or syslog runs here or not: nothing crashes, and the log works afterwards. */
	capture_begin();
	log_init("test", LOG_TO_SYSLOG, LOG_LEVEL_INFO);
	log_event(LOG_LEVEL_DEBUG, "x", "a=1");
	log_init("test", LOG_TO_JOURNAL, LOG_LEVEL_INFO);
	if (access("/run/systemd/journal/socket", F_OK) != 0)
		log_event(LOG_LEVEL_INFO, "fallback", "a=1");
	log_init("test", LOG_TO_STDERR, LOG_LEVEL_INFO);
	log_event(LOG_LEVEL_INFO, "x", "a=2");
	ck_assert_ptr_nonnull(strstr(capture_end(), "event=x a=2\n"));
}
END_TEST

Suite *
suite_log(void)
{
	Suite *s = suite_create("log");
	TCase *t = tcase_create("log");

	tcase_add_test(t, line_has_time_level_event_and_rest);
	tcase_add_test(t, levels_above_the_set_one_are_silent);
	tcase_add_test(t, a_value_cannot_forge_a_line);
	tcase_add_test(t, long_lines_are_cut_and_whole);
	tcase_add_test(t, errno_is_kept_and_printed);
	tcase_add_test(t, quoting);
	tcase_add_test(t, level_words);
	tcase_add_test(t, lines_of_threads_do_not_mix);
	tcase_add_test(t, fatal_ends_with_status_1);
	tcase_add_test(t, every_target_can_be_chosen);
	suite_add_tcase(s, t);
	return s;
}
