/* The authenticator: PAP (RFC 1334), CHAP (RFC 1994), MS-CHAP (RFC 2433, 2759). EAP is in authr_eap.c. */
#include "libppp/auth_fsm.h"

#include <stdio.h>
#include <string.h>

#include "base/timerheap.h"
#include "libppp/auth_wire.h"
#include "libppp/mschap.h"

enum ppp_proto
ppp_auth_proto(enum ppp_auth_method method)
{
	if (method == PPP_AUTH_PAP)
		return PPP_PROTO_PAP;
	return (method & PPP_AUTH_EAP_ANY) != 0 ? PPP_PROTO_EAP : PPP_PROTO_CHAP;
}

static enum ppp_proto
protocol(const struct authr *a)
{
	return ppp_auth_proto((enum ppp_auth_method)auth_best(a->methods));
}

/* ---- sending ------------------------------------------------------------------------------------------------- */

static void
send_reply(struct authr *a)
{
	struct wr *w = outq_begin(a->config.out, ppp_auth_proto(a->method), a->reply_code, a->reply_id);

	wr_bytes(w, a->reply, a->reply_len);
	outq_end(a->config.out);
}

/* Keeps what w wrote into a->reply as the packet to send, and to repeat. */
void
authr_reply(struct authr *a, const struct wr *w, uint8_t code, uint8_t id)
{
	a->reply_code = code;
	a->reply_id = id;
	a->reply_len = (uint16_t)wr_len(w);
}

/* Sends the reply as a request that is repeated until it is answered. */
void
authr_transmit(struct authr *a, uint64_t ts)
{
	a->transmits++;
	a->expiry = ts + a->config.restart_ns;
	send_reply(a);
}

enum authr_result
authr_close(struct authr *a, enum authr_result result)
{
	a->state = result == AUTHR_ACCEPTED ? AUTHR_OPEN : AUTHR_CLOSED;
	a->expiry = TS_NEVER;
	return result;
}

/* Draws the next challenge, of len bytes. */
void
authr_challenge(struct authr *a, size_t len)
{
	a->config.random(a->config.random_user, a->request.challenge, len);
	a->request.challenge_len = (uint16_t)len;
}

/* ---- start --------------------------------------------------------------------------------------------------- */

void
authr_init(struct authr *a, const struct auth_config *config)
{
	memset(a, 0, sizeof(*a));
	a->config = *config;
	a->expiry = TS_NEVER;
	a->config.random(a->config.random_user, &a->id, 1);
}

static void
chap_start(struct authr *a, uint64_t ts)
{
	struct wr w = wr_init(a->reply, sizeof(a->reply));

	authr_challenge(a, a->method == PPP_AUTH_MSCHAP ? MSCHAP_V1_CHALLENGE : MSCHAP_V2_CHALLENGE);
	wr_u8(&w, (uint8_t)a->request.challenge_len);
	wr_bytes(&w, a->request.challenge, a->request.challenge_len);
	wr_name(&w, a->config.name);
	a->request.id = a->id;
	authr_reply(a, &w, CHAP_CHALLENGE, a->id);
	authr_transmit(a, ts);
}

void
authr_stop(struct authr *a)
{
	a->state = AUTHR_IDLE;
	a->expiry = TS_NEVER;
	a->transmits = 0;
	a->retry = false;
	a->reply_code = 0;
	ppp_wipe(&a->keys, sizeof(a->keys));
	ppp_wipe(&a->request, sizeof(a->request));
}

void
authr_start(struct authr *a, unsigned methods, uint64_t ts)
{
	authr_stop(a);
	a->methods = methods;
	a->method = (enum ppp_auth_method)auth_best(methods);
	a->request.method = a->method;
	a->retries_left = a->config.retries;
	a->state = AUTHR_CHALLENGE;
	a->id++;
	if (protocol(a) == PPP_PROTO_EAP)
		authr_eap_start(a, ts);
	else if (protocol(a) == PPP_PROTO_CHAP)
		chap_start(a, ts);
}

/* ---- receive: PAP -------------------------------------------------------------------------------------------- */

static enum authr_result
pap_request(struct authr *a, struct auth_packet *p)
{
	struct ppp_auth_request *q = &a->request;
	struct rd name = rd_sub(&p->data, rd_u8(&p->data));
	size_t len = rd_u8(&p->data);
	const uint8_t *password = rd_bytes(&p->data, len);

	if (password == NULL || !auth_name(q->name, &q->name_len, &name))
		return AUTHR_NONE;
	memcpy(q->response, password, len);
	q->response_len = (uint16_t)len;
	q->id = ++a->id;
	a->reply_id = p->id;
	a->state = AUTHR_DECIDE;
	return AUTHR_REQUEST;
}

