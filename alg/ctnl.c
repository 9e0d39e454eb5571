#include "alg/ctnl.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <libnetfilter_conntrack/linux_nfnetlink_conntrack.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>

/* An entry with both tuples, both translations of IPv6, status and time-out takes less than 400 bytes. */
enum { CTNL_OP_BYTES = 1024, CTNL_REPLY_BYTES = 16384 };

struct ctnl {
	struct mnl_socket *socket;
	uint32_t seq;
	union {
		struct nlmsghdr align;
		char bytes[CTNL_MAX_OPS * CTNL_OP_BYTES];
	} request;
	char reply[CTNL_REPLY_BYTES];
};

struct ctnl *
ctnl_open(void)
{
	struct ctnl *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->socket = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	if (c->socket == NULL || mnl_socket_bind(c->socket, 0, MNL_SOCKET_AUTOPID) < 0) {
		int saved = errno;

		ctnl_close(c);
		errno = saved;
		return NULL;
	}
	return c;
}

void
ctnl_close(struct ctnl *c)
{
	if (c == NULL)
		return;
	if (c->socket != NULL)
		mnl_socket_close(c->socket);
	free(c);
}

/* --- addresses and keys ----------------------------------------------------- */

struct tuple_attrs {
	enum nf_conntrack_attr l3, l4, src4, dst4, src6, dst6, sport, dport;
};

static const struct tuple_attrs tuples[] = {
    [CTNL_ORIGINAL] = {ATTR_ORIG_L3PROTO, ATTR_ORIG_L4PROTO, ATTR_ORIG_IPV4_SRC, ATTR_ORIG_IPV4_DST, ATTR_ORIG_IPV6_SRC, ATTR_ORIG_IPV6_DST,
	ATTR_ORIG_PORT_SRC, ATTR_ORIG_PORT_DST},
    [CTNL_REPLY] = {ATTR_REPL_L3PROTO, ATTR_REPL_L4PROTO, ATTR_REPL_IPV4_SRC, ATTR_REPL_IPV4_DST, ATTR_REPL_IPV6_SRC, ATTR_REPL_IPV6_DST,
	ATTR_REPL_PORT_SRC, ATTR_REPL_PORT_DST},
};

void
ctnl_set(struct nf_conntrack *ct, enum ctnl_tuple which, uint8_t proto, const struct addr *src, const struct addr *dst, uint16_t sport,
    uint16_t dport)
{
	const struct tuple_attrs *t = &tuples[which];
	bool v6 = src->family == 6;

	nfct_set_attr_u8(ct, t->l3, v6 ? AF_INET6 : AF_INET);
	nfct_set_attr_u8(ct, t->l4, proto);
	nfct_set_attr(ct, v6 ? t->src6 : t->src4, src->bytes);
	nfct_set_attr(ct, v6 ? t->dst6 : t->dst4, dst->bytes);
	nfct_set_attr_u16(ct, t->sport, htons(sport));
	nfct_set_attr_u16(ct, t->dport, htons(dport));
}

static struct addr
get_addr(const struct nf_conntrack *ct, enum nf_conntrack_attr v4, enum nf_conntrack_attr v6)
{
	const void *bytes = nfct_get_attr(ct, v4);

	if (bytes != NULL)
		return addr_v4(bytes);
	bytes = nfct_get_attr(ct, v6);
	return bytes != NULL ? addr_v6(bytes) : (struct addr){0};
}

void
ctnl_get(const struct nf_conntrack *ct, enum ctnl_tuple which, struct addr *src, struct addr *dst, uint16_t *sport, uint16_t *dport)
{
	const struct tuple_attrs *t = &tuples[which];

	*src = get_addr(ct, t->src4, t->src6);
	*dst = get_addr(ct, t->dst4, t->dst6);
	*sport = ntohs(nfct_get_attr_u16(ct, t->sport));
	*dport = ntohs(nfct_get_attr_u16(ct, t->dport));
}

