#include "tunnel/icmp.h"

#include <string.h>

#include "base/wire.h"
#include "tunnel/csum.h"

enum {
	V4_QUOTE = 548,  /* so that the error is 576 bytes at most (RFC 1812 section 4.3.2.3) */
	V6_QUOTE = 1232, /* and 1280 here */
	HEADER = 8,
	TTL = 64,
	UNREACHABLE = 3,
	FRAGMENTATION_NEEDED = 4,
	PACKET_TOO_BIG = 2,
	ECHO_REPLY = 0,
	ECHO_REQUEST = 8,
	V6_INFORMATIONAL = 128,
};

static bool
may_answer(const struct ip_info *ip, const uint8_t *packet)
{
	struct addr source = ip_source(ip, packet), destination = ip_destination(ip, packet);
	uint8_t type;

	if (!ip->first || ip_is_unspecified(&source) || ip_is_multicast(&source))
		return false;
	/* RFC 4443 section 2.4 e.3: Packet Too Big goes out even for a group, so that multicast finds its MTU. */
	if (ip->version == 4 && ip_is_multicast(&destination))
		return false;
	if (ip->length == ip->header)
		return true;
	type = packet[ip->header];
	if (ip->version == 4 && ip->proto == IP_PROTO_ICMP)
		return type == ECHO_REPLY || type == ECHO_REQUEST;
	return ip->version == 4 || ip->proto != IP_PROTO_ICMP6 || type >= V6_INFORMATIONAL;
}

static size_t
too_big_v4(uint8_t *buf, const struct ip_info *ip, const uint8_t *packet, uint32_t mtu, const struct addr *from)
{
	size_t quote = ip->length < V4_QUOTE ? ip->length : V4_QUOTE, len = IP_V4_HEADER + HEADER + quote;
	uint8_t *icmp = buf + IP_V4_HEADER;

	memset(buf, 0, IP_V4_HEADER + HEADER);
	put_u16(buf, 0x45c0); /* internetwork control, RFC 1812 section 4.3.2.5 */
	put_u16(buf + 2, (uint16_t)len);
	buf[8] = TTL;
	buf[9] = IP_PROTO_ICMP;
	memcpy(buf + 12, from->bytes, 4);
	memcpy(buf + 16, packet + 12, 4);
	icmp[0] = UNREACHABLE;
	icmp[1] = FRAGMENTATION_NEEDED;
	put_u16(icmp + 6, (uint16_t)mtu);
	memcpy(icmp + HEADER, packet, quote);
	ip_finish_v4(buf, IP_V4_HEADER);
	csum_put(icmp + 2, csum_add(0, icmp, HEADER + quote));
	return len;
}

static size_t
too_big_v6(uint8_t *buf, const struct ip_info *ip, const uint8_t *packet, uint32_t mtu, const struct addr *from)
{
	size_t quote = ip->length < V6_QUOTE ? ip->length : V6_QUOTE;
	uint32_t icmplen = (uint32_t)(HEADER + quote);
	uint8_t *icmp = buf + IP_V6_HEADER;

	memset(buf, 0, IP_V6_HEADER + HEADER);
	buf[0] = 0x60;
	put_u16(buf + 4, (uint16_t)icmplen);
	buf[6] = IP_PROTO_ICMP6;
	buf[7] = TTL;
	memcpy(buf + 8, from->bytes, 16);
	memcpy(buf + 24, packet + 8, 16);
	icmp[0] = PACKET_TOO_BIG;
	put_u32(icmp + 4, mtu);
	memcpy(icmp + HEADER, packet, quote);
	csum_put(icmp + 2, csum_add(csum_pseudo(buf + 8, 32, IP_PROTO_ICMP6, icmplen), icmp, icmplen));
	return IP_V6_HEADER + icmplen;
}

size_t
icmp_too_big(uint8_t *buf, const struct ip_info *ip, const uint8_t *packet, uint32_t mtu, const struct addr *from)
{
	if (from->family != ip->version || !may_answer(ip, packet))
		return 0;
	return ip->version == 4 ? too_big_v4(buf, ip, packet, mtu, from) : too_big_v6(buf, ip, packet, mtu, from);
}
