#include "pptpd/conn.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/timerheap.h"
#include "pptpd/session.h"
#include "sys/clock.h"
#include "sys/log.h"

enum { REASON_TEXT = 128 };

static uint64_t
source_hash(const struct server *srv, const struct addr *source)
{
	return hash_bytes(srv->hash_seed, source, sizeof(*source));
}

/* Everybody with IPv6 has 2^64 addresses at least. */
static struct addr
source_of(const struct addr *peer)
{
	struct addr source = *peer;

	if (source.family == 6)
		addr_mask(&source, 64);
	return source;
}

/* ---- half-open connections ---- */

static void
half_add(struct conn *c)
{
	struct server *srv = c->srv;

	c->half_next = NULL;
	c->half_prev = srv->half_open_tail;
	*srv->half_open_tail = c;
	srv->half_open_tail = &c->half_next;
	srv->half_open_count++;
}

static void
half_del(struct conn *c)
{
	struct server *srv = c->srv;

	if (c->half_prev == NULL)
		return;
	*c->half_prev = c->half_next;
	if (c->half_next != NULL)
		c->half_next->half_prev = c->half_prev;
	else
		srv->half_open_tail = c->half_prev;
	c->half_prev = NULL;
	srv->half_open_count--;
}

static void
drop_half_open(struct conn *c, const char *reason)
{
	c->srv->counters.half_open_dropped++;
	conn_destroy(c, reason);
}

bool
conn_drop_half_open(struct server *srv)
{
	if (srv->half_open == NULL)
		return false;
	drop_half_open(srv->half_open, "half-open, and others wait");
	return true;
}

static bool
drop_half_open_of(struct server *srv, const struct addr *source, const char *reason)
{
	struct conn *c = srv->half_open;

	while (c != NULL && !addr_equal(&c->source, source))
		c = c->half_next;
	if (c != NULL)
		drop_half_open(c, reason);
	return c != NULL;
}

/* ---- limits ---- */

static size_t
count_source(struct server *srv, const struct addr *source)
{
	uint64_t hash = source_hash(srv, source);
	size_t n = 0;

	for (struct hash_node *node = hash_first(&srv->conns_by_source, hash); node != NULL; node = hash_next(node))
		n += addr_equal(&HASH_ENTRY(node, struct conn, source_node)->source, source);
	return n;
}

/* Makes room for one more from source; false with *why when there is none to be made. A crowd from one source pushes out its own first,
 * so that it does not reach those of others. */
static bool
make_room(struct server *srv, const struct addr *source, const char **why)
{
	const struct config *c = srv->config;

	*why = "the server is shutting down";
	if (srv->stopping)
		return false;
	*why = "max-connections-per-source is reached";
	if (c->max_connections_per_source != 0 && count_source(srv, source) >= c->max_connections_per_source &&
	    !drop_half_open_of(srv, source, "half-open, and its source has too many connections"))
		return false;
	*why = "max-connections is reached";
	if (srv->conns_count >= c->max_connections && !conn_drop_half_open(srv))
		return false;
	if (srv->half_open_count >= c->max_half_open && !drop_half_open_of(srv, source, "half-open, and others wait"))
		conn_drop_half_open(srv);
	return true;
}

/* ---- events ---- */

static void
trace(void *user, bool sent, const struct pptp_msg *msg)
{
	const struct conn *c = user;
	char peer[ADDR_TEXT_MAX], text[1024];

	if (!log_enabled(LOG_LEVEL_TRACE))
		return;
	log_event(LOG_LEVEL_TRACE, "trace", "peer=%s %s %s", addr_text(&c->peer, peer), sent ? "send" : "recv",
	    pptp_msg_text(text, sizeof(text), msg));
}

