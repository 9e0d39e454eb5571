/* pptpeer's control connections. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/sockios.h>
#include <pptp/msg.h>

#include "base/wire.h"
#include "libpptp/msg_table.h"
#include "sys/sockaddr.h"
#include "tests/e2e/pptpeer.h"

enum { FIELD_MARK = '\001', SILENCE_MS = 120, STUCK_MS = 500, STUFF_MAX = 64 << 20, TEXT = 1024 };

static const struct {
	const char *text;
	enum pptp_msg_type type;
} shorts[] = {{"SCCRQ", PPTP_START_CONTROL_CONNECTION_REQUEST}, {"SCCRP", PPTP_START_CONTROL_CONNECTION_REPLY},
    {"StopCCRQ", PPTP_STOP_CONTROL_CONNECTION_REQUEST}, {"StopCCRP", PPTP_STOP_CONTROL_CONNECTION_REPLY}, {"EchoRQ", PPTP_ECHO_REQUEST},
    {"EchoRP", PPTP_ECHO_REPLY}, {"OCRQ", PPTP_OUTGOING_CALL_REQUEST}, {"OCRP", PPTP_OUTGOING_CALL_REPLY},
    {"ICRQ", PPTP_INCOMING_CALL_REQUEST}, {"ICRP", PPTP_INCOMING_CALL_REPLY}, {"ICCN", PPTP_INCOMING_CALL_CONNECTED},
    {"CCRQ", PPTP_CALL_CLEAR_REQUEST}, {"CDN", PPTP_CALL_DISCONNECT_NOTIFY}, {"WEN", PPTP_WAN_ERROR_NOTIFY}, {"SLI", PPTP_SET_LINK_INFO}};

enum got { GOT_MESSAGE, GOT_NOTHING, GOT_END, GOT_NOISE };

static enum got next_message(struct end *e, struct pptp_msg *msg, int64_t until);

/* --- opening and closing ------------------------------------------------------------------------------------------ */

static bool
opened(struct end *e, int fd)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	uint16_t port = 0;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
	e->fd = fd;
	e->in_at = e->in_len = e->out_len = 0;
	pptp_framer_init(&e->framer);
	if (getsockname(fd, (struct sockaddr *)&ss, &len) == 0)
		e->local = sockaddr_addr(&ss, &port);
	len = sizeof(ss);
	if (getpeername(fd, (struct sockaddr *)&ss, &len) == 0)
		e->remote = sockaddr_addr(&ss, &e->remote_port);
	return true;
}

static bool
bound(struct end *e, int fd, uint16_t port)
{
	struct sockaddr_storage ss;
	socklen_t len = sockaddr_make(&ss, &e->local, port);

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
	return bind(fd, (struct sockaddr *)&ss, len) == 0 || fail("%s can't bind: %s", e->name, strerror(errno));
}

bool
tcp_listens(struct end *e, struct words *w)
{
	uint32_t port = PPTP_PORT;

	if (e->local.family == 0)
		return fail("%s has no address", e->name);
	if (w->at < w->n && !next_number(w, &port))
		return false;
	e->fd = ns_socket(e->ns, e->local.family, SOCK_STREAM, 0);
	if (e->fd < 0)
		return fail("no socket: %s", strerror(errno));
	if (!bound(e, e->fd, (uint16_t)port))
		return false;
	return listen(e->fd, 4096) == 0 || fail("%s can't listen: %s", e->name, strerror(errno));
}

bool
tcp_accepts(struct end *e, struct words *w)
{
	const struct end *listener = find_end(next_word(w));
	char text[ADDR_TEXT_MAX];
	struct addr from;
	int fd;

	if (listener == NULL)
		return false;
	if (!wait_fd(listener->fd, POLLIN, now_ms() + patience_ms))
		return fail("nobody connects to %s", listener->name);
	fd = accept(listener->fd, NULL, NULL);
	if (fd < 0)
		return fail("accept: %s", strerror(errno));
	opened(e, fd);
	trace("%s accepted %s port %u", e->name, addr_text(&e->remote, text), e->remote_port);
	if (!take_word(w, "from"))
		return true;
	if (!next_addr(w, &from))
		return false;
	if (!addr_equal(&from, &e->remote))
		return fail("the connection comes from %s", addr_text(&e->remote, text));
	return w->at == w->n || matches("its port", next_word(w), e->remote_port);
}

