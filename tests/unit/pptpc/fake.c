#include "tests/unit/pptpc/fake.h"

#include <check.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <pptp/framer.h>

#include "base/timerheap.h"
#include "pptpc/option.h"
#include "sys/clock.h"
#include "sys/log.h"
#include "sys/netlink.h"
#include "tunnel/control.h"

struct fake fake;

struct control {
	struct pptp_conn *conn;
	struct addr local, peer;
	const struct control_ops *ops;
	void *user;
	bool pumping, dead;
};

enum { MAX_HELD = 64 };

static struct {
	priv_reply_fn fn;
	void *user;
	enum priv_type type;
} held[MAX_HELD];
static size_t held_count;
static char log_text[8192];
static struct control *control; /* the last one, while it lives */
static struct tunnel_worker_counters worker;
static int controls;

static void __attribute__((format(printf, 1, 2))) note(const char *fmt, ...)
{
	size_t n = strlen(log_text);
	va_list ap;

	va_start(ap, fmt);
	n += (size_t)snprintf(log_text + n, sizeof(log_text) - n, "%s", n > 0 ? " " : "");
	vsnprintf(log_text + n, sizeof(log_text) - n, fmt, ap);
	va_end(ap);
}

const char *
fake_log(void)
{
	static char copy[sizeof(log_text)];

	strcpy(copy, log_text);
	log_text[0] = '\0';
	return copy;
}

/* --- the engine ------------------------------------------------------------------------------ */

bool
tunnel_post(struct tunnel_engine *e, unsigned w, const struct tunnel_command *command)
{
	static const char *const names[] = {
	    "IF_ADD", "IF_DEL", "OPEN", "PEER", "AUTH", "BIND", "CLOSE", "ABORT", "ROUTE_ADD", "ROUTE_DEL", "STOP"};

	(void)e;
	(void)w;
	note("%s", names[command->type]);
	if (command->type == TUNNEL_IF_ADD)
		close(command->iface.fd);
	fake.last = *command;
	return true;
}

const struct tunnel_worker_counters *
tunnel_worker_counters(const struct tunnel_engine *e, unsigned w)
{
	(void)e;
	(void)w;
	return &worker;
}

struct tunnel_engine *
tunnel_engine_new(const struct tunnel_engine_config *config)
{
	(void)config;
	return NULL;
}

void
tunnel_engine_free(struct tunnel_engine *e)
{
	(void)e;
}

int
tunnel_event_fd(const struct tunnel_engine *e)
{
	(void)e;
	return -1;
}

bool
tunnel_take_event(struct tunnel_engine *e, struct tunnel_event *event)
{
	(void)e;
	(void)event;
	return false;
}

/* --- the monitor ------------------------------------------------------------------------------- */

static const char *
request_text(const struct priv_request *r, char buf[160])
{
	char a[ADDR_TEXT_MAX], b[ADDR_TEXT_MAX];

	switch (r->type) {
	case PRIV_TUN_OPEN:
		snprintf(buf, 160, "tun:%s", r->tun.name);
		break;
	case PRIV_LINK_MTU:
		snprintf(buf, 160, "mtu:%u", r->link.mtu);
		break;
	case PRIV_ADDR_ADD:
	case PRIV_ADDR_DEL:
		snprintf(buf, 160, "%caddr:%s>%s", r->type == PRIV_ADDR_ADD ? '+' : '-', addr_text(&r->addr.local, a),
		    addr_text(&r->addr.peer, b));
		break;
	case PRIV_ROUTE_ADD:
	case PRIV_ROUTE_DEL:
		snprintf(buf, 160, "%croute:%s>%s", r->type == PRIV_ROUTE_ADD ? '+' : '-', prefix_text(&r->route.dst, a),
		    r->route.gateway.family != 0 ? addr_text(&r->route.gateway, b) : "link");
		break;
	case PRIV_TCP_SOCKET:
		snprintf(buf, 160, "tcp%u", r->tcp.bind.family);
		break;
	case PRIV_SCRIPT:
		snprintf(buf, 160, "script:%u%s", r->script.number, r->script.when == PRIV_SCRIPT_AT_EXIT ? "@exit" : "");
		break;
	case PRIV_DNS_SET:
	case PRIV_DNS_CLEAR:
		snprintf(buf, 160, "%cdns", r->type == PRIV_DNS_SET ? '+' : '-');
		break;
	default:
		snprintf(buf, 160, "priv:%d", r->type);
		break;
	}
	return buf;
}

void
fake_answer(void)
{
	/* Answers ask more. */
	for (size_t i = 0; i < held_count; i++) {
		struct priv_reply reply = {.error = fake.error, .ifindex = 7, .ifname = "t0"};
		bool fd_wanted = held[i].type == PRIV_TUN_OPEN || held[i].type == PRIV_TCP_SOCKET;
		int fd = -1;

		if (fd_wanted && fake.error == 0) {
			fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
			reply.fds = 1;
		}
		held[i].fn(held[i].user, &reply, &fd);
	}
	held_count = 0;
}

