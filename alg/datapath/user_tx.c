#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "alg/datapath/user_io.h"

enum {
	FULL_WAIT_MS = 10,
	/* A packet's ancillary data, always these three in this order: source address, hops, tos. */
	HOPS_AT_4 = CMSG_SPACE(sizeof(struct in_pktinfo)),
	HOPS_AT_6 = CMSG_SPACE(sizeof(struct in6_pktinfo)),
	VALUE_SPACE = CMSG_SPACE(sizeof(int)),
	CONTROL = HOPS_AT_6 + 2 * VALUE_SPACE,
};

struct user_tx {
	int fd;
	uint8_t family;
	bool df; /* of the batch, and of the socket */
	unsigned count;
	struct mmsghdr msgs[USER_BATCH];
	struct iovec iov[USER_BATCH];
	struct sockaddr_in6 names[USER_BATCH];
	uint8_t control[USER_BATCH][CONTROL] __attribute__((aligned(8)));
};

/* With DF the kernel still fragments what is longer than the path's MTU, as far as it knows that. */
static int
set_df(struct user_tx *tx, bool df)
{
	int mode = df ? IP_PMTUDISC_WANT : IP_PMTUDISC_DONT;

	tx->df = df;
	return setsockopt(tx->fd, IPPROTO_IP, IP_MTU_DISCOVER, &mode, sizeof(mode));
}

static void
put_header(uint8_t *at, int level, int type, size_t len)
{
	struct cmsghdr c = {.cmsg_level = level, .cmsg_type = type, .cmsg_len = CMSG_LEN(len)};

	memcpy(at, &c, sizeof(c));
}

static size_t
hops_at(const struct user_tx *tx)
{
	return tx->family == 4 ? HOPS_AT_4 : HOPS_AT_6;
}

/* All that is the same for each packet. */
static void
init_slot(struct user_tx *tx, unsigned i)
{
	struct msghdr *m = &tx->msgs[i].msg_hdr;
	uint8_t *c = tx->control[i], *hops = c + hops_at(tx);

	m->msg_iov = &tx->iov[i];
	m->msg_iovlen = 1;
	m->msg_name = &tx->names[i];
	m->msg_namelen = tx->family == 4 ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
	m->msg_control = c;
	m->msg_controllen = hops_at(tx) + 2 * VALUE_SPACE;
	if (tx->family == 4) {
		put_header(c, IPPROTO_IP, IP_PKTINFO, sizeof(struct in_pktinfo));
		put_header(hops, IPPROTO_IP, IP_TTL, sizeof(int));
		put_header(hops + VALUE_SPACE, IPPROTO_IP, IP_TOS, sizeof(int));
	} else {
		put_header(c, IPPROTO_IPV6, IPV6_PKTINFO, sizeof(struct in6_pktinfo));
		put_header(hops, IPPROTO_IPV6, IPV6_HOPLIMIT, sizeof(int));
		put_header(hops + VALUE_SPACE, IPPROTO_IPV6, IPV6_TCLASS, sizeof(int));
	}
}

struct user_tx *
user_tx_new(int fd, uint8_t family)
{
	struct user_tx *tx = calloc(1, sizeof(*tx));

	if (tx == NULL)
		return NULL;
	tx->fd = fd;
	tx->family = family;
	if (family == 4 && set_df(tx, false) != 0) {
		free(tx);
		return NULL;
	}
	for (unsigned i = 0; i < USER_BATCH; i++)
		init_slot(tx, i);
	return tx;
}

void
user_tx_free(struct user_tx *tx)
{
	free(tx);
}

static void
set_addresses(struct user_tx *tx, unsigned i, const struct user_packet *p)
{
	uint8_t *info = tx->control[i] + CMSG_LEN(0);

	if (tx->family == 4) {
		struct sockaddr_in to = {.sin_family = AF_INET};

		memcpy(&to.sin_addr, p->dst.bytes, 4);
		memcpy(&tx->names[i], &to, sizeof(to));
		memcpy(info + offsetof(struct in_pktinfo, ipi_spec_dst), p->src.bytes, 4);
	} else {
		tx->names[i].sin6_family = AF_INET6;
		memcpy(&tx->names[i].sin6_addr, p->dst.bytes, 16);
		memcpy(info + offsetof(struct in6_pktinfo, ipi6_addr), p->src.bytes, 16);
	}
}

unsigned
user_tx_push(struct user_tx *tx, const struct user_packet *p)
{
	unsigned failed = 0, i;
	int hops = p->hops, tos = p->tos;
	uint8_t *values;

	if (tx->family == 4 && p->df != tx->df) {
		failed = user_tx_flush(tx);
		(void)set_df(tx, p->df); /* can't fail: it did not when the socket was made */
	}
	i = tx->count++;
	values = tx->control[i] + hops_at(tx) + CMSG_LEN(0);
	tx->iov[i] = (struct iovec){p->gre, p->grelen};
	set_addresses(tx, i, p);
	memcpy(values, &hops, sizeof(hops));
	memcpy(values + VALUE_SPACE, &tos, sizeof(tos));
	return failed;
}

static bool
wait_writable(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};

	return poll(&p, 1, FULL_WAIT_MS) == 1;
}

unsigned
user_tx_flush(struct user_tx *tx)
{
	unsigned at = 0, failed = 0;
	bool waited = false, again = false;

	while (at < tx->count) {
		int n = sendmmsg(tx->fd, tx->msgs + at, tx->count - at, MSG_DONTWAIT);

		if (n > 0) {
			at += (unsigned)n;
			again = false;
			continue;
		}
		if (errno == EINTR)
			continue;
		/* What routers told of earlier packets is said at the next one, which is not to blame. */
		if (errno != EAGAIN && !again) {
			again = true;
			continue;
		}
		if (errno == EAGAIN && !waited) {
			waited = true;
			if (wait_writable(tx->fd))
				continue;
		}
		/* This one can't go: those behind it may be another call's. */
		at++;
		failed++;
		again = false;
	}
	tx->count = 0;
	return failed;
}
