#include "tests/conform/conform.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { SETTLE_MS = 150, RETRY_MS = 200 };

bool
conform_fail(struct conform *c, const char *format, ...)
{
	va_list ap;

	if (c->failed)
		return false;
	c->failed = true;
	va_start(ap, format);
	vsnprintf(c->text, sizeof(c->text), format, ap);
	va_end(ap);
	return false;
}

void
conform_note(struct conform *c, const char *format, ...)
{
	va_list ap;

	if (c->failed)
		return;
	va_start(ap, format);
	vsnprintf(c->text, sizeof(c->text), format, ap);
	va_end(ap);
}

static int64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static bool
wait_for(int fd, short events, int64_t until_ms)
{
	struct pollfd pfd = {.fd = fd, .events = events};
	int n;

	do {
		int64_t left = until_ms - now_ms();

		n = poll(&pfd, 1, left > 0 ? (int)left : 0);
	} while (n < 0 && errno == EINTR);
	return n > 0;
}

/* Connects within the time and leaves the socket blocking. */
static int
connect_within(int fd, const struct conform *c)
{
	int flags = fcntl(fd, F_GETFL);
	int error = 0;
	socklen_t len = sizeof(error);

	fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	if (connect(fd, (const struct sockaddr *)&c->addr, c->addrlen) < 0) {
		if (errno != EINPROGRESS)
			return errno;
		if (!wait_for(fd, POLLOUT, now_ms() + c->timeout_ms))
			return ETIMEDOUT;
		getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
	}
	fcntl(fd, F_SETFL, flags);
	return error;
}

