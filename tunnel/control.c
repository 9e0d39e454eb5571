#include "tunnel/control.h"

#include <errno.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sys/clock.h"
#include "sys/sockaddr.h"

enum {
	INPUT_BYTES = 4096,
	DISCARD_READS = 16,
	/* PPTP's own echoes find a dead peer; these end what they can't see, such as a peer that never starts. */
	KEEPALIVE_IDLE_S = 60,
	KEEPALIVE_INTERVAL_S = 15,
	KEEPALIVE_PROBES = 4,
	USER_TIMEOUT_MS = 60000,
};

struct control {
	struct event_base *base;
	int fd;
	struct pptp_conn *conn;
	struct control_ops ops;
	void *user;
	struct event *readable, *writable, *timer;
	struct addr local, peer;
	uint16_t peer_port;
	bool connecting;
	int connect_error; /* connect() failed at once: told from the loop */
	bool pumping;      /* the callee's functions run: no second pump, no freeing below their feet */
	bool again;        /* control_kick() came meanwhile */
	bool dead;         /* control_free() came meanwhile */
	size_t in_pos, in_len;
	uint8_t in[INPUT_BYTES]; /* received, not yet taken by conn: in_pos to in_len */
};

/* --- the socket -------------------------------------------------------------- */

static void
learn_addresses(struct control *c)
{
	struct sockaddr_storage ss = {0};
	socklen_t len = sizeof(ss);

	if (getsockname(c->fd, (struct sockaddr *)&ss, &len) == 0)
		c->local = sockaddr_addr(&ss, NULL);
	memset(&ss, 0, sizeof(ss));
	len = sizeof(ss);
	if (getpeername(c->fd, (struct sockaddr *)&ss, &len) == 0)
		c->peer = sockaddr_addr(&ss, &c->peer_port);
}

/* Errors are of no account: a Unix socket in a test has none of these options. */
static void
set_options(int fd)
{
	static const struct {
		int level, name, value;
	} options[] = {
	    {IPPROTO_TCP, TCP_NODELAY, 1},
	    {SOL_SOCKET, SO_KEEPALIVE, 1},
	    {IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE_S},
	    {IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S},
	    {IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_PROBES},
	    {IPPROTO_TCP, TCP_USER_TIMEOUT, USER_TIMEOUT_MS},
	};

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		(void)setsockopt(fd, options[i].level, options[i].name, &options[i].value, sizeof(options[i].value));
}

static void
transport_closed(struct control *c)
{
	pptp_conn_transport_closed(c->conn, clock_ts());
	c->in_pos = c->in_len = 0;
}

static bool
is_transient(int error)
{
	return error == EAGAIN || error == EINTR;
}

/* Sends output; true if anything went. */
static bool
flush_output(struct control *c)
{
	bool progress = false;
	const uint8_t *data;
	size_t len;

	while (!c->connecting && (len = pptp_conn_output(c->conn, &data)) > 0) {
		ssize_t n = send(c->fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0) {
			if (is_transient(errno))
				return progress;
			/* What can't be sent must not be waited for. */
			pptp_conn_sent(c->conn, len);
			transport_closed(c);
			return true;
		}
		pptp_conn_sent(c->conn, (size_t)n);
		progress = true;
	}
	return progress;
}

static bool
feed_input(struct control *c)
{
	size_t n;

	if (c->in_pos == c->in_len)
		return false;
	n = pptp_conn_recv(c->conn, c->in + c->in_pos, c->in_len - c->in_pos, clock_ts());
	c->in_pos += n;
	if (pptp_conn_state(c->conn) == PPTP_CONN_CLOSED)
		c->in_pos = c->in_len;
	return n > 0;
}

static bool
give_events(struct control *c)
{
	struct pptp_event event;
	bool any = false;

	while (!c->dead && pptp_conn_event(c->conn, &event)) {
		any = true;
		c->ops.event(c->user, c, &event);
	}
	return any;
}

/* --- the loop ---------------------------------------------------------------- */

static void
destroy(struct control *c)
{
	uint8_t junk[INPUT_BYTES];

	if (c->conn != NULL)
		flush_output(c);
	/* Unread input would make the kernel reset the connection, and the peer lose our last message. */
	(void)shutdown(c->fd, SHUT_WR);
	for (int i = 0; i < DISCARD_READS && recv(c->fd, junk, sizeof(junk), MSG_DONTWAIT) > 0; i++)
		;
	if (c->readable != NULL)
		event_free(c->readable);
	if (c->writable != NULL)
		event_free(c->writable);
	if (c->timer != NULL)
		event_free(c->timer);
	close(c->fd);
	pptp_conn_free(c->conn, clock_ts());
	free(c);
}

static void
set_timer(struct control *c)
{
	uint64_t expiry = pptp_conn_expiry(c->conn), now = clock_ts(), left;
	struct timeval tv;

	if (expiry == PPTP_TS_NEVER) {
		event_del(c->timer);
		return;
	}
	left = expiry > now ? expiry - now : 0;
	tv.tv_sec = (time_t)(left / 1000000000);
	tv.tv_usec = (suseconds_t)((left % 1000000000 + 999) / 1000);
	if (tv.tv_usec == 1000000)
		tv = (struct timeval){.tv_sec = tv.tv_sec + 1};
	event_add(c->timer, &tv);
}

