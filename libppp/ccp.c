#include "libppp/ccp.h"

#include "base/timerheap.h"
#include "libppp/bundle_int.h"

/* RFC 3078 section 2.1 */
enum { OPT_MPPE = 18 };
#define WIRE_H UINT32_C(0x01000000) /* stateless */
#define WIRE_M UINT32_C(0x00000080) /* 56 bit */
#define WIRE_S UINT32_C(0x00000040) /* 128 bit */
#define WIRE_L UINT32_C(0x00000020) /* 40 bit */
#define WIRE_BITS (WIRE_M | WIRE_S | WIRE_L)

/* Of a damaged stateful stream each packet asks for a reset. One goes out for each gap, and again after so long without an
 * answer: not by the number of packets, as a peer's TCP that waits sends ever fewer. */
#define RESET_INTERVAL TS_MS(200)

static unsigned
bits_of(uint32_t wire)
{
	return ((wire & WIRE_L) ? PPP_MPPE_40 : 0u) | ((wire & WIRE_M) ? PPP_MPPE_56 : 0u) | ((wire & WIRE_S) ? PPP_MPPE_128 : 0u);
}

static uint32_t
wire_of(unsigned bits)
{
	return ((bits & PPP_MPPE_40) ? WIRE_L : 0) | ((bits & PPP_MPPE_56) ? WIRE_M : 0) | ((bits & PPP_MPPE_128) ? WIRE_S : 0);
}

static unsigned
strongest(unsigned bits)
{
	return bits & PPP_MPPE_128 ? PPP_MPPE_128 : bits & PPP_MPPE_56 ? PPP_MPPE_56 : bits & PPP_MPPE_40;
}

static unsigned
key_bits(unsigned bit)
{
	return bit == PPP_MPPE_128 ? 128 : bit == PPP_MPPE_56 ? 56 : 40;
}

bool
ccp_possible(const struct ppp_bundle *b)
{
	return b->config.mppe != PPP_MPPE_DENY && b->config.keys.valid && (b->config.mppe_bits & PPP_MPPE_ANY) != 0;
}

/* Where it is required, that it can't be had is the end. */
static void
require_failed(struct ccp *p, const char *message)
{
	if (p->bundle->config.mppe == PPP_MPPE_REQUIRE)
		bundle_fail(p->bundle, PPP_DOWN_ENCRYPTION, message);
}

/* ---- the option ---- */

static bool
build_mppe(void *user, struct wr *w)
{
	struct ccp *p = user;

	wr_u32(w, p->wish);
	return p->ask;
}

/* Ask for stateless where we want it; a peer that insists gets its way if we may let it. That it repeats the same
 * packet, because our Nak was lost, is not insisting. */
static bool
want_stateless(struct ccp *p)
{
	const struct ppp_bundle_config *c = &p->bundle->config;
	uint8_t id = p->fsm.packet->id;

	if (!c->mppe_stateless)
		return !c->mppe_stateful_ok;
	if (p->asked_h && id != p->asked_h_id && c->mppe_stateful_ok)
		return false;
	p->asked_h = true;
	p->asked_h_id = id;
	return true;
}

static enum opt_verdict
check_mppe(void *user, struct rd *data, struct wr *nak)
{
	struct ccp *p = user;
	unsigned allowed = p->bundle->config.mppe_bits & PPP_MPPE_ANY;
	uint32_t wish = rd_u32(data);
	unsigned common = bits_of(wish) & allowed;
	uint32_t grant = wire_of(strongest(common != 0 ? common : allowed));

	if (!p->ask)
		return OPT_REJ;
	if ((wish & WIRE_H) || want_stateless(p))
		grant |= WIRE_H;
	/* whatever else is set, MPPC (C) and the obsolete D above all, falls here */
	if (wish != grant) {
		wr_u32(nak, grant);
		return OPT_NAK;
	}
	p->granted = grant;
	return OPT_ACK;
}

static bool
missing_mppe(void *user, struct wr *nak)
{
	struct ccp *p = user;
	const struct ppp_bundle_config *c = &p->bundle->config;

	wr_u32(nak, wire_of(strongest(c->mppe_bits)) | (c->mppe_stateless ? WIRE_H : 0));
	return p->ask;
}

static void
nak_mppe(void *user, struct rd *data)
{
	struct ccp *p = user;
	const struct ppp_bundle_config *c = &p->bundle->config;
	uint32_t offer = rd_u32(data);
	unsigned common = bits_of(offer) & c->mppe_bits;

	if (!p->ask)
		return;
	if (common == 0) {
		p->ask = false;
		require_failed(p, "encryption is required, but the peer allows none of our key lengths");
		return;
	}
	p->wish = wire_of(strongest(common));
	if ((offer & WIRE_H) || !c->mppe_stateful_ok)
		p->wish |= WIRE_H;
}

