/* The metrics server over real TCP: what a scraper gets, and what a bad client can't do. */
#include "sys/metrics.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <math.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "sys/metrics_impl.h"
#include "tests/unit/suite.h"

Suite *suite_metrics(void);

/* --- a server in a thread ------------------------------------------------------------- */

static struct event_base *base;
static struct metrics_server *server;
static struct event *stop_event;
static pthread_t thread;
static int stop_pipe[2];
static struct sockaddr_in address;
static metrics_fn writer;
static atomic_uint asked;

static void
write_answer(void *user, struct metrics_out *out)
{
	ck_assert_ptr_eq(user, &asked);
	asked++;
	if (writer != NULL)
		writer(NULL, out);
}

static int
listen_socket(void)
{
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(listen(fd, 128), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	return fd;
}

static void
on_stop(evutil_socket_t fd, short events, void *arg)
{
	(void)fd, (void)events;
	event_base_loopbreak(arg);
}

static void *
loop(void *arg)
{
	event_base_dispatch(arg);
	return NULL;
}

static void
run_loop(void)
{
	stop_event = event_new(base, stop_pipe[0], EV_READ, on_stop, base);
	ck_assert_int_eq(event_add(stop_event, NULL), 0);
	ck_assert_int_eq(pthread_create(&thread, NULL, loop, base), 0);
}

static void
set_up(void)
{
	asked = 0;
	writer = NULL;
	base = event_base_new();
	server = metrics_server_new(base, listen_socket(), write_answer, &asked);
	ck_assert_ptr_nonnull(server);
	ck_assert_int_eq(pipe2(stop_pipe, O_CLOEXEC), 0);
	run_loop();
}

static void
stop_loop(void)
{
	char c;

	ck_assert_int_eq(write(stop_pipe[1], "x", 1), 1);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_int_eq(read(stop_pipe[0], &c, 1), 1);
	event_free(stop_event);
}

static void
tear_down(void)
{
	stop_loop();
	metrics_server_free(server);
	event_base_free(base);
	close(stop_pipe[0]);
	close(stop_pipe[1]);
}

static int
dial(void)
{
	struct timeval limit = {.tv_sec = 15};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), 0);
	return fd;
}

