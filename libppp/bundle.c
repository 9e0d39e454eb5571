#include "libppp/bundle.h"

#include <stdio.h>
#include <string.h>

#include "base/timerheap.h"
#include "libppp/bundle_int.h"
#include "libppp/crypto.h"
#include "libppp/link_int.h"
#include "libppp/mppe_key.h"

void
ppp_bundle_config_init(struct ppp_bundle_config *config)
{
	*config = (struct ppp_bundle_config){
	    .ipv4 = true,
	    .mppe = PPP_MPPE_ALLOW,
	    .mppe_bits = PPP_MPPE_ANY,
	    .mppe_stateless = true,
	    .mppe_stateful_ok = true,
	    .restart_ns = TS_S(3),
	    .max_configure = 10,
	    .max_terminate = 2,
	    .max_failure = 5,
	};
}

int
ppp_bundle_new(struct ppp_bundle **bundlep, const struct ppp_bundle_config *config, uint64_t ts)
{
	struct ppp_bundle *b = mem_calloc(config->mem, 1, sizeof(*b));

	if (b == NULL)
		return -1;
	b->config = *config;
	b->now = ts;
	ipcp_init(&b->ipcp, b);
	ipv6cp_init(&b->ipv6cp, b);
	ccp_init(&b->ccp, b);
	*bundlep = b;
	return 0;
}

void
ppp_bundle_free(struct ppp_bundle *b)
{
	const struct mem *mem;

	if (b == NULL)
		return;
	while (b->links != NULL)
		bundle_leave(b, b->links);
	mem = b->config.mem;
	ppp_wipe(b, sizeof(*b));
	mem_free(mem, b);
}

/* ---- links ---- */

/* Control frames leave by the first link. */
static void
route_output(struct ppp_bundle *b)
{
	struct outq *q = b->links != NULL ? &b->links->outq : NULL;

	b->ipcp.fsm.outq = q;
	b->ipv6cp.fsm.outq = q;
	b->ccp.fsm.outq = q;
}

void
bundle_join(struct ppp_bundle *b, struct ppp_link *link)
{
	struct ppp_link **at = &b->links;

	while (*at != NULL)
		at = &(*at)->next;
	*at = link;
	link->next = NULL;
	link->bundle = b;
	route_output(b);
}

void
bundle_leave(struct ppp_bundle *b, struct ppp_link *link)
{
	struct ppp_link **at = &b->links;

	while (*at != NULL && *at != link)
		at = &(*at)->next;
	if (*at == link)
		*at = link->next;
	link->next = NULL;
	link->bundle = NULL;
	route_output(b);
	bundle_link_down(b, link);
}

static void
start_protocols(struct ppp_bundle *b)
{
	if (ccp_possible(b)) {
		ccp_reset_wishes(&b->ccp);
		fsm_event(&b->ccp.fsm, FSM_OPEN);
		fsm_event(&b->ccp.fsm, FSM_UP);
	}
	if (b->config.ipv4) {
		ipcp_reset_wishes(&b->ipcp);
		fsm_event(&b->ipcp.fsm, FSM_OPEN);
		fsm_event(&b->ipcp.fsm, FSM_UP);
	}
	if (b->config.ipv6) {
		ipv6cp_reset_wishes(&b->ipv6cp);
		fsm_event(&b->ipv6cp.fsm, FSM_OPEN);
		fsm_event(&b->ipv6cp.fsm, FSM_UP);
	}
}

void
bundle_link_up(struct ppp_bundle *b, struct ppp_link *link)
{
	b->now = link->now;
	if (b->up)
		return;
	b->up = true;
	/* the program chose the first keys; a later authentication of the link replaces them */
	if (b->was_up && link->keys.valid)
		b->config.keys = link->keys;
	b->was_up = true;
	if (b->config.keys.valid)
		b->config.mppe_bits &= mppe_keys_bits(&b->config.keys);
	bundle_update(b);
	if (b->config.mppe == PPP_MPPE_REQUIRE && !ccp_possible(b)) {
		bundle_fail(b, PPP_DOWN_ENCRYPTION,
		    b->config.keys.valid ? "encryption is required, but no key length is allowed"
					 : "encryption is required, but the authentication gave no keys: it takes MS-CHAP");
		return;
	}
	start_protocols(b);
	bundle_ncp_finished(b);
}

