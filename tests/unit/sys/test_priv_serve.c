/* The monitor and a real worker: descriptors, scripts, requests in a row, and the end of either. */
#include "sys/priv.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/suite.h"
#include "tests/unit/sys/addrs.h"
#include "tests/unit/sys/netns.h"
#include "tests/unit/sys/priv_rig.h"

Suite *suite_priv_serve(void);

/* --- descriptors -------------------------------------------------------------------------- */

static void
sockets_and_files(struct priv *p)
{
	struct priv_request file = {.type = PRIV_FILE_OPEN}, gre = {.type = PRIV_GRE_OPEN, .gre = {.family = 6, .shards = 2, .shard = 1}};
	struct priv_request l = {.type = PRIV_TCP_LISTEN, .tcp = {.bind = addr_of("127.0.0.1"), .port = 443}};
	struct priv_request s = {.type = PRIV_TCP_SOCKET, .tcp = {.bind = addr_of("127.0.0.1"), .mark = 5}};
	char text[16] = "";
	int fds[PRIV_MAX_FDS], accepted, mark = 0;
	struct sockaddr_storage ss;
	struct pollfd pfd = {.events = POLLIN};
	socklen_t len = sizeof(ss);
	struct rlimit limit;

	CHECK(rig_call(p, &file, fds).error == 0);
	CHECK(read(fds[0], text, sizeof(text)) == 7 && strcmp(text, "s3cret\n") == 0);
	CHECK(write(fds[0], "x", 1) == -1);
	file.file.number = 1;
	CHECK(rig_call(p, &file, fds).error == ENOENT);
	file.file.number = 2;
	CHECK(rig_call(p, &file, fds).error == EISDIR);
	CHECK(rig_call(p, &gre, fds).error == 0);
	CHECK(getsockopt(fds[0], SOL_SOCKET, SO_DOMAIN, &mark, &len) == 0 && mark == AF_INET6);
	CHECK(rig_call(p, &l, fds).error == 0);
	CHECK(rig_call(p, &s, fds + 1).error == 0);
	len = sizeof(ss);
	CHECK(getsockname(fds[0], (struct sockaddr *)&ss, &len) == 0);
	CHECK(connect(fds[1], (struct sockaddr *)&ss, len) == 0 || errno == EINPROGRESS);
	pfd.fd = fds[0];
	CHECK(poll(&pfd, 1, 20000) == 1);
	accepted = accept4(fds[0], NULL, NULL, SOCK_CLOEXEC);
	CHECK(accepted >= 0);
	len = sizeof(mark);
	CHECK(getsockopt(fds[1], SOL_SOCKET, SO_MARK, &mark, &len) == 0 && mark == 5);
	CHECK((fcntl(fds[1], F_GETFL) & O_NONBLOCK) != 0 && (fcntl(fds[0], F_GETFL) & O_NONBLOCK) != 0);
	CHECK(rig_call(p, &l, fds + 2).error == EADDRINUSE);
	strcpy(s.tcp.ifname, "nosuch0");
	CHECK(rig_call(p, &s, fds + 2).error == ENODEV);
	s = (struct priv_request){.type = PRIV_TCP_SOCKET, .tcp.bind = addr_of("::")};
	CHECK(rig_call(p, &s, fds + 2).error == 0);
	CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0 && (limit.rlim_cur >= 65536 || limit.rlim_cur == limit.rlim_max));
}

static void
descriptors_body(void)
{
	struct priv_policy policy = rig_set_up();
	struct rlimit few = {256, 256};

	/* Root may raise the hard limit; where it may not, the hard limit it is. */
	CHECK(setrlimit(RLIMIT_NOFILE, &few) == 0);
	CHECK(rig_run(&policy, sockets_and_files) == 0);
	rig_tear_down();
}

START_TEST(descriptors_are_passed)
{
	in_netns(descriptors_body);
}
END_TEST

/* --- scripts -------------------------------------------------------------------------------- */

