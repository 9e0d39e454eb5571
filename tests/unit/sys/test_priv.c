/* The monitor and a real worker, in a network namespace of their own. */
#include "sys/priv.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <grp.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/log.h"
#include "tests/unit/suite.h"
#include "tests/unit/sys/netns.h"

Suite *suite_priv(void);

static char dir[] = "/tmp/test-priv-XXXXXX";

static struct addr
addr(const char *s)
{
	struct addr a = {0};

	CHECK(addr_parse(&a, s));
	return a;
}

static const char *
in_dir(const char *name)
{
	static char paths[4][128];
	static unsigned next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", dir, name);
	return path;
}

static void
write_file(const char *path, const char *text, mode_t mode)
{
	FILE *fp = fopen(path, "w");

	CHECK(fp != NULL && fputs(text, fp) >= 0 && fclose(fp) == 0 && chmod(path, mode) == 0);
}

/* A policy that allows most things, with scripts and files in a fresh directory. */
static struct priv_policy
set_up(void)
{
	static const char *const ifnames[] = {"pptp*", NULL};
	static char file[128], good[128], slow[128], resolv[128];
	struct priv_policy p = {.user = "nobody",
	    .ifnames = ifnames,
	    .max_queues = 4,
	    .any_route = true,
	    .host_routes = true,
	    .tcp_port_min = 1,
	    .tcp_port_max = 65535,
	    .files = {file, "/nonexistent/x", "/etc"},
	    .scripts = {good, slow, "/nonexistent/y"},
	    .script_timeout_s = 1,
	    .scripts_at_once = 2,
	    .resolv_conf = resolv};

	log_set_level(LOG_LEVEL_ERROR);
	strcpy(dir + strlen(dir) - 6, "XXXXXX");
	CHECK(mkdtemp(dir) != NULL && chmod(dir, 0711) == 0);
	strcpy(file, in_dir("secrets"));
	strcpy(good, in_dir("good"));
	strcpy(slow, in_dir("slow"));
	strcpy(resolv, in_dir("resolv.conf"));
	write_file(file, "s3cret\n", 0600);
	write_file(good,
	    "#!/bin/sh\nD=${0%/*}\nenv | sort > $D/env.$N.tmp\nls -l /proc/self/fd > $D/fds.$N\nid -u > $D/uid.$N\ncat > $D/stdin.$N\n"
	    "mv $D/env.$N.tmp $D/env.$N\n",
	    0755);
	write_file(slow, "#!/bin/sh\necho $$ > ${0%/*}/slow.pid\nsleep 60 & wait\n", 0755);
	write_file(resolv, "nameserver 192.0.2.53\noptions edns0", 0644);
	for (size_t i = 0; i < PRIV_TYPES; i++)
		p.types[i] = true;
	CHECK(shell("ip link set lo up && ip link add eth0 type veth peer name far && ip link set far up && ip link set eth0 up"));
	CHECK(shell(
	    "ip addr add 192.0.2.10/24 dev eth0 && ip addr add 2001:db8::10/64 dev eth0 nodad && ip route add default via 192.0.2.1"));
	return p;
}

static void
tear_down(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", dir);
	CHECK(shell(command));
}

/* Runs the worker function behind a monitor; returns the monitor's wait status. */
static int
run_worker(const struct priv_policy *policy, void (*worker)(struct priv *p))
{
	int status;
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid == 0) {
		struct priv *p = priv_start(policy, NULL, NULL);

		CHECK(p != NULL);
		worker(p);
		_exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	return status;
}

static struct priv_reply
call(struct priv *p, const struct priv_request *r, int *fds)
{
	struct priv_reply reply;
	int own_fds[PRIV_MAX_FDS];
	int result = priv_call(p, r, &reply, fds != NULL ? fds : own_fds);

	CHECK(result == (reply.error == 0 ? 0 : -1));
	return reply;
}

