/* The authenticator's EAP: Identity, MD5-Challenge, MS-CHAPv2, Nak (RFC 3748, draft-kamath-pppext-eap-mschapv2). */
#include <string.h>

#include "base/timerheap.h"
#include "libppp/auth_wire.h"
#include "libppp/mschap.h"

static void
request(struct authr *a, const struct wr *w, uint64_t ts)
{
	authr_reply(a, w, EAP_REQUEST, a->id);
	a->transmits = 0;
	authr_transmit(a, ts);
}

void
authr_eap_start(struct authr *a, uint64_t ts)
{
	struct wr w = wr_init(a->reply, sizeof(a->reply));

	wr_u8(&w, EAP_TYPE_IDENTITY);
	a->state = AUTHR_IDENTITY;
	request(a, &w, ts);
}

/* Offers the strongest method that is left. */
static void
start_method(struct authr *a, uint64_t ts)
{
	struct wr w = wr_init(a->reply, sizeof(a->reply));

	a->method = (enum ppp_auth_method)auth_best(a->methods);
	a->request.method = a->method;
	a->request.id = ++a->id;
	authr_challenge(a, MSCHAP_V2_CHALLENGE);
	if (a->method == PPP_AUTH_EAP_MD5)
		wr_u8(&w, EAP_TYPE_MD5);
	else
		eap_ms_begin(&w, EAP_MS_CHALLENGE, a->id);
	wr_u8(&w, (uint8_t)a->request.challenge_len);
	wr_bytes(&w, a->request.challenge, a->request.challenge_len);
	wr_name(&w, a->config.name);
	if (a->method == PPP_AUTH_EAP_MSCHAPV2)
		eap_ms_end(&w);
	a->state = AUTHR_CHALLENGE;
	request(a, &w, ts);
}

/* EAP Success or Failure, which answer the peer's last response: kept to be repeated if that is. */
static enum authr_result
finish(struct authr *a, enum authr_result result)
{
	a->reply_code = result == AUTHR_ACCEPTED ? EAP_SUCCESS : EAP_FAILURE;
	a->reply_id = a->id;
	a->reply_len = 0;
	outq_begin(a->config.out, PPP_PROTO_EAP, a->reply_code, a->reply_id);
	outq_end(a->config.out);
	return authr_close(a, result);
}

void
authr_give_up(struct authr *a)
{
	finish(a, AUTHR_REFUSED);
}

enum authr_result
authr_eap_end(struct authr *a)
{
	return finish(a, a->verdict_ok ? AUTHR_ACCEPTED : AUTHR_REFUSED);
}

static enum authr_result
identity(struct authr *a, struct auth_packet *p, uint64_t ts)
{
	if (!auth_name(a->request.name, &a->request.name_len, &p->data))
		return AUTHR_NONE;
	start_method(a, ts);
	return AUTHR_NONE;
}

/* RFC 3748 section 5.3.1: the peer wants another method, and lists those that it would take. That none of them is allowed is not told
 * yet: EAP's Failure ends the link with most peers, and LCP may know another protocol. */
static enum authr_result
nak(struct authr *a, struct auth_packet *p, uint64_t ts)
{
	unsigned wanted = 0;

	while (rd_left(&p->data) > 0) {
		uint8_t type = rd_u8(&p->data);

		wanted |= type == EAP_TYPE_MD5 ? PPP_AUTH_EAP_MD5 : type == EAP_TYPE_MSCHAPV2 ? PPP_AUTH_EAP_MSCHAPV2 : 0;
	}
	wanted &= a->methods & ~(unsigned)a->method;
	if (wanted == 0)
		return authr_close(a, AUTHR_NO_METHOD);
	a->methods = wanted;
	start_method(a, ts);
	return AUTHR_NONE;
}

static enum authr_result
response(struct authr *a, const uint8_t *value, size_t len)
{
	memcpy(a->request.response, value, len);
	a->request.response_len = (uint16_t)len;
	a->state = AUTHR_DECIDE;
	a->expiry = TS_NEVER;
	return AUTHR_REQUEST;
}