int
priv_send(struct priv *p, const struct priv_request *request, priv_reply_fn fn, void *user)
{
	char buf[160];

	(void)p;
	note("%s", request_text(request, buf));
	if (fn == NULL)
		return 0;
	ck_assert_uint_lt(held_count, MAX_HELD);
	held[held_count].fn = fn;
	held[held_count].user = user;
	held[held_count++].type = request->type;
	return 0;
}

const char *
priv_refusal(const struct priv *p)
{
	(void)p;
	return "";
}

int
priv_call(struct priv *p, const struct priv_request *request, struct priv_reply *reply, int *fds)
{
	(void)p;
	(void)request;
	(void)fds;
	reply->error = EPERM;
	return -1;
}

int
priv_call_fd(struct priv *p, const struct priv_request *request)
{
	(void)p;
	(void)request;
	errno = EPERM;
	return -1;
}

int
priv_attach(struct priv *p, struct event_base *base, void (*lost)(void *user), void *user)
{
	(void)p;
	(void)base;
	(void)lost;
	(void)user;
	return 0;
}

void
priv_free(struct priv *p)
{
	(void)p;
}

/* --- netlink ---------------------------------------------------------------------------------------- */

struct nl *
nl_open(void)
{
	return NULL;
}

void
nl_close(struct nl *nl)
{
	(void)nl;
}

int
nl_route_lookup(
    struct nl *nl, const struct addr *dst, uint32_t mark, bool (*skip)(void *user, int ifindex), void *user, struct nl_route *out)
{
	(void)nl;
	(void)mark;
	ck_assert(!skip(user, 3));
	if (fake.gateway.family == 0)
		return -1;
	memset(out, 0, sizeof(*out));
	out->dst.addr = *dst;
	out->gateway = fake.gateway;
	out->ifindex = 3;
	return 0;
}

int
nl_route_each(struct nl *nl, uint8_t family, bool (*fn)(void *user, const struct nl_route *r), void *user)
{
	(void)nl;
	(void)family;
	for (size_t i = 0; i < fake.client.dials_count && !fake.route_lost; i++) {
		const struct hostroute *h = &fake.client.dials[i].hostroute;
		struct nl_route r = {.dst = h->op.dst, .gateway = h->op.gateway, .ifindex = h->op.ifindex};

		if (h->placed && fn(user, &r))
			break;
	}
	return 0;
}

struct nl_monitor *
nl_monitor_new(struct event_base *base, void (*changed)(void *user, unsigned what), void *user)
{
	(void)base;
	(void)changed;
	(void)user;
	return NULL;
}

void
nl_monitor_free(struct nl_monitor *m)
{
	(void)m;
}

char *
if_indextoname(unsigned index, char name[IF_NAMESIZE])
{
	ck_assert_uint_eq(index, 7);
	return fake.link_lost ? NULL : strcpy(name, "t0");
}

/* --- control connections ------------------------------------------------------------------------------- */

static void
destroy(struct control *c)
{
	if (control == c)
		control = NULL;
	controls--;
	pptp_conn_free(c->conn, clock_ts());
	free(c);
}

struct control *
control_connect(struct event_base *base, int fd, const struct addr *server, uint16_t port, uint64_t timeout_ns,
    const struct pptp_conn_config *config, const struct control_ops *ops, void *user)
{
	struct control *c = calloc(1, sizeof(*c));
	char text[ADDR_TEXT_MAX];

	(void)base;
	(void)timeout_ns;
	close(fd);
	*c = (struct control){.ops = ops, .user = user, .peer = *server};
	addr_parse(&c->local, server->family == 4 ? "198.51.100.2" : "2001:db8::2");
	ck_assert_int_eq(pptp_conn_new(&c->conn, config, true, clock_ts()), PPTP_OK);
	note("connect:%s:%u", addr_text(server, text), port);
	control = c;
	controls++;
	if (fake.connects) {
		pptp_conn_start(c->conn, clock_ts());
		control_kick(c);
	}
	return c;
}

void
control_free(struct control *c)
{
	note("free");
	if (c->pumping)
		c->dead = true;
	else
		destroy(c);
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
		while (pptp_framer_next(&f, &p, &left, &msg) > 0) {
			unsigned type = (unsigned)msg[8] << 8 | msg[9];

			if (type == PPTP_OUTGOING_CALL_REQUEST)
				fake.call_id = (uint16_t)(msg[12] << 8 | msg[13]);
			note("%s", pptp_msg_info(type)->name);
		}
		pptp_conn_sent(c->conn, n);
	}
}