static void
rej_mppe(void *user)
{
	struct ccp *p = user;

	p->ask = false;
	require_failed(p, "encryption is required, but the peer refused MPPE");
}

static const struct opt_row rows[] = {
    {OPT_MPPE, 4, 4, build_mppe, check_mppe, missing_mppe, nak_mppe, rej_mppe},
};

/* ---- state ---- */

bool
ccp_active(const struct ccp *p)
{
	return p->bundle->mppe_tx_on && p->bundle->mppe_rx_on;
}

unsigned
ccp_bits(const struct ccp *p)
{
	unsigned rx = strongest(bits_of(p->wish)), tx = bits_of(p->granted);

	return rx < tx ? rx : tx;
}

bool
ccp_stateless(const struct ccp *p)
{
	return (p->wish & p->granted & WIRE_H) != 0;
}

/* The peer's accepted request says how we send, ours how we receive (RFC 1962 section 3). */
static void
ccp_up(void *user)
{
	struct ccp *p = user;
	struct ppp_bundle *b = p->bundle;

	p->opened = true;
	b->mppe_tx_on = p->granted != 0;
	b->mppe_rx_on = p->ask;
	if (b->mppe_tx_on)
		mppe_init(&b->mppe_tx, &b->config.keys, true, key_bits(bits_of(p->granted)), (p->granted & WIRE_H) != 0);
	if (b->mppe_rx_on)
		mppe_init(&b->mppe_rx, &b->config.keys, false, key_bits(strongest(bits_of(p->wish))), (p->wish & WIRE_H) != 0);
	/* pppd begins with IP only now, and was deaf to it before */
	fsm_was_early(&b->ipcp.fsm);
	fsm_was_early(&b->ipv6cp.fsm);
	bundle_update(b);
	if (!ccp_active(p))
		require_failed(p, "encryption is required, but the peer refused MPPE, or every key length that is allowed");
}

static void
ccp_down(void *user)
{
	struct ccp *p = user;
	bool by_peer = p->fsm.packet != NULL && p->fsm.packet->code == PPP_TERM_REQ;

	p->opened = false;
	p->bundle->mppe_tx_on = false;
	p->bundle->mppe_rx_on = false;
	bundle_update(p->bundle);
	if (p->fsm.state >= FSM_REQ_SENT)
		ccp_reset_wishes(p);
	if (by_peer)
		require_failed(p, "encryption is required, but the peer ended it");
}

static void
ccp_finished(void *user)
{
	require_failed(user, "encryption is required, but the peer does not negotiate MPPE");
}

static void
forget_peer(void *user)
{
	((struct ccp *)user)->granted = 0;
}

/* A Reset-Request: the next packet starts afresh. Its A bit is all that MPPE needs (RFC 3078 section 7.2); the Ack is for
 * peers that follow RFC 1962 to the letter. */
static void
on_reset_request(struct ccp *p, const struct fsm_packet *packet)
{
	if (!p->opened || !p->bundle->mppe_tx_on)
		return;
	mppe_reset(&p->bundle->mppe_tx);
	fsm_send(&p->fsm, PPP_RESET_ACK, packet->id, NULL, 0);
}

static bool
ccp_extra(void *user, const struct fsm_packet *packet)
{
	if (packet->code == PPP_RESET_REQ)
		on_reset_request(user, packet);
	return packet->code == PPP_RESET_REQ || packet->code == PPP_RESET_ACK;
}

bool
ccp_send_reset(struct ccp *p)
{
	uint64_t now = p->bundle->now, gap = p->bundle->mppe_rx.gaps;

	if (p->reset_ts != 0 && gap == p->reset_gap && now < p->reset_ts + RESET_INTERVAL)
		return false;
	p->reset_ts = now;
	p->reset_gap = gap;
	p->resets++;
	fsm_send(&p->fsm, PPP_RESET_REQ, p->fsm.next_id++, NULL, 0);
	return true;
}

static const struct fsm_ops ops = {
    .proto = PPP_PROTO_CCP,
    .options = {rows, sizeof(rows) / sizeof(rows[0])},
    .up = ccp_up,
    .down = ccp_down,
    .finished = ccp_finished,
    .forget_peer = forget_peer,
    .extra = ccp_extra,
};

void
ccp_reset_wishes(struct ccp *p)
{
	const struct ppp_bundle_config *c = &p->bundle->config;

	p->ask = true;
	p->wish = wire_of(c->mppe_bits & PPP_MPPE_ANY) | (c->mppe_stateless || !c->mppe_stateful_ok ? WIRE_H : 0);
	p->asked_h = false;
	p->reset_ts = 0;
}

void
ccp_init(struct ccp *p, struct ppp_bundle *b)
{
	const struct ppp_bundle_config *c = &b->config;
	struct fsm_limits limits = {c->restart_ns, c->max_configure, c->max_terminate, c->max_failure};

	*p = (struct ccp){.bundle = b};
	fsm_init(&p->fsm, &ops, p, &limits, &b->now);
}
