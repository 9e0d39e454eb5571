/* What is said of a machine that spoils the gateway's work: files in a folder that stands for / , and real routing rules and ports. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "alg/machine.h"
#include "tests/unit/suite.h"
#include "tests/unit/sys/capture.h"
#include "tests/unit/sys/netns.h"

Suite *suite_machine(void);

static char root[32];

static void
setup(void)
{
	strcpy(root, "/tmp/test-machine-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(root));
}

static void
teardown(void)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -rf %s", root);
	ck_assert_int_eq(system(command), 0);
}

/* Each word makes a file, "PATH=TEXT", or a folder, "PATH". */
static void
make(const char *words)
{
	char command[1024];
	int n;

	n = snprintf(command, sizeof(command), "cd %s && for w in %s; do case $w in ", root, words);
	snprintf(command + n, sizeof(command) - (size_t)n,
	    "*=*) mkdir -p $(dirname ${w%%%%=*}) && echo ${w#*=} >${w%%%%=*} ;; *) mkdir -p $w ;; esac; done");
	ck_assert_int_eq(system(command), 0);
}

static const char *
said_of_files(const char *options, const char *datapath)
{
	struct config *c = config_load_text("t.conf", options);

	ck_assert_ptr_nonnull(c);
	capture_begin();
	machine_check_files(c, datapath, root);
	config_free(c);
	return capture_end();
}

#define FORWARD4 "proc/sys/net/ipv4/ip_forward="
#define FORWARD6 "proc/sys/net/ipv6/conf/all/forwarding="
#define BRIDGES4 "proc/sys/net/bridge/bridge-nf-call-iptables="
#define BRIDGES6 "proc/sys/net/bridge/bridge-nf-call-ip6tables="
#define BRIDGE "sys/class/net/br0/bridge sys/class/net/eth0 "
#define HELPER "sys/module/nf_conntrack_pptp/"
#define HELPER_SYSCTL "proc/sys/net/netfilter/nf_conntrack_helper="

/* said and more: what must stand in one line of the log; NULL: there must be none. */
static const struct {
	const char *files, *options, *datapath;
	const char *level, *said, *more;
} machines[] = {
    {"sys", "", "conntrack", NULL, NULL, NULL},
    {FORWARD4 "1 " FORWARD6 "1", "", "conntrack", NULL, NULL, NULL},
    {FORWARD4 "0 " FORWARD6 "1", "", "conntrack", "warning", "does not forward IPv4", "advice=\"sysctl net.ipv4.ip_forward=1\""},
    {FORWARD4 "0 " FORWARD6 "1", "", "bpf", "warning", "does not forward IPv4", "none of their data"},
    {FORWARD4 "0 " FORWARD6 "0", "", "user", NULL, NULL, NULL},
    {FORWARD4 "0 " FORWARD6 "1", "ipv4 = no\n", "conntrack", NULL, NULL, NULL},
    {FORWARD4 "1 " FORWARD6 "0", "", "conntrack", "info", "does not forward IPv6", "or ipv6 = no"},
    {FORWARD4 "1 " FORWARD6 "0", "ipv6 = no\n", "conntrack", NULL, NULL, NULL},
    {FORWARD4 "1 " FORWARD6 "0", "ipv4 = no\n", "conntrack", "warning", "does not forward IPv6", "forwarding=1"},
    {BRIDGE BRIDGES4 "1 " BRIDGES6 "0", "", "conntrack", "warning", "bridge-nf-call-iptables is 1, and br0 is a bridge",
	"advice=\"sysctl net.bridge.bridge-nf-call-iptables=0\""},
    {BRIDGE BRIDGES4 "0 " BRIDGES6 "1", "", "user", "warning", "bridge-nf-call-ip6tables is 1, and br0 is a bridge", "hang"},
    {BRIDGE BRIDGES4 "0 " BRIDGES6 "0", "", "conntrack", NULL, NULL, NULL},
    {BRIDGE BRIDGES4 "1 " BRIDGES6 "1", "interfaces = {eth0}\n", "conntrack", NULL, NULL, NULL},
    {BRIDGE BRIDGES4 "1", "interfaces = {eth0, br0}\n", "conntrack", "warning", "br0 is a bridge", "hang"},
    {BRIDGE BRIDGES4 "1", "ipv4 = no\n", "conntrack", NULL, NULL, NULL},
    {BRIDGES4 "1 sys/class/net/eth0", "", "conntrack", NULL, NULL, NULL},
    {"sys/class/net/eth0", "interfaces = {eth0}\npolicy p { interface = {eth0} }\n", "conntrack", NULL, NULL, NULL},
    {"sys/class/net/eth0", "interfaces = {eth0, eth1}\n", "conntrack", "warning", "interfaces names interface eth1", "there is none"},
    {"sys/class/net/eth0", "policy guests { interface = {eth7} }\n", "user", "warning", "policy guests names interface eth7", "none"},
    {"sys", "interfaces = {eth0}\n", "conntrack", NULL, NULL, NULL},
    {HELPER "refcnt=1 " HELPER "holders/nf_nat_pptp", "", "conntrack", NULL, NULL, NULL},
    {HELPER "refcnt=0 " HELPER "holders", "", "conntrack", NULL, NULL, NULL},
    {HELPER "refcnt=2 " HELPER "holders/nf_nat_pptp", "", "conntrack", "warning", "a firewall rule calls the kernel's PPTP helper",
	"CT --helper pptp"},
    {HELPER "refcnt=0 " HELPER_SYSCTL "1", "", "conntrack", "warning", "nf_conntrack_helper is 1", "nf_conntrack_helper=0"},
    {HELPER_SYSCTL "1", "", "conntrack", NULL, NULL, NULL},
};

