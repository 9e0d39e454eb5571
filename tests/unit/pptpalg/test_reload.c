#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alg/reload.h"
#include "tests/unit/suite.h"
#include "tests/unit/sys/capture.h"

Suite *suite_reload(void);

static struct config *now;
static char path[32];

static void
setup(void)
{
	int fd;

	strcpy(path, "/tmp/test-reload-XXXXXX");
	fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	close(fd);
	now = config_load_text("now.conf", "max-calls = 100\n");
	ck_assert_ptr_nonnull(now);
}

static void
teardown(void)
{
	config_free(now);
	unlink(path);
}

static const char *said;

static bool
check(size_t calls)
{
	bool ok;

	capture_begin();
	ok = reload_check(now, path, calls);
	said = capture_end();
	return ok;
}

/* With a file of this text. */
static bool
good(const char *text, size_t calls)
{
	FILE *f = fopen(path, "w");

	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	fclose(f);
	return check(calls);
}

START_TEST(a_good_file)
{
	ck_assert(good("max-calls = 200\nports = {1723, 1800}\npolicy x { action = refuse }\n", 100));
	ck_assert(good("max-calls = 50\n", 50));
	ck_assert(good("user = root\ncontrol-socket = \"/tmp/sock\"\n", 0));
	ck_assert(good("control-socket = \"\"\n", 0));
	ck_assert_str_eq(said, "");
}
END_TEST

static const struct {
	const char *text;
	size_t calls;
	const char *says;
} refusals[] = {
    {"ports = {1723}\nnat = none\n", 0, ":2: option 'nat': 'none' is not auto, route or interface"},
    {"ipv4 = no\nipv6 = no\n", 0, ": ipv4 = no and ipv6 = no leave nothing to do"},
    {"mark = 0x100\n", 0, "option 'mark' can't change while calls are to be kept"},
    {"table = 5\n", 0, "option 'table' can't change"},
    {"proxy-port = 5\n", 0, "option 'proxy-port' can't change"},
    {"datapath = user\n", 0, "option 'datapath' can't change"},
    {"state-dir = \"/x\"\n", 0, "option 'state-dir' can't change"},
    {"user = no-such-user\n", 0, "option 'user': there is no user 'no-such-user'"},
    {"control-socket = \"/no/such/folder/sock\"\n", 0, "option 'control-socket': there is no folder for '/no/such/folder/sock'"},
    {"max-calls = 50\n", 51, "option 'max-calls': 51 calls are up, and would be lost"},
};

START_TEST(what_is_wrong_is_logged)
{
	ck_assert(!good(refusals[_i].text, refusals[_i].calls));
	ck_assert_msg(strstr(said, "event=reload file=\"/tmp/test-reload-") != NULL, "%s", said);
	ck_assert_msg(strstr(said, " result=unchanged error=\"") != NULL, "%s", said);
	ck_assert_msg(strstr(said, refusals[_i].says) != NULL, "%s", said);
}
END_TEST

START_TEST(a_file_that_is_not_there)
{
	unlink(path);
	ck_assert(!check(0));
	ck_assert_ptr_nonnull(strstr(said, "can't read the configuration: No such file or directory"));
}
END_TEST

Suite *
suite_reload(void)
{
	Suite *s = suite_create("pptpalg/reload");
	TCase *t = tcase_create("reload");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, a_good_file);
	tcase_add_loop_test(t, what_is_wrong_is_logged, 0, (int)(sizeof(refusals) / sizeof(refusals[0])));
	tcase_add_test(t, a_file_that_is_not_there);
	suite_add_tcase(s, t);
	return s;
}
