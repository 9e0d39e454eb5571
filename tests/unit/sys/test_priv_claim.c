/* Whose host route is whose, once a process may have been killed. */
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>

#include "sys/netlink.h"
#include "sys/priv_core.h"
#include "tests/unit/suite.h"
#include "tests/unit/sys/netns.h"

Suite *suite_priv_claim(void);

static struct prefix
prefix(const char *text)
{
	struct prefix p;

	CHECK(prefix_parse(&p, text));
	return p;
}

static void
make_network(void)
{
	CHECK(shell("ip link add eth0 type veth peer name far && ip link set far up && ip link set eth0 up && "
		    "ip addr add 192.0.2.10/24 dev eth0 && ip addr add 2001:db8::10/64 dev eth0 nodad && "
		    "ip tuntap add mode tun name tun9 && ip link set tun9 up"));
}

static void
only_what_nobody_claims_goes(void)
{
	static const struct prefix claimed = {.addr = {.family = 4, .bytes = {203, 0, 113, 1}}, .len = 32};
	struct priv_claims claims = {0};
	struct nl *nl = nl_open();

	CHECK(nl != NULL);
	make_network();
	CHECK(shell("ip route add 203.0.113.1 via 192.0.2.1 proto 80 && ip route add 203.0.113.2 via 192.0.2.1 proto 80 && "
		    "ip route add 192.0.2.7 dev eth0 proto 80 && ip -6 route add 2001:db8:9::1 via 2001:db8::1 proto 80 && "
		    "ip route add 203.0.113.3 via 192.0.2.1 && ip route add 198.51.100.0/24 via 192.0.2.1 proto 80 && "
		    "ip route add 203.0.113.4 via 192.0.2.1 proto 80 table 99 && ip route add 10.0.0.1 dev tun9 proto 80"));
	priv_claim(&claims, &claimed);
	CHECK(claims.count == 1);
	priv_drop_stale_routes(nl);
	CHECK(
	    shell("ip route show 203.0.113.1 | grep -q . && ip route show 203.0.113.3 | grep -q . && ip route show 10.0.0.1 | grep -q . && "
		  "ip route show 198.51.100.0/24 | grep -q . && ip route show table 99 | grep -q 203.0.113.4"));
	CHECK(shell("! ip route show 203.0.113.2 | grep -q . && ! ip route show 192.0.2.7 | grep -q . && "
		    "! ip -6 route show 2001:db8:9::1 | grep -q ."));
	priv_unclaim_all(&claims);
	CHECK(claims.count == 0);
	priv_drop_stale_routes(nl);
	CHECK(shell("! ip route show 203.0.113.1 | grep -q ."));
	nl_close(nl);
}

START_TEST(test_stale)
{
	in_netns(only_what_nobody_claims_goes);
}
END_TEST

static void
many_claims(void)
{
	struct priv_claims claims = {0}, others = {0};
	struct prefix p = prefix("203.0.113.0/32");

	for (unsigned i = 0; i < PRIV_CLAIMS + 2; i++) {
		p.addr.bytes[3] = (uint8_t)i;
		priv_claim(&claims, &p);
		priv_claim(&claims, &p);
	}
	CHECK(claims.count == PRIV_CLAIMS);
	p.addr.bytes[3] = 5;
	priv_claim(&others, &p);
	CHECK(others.count == 0);
	priv_unclaim(&claims, &p);
	priv_unclaim(&claims, &p);
	CHECK(claims.count == PRIV_CLAIMS - 1);
	priv_claim(&others, &p);
	CHECK(others.count == 1);
	priv_unclaim_all(&claims);
	priv_unclaim_all(&others);
}

START_TEST(test_claims)
{
	in_netns(many_claims);
}
END_TEST

Suite *
suite_priv_claim(void)
{
	Suite *s = suite_create("priv_claim");
	TCase *t = tcase_create("priv_claim");

	tcase_add_test(t, test_stale);
	tcase_add_test(t, test_claims);
	suite_add_tcase(s, t);
	return s;
}
