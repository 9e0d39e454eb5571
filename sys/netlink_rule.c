#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "sys/netlink_impl.h"

static int
rule_request(struct nl *nl, uint16_t type, uint16_t flags, const struct nl_rule *rule)
{
	struct nlmsghdr *h = nl_begin(nl, type, (uint16_t)(NLM_F_ACK | flags));
	struct fib_rule_hdr *m = mnl_nlmsg_put_extra_header(h, sizeof(*m));

	m->family = rule->family == 4 ? AF_INET : AF_INET6;
	m->action = rule->table != 0 ? FR_ACT_TO_TBL : rule->go_to != 0 ? FR_ACT_GOTO : FR_ACT_NOP;
	m->table = (uint8_t)(rule->table < 256 ? rule->table : RT_TABLE_UNSPEC);
	if (rule->table != 0)
		mnl_attr_put_u32(h, FRA_TABLE, rule->table);
	if (rule->go_to != 0)
		mnl_attr_put_u32(h, FRA_GOTO, rule->go_to);
	if (rule->own)
		mnl_attr_put_strz(h, FRA_IIFNAME, "lo");
	mnl_attr_put_u32(h, FRA_PRIORITY, rule->priority);
	if (rule->mask != 0) {
		mnl_attr_put_u32(h, FRA_FWMARK, rule->mark);
		mnl_attr_put_u32(h, FRA_FWMASK, rule->mask);
	}
	mnl_attr_put_u8(h, FRA_PROTOCOL, NL_ROUTE_PROTOCOL);
	return nl_finish(nl, h, NULL, NULL);
}

int
nl_rule_add(struct nl *nl, const struct nl_rule *rule)
{
	return rule_request(nl, RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, rule);
}

int
nl_rule_del(struct nl *nl, const struct nl_rule *rule)
{
	return rule_request(nl, RTM_DELRULE, 0, rule);
}

struct rule_walk {
	bool (*fn)(void *user, const struct nl_rule *rule);
	void *user;
	bool foreign; /* those that are not ours */
	bool ended;
};

/* Returns its protocol: whose it is. */
static uint8_t
read_rule(const struct nlmsghdr *h, struct nl_rule *rule)
{
	const struct fib_rule_hdr *m = mnl_nlmsg_get_payload(h);
	uint8_t protocol = 0;
	struct nlattr *attr;

	*rule = (struct nl_rule){.family = m->family == AF_INET ? 4 : 6, .table = m->table};

	NL_EACH_ATTR(attr, mnl_nlmsg_get_payload_offset(h, sizeof(*m)), mnl_nlmsg_get_payload_tail(h))
	{
		uint16_t type = mnl_attr_get_type(attr);

		if (type == FRA_TABLE)
			rule->table = mnl_attr_get_u32(attr);
		else if (type == FRA_GOTO)
			rule->go_to = mnl_attr_get_u32(attr);
		else if (type == FRA_IIFNAME)
			rule->own = true;
		else if (type == FRA_PRIORITY)
			rule->priority = mnl_attr_get_u32(attr);
		else if (type == FRA_FWMARK)
			rule->mark = mnl_attr_get_u32(attr);
		else if (type == FRA_FWMASK)
			rule->mask = mnl_attr_get_u32(attr);
		else if (type == FRA_PROTOCOL)
			protocol = mnl_attr_get_u8(attr);
	}
	return protocol;
}

static int
rule_message(const struct nlmsghdr *h, void *data)
{
	struct rule_walk *walk = data;
	struct nl_rule rule;
	uint8_t protocol = read_rule(h, &rule);

	if ((protocol != NL_ROUTE_PROTOCOL) == walk->foreign && !walk->ended)
		walk->ended = walk->fn(walk->user, &rule);
	return MNL_CB_OK;
}

int
nl_rule_watch_open(void)
{
	static const int groups[] = {RTNLGRP_IPV4_RULE, RTNLGRP_IPV6_RULE};

	return nl_watch_open(NETLINK_ROUTE, groups, 2);
}

bool
nl_rule_has_gone(const struct nlmsghdr *h)
{
	struct nl_rule rule;

	return h->nlmsg_type == RTM_DELRULE && read_rule(h, &rule) == NL_ROUTE_PROTOCOL;
}

static int
walk_rules(struct nl *nl, uint8_t family, struct rule_walk *walk)
{
	struct nlmsghdr *h = nl_begin(nl, RTM_GETRULE, NLM_F_DUMP);
	struct fib_rule_hdr *m = mnl_nlmsg_put_extra_header(h, sizeof(*m));

	m->family = family == 4 ? AF_INET : AF_INET6;
	return nl_finish(nl, h, rule_message, walk);
}

int
nl_rule_each(struct nl *nl, uint8_t family, bool (*fn)(void *user, const struct nl_rule *rule), void *user)
{
	struct rule_walk walk = {.fn = fn, .user = user};

	return walk_rules(nl, family, &walk);
}

int
nl_rule_each_foreign(struct nl *nl, uint8_t family, bool (*fn)(void *user, const struct nl_rule *rule), void *user)
{
	struct rule_walk walk = {.fn = fn, .user = user, .foreign = true};

	return walk_rules(nl, family, &walk);
}