static enum authr_result
pap_rx(struct authr *a, struct auth_packet *p)
{
	if (p->code != PAP_REQUEST)
		return AUTHR_NONE;
	/* a repeated request has a new id, and the newest is to be answered */
	if (a->state == AUTHR_DECIDE) {
		a->reply_id = p->id;
		return AUTHR_NONE;
	}
	if (a->state == AUTHR_CHALLENGE && !(a->retry && p->id == a->reply_id))
		return pap_request(a, p);
	if (a->reply_code != 0) {
		a->reply_id = p->id;
		send_reply(a);
	}
	return AUTHR_NONE;
}

/* ---- receive: CHAP ------------------------------------------------------------------------------------------- */

/* A response of the given id: new, or NONE when it can't be one. */
static enum authr_result
chap_response(struct authr *a, struct auth_packet *p)
{
	struct ppp_auth_request *q = &a->request;
	size_t len = rd_u8(&p->data);
	const uint8_t *value = rd_bytes(&p->data, len);

	if (value == NULL || len != (a->method == PPP_AUTH_CHAP_MD5 ? MD5_RESPONSE : MSCHAP_RESPONSE))
		return AUTHR_NONE;
	/* After a failure with R=1 the next id brings the new response (RFC 2759 section 9.1.3), but some peers keep the old
	 * one: then it is new if it differs. */
	if (a->retry && p->id == a->reply_id && memcmp(value, q->response, len) == 0) {
		send_reply(a);
		return AUTHR_NONE;
	}
	if (!auth_name(q->name, &q->name_len, &p->data))
		return AUTHR_NONE;
	memcpy(q->response, value, len);
	q->response_len = (uint16_t)len;
	q->id = a->id = p->id;
	a->state = AUTHR_DECIDE;
	a->expiry = TS_NEVER;
	return AUTHR_REQUEST;
}

/* Passwords are changed elsewhere. Peers ask after E=648, or when their user wants to. */
static enum authr_result
chap_change_password(struct authr *a, const struct auth_packet *p)
{
	static const char text[] = "E=709 R=0 V=3 M=Passwords cannot be changed over this connection";
	struct wr w = wr_init(a->reply, sizeof(a->reply));
	bool told = a->state == AUTHR_CLOSED;

	if (a->reply_code != CHAP_FAILURE || a->method == PPP_AUTH_CHAP_MD5 || (a->state != AUTHR_CHALLENGE && !told))
		return AUTHR_NONE;
	wr_bytes(&w, text, sizeof(text) - 1);
	authr_reply(a, &w, CHAP_FAILURE, p->id);
	send_reply(a);
	authr_close(a, AUTHR_REFUSED);
	return told ? AUTHR_NONE : AUTHR_REFUSED;
}

static enum authr_result
chap_rx(struct authr *a, struct auth_packet *p)
{
	if (p->code >= CHAP_CHANGE_V1 && p->code <= CHAP_CHANGE_V3)
		return chap_change_password(a, p);
	if (p->code != CHAP_RESPONSE)
		return AUTHR_NONE;
	if (a->state == AUTHR_CHALLENGE && (p->id == a->id || (a->retry && p->id == a->reply_id)))
		return chap_response(a, p);
	/* RFC 1994 section 4.2: a repeated response gets the same reply */
	if ((a->state == AUTHR_OPEN || a->state == AUTHR_CLOSED) && p->id == a->reply_id && a->reply_code != CHAP_CHALLENGE)
		send_reply(a);
	return AUTHR_NONE;
}

enum authr_result
authr_rx(struct authr *a, enum ppp_proto proto, const uint8_t *packet, size_t packetlen, uint64_t ts)
{
	struct auth_packet p;

	if (a->state == AUTHR_IDLE || proto != ppp_auth_proto(a->method) || !auth_packet(&p, packet, packetlen))
		return AUTHR_NONE;
	switch (proto) {
	case PPP_PROTO_PAP:
		return pap_rx(a, &p);
	case PPP_PROTO_CHAP:
		return chap_rx(a, &p);
	default:
		return authr_eap_rx(a, &p, ts);
	}
}

/* ---- verdict ------------------------------------------------------------------------------------------------- */

static void
put_hex(struct wr *w, const uint8_t *data, size_t datalen)
{
	static const char digits[] = "0123456789ABCDEF";

	for (size_t i = 0; i < datalen; i++) {
		wr_u8(w, (uint8_t)digits[data[i] >> 4]);
		wr_u8(w, (uint8_t)digits[data[i] & 15]);
	}
}

