#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alg/trace.h"
#include "tests/unit/suite.h"

static unsigned renewals;
static char text[65536];

static void
renew(void *user)
{
	(void)user;
	renewals++;
}

static int
new_file(void)
{
	char path[] = "/tmp/test_trace.XXXXXX";
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	unlink(path);
	return fd;
}

/* The file as it is, read by a descriptor of our own. */
static const char *
contents(int fd)
{
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	ck_assert_int_ge((int)n, 0);
	text[n] = '\0';
	return text;
}

static struct trace *
trace(unsigned level, unsigned flags, uint64_t size)
{
	struct trace_config config = {.level = level, .flags = flags, .size = size, .renew = renew};
	struct trace *t = trace_new(&config);

	ck_assert_ptr_nonnull(t);
	renewals = 0;
	return t;
}

START_TEST(words)
{
	static const char *const names[] = {"messages", "connections", "calls", "gates", "xlate", "datapath", "policy"};
	unsigned all = 0, flag, level;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		ck_assert(trace_flag_parse(names[i], &flag));
		ck_assert_str_eq(trace_flag_text(flag), names[i]);
		all |= flag;
	}
	ck_assert_uint_eq(all, TRACE_ALL);
	ck_assert(trace_flag_parse("all", &flag));
	ck_assert_uint_eq(flag, TRACE_ALL);
	ck_assert(!trace_flag_parse("none", &flag));
	ck_assert(trace_level_parse("verbose", &level));
	ck_assert_uint_eq(level, TRACE_VERBOSE);
	ck_assert_str_eq(trace_level_text(TRACE_NOTICE), "notice");
	ck_assert(!trace_level_parse("all", &level));
	ck_assert_str_eq(trace_level_text(99), "unknown");
	ck_assert_str_eq(trace_flag_text(3), "unknown");
}
END_TEST

START_TEST(level_and_flag_choose)
{
	struct trace *t = trace(TRACE_INFO, TRACE_CALLS | TRACE_GATES, 100000);
	int fd = new_file(), mine = dup(fd);

	trace_file(t, fd);
	ck_assert(trace_wants(t, TRACE_INFO, TRACE_CALLS));
	ck_assert(!trace_wants(t, TRACE_VERBOSE, TRACE_CALLS));
	ck_assert(!trace_wants(t, TRACE_ERROR, TRACE_MESSAGES));
	ck_assert(!trace_wants(NULL, TRACE_ERROR, TRACE_CALLS));
	trace_line(NULL, TRACE_ERROR, TRACE_CALLS, "nothing");
	trace_line(t, TRACE_ERROR, TRACE_MESSAGES, "not this");
	trace_line(t, TRACE_VERBOSE, TRACE_GATES, "nor this");
	trace_line(t, TRACE_INFO, TRACE_GATES, "gate %d", 7);
	contents(mine);
	ck_assert_ptr_nonnull(strstr(text, "Z info gates: gate 7\n"));
	ck_assert_ptr_null(strstr(text, "this"));
	ck_assert_ptr_eq(strchr(text, '\n'), text + strlen(text) - 1);
	/* 2026-11-21T09:57:06.123456Z */
	ck_assert_int_eq(text[10], 'T');
	ck_assert_int_eq(text[26], 'Z');
	trace_free(t);
	close(mine);
}
END_TEST

static unsigned
lines(void)
{
	unsigned n = 0;

	for (const char *p = text; *p != '\0'; p++)
		n += *p == '\n';
	return n;
}

static struct trace *at_once;
static int files[64];
static unsigned files_count;

static void
renew_at_once(void *user)
{
	int fd = new_file();

	(void)user;
	ck_assert_uint_lt(files_count, 64);
	files[files_count++] = dup(fd);
	trace_file(at_once, fd);
}

/* Where a file is to be had at once, no line is lost. */
START_TEST(files_follow_each_other)
{
	struct trace_config config = {.level = TRACE_INFO, .flags = TRACE_ALL, .size = 200, .renew = renew_at_once};
	unsigned all = 0;

	files_count = 0;
	at_once = trace_new(&config);
	ck_assert_ptr_nonnull(at_once);
	for (unsigned i = 0; i < 40; i++)
		trace_line(at_once, TRACE_INFO, TRACE_CALLS, "line %02u", i);
	trace_free(at_once);
	ck_assert_uint_gt(files_count, 5);
	for (unsigned i = 0; i < files_count; i++) {
		ck_assert_uint_le(strlen(contents(files[i])), 200);
		ck_assert_ptr_null(strstr(text, "missing"));
		all += lines();
		close(files[i]);
	}
	ck_assert_uint_eq(all, 40);
}
END_TEST

