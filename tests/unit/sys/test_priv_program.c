/* A program's own requests: the hook in the monitor, descriptors both ways, and a worker that means harm. */
#include <dirent.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/gresock.h"
#include "sys/log.h"
#include "sys/priv_core.h"
#include "tests/unit/suite.h"
#include "tests/unit/sys/capture.h"
#include "tests/unit/sys/netns.h"

Suite *suite_priv_program(void);

/* What the monitor's hook saw, in memory that the test shares with it. */
struct seen {
	unsigned handled, ends;
	int status;
	size_t len, in_count, fds_before_end;
	uint8_t data[PRIV_PROGRAM_BYTES];
};

static size_t
open_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	size_t n = 0;

	CHECK(d != NULL);
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n;
}

/* Bytes: 'e' refuses, 'p' gives one end of as many pipes as the next byte says, 'w' writes to the descriptors it got; all are echoed
 * backwards. */
static int
handle(void *user, const uint8_t *data, size_t len, const int *in_fds, size_t in_count, struct priv_reply *reply, int fds[PRIV_MAX_FDS])
{
	struct seen *seen = user;

	seen->handled++;
	seen->len = len;
	seen->in_count = in_count;
	memcpy(seen->data, data, len);
	for (size_t i = 0; i < len; i++)
		reply->program.data[i] = data[len - 1 - i];
	reply->program.len = (uint16_t)len;
	for (size_t i = 0; i < in_count; i++) {
		CHECK(fcntl(in_fds[i], F_GETFD) == FD_CLOEXEC);
		if (len > 0 && data[0] == 'w')
			CHECK(write(in_fds[i], &(char){(char)('A' + i)}, 1) == 1);
		close(in_fds[i]);
	}
	for (int i = 0; len > 1 && data[0] == 'p' && i < data[1]; i++) {
		int p[2];

		CHECK(pipe2(p, O_CLOEXEC) == 0 && write(p[1], &(char){(char)('0' + i)}, 1) == 1);
		close(p[1]);
		fds[reply->fds++] = p[0];
	}
	return len > 0 && data[0] == 'e' ? EBADMSG : 0;
}

static void
ended(void *user, int status)
{
	struct seen *seen = user;

	seen->ends++;
	seen->status = status;
	seen->fds_before_end = open_fds();
}

static struct seen *
new_seen(void)
{
	struct seen *s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	CHECK(s != MAP_FAILED);
	return s;
}

static struct priv_policy
policy(struct seen *seen)
{
	struct priv_policy p = {.user = "nobody", .files = {"/etc/hostname"}, .program = {seen, handle, ended}};

	log_set_level(LOG_LEVEL_ERROR);
	for (size_t i = 0; i < PRIV_TYPES; i++)
		p.types[i] = true;
	return p;
}

static struct priv_request
program(const void *data, size_t len)
{
	struct priv_request r = {.type = PRIV_PROGRAM, .program.len = (uint16_t)len};

	memcpy(r.program.data, data, len);
	return r;
}

static int
run_worker(const struct priv_policy *p, void (*worker)(struct priv *p))
{
	int status;
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid == 0) {
		struct priv *handle_on_it = priv_start(p, NULL, NULL);

		CHECK(handle_on_it != NULL);
		worker(handle_on_it);
		_exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	return status;
}

/* --- calls ------------------------------------------------------------------------------ */

static void
call_bytes(struct priv *p)
{
	static const size_t lengths[] = {0, 1, 2, 77, PRIV_PROGRAM_BYTES};
	uint8_t data[PRIV_PROGRAM_BYTES];
	int fds[PRIV_MAX_FDS];

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i + 200);
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		struct priv_request r = program(data, lengths[i]);
		struct priv_reply reply;

		CHECK(priv_call(p, &r, &reply, fds) == 0 && reply.fds == 0 && reply.program.len == lengths[i]);
		for (size_t j = 0; j < lengths[i]; j++)
			CHECK(reply.program.data[j] == data[lengths[i] - 1 - j]);
	}
}

