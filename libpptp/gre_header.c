#include "base/wire.h"
#include "libpptp/gre_private.h"

#include <pptp/gre.h>

static int
check_bits(uint16_t bits, uint16_t protocol)
{
	if ((bits & GRE_VERSION_MASK) != 1 || protocol != PPTP_GRE_PROTOCOL)
		return PPTP_ERR_KIND;
	if ((bits & ~(GRE_BIT_S | GRE_BIT_A)) != GRE_BITS)
		return PPTP_ERR_FIELD;
	return PPTP_OK;
}

int
pptp_gre_decode(struct pptp_gre_header *h, const uint8_t *data, size_t datalen)
{
	struct pptp_gre_header v = {0};
	uint16_t bits;
	int error;

	if (datalen < 8)
		return PPTP_ERR_SHORT;
	bits = get_u16(data);
	error = check_bits(bits, get_u16(data + 2));
	if (error != PPTP_OK)
		return error;
	v.has_sequence = (bits & GRE_BIT_S) != 0;
	v.has_ack = (bits & GRE_BIT_A) != 0;
	v.payload_length = get_u16(data + 4);
	v.call_id = get_u16(data + 6);
	v.header_length = 8 + (v.has_sequence ? 4U : 0U) + (v.has_ack ? 4U : 0U);
	if (datalen < v.header_length + v.payload_length)
		return PPTP_ERR_SHORT;
	if (v.has_sequence)
		v.sequence = get_u32(data + 8);
	if (v.has_ack)
		v.ack = get_u32(data + v.header_length - 4);
	*h = v;
	return PPTP_OK;
}

size_t
pptp_gre_encode(uint8_t *buf, const struct pptp_gre_header *h)
{
	size_t len = 8;

	put_u16(buf, (uint16_t)(GRE_BITS | (h->has_sequence ? GRE_BIT_S : 0) | (h->has_ack ? GRE_BIT_A : 0)));
	put_u16(buf + 2, PPTP_GRE_PROTOCOL);
	put_u16(buf + 4, h->payload_length);
	put_u16(buf + 6, h->call_id);
	if (h->has_sequence) {
		put_u32(buf + len, h->sequence);
		len += 4;
	}
	if (h->has_ack) {
		put_u32(buf + len, h->ack);
		len += 4;
	}
	return len;
}
