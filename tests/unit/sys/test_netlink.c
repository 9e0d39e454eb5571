#include "sys/netlink.h"

#include <errno.h>
#include <event2/event.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/suite.h"
#include "tests/unit/sys/addrs.h"
#include "tests/unit/sys/netns.h"

Suite *suite_netlink(void);

/* A pair of Ethernet links: eth0 here is up, with an address and a default route. */
static struct nl *
set_up(void)
{
	struct nl *nl = nl_open();

	CHECK(nl != NULL);
	CHECK(shell("ip link add eth0 type veth peer name far && ip link set far up && ip link set eth0 up && ip link set lo up"));
	CHECK(shell("ip addr add 192.0.2.10/24 dev eth0 && ip route add default via 192.0.2.1"));
	CHECK(shell("ip addr add 2001:db8::10/64 dev eth0 nodad && ip route add default via 2001:db8::1"));
	CHECK(shell("ip link add ppp0 type veth peer name far1 && ip link set far1 up"));
	return nl;
}

static void
links_body(void)
{
	struct nl *nl = set_up();
	int ppp = (int)if_nametoindex("ppp0");

	CHECK(nl_link_up(nl, ppp, 1400) == 0);
	CHECK(shell("ip -o link show ppp0 | grep -q 'UP.* mtu 1400 '"));
	CHECK(!shell("ip -o -6 addr show dev ppp0 | grep -q fe80"));
	CHECK(nl_link_mtu(nl, ppp, 1300) == 0);
	CHECK(shell("ip -o link show ppp0 | grep -q ' mtu 1300 '"));
	CHECK(nl_link_mtu(nl, 9999, 1300) == -1 && errno == ENODEV);
	CHECK(nl_link_mtu(nl, ppp, 10) == -1 && errno == EINVAL);
	nl_close(nl);
}

START_TEST(links)
{
	in_netns(links_body);
}
END_TEST

static void
addresses_body(void)
{
	struct nl *nl = set_up();
	int ppp = (int)if_nametoindex("ppp0");
	struct nl_addr a = {.ifindex = ppp, .local = addr_of("10.0.0.1"), .peer = addr_of("10.0.0.2"), .prefix_len = 32};
	struct nl_addr b = {.ifindex = ppp, .local = addr_of("fe80::1"), .prefix_len = 64};

	CHECK(nl_link_up(nl, ppp, 0) == 0);
	CHECK(nl_addr_add(nl, &a) == 0);
	CHECK(nl_addr_add(nl, &a) == 0); /* again */
	CHECK(shell("ip -o addr show dev ppp0 | grep -q '10.0.0.1 peer 10.0.0.2/32'"));
	CHECK(nl_addr_add(nl, &b) == 0);
	CHECK(shell("ip -o addr show dev ppp0 | grep 'fe80::1/64' | grep -qv tentative"));
	CHECK(nl_addr_del(nl, &a) == 0 && nl_addr_del(nl, &b) == 0);
	CHECK(!shell("ip -o addr show dev ppp0 | grep -q inet"));
	CHECK(nl_addr_del(nl, &a) == -1 && errno == EADDRNOTAVAIL);
	nl_close(nl);
}

START_TEST(addresses)
{
	in_netns(addresses_body);
}
END_TEST

static bool
skip(void *user, int ifindex)
{
	return *(int *)user == ifindex;
}

static void
subnets_body(void)
{
	struct nl *nl = set_up();
	int eth = (int)if_nametoindex("eth0");
	struct addr in = addr_of("192.0.2.77"), out = addr_of("198.51.100.1"), in6 = addr_of("2001:db8::77"), loop = addr_of("127.0.0.5");

	CHECK(nl_link_of_subnet(nl, &in, NULL, NULL) == eth);
	CHECK(nl_link_of_subnet(nl, &in6, NULL, NULL) == eth);
	CHECK(nl_link_of_subnet(nl, &out, NULL, NULL) == -1 && errno == ENOENT);
	CHECK(nl_link_of_subnet(nl, &loop, NULL, NULL) == -1);
	CHECK(nl_link_of_subnet(nl, &in, skip, &eth) == -1);
	/* A longer prefix is nearer; a point-to-point address is no subnet. */
	CHECK(shell("ip link set ppp0 up && ip addr add 192.0.2.65/28 dev ppp0 && ip addr add 192.0.2.99 peer 192.0.2.98/32 dev ppp0"));
	CHECK(nl_link_of_subnet(nl, &in, NULL, NULL) == (int)if_nametoindex("ppp0"));
	in = addr_of("192.0.2.98");
	CHECK(nl_link_of_subnet(nl, &in, NULL, NULL) == eth);
	nl_close(nl);
}