START_TEST(files)
{
	const char *said, *line;

	make(machines[_i].files);
	said = said_of_files(machines[_i].options, machines[_i].datapath);
	if (machines[_i].said == NULL) {
		ck_assert_str_eq(said, "");
		return;
	}
	line = strchr(said, '\n');
	ck_assert_msg(line != NULL && line[1] == '\0', "not one line: %s", said);
	ck_assert_msg(strstr(said, "event=machine ") != NULL && strstr(said, machines[_i].said) != NULL, "%s", said);
	ck_assert_msg(strstr(said, machines[_i].more) != NULL, "%s", said);
	ck_assert_msg(strstr(said, machines[_i].level) != NULL, "%s", said);
}
END_TEST

static const char *
said_of_netlink(const char *options)
{
	struct config *c = config_load_text("t.conf", options);
	const char *said;

	CHECK(c != NULL);
	capture_begin();
	machine_check_netlink(c);
	said = capture_end();
	config_free(c);
	return said;
}

static bool
says(const char *options, const char *part)
{
	const char *said = said_of_netlink(options);
	bool found = strstr(said, part) != NULL;

	if (!found)
		fprintf(stderr, "\"%s\" is not in: %s\n", part, said);
	return found;
}

static void
rules_body(void)
{
	CHECK(said_of_netlink("")[0] == '\0');
	CHECK(shell("ip rule add priority 30000 from 10.0.0.0/8 lookup 100"));
	CHECK(said_of_netlink("")[0] == '\0');
	CHECK(shell("ip rule add priority 1000 from 10.0.0.0/8 lookup 100 && ip rule add priority 900 from 11.0.0.0/8 lookup 100"));
	CHECK(says("", "2 routing rules of IPv4, from priority 900 on, come before"));
	CHECK(said_of_netlink("table = 899\n")[0] == '\0');
	CHECK(said_of_netlink("ipv4 = no\n")[0] == '\0');
	CHECK(shell("ip rule del priority 1000; ip rule del priority 900; ip -6 rule add priority 2000 from fd00::/8 lookup 1723"));
	CHECK(says("", "a routing rule of IPv6 that is not the gateway's leads to table 1723"));
	CHECK(said_of_netlink("table = 1000\n")[0] == '\0');
	CHECK(shell("ip -6 rule del priority 2000; ip rule add priority 2000 fwmark 0x30000000/0xf0000000 lookup 100"));
	CHECK(says("", "matches a firewall mark with bits of the gateway's (0x10000000 and the two bits above)"));
	CHECK(said_of_netlink("mark = 0x1000000\n")[0] == '\0');
	/* Those of a gateway that was killed are its own. */
	CHECK(shell("ip rule del priority 2000; ip rule add priority 1725 fwmark 0x10000000/0x70000000 lookup 1723 protocol 80"));
	CHECK(said_of_netlink("")[0] == '\0');
}