static int
tun_open(struct priv *p, const char *name, uint16_t queues, int *fds)
{
	struct priv_request r = {.type = PRIV_TUN_OPEN, .tun.queues = queues, .tun.mtu = 1400};
	struct priv_reply reply;

	snprintf(r.tun.name, sizeof(r.tun.name), "%s", name);
	reply = call(p, &r, fds);
	CHECK(reply.error == 0 && reply.fds == queues && reply.ifindex > 0);
	CHECK((int)if_nametoindex(reply.ifname) == reply.ifindex);
	return reply.ifindex;
}

/* --- what the worker sets up ------------------------------------------------------ */

static void
set_up_everything(struct priv *p)
{
	int fds[PRIV_MAX_FDS], tun = tun_open(p, "pptp%d", 2, fds);
	struct priv_request mtu = {.type = PRIV_LINK_MTU, .link = {tun, 1300}};
	struct priv_request a = {.type = PRIV_ADDR_ADD, .addr = {tun, addr("10.0.0.1"), addr("10.0.0.2"), 32}};
	struct priv_request r = {.type = PRIV_ROUTE_ADD, .route = {.ifindex = tun}};
	struct priv_request host = {
	    .type = PRIV_ROUTE_ADD, .route = {.ifindex = (int)if_nametoindex("eth0"), .gateway = addr("192.0.2.1")}};
	struct priv_request proxy = {.type = PRIV_PROXY_ADD, .proxy.addr = addr("192.0.2.99")};
	struct priv_request proxy6 = {.type = PRIV_PROXY_ADD, .proxy.addr = addr("2001:db8::99")};
	struct priv_request dns = {.type = PRIV_DNS_SET, .dns = {.servers = {addr("10.0.0.53")}, .domain = "example.org"}};
	struct priv_request script = {.type = PRIV_SCRIPT, .script = {.number = 0, .when = PRIV_SCRIPT_AT_EXIT, .key = 7}};

	CHECK(prefix_parse(&r.route.dst, "10.7.0.0/16") && prefix_parse(&host.route.dst, "203.0.113.9"));
	CHECK(fcntl(fds[0], F_GETFD) == FD_CLOEXEC && fds[1] != fds[0]);
	CHECK(call(p, &mtu, NULL).error == 0 && call(p, &a, NULL).error == 0 && call(p, &r, NULL).error == 0);
	CHECK(call(p, &host, NULL).error == 0 && call(p, &proxy, NULL).error == 0 && call(p, &proxy6, NULL).error == 0);
	strcpy(dns.dns.ifname, "pptp0");
	CHECK(call(p, &dns, NULL).error == 0);
	CHECK(priv_env_add(&script, "N", "down") && priv_env_add(&script, "IFNAME", "pptp0"));
	CHECK(call(p, &script, NULL).error == 0);
	CHECK(shell("ip -o link show pptp0 | grep -q 'UP.* mtu 1300 '"));
	CHECK(shell("ip -o addr show pptp0 | grep -q '10.0.0.1 peer 10.0.0.2/32'"));
	CHECK(shell("ip route | grep -q '10.7.0.0/16 dev pptp0 proto 80'"));
	CHECK(shell("ip route | grep -q '203.0.113.9 via 192.0.2.1 dev eth0 proto 80'"));
	CHECK(shell("ip neigh show proxy | grep -q '192.0.2.99 dev eth0'"));
	CHECK(shell("ip -6 neigh show proxy | grep -q '2001:db8::99 dev eth0'"));
	CHECK(shell("grep -q 1 /proc/sys/net/ipv6/conf/eth0/proxy_ndp"));
}

static bool
file_has(const char *name, const char *what)
{
	char command[256];

	snprintf(command, sizeof(command), "grep -q '%s' %s", what, in_dir(name));
	return shell(command);
}

static bool
nothing_is_left(void)
{
	return !shell("ip link show pptp0 2>/dev/null") && !shell("ip route | grep -q 'proto 80'") &&
	       !shell("ip neigh show proxy | grep -q .") && !shell("ip -6 neigh show proxy | grep -q .") &&
	       shell("grep -q 0 /proc/sys/net/ipv6/conf/eth0/proxy_ndp") && shell("ip route | grep -q 'default via 192.0.2.1'");
}

