#include "tunnel/segment.h"

#include <string.h>

#include "base/wire.h"
#include "sys/tunq.h"
#include "tunnel/csum.h"

/* Whether the transport that h speaks of is the one in the packet; finds where its payload begins. */
static bool
init_gso(struct segmenter *s, const struct virtio_net_hdr *h)
{
	uint8_t type = h->gso_type & (uint8_t)~VIRTIO_NET_HDR_GSO_ECN;
	bool tcp = (type == VIRTIO_NET_HDR_GSO_TCPV4 && s->ip.version == 4) || (type == VIRTIO_NET_HDR_GSO_TCPV6 && s->ip.version == 6);

	s->gso_size = h->gso_size;
	if (s->gso_size == 0 || s->ip.fragment)
		return false;
	if (tcp && s->ip.proto == IP_PROTO_TCP) {
		size_t len = ip_tcp_header(&s->ip, s->packet);

		s->headers = s->ip.header + len;
		return len > 0;
	}
	if (type == TUNQ_GSO_UDP_L4 && s->ip.proto == IP_PROTO_UDP) {
		s->headers = (size_t)s->ip.header + IP_UDP_HEADER;
		return s->headers <= s->ip.length;
	}
	return false;
}

bool
segment_init(struct segmenter *s, const uint8_t *packet, size_t packetlen, const struct virtio_net_hdr *h)
{
	memset(s, 0, sizeof(*s));
	s->packet = packet;
	if (!ip_parse(&s->ip, packet, packetlen))
		return false;
	if (h->gso_type != VIRTIO_NET_HDR_GSO_NONE)
		return init_gso(s, h);
	s->needs_csum = (h->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) != 0;
	s->csum_start = h->csum_start;
	s->csum_offset = h->csum_offset;
	return !s->needs_csum || (s->csum_start >= s->ip.header && s->csum_start + s->csum_offset + 2 <= s->ip.length);
}

size_t
segment_max(const struct segmenter *s)
{
	size_t most = s->headers + s->gso_size;

	return s->gso_size == 0 || most > s->ip.length ? s->ip.length : most;
}

static size_t
copy_whole(struct segmenter *s, uint8_t *buf, size_t buflen)
{
	s->done = true;
	if (s->ip.length > buflen)
		return 0;
	memcpy(buf, s->packet, s->ip.length);
	if (s->needs_csum) {
		uint8_t *field = buf + s->csum_start + s->csum_offset;

		csum_put(field, csum_add(0, buf + s->csum_start, s->ip.length - s->csum_start));
		if (s->ip.proto == IP_PROTO_UDP && get_u16(field) == 0)
			put_u16(field, 0xffff);
	}
	return s->ip.length;
}

static void
fix_ip(const struct segmenter *s, uint8_t *buf, size_t len)
{
	if (s->ip.version == 4) {
		put_u16(buf + 2, (uint16_t)len);
		put_u16(buf + 4, (uint16_t)(get_u16(buf + 4) + s->index));
		ip_finish_v4(buf, s->ip.header);
	} else {
		put_u16(buf + 4, (uint16_t)(len - IP_V6_HEADER));
	}
}

/* FIN and PSH belong to the last segment, CWR to the first (RFC 3168 section 6.1.2). */
static void
fix_tcp(const struct segmenter *s, uint8_t *buf, bool last)
{
	uint8_t *tcp = buf + s->ip.header;

	put_u32(tcp + 4, get_u32(tcp + 4) + (uint32_t)s->at);
	if (!last)
		tcp[13] &= (uint8_t) ~(IP_TCP_FIN | IP_TCP_PSH);
	if (s->index > 0)
		tcp[13] &= (uint8_t)~IP_TCP_CWR;
}

static void
finish_transport(const struct segmenter *s, uint8_t *buf, size_t len)
{
	size_t l4len = len - s->ip.header;
	uint8_t *l4 = buf + s->ip.header;
	uint8_t *field = l4 + (s->ip.proto == IP_PROTO_TCP ? IP_TCP_CHECKSUM : IP_UDP_CHECKSUM);

	if (s->ip.proto == IP_PROTO_UDP)
		put_u16(l4 + 4, (uint16_t)l4len);
	put_u16(field, 0);
	csum_put(field, csum_add(ip_pseudo_sum(&s->ip, buf, (uint32_t)l4len), l4, l4len));
	if (s->ip.proto == IP_PROTO_UDP && get_u16(field) == 0)
		put_u16(field, 0xffff);
}

size_t
segment_next(struct segmenter *s, uint8_t *buf, size_t buflen)
{
	size_t left = s->ip.length - s->headers - s->at;
	size_t payload = left < s->gso_size ? left : s->gso_size;
	size_t len = s->headers + payload;

	if (s->done)
		return 0;
	if (s->gso_size == 0)
		return copy_whole(s, buf, buflen);
	s->done = payload == left;
	if (len > buflen) {
		s->done = true;
		return 0;
	}
	memcpy(buf, s->packet, s->headers);
	memcpy(buf + s->headers, s->packet + s->headers + s->at, payload);
	if (s->ip.proto == IP_PROTO_TCP)
		fix_tcp(s, buf, s->done);
	fix_ip(s, buf, len);
	finish_transport(s, buf, len);
	s->at += payload;
	s->index++;
	return len;
}
