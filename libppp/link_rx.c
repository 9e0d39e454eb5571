/* Frames that came in: data first and by the shortest way, then the control protocols. */
#include <string.h>

#include "libppp/bundle_int.h"
#include "libppp/link_int.h"
#include "libppp/trace.h"

/* The protocol field: one byte when that is odd (RFC 1661 section 2 and 6.5), else two of which the second is odd. Both
 * forms are taken whatever was agreed. */
static inline bool
take_protocol(uint8_t **p, size_t *n, unsigned *proto)
{
	if (*n >= 1 && ((*p)[0] & 1)) {
		*proto = (*p)[0];
		*p += 1;
		*n -= 1;
		return true;
	}
	if (*n < 2 || !((*p)[1] & 1))
		return false;
	*proto = get_u16(*p);
	*p += 2;
	*n -= 2;
	return true;
}

static inline enum ppp_rx_kind
deliver(struct ppp_bundle *b, unsigned proto, uint8_t *p, size_t n, uint8_t **payload, size_t *payloadlen)
{
	*payload = p;
	*payloadlen = n;
	if (proto == PPP_PROTO_IP && b->ipv4_up)
		return PPP_RX_IP;
	if (proto == PPP_PROTO_IPV6 && b->ipv6_up)
		return PPP_RX_IPV6;
	b->rx_unexpected++;
	return PPP_RX_DROP;
}

static enum ppp_rx_kind
rx_encrypted(struct ppp_bundle *b, struct ppp_link *link, uint8_t *p, size_t n, uint8_t **payload, size_t *payloadlen)
{
	unsigned proto;

	if (!b->mppe_rx_on || n < MPPE_HEADER + 1) {
		*(b->mppe_rx_on ? &b->rx_bad : &b->rx_unexpected) += 1;
		return PPP_RX_DROP;
	}
	switch (mppe_decrypt(&b->mppe_rx, p, p + MPPE_HEADER, n - MPPE_HEADER)) {
	case MPPE_RX_OK:
		break;
	case MPPE_RX_RESET:
		b->rx_bad++;
		return bundle_need_reset(b, link->now) ? PPP_RX_CONTROL : PPP_RX_DROP;
	case MPPE_RX_DROP:
		b->rx_bad++;
		return PPP_RX_DROP;
	}
	p += MPPE_HEADER;
	n -= MPPE_HEADER;
	if (!take_protocol(&p, &n, &proto)) {
		b->rx_bad++;
		return PPP_RX_DROP;
	}
	return deliver(b, proto, p, n, payload, payloadlen);
}

static enum ppp_rx_kind
rx_clear(struct ppp_bundle *b, unsigned proto, uint8_t *p, size_t n, uint8_t **payload, size_t *payloadlen)
{
	if (!b->clear_ok) {
		b->rx_clear_dropped++;
		return PPP_RX_DROP;
	}
	return deliver(b, proto, p, n, payload, payloadlen);
}

/* The name of the method that the peer insists on; NULL: not one that has a name. */
static const char *
refused_method(const struct lcp *lcp)
{
	unsigned m = lcp->refused_methods;

	return m != 0 && (m & (m - 1)) == 0 ? ppp_auth_name((enum ppp_auth_method)m) : NULL;
}

static void
rx_lcp(struct ppp_link *link, const uint8_t *packet, size_t len)
{
	/* RFC 1661 would go on trying; a peer that ends a link before it is up means it */
	bool early = link->phase == PPP_PHASE_ESTABLISH && len >= 4 && packet[0] == PPP_TERM_REQ;

	fsm_input(&link->lcp.fsm, packet, len);
	if (!early || link->lcp.fsm.state < FSM_REQ_SENT)
		return;
	if (link->lcp.auth_refused)
		link_fail(link, PPP_DOWN_AUTH_REFUSED, 0, refused_method(&link->lcp));
	else
		link_fail(link, PPP_DOWN_PEER, 0, "the peer closed the link while it was being set up");
}

/* The program takes its time between PPP_EVENT_NETWORK and the join; the peer's Configure-Requests, lost meanwhile, would only
 * come again after its restart timer. What does not fit is as good as lost. */
static void
early_keep(struct ppp_link *link, unsigned proto, const uint8_t *packet, size_t len)
{
	uint8_t *p = link->early + link->early_len;

	if (len > LINK_EARLY_BYTES - 4 || link->early_len > LINK_EARLY_BYTES - 4 - len)
		return;
	p[0] = (uint8_t)(proto >> 8);
	p[1] = (uint8_t)proto;
	p[2] = (uint8_t)(len >> 8);
	p[3] = (uint8_t)len;
	memcpy(p + 4, packet, len);
	link->early_len += 4 + len;
}

