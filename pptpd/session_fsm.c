/* The session machine: a table of state x event, and the actions of its cells. */
#include "pptpd/session.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/timerheap.h"
#include "pptpd/conn.h"
#include "sys/clock.h"
#include "sys/log.h"

enum { NO_GRE_S = 10 };

typedef void (*action_fn)(struct session *s, const void *arg);

struct cell {
	enum session_state next;
	action_fn action; /* NULL: the event means nothing here */
};

/* ---- the end of a session, in pieces ---- */

/* The first reason is the true one; what follows is its consequence. */
static void
set_reason(struct session *s, enum ppp_down down, uint8_t cdn_result, const char *reason)
{
	if (s->reason[0] != '\0')
		return;
	s->down = down;
	s->cdn_result = cdn_result;
	snprintf(s->reason, sizeof(s->reason), "%.159s", reason != NULL && reason[0] != '\0' ? reason : ppp_down_text(down));
}

static uint8_t
cdn_result_of(enum ppp_down down)
{
	switch (down) {
	case PPP_DOWN_PEER:
		return PPTP_CDN_REQUEST;
	case PPP_DOWN_NO_REPLY:
	case PPP_DOWN_ECHO:
	case PPP_DOWN_LOOPBACK:
		return PPTP_CDN_LOST_CARRIER;
	default:
		return PPTP_CDN_ADMIN_SHUTDOWN;
	}
}

static void
forget_call(struct session *s)
{
	struct server *srv = s->srv;

	s->call_alive = false;
	if (srv->session_by_call[s->call.call_id] == s)
		srv->session_by_call[s->call.call_id] = NULL;
	if (s->conn == NULL)
		return;
	if (s->conn_next != NULL)
		s->conn_next->conn_prev = s->conn_prev;
	if (s->conn_prev != NULL)
		s->conn_prev->conn_next = s->conn_next;
	else
		s->conn->sessions = s->conn_next;
	s->conn = NULL;
}

/* Takes a dead session out of all tables; its memory goes when the present callback is over. */
static void
bury(struct session *s)
{
	struct server *srv = s->srv;

	if (s->buried)
		return;
	s->buried = true;
	if (s->next != NULL)
		s->next->prev = s->prev;
	if (s->prev != NULL)
		s->prev->next = s->next;
	else
		srv->sessions = s->next;
	srv->sessions_count--;
	hash_del(&srv->sessions_by_id, &s->id_node);
	/* Its next one stays: who walks the list may stand on it. */
	s->buried_next = srv->graveyard;
	srv->graveyard = s;
	server_reap_later(srv);
}

static void
end_call(struct session *s)
{
	struct control *control;

	if (!s->call_alive || s->conn == NULL)
		return;
	control = s->conn->control;
	if (pptp_call_clear(control_conn(control), s->call.call_id, s->cdn_result, clock_ts()) != PPTP_OK) {
		forget_call(s);
		return;
	}
	/* PPTP_EVENT_CALL_DOWN comes from here, or later */
	control_kick(control);
}

/* ---- states ---- */

static void
enter_up(struct session *s)
{
	s->was_up = true;
	s->up_ts = clock_ts();
	s->srv->counters.sessions_up++;
	session_log_up(s);
	session_script_up(s);
}

static void
enter_dead(struct session *s)
{
	struct server *srv = s->srv;

	session_log_down(s);
	if (s->was_up)
		session_script_down(s);
	session_release(s);
	if (s->in_user_hash)
		hash_del(&srv->sessions_by_user, &s->user_node);
	s->in_user_hash = false;
	end_call(s);
}

static void
set_state(struct session *s, enum session_state state)
{
	enum session_state was = s->state;

	if (was == state)
		return;
	s->state = state;
	if (state >= SESSION_SETUP)
		session_known(s);
	log_event(LOG_LEVEL_DEBUG, "state", "session=%" PRIx64 " from=%s to=%s", s->id, session_state_name(was), session_state_name(state));
	if (state == SESSION_UP)
		enter_up(s);
}

/* ---- actions ---- */

static struct tunnel_command
command(const struct session *s, enum tunnel_command_type type)
{
	struct tunnel_command cmd;

	memset(&cmd, 0, sizeof(cmd));
	cmd.type = type;
	cmd.session = s->id;
	return cmd;
}

