/* A link's phase Authenticate: drives the machines of auth_fsm.h, either or both. */
#include <string.h>

#include "base/mem.h"
#include "base/timerheap.h"
#include "libppp/link_int.h"

static struct auth_config
machine_config(struct ppp_link *link)
{
	const struct ppp_link_config *c = &link->config;

	return (struct auth_config){
	    .crypto = c->crypto,
	    .random = c->random,
	    .random_user = c->random_user,
	    .name = c->local_name,
	    .secret = &c->secret,
	    .out = &link->outq,
	    .restart_ns = c->restart_ns,
	    .max_transmit = c->max_configure,
	    .retries = c->auth_retries,
	};
}

/* Makes those that are needed and not there yet; false when memory ran out. */
static bool
make_machines(struct ppp_link *link)
{
	const struct mem *mem = link->config.mem;
	struct auth_config a = machine_config(link);

	if (!link->authr_done && link->authr == NULL) {
		link->authr = mem_calloc(mem, 1, sizeof(*link->authr));
		if (link->authr == NULL)
			return false;
		authr_init(link->authr, &a);
	}
	if (!link->authe_done && link->authe == NULL) {
		link->authe = mem_calloc(mem, 1, sizeof(*link->authe));
		if (link->authe == NULL)
			return false;
		authe_init(link->authe, &a);
	}
	return true;
}

static void
free_authr(struct ppp_link *link)
{
	if (link->authr != NULL)
		ppp_wipe(link->authr, sizeof(*link->authr));
	mem_free(link->config.mem, link->authr);
	link->authr = NULL;
}

void
link_auth_free(struct ppp_link *link)
{
	free_authr(link);
	if (link->authe != NULL)
		ppp_wipe(link->authe, sizeof(*link->authe));
	mem_free(link->config.mem, link->authe);
	link->authe = NULL;
}

/* The other machine stays: the peer may challenge us again at any time (RFC 1994 section 2). */
void
link_auth_settled(struct ppp_link *link)
{
	if (link->phase == PPP_PHASE_NETWORK)
		free_authr(link);
}

static void
go_on_when_done(struct ppp_link *link)
{
	if (link->phase == PPP_PHASE_AUTHENTICATE && link->authr_done && link->authe_done)
		link_network(link);
}

void
link_auth_start(struct ppp_link *link)
{
	link->authr_done = link->lcp.offer == 0;
	link->authe_done = link->lcp.peer.auth == 0;
	link->auth_deadline = link->now + link->config.auth_timeout_ns;
	if (!make_machines(link)) {
		link_fail(link, PPP_DOWN_NOMEM, 0, NULL);
		return;
	}
	if (!link->authr_done)
		authr_start(link->authr, link->lcp.offer, link->now);
	if (!link->authe_done)
		authe_start(link->authe, link->lcp.peer.auth, link->now);
	go_on_when_done(link);
}

void
link_auth_stop(struct ppp_link *link)
{
	link->auth_deadline = TS_NEVER;
	if (link->authr != NULL)
		authr_stop(link->authr);
	if (link->authe != NULL)
		authe_stop(link->authe);
}

static const uint8_t *
lesser_key(const struct ppp_mppe_keys *k)
{
	return memcmp(k->send, k->recv, sizeof(k->send)) < 0 ? k->send : k->recv;
}

/* Where both sides authenticated, there are two pairs of keys, and both sides must take the same: the pair that holds
 * the least key, as neither's role can tell them. */
static void
choose_keys(struct ppp_link *link)
{
	static const struct ppp_mppe_keys none;
	const struct ppp_mppe_keys *r = link->authr != NULL ? &link->authr->keys : &none;
	const struct ppp_mppe_keys *e = link->authe != NULL ? &link->authe->keys : &none;

	if (r->valid && e->valid)
		link->keys = memcmp(lesser_key(r), lesser_key(e), sizeof(r->send)) < 0 ? *r : *e;
	else if (r->valid || e->valid)
		link->keys = r->valid ? *r : *e;
}

/* Later authentications of the same link must be of the same peer: what the program granted was granted to that one. */
static void
peer_accepted(struct ppp_link *link)
{
	const struct authr *a = link->authr;

	if (link->networked && link->peer_method != 0 && strcmp(link->peer_name, a->request.name) != 0) {
		link_fail(link, PPP_DOWN_AUTH_FAILED, 0, "the peer changed its name on an established link");
		return;
	}
	link->peer_method = a->method;
	memcpy(link->peer_name, a->request.name, sizeof(link->peer_name));
	choose_keys(link);
	if (!link->authr_done)
		events_push(&link->events, PPP_EVENT_PEER_AUTHED, NULL);
	link->authr_done = true;
	go_on_when_done(link);
}

/* EAP was agreed on without knowing its methods; there may be CHAP. */
static void
peer_knows_no_method(struct ppp_link *link)
{
	if (lcp_offer_other_than_eap(&link->lcp))
		return;
	authr_give_up(link->authr);
	link_fail(link, PPP_DOWN_AUTH_REFUSED, 0, NULL);
}

