#include "tunnel/ra.h"

#include <string.h>

#include "base/wire.h"
#include "tunnel/csum.h"

enum {
	TYPE_ECHO_REQUEST = 128,
	TYPE_ECHO_REPLY = 129,
	TYPE_RS = 133,
	TYPE_RA = 134,
	TYPE_REDIRECT = 137,
	HOP_LIMIT = 255,
	ADVISED_HOPS = 64,
	ICMP_MIN = 8,
	RA_MIN = 16,
	OPTION_PREFIX = 3,
	OPTION_MTU = 5,
	OPTION_RDNSS = 25,
	PREFIX_OPTION_LEN = 32,
	FLAG_AUTONOMOUS = 0x40,
};

static const uint8_t all_nodes[16] = {0xff, 0x02, [15] = 1};
static const uint8_t all_routers[16] = {0xff, 0x02, [15] = 2};

enum nd_kind
nd_classify(const struct ip_info *ip, const uint8_t *packet)
{
	const uint8_t *icmp = packet + ip->header;
	size_t len = ip->length - ip->header;
	struct addr source;

	if (ip->version != 6 || ip->proto != IP_PROTO_ICMP6 || len < ICMP_MIN)
		return ND_NONE;
	if (icmp[0] < TYPE_RS || icmp[0] > TYPE_REDIRECT)
		return ND_NONE;
	if (packet[7] != HOP_LIMIT || icmp[1] != 0 || csum_fold(csum_add(ip_pseudo_sum(ip, packet, (uint32_t)len), icmp, len)) != 0xffff)
		return ND_BAD;
	if (icmp[0] == TYPE_RS)
		return ND_SOLICITATION;
	if (icmp[0] != TYPE_RA)
		return ND_OTHER;
	source = ip_source(ip, packet);
	return len >= RA_MIN && ip_is_link_local(&source) ? ND_ADVERTISEMENT : ND_BAD;
}

static void
write_ip(struct wr *w, const uint8_t ifid[8], const uint8_t destination[16])
{
	static const uint8_t link_local[8] = {0xfe, 0x80};

	wr_u32(w, 0x60000000);
	wr_u16(w, 0); /* length: finish() */
	wr_u8(w, IP_PROTO_ICMP6);
	wr_u8(w, HOP_LIMIT);
	wr_bytes(w, link_local, 8);
	wr_bytes(w, ifid, 8);
	wr_bytes(w, destination, 16);
}

static size_t
finish(uint8_t *buf, size_t len)
{
	uint32_t icmplen = (uint32_t)(len - IP_V6_HEADER);

	put_u16(buf + 4, (uint16_t)icmplen);
	csum_put(buf + IP_V6_HEADER + 2, csum_add(csum_pseudo(buf + 8, 32, IP_PROTO_ICMP6, icmplen), buf + IP_V6_HEADER, icmplen));
	return len;
}

/* Whether a packet on the link is for the end with this identifier. */
static bool
is_for(const uint8_t *destination, const uint8_t ifid[8])
{
	static const uint8_t link_local[8] = {0xfe, 0x80};

	return memcmp(destination, all_nodes, 16) == 0 || memcmp(destination, all_routers, 16) == 0 ||
	       (memcmp(destination, link_local, 8) == 0 && memcmp(destination + 8, ifid, 8) == 0);
}

size_t
echo_build(uint8_t *buf, const struct ip_info *ip, const uint8_t *packet, const uint8_t ifid[8])
{
	const uint8_t *icmp = packet + ip->header;
	size_t len = ip->length - ip->header;
	struct addr source;
	struct wr w;

	if (ip->version != 6 || ip->proto != IP_PROTO_ICMP6 || len < ICMP_MIN || icmp[0] != TYPE_ECHO_REQUEST || icmp[1] != 0)
		return 0;
	source = ip_source(ip, packet);
	if (!ip_is_link_local(&source) || !is_for(packet + 24, ifid) ||
	    csum_fold(csum_add(ip_pseudo_sum(ip, packet, (uint32_t)len), icmp, len)) != 0xffff)
		return 0;
	w = wr_init(buf, ip->length);
	write_ip(&w, ifid, source.bytes);
	wr_u8(&w, TYPE_ECHO_REPLY);
	wr_zero(&w, 3);
	wr_bytes(&w, icmp + 4, len - 4);
	return finish(buf, wr_len(&w));
}