static void
open_link(struct session *s, const void *arg)
{
	const struct tunnel_options *o = &s->srv->config->options;
	struct tunnel_command cmd = command(s, TUNNEL_SESSION_OPEN);

	s->call = *(const struct pptp_call_info *)arg;
	cmd.open.call_id = s->call.call_id;
	cmd.open.local = s->local;
	cmd.open.peer = s->peer;
	cmd.open.gre = o->gre;
	cmd.open.gre.peer_call_id = s->call.peer_call_id;
	cmd.open.gre.peer_window = s->call.peer_window;
	cmd.open.gre.peer_delay = s->call.peer_delay;
	cmd.open.link = o->link;
	cmd.open.counters = s->counters;
	cmd.open.no_gre_ns = TS_S(NO_GRE_S);
	s->worker_alive = tunnel_post(s->srv->engine, s->worker, &cmd);
	if (!s->worker_alive) {
		set_reason(s, PPP_DOWN_NOMEM, PPTP_CDN_GENERAL_ERROR, "the worker is overloaded");
		set_state(s, SESSION_DEAD);
	}
}

static void
take_answer(void *user, const struct auth_answer *answer)
{
	struct session *s = session_by_id(user, answer->session);

	if (s != NULL)
		session_fsm(s, SESSION_E_AUTH_ANSWER, answer);
}

static void
ask_backend(struct session *s, const void *arg)
{
	struct server *srv = s->srv;
	struct auth_query query;

	memset(&query, 0, sizeof(query));
	query.session = s->id;
	query.peer = s->peer;
	query.request = *(const struct ppp_auth_request *)arg;
	srv->auth.submit(srv->auth.ctx, &query, take_answer, srv);
	ppp_wipe(&query, sizeof(query));
}

static void
accept_user(struct session *s, const struct auth_answer *answer)
{
	struct server *srv = s->srv;

	s->authed = true;
	session_known(s);
	s->method = answer->method;
	s->profile = answer->profile;
	memcpy(s->user, answer->user, sizeof(s->user));
	if (s->in_user_hash)
		hash_del(&srv->sessions_by_user, &s->user_node);
	hash_add(&srv->sessions_by_user, &s->user_node, hash_bytes(srv->hash_seed, s->user, strlen(s->user)));
	s->in_user_hash = true;
}

static void
give_verdict(struct session *s, const void *arg)
{
	struct server *srv = s->srv;
	struct auth_answer answer = *(const struct auth_answer *)arg;
	struct tunnel_command cmd = command(s, TUNNEL_SESSION_AUTH);

	if ((answer.method & srv->config->auth) == 0)
		auth_refuse(&answer, AUTH_METHOD);
	auth_limit_sessions(&answer, session_count_user(srv, answer.user), srv->config->sessions_per_user);
	if (answer.verdict.ok)
		accept_user(s, &answer);
	else
		snprintf(s->user, sizeof(s->user), "%s", answer.user);
	session_log_auth(s, answer.user, answer.method, answer.verdict.ok, auth_reason_text(answer.reason));
	cmd.auth.id = answer.id;
	cmd.auth.verdict = answer.verdict;
	tunnel_post(srv->engine, s->worker, &cmd);
	ppp_wipe(&cmd, sizeof(cmd));
	ppp_wipe(&answer, sizeof(answer));
}

static void
start_setup(struct session *s, const void *arg)
{
	(void)arg;
	if (s->srv->config->auth != 0 && !s->authed) {
		session_end(s, PPP_DOWN_AUTH_REFUSED, PPTP_CDN_ADMIN_SHUTDOWN, "the peer did not authenticate");
		return;
	}
	session_setup(s);
}

static void
start_network(struct session *s, const void *arg)
{
	(void)arg;
	session_network(s);
}

static void
learn(struct session *s, const struct tunnel_event *e)
{
	s->ipv4_up = e->up.bundle.ipv4_up;
	s->ipv6_up = e->up.bundle.ipv6_up;
	s->mppe_up = e->up.bundle.mppe_up;
	s->mtu = e->up.link.mtu;
	s->mru = e->up.link.mru;
	ppp_encoding_text(&e->up.bundle, s->encoding);
}

/* With encryption required a session is up when both encryption and a network protocol are. */
static void
network_up(struct session *s, const void *arg)
{
	learn(s, arg);
	if (!s->ipv4_up && !s->ipv6_up)
		return;
	if (s->srv->config->options.bundle.mppe != PPP_MPPE_REQUIRE || s->mppe_up)
		set_state(s, SESSION_UP);
}

static void
close_link(struct session *s, const void *arg)
{
	const struct session_close *close = arg;
	struct tunnel_command cmd = command(s, TUNNEL_SESSION_CLOSE);

	set_reason(s, close->down, close->cdn_result, close->reason);
	cmd.close.why = s->down;
	snprintf(cmd.close.reason, sizeof(cmd.close.reason), "%.63s", s->reason);
	tunnel_post(s->srv->engine, s->worker, &cmd);
}

