#include "alg/nft_watch.h"

#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>

#include "alg/nfnl.h"
#include "sys/netlink.h"

/* libnftables has no name for it but its own; the kernel's header of it quarrels with <netinet/in.h>. */
enum { INET = 1 };

static const char table[] = "pptpalg";

int
nft_is_gone(void)
{
	const struct nfnl_question q = {
	    .type = NFT_MSG_GETTABLE, .family = INET, .attr = NFTA_TABLE_NAME, .data = table, .datalen = sizeof(table)};

	return nfnl_ask(&q, NULL, NULL);
}

/* --- what tells ----------------------------------------------------------------------- */

int
nft_watch_open(void)
{
	static const int group = NFNLGRP_NFTABLES;

	return nl_watch_open(NETLINK_NETFILTER, &group, 1);
}

static int
table_name(const struct nlattr *attr, void *user)
{
	bool *ours = user;

	if (mnl_attr_get_type(attr) == NFTA_TABLE_NAME && mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) == 0)
		*ours = *ours || strcmp(mnl_attr_get_str(attr), table) == 0;
	return MNL_CB_OK;
}

static bool
is_end_of_table(const struct nlmsghdr *h)
{
	bool ours = false;

	if (h->nlmsg_type == (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_DELTABLE))
		mnl_attr_parse(h, sizeof(struct nfgenmsg), table_name, &ours);
	return ours;
}

bool
nft_watch_read(int fd)
{
	return nl_watch_read(fd, is_end_of_table);
}
