#include "sys/ctl.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/suite.h"
#include "tests/unit/sys/capture.h"

Suite *suite_ctl(void);

/* --- a server in a thread ------------------------------------------------------- */

static char dir[32], path[64];
static struct event_base *base;
static struct ctl_server *server;
static pthread_t thread;

static void
cmd_echo(void *user, json_t *args, struct ctl_reply *r)
{
	(void)user;
	ctl_reply_done(r, json_incref(json_object_get(args, "what")));
}

static void
cmd_rows(void *user, json_t *args, struct ctl_reply *r)
{
	json_int_t count = json_integer_value(json_object_get(args, "count"));
	json_int_t bytes = json_integer_value(json_object_get(args, "bytes"));
	char *text = calloc(1, (size_t)bytes + 1);

	(void)user;
	memset(text, 'x', (size_t)bytes);
	for (json_int_t i = 0; i < count; i++)
		ctl_reply_row(r, json_pack("{s:I, s:s}", "n", i, "text", text));
	free(text);
	ctl_reply_done(r, json_pack("{s:I}", "count", count));
}

static void
cmd_fail(void *user, json_t *args, struct ctl_reply *r)
{
	(void)user, (void)args;
	ctl_reply_error(r, "no such session: %s", "1f\xff");
	ctl_reply_error(r, "a second end is ignored");
	ctl_reply_row(r, json_object());
	ctl_reply_done(r, json_object());
}

static void
cmd_silent(void *user, json_t *args, struct ctl_reply *r)
{
	(void)user, (void)args, (void)r;
}

static const struct ctl_command commands[] = {
    {"echo", "says it back", cmd_echo},
    {"rows", "many rows", cmd_rows},
    {"fail", "an error", cmd_fail},
    {"silent", "no answer", cmd_silent},
    {NULL, NULL, NULL},
};

static void *
run_loop(void *arg)
{
	event_base_loop(base, EVLOOP_NO_EXIT_ON_EMPTY);
	return arg;
}

static int stop_pipe[2];

static void
stop_loop(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what, (void)arg;
	event_base_loopbreak(base);
}

static struct event *stop_event;

static void
setup(void)
{
	int fd;

	strcpy(dir, "/tmp/test-ctl-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/sock", dir);
	fd = ctl_listen(path, 0600);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(pipe(stop_pipe), 0);
	base = event_base_new();
	server = ctl_server_new(base, fd, commands, NULL);
	ck_assert_ptr_nonnull(server);
	stop_event = event_new(base, stop_pipe[0], EV_READ, stop_loop, NULL);
	event_add(stop_event, NULL);
	ck_assert_int_eq(pthread_create(&thread, NULL, run_loop, NULL), 0);
	capture_begin();
}

static void
teardown(void)
{
	capture_end();
	ck_assert_int_eq(write(stop_pipe[1], "x", 1), 1);
	pthread_join(thread, NULL);
	event_free(stop_event);
	ctl_server_free(server);
	event_base_free(base);
	close(stop_pipe[0]);
	close(stop_pipe[1]);
	unlink(path);
	rmdir(dir);
}

static void
count_row(void *user, json_t *row)
{
	int *count = user;

	ck_assert_int_eq(json_integer_value(json_object_get(row, "n")), *count);
	++*count;
}

static json_t *
call(struct ctl_client *c, json_t *request, int *rows)
{
	char err[200] = "";
	json_t *got = ctl_client_call(c, request, rows != NULL ? count_row : NULL, rows, err, sizeof(err));

	ck_assert_msg(got != NULL, "%s", err);
	json_decref(request);
	return got;
}

static struct ctl_client *
client(void)
{
	struct ctl_client *c = ctl_client_open(path, 10000);

	ck_assert_ptr_nonnull(c);
	return c;
}

static bool
is_error(json_t *got, const char *what)
{
	const char *error = json_string_value(json_object_get(got, "error"));
	bool yes = json_is_false(json_object_get(got, "ok")) && error != NULL && strstr(error, what) != NULL;

	json_decref(got);
	return yes;
}

