#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "sys/netlink_impl.h"

static struct nlmsghdr *
route_header(struct nl *nl, uint16_t type, uint16_t flags, uint8_t family, struct rtmsg **m)
{
	struct nlmsghdr *h = nl_begin(nl, type, flags);

	*m = mnl_nlmsg_put_extra_header(h, sizeof(**m));
	(*m)->rtm_family = family;
	return h;
}

static void
put_gateway(struct nlmsghdr *h, const struct nl_route *r)
{
	struct {
		uint16_t family;
		uint8_t bytes[16];
	} via;

	if (r->gateway.family == r->dst.addr.family) {
		nl_put_addr(h, RTA_GATEWAY, &r->gateway);
	} else if (r->gateway.family != 0) {
		via.family = nl_family(&r->gateway);
		memcpy(via.bytes, r->gateway.bytes, sizeof(via.bytes));
		mnl_attr_put(h, RTA_VIA, sizeof(via.family) + addr_len(&r->gateway), &via);
	}
}

static int
route_request(struct nl *nl, uint16_t type, uint16_t flags, const struct nl_route *r)
{
	uint32_t table = r->table != 0 ? r->table : RT_TABLE_MAIN;
	struct rtmsg *m;
	struct nlmsghdr *h = route_header(nl, type, (uint16_t)(NLM_F_ACK | flags), nl_family(&r->dst.addr), &m);

	m->rtm_dst_len = r->dst.len;
	m->rtm_table = (uint8_t)(table < 256 ? table : RT_TABLE_UNSPEC);
	m->rtm_protocol = r->protocol != 0 ? r->protocol : NL_ROUTE_PROTOCOL;
	m->rtm_scope = r->gateway.family != 0 || r->dst.addr.family == 6 ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK;
	if (r->local)
		m->rtm_scope = RT_SCOPE_HOST;
	if (type == RTM_DELROUTE)
		m->rtm_scope = RT_SCOPE_NOWHERE; /* any: who deletes need not know the gateway */
	m->rtm_type = r->local ? RTN_LOCAL : RTN_UNICAST;
	m->rtm_flags = r->onlink ? RTNH_F_ONLINK : 0;
	mnl_attr_put_u32(h, RTA_TABLE, table);
	nl_put_addr(h, RTA_DST, &r->dst.addr);
	mnl_attr_put_u32(h, RTA_OIF, (uint32_t)r->ifindex);
	put_gateway(h, r);
	if (r->source.family != 0)
		nl_put_addr(h, RTA_PREFSRC, &r->source);
	if (r->metric != 0)
		mnl_attr_put_u32(h, RTA_PRIORITY, r->metric);
	return nl_finish(nl, h, NULL, NULL);
}

int
nl_route_add(struct nl *nl, const struct nl_route *r)
{
	return route_request(nl, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, r);
}

int
nl_route_replace(struct nl *nl, const struct nl_route *r)
{
	return route_request(nl, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, r);
}

int
nl_route_del(struct nl *nl, const struct nl_route *r)
{
	return route_request(nl, RTM_DELROUTE, 0, r);
}

/* --- reading ---------------------------------------------------------------- */

struct route_walk {
	bool (*fn)(void *user, const struct nl_route *r);
	void *user;
	bool ended;
};

static struct addr
get_via(const struct nlattr *a)
{
	uint16_t family;
	const uint8_t *p = mnl_attr_get_payload(a);
	uint16_t len = mnl_attr_get_payload_len(a);

	if (len < sizeof(family))
		return (struct addr){0};
	memcpy(&family, p, sizeof(family));
	if (family == AF_INET && len >= sizeof(family) + 4)
		return addr_v4(p + sizeof(family));
	if (family == AF_INET6 && len >= sizeof(family) + 16)
		return addr_v6(p + sizeof(family));
	return (struct addr){0};
}

static void
next_hops(const struct nlattr *several, uint8_t family, struct nl_route *r, struct route_walk *walk)
{
	const struct rtnexthop *hop = mnl_attr_get_payload(several);
	int left = mnl_attr_get_payload_len(several);

	while (!walk->ended && RTNH_OK(hop, left)) {
		struct nlattr *attr;

		r->ifindex = hop->rtnh_ifindex;
		r->gateway = (struct addr){0};
		NL_EACH_ATTR(attr, (struct nlattr *)(void *)RTNH_DATA(hop), (const char *)hop + hop->rtnh_len)
		{
			if (mnl_attr_get_type(attr) == RTA_GATEWAY)
				r->gateway = nl_get_addr(family, attr);
			else if (mnl_attr_get_type(attr) == RTA_VIA)
				r->gateway = get_via(attr);
		}
		walk->ended = walk->fn(walk->user, r);
		left -= (int)NLMSG_ALIGN(hop->rtnh_len);
		hop = RTNH_NEXT(hop);
	}
}

