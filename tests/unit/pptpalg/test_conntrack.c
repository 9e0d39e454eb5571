#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "alg/ctnl.h"
#include "alg/datapath/datapath.h"
#include "alg/nft.h"
#include "tests/unit/suite.h"
#include "tests/unit/sys/netns.h"

Suite *suite_conntrack(void);

static struct datapath *
open_life(uint64_t seconds)
{
	struct datapath_config config = {.max_gates = 10, .life_ns = seconds * 1000000000};
	char err[256] = "";
	struct datapath *dp = datapath_conntrack_open(&config, err, sizeof(err));

	if (dp == NULL)
		fprintf(stderr, "%s\n", err);
	CHECK(dp != NULL);
	return dp;
}

static struct datapath *
set_up(void)
{
	struct config *c = config_load_text("t.conf", "");
	char err[256];

	CHECK(shell("ip link set lo up"));
	CHECK(c != NULL);
	nft_stop(nft_start(c, err, sizeof(err)), true); /* its nat chain makes the kernel translate */
	config_free(c);
	return open_life(1000);
}

static struct gate
gate(const char *src, const char *dst, uint16_t id, const char *new_src, const char *new_dst, uint16_t new_id)
{
	struct gate g = {.call_id = id, .new_call_id = new_id};

	CHECK(addr_parse(&g.src, src) && addr_parse(&g.dst, dst) && addr_parse(&g.new_src, new_src) && addr_parse(&g.new_dst, new_dst));
	return g;
}

/* On loopback both ends are here, and packets of a raw socket meet gates on their way out. The server's id changes, the client's doesn't. */
static struct gate_pair
local_pair(void)
{
	return (struct gate_pair){.id = 1,
	    .up = gate("127.0.0.1", "127.0.0.2", 100, "127.0.0.1", "127.0.0.2", 101),
	    .down = gate("127.0.0.2", "127.0.0.1", 200, "127.0.0.2", "127.0.0.1", 200)};
}

static struct gate_pair
nat_pair(void)
{
	return (struct gate_pair){.id = 2,
	    .up = gate("10.0.0.1", "192.0.2.1", 1, "198.51.100.1", "192.0.2.1", 2),
	    .down = gate("192.0.2.1", "198.51.100.1", 3, "192.0.2.1", "10.0.0.1", 4)};
}

/* --- packets --- */

/* Sends a GRE packet over loopback; returns the call id that comes out, or -1. */
static int
send_gre(const char *from, const char *to, uint16_t id)
{
	uint8_t gre[16] = {0x20, 0x01, 0x88, 0x0b, 0, 8, (uint8_t)(id >> 8), (uint8_t)id}, got[128];
	struct sockaddr_in a = {.sin_family = AF_INET}, b = {.sin_family = AF_INET};
	int fd = socket(AF_INET, SOCK_RAW, IPPROTO_GRE), in = socket(AF_INET, SOCK_RAW, IPPROTO_GRE);
	struct pollfd p = {.fd = in, .events = POLLIN};
	ssize_t n;

	inet_pton(AF_INET, from, &a.sin_addr);
	inet_pton(AF_INET, to, &b.sin_addr);
	CHECK(fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0);
	CHECK(in >= 0 && bind(in, (struct sockaddr *)&b, sizeof(b)) == 0);
	CHECK(sendto(fd, gre, sizeof(gre), 0, (struct sockaddr *)&b, sizeof(b)) == sizeof(gre));
	n = poll(&p, 1, 20000) == 1 ? recv(in, got, sizeof(got), 0) : -1;
	close(fd);
	close(in);
	return n == 36 ? got[26] << 8 | got[27] : -1;
}

static void
packets_body(void)
{
	struct datapath *dp = set_up();
	struct gate_pair pair = local_pair();
	struct gate_counters counters;

	CHECK(strcmp(dp->ops->name, "conntrack") == 0);
	CHECK(send_gre("127.0.0.1", "127.0.0.2", 99) == 99);
	CHECK(dp->ops->add(dp, &pair) == 0);
	CHECK(dp->ops->read(dp, &pair, &counters) == 0 && counters.up_pkts == 0 && counters.down_pkts == 0);
	CHECK(send_gre("127.0.0.1", "127.0.0.2", 100) == 101); /* though no address changes */
	CHECK(send_gre("127.0.0.2", "127.0.0.1", 200) == 200);
	CHECK(send_gre("127.0.0.2", "127.0.0.1", 200) == 200);
	CHECK(dp->ops->read(dp, &pair, &counters) == 0);
	CHECK(counters.up_pkts == 1 && counters.up_bytes == 36 && counters.down_pkts == 2 && counters.down_bytes == 72);
	CHECK(dp->ops->del(dp, &pair, &counters) == 0 && counters.up_pkts == 1 && counters.down_bytes == 72);
	CHECK(dp->ops->del(dp, &pair, &counters) == ENOENT && counters.down_pkts == 0);
	CHECK(dp->ops->read(dp, &pair, &counters) == ENOENT);
	CHECK(send_gre("127.0.0.1", "127.0.0.2", 100) == 100);
	dp->ops->close(dp, false);
}

