/* Frames that go out: data from the interface, and the control frames that wait. */
#include "libppp/bundle_int.h"
#include "libppp/link_int.h"
#include "libppp/trace.h"

static inline bool
push_protocol(struct pkt *p, unsigned proto, bool pfc)
{
	uint8_t *h = pkt_push(p, pfc ? 1 : 2);

	if (h == NULL)
		return false;
	if (pfc)
		h[0] = (uint8_t)proto;
	else
		put_u16(h, (uint16_t)proto);
	return true;
}

/* The inner protocol is never compressed: not every peer expects it there. */
static inline bool
encrypt(struct ppp_bundle *b, struct pkt *p, enum ppp_proto proto)
{
	uint8_t *data;
	size_t datalen;

	if (pkt_headroom(p) < PPP_MAX_OVERHEAD)
		return false;
	data = pkt_push(p, 2);
	put_u16(data, (uint16_t)proto);
	datalen = p->len;
	mppe_encrypt(&b->mppe_tx, pkt_push(p, MPPE_HEADER), data, datalen);
	return true;
}

bool
ppp_link_tx(struct ppp_link *link, struct pkt *p, enum ppp_proto proto, uint64_t ts)
{
	struct ppp_bundle *b = link->bundle;
	uint8_t *h;

	(void)ts;
	if (b == NULL || link->phase != PPP_PHASE_NETWORK)
		return false;
	if (!((proto == PPP_PROTO_IP && b->ipv4_up) || (proto == PPP_PROTO_IPV6 && b->ipv6_up)))
		return false;
	if (b->mppe_tx_on) {
		if (!encrypt(b, p, proto))
			return false;
		proto = PPP_PROTO_COMP;
	}
	if (!push_protocol(p, proto, link->tx_pfc))
		return false;
	if (link->tx_acfc)
		return true;
	h = pkt_push(p, 2);
	if (h == NULL)
		return false;
	h[0] = 0xff;
	h[1] = 0x03;
	return true;
}

size_t
ppp_link_output(struct ppp_link *link, uint8_t *buf, size_t buflen)
{
	unsigned proto = outq_peek(&link->outq);
	/* LCP goes with address and control whatever was agreed (RFC 1661 section 6.6) */
	size_t at = link->tx_acfc && proto != PPP_PROTO_LCP ? 0 : 2;
	size_t len;

	if (proto == 0 || buflen < at)
		return 0;
	len = outq_take(&link->outq, buf + at, buflen - at);
	if (len == 0)
		return 0;
	if (at > 0) {
		buf[0] = 0xff;
		buf[1] = 0x03;
	}
	link->tx_control++;
	trace_frame(link, true, proto, buf + at + 2, len - 2);
	return at + len;
}
