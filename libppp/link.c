/* A link's life: phases, timers, events (RFC 1661 section 3). */
#include "libppp/link.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/timerheap.h"
#include "libppp/bundle_int.h"
#include "libppp/crypto.h"
#include "libppp/link_int.h"

const char *
ppp_down_text(enum ppp_down down)
{
	switch (down) {
	case PPP_DOWN_NONE:
		return "not down";
	case PPP_DOWN_LOCAL:
		return "closed on this side";
	case PPP_DOWN_PEER:
		return "closed by the peer";
	case PPP_DOWN_NO_REPLY:
		return "the peer sent no PPP frame at all: something on the way may block IP protocol 47 (GRE)";
	case PPP_DOWN_LCP_FAILED:
		return "the peers could not agree on the link's options";
	case PPP_DOWN_ECHO:
		return "the peer does not answer any more";
	case PPP_DOWN_LOOPBACK:
		return "the link is looped back: our own frames return";
	case PPP_DOWN_AUTH_REFUSED:
		return "the peer refused every authentication method allowed";
	case PPP_DOWN_AUTH_FAILED:
		return "the peer failed to authenticate";
	case PPP_DOWN_AUTH_REJECTED:
		return "wrong user name or password";
	case PPP_DOWN_AUTH_TIMEOUT:
		return "authentication did not end in time";
	case PPP_DOWN_PEER_NOT_GENUINE:
		return "the peer does not know our password: it is not who it claims to be";
	case PPP_DOWN_ENCRYPTION:
		return "encryption is required, but could not be agreed on";
	case PPP_DOWN_NO_NETWORK:
		return "no network protocol could be agreed on";
	case PPP_DOWN_NOMEM:
		return "out of memory";
	}
	return "unknown reason";
}

void
ppp_link_config_init(struct ppp_link_config *config)
{
	*config = (struct ppp_link_config){
	    .mru = 1400,
	    .mtu_max = 1400,
	    .pfc = true,
	    .acfc = true,
	    .restart_ns = TS_S(3),
	    .max_configure = 10,
	    .max_terminate = 2,
	    .max_failure = 5,
	    .auth_timeout_ns = TS_S(30),
	    .echo_interval_ns = TS_S(30),
	    .echo_failures = 4,
	};
}

int
ppp_link_new(struct ppp_link **linkp, const struct ppp_link_config *config, uint64_t ts)
{
	struct ppp_link *link = mem_calloc(config->mem, 1, sizeof(*link));

	if (link == NULL)
		return -1;
	link->config = *config;
	link->now = ts;
	link->last_rx = ts;
	link->auth_deadline = TS_NEVER;
	link->setup_deadline = TS_NEVER;
	link->listen_deadline = TS_NEVER;
	outq_init(&link->outq);
	lcp_init(&link->lcp, link);
	*linkp = link;
	return 0;
}

void
ppp_link_free(struct ppp_link *link)
{
	const struct mem *mem;

	if (link == NULL)
		return;
	if (link->bundle != NULL)
		bundle_leave(link->bundle, link);
	link_auth_free(link);
	mem = link->config.mem;
	ppp_wipe(link, sizeof(*link));
	mem_free(mem, link);
}

/* A peer may reject, Nak and begin anew for ever without breaking a rule; not before it has shown who it is. */
static uint64_t
setup_time(const struct ppp_link_config *c)
{
	return (c->max_configure + (c->passive ? 1u : 0u)) * c->restart_ns + c->auth_timeout_ns;
}

void
ppp_link_open(struct ppp_link *link, uint64_t ts)
{
	if (link->phase != PPP_PHASE_DEAD || link->why != PPP_DOWN_NONE)
		return;
	link->now = ts;
	link->last_rx = ts;
	link->phase = PPP_PHASE_ESTABLISH;
	link->setup_deadline = ts + setup_time(&link->config);
	if (link->config.passive)
		link->listen_deadline = ts + link->config.restart_ns;
	lcp_reset_wishes(&link->lcp);
	fsm_event(&link->lcp.fsm, FSM_OPEN);
	fsm_event(&link->lcp.fsm, FSM_UP);
}

void
link_report_down(struct ppp_link *link)
{
	const char *message = link->message[0] != '\0' ? link->message : ppp_down_text(link->why);

	events_down(&link->events, link->why, link->mschap_error, message);
}

