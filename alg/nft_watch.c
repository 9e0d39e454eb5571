#include "alg/nft_watch.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "alg/nfnl.h"

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

int
nft_watch_open(void)
{
	const struct sockaddr_nl any = {.nl_family = AF_NETLINK};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_NETFILTER), group = NFNLGRP_NFTABLES, error;

	if (fd < 0)
		return -1;
	if (bind(fd, (const struct sockaddr *)&any, sizeof(any)) == 0 &&
	    setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) == 0)
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

static int
table_name(const struct nlattr *attr, void *user)
{
	bool *ours = user;

	if (mnl_attr_get_type(attr) == NFTA_TABLE_NAME && mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) == 0)
		*ours = *ours || strcmp(mnl_attr_get_str(attr), table) == 0;
	return MNL_CB_OK;
}

static int
message(const struct nlmsghdr *h, void *user)
{
	if (h->nlmsg_type != (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_DELTABLE))
		return MNL_CB_OK;
	return mnl_attr_parse(h, sizeof(struct nfgenmsg), table_name, user);
}

bool
nft_watch_read(int fd)
{
	union {
		struct nlmsghdr align;
		char bytes[16384];
	} buf;
	bool gone = false;
	ssize_t n;

	while ((n = recv(fd, buf.bytes, sizeof(buf), 0)) > 0 || (n < 0 && (errno == ENOBUFS || errno == EINTR))) {
		/* Where some were lost, ours may have been one. */
		if (n < 0)
			gone = gone || errno == ENOBUFS;
		else if (mnl_cb_run(buf.bytes, (size_t)n, 0, 0, message, &gone) < 0)
			gone = true;
	}
	return gone;
}
