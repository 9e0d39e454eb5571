/* What the monitor changes for a worker: interfaces, addresses, routes, resolvers. Descriptors are in test_priv_allow_fds.c. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/suite.h"
#include "tests/unit/sys/addrs.h"
#include "tests/unit/sys/allow_rig.h"
#include "tests/unit/sys/capture.h"

Suite *suite_priv_allow(void);

static void
tun(struct priv_request *r, const char *name, uint16_t queues, uint32_t mtu)
{
	r->type = PRIV_TUN_OPEN;
	snprintf(r->tun.name, sizeof(r->tun.name), "%s", name);
	r->tun.queues = queues;
	r->tun.mtu = mtu;
}

static void
add_addr(struct priv_request *r, int ifindex, const char *local, const char *peer)
{
	r->type = PRIV_ADDR_ADD;
	r->addr.ifindex = ifindex;
	r->addr.local = addr_of(local);
	if (peer != NULL)
		r->addr.peer = addr_of(peer);
	r->addr.prefix_len = 32;
}

static void
add_route(struct priv_request *r, int ifindex, const char *dst)
{
	r->type = PRIV_ROUTE_ADD;
	r->route.ifindex = ifindex;
	r->route.dst = prefix_of(dst);
}

static void
dns(struct priv_request *r, enum priv_type type, const char *ifname, const char *server, const char *domain)
{
	r->type = type;
	snprintf(r->dns.ifname, sizeof(r->dns.ifname), "%s", ifname);
	if (server != NULL)
		r->dns.servers[0] = addr_of(server);
	snprintf(r->dns.domain, sizeof(r->dns.domain), "%s", domain);
}

/* --- the table ---------------------------------------------------------------------- */

static void
ask_tun_by_pattern(struct priv_request *r, struct priv_policy *p)
{
	(void)p;
	tun(r, "pptp0", 1, 1400);
}

static void
ask_tun_with_number(struct priv_request *r, struct priv_policy *p)
{
	(void)p;
	tun(r, "pptp%d", 4, 1400);
}

static void
ask_tun_per_user(struct priv_request *r, struct priv_policy *p)
{
	(void)p;
	tun(r, "u-bob", 1, 1400);
}

static void
ask_tun_of_another_name(struct priv_request *r, struct priv_policy *p)
{
	(void)p;
	tun(r, "eth0", 1, 1400);
}

static void
ask_tun_without_a_name(struct priv_request *r, struct priv_policy *p)
{
	(void)p;
	tun(r, "", 1, 1400);
}

static void
ask_tun_with_two_number(struct priv_request *r, struct priv_policy *p)
{
	(void)p;
	tun(r, "pptp%d%d", 1, 1400);
}

static void
ask_tun_with_string(struct priv_request *r, struct priv_policy *p)
{
	(void)p;
	tun(r, "pptp%s", 1, 1400);
}

static void
ask_tun_with_count_behind(struct priv_request *r, struct priv_policy *p)
{
	(void)p;
	tun(r, "pptp%d%n", 1, 1400);
}

static void
ask_tun_with_a_slash(struct priv_request *r, struct priv_policy *p)
{
	(void)p;
	tun(r, "u-a/b", 1, 1400);
}

static void
ask_tun_with_a_blank(struct priv_request *r, struct priv_policy *p)
{
	(void)p;
	tun(r, "u-a b", 1, 1400);
}

static void
ask_tun_with_too_many_queues(struct priv_request *r, struct priv_policy *p)
{
	(void)p;
	tun(r, "pptp0", 5, 1400);
}

static void
ask_tun_without_queues(struct priv_request *r, struct priv_policy *p)
{
	(void)p;
	tun(r, "pptp0", 0, 1400);
}

static void
ask_tun_beyond_what_a_message_carries(struct priv_request *r, struct priv_policy *p)
{
	p->max_queues = 1000;
	tun(r, "pptp0", PRIV_MAX_FDS + 1, 1400);
}

static void
ask_tun_with_a_tiny_mtu(struct priv_request *r, struct priv_policy *p)
{
	(void)p;
	tun(r, "pptp0", 1, 67);
}

static void
ask_tun_with_a_huge_mtu(struct priv_request *r, struct priv_policy *p)
{
	(void)p;
	tun(r, "pptp0", 1, 65536);
}