bool
peer_open(struct peer *p, struct conform *c)
{
	int one = 1;
	int error;

	*p = (struct peer){.c = c, .fd = socket(c->addr.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0)};
	pptp_framer_init(&p->framer);
	if (p->fd < 0)
		return conform_fail(c, "no socket: %s", strerror(errno));
	setsockopt(p->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	error = connect_within(p->fd, c);
	return error == 0 || conform_fail(c, "no TCP connection: %s", strerror(error));
}

void
peer_close(struct peer *p)
{
	if (p->fd >= 0)
		close(p->fd);
	p->fd = -1;
}

void
peer_reset(struct peer *p)
{
	struct linger linger = {.l_onoff = 1, .l_linger = 0};

	setsockopt(p->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	peer_close(p);
}

bool
peer_send(struct peer *p, const uint8_t *data, size_t datalen)
{
	int64_t until = now_ms() + p->c->timeout_ms;

	while (datalen > 0) {
		ssize_t n;

		if (!wait_for(p->fd, POLLOUT, until))
			return false;
		n = send(p->fd, data, datalen, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return false;
		if (n > 0) {
			data += n;
			datalen -= (size_t)n;
		}
	}
	return true;
}

bool
peer_send_msg(struct peer *p, const struct pptp_msg *msg)
{
	uint8_t buf[PPTP_MAX_MESSAGE];
	int n = pptp_msg_encode(buf, sizeof(buf), msg);

	return n > 0 && peer_send(p, buf, (size_t)n);
}

/* Cuts a message from what was received; GOT_NOTHING: more bytes are needed. */
static enum got
frame(struct peer *p, struct pptp_msg *msg)
{
	const uint8_t *data;
	int n = pptp_framer_next(&p->framer, &p->next, &p->left, &data);

	if (n == 0)
		return GOT_NOTHING;
	if (n < 0 || pptp_msg_decode(msg, data, (size_t)n, PPTP_LENIENT, NULL) != PPTP_OK)
		return GOT_GARBAGE;
	return GOT_MESSAGE;
}

enum got
peer_recv(struct peer *p, struct pptp_msg *msg, int timeout_ms)
{
	int64_t until = now_ms() + timeout_ms;

	for (;;) {
		enum got got = frame(p, msg);
		ssize_t n;

		if (got != GOT_NOTHING)
			return got;
		if (!wait_for(p->fd, POLLIN, until))
			return GOT_NOTHING;
		n = recv(p->fd, p->in, sizeof(p->in), MSG_DONTWAIT);
		if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
			return GOT_CLOSE;
		p->next = p->in;
		p->left = n > 0 ? (size_t)n : 0;
	}
}

/* --- steps -------------------------------------------------------------------------- */

/* A message that a server may send whenever it likes. */
static bool
is_aside(struct peer *p, const struct pptp_msg *msg)
{
	struct pptp_msg reply = {.type = PPTP_ECHO_REPLY};

	if (msg->type == PPTP_SET_LINK_INFO || msg->type == PPTP_WAN_ERROR_NOTIFY)
		return true;
	if (msg->type != PPTP_ECHO_REQUEST)
		return false;
	reply.echo.identifier = msg->echo.identifier;
	reply.echo.result_code = 1;
	peer_send_msg(p, &reply);
	return true;
}

static bool
not_got(struct peer *p, enum got got, const char *what)
{
	switch (got) {
	case GOT_CLOSE:
		return conform_fail(p->c, "connection closed instead of %s", what);
	case GOT_GARBAGE:
		return conform_fail(p->c, "malformed bytes instead of %s", what);
	default:
		return conform_fail(p->c, "no %s within %d ms", what, p->c->timeout_ms);
	}
}

bool
expect_msg(struct peer *p, struct pptp_msg *msg, enum pptp_msg_type type)
{
	const char *name = pptp_msg_info(type)->name;

	for (;;) {
		enum got got = peer_recv(p, msg, p->c->timeout_ms);

		if (got != GOT_MESSAGE)
			return not_got(p, got, name);
		if (msg->type == type)
			return true;
		if (!is_aside(p, msg))
			return conform_fail(p->c, "%s instead of %s", pptp_msg_info(msg->type)->name, name);
	}
}

bool
expect_close(struct peer *p, const char *after)
{
	struct pptp_msg msg;
	enum got got;

	do
		got = peer_recv(p, &msg, p->c->timeout_ms);
	while (got == GOT_MESSAGE);
	return got == GOT_CLOSE || conform_fail(p->c, "connection left open after %s", after);
}

bool
expect_echo_or_close(struct peer *p, const char *after, bool *closed)
{
	struct pptp_msg msg = make_msg(PPTP_ECHO_REQUEST, 0, 0);
	enum got got;

	msg.echo.identifier = 0xE2637E;
	*closed = !peer_send_msg(p, &msg);
	if (*closed)
		return true;
	do
		got = peer_recv(p, &msg, p->c->timeout_ms);
	while (got == GOT_MESSAGE && (msg.type != PPTP_ECHO_REPLY || msg.echo.identifier != 0xE2637E));
	*closed = got == GOT_CLOSE;
	if (got == GOT_MESSAGE || got == GOT_CLOSE)
		return true;
	return conform_fail(
	    p->c, "after %s: %s instead of an answer to Echo-Request", after, got == GOT_GARBAGE ? "malformed bytes" : "silence");
}

bool
expect_echo(struct peer *p, const char *after)
{
	bool closed;

	if (!expect_echo_or_close(p, after, &closed))
		return false;
	return !closed || conform_fail(p->c, "connection closed after %s", after);
}

bool
begin(struct peer *p, struct conform *c)
{
	struct pptp_msg msg;
	enum got got = GOT_NOTHING;

	for (int attempt = 0; attempt < 2; attempt++) {
		msg = make_msg(PPTP_START_CONTROL_CONNECTION_REQUEST, 0, 0);
		if (!peer_open(p, c))
			return false;
		peer_send_msg(p, &msg);
		got = peer_recv(p, &msg, c->timeout_ms);
		if (got != GOT_CLOSE || attempt > 0)
			break;
		c->dropped++;
		peer_close(p);
		nanosleep(&(struct timespec){.tv_nsec = RETRY_MS * 1000000L}, NULL);
	}
	if (got != GOT_MESSAGE)
		return not_got(p, got, "Start-Control-Connection-Reply");
	if (msg.type != PPTP_START_CONTROL_CONNECTION_REPLY)
		return conform_fail(c, "%s instead of Start-Control-Connection-Reply", pptp_msg_info(msg.type)->name);
	return msg.start.result_code == PPTP_START_OK ||
	       conform_fail(c, "Start-Control-Connection-Reply with result %u", msg.start.result_code);
}

bool
open_call(struct peer *p, uint16_t id, uint16_t *server_id)
{
	struct pptp_msg msg = make_msg(PPTP_OUTGOING_CALL_REQUEST, id, 0);

	peer_send_msg(p, &msg);
	if (!expect_msg(p, &msg, PPTP_OUTGOING_CALL_REPLY))
		return false;
	*server_id = msg.outgoing_call_reply.call_id;
	if (msg.outgoing_call_reply.peer_call_id != id)
		return conform_fail(p->c, "Peer's Call ID is %u, not our %u", msg.outgoing_call_reply.peer_call_id, id);
	if (msg.outgoing_call_reply.result_code != PPTP_OCRP_CONNECTED)
		return conform_fail(p->c, "Outgoing-Call-Reply with result %u", msg.outgoing_call_reply.result_code);
	return true;
}

bool
begin_call(struct peer *p, struct conform *c, uint16_t id, uint16_t *server_id)
{
	return begin(p, c) && open_call(p, id, server_id);
}

bool
expect_alive(struct conform *c, const char *after)
{
	struct conform trial = *c;
	struct peer p;
	bool good;

	if (c->failed)
		return false;
	good = begin(&p, &trial) && expect_echo(&p, "Start-Control-Connection-Reply");
	peer_close(&p);
	c->dropped = trial.dropped;
	return good || conform_fail(c, "server no longer serves after %.60s: %.100s", after, trial.text);
}

void
let_settle(struct peer *p)
{
	struct pptp_msg msg;

	while (peer_recv(p, &msg, SETTLE_MS) == GOT_MESSAGE)
		;
}

/* --- messages ------------------------------------------------------------------------- */

static struct pptp_start
make_start(void)
{
	return (struct pptp_start){
	    .protocol_version = PPTP_VERSION_1,
	    .framing_capabilities = PPTP_FRAMING_ASYNC | PPTP_FRAMING_SYNC,
	    .bearer_capabilities = PPTP_BEARER_ANALOG | PPTP_BEARER_DIGITAL,
	    .host_name = "conform",
	    .vendor_name = "openpptp",
	};
}

struct pptp_msg
make_msg(enum pptp_msg_type type, uint16_t call_id, uint16_t peer_call_id)
{
	struct pptp_msg m = {.type = type};

	switch (type) {
	case PPTP_START_CONTROL_CONNECTION_REQUEST:
		m.start = make_start();
		break;
	case PPTP_START_CONTROL_CONNECTION_REPLY:
		m.start = make_start();
		m.start.result_code = PPTP_START_OK;
		break;
	case PPTP_STOP_CONTROL_CONNECTION_REQUEST:
		m.stop_request.reason = PPTP_STOP_NONE;
		break;
	case PPTP_STOP_CONTROL_CONNECTION_REPLY:
		m.stop_reply.result_code = 1;
		break;
	case PPTP_ECHO_REQUEST:
		m.echo.identifier = 1;
		break;
	case PPTP_ECHO_REPLY:
		m.echo = (struct pptp_echo){.identifier = 1, .result_code = 1};
		break;
	case PPTP_OUTGOING_CALL_REQUEST:
		m.outgoing_call_request = (struct pptp_outgoing_call_request){
		    .call_id = call_id,
		    .call_serial_number = call_id,
		    .minimum_bps = 300,
		    .maximum_bps = 100000000,
		    .bearer_type = PPTP_BEARER_ANALOG | PPTP_BEARER_DIGITAL,
		    .framing_type = PPTP_FRAMING_ASYNC | PPTP_FRAMING_SYNC,
		    .packet_recv_window_size = 64,
		};
		break;
	case PPTP_OUTGOING_CALL_REPLY:
		m.outgoing_call_reply = (struct pptp_outgoing_call_reply){.call_id = call_id,
		    .peer_call_id = peer_call_id,
		    .result_code = PPTP_OCRP_CONNECTED,
		    .connect_speed = 100000000,
		    .packet_recv_window_size = 64};
		break;
	case PPTP_INCOMING_CALL_REQUEST:
		m.incoming_call_request = (struct pptp_incoming_call_request){
		    .call_id = call_id, .call_serial_number = call_id, .bearer_type = PPTP_BEARER_DIGITAL};
		break;
	case PPTP_INCOMING_CALL_REPLY:
		m.incoming_call_reply = (struct pptp_incoming_call_reply){
		    .call_id = call_id, .peer_call_id = peer_call_id, .result_code = PPTP_ICRP_CONNECT, .packet_recv_window_size = 64};
		break;
	case PPTP_INCOMING_CALL_CONNECTED:
		m.incoming_call_connected = (struct pptp_incoming_call_connected){.peer_call_id = peer_call_id,
		    .connect_speed = 100000000,
		    .packet_recv_window_size = 64,
		    .framing_type = PPTP_FRAMING_SYNC};
		break;
	case PPTP_CALL_CLEAR_REQUEST:
		m.call_clear_request.call_id = call_id;
		break;
	case PPTP_CALL_DISCONNECT_NOTIFY:
		m.call_disconnect_notify = (struct pptp_call_disconnect_notify){.call_id = call_id, .result_code = PPTP_CDN_REQUEST};
		break;
	case PPTP_WAN_ERROR_NOTIFY:
		m.wan_error_notify = (struct pptp_wan_error_notify){.peer_call_id = peer_call_id, .crc_errors = 1};
		break;
	case PPTP_SET_LINK_INFO:
		m.set_link_info =
		    (struct pptp_set_link_info){.peer_call_id = peer_call_id, .send_accm = 0xffffffff, .receive_accm = 0xffffffff};
		break;
	}
	return m;
}

size_t
make_bytes(uint8_t *buf, enum pptp_msg_type type, uint16_t call_id, uint16_t peer_call_id)
{
	struct pptp_msg msg = make_msg(type, call_id, peer_call_id);
	int n = pptp_msg_encode(buf, PPTP_MAX_MESSAGE, &msg);

	return n > 0 ? (size_t)n : 0;
}
