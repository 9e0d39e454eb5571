#include "sys/netlink.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sys/netlink_impl.h"

struct nl *
nl_open(void)
{
	struct nl *nl = calloc(1, sizeof(*nl));

	if (nl == NULL)
		return NULL;
	nl->socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	if (nl->socket == NULL || mnl_socket_bind(nl->socket, 0, MNL_SOCKET_AUTOPID) < 0) {
		int saved = errno;

		nl_close(nl);
		errno = saved;
		return NULL;
	}
	return nl;
}

void
nl_close(struct nl *nl)
{
	if (nl == NULL)
		return;
	if (nl->socket != NULL)
		mnl_socket_close(nl->socket);
	free(nl);
}

struct nlmsghdr *
nl_begin(struct nl *nl, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *h;

	memset(&nl->request, 0, sizeof(nl->request));
	h = mnl_nlmsg_put_header(nl->request.bytes);
	h->nlmsg_type = type;
	h->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	h->nlmsg_seq = ++nl->seq;
	return h;
}

int
nl_finish(struct nl *nl, struct nlmsghdr *h, mnl_cb_t fn, void *user)
{
	unsigned port = mnl_socket_get_portid(nl->socket);
	int r = MNL_CB_OK;

	if (mnl_socket_sendto(nl->socket, h, h->nlmsg_len) < 0)
		return -1;
	/* Answers must be read to the end even when one of them was an error, else the next request would read them. */
	while (r == MNL_CB_OK) {
		ssize_t n = mnl_socket_recvfrom(nl->socket, nl->reply, sizeof(nl->reply));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		r = mnl_cb_run(nl->reply, (size_t)n, nl->seq, port, fn, user);
		/* ESRCH and EPROTO are how libmnl says that a message answers another request: a dump that was left early. */
		if (r < 0 && (errno == EPROTO || errno == ESRCH) && ((struct nlmsghdr *)nl->reply)->nlmsg_seq != nl->seq)
			r = MNL_CB_OK;
	}
	return r < 0 ? -1 : 0;
}

uint8_t
nl_family(const struct addr *a)
{
	return a->family == 4 ? AF_INET : AF_INET6;
}

void
nl_put_addr(struct nlmsghdr *h, uint16_t type, const struct addr *a)
{
	mnl_attr_put(h, type, addr_len(a), a->bytes);
}

struct addr
nl_get_addr(uint8_t family, const struct nlattr *a)
{
	uint16_t len = mnl_attr_get_payload_len(a);
	const uint8_t *bytes = mnl_attr_get_payload(a);

	if (family == AF_INET && len == 4)
		return addr_v4(bytes);
	if (family == AF_INET6 && len == 16)
		return addr_v6(bytes);
	return (struct addr){0};
}

/* --- links ---------------------------------------------------------------- */

static struct nlmsghdr *
link_request(struct nl *nl, int ifindex, unsigned flags)
{
	struct nlmsghdr *h = nl_begin(nl, RTM_NEWLINK, NLM_F_ACK);
	struct ifinfomsg *info = mnl_nlmsg_put_extra_header(h, sizeof(*info));

	info->ifi_family = AF_UNSPEC;
	info->ifi_index = ifindex;
	info->ifi_flags = flags;
	info->ifi_change = flags;
	return h;
}

