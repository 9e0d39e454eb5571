/* Subcommands: which request they build, and what becomes of the answer. */
#include <string.h>
#include <unistd.h>

#include "tests/unit/pptpctl/daemon.h"
#include "tests/unit/suite.h"

Suite *suite_commands(void);

typedef int (*command_fn)(const struct context *, int, char **);

/* Requests as the daemon sees them: its answer is the request. */
static const struct {
	command_fn cmd;
	const char *line, *request;
} requests[] = {
    {cmd_show, "session 1f3a", "{\"session\": \"1f3a\", \"command\": \"show session\"}"},
    {cmd_show, "session user=joe", "{\"user\": \"joe\", \"command\": \"show session\"}"},
    {cmd_show, "session address=10.0.0.1", "{\"address\": \"10.0.0.1\", \"command\": \"show session\"}"},
    {cmd_show, "session tunnel=a=b", "{\"tunnel\": \"a=b\", \"command\": \"show session\"}"},
    {cmd_show, "counters", "{\"command\": \"show counters\"}"},
    {cmd_status, "", "{\"command\": \"status\"}"},
    {cmd_connect, "office", "{\"tunnel\": \"office\", \"command\": \"connect\"}"},
    {cmd_disconnect, "office", "{\"tunnel\": \"office\", \"command\": \"disconnect\"}"},
    {cmd_alg, "clear 12.3", "{\"call\": \"12.3\", \"command\": \"alg clear\"}"},
    {cmd_alg, "clear connection 7", "{\"connection\": \"7\", \"command\": \"alg clear\"}"},
    {cmd_alg, "xlate", "{\"used\": 3, \"rows\": [{\"command\": \"alg xlate\"}]}"},
    {cmd_alg, "xlate client=10.1.0.2 server=::1",
	"{\"used\": 3, \"rows\": [{\"client\": \"10.1.0.2\", \"server\": \"::1\", \"command\": \"alg xlate\"}]}"},
};

START_TEST(requests_are_built)
{
	int status;
	json_t *got = json_loads(run_command(requests[_i].cmd, &daemon_json, requests[_i].line, &status), 0, NULL);
	json_t *wanted = json_loads(requests[_i].request, 0, NULL);

	ck_assert_int_eq(status, STATUS_OK);
	ck_assert_ptr_nonnull(wanted);
	ck_assert_msg(json_equal(got, wanted), "%s gave %s", requests[_i].line, json_dumps(got, 0));
	json_decref(got);
	json_decref(wanted);
}
END_TEST

static const struct {
	command_fn cmd;
	const char *line;
	int status;
	const char *text;
} texts[] = {
    {cmd_show, "sessions", STATUS_OK, "name  count\na         1\nb        20\n"},
    {cmd_show, "pools", STATUS_OK, "no pools\n"},
    {cmd_show, "counters", STATUS_OK, "command  show counters\n"},
    {cmd_status, "", STATUS_OK, "command  status\n"},
    {cmd_reload, "", STATUS_OK, ""},
    {cmd_kick, "user=joe", STATUS_OK, "2 ended\n"},
    {cmd_kick, "1f3a", STATUS_REFUSED, "pptpctl: no such session: 1f3a\n"},
    {cmd_kick, "\x1b[2J", STATUS_REFUSED, "pptpctl: no such session: \\x1b[2J\n"},
    {cmd_connect, "office", STATUS_OK, ""},
    {cmd_alg, "flows", STATUS_OK, "name  count\na         1\nb        20\n"},
    {cmd_alg, "gates", STATUS_OK, "no gates\n"},
    {cmd_alg, "status", STATUS_OK, "program  pptpalg\n\nwhy   count\nfull      7\n"},
    {cmd_alg, "xlate", STATUS_OK, "used  3\n\ncommand\nalg xlate\n"},
    {cmd_alg, "clear 12.3", STATUS_OK, ""},
    {cmd_alg, "help", STATUS_OK,
	"usage: pptpctl [-s SOCKET] [--json] alg COMMAND\n"
	"  status                   data path, use of limits, who was refused last and why\n"
	"  flows [FILTER]           control connections and calls, a line for each direction\n"
	"  gates [FILTER]           what GRE of calls may pass, and what it is translated to\n"
	"  xlate [FILTER]           translated call ids: whose, to what, since when\n"
	"  resources [FILTER]       connections with their calls and gates, and who owns them\n"
	"  counters                 all counters, as Prometheus gets them\n"
	"  clear CALL               end a call, such as 12.1; both ends are told\n"
	"  clear connection NUMBER  reset a control connection, such as 12\n"
	"FILTER is client=ADDRESS, server=ADDRESS, or both.\n"},
    {cmd_alg, "counters", STATUS_REFUSED, "pptpctl: no such command: alg counters\n"},
};