/* Reads no more while the connection has no room for what was read. */
static void
set_events(struct control *c)
{
	const uint8_t *data;
	bool closed = pptp_conn_state(c->conn) == PPTP_CONN_CLOSED;

	if (closed || c->in_pos < c->in_len)
		event_del(c->readable);
	else
		event_add(c->readable, NULL);
	if (pptp_conn_output(c->conn, &data) > 0)
		event_add(c->writable, NULL);
	else
		event_del(c->writable);
	set_timer(c);
}

static void
pump(struct control *c)
{
	bool progress;

	if (c->pumping) {
		c->again = true;
		return;
	}
	c->pumping = true;
	do {
		c->again = false;
		progress = feed_input(c);
		progress = give_events(c) || progress;
		progress = !c->dead && (flush_output(c) || progress);
	} while (!c->dead && (progress || c->again));
	c->pumping = false;
	if (c->dead)
		destroy(c);
	else if (!c->connecting)
		set_events(c);
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct control *c = arg;
	ssize_t n;

	(void)fd;
	(void)what;
	if (c->in_pos < c->in_len)
		return;
	n = recv(c->fd, c->in, sizeof(c->in), MSG_DONTWAIT);
	if (n > 0) {
		c->in_pos = 0;
		c->in_len = (size_t)n;
	} else if (n == 0 || !is_transient(errno)) {
		transport_closed(c);
	}
	pump(c);
}

static void
unreachable(struct control *c, int error)
{
	event_del(c->timer);
	event_del(c->writable);
	c->pumping = true;
	c->ops.unreachable(c->user, c, error);
	c->pumping = false;
	if (c->dead)
		destroy(c);
}

static void
connected(struct control *c)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
		error = errno;
	if (error != 0) {
		unreachable(c, error);
		return;
	}
	c->connecting = false;
	set_options(c->fd);
	(void)pptp_conn_start(c->conn, clock_ts());
	pump(c);
}

static void
on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct control *c = arg;

	(void)fd;
	(void)what;
	if (c->connecting)
		connected(c);
	else
		pump(c);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct control *c = arg;

	(void)fd;
	(void)what;
	if (c->connecting) {
		unreachable(c, c->connect_error != 0 ? c->connect_error : ETIMEDOUT);
		return;
	}
	pptp_conn_expire(c->conn, clock_ts());
	pump(c);
}

/* --- making and freeing -------------------------------------------------------- */

static struct control *
control_new(
    struct event_base *base, int fd, const struct pptp_conn_config *config, bool initiator, const struct control_ops *ops, void *user)
{
	struct control *c = calloc(1, sizeof(*c));
	struct pptp_conn_config own = *config;

	if (c == NULL) {
		close(fd);
		return NULL;
	}
	*c = (struct control){.base = base, .fd = fd, .ops = *ops, .user = user};
	learn_addresses(c);
	own.in_order = true;
	memcpy(own.local_addr, c->local.bytes, 16);
	memcpy(own.peer_addr, c->peer.bytes, 16);
	c->readable = event_new(base, fd, EV_READ | EV_PERSIST, on_readable, c);
	c->writable = event_new(base, fd, EV_WRITE | EV_PERSIST, on_writable, c);
	c->timer = evtimer_new(base, on_timer, c);
	if (c->readable != NULL && c->writable != NULL && c->timer != NULL &&
	    pptp_conn_new(&c->conn, &own, initiator, clock_ts()) == PPTP_OK)
		return c;
	destroy(c);
	return NULL;
}

struct control *
control_accept(struct event_base *base, int fd, const struct pptp_conn_config *config, const struct control_ops *ops, void *user)
{
	struct control *c;

	set_options(fd);
	c = control_new(base, fd, config, false, ops, user);
	if (c != NULL)
		set_events(c);
	return c;
}

struct control *
control_connect(struct event_base *base, int fd, const struct addr *server, uint16_t port, uint64_t timeout_ns,
    const struct pptp_conn_config *config, const struct control_ops *ops, void *user)
{
	struct sockaddr_storage ss;
	socklen_t len = sockaddr_make(&ss, server, port);
	int error = connect(fd, (const struct sockaddr *)&ss, len) == 0 ? 0 : errno;
	struct timeval timeout = {.tv_sec = (time_t)(timeout_ns / 1000000000), .tv_usec = (suseconds_t)(timeout_ns % 1000000000 / 1000)};
	struct control *c = control_new(base, fd, config, true, ops, user);

	if (c == NULL)
		return NULL;
	c->peer = *server;
	c->peer_port = port;
	c->connecting = true;
	if (error != 0 && error != EINPROGRESS) {
		c->connect_error = error;
		timeout = (struct timeval){0};
	} else {
		event_add(c->writable, NULL);
	}
	event_add(c->timer, &timeout);
	return c;
}

void
control_free(struct control *c)
{
	if (c->pumping)
		c->dead = true;
	else
		destroy(c);
}

void
control_kick(struct control *c)
{
	if (!c->connecting)
		pump(c);
}

void
control_kick_later(struct control *c)
{
	if (!c->connecting)
		event_active(c->writable, EV_WRITE, 0);
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
	return c->peer_port;
}