void
control_kick(struct control *c)
{
	struct pptp_event e;

	if (c->pumping)
		return;
	c->pumping = true;
	note_output(c);
	while (!c->dead && pptp_conn_event(c->conn, &e)) {
		c->ops->event(c->user, c, &e);
		if (!c->dead)
			note_output(c);
	}
	c->pumping = false;
	if (c->dead)
		destroy(c);
}

static void
feed(const struct pptp_msg *msg)
{
	uint8_t buf[PPTP_MAX_MESSAGE];
	int n = pptp_msg_encode(buf, sizeof(buf), msg);

	ck_assert_int_gt(n, 0);
	ck_assert_ptr_nonnull(control);
	ck_assert_uint_eq(pptp_conn_recv(control->conn, buf, (size_t)n, clock_ts()), (size_t)n);
	control_kick(control);
}

void
fake_unreachable(int error)
{
	struct control *c = control;

	ck_assert_ptr_nonnull(c);
	c->pumping = true;
	c->ops->unreachable(c->user, c, error);
	c->pumping = false;
	ck_assert(c->dead);
	destroy(c);
}

void
fake_start_reply(uint8_t result)
{
	const struct pptp_msg m = {.type = PPTP_START_CONTROL_CONNECTION_REPLY,
	    .start = {.protocol_version = 0x0100, .result_code = result, .framing_capabilities = 3, .bearer_capabilities = 3}};

	feed(&m);
}

void
fake_call_reply(uint8_t result, uint8_t error)
{
	const struct pptp_msg m = {.type = PPTP_OUTGOING_CALL_REPLY,
	    .outgoing_call_reply = {.call_id = 77,
		.peer_call_id = fake.call_id,
		.result_code = result,
		.error_code = error,
		.connect_speed = 1000000,
		.packet_recv_window_size = 16,
		.packet_processing_delay = 3}};

	feed(&m);
}

void
fake_disconnect(uint8_t result)
{
	const struct pptp_msg m = {.type = PPTP_CALL_DISCONNECT_NOTIFY, .call_disconnect_notify = {.call_id = 77, .result_code = result}};

	feed(&m);
}

void
fake_stop_reply(void)
{
	const struct pptp_msg m = {.type = PPTP_STOP_CONTROL_CONNECTION_REPLY, .stop_reply = {.result_code = 1}};

	feed(&m);
}

void
fake_tcp_closed(void)
{
	pptp_conn_transport_closed(control->conn, clock_ts());
	control_kick(control);
}

/* --- the control socket ------------------------------------------------------------------------------------- */

struct ctl_reply {
	char text[8192];
	bool ended;
};

static void
reply_json(struct ctl_reply *r, json_t *j)
{
	char *text = json_dumps(j, JSON_COMPACT);

	ck_assert(!r->ended);
	ck_assert_uint_lt(strlen(r->text) + strlen(text) + 2, sizeof(r->text));
	strcat(r->text, r->text[0] != '\0' ? "\n" : "");
	strcat(r->text, text);
	free(text);
	json_decref(j);
}

void
ctl_reply_row(struct ctl_reply *r, json_t *row)
{
	reply_json(r, row);
}

void
ctl_reply_done(struct ctl_reply *r, json_t *result)
{
	if (result != NULL)
		reply_json(r, result);
	r->ended = true;
}

void
ctl_reply_error(struct ctl_reply *r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	strcpy(r->text, "error: ");
	vsnprintf(r->text + 7, sizeof(r->text) - 7, fmt, ap);
	va_end(ap);
	r->ended = true;
}

struct ctl_server *
ctl_server_new(struct event_base *base, int fd, const struct ctl_command *commands, void *user)
{
	(void)base;
	(void)fd;
	(void)commands;
	(void)user;
	return NULL;
}

void
ctl_server_free(struct ctl_server *s)
{
	(void)s;
}

int
ctl_listen(const char *path, unsigned mode)
{
	(void)path;
	(void)mode;
	return -1;
}

const char *
fake_command(const char *name, const char *args)
{
	static struct ctl_reply reply;
	json_t *j = json_loads(args, 0, NULL);

	memset(&reply, 0, sizeof(reply));
	for (const struct ctl_command *c = client_commands; c->name != NULL; c++)
		if (strcmp(c->name, name) == 0)
			c->run(&fake.client, j, &reply);
	json_decref(j);
	ck_assert_msg(reply.ended, "%s", name);
	return reply.text;
}

/* --- events --------------------------------------------------------------------------------------------------- */

void
fake_network(struct dial *d)
{
	fake_event(d, TUNNEL_EVENT_NETWORK);
}

void
fake_event(struct dial *d, enum tunnel_event_type type)
{
	const struct tunnel_event e = {.type = type, .session = d->session};

	dial_engine_event(d, &e);
}