/* Before authentication is done, network protocols are discarded in silence (RFC 1661 section 3.5). */
static void
rx_network_control(struct ppp_link *link, unsigned proto, const uint8_t *packet, size_t len)
{
	if (link->phase == PPP_PHASE_AUTHENTICATE)
		link_auth_network_seen(link);
	if (link->phase != PPP_PHASE_NETWORK)
		return;
	if (link->bundle == NULL) {
		early_keep(link, proto, packet, len);
		return;
	}
	if (!bundle_rx_control(link->bundle, proto, packet, len, link->now)) {
		link->bundle->rx_unexpected++;
		lcp_reject_protocol(&link->lcp, proto, packet, len);
	}
}

void
link_early_deliver(struct ppp_link *link)
{
	size_t at = 0;

	while (at < link->early_len) {
		const uint8_t *p = link->early + at;
		size_t len = (size_t)p[2] << 8 | p[3];

		rx_network_control(link, (unsigned)p[0] << 8 | p[1], p + 4, len);
		at += 4 + len;
	}
	link->early_len = 0;
}

static void
rx_unknown(struct ppp_link *link, unsigned proto, const uint8_t *info, size_t len)
{
	if (link->phase != PPP_PHASE_NETWORK)
		return;
	if (link->bundle != NULL)
		link->bundle->rx_unexpected++;
	lcp_reject_protocol(&link->lcp, proto, info, len);
}

static enum ppp_rx_kind
rx_control(struct ppp_link *link, unsigned proto, const uint8_t *p, size_t n)
{
	link->rx_control++;
	trace_frame(link, false, proto, p, n);
	switch (proto) {
	case PPP_PROTO_LCP:
		rx_lcp(link, p, n);
		break;
	case PPP_PROTO_PAP:
	case PPP_PROTO_CHAP:
	case PPP_PROTO_EAP:
		link_auth_rx(link, (enum ppp_proto)proto, p, n);
		break;
	case PPP_PROTO_IPCP:
	case PPP_PROTO_IPV6CP:
	case PPP_PROTO_CCP:
		rx_network_control(link, proto, p, n);
		break;
	default:
		rx_unknown(link, proto, p, n);
		break;
	}
	return PPP_RX_CONTROL;
}

static enum ppp_rx_kind
drop_bad(struct ppp_link *link)
{
	if (link->bundle != NULL)
		link->bundle->rx_bad++;
	return PPP_RX_DROP;
}

enum ppp_rx_kind
ppp_link_rx(struct ppp_link *link, uint8_t *frame, size_t framelen, uint64_t ts, uint8_t **payload, size_t *payloadlen)
{
	struct ppp_bundle *b = link->bundle;
	unsigned proto;

	*payload = NULL;
	*payloadlen = 0;
	link->last_rx = ts;
	link->now = ts;
	link->heard = true;
	if (framelen >= 2 && frame[0] == 0xff && frame[1] == 0x03) {
		frame += 2;
		framelen -= 2;
	}
	if (!take_protocol(&frame, &framelen, &proto))
		return drop_bad(link);
	if (proto == PPP_PROTO_COMP || proto == PPP_PROTO_IP || proto == PPP_PROTO_IPV6) {
		if (b == NULL || link->phase != PPP_PHASE_NETWORK)
			return PPP_RX_DROP;
		if (proto == PPP_PROTO_COMP)
			return rx_encrypted(b, link, frame, framelen, payload, payloadlen);
		return rx_clear(b, proto, frame, framelen, payload, payloadlen);
	}
	if (link->phase == PPP_PHASE_DEAD)
		return PPP_RX_DROP;
	return rx_control(link, proto, frame, framelen);
}

void
link_protocol_rejected(struct ppp_link *link, unsigned proto)
{
	if (proto == PPP_PROTO_LCP)
		fsm_rejected(&link->lcp.fsm);
	else if (proto == PPP_PROTO_PAP || proto == PPP_PROTO_CHAP || proto == PPP_PROTO_EAP)
		link_auth_rejected(link, proto);
	else if (link->bundle != NULL && link->phase == PPP_PHASE_NETWORK)
		bundle_protocol_rejected(link->bundle, proto, link->now);
}
