#include "tests/unit/pptpd/fake.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <pptp/framer.h>

#include "base/timerheap.h"
#include "sys/clock.h"
#include "sys/log.h"

struct fake fake;

struct control {
	struct pptp_conn *conn;
	struct addr local, peer;
	const struct control_ops *ops;
	void *user;
};

enum { MAX_HELD = 64 };

static struct {
	priv_reply_fn fn;
	void *user;
	enum priv_type type;
} held[MAX_HELD];
static struct addr next_peer;

static void __attribute__((format(printf, 1, 2))) note(const char *fmt, ...)
{
	size_t n = strlen(fake.log);
	va_list ap;

	va_start(ap, fmt);
	n += (size_t)snprintf(fake.log + n, sizeof(fake.log) - n, "%s", n > 0 ? " " : "");
	vsnprintf(fake.log + n, sizeof(fake.log) - n, fmt, ap);
	va_end(ap);
}

const char *
fake_log(void)
{
	static char copy[sizeof(fake.log)];

	strcpy(copy, fake.log);
	fake.log[0] = '\0';
	return copy;
}

/* ---- the engine ---- */

static const char *const command_names[] = {
    "IF_ADD", "IF_DEL", "OPEN", "PEER", "AUTH", "BIND", "CLOSE", "ABORT", "ROUTE_ADD", "ROUTE_DEL", "STOP"};

bool
tunnel_post(struct tunnel_engine *e, unsigned worker, const struct tunnel_command *command)
{
	(void)e;
	(void)worker;
	if (fake.full)
		return false;
	note("%s", command_names[command->type]);
	fake.last = *command;
	return true;
}

bool
tunnel_post_all(struct tunnel_engine *e, const struct tunnel_command *command)
{
	char text[ADDR_TEXT_MAX];

	(void)e;
	note("%s:%s", command_names[command->type], prefix_text(&command->route.dst, text));
	fake.last_route = *command;
	return true;
}

unsigned
tunnel_worker_of(const struct tunnel_engine *e, uint16_t call_id)
{
	(void)e;
	return call_id % 2;
}

/* ---- the monitor ---- */

static const char *
request_text(const struct priv_request *r, char buf[128])
{
	char text[ADDR_TEXT_MAX];

	switch (r->type) {
	case PRIV_TUN_OPEN:
		snprintf(buf, 128, "tun:%s", r->tun.name);
		break;
	case PRIV_ADDR_ADD:
		snprintf(buf, 128, "addr:%s", addr_text(&r->addr.peer, text));
		break;
	case PRIV_ROUTE_ADD:
	case PRIV_ROUTE_DEL:
		snprintf(buf, 128, "%s:%s", r->type == PRIV_ROUTE_ADD ? "route" : "unroute", prefix_text(&r->route.dst, text));
		break;
	case PRIV_PROXY_ADD:
	case PRIV_PROXY_DEL:
		snprintf(buf, 128, "%s:%s", r->type == PRIV_PROXY_ADD ? "proxy" : "unproxy", addr_text(&r->proxy.addr, text));
		break;
	case PRIV_SCRIPT:
		snprintf(buf, 128, "script:%u%s", r->script.number, r->script.when == PRIV_SCRIPT_AT_EXIT ? "@exit" : "");
		break;
	default:
		snprintf(buf, 128, "priv:%d", r->type);
		break;
	}
	return buf;
}

void
fake_answer(void)
{
	size_t n = fake.asked;

	fake.asked = 0;
	for (size_t i = 0; i < n; i++) {
		struct priv_reply reply = {.error = fake.error, .ifindex = 7, .ifname = "t0"};
		int fd = -1;

		if (held[i].type == PRIV_TUN_OPEN && fake.error == 0) {
			/* a worker would own it */
			fd = open("/dev/null", O_RDONLY);
			reply.fds = 1;
		}
		held[i].fn(held[i].user, &reply, &fd);
		if (fd >= 0)
			close(fd);
	}
}

int
priv_send(struct priv *p, const struct priv_request *request, priv_reply_fn fn, void *user)
{
	char buf[128];

	(void)p;
	note("%s", request_text(request, buf));
	if (fn == NULL)
		return 0;
	ck_assert_uint_lt(fake.asked, MAX_HELD);
	held[fake.asked].fn = fn;
	held[fake.asked].user = user;
	held[fake.asked++].type = request->type;
	return 0;
}

const char *
priv_refusal(const struct priv *p)
{
	(void)p;
	return "";
}