/* RFC 2759 section 5 */
void
authr_success_text(const struct ppp_auth_verdict *v, struct wr *w)
{
	wr_bytes(w, "S=", 2);
	put_hex(w, v->authenticator_response, sizeof(v->authenticator_response));
	wr_bytes(w, " M=", 3);
	wr_name(w, v->message);
}

/* Draws the next challenge into the request, should the verdict and the count of tries allow another one, and writes the
 * text of a failure (RFC 2433 section 6, RFC 2759 section 6). */
void
authr_failure_text(struct authr *a, const struct ppp_auth_verdict *v, struct wr *w)
{
	char head[32];
	int len;
	bool v1 = a->method == PPP_AUTH_MSCHAP;

	a->retry = v->retry && a->retries_left > 0;
	a->retries_left = (uint8_t)(a->retries_left - a->retry);
	authr_challenge(a, v1 ? MSCHAP_V1_CHALLENGE : MSCHAP_V2_CHALLENGE);
	len = snprintf(head, sizeof(head), "E=%u R=%d C=", v->mschap_error != 0 ? v->mschap_error : PPP_MSE_WRONG_PASSWORD, a->retry);
	wr_bytes(w, head, (size_t)len);
	put_hex(w, a->request.challenge, a->request.challenge_len);
	wr_bytes(w, v1 ? " V=2" : " V=3 M=", v1 ? 4 : 7);
	if (!v1)
		wr_name(w, v->message);
}

static enum authr_result
accept(struct authr *a, const struct ppp_auth_verdict *v)
{
	struct wr w = wr_init(a->reply, sizeof(a->reply));

	if (a->method == PPP_AUTH_PAP)
		wr_u8(&w, (uint8_t)strnlen(v->message, PPP_MESSAGE_MAX));
	if (a->method == PPP_AUTH_MSCHAPV2)
		authr_success_text(v, &w);
	else
		wr_name(&w, v->message);
	authr_reply(a, &w, a->method == PPP_AUTH_PAP ? PAP_ACK : CHAP_SUCCESS, a->method == PPP_AUTH_PAP ? a->reply_id : a->id);
	send_reply(a);
	a->keys = v->keys;
	return authr_close(a, AUTHR_ACCEPTED);
}

static enum authr_result
refuse(struct authr *a, const struct ppp_auth_verdict *v)
{
	struct wr w = wr_init(a->reply, sizeof(a->reply));
	bool pap = a->method == PPP_AUTH_PAP;

	if (pap)
		wr_u8(&w, (uint8_t)strnlen(v->message, PPP_MESSAGE_MAX));
	if (pap || a->method == PPP_AUTH_CHAP_MD5)
		wr_name(&w, v->message);
	else
		authr_failure_text(a, v, &w);
	if (pap) {
		a->retry = v->retry && a->retries_left > 0;
		a->retries_left = (uint8_t)(a->retries_left - a->retry);
	}
	authr_reply(a, &w, pap ? PAP_NAK : CHAP_FAILURE, pap ? a->reply_id : a->id);
	send_reply(a);
	if (!a->retry)
		return authr_close(a, AUTHR_REFUSED);
	/* no timer: the peer's user may be typing, and the link watches the time of the whole phase */
	a->state = AUTHR_CHALLENGE;
	if (!pap)
		a->id++;
	return AUTHR_NONE;
}

enum authr_result
authr_verdict(struct authr *a, uint8_t id, const struct ppp_auth_verdict *verdict, uint64_t ts)
{
	if (a->state != AUTHR_DECIDE || id != a->request.id)
		return AUTHR_NONE;
	a->retry = false;
	if (a->method == PPP_AUTH_PAP)
		ppp_wipe(a->request.response, sizeof(a->request.response));
	if (ppp_auth_proto(a->method) == PPP_PROTO_EAP)
		return authr_eap_verdict(a, verdict, ts);
	return verdict->ok ? accept(a, verdict) : refuse(a, verdict);
}

/* ---- time ---------------------------------------------------------------------------------------------------- */

uint64_t
authr_expiry(const struct authr *a)
{
	return a->expiry;
}

enum authr_result
authr_expire(struct authr *a, uint64_t ts)
{
	if (ts < a->expiry)
		return AUTHR_NONE;
	if (a->transmits < a->config.max_transmit) {
		authr_transmit(a, ts);
		return AUTHR_NONE;
	}
	if (a->state == AUTHR_CONFIRM && !a->verdict_ok)
		return authr_eap_end(a);
	return authr_close(a, AUTHR_TIMEOUT);
}