START_TEST(requests_and_answers)
{
	struct ctl_client *c = client();
	json_t *got;

	for (int i = 0; i < 3; i++) {
		got = call(c, json_pack("{s:s, s:[i,s]}", "command", "echo", "what", i, "\u00e9"), NULL);
		ck_assert(json_is_true(json_object_get(got, "ok")));
		ck_assert_int_eq(json_integer_value(json_array_get(json_object_get(got, "result"), 0)), i);
		ck_assert_ptr_null(json_object_get(got, "done"));
		json_decref(got);
	}
	ck_assert(is_error(call(c, json_pack("{s:s}", "command", "fail"), NULL), "no such session: 1f\\xff"));
	ck_assert(is_error(call(c, json_pack("{s:s}", "command", "dance"), NULL), "no such command: dance"));
	ck_assert(is_error(call(c, json_pack("{s:s}", "command", "silent"), NULL), "silent gave no answer"));
	ck_assert(is_error(call(c, json_pack("{s:i}", "command", 5), NULL), "no object with a \"command\""));
	ck_assert(is_error(call(c, json_pack("[s]", "command"), NULL), "no object with a \"command\""));
	ctl_client_close(c);
}
END_TEST

START_TEST(streams)
{
	struct ctl_client *c = client();
	int rows = 0;
	json_t *got = call(c, json_pack("{s:s, s:i, s:i}", "command", "rows", "count", 10000, "bytes", 200), &rows);

	ck_assert_int_eq(rows, 10000);
	ck_assert(json_is_true(json_object_get(got, "done")));
	ck_assert_int_eq(json_integer_value(json_object_get(json_object_get(got, "result"), "count")), 10000);
	json_decref(got);
	rows = 0;
	got = call(c, json_pack("{s:s, s:i, s:i}", "command", "rows", "count", 2, "bytes", 1 << 20), &rows);
	ck_assert_int_eq(rows, 2);
	json_decref(got);
	ctl_client_close(c);
}
END_TEST

static void
count_help(void *user, json_t *row)
{
	*(int *)user += json_is_string(json_object_get(row, "help"));
}

START_TEST(help_lists_commands)
{
	struct ctl_client *c = client();
	json_t *request = json_pack("{s:s}", "command", "help"), *got;
	char err[200];
	int rows = 0;

	got = ctl_client_call(c, request, count_help, &rows, err, sizeof(err));
	ck_assert_ptr_nonnull(got);
	ck_assert_int_eq(rows, 4);
	json_decref(got);
	json_decref(request);
	ctl_client_close(c);
}
END_TEST

/* --- clients that misbehave ------------------------------------------------------------ */

static int
raw_client(void)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(sa.sun_path, path);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	return fd;
}

static void
send_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

		if (n <= 0)
			return; /* dropped: the test looks for that */
		data += n;
		len -= (size_t)n;
	}
}

/* Reads until the other side closes; the bytes that came. */
static size_t
read_to_end(int fd, char *buf, size_t size)
{
	size_t len = 0;
	char more[65536];

	for (;;) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		ssize_t n;

		ck_assert_int_eq(poll(&p, 1, 20000), 1);
		n = len < size ? recv(fd, buf + len, size - len, 0) : recv(fd, more, sizeof(more), 0);
		if (n <= 0)
			return len;
		len += (size_t)n;
	}
}

static void
request_of_length(char *line, size_t len)
{
	memset(line, 'x', len);
	memcpy(line, "{\"command\":\"echo\",\"what\":\"", 26);
	memcpy(line + len - 2, "\"}", 2);
	line[len] = '\n';
}