/* ---- control connections ---- */

struct control *
control_accept(struct event_base *base, int fd, const struct pptp_conn_config *config, const struct control_ops *ops, void *user)
{
	struct control *c = calloc(1, sizeof(*c));

	(void)base;
	(void)fd;
	c->ops = ops;
	c->user = user;
	c->peer = next_peer;
	ck_assert(addr_parse(&c->local, "192.0.2.1"));
	ck_assert_int_eq(pptp_conn_new(&c->conn, config, false, clock_ts()), PPTP_OK);
	return c;
}

void
control_free(struct control *c)
{
	note("conn-free");
	pptp_conn_free(c->conn, clock_ts());
	free(c);
}

struct pptp_conn *
control_conn(struct control *c)
{
	return c->conn;
}

const struct addr *
control_local(const struct control *c)
{
	return &c->local;
}

const struct addr *
control_peer(const struct control *c)
{
	return &c->peer;
}

uint16_t
control_peer_port(const struct control *c)
{
	(void)c;
	return 40000;
}

static void
note_output(struct control *c)
{
	const uint8_t *data;
	size_t n;

	while ((n = pptp_conn_output(c->conn, &data)) > 0) {
		struct pptp_framer f;
		const uint8_t *p = data, *msg;
		size_t left = n;

		pptp_framer_init(&f);
		while (pptp_framer_next(&f, &p, &left, &msg) > 0)
			note("%s", pptp_msg_info((unsigned)msg[8] << 8 | msg[9])->name);
		pptp_conn_sent(c->conn, n);
	}
}

void
control_kick(struct control *c)
{
	struct pptp_event e;

	note_output(c);
	while (pptp_conn_event(c->conn, &e)) {
		bool last = e.type == PPTP_EVENT_CLOSED;

		c->ops->event(c->user, c, &e);
		if (last)
			return;
	}
	note_output(c);
}

void
control_kick_later(struct control *c)
{
	control_kick(c);
}

static void
feed(struct control *c, const struct pptp_msg *msg)
{
	uint8_t buf[PPTP_MAX_MESSAGE];
	int n = pptp_msg_encode(buf, sizeof(buf), msg);

	ck_assert_int_gt(n, 0);
	ck_assert_uint_eq(pptp_conn_recv(c->conn, buf, (size_t)n, clock_ts()), (size_t)n);
	control_kick(c);
}

/* ---- the server ---- */

void
server_reap_later(struct server *srv)
{
	(void)srv;
}

static void
submit(void *ctx, const struct auth_query *query, auth_answer_fn answer, void *user)
{
	struct server *srv = ctx;
	const struct user *u = users_find(srv->users, query->request.name, "pptpd");
	struct auth_answer a;

	memset(&a, 0, sizeof(a));
	a.session = query->session;
	a.id = query->request.id;
	a.method = query->request.method;
	snprintf(a.user, sizeof(a.user), "%s", query->request.name);
	user_profile_init(&a.profile);
	a.verdict.ok = u != NULL;
	if (u != NULL)
		a.profile = u->profile;
	else
		auth_refuse(&a, AUTH_UNKNOWN_USER);
	answer(user, &a);
}

void
fake_init(void)
{
	static const char users[] = "alice * s *\nbob * s 10.0.0.30 route=10.9.0.0/24\ncarol * s * sessions=1 ifname=carol0\n"
				    "dave * s 10.0.0.11\nnone * s -\nerin * s * route=10.8.0.0/24\n";
	static const struct pool_range range = {0x0a00000a, 0x0a00000c};
	struct server *srv = calloc(1, sizeof(*srv));
	char err[128];

	memset(&fake, 0, sizeof(fake));
	log_set_level(LOG_LEVEL_ERROR);
	fake.srv = srv;
	fake.config.max_connections = 8;
	fake.config.max_half_open = 3;
	fake.config.max_sessions = 10;
	fake.config.max_calls = 4;
	fake.config.accept_outgoing_calls = true;
	fake.config.handshake_timeout_ns = TS_S(30);
	fake.config.auth = PPP_AUTH_MSCHAPV2;
	fake.config.ip_up = "/up";
	fake.config.ip_down = "/down";
	tunnel_options_init(&fake.config.options, TUNNEL_SERVER);
	fake.config.options.bundle.mppe = PPP_MPPE_ALLOW;
	ck_assert(addr_parse(&fake.config.local_v4, "10.0.0.1"));
	strcpy(fake.config.ifname, "ppptp%d");
	srv->config = &fake.config;
	srv->half_open_tail = &srv->half_open;
	srv->strangers_tail = &srv->strangers;
	srv->users = users_parse("f", users, strlen(users), NULL, NULL);
	srv->pool_v4 = pool_new(&range, 1, false, err, sizeof(err));
	srv->auth = (struct auth_backend){"fake", srv, submit};
	srv->next_session = 1;
	srv->next_if = 2;
	srv->shared_if = 1;
	srv->shared_ifindex = 5;
	strcpy(srv->shared_ifname, "pptp0");
	ck_assert(hash_init(&srv->conns_by_source, 16) && hash_init(&srv->sessions_by_id, 16) && hash_init(&srv->sessions_by_user, 16) &&
		  hash_init(&srv->held_addresses, 16) && hash_init(&srv->networks, 16));
	ck_assert_int_eq(pptp_callid_pool_new(&srv->call_ids, 0, clock_random, NULL, NULL), PPTP_OK);
}