START_TEST(packets_are_rewritten_and_counted)
{
	in_netns(packets_body);
}
END_TEST

/* --- adding --- */

static void
adding_body(void)
{
	struct datapath *dp = set_up(), *next;
	struct gate_pair pair = nat_pair(), clash = nat_pair();
	struct gate_counters counters;

	CHECK(dp->ops->add(dp, &pair) == 0 && dp->ops->add(dp, &pair) == 0);
	/* The next process finds them, with one of them gone. */
	dp->ops->close(dp, true);
	next = open_life(1000);
	CHECK(next->ops->read(next, &pair, &counters) == 0 && next->ops->add(next, &pair) == 0);
	/* Another pair with one tuple in common: nothing of it stays. */
	clash.up.call_id = clash.up.new_call_id = 77;
	clash.down.new_call_id = 78;
	CHECK(next->ops->add(next, &clash) == EEXIST);
	clash.down = gate("192.0.2.1", "198.51.100.1", 79, "192.0.2.1", "10.0.0.1", 80);
	CHECK(next->ops->read(next, &clash, &counters) == ENOENT);
	CHECK(next->ops->add(next, &clash) == 0 && next->ops->del(next, &clash, &counters) == 0);
	/* One that looks like another's once translated. */
	clash.up.new_call_id = 2;
	CHECK(next->ops->add(next, &clash) == EEXIST);
	CHECK(next->ops->del(next, &pair, &counters) == 0);
	CHECK(next->ops->add(next, &clash) == 0 && next->ops->del(next, &clash, &counters) == 0);
	next->ops->close(next, false);
}

START_TEST(all_or_nothing_and_again)
{
	in_netns(adding_body);
}
END_TEST

static void
six_body(void)
{
	struct datapath *dp = set_up();
	struct gate_pair pair = {.id = 3,
	    .up = gate("fd00::1", "2001:db8::1", 1, "2001:db8::2", "2001:db8::3", 2),
	    .down = gate("2001:db8::3", "2001:db8::2", 3, "2001:db8::1", "fd00::1", 4)};
	struct gate_counters counters;

	CHECK(dp->ops->add(dp, &pair) == 0 && dp->ops->add(dp, &pair) == 0);
	CHECK(dp->ops->read(dp, &pair, &counters) == 0);
	CHECK(dp->ops->del(dp, &pair, &counters) == 0 && dp->ops->read(dp, &pair, &counters) == ENOENT);
	pair.up.new_dst = gate("10.0.0.1", "10.0.0.1", 1, "10.0.0.1", "10.0.0.1", 1).src;
	CHECK(dp->ops->add(dp, &pair) == ENOTSUP);
	dp->ops->close(dp, false);
}

START_TEST(ipv6)
{
	in_netns(six_body);
}
END_TEST

/* --- strays: entries that ctnl makes here as packets would --- */

static void
stray(const char *src, const char *dst, uint16_t id, const char *reply_src, const char *reply_dst)
{
	struct ctnl *nl = ctnl_open();
	struct nf_conntrack *ct = nfct_new();
	struct gate g = gate(src, dst, id, reply_src, reply_dst, id);
	struct ctnl_op op = {.type = CTNL_CREATE, .what = ct};

	ctnl_set(ct, CTNL_ORIGINAL, IPPROTO_GRE, &g.src, &g.dst, 0, id);
	ctnl_set(ct, CTNL_REPLY, IPPROTO_GRE, &g.new_src, &g.new_dst, id, 0);
	nfct_set_attr_u32(ct, ATTR_TIMEOUT, 30);
	CHECK(nl != NULL && ctnl_run(nl, &op, 1) == 0 && op.error == 0);
	nfct_destroy(ct);
	ctnl_close(nl);
}

static void
strays_body(void)
{
	struct datapath *dp = set_up();
	struct gate_pair pair = nat_pair();
	struct gate_counters counters;

	stray("10.0.0.1", "192.0.2.1", 1, "192.0.2.1", "10.0.0.1");      /* the client's first packet, */
	stray("10.0.0.99", "192.0.2.1", 2, "192.0.2.1", "198.51.100.1"); /* another's that was masqueraded to what the gate makes of it, */
	stray("192.0.2.1", "198.51.100.1", 3, "198.51.100.1", "192.0.2.1"); /* and the server's */
	CHECK(dp->ops->add(dp, &pair) == 0);
	CHECK(dp->ops->read(dp, &pair, &counters) == 0);
	CHECK(dp->ops->del(dp, &pair, &counters) == 0);
	/* A stray where the gates were is none of them. */
	stray("10.0.0.1", "192.0.2.1", 1, "192.0.2.1", "10.0.0.1");
	CHECK(dp->ops->read(dp, &pair, &counters) == ENOENT);
	CHECK(dp->ops->del(dp, &pair, &counters) == ENOENT);
	dp->ops->close(dp, false);
}

