/* Cases of the byte stream: headers, lengths, segments, and clients that do nothing. */
#include "base/wire.h"
#include "tests/conform/conform.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* Offsets in the header, section 1.4, and in Start-Control-Connection-Request, section 2.1. */
enum { AT_LENGTH = 0, AT_KIND = 2, AT_MAGIC = 4, AT_TYPE = 8, AT_RESERVED0 = 10, AT_RESERVED1 = 14, AT_HOST_NAME = 28, AT_PHONE = 40 };

static void
pause_ms(long ms)
{
	nanosleep(&(struct timespec){.tv_nsec = ms * 1000000}, NULL);
}

void
case_unknown_type(struct conform *c)
{
	static const uint16_t types[] = {0, 16, 255, 0xffff};
	unsigned closings = 0;

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]) && !c->failed; i++) {
		uint8_t buf[PPTP_MAX_MESSAGE];
		size_t len = make_bytes(buf, PPTP_ECHO_REQUEST, 0, 0);
		struct peer p;
		bool closed = false;

		put_u16(buf + AT_TYPE, types[i]);
		if (begin(&p, c)) {
			peer_send(&p, buf, len);
			expect_echo_or_close(&p, "an unknown message type", &closed);
			closings += closed;
		}
		peer_close(&p);
	}
	expect_alive(c, "unknown message types");
	conform_note(c, "connection closed for %u of 4 types", closings);
}

void
case_bad_magic(struct conform *c)
{
	uint8_t buf[PPTP_MAX_MESSAGE];
	size_t len = make_bytes(buf, PPTP_ECHO_REQUEST, 0, 0);
	struct peer p;

	buf[AT_MAGIC] ^= 0xff;
	if (begin(&p, c)) {
		peer_send(&p, buf, len);
		expect_close(&p, "a wrong magic cookie");
	}
	peer_close(&p);
	len = make_bytes(buf, PPTP_START_CONTROL_CONNECTION_REQUEST, 0, 0);
	buf[AT_MAGIC + 3] ^= 1;
	if (!c->failed && peer_open(&p, c)) {
		peer_send(&p, buf, len);
		expect_close(&p, "a wrong magic cookie in the first message");
	}
	peer_close(&p);
	expect_alive(c, "a wrong magic cookie");
}

void
case_bad_kind(struct conform *c)
{
	static const uint16_t kinds[] = {0, 2, 0xffff};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]) && !c->failed; i++) {
		uint8_t buf[PPTP_MAX_MESSAGE];
		size_t len = make_bytes(buf, PPTP_ECHO_REQUEST, 0, 0);
		struct pptp_msg msg;
		struct peer p;

		put_u16(buf + AT_KIND, kinds[i]);
		if (begin(&p, c)) {
			peer_send(&p, buf, len);
			if (peer_recv(&p, &msg, 300) == GOT_MESSAGE && msg.type == PPTP_ECHO_REPLY)
				conform_fail(c, "PPTP message type %u was taken for a control message", kinds[i]);
		}
		peer_close(&p);
	}
	expect_alive(c, "wrong PPTP message types");
}

/* A first message with this length field, and bytes enough for it up to 4000. */
static void
send_length(struct conform *c, uint16_t length)
{
	uint8_t buf[4096] = {0};
	size_t len = make_bytes(buf, PPTP_START_CONTROL_CONNECTION_REQUEST, 0, 0);
	struct pptp_msg msg;
	struct peer p;

	put_u16(buf + AT_LENGTH, length);
	if (length > len)
		len = length < 4000 ? length : 4000;
	if (peer_open(&p, c)) {
		peer_send(&p, buf, len);
		if (peer_recv(&p, &msg, 40) == GOT_MESSAGE && msg.type == PPTP_START_CONTROL_CONNECTION_REPLY &&
		    msg.start.result_code == PPTP_START_OK)
			conform_fail(c, "length %u was accepted for Start-Control-Connection-Request", length);
	}
	peer_close(&p);
}

