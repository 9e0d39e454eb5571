/* A session in its worker: one call, its GRE state, its PPP link and bundle. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sys/clock.h"
#include "tunnel/mss.h"
#include "tunnel/worker.h"

enum { TRACE_LINE = 1024 };

/* --- finding ------------------------------------------------------------------------ */

static struct session **
bucket(struct worker *w, uint64_t number)
{
	return &w->by_number[number % NUMBER_BUCKETS];
}

static struct session **
call_slot(const struct worker *w, uint16_t call_id)
{
	return &w->by_call[call_id / w->engine->config.workers];
}

struct session *
session_find(const struct worker *w, uint64_t number)
{
	struct session *s = w->by_number[number % NUMBER_BUCKETS];

	while (s != NULL && s->number != number)
		s = s->next;
	return s;
}

struct session *
session_of_call(const struct worker *w, uint16_t call_id)
{
	struct session *s = *call_slot(w, call_id);

	return s != NULL && s->call_id == call_id ? s : NULL;
}

/* --- making and freeing ---------------------------------------------------------------- */

static void
trace(void *user, bool sent, const char *line)
{
	const struct session *s = user;
	const struct tunnel_engine_config *c = &s->worker->engine->config;
	char buf[TRACE_LINE];

	snprintf(buf, sizeof(buf), "%s %s", sent ? "send" : "recv", line);
	c->trace(c->trace_user, s->number, buf);
}

static bool
make_machines(struct session *s, const struct tunnel_open *open, uint64_t ts)
{
	const struct tunnel_engine_config *c = &s->worker->engine->config;
	struct ppp_link_config link = open->link;

	link.mem = NULL;
	link.crypto = c->crypto;
	link.random = clock_random;
	link.random_user = NULL;
	link.trace = c->trace != NULL ? trace : NULL;
	link.trace_user = s;
	return pptp_gre_session_new(&s->gre, &open->gre, NULL) == PPTP_OK && ppp_link_new(&s->link, &link, ts) == 0;
}

static void
post_closed(struct worker *w, uint64_t number, enum ppp_down down, uint16_t mschap_error, const char *message)
{
	struct tunnel_event event = {.type = TUNNEL_EVENT_CLOSED, .session = number, .down = down, .mschap_error = mschap_error};

	snprintf(event.message, sizeof(event.message), "%s", message);
	worker_post(w, &event);
}

static void
insert(struct worker *w, struct session *s)
{
	s->next = *bucket(w, s->number);
	*bucket(w, s->number) = s;
	*call_slot(w, s->call_id) = s;
}

static void
take_out(struct worker *w, struct session *s)
{
	struct session **at = bucket(w, s->number);

	while (*at != NULL && *at != s)
		at = &(*at)->next;
	if (*at == s)
		*at = s->next;
	if (*call_slot(w, s->call_id) == s)
		*call_slot(w, s->call_id) = NULL;
	theap_remove(&w->timers, &s->timer);
	if (s->iface != NULL && s->iface->session == s) {
		s->iface->session = NULL;
		s->iface->dial_ts = 0;
	}
}

static void
release(struct session *s)
{
	if (s->gre != NULL)
		rx_discard(s);
	pptp_gre_session_free(s->gre);
	ppp_link_free(s->link);
	ppp_bundle_free(s->bundle);
	parcel_queue_clear(&s->queue);
	free(s);
}

void
session_free(struct session *s)
{
	take_out(s->worker, s);
	release(s);
}

static const char *
cannot_open(const struct worker *w, const struct tunnel_open *open)
{
	if (open->peer.family != 4 && open->peer.family != 6)
		return "the peer has no address";
	if (w->tx[family_index(open->peer.family)] == NULL)
		return open->peer.family == 4 ? "no raw GRE socket for IPv4" : "no raw GRE socket for IPv6";
	if (session_of_call(w, open->call_id) != NULL)
		return "the call id is in use";
	return NULL;
}

