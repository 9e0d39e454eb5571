/* The monitor and a real worker: what is set up and undone, and with what rights. The rest is in test_priv_serve.c. */
#include "sys/priv.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/log.h"
#include "tests/unit/suite.h"
#include "tests/unit/sys/addrs.h"
#include "tests/unit/sys/netns.h"
#include "tests/unit/sys/priv_rig.h"

Suite *suite_priv(void);

/* --- what the worker sets up ------------------------------------------------------ */

static void
set_up_everything(struct priv *p)
{
	int fds[PRIV_MAX_FDS], tun = rig_tun(p, "pptp%d", 2, fds);
	struct priv_request mtu = {.type = PRIV_LINK_MTU, .link = {tun, 1300}};
	struct priv_request a = {.type = PRIV_ADDR_ADD, .addr = {tun, addr_of("10.0.0.1"), addr_of("10.0.0.2"), 32}};
	struct priv_request r = {.type = PRIV_ROUTE_ADD, .route = {.ifindex = tun}};
	struct priv_request host = {
	    .type = PRIV_ROUTE_ADD, .route = {.ifindex = (int)if_nametoindex("eth0"), .gateway = addr_of("192.0.2.1")}};
	struct priv_request proxy = {.type = PRIV_PROXY_ADD, .proxy.addr = addr_of("192.0.2.99")};
	struct priv_request proxy6 = {.type = PRIV_PROXY_ADD, .proxy.addr = addr_of("2001:db8::99")};
	struct priv_request dns = {.type = PRIV_DNS_SET, .dns = {.servers = {addr_of("10.0.0.53")}, .domain = "example.org"}};
	struct priv_request script = {.type = PRIV_SCRIPT, .script = {.number = 0, .when = PRIV_SCRIPT_AT_EXIT, .key = 7}};

	CHECK(prefix_parse(&r.route.dst, "10.7.0.0/16") && prefix_parse(&host.route.dst, "203.0.113.9"));
	CHECK(fcntl(fds[0], F_GETFD) == FD_CLOEXEC && fds[1] != fds[0]);
	CHECK(rig_call(p, &mtu, NULL).error == 0 && rig_call(p, &a, NULL).error == 0 && rig_call(p, &r, NULL).error == 0);
	CHECK(rig_call(p, &host, NULL).error == 0 && rig_call(p, &proxy, NULL).error == 0 && rig_call(p, &proxy6, NULL).error == 0);
	strcpy(dns.dns.ifname, "pptp0");
	CHECK(rig_call(p, &dns, NULL).error == 0);
	CHECK(priv_env_add(&script, "PPTP_N", "down") && priv_env_add(&script, "PPTP_IFNAME", "pptp0"));
	CHECK(rig_call(p, &script, NULL).error == 0);
	CHECK(shell("ip -o link show pptp0 | grep -q 'UP.* mtu 1300 '"));
	CHECK(shell("ip -o addr show pptp0 | grep -q '10.0.0.1 peer 10.0.0.2/32'"));
	CHECK(shell("ip route | grep -q '10.7.0.0/16 dev pptp0 proto 80'"));
	CHECK(shell("ip route | grep -q '203.0.113.9 via 192.0.2.1 dev eth0 proto 80'"));
	CHECK(shell("ip neigh show proxy | grep -q '192.0.2.99 dev eth0'"));
	CHECK(shell("ip -6 neigh show proxy | grep -q '2001:db8::99 dev eth0'"));
	CHECK(shell("grep -q 1 /proc/sys/net/ipv6/conf/eth0/proxy_ndp"));
}

static bool
nothing_is_left(void)
{
	return !shell("ip link show pptp0 2>/dev/null") && !shell("ip route | grep -q 'proto 80'") &&
	       !shell("ip neigh show proxy | grep -q .") && !shell("ip -6 neigh show proxy | grep -q .") &&
	       shell("grep -q 0 /proc/sys/net/ipv6/conf/eth0/proxy_ndp") && shell("ip route | grep -q 'default via 192.0.2.1'");
}

static void
die_by_kill(struct priv *p)
{
	set_up_everything(p);
	CHECK(rig_file_has("resolv.conf", "^nameserver 10.0.0.53"));
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
	struct priv_policy policy = rig_set_up();
	int status = rig_run(&policy, end_in_order);

	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 3);
	CHECK(nothing_is_left() && rig_resolv_is_original());
	CHECK(rig_file_has("env.down", "^PPTP_IFNAME=pptp0$")); /* the script that was kept has run to its end */
	CHECK(unlink(rig_path("env.down")) == 0);
	log_set_level(LOG_LEVEL_INFO);
	CHECK(freopen(rig_path("log"), "w", stderr) != NULL);
	status = rig_run(&policy, die_by_kill);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 128 + SIGKILL);
	CHECK(nothing_is_left() && rig_resolv_is_original());
	CHECK(rig_file_has("env.down", "^PPTP_IFNAME=pptp0$"));
	CHECK(rig_file_has("log", "level=error event=worker pid=[0-9]* signal=9 "));
	rig_tear_down();
}

START_TEST(everything_is_undone_when_the_worker_ends)
{
	in_netns(worker_death_body);
}
END_TEST