static void
established(struct conn *c, const struct pptp_start *start)
{
	char peer[ADDR_TEXT_MAX], host[4 * 64 + 3], vendor[4 * 64 + 3];

	half_del(c);
	c->established = true;
	c->logged = log_may(&c->srv->limits.control_up, "control-up");
	snprintf(c->host_name, sizeof(c->host_name), "%s", start->host_name);
	snprintf(c->vendor_name, sizeof(c->vendor_name), "%s", start->vendor_name);
	if (!c->logged)
		return;
	log_event(LOG_LEVEL_INFO, "control-up", "peer=%s port=%u host=%s vendor=%s firmware=%u", addr_text(&c->peer, peer),
	    control_peer_port(c->control), log_quote(host, sizeof(host), c->host_name), log_quote(vendor, sizeof(vendor), c->vendor_name),
	    start->firmware_revision);
}

static void
call_request(struct conn *c, const struct pptp_call_info *call)
{
	const struct tunnel_options *o = &c->srv->config->options;
	struct pptp_call_params params = {.recv_window = o->recv_window};
	struct pptp_conn *pc = control_conn(c->control);
	char peer[ADDR_TEXT_MAX];
	const char *why;
	struct session *s = session_new(c, call, &why);

	if (s == NULL) {
		c->srv->counters.sessions_refused++;
		if (log_may(&c->srv->limits.call_refused, "call-refused"))
			log_event(LOG_LEVEL_WARN, "call-refused", "peer=%s reason=\"%s\"", addr_text(&c->peer, peer), why);
		pptp_call_reject(pc, call->call_id, call->kind == PPTP_OUTGOING ? PPTP_OCRP_BUSY : PPTP_ICRP_DO_NOT_ACCEPT, 0, clock_ts());
		return;
	}
	/* A link that waits for the peer is opened before the peer hears of the call, so that its first frame finds it; one that begins by
	 * itself must not speak before the peer listens. */
	if (o->link.passive && call->kind == PPTP_OUTGOING)
		session_fsm(s, SESSION_E_CALL_UP, call);
	if (pptp_call_accept(pc, call->call_id, &params, clock_ts()) != PPTP_OK)
		session_end(s, PPP_DOWN_LOCAL, PPTP_CDN_GENERAL_ERROR, "the call could not be answered");
}

static void
call_down(struct session *s, const struct pptp_event *e)
{
	char reason[REASON_TEXT];
	struct session_close close = {PPP_DOWN_PEER, reason, PPTP_CDN_REQUEST};

	snprintf(reason, sizeof(reason), "call ended: %s", pptp_end_text(e->end));
	session_fsm(s, SESSION_E_CALL_DOWN, &close);
}

static void
closed(struct conn *c, const struct pptp_event *e)
{
	char reason[REASON_TEXT + 160];

	snprintf(reason, sizeof(reason), "%s%s%s", pptp_end_text(e->end), e->end == PPTP_END_PROTOCOL ? ": " : "",
	    e->end == PPTP_END_PROTOCOL ? pptp_strerror(e->error) : "");
	conn_destroy(c, reason);
}

static struct session *
session_of_call(struct conn *c, uint16_t call_id)
{
	struct session *s = c->srv->session_by_call[call_id];

	return s != NULL && s->conn == c ? s : NULL;
}

static void
on_event(void *user, struct control *control, const struct pptp_event *e)
{
	struct conn *c = user;
	struct session *s = session_of_call(c, e->call_id);

	(void)control;
	switch (e->type) {
	case PPTP_EVENT_ESTABLISHED:
		established(c, &e->peer);
		break;
	case PPTP_EVENT_CALL_REQUEST:
		call_request(c, &e->call);
		break;
	case PPTP_EVENT_CALL_UP:
		if (s != NULL)
			session_fsm(s, SESSION_E_CALL_UP, &e->call);
		break;
	case PPTP_EVENT_CALL_DOWN:
		if (s != NULL)
			call_down(s, e);
		break;
	case PPTP_EVENT_CLOSED:
		closed(c, e);
		break;
	default: /* Set-Link-Info's ACCM means nothing to GRE, WAN errors are the peer's own */
		break;
	}
}