static bool
resolv_is_original(void)
{
	char text[200] = "";
	int fd = open(in_dir("resolv.conf"), O_RDONLY);

	CHECK(fd >= 0 && read(fd, text, sizeof(text) - 1) >= 0);
	close(fd);
	return strcmp(text, "nameserver 192.0.2.53\noptions edns0") == 0;
}

static void
die_by_kill(struct priv *p)
{
	set_up_everything(p);
	CHECK(file_has("resolv.conf", "^nameserver 10.0.0.53"));
	kill(getpid(), SIGKILL);
}

static void
end_in_order(struct priv *p)
{
	set_up_everything(p);
	_exit(3);
}

static void
worker_death_body(void)
{
	struct priv_policy policy = set_up();
	int status = run_worker(&policy, end_in_order);

	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 3);
	CHECK(nothing_is_left() && resolv_is_original());
	CHECK(file_has("env.down", "^IFNAME=pptp0$")); /* the script that was kept has run to its end */
	CHECK(unlink(in_dir("env.down")) == 0);
	log_set_level(LOG_LEVEL_INFO);
	CHECK(freopen(in_dir("log"), "w", stderr) != NULL);
	status = run_worker(&policy, die_by_kill);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 128 + SIGKILL);
	CHECK(nothing_is_left() && resolv_is_original());
	CHECK(file_has("env.down", "^IFNAME=pptp0$"));
	CHECK(file_has("log", "level=error event=worker pid=[0-9]* signal=9 "));
	tear_down();
}

START_TEST(everything_is_undone_when_the_worker_ends)
{
	in_netns(worker_death_body);
}
END_TEST

static void
undo_by_request(struct priv *p)
{
	int fds[PRIV_MAX_FDS], tun = tun_open(p, "pptp0", 1, fds);
	struct priv_request a = {.type = PRIV_ADDR_ADD, .addr = {tun, addr("10.0.0.1"), {0}, 32}};
	struct priv_request r = {.type = PRIV_ROUTE_ADD, .route = {.ifindex = tun}};
	struct priv_request proxy = {.type = PRIV_PROXY_ADD, .proxy.addr = addr("192.0.2.99")};
	struct priv_request far = {.type = PRIV_PROXY_ADD, .proxy.addr = addr("198.51.100.1")};
	struct priv_request dns = {.type = PRIV_DNS_SET, .dns = {.servers = {addr("10.0.0.53")}}};
	struct priv_request theirs = {.type = PRIV_ROUTE_ADD, .route = {.ifindex = tun}};

	CHECK(prefix_parse(&r.route.dst, "10.7.0.0/16") && prefix_parse(&theirs.route.dst, "0.0.0.0/0"));
	CHECK(call(p, &a, NULL).error == 0 && call(p, &r, NULL).error == 0 && call(p, &proxy, NULL).error == 0);
	CHECK(call(p, &r, NULL).error == 0);           /* an own route is replaced */
	CHECK(call(p, &theirs, NULL).error == EEXIST); /* the administrator's is not */
	CHECK(call(p, &far, NULL).error == ENOENT);    /* in nobody's subnet */
	strcpy(dns.dns.ifname, "pptp0");
	CHECK(call(p, &dns, NULL).error == 0 && file_has("resolv.conf", "^nameserver 10.0.0.53"));
	CHECK(file_has("resolv.conf", "^options edns0"));
	a.type = PRIV_ADDR_DEL;
	r.type = PRIV_ROUTE_DEL;
	proxy.type = PRIV_PROXY_DEL;
	dns.type = PRIV_DNS_CLEAR;
	CHECK(call(p, &r, NULL).error == 0 && call(p, &a, NULL).error == 0 && call(p, &proxy, NULL).error == 0);
	CHECK(call(p, &dns, NULL).error == 0);
	CHECK(call(p, &r, NULL).error == ENOENT && call(p, &a, NULL).error == ENOENT && call(p, &proxy, NULL).error == ENOENT);
	CHECK(call(p, &dns, NULL).error == ENOENT);
	CHECK(!shell("ip route | grep -q 'proto 80'") && !shell("ip neigh show proxy | grep -q .") && resolv_is_original());
	/* What went with its interface is no error. */
	a.type = PRIV_ADDR_ADD;
	CHECK(call(p, &a, NULL).error == 0);
	close(fds[0]);
	a.type = PRIV_ADDR_DEL;
	CHECK(call(p, &a, NULL).error == 0);
	a.type = PRIV_ADDR_ADD;
	CHECK(call(p, &a, NULL).error == EPERM); /* it is no own interface any more */
}

