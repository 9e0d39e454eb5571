/* pptpeer's GRE: each packet carries a number of its own, by which it is known wherever and however it arrives. */
#include <errno.h>
#include <netinet/ip.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/wire.h"
#include "sys/sockaddr.h"
#include "tests/e2e/pptpeer.h"

enum { GRE_HEADER = 12, GRE_MAX = 9000, GRE_MISSING_MS = 120 };

struct packet {
	struct addr from, to;
	uint16_t call_id;
	uint32_t sequence, number;
};

struct order {
	struct packet packet;
	uint32_t size, times, version;
	bool options;
};

static uint32_t numbers; /* packets made so far */

bool
gre_open(struct ns *ns)
{
	int space = 4 << 20;

	ns->gre4 = ns_socket(ns, 4, SOCK_RAW, IPPROTO_GRE);
	ns->gre6 = ns_socket(ns, 6, SOCK_RAW, IPPROTO_GRE);
	if (ns->gre4 < 0 || ns->gre6 < 0)
		return fail("no raw socket: %s", strerror(errno));
	setsockopt(ns->gre6, IPPROTO_IPV6, IPV6_RECVPKTINFO, &(int){1}, sizeof(int));
	setsockopt(ns->gre4, SOL_SOCKET, SO_RCVBUFFORCE, &space, sizeof(space));
	setsockopt(ns->gre6, SOL_SOCKET, SO_RCVBUFFORCE, &space, sizeof(space));
	return true;
}

/* --- sending ------------------------------------------------------------------------------------------------------- */

/* Before GRE: for IPv6 what a tunnel's end may put there (RFC 2473, section 4.1.1), for IPv4 three times "no operation". */
static void
put_options(int fd, uint8_t family)
{
	static const uint8_t v4[4] = {1, 1, 1, 0}, v6[8] = {0, 0, 4, 1, 4, 1, 1, 0};

	if (family == 4) {
		setsockopt(fd, IPPROTO_IP, IP_OPTIONS, v4, sizeof(v4));
		return;
	}
	setsockopt(fd, IPPROTO_IPV6, IPV6_DSTOPTS, v6, sizeof(v6));
}

/* A socket of its own, bound to the source, which need not be an address of the namespace. */
static int
sender(const struct end *e, const struct order *o)
{
	const struct packet *p = &o->packet;
	struct sockaddr_storage ss;
	socklen_t len = sockaddr_make(&ss, &p->from, 0);
	int fd = ns_socket(e->ns, p->to.family, SOCK_RAW, IPPROTO_GRE);

	if (fd < 0)
		return -1;
	if (p->to.family == 4) {
		setsockopt(fd, IPPROTO_IP, IP_TRANSPARENT, &(int){1}, sizeof(int));
		setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &(int){IP_PMTUDISC_DONT}, sizeof(int));
	} else {
		setsockopt(fd, IPPROTO_IPV6, IPV6_TRANSPARENT, &(int){1}, sizeof(int));
	}
	if (o->options)
		put_options(fd, p->to.family);
	if (bind(fd, (struct sockaddr *)&ss, len) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/* RFC 2637 section 4.1: key and sequence number present. */
static bool
send_packet(const struct end *e, const struct order *o)
{
	uint8_t bytes[GRE_HEADER + GRE_MAX] = {0x30, (uint8_t)o->version, 0x88, 0x0b};
	const struct packet *p = &o->packet;
	struct sockaddr_storage ss;
	socklen_t len = sockaddr_make(&ss, &p->to, 0);
	int fd = sender(e, o);
	bool good;

	if (fd < 0)
		return fail("%s can't send GRE: %s", e->name, strerror(errno));
	put_u16(bytes + 4, (uint16_t)o->size);
	put_u16(bytes + 6, p->call_id);
	put_u32(bytes + 8, p->sequence);
	put_u32(bytes + GRE_HEADER, p->number);
	for (uint32_t i = 4; i < o->size; i++)
		bytes[GRE_HEADER + i] = (uint8_t)(i * 7);
	good = sendto(fd, bytes, GRE_HEADER + o->size, 0, (struct sockaddr *)&ss, len) >= 0;
	if (!good)
		fail("%s can't send GRE: %s", e->name, strerror(errno));
	close(fd);
	return good;
}

/* --- hearing ------------------------------------------------------------------------------------------------------- */

static bool
parse(struct packet *p, const uint8_t *gre, size_t len, const struct order *o)
{
	uint32_t size = o->size;

	if (len != GRE_HEADER + size || get_u16(gre) != (0x3000 | o->version))
		return false;
	p->call_id = get_u16(gre + 6);
	p->sequence = get_u32(gre + 8);
	p->number = get_u32(gre + GRE_HEADER);
	for (uint32_t i = 4; i < size; i++)
		if (gre[GRE_HEADER + i] != (uint8_t)(i * 7))
			return false;
	return true;
}

static bool
hear4(int fd, struct packet *p, const struct order *o)
{
	uint8_t bytes[60 + GRE_HEADER + GRE_MAX];
	ssize_t n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
	size_t header = (bytes[0] & 15U) * 4U;

	if (n < 20 || (size_t)n < header)
		return false;
	p->from = addr_v4(bytes + 12);
	p->to = addr_v4(bytes + 16);
	return parse(p, bytes + header, (size_t)n - header, o);
}

static bool
hear6(int fd, struct packet *p, const struct order *o)
{
	uint8_t bytes[GRE_HEADER + GRE_MAX];
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(struct in6_pktinfo))];
	} control;
	struct sockaddr_in6 from;
	struct iovec iov = {bytes, sizeof(bytes)};
	struct msghdr msg = {&from, sizeof(from), &iov, 1, &control, sizeof(control), 0};
	ssize_t n = recvmsg(fd, &msg, MSG_DONTWAIT);
	struct cmsghdr *c = n >= 0 ? CMSG_FIRSTHDR(&msg) : NULL;
	struct in6_pktinfo info;

	if (n < GRE_HEADER || c == NULL)
		return false;
	memcpy(&info, CMSG_DATA(c), sizeof(info));
	p->from = addr_v6((const uint8_t *)&from.sin6_addr);
	p->to = addr_v6((const uint8_t *)&info.ipi6_addr);
	return parse(p, bytes, (size_t)n, o);
}

