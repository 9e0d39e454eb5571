#include "sys/gresock.h"

#include <errno.h>
#include <linux/filter.h>
#include <net/if.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

enum {
	GRE_VERSION_MASK = 7,
	GRE_VERSION = 1,
	GRE_PROTOCOL = 0x880B,
	FULL_WAIT_MS = 10,
};

/* A raw IPv4 socket's filter sees the IP header, whose length it puts into X; an IPv6 one sees GRE, so X stays 0. A socket
 * filter runs on what was put together from fragments. */
static int
attach_filter(int fd, uint8_t family, uint16_t shard, uint16_t shards)
{
	struct sock_filter code[] = {
	    family == 4 ? (struct sock_filter)BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0)
			: (struct sock_filter)BPF_STMT(BPF_LDX | BPF_W | BPF_IMM, 0),
	    BPF_STMT(BPF_LD | BPF_H | BPF_IND, 0),
	    BPF_STMT(BPF_ALU | BPF_AND | BPF_K, GRE_VERSION_MASK),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, GRE_VERSION, 0, 6),
	    BPF_STMT(BPF_LD | BPF_H | BPF_IND, 2),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, GRE_PROTOCOL, 0, 4),
	    BPF_STMT(BPF_LD | BPF_H | BPF_IND, 6),
	    BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, shards),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, shard, 0, 1),
	    BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
	    BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog prog = {sizeof(code) / sizeof(code[0]), code};

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog));
}

/* Beyond rmem_max as root; as far as the limit goes without (for tests in a user namespace). */
static void
set_buffers(int fd)
{
	int size = GRESOCK_BUFFER;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) != 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) != 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
}

static int
close_failed(int fd)
{
	int saved = errno;

	close(fd);
	errno = saved;
	return -1;
}

static socklen_t
fill_name(struct sockaddr_in6 *name, const struct addr *a)
{
	struct sockaddr_in in = {.sin_family = AF_INET};

	if (a->family == 4) {
		memcpy(&in.sin_addr, a->bytes, 4);
		memcpy(name, &in, sizeof(in));
		return sizeof(in);
	}
	memset(name, 0, sizeof(*name));
	name->sin6_family = AF_INET6;
	memcpy(&name->sin6_addr, a->bytes, 16);
	return sizeof(*name);
}

/* An IPv6 raw socket gives packets without their header, so the destination comes beside them. */
static int
set_transparent(int fd, uint8_t family)
{
	const int on = 1;

	if (family == 4)
		return setsockopt(fd, IPPROTO_IP, IP_TRANSPARENT, &on, sizeof(on));
	if (setsockopt(fd, IPPROTO_IPV6, IPV6_TRANSPARENT, &on, sizeof(on)) != 0)
		return -1;
	return setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on));
}

static int
set_up(int fd, uint8_t family, const struct addr *local, uint32_t mark, const char *ifname)
{
	struct sockaddr_in6 name;
	socklen_t namelen;

	if (mark != 0 && setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark)) != 0)
		return -1;
	if (ifname != NULL && ifname[0] != '\0' &&
	    setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, ifname, (socklen_t)strnlen(ifname, IF_NAMESIZE)) != 0)
		return -1;
	if (local == NULL || local->family == 0)
		return 0;
	if (local->family != family) {
		errno = EAFNOSUPPORT;
		return -1;
	}
	namelen = fill_name(&name, local);
	return bind(fd, (const struct sockaddr *)&name, namelen);
}

static int
open_filtered(uint8_t family, uint16_t shard, uint16_t shards)
{
	int fd;

	if (shards == 0 || shard >= shards || (family != 4 && family != 6)) {
		errno = EINVAL;
		return -1;
	}
	fd = socket(family == 4 ? AF_INET : AF_INET6, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_GRE);
	if (fd < 0)
		return -1;
	set_buffers(fd);
	if (attach_filter(fd, family, shard, shards) == 0)
		return fd;
	return close_failed(fd);
}

int
gresock_open(uint8_t family, const struct addr *local, uint16_t shard, uint16_t shards, uint32_t mark, const char *ifname)
{
	int fd = open_filtered(family, shard, shards);

	return fd < 0 || set_up(fd, family, local, mark, ifname) == 0 ? fd : close_failed(fd);
}

int
gresock_open_transparent(uint8_t family, const struct addr *local, uint16_t shard, uint16_t shards, uint32_t mark, const char *ifname)
{
	int fd = open_filtered(family, shard, shards);

	return fd < 0 || (set_transparent(fd, family) == 0 && set_up(fd, family, local, mark, ifname) == 0) ? fd : close_failed(fd);
}

void
gresock_reader_init(struct gresock_reader *r, int fd, uint8_t family)
{
	memset(r, 0, sizeof(*r));
	r->fd = fd;
	r->family = family;
	for (unsigned i = 0; i < GRESOCK_BATCH; i++) {
		r->msgs[i].msg_hdr.msg_iov = &r->iov[i];
		r->msgs[i].msg_hdr.msg_iovlen = 1;
		r->msgs[i].msg_hdr.msg_name = &r->names[i];
	}
}