void
session_open(struct worker *w, uint64_t number, const struct tunnel_open *open, uint64_t ts)
{
	const char *reason = cannot_open(w, open);
	struct session *s;

	if (reason != NULL) {
		post_closed(w, number, PPP_DOWN_LOCAL, 0, reason);
		return;
	}
	s = calloc(1, sizeof(*s));
	if (s == NULL) {
		post_closed(w, number, PPP_DOWN_NOMEM, 0, "");
		return;
	}
	s->worker = w;
	s->number = number;
	s->call_id = open->call_id;
	s->local = open->local;
	s->peer = open->peer;
	s->counters = open->counters;
	s->windowed = open->gre.window;
	s->no_gre_ns = open->no_gre_ns;
	s->peer_known = !open->peer_later;
	s->no_gre_ts = s->close_ts = s->nd_ts = TS_NEVER;
	parcel_queue_init(&s->queue);
	if (!make_machines(s, open, ts)) {
		release(s);
		post_closed(w, number, PPP_DOWN_NOMEM, 0, "");
		return;
	}
	insert(w, s);
	if (s->peer_known)
		session_start(s, ts);
	worker_touch(w, s);
}

void
session_start(struct session *s, uint64_t ts)
{
	if (s->opened)
		return;
	s->opened = true;
	s->no_gre_ts = s->no_gre_ns > 0 ? ts + s->no_gre_ns : TS_NEVER;
	ppp_link_open(s->link, ts);
}

void
session_peer(struct session *s, uint16_t call_id, uint16_t window, uint16_t delay, uint64_t ts)
{
	pptp_gre_set_peer(s->gre, call_id, window, delay);
	s->peer_known = true;
	session_start(s, ts);
}

/* --- what was agreed --------------------------------------------------------------------- */

static uint16_t
mss_for(const struct session *s, uint8_t version)
{
	uint16_t fits = mss_of_mtu(s->mtu, version);

	return s->mss_max == 0 || fits < s->mss_max ? fits : s->mss_max;
}

static void
refresh(struct session *s, struct tunnel_event *event)
{
	const struct ppp_bundle_info *b = &event->up.bundle;

	memset(&event->up, 0, sizeof(event->up));
	ppp_link_info(s->link, &event->up.link);
	if (s->bundle != NULL)
		ppp_bundle_info(s->bundle, &event->up.bundle);
	s->ipv4_up = b->ipv4_up && s->iface != NULL;
	s->ipv6_up = b->ipv6_up && s->iface != NULL;
	s->mtu = event->up.link.mtu;
	if (s->mtu > TX_SLOT_BYTES - PKT_HEADROOM)
		s->mtu = TX_SLOT_BYTES - PKT_HEADROOM;
	s->mss_v4 = s->mss_max == UINT16_MAX ? UINT16_MAX : mss_for(s, 4);
	s->mss_v6 = s->mss_max == UINT16_MAX ? UINT16_MAX : mss_for(s, 6);
	s->local_v4 = b->local_v4;
	s->peer_v4 = b->peer_v4;
	memcpy(s->local_ifid, b->local_ifid, 8);
	s->peer_v6 = (struct addr){.family = 6, .bytes = {0xfe, 0x80}};
	memcpy(s->peer_v6.bytes + 8, b->peer_ifid, 8);
}

static void
changed(struct session *s, enum ppp_event_type type, uint64_t ts)
{
	struct tunnel_event event = {.type = TUNNEL_EVENT_UP, .session = s->number};

	refresh(s, &event);
	worker_post(s->worker, &event);
	if (type == PPP_EVENT_IPV6CP_UP && s->ipv6_up)
		nd_start(s, ts);
	if (s->iface != NULL && s->iface->session == s && (s->ipv4_up || s->ipv6_up))
		iface_release(s->iface, s, ts);
}

/* --- commands ------------------------------------------------------------------------------ */

