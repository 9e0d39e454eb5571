#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "alg/datapath/user_io.h"

enum {
	/* The longest packet, in whole pages but for one cache line, so that the buffers' heads don't share the cache's few lines. */
	BUFFER = 65536 + 64,
	CONTROL = 128,
	IPV6_HEADER = 40,
};

struct user_rx {
	int fd;
	uint8_t family;
	uint8_t *buffers; /* mapped: pages that no packet ever reached are not there */
	struct mmsghdr msgs[USER_BATCH];
	struct iovec iov[USER_BATCH];
	struct sockaddr_in6 names[USER_BATCH];
	uint8_t control[USER_BATCH][CONTROL] __attribute__((aligned(8)));
};

/* An IPv4 socket gives the header itself. It also learns the path's MTU without being asked to tell of errors. */
static int
ask_for_header(int fd)
{
	static const int names[] = {IPV6_RECVPKTINFO, IPV6_RECVHOPLIMIT, IPV6_RECVTCLASS, IPV6_RECVERR};
	int on = 1;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (setsockopt(fd, IPPROTO_IPV6, names[i], &on, sizeof(on)) != 0)
			return -1;
	return 0;
}

static void
init_slots(struct user_rx *rx)
{
	for (unsigned i = 0; i < USER_BATCH; i++) {
		struct msghdr *m = &rx->msgs[i].msg_hdr;

		rx->iov[i] = (struct iovec){rx->buffers + (size_t)i * BUFFER, BUFFER};
		m->msg_iov = &rx->iov[i];
		m->msg_iovlen = 1;
		if (rx->family == 6) {
			m->msg_name = &rx->names[i];
			m->msg_control = rx->control[i];
		}
	}
}

struct user_rx *
user_rx_new(int fd, uint8_t family)
{
	struct user_rx *rx;

	if (family == 6 && ask_for_header(fd) != 0)
		return NULL;
	rx = calloc(1, sizeof(*rx));
	if (rx == NULL)
		return NULL;
	rx->fd = fd;
	rx->family = family;
	rx->buffers = mmap(NULL, (size_t)USER_BATCH * BUFFER, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (rx->buffers == MAP_FAILED) {
		free(rx);
		return NULL;
	}
	init_slots(rx);
	return rx;
}

void
user_rx_free(struct user_rx *rx)
{
	if (rx == NULL)
		return;
	munmap(rx->buffers, (size_t)USER_BATCH * BUFFER);
	free(rx);
}

unsigned
user_rx_recv(struct user_rx *rx)
{
	int n;

	if (rx->family == 6) {
		for (unsigned i = 0; i < USER_BATCH; i++) {
			rx->msgs[i].msg_hdr.msg_namelen = sizeof(rx->names[i]);
			rx->msgs[i].msg_hdr.msg_controllen = sizeof(rx->control[i]);
		}
	}
	n = recvmmsg(rx->fd, rx->msgs, USER_BATCH, MSG_DONTWAIT, NULL);
	return n > 0 ? (unsigned)n : 0;
}

void
user_rx_errors(struct user_rx *rx)
{
	struct msghdr m = {0};

	for (unsigned i = 0; i < USER_BATCH && recvmsg(rx->fd, &m, MSG_ERRQUEUE | MSG_DONTWAIT) >= 0; i++)
		m = (struct msghdr){0};
}

static void
take_control(struct user_packet *p, const struct cmsghdr *c)
{
	struct in6_pktinfo info;
	int value;

	if (c->cmsg_level != IPPROTO_IPV6)
		return;
	if (c->cmsg_type == IPV6_PKTINFO && c->cmsg_len >= CMSG_LEN(sizeof(info))) {
		memcpy(&info, CMSG_DATA(c), sizeof(info));
		p->dst = addr_v6(info.ipi6_addr.s6_addr);
	} else if ((c->cmsg_type == IPV6_HOPLIMIT || c->cmsg_type == IPV6_TCLASS) && c->cmsg_len >= CMSG_LEN(sizeof(value))) {
		memcpy(&value, CMSG_DATA(c), sizeof(value));
		if (c->cmsg_type == IPV6_HOPLIMIT)
			p->hops = (uint8_t)value;
		else
			p->tos = (uint8_t)value;
	}
}

static bool
packet_ipv6(const struct user_rx *rx, unsigned i, struct user_packet *p, enum datapath_user_drop *why)
{
	struct msghdr m = rx->msgs[i].msg_hdr;
	size_t len = rx->msgs[i].msg_len;

	*p = (struct user_packet){.length = len + IPV6_HEADER};
	p->src = addr_v6(rx->names[i].sin6_addr.s6_addr);
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c != NULL; c = CMSG_NXTHDR(&m, c))
		take_control(p, c);
	return user_packet_gre(p, rx->iov[i].iov_base, len, why);
}

bool
user_rx_packet(const struct user_rx *rx, unsigned i, struct user_packet *p, enum datapath_user_drop *why)
{
	if ((rx->msgs[i].msg_hdr.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
		*why = USER_SHORT;
		return false;
	}
	if (rx->family == 6)
		return packet_ipv6(rx, i, p, why);
	return user_packet_ipv4(p, rx->iov[i].iov_base, rx->msgs[i].msg_len, why);
}
