#include "tunnel/ip.h"

#include <string.h>

#include "base/wire.h"
#include "tunnel/csum.h"

enum {
	V4_DONT_FRAGMENT = 0x4000,
	V4_MORE_FRAGMENTS = 0x2000,
	V4_OFFSET_MASK = 0x1fff,
	V6_FRAGMENT_HEADER = 8,
	V6_OFFSET_MASK = 0xfff8,
};

static bool
parse_v4(struct ip_info *ip, const uint8_t *p, size_t len)
{
	uint16_t flags;

	if (len < IP_V4_HEADER)
		return false;
	ip->header = (uint16_t)((p[0] & 15) * 4);
	ip->length = get_u16(p + 2);
	if (ip->header < IP_V4_HEADER || ip->length < ip->header || ip->length > len)
		return false;
	flags = get_u16(p + 6);
	ip->proto = p[9];
	ip->fragment = (flags & (V4_MORE_FRAGMENTS | V4_OFFSET_MASK)) != 0;
	ip->first = (flags & V4_OFFSET_MASK) == 0;
	ip->dont_fragment = (flags & V4_DONT_FRAGMENT) != 0;
	return true;
}

static bool
parse_v6(struct ip_info *ip, const uint8_t *p, size_t len)
{
	if (len < IP_V6_HEADER)
		return false;
	ip->header = IP_V6_HEADER;
	ip->length = (size_t)get_u16(p + 4) + IP_V6_HEADER;
	if (ip->length > len)
		return false;
	ip->proto = p[6];
	ip->fragment = false;
	ip->first = true;
	ip->dont_fragment = true;
	if (ip->proto == IP_PROTO_FRAGMENT6 && ip->length >= IP_V6_HEADER + V6_FRAGMENT_HEADER) {
		ip->fragment = true;
		ip->first = (get_u16(p + IP_V6_HEADER + 2) & V6_OFFSET_MASK) == 0;
	}
	return true;
}

bool
ip_parse(struct ip_info *ip, const uint8_t *packet, size_t packetlen)
{
	if (packetlen == 0)
		return false;
	ip->version = packet[0] >> 4;
	if (ip->version == 4)
		return parse_v4(ip, packet, packetlen);
	return ip->version == 6 && parse_v6(ip, packet, packetlen);
}

struct addr
ip_source(const struct ip_info *ip, const uint8_t *packet)
{
	return ip->version == 4 ? addr_v4(packet + 12) : addr_v6(packet + 8);
}

struct addr
ip_destination(const struct ip_info *ip, const uint8_t *packet)
{
	return ip->version == 4 ? addr_v4(packet + 16) : addr_v6(packet + 24);
}

bool
ip_is_link_local(const struct addr *a)
{
	return a->family == 6 && a->bytes[0] == 0xfe && (a->bytes[1] & 0xc0) == 0x80;
}

bool
ip_is_unspecified(const struct addr *a)
{
	static const uint8_t zero[16];

	return memcmp(a->bytes, zero, sizeof(zero)) == 0;
}

bool
ip_is_multicast(const struct addr *a)
{
	return a->family == 4 ? (a->bytes[0] & 0xf0) == 0xe0 : a->bytes[0] == 0xff;
}

uint64_t
ip_pseudo_sum(const struct ip_info *ip, const uint8_t *packet, uint32_t length)
{
	return ip->version == 4 ? csum_pseudo(packet + 12, 8, ip->proto, length) : csum_pseudo(packet + 8, 32, ip->proto, length);
}

void
ip_finish_v4(uint8_t *packet, size_t header)
{
	put_u16(packet + 10, 0);
	csum_put(packet + 10, csum_add(0, packet, header));
}

size_t
ip_tcp_header(const struct ip_info *ip, const uint8_t *packet)
{
	size_t len;

	if (ip->length < (size_t)ip->header + IP_TCP_HEADER)
		return 0;
	len = (size_t)(packet[ip->header + 12] >> 4) * 4;
	return len >= IP_TCP_HEADER && ip->header + len <= ip->length ? len : 0;
}