static void
write_prefix(struct wr *w, const struct prefix *p)
{
	wr_u8(w, OPTION_PREFIX);
	wr_u8(w, PREFIX_OPTION_LEN / 8);
	wr_u8(w, p->len);
	wr_u8(w, FLAG_AUTONOMOUS);
	wr_u32(w, RA_VALID_S);
	wr_u32(w, RA_PREFERRED_S);
	wr_u32(w, 0);
	wr_bytes(w, p->addr.bytes, 16);
}

static void
write_dns(struct wr *w, const struct addr dns[2])
{
	uint8_t count = 0;

	for (int i = 0; i < 2; i++)
		count = (uint8_t)(count + (dns[i].family == 6));
	if (count == 0)
		return;
	wr_u8(w, OPTION_RDNSS);
	wr_u8(w, (uint8_t)(1 + 2 * count));
	wr_u16(w, 0);
	wr_u32(w, RA_LIFETIME_S);
	for (int i = 0; i < 2; i++)
		if (dns[i].family == 6)
			wr_bytes(w, dns[i].bytes, 16);
}

size_t
ra_build(uint8_t *buf, const struct ra_info *info)
{
	struct wr w = wr_init(buf, RA_MAX);

	write_ip(&w, info->ifid, all_nodes);
	wr_u8(&w, TYPE_RA);
	wr_u8(&w, 0);
	wr_u16(&w, 0);
	wr_u8(&w, ADVISED_HOPS);
	wr_u8(&w, 0);
	wr_u16(&w, RA_LIFETIME_S);
	wr_u32(&w, 0);
	wr_u32(&w, 0);
	write_prefix(&w, &info->prefix);
	if (info->mtu != 0) {
		wr_u8(&w, OPTION_MTU);
		wr_u8(&w, 1);
		wr_u16(&w, 0);
		wr_u32(&w, info->mtu);
	}
	write_dns(&w, info->dns);
	return finish(buf, wr_len(&w));
}

size_t
rs_build(uint8_t *buf, const uint8_t ifid[8])
{
	struct wr w = wr_init(buf, RA_MAX);

	write_ip(&w, ifid, all_routers);
	wr_u8(&w, TYPE_RS);
	wr_zero(&w, ICMP_MIN - 1);
	return finish(buf, wr_len(&w));
}

/* RFC 4862 section 5.5.3 a) to d). */
static bool
usable(struct rd *option, struct prefix *prefix)
{
	uint8_t len = rd_u8(option), flags = rd_u8(option);
	uint32_t valid = rd_u32(option), preferred = rd_u32(option);
	const uint8_t *bytes;

	rd_u32(option);
	bytes = rd_bytes(option, 16);
	if (bytes == NULL || len != 64 || (flags & FLAG_AUTONOMOUS) == 0 || valid == 0 || preferred > valid)
		return false;
	*prefix = (struct prefix){.addr = addr_v6(bytes), .len = len};
	addr_mask(&prefix->addr, len);
	return !ip_is_link_local(&prefix->addr);
}

bool
ra_parse(const struct ip_info *ip, const uint8_t *packet, struct prefix *prefix)
{
	struct rd r = rd_init(packet + ip->header + RA_MIN, ip->length - ip->header - RA_MIN);
	struct prefix candidate;
	bool found = false;

	while (rd_left(&r) > 0) {
		uint8_t type = rd_u8(&r), units = rd_u8(&r);
		struct rd option;

		if (!r.ok || units == 0)
			return false;
		option = rd_sub(&r, (size_t)units * 8 - 2);
		if (!r.ok)
			return false;
		if (type == OPTION_PREFIX && units * 8 == PREFIX_OPTION_LEN && !found)
			found = usable(&option, &candidate);
	}
	if (found)
		*prefix = candidate;
	return found;
}