START_TEST(strays_give_way)
{
	in_netns(strays_body);
}
END_TEST

/* Packets of a call as fast as they go, until it is killed. */
static void
flood(const char *from, const char *to, uint16_t id)
{
	uint8_t gre[16] = {0x20, 0x01, 0x88, 0x0b, 0, 8, (uint8_t)(id >> 8), (uint8_t)id};
	struct sockaddr_in a = {.sin_family = AF_INET}, b = {.sin_family = AF_INET};
	int fd = socket(AF_INET, SOCK_RAW, IPPROTO_GRE);

	inet_pton(AF_INET, from, &a.sin_addr);
	inet_pton(AF_INET, to, &b.sin_addr);
	CHECK(fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		(void)!sendto(fd, gre, sizeof(gre), 0, (struct sockaddr *)&b, sizeof(b));
}

/* Each packet that comes while an entry is not there makes a stray: also between its removal and what comes in its place. */
static void
busy_body(void)
{
	struct datapath *dp = set_up();
	struct gate_pair pair = local_pair();
	struct gate_counters counters;
	pid_t pid = fork();

	if (pid == 0)
		flood("127.0.0.1", "127.0.0.2", pair.up.call_id);
	for (int i = 0; i < 300; i++) {
		CHECK(dp->ops->add(dp, &pair) == 0);
		CHECK(dp->ops->read(dp, &pair, &counters) == 0);
		CHECK(dp->ops->del(dp, &pair, &counters) == 0);
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	dp->ops->close(dp, false);
}

START_TEST(a_call_in_use_gets_its_gates)
{
	in_netns(busy_body);
}
END_TEST

/* --- life --- */

static void
do_entry(enum ctnl_type type, const struct gate *g, struct nf_conntrack *answer)
{
	struct ctnl *nl = ctnl_open();
	struct nf_conntrack *key = nfct_new();
	struct ctnl_op op = {.type = type, .what = key, .answer = answer};

	ctnl_set(key, CTNL_ORIGINAL, IPPROTO_GRE, &g->src, &g->dst, 0, g->call_id);
	CHECK(nl != NULL && ctnl_run(nl, &op, 1) == 0 && op.error == 0);
	nfct_destroy(key);
	ctnl_close(nl);
}

static uint32_t
time_left(const struct gate *g)
{
	struct nf_conntrack *found = nfct_new();
	uint32_t left;

	do_entry(CTNL_GET, g, found);
	left = nfct_get_attr_u32(found, ATTR_TIMEOUT);
	nfct_destroy(found);
	return left;
}

static void
life_body(void)
{
	struct datapath *dp = set_up(), *longer;
	struct gate_pair pair = local_pair();
	struct gate_counters counters;

	CHECK(dp->ops->add(dp, &pair) == 0);
	CHECK(send_gre("127.0.0.1", "127.0.0.2", 100) == 101);
	CHECK(dp->ops->read(dp, &pair, &counters) == 0 && time_left(&pair.up) <= 1000); /* more than half is left */
	longer = open_life(5000);
	CHECK(longer->ops->read(longer, &pair, &counters) == 0 && counters.up_pkts == 1);
	CHECK(time_left(&pair.up) > 4000 && time_left(&pair.down) > 4000);
	/* What was counted before counts on, and is forgotten with the pair. */
	CHECK(send_gre("127.0.0.1", "127.0.0.2", 100) == 101);
	CHECK(longer->ops->read(longer, &pair, &counters) == 0 && counters.up_pkts == 2 && counters.up_bytes == 72);
	CHECK(longer->ops->del(longer, &pair, &counters) == 0 && counters.up_pkts == 2);
	CHECK(longer->ops->add(longer, &pair) == 0);
	CHECK(longer->ops->read(longer, &pair, &counters) == 0 && counters.up_pkts == 0);
	/* An end without del frees what was kept. */
	dp->ops->close(dp, true);
	dp = open_life(50000);
	CHECK(dp->ops->read(dp, &pair, &counters) == 0 && time_left(&pair.down) > 40000);
	dp->ops->close(dp, true);
	longer->ops->close(longer, false);
}

START_TEST(reading_renews)
{
	in_netns(life_body);
}
END_TEST

/* Somebody removes one of them. */
static void
half_body(void)
{
	struct datapath *dp = set_up(), *longer;
	struct gate_pair pair = local_pair();
	struct gate_counters counters;

	CHECK(dp->ops->add(dp, &pair) == 0);
	CHECK(send_gre("127.0.0.1", "127.0.0.2", 100) == 101);
	longer = open_life(5000);
	CHECK(longer->ops->read(longer, &pair, &counters) == 0 && counters.up_pkts == 1); /* renewed */
	CHECK(send_gre("127.0.0.1", "127.0.0.2", 100) == 101);
	do_entry(CTNL_DELETE, &pair.down, NULL);
	CHECK(longer->ops->read(longer, &pair, &counters) == ENOENT);
	CHECK(longer->ops->del(longer, &pair, &counters) == ENOENT);
	/* Who puts them back has the sum so far. */
	CHECK(longer->ops->add(longer, &pair) == 0);
	CHECK(longer->ops->read(longer, &pair, &counters) == 0 && counters.up_pkts == 0 && counters.down_pkts == 0);
	dp->ops->close(dp, true);
	longer->ops->close(longer, false);
}

START_TEST(half_a_pair_is_none)
{
	in_netns(half_body);
}
END_TEST

/* --- opening --- */

static bool
counting(void)
{
	return shell("[ $(cat /proc/sys/net/netfilter/nf_conntrack_acct) = 1 ]");
}

static void
acct_body(void)
{
	struct datapath *dp;

	CHECK(!counting());
	dp = open_life(10);
	CHECK(counting());
	dp->ops->close(dp, false);
	CHECK(!counting());
	dp = open_life(10);
	dp->ops->close(dp, true);
	CHECK(counting());
	dp = open_life(10);
	dp->ops->close(dp, false);
	CHECK(counting()); /* not by us */
}

START_TEST(counting_is_turned_on)
{
	in_netns(acct_body);
}
END_TEST

static void
powerless_body(void)
{
	struct datapath_config config = {.max_gates = 1, .life_ns = 1000000000};
	char err[256] = "";

	CHECK(setresuid(65534, 65534, 65534) == 0);
	CHECK(datapath_conntrack_open(&config, err, sizeof(err)) == NULL);
	CHECK(strstr(err, "CAP_NET_ADMIN") != NULL);
}

START_TEST(without_the_right_it_says_so)
{
	in_netns(powerless_body);
}
END_TEST

/* How it is on a kernel without netfilter's netlink: no such socket. */
static void
forbid_netfilter_netlink(void)
{
	const uint32_t low = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 4 : 0;
	struct sock_filter code[] = {
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 5),
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0]) + low),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_NETLINK, 0, 3),
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2]) + low),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NETLINK_NETFILTER, 0, 1),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPROTONOSUPPORT),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = {sizeof(code) / sizeof(code[0]), code};

	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) == 0);
}