START_TEST(lines_up_to_64_kib)
{
	static char line[65540], answer[70000];
	int fd = raw_client();
	size_t len = 0;

	request_of_length(line, 65536);
	send_all(fd, line, 65537);
	while (len == 0 || answer[len - 1] != '\n') {
		ssize_t n = recv(fd, answer + len, sizeof(answer) - len, 0);

		ck_assert_int_gt(n, 0);
		len += (size_t)n;
	}
	ck_assert_int_eq(strncmp(answer, "{\"ok\":true,", 11), 0);
	request_of_length(line, 65537);
	send_all(fd, line, 65538);
	ck_assert_uint_eq(read_to_end(fd, answer, sizeof(answer)), 0);
	close(fd);
	fd = raw_client(); /* and one that never ends */
	memset(line, 'y', sizeof(line));
	for (int i = 0; i < 4; i++)
		send_all(fd, line, sizeof(line));
	ck_assert_uint_eq(read_to_end(fd, answer, sizeof(answer)), 0);
	close(fd);
}
END_TEST

START_TEST(garbage)
{
	static const char text[] = "\n\0\n{\n[[[[[[\n{\"command\":\"echo\"\xff}\n\"x\"\nnull\n{\"command\":\"echo\",\"what\":7}\n{\"com";
	char answer[4096] = "";
	int fd = raw_client();
	size_t len, lines = 0;

	send_all(fd, text, sizeof(text) - 1);
	shutdown(fd, SHUT_WR);
	len = read_to_end(fd, answer, sizeof(answer) - 1);
	for (size_t i = 0; i < len; i++)
		lines += answer[i] == '\n';
	ck_assert_uint_ge(lines, 7);
	ck_assert_ptr_nonnull(strstr(answer, "{\"ok\":true,\"result\":7}\n"));
	close(fd);
	fd = raw_client(); /* the server goes on */
	send_all(fd, "{\"command\":\"echo\"}\n", 19);
	ck_assert_int_eq(recv(fd, answer, 11, MSG_WAITALL), 11);
	close(fd);
}
END_TEST

START_TEST(who_does_not_read_is_dropped)
{
	static const char request[] = "{\"command\":\"rows\",\"count\":40,\"bytes\":1048576}\n";
	struct ctl_client *c;
	int fd = raw_client(), rows = 0;

	send_all(fd, request, sizeof(request) - 1);
	/* 40 MiB don't fit: it ends before them. */
	ck_assert_uint_lt(read_to_end(fd, NULL, 0), (size_t)40 << 20);
	close(fd);
	/* Many requests without reading are only served as far as answers are taken. */
	fd = raw_client();
	fcntl(fd, F_SETFL, O_NONBLOCK);
	for (int i = 0; i < 20000; i++)
		send_all(fd, "{\"command\":\"rows\",\"count\":9,\"bytes\":9999}\n", 43);
	c = client();
	json_decref(call(c, json_pack("{s:s, s:i}", "command", "rows", "count", 3), &rows));
	ck_assert_int_eq(rows, 3);
	ctl_client_close(c);
	close(fd);
}
END_TEST

static uint64_t
server_cpu_ns(void)
{
	struct timespec t;
	clockid_t id;

	ck_assert_int_eq(pthread_getcpuclockid(thread, &id), 0);
	ck_assert_int_eq(clock_gettime(id, &t), 0);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* Nor does it turn in circles for a client that has sent more than a line and reads nothing. */
START_TEST(who_does_not_read_costs_no_time)
{
	static const char request[] = "{\"command\":\"rows\",\"count\":9,\"bytes\":9999}\n";
	unsigned rests = 0;
	int fd = raw_client();
	struct pollfd p = {.fd = fd, .events = POLLIN};

	fcntl(fd, F_SETFL, O_NONBLOCK);
	send_all(fd, request, sizeof(request) - 1);
	ck_assert_int_eq(poll(&p, 1, 20000), 1); /* it is at work */
	for (int tries = 0; rests < 8; tries++) {
		uint64_t before = server_cpu_ns();

		while (send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL) > 0)
			;
		poll(NULL, 0, 50);
		rests = server_cpu_ns() - before < 5000000 ? rests + 1 : 0;
		ck_assert_int_lt(tries, 100);
	}
	close(fd);
}
END_TEST

