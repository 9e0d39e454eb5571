/* The call on the control connection, and the PPP link on the call. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/timerheap.h"
#include "pptpc/client.h"
#include "sys/clock.h"
#include "sys/log.h"
#include "tunnel/control.h"

#define SETTLE_NS TS_S(1) /* something works: the longest to wait for the rest */

static enum dial_stage
stage_of(const struct dial *d)
{
	if (d->was_up)
		return STAGE_UP;
	if (d->state == DIAL_LINK)
		return STAGE_LINK;
	return d->state == DIAL_CALL ? STAGE_CALL : STAGE_CONTROL;
}

static uint64_t
load(const _Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

/* This machine's own firewall makes sending fail. */
static bool
refuses_gre(const struct dial *d)
{
	return load(&tunnel_worker_counters(d->path->engine, 0)->tx_errors) > d->sent_errors;
}

/* Where GRE stopped, as far as this side can see. */
static struct trouble
no_gre_trouble(const struct dial *d)
{
	const struct tunnel_worker_counters *w = tunnel_worker_counters(d->path->engine, 0);
	uint64_t errors = load(&w->tx_errors) - d->sent_errors, wrong = load(&w->gre_wrong_source) - d->wrong_sources;
	char text[128];

	if (errors > 0) {
		snprintf(text, sizeof(text), "%llu packets could not be sent", (unsigned long long)errors);
		return trouble_make(TROUBLE_GRE_LOCAL, text);
	}
	if (wrong > 0) {
		snprintf(text, sizeof(text), "%llu packets", (unsigned long long)wrong);
		return trouble_make(TROUBLE_GRE_SOURCE, text);
	}
	snprintf(text, sizeof(text), "this machine sends it without error, and sees none");
	return trouble_make(TROUBLE_GRE_BLOCKED, text);
}

/* What a call ended for. A server that hears no GRE either gives up in words that say less than what is known here. */
static struct trouble
end_trouble(const struct dial *d, const struct pptp_event *event)
{
	bool silent = d->counters == NULL || load(&d->counters->gre_rx) == 0 || refuses_gre(d);

	return d->no_gre && d->state == DIAL_LINK && silent ? no_gre_trouble(d) : trouble_from_pptp(event, stage_of(d));
}

/* --- the call --------------------------------------------------------------------------- */

static void
link_config(const struct dial *d, struct ppp_link_config *link)
{
	*link = d->profile->tunnel.link;
	snprintf(link->local_name, sizeof(link->local_name), "%s", d->profile->user);
	link->require = 0;
	link->allow = d->profile->allow;
}

static void
note_counters(struct dial *d)
{
	const struct tunnel_worker_counters *w = tunnel_worker_counters(d->path->engine, 0);

	d->sent_errors = atomic_load_explicit(&w->tx_errors, memory_order_relaxed);
	d->wrong_sources = atomic_load_explicit(&w->gre_wrong_source, memory_order_relaxed);
}

static void
open_session(struct dial *d)
{
	struct tunnel_command open = {.type = TUNNEL_SESSION_OPEN};

	d->counters = calloc(1, sizeof(*d->counters));
	if (d->counters == NULL) {
		dial_hangup_kind(d, TROUBLE_MEMORY, NULL);
		return;
	}
	d->session = open.session = d->client->next_session++;
	d->session_closing = d->session_aborted = false;
	open.open.call_id = d->call_id;
	open.open.local = d->outer;
	open.open.peer = d->server;
	open.open.gre = d->profile->tunnel.gre;
	open.open.peer_later = true;
	link_config(d, &open.open.link);
	open.open.counters = d->counters;
	open.open.no_gre_ns = d->profile->no_gre_ns;
	note_counters(d);
	tunnel_post(d->path->engine, 0, &open);
}

static void
open_call(struct dial *d)
{
	struct pptp_call_params params = {
	    .recv_window = d->profile->tunnel.recv_window,
	    .called_number = d->profile->phone[0] != '\0' ? d->profile->phone : NULL,
	    .call_id = (uint16_t)d->profile->call_id,
	};
	int error;

	if (d->state != DIAL_CONNECT)
		return;
	dial_set_state(d, DIAL_CALL);
	if (!data_bind(d->path)) {
		dial_hangup_kind(d, TROUBLE_LOCAL, "the interface of bind-interface is gone");
		return;
	}
	error = pptp_call_open(control_conn(d->control), &params, &d->call_id, clock_ts());
	if (error != PPTP_OK) {
		d->call_id = 0;
		dial_hangup_kind(d, TROUBLE_LOCAL, pptp_strerror(error));
		return;
	}
	/* Before the answer: a server's first GRE may overtake it. */
	d->outer = *control_local(d->control);
	open_session(d);
}

static void
on_call_up(struct dial *d, const struct pptp_call_info *call)
{
	struct tunnel_command peer = {.type = TUNNEL_SESSION_PEER, .session = d->session};

	if (d->state != DIAL_CALL)
		return;
	peer.peer.call_id = call->peer_call_id;
	peer.peer.window = call->peer_window;
	peer.peer.delay = call->peer_delay;
	tunnel_post(d->path->engine, 0, &peer);
	/* Our Configure-Request goes out at once: it opens a pinhole in this side's own firewall for the server's packets. */
	pptp_call_set_link_info(control_conn(d->control), d->call_id, UINT32_MAX, UINT32_MAX, clock_ts());
	d->link_ts = clock_ts();
	dial_set_state(d, DIAL_LINK);
	dial_arm(d, d->profile->no_gre_ns);
}

static void
on_call_down(struct dial *d, const struct pptp_event *event)
{
	struct trouble t = end_trouble(d, event);

	d->call_id = 0;
	dial_hangup(d, &t);
}

static void
on_control_closed(struct dial *d, const struct pptp_event *event)
{
	struct trouble t = end_trouble(d, event);
	struct control *c = d->control;

	d->call_id = 0;
	d->control = NULL;
	control_free(c);
	dial_hangup(d, &t);
}

static void
on_control_event(void *user, struct control *c, const struct pptp_event *event)
{
	struct dial *d = user;
	char vendor[280], host[280];

	(void)c;
	switch (event->type) {
	case PPTP_EVENT_ESTABLISHED:
		log_event(LOG_LEVEL_DEBUG, "control", "tunnel=%s vendor=%s host=%s", d->profile->name,
		    log_quote(vendor, sizeof(vendor), event->peer.vendor_name), log_quote(host, sizeof(host), event->peer.host_name));
		open_call(d);
		break;
	case PPTP_EVENT_CALL_UP:
		on_call_up(d, &event->call);
		break;
	case PPTP_EVENT_CALL_DOWN:
		on_call_down(d, event);
		break;
	case PPTP_EVENT_CLOSED:
		on_control_closed(d, event);
		break;
	case PPTP_EVENT_NONE:
	case PPTP_EVENT_CALL_REQUEST: /* we accept none */
	case PPTP_EVENT_LINK_INFO:    /* ACCMs mean nothing over GRE */
	case PPTP_EVENT_WAN_ERROR:
		break;
	}
}

static void
on_unreachable(void *user, struct control *c, int error)
{
	struct dial *d = user;
	struct trouble t = trouble_from_tcp(error);

	d->control = NULL;
	control_free(c);
	dial_hangup(d, &t);
}

const struct control_ops dial_control_ops = {.event = on_control_event, .unreachable = on_unreachable};

/* --- the link ----------------------------------------------------------------------------- */

static void
bundle_config(const struct dial *d, struct ppp_bundle_config *bundle)
{
	*bundle = d->profile->tunnel.bundle;
	bundle->restart_ns = d->profile->tunnel.link.restart_ns;
	bundle->max_configure = d->profile->tunnel.link.max_configure;
	bundle->local_v4 = d->profile->address;
	bundle->accept_local_v4 = true;
	bundle->accept_peer_v4 = true;
	bundle->request_dns = d->profile->dns;
}

void
dial_bind(struct dial *d)
{
	struct tunnel_command bind = {.type = TUNNEL_SESSION_BIND, .session = d->session};

	bind.bind.if_id = d->index + 1;
	bundle_config(d, &bind.bind.bundle);
	bind.bind.mss_max = d->profile->tunnel.mss_max;
	bind.bind.accept_ra = d->profile->tunnel.bundle.ipv6;
	if (d->profile->demand)
		bind.bind.nat_inside = d->netif.placeholder.family != 0 ? d->netif.placeholder : d->profile->address;
	tunnel_post(d->path->engine, 0, &bind);
}

static void
on_network(struct dial *d)
{
	if (d->state != DIAL_LINK || d->network)
		return;
	d->network = true;
	if (d->netif.ifindex != 0)
		dial_bind(d);
	else
		netif_open(d);
}

static void
say_up(const struct dial *d)
{
	char local[ADDR_TEXT_MAX], remote[ADDR_TEXT_MAX], encoding[32], server[ADDR_TEXT_MAX];

	addr_text(&d->bundle.local_v4, local);
	addr_text(&d->bundle.peer_v4, remote);
	ppp_encoding_text(&d->bundle, encoding);
	client_say(d->client, "Connected: interface %s, local address %s, remote address %s, encoding %s, MTU %u.", d->netif.name, local,
	    remote, encoding, d->link.mtu);
	log_event(LOG_LEVEL_INFO, "up", "tunnel=%s interface=%s server=%s local=%s remote=%s encoding=\"%s\" mtu=%u", d->profile->name,
	    d->netif.name, addr_text(&d->server, server), local, remote, encoding, d->link.mtu);
}

static void
on_no_gre(struct dial *d)
{
	struct trouble t = no_gre_trouble(d);
	char at[ADDR_TEXT_MAX], sentence[512], advice[512], quoted[600];
	struct trouble_place place = dial_place(d, at);

	if (d->state != DIAL_LINK || d->no_gre)
		return;
	d->no_gre = true;
	trouble_sentence(&t, &place, sentence, sizeof(sentence));
	trouble_advice(&t, &place, advice, sizeof(advice));
	client_say(d->client, "%s.\n%s.\nStill trying ...", sentence, advice);
	log_event(client_level(d->client), "no-gre", "tunnel=%s reason=%s text=%s", d->profile->name, trouble_word(t.kind),
	    log_quote(quoted, sizeof(quoted), sentence));
}

static bool
is_usable(const struct dial *d)
{
	bool mppe = d->profile->tunnel.bundle.mppe != PPP_MPPE_REQUIRE || d->bundle.mppe_up;

	return mppe && (d->bundle.ipv4_up || d->bundle.ipv6_up);
}

static bool
is_complete(const struct dial *d)
{
	const struct ppp_bundle_config *wanted = &d->profile->tunnel.bundle;

	return is_usable(d) && (d->bundle.ipv4_up || !wanted->ipv4) && (d->bundle.mppe_up || wanted->mppe == PPP_MPPE_DENY);
}

static void
come_up(struct dial *d)
{
	d->up_ts = d->began_ts = clock_ts();
	d->was_up = true;
	dial_set_state(d, DIAL_UP);
	netif_update(d);
	say_up(d);
	scripts_up(d);
}

void
dial_settle(struct dial *d)
{
	if (is_usable(d))
		come_up(d);
	else if (refuses_gre(d))
		on_no_gre(d);
}

static void
on_up(struct dial *d, const struct tunnel_event *event)
{
	d->link = event->up.link;
	d->bundle = event->up.bundle;
	if (d->state == DIAL_UP)
		netif_update(d);
	else if (d->state != DIAL_LINK)
		return;
	else if (is_complete(d))
		come_up(d);
	else if (is_usable(d))
		dial_arm(d, SETTLE_NS);
}

static void
on_closed(struct dial *d, const struct tunnel_event *event)
{
	bool gre_seen = d->counters != NULL && load(&d->counters->gre_rx) > 0;
	struct trouble t = trouble_from_ppp(event->down, event->mschap_error, event->message, stage_of(d), gre_seen);

	if (t.kind == TROUBLE_GRE_BLOCKED || (t.kind == TROUBLE_PPP_SILENT && refuses_gre(d)))
		t = no_gre_trouble(d);
	d->session = 0;
	if (d->state == DIAL_HANGUP && strcmp(event->message, "the call ended") != 0)
		dial_refine(d, &t);
	dial_hangup(d, &t);
}

void
dial_engine_event(struct dial *d, const struct tunnel_event *event)
{
	switch (event->type) {
	case TUNNEL_EVENT_NETWORK:
		on_network(d);
		break;
	case TUNNEL_EVENT_UP:
		on_up(d, event);
		break;
	case TUNNEL_EVENT_PREFIX:
		/* May come before the rest is negotiated. */
		if (event->prefix.addr.family == 6 && event->prefix.len <= 64)
			d->prefix = event->prefix;
		if (d->state == DIAL_UP)
			netif_update(d);
		break;
	case TUNNEL_EVENT_NO_GRE:
		on_no_gre(d);
		break;
	case TUNNEL_EVENT_CLOSED:
		on_closed(d, event);
		break;
	case TUNNEL_EVENT_IDENTIFICATION:
		/* A server may send thousands. */
		log_event(d->identified ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO, "identification", "tunnel=%s text=\"%s\"", d->profile->name,
		    event->message);
		d->identified = true;
		break;
	case TUNNEL_EVENT_DIAL:
		d->waiting = true;
		if (d->state == DIAL_STANDBY) {
			log_event(LOG_LEVEL_INFO, "dial", "tunnel=%s reason=demand", d->profile->name);
			dial_attempt(d);
		}
		break;
	case TUNNEL_EVENT_IF_LOST:      /* the kernel tells, too */
	case TUNNEL_EVENT_AUTH_REQUEST: /* we ask nobody to authenticate */
		break;
	}
}