/* Nothing may be left behind. */
void
fake_fini(void)
{
	struct server *srv = fake.srv;
	struct tunnel_event closed = {.type = TUNNEL_EVENT_CLOSED, .down = PPP_DOWN_LOCAL};

	fake_answer();
	while (srv->conns != NULL)
		conn_destroy(srv->conns, "end of test");
	for (struct session *s = srv->sessions, *next; s != NULL; s = next) {
		next = s->next;
		session_fsm(s, SESSION_E_CLOSED, &closed);
	}
	ck_assert_ptr_null(srv->sessions);
	ck_assert_uint_eq(srv->sessions_count, 0);
	ck_assert_uint_eq(srv->half_open_count, 0);
	ck_assert_ptr_null(srv->strangers);
	ck_assert_ptr_eq(srv->strangers_tail, &srv->strangers);
	ck_assert_uint_eq(srv->sessions_by_id.count + srv->sessions_by_user.count + srv->held_addresses.count + srv->networks.count, 0);
	ck_assert_uint_eq(pool_count(srv->pool_v4).taken, 0);
	sessions_reap(srv);
	users_free(srv->users);
	pool_free(srv->pool_v4);
	pptp_callid_pool_free(srv->call_ids);
	hash_fini(&srv->conns_by_source);
	hash_fini(&srv->sessions_by_id);
	hash_fini(&srv->sessions_by_user);
	hash_fini(&srv->held_addresses);
	hash_fini(&srv->networks);
	free(srv);
}

struct conn *
fake_conn(const char *source)
{
	struct pptp_msg start = {.type = PPTP_START_CONTROL_CONNECTION_REQUEST,
	    .start = {.protocol_version = 0x0100, .framing_capabilities = 3, .bearer_capabilities = 3}};
	struct conn *c;

	ck_assert(addr_parse(&next_peer, source));
	conn_accept(fake.srv, -1, &next_peer);
	c = fake.srv->conns;
	if (c != NULL)
		feed(c->control, &start);
	return c;
}

struct session *
fake_call(struct conn *c)
{
	static uint16_t id;
	struct pptp_msg call = {.type = PPTP_OUTGOING_CALL_REQUEST,
	    .outgoing_call_request = {.call_id = ++id,
		.minimum_bps = 300,
		.maximum_bps = 100000000,
		.bearer_type = 3,
		.framing_type = 3,
		.packet_recv_window_size = 64}};
	struct session *before = fake.srv->sessions;

	feed(c->control, &call);
	return fake.srv->sessions != before ? fake.srv->sessions : NULL;
}

struct session *
fake_session(struct conn *c, enum session_state state, const char *user)
{
	struct session *s = fake_call(c);
	struct ppp_auth_request request = {.method = PPP_AUTH_MSCHAPV2, .id = 1};
	struct tunnel_event up = {.type = TUNNEL_EVENT_UP};

	ck_assert_ptr_nonnull(s);
	snprintf(request.name, sizeof(request.name), "%s", user);
	if (state >= SESSION_SETUP) {
		session_fsm(s, SESSION_E_AUTH_REQUEST, &request);
		session_fsm(s, SESSION_E_AUTHED, NULL);
	}
	while (state >= SESSION_NETWORK && fake.asked > 0)
		fake_answer();
	if (state >= SESSION_UP) {
		up.up.bundle.ipv4_up = true;
		session_fsm(s, SESSION_E_NETWORK_UP, &up);
	}
	return s;
}