static void
call_refused(struct priv *p)
{
	struct priv_request r = program("ex", 2), long_one = program("", 0);
	struct priv_reply reply;
	int fds[PRIV_MAX_FDS];

	CHECK(priv_call(p, &r, &reply, fds) == -1 && reply.error == EBADMSG && reply.fds == 0);
	CHECK(reply.program.len == 2 && memcmp(reply.program.data, "xe", 2) == 0);
	long_one.program.len = PRIV_PROGRAM_BYTES + 1;
	CHECK(priv_send(p, &long_one, NULL, NULL) == -1);
	CHECK(priv_call(p, &long_one, &reply, fds) == -1 && reply.error == EINVAL);
}

/* As many pipes as may go there, and as many as may come back. */
static void
call_fds(struct priv *p)
{
	int pipes[PRIV_SEND_FDS][2], send[PRIV_SEND_FDS + 1], fds[PRIV_MAX_FDS];
	struct priv_request w = program("w", 1), back = program((uint8_t[]){'p', PRIV_MAX_FDS}, 2);
	struct priv_reply reply;
	size_t before = open_fds();
	char c;

	for (int i = 0; i < PRIV_SEND_FDS; i++) {
		CHECK(pipe2(pipes[i], O_CLOEXEC) == 0);
		send[i] = pipes[i][1];
	}
	send[PRIV_SEND_FDS] = send[0];
	CHECK(priv_call_fds(p, &w, send, PRIV_SEND_FDS, &reply, fds) == 0);
	for (int i = 0; i < PRIV_SEND_FDS; i++) {
		CHECK(write(send[i], "!", 1) == 1); /* still the caller's */
		CHECK(read(pipes[i][0], &c, 1) == 1 && c == 'A' + i && read(pipes[i][0], &c, 1) == 1 && c == '!');
	}
	CHECK(priv_call_fds(p, &w, send, PRIV_SEND_FDS + 1, &reply, fds) == -1);
	CHECK(priv_call_fds(p, &w, (int[]){12345}, 1, &reply, fds) == -1);
	for (int i = 0; i < PRIV_SEND_FDS; i++)
		CHECK(close(pipes[i][0]) == 0 && close(pipes[i][1]) == 0);
	CHECK(priv_call(p, &back, &reply, fds) == 0 && reply.fds == PRIV_MAX_FDS);
	for (int i = 0; i < PRIV_MAX_FDS; i++) {
		CHECK(fcntl(fds[i], F_GETFD) == FD_CLOEXEC);
		CHECK(read(fds[i], &c, 1) == 1 && c == '0' + i && close(fds[i]) == 0);
	}
	CHECK(open_fds() == before);
}

/* Only requests of this type may bring descriptors; the others are refused, not done. */
static void
call_another_type_with_fds(struct priv *p)
{
	struct priv_request r = {.type = PRIV_FILE_OPEN};
	struct priv_reply reply;
	int fds[PRIV_MAX_FDS], nul = open("/dev/null", O_RDONLY | O_CLOEXEC);

	CHECK(priv_call_fds(p, &r, &nul, 1, &reply, fds) == -1 && reply.error == EINVAL && reply.fds == 0);
	CHECK(priv_call(p, &r, &reply, fds) == 0 && reply.fds == 1);
	close(fds[0]);
	close(nul);
}

static void
call_all(struct priv *p)
{
	call_bytes(p);
	call_refused(p);
	call_fds(p);
	call_another_type_with_fds(p);
}

static void
calls_body(void)
{
	struct seen *seen = new_seen();
	struct priv_policy p = policy(seen);
	size_t before;
	struct priv *in_place;

	CHECK(freopen("/dev/null", "w", stderr) != NULL);
	CHECK(run_worker(&p, call_all) == 0);
	CHECK(seen->handled == 8 && seen->ends == 1 && seen->status == 0);
	memset(seen, 0, sizeof(*seen));
	in_place = priv_start_inline(&p);
	CHECK(in_place != NULL);
	before = open_fds();
	call_all(in_place);
	CHECK(open_fds() == before && seen->handled == 8 && seen->ends == 0);
	priv_free(in_place);
	CHECK(seen->ends == 1 && seen->status == 0);
}