START_TEST(answers_are_printed)
{
	int status;
	const char *text = run_command(texts[_i].cmd, &daemon_context, texts[_i].line, &status);

	ck_assert_str_eq(text, texts[_i].text);
	ck_assert_int_eq(status, texts[_i].status);
}
END_TEST

static const struct {
	command_fn cmd;
	const char *line, *text;
} wrong[] = {
    {cmd_show, "", "usage: pptpctl show "},
    {cmd_show, "sessions now", "usage: pptpctl show "},
    {cmd_show, "session", "usage: pptpctl show "},
    {cmd_show, "session name=joe", "pptpctl: \"name=joe\": there are ID, user=NAME"},
    {cmd_show, "session use=joe", "pptpctl: \"use=joe\": there are"},
    {cmd_kick, "", "usage: pptpctl kick "},
    {cmd_kick, "1 2", "usage: pptpctl kick "},
    {cmd_status, "now", "usage: pptpctl status"},
    {cmd_reload, "now", "usage: pptpctl reload"},
    {cmd_connect, "", "usage: pptpctl connect TUNNEL"},
    {cmd_disconnect, "a b", "usage: pptpctl disconnect TUNNEL"},
    {cmd_alg, "", "usage: pptpctl [-s SOCKET] [--json] alg "},
    {cmd_alg, "flow", "pptpctl: alg has no such command: \"flow\"\nusage: "},
    {cmd_alg, "flows client=10.0.0.1 user=joe", "pptpctl: neither client=ADDRESS nor server=ADDRESS: \"user=joe\"\nusage: "},
    {cmd_alg, "status client=10.0.0.1", "pptpctl: an argument too many: \"client=10.0.0.1\"\nusage: "},
    {cmd_alg, "clear", "usage: pptpctl [-s SOCKET] [--json] alg "},
    {cmd_alg, "clear a b", "usage: pptpctl "},
    {cmd_alg, "clear connection", "usage: pptpctl "},
};

START_TEST(wrong_words_are_explained)
{
	int status;
	const char *text = run_command(wrong[_i].cmd, &daemon_context, wrong[_i].line, &status);

	ck_assert_msg(strncmp(text, wrong[_i].text, strlen(wrong[_i].text)) == 0, "%s: %s", wrong[_i].line, text);
	ck_assert_int_eq(status, STATUS_USAGE);
}
END_TEST

START_TEST(rows_as_json)
{
	int status;
	const char *text = run_command(cmd_show, &daemon_json, "sessions", &status);
	json_t *rows = json_loads(text, 0, NULL);

	ck_assert_uint_eq(json_array_size(rows), 2);
	json_decref(rows);
	ck_assert_str_eq(run_command(cmd_show, &daemon_json, "pools", &status), "[]\n");
	ck_assert_str_eq(run_command(cmd_kick, &daemon_json, "user=joe", &status), "{\n  \"kicked\": 2\n}\n");
}
END_TEST

START_TEST(nobody_there)
{
	char path[64];
	struct context none = {.socket = path};
	int status;

	snprintf(path, sizeof(path), "%s", daemon_context.socket);
	daemon_stop();
	ck_assert_ptr_nonnull(strstr(run_command(cmd_status, &none, "", &status), "the daemon isn't running: no socket at "));
	ck_assert_int_eq(status, STATUS_DOWN);
	ck_assert_ptr_nonnull(strstr(run_command(cmd_alg, &none, "flows", &status), "pptpctl: pptpalg isn't running: no socket at "));
	ck_assert_int_eq(status, STATUS_DOWN);
	daemon_start();
}
END_TEST

Suite *
suite_commands(void)
{
	Suite *s = suite_create("commands");
	TCase *t = tcase_create("commands");

	tcase_add_checked_fixture(t, daemon_start, daemon_stop);
	tcase_add_loop_test(t, requests_are_built, 0, (int)(sizeof(requests) / sizeof(requests[0])));
	tcase_add_loop_test(t, answers_are_printed, 0, (int)(sizeof(texts) / sizeof(texts[0])));
	tcase_add_loop_test(t, wrong_words_are_explained, 0, (int)(sizeof(wrong) / sizeof(wrong[0])));
	tcase_add_test(t, rows_as_json);
	tcase_add_test(t, nobody_there);
	suite_add_tcase(s, t);
	return s;
}