static const struct control_ops ops = {.event = on_event};

/* ---- life ---- */

static void
link_in(struct conn *c)
{
	struct server *srv = c->srv;

	c->next = srv->conns;
	if (c->next != NULL)
		c->next->prev = c;
	srv->conns = c;
	srv->conns_count++;
	srv->counters.conns++;
	hash_add(&srv->conns_by_source, &c->source_node, source_hash(srv, &c->source));
	half_add(c);
}

static void
link_out(struct conn *c)
{
	struct server *srv = c->srv;

	half_del(c);
	hash_del(&srv->conns_by_source, &c->source_node);
	if (c->next != NULL)
		c->next->prev = c->prev;
	if (c->prev != NULL)
		c->prev->next = c->next;
	else
		srv->conns = c->next;
	srv->conns_count--;
}

static struct control *
accept_control(struct conn *c, int fd)
{
	const struct config *config = c->srv->config;
	struct pptp_conn_config pc;

	pptp_conn_config_init(&pc);
	tunnel_options_conn(&config->options, &pc);
	if (pc.host_name[0] == '\0')
		pc.host_name = c->srv->host_name;
	pc.call_ids = c->srv->call_ids;
	pc.accept_outgoing_calls = config->accept_outgoing_calls;
	pc.accept_incoming_calls = config->accept_incoming_calls;
	pc.max_calls = config->max_calls;
	pc.maximum_channels = config->max_calls;
	pc.start_timeout_ns = config->handshake_timeout_ns;
	pc.trace = config->trace ? trace : NULL;
	pc.trace_user = c;
	return control_accept(c->srv->base, fd, &pc, &ops, c);
}

void
conn_accept(struct server *srv, int fd, const struct addr *peer)
{
	struct addr source = source_of(peer);
	char text[ADDR_TEXT_MAX];
	const char *why;
	struct conn *c;

	if (!make_room(srv, &source, &why)) {
		srv->counters.conns_refused++;
		if (log_may(&srv->limits.control_refused, "control-refused"))
			log_event(LOG_LEVEL_WARN, "control-refused", "peer=%s reason=\"%s\"", addr_text(peer, text), why);
		close(fd);
		return;
	}
	c = calloc(1, sizeof(*c));
	if (c == NULL) {
		close(fd);
		return;
	}
	c->srv = srv;
	c->peer = *peer;
	c->source = source;
	c->accepted_ts = clock_ts();
	link_in(c);
	c->control = accept_control(c, fd);
	if (c->control == NULL) {
		link_out(c);
		free(c);
	}
}

void
conn_stop(struct conn *c, enum pptp_stop_reason reason)
{
	c->closing = true;
	if (pptp_conn_stop(control_conn(c->control), reason, clock_ts()) != PPTP_OK) {
		conn_destroy(c, "shutdown");
		return;
	}
	control_kick(c->control);
}

void
conn_destroy(struct conn *c, const char *reason)
{
	struct session_close close = {PPP_DOWN_PEER, reason, PPTP_CDN_LOST_CARRIER};
	struct control *control = c->control;
	char peer[ADDR_TEXT_MAX];

	if (control == NULL)
		return;
	while (c->sessions != NULL)
		session_fsm(c->sessions, SESSION_E_CALL_DOWN, &close);
	c->control = NULL;
	if (!c->established || c->logged)
		log_event(c->established ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG, "control-down", "peer=%s reason=\"%s\"",
		    addr_text(&c->peer, peer), reason);
	link_out(c);
	control_free(control);
	free(c);
}

void
conn_check_timeouts(struct server *srv, uint64_t ts)
{
	uint64_t limit = srv->config->handshake_timeout_ns;

	while (srv->half_open != NULL && ts - srv->half_open->accepted_ts > limit) {
		srv->counters.handshake_timeouts++;
		conn_destroy(srv->half_open, "no Start-Control-Connection-Request in time");
	}
}
