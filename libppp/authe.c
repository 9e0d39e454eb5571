/* The authenticatee: PAP (RFC 1334), CHAP (RFC 1994), MS-CHAP (RFC 2433, 2759). EAP is in authe_eap.c. */
#include "libppp/auth_fsm.h"

#include <stdio.h>
#include <string.h>

#include "base/timerheap.h"
#include "libppp/auth_wire.h"
#include "libppp/mppe_key.h"
#include "libppp/mschap.h"

/* ---- sending ------------------------------------------------------------------------------------------------- */

void
authe_send(struct authe *e)
{
	struct wr *w = outq_begin(e->config.out, ppp_auth_proto(e->method), e->reply_code, e->id);

	wr_bytes(w, e->reply, e->reply_len);
	outq_end(e->config.out);
}

/* Sends what w wrote into e->reply, and keeps it to be repeated. */
void
authe_reply(struct authe *e, const struct wr *w, uint8_t code, uint8_t id)
{
	e->reply_code = code;
	e->id = id;
	e->reply_len = (uint16_t)wr_len(w);
	authe_send(e);
}

static void
transmit(struct authe *e, uint64_t ts)
{
	e->transmits++;
	e->expiry = ts + e->config.restart_ns;
	authe_send(e);
}

/* ---- results ------------------------------------------------------------------------------------------------- */

void
authe_close(struct authe *e)
{
	e->state = AUTHE_CLOSED;
	e->expiry = TS_NEVER;
	ppp_wipe(&e->coming, sizeof(e->coming));
}

enum authe_result
authe_accept(struct authe *e)
{
	e->state = AUTHE_OPEN;
	e->expiry = TS_NEVER;
	e->keys = e->coming;
	return AUTHE_ACCEPTED;
}

enum authe_result
authe_reject(struct authe *e)
{
	authe_close(e);
	if (e->message[0] == '\0')
		snprintf(e->message, sizeof(e->message), "wrong user name or password");
	return AUTHE_REJECTED;
}

static enum authe_result
not_genuine(struct authe *e)
{
	authe_close(e);
	return AUTHE_NOT_GENUINE;
}

static void
set_message(struct authe *e, const uint8_t *text, size_t len)
{
	struct text t;

	text_init(&t, e->message, sizeof(e->message));
	text_add_untrusted(&t, text, len);
}

/* Makes a failure packet's text into a sentence, and keeps its code. */
void
authe_failure(struct authe *e, const uint8_t *text, size_t len)
{
	struct mschap_failure f;
	const char *known;
	struct text t;

	mschap_failure_parse(&f, text, len);
	known = mschap_error_text(f.error);
	e->mschap_error = f.error;
	text_init(&t, e->message, sizeof(e->message));
	if (known != NULL)
		text_addf(&t, "%s", known);
	else if (f.error != 0)
		text_addf(&t, "the peer refused with error %u", f.error);
	if (f.message[0] != '\0' && (known == NULL || strcmp(known, f.message) != 0))
		text_addf(&t, "%s%s", t.len > 0 ? ": " : "", f.message);
}

/* ---- answers ------------------------------------------------------------------------------------------------- */

/* False when only the NT hash of our password is known. */
bool
authe_md5(struct authe *e, uint8_t out[MD5_RESPONSE], uint8_t id, const uint8_t *challenge, size_t len)
{
	const struct ppp_secret *s = e->config.secret;
	struct ppp_iov in[] = {{&id, 1}, {s->data, s->len}, {challenge, len}};

	if (s->is_nt_hash)
		return false;
	ppp_md5(e->config.crypto, out, in, 3);
	return true;
}

static void
mschapv1(struct authe *e, uint8_t response[49], const uint8_t challenge[8])
{
	const struct ppp_secret *s = e->config.secret;
	uint8_t lm[16];

	/* the LAN Manager response would give the password away, so it stays zero */
	memset(response, 0, MSCHAP_RESPONSE);
	mschap_response(e->config.crypto, response + MSCHAP_NT_AT, challenge, e->nt_hash);
	response[MSCHAP_FLAG_AT] = 1;
	mschap_lm_hash(e->config.crypto, lm, (const char *)s->data, s->len);
	mppe_keys_v1(e->config.crypto, &e->coming, e->nt_hash, s->is_nt_hash ? NULL : lm, challenge);
	ppp_wipe(lm, sizeof(lm));
}

/* Draws a challenge for the peer, and prepares what the peer must prove with it. */
void
authe_mschapv2(struct authe *e, uint8_t response[49], const uint8_t challenge[16])
{
	const struct ppp_crypto *c = e->config.crypto;
	size_t len = strnlen(e->config.name, PPP_NAME_MAX), domain = mschap_domain(e->config.name, len);
	uint8_t hash[8];

	memset(response, 0, MSCHAP_RESPONSE);
	e->config.random(e->config.random_user, response, 16);
	mschap_challenge_hash(c, hash, response, challenge, e->config.name + domain, len - domain);
	mschap_response(c, response + MSCHAP_NT_AT, hash, e->nt_hash);
	mschap_authenticator_response(c, e->expected, e->nt_hash, response + MSCHAP_NT_AT, hash);
	mppe_keys_v2(c, &e->coming, e->nt_hash, response + MSCHAP_NT_AT, false);
}