static void
ask_tun_without_patterns(struct priv_request *r, struct priv_policy *p)
{
	p->ifnames = NULL;
	tun(r, "pptp0", 1, 1400);
}

static void
ask_tun_of_a_type_that_is_off(struct priv_request *r, struct priv_policy *p)
{
	p->types[PRIV_TUN_OPEN] = false;
	tun(r, "pptp0", 1, 1400);
}

static void
ask_mtu_of_an_own_link(struct priv_request *r, struct priv_policy *p)
{
	(void)p;
	r->type = PRIV_LINK_MTU;
	r->link.ifindex = ALLOW_OWN;
	r->link.mtu = 1400;
}

static void
ask_mtu_of_a_foreign_link(struct priv_request *r, struct priv_policy *p)
{
	(void)p;
	r->type = PRIV_LINK_MTU;
	r->link.ifindex = ALLOW_OWN + 1;
	r->link.mtu = 1400;
}

static void
ask_mtu_of_no_link(struct priv_request *r, struct priv_policy *p)
{
	(void)p;
	r->type = PRIV_LINK_MTU;
	r->link.ifindex = -1;
	r->link.mtu = 1400;
}

static void
ask_mtu_too_small(struct priv_request *r, struct priv_policy *p)
{
	(void)p;
	r->type = PRIV_LINK_MTU;
	r->link.ifindex = ALLOW_OWN;
	r->link.mtu = 1;
}

static void
ask_address_in_the_pool(struct priv_request *r, struct priv_policy *p)
{
	(void)p;
	add_addr(r, ALLOW_OWN, "10.0.0.1", "10.0.0.2");
}

static void
ask_address_without_a_peer(struct priv_request *r, struct priv_policy *p)
{
	(void)p;
	add_addr(r, ALLOW_OWN, "2001:db8::1", NULL);
}

static void
ask_link_local_address(struct priv_request *r, struct priv_policy *p)
{
	(void)p;
	add_addr(r, ALLOW_OWN, "fe80::1", "fe80::2");
}

static void
ask_address_outside(struct priv_request *r, struct priv_policy *p)
{
	(void)p;
	add_addr(r, ALLOW_OWN, "11.0.0.1", NULL);
}

static void
ask_peer_outside(struct priv_request *r, struct priv_policy *p)
{
	(void)p;
	add_addr(r, ALLOW_OWN, "10.0.0.1", "192.0.2.1");
}

static void
ask_address_on_a_foreign_link(struct priv_request *r, struct priv_policy *p)
{
	(void)p;
	add_addr(r, ALLOW_OWN + 1, "10.0.0.1", NULL);
}

static void
ask_any_address_without_a_list(struct priv_request *r, struct priv_policy *p)
{
	p->addresses_count = 0;
	add_addr(r, ALLOW_OWN, "192.0.2.1", NULL);
}

static void
ask_del_of_an_address_never_added(struct priv_request *r, struct priv_policy *p)
{
	(void)p;
	add_addr(r, ALLOW_OWN, "10.0.0.1", NULL);
	r->type = PRIV_ADDR_DEL;
}

static void
ask_route_inside(struct priv_request *r, struct priv_policy *p)
{
	(void)p;
	add_route(r, ALLOW_OWN, "10.1.0.0/16");
}

static void
ask_route_outside(struct priv_request *r, struct priv_policy *p)
{
	(void)p;
	add_route(r, ALLOW_OWN, "11.1.0.0/16");
}

static void
ask_route_that_holds_more_than_the_list(struct priv_request *r, struct priv_policy *p)
{
	(void)p;
	add_route(r, ALLOW_OWN, "8.0.0.0/6");
}

static void
ask_default_route(struct priv_request *r, struct priv_policy *p)
{
	(void)p;
	add_route(r, ALLOW_OWN, "0.0.0.0/0");
}

static void
ask_default_route_of_a_client(struct priv_request *r, struct priv_policy *p)
{
	p->any_route = true;
	add_route(r, ALLOW_OWN, "0.0.0.0/0");
}

static void
ask_host_route_elsewhere(struct priv_request *r, struct priv_policy *p)
{
	(void)p;
	add_route(r, ALLOW_OWN + 1, "10.0.0.9");
}