/* Waits in a namespace for the packet with this number, of either family. */
static bool
hear(const struct ns *ns, const struct order *o, struct packet *p, int64_t until)
{
	struct pollfd fds[2] = {{.fd = ns->gre4, .events = POLLIN}, {.fd = ns->gre6, .events = POLLIN}};

	for (;;) {
		int64_t left = until - now_ms();

		if (poll(fds, 2, left > 0 ? (int)left : 0) <= 0)
			return false;
		if ((fds[0].revents & POLLIN) != 0 && hear4(ns->gre4, p, o) && p->number == o->packet.number)
			return true;
		if ((fds[1].revents & POLLIN) != 0 && hear6(ns->gre6, p, o) && p->number == o->packet.number)
			return true;
	}
}

/* What came before makes room for what is to come. */
static void
drain(const struct ns *ns)
{
	uint8_t byte;

	while (recv(ns->gre4, &byte, 1, MSG_DONTWAIT) >= 0)
		;
	while (recv(ns->gre6, &byte, 1, MSG_DONTWAIT) >= 0)
		;
}

/* --- commands ------------------------------------------------------------------------------------------------------ */

static bool
take_order(struct order *o, struct end *e, struct words *w)
{
	uint32_t id;

	*o = (struct order){.packet = {.from = e->local, .to = e->remote}, .size = 64, .times = 1, .version = 1};
	if (!next_number(w, &id))
		return false;
	o->packet.call_id = (uint16_t)id;
	for (;;) {
		bool good = true;

		if (take_word(w, "from"))
			good = next_addr(w, &o->packet.from);
		else if (take_word(w, "to"))
			good = next_addr(w, &o->packet.to);
		else if (take_word(w, "size"))
			good = next_number(w, &o->size) && (o->size >= 4 && o->size <= GRE_MAX);
		else if (take_word(w, "times"))
			good = next_number(w, &o->times);
		else if (take_word(w, "version"))
			good = next_number(w, &o->version) && o->version <= 7;
		else if (take_word(w, "options"))
			o->options = true;
		else
			return o->packet.to.family != 0 || fail("%s has nobody to send to", e->name);
		if (!good)
			return fail("what GRE is %s to send?", e->name);
	}
}

static bool
arrived(const struct packet *p, const char *id, struct words *w)
{
	char text[ADDR_TEXT_MAX];
	struct addr from;

	if (!matches("the call id", id, p->call_id))
		return false;
	if (!take_word(w, "from"))
		return true;
	if (!next_addr(w, &from))
		return false;
	return addr_equal(&from, &p->from) || fail("the packet comes from %s", addr_text(&p->from, text));
}

static bool
reaches(const struct order *o, struct words *w)
{
	const struct end *to = find_end(next_word(w));
	struct packet p;

	if (to == NULL)
		return false;
	if (!take_word(w, "as"))
		return fail("as which call id?");
	if (!hear(to->ns, o, &p, now_ms() + patience_ms))
		return fail("the packet does not reach %s", to->name);
	trace("%s hears GRE with call id %u", to->name, p.call_id);
	if (to->local.family != 0 && !addr_equal(&p.to, &to->local))
		return fail("the packet reaches another address of %s", to->name);
	return arrived(&p, next_word(w), w);
}

/* Sends the same again, with the next number. */
static bool
send_next(const struct end *e, struct order *o)
{
	o->packet.number = o->packet.sequence = ++numbers;
	return send_packet(e, o);
}

static bool
misses(const struct order *o, const struct end *to)
{
	char text[ADDR_TEXT_MAX];
	struct packet p;

	if (to == NULL)
		return false;
	if (hear(to->ns, o, &p, now_ms() + GRE_MISSING_MS))
		return fail("the packet reaches %s with call id %u from %s", to->name, p.call_id, addr_text(&p.from, text));
	return true;
}

static bool
fades(const struct end *e, struct order *o, const struct end *to)
{
	int64_t until = now_ms() + patience_ms;

	while (!misses(o, to)) {
		if (to == NULL || now_ms() > until)
			return false;
		usleep(5000);
		if (!send_next(e, o))
			return false;
	}
	return true;
}

/* `from` may stand before the end. */
static const struct end *
hearer(const struct words *w)
{
	size_t at = w->at + 1;

	if (at < w->n && strcmp(w->w[at], "from") == 0)
		at++;
	return at < w->n ? find_end(w->w[at]) : NULL;
}

bool
gre_sends(struct end *e, struct words *w)
{
	const struct end *to;
	struct order o;

	if (!take_order(&o, e, w))
		return false;
	to = hearer(w);
	if (to != NULL)
		drain(to->ns);
	for (uint32_t i = 0; i < o.times; i++)
		if (!send_next(e, &o))
			return false;
	trace("%s sends GRE with call id %u", e->name, o.packet.call_id);
	if (take_word(w, "reaches"))
		return reaches(&o, w);
	if (take_word(w, "misses"))
		return misses(&o, find_end(next_word(w)));
	if (take_word(w, "fades") && take_word(w, "from"))
		return fades(e, &o, find_end(next_word(w)));
	return true;
}