START_TEST(bytes_and_descriptors_both_ways)
{
	in_child(calls_body);
}
END_TEST

static void
no_hook_body(void)
{
	struct priv_policy p = policy(NULL);
	struct priv_request r = program("x", 1);
	struct priv_reply reply;
	struct priv *in_place;
	int fds[PRIV_MAX_FDS], nul = open("/dev/null", O_RDONLY);
	size_t before;

	CHECK(freopen("/dev/null", "w", stderr) != NULL);
	p.program = (struct priv_program){0};
	in_place = priv_start_inline(&p);
	CHECK(in_place != NULL);
	before = open_fds();
	CHECK(priv_call_fds(in_place, &r, &nul, 1, &reply, fds) == -1 && reply.error == EPERM);
	CHECK(open_fds() == before);
	priv_free(in_place);
}

START_TEST(refused_without_a_hook)
{
	in_child(no_hook_body);
}
END_TEST

/* --- order, and the end -------------------------------------------------------------------- */

struct order {
	unsigned next;
	unsigned number;
	struct order *all;
};

static void
in_order(void *user, const struct priv_reply *reply, const int *fds)
{
	struct order *o = user;

	(void)fds;
	CHECK(reply->error == 0 && reply->program.len == 2 && reply->program.data[0] == o->number);
	CHECK(o->all->next++ == o->number);
}

/* A call while others wait for their answers, on a loop that does not run any more. */
static void
call_behind_others(struct priv *p)
{
	struct order orders[200] = {{0}};
	struct event_base *base = event_base_new();
	struct priv_request last = program("w", 1);
	struct priv_reply reply;
	int pipes[2], fds[PRIV_MAX_FDS];
	char c;

	CHECK(priv_attach(p, base, NULL, NULL) == 0 && pipe2(pipes, O_CLOEXEC) == 0);
	for (unsigned i = 0; i < 200; i++) {
		struct priv_request r = program((uint8_t[]){0, (uint8_t)i}, 2);

		orders[i].number = i;
		orders[i].all = orders;
		CHECK(priv_send_fds(p, &r, &pipes[1], i % 2, in_order, &orders[i]) == 0);
	}
	CHECK(priv_call_fds(p, &last, &pipes[1], 1, &reply, fds) == 0 && orders[0].next == 200);
	close(pipes[1]);
	CHECK(read(pipes[0], &c, 1) == 1 && c == 'A');
	close(pipes[0]);
	priv_free(p);
	event_base_free(base);
}

static void
order_body(void)
{
	struct seen *seen = new_seen();
	struct priv_policy p = policy(seen);

	CHECK(run_worker(&p, call_behind_others) == 0);
	CHECK(seen->handled == 201 && seen->in_count == 1);
	seen->handled = 0;
	call_behind_others(priv_start_inline(&p));
	CHECK(seen->handled == 201 && seen->ends == 2);
}

START_TEST(calls_wait_for_those_before)
{
	in_child(order_body);
}
END_TEST

/* Leaves answers unread, requests unserved, and a descriptor on its way. */
static void
send_and_die(struct priv *p)
{
	int nul = open("/dev/null", O_WRONLY);

	for (unsigned i = 0; i < 50; i++) {
		struct priv_request r = program("p\1", 2);

		CHECK(priv_send(p, &r, NULL, NULL) == 0);
	}
	for (unsigned i = 0; i < 50; i++) {
		struct priv_request r = program("w last", 6);

		CHECK(priv_send_fds(p, &r, &nul, 1, NULL, NULL) == 0);
	}
	kill(getpid(), SIGKILL);
}

static void
send_and_free(struct priv *p)
{
	struct priv_request r = program("last", 4);

	for (unsigned i = 0; i < 3; i++)
		CHECK(priv_send(p, &r, NULL, NULL) == 0);
	priv_free(p);
	usleep(20000); /* with its socket closed for a while */
	_exit(3);
}

