/* pptpeer's PPP: frames in hexadecimal digits over GRE, to and from a real peer. */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "base/wire.h"
#include "sys/sockaddr.h"
#include "tests/e2e/pptpeer.h"

enum { GRE_BASE = 8, PPP_MAX = 2048, IPV4_BASE = 20 };

static int
digit(char c)
{
	const char *at = c != '\0' ? strchr("0123456789abcdef", c) : NULL;

	return at != NULL ? (int)(at - "0123456789abcdef") : -1;
}

/* A word of digits, in lower case; false when it is none, or has more than max bytes. */
static bool
next_bytes(struct words *w, uint8_t *bytes, size_t *len, size_t max)
{
	const char *word = next_word(w);

	*len = 0;
	for (; word != NULL && word[0] != '\0' && *len < max; word += 2) {
		int high = digit(word[0]), low = high >= 0 ? digit(word[1]) : -1;

		if (low < 0)
			break;
		bytes[(*len)++] = (uint8_t)(high << 4 | low);
	}
	return (word != NULL && word[0] == '\0' && *len > 0) || fail("%s are no bytes", word != NULL ? word : "nothing");
}

/* What a GRE packet of RFC 2637, section 4.1, carries; NULL: nothing. */
static const uint8_t *
payload(const uint8_t *gre, size_t len, size_t *payload_len)
{
	size_t at = GRE_BASE;

	if (len < GRE_BASE || get_u16(gre + 2) != 0x880b || (gre[0] & 0x10) == 0)
		return NULL;
	at += 4 + ((gre[1] & 0x80) != 0 ? 4 : 0);
	*payload_len = get_u16(gre + 4);
	return at + *payload_len == len && *payload_len > 0 ? gre + at : NULL;
}

/* The next frame that comes to the end over IPv4, if one waits. */
static bool
take(const struct end *e, uint8_t *frame, size_t *len)
{
	uint8_t bytes[IPV4_BASE + 40 + GRE_BASE + PPP_MAX];
	ssize_t n = recv(e->ns->gre4, bytes, sizeof(bytes), MSG_DONTWAIT);
	size_t header = (bytes[0] & 15U) * 4U;
	const uint8_t *at;

	if (n < IPV4_BASE || (size_t)n < header)
		return false;
	at = payload(bytes + header, (size_t)n - header, len);
	if (at == NULL || *len > PPP_MAX)
		return false;
	memcpy(frame, at, *len);
	return true;
}

static bool
send_frame(struct end *e, uint32_t call_id, const uint8_t *frame, size_t len)
{
	uint8_t bytes[GRE_BASE + 4 + PPP_MAX] = {0x30, 0x01, 0x88, 0x0b};
	struct sockaddr_storage ss;
	socklen_t ss_len = sockaddr_make(&ss, &e->remote, 0);

	if (e->remote.family != 4)
		return fail("%s has nobody to send to", e->name);
	put_u16(bytes + 4, (uint16_t)len);
	put_u16(bytes + 6, (uint16_t)call_id);
	put_u32(bytes + GRE_BASE, e->sequence++);
	memcpy(bytes + GRE_BASE + 4, frame, len);
	if (sendto(e->ns->gre4, bytes, GRE_BASE + 4 + len, 0, (struct sockaddr *)&ss, ss_len) < 0)
		return fail("%s can't send GRE: %s", e->name, strerror(errno));
	return true;
}

/* END ppp ID FRAME */
bool
ppp_sends(struct end *e, struct words *w)
{
	uint8_t frame[PPP_MAX];
	uint32_t call_id;
	size_t len;

	if (!next_number(w, &call_id) || !next_bytes(w, frame, &len, sizeof(frame)))
		return false;
	trace("%s sends a PPP frame of %zu bytes", e->name, len);
	return send_frame(e, call_id, frame, len);
}

static bool
hear_frame(const struct end *e, const uint8_t *begin, size_t begin_len, uint8_t *frame, size_t *len)
{
	struct pollfd pfd = {.fd = e->ns->gre4, .events = POLLIN};
	int64_t until = now_ms() + patience_ms;

	do {
		if (take(e, frame, len) && *len >= begin_len && memcmp(frame, begin, begin_len) == 0)
			return true;
		poll(&pfd, 1, 10);
	} while (now_ms() < until);
	return fail("%s hears no such PPP frame", e->name);
}

/* END hears BEGINNING [answers ID BEGINNING] */
bool
ppp_hears(struct end *e, struct words *w)
{
	uint8_t begin[64], frame[PPP_MAX];
	size_t begin_len, len = 0;
	uint32_t call_id;

	if (!next_bytes(w, begin, &begin_len, sizeof(begin)) || !hear_frame(e, begin, begin_len, frame, &len))
		return false;
	trace("%s hears a PPP frame of %zu bytes", e->name, len);
	if (!take_word(w, "answers"))
		return true;
	if (!next_number(w, &call_id) || !next_bytes(w, begin, &begin_len, sizeof(begin)))
		return false;
	if (begin_len > len)
		return fail("the frame is shorter than that");
	memcpy(frame, begin, begin_len);
	return send_frame(e, call_id, frame, len);
}