static int
connect_within(int fd, const struct addr *to, uint16_t port)
{
	struct sockaddr_storage ss;
	socklen_t len = sockaddr_make(&ss, to, port);
	int flags = fcntl(fd, F_GETFL), error = 0;

	fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	if (connect(fd, (struct sockaddr *)&ss, len) < 0) {
		if (errno != EINPROGRESS)
			return errno;
		if (!wait_fd(fd, POLLOUT, now_ms() + patience_ms))
			return ETIMEDOUT;
		len = sizeof(error);
		getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
	}
	fcntl(fd, F_SETFL, flags);
	return error;
}

bool
tcp_connects(struct end *e, struct words *w)
{
	uint32_t port = PPTP_PORT, from = 0;
	struct addr to;
	int fd, error;

	if (!next_addr(w, &to))
		return false;
	if (w->at < w->n && strcmp(w->w[w->at], "from") != 0 && !next_number(w, &port))
		return false;
	if (take_word(w, "from") && !next_number(w, &from))
		return false;
	fd = ns_socket(e->ns, to.family, SOCK_STREAM, 0);
	if (fd < 0)
		return fail("no socket: %s", strerror(errno));
	if (from != 0 && e->local.family == 0)
		e->local.family = to.family; /* any */
	error = (e->local.family == to.family && !bound(e, fd, (uint16_t)from)) ? -1 : connect_within(fd, &to, (uint16_t)port);
	if (error == 0)
		return opened(e, fd);
	close(fd);
	return error > 0 && fail("%s can't connect: %s", e->name, strerror(error));
}

bool
tcp_knocks(struct end *e, struct words *w)
{
	struct pptp_msg msg;
	uint32_t port = PPTP_PORT;
	struct addr to;
	int fd, error;

	if (!next_addr(w, &to) || (w->at < w->n && !next_number(w, &port)))
		return false;
	fd = ns_socket(e->ns, to.family, SOCK_STREAM, 0);
	if (fd < 0)
		return fail("no socket: %s", strerror(errno));
	if (e->local.family == to.family && !bound(e, fd, 0))
		return false;
	error = connect_within(fd, &to, (uint16_t)port);
	if (error != 0) {
		close(fd);
		return error == ECONNREFUSED || error == ECONNRESET || fail("%s can't connect: %s", e->name, strerror(error));
	}
	opened(e, fd);
	return next_message(e, &msg, now_ms() + patience_ms) == GOT_END || fail("%s is let in", e->name);
}

bool
tcp_closes(struct end *e, struct words *w)
{
	(void)w;
	close(e->fd);
	e->fd = -1;
	return true;
}

bool
tcp_resets(struct end *e, struct words *w)
{
	setsockopt(e->fd, SOL_SOCKET, SO_LINGER, &(struct linger){.l_onoff = 1}, sizeof(struct linger));
	return tcp_closes(e, w);
}

/* --- messages ------------------------------------------------------------------------------------------------------ */

static const struct msg_row *
row_of(const char *name)
{
	for (size_t i = 0; name != NULL && i < sizeof(shorts) / sizeof(shorts[0]); i++)
		if (strcasecmp(shorts[i].text, name) == 0 || strcasecmp(pptp_msg_info(shorts[i].type)->name, name) == 0)
			return msg_row(shorts[i].type);
	return NULL;
}

static enum pptp_msg_type
type_of(const struct msg_row *row)
{
	for (unsigned t = 1; t <= MSG_TYPES; t++)
		if (msg_row(t) == row)
			return (enum pptp_msg_type)t;
	return (enum pptp_msg_type)0;
}

static void
set_field(struct pptp_msg *msg, const struct field *f, uint32_t v)
{
	uint8_t *to = (uint8_t *)msg + f->offset;
	uint8_t v8 = (uint8_t)v;
	uint16_t v16 = (uint16_t)v;

	if (f->width == 1)
		memcpy(to, &v8, 1);
	else if (f->width == 2)
		memcpy(to, &v16, 2);
	else
		memcpy(to, &v, 4);
}