unsigned
gresock_recv(struct gresock_reader *r, uint8_t *const *bufs, size_t buflen, unsigned max)
{
	int n;

	for (unsigned i = 0; i < max; i++) {
		r->iov[i] = (struct iovec){bufs[i], buflen};
		r->msgs[i].msg_hdr.msg_namelen = sizeof(r->names[i]);
		r->msgs[i].msg_hdr.msg_controllen = r->destinations ? GRESOCK_CONTROL_LEN : 0;
	}
	n = recvmmsg(r->fd, r->msgs, max, MSG_DONTWAIT, NULL);
	return n > 0 ? (unsigned)n : 0;
}

bool
gresock_packet(const struct gresock_reader *r, unsigned i, uint8_t **gre, size_t *grelen, struct addr *source)
{
	const struct mmsghdr *m = &r->msgs[i];
	uint8_t *data = r->iov[i].iov_base;
	size_t skip = 0;

	if ((m->msg_hdr.msg_flags & MSG_TRUNC) != 0)
		return false;
	memset(source, 0, sizeof(*source));
	source->family = r->family;
	if (r->family == 4) {
		if (m->msg_len < 20)
			return false;
		skip = (size_t)(data[0] & 15) * 4;
		memcpy(source->bytes, data + 12, 4);
	} else {
		memcpy(source->bytes, &r->names[i].sin6_addr, 16);
	}
	if (m->msg_len < skip)
		return false;
	*gre = data + skip;
	*grelen = m->msg_len - skip;
	return true;
}

void
gresock_reader_destinations(struct gresock_reader *r)
{
	r->destinations = true;
	for (unsigned i = 0; i < GRESOCK_BATCH; i++)
		r->msgs[i].msg_hdr.msg_control = r->control[i];
}

bool
gresock_destination(const struct gresock_reader *r, unsigned i, struct addr *destination)
{
	struct msghdr m = r->msgs[i].msg_hdr;
	struct in6_pktinfo info;

	memset(destination, 0, sizeof(*destination));
	destination->family = r->family;
	if (r->family == 4) {
		memcpy(destination->bytes, (uint8_t *)r->iov[i].iov_base + 16, 4);
		return true;
	}
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c != NULL; c = CMSG_NXTHDR(&m, c)) {
		if (c->cmsg_level != IPPROTO_IPV6 || c->cmsg_type != IPV6_PKTINFO || c->cmsg_len < CMSG_LEN(sizeof(info)))
			continue;
		memcpy(&info, CMSG_DATA(c), sizeof(info));
		memcpy(destination->bytes, &info.ipi6_addr, 16);
		return true;
	}
	return false;
}

void
gresock_writer_init(struct gresock_writer *w, int fd, uint8_t family, bool pktinfo)
{
	memset(w, 0, sizeof(*w));
	w->fd = fd;
	w->family = family;
	w->pktinfo = pktinfo;
	for (unsigned i = 0; i < GRESOCK_BATCH; i++) {
		w->msgs[i].msg_hdr.msg_iov = &w->iov[i];
		w->msgs[i].msg_hdr.msg_iovlen = 1;
		w->msgs[i].msg_hdr.msg_name = &w->names[i];
	}
}

static void
set_source(struct msghdr *m, uint8_t *control, const struct addr *source)
{
	struct in_pktinfo info4 = {0};
	struct in6_pktinfo info6 = {0};
	struct cmsghdr *c;

	m->msg_control = control;
	m->msg_controllen = source->family == 4 ? CMSG_SPACE(sizeof(info4)) : CMSG_SPACE(sizeof(info6));
	c = CMSG_FIRSTHDR(m);
	if (source->family == 4) {
		memcpy(&info4.ipi_spec_dst, source->bytes, 4);
		c->cmsg_level = IPPROTO_IP;
		c->cmsg_type = IP_PKTINFO;
		c->cmsg_len = CMSG_LEN(sizeof(info4));
		memcpy(CMSG_DATA(c), &info4, sizeof(info4));
	} else {
		memcpy(&info6.ipi6_addr, source->bytes, 16);
		c->cmsg_level = IPPROTO_IPV6;
		c->cmsg_type = IPV6_PKTINFO;
		c->cmsg_len = CMSG_LEN(sizeof(info6));
		memcpy(CMSG_DATA(c), &info6, sizeof(info6));
	}
}

void
gresock_push(struct gresock_writer *w, uint8_t *gre, size_t grelen, const struct addr *source, const struct addr *destination)
{
	unsigned i = w->count++;
	struct msghdr *m = &w->msgs[i].msg_hdr;

	w->iov[i] = (struct iovec){gre, grelen};
	m->msg_namelen = fill_name(&w->names[i], destination);
	m->msg_control = NULL;
	m->msg_controllen = 0;
	if (w->pktinfo && source->family == w->family)
		set_source(m, w->control[i], source);
}

static bool
wait_writable(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};

	return poll(&p, 1, FULL_WAIT_MS) == 1;
}

unsigned
gresock_flush(struct gresock_writer *w)
{
	unsigned at = 0, failed = 0;
	bool waited = false;

	while (at < w->count) {
		int n = sendmmsg(w->fd, w->msgs + at, w->count - at, MSG_DONTWAIT);

		if (n > 0) {
			at += (unsigned)n;
			continue;
		}
		if (errno == EINTR)
			continue;
		if (errno == EAGAIN && !waited) {
			waited = true;
			if (wait_writable(w->fd))
				continue;
		}
		/* This packet can't go (no route, no memory, too big): the ones behind it may be another call's. */
		at++;
		failed++;
	}
	w->count = 0;
	return failed;
}