static void
no_ctnetlink_body(void)
{
	struct datapath_config config = {.max_gates = 1, .life_ns = 1000000000};
	char err[256] = "";

	forbid_netfilter_netlink();
	CHECK(datapath_conntrack_open(&config, err, sizeof(err)) == NULL);
	CHECK(strcmp(err, "the kernel has no ctnetlink (CONFIG_NF_CT_NETLINK)") == 0);
}

START_TEST(without_ctnetlink_it_says_so)
{
	in_netns(no_ctnetlink_body);
}
END_TEST

static void
no_conntrack_body(void)
{
	struct datapath_config config = {.max_gates = 1, .life_ns = 1000000000};
	char err[256] = "";

	CHECK(unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	CHECK(mount("none", "/proc/sys/net", "tmpfs", 0, NULL) == 0);
	CHECK(datapath_conntrack_open(&config, err, sizeof(err)) == NULL);
	CHECK(strncmp(err, "the kernel has no connection tracking: /proc/", 45) == 0);
}

START_TEST(without_connection_tracking_it_says_so)
{
	in_netns(no_conntrack_body);
}
END_TEST

Suite *
suite_conntrack(void)
{
	Suite *s = suite_create("conntrack");
	TCase *t = tcase_create("conntrack");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, packets_are_rewritten_and_counted);
	tcase_add_test(t, all_or_nothing_and_again);
	tcase_add_test(t, ipv6);
	tcase_add_test(t, strays_give_way);
	tcase_add_test(t, a_call_in_use_gets_its_gates);
	tcase_add_test(t, reading_renews);
	tcase_add_test(t, half_a_pair_is_none);
	tcase_add_test(t, counting_is_turned_on);
	tcase_add_test(t, without_the_right_it_says_so);
	tcase_add_test(t, without_ctnetlink_it_says_so);
	tcase_add_test(t, without_connection_tracking_it_says_so);
	suite_add_tcase(s, t);
	return s;
}