static int
route_message(const struct nlmsghdr *h, void *data)
{
	const struct rtmsg *m = mnl_nlmsg_get_payload(h);
	struct route_walk *walk = data;
	struct nl_route r = {.dst.len = m->rtm_dst_len, .table = m->rtm_table, .protocol = m->rtm_protocol};
	const struct nlattr *several = NULL;
	struct nlattr *attr;

	/* A route to everything has no destination attribute. */
	r.dst.addr.family = m->rtm_family == AF_INET ? 4 : 6;
	NL_EACH_ATTR(attr, mnl_nlmsg_get_payload_offset(h, sizeof(*m)), mnl_nlmsg_get_payload_tail(h))
	{
		uint16_t type = mnl_attr_get_type(attr);

		if (type == RTA_DST)
			r.dst.addr = nl_get_addr(m->rtm_family, attr);
		else if (type == RTA_GATEWAY)
			r.gateway = nl_get_addr(m->rtm_family, attr);
		else if (type == RTA_VIA)
			r.gateway = get_via(attr);
		else if (type == RTA_PREFSRC)
			r.source = nl_get_addr(m->rtm_family, attr);
		else if (type == RTA_OIF)
			r.ifindex = (int)mnl_attr_get_u32(attr);
		else if (type == RTA_PRIORITY)
			r.metric = mnl_attr_get_u32(attr);
		else if (type == RTA_TABLE)
			r.table = mnl_attr_get_u32(attr);
		else if (type == RTA_MULTIPATH)
			several = attr;
	}
	if (m->rtm_type != RTN_UNICAST || walk->ended)
		return MNL_CB_OK;
	if (several != NULL)
		next_hops(several, m->rtm_family, &r, walk);
	else
		walk->ended = walk->fn(walk->user, &r);
	return MNL_CB_OK;
}

int
nl_route_each(struct nl *nl, uint8_t family, bool (*fn)(void *user, const struct nl_route *r), void *user)
{
	struct route_walk walk = {.fn = fn, .user = user};
	struct rtmsg *m;
	struct nlmsghdr *h = route_header(nl, RTM_GETROUTE, NLM_F_DUMP, family == 4 ? AF_INET : AF_INET6, &m);

	return nl_finish(nl, h, route_message, &walk);
}

struct stale_search {
	const struct nl_route *like;
	bool found;
};

static bool
is_stale(void *user, const struct nl_route *r)
{
	struct stale_search *s = user;
	uint32_t table = s->like->table != 0 ? s->like->table : RT_TABLE_MAIN;
	uint32_t metric = s->like->metric != 0 || r->dst.addr.family == 4 ? s->like->metric : 1024; /* IPv6 has no metric 0 */

	s->found = r->protocol == NL_ROUTE_PROTOCOL && r->table == table && r->metric == metric && r->dst.len == s->like->dst.len &&
		   addr_equal(&r->dst.addr, &s->like->dst.addr);
	return s->found;
}

bool
nl_route_is_stale(struct nl *nl, const struct nl_route *r)
{
	struct stale_search s = {.like = r};

	return nl_route_each(nl, r->dst.addr.family, is_stale, &s) == 0 && s.found;
}

/* --- the way to an address --------------------------------------------------- */

struct lookup {
	const struct addr *dst;
	bool (*skip)(void *user, int ifindex);
	void *user;
	bool found;
	struct nl_route best;
};

static bool
foreign(const struct lookup *l, const struct nl_route *r)
{
	return r->protocol != NL_ROUTE_PROTOCOL && r->ifindex > 0 && (l->skip == NULL || !l->skip(l->user, r->ifindex));
}

static bool
take_answer(void *user, const struct nl_route *r)
{
	struct lookup *l = user;

	l->best = *r;
	l->found = true;
	return true;
}

static bool
take_better(void *user, const struct nl_route *r)
{
	struct lookup *l = user;
	bool better = !l->found || r->dst.len > l->best.dst.len || (r->dst.len == l->best.dst.len && r->metric < l->best.metric);

	if (r->table == RT_TABLE_MAIN && prefix_contains(&r->dst, l->dst) && foreign(l, r) && better)
		take_answer(l, r);
	return false;
}

static int
ask_kernel(struct nl *nl, uint32_t mark, unsigned flags, struct lookup *l)
{
	struct route_walk walk = {.fn = take_answer, .user = l};
	struct rtmsg *m;
	struct nlmsghdr *h = route_header(nl, RTM_GETROUTE, NLM_F_ACK, nl_family(l->dst), &m);

	m->rtm_dst_len = (uint8_t)(addr_len(l->dst) * 8);
	m->rtm_flags = flags;
	nl_put_addr(h, RTA_DST, l->dst);
	if (mark != 0)
		mnl_attr_put_u32(h, RTA_MARK, mark);
	l->found = false;
	return nl_finish(nl, h, route_message, &walk);
}

int
nl_route_lookup(
    struct nl *nl, const struct addr *dst, uint32_t mark, bool (*skip)(void *user, int ifindex), void *user, struct nl_route *out)
{
	struct lookup l = {.dst = dst, .skip = skip, .user = user};
	bool ours;

	/* First the entry that matches, which says whose it is; then the answer, which has the source. */
	ours = ask_kernel(nl, mark, RTM_F_FIB_MATCH, &l) == 0 && l.found && !foreign(&l, &l.best);
	if (!ours && ask_kernel(nl, mark, 0, &l) == 0 && l.found && foreign(&l, &l.best)) {
		*out = l.best;
		return 0;
	}
	l.found = false;
	if (nl_route_each(nl, dst->family, take_better, &l) != 0)
		return -1;
	if (!l.found) {
		errno = ENETUNREACH;
		return -1;
	}
	*out = l.best;
	return 0;
}