void
case_bad_length(struct conform *c)
{
	static const uint16_t lengths[] = {0, 1, 2, 7, 8, 11, 12, 13, 16, 24, 64, 128, 154, 155, 157, 158, 160, 168, 219, 220, 221, 222,
	    255, 256, 257, 300, 511, 512, 513, 1023, 1024, 1025, 1460, 2048, 4095, 4096, 8192, 16384, 32767, 32768, 65534, 65535};

	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]) && !c->failed; i++)
		send_length(c, lengths[i]);
	expect_alive(c, "wrong lengths");
}

void
case_wrong_length_later(struct conform *c)
{
	static const uint16_t lengths[] = {0, 1, 11, 12, 15, 17, 220, 221, 65535};

	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]) && !c->failed; i++) {
		uint8_t buf[PPTP_MAX_MESSAGE];
		size_t len = make_bytes(buf, PPTP_ECHO_REQUEST, 0, 0);
		struct pptp_msg msg;
		struct peer p;

		put_u16(buf + AT_LENGTH, lengths[i]);
		if (begin(&p, c)) {
			peer_send(&p, buf, len);
			if (peer_recv(&p, &msg, 40) == GOT_MESSAGE && msg.type == PPTP_ECHO_REPLY && msg.echo.result_code == 1)
				conform_fail(c, "length %u was accepted for Echo-Request", lengths[i]);
		}
		peer_close(&p);
	}
	expect_alive(c, "wrong lengths");
}

void
case_reserved(struct conform *c)
{
	uint8_t buf[PPTP_MAX_MESSAGE];
	size_t len = make_bytes(buf, PPTP_START_CONTROL_CONNECTION_REQUEST, 0, 0);
	struct pptp_msg msg;
	enum got got;
	struct peer p;

	put_u16(buf + AT_RESERVED0, 0xffff);
	put_u16(buf + AT_RESERVED1, 0xffff);
	if (peer_open(&p, c)) {
		peer_send(&p, buf, len);
		got = peer_recv(&p, &msg, c->timeout_ms);
		if (got != GOT_CLOSE && (got != GOT_MESSAGE || msg.type != PPTP_START_CONTROL_CONNECTION_REPLY))
			conform_fail(c, "neither a reply nor the end of the connection");
		conform_note(c, got == GOT_CLOSE ? "connection closed" : "result %u", msg.start.result_code);
	}
	peer_close(&p);
	expect_alive(c, "reserved fields that are not zero");
}

void
case_one_segment(struct conform *c)
{
	uint8_t buf[4 * PPTP_MAX_MESSAGE];
	size_t len = make_bytes(buf, PPTP_START_CONTROL_CONNECTION_REQUEST, 0, 0);
	struct pptp_msg msg;
	struct peer p;

	len += make_bytes(buf + len, PPTP_OUTGOING_CALL_REQUEST, 5, 0);
	len += make_bytes(buf + len, PPTP_ECHO_REQUEST, 0, 0);
	if (peer_open(&p, c)) {
		peer_send(&p, buf, len);
		if (expect_msg(&p, &msg, PPTP_START_CONTROL_CONNECTION_REPLY) && expect_msg(&p, &msg, PPTP_OUTGOING_CALL_REPLY))
			expect_msg(&p, &msg, PPTP_ECHO_REPLY);
	}
	peer_close(&p);
}

/* A Start in two pieces, cut here; or byte by byte for 0. */
static void
send_cut(struct conform *c, size_t cut)
{
	uint8_t buf[2 * PPTP_MAX_MESSAGE];
	size_t len = make_bytes(buf, PPTP_START_CONTROL_CONNECTION_REQUEST, 0, 0);
	struct pptp_msg msg;
	struct peer p;

	len += make_bytes(buf + len, PPTP_ECHO_REQUEST, 0, 0);
	if (peer_open(&p, c)) {
		for (size_t sent = 0; sent < len;) {
			size_t n = cut == 0 ? 1 : sent == 0 ? cut : len - sent;

			peer_send(&p, buf + sent, n);
			sent += n;
			pause_ms(cut == 0 ? 1 : 15);
		}
		if (!expect_msg(&p, &msg, PPTP_START_CONTROL_CONNECTION_REPLY) || !expect_msg(&p, &msg, PPTP_ECHO_REPLY)) {
			char what[120];

			snprintf(what, sizeof(what), "%.119s", c->text);
			if (cut == 0)
				snprintf(c->text, sizeof(c->text), "byte by byte: %s", what);
			else
				snprintf(c->text, sizeof(c->text), "cut behind byte %zu: %s", cut, what);
		}
	}
	peer_close(&p);
}

