#include "alg/nft.h"

#include <errno.h>
#include <nftables/libnftables.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alg/nft_watch.h"
#include "sys/netlink.h"
#include "tests/unit/suite.h"
#include "tests/unit/sys/netns.h"

Suite *suite_nft(void);

static struct config *
config(const char *text)
{
	struct config *c = config_load_text("t.conf", text);

	CHECK(c != NULL);
	return c;
}

static struct nft *
start(const struct config *c)
{
	char err[512] = "";
	struct nft *n = nft_start(c, err, sizeof(err));

	if (n == NULL)
		fprintf(stderr, "%s\n", err);
	CHECK(n != NULL);
	return n;
}

/* Whether the ruleset has this text; "" asks whether there is any. */
static bool
ruleset_has(const char *part)
{
	struct nft_ctx *ctx = nft_ctx_new(NFT_CTX_DEFAULT);
	bool found;

	CHECK(ctx != NULL && nft_ctx_buffer_output(ctx) == 0 && nft_run_cmd_from_buffer(ctx, "list ruleset") == 0);
	found = part[0] != 0 ? strstr(nft_ctx_get_output_buffer(ctx), part) != NULL : nft_ctx_get_output_buffer(ctx)[0] != 0;
	nft_ctx_free(ctx);
	return found;
}

static struct gate
gate(const char *src, const char *dst, uint16_t id)
{
	struct gate g = {.call_id = id, .new_call_id = id};

	CHECK(addr_parse(&g.src, src) && addr_parse(&g.dst, dst));
	g.new_src = g.src;
	g.new_dst = g.dst;
	return g;
}

static void
life_body(void)
{
	struct config *c = config("strict = yes\n");
	struct nft *n;

	CHECK(shell("ip link set lo up"));
	CHECK(!ruleset_has(""));
	n = start(c);
	CHECK(ruleset_has("table inet pptpalg") && ruleset_has("chain strict"));
	CHECK(shell("ip rule | grep -q '^1723:.*fwmark 0x50000000/0x70000000 lookup 1723 proto 80'"));
	CHECK(shell("ip rule | grep -q '^1724:.*fwmark 0x10000000/0x70000000 iif lo goto 1726 proto 80'"));
	CHECK(shell("ip rule | grep -q '^1725:.*fwmark 0x10000000/0x70000000 lookup 1723 proto 80'"));
	CHECK(shell("ip rule | grep -q '^1726:.*nop proto 80'"));
	CHECK(shell("ip -6 rule | grep -q '^1725:.*fwmark 0x10000000/0x70000000 lookup 1723 proto 80'"));
	CHECK(shell("ip route show table 1723 | grep -q '^local default dev lo proto 80'"));
	CHECK(shell("ip -6 route show table 1723 | grep -q '^local default dev lo proto 80'"));
	nft_stop(n, true);
	CHECK(ruleset_has("table inet pptpalg"));
	/* The next one replaces it all. */
	n = start(c);
	CHECK(shell("[ $(ip rule | grep -c '^17') = 4 ]"));
	nft_stop(n, false);
	CHECK(!ruleset_has(""));
	CHECK(!shell("(ip rule; ip -6 rule; ip route show table all; ip -6 route show table all) | grep -q 'proto 80'"));
	config_free(c);
}

START_TEST(comes_stays_and_goes)
{
	in_netns(life_body);
}
END_TEST

static void
other_body(void)
{
	struct config *c = config(""), *other = config("mark = 0x4\ntable = 99\nown-connections = no\n");
	struct nft *n;

	CHECK(shell("ip link set lo up && ip rule add pref 5 fwmark 3 lookup 6 && ip -6 rule add pref 5 fwmark 3 lookup 6"));
	nft_stop(start(c), true);
	n = start(other);
	CHECK(
	    !ruleset_has("chain own_take") && !shell("ip rule | grep -q 1723") && !shell("ip route show table 1723 2>&1 | grep -q local"));
	CHECK(shell("ip rule | grep -q '^101:.*fwmark 0x4/0x1c lookup 99'"));
	nft_stop(n, false);
	CHECK(shell("ip rule | grep -q '^5:' && ip -6 rule | grep -q '^5:'")); /* the administrator's */
	config_free(c);
	config_free(other);
}

START_TEST(another_configuration_leaves_nothing_of_the_former)
{
	in_netns(other_body);
}
END_TEST

/* Everything that a configuration can bring into the text is taken by nft and the kernel. */
static void
texts_body(void)
{
	static const char *const texts[] = {
	    "ports = {1723, 5000}\ninterfaces = {eth1, br-lan}\nipv4 = no\n",
	    "ipv6 = no\n",
	    "server a { address = 192.0.2.1 port = 1723 to = 10.0.0.1 to-port = 1723 }\nserver b { address = \"2001:db8::1\" to = "
	    "\"fd00::1\" }\n",
	    "policy a { source = {10.0.0.0/8, 10.1.0.0/16, \"fd00::/8\"} destination = {192.0.2.0/24, 0.0.0.0/0, \"2001:db8::/32\"} action "
	    "= refuse }\n"
	    "policy b { interface = {eth1, eth2} port = {1723} action = pass }\npolicy c { action = pass }\n",
	    "strict = yes\nown-connections = no\nmark = 1\n",
	};

	CHECK(shell("ip link set lo up"));
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct config *c = config(texts[i]);

		nft_stop(start(c), false);
		config_free(c);
	}
}