static enum authr_result
md5(struct authr *a, struct auth_packet *p)
{
	size_t len = rd_u8(&p->data);
	const uint8_t *value = rd_bytes(&p->data, len);

	if (value == NULL || len != MD5_RESPONSE)
		return AUTHR_NONE;
	return response(a, value, len);
}

static enum authr_result
ms_response(struct authr *a, struct auth_packet *p)
{
	char name[PPP_NAME_MAX + 1];
	uint16_t namelen;
	const uint8_t *value;
	size_t len;

	rd_bytes(&p->data, 3); /* MS-CHAPv2-ID and MS-Length: EAP has both already */
	len = rd_u8(&p->data);
	value = rd_bytes(&p->data, len);
	if (value == NULL || len != MSCHAP_RESPONSE || !auth_name(name, &namelen, &p->data))
		return AUTHR_NONE;
	/* the name in the response is the one that is hashed; the identity stands in for an empty one */
	if (namelen > 0) {
		memcpy(a->request.name, name, namelen + 1u);
		a->request.name_len = namelen;
	}
	return response(a, value, len);
}

static enum authr_result
mschapv2(struct authr *a, struct auth_packet *p)
{
	uint8_t opcode = rd_u8(&p->data);

	if (!p->data.ok)
		return AUTHR_NONE;
	if (a->state == AUTHR_CHALLENGE)
		return opcode == EAP_MS_RESPONSE ? ms_response(a, p) : AUTHR_NONE;
	if (a->verdict_ok)
		return opcode == EAP_MS_SUCCESS ? authr_eap_end(a) : AUTHR_NONE;
	if (opcode == EAP_MS_RESPONSE && a->retry)
		return ms_response(a, p);
	return opcode == EAP_MS_FAILURE || opcode == EAP_MS_CHANGE_PASSWORD ? authr_eap_end(a) : AUTHR_NONE;
}

enum authr_result
authr_eap_rx(struct authr *a, struct auth_packet *p, uint64_t ts)
{
	uint8_t type = rd_u8(&p->data);

	if (p->code != EAP_RESPONSE || !p->data.ok || p->id != a->id)
		return AUTHR_NONE;
	switch (a->state) {
	case AUTHR_IDENTITY:
		return type == EAP_TYPE_IDENTITY ? identity(a, p, ts) : AUTHR_NONE;
	case AUTHR_CHALLENGE:
		if (type == EAP_TYPE_NAK)
			return nak(a, p, ts);
		if (type == EAP_TYPE_MD5 && a->method == PPP_AUTH_EAP_MD5)
			return md5(a, p);
		break;
	case AUTHR_CONFIRM:
		break;
	case AUTHR_OPEN:
	case AUTHR_CLOSED:
		if (a->reply_code == EAP_SUCCESS || a->reply_code == EAP_FAILURE) {
			outq_begin(a->config.out, PPP_PROTO_EAP, a->reply_code, a->reply_id);
			outq_end(a->config.out);
		}
		return AUTHR_NONE;
	case AUTHR_IDLE:
	case AUTHR_DECIDE:
		return AUTHR_NONE;
	}
	return type == EAP_TYPE_MSCHAPV2 && a->method == PPP_AUTH_EAP_MSCHAPV2 ? mschapv2(a, p) : AUTHR_NONE;
}

enum authr_result
authr_eap_verdict(struct authr *a, const struct ppp_auth_verdict *v, uint64_t ts)
{
	struct wr w = wr_init(a->reply, sizeof(a->reply));

	a->verdict_ok = v->ok;
	if (v->ok)
		a->keys = v->keys;
	if (a->method == PPP_AUTH_EAP_MD5)
		return authr_eap_end(a);
	eap_ms_begin(&w, v->ok ? EAP_MS_SUCCESS : EAP_MS_FAILURE, a->request.id);
	if (v->ok)
		authr_success_text(v, &w);
	else
		authr_failure_text(a, v, &w);
	eap_ms_end(&w);
	a->request.id = ++a->id;
	a->state = AUTHR_CONFIRM;
	request(a, &w, ts);
	return AUTHR_NONE;
}