static void
set_why(struct ppp_link *link, enum ppp_down why, uint16_t mschap_error, const char *message)
{
	if (link->why != PPP_DOWN_NONE)
		return;
	link->why = why;
	link->mschap_error = mschap_error;
	snprintf(link->message, sizeof(link->message), "%s", message != NULL ? message : "");
	link->setup_deadline = TS_NEVER;
	link->listen_deadline = TS_NEVER;
}

/* Nothing follows: the automaton is at rest, or there is nobody to talk to. */
static void
end_now(struct ppp_link *link)
{
	link->phase = PPP_PHASE_DEAD;
	link_auth_stop(link);
	lcp_echo_stop(&link->lcp);
	link_report_down(link);
}

void
link_fail(struct ppp_link *link, enum ppp_down why, uint16_t mschap_error, const char *message)
{
	struct fsm *f = &link->lcp.fsm;
	const char *reason = message != NULL && why != PPP_DOWN_AUTH_REJECTED ? message : ppp_down_text(why);

	if (link->why != PPP_DOWN_NONE)
		return;
	set_why(link, why, mschap_error, message);
	snprintf(f->reason, sizeof(f->reason), "%s", reason);
	link->phase = PPP_PHASE_TERMINATE;
	link_auth_stop(link);
	fsm_event(f, FSM_CLOSE);
	/* nobody is there, or it is ourselves: no use in waiting for an answer */
	if (why == PPP_DOWN_ECHO || why == PPP_DOWN_LOOPBACK)
		link_report_down(link);
	if (f->state < FSM_CLOSING)
		end_now(link);
}

void
ppp_link_close(struct ppp_link *link, enum ppp_down why, const char *reason, uint64_t ts)
{
	link->now = ts;
	link_fail(link, why != PPP_DOWN_NONE ? why : PPP_DOWN_LOCAL, 0, reason);
}

void
ppp_link_lower_down(struct ppp_link *link, uint64_t ts)
{
	link->now = ts;
	if (link->phase == PPP_PHASE_ESTABLISH && !link->heard)
		set_why(link, PPP_DOWN_NO_REPLY, 0, NULL);
	set_why(link, PPP_DOWN_PEER, 0, "the call ended");
	link->phase = PPP_PHASE_TERMINATE;
	fsm_event(&link->lcp.fsm, FSM_DOWN);
	outq_init(&link->outq);
	end_now(link);
}

void
link_lcp_up(struct ppp_link *link)
{
	link->listen_deadline = TS_NEVER;
	link->tx_pfc = link->lcp.peer.pfc;
	link->tx_acfc = link->lcp.peer.acfc;
	link->phase = PPP_PHASE_AUTHENTICATE;
	events_push(&link->events, PPP_EVENT_LCP_UP, NULL);
	lcp_send_identification(&link->lcp);
	lcp_echo_start(&link->lcp);
	link_auth_start(link);
}

static void
note_peers_reason(struct ppp_link *link, const struct fsm_packet *p)
{
	char message[PPP_MESSAGE_MAX + 1];
	struct text t;

	text_init(&t, message, sizeof(message));
	text_add_untrusted(&t, p->data, p->len);
	set_why(link, PPP_DOWN_PEER, 0, message);
}

/* LCP left Opened: for good, or to negotiate anew. The peer's Terminate-Request is reported at once; that its Ack may
 * have to be repeated does not concern the program. */
void
link_lcp_down(struct ppp_link *link)
{
	const struct fsm *f = &link->lcp.fsm;

	bool by_peer = link->why == PPP_DOWN_NONE && f->packet != NULL && f->packet->code == PPP_TERM_REQ;

	link_auth_stop(link);
	if (by_peer)
		note_peers_reason(link, f->packet);
	else if (link->why == PPP_DOWN_NONE && f->state == FSM_STOPPING)
		set_why(link, PPP_DOWN_LCP_FAILED, 0, "the peer rejected LCP");
	link->phase = link->why == PPP_DOWN_NONE ? PPP_PHASE_ESTABLISH : PPP_PHASE_TERMINATE;
	if (link->bundle != NULL)
		bundle_link_down(link->bundle, link);
	if (by_peer)
		link_report_down(link);
}

