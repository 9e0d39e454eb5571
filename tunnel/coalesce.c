#include "tunnel/coalesce.h"

#include <string.h>

#include "base/wire.h"
#include "tunnel/csum.h"

enum {
	MAX_LENGTH = 65535,
	MERGE_FLAGS = IP_TCP_ACK | IP_TCP_PSH,
};

void
coalesce_init(struct coalescer *c, coalesce_write_fn write, void *user)
{
	c->write = write;
	c->user = user;
	c->used = 0;
}

static void
write_single(struct coalescer *c, void *to, uint8_t *packet, size_t len)
{
	static const struct virtio_net_hdr plain;
	struct iovec iov[2] = {{0}, {packet, len}};

	c->write(c->user, to, &plain, iov, 2, 1);
}

/* Makes the first segment's headers those of the whole. */
static void
finish_headers(struct coalesce_slot *s, struct virtio_net_hdr *h)
{
	uint8_t *tcp = s->packet + s->ip.header;
	uint32_t l4len = (uint32_t)(s->length - s->ip.header);

	if (s->ip.version == 4) {
		put_u16(s->packet + 2, (uint16_t)s->length);
		ip_finish_v4(s->packet, s->ip.header);
	} else {
		put_u16(s->packet + 4, (uint16_t)(s->length - IP_V6_HEADER));
	}
	csum_put_partial(tcp + IP_TCP_CHECKSUM, ip_pseudo_sum(&s->ip, s->packet, l4len));
	memset(h, 0, sizeof(*h));
	h->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	h->gso_type = s->ip.version == 4 ? VIRTIO_NET_HDR_GSO_TCPV4 : VIRTIO_NET_HDR_GSO_TCPV6;
	h->hdr_len = (uint16_t)s->headers;
	h->gso_size = (uint16_t)s->gso_size;
	h->csum_start = s->ip.header;
	h->csum_offset = IP_TCP_CHECKSUM;
}

static void
write_slot(struct coalescer *c, struct coalesce_slot *s)
{
	struct virtio_net_hdr h;

	if (s->segments == 1) {
		write_single(c, s->to, s->packet, s->length);
		return;
	}
	finish_headers(s, &h);
	c->write(c->user, s->to, &h, s->iov, s->segments + 1, s->segments);
}

/* The order between flows is of no account: the last slot fills the hole. */
static void
release_slot(struct coalescer *c, struct coalesce_slot *s)
{
	struct coalesce_slot *last = &c->slots[c->used - 1];

	write_slot(c, s);
	if (s != last)
		*s = *last;
	c->used--;
}

void
coalesce_flush(struct coalescer *c)
{
	for (unsigned i = 0; i < c->used; i++)
		write_slot(c, &c->slots[i]);
	c->used = 0;
}

static void
make_key(uint8_t key[COALESCE_KEY], const struct ip_info *ip, const uint8_t *packet)
{
	memset(key, 0, COALESCE_KEY);
	if (ip->version == 4)
		memcpy(key, packet + 12, 8);
	else
		memcpy(key, packet + 8, 32);
	memcpy(key + 32, packet + ip->header, 4);
	key[36] = ip->version;
}

static struct coalesce_slot *
find_slot(struct coalescer *c, const void *to, const uint8_t key[COALESCE_KEY])
{
	for (unsigned i = 0; i < c->used; i++)
		if (memcmp(c->slots[i].key + 32, key + 32, 6) == 0 && c->slots[i].to == to && memcmp(c->slots[i].key, key, 32) == 0)
			return &c->slots[i];
	return NULL;
}

/* A wrong checksum must reach the receiver as it is: joining would make it right. */
static bool
checksums_right(const struct ip_info *ip, const uint8_t *packet)
{
	size_t l4len = ip->length - ip->header;

	if (ip->version == 4 && csum_fold(csum_add(0, packet, ip->header)) != 0xffff)
		return false;
	return csum_fold(csum_add(ip_pseudo_sum(ip, packet, (uint32_t)l4len), packet + ip->header, l4len)) == 0xffff;
}