static void
copy_bind(struct session *s, const struct tunnel_bind *b)
{
	s->mss_max = b->mss_max;
	memcpy(s->sources, b->sources, sizeof(s->sources));
	s->sources_count = b->sources_count <= 8 ? b->sources_count : 8;
	s->ra = b->ra;
	memcpy(s->ra_dns, b->ra_dns, sizeof(s->ra_dns));
	s->accept_ra = b->accept_ra;
	s->nat_inside = b->nat_inside;
	s->want_ipv4 = b->bundle.ipv4;
	s->want_ipv6 = b->bundle.ipv6;
}

void
session_bind(struct session *s, const struct tunnel_bind *bind, uint64_t ts)
{
	struct ppp_bundle_config bundle = bind->bundle;
	struct ppp_link_info info;

	if (s->bundle != NULL || s->down)
		return;
	if (bind->if_id != 0) {
		s->iface = iface_find(s->worker, bind->if_id);
		if (s->iface == NULL) {
			session_close(s, PPP_DOWN_LOCAL, "no interface", ts);
			return;
		}
		if (!s->iface->shared)
			s->iface->session = s;
	}
	copy_bind(s, bind);
	ppp_link_info(s->link, &info);
	bundle.mem = NULL;
	bundle.crypto = s->worker->engine->config.crypto;
	bundle.random = clock_random;
	bundle.random_user = NULL;
	bundle.keys = info.keys;
	bundle.trace = s->worker->engine->config.trace != NULL ? trace : NULL;
	bundle.trace_user = s;
	ppp_wipe(&info.keys, sizeof(info.keys));
	if (ppp_bundle_new(&s->bundle, &bundle, ts) == 0)
		ppp_link_join(s->link, s->bundle, ts);
	else
		session_close(s, PPP_DOWN_NOMEM, "out of memory", ts);
	ppp_wipe(&bundle.keys, sizeof(bundle.keys));
	worker_touch(s->worker, s);
}

void
session_close(struct session *s, enum ppp_down why, const char *reason, uint64_t ts)
{
	if (s->close_ts == TS_NEVER)
		s->close_ts = ts + CLOSE_NS;
	ppp_link_close(s->link, why, reason, ts);
	worker_touch(s->worker, s);
}

void
session_abort(struct session *s, uint64_t listen_ns, uint64_t ts)
{
	s->listening = listen_ns > 0 && s->opened;
	if (s->listening && ts + listen_ns < s->close_ts)
		s->close_ts = ts + listen_ns;
	if (!s->listening)
		ppp_link_lower_down(s->link, ts);
	worker_touch(s->worker, s);
}

/* --- events of PPP ----------------------------------------------------------------------------- */

static void
copy_gre_counters(struct session *s)
{
	const struct pptp_gre_stats *g = pptp_gre_stats(s->gre);
	struct tunnel_counters *c = s->counters;

	set(&c->gre_lost, g->lost);
	set(&c->gre_duplicate, g->duplicate);
	set(&c->gre_late, g->late);
	set(&c->gre_reordered, g->reordered);
	set(&c->gre_bad, g->jumped + g->no_payload + g->bad_ack);
}

/* TUNNEL_EVENT_CLOSED gives the counters back to the control thread, but the session lives on to the end of this turn: what it
 * still counts goes nowhere. */
static void
go_down(struct session *s, enum ppp_down down, uint16_t mschap_error, const char *message)
{
	if (s->down)
		return;
	s->down = true;
	s->ipv4_up = s->ipv6_up = false;
	copy_gre_counters(s);
	s->counters = &s->worker->nobodys;
	post_closed(s->worker, s->number, down, mschap_error, message);
}

static void
ask_verdict(struct session *s, const struct ppp_event *e)
{
	struct tunnel_event event = {.type = TUNNEL_EVENT_AUTH_REQUEST, .session = s->number, .request = e->request};

	worker_post(s->worker, &event);
	ppp_wipe(&event.request, sizeof(event.request));
}

static void
tell_network(struct session *s)
{
	struct tunnel_event event = {.type = TUNNEL_EVENT_NETWORK, .session = s->number};

	refresh(s, &event);
	worker_post(s->worker, &event);
	ppp_wipe(&event.up, sizeof(event.up));
}

