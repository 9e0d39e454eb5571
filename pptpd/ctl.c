#include "pptpd/ctl.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pptpd/conn.h"
#include "pptpd/session.h"
#include "sys/clock.h"

enum { ID_TEXT = 17 };

static uint64_t
load(const _Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

static void
set(json_t *o, const char *key, json_t *value)
{
	json_object_set_new(o, key, value);
}

static void
set_number(json_t *o, const char *key, uint64_t value)
{
	set(o, key, json_integer((json_int_t)value));
}

static void
set_text(json_t *o, const char *key, const char *value)
{
	set(o, key, ctl_text(value));
}

static void
set_addr(json_t *o, const char *key, const struct addr *a)
{
	char buf[ADDR_TEXT_MAX];

	set_text(o, key, a->family != 0 ? addr_text(a, buf) : "");
}

static void
set_id(json_t *o, const struct session *s)
{
	char id[ID_TEXT];

	snprintf(id, sizeof(id), "%" PRIx64, s->id);
	set_text(o, "session", id);
}

/* ---- show ---- */

static json_t *
session_row(const struct session *s, uint64_t ts)
{
	char buf[ADDR_TEXT_MAX];
	json_t *o = json_object();

	set_id(o, s);
	set_text(o, "user", s->user);
	set_addr(o, "peer", &s->peer);
	set_addr(o, "address", &s->v4);
	set_text(o, "ipv6", s->v6.addr.family != 0 ? prefix_text(&s->v6, buf) : "");
	set_text(o, "ifname", s->ifname);
	set_text(o, "state", session_state_name(s->state));
	set_number(o, "uptime_s", s->was_up ? (ts - s->up_ts) / 1000000000 : 0);
	set_number(o, "idle_s", s->was_up && ts > session_last_used(s) ? (ts - session_last_used(s)) / 1000000000 : 0);
	set_text(o, "encoding", s->encoding);
	set_number(o, "rx_bytes", load(&s->counters->rx_bytes));
	set_number(o, "tx_bytes", load(&s->counters->tx_bytes));
	return o;
}

static void
show_sessions(void *user, json_t *args, struct ctl_reply *reply)
{
	struct server *srv = user;
	uint64_t ts = clock_ts();

	(void)args;
	for (const struct session *s = srv->sessions; s != NULL; s = s->next)
		ctl_reply_row(reply, session_row(s, ts));
	ctl_reply_done(reply, NULL);
}

static void
add_call(json_t *o, const struct session *s)
{
	set_number(o, "call_id", s->call.call_id);
	set_number(o, "peer_call_id", s->call.peer_call_id);
	set_number(o, "call_serial", s->call.serial);
	set_number(o, "peer_window", s->call.peer_window);
	set_text(o, "call_kind", s->call.kind == PPTP_OUTGOING ? "outgoing" : "incoming");
	set_number(o, "worker", s->worker);
	set_addr(o, "local", &s->local);
	if (s->conn != NULL) {
		set_text(o, "peer_host", s->conn->host_name);
		set_text(o, "peer_vendor", s->conn->vendor_name);
	}
	set_text(o, "identification", s->identification);
}

static void
add_counters(json_t *o, const struct tunnel_counters *c)
{
	const char *name;
	uint64_t value;

	for (size_t i = 0; (name = tunnel_counter(c, i, &value)) != NULL; i++)
		set_number(o, name, value);
}

/* The session that args name; NULL with the reply ended. */
static struct session *
find_session(struct server *srv, json_t *args, struct ctl_reply *reply)
{
	const char *text = json_string_value(json_object_get(args, "session"));
	struct session *s;
	char *end;
	uint64_t id;

	if (text == NULL) {
		ctl_reply_error(reply, "the session's number is missing");
		return NULL;
	}
	id = strtoull(text, &end, 16);
	s = *text != '\0' && *end == '\0' ? session_by_id(srv, id) : NULL;
	if (s == NULL)
		ctl_reply_error(reply, "no such session: %.64s", text);
	return s;
}

static void
show_session(void *user, json_t *args, struct ctl_reply *reply)
{
	struct server *srv = user;
	struct session *s = find_session(srv, args, reply);
	json_t *o;

	if (s == NULL)
		return;
	o = session_row(s, clock_ts());
	set_text(o, "method", s->authed ? ppp_auth_name(s->method) : "none");
	set_number(o, "mtu", s->mtu);
	set_number(o, "mru", s->mru);
	set_number(o, "started_unix", s->created_unix);
	add_call(o, s);
	add_counters(o, s->counters);
	ctl_reply_done(reply, o);
}

static void
pool_row(struct ctl_reply *reply, const char *family, const struct pool *p)
{
	struct pool_count n;
	json_t *o;

	if (p == NULL)
		return;
	n = pool_count(p);
	o = json_object();
	set_text(o, "pool", family);
	set_number(o, "size", n.size);
	set_number(o, "taken", n.taken);
	set_number(o, "reserved", n.reserved);
	set_number(o, "free", n.free);
	ctl_reply_row(reply, o);
}

static void
show_pools(void *user, json_t *args, struct ctl_reply *reply)
{
	struct server *srv = user;

	(void)args;
	pool_row(reply, "ipv4", srv->pool_v4);
	pool_row(reply, "ipv6", srv->pool_v6);
	ctl_reply_done(reply, NULL);
}

static void
add_worker_counters(json_t *o, struct server *srv)
{
	uint64_t sums[6] = {0};
	static const char *const names[6] = {
	    "gre_bad", "gre_unknown_call", "gre_wrong_source", "tun_no_route", "tun_handed_over", "tx_errors"};

	for (unsigned w = 0; w < tunnel_workers(srv->engine); w++) {
		const struct tunnel_worker_counters *c = tunnel_worker_counters(srv->engine, w);

		sums[0] += load(&c->gre_bad);
		sums[1] += load(&c->gre_unknown_call);
		sums[2] += load(&c->gre_wrong_source);
		sums[3] += load(&c->tun_no_route);
		sums[4] += load(&c->tun_handed_over);
		sums[5] += load(&c->tx_errors);
	}
	for (size_t i = 0; i < 6; i++)
		set_number(o, names[i], sums[i]);
}

static void
show_counters(void *user, json_t *args, struct ctl_reply *reply)
{
	struct server *srv = user;
	const struct server_counters *c = &srv->counters;
	json_t *o = json_object();
	size_t taken = 0, resting = 0;

	(void)args;
	set_number(o, "connections_now", srv->conns_count);
	set_number(o, "half_open_now", srv->half_open_count);
	set_number(o, "sessions_now", srv->sessions_count);
	set_number(o, "connections", c->conns);
	set_number(o, "connections_refused", c->conns_refused);
	set_number(o, "half_open_dropped", c->half_open_dropped);
	set_number(o, "handshake_timeouts", c->handshake_timeouts);
	set_number(o, "sessions", c->sessions);
	set_number(o, "sessions_up", c->sessions_up);
	set_number(o, "sessions_refused", c->sessions_refused);
	set_number(o, "strangers_dropped", c->strangers_dropped);
	set_number(o, "auth_ok", c->auth_ok);
	set_number(o, "auth_refused", c->auth_refused);
	set_number(o, "pool_exhausted", c->pool_exhausted);
	pptp_callid_count(srv->call_ids, clock_ts(), &taken, &resting);
	set_number(o, "call_ids_taken", taken);
	set_number(o, "call_ids_resting", resting);
	add_worker_counters(o, srv);
	ctl_reply_done(reply, o);
}

static void
show_status(void *user, json_t *args, struct ctl_reply *reply)
{
	struct server *srv = user;
	json_t *o = json_object();

	(void)args;
	set_text(o, "program", "pptpd");
	set_text(o, "version", PACKAGE_VERSION);
	set_number(o, "uptime_s", (clock_ts() - srv->started_ts) / 1000000000);
	set_number(o, "workers", tunnel_workers(srv->engine));
	set_text(o, "interface", srv->shared_if != 0 ? srv->shared_ifname : "per-session");
	set_number(o, "users", users_count(srv->users));
	set_number(o, "sessions", srv->sessions_count);
	set_number(o, "connections", srv->conns_count);
	set(o, "stopping", json_boolean(srv->stopping));
	ctl_reply_done(reply, o);
}

/* ---- kick ---- */

static bool
matches(const struct session *s, const char *name, const struct addr *address)
{
	if (name != NULL)
		return strcmp(s->user, name) == 0;
	return addr_equal(address, &s->peer) || addr_equal(address, &s->v4) || (s->v6.addr.family != 0 && prefix_contains(&s->v6, address));
}

static void
kick_matching(struct server *srv, const char *name, const struct addr *address, struct ctl_reply *reply)
{
	size_t count = 0;

	for (struct session *s = srv->sessions, *next; s != NULL; s = next) {
		next = s->next;
		if (s->state == SESSION_CLOSING || s->state == SESSION_DEAD || !matches(s, name, address))
			continue;
		session_end(s, PPP_DOWN_LOCAL, PPTP_CDN_ADMIN_SHUTDOWN, "kicked by the administrator");
		count++;
	}
	if (count == 0)
		ctl_reply_error(reply, "no such session");
	else
		ctl_reply_done(reply, json_pack("{s:I}", "kicked", (json_int_t)count));
}

static void
kick(void *user, json_t *args, struct ctl_reply *reply)
{
	struct server *srv = user;
	const char *name = json_string_value(json_object_get(args, "user"));
	const char *text = json_string_value(json_object_get(args, "address"));
	struct addr address = {.family = 0};
	struct session *s;

	if (name != NULL) {
		kick_matching(srv, name, NULL, reply);
	} else if (text != NULL) {
		if (addr_parse(&address, text))
			kick_matching(srv, NULL, &address, reply);
		else
			ctl_reply_error(reply, "no address: %.64s", text);
	} else if ((s = find_session(srv, args, reply)) != NULL) {
		session_end(s, PPP_DOWN_LOCAL, PPTP_CDN_ADMIN_SHUTDOWN, "kicked by the administrator");
		ctl_reply_done(reply, json_pack("{s:i}", "kicked", 1));
	}
}

static void
reload(void *user, json_t *args, struct ctl_reply *reply)
{
	(void)args;
	server_reload(user);
	ctl_reply_done(reply, NULL);
}

const struct ctl_command server_commands[] = {
    {"show sessions", "all sessions, a row each", show_sessions},
    {"show session", "one session with its counters: session", show_session},
    {"show pools", "address pools", show_pools},
    {"show counters", "counters of the server and its workers", show_counters},
    {"status", "version, uptime, totals", show_status},
    {"kick", "end sessions: session, user or address", kick},
    {"reload", "read the users file anew", reload},
    {NULL, NULL, NULL},
};