static void
say(int fd, const char *text)
{
	ck_assert_int_eq(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* All until the server closes; with its NUL, to be freed. */
static char *
hear(int fd)
{
	size_t len = 0, room = 65536;
	char *text = malloc(room);
	ssize_t n;

	while ((n = recv(fd, text + len, room - len - 1, 0)) > 0) {
		len += (size_t)n;
		if (room - len < 32768)
			text = realloc(text, room *= 2);
	}
	ck_assert_msg(n == 0 || errno == ECONNRESET, "%s", strerror(errno));
	text[len] = '\0';
	close(fd);
	return text;
}

static char *
ask(const char *request)
{
	int fd = dial();

	say(fd, request);
	return hear(fd);
}

static void
expect(const char *request, const char *status)
{
	char *got = ask(request);

	ck_assert_msg(strncmp(got, status, strlen(status)) == 0, "%s: %s", request, got);
	free(got);
}

/* The body of a good answer. */
static char *
scrape(metrics_fn fn)
{
	char *got, *body, *copy, length[64];

	writer = fn;
	got = ask("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
	ck_assert_msg(strncmp(got, "HTTP/1.1 200 OK\r\n", 17) == 0, "%s", got);
	ck_assert_ptr_nonnull(strstr(got, "\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
	ck_assert_ptr_nonnull(strstr(got, "\r\nConnection: close\r\n"));
	body = strstr(got, "\r\n\r\n") + 4;
	snprintf(length, sizeof(length), "\r\nContent-Length: %zu\r\n", strlen(body));
	ck_assert_msg(strstr(got, length) != NULL, "%.300s", got);
	copy = strdup(body);
	free(got);
	return copy;
}

static void
expect_text(metrics_fn fn, const char *want)
{
	char *got = scrape(fn);

	ck_assert_str_eq(got, want);
	free(got);
}

/* --- the text ---------------------------------------------------------------------------- */

static void
counters_and_gauges(void *user, struct metrics_out *out)
{
	const struct metrics_label labels[] = {{"from", "client"}, {"to", "server"}};

	(void)user;
	metrics_family(out, METRICS_COUNTER, "pptp_calls", "Calls");
	metrics_u64(out, UINT64_MAX, NULL, 0);
	metrics_family(out, METRICS_COUNTER, "pptp_bytes_total", "Bytes");
	metrics_u64(out, 1, labels, 1);
	metrics_u64(out, 2, labels, 2);
	metrics_family(out, METRICS_GAUGE, "pptp_load", "Load");
	metrics_double(out, 0.1, NULL, 0);
	metrics_double(out, -1e300, labels, 1);
	metrics_double(out, NAN, labels, 1);
	metrics_double(out, INFINITY, labels, 1);
	metrics_double(out, -INFINITY, labels, 1);
	metrics_double(out, 1.0 / 3, NULL, 0);
	metrics_double(out, 17, NULL, 0);
}

START_TEST(values_with_and_without_labels)
{
	expect_text(counters_and_gauges,
	    "# HELP pptp_calls_total Calls\n# TYPE pptp_calls_total counter\npptp_calls_total 18446744073709551615\n"
	    "# HELP pptp_bytes_total Bytes\n# TYPE pptp_bytes_total counter\npptp_bytes_total{from=\"client\"} 1\n"
	    "pptp_bytes_total{from=\"client\",to=\"server\"} 2\n"
	    "# HELP pptp_load Load\n# TYPE pptp_load gauge\npptp_load 0.1\npptp_load{from=\"client\"} -1e+300\n"
	    "pptp_load{from=\"client\"} NaN\npptp_load{from=\"client\"} +Inf\npptp_load{from=\"client\"} -Inf\n"
	    "pptp_load 0.3333333333333333\npptp_load 17\n");
}
END_TEST

static void
histograms(void *user, struct metrics_out *out)
{
	const struct metrics_label label = {"way", "up"};
	const struct metrics_buckets some = {.bounds = (double[]){0.001, 0.5, 10}, .counts = (uint64_t[]){3, 0, 2, 4}, .n = 3, .sum = 99.5};
	const struct metrics_buckets none = {.counts = (uint64_t[]){7}, .sum = 1};

	(void)user;
	metrics_family(out, METRICS_HISTOGRAM, "pptp_delay_seconds", "Delay");
	metrics_histogram(out, &some, &label, 1);
	metrics_histogram(out, &none, NULL, 0);
}

START_TEST(buckets_add_up)
{
	expect_text(histograms, "# HELP pptp_delay_seconds Delay\n# TYPE pptp_delay_seconds histogram\n"
				"pptp_delay_seconds_bucket{way=\"up\",le=\"0.001\"} 3\npptp_delay_seconds_bucket{way=\"up\",le=\"0.5\"} 3\n"
				"pptp_delay_seconds_bucket{way=\"up\",le=\"10\"} 5\npptp_delay_seconds_bucket{way=\"up\",le=\"+Inf\"} 9\n"
				"pptp_delay_seconds_sum{way=\"up\"} 99.5\npptp_delay_seconds_count{way=\"up\"} 9\n"
				"pptp_delay_seconds_bucket{le=\"+Inf\"} 7\npptp_delay_seconds_sum 1\npptp_delay_seconds_count 7\n");
}
END_TEST

static void
odd_bytes(void *user, struct metrics_out *out)
{
	const struct metrics_label labels[] = {{"a:b-c", "\"q\" \\ \n \xc3\xa9 \xff\xc3"}, {"0x", ""}};
	char name[300];

	(void)user;
	metrics_family(out, METRICS_GAUGE, "1pptp:name-with spaces\n", "A \"help\" with \\ and\na line \xff");
	metrics_u64(out, 1, labels, 2);
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	metrics_family(out, METRICS_COUNTER, name, "");
}

START_TEST(odd_bytes_are_escaped)
{
	char *got = scrape(odd_bytes), *second;
	const char *want = "# HELP _pptp:name_with_spaces_ A \"help\" with \\\\ and\\na line \\\\xff\n"
			   "# TYPE _pptp:name_with_spaces_ gauge\n"
			   "_pptp:name_with_spaces_{a_b_c=\"\\\"q\\\" \\\\ \\n \xc3\xa9 \\\\xff\\\\xc3\",_x=\"\"} 1\n";

	ck_assert_msg(strncmp(got, want, strlen(want)) == 0, "%s", got);
	second = got + strlen(want);
	ck_assert(strncmp(second, "# HELP nnn", 10) == 0 && strstr(second, "nnn_total counter\n") != NULL);
	free(got);
}
END_TEST

static void
long_answer(void *user, struct metrics_out *out)
{
	(void)user;
	metrics_family(out, METRICS_GAUGE, "n", "N");
	for (uint64_t i = 0; i < 200000; i++)
		metrics_u64(out, i, NULL, 0);
}

static void
endless_answer(void *user, struct metrics_out *out)
{
	static char value[1 << 20];

	(void)user;
	memset(value, 'v', sizeof(value) - 1);
	metrics_family(out, METRICS_GAUGE, "n", "N");
	for (int i = 0; i < 70; i++)
		metrics_u64(out, 1, &(struct metrics_label){"l", value}, 1);
}

START_TEST(long_answers)
{
	char *got = scrape(long_answer);

	ck_assert_int_eq(strcmp(got + strlen(got) - 9, "n 199999\n"), 0);
	free(got);
	writer = endless_answer;
	expect("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 500 ");
	expect_text(NULL, ""); /* nothing to tell */
}
END_TEST

/* --- HTTP ------------------------------------------------------------------------------------ */

START_TEST(only_get_of_one_path)
{
	expect("GET /metrics HTTP/1.0\r\n\r\n", "HTTP/1.0 200 ");
	expect("GET /metrics?x=1 HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\n\r\n", "HTTP/1.1 200 ");
	expect("GET / HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 404 ");
	expect("GET /metrics/ HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 404 ");
	expect("GET /../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 404 ");
	expect("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 404 ");
	expect("POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nxx", "HTTP/1.1 405 ");
	expect("DELETE /metrics HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 405 ");
	expect("HEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 405 ");
	expect("OPTIONS /metrics HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 405 ");
	ck_assert_uint_eq(asked, 2);
}
END_TEST

START_TEST(bad_requests)
{
	char big[20000];
	char *got;

	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	memcpy(big, "GET /metrics HTTP/1.1\r\nA: ", 26);
	memcpy(big + sizeof(big) - 5, "\r\n\r\n", 4);
	got = ask(big);
	ck_assert_msg(strstr(got, " 200 ") == NULL, "%s", got);
	free(got);
	free(ask("\r\n\r\n\r\n\x01\xff nonsense\r\n\r\n"));
	free(ask("GET\r\n\r\n"));
	free(ask("BREW /metrics HTTP/1.1\r\nHost: x\r\n\r\n"));
	got = ask("POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\nxx");
	ck_assert_msg(strncmp(got, "HTTP/1.1 413 ", 13) == 0 || got[0] == '\0', "%s", got);
	free(got);
	ck_assert_uint_eq(asked, 0);
	expect("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 200 ");
}
END_TEST

/* --- bounds ------------------------------------------------------------------------------------- */

static unsigned
open_fds(void)
{
	unsigned n = 0;

	for (int fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) != -1;
	return n;
}

static bool
soon(bool (*condition)(unsigned), unsigned arg)
{
	for (int i = 0; i < 2000; i++) {
		if (condition(arg))
			return true;
		usleep(10000);
	}
	return false;
}

static bool
fds_are(unsigned n)
{
	return open_fds() == n;
}

START_TEST(silent_clients_take_sixteen_places_and_give_them_back)
{
	unsigned before = open_fds();
	int idle[30], fd;
	char *got;

	for (int i = 0; i < 30; i++)
		idle[i] = dial();
	ck_assert(soon(fds_are, before + 30 + 16));
	fd = dial();
	say(fd, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
	usleep(50000);
	ck_assert(fds_are(before + 31 + 16) && asked == 0); /* it waits */
	for (int i = 0; i < 30; i++)
		close(idle[i]);
	got = hear(fd); /* and comes to its turn as soon as places are free */
	ck_assert_msg(strncmp(got, "HTTP/1.1 200 ", 13) == 0, "%s", got);
	free(got);
	ck_assert(soon(fds_are, before));
}
END_TEST

/* A byte now and then keeps a time-out that starts anew with each from ever ending it. */
START_TEST(slow_clients_have_a_limit)
{
	struct timespec from, to;
	double took;
	int fd;

	stop_loop();
	metrics_server_set_limit(server, UINT64_C(1000000000));
	run_loop();
	clock_gettime(CLOCK_MONOTONIC, &from);
	fd = dial();
	say(fd, "GET /metrics HTTP/1.1\r\n");
	for (int i = 0; i < 200; i++) {
		struct pollfd p = {.fd = fd, .events = POLLIN};

		if (send(fd, "A: b\r\n", 6, MSG_NOSIGNAL) != 6 || poll(&p, 1, 50) != 0)
			break;
	}
	clock_gettime(CLOCK_MONOTONIC, &to);
	took = (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9;
	ck_assert_msg(took > 0.9 && took < 9, "%f s", took);
	ck_assert_uint_eq(asked, 0);
	close(fd);
}
END_TEST

START_TEST(many_scrapes)
{
	unsigned before = open_fds();

	for (int i = 0; i < 200; i++)
		expect("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 200 ");
	ck_assert_uint_eq(asked, 200);
	for (int i = 0; i < 200; i++)
		close(dial());
	expect("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 200 ");
	ck_assert(soon(fds_are, before));
}
END_TEST

START_TEST(freed_with_connections)
{
	int idle[20], fd;

	for (int i = 0; i < 20; i++)
		idle[i] = dial();
	fd = dial();
	say(fd, "GET /met");
	usleep(50000);
	stop_loop();
	metrics_server_free(server);
	free(hear(idle[0]));
	for (int i = 1; i < 20; i++)
		close(idle[i]);
	close(fd);
	metrics_server_free(NULL);
	/* What tear_down() ends. */
	server = metrics_server_new(base, listen_socket(), write_answer, &asked);
	run_loop();
	expect("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 200 ");
}
END_TEST

static double
cpu_seconds(void)
{
	struct rusage r;

	getrusage(RUSAGE_SELF, &r);
	return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) + (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}

START_TEST(without_a_descriptor_left)
{
	struct rlimit limit, few;
	int fd = dial();
	double before;
	char *got;

	got = ask("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"); /* fd was accepted by now */
	free(got);
	close(fd);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	few = limit;
	few.rlim_cur = 3;
	before = cpu_seconds();
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	say(fd, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
	usleep(600000);
	ck_assert_double_lt(cpu_seconds() - before, 0.3); /* it does not turn in circles */
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	got = hear(fd);
	ck_assert_msg(strncmp(got, "HTTP/1.1 200 ", 13) == 0, "%s", got);
	free(got);
}
END_TEST

Suite *
suite_metrics(void)
{
	Suite *s = suite_create("metrics");
	TCase *t = tcase_create("metrics");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, values_with_and_without_labels);
	tcase_add_test(t, buckets_add_up);
	tcase_add_test(t, odd_bytes_are_escaped);
	tcase_add_test(t, long_answers);
	tcase_add_test(t, only_get_of_one_path);
	tcase_add_test(t, bad_requests);
	tcase_add_test(t, silent_clients_take_sixteen_places_and_give_them_back);
	tcase_add_test(t, slow_clients_have_a_limit);
	tcase_add_test(t, many_scrapes);
	tcase_add_test(t, freed_with_connections);
	tcase_add_test(t, without_a_descriptor_left);
	suite_add_tcase(s, t);
	return s;
}