/* A message that is right by the letter, so that a script names only what matters to it. */
static struct pptp_msg
proper(const struct msg_row *row)
{
	struct pptp_msg msg = {.type = type_of(row)};

	for (size_t i = 0; i < row->nfields; i++) {
		const struct field *f = &row->fields[i];

		if (f->kind == FIELD_DEC && f->min > 0)
			set_field(&msg, f, f->min);
	}
	if (msg.type == PPTP_START_CONTROL_CONNECTION_REQUEST || msg.type == PPTP_START_CONTROL_CONNECTION_REPLY) {
		msg.start.protocol_version = PPTP_VERSION_1;
		msg.start.framing_capabilities = 3;
		msg.start.bearer_capabilities = 3;
	}
	return msg;
}

/* `Name VALUE` of a word with its mark; the word stays as it is. */
static const char *
split_field(const char *word, char name[NAME])
{
	size_t n = strcspn(word + 1, " ");

	snprintf(name, NAME, "%.*s", (int)n, word + 1);
	return word[1 + n] == ' ' ? word + 2 + n : "";
}

static const struct field *
field_of(const struct msg_row *row, const char *name)
{
	for (size_t i = 0; i < row->nfields; i++)
		if (strcasecmp(row->fields[i].name, name) == 0)
			return &row->fields[i];
	return NULL;
}

/* Fields of the header are put into the bytes, after all else. */
static bool
patch_header(uint8_t *bytes, const char *name, uint32_t v)
{
	if (strcmp(name, "Length") == 0)
		put_u16(bytes, (uint16_t)v);
	else if (strcmp(name, "Kind") == 0)
		put_u16(bytes + 2, (uint16_t)v);
	else if (strcmp(name, "Magic") == 0)
		put_u32(bytes + 4, v);
	else if (strcmp(name, "Type") == 0)
		put_u16(bytes + 8, (uint16_t)v);
	else
		return fail("no field %s", name);
	return true;
}

static bool
set_fields(struct pptp_msg *msg, const struct msg_row *row, struct words *w)
{
	char name[NAME];

	for (size_t i = w->at; i < w->n && w->w[i][0] == FIELD_MARK; i++) {
		const char *text = split_field(w->w[i], name);
		const struct field *f = field_of(row, name);
		uint32_t v;

		if (f != NULL && f->kind == FIELD_TEXT) {
			snprintf((char *)msg + f->offset, f->width + 1U, "%s", text);
			if (f->length != 0)
				*(uint16_t *)(void *)((uint8_t *)msg + f->length) = (uint16_t)strlen((char *)msg + f->offset);
		} else if (f != NULL) {
			if (!get_number(text, &v))
				return false;
			set_field(msg, f, v);
		}
	}
	return true;
}

static bool
patch_fields(uint8_t *bytes, const struct msg_row *row, struct words *w)
{
	char name[NAME];
	uint32_t v;

	for (; w->at < w->n && w->w[w->at][0] == FIELD_MARK; w->at++) {
		const char *text = split_field(w->w[w->at], name);

		if (field_of(row, name) == NULL && (!get_number(text, &v) || !patch_header(bytes, name, v)))
			return false;
	}
	return true;
}

/* --- sending ------------------------------------------------------------------------------------------------------- */

static bool
queue(struct end *e, const uint8_t *data, size_t datalen)
{
	if (datalen > sizeof(e->out) - e->out_len)
		return fail("too much to send at once");
	memcpy(e->out + e->out_len, data, datalen);
	e->out_len += datalen;
	return true;
}

static size_t
from_hex(uint8_t *to, size_t max, const char *hex)
{
	size_t n = 0;
	unsigned byte;

	for (; n < max && sscanf(hex, "%2x", &byte) == 1; hex += 2)
		to[n++] = (uint8_t)byte;
	return n;
}

static bool
queue_noise(struct end *e, struct words *w)
{
	uint32_t len, seed;
	uint8_t byte;

	if (!next_number(w, &len) || !next_number(w, &seed))
		return false;
	while (len-- > 0) {
		seed = seed * 1664525 + 1013904223;
		byte = (uint8_t)(seed >> 24);
		if (!queue(e, &byte, 1))
			return false;
	}
	return true;
}

