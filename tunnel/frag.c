#include "tunnel/frag.h"

#include <string.h>

#include "base/wire.h"

enum {
	MORE_FRAGMENTS = 0x2000,
	OFFSET_MASK = 0x1fff,
	UNIT = 8,
	OPTION_END = 0,
	OPTION_NOP = 1,
	OPTION_COPIED = 0x80,
};

bool
frag_init(struct fragmenter *f, const struct ip_info *ip, const uint8_t *packet, uint32_t mtu)
{
	if (ip->version != 4 || ip->dont_fragment || mtu < (uint32_t)ip->header + UNIT)
		return false;
	*f = (struct fragmenter){.packet = packet, .ip = *ip};
	f->chunk = (mtu - ip->header) / UNIT * UNIT;
	return true;
}

/* Options that only the first fragment carries become padding, which keeps the header's length. */
static void
blank_options(uint8_t *header, size_t len)
{
	size_t at = IP_V4_HEADER, optlen;

	for (; at < len && header[at] != OPTION_END; at += optlen) {
		optlen = header[at] == OPTION_NOP ? 1 : at + 1 < len ? header[at + 1] : 0;
		if (optlen == 0 || at + optlen > len)
			return;
		if ((header[at] & OPTION_COPIED) == 0)
			memset(header + at, OPTION_NOP, optlen);
	}
}

size_t
frag_next(struct fragmenter *f, uint8_t *buf, size_t buflen)
{
	size_t left = f->ip.length - f->ip.header - f->at;
	size_t payload = left < f->chunk ? left : f->chunk;
	size_t len = f->ip.header + payload;
	uint16_t field;

	if (left == 0 || len > buflen)
		return 0;
	memcpy(buf, f->packet, f->ip.header);
	memcpy(buf + f->ip.header, f->packet + f->ip.header + f->at, payload);
	if (f->at > 0)
		blank_options(buf, f->ip.header);
	field = get_u16(buf + 6);
	field = (uint16_t)((field & ~OFFSET_MASK) | ((field & OFFSET_MASK) + f->at / UNIT));
	if (payload < left)
		field |= MORE_FRAGMENTS;
	put_u16(buf + 6, field);
	put_u16(buf + 2, (uint16_t)len);
	ip_finish_v4(buf, f->ip.header);
	f->at += payload;
	return len;
}