START_TEST(link_of_a_subnet)
{
	in_netns(subnets_body);
}
END_TEST

static void
routes_body(void)
{
	struct nl *nl = set_up();
	int eth = (int)if_nametoindex("eth0"), ppp = (int)if_nametoindex("ppp0");
	struct nl_route r = {.dst = prefix_of("10.1.0.0/16"), .ifindex = ppp, .metric = 5};
	struct nl_route host = {
	    .dst = prefix_of("203.0.113.9"), .ifindex = eth, .gateway = addr_of("192.0.2.1"), .source = addr_of("192.0.2.10")};
	struct nl_route six = {.dst = prefix_of("2001:db8:9::/48"), .ifindex = ppp, .table = 1000};
	struct nl_route theirs = {.dst = prefix_of("0.0.0.0/0"), .ifindex = ppp};

	CHECK(nl_link_up(nl, ppp, 0) == 0);
	CHECK(nl_route_add(nl, &r) == 0);
	CHECK(shell("ip route show proto 80 | grep -q '^10.1.0.0/16 dev ppp0 scope link metric 5'"));
	CHECK(nl_route_add(nl, &r) == -1 && errno == EEXIST);
	CHECK(nl_route_is_stale(nl, &r));
	r.ifindex = eth;
	CHECK(nl_route_replace(nl, &r) == 0);
	CHECK(shell("ip route show proto 80 | grep -q '^10.1.0.0/16 dev eth0'"));
	CHECK(nl_route_del(nl, &r) == 0);
	CHECK(nl_route_del(nl, &r) == -1 && errno == ESRCH);
	CHECK(!nl_route_is_stale(nl, &r));
	CHECK(nl_route_add(nl, &host) == 0);
	CHECK(shell("ip route show | grep -q '203.0.113.9 via 192.0.2.1 dev eth0 proto 80 src 192.0.2.10'"));
	host.gateway = host.source = (struct addr){0};
	CHECK(nl_route_del(nl, &host) == 0); /* without knowing the gateway */
	CHECK(nl_route_add(nl, &six) == 0);
	CHECK(shell("ip -6 route show table 1000 | grep -q '2001:db8:9::/48 dev ppp0 proto 80'"));
	CHECK(nl_route_is_stale(nl, &six));
	CHECK(nl_route_del(nl, &six) == 0);
	CHECK(nl_route_add(nl, &theirs) == -1 && errno == EEXIST); /* the administrator's default route stays */
	CHECK(!nl_route_is_stale(nl, &theirs));
	nl_close(nl);
}

START_TEST(routes)
{
	in_netns(routes_body);
}
END_TEST

static bool
note_rule(void *user, const struct nl_rule *rule)
{
	struct nl_rule *last = user;

	*last = *rule;
	return false;
}

static void
rules_body(void)
{
	struct nl *nl = set_up();
	struct nl_rule last = {0}, own = {.family = 4, .mark = 1, .mask = 1, .own = true, .go_to = 201, .priority = 200};
	struct nl_route local = {.ifindex = 1, .table = 99, .local = true};

	CHECK(shell("ip rule add pref 7 fwmark 8 lookup 9"));
	for (uint8_t family = 4; family <= 6; family += 2) {
		struct nl_rule rule = {.family = family, .mark = 0x10, .mask = 0x70, .table = 99, .priority = 98};

		CHECK(nl_rule_each(nl, family, note_rule, &last) == 0 && last.family != family); /* only ours are told of */
		CHECK(nl_rule_del(nl, &rule) == -1 && errno == ENOENT);
		CHECK(nl_rule_add(nl, &rule) == 0);
		CHECK(nl_rule_add(nl, &rule) == -1 && errno == EEXIST);
		CHECK(nl_rule_each(nl, family, note_rule, &last) == 0);
		CHECK(last.family == family && last.mark == 0x10 && last.mask == 0x70 && last.table == 99 && last.priority == 98);
		CHECK(nl_rule_del(nl, &rule) == 0);
		local.dst.addr.family = family;
		CHECK(nl_route_add(nl, &local) == 0 && nl_route_replace(nl, &local) == 0);
	}
	CHECK(nl_rule_add(nl, &(struct nl_rule){.family = 4, .priority = 201}) == 0 && nl_rule_add(nl, &own) == 0);
	CHECK(shell("ip rule | grep -q '^200:.*fwmark 0x1/0x1 iif lo goto 201 proto 80' && ip rule | grep -q '^201:.*nop proto 80'"));
	CHECK(nl_rule_del(nl, &own) == 0 && nl_rule_each(nl, 4, note_rule, &last) == 0 && last.priority == 201 && last.mask == 0);
	CHECK(nl_rule_del(nl, &last) == 0);
	CHECK(shell("ip route show table 99 | grep -q '^local default dev lo proto 80'"));
	CHECK(shell("ip -6 route show table 99 | grep -q '^local default dev lo proto 80'"));
	CHECK(nl_route_del(nl, &local) == 0 && !shell("ip -6 route show table 99 2>/dev/null | grep -q local"));
	CHECK(shell("ip rule | grep -q '^7:'") && !shell("ip rule | grep -q '^98:'"));
	nl_close(nl);
}