static int
nibble(uint8_t ch)
{
	return ch >= '0' && ch <= '9' ? ch - '0' : (ch | 0x20) >= 'a' && (ch | 0x20) <= 'f' ? (ch | 0x20) - 'a' + 10 : -1;
}

/* Whether text, "S=<40 digits>" and perhaps " M=<message>", proves that the peer knows our password (RFC 2759 section 5). */
bool
authe_genuine(struct authe *e, const uint8_t *text, size_t len)
{
	enum { PROOF = 2 + 40 };
	uint8_t proof[20];

	if (len < PROOF || text[0] != 'S' || text[1] != '=')
		return false;
	for (size_t i = 0; i < sizeof(proof); i++) {
		int high = nibble(text[2 + 2 * i]), low = nibble(text[3 + 2 * i]);

		if (high < 0 || low < 0)
			return false;
		proof[i] = (uint8_t)(high << 4 | low);
	}
	if (!ppp_equal(proof, e->expected, sizeof(proof)))
		return false;
	text += PROOF;
	len -= PROOF;
	if (len >= 3 && memcmp(text, " M=", 3) == 0)
		set_message(e, text + 3, len - 3);
	return true;
}

/* ---- start --------------------------------------------------------------------------------------------------- */

void
authe_init(struct authe *e, const struct auth_config *config)
{
	memset(e, 0, sizeof(*e));
	e->config = *config;
	e->expiry = TS_NEVER;
	e->config.random(e->config.random_user, &e->id, 1);
}

void
authe_stop(struct authe *e)
{
	authe_close(e);
	e->state = AUTHE_IDLE;
	e->transmits = 0;
	e->refused = false;
	e->reply_code = 0;
	e->challenge_len = 0;
	e->message[0] = '\0';
	e->mschap_error = 0;
	ppp_wipe(&e->keys, sizeof(e->keys));
	ppp_wipe(e->reply, sizeof(e->reply));
}

static const char only_hash[] = "only the NT hash of our password is known, and the peer wants a method that needs the password";

static void
pap_start(struct authe *e, uint64_t ts)
{
	struct wr w = wr_init(e->reply, sizeof(e->reply));
	const struct ppp_secret *s = e->config.secret;
	size_t namelen = strnlen(e->config.name, PPP_NAME_MAX);

	if (s->is_nt_hash) {
		snprintf(e->message, sizeof(e->message), "%s", only_hash);
		e->state = AUTHE_DENIED;
		e->expiry = ts;
		return;
	}
	wr_u8(&w, (uint8_t)namelen);
	wr_bytes(&w, e->config.name, namelen);
	wr_u8(&w, (uint8_t)s->len);
	wr_bytes(&w, s->data, s->len);
	e->reply_code = PAP_REQUEST;
	e->reply_len = (uint16_t)wr_len(&w);
	e->first_id = ++e->id;
	e->state = AUTHE_ANSWERED;
	transmit(e, ts);
}

void
authe_start(struct authe *e, unsigned methods, uint64_t ts)
{
	authe_stop(e);
	e->methods = methods;
	e->method = (enum ppp_auth_method)auth_best(methods);
	e->state = AUTHE_WAIT;
	mschap_secret_hash(e->config.crypto, e->nt_hash, e->config.secret);
	if (e->method == PPP_AUTH_PAP)
		pap_start(e, ts);
}

/* ---- receive: PAP -------------------------------------------------------------------------------------------- */

static enum authe_result
pap_rx(struct authe *e, struct auth_packet *p)
{
	size_t len = rd_u8(&p->data);

	/* any of our requests may be the one that is answered: the verdict may have taken longer than the repetition */
	if (e->state != AUTHE_ANSWERED || (uint8_t)(p->id - e->first_id) > (uint8_t)(e->id - e->first_id))
		return AUTHE_NONE;
	if (p->code != PAP_ACK && p->code != PAP_NAK)
		return AUTHE_NONE;
	if (len > rd_left(&p->data))
		len = rd_left(&p->data);
	if (len > 0)
		set_message(e, p->data.p, len);
	return p->code == PAP_ACK ? authe_accept(e) : authe_reject(e);
}

/* ---- receive: CHAP ------------------------------------------------------------------------------------------- */

/* Answers a challenge into the value of a response; its length, 0: it can't be answered. */
static size_t
chap_answer(struct authe *e, uint8_t value[49], uint8_t id, const uint8_t *challenge, size_t len)
{
	if (e->method == PPP_AUTH_CHAP_MD5)
		return authe_md5(e, value, id, challenge, len) ? MD5_RESPONSE : 0;
	if (len != (e->method == PPP_AUTH_MSCHAP ? MSCHAP_V1_CHALLENGE : MSCHAP_V2_CHALLENGE))
		return 0;
	if (e->method == PPP_AUTH_MSCHAP)
		mschapv1(e, value, challenge);
	else
		authe_mschapv2(e, value, challenge);
	return MSCHAP_RESPONSE;
}