START_TEST(nft_takes_every_form)
{
	in_netns(texts_body);
}
END_TEST

static void
divert_body(void)
{
	struct config *c = config("");
	struct nft *n;
	struct gate four = gate("10.0.0.1", "192.0.2.1", 7), six = gate("fd00::1", "64:ff9b::1", 65535);

	CHECK(shell("ip link set lo up"));
	n = start(c);
	CHECK(nft_divert_end(n, &four) == ENOENT);
	CHECK(!ruleset_has("divert"));
	CHECK(nft_divert(n, &four) == 0 && nft_divert(n, &six) == 0);
	CHECK(nft_divert(n, &four) == 0); /* again */
	CHECK(ruleset_has("elements = { 10.0.0.1 . 192.0.2.1 . 0x7 }") && ruleset_has("elements = { fd00::1 . 64:ff9b::1 . 0xffff }"));
	CHECK(nft_divert_end(n, &six) == 0 && !ruleset_has("64:ff9b::1"));
	CHECK(nft_divert_end(n, &six) == EIO);
	CHECK(ruleset_has("10.0.0.1 . 192.0.2.1"));
	nft_stop(n, false);
	CHECK(!ruleset_has(""));
	config_free(c);
}

START_TEST(gates_are_led_to_raw_sockets)
{
	in_netns(divert_body);
}
END_TEST

static void
failure_body(void)
{
	struct config *c = config("");
	char err[256] = "";

	CHECK(shell("ip link set lo up") && setresuid(65534, 65534, 65534) == 0);
	CHECK(nft_start(c, err, sizeof(err)) == NULL);
	CHECK(strstr(err, "the routing rule of mark 0x10000000 and table 1723 can't be made: Operation not permitted") != NULL);
	CHECK(!shell("ip rule | grep -q 1723"));
	nft_stop(NULL, false);
	config_free(c);
}

START_TEST(a_failure_says_why_and_leaves_nothing)
{
	in_netns(failure_body);
}
END_TEST

/* Others load rules of their own. */
static void
restore_body(void)
{
	struct config *c = config("");
	struct gate g = gate("192.0.2.1", "192.0.2.2", 7);
	int watch = nft_watch_open(), rules = nl_rule_watch_open();
	char command[64];
	struct nft *n;

	CHECK(watch >= 0 && rules >= 0 && shell("ip link set lo up"));
	CHECK(nft_is_gone() == ENOENT && !nft_watch_read(watch));
	n = start(c);
	nft_watch_read(watch); /* tells that a former table was replaced, or not */
	CHECK(nft_is_gone() == 0 && nft_restore(n) == 0);
	CHECK(shell("nft add table ip other && nft delete table ip other && nft add table ip pptpalg") && !nft_watch_read(watch));
	CHECK(shell("ip rule del priority 1724 && nft flush ruleset"));
	CHECK(nft_watch_read(watch) && !nft_watch_read(watch));
	CHECK(nft_is_gone() == ENOENT && nft_restore(n) == ENOENT);
	CHECK(ruleset_has("table inet pptpalg") && nft_is_gone() == 0 && nft_restore(n) == 0);
	CHECK(shell("ip rule | grep -q '^1724:'"));
	/* Rules alone, as systemd-networkd takes away what others made. */
	nl_watch_read(rules, nl_rule_has_gone);
	CHECK(shell("ip rule add priority 9 table 9 && ip rule del priority 9") && !nl_watch_read(rules, nl_rule_has_gone));
	for (int family = 4; family <= 6; family += 2) {
		snprintf(command, sizeof(command), "ip -%d rule del priority 1725", family);
		CHECK(shell(command) && nl_watch_read(rules, nl_rule_has_gone) && !nl_watch_read(rules, nl_rule_has_gone));
		CHECK(nft_restore(n) == 0);
		snprintf(command, sizeof(command), "ip -%d rule | grep -q '^1725:'", family);
		CHECK(shell(command));
		nl_watch_read(rules, nl_rule_has_gone); /* all were made anew */
	}
	/* What was diverted is not: it can be again. */
	CHECK(nft_divert(n, &g) == 0);
	CHECK(shell("nft flush ruleset") && nft_restore(n) == ENOENT);
	CHECK(nft_divert(n, &g) == 0);
	nft_stop(n, false);
	close(watch);
	close(rules);
	config_free(c);
}

START_TEST(restore)
{
	in_netns(restore_body);
}
END_TEST

Suite *
suite_nft(void)
{
	Suite *s = suite_create("nft");
	TCase *t = tcase_create("nft");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, comes_stays_and_goes);
	tcase_add_test(t, restore);
	tcase_add_test(t, another_configuration_leaves_nothing_of_the_former);
	tcase_add_test(t, nft_takes_every_form);
	tcase_add_test(t, gates_are_led_to_raw_sockets);
	tcase_add_test(t, a_failure_says_why_and_leaves_nothing);
	suite_add_tcase(s, t);
	return s;
}