START_TEST(rules_and_local_routes)
{
	in_netns(rules_body);
}
END_TEST

static void
via_other_family_body(void)
{
	struct nl *nl = set_up();
	struct nl_route r = {.dst = prefix_of("203.0.113.0/24"), .ifindex = (int)if_nametoindex("eth0"), .gateway = addr_of("2001:db8::1")},
			got;
	struct addr to = addr_of("203.0.113.5");

	CHECK(nl_route_add(nl, &r) == 0);
	CHECK(shell("ip route show | grep -q '203.0.113.0/24 via inet6 2001:db8::1 dev eth0'"));
	CHECK(nl_route_del(nl, &r) == 0);
	CHECK(shell("ip route add 203.0.113.0/24 via inet6 2001:db8::1 dev eth0"));
	CHECK(nl_route_lookup(nl, &to, 0, NULL, NULL, &got) == 0 && got.gateway.family == 6);
	nl_close(nl);
}

START_TEST(gateway_of_the_other_family)
{
	in_netns(via_other_family_body);
}
END_TEST

static void
lookup_body(void)
{
	struct nl *nl = set_up();
	int eth = (int)if_nametoindex("eth0"), ppp = (int)if_nametoindex("ppp0");
	struct addr server = addr_of("203.0.113.9"), server6 = addr_of("2001:db8:5::9"), gateway = addr_of("192.0.2.1"),
		    near = addr_of("192.0.2.50");
	struct nl_route got, mine = {.dst = prefix_of("203.0.113.9"), .ifindex = eth, .gateway = addr_of("192.0.2.250")};

	CHECK(nl_route_lookup(nl, &server, 0, NULL, NULL, &got) == 0);
	CHECK(got.ifindex == eth && addr_equal(&got.gateway, &gateway) && got.source.bytes[3] == 10);
	CHECK(nl_route_lookup(nl, &server6, 0, NULL, NULL, &got) == 0 && got.ifindex == eth && got.gateway.family == 6);
	CHECK(nl_route_lookup(nl, &near, 0, NULL, NULL, &got) == 0 && got.gateway.family == 0 && got.ifindex == eth);
	/* Our own host route with an old gateway doesn't count, nor does a default route through the tunnel. */
	CHECK(nl_route_add(nl, &mine) == 0);
	CHECK(nl_route_lookup(nl, &server, 0, NULL, NULL, &got) == 0 && addr_equal(&got.gateway, &gateway));
	CHECK(nl_route_del(nl, &mine) == 0);
	CHECK(shell("ip link set ppp0 up && ip route add 0.0.0.0/1 dev ppp0 && ip route add 128.0.0.0/1 dev ppp0"));
	CHECK(nl_route_lookup(nl, &server, 0, NULL, NULL, &got) == 0 && got.ifindex == ppp);
	CHECK(nl_route_lookup(nl, &server, 0, skip, &ppp, &got) == 0 && got.ifindex == eth && addr_equal(&got.gateway, &gateway));
	CHECK(shell("ip route del default"));
	CHECK(nl_route_lookup(nl, &server, 0, skip, &ppp, &got) == -1 && errno == ENETUNREACH);
	/* Several next hops: one that counts is enough. */
	CHECK(shell("ip route add default nexthop dev ppp0 nexthop via 192.0.2.1 dev eth0"));
	CHECK(nl_route_lookup(nl, &server, 0, skip, &ppp, &got) == 0 && got.ifindex == eth);
	/* Rules count: what is marked goes another way. */
	CHECK(shell("ip route add default via 192.0.2.33 table 77 && ip rule add fwmark 9 table 77 && ip route del 128.0.0.0/1"));
	CHECK(nl_route_lookup(nl, &server, 9, NULL, NULL, &got) == 0 && got.gateway.bytes[3] == 33);
	nl_close(nl);
}