static void
undo_by_request_body(void)
{
	struct priv_policy policy = set_up();

	CHECK(run_worker(&policy, undo_by_request) == 0);
	tear_down();
}

START_TEST(deletion_only_of_what_was_added)
{
	in_netns(undo_by_request_body);
}
END_TEST

static void
many_interfaces(struct priv *p)
{
	/* More than the list's first size, most of them gone again. */
	for (int i = 0; i < 100; i++) {
		int fds[PRIV_MAX_FDS], tun = tun_open(p, "pptp%d", 1, fds);
		struct priv_request a = {.type = PRIV_ADDR_ADD, .addr = {tun, addr("10.0.0.1"), {0}, 32}};

		CHECK(call(p, &a, NULL).error == 0);
		if (i % 20 != 0)
			close(fds[0]);
	}
}

static void
many_interfaces_body(void)
{
	struct priv_policy policy = set_up();

	CHECK(run_worker(&policy, many_interfaces) == 0);
	CHECK(!shell("ip link show | grep -q pptp"));
	tear_down();
}

START_TEST(interfaces_come_and_go)
{
	in_netns(many_interfaces_body);
}
END_TEST

/* --- privileges ------------------------------------------------------------------------ */

static void
has_nothing(struct priv *p)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct caps[2];
	uid_t r, e, s;
	gid_t groups[4];

	(void)p;
	for (int fd = 3, type; fd < 100; fd++) {
		socklen_t len = sizeof(type);

		CHECK(getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &type, &len) != 0 || type != AF_NETLINK); /* the monitor's stay there */
	}
	CHECK(getresuid(&r, &e, &s) == 0 && r == e && e == s && r != 0);
	CHECK(getgroups(4, groups) == 0);
	CHECK(setuid(0) == -1 && setgid(0) == -1 && setgroups(1, groups) == -1 && seteuid(0) == -1);
	CHECK(open("/etc/shadow", O_RDONLY) == -1 && errno == EACCES);
	CHECK(open(in_dir("secrets"), O_RDONLY) == -1 && errno == EACCES);
	CHECK(socket(AF_INET, SOCK_RAW, 47) == -1 && errno == EPERM);
	CHECK(syscall(SYS_capget, &header, caps) == 0);
	CHECK((caps[0].effective | caps[1].effective | caps[0].permitted | caps[1].permitted | caps[0].inheritable | caps[1].inheritable) ==
	      0);
	for (int cap = 0; cap < 38; cap++)
		CHECK(prctl(PR_CAPBSET_READ, cap, 0, 0, 0) == 0);
	CHECK(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
	CHECK(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0);
	CHECK(!shell("ip link set lo down 2>/dev/null"));
	CHECK(kill(getppid(), 0) == -1 && errno == EPERM);
}

static int
prepare_as_root(void *user)
{
	*(bool *)user = geteuid() == 0;
	return 0;
}

static void
drop_body(void)
{
	struct priv_policy policy = set_up();
	bool was_root = false;
	int status;
	pid_t pid;

	CHECK(run_worker(&policy, has_nothing) == 0);
	pid = fork();
	if (pid == 0)
		_exit(priv_start(&policy, prepare_as_root, &was_root) != NULL && was_root ? 42 : 43);
	CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 42);
	tear_down();
}

START_TEST(the_worker_has_no_privileges)
{
	in_netns(drop_body);
}
END_TEST

static void
in_chroot(struct priv *p)
{
	(void)p;
	CHECK(access("/etc/passwd", F_OK) == -1 && access("/secrets", F_OK) == 0);
}

static void
chroot_body(void)
{
	struct priv_policy policy = set_up();

	policy.chroot_dir = dir;
	CHECK(run_worker(&policy, in_chroot) == 0);
	tear_down();
}

