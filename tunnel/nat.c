#include "tunnel/nat.h"

#include <string.h>

#include "base/wire.h"
#include "tunnel/csum.h"

enum {
	SOURCE_AT = 12,
	DESTINATION_AT = 16,
	ICMP_HEADER = 8,
	ICMP_UNREACHABLE = 3,
	ICMP_QUENCH = 4,
	ICMP_REDIRECT = 5,
	ICMP_TIME_EXCEEDED = 11,
	ICMP_PARAMETER = 12,
};

/* The transport's checksum covers the address through the pseudo-header; it is in the first fragment. */
static void
correct_transport(const struct ip_info *ip, uint8_t *packet, const uint8_t from[4], const uint8_t to[4])
{
	uint8_t *l4 = packet + ip->header;
	size_t l4len = ip->length - ip->header;

	if (!ip->first)
		return;
	if (ip->proto == IP_PROTO_TCP && l4len >= IP_TCP_HEADER) {
		csum_correct(l4 + IP_TCP_CHECKSUM, from, to, 4);
	} else if (ip->proto == IP_PROTO_UDP && l4len >= IP_UDP_HEADER && get_u16(l4 + IP_UDP_CHECKSUM) != 0) {
		csum_correct(l4 + IP_UDP_CHECKSUM, from, to, 4);
		if (get_u16(l4 + IP_UDP_CHECKSUM) == 0)
			put_u16(l4 + IP_UDP_CHECKSUM, 0xffff);
	}
}

static bool
is_error(uint8_t type)
{
	return type == ICMP_UNREACHABLE || type == ICMP_QUENCH || type == ICMP_REDIRECT || type == ICMP_TIME_EXCEEDED ||
	       type == ICMP_PARAMETER;
}

/* An error quotes the packet that it is about, whose header keeps its sum when address and checksum change together: so the
 * ICMP checksum stays right. The quoted transport's checksum is left, as nobody can verify it on a part of a packet. */
static bool
rewrite_quoted(const struct ip_info *ip, uint8_t *packet, size_t at, const uint8_t from[4], const uint8_t to[4])
{
	uint8_t *icmp = packet + ip->header, *quoted = icmp + ICMP_HEADER;
	size_t len = ip->length - ip->header;

	if (ip->proto != IP_PROTO_ICMP || !ip->first || len < ICMP_HEADER + IP_V4_HEADER || !is_error(icmp[0]) || quoted[0] >> 4 != 4 ||
	    memcmp(quoted + at, from, 4) != 0)
		return false;
	csum_replace(quoted + 10, quoted + at, to, 4);
	return true;
}

static bool
rewrite(const struct ip_info *ip, uint8_t *packet, size_t at, const uint8_t from[4], const uint8_t to[4])
{
	bool changed;

	if (ip->version != 4)
		return false;
	changed = rewrite_quoted(ip, packet, at == SOURCE_AT ? DESTINATION_AT : SOURCE_AT, from, to);
	if (memcmp(packet + at, from, 4) != 0)
		return changed;
	correct_transport(ip, packet, from, to);
	csum_replace(packet + 10, packet + at, to, 4);
	return true;
}

bool
nat_source(const struct ip_info *ip, uint8_t *packet, const uint8_t from[4], const uint8_t to[4])
{
	return rewrite(ip, packet, SOURCE_AT, from, to);
}

bool
nat_destination(const struct ip_info *ip, uint8_t *packet, const uint8_t from[4], const uint8_t to[4])
{
	return rewrite(ip, packet, DESTINATION_AT, from, to);
}