static bool
any_link_up(const struct ppp_bundle *b)
{
	for (const struct ppp_link *l = b->links; l != NULL; l = l->next) {
		if (l->phase == PPP_PHASE_NETWORK)
			return true;
	}
	return false;
}

void
bundle_link_down(struct ppp_bundle *b, struct ppp_link *link)
{
	b->now = link->now;
	if (!b->up || any_link_up(b))
		return;
	b->up = false;
	fsm_event(&b->ipcp.fsm, FSM_DOWN);
	fsm_event(&b->ipv6cp.fsm, FSM_DOWN);
	fsm_event(&b->ccp.fsm, FSM_DOWN);
	bundle_update(b);
}

/* ---- what may pass ---- */

static void
tell(struct ppp_bundle *b, enum ppp_event_type type)
{
	if (b->links != NULL)
		events_push(&b->links->events, type, NULL);
}

static void
change(struct ppp_bundle *b, bool *was, bool is, enum ppp_event_type up, enum ppp_event_type down)
{
	if (*was == is)
		return;
	*was = is;
	tell(b, is ? up : down);
}

/* IP waits for encryption where that is required, although IPCP need not: one round trip less. */
void
bundle_update(struct ppp_bundle *b)
{
	bool active = ccp_active(&b->ccp);
	bool data_ok = b->up && !b->failed && (b->config.mppe != PPP_MPPE_REQUIRE || active);

	b->clear_ok = b->config.mppe != PPP_MPPE_REQUIRE && !b->mppe_rx_on;
	if (active)
		change(b, &b->mppe_told, active, PPP_EVENT_MPPE_UP, PPP_EVENT_MPPE_DOWN);
	change(b, &b->ipv4_up, data_ok && b->ipcp.opened, PPP_EVENT_IPCP_UP, PPP_EVENT_IPCP_DOWN);
	change(b, &b->ipv6_up, data_ok && b->ipv6cp.opened, PPP_EVENT_IPV6CP_UP, PPP_EVENT_IPV6CP_DOWN);
	if (!active)
		change(b, &b->mppe_told, active, PPP_EVENT_MPPE_UP, PPP_EVENT_MPPE_DOWN);
	for (struct ppp_link *l = b->links; l != NULL && (b->ipv4_up || b->ipv6_up); l = l->next)
		link_auth_settled(l);
}

bool
bundle_encrypts(const struct ppp_bundle *b)
{
	return b->mppe_tx_on || b->config.mppe == PPP_MPPE_REQUIRE;
}

void
bundle_ncp_finished(struct ppp_bundle *b)
{
	bool left = (b->config.ipv4 && !b->ipcp.finished) || (b->config.ipv6 && !b->ipv6cp.finished);

	if (b->up && !left)
		bundle_fail(b, PPP_DOWN_NO_NETWORK, NULL);
}

void
bundle_fail(struct ppp_bundle *b, enum ppp_down down, const char *message)
{
	struct event_slot *s;

	if (b->failed || !b->up)
		return;
	b->failed = true;
	bundle_update(b);
	if (b->links != NULL) {
		s = events_push(&b->links->events, PPP_EVENT_BUNDLE_FAILED, message != NULL ? message : ppp_down_text(down));
		if (s != NULL)
			s->down = down;
	}
	for (struct ppp_link *l = b->links; l != NULL; l = l->next)
		link_fail(l, down, 0, message);
}

/* ---- control packets and time ---- */