/* Nor for a client that it has no descriptor for, who is served as soon as there is one. */
START_TEST(without_descriptors_it_rests)
{
	static const char request[] = "{\"command\":\"echo\",\"what\":1}\n";
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), next = dup(fd);
	struct pollfd p = {.fd = fd, .events = POLLIN};
	struct rlimit before, none;
	unsigned rests = 0;

	close(next);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = (struct rlimit){(rlim_t)next, before.rlim_max}; /* the lowest that is free */
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	strcpy(sa.sun_path, path);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	send_all(fd, request, sizeof(request) - 1);
	for (int tries = 0; rests < 8; tries++) {
		uint64_t cpu = server_cpu_ns();

		ck_assert_int_eq(poll(&p, 1, 50), 0);
		rests = server_cpu_ns() - cpu < 5000000 ? rests + 1 : 0;
		ck_assert_int_lt(tries, 100);
	}
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
	ck_assert_int_eq(poll(&p, 1, 20000), 1);
	close(fd);
}
END_TEST

START_TEST(at_most_32_clients)
{
	int fds[33];
	char answer[100] = "";

	for (int i = 0; i < 33; i++)
		fds[i] = raw_client();
	ck_assert_uint_gt(read_to_end(fds[32], answer, sizeof(answer) - 1), 0);
	ck_assert_str_eq(answer, "{\"ok\":false,\"error\":\"too many clients\"}\n");
	for (int i = 0; i < 33; i++)
		close(fds[i]);
	for (int tries = 0;; tries++) { /* until the server has seen them go */
		struct ctl_client *c = client();
		char err[200];
		json_t *request = json_pack("{s:s}", "command", "echo"), *got = ctl_client_call(c, request, NULL, NULL, err, sizeof(err));
		bool ok = got != NULL && json_is_true(json_object_get(got, "ok"));

		json_decref(request);
		json_decref(got);
		ctl_client_close(c);
		if (ok)
			break;
		ck_assert_int_lt(tries, 1000);
	}
}
END_TEST

/* --- the socket, the client, texts ---------------------------------------------------------- */

START_TEST(listening)
{
	char other[80], longer[200];
	struct stat st;
	int fd;

	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0600);
	ck_assert_int_eq(ctl_listen(path, 0600), -1);
	ck_assert_int_eq(errno, EADDRINUSE);
	snprintf(other, sizeof(other), "%s/other", dir);
	fd = ctl_listen(other, 0660);
	ck_assert_int_ge(fd, 0);
	close(fd); /* stale now */
	fd = ctl_listen(other, 0666);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(stat(other, &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0666);
	close(fd);
	unlink(other);
	close(open(other, O_CREAT | O_WRONLY, 0600));
	ck_assert_int_eq(ctl_listen(other, 0600), -1); /* no socket: it is not ours to remove */
	ck_assert_int_eq(errno, EEXIST);
	unlink(other);
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	ck_assert_int_eq(ctl_listen(longer, 0600), -1);
	ck_assert_int_eq(errno, ENAMETOOLONG);
}
END_TEST

START_TEST(client_errors)
{
	char err[100] = "", other[80];
	json_t *request = json_pack("{s:s}", "command", "echo");
	struct ctl_client *c;
	int fd, accepted;

	ck_assert_ptr_null(ctl_client_open("/nonexistent/sock", 100));
	ck_assert_int_eq(errno, ENOENT);
	snprintf(other, sizeof(other), "%s/mute", dir);
	fd = ctl_listen(other, 0600);
	c = ctl_client_open(other, 50);
	ck_assert_ptr_nonnull(c);
	ck_assert_ptr_null(ctl_client_call(c, request, NULL, NULL, err, sizeof(err)));
	ck_assert_str_eq(err, "no answer in time");
	accepted = accept(fd, NULL, NULL);
	ck_assert_int_eq(write(accepted, "[1]\n", 4), 4);
	ck_assert_ptr_null(ctl_client_call(c, request, NULL, NULL, err, sizeof(err)));
	ck_assert_str_eq(err, "the answer is no JSON object");
	shutdown(accepted, SHUT_WR); /* not close: what was sent would be lost with a reset */
	ck_assert_ptr_null(ctl_client_call(c, request, NULL, NULL, err, sizeof(err)));
	ck_assert_str_eq(err, "the daemon closed the connection");
	ctl_client_close(c);
	ctl_client_close(NULL);
	json_decref(request);
	close(accepted);
	close(fd);
	unlink(other);
}
END_TEST