START_TEST(a_line_stays_one)
{
	struct trace *t = trace(TRACE_INFO, TRACE_ALL, 100000);
	int fd = new_file(), mine = dup(fd);
	char *big = malloc(10001);

	memset(big, 'x', 10000);
	big[10000] = '\0';
	trace_file(t, fd);
	trace_line(t, TRACE_INFO, TRACE_CALLS, "a\nb\x1b[31m");
	trace_line(t, TRACE_INFO, TRACE_CALLS, "%s", big);
	contents(mine);
	ck_assert_ptr_nonnull(strstr(text, "calls: a b [31m\n"));
	ck_assert_uint_le(strlen(text), 2200);
	ck_assert_int_eq(text[strlen(text) - 1], '\n');
	free(big);
	trace_free(t);
	close(mine);
}
END_TEST

/* Lines wait for the next file. */
START_TEST(a_file_is_bounded)
{
	struct trace *t = trace(TRACE_INFO, TRACE_ALL, 1000);
	unsigned all = 0, asked = 0;
	int fd = new_file(), mine;

	for (unsigned i = 0; i < 50; i++)
		trace_line(t, TRACE_INFO, TRACE_CALLS, "line %02u", i);
	ck_assert_uint_eq(renewals, 1);
	while (renewals > asked) {
		asked = renewals;
		mine = dup(fd);
		trace_file(t, fd);
		ck_assert_uint_le(strlen(contents(mine)), 1000);
		ck_assert_ptr_null(strstr(text, "missing"));
		all += lines();
		close(mine);
		fd = new_file();
	}
	ck_assert_uint_eq(all, 50);
	ck_assert_uint_eq(renewals, 3);
	ck_assert_ptr_nonnull(strstr(text, "line 49\n"));
	close(fd);
	trace_free(t);
}
END_TEST

START_TEST(lines_that_find_no_room_are_counted)
{
	struct trace *t = trace(TRACE_INFO, TRACE_ALL, 1000000);
	int fd = new_file(), mine = dup(fd);
	unsigned waited;
	char missing[64];

	for (unsigned i = 0; i < 2000; i++)
		trace_line(t, TRACE_INFO, TRACE_CALLS, "line %04u", i);
	ck_assert_uint_eq(renewals, 1);
	trace_file(t, fd);
	ck_assert_uint_le(strlen(contents(mine)), 32768);
	waited = lines();
	ck_assert_uint_gt(waited, 100);
	ck_assert_uint_lt(waited, 2000);
	trace_line(t, TRACE_INFO, TRACE_CALLS, "here");
	snprintf(missing, sizeof(missing), "error all: %u lines are missing here\n", 2000 - waited);
	ck_assert_ptr_nonnull(strstr(contents(mine), missing));
	ck_assert_uint_eq(lines(), waited + 2);
	close(mine);
	trace_free(t);
}
END_TEST

/* Nothing can be written, and nothing breaks. */
START_TEST(a_file_that_takes_nothing)
{
	struct trace *t = trace(TRACE_INFO, TRACE_ALL, 1000);
	int fd, mine;

	trace_file(t, open("/dev/full", O_WRONLY));
	trace_line(t, TRACE_INFO, TRACE_CALLS, "no room");
	trace_file(t, -1);
	trace_line(t, TRACE_INFO, TRACE_CALLS, "waits");
	ck_assert_uint_eq(renewals, 0);
	fd = new_file();
	mine = dup(fd);
	trace_file(t, fd);
	contents(mine);
	ck_assert_ptr_nonnull(strstr(text, "1 lines are missing here\n"));
	ck_assert_ptr_nonnull(strstr(text, "waits\n"));
	ck_assert_uint_eq(lines(), 2);
	trace_free(t);
	close(mine);
}
END_TEST

/* What a file holds already counts. */
START_TEST(a_file_is_continued)
{
	struct trace *t = trace(TRACE_INFO, TRACE_ALL, 1000);
	int fd = new_file();

	ck_assert_int_eq(ftruncate(fd, 990), 0);
	trace_file(t, fd);
	trace_line(t, TRACE_INFO, TRACE_CALLS, "does not fit any more");
	ck_assert_uint_eq(renewals, 1);
	trace_free(t);
	trace_free(NULL);
}
END_TEST

Suite *suite_trace(void);

Suite *
suite_trace(void)
{
	Suite *s = suite_create("pptpalg/trace");
	TCase *t = tcase_create("trace");

	tcase_add_test(t, words);
	tcase_add_test(t, level_and_flag_choose);
	tcase_add_test(t, files_follow_each_other);
	tcase_add_test(t, a_line_stays_one);
	tcase_add_test(t, a_file_is_bounded);
	tcase_add_test(t, lines_that_find_no_room_are_counted);
	tcase_add_test(t, a_file_that_takes_nothing);
	tcase_add_test(t, a_file_is_continued);
	suite_add_tcase(s, t);
	return s;
}