static void
undo_by_request(struct priv *p)
{
	int fds[PRIV_MAX_FDS], tun = rig_tun(p, "pptp0", 1, fds);
	struct priv_request a = {.type = PRIV_ADDR_ADD, .addr = {tun, addr_of("10.0.0.1"), {0}, 32}};
	struct priv_request r = {.type = PRIV_ROUTE_ADD, .route = {.ifindex = tun}};
	struct priv_request proxy = {.type = PRIV_PROXY_ADD, .proxy.addr = addr_of("192.0.2.99")};
	struct priv_request far = {.type = PRIV_PROXY_ADD, .proxy.addr = addr_of("198.51.100.1")};
	struct priv_request dns = {.type = PRIV_DNS_SET, .dns = {.servers = {addr_of("10.0.0.53")}}};
	struct priv_request theirs = {.type = PRIV_ROUTE_ADD, .route = {.ifindex = tun}};

	CHECK(prefix_parse(&r.route.dst, "10.7.0.0/16") && prefix_parse(&theirs.route.dst, "0.0.0.0/0"));
	CHECK(rig_call(p, &a, NULL).error == 0 && rig_call(p, &r, NULL).error == 0 && rig_call(p, &proxy, NULL).error == 0);
	CHECK(rig_call(p, &r, NULL).error == 0);           /* an own route is replaced */
	CHECK(rig_call(p, &theirs, NULL).error == EEXIST); /* the administrator's is not */
	CHECK(rig_call(p, &far, NULL).error == ENOENT);    /* in nobody's subnet */
	strcpy(dns.dns.ifname, "pptp0");
	CHECK(rig_call(p, &dns, NULL).error == 0 && rig_file_has("resolv.conf", "^nameserver 10.0.0.53"));
	CHECK(rig_file_has("resolv.conf", "^options edns0"));
	a.type = PRIV_ADDR_DEL;
	r.type = PRIV_ROUTE_DEL;
	proxy.type = PRIV_PROXY_DEL;
	dns.type = PRIV_DNS_CLEAR;
	CHECK(rig_call(p, &r, NULL).error == 0 && rig_call(p, &a, NULL).error == 0 && rig_call(p, &proxy, NULL).error == 0);
	CHECK(rig_call(p, &dns, NULL).error == 0);
	CHECK(rig_call(p, &r, NULL).error == ENOENT && rig_call(p, &a, NULL).error == ENOENT && rig_call(p, &proxy, NULL).error == ENOENT);
	CHECK(rig_call(p, &dns, NULL).error == ENOENT);
	CHECK(!shell("ip route | grep -q 'proto 80'") && !shell("ip neigh show proxy | grep -q .") && rig_resolv_is_original());
	/* What went with its interface is no error. */
	a.type = PRIV_ADDR_ADD;
	CHECK(rig_call(p, &a, NULL).error == 0);
	close(fds[0]);
	a.type = PRIV_ADDR_DEL;
	CHECK(rig_call(p, &a, NULL).error == 0);
	a.type = PRIV_ADDR_ADD;
	CHECK(rig_call(p, &a, NULL).error == EPERM); /* it is no own interface any more */
}

static void
undo_by_request_body(void)
{
	struct priv_policy policy = rig_set_up();

	CHECK(rig_run(&policy, undo_by_request) == 0);
	rig_tear_down();
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
		int fds[PRIV_MAX_FDS], tun = rig_tun(p, "pptp%d", 1, fds);
		struct priv_request a = {.type = PRIV_ADDR_ADD, .addr = {tun, addr_of("10.0.0.1"), {0}, 32}};

		CHECK(rig_call(p, &a, NULL).error == 0);
		if (i % 20 != 0)
			close(fds[0]);
	}
}

static void
many_interfaces_body(void)
{
	struct priv_policy policy = rig_set_up();

	CHECK(rig_run(&policy, many_interfaces) == 0);
	CHECK(!shell("ip link show | grep -q pptp"));
	rig_tear_down();
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
	CHECK(open(rig_path("secrets"), O_RDONLY) == -1 && errno == EACCES);
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
	struct priv_policy policy = rig_set_up();
	bool was_root = false;
	int status;
	pid_t pid;

	CHECK(rig_run(&policy, has_nothing) == 0);
	pid = fork();
	if (pid == 0)
		_exit(priv_start(&policy, prepare_as_root, &was_root) != NULL && was_root ? 42 : 43);
	CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 42);
	rig_tear_down();
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
	struct priv_policy policy = rig_set_up();

	policy.chroot_dir = rig_path(".");
	CHECK(rig_run(&policy, in_chroot) == 0);
	rig_tear_down();
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
	struct priv_policy policy = rig_set_up();
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
	rig_tear_down();
}

START_TEST(start_fails_cleanly)
{
	in_netns(bad_start_body);
}
END_TEST

static void
inline_body(void)
{
	struct priv_policy policy = rig_set_up();
	struct priv *p = priv_start_inline(&policy);

	CHECK(p != NULL);
	set_up_everything(p);
	priv_free(p);
	/* The descriptors of the interface are this process's own; the rest is undone. */
	CHECK(!shell("ip route | grep -q '203.0.113.9'") && !shell("ip neigh show proxy | grep -q .") && rig_resolv_is_original());
	CHECK(rig_file_has("env.down", "^PPTP_IFNAME=pptp0$"));
	rig_tear_down();
}

START_TEST(inline_does_the_same)
{
	in_netns(inline_body);
}
END_TEST

static void
one_fd_body(void)
{
	struct priv_policy policy = rig_set_up();
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
	rig_tear_down();
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
	tcase_add_test(t, inline_does_the_same);
	tcase_add_test(t, one_fd);
	tcase_add_test(t, as_the_user_says);
	suite_add_tcase(s, t);
	return s;
}