static enum authe_result
chap_challenge(struct authe *e, struct auth_packet *p, uint64_t ts)
{
	size_t len = rd_u8(&p->data), answer;
	const uint8_t *challenge = rd_bytes(&p->data, len);
	struct wr w = wr_init(e->reply, sizeof(e->reply));
	uint8_t value[MSCHAP_RESPONSE];
	bool again;

	if (challenge == NULL || len == 0)
		return AUTHE_NONE;
	again = e->reply_code != 0 && p->id == e->id && len == e->challenge_len && memcmp(challenge, e->challenge, len) == 0;
	if (again) {
		authe_send(e);
		return AUTHE_NONE;
	}
	if (e->method == PPP_AUTH_CHAP_MD5 && e->config.secret->is_nt_hash) {
		snprintf(e->message, sizeof(e->message), "%s", only_hash);
		return authe_reject(e);
	}
	answer = chap_answer(e, value, p->id, challenge, len);
	if (answer == 0)
		return AUTHE_NONE;
	memcpy(e->challenge, challenge, len);
	e->challenge_len = (uint16_t)len;
	wr_u8(&w, (uint8_t)answer);
	wr_bytes(&w, value, answer);
	wr_name(&w, e->config.name);
	authe_reply(e, &w, CHAP_RESPONSE, p->id);
	if (e->state == AUTHE_OPEN)
		return AUTHE_NONE;
	e->state = AUTHE_ANSWERED;
	e->transmits = 1;
	e->expiry = ts + e->config.restart_ns;
	return AUTHE_NONE;
}

static enum authe_result
chap_success(struct authe *e, const struct auth_packet *p)
{
	if (e->method != PPP_AUTH_MSCHAPV2)
		set_message(e, p->data.p, rd_left(&p->data));
	else if (!authe_genuine(e, p->data.p, rd_left(&p->data)))
		return not_genuine(e);
	return e->state == AUTHE_ANSWERED ? authe_accept(e) : AUTHE_NONE;
}

static enum authe_result
chap_rx(struct authe *e, struct auth_packet *p, uint64_t ts)
{
	if (e->state != AUTHE_WAIT && e->state != AUTHE_ANSWERED && e->state != AUTHE_OPEN)
		return AUTHE_NONE;
	if (p->code == CHAP_CHALLENGE)
		return chap_challenge(e, p, ts);
	if (e->reply_code == 0 || p->id != e->id)
		return AUTHE_NONE;
	if (p->code == CHAP_SUCCESS)
		return chap_success(e, p);
	if (p->code != CHAP_FAILURE)
		return AUTHE_NONE;
	/* R=1 offers another try, but there is one password, and trying it twice locks accounts */
	if (e->method == PPP_AUTH_CHAP_MD5)
		set_message(e, p->data.p, rd_left(&p->data));
	else
		authe_failure(e, p->data.p, rd_left(&p->data));
	return authe_reject(e);
}

enum authe_result
authe_rx(struct authe *e, enum ppp_proto proto, const uint8_t *packet, size_t packetlen, uint64_t ts)
{
	struct auth_packet p;

	if (e->state == AUTHE_IDLE || e->state == AUTHE_CLOSED || proto != ppp_auth_proto(e->method))
		return AUTHE_NONE;
	if (!auth_packet(&p, packet, packetlen))
		return AUTHE_NONE;
	switch (proto) {
	case PPP_PROTO_PAP:
		return pap_rx(e, &p);
	case PPP_PROTO_CHAP:
		return chap_rx(e, &p, ts);
	default:
		return authe_eap_rx(e, &p, ts);
	}
}

enum authe_result
authe_network_seen(struct authe *e)
{
	bool done = e->state == AUTHE_CONFIRMED || (e->state == AUTHE_ANSWERED && e->method == PPP_AUTH_EAP_MD5);

	return done ? authe_accept(e) : AUTHE_NONE;
}

/* ---- time ---------------------------------------------------------------------------------------------------- */

uint64_t
authe_expiry(const struct authe *e)
{
	return e->expiry;
}

enum authe_result
authe_expire(struct authe *e, uint64_t ts)
{
	if (ts < e->expiry)
		return AUTHE_NONE;
	if (e->state == AUTHE_DENIED)
		return authe_reject(e);
	if (e->transmits >= e->config.max_transmit) {
		authe_close(e);
		return AUTHE_TIMEOUT;
	}
	if (e->method == PPP_AUTH_PAP)
		e->id++;
	/* CHAP: a lost Success comes again for a repeated response (RFC 1994 section 4.2) */
	transmit(e, ts);
	return AUTHE_NONE;
}