static void
tell_identification(struct session *s, const struct ppp_event *e)
{
	struct tunnel_event event = {.type = TUNNEL_EVENT_IDENTIFICATION, .session = s->number};

	memcpy(event.message, e->message, sizeof(event.message));
	worker_post(s->worker, &event);
}

static void
handle(struct session *s, const struct ppp_event *e, uint64_t ts)
{
	switch (e->type) {
	case PPP_EVENT_AUTH_REQUEST:
		ask_verdict(s, e);
		break;
	case PPP_EVENT_NETWORK:
		tell_network(s);
		break;
	case PPP_EVENT_IDENTIFICATION:
		tell_identification(s, e);
		break;
	case PPP_EVENT_DOWN:
		go_down(s, e->down, e->mschap_error, e->message);
		break;
	case PPP_EVENT_IPCP_UP:
	case PPP_EVENT_IPCP_DOWN:
	case PPP_EVENT_IPV6CP_UP:
	case PPP_EVENT_IPV6CP_DOWN:
	case PPP_EVENT_MPPE_UP:
	case PPP_EVENT_MPPE_DOWN:
		changed(s, e->type, ts);
		break;
	case PPP_EVENT_BUNDLE_FAILED:
		session_close(s, e->down, e->message, ts);
		break;
	case PPP_EVENT_NONE:
	case PPP_EVENT_LCP_UP:
	case PPP_EVENT_PEER_AUTHED:
	case PPP_EVENT_SELF_AUTHED:
		break;
	}
}

/* --- timers, and the end of a turn -------------------------------------------------------------- */

static void
check_gre(struct session *s, uint64_t ts)
{
	struct tunnel_event event = {.type = TUNNEL_EVENT_NO_GRE, .session = s->number};

	if (ts < s->no_gre_ts)
		return;
	s->no_gre_ts = TS_NEVER;
	if (atomic_load_explicit(&s->counters->gre_rx, memory_order_relaxed) == 0)
		worker_post(s->worker, &event);
}

void
session_expire(struct session *s, uint64_t ts)
{
	if (pptp_gre_expiry(s->gre) <= ts) {
		pptp_gre_expire(s->gre, ts);
		rx_held(s, ts);
	}
	if (ppp_link_expiry(s->link) <= ts)
		ppp_link_expire(s->link, ts);
	check_gre(s, ts);
	nd_expire(s, ts);
	if (ts >= s->close_ts) {
		s->close_ts = TS_NEVER;
		ppp_link_lower_down(s->link, ts);
	}
	worker_touch(s->worker, s);
}

static uint64_t
earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static void
set_timer(struct session *s)
{
	uint64_t ts = earlier(s->peer_known ? pptp_gre_expiry(s->gre) : TS_NEVER, ppp_link_expiry(s->link));

	ts = earlier(ts, earlier(s->no_gre_ts, earlier(s->close_ts, s->nd_ts)));
	/* Without memory for a timer the session can't live. */
	if (ts != s->timer.ts || s->timer.pos == 0)
		if (!theap_set(&s->worker->timers, &s->timer, ts))
			go_down(s, PPP_DOWN_NOMEM, 0, "");
}

static void
send_control(struct session *s, uint64_t ts)
{
	if (s->peer_known)
		tx_control(s, ts);
}

void
session_serve(struct session *s, uint64_t ts)
{
	struct ppp_event event;

	if (s->counters->gre_rx > 0)
		s->no_gre_ts = TS_NEVER;
	send_control(s, ts);
	/* Nobody will answer a Terminate-Request. */
	if (s->listening && ppp_link_is_over(s->link))
		ppp_link_lower_down(s->link, ts);
	while (!s->down && ppp_link_event(s->link, &event)) {
		handle(s, &event, ts);
		send_control(s, ts);
	}
	if (s->windowed && !s->down)
		tx_queued(s, ts);
	copy_gre_counters(s);
	set_timer(s);
	if (s->down)
		session_free(s);
}