static void
end_body(void)
{
	struct seen *seen = new_seen();
	struct priv_policy p = policy(seen);
	struct priv_request r = program("last", 4);
	struct priv *in_place;
	int status;
	size_t before;

	CHECK(freopen("/dev/null", "w", stderr) != NULL);
	before = open_fds();
	status = run_worker(&p, send_and_die);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 128 + SIGKILL);
	CHECK(seen->handled == 100 && seen->len == 6 && seen->in_count == 1);
	CHECK(seen->ends == 1 && seen->status == 128 + SIGKILL);
	/* The monitor's own: a netlink socket, the scripts' signals; nothing of the hundred. */
	CHECK(seen->fds_before_end < before + 5);
	status = run_worker(&p, send_and_free);
	CHECK(seen->handled == 103 && seen->ends == 2 && seen->status == 3);
	in_place = priv_start_inline(&p);
	CHECK(in_place != NULL && priv_send(in_place, &r, NULL, NULL) == 0 && seen->handled == 103);
	priv_free(in_place);
	CHECK(seen->handled == 104 && seen->ends == 3);
}

START_TEST(the_last_requests_are_done_before_the_end)
{
	in_child(end_body);
}
END_TEST

/* --- a hostile worker ------------------------------------------------------------------------ */

static void
send_raw(int fd, const void *data, size_t len, const int *fds, size_t count)
{
	PRIV_CONTROL(PRIV_SEND_FDS + 1) control;
	struct iovec iov = {(void *)(uintptr_t)data, len};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

	if (count > 0)
		priv_put_fds(&msg, &control, fds, count);
	CHECK(sendmsg(fd, &msg, 0) == (ssize_t)len);
}

static int
answer_error(int fd)
{
	struct pollfd pfd = {.fd = fd, .events = POLLIN};
	struct priv_answer answer;

	CHECK(poll(&pfd, 1, 20000) == 1);
	CHECK(recv(fd, &answer, sizeof(answer), 0) == (ssize_t)priv_answer_len(&answer));
	return answer.reply.error;
}

static void
hostile_worker(int fd)
{
	struct priv_message m = {.seq = 1, .request = program("w", 1)};
	size_t len = offsetof(struct priv_message, request) + priv_request_len(&m.request);
	int p[2], many[PRIV_SEND_FDS + 1];
	char c;

	CHECK(pipe2(p, O_CLOEXEC) == 0);
	for (size_t i = 0; i < PRIV_SEND_FDS + 1; i++)
		many[i] = p[1];
	send_raw(fd, &m, len, many, PRIV_SEND_FDS + 1);
	CHECK(answer_error(fd) == EMFILE);
	send_raw(fd, &m, len - 1, many, 3);
	CHECK(answer_error(fd) == EINVAL);
	send_raw(fd, &m, 3, many, 3); /* no answer: there is no number for it */
	m.request.program.len = PRIV_PROGRAM_BYTES + 1;
	send_raw(fd, &m, sizeof(m), many, 3);
	CHECK(answer_error(fd) == EINVAL);
	m.request = (struct priv_request){.type = PRIV_TYPES + 5};
	send_raw(fd, &m, sizeof(m), many, 3);
	CHECK(answer_error(fd) == EINVAL);
	m.request = (struct priv_request){.type = PRIV_FILE_OPEN};
	send_raw(fd, &m, offsetof(struct priv_message, request) + priv_request_len(&m.request), many, 1);
	CHECK(answer_error(fd) == EINVAL);
	/* When each of them was closed there, ours are the last ones. */
	close(p[1]);
	CHECK(read(p[0], &c, 1) == 0);
	/* Nothing is heard behind an empty message, and its descriptors go as well. */
	CHECK(pipe2(p, O_CLOEXEC) == 0);
	send_raw(fd, "", 0, &p[1], 1);
	close(p[1]);
	CHECK(read(p[0], &c, 1) == 0);
	_exit(0);
}