void
fake_up(struct dial *d, bool ipv4, bool ipv6, bool mppe)
{
	struct tunnel_event e = {.type = TUNNEL_EVENT_UP, .session = d->session};
	struct ppp_bundle_info *b = &e.up.bundle;

	b->ipv4_up = ipv4;
	b->ipv6_up = ipv6;
	b->mppe_up = mppe;
	b->mppe_bits = PPP_MPPE_128;
	b->mppe_stateless = true;
	if (ipv4) {
		addr_parse(&b->local_v4, "10.1.1.2");
		addr_parse(&b->peer_v4, "10.1.1.1");
		addr_parse(&b->dns[0], "10.1.1.53");
	}
	memcpy(b->local_ifid, "\0\0\0\0\0\0\0\2", 8);
	e.up.link.mtu = 1396;
	e.up.link.mru = 1400;
	e.up.link.self_method = PPP_AUTH_MSCHAPV2;
	dial_engine_event(d, &e);
}

void
fake_closed(struct dial *d, enum ppp_down down, uint16_t mschap_error, const char *message)
{
	struct tunnel_event e = {.type = TUNNEL_EVENT_CLOSED, .session = d->session, .down = down, .mschap_error = mschap_error};

	snprintf(e.message, sizeof(e.message), "%s", message);
	dial_engine_event(d, &e);
}

void
fake_resolve(struct dial *d)
{
	while (d->resolve != NULL)
		ck_assert_int_eq(event_base_loop(fake.client.base, EVLOOP_ONCE), 0);
}

void
fake_timer(struct dial *d)
{
	ck_assert(evtimer_pending(d->timer, NULL));
	event_active(d->timer, EV_TIMEOUT, 0);
	event_base_loop(fake.client.base, EVLOOP_NONBLOCK);
}

void
fake_tick(struct dial *d)
{
	event_active(d->tick, EV_TIMEOUT, 0);
	event_base_loop(fake.client.base, EVLOOP_NONBLOCK);
}

void
fake_dial_link(struct dial *d)
{
	fake.connects = true;
	dial_start(d);
	fake_resolve(d);
	fake_answer();
	fake_start_reply(1);
	fake_call_reply(1, 0);
}

void
fake_dial_up(struct dial *d)
{
	fake_dial_link(d);
	fake_network(d);
	fake_answer();
	fake_up(d, true, true, true);
	fake_answer();
}

/* --- the client --------------------------------------------------------------------------------------------------- */

struct profile *
fake_tunnel(const char *name, const char *options)
{
	struct profile *p = client_config_add(&fake.config, name);
	char copy[512], err[256], *save = NULL;

	strcpy(copy, options);
	for (char *w = strtok_r(copy, " ", &save); w != NULL; w = strtok_r(NULL, " ", &save)) {
		char *value = strtok_r(NULL, " ", &save);

		ck_assert_msg(profile_set(p, w, value, err, sizeof(err)), "%s", err);
	}
	ck_assert_msg(profile_check(p, err, sizeof(err)), "%s", err);
	return p;
}

void
fake_start(void)
{
	static struct path path;
	struct client *c = &fake.client;

	c->dials = calloc(fake.config.count, sizeof(*c->dials));
	c->dials_count = fake.config.count;
	for (unsigned i = 0; i < fake.config.count; i++) {
		ck_assert_int_eq(dial_init(&c->dials[i], c, i), 0);
		c->dials[i].path = &path;
		if (profile_needs_placeholder(c->dials[i].profile))
			addr_parse(&c->dials[i].netif.placeholder, "192.0.0.7");
	}
}

struct dial *
fake_client(const char *options)
{
	char all[512];

	snprintf(all, sizeof(all), "server 192.0.2.1 user bob %s", options);
	fake_tunnel("t", all);
	fake_start();
	return &fake.client.dials[0];
}

void
fake_init(void)
{
	memset(&fake, 0, sizeof(fake));
	memset(&worker, 0, sizeof(worker));
	log_text[0] = '\0';
	held_count = 0;
	controls = 0;
	log_set_level(LOG_LEVEL_ERROR);
	client_config_init(&fake.config);
	fake.client.config = &fake.config;
	fake.client.base = event_base_new();
	fake.client.next_session = 1;
	ck_assert_int_eq(pptp_callid_pool_new(&fake.client.call_ids, 0, clock_random, NULL, NULL), PPTP_OK);
}

/* Nothing may be left behind. */
void
fake_fini(void)
{
	struct client *c = &fake.client;

	fake_answer();
	for (size_t i = 0; i < c->dials_count; i++)
		dial_fini(&c->dials[i]);
	ck_assert_int_eq(controls, 0);
	free(c->dials);
	pptp_callid_pool_free(c->call_ids);
	event_base_free(c->base);
	client_config_fini(&fake.config);
}
