#include "libppp/ipcp.h"

#include "libppp/bundle_int.h"

enum { OPT_ADDRESS = 3, OPT_DNS1 = 129, OPT_WINS1, OPT_DNS2, OPT_WINS2 };

static void
write_addr(struct wr *w, const struct addr *a)
{
	static const uint8_t none[4];

	wr_bytes(w, a->family == 4 ? a->bytes : none, 4);
}

/* Family 0 for 0.0.0.0: the wire's way to say "none". */
static struct addr
read_addr(struct rd *r)
{
	const uint8_t *p = rd_bytes(r, 4);

	return p != NULL && get_u32(p) != 0 ? addr_v4(p) : (struct addr){0};
}

/* ---- addresses ---- */

static bool
build_addr(void *user, struct wr *w)
{
	struct ipcp *p = user;

	write_addr(w, &p->local);
	return p->ask_addr;
}

static enum opt_verdict
check_addr(void *user, struct rd *data, struct wr *nak)
{
	struct ipcp *p = user;
	const struct ppp_bundle_config *c = &p->bundle->config;
	struct addr wish = read_addr(data);

	if (c->peer_v4.family == 4 && !addr_equal(&wish, &c->peer_v4) && (wish.family == 0 || !c->accept_peer_v4)) {
		write_addr(nak, &c->peer_v4);
		return OPT_NAK;
	}
	if (wish.family == 0)
		return OPT_REJ;
	p->peer = wish;
	return OPT_ACK;
}

static bool
missing_addr(void *user, struct wr *nak)
{
	struct ipcp *p = user;

	write_addr(nak, &p->bundle->config.peer_v4);
	return p->bundle->config.peer_v4.family == 4;
}

static void
nak_addr(void *user, struct rd *data)
{
	struct ipcp *p = user;
	const struct ppp_bundle_config *c = &p->bundle->config;
	struct addr offer = read_addr(data);

	if (offer.family == 4 && (c->local_v4.family == 0 || c->accept_local_v4)) {
		p->local = offer;
		p->ask_addr = true;
	}
}

static void
rej_addr(void *user)
{
	((struct ipcp *)user)->ask_addr = false;
}

/* ---- servers: 129 to 132 are the same but for the index ---- */

static const struct addr *
configured_server(const struct ipcp *p, unsigned i)
{
	const struct ppp_bundle_config *c = &p->bundle->config;

	return i & 1 ? &c->wins[i >> 1] : &c->dns[i >> 1];
}

static bool
build_server(struct ipcp *p, unsigned i, struct wr *w)
{
	write_addr(w, &p->server[i]);
	return p->ask_server[i];
}

static enum opt_verdict
check_server(struct ipcp *p, unsigned i, struct rd *data, struct wr *nak)
{
	const struct addr *ours = configured_server(p, i);
	struct addr wish = read_addr(data);

	if (ours->family != 4)
		return OPT_REJ;
	if (addr_equal(&wish, ours))
		return OPT_ACK;
	write_addr(nak, ours);
	return OPT_NAK;
}

static void
nak_server(struct ipcp *p, unsigned i, struct rd *data)
{
	if (!p->bundle->config.request_dns)
		return;
	p->server[i] = read_addr(data);
	p->ask_server[i] = p->server[i].family == 4;
}

static void
rej_server(struct ipcp *p, unsigned i)
{
	p->ask_server[i] = false;
	p->server[i] = (struct addr){0};
}

#define SERVER(i)                                                                                                                          \
	static bool build_server_##i(void *user, struct wr *w)                                                                             \
	{                                                                                                                                  \
		return build_server(user, i, w);                                                                                           \
	}                                                                                                                                  \
	static enum opt_verdict check_server_##i(void *user, struct rd *data, struct wr *nak)                                              \
	{                                                                                                                                  \
		return check_server(user, i, data, nak);                                                                                   \
	}                                                                                                                                  \
	static void nak_server_##i(void *user, struct rd *data)                                                                            \
	{                                                                                                                                  \
		nak_server(user, i, data);                                                                                                 \
	}                                                                                                                                  \
	static void rej_server_##i(void *user)                                                                                             \
	{                                                                                                                                  \
		rej_server(user, i);                                                                                                       \
	}

SERVER(0)
SERVER(1)
SERVER(2)
SERVER(3)

/* IP-Addresses (1, given up by RFC 1332) and Van Jacobson compression (2) are rejected as unknown. */
static const struct opt_row rows[] = {
    {OPT_ADDRESS, 4, 4, build_addr, check_addr, missing_addr, nak_addr, rej_addr},
    {OPT_DNS1, 4, 4, build_server_0, check_server_0, NULL, nak_server_0, rej_server_0},
    {OPT_WINS1, 4, 4, build_server_1, check_server_1, NULL, nak_server_1, rej_server_1},
    {OPT_DNS2, 4, 4, build_server_2, check_server_2, NULL, nak_server_2, rej_server_2},
    {OPT_WINS2, 4, 4, build_server_3, check_server_3, NULL, nak_server_3, rej_server_3},
};

/* ---- the automaton's view ---- */

/* Without an address of our own there is nothing to run IP with. */
static void
ipcp_up(void *user)
{
	struct ipcp *p = user;

	if (p->local.family == 0) {
		fsm_event(&p->fsm, FSM_CLOSE);
		return;
	}
	if (p->peer.family == 0)
		p->peer = p->bundle->config.peer_v4;
	for (unsigned i = 0; i < IPCP_SERVERS; i++) {
		if (!p->ask_server[i])
			p->server[i] = (struct addr){0};
	}
	p->opened = true;
	p->finished = false;
	bundle_update(p->bundle);
}

static void
ipcp_down(void *user)
{
	struct ipcp *p = user;

	p->opened = false;
	bundle_update(p->bundle);
	if (p->fsm.state >= FSM_REQ_SENT)
		ipcp_reset_wishes(p);
}

static void
ipcp_finished(void *user)
{
	struct ipcp *p = user;

	p->finished = true;
	bundle_ncp_finished(p->bundle);
}

static void
forget_peer(void *user)
{
	((struct ipcp *)user)->peer = (struct addr){0};
}

static const struct fsm_ops ops = {
    .proto = PPP_PROTO_IPCP,
    .options = {rows, sizeof(rows) / sizeof(rows[0])},
    .up = ipcp_up,
    .down = ipcp_down,
    .finished = ipcp_finished,
    .forget_peer = forget_peer,
};

void
ipcp_reset_wishes(struct ipcp *p)
{
	const struct ppp_bundle_config *c = &p->bundle->config;

	p->finished = false;
	p->local = c->local_v4;
	p->ask_addr = true;
	for (unsigned i = 0; i < IPCP_SERVERS; i++) {
		p->server[i] = (struct addr){0};
		p->ask_server[i] = c->request_dns && (i & 1) == 0;
	}
}

void
ipcp_init(struct ipcp *p, struct ppp_bundle *b)
{
	const struct ppp_bundle_config *c = &b->config;
	struct fsm_limits limits = {c->restart_ns, c->max_configure, c->max_terminate, c->max_failure};

	*p = (struct ipcp){.bundle = b};
	fsm_init(&p->fsm, &ops, p, &limits, &b->now);
}