/* Without it the kernel would send router solicitations into the tunnel, which would dial a tunnel on demand. */
static void
no_link_local(struct nl *nl, int ifindex)
{
	struct nlmsghdr *h = link_request(nl, ifindex, 0);
	struct nlattr *spec = mnl_attr_nest_start(h, IFLA_AF_SPEC), *inet6 = mnl_attr_nest_start(h, AF_INET6);

	mnl_attr_put_u8(h, IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
	mnl_attr_nest_end(h, inet6);
	mnl_attr_nest_end(h, spec);
	nl_finish(nl, h, NULL, NULL); /* fails where IPv6 is off: then there is nothing to prevent */
}

int
nl_link_up(struct nl *nl, int ifindex, uint32_t mtu)
{
	struct nlmsghdr *h;

	no_link_local(nl, ifindex);
	h = link_request(nl, ifindex, IFF_UP);
	if (mtu != 0)
		mnl_attr_put_u32(h, IFLA_MTU, mtu);
	return nl_finish(nl, h, NULL, NULL);
}

int
nl_link_mtu(struct nl *nl, int ifindex, uint32_t mtu)
{
	struct nlmsghdr *h = link_request(nl, ifindex, 0);

	mnl_attr_put_u32(h, IFLA_MTU, mtu);
	return nl_finish(nl, h, NULL, NULL);
}

/* --- addresses ------------------------------------------------------------ */

static int
addr_request(struct nl *nl, uint16_t type, uint16_t flags, const struct nl_addr *a)
{
	struct nlmsghdr *h = nl_begin(nl, type, (uint16_t)(NLM_F_ACK | flags));
	struct ifaddrmsg *m = mnl_nlmsg_put_extra_header(h, sizeof(*m));

	m->ifa_family = nl_family(&a->local);
	m->ifa_prefixlen = a->prefix_len;
	m->ifa_index = (uint32_t)a->ifindex;
	if (a->local.family == 6 && type == RTM_NEWADDR)
		m->ifa_flags = IFA_F_NODAD;
	nl_put_addr(h, IFA_LOCAL, &a->local);
	nl_put_addr(h, IFA_ADDRESS, a->peer.family != 0 ? &a->peer : &a->local);
	return nl_finish(nl, h, NULL, NULL);
}

int
nl_addr_add(struct nl *nl, const struct nl_addr *a)
{
	return addr_request(nl, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, a);
}

int
nl_addr_del(struct nl *nl, const struct nl_addr *a)
{
	return addr_request(nl, RTM_DELADDR, 0, a);
}

struct addr_walk {
	bool (*fn)(void *user, const struct nl_addr *a);
	void *user;
	bool ended;
};

static int
addr_message(const struct nlmsghdr *h, void *data)
{
	const struct ifaddrmsg *m = mnl_nlmsg_get_payload(h);
	struct addr_walk *walk = data;
	struct nl_addr a = {.ifindex = (int)m->ifa_index, .prefix_len = m->ifa_prefixlen};
	struct addr address = {0};
	struct nlattr *attr;

	NL_EACH_ATTR(attr, mnl_nlmsg_get_payload_offset(h, sizeof(*m)), mnl_nlmsg_get_payload_tail(h))
	{
		if (mnl_attr_get_type(attr) == IFA_LOCAL)
			a.local = nl_get_addr(m->ifa_family, attr);
		else if (mnl_attr_get_type(attr) == IFA_ADDRESS)
			address = nl_get_addr(m->ifa_family, attr);
	}
	if (a.local.family == 0)
		a.local = address; /* IPv6 without a peer has only this one */
	else if (!addr_equal(&a.local, &address))
		a.peer = address;
	if (a.local.family != 0 && !walk->ended)
		walk->ended = walk->fn(walk->user, &a);
	return MNL_CB_OK;
}

/* Calls fn for every address of every link; a true return ends the walk. */
static int
each_addr(struct nl *nl, bool (*fn)(void *user, const struct nl_addr *a), void *user)
{
	struct addr_walk walk = {.fn = fn, .user = user};
	struct nlmsghdr *h = nl_begin(nl, RTM_GETADDR, NLM_F_DUMP);
	struct ifaddrmsg *m = mnl_nlmsg_put_extra_header(h, sizeof(*m));

	m->ifa_family = AF_UNSPEC;
	return nl_finish(nl, h, addr_message, &walk);
}

struct subnet_search {
	const struct addr *a;
	bool (*skip)(void *user, int ifindex);
	void *user;
	int ifindex, len; /* the best so far */
};

static bool
subnet_try(void *user, const struct nl_addr *a)
{
	struct subnet_search *s = user;
	struct prefix subnet = {.addr = a->local, .len = a->prefix_len};
	static const struct prefix loopback = {.addr = {.family = 4, .bytes = {127}}, .len = 8};

	addr_mask(&subnet.addr, subnet.len);
	/* A full-length prefix is no subnet: nobody could ask for neighbours in it. */
	if (a->peer.family != 0 || a->prefix_len == addr_len(&a->local) * 8 || prefix_contains(&loopback, &a->local))
		return false;
	if (prefix_contains(&subnet, s->a) && subnet.len > s->len && (s->skip == NULL || !s->skip(s->user, a->ifindex))) {
		s->ifindex = a->ifindex;
		s->len = subnet.len;
	}
	return false;
}

int
nl_link_of_subnet(struct nl *nl, const struct addr *a, bool (*skip)(void *user, int ifindex), void *user)
{
	struct subnet_search s = {.a = a, .skip = skip, .user = user, .ifindex = -1, .len = -1};

	if (each_addr(nl, subnet_try, &s) != 0)
		return -1;
	if (s.ifindex < 0)
		errno = ENOENT;
	return s.ifindex;
}

/* --- neighbour proxies ------------------------------------------------------ */

static int
proxy_request(struct nl *nl, uint16_t type, uint16_t flags, int ifindex, const struct addr *a)
{
	struct nlmsghdr *h = nl_begin(nl, type, (uint16_t)(NLM_F_ACK | flags));
	struct ndmsg *m = mnl_nlmsg_put_extra_header(h, sizeof(*m));

	m->ndm_family = nl_family(a);
	m->ndm_ifindex = ifindex;
	m->ndm_state = NUD_PERMANENT;
	m->ndm_flags = NTF_PROXY;
	nl_put_addr(h, NDA_DST, a);
	return nl_finish(nl, h, NULL, NULL);
}

int
nl_proxy_add(struct nl *nl, int ifindex, const struct addr *a)
{
	return proxy_request(nl, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, ifindex, a);
}

int
nl_proxy_del(struct nl *nl, int ifindex, const struct addr *a)
{
	return proxy_request(nl, RTM_DELNEIGH, 0, ifindex, a);
}

int
nl_proxy_ndp(int ifindex, bool on, bool *was)
{
	char name[IF_NAMESIZE], path[96], before = '0';
	int fd, saved;
	bool ok;

	if (if_indextoname((unsigned)ifindex, name) == NULL)
		return -1;
	snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/proxy_ndp", name);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -1;
	ok = pread(fd, &before, 1, 0) == 1 && pwrite(fd, on ? "1" : "0", 1, 0) == 1;
	saved = errno;
	close(fd);
	if (was != NULL)
		*was = before != '0';
	errno = saved;
	return ok ? 0 : -1;
}
