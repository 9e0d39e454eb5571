#include "alg/datapath/user_packet.h"

#include <netinet/in.h>
#include <string.h>

#include <pptp/gre.h>

enum {
	IPV4_HEADER = 20,
	IPV4_DF = 0x4000,
	IPV4_FRAGMENT = 0x3FFF, /* more fragments, and the offset */
	GRE_CALL_ID = 6,        /* offset, RFC 2637 section 4.1 */
};

static uint16_t
get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static bool
fails(enum datapath_user_drop *why, enum datapath_user_drop reason)
{
	*why = reason;
	return false;
}

bool
user_packet_gre(struct user_packet *p, uint8_t *gre, size_t grelen, enum datapath_user_drop *why)
{
	struct pptp_gre_header h;
	int error = pptp_gre_decode(&h, gre, grelen);

	if (error != PPTP_OK)
		return fails(why, error == PPTP_ERR_SHORT ? USER_SHORT : USER_NOT_GRE);
	p->gre = gre;
	p->grelen = grelen;
	p->call_id = h.call_id;
	return true;
}

bool
user_packet_ipv4(struct user_packet *p, uint8_t *data, size_t datalen, enum datapath_user_drop *why)
{
	size_t header, total;
	uint16_t fragment;

	if (datalen < IPV4_HEADER)
		return fails(why, USER_SHORT);
	if (data[0] >> 4 != 4 || data[9] != IPPROTO_GRE)
		return fails(why, USER_NOT_GRE);
	header = (size_t)(data[0] & 15) * 4;
	total = get16(data + 2);
	if (header < IPV4_HEADER || total < header || total > datalen)
		return fails(why, USER_SHORT);
	fragment = get16(data + 6);
	if ((fragment & IPV4_FRAGMENT) != 0) /* the kernel puts them together before raw sockets */
		return fails(why, USER_SHORT);
	p->src = addr_v4(data + 12);
	p->dst = addr_v4(data + 16);
	p->length = total;
	p->tos = data[1];
	p->hops = data[8];
	p->df = (fragment & IPV4_DF) != 0;
	return user_packet_gre(p, data + header, total - header, why);
}

void
user_packet_set_call_id(struct user_packet *p, uint16_t call_id)
{
	p->call_id = call_id;
	p->gre[GRE_CALL_ID] = (uint8_t)(call_id >> 8);
	p->gre[GRE_CALL_ID + 1] = (uint8_t)call_id;
}
