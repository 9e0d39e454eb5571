#include "libppp/ipv6cp.h"

#include "libppp/bundle_int.h"

enum { OPT_IFID = 1, UNIVERSAL = 0x02 };

static bool
is_zero(const uint8_t id[IFID_LEN])
{
	static const uint8_t zero[IFID_LEN];

	return memcmp(id, zero, IFID_LEN) == 0;
}

/* Random and not of global scope (RFC 5072 section 4.1), never zero, never `other`. */
static void
draw(const struct ppp_bundle *b, uint8_t id[IFID_LEN], const uint8_t other[IFID_LEN])
{
	b->config.random(b->config.random_user, id, IFID_LEN);
	id[0] &= (uint8_t)~UNIVERSAL;
	while (is_zero(id) || memcmp(id, other, IFID_LEN) == 0)
		id[IFID_LEN - 1]++;
}

static bool
build_ifid(void *user, struct wr *w)
{
	struct ipv6cp *p = user;

	wr_bytes(w, p->local, IFID_LEN);
	return p->ask;
}

/* One that is fit to be offered to the peer now. */
static const uint8_t *
offer(struct ipv6cp *p)
{
	if (is_zero(p->offer) || memcmp(p->offer, p->local, IFID_LEN) == 0)
		draw(p->bundle, p->offer, p->local);
	return p->offer;
}

static enum opt_verdict
check_ifid(void *user, struct rd *data, struct wr *nak)
{
	struct ipv6cp *p = user;
	const uint8_t *wish = rd_bytes(data, IFID_LEN);

	if (is_zero(wish) || memcmp(wish, p->local, IFID_LEN) == 0) {
		wr_bytes(nak, offer(p), IFID_LEN);
		return OPT_NAK;
	}
	memcpy(p->peer, wish, IFID_LEN);
	p->peer_known = true;
	return OPT_ACK;
}

static bool
missing_ifid(void *user, struct wr *nak)
{
	wr_bytes(nak, offer(user), IFID_LEN);
	return true;
}

/* Ours was zero or the peer's own: what it suggests instead is taken, if it is any good. */
static void
nak_ifid(void *user, struct rd *data)
{
	struct ipv6cp *p = user;
	const uint8_t *wish = rd_bytes(data, IFID_LEN);

	if (is_zero(wish) || memcmp(wish, p->local, IFID_LEN) == 0 || memcmp(wish, p->peer, IFID_LEN) == 0)
		draw(p->bundle, p->local, p->peer);
	else
		memcpy(p->local, wish, IFID_LEN);
	p->ask = true;
}

static void
rej_ifid(void *user)
{
	((struct ipv6cp *)user)->ask = false;
}

static const struct opt_row rows[] = {
    {OPT_IFID, IFID_LEN, IFID_LEN, build_ifid, check_ifid, missing_ifid, nak_ifid, rej_ifid},
};

/* Without identifiers there are no link-local addresses: not worth having. */
static void
ipv6cp_up(void *user)
{
	struct ipv6cp *p = user;

	if (!p->ask || !p->peer_known) {
		fsm_event(&p->fsm, FSM_CLOSE);
		return;
	}
	p->opened = true;
	p->finished = false;
	bundle_update(p->bundle);
}

static void
ipv6cp_down(void *user)
{
	struct ipv6cp *p = user;

	p->opened = false;
	bundle_update(p->bundle);
	if (p->fsm.state >= FSM_REQ_SENT)
		ipv6cp_reset_wishes(p);
}

static void
ipv6cp_finished(void *user)
{
	struct ipv6cp *p = user;

	p->finished = true;
	bundle_ncp_finished(p->bundle);
}

static void
forget_peer(void *user)
{
	struct ipv6cp *p = user;

	p->peer_known = false;
	memset(p->peer, 0, IFID_LEN);
}

static const struct fsm_ops ops = {
    .proto = PPP_PROTO_IPV6CP,
    .options = {rows, sizeof(rows) / sizeof(rows[0])},
    .up = ipv6cp_up,
    .down = ipv6cp_down,
    .finished = ipv6cp_finished,
    .forget_peer = forget_peer,
};

void
ipv6cp_reset_wishes(struct ipv6cp *p)
{
	const struct ppp_bundle_config *c = &p->bundle->config;

	p->finished = false;
	p->ask = true;
	memcpy(p->offer, c->peer_ifid, IFID_LEN);
	if (!is_zero(c->local_ifid))
		memcpy(p->local, c->local_ifid, IFID_LEN);
	else if (is_zero(p->local))
		draw(p->bundle, p->local, p->offer);
}

void
ipv6cp_init(struct ipv6cp *p, struct ppp_bundle *b)
{
	const struct ppp_bundle_config *c = &b->config;
	struct fsm_limits limits = {c->restart_ns, c->max_configure, c->max_terminate, c->max_failure};

	*p = (struct ipv6cp){.bundle = b};
	fsm_init(&p->fsm, &ops, p, &limits, &b->now);
}