static void
run_script(struct priv *p, uint8_t number, const char *n, uint64_t key, enum priv_script_when when)
{
	struct priv_request r = {.type = PRIV_SCRIPT, .script = {.number = number, .key = key, .when = when}};

	CHECK(priv_env_add(&r, "PPTP_N", n) && priv_env_add(&r, "PPTP_PEER", "$(touch /tmp/openpptp-injected) \"'"));
	CHECK(rig_call(p, &r, NULL).error == 0);
}

static bool
exists_soon(const char *name)
{
	char command[128];

	snprintf(command, sizeof(command), "test -e %s", rig_path(name));
	return shell_soon(command);
}

static void
scripts_worker(struct priv *p)
{
	char n[16];

	setenv("SECRET", "1", 1);
	run_script(p, 1, "s", 9, PRIV_SCRIPT_NOW);
	run_script(p, 0, "behind", 9, PRIV_SCRIPT_NOW);
	run_script(p, 2, "x", 0, PRIV_SCRIPT_NOW); /* does not exist: only a log line */
	run_script(p, 0, "kept", 5, PRIV_SCRIPT_AT_EXIT);
	run_script(p, 0, "replaced", 6, PRIV_SCRIPT_AT_EXIT);
	run_script(p, 0, "replacing", 6, PRIV_SCRIPT_AT_EXIT);
	run_script(p, 0, "forgotten", 7, PRIV_SCRIPT_AT_EXIT);
	run_script(p, 0, "now", 7, PRIV_SCRIPT_NOW);
	for (int i = 0; i < 20; i++) {
		snprintf(n, sizeof(n), "%d", i);
		run_script(p, 0, n, 0, PRIV_SCRIPT_NOW);
	}
	CHECK(exists_soon("env.now") && exists_soon("env.19"));
	CHECK(!shell("test -e /tmp/openpptp-injected"));
	CHECK(exists_soon("slow.pid"));
}

static bool
dir_shell(const char *command)
{
	char whole[512];

	snprintf(whole, sizeof(whole), "cd %s && %s", rig_path("."), command);
	return shell(whole);
}

static void
scripts_body(void)
{
	struct priv_policy policy = rig_set_up();

	CHECK(setenv("SECRET_OF_MONITOR", "1", 1) == 0);
	CHECK(rig_run(&policy, scripts_worker) == 0);
	/* Its end waited for the slow one, which was killed with its children. */
	CHECK(dir_shell("! kill -0 $(cat slow.pid) 2>/dev/null"));
	/* What shares its key began behind its end, after the five seconds of its life; the others did not wait for it. */
	CHECK(dir_shell("test $(($(stat -c %Y env.behind) - $(stat -c %Y slow.pid))) -ge 4"));
	CHECK(dir_shell("test env.0 -ot env.behind"));
	CHECK(dir_shell("! grep -q SECRET env.0"));
	CHECK(dir_shell("grep -q '^PATH=/usr/local/sbin:' env.0"));
	CHECK(dir_shell("grep -qF 'PPTP_PEER=$(touch /tmp/openpptp-injected)' env.0"));
	CHECK(dir_shell("test $(cat uid.0) = 0 && test ! -s stdin.0"));
	CHECK(dir_shell("test $(grep -c -- '->' fds.0) -le 4")); /* stdin, stdout, stderr, and ls's own */
	CHECK(dir_shell("test -e env.kept && test -e env.replacing && test ! -e env.replaced && test ! -e env.forgotten"));
	rig_tear_down();
}

START_TEST(scripts)
{
	in_netns(scripts_body);
}
END_TEST

/* --- ends --------------------------------------------------------------------------------------- */

static int tell_fd;

static void
wait_for_ever(struct priv *p)
{
	(void)p;
	CHECK(write(tell_fd, "w", 1) == 1);
	for (;;)
		pause();
}

