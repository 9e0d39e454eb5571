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
	size_t header_length = 8;
	uint16_t payload_length;
	uint16_t bits;
	int error;

	if (datalen < header_length)
		return PPTP_ERR_SHORT;
	bits = get_u16(data);
	error = check_bits(bits, get_u16(data + 2));
	if (error != PPTP_OK)
		return error;
	header_length += ((bits & GRE_BIT_S) != 0 ? 4U : 0U) + ((bits & GRE_BIT_A) != 0 ? 4U : 0U);
	payload_length = get_u16(data + 4);
	if (datalen < header_length + payload_length)
		return PPTP_ERR_SHORT;
	/* Field by field: copying a struct that was just written in parts costs more than all the rest. */
	h->payload_length = payload_length;
	h->call_id = get_u16(data + 6);
	h->has_sequence = (bits & GRE_BIT_S) != 0;
	h->has_ack = (bits & GRE_BIT_A) != 0;
	h->sequence = h->has_sequence ? get_u32(data + 8) : 0;
	h->ack = h->has_ack ? get_u32(data + header_length - 4) : 0;
	h->header_length = header_length;
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
