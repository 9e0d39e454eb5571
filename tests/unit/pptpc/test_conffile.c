#include <confuse.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/timerheap.h"
#include "pptpc/conffile.h"
#include "sys/conf.h"
#include "tests/unit/suite.h"

static struct client_config config;
static cfg_t *cfg;
static char said[4096]; /* what went to stderr */

static void
setup(void)
{
	client_config_init(&config);
	cfg = NULL;
}

static void
teardown(void)
{
	if (cfg != NULL)
		cfg_free(cfg);
	cfg = NULL;
	client_config_fini(&config);
}

static int
catch_stderr(FILE **file)
{
	int saved = dup(2);

	*file = tmpfile();
	ck_assert_ptr_nonnull(*file);
	dup2(fileno(*file), 2);
	return saved;
}

static void
release_stderr(FILE *file, int saved)
{
	size_t n;

	dup2(saved, 2);
	close(saved);
	rewind(file);
	n = fread(said, 1, sizeof(said) - 1, file);
	said[n] = '\0';
	fclose(file);
}

/* Reads text (or, if it is a path, the file) anew. */
static bool
read_config(const char *text)
{
	FILE *file;
	int saved;

	teardown();
	setup();
	saved = catch_stderr(&file);
	cfg = text[0] == '/' ? conffile_read(text, &config) : conffile_read_text("test.conf", text, &config);
	release_stderr(file, saved);
	return cfg != NULL;
}

START_TEST(test_tunnels_in_their_order)
{
	ck_assert_msg(
	    read_config(
		"log-level = debug\n"
		"tunnel \"a\" { server = {one.example, \"two.example\"} user = bob password = x routes = {10.0.0.0/8, 192.168.7.0/24} }\n"
		"tunnel b { server = 192.0.2.1 user = eve password = y retry-auth = 15m mppe = allow interface = b0 }\n"),
	    "%s", said);
	ck_assert_str_eq(config.log_level, "debug");
	ck_assert_uint_eq(config.count, 2);
	ck_assert(!config.by_hand);
	ck_assert_str_eq(config.tunnels[0].name, "a");
	ck_assert_uint_eq(config.tunnels[0].servers.count, 2);
	ck_assert_uint_eq(config.tunnels[0].routes.count, 2);
	ck_assert_str_eq(config.tunnels[0].password, "x");
	ck_assert(config.tunnels[0].retry);
	ck_assert_int_eq(config.tunnels[1].tunnel.bundle.mppe, PPP_MPPE_ALLOW);
	ck_assert_uint_eq(config.tunnels[1].waits.auth_ns, TS_S(900));
	ck_assert_str_eq(config.tunnels[1].interface, "b0");
}
END_TEST

#define TEN "0123456789"
#define LONG_NAME TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN

START_TEST(test_errors_name_file_and_line)
{
	static const char *const rows[][2] = {
	    {"tunnel a {\n server = h\n user = bob\n mru = 99999\n}\n", "test.conf:4: mru"},
	    {"tunnel a {\n server = h\n usr = bob\n}\n", "test.conf:3:"},
	    {"\ntunnel a {\n idle-timeout = soon\n}\n", "test.conf:3: idle-timeout"},
	    {"tunnel a {\n server = h\n allow = {mschap2,\n mschap9}\n}\n", "test.conf:4: allow"},
	    {"log-level = loud\n", "test.conf:1: log-level"},
	    {"log = paper\n", "test.conf:1: log"},
	    {"control-socket = here\n", "test.conf:1: control-socket"},
	    {"\ncontrol-socket = /" LONG_NAME "\n", "test.conf:2: control-socket: longer than 107 characters"},
	    {"tunnel a { server = h user = x ip-up = up.sh }\n", "test.conf: tunnel \"a\": ip-up"},
	    {"tunnel a { server = h user = x dns-domain = \"a b\" }\n", "test.conf: tunnel \"a\": dns-domain"},
	    {"tunnel a { server = h user = x interface = \"p%x\" }\n", "test.conf: tunnel \"a\": interface"},
	    {"tunnel a {\n server = h\n}\n", "test.conf: tunnel \"a\": no user"},
	    {"log-level = info\n", "test.conf: no tunnel"},
	    {"tunnel a { server = h user = x interface = i0 }\ntunnel b { server = h user = x interface = i0 }\n", "i0"},
	    {"tunnel a { server = h user = x }\ntunnel a { server = h user = x }\n", "test.conf:"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ck_assert_msg(!read_config(rows[i][0]), "%s", rows[i][0]);
		ck_assert_msg(strstr(said, rows[i][1]) != NULL, "%s: %s", rows[i][0], said);
	}
}
END_TEST

START_TEST(test_placeholders_have_an_end)
{
	char text[2048] = "";

	for (int i = 0; i < 7; i++)
		sprintf(text + strlen(text), "tunnel t%d { server = h user = x demand = yes%s }\n", i, i == 6 ? " address = 10.0.0.1" : "");
	ck_assert_msg(read_config(text), "%s", said);
	strcat(text, "tunnel last { server = h user = x demand = yes }\n");
	ck_assert(!read_config(text));
	ck_assert_ptr_nonnull(strstr(said, "address"));
}
END_TEST

START_TEST(test_a_file_with_passwords_is_private)
{
	char path[] = "/tmp/pptpc-test-XXXXXX";
	int fd = mkstemp(path);
	static const char text[] = "tunnel a { server = h user = x password = y }\n";

	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	ck_assert_int_eq(fchmod(fd, 0600), 0);
	ck_assert_msg(read_config(path), "%s", said);
	ck_assert_int_eq(fchmod(fd, 0640), 0);
	ck_assert(!read_config(path));
	ck_assert_ptr_nonnull(strstr(said, "chmod 600"));
	close(fd);
	unlink(path);
	ck_assert(!read_config(path));
	ck_assert_ptr_nonnull(strstr(said, path));
}
END_TEST

static char *
printed(void)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len), *out = stdout;

	stdout = f;
	conf_print(cfg);
	stdout = out;
	fclose(f);
	return text;
}

/* What -nv prints means the same, and shows no password. */
START_TEST(test_the_sample_is_good_and_prints_back)
{
	char path[1024], *text, *first, *second;
	FILE *f;
	size_t n;

	snprintf(path, sizeof(path), "%s/etc/pptpc.conf", getenv("srcdir") != NULL ? getenv("srcdir") : ".");
	f = fopen(path, "r");
	ck_assert_msg(f != NULL, "%s", path);
	text = calloc(1, 65536);
	n = fread(text, 1, 65535, f);
	ck_assert_uint_gt(n, 500);
	fclose(f);
	ck_assert_msg(read_config(text), "%s", said);
	ck_assert_uint_eq(config.count, 3);
	first = printed();
	ck_assert_ptr_nonnull(strstr(first, "(hidden)"));
	ck_assert_ptr_null(strstr(first, "change me"));
	ck_assert_msg(read_config(first), "%s", said);
	ck_assert_uint_eq(config.count, 3);
	second = printed();
	ck_assert_str_eq(first, second);
	free(first);
	free(second);
	free(text);
}
END_TEST

Suite *suite_conffile(void);

Suite *
suite_conffile(void)
{
	Suite *s = suite_create("conffile");
	TCase *t = tcase_create("conffile");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_tunnels_in_their_order);
	tcase_add_test(t, test_errors_name_file_and_line);
	tcase_add_test(t, test_placeholders_have_an_end);
	tcase_add_test(t, test_a_file_with_passwords_is_private);
	tcase_add_test(t, test_the_sample_is_good_and_prints_back);
	suite_add_tcase(s, t);
	return s;
}
