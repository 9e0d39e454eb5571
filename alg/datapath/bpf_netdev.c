#include "alg/datapath/bpf_netdev.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if_arp.h>
#include <stdlib.h>
#include <string.h>

enum { REPLY_MAX = 32768, REQUEST_MAX = 256, TRIES = 5 };

/* linux/netdev.h, which older headers don't have. */
enum {
	NETDEV_GET = 1,            /* NETDEV_CMD_DEV_GET */
	NETDEV_IFINDEX = 1,        /* NETDEV_A_DEV_IFINDEX */
	NETDEV_XDP_FEATURES = 3,   /* NETDEV_A_DEV_XDP_FEATURES */
	NETDEV_FEATURE_XMIT = 0x4, /* NETDEV_XDP_ACT_NDO_XMIT */
};

struct bpf_netdev_features {
	struct mnl_socket *socket;
	uint16_t family;
	unsigned seq;
};

/* Sends a request and hands the whole answer to fn. */
static int
ask(struct mnl_socket *socket, struct nlmsghdr *h, mnl_cb_t fn, void *user)
{
	char reply[REPLY_MAX];
	int r = MNL_CB_OK;

	if (mnl_socket_sendto(socket, h, h->nlmsg_len) < 0)
		return -1;
	while (r == MNL_CB_OK) {
		ssize_t n = mnl_socket_recvfrom(socket, reply, sizeof(reply));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		r = mnl_cb_run(reply, (size_t)n, h->nlmsg_seq, mnl_socket_get_portid(socket), fn, user);
	}
	return r < 0 ? -1 : 0;
}

static struct mnl_socket *
open_socket(int bus)
{
	struct mnl_socket *socket = mnl_socket_open2(bus, SOCK_CLOEXEC);

	if (socket != NULL && mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0) {
		int saved = errno;

		mnl_socket_close(socket);
		errno = saved;
		return NULL;
	}
	return socket;
}

struct walk {
	void (*fn)(void *user, const struct bpf_netdev *dev);
	void *user;
};

static int
on_attribute(const struct nlattr *attr, void *user)
{
	struct bpf_netdev *dev = user;

	switch (mnl_attr_get_type(attr)) {
	case IFLA_IFNAME:
		if (mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) == 0 && mnl_attr_get_payload_len(attr) <= sizeof(dev->name))
			memcpy(dev->name, mnl_attr_get_str(attr), mnl_attr_get_payload_len(attr));
		break;
	case IFLA_ADDRESS:
		if (mnl_attr_get_payload_len(attr) == sizeof(dev->mac))
			memcpy(dev->mac, mnl_attr_get_payload(attr), sizeof(dev->mac));
		break;
	case IFLA_MASTER:
		dev->port = true;
		break;
	}
	return MNL_CB_OK;
}

static int
on_link(const struct nlmsghdr *h, void *user)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(h);
	struct walk *walk = user;
	struct bpf_netdev dev = {0};

	dev.ifindex = (uint32_t)info->ifi_index;
	dev.ethernet = info->ifi_type == ARPHRD_ETHER && (info->ifi_flags & IFF_LOOPBACK) == 0;
	dev.up = (info->ifi_flags & IFF_UP) != 0;
	if (mnl_attr_parse(h, sizeof(*info), on_attribute, &dev) == MNL_CB_OK)
		walk->fn(walk->user, &dev);
	return MNL_CB_OK;
}

static int
walk_all(struct walk *walk)
{
	char request[REQUEST_MAX];
	struct nlmsghdr *h = mnl_nlmsg_put_header(request);
	struct mnl_socket *socket = open_socket(NETLINK_ROUTE);
	struct ifinfomsg *info;
	int r, saved;

	if (socket == NULL)
		return -1;
	h->nlmsg_type = RTM_GETLINK;
	h->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	h->nlmsg_seq = 1;
	info = mnl_nlmsg_put_extra_header(h, sizeof(*info));
	info->ifi_family = AF_UNSPEC;
	r = ask(socket, h, on_link, walk);
	saved = errno;
	mnl_socket_close(socket);
	errno = saved;
	return r;
}

/* The list says of itself that it is broken (EINTR) when interfaces come or go while it is read. */
int
bpf_netdev_each(void (*fn)(void *user, const struct bpf_netdev *dev), void *user)
{
	struct walk walk = {fn, user};
	int r = walk_all(&walk);

	for (int i = 1; i < TRIES && r != 0 && errno == EINTR; i++)
		r = walk_all(&walk);
	return r;
}

static struct nlmsghdr *
generic(char request[REQUEST_MAX], struct bpf_netdev_features *f, uint16_t type, uint8_t command)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(request);
	struct genlmsghdr *g;

	h->nlmsg_type = type;
	h->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	h->nlmsg_seq = ++f->seq;
	g = mnl_nlmsg_put_extra_header(h, sizeof(*g));
	g->cmd = command;
	g->version = 1;
	return h;
}

static int
on_family_attribute(const struct nlattr *attr, void *user)
{
	uint16_t *family = user;

	if (mnl_attr_get_type(attr) == CTRL_ATTR_FAMILY_ID && mnl_attr_validate(attr, MNL_TYPE_U16) == 0)
		*family = mnl_attr_get_u16(attr);
	return MNL_CB_OK;
}

static int
on_family(const struct nlmsghdr *h, void *user)
{
	return mnl_attr_parse(h, sizeof(struct genlmsghdr), on_family_attribute, user);
}

struct bpf_netdev_features *
bpf_netdev_features_open(void)
{
	struct bpf_netdev_features *f = calloc(1, sizeof(*f));
	char request[REQUEST_MAX];
	struct nlmsghdr *h;

	if (f == NULL)
		return NULL;
	f->socket = open_socket(NETLINK_GENERIC);
	if (f->socket != NULL) {
		h = generic(request, f, GENL_ID_CTRL, CTRL_CMD_GETFAMILY);
		mnl_attr_put_strz(h, CTRL_ATTR_FAMILY_NAME, "netdev");
		if (ask(f->socket, h, on_family, &f->family) == 0 && f->family != 0)
			return f;
	}
	bpf_netdev_features_close(f);
	errno = ENOTSUP;
	return NULL;
}

void
bpf_netdev_features_close(struct bpf_netdev_features *f)
{
	if (f == NULL)
		return;
	if (f->socket != NULL)
		mnl_socket_close(f->socket);
	free(f);
}

static int
on_features_attribute(const struct nlattr *attr, void *user)
{
	uint64_t *features = user;

	if (mnl_attr_get_type(attr) == NETDEV_XDP_FEATURES && mnl_attr_validate(attr, MNL_TYPE_U64) == 0)
		*features = mnl_attr_get_u64(attr);
	return MNL_CB_OK;
}

static int
on_features(const struct nlmsghdr *h, void *user)
{
	return mnl_attr_parse(h, sizeof(struct genlmsghdr), on_features_attribute, user);
}

bool
bpf_netdev_sends_xdp(struct bpf_netdev_features *f, uint32_t ifindex)
{
	char request[REQUEST_MAX];
	struct nlmsghdr *h = generic(request, f, f->family, NETDEV_GET);
	uint64_t features = 0;

	mnl_attr_put_u32(h, NETDEV_IFINDEX, ifindex);
	return ask(f->socket, h, on_features, &features) == 0 && (features & NETDEV_FEATURE_XMIT) != 0;
}