static void
ask_host_route_of_a_client(struct priv_request *r, struct priv_policy *p)
{
	p->host_routes = true;
	add_route(r, ALLOW_OWN + 1, "203.0.113.9");
}

static void
ask_network_route_elsewhere(struct priv_request *r, struct priv_policy *p)
{
	p->host_routes = p->any_route = true;
	add_route(r, ALLOW_OWN + 1, "203.0.113.0/24");
}

static void
ask_host_route_in_another_table(struct priv_request *r, struct priv_policy *p)
{
	p->host_routes = true;
	add_route(r, ALLOW_OWN + 1, "203.0.113.9");
	r->route.table = 100;
}

static void
ask_host_route_to_no_interface(struct priv_request *r, struct priv_policy *p)
{
	p->host_routes = true;
	add_route(r, 0, "203.0.113.9");
}

static void
ask_del_of_a_route_never_added(struct priv_request *r, struct priv_policy *p)
{
	(void)p;
	add_route(r, ALLOW_OWN, "10.1.0.0/16");
	r->type = PRIV_ROUTE_DEL;
}

static void
ask_proxy_inside(struct priv_request *r, struct priv_policy *p)
{
	(void)p;
	r->type = PRIV_PROXY_ADD;
	r->proxy.addr = addr_of("10.0.0.9");
}

static void
ask_proxy_outside(struct priv_request *r, struct priv_policy *p)
{
	(void)p;
	r->type = PRIV_PROXY_ADD;
	r->proxy.addr = addr_of("192.0.2.9");
}

static void
ask_del_of_a_proxy_never_added(struct priv_request *r, struct priv_policy *p)
{
	(void)p;
	r->type = PRIV_PROXY_DEL;
	r->proxy.addr = addr_of("10.0.0.9");
}

static void
ask_dns_of_an_own_link(struct priv_request *r, struct priv_policy *p)
{
	(void)p;
	dns(r, PRIV_DNS_SET, "lo", "10.0.0.53", "");
}

static void
ask_dns_of_a_foreign_link(struct priv_request *r, struct priv_policy *p)
{
	(void)p;
	dns(r, PRIV_DNS_SET, "eth0", "10.0.0.53", "");
}

static void
ask_dns_without_a_server(struct priv_request *r, struct priv_policy *p)
{
	(void)p;
	dns(r, PRIV_DNS_SET, "lo", NULL, "example.org");
}

static void
ask_dns_clear_without_a_name(struct priv_request *r, struct priv_policy *p)
{
	(void)p;
	dns(r, PRIV_DNS_CLEAR, "", NULL, "");
}

static void
ask_dns_clear(struct priv_request *r, struct priv_policy *p)
{
	(void)p;
	dns(r, PRIV_DNS_CLEAR, "lo", NULL, "");
}