static void
hostile_body(void)
{
	struct seen *seen = new_seen();
	struct priv_policy p = policy(seen);
	struct priv_core core;
	int fds[2];
	pid_t worker;

	CHECK(freopen("/dev/null", "w", stderr) != NULL);
	CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) == 0);
	worker = fork();
	if (worker == 0) {
		close(fds[0]);
		hostile_worker(fds[1]);
	}
	close(fds[1]);
	CHECK(priv_core_init(&core, &p));
	CHECK(priv_monitor_run(&core, fds[0], worker, NULL) == 0);
	CHECK(seen->handled == 0);
	priv_core_fini(&core);
}

START_TEST(hostile_bytes_and_descriptors)
{
	in_child(hostile_body);
}
END_TEST

/* --- signals over exec -------------------------------------------------------------------------- */

static void
expect_unblocked(struct priv *p)
{
	sigset_t now;

	(void)p;
	CHECK(sigprocmask(SIG_SETMASK, NULL, &now) == 0);
	CHECK(sigismember(&now, SIGTERM) == 0 && sigismember(&now, SIGUSR2) == 0 && sigismember(&now, SIGWINCH) == 1);
}

static void
blocked_body(void)
{
	struct seen *seen = new_seen();
	struct priv_policy p = policy(seen);
	sigset_t blocked;

	/* As one who executed this program in the middle of its end leaves it. */
	priv_passed_signals(&blocked);
	sigaddset(&blocked, SIGWINCH);
	CHECK(sigprocmask(SIG_BLOCK, &blocked, NULL) == 0);
	CHECK(run_worker(&p, expect_unblocked) == 0);
}

START_TEST(a_worker_hears_signals_after_exec)
{
	in_child(blocked_body);
}
END_TEST

/* --- transparent sockets --------------------------------------------------------------------------- */

static struct addr
addr(const char *s)
{
	struct addr a = {0};

	CHECK(addr_parse(&a, s));
	return a;
}

static int
open_one(struct priv *p, struct priv_request r, int *error)
{
	struct priv_reply reply;
	int fds[PRIV_MAX_FDS];

	*error = 0;
	if (priv_call(p, &r, &reply, fds) == 0)
		return fds[0];
	*error = reply.error;
	return -1;
}

static void
connect_from(struct priv *p, const char *listen_at, const char *connect_to, const char *from)
{
	struct priv_request l = {.type = PRIV_TCP_LISTEN, .tcp = {.bind = addr(listen_at), .port = 1723, .transparent = true}};
	struct priv_request s = {.type = PRIV_TCP_SOCKET, .tcp = {.bind = addr(from)}};
	struct addr to = addr(connect_to), want = addr(from);
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(1723)};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(1723)};
	struct sockaddr_storage peer;
	socklen_t len = sizeof(peer);
	struct pollfd pfd = {.events = POLLIN};
	int error, listener = open_one(p, l, &error), fd, accepted;

	CHECK(listener >= 0);
	CHECK(open_one(p, s, &error) == -1 && error == EADDRNOTAVAIL); /* not ours */
	s.tcp.transparent = true;
	fd = open_one(p, s, &error);
	CHECK(fd >= 0);
	CHECK(getsockname(fd, (struct sockaddr *)&peer, &len) == 0);
	CHECK((to.family == 4 ? ((struct sockaddr_in *)&peer)->sin_port : ((struct sockaddr_in6 *)&peer)->sin6_port) == 0);
	memcpy(&in.sin_addr, to.bytes, 4);
	memcpy(&in6.sin6_addr, to.bytes, 16);
	CHECK(connect(fd, to.family == 4 ? (struct sockaddr *)&in : (struct sockaddr *)&in6, to.family == 4 ? sizeof(in) : sizeof(in6)) ==
		  0 ||
	      errno == EINPROGRESS);
	pfd.fd = listener;
	CHECK(poll(&pfd, 1, 20000) == 1);
	len = sizeof(peer);
	accepted = accept4(listener, (struct sockaddr *)&peer, &len, SOCK_CLOEXEC);
	CHECK(accepted >= 0);
	if (to.family == 4)
		CHECK(memcmp(&((struct sockaddr_in *)&peer)->sin_addr, want.bytes, 4) == 0);
	else
		CHECK(memcmp(&((struct sockaddr_in6 *)&peer)->sin6_addr, want.bytes, 16) == 0);
	close(accepted);
	close(fd);
	close(listener);
}