static void
on_authr(struct ppp_link *link, enum authr_result result)
{
	switch (result) {
	case AUTHR_NONE:
		break;
	case AUTHR_REQUEST:
		events_push(&link->events, PPP_EVENT_AUTH_REQUEST, NULL);
		break;
	case AUTHR_ACCEPTED:
		peer_accepted(link);
		break;
	case AUTHR_REFUSED:
		link_fail(link, PPP_DOWN_AUTH_FAILED, 0, NULL);
		break;
	case AUTHR_NO_METHOD:
		peer_knows_no_method(link);
		break;
	case AUTHR_TIMEOUT:
		link_fail(link, PPP_DOWN_AUTH_TIMEOUT, 0, NULL);
		break;
	}
}

static void
self_accepted(struct ppp_link *link)
{
	const struct authe *e = link->authe;

	link->self_method = e->method;
	choose_keys(link);
	if (!link->authe_done)
		events_push(&link->events, PPP_EVENT_SELF_AUTHED, e->message);
	link->authe_done = true;
	go_on_when_done(link);
}

static void
on_authe(struct ppp_link *link, enum authe_result result)
{
	switch (result) {
	case AUTHE_NONE:
		break;
	case AUTHE_ACCEPTED:
		self_accepted(link);
		break;
	case AUTHE_REJECTED:
		link_fail(link, PPP_DOWN_AUTH_REJECTED, link->authe->mschap_error, link->authe->message);
		break;
	case AUTHE_NO_METHOD:
		if (!lcp_ask_for_other_than_eap(&link->lcp))
			link_fail(link, PPP_DOWN_AUTH_REFUSED, 0, "the peer knows no EAP method that is allowed here");
		break;
	case AUTHE_NOT_GENUINE:
		link_fail(link, PPP_DOWN_PEER_NOT_GENUINE, 0, NULL);
		break;
	case AUTHE_TIMEOUT:
		link_fail(link, PPP_DOWN_AUTH_TIMEOUT, 0, NULL);
		break;
	}
}

static bool
negotiated(unsigned methods, enum ppp_proto proto)
{
	for (unsigned bit = 1; bit <= PPP_AUTH_ALL; bit <<= 1) {
		if ((methods & bit) && ppp_auth_proto((enum ppp_auth_method)bit) == proto)
			return true;
	}
	return false;
}

void
link_auth_rx(struct ppp_link *link, enum ppp_proto proto, const uint8_t *packet, size_t len)
{
	bool authr = negotiated(link->lcp.offer, proto);
	bool authe = negotiated(link->lcp.peer.auth, proto);

	if (link->phase != PPP_PHASE_AUTHENTICATE && link->phase != PPP_PHASE_NETWORK)
		return;
	if (!authr && !authe) {
		lcp_reject_protocol(&link->lcp, proto, packet, len);
		return;
	}
	if (authr && link->authr != NULL)
		on_authr(link, authr_rx(link->authr, proto, packet, len, link->now));
	if (authe && link->authe != NULL && link->why == PPP_DOWN_NONE)
		on_authe(link, authe_rx(link->authe, proto, packet, len, link->now));
}

void
link_auth_network_seen(struct ppp_link *link)
{
	if (!link->authe_done)
		on_authe(link, authe_network_seen(link->authe));
}

void
link_auth_rejected(struct ppp_link *link, unsigned proto)
{
	if (negotiated(link->lcp.offer | link->lcp.peer.auth, (enum ppp_proto)proto))
		link_fail(link, PPP_DOWN_AUTH_REFUSED, 0, "the peer agreed on an authentication method, but then rejected its packets");
}

void
ppp_link_auth_verdict(struct ppp_link *link, uint8_t id, const struct ppp_auth_verdict *verdict, uint64_t ts)
{
	link->now = ts;
	if (link->authr != NULL && (link->phase == PPP_PHASE_AUTHENTICATE || link->phase == PPP_PHASE_NETWORK))
		on_authr(link, authr_verdict(link->authr, id, verdict, ts));
}

uint64_t
link_auth_expiry(const struct ppp_link *link)
{
	uint64_t ts = link->auth_deadline;
	uint64_t r = link->authr != NULL ? authr_expiry(link->authr) : TS_NEVER;
	uint64_t e = link->authe != NULL ? authe_expiry(link->authe) : TS_NEVER;

	if (r < ts)
		ts = r;
	return e < ts ? e : ts;
}

void
link_auth_expire(struct ppp_link *link)
{
	if (link->auth_deadline <= link->now) {
		link_fail(link, PPP_DOWN_AUTH_TIMEOUT, 0, NULL);
		return;
	}
	if (link->authr != NULL && authr_expiry(link->authr) <= link->now)
		on_authr(link, authr_expire(link->authr, link->now));
	if (link->authe != NULL && authe_expiry(link->authe) <= link->now)
		on_authe(link, authe_expire(link->authe, link->now));
}