/* Starts a monitor whose worker only waits; *fd becomes readable at end of file when both are gone. */
static pid_t
start_waiter(const struct priv_policy *policy, void (*worker)(struct priv *p), int *fd)
{
	int fds[2];
	char c;
	pid_t pid;

	CHECK(pipe2(fds, O_CLOEXEC) == 0);
	tell_fd = fds[1];
	pid = fork();
	if (pid == 0) {
		struct priv *p = priv_start(policy, NULL, NULL);

		CHECK(p != NULL);
		worker(p);
		_exit(0);
	}
	close(fds[1]);
	CHECK(read(fds[0], &c, 1) == 1);
	*fd = fds[0];
	return pid;
}

static void
all_gone(int fd)
{
	struct pollfd pfd = {.fd = fd, .events = POLLIN};
	char c;

	CHECK(poll(&pfd, 1, 20000) == 1 && read(fd, &c, 1) == 0);
	close(fd);
}

static void
monitor_death_body(void)
{
	struct priv_policy policy = rig_set_up();
	int fd, status;
	pid_t pid = start_waiter(&policy, wait_for_ever, &fd);

	CHECK(kill(pid, SIGKILL) == 0 && waitpid(pid, &status, 0) == pid);
	all_gone(fd);
	/* A signal to the monitor is the worker's to answer. */
	pid = start_waiter(&policy, wait_for_ever, &fd);
	CHECK(kill(pid, SIGTERM) == 0 && waitpid(pid, &status, 0) == pid);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 128 + SIGTERM);
	all_gone(fd);
	rig_tear_down();
}

START_TEST(the_worker_ends_with_its_monitor)
{
	in_netns(monitor_death_body);
}
END_TEST

static void
dns_then_wait(struct priv *p)
{
	int fds[PRIV_MAX_FDS];
	struct priv_request dns = {.type = PRIV_DNS_SET, .dns = {.servers = {addr_of("10.0.0.53")}, .ifname = "pptp0"}};

	rig_tun(p, "pptp0", 1, fds);
	CHECK(rig_call(p, &dns, NULL).error == 0);
	wait_for_ever(p);
}

static void
do_nothing(struct priv *p)
{
	(void)p;
	CHECK(rig_resolv_is_original());
}

static void
resolv_after_death_body(void)
{
	struct priv_policy policy = rig_set_up();
	int fd, status;
	pid_t pid = start_waiter(&policy, dns_then_wait, &fd);

	CHECK(kill(pid, SIGKILL) == 0 && waitpid(pid, &status, 0) == pid);
	all_gone(fd);
	CHECK(rig_file_has("resolv.conf", "^nameserver 10.0.0.53") && !rig_resolv_is_original());
	CHECK(rig_run(&policy, do_nothing) == 0);
	rig_tear_down();
}

START_TEST(the_next_start_restores_resolvers)
{
	in_netns(resolv_after_death_body);
}
END_TEST

/* --- the loop ------------------------------------------------------------------------------------ */

struct sent {
	struct event_base *base;
	unsigned next, end;
};

struct one {
	struct sent *all;
	unsigned number;
};

static void
got_reply(void *user, const struct priv_reply *reply, const int *fds)
{
	struct one *o = user;
	char text[8];

	CHECK(o->number == o->all->next);
	if (o->number % 100 == 0) {
		CHECK(reply->error == 0 && reply->fds == 1 && read(fds[0], text, sizeof(text)) == 7);
		close(fds[0]);
	} else {
		CHECK(reply->error == EPERM && reply->fds == 0);
	}
	if (++o->all->next == o->all->end)
		event_base_loopbreak(o->all->base);
}

static void
send_many(struct priv *p, unsigned count)
{
	struct sent all = {.base = event_base_new(), .end = count};
	struct one *ones = calloc(count, sizeof(*ones));
	struct timeval limit = {.tv_sec = 20};

	CHECK(priv_attach(p, all.base, NULL, NULL) == 0);
	for (unsigned i = 0; i < count; i++) {
		struct priv_request r = {.type = PRIV_FILE_OPEN, .file.number = i % 100 == 0 ? 0 : PRIV_MAX_FILES};

		ones[i] = (struct one){&all, i};
		CHECK(priv_send(p, &r, got_reply, &ones[i]) == 0);
	}
	CHECK(all.next == 0); /* never from inside priv_send() */
	event_base_loopexit(all.base, &limit);
	event_base_dispatch(all.base);
	CHECK(all.next == count);
	priv_free(p);
	event_base_free(all.base);
	free(ones);
}