START_TEST(chroot_if_asked)
{
	in_netns(chroot_body);
}
END_TEST

static int
fail_to_prepare(void *user)
{
	(void)user;
	return -1;
}

static void
bad_start_body(void)
{
	struct priv_policy policy = set_up();
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		priv_start(&policy, fail_to_prepare, NULL);
		_exit(50);
	}
	CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 1);
	CHECK(freopen("/dev/null", "w", stderr) != NULL);
	policy.user = "nosuchuser";
	CHECK(priv_start(&policy, NULL, NULL) == NULL);
	policy.user = "root";
	CHECK(priv_start(&policy, NULL, NULL) == NULL);
	policy.user = NULL;
	CHECK(priv_start(&policy, NULL, NULL) == NULL);
	tear_down();
}

START_TEST(start_fails_cleanly)
{
	in_netns(bad_start_body);
}
END_TEST

/* --- descriptors -------------------------------------------------------------------------- */

static void
sockets_and_files(struct priv *p)
{
	struct priv_request file = {.type = PRIV_FILE_OPEN}, gre = {.type = PRIV_GRE_OPEN, .gre = {.family = 6, .shards = 2, .shard = 1}};
	struct priv_request l = {.type = PRIV_TCP_LISTEN, .tcp = {.bind = addr("127.0.0.1"), .port = 443}};
	struct priv_request s = {.type = PRIV_TCP_SOCKET, .tcp = {.bind = addr("127.0.0.1"), .mark = 5}};
	char text[16] = "";
	int fds[PRIV_MAX_FDS], accepted, mark = 0;
	struct sockaddr_storage ss;
	struct pollfd pfd = {.events = POLLIN};
	socklen_t len = sizeof(ss);
	struct rlimit limit;

	CHECK(call(p, &file, fds).error == 0);
	CHECK(read(fds[0], text, sizeof(text)) == 7 && strcmp(text, "s3cret\n") == 0);
	CHECK(write(fds[0], "x", 1) == -1);
	file.file.number = 1;
	CHECK(call(p, &file, fds).error == ENOENT);
	file.file.number = 2;
	CHECK(call(p, &file, fds).error == EISDIR);
	CHECK(call(p, &gre, fds).error == 0);
	CHECK(getsockopt(fds[0], SOL_SOCKET, SO_DOMAIN, &mark, &len) == 0 && mark == AF_INET6);
	CHECK(call(p, &l, fds).error == 0);
	CHECK(call(p, &s, fds + 1).error == 0);
	len = sizeof(ss);
	CHECK(getsockname(fds[0], (struct sockaddr *)&ss, &len) == 0);
	CHECK(connect(fds[1], (struct sockaddr *)&ss, len) == 0 || errno == EINPROGRESS);
	pfd.fd = fds[0];
	CHECK(poll(&pfd, 1, 5000) == 1);
	accepted = accept4(fds[0], NULL, NULL, SOCK_CLOEXEC);
	CHECK(accepted >= 0);
	len = sizeof(mark);
	CHECK(getsockopt(fds[1], SOL_SOCKET, SO_MARK, &mark, &len) == 0 && mark == 5);
	CHECK((fcntl(fds[1], F_GETFL) & O_NONBLOCK) != 0 && (fcntl(fds[0], F_GETFL) & O_NONBLOCK) != 0);
	CHECK(call(p, &l, fds + 2).error == EADDRINUSE);
	strcpy(s.tcp.ifname, "nosuch0");
	CHECK(call(p, &s, fds + 2).error == ENODEV);
	s = (struct priv_request){.type = PRIV_TCP_SOCKET, .tcp.bind = addr("::")};
	CHECK(call(p, &s, fds + 2).error == 0);
	CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0 && (limit.rlim_cur >= 65536 || limit.rlim_cur == limit.rlim_max));
}