/* An enhanced GRE packet from an address of nobody's to another one, which comes back to a raw socket. */
static void
gre_between(struct priv *p, const char *source, const char *destination)
{
	static struct gresock_reader reader;
	static struct gresock_writer writer;
	static uint8_t buffer[2048], *const buffers[] = {buffer};
	uint8_t packet[] = {0x30, 0x01, 0x88, 0x0b, 0, 1, 0, 5, 0, 0, 0, 0, 0xaa}, *gre;
	struct addr from = addr(source), to = addr(destination), got;
	struct priv_request r = {.type = PRIV_GRE_OPEN, .gre = {.family = from.family, .shards = 1, .transparent = true}};
	struct pollfd pfd = {.events = POLLIN};
	int error;
	size_t len;

	pfd.fd = open_one(p, r, &error);
	CHECK(pfd.fd >= 0);
	gresock_reader_init(&reader, pfd.fd, from.family);
	gresock_reader_destinations(&reader);
	gresock_writer_init(&writer, pfd.fd, from.family, true);
	for (int i = 0; i < 2; i++) { /* twice: the room for control messages is used again */
		gresock_push(&writer, packet, sizeof(packet), &from, &to);
		CHECK(gresock_flush(&writer) == 0);
		CHECK(poll(&pfd, 1, 20000) == 1 && gresock_recv(&reader, buffers, sizeof(buffer), 1) == 1);
		CHECK(gresock_packet(&reader, 0, &gre, &len, &got) && len == sizeof(packet) && memcmp(gre, packet, len) == 0);
		CHECK(addr_equal(&got, &from));
		CHECK(gresock_destination(&reader, 0, &got) && addr_equal(&got, &to));
	}
	close(pfd.fd);
	r.gre.bind = from;
	pfd.fd = open_one(p, r, &error);
	CHECK(pfd.fd >= 0);
	close(pfd.fd);
	r.gre.transparent = false;
	CHECK(open_one(p, r, &error) == -1 && error == EADDRNOTAVAIL);
}

static void
transparent_worker(struct priv *p)
{
	connect_from(p, "0.0.0.0", "127.0.0.1", "198.51.100.7");
	connect_from(p, "::", "::1", "2001:db8::7");
	gre_between(p, "198.51.100.7", "203.0.113.8");
	gre_between(p, "2001:db8::7", "2001:db8:1::8");
}

static void
transparent_body(void)
{
	struct seen *seen = new_seen();
	struct priv_policy p = policy(seen);

	p.tcp_port_min = p.tcp_port_max = 1723;
	p.transparent = true;
	/* What goes to these addresses, and replies to them, comes here. */
	CHECK(shell("ip link set lo up && ip route add local 198.51.100.0/24 dev lo table 77 && ip rule add iif lo lookup 77 && "
		    "ip route add local 203.0.113.0/24 dev lo table 77 && ip -6 rule add iif lo lookup 77 && "
		    "ip -6 route add local 2001:db8::/32 dev lo table 77"));
	CHECK(run_worker(&p, transparent_worker) == 0);
}

START_TEST(foreign_addresses)
{
	in_netns(transparent_body);
}
END_TEST

Suite *
suite_priv_program(void)
{
	Suite *s = suite_create("priv_program");
	TCase *t = tcase_create("priv_program");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, bytes_and_descriptors_both_ways);
	tcase_add_test(t, refused_without_a_hook);
	tcase_add_test(t, calls_wait_for_those_before);
	tcase_add_test(t, the_last_requests_are_done_before_the_end);
	tcase_add_test(t, hostile_bytes_and_descriptors);
	tcase_add_test(t, a_worker_hears_signals_after_exec);
	tcase_add_test(t, foreign_addresses);
	suite_add_tcase(s, t);
	return s;
}