/* Whether a segment may be joined to another at all; its headers' length, 0: no. */
static size_t
joinable(const struct ip_info *ip, const uint8_t *packet)
{
	size_t tcplen = ip_tcp_header(ip, packet);
	uint8_t flags;

	if (tcplen == 0 || ip->header + tcplen == ip->length)
		return 0;
	if (ip->version == 4 && ip->header != IP_V4_HEADER)
		return 0;
	flags = packet[ip->header + 13];
	if ((flags & ~MERGE_FLAGS) != 0 || (flags & IP_TCP_ACK) == 0)
		return 0;
	return checksums_right(ip, packet) ? ip->header + tcplen : 0;
}

/* TOS, TTL and DF of IPv4, and its identification, which counts up where fragments may need it; class, label and hop limit of IPv6. */
static bool
same_ip(const struct coalesce_slot *s, const struct ip_info *ip, const uint8_t *packet)
{
	if (ip->version == 6)
		return memcmp(s->packet, packet, 4) == 0 && s->packet[7] == packet[7];
	return s->packet[1] == packet[1] && s->packet[8] == packet[8] && s->ip.dont_fragment == ip->dont_fragment &&
	       (ip->dont_fragment || get_u16(packet + 4) == (uint16_t)(get_u16(s->packet + 4) + s->segments));
}

/* Acknowledgement, data offset and options. */
static bool
same_tcp(const struct coalesce_slot *s, const struct ip_info *ip, const uint8_t *packet, size_t headers)
{
	const uint8_t *a = s->packet + s->ip.header, *b = packet + ip->header;
	size_t options = headers - ip->header - IP_TCP_HEADER;

	return memcmp(a + 8, b + 8, 4) == 0 && memcmp(a + IP_TCP_HEADER, b + IP_TCP_HEADER, options) == 0;
}

static bool
fits(const struct coalesce_slot *s, const struct ip_info *ip, const uint8_t *packet, size_t headers)
{
	size_t payload = ip->length - headers;

	return !s->closed && s->headers == headers && payload <= s->gso_size && s->segments < COALESCE_PKTS &&
	       s->length + payload <= MAX_LENGTH && get_u32(packet + ip->header + 4) == s->next_seq && same_ip(s, ip, packet) &&
	       same_tcp(s, ip, packet, headers);
}

static void
append(struct coalesce_slot *s, const struct ip_info *ip, uint8_t *packet, size_t headers)
{
	size_t payload = ip->length - headers;
	uint8_t *first = s->packet + s->ip.header, *tcp = packet + ip->header;

	s->segments++;
	s->iov[s->segments] = (struct iovec){packet + headers, payload};
	s->length += payload;
	s->next_seq += (uint32_t)payload;
	first[13] |= tcp[13];
	memcpy(first + 14, tcp + 14, 2); /* the newest window */
	s->closed = payload < s->gso_size || (tcp[13] & IP_TCP_PSH) != 0;
}

static void
start(struct coalescer *c, void *to, const struct ip_info *ip, uint8_t *packet, size_t headers, const uint8_t key[COALESCE_KEY])
{
	struct coalesce_slot *s;

	if (c->used == COALESCE_SLOTS)
		release_slot(c, &c->slots[0]);
	s = &c->slots[c->used++];
	s->to = to;
	s->packet = packet;
	s->ip = *ip;
	s->headers = headers;
	s->gso_size = ip->length - headers;
	s->length = ip->length;
	s->next_seq = get_u32(packet + ip->header + 4) + (uint32_t)s->gso_size;
	s->closed = (packet[ip->header + 13] & IP_TCP_PSH) != 0;
	s->segments = 1;
	memcpy(s->key, key, COALESCE_KEY);
	s->iov[1] = (struct iovec){packet, ip->length};
}

void
coalesce_add(struct coalescer *c, void *to, bool join, const struct ip_info *ip, uint8_t *packet)
{
	uint8_t key[COALESCE_KEY];
	struct coalesce_slot *s;
	size_t headers;

	if (!join || ip->proto != IP_PROTO_TCP || ip->fragment || ip->length < (size_t)ip->header + IP_TCP_HEADER) {
		write_single(c, to, packet, ip->length);
		return;
	}
	make_key(key, ip, packet);
	headers = joinable(ip, packet);
	s = find_slot(c, to, key);
	if (s != NULL && headers > 0 && fits(s, ip, packet, headers)) {
		append(s, ip, packet, headers);
		return;
	}
	if (s != NULL)
		release_slot(c, s);
	if (headers > 0)
		start(c, to, ip, packet, headers, key);
	else
		write_single(c, to, packet, ip->length);
}