static struct fsm *
protocol(struct ppp_bundle *b, unsigned proto)
{
	if (proto == PPP_PROTO_IPCP)
		return b->config.ipv4 ? &b->ipcp.fsm : NULL;
	if (proto == PPP_PROTO_IPV6CP)
		return b->config.ipv6 ? &b->ipv6cp.fsm : NULL;
	if (proto == PPP_PROTO_CCP)
		return ccp_possible(b) ? &b->ccp.fsm : NULL;
	return NULL;
}

bool
bundle_rx_control(struct ppp_bundle *b, unsigned proto, const uint8_t *packet, size_t len, uint64_t ts)
{
	struct fsm *f = protocol(b, proto);

	b->now = ts;
	if (f != NULL)
		fsm_input(f, packet, len);
	return f != NULL;
}

void
bundle_protocol_rejected(struct ppp_bundle *b, unsigned proto, uint64_t ts)
{
	struct fsm *f;

	b->now = ts;
	/* the data's own protocol may be what the peer names */
	if (proto == PPP_PROTO_IP || proto == PPP_PROTO_IPV6 || proto == PPP_PROTO_COMP)
		proto |= 0x8000;
	f = protocol(b, proto);
	if (f == NULL)
		return;
	fsm_rejected(f);
	if (f == &b->ccp.fsm && b->config.mppe == PPP_MPPE_REQUIRE)
		bundle_fail(b, PPP_DOWN_ENCRYPTION, "encryption is required, but the peer does not know it (it rejected CCP)");
}

bool
bundle_need_reset(struct ppp_bundle *b, uint64_t ts)
{
	b->now = ts;
	return ccp_send_reset(&b->ccp);
}

uint64_t
bundle_expiry(const struct ppp_bundle *b)
{
	uint64_t ts = b->ipcp.fsm.expiry;

	if (b->ipv6cp.fsm.expiry < ts)
		ts = b->ipv6cp.fsm.expiry;
	return b->ccp.fsm.expiry < ts ? b->ccp.fsm.expiry : ts;
}

void
bundle_expire(struct ppp_bundle *b, uint64_t ts)
{
	b->now = ts;
	fsm_expire(&b->ccp.fsm);
	fsm_expire(&b->ipcp.fsm);
	fsm_expire(&b->ipv6cp.fsm);
}

/* ---- information ---- */

void
ppp_bundle_info(const struct ppp_bundle *b, struct ppp_bundle_info *info)
{
	*info = (struct ppp_bundle_info){
	    .ipv4_up = b->ipv4_up,
	    .local_v4 = b->ipcp.local,
	    .peer_v4 = b->ipcp.peer,
	    .dns = {b->ipcp.server[0], b->ipcp.server[2]},
	    .wins = {b->ipcp.server[1], b->ipcp.server[3]},
	    .ipv6_up = b->ipv6_up,
	    .mppe_up = b->mppe_told,
	    .mppe_rekeys = b->mppe_rx.rekeys,
	    .mppe_resets = b->ccp.resets,
	    .rx_clear_dropped = b->rx_clear_dropped,
	    .rx_bad = b->rx_bad + b->ipcp.fsm.rx_bad + b->ipv6cp.fsm.rx_bad + b->ccp.fsm.rx_bad,
	    .rx_unexpected = b->rx_unexpected,
	};
	memcpy(info->local_ifid, b->ipv6cp.local, IFID_LEN);
	memcpy(info->peer_ifid, b->ipv6cp.peer, IFID_LEN);
	if (b->mppe_told) {
		info->mppe_bits = ccp_bits(&b->ccp);
		info->mppe_stateless = ccp_stateless(&b->ccp);
	}
}

const char *
ppp_encoding_text(const struct ppp_bundle_info *info, char buf[32])
{
	int bits = info->mppe_bits == PPP_MPPE_128 ? 128 : info->mppe_bits == PPP_MPPE_56 ? 56 : 40;

	if (!info->mppe_up)
		snprintf(buf, 32, "none");
	else
		snprintf(buf, 32, "MPPE%d %s", bits, info->mppe_stateless ? "stateless" : "stateful");
	return buf;
}
