#include "pptpd/server.h"

#include <errno.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/timerheap.h"
#include "pptpd/conn.h"
#include "pptpd/ctl.h"
#include "pptpd/session.h"
#include "pptpd/start.h"
#include "sys/clock.h"
#include "sys/handover.h"
#include "sys/log.h"
#include "sys/sockaddr.h"

enum {
	CALL_ID_REST_S = 30,
	ACCEPT_BATCH = 64,
	STOP_STEP_MS = 20,
	/* A terminal's Ctrl-C and pkill(1) reach both processes, and the monitor passes its own on: that is one signal. */
	SECOND_SIGNAL_MS = 1000,
};

/* ---- the engine's events ---- */

static void
no_gre(struct session *s)
{
	char peer[ADDR_TEXT_MAX];

	if (!log_may(&s->srv->limits.no_gre, "no-gre"))
		return;
	log_event(LOG_LEVEL_WARN, "no-gre",
	    "session=%llx peer=%s reason=\"the control connection is up but no GRE arrives: something on the way blocks IP protocol 47\"",
	    (unsigned long long)s->id, addr_text(&s->peer, peer));
}

static void begin_stop(struct server *srv);

/* Without the shared interface nothing can be served: a service manager starts the server anew. Elsewhere it is one session's. */
static void
interface_lost(struct server *srv, uint32_t if_id)
{
	if (if_id == srv->shared_if && !srv->stopping) {
		log_event(LOG_LEVEL_ERROR, "interface", "ifname=%s error=\"it was deleted\"", srv->shared_ifname);
		srv->status = 1;
		begin_stop(srv);
	}
	for (struct session *s = srv->sessions, *next; s != NULL && if_id != srv->shared_if; s = next) {
		next = s->next;
		if (s->if_id == if_id)
			session_end(s, PPP_DOWN_LOCAL, PPTP_CDN_GENERAL_ERROR, "its interface was deleted");
	}
}

static void
dispatch(struct server *srv, const struct tunnel_event *e)
{
	struct session *s = session_by_id(srv, e->session);

	if (e->type == TUNNEL_EVENT_IF_LOST)
		interface_lost(srv, e->if_id);
	if (s == NULL)
		return;
	switch (e->type) {
	case TUNNEL_EVENT_AUTH_REQUEST:
		session_fsm(s, SESSION_E_AUTH_REQUEST, &e->request);
		break;
	case TUNNEL_EVENT_NETWORK:
		session_fsm(s, SESSION_E_AUTHED, NULL);
		break;
	case TUNNEL_EVENT_UP:
		session_fsm(s, SESSION_E_NETWORK_UP, e);
		break;
	case TUNNEL_EVENT_CLOSED:
		session_fsm(s, SESSION_E_CLOSED, e);
		break;
	case TUNNEL_EVENT_NO_GRE:
		no_gre(s);
		break;
	case TUNNEL_EVENT_IDENTIFICATION:
		snprintf(s->identification, sizeof(s->identification), "%.95s", e->message);
		break;
	case TUNNEL_EVENT_PREFIX:
	case TUNNEL_EVENT_IF_LOST:
	case TUNNEL_EVENT_DIAL:
		break;
	}
}

static void
on_engine(evutil_socket_t fd, short what, void *arg)
{
	struct server *srv = arg;
	struct tunnel_event e;

	(void)fd;
	(void)what;
	while (tunnel_take_event(srv->engine, &e))
		dispatch(srv, &e);
	ppp_wipe(&e, sizeof(e));
}

/* ---- listening ---- */

/* Out of descriptors or memory: the oldest half-open connection gives its own. Without one, the listener would spin, so it rests until
 * the next tick. */
static void
cannot_accept(struct listener *l, int error)
{
	if (conn_drop_half_open(l->srv))
		return;
	log_event(LOG_LEVEL_ERROR, "accept", "error=\"%s; new connections wait\"",
	    error == EMFILE || error == ENFILE ? "out of descriptors" : strerror(error));
	event_del(l->event);
}

