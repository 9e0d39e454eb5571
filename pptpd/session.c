#include "pptpd/session.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/timerheap.h"
#include "pptpd/conn.h"
#include "sys/clock.h"
#include "sys/log.h"

/* Sessions that have made room live on until their worker knows. */
enum { ENDING_MAX = 256 };

const char *
session_state_name(enum session_state state)
{
	static const char *const names[SESSION_STATES] = {
	    [SESSION_NEW] = "new",
	    [SESSION_LINK] = "link",
	    [SESSION_AUTH] = "authentication",
	    [SESSION_SETUP] = "setup",
	    [SESSION_NETWORK] = "network",
	    [SESSION_UP] = "up",
	    [SESSION_CLOSING] = "closing",
	    [SESSION_DEAD] = "dead",
	};

	return names[state];
}

/* Numbers are near enough to random for a hash of ids, which come one after the other. */
static uint64_t
id_hash(uint64_t id)
{
	return id * UINT64_C(0x9e3779b97f4a7c15) >> 20;
}

static void
link_in(struct session *s)
{
	struct server *srv = s->srv;

	s->next = srv->sessions;
	if (s->next != NULL)
		s->next->prev = s;
	srv->sessions = s;
	srv->sessions_count++;
	hash_add(&srv->sessions_by_id, &s->id_node, id_hash(s->id));
	srv->session_by_call[s->call.call_id] = s;
	s->conn_next = s->conn->sessions;
	if (s->conn_next != NULL)
		s->conn_next->conn_prev = s;
	s->conn->sessions = s;
}

/* ---- strangers ---- */

static void
stranger_add(struct session *s)
{
	struct server *srv = s->srv;

	s->stranger_prev = srv->strangers_tail;
	*srv->strangers_tail = s;
	srv->strangers_tail = &s->stranger_next;
}

void
session_known(struct session *s)
{
	if (s->stranger_prev == NULL)
		return;
	*s->stranger_prev = s->stranger_next;
	if (s->stranger_next != NULL)
		s->stranger_next->stranger_prev = s->stranger_prev;
	else
		s->srv->strangers_tail = s->stranger_prev;
	s->stranger_prev = NULL;
}

/* Ends it without a farewell of PPP, for which there is no time. */
static void
drop_stranger(struct session *s)
{
	struct session_close close = {PPP_DOWN_LOCAL, "not authenticated yet, and others wait", PPTP_CDN_ADMIN_SHUTDOWN};
	struct control *control = s->conn->control;

	s->srv->counters.strangers_dropped++;
	pptp_call_clear(control_conn(control), s->call.call_id, close.cdn_result, clock_ts());
	session_fsm(s, SESSION_E_CALL_DOWN, &close);
	control_kick_later(control);
}

/* Without this, one peer could keep all others out with calls on which he says nothing. */
static bool
make_room(struct server *srv)
{
	size_t most = srv->config->max_sessions;

	if (srv->sessions_count >= most && srv->strangers != NULL && srv->sessions_count < most + ENDING_MAX)
		drop_stranger(srv->strangers);
	else if (srv->sessions_count >= most)
		return false;
	return true;
}

struct session *
session_new(struct conn *conn, const struct pptp_call_info *call, const char **why)
{
	struct server *srv = conn->srv;
	struct session *s = NULL;

	*why = srv->stopping ? "the server is shutting down" : "max-sessions is reached";
	if (!srv->stopping && make_room(srv)) {
		*why = "out of memory";
		s = calloc(1, sizeof(*s));
	}
	if (s == NULL)
		return NULL;
	s->counters = calloc(1, sizeof(*s->counters));
	if (s->counters == NULL) {
		free(s);
		return NULL;
	}
	s->srv = srv;
	s->id = srv->next_session++;
	s->conn = conn;
	s->call = *call;
	s->call_alive = true;
	s->local = *control_local(conn->control);
	s->peer = *control_peer(conn->control);
	s->worker = tunnel_worker_of(srv->engine, call->call_id);
	s->created_ts = clock_ts();
	s->created_unix = clock_unix();
	user_profile_init(&s->profile);
	link_in(s);
	stranger_add(s);
	srv->counters.sessions++;
	return s;
}

struct session *
session_by_id(struct server *srv, uint64_t id)
{
	for (struct hash_node *n = hash_first(&srv->sessions_by_id, id_hash(id)); n != NULL; n = hash_next(n)) {
		struct session *s = HASH_ENTRY(n, struct session, id_node);

		if (s->id == id)
			return s;
	}
	return NULL;
}

unsigned
session_count_user(struct server *srv, const char *user)
{
	uint64_t hash = hash_bytes(srv->hash_seed, user, strlen(user));
	unsigned count = 0;

	for (struct hash_node *n = hash_first(&srv->sessions_by_user, hash); n != NULL; n = hash_next(n))
		count += strcmp(HASH_ENTRY(n, struct session, user_node)->user, user) == 0;
	return count;
}

void
session_end(struct session *s, enum ppp_down down, uint8_t cdn_result, const char *reason)
{
	struct session_close close = {down, reason, cdn_result};

	session_fsm(s, SESSION_E_CLOSE, &close);
}

uint64_t
session_last_used(const struct session *s)
{
	uint64_t rx = atomic_load_explicit(&s->counters->last_rx_ts, memory_order_relaxed);
	uint64_t tx = atomic_load_explicit(&s->counters->last_tx_ts, memory_order_relaxed);
	uint64_t last = rx > tx ? rx : tx;

	return last > s->up_ts ? last : s->up_ts;
}

static bool
is_over(uint64_t since, uint64_t limit_ns, uint64_t default_ns, uint64_t ts)
{
	if (limit_ns == UINT64_MAX)
		limit_ns = default_ns;
	return limit_ns != 0 && ts > since && ts - since >= limit_ns;
}

void
session_check_timeouts(struct session *s, uint64_t ts)
{
	const struct config *c = s->srv->config;

	if (s->state != SESSION_UP)
		return;
	if (is_over(s->up_ts, s->profile.session_timeout_ns, c->session_timeout_ns, ts))
		session_end(s, PPP_DOWN_LOCAL, PPTP_CDN_ADMIN_SHUTDOWN, "session time-out");
	else if (is_over(session_last_used(s), s->profile.idle_timeout_ns, c->idle_timeout_ns, ts))
		session_end(s, PPP_DOWN_LOCAL, PPTP_CDN_ADMIN_SHUTDOWN, "idle time-out");
}

void
sessions_reap(struct server *srv)
{
	while (srv->graveyard != NULL) {
		struct session *s = srv->graveyard;

		srv->graveyard = s->buried_next;
		free(s->counters);
		free(s);
	}
}