static void
descriptors_body(void)
{
	struct priv_policy policy = set_up();
	struct rlimit few = {256, 256};

	/* Root may raise the hard limit; where it may not, the hard limit it is. */
	CHECK(setrlimit(RLIMIT_NOFILE, &few) == 0);
	CHECK(run_worker(&policy, sockets_and_files) == 0);
	tear_down();
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

	CHECK(priv_env_add(&r, "N", n) && priv_env_add(&r, "PEER", "$(touch /tmp/openpptp-injected) \"'"));
	CHECK(call(p, &r, NULL).error == 0);
}

static bool
exists_soon(const char *name)
{
	char command[128];

	snprintf(command, sizeof(command), "test -e %s", in_dir(name));
	return shell_soon(command);
}

static void
scripts_worker(struct priv *p)
{
	char n[16];

	setenv("SECRET", "1", 1);
	run_script(p, 1, "s", 0, PRIV_SCRIPT_NOW);
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

	snprintf(whole, sizeof(whole), "cd %s && %s", dir, command);
	return shell(whole);
}

static void
scripts_body(void)
{
	struct priv_policy policy = set_up();

	CHECK(setenv("SECRET_OF_MONITOR", "1", 1) == 0);
	CHECK(run_worker(&policy, scripts_worker) == 0);
	/* Its end waited for the slow one, which was killed with its children. */
	CHECK(dir_shell("! kill -0 $(cat slow.pid) 2>/dev/null"));
	CHECK(dir_shell("! grep -q SECRET env.0"));
	CHECK(dir_shell("grep -q '^PATH=/usr/local/sbin:' env.0"));
	CHECK(dir_shell("grep -qF 'PEER=$(touch /tmp/openpptp-injected)' env.0"));
	CHECK(dir_shell("test $(cat uid.0) = 0 && test ! -s stdin.0"));
	CHECK(dir_shell("test $(grep -c -- '->' fds.0) -le 4")); /* stdin, stdout, stderr, and ls's own */
	CHECK(dir_shell("test -e env.kept && test -e env.replacing && test ! -e env.replaced && test ! -e env.forgotten"));
	tear_down();
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

	CHECK(poll(&pfd, 1, 10000) == 1 && read(fd, &c, 1) == 0);
	close(fd);
}

static void
monitor_death_body(void)
{
	struct priv_policy policy = set_up();
	int fd, status;
	pid_t pid = start_waiter(&policy, wait_for_ever, &fd);

	CHECK(kill(pid, SIGKILL) == 0 && waitpid(pid, &status, 0) == pid);
	all_gone(fd);
	/* A signal to the monitor is the worker's to answer. */
	pid = start_waiter(&policy, wait_for_ever, &fd);
	CHECK(kill(pid, SIGTERM) == 0 && waitpid(pid, &status, 0) == pid);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 128 + SIGTERM);
	all_gone(fd);
	tear_down();
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
	struct priv_request dns = {.type = PRIV_DNS_SET, .dns = {.servers = {addr("10.0.0.53")}, .ifname = "pptp0"}};

	tun_open(p, "pptp0", 1, fds);
	CHECK(call(p, &dns, NULL).error == 0);
	wait_for_ever(p);
}

static void
do_nothing(struct priv *p)
{
	(void)p;
	CHECK(resolv_is_original());
}

static void
resolv_after_death_body(void)
{
	struct priv_policy policy = set_up();
	int fd, status;
	pid_t pid = start_waiter(&policy, dns_then_wait, &fd);

	CHECK(kill(pid, SIGKILL) == 0 && waitpid(pid, &status, 0) == pid);
	all_gone(fd);
	CHECK(file_has("resolv.conf", "^nameserver 10.0.0.53") && !resolv_is_original());
	CHECK(run_worker(&policy, do_nothing) == 0);
	tear_down();
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
	struct priv_policy policy = set_up();

	CHECK(freopen("/dev/null", "w", stderr) != NULL);
	CHECK(run_worker(&policy, send_5000) == 0);
	send_many(priv_start_inline(&policy), 1000);
	tear_down();
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
	struct priv_policy policy = set_up();
	struct priv *p;

	CHECK(freopen("/dev/null", "w", stderr) != NULL);
	p = priv_start_inline(&policy);
	CHECK(p != NULL);
	fill(p);
	priv_free(p);
	tear_down();
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
	struct priv_policy policy = set_up();
	int fd, status;
	char c = 0;
	pid_t pid = start_waiter(&policy, see_the_end, &fd);

	CHECK(kill(pid, SIGKILL) == 0 && waitpid(pid, &status, 0) == pid);
	CHECK(read(fd, &c, 1) == 1 && c == 'l');
	all_gone(fd);
	tear_down();
}