START_TEST(texts)
{
	static const struct {
		const char *in, *want;
	} rows[] = {
	    {"bob", "bob"},
	    {"", ""},
	    {"J\xc3\xbcrgen \xe2\x82\xac \xf0\x9f\x98\x80", "J\xc3\xbcrgen \xe2\x82\xac \xf0\x9f\x98\x80"},
	    {"\xff\xc3", "\\xff\\xc3"},
	    {"\xc0\xaf\xed\xa0\x80", "\\xc0\\xaf\\xed\\xa0\\x80"},
	    {"\xe0\x80\x80\xf4\x90\x80\x80", "\\xe0\\x80\\x80\\xf4\\x90\\x80\\x80"},
	    {"a\nb\x7f", "a\\x0ab\\x7f"},
	    {"\xf0\x9f", "\\xf0\\x9f"},
	    {"\xc2\x9b\x31m\xc2\xa0", "\\xc2\\x9b1m\xc2\xa0"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *got = ctl_text(rows[i].in);

		ck_assert_ptr_nonnull(got);
		ck_assert_str_eq(json_string_value(got), rows[i].want);
		json_decref(got);
	}
}
END_TEST

START_TEST(listening_at_start)
{
	char folder[] = "/tmp/test-ctl-XXXXXX", other[64];
	struct stat st;
	const char *said;
	int fd = 5;

	ck_assert(ctl_listen_at_start(NULL, 0600, &fd));
	ck_assert_int_eq(fd, -1);
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(other, sizeof(other), "%s/ctl", folder);
	ck_assert(ctl_listen_at_start(other, 0640, &fd));
	ck_assert_int_eq(stat(other, &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0640);
	close(fd);
	unlink(other);
	rmdir(folder);
	ck_assert(ctl_listen_at_start(other, 0640, &fd));
	ck_assert_int_eq(stat(folder, &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0755);
	close(fd);
	unlink(other);
	rmdir(folder);
	snprintf(other, sizeof(other), "%s/run/ctl", folder);
	capture_begin();
	ck_assert(!ctl_listen_at_start(other, 0640, &fd));
	said = capture_end();
	ck_assert_int_eq(fd, -1);
	ck_assert_msg(strstr(said, "level=error event=start error=\"control socket /tmp/") != NULL, "%s", said);
	ck_assert_msg(strstr(said, "/ctl: No such file or directory\"\n") != NULL, "%s", said);
}
END_TEST

Suite *
suite_ctl(void)
{
	Suite *s = suite_create("ctl");
	TCase *t = tcase_create("ctl");

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, requests_and_answers);
	tcase_add_test(t, streams);
	tcase_add_test(t, help_lists_commands);
	tcase_add_test(t, lines_up_to_64_kib);
	tcase_add_test(t, garbage);
	tcase_add_test(t, who_does_not_read_is_dropped);
	tcase_add_test(t, who_does_not_read_costs_no_time);
	tcase_add_test(t, without_descriptors_it_rests);
	tcase_add_test(t, at_most_32_clients);
	tcase_add_test(t, listening);
	tcase_add_test(t, listening_at_start);
	tcase_add_test(t, client_errors);
	tcase_add_test(t, texts);
	suite_add_tcase(s, t);
	return s;
}