static bool
queue_message(struct end *e, struct words *w)
{
	const char *name = next_word(w);
	const struct msg_row *row = row_of(name);
	uint8_t bytes[PPTP_MAX_MESSAGE];
	char text[TEXT];
	struct pptp_msg msg;
	int n;

	if (name != NULL && strcmp(name, "noise") == 0)
		return queue_noise(e, w);
	if (name != NULL && strcmp(name, "hex") == 0 && w->at < w->n)
		return queue(e, bytes, from_hex(bytes, sizeof(bytes), next_word(w)));
	if (row == NULL)
		return fail("no message %s", name != NULL ? name : "is named");
	msg = proper(row);
	if (!set_fields(&msg, row, w))
		return false;
	n = pptp_msg_encode(bytes, sizeof(bytes), &msg);
	if (n < 0 || !patch_fields(bytes, row, w))
		return false;
	trace("%s sends %s", e->name, pptp_msg_text(text, sizeof(text), &msg));
	return queue(e, bytes, (size_t)n);
}

/* Until everything sent is acknowledged, so that what follows is a segment of its own. */
static bool
settle(struct end *e)
{
	int64_t until = now_ms() + patience_ms;
	int left = 1;

	while (ioctl(e->fd, SIOCOUTQ, &left) == 0 && left > 0) {
		if (now_ms() > until)
			return fail("what %s sends is not acknowledged", e->name);
		usleep(100);
	}
	return true;
}

static bool
push(struct end *e, const uint8_t *data, size_t datalen)
{
	int64_t until = now_ms() + patience_ms;

	while (datalen > 0) {
		ssize_t n = send(e->fd, data, datalen, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && (errno != EAGAIN || !wait_fd(e->fd, POLLOUT, until)))
			return fail("%s can't send: %s", e->name, strerror(errno));
		if (n > 0) {
			data += n;
			datalen -= (size_t)n;
		}
	}
	return true;
}

static bool
push_pieces(struct end *e, struct words *w)
{
	size_t at = 0;
	uint32_t n;

	while (w->at < w->n) {
		if (!next_number(w, &n))
			return false;
		if (n > e->out_len - at)
			return fail("nothing left to split");
		if (!push(e, e->out + at, n) || !settle(e))
			return false;
		at += n;
	}
	return push(e, e->out + at, e->out_len - at);
}

static bool
push_bytes(struct end *e)
{
	for (size_t i = 0; i < e->out_len; i++)
		if (!push(e, e->out + i, 1) || !settle(e))
			return false;
	return true;
}

bool
tcp_sends(struct end *e, struct words *w)
{
	bool good;

	if (e->fd < 0)
		return fail("%s is not connected", e->name);
	do {
		if (!queue_message(e, w))
			return false;
	} while (take_word(w, "+"));
	if (take_word(w, "later"))
		return true;
	if (take_word(w, "bytewise"))
		good = push_bytes(e);
	else if (take_word(w, "split"))
		good = push_pieces(e, w);
	else
		good = push(e, e->out, e->out_len);
	e->out_len = 0;
	return good;
}

/* Until the other end has taken nothing for a while. */
bool
tcp_stuffs(struct end *e, struct words *w)
{
	uint64_t sent = 0;
	size_t at = 0;
	ssize_t n;

	if (e->fd < 0)
		return fail("%s is not connected", e->name);
	e->out_len = 0;
	do {
		if (!queue_message(e, w))
			return false;
	} while (take_word(w, "+"));
	for (size_t one = e->out_len; e->out_len + one <= sizeof(e->out); e->out_len += one)
		memcpy(e->out + e->out_len, e->out, one);
	while (sent < STUFF_MAX && wait_fd(e->fd, POLLOUT, now_ms() + STUCK_MS)) {
		n = send(e->fd, e->out + at, e->out_len - at, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno != EAGAIN)
			return fail("%s can't send: %s", e->name, strerror(errno));
		if (n > 0) {
			sent += (uint64_t)n;
			at = (at + (size_t)n) % e->out_len;
		}
	}
	e->out_len = 0;
	trace("%s is stuck after %llu bytes", e->name, (unsigned long long)sent);
	return sent < STUFF_MAX || fail("nothing stops %s", e->name);
}

/* --- getting ------------------------------------------------------------------------------------------------------- */