/* LCP was opened anew and the peer authenticates again: addresses and limits would have to be decided anew. */
static void
close_again(struct session *s, const void *arg)
{
	struct session_close close = {PPP_DOWN_LOCAL, "the peer negotiated the link anew", PPTP_CDN_LOST_CARRIER};

	(void)arg;
	close_link(s, &close);
}

static void
abort_link(struct session *s, const void *arg)
{
	const struct session_close *close = arg;
	struct tunnel_command cmd = command(s, TUNNEL_SESSION_ABORT);

	forget_call(s);
	s->reason_may_change = s->reason[0] == '\0';
	set_reason(s, close->down, close->cdn_result, close->reason);
	tunnel_post(s->srv->engine, s->worker, &cmd);
}

static void
drop_new(struct session *s, const void *arg)
{
	const struct session_close *close = arg;

	set_reason(s, close->down, close->cdn_result, close->reason);
}

static void
drop_call(struct session *s, const void *arg)
{
	forget_call(s);
	drop_new(s, arg);
}

/* The peer did not authenticate at all: that is a result too. */
static void
log_no_auth(const struct session *s)
{
	if (s->down == PPP_DOWN_AUTH_REFUSED || s->down == PPP_DOWN_AUTH_TIMEOUT)
		session_log_auth(s, s->user, 0, false, ppp_down_text(s->down));
}

/* Whether a link ended by itself, and not with its call. */
static bool
knows_why(enum ppp_down down)
{
	return down != PPP_DOWN_NONE && down != PPP_DOWN_LOCAL && down != PPP_DOWN_PEER && down != PPP_DOWN_NO_REPLY &&
	       down != PPP_DOWN_NOMEM;
}

/* A peer that was refused may hang up before our own end of the link does. */
static void
link_closed(struct session *s, const void *arg)
{
	const struct tunnel_event *e = arg;

	s->worker_alive = false;
	if (s->reason_may_change && knows_why(e->down))
		s->reason[0] = '\0';
	set_reason(s, e->down, cdn_result_of(e->down), e->message);
	log_no_auth(s);
}

/* ---- the table ---- */

#define CLOSING SESSION_CLOSING
#define DEAD SESSION_DEAD
/* What every state with a living worker does alike. */
#define LIVING                                                                                                                             \
	[SESSION_E_CLOSE] = {CLOSING, close_link}, [SESSION_E_CALL_DOWN] = {CLOSING, abort_link}, [SESSION_E_CLOSED] = {DEAD, link_closed}

#define AGAIN [SESSION_E_AUTH_REQUEST] = {CLOSING, close_again}

static const struct cell table[SESSION_STATES][SESSION_EVENTS] = {
    [SESSION_NEW] =
	{
	    [SESSION_E_CALL_UP] = {SESSION_LINK, open_link},
	    [SESSION_E_CLOSE] = {DEAD, drop_new},
	    [SESSION_E_CALL_DOWN] = {DEAD, drop_call},
	},
    [SESSION_LINK] =
	{
	    [SESSION_E_AUTH_REQUEST] = {SESSION_AUTH, ask_backend},
	    [SESSION_E_AUTHED] = {SESSION_SETUP, start_setup},
	    LIVING,
	},
    [SESSION_AUTH] =
	{
	    [SESSION_E_AUTH_REQUEST] = {SESSION_AUTH, ask_backend},
	    [SESSION_E_AUTH_ANSWER] = {SESSION_LINK, give_verdict},
	    LIVING,
	},
    [SESSION_SETUP] = {[SESSION_E_READY] = {SESSION_NETWORK, start_network}, AGAIN, LIVING},
    [SESSION_NETWORK] = {[SESSION_E_NETWORK_UP] = {SESSION_NETWORK, network_up}, AGAIN, LIVING},
    [SESSION_UP] = {[SESSION_E_NETWORK_UP] = {SESSION_UP, network_up}, AGAIN, LIVING},
    [SESSION_CLOSING] =
	{
	    [SESSION_E_CALL_DOWN] = {CLOSING, abort_link},
	    [SESSION_E_CLOSED] = {DEAD, link_closed},
	},
    [SESSION_DEAD] = {[SESSION_E_CALL_DOWN] = {DEAD, drop_call}},
};

void
session_fsm(struct session *s, enum session_event event, const void *arg)
{
	const struct cell *cell = &table[s->state][event];
	bool was_dead = s->state == SESSION_DEAD, had_call = s->call_alive;

	if (cell->action == NULL)
		return;
	set_state(s, cell->next);
	cell->action(s, arg);
	if (!was_dead && s->state == SESSION_DEAD) {
		enter_dead(s);
		if (!s->call_alive)
			bury(s);
	} else if (was_dead && had_call && !s->call_alive) {
		bury(s);
	}
}