static const struct allow_row rows[] = {
    {"tun by pattern", ask_tun_by_pattern, 0},
    {"tun with %d", ask_tun_with_number, 0},
    {"tun per user", ask_tun_per_user, 0},
    {"tun of another name", ask_tun_of_another_name, EPERM},
    {"tun without a name", ask_tun_without_a_name, EPERM},
    {"tun with two %d", ask_tun_with_two_number, EPERM},
    {"tun with %s", ask_tun_with_string, EPERM},
    {"tun with %n behind", ask_tun_with_count_behind, EPERM},
    {"tun with a slash", ask_tun_with_a_slash, EPERM},
    {"tun with a blank", ask_tun_with_a_blank, EPERM},
    {"tun with too many queues", ask_tun_with_too_many_queues, EPERM},
    {"tun without queues", ask_tun_without_queues, EPERM},
    {"tun beyond what a message carries", ask_tun_beyond_what_a_message_carries, EPERM},
    {"tun with a tiny mtu", ask_tun_with_a_tiny_mtu, EPERM},
    {"tun with a huge mtu", ask_tun_with_a_huge_mtu, EPERM},
    {"tun without patterns", ask_tun_without_patterns, EPERM},
    {"tun of a type that is off", ask_tun_of_a_type_that_is_off, EPERM},
    {"mtu of an own link", ask_mtu_of_an_own_link, 0},
    {"mtu of a foreign link", ask_mtu_of_a_foreign_link, EPERM},
    {"mtu of no link", ask_mtu_of_no_link, EPERM},
    {"mtu too small", ask_mtu_too_small, EPERM},
    {"address in the pool", ask_address_in_the_pool, 0},
    {"address without a peer", ask_address_without_a_peer, 0},
    {"link-local address", ask_link_local_address, 0},
    {"address outside", ask_address_outside, EPERM},
    {"peer outside", ask_peer_outside, EPERM},
    {"address on a foreign link", ask_address_on_a_foreign_link, EPERM},
    {"any address without a list", ask_any_address_without_a_list, 0},
    {"del of an address never added", ask_del_of_an_address_never_added, ENOENT},
    {"route inside", ask_route_inside, 0},
    {"route outside", ask_route_outside, EPERM},
    {"route that holds more than the list", ask_route_that_holds_more_than_the_list, EPERM},
    {"default route", ask_default_route, EPERM},
    {"default route of a client", ask_default_route_of_a_client, 0},
    {"host route elsewhere", ask_host_route_elsewhere, EPERM},
    {"host route of a client", ask_host_route_of_a_client, 0},
    {"network route elsewhere", ask_network_route_elsewhere, EPERM},
    {"host route in another table", ask_host_route_in_another_table, EPERM},
    {"host route to no interface", ask_host_route_to_no_interface, EPERM},
    {"del of a route never added", ask_del_of_a_route_never_added, ENOENT},
    {"proxy inside", ask_proxy_inside, 0},
    {"proxy outside", ask_proxy_outside, EPERM},
    {"del of a proxy never added", ask_del_of_a_proxy_never_added, ENOENT},
    {"dns of an own link", ask_dns_of_an_own_link, 0},
    {"dns of a foreign link", ask_dns_of_a_foreign_link, EPERM},
    {"dns without a server", ask_dns_without_a_server, EPERM},
    {"dns clear without a name", ask_dns_clear_without_a_name, EPERM},
    {"dns clear", ask_dns_clear, 0},
};

START_TEST(each_request_against_the_policy)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		allow_check(&rows[i]);
}
END_TEST

START_TEST(refusals_come_over_the_socket)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		allow_check_over_socket(&rows[i]);
}
END_TEST

START_TEST(an_interface_that_was_replaced_is_not_ours)
{
	struct priv_policy p = allow_policy();
	struct priv_core core;

	allow_core_init(&core, &p);
	ck_assert(priv_own_ifindex(&core, ALLOW_OWN));
	ck_assert(priv_own_ifname(&core, "lo"));
	strcpy(core.ifs[0].name, "pptp0"); /* the number was ours, the name isn't */
	ck_assert(!priv_own_ifindex(&core, ALLOW_OWN));
	ck_assert(!priv_own_ifname(&core, "pptp0"));
	allow_core_fini(&core);
}
END_TEST

START_TEST(garbage_over_the_socket)
{
	struct priv_policy p = allow_policy();
	static struct {
		struct priv_message m;
		char more[100];
	} big;
	uint32_t seed = 1;

	capture_begin();
	big.m.request.type = PRIV_FILE_OPEN;
	ck_assert_int_eq(allow_over_socket(&p, &big, sizeof(big)), EINVAL);
	ck_assert_int_eq(allow_over_socket(&p, &big, sizeof(big.m)), EINVAL);
	ck_assert_int_eq(allow_over_socket(&p, &big, 5), EINVAL);
	for (int i = 0; i < 20; i++) {
		uint8_t junk[64];

		for (size_t j = 0; j < sizeof(junk); j++)
			junk[j] = (uint8_t)((seed = seed * 1664525 + 1013904223) >> 24);
		ck_assert_int_eq(allow_over_socket(&p, junk, sizeof(junk)), EINVAL);
	}
	capture_end();
}
END_TEST

Suite *
suite_priv_allow(void)
{
	Suite *s = suite_create("priv_allow");
	TCase *t = tcase_create("priv_allow");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, each_request_against_the_policy);
	tcase_add_test(t, refusals_come_over_the_socket);
	tcase_add_test(t, an_interface_that_was_replaced_is_not_ours);
	tcase_add_test(t, garbage_over_the_socket);
	suite_add_tcase(s, t);
	return s;
}