/* The others are the new connection's own, which ended before it was taken (accept(2)). */
static bool
is_lack(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

static void
on_accept(evutil_socket_t fd, short what, void *arg)
{
	struct listener *l = arg;

	(void)what;
	for (int i = 0; i < ACCEPT_BATCH; i++) {
		struct sockaddr_storage ss;
		socklen_t len = sizeof(ss);
		struct addr peer;
		int conn_fd = accept4(fd, (struct sockaddr *)&ss, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (conn_fd >= 0) {
			peer = sockaddr_addr(&ss, NULL);
			conn_accept(l->srv, conn_fd, &peer);
		} else if (is_lack(errno)) {
			cannot_accept(l, errno);
			return;
		} else if (errno == EAGAIN || errno == EWOULDBLOCK) {
			return;
		}
	}
}

/* ---- time ---- */

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct server *srv = arg;
	uint64_t ts = clock_ts();

	(void)fd;
	(void)what;
	conn_check_timeouts(srv, ts);
	for (struct session *s = srv->sessions, *next; s != NULL; s = next) {
		next = s->next;
		session_check_timeouts(s, ts);
	}
	for (size_t i = 0; i < srv->listeners_count && !srv->stopping; i++)
		event_add(srv->listeners[i].event, NULL);
}

static void
on_reap(evutil_socket_t fd, short what, void *arg)
{
	struct server *srv = arg;

	(void)fd;
	(void)what;
	if (!srv->abandoned)
		sessions_reap(srv);
}

void
server_reap_later(struct server *srv)
{
	event_active(srv->reap, EV_TIMEOUT, 0);
}

/* ---- users ---- */

static void
log_users_error(void *user, const char *line)
{
	char quoted[1200];

	(void)user;
	log_event(LOG_LEVEL_ERROR, "users", "error=%s", log_quote(quoted, sizeof(quoted), line));
}

void
server_reserve_fixed(struct server *srv)
{
	if (srv->pool_v4 != NULL)
		pool_unreserve_all(srv->pool_v4);
	if (srv->pool_v6 != NULL)
		pool_unreserve_all(srv->pool_v6);
	for (size_t i = 0; i < users_count(srv->users); i++) {
		const struct user_profile *p = &users_at(srv->users, i)->profile;

		for (uint8_t r = 0; r < p->v4_count && srv->pool_v4 != NULL; r++) {
			for (uint64_t v = p->v4[r].first; v <= p->v4[r].last && v - p->v4[r].first < 65536; v++)
				pool_reserve(srv->pool_v4, v);
		}
		if (p->v6.addr.family == 6 && srv->pool_v6 != NULL)
			pool_reserve(srv->pool_v6, pool_value_v6(&p->v6));
	}
}

static void
on_users_file(void *user, const struct priv_reply *reply, const int *fds)
{
	struct server *srv = user;
	struct users *fresh;

	if (reply->error != 0 || reply->fds != 1) {
		log_event(LOG_LEVEL_ERROR, "reload", "file=\"%s\" error=\"%s\"", srv->config->users_path, strerror(reply->error));
		return;
	}
	fresh = users_read(srv->config->users_path, fds[0], log_users_error, NULL);
	close(fds[0]);
	if (fresh == NULL) {
		log_event(LOG_LEVEL_ERROR, "reload", "file=\"%s\" result=\"unchanged: the new file has errors\"", srv->config->users_path);
		return;
	}
	users_free(srv->users);
	srv->users = fresh;
	server_reserve_fixed(srv);
	log_event(LOG_LEVEL_INFO, "reload", "file=\"%s\" users=%zu", srv->config->users_path, users_count(fresh));
}

void
server_reload(struct server *srv)
{
	struct priv_request req;

	memset(&req, 0, sizeof(req));
	req.type = PRIV_FILE_OPEN;
	req.file.number = SERVER_FILE_USERS;
	priv_send(srv->priv, &req, on_users_file, srv);
}

static void
submit_to_users(void *ctx, const struct auth_query *query, auth_answer_fn answer, void *answer_user)
{
	struct server *srv = ctx;
	struct auth_answer a;

	auth_users_decide(srv->crypto, srv->users, srv->config->server_name, query, &a);
	answer(answer_user, &a);
	ppp_wipe(&a, sizeof(a));
}

/* ---- stopping ---- */

static void
abandon_sessions(struct server *srv)
{
	struct tunnel_event closed;

	memset(&closed, 0, sizeof(closed));
	closed.down = PPP_DOWN_LOCAL;
	srv->abandoned = true;
	for (struct session *s = srv->sessions, *next; s != NULL; s = next) {
		next = s->next;
		session_fsm(s, SESSION_E_CLOSED, &closed);
	}
}

static void
stop_conns(struct server *srv)
{
	struct conn *next;

	srv->stop_sent = true;
	for (struct conn *c = srv->conns; c != NULL; c = next) {
		next = c->next;
		conn_stop(c, PPTP_STOP_LOCAL_SHUTDOWN);
	}
}

/* Sessions end first, then their connections; what is not done in time is abandoned. */
static void
on_stop_step(evutil_socket_t fd, short what, void *arg)
{
	struct server *srv = arg;
	bool late = clock_ts() >= srv->stop_deadline_ts;

	(void)fd;
	(void)what;
	if (late)
		abandon_sessions(srv);
	if (!srv->stop_sent && (srv->sessions_count == 0 || late))
		stop_conns(srv);
	else if (srv->conns_count == 0 || late)
		event_base_loopexit(srv->base, NULL);
}

static void
begin_stop(struct server *srv)
{
	struct timeval step = {0, STOP_STEP_MS * 1000};
	struct session *next;

	log_event(LOG_LEVEL_INFO, "stop", "sessions=%zu connections=%zu", srv->sessions_count, srv->conns_count);
	srv->stopping = true;
	srv->stop_began_ts = clock_ts();
	srv->stop_deadline_ts = srv->stop_began_ts + srv->config->shutdown_timeout_ns;
	for (size_t i = 0; i < srv->listeners_count; i++) {
		event_free(srv->listeners[i].event);
		close(srv->listeners[i].fd);
	}
	srv->listeners_count = 0;
	for (struct session *s = srv->sessions; s != NULL; s = next) {
		next = s->next;
		session_end(s, PPP_DOWN_LOCAL, PPTP_CDN_ADMIN_SHUTDOWN, "the server is shutting down");
	}
	event_add(srv->stop_timer, &step);
}

static void
on_signal(evutil_socket_t sig, short what, void *arg)
{
	struct server *srv = arg;

	(void)what;
	if (sig == SIGHUP)
		server_reload(srv);
	else if (!srv->stopping)
		begin_stop(srv);
	else if (clock_ts() - srv->stop_began_ts >= TS_MS(SECOND_SIGNAL_MS))
		srv->stop_deadline_ts = 0;
}

static void
on_monitor_lost(void *arg)
{
	struct server *srv = arg;

	log_event(LOG_LEVEL_ERROR, "stop", "reason=\"the monitor process has gone\"");
	srv->status = 1;
	event_base_loopexit(srv->base, NULL);
}

/* ---- making ---- */

static bool
make_pools(struct server *srv)
{
	const struct config *c = srv->config;
	char err[128];

	if (c->pool_v4_count > 0) {
		srv->pool_v4 = pool_new(c->pool_v4, c->pool_v4_count, c->pool_skip_ends, err, sizeof(err));
		if (srv->pool_v4 == NULL)
			log_event(LOG_LEVEL_ERROR, "start", "error=\"pool: %s\"", err);
	}
	if (c->pool_v6_count > 0) {
		srv->pool_v6 = pool_new(c->pool_v6, c->pool_v6_count, false, err, sizeof(err));
		if (srv->pool_v6 == NULL)
			log_event(LOG_LEVEL_ERROR, "start", "error=\"pool-ipv6: %s\"", err);
	}
	if ((c->pool_v4_count > 0) != (srv->pool_v4 != NULL) || (c->pool_v6_count > 0) != (srv->pool_v6 != NULL))
		return false;
	server_reserve_fixed(srv);
	return true;
}

static bool
make_tables(struct server *srv)
{
	srv->half_open_tail = &srv->half_open;
	srv->strangers_tail = &srv->strangers;
	clock_random(NULL, &srv->hash_seed, sizeof(srv->hash_seed));
	srv->next_session = clock_unix() << 16;
	srv->next_if = 1;
	srv->started_ts = clock_ts();
	gethostname(srv->host_name, sizeof(srv->host_name) - 1);
	srv->auth = (struct auth_backend){"users", srv, submit_to_users};
	return hash_init(&srv->conns_by_source, srv->config->max_connections) &&
	       hash_init(&srv->sessions_by_id, srv->config->max_sessions) && hash_init(&srv->sessions_by_user, srv->config->max_sessions) &&
	       hash_init(&srv->held_addresses, 256) && hash_init(&srv->networks, 256) &&
	       pptp_callid_pool_new(&srv->call_ids, TS_S(CALL_ID_REST_S), clock_random, NULL, NULL) == PPTP_OK;
}

static bool
make_events(struct server *srv)
{
	static const int signals[3] = {SIGTERM, SIGINT, SIGHUP};
	struct timeval second = {1, 0};

	srv->engine_event = event_new(srv->base, tunnel_event_fd(srv->engine), EV_READ | EV_PERSIST, on_engine, srv);
	srv->tick = event_new(srv->base, -1, EV_PERSIST, on_tick, srv);
	srv->reap = event_new(srv->base, -1, 0, on_reap, srv);
	srv->stop_timer = event_new(srv->base, -1, EV_PERSIST, on_stop_step, srv);
	if (srv->engine_event == NULL || srv->tick == NULL || srv->reap == NULL || srv->stop_timer == NULL)
		return false;
	for (int i = 0; i < 3; i++) {
		srv->signals[i] = evsignal_new(srv->base, signals[i], on_signal, srv);
		if (srv->signals[i] == NULL || event_add(srv->signals[i], NULL) != 0)
			return false;
	}
	for (size_t i = 0; i < srv->listeners_count; i++) {
		struct listener *l = &srv->listeners[i];

		l->event = event_new(srv->base, l->fd, EV_READ | EV_PERSIST, on_accept, l);
		if (l->event == NULL || event_add(l->event, NULL) != 0)
			return false;
	}
	return event_add(srv->engine_event, NULL) == 0 && event_add(srv->tick, &second) == 0;
}

static bool
make_control(struct server *srv)
{
	if (srv->control_fd < 0)
		return true;
	srv->ctl = ctl_server_new(srv->base, srv->control_fd, server_commands, srv);
	srv->control_fd = -1;
	return srv->ctl != NULL;
}

static bool
start(struct server *srv)
{
	srv->base = event_base_new();
	if (srv->base == NULL || !make_tables(srv)) {
		log_event(LOG_LEVEL_ERROR, "start", "error=\"out of memory\"");
		return false;
	}
	if (!make_pools(srv) || !start_engine(srv) || !start_interface(srv) || !start_listeners(srv))
		return false;
	if (priv_attach(srv->priv, srv->base, on_monitor_lost, srv) != 0 || !make_events(srv) || !make_control(srv)) {
		log_event(LOG_LEVEL_ERROR, "start", "error=\"out of memory\"");
		return false;
	}
	return true;
}

static void
free_event(struct event *e)
{
	if (e != NULL)
		event_free(e);
}

static void
finish(struct server *srv)
{
	while (srv->conns != NULL)
		conn_destroy(srv->conns, "shutdown");
	abandon_sessions(srv);
	ctl_server_free(srv->ctl);
	tunnel_engine_free(srv->engine);
	sessions_reap(srv);
	for (int i = 0; i < 3; i++)
		free_event(srv->signals[i]);
	for (size_t i = 0; i < srv->listeners_count; i++)
		free_event(srv->listeners[i].event);
	free_event(srv->engine_event);
	free_event(srv->tick);
	free_event(srv->reap);
	free_event(srv->stop_timer);
	pptp_callid_pool_free(srv->call_ids);
	pool_free(srv->pool_v4);
	pool_free(srv->pool_v6);
	users_free(srv->users);
	hash_fini(&srv->conns_by_source);
	hash_fini(&srv->sessions_by_id);
	hash_fini(&srv->sessions_by_user);
	hash_fini(&srv->held_addresses);
	hash_fini(&srv->networks);
	priv_free(srv->priv);
	if (srv->base != NULL)
		event_base_free(srv->base);
	free(srv);
}

int
server_run(const struct config *config, struct users *users, struct priv *priv, struct server_prepared *prepared)
{
	struct server *srv = calloc(1, sizeof(*srv));
	int status = 1;

	if (srv == NULL)
		return 1;
	srv->config = config;
	srv->users = users;
	srv->priv = priv;
	srv->crypto = prepared->crypto;
	srv->control_fd = prepared->control_fd;
	if (start(srv)) {
		log_event(LOG_LEVEL_INFO, "start", "version=%s workers=%u users=%zu ifname=%s", PACKAGE_VERSION,
		    tunnel_workers(srv->engine), users_count(users), config->ifname);
		handover_notify("READY=1\nSTATUS=Serving");
		event_base_dispatch(srv->base);
		status = srv->status;
		log_event(LOG_LEVEL_INFO, "exit", "status=%d", status);
	}
	finish(srv);
	ppp_crypto_free(prepared->crypto);
	return status;
}

/* ---- privileges ---- */

int
server_prepare(void *arg)
{
	struct server_prepared *p = arg;
	char err[256];

	if (ppp_crypto_new(&p->crypto, err, sizeof(err)) != 0) {
		log_event(LOG_LEVEL_ERROR, "start", "error=\"%s\"", err);
		return -1;
	}
	return ctl_listen_at_start(p->config->control_socket, p->config->control_mode, &p->control_fd) ? 0 : -1;
}

static void
port_range(const struct config *c, struct priv_policy *policy)
{
	policy->tcp_port_min = UINT16_MAX;
	for (size_t i = 0; i < c->listen_count; i++) {
		uint16_t port = c->listen[i].port;

		if (port < policy->tcp_port_min)
			policy->tcp_port_min = port;
		if (port > policy->tcp_port_max)
			policy->tcp_port_max = port;
	}
}

void
server_policy(const struct config *config, struct priv_policy *policy)
{
	static const enum priv_type types[] = {
	    PRIV_TUN_OPEN, PRIV_ADDR_ADD, PRIV_ADDR_DEL, PRIV_ROUTE_ADD, PRIV_ROUTE_DEL, PRIV_GRE_OPEN, PRIV_TCP_LISTEN, PRIV_FILE_OPEN};
	static const char *any[] = {"*", NULL};

	memset(policy, 0, sizeof(*policy));
	policy->user = config->user;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		policy->types[types[i]] = true;
	policy->types[PRIV_PROXY_ADD] = policy->types[PRIV_PROXY_DEL] = config->proxy_arp;
	policy->types[PRIV_SCRIPT] = config->ip_up != NULL || config->ip_down != NULL;
	/* Users may have interface names of their own; only interfaces that the monitor makes are meant. */
	policy->ifnames = any;
	policy->max_queues = TUNNEL_MAX_WORKERS;
	policy->any_route = true;
	port_range(config, policy);
	policy->files[SERVER_FILE_USERS] = config->users_path;
	policy->scripts[SERVER_SCRIPT_UP] = config->ip_up;
	policy->scripts[SERVER_SCRIPT_DOWN] = config->ip_down;
}