START_TEST(way_to_a_server)
{
	in_netns(lookup_body);
}
END_TEST

static void
proxy_body(void)
{
	struct nl *nl = set_up();
	int eth = (int)if_nametoindex("eth0");
	struct addr four = addr_of("192.0.2.99"), six = addr_of("2001:db8::99");
	bool was = true;

	CHECK(nl_proxy_add(nl, eth, &four) == 0 && nl_proxy_add(nl, eth, &six) == 0);
	CHECK(shell("ip neigh show proxy | grep -q '192.0.2.99 dev eth0'"));
	CHECK(shell("ip -6 neigh show proxy | grep -q '2001:db8::99 dev eth0'"));
	CHECK(nl_proxy_ndp(eth, true, &was) == 0 && !was);
	CHECK(nl_proxy_ndp(eth, false, &was) == 0 && was);
	CHECK(nl_proxy_ndp(9999, true, NULL) == -1);
	CHECK(nl_proxy_del(nl, eth, &four) == 0 && nl_proxy_del(nl, eth, &six) == 0);
	CHECK(!shell("ip neigh show proxy | grep -q ."));
	nl_close(nl);
}

START_TEST(neighbour_proxies)
{
	in_netns(proxy_body);
}
END_TEST

static void
note(void *user, unsigned what)
{
	*(unsigned *)user |= what;
}

static unsigned
changes_after(struct event_base *base, unsigned *seen, const char *command)
{
	struct timeval limit = {.tv_sec = 5};

	*seen = 0;
	CHECK(shell(command));
	event_base_loopexit(base, &limit);
	while (*seen == 0 && !event_base_got_exit(base))
		event_base_loop(base, EVLOOP_ONCE);
	return *seen;
}

static void
monitor_body(void)
{
	struct nl *nl = set_up();
	struct event_base *base = event_base_new();
	unsigned seen = 0;
	struct nl_monitor *m = nl_monitor_new(base, note, &seen);

	CHECK(m != NULL);
	CHECK((changes_after(base, &seen, "ip route add 10.9.0.0/16 dev eth0") & NL_CHANGED_ROUTE) != 0);
	CHECK((changes_after(base, &seen, "ip addr add 192.0.2.11/24 dev eth0") & NL_CHANGED_ADDR) != 0);
	CHECK((changes_after(base, &seen, "ip link set ppp0 mtu 1000") & NL_CHANGED_LINK) != 0);
	nl_monitor_free(m);
	event_base_free(base);
	nl_close(nl);
}

START_TEST(changes_are_seen)
{
	in_netns(monitor_body);
}
END_TEST

static bool
stop_at_first(void *user, const struct nl_route *r)
{
	(void)r;
	++*(int *)user;
	return true;
}

static void
early_end_body(void)
{
	struct nl *nl = set_up();
	int seen = 0;
	struct nl_route r = {.dst = prefix_of("10.7.0.0/16"), .ifindex = (int)if_nametoindex("eth0")};

	/* A walk that was ended early leaves nothing behind for the next request. */
	CHECK(shell("for i in $(seq 1 250); do echo route add 10.5.$i.0/24 dev eth0; done | ip -batch -"));
	CHECK(nl_route_each(nl, 4, stop_at_first, &seen) == 0 && seen == 1);
	CHECK(nl_route_add(nl, &r) == 0 && nl_route_del(nl, &r) == 0);
	CHECK(nl_route_del(nl, &r) == -1 && errno == ESRCH);
	nl_close(nl);
}

START_TEST(walks_can_end_early)
{
	in_netns(early_end_body);
}
END_TEST

Suite *
suite_netlink(void)
{
	Suite *s = suite_create("netlink");
	TCase *t = tcase_create("netlink");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, links);
	tcase_add_test(t, addresses);
	tcase_add_test(t, link_of_a_subnet);
	tcase_add_test(t, routes);
	tcase_add_test(t, rules_and_local_routes);
	tcase_add_test(t, gateway_of_the_other_family);
	tcase_add_test(t, way_to_a_server);
	tcase_add_test(t, neighbour_proxies);
	tcase_add_test(t, changes_are_seen);
	tcase_add_test(t, walks_can_end_early);
	suite_add_tcase(s, t);
	return s;
}