static void
send_5000(struct priv *p)
{
	send_many(p, 5000);
}

static void
queue_body(void)
{
	struct priv_policy policy = rig_set_up();

	CHECK(freopen("/dev/null", "w", stderr) != NULL);
	CHECK(rig_run(&policy, send_5000) == 0);
	send_many(priv_start_inline(&policy), 1000);
	rig_tear_down();
}

START_TEST(requests_queue_in_order)
{
	in_netns(queue_body);
}
END_TEST

static void
fill(struct priv *p)
{
	struct priv_request r = {.type = PRIV_FILE_OPEN, .file.number = PRIV_MAX_FILES}, bad = {.type = PRIV_TYPES};
	struct priv_reply reply;
	int fds[PRIV_MAX_FDS];

	CHECK(priv_send(p, &bad, NULL, NULL) == -1);
	for (int i = 0; i < 65536; i++)
		CHECK(priv_send(p, &r, NULL, NULL) == 0);
	CHECK(priv_send(p, &r, NULL, NULL) == -1 && strcmp(priv_refusal(p), "the monitor is overloaded") == 0);
	CHECK(priv_call(p, &r, &reply, fds) == -1 && reply.error == ENOBUFS);
}

static void
full_body(void)
{
	struct priv_policy policy = rig_set_up();
	struct priv *p;

	CHECK(freopen("/dev/null", "w", stderr) != NULL);
	p = priv_start_inline(&policy);
	CHECK(p != NULL);
	fill(p);
	priv_free(p);
	rig_tear_down();
}

START_TEST(the_queue_is_bounded)
{
	in_netns(full_body);
}
END_TEST

static void
note_lost(void *user)
{
	*(bool *)user = true;
}

static void
see_the_end(struct priv *p)
{
	struct event_base *base = event_base_new();
	bool lost = false;
	struct priv_request r = {.type = PRIV_FILE_OPEN};
	struct priv_reply reply;
	int fds[PRIV_MAX_FDS];

	signal(SIGTERM, SIG_IGN);
	CHECK(priv_attach(p, base, note_lost, &lost) == 0);
	CHECK(write(tell_fd, "w", 1) == 1);
	while (!lost)
		event_base_loop(base, EVLOOP_ONCE);
	CHECK(priv_call(p, &r, &reply, fds) == -1);
	CHECK(priv_send(p, &r, NULL, NULL) == -1 && strcmp(priv_refusal(p), "the monitor is gone") == 0);
	CHECK(write(tell_fd, "l", 1) == 1);
	priv_free(p);
	event_base_free(base);
	_exit(0);
}

static void
lost_body(void)
{
	struct priv_policy policy = rig_set_up();
	int fd, status;
	char c = 0;
	pid_t pid = start_waiter(&policy, see_the_end, &fd);

	CHECK(kill(pid, SIGKILL) == 0 && waitpid(pid, &status, 0) == pid);
	CHECK(read(fd, &c, 1) == 1 && c == 'l');
	all_gone(fd);
	rig_tear_down();
}

START_TEST(the_loop_hears_that_the_monitor_is_gone)
{
	in_netns(lost_body);
}
END_TEST

Suite *
suite_priv_serve(void)
{
	Suite *s = suite_create("priv_serve");
	TCase *t = tcase_create("priv_serve");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, descriptors_are_passed);
	tcase_add_test(t, scripts);
	tcase_add_test(t, the_worker_ends_with_its_monitor);
	tcase_add_test(t, the_next_start_restores_resolvers);
	tcase_add_test(t, requests_queue_in_order);
	tcase_add_test(t, the_queue_is_bounded);
	tcase_add_test(t, the_loop_hears_that_the_monitor_is_gone);
	suite_add_tcase(s, t);
	return s;
}
