#include "alg/nfnl.h"

#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <sys/socket.h>

union message {
	struct nlmsghdr align;
	char bytes[16384];
};

static struct nlmsghdr *
build(union message *m, const struct nfnl_question *q)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(m->bytes);
	struct nfgenmsg *g = mnl_nlmsg_put_extra_header(h, sizeof(*g));

	h->nlmsg_type = (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | q->type);
	h->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | (q->dump ? NLM_F_DUMP : NLM_F_ACK));
	h->nlmsg_seq = 1;
	g->nfgen_family = q->family;
	mnl_attr_put(h, q->attr, q->datalen, q->data);
	return h;
}

static int
ask(struct mnl_socket *s, const struct nfnl_question *q, mnl_cb_t fn, void *user)
{
	union message m;
	struct nlmsghdr *h = build(&m, q);
	int more = MNL_CB_OK;

	if (mnl_socket_bind(s, 0, MNL_SOCKET_AUTOPID) != 0 || mnl_socket_sendto(s, h, h->nlmsg_len) < 0)
		return errno;
	while (more == MNL_CB_OK) {
		ssize_t n = mnl_socket_recvfrom(s, m.bytes, sizeof(m));

		if (n < 0)
			return errno;
		more = mnl_cb_run(m.bytes, (size_t)n, 1, mnl_socket_get_portid(s), fn, user);
	}
	return more == MNL_CB_ERROR ? errno : 0;
}

int
nfnl_ask(const struct nfnl_question *q, mnl_cb_t fn, void *user)
{
	struct mnl_socket *s = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	int error;

	if (s == NULL)
		return errno;
	error = ask(s, q, fn, user);
	mnl_socket_close(s);
	return error;
}
