#include "tunnel/mss.h"

#include <string.h>

#include "base/wire.h"
#include "tunnel/csum.h"

enum {
	OPTION_END = 0,
	OPTION_NOP = 1,
	OPTION_MSS = 2,
	OPTION_MSS_LEN = 4,
};

uint16_t
mss_of_mtu(uint32_t mtu, uint8_t version)
{
	uint32_t headers = IP_TCP_HEADER + (version == 4 ? (uint32_t)IP_V4_HEADER : (uint32_t)IP_V6_HEADER);

	if (mtu > UINT16_MAX)
		mtu = UINT16_MAX;
	return (uint16_t)(mtu > headers ? mtu - headers : 0);
}

/* The field may lie at an odd place in the header, where its bytes belong to two words of the sum. */
static void
set_mss(uint8_t *tcp, size_t at, uint16_t mss)
{
	size_t even = at & ~(size_t)1;
	uint8_t words[4];

	memcpy(words, tcp + even, 4);
	put_u16(words + (at - even), mss);
	csum_replace(tcp + IP_TCP_CHECKSUM, tcp + even, words, (at - even) == 0 ? 2 : 4);
}

bool
mss_clamp(const struct ip_info *ip, uint8_t *packet, uint16_t max)
{
	uint8_t *tcp = packet + ip->header;
	size_t len, at, optlen;

	if (ip->proto != IP_PROTO_TCP || !ip->first || (len = ip_tcp_header(ip, packet)) == 0 || (tcp[13] & IP_TCP_SYN) == 0)
		return false;
	for (at = IP_TCP_HEADER; at < len && tcp[at] != OPTION_END; at += optlen) {
		optlen = tcp[at] == OPTION_NOP ? 1 : at + 1 < len ? tcp[at + 1] : 0;
		if (optlen == 0 || at + optlen > len || (optlen == 1 && tcp[at] != OPTION_NOP))
			return false;
		if (tcp[at] != OPTION_MSS || optlen != OPTION_MSS_LEN)
			continue;
		if (get_u16(tcp + at + 2) <= max)
			return false;
		set_mss(tcp, at + 2, max);
		return true;
	}
	return false;
}