void
case_split(struct conform *c)
{
	send_cut(c, 0);
	for (size_t cut = 1; cut < 156 + 16 && !c->failed; cut += cut < 20 || cut > 150 ? 1 : 13)
		send_cut(c, cut);
}

void
case_unterminated(struct conform *c)
{
	uint8_t buf[PPTP_MAX_MESSAGE];
	size_t len = make_bytes(buf, PPTP_START_CONTROL_CONNECTION_REQUEST, 0, 0);
	struct pptp_msg msg;
	struct peer p;

	memset(buf + AT_HOST_NAME, 'A', 128); /* host name and vendor name */
	if (peer_open(&p, c)) {
		peer_send(&p, buf, len);
		if (expect_msg(&p, &msg, PPTP_START_CONTROL_CONNECTION_REPLY)) {
			len = make_bytes(buf, PPTP_OUTGOING_CALL_REQUEST, 5, 0);
			memset(buf + AT_PHONE, '9', 128); /* phone number and subaddress */
			put_u16(buf + AT_PHONE - 4, 64);
			peer_send(&p, buf, len);
			expect_msg(&p, &msg, PPTP_OUTGOING_CALL_REPLY);
		}
	}
	peer_close(&p);
	len = make_bytes(buf, PPTP_OUTGOING_CALL_REQUEST, 5, 0);
	put_u16(buf + AT_PHONE - 4, 0xffff); /* a length that no field can have */
	if (!c->failed && begin(&p, c)) {
		peer_send(&p, buf, len);
		let_settle(&p);
	}
	peer_close(&p);
	expect_alive(c, "strings without terminator");
}

void
case_idle_connections(struct conform *c)
{
	enum { N = 100 };
	static struct peer idle[N];
	size_t n = 0;

	while (n < N && peer_open(&idle[n], c))
		n++;
	if (n == N)
		expect_alive(c, "100 idle connections (still open)");
	for (size_t i = 0; i <= n && i < N; i++)
		peer_close(&idle[i]);
	expect_alive(c, "100 idle connections");
}

void
case_slow_loris(struct conform *c)
{
	uint8_t buf[PPTP_MAX_MESSAGE];
	size_t len = make_bytes(buf, PPTP_START_CONTROL_CONNECTION_REQUEST, 0, 0);
	struct peer p;

	if (peer_open(&p, c)) {
		peer_send(&p, buf, len / 2);
		expect_alive(c, "half a message from another client");
	}
	peer_close(&p);
	if (!c->failed && peer_open(&p, c)) {
		peer_send(&p, buf, 5);
		expect_alive(c, "half a header from another client");
	}
	peer_close(&p);
}

void
case_broken_off(struct conform *c)
{
	uint8_t buf[PPTP_MAX_MESSAGE];
	size_t len = make_bytes(buf, PPTP_OUTGOING_CALL_REQUEST, 9, 0);
	uint16_t server_id;
	struct peer p;

	if (begin(&p, c))
		peer_send(&p, buf, len / 2);
	peer_close(&p);
	if (!c->failed && begin(&p, c)) {
		peer_send(&p, buf, len);
		peer_reset(&p);
	}
	peer_close(&p);
	if (!c->failed && begin_call(&p, c, 9, &server_id))
		peer_reset(&p);
	peer_close(&p);
	expect_alive(c, "connections that broke off");
}

void
case_alive(struct conform *c)
{
	uint16_t server_id;
	struct peer p;

	begin_call(&p, c, 77, &server_id);
	peer_close(&p);
}