void
link_lcp_finished(struct ppp_link *link)
{
	const struct fsm *f = &link->lcp.fsm;
	bool unanswered = f->request_open && f->naks_rcvd == 0;

	if (link->heard)
		set_why(link, PPP_DOWN_LCP_FAILED, 0, unanswered ? LINK_UNANSWERED : NULL);
	else
		set_why(link, PPP_DOWN_NO_REPLY, 0, NULL);
	end_now(link);
}

void
link_network(struct ppp_link *link)
{
	link->auth_deadline = TS_NEVER;
	link->setup_deadline = TS_NEVER;
	link->early_len = 0;
	link->phase = PPP_PHASE_NETWORK;
	if (!link->networked)
		events_push(&link->events, PPP_EVENT_NETWORK, NULL);
	link->networked = true;
	if (link->bundle != NULL)
		bundle_link_up(link->bundle, link);
}

void
ppp_link_join(struct ppp_link *link, struct ppp_bundle *bundle, uint64_t ts)
{
	link->now = ts;
	if (link->bundle != NULL)
		return;
	bundle_join(bundle, link);
	if (link->phase != PPP_PHASE_NETWORK)
		return;
	bundle_link_up(bundle, link);
	link_early_deliver(link);
}

static uint64_t
earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

uint64_t
ppp_link_expiry(const struct ppp_link *link)
{
	uint64_t ts = earlier(link->lcp.fsm.expiry, link->lcp.echo_expiry);

	ts = earlier(ts, earlier(link_auth_expiry(link), earlier(link->setup_deadline, link->listen_deadline)));
	return link->bundle != NULL ? earlier(ts, bundle_expiry(link->bundle)) : ts;
}

/* A passive link has waited long enough for the peer to begin. */
static void
stop_listening(struct ppp_link *link)
{
	link->listen_deadline = TS_NEVER;
	if (link->lcp.fsm.state != FSM_STOPPED)
		return;
	link->lcp.fsm.passive = false;
	fsm_event(&link->lcp.fsm, FSM_DOWN);
	fsm_event(&link->lcp.fsm, FSM_UP);
}

static void
setup_expired(struct ppp_link *link)
{
	bool authenticating = link->phase == PPP_PHASE_AUTHENTICATE;

	link_fail(link, authenticating ? PPP_DOWN_AUTH_TIMEOUT : PPP_DOWN_LCP_FAILED, 0, NULL);
}

void
ppp_link_expire(struct ppp_link *link, uint64_t ts)
{
	link->now = ts;
	fsm_expire(&link->lcp.fsm);
	lcp_echo_expire(&link->lcp);
	link_auth_expire(link);
	if (link->setup_deadline <= ts)
		setup_expired(link);
	if (link->listen_deadline <= ts)
		stop_listening(link);
	if (link->bundle != NULL)
		bundle_expire(link->bundle, ts);
}

bool
ppp_link_event(struct ppp_link *link, struct ppp_event *event)
{
	struct event_slot slot;

	if (!events_take(&link->events, &slot))
		return false;
	event->type = slot.type;
	event->down = slot.down;
	event->mschap_error = slot.mschap_error;
	if (slot.type == PPP_EVENT_AUTH_REQUEST && link->authr != NULL)
		event->request = link->authr->request;
	else
		memcpy(event->message, slot.message, sizeof(event->message));
	return true;
}

bool
ppp_link_is_over(const struct ppp_link *link)
{
	return link->why != PPP_DOWN_NONE;
}

static uint16_t
link_mtu(const struct ppp_link *link)
{
	uint16_t mtu = link->lcp.peer.mru < link->config.mtu_max ? link->lcp.peer.mru : link->config.mtu_max;

	if (link->bundle != NULL && bundle_encrypts(link->bundle))
		mtu = (uint16_t)(mtu - PPP_MPPE_OVERHEAD);
	return mtu;
}

void
ppp_link_info(const struct ppp_link *link, struct ppp_link_info *info)
{
	*info = (struct ppp_link_info){
	    .phase = link->phase,
	    .mru = link->lcp.mru,
	    .peer_mru = link->lcp.peer.mru,
	    .mtu = link_mtu(link),
	    .pfc = link->tx_pfc,
	    .acfc = link->tx_acfc,
	    .peer_method = link->peer_method,
	    .self_method = link->self_method,
	    .keys = link->keys,
	    .echo_rtt_ns = link->lcp.echo_rtt,
	    .rx_control = link->rx_control,
	    .tx_control = link->tx_control,
	};
	memcpy(info->peer_name, link->peer_name, sizeof(info->peer_name));
}
