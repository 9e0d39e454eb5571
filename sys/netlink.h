/* The kernel's links, addresses, routes and neighbour proxies over rtnetlink.
 *
 * Requests block until the kernel answered, which it does at once. Those that change something need CAP_NET_ADMIN (the monitor
 * process); looking up and listening need nothing. All return 0, or -1 with errno from the kernel. */
#ifndef SYS_NETLINK_H
#define SYS_NETLINK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"

struct nlmsghdr;
struct event_base;
struct nl;
struct nl_monitor;

enum { NL_ROUTE_PROTOCOL = 0x50 }; /* marks the routes that are ours: `ip route show proto 80` */

/* Opens a socket for requests in the network namespace of the caller; NULL with errno. */
struct nl *nl_open(void);
void nl_close(struct nl *nl);

/* Brings a link up; mtu in bytes, 0: as it is. The kernel gives it no IPv6 link-local address of its own. */
int nl_link_up(struct nl *nl, int ifindex, uint32_t mtu);
int nl_link_mtu(struct nl *nl, int ifindex, uint32_t mtu);

struct nl_addr {
	int ifindex;
	struct addr local;
	struct addr peer; /* family 0: none; else prefix_len belongs to it */
	uint8_t prefix_len;
};

/* Adds an address or changes the one that is there. IPv6 addresses are usable at once (no duplicate detection). */
int nl_addr_add(struct nl *nl, const struct nl_addr *a);
/* EADDRNOTAVAIL: there is none such. */
int nl_addr_del(struct nl *nl, const struct nl_addr *a);
/* The link whose subnet holds a (the longest prefix wins; loopback and those for which skip returns true don't count), or -1
 * with ENOENT. skip may be NULL. */
int nl_link_of_subnet(struct nl *nl, const struct addr *a, bool (*skip)(void *user, int ifindex), void *user);

struct nl_route {
	struct prefix dst;
	struct addr gateway; /* family 0: none, on link; may be of the other family than dst */
	struct addr source;  /* preferred source; family 0: none */
	int ifindex;
	uint32_t metric;
	uint32_t table;   /* 0: main */
	uint8_t protocol; /* 0: NL_ROUTE_PROTOCOL */
	bool local;       /* packets are for this machine, whatever their destination; not told by nl_route_each() */
	bool onlink;      /* the gateway is there although no subnet of the interface holds it; not told either */
};

/* Adds a route; EEXIST when there is one with the same destination, metric and table. */
int nl_route_add(struct nl *nl, const struct nl_route *r);
/* The same, and takes the place of such a one. */
int nl_route_replace(struct nl *nl, const struct nl_route *r);
/* Whether there is one with the destination, metric and table of r, marked as ours: a killed process leaves those. */
bool nl_route_is_stale(struct nl *nl, const struct nl_route *r);
/* Destination, metric, table and interface say which; gateway and source only count where they are given. ESRCH: there is none such. */
int nl_route_del(struct nl *nl, const struct nl_route *r);
/* Calls fn for every unicast route of all tables; a route with several next hops comes once for each. True ends the walk. */
int nl_route_each(struct nl *nl, uint8_t family, bool (*fn)(void *user, const struct nl_route *r), void *user);

/* The way to dst as it is without us: routes marked ours and links for which skip returns true don't count (skip may be NULL). Asks
 * the kernel, which knows rules and tables; when its answer is one of ours, looks into the main table. out->dst is the
 * matching prefix or the address itself, out->source the kernel's choice where it is known. ENETUNREACH: there is no way. */
int nl_route_lookup(
    struct nl *nl, const struct addr *dst, uint32_t mark, bool (*skip)(void *user, int ifindex), void *user, struct nl_route *out);

/* A routing rule for packets with a firewall mark. */
struct nl_rule {
	uint8_t family; /* 4 or 6 */
	uint32_t mark, mask;
	uint32_t table; /* 0: go_to */
	uint32_t go_to; /* priority of the rule to go on with; 0: the next */
	uint32_t priority;
	bool own; /* only where this machine sends, or checks the source of what it got (rp_filter) */
};

/* Adds a rule marked with NL_ROUTE_PROTOCOL; EEXIST when there is such a one. */
int nl_rule_add(struct nl *nl, const struct nl_rule *rule);
/* ENOENT: there is none such. */
int nl_rule_del(struct nl *nl, const struct nl_rule *rule);
/* Calls fn for every rule of ours; true ends the walk. */
int nl_rule_each(struct nl *nl, uint8_t family, bool (*fn)(void *user, const struct nl_rule *rule), void *user);
/* And of everybody else. Of such a rule, what is not in struct nl_rule is not told. */
int nl_rule_each_foreign(struct nl *nl, uint8_t family, bool (*fn)(void *user, const struct nl_rule *rule), void *user);

/* Tells of rules that go: a socket, non-blocking; -1 with errno. */
int nl_rule_watch_open(void);
/* Whether the message tells that one of ours has gone. */
bool nl_rule_has_gone(const struct nlmsghdr *h);

/* A socket on a netlink bus (NETLINK_ROUTE ...) that hears these groups, non-blocking; -1 with errno. */
int nl_watch_open(int bus, const int *groups, size_t n);
/* Reads all that has come. True: a message was of those that fn is true for, or some were lost. */
bool nl_watch_read(int fd, bool (*fn)(const struct nlmsghdr *h));

/* A neighbour proxy entry: the link answers ARP or neighbour solicitations for the address. The link must forward. For IPv6
 * the link's proxy_ndp must be on: nl_proxy_ndp(). */
int nl_proxy_add(struct nl *nl, int ifindex, const struct addr *a);
int nl_proxy_del(struct nl *nl, int ifindex, const struct addr *a);
/* Sets /proc/sys/net/ipv6/conf/LINK/proxy_ndp; *was (may be NULL) gets its value before. */
int nl_proxy_ndp(int ifindex, bool on, bool *was);

enum { NL_CHANGED_LINK = 1, NL_CHANGED_ADDR = 2, NL_CHANGED_ROUTE = 4 };

/* Calls changed from the loop when links, addresses or routes changed: once for a burst of messages, with the NL_CHANGED_* seen
 * (all of them when the kernel had to drop messages). Own changes count too. NULL with errno. */
struct nl_monitor *nl_monitor_new(struct event_base *base, void (*changed)(void *user, unsigned what), void *user);
void nl_monitor_free(struct nl_monitor *m);

#endif