/* Reads on when everything before is used. */
static enum got
fill(struct end *e, int64_t until)
{
	ssize_t n;

	if (e->in_at < e->in_len)
		return GOT_MESSAGE;
	if (e->fd < 0 || !wait_fd(e->fd, POLLIN, until))
		return GOT_NOTHING;
	n = recv(e->fd, e->in, sizeof(e->in), MSG_DONTWAIT);
	if (n <= 0)
		return GOT_END;
	e->in_at = 0;
	e->in_len = (size_t)n;
	return GOT_MESSAGE;
}

static enum got
next_message(struct end *e, struct pptp_msg *msg, int64_t until)
{
	char text[TEXT];

	for (;;) {
		enum got got = fill(e, until);
		const uint8_t *data = e->in + e->in_at, *whole;
		size_t left = e->in_len - e->in_at;
		int n;

		if (got != GOT_MESSAGE)
			return got;
		n = pptp_framer_next(&e->framer, &data, &left, &whole);
		if (n > 0 && pptp_msg_decode(msg, whole, (size_t)n, PPTP_LENIENT, NULL) != PPTP_OK)
			n = -1;
		e->in_at = e->in_len - left;
		if (n < 0)
			return GOT_NOISE;
		if (n > 0) {
			trace("%s gets %s", e->name, pptp_msg_text(text, sizeof(text), msg));
			return GOT_MESSAGE;
		}
	}
}

static bool
not_got(const struct end *e, enum got got, const struct pptp_msg *msg, const char *wanted)
{
	char text[TEXT];

	if (got == GOT_MESSAGE)
		return fail("%s gets %s instead of %s", e->name, pptp_msg_text(text, sizeof(text), msg), wanted);
	return fail("%s gets %s instead of %s", e->name,
	    got == GOT_END     ? "the connection's end"
	    : got == GOT_NOISE ? "noise"
			       : "nothing",
	    wanted);
}

static bool
gets_nothing(struct end *e, struct words *w)
{
	uint32_t ms = SILENCE_MS;
	struct pptp_msg msg;
	enum got got;

	if (w->at < w->n && !next_number(w, &ms))
		return false;
	got = next_message(e, &msg, now_ms() + ms);
	return got == GOT_NOTHING || not_got(e, got, &msg, "nothing");
}

static bool
gets_end(struct end *e)
{
	struct pptp_msg msg;
	enum got got = next_message(e, &msg, now_ms() + patience_ms);

	return got == GOT_END || not_got(e, got, &msg, "the connection's end");
}

static bool
gets_hex(struct end *e, struct words *w)
{
	uint8_t want[PPTP_MAX_MESSAGE];
	size_t n = w->at < w->n ? from_hex(want, sizeof(want), next_word(w)) : 0;

	for (size_t i = 0; i < n; i++) {
		if (fill(e, now_ms() + patience_ms) != GOT_MESSAGE)
			return fail("%s gets only %zu of %zu bytes", e->name, i, n);
		if (e->in[e->in_at++] != want[i])
			return fail("byte %zu is %02x, not %02x", i, e->in[e->in_at - 1], want[i]);
	}
	return true;
}

static bool
check_fields(const struct pptp_msg *msg, const struct msg_row *row, struct words *w)
{
	char name[NAME];

	for (; w->at < w->n && w->w[w->at][0] == FIELD_MARK; w->at++) {
		const char *text = split_field(w->w[w->at], name);
		const struct field *f = field_of(row, name);

		if (f == NULL || f->kind == FIELD_RESERVED)
			return fail("no field %s", name);
		if (f->kind == FIELD_TEXT && strcmp((const char *)msg_field(msg, f), text) != 0)
			return fail("%s is %s", name, (const char *)msg_field(msg, f));
		if (f->kind != FIELD_TEXT && !matches(name, text, msg_number(msg, f)))
			return false;
	}
	return true;
}

bool
tcp_gets(struct end *e, struct words *w)
{
	const struct msg_row *row;
	struct pptp_msg msg;
	enum got got;

	if (take_word(w, "nothing"))
		return gets_nothing(e, w);
	if (take_word(w, "end"))
		return gets_end(e);
	if (take_word(w, "hex"))
		return gets_hex(e, w);
	row = row_of(next_word(w));
	if (row == NULL)
		return fail("what shall %s get?", e->name);
	got = next_message(e, &msg, now_ms() + patience_ms);
	if (got != GOT_MESSAGE || msg_row(msg.type) != row)
		return not_got(e, got, &msg, row->info.name);
	return check_fields(&msg, row, w);
}