START_TEST(the_loop_hears_that_the_monitor_is_gone)
{
	in_netns(lost_body);
}
END_TEST

static void
inline_body(void)
{
	struct priv_policy policy = set_up();
	struct priv *p = priv_start_inline(&policy);

	CHECK(p != NULL);
	set_up_everything(p);
	priv_free(p);
	/* The descriptors of the interface are this process's own; the rest is undone. */
	CHECK(!shell("ip route | grep -q '203.0.113.9'") && !shell("ip neigh show proxy | grep -q .") && resolv_is_original());
	CHECK(file_has("env.down", "^IFNAME=pptp0$"));
	tear_down();
}

START_TEST(inline_does_the_same)
{
	in_netns(inline_body);
}
END_TEST

static void
one_fd_body(void)
{
	struct priv_policy policy = set_up();
	struct priv *p = priv_start_inline(&policy);
	struct priv_request r;
	int fd;

	memset(&r, 0, sizeof(r));
	r.type = PRIV_TCP_LISTEN;
	r.tcp.bind.family = 4;
	r.tcp.port = 1723;
	fd = priv_call_fd(p, &r);
	CHECK(fd >= 0 && fcntl(fd, F_GETFD) >= 0);
	CHECK(priv_call_fd(p, &r) == -1 && errno == EADDRINUSE);
	close(fd);
	priv_free(p);
	tear_down();
}

START_TEST(one_fd)
{
	in_netns(one_fd_body);
}
END_TEST

static int
prepare_in(void *arg)
{
	*(pid_t *)arg = getpid();
	return 0;
}

/* One process for root, a second one for anybody else. */
static void
as_user_body(void)
{
	struct priv_policy policy = {.user = "root"};
	pid_t prepared_in = 0;
	struct priv *p = priv_start_as_user(&policy, prepare_in, &prepared_in);
	int status;
	pid_t pid;

	CHECK(p != NULL && prepared_in == getpid());
	priv_free(p);
	CHECK(priv_start_as_user(&policy, fail_to_prepare, NULL) == NULL);
	policy.user = "nobody";
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		pid_t monitor = getpid();

		p = priv_start_as_user(&policy, prepare_in, &prepared_in);
		_exit(p != NULL && prepared_in == getpid() && getppid() == monitor && getuid() != 0 ? 42 : 43);
	}
	CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 42);
	policy.user = NULL;
	CHECK(priv_start_as_user(&policy, prepare_in, &prepared_in) == NULL);
}

START_TEST(as_the_user_says)
{
	in_netns(as_user_body);
}
END_TEST

Suite *
suite_priv(void)
{
	Suite *s = suite_create("priv");
	TCase *t = tcase_create("priv");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, everything_is_undone_when_the_worker_ends);
	tcase_add_test(t, deletion_only_of_what_was_added);
	tcase_add_test(t, interfaces_come_and_go);
	tcase_add_test(t, the_worker_has_no_privileges);
	tcase_add_test(t, chroot_if_asked);
	tcase_add_test(t, start_fails_cleanly);
	tcase_add_test(t, descriptors_are_passed);
	tcase_add_test(t, scripts);
	tcase_add_test(t, the_worker_ends_with_its_monitor);
	tcase_add_test(t, the_next_start_restores_resolvers);
	tcase_add_test(t, requests_queue_in_order);
	tcase_add_test(t, the_queue_is_bounded);
	tcase_add_test(t, the_loop_hears_that_the_monitor_is_gone);
	tcase_add_test(t, inline_does_the_same);
	tcase_add_test(t, one_fd);
	tcase_add_test(t, as_the_user_says);
	suite_add_tcase(s, t);
	return s;
}