/* --- requests ----------------------------------------------------------------- */

static struct nlmsghdr *
build(struct ctnl *c, char *at, const struct ctnl_op *op)
{
	static const struct {
		uint16_t type, flags;
	} kinds[] = {
	    [CTNL_GET] = {IPCTNL_MSG_CT_GET, 0},
	    [CTNL_CREATE] = {IPCTNL_MSG_CT_NEW, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK},
	    [CTNL_DELETE] = {IPCTNL_MSG_CT_DELETE, NLM_F_ACK},
	};
	struct nlmsghdr *h = mnl_nlmsg_put_header(at);
	struct nfgenmsg *nfh = mnl_nlmsg_put_extra_header(h, sizeof(*nfh));

	h->nlmsg_type = (uint16_t)((NFNL_SUBSYS_CTNETLINK << 8) | kinds[op->type].type);
	h->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | kinds[op->type].flags);
	h->nlmsg_seq = ++c->seq;
	nfh->nfgen_family = nfct_get_attr_u8(op->what, ATTR_ORIG_L3PROTO);
	nfh->version = NFNETLINK_V0;
	if (nfct_nlmsg_build(h, op->what) != 0)
		return NULL;
	/* The library makes no message without an original tuple, so the tuple of a reply is given as one. */
	if (op->by_reply)
		((struct nlattr *)mnl_nlmsg_get_payload_offset(h, sizeof(*nfh)))->nla_type = CTA_TUPLE_REPLY | NLA_F_NESTED;
	return h;
}

/* An error message, also an acknowledgement, ends its request; so does the answer of a GET, which asks for none. */
static void
take_message(const struct nlmsghdr *h, struct ctnl_op *op)
{
	if (h->nlmsg_type == NLMSG_ERROR) {
		const struct nlmsgerr *e = mnl_nlmsg_get_payload(h);

		op->error = mnl_nlmsg_get_payload_len(h) >= sizeof(*e) ? -e->error : EBADMSG;
	} else {
		op->error = nfct_nlmsg_parse(h, op->answer) < 0 ? EBADMSG : 0;
	}
}

static size_t
take_messages(char *buf, size_t len, struct ctnl_op *ops, size_t n, uint32_t first)
{
	struct nlmsghdr *h = (struct nlmsghdr *)(void *)buf;
	int left = (int)len;
	size_t taken = 0;

	for (; mnl_nlmsg_ok(h, left); h = mnl_nlmsg_next(h, &left)) {
		uint32_t i = h->nlmsg_seq - first;

		/* What an interrupted run left unread has an older number. */
		if (i >= n)
			continue;
		take_message(h, &ops[i]);
		taken++;
	}
	return taken;
}

static int
receive(struct ctnl *c, struct ctnl_op *ops, size_t n, uint32_t first)
{
	for (size_t taken = 0; taken < n;) {
		ssize_t len = mnl_socket_recvfrom(c->socket, c->reply, sizeof(c->reply));

		if (len < 0 && errno == EINTR)
			continue;
		if (len < 0)
			return errno;
		taken += take_messages(c->reply, (size_t)len, ops, n, first);
	}
	return 0;
}

int
ctnl_run(struct ctnl *c, struct ctnl_op *ops, size_t n)
{
	uint32_t first = c->seq + 1;
	size_t used = 0;

	if (n > CTNL_MAX_OPS)
		return EINVAL;
	for (size_t i = 0; i < n; i++) {
		struct nlmsghdr *h = build(c, c->request.bytes + used, &ops[i]);

		if (h == NULL)
			return EINVAL;
		used += NLMSG_ALIGN(h->nlmsg_len);
		ops[i].error = EINPROGRESS;
	}
	while (mnl_socket_sendto(c->socket, c->request.bytes, used) < 0)
		if (errno != EINTR)
			return errno;
	return receive(c, ops, n, first);
}