START_TEST(rules)
{
	in_netns(rules_body);
}
END_TEST

static void
helper_body(void)
{
	CHECK(said_of_netlink("")[0] == '\0');
	/* A kernel without this helper has nothing to say. */
	if (!shell("nft 'table ip t { ct helper h { type \"pptp\" protocol tcp; }; }' 2>/dev/null"))
		return;
	CHECK(says("", "an nftables table has the kernel's PPTP helper"));
	CHECK(shell("nft 'delete table ip t; table ip t { ct helper h { type \"ftp\" protocol tcp; }; }'"));
	CHECK(said_of_netlink("")[0] == '\0');
}

START_TEST(helper_objects)
{
	in_netns(helper_body);
}
END_TEST

static int
claimed(const char **said)
{
	int fd;

	capture_begin();
	fd = machine_claim();
	*said = capture_end();
	return fd;
}

static void
claim_body(void)
{
	const char *said;
	int fd = claimed(&said);

	CHECK(fd >= 0 && said[0] == '\0');
	CHECK(claimed(&said) < 0);
	CHECK(strstr(said, "error=\"another pptpalg runs on this machine") != NULL);
	/* One that ends soon is waited for. */
	if (fork() == 0) {
		usleep(200000);
		_exit(0);
	}
	close(fd);
	fd = claimed(&said);
	CHECK(fd >= 0 && said[0] == '\0');
	/* Another network namespace has a gateway of its own. */
	CHECK(unshare(CLONE_NEWNET) == 0);
	CHECK(claimed(&said) >= 0);
}

START_TEST(there_is_one)
{
	in_netns(claim_body);
}
END_TEST

static int
listen_on(int family, const char *host, uint16_t port)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	int fd = socket(family, SOCK_STREAM, 0), on = 1;

	CHECK(inet_pton(family, host, family == AF_INET ? (void *)&in.sin_addr : (void *)&in6.sin6_addr) == 1);
	if (family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	CHECK(bind(fd, family == AF_INET ? (void *)&in : (void *)&in6, family == AF_INET ? sizeof(in) : sizeof(in6)) == 0);
	CHECK(listen(fd, 1) == 0);
	return fd;
}

static bool
port_is_free(const char *options, const char **said)
{
	struct config *c = config_load_text("t.conf", options);
	bool is_free;

	CHECK(c != NULL);
	capture_begin();
	is_free = machine_check_port(c);
	*said = capture_end();
	config_free(c);
	return is_free;
}

static void
port_body(void)
{
	const char *said;
	int fd;

	CHECK(shell("ip link set lo up"));
	CHECK(port_is_free("", &said) && said[0] == '\0');
	fd = listen_on(AF_INET, "127.0.0.1", 1724);
	CHECK(!port_is_free("", &said));
	CHECK(strstr(said, "another program listens on TCP port 1724\"") != NULL);
	CHECK(port_is_free("proxy-port = 1725\n", &said));
	CHECK(port_is_free("ipv4 = no\n", &said));
	close(fd);
	fd = listen_on(AF_INET6, "::", 1724);
	CHECK(!port_is_free("", &said));
	CHECK(port_is_free("ipv6 = no\n", &said));
	close(fd);
	/* One that ends soon is waited for. */
	fd = listen_on(AF_INET, "0.0.0.0", 1724);
	if (fork() == 0) {
		usleep(20000);
		_exit(0);
	}
	close(fd);
	CHECK(port_is_free("", &said) && said[0] == '\0');
}

START_TEST(port)
{
	in_netns(port_body);
}
END_TEST

Suite *
suite_machine(void)
{
	Suite *s = suite_create("machine");
	TCase *t = tcase_create("machine");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, files, 0, (int)(sizeof(machines) / sizeof(machines[0])));
	tcase_add_test(t, rules);
	tcase_add_test(t, helper_objects);
	tcase_add_test(t, there_is_one);
	tcase_add_test(t, port);
	tcase_set_timeout(t, 60);
	suite_add_tcase(s, t);
	return s;
}
