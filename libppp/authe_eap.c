/* The authenticatee's EAP: Identity, Notification, MD5-Challenge, MS-CHAPv2, Nak (RFC 3748, draft-kamath-pppext-eap-mschapv2). */
#include <string.h>

#include "base/timerheap.h"
#include "libppp/auth_wire.h"
#include "libppp/mschap.h"

static enum authe_result
answer(struct authe *e, const struct wr *w, uint8_t id)
{
	authe_reply(e, w, EAP_RESPONSE, id);
	return AUTHE_NONE;
}

static enum authe_result
identity(struct authe *e, uint8_t id)
{
	struct wr w = wr_init(e->reply, sizeof(e->reply));

	wr_u8(&w, EAP_TYPE_IDENTITY);
	wr_name(&w, e->config.name);
	return answer(e, &w, id);
}

/* RFC 3748 section 5.2: to be acknowledged; the trace shows its text. */
static enum authe_result
notification(struct authe *e, uint8_t id)
{
	struct wr w = wr_init(e->reply, sizeof(e->reply));

	wr_u8(&w, EAP_TYPE_NOTIFICATION);
	return answer(e, &w, id);
}

/* What we can do: an NT hash is not enough for MD5. */
static unsigned
usable(const struct authe *e)
{
	return e->config.secret->is_nt_hash ? e->methods & ~(unsigned)PPP_AUTH_EAP_MD5 : e->methods;
}

/* Lists the methods that we would take, the strongest first; none is told by a zero. */
static enum authe_result
nak(struct authe *e, uint8_t id)
{
	struct wr w = wr_init(e->reply, sizeof(e->reply));

	wr_u8(&w, EAP_TYPE_NAK);
	for (unsigned left = usable(e), best; (best = auth_best(left)) != 0; left &= ~best)
		wr_u8(&w, eap_type(best));
	if (wr_len(&w) == 1)
		wr_u8(&w, 0);
	e->refused = true;
	return answer(e, &w, id);
}

static enum authe_result
md5(struct authe *e, struct auth_packet *p)
{
	struct wr w = wr_init(e->reply, sizeof(e->reply));
	size_t len = rd_u8(&p->data);
	const uint8_t *challenge = rd_bytes(&p->data, len);
	uint8_t value[MD5_RESPONSE];

	if (challenge == NULL || len == 0 || !authe_md5(e, value, p->id, challenge, len))
		return AUTHE_NONE;
	wr_u8(&w, EAP_TYPE_MD5);
	wr_u8(&w, sizeof(value));
	wr_bytes(&w, value, sizeof(value));
	wr_name(&w, e->config.name);
	e->method = PPP_AUTH_EAP_MD5;
	e->state = AUTHE_ANSWERED;
	return answer(e, &w, p->id);
}

static enum authe_result
ms_challenge(struct authe *e, struct auth_packet *p, uint8_t ms_id)
{
	struct wr w = wr_init(e->reply, sizeof(e->reply));
	size_t len = rd_u8(&p->data);
	const uint8_t *challenge = rd_bytes(&p->data, len);
	uint8_t value[MSCHAP_RESPONSE];

	if (challenge == NULL || len != MSCHAP_V2_CHALLENGE)
		return AUTHE_NONE;
	authe_mschapv2(e, value, challenge);
	eap_ms_begin(&w, EAP_MS_RESPONSE, ms_id);
	wr_u8(&w, sizeof(value));
	wr_bytes(&w, value, sizeof(value));
	wr_name(&w, e->config.name);
	eap_ms_end(&w);
	e->method = PPP_AUTH_EAP_MSCHAPV2;
	e->state = AUTHE_ANSWERED;
	return answer(e, &w, p->id);
}

/* Success and Failure Requests are answered with their opcode alone. */
static enum authe_result
ms_verdict(struct authe *e, struct auth_packet *p, uint8_t opcode, uint64_t ts)
{
	struct wr w = wr_init(e->reply, sizeof(e->reply));

	if (opcode == EAP_MS_SUCCESS) {
		if (!authe_genuine(e, p->data.p, rd_left(&p->data))) {
			authe_stop(e);
			e->state = AUTHE_CLOSED;
			return AUTHE_NOT_GENUINE;
		}
		e->state = AUTHE_CONFIRMED;
	} else {
		authe_failure(e, p->data.p, rd_left(&p->data));
		e->state = AUTHE_DENIED;
		e->expiry = ts + e->config.restart_ns;
	}
	wr_u8(&w, EAP_TYPE_MSCHAPV2);
	wr_u8(&w, opcode);
	return answer(e, &w, p->id);
}

static enum authe_result
mschapv2(struct authe *e, struct auth_packet *p, uint64_t ts)
{
	uint8_t opcode = rd_u8(&p->data);
	uint8_t ms_id = rd_u8(&p->data);

	rd_u16(&p->data); /* MS-Length: EAP has a length already */
	if (!p->data.ok)
		return AUTHE_NONE;
	if (opcode == EAP_MS_CHALLENGE)
		return ms_challenge(e, p, ms_id);
	if (e->state == AUTHE_ANSWERED && (opcode == EAP_MS_SUCCESS || opcode == EAP_MS_FAILURE))
		return ms_verdict(e, p, opcode, ts);
	return AUTHE_NONE;
}

/* Whether a request of this type may come now: methods don't change once one was answered. */
static bool
in_order(const struct authe *e, uint8_t type)
{
	if (e->state == AUTHE_WAIT)
		return true;
	return e->state == AUTHE_ANSWERED && type == eap_type(e->method);
}

static enum authe_result
request(struct authe *e, struct auth_packet *p, uint64_t ts)
{
	uint8_t type = rd_u8(&p->data);

	if (!p->data.ok)
		return AUTHE_NONE;
	if (type == EAP_TYPE_NOTIFICATION)
		return notification(e, p->id);
	if (!in_order(e, type))
		return AUTHE_NONE;
	if (type == EAP_TYPE_IDENTITY)
		return identity(e, p->id);
	if (type == EAP_TYPE_MD5 && (usable(e) & PPP_AUTH_EAP_MD5) != 0)
		return md5(e, p);
	if (type == EAP_TYPE_MSCHAPV2 && (usable(e) & PPP_AUTH_EAP_MSCHAPV2) != 0)
		return mschapv2(e, p, ts);
	return nak(e, p->id);
}

/* A request that came before, to the byte: it gets the same answer (RFC 3748 section 4.1). */
static bool
repeated(struct authe *e, const struct auth_packet *p)
{
	size_t len = rd_left(&p->data);

	if (e->reply_code != 0 && p->id == e->id && len == e->challenge_len && memcmp(p->data.p, e->challenge, len) == 0)
		return true;
	if (len > sizeof(e->challenge))
		len = 0; /* too long to be told apart: handled as new */
	memcpy(e->challenge, p->data.p, len);
	e->challenge_len = (uint16_t)len;
	e->reply_code = 0;
	return false;
}

/* After nothing but Naks the peer has judged no password: it has no method for us. */
static enum authe_result
failure(struct authe *e)
{
	if (e->state != AUTHE_WAIT || !e->refused)
		return authe_reject(e);
	authe_close(e);
	return AUTHE_NO_METHOD;
}

enum authe_result
authe_eap_rx(struct authe *e, struct auth_packet *p, uint64_t ts)
{
	if (p->code == EAP_REQUEST) {
		if (!repeated(e, p))
			return request(e, p, ts);
		authe_send(e);
		return AUTHE_NONE;
	}
	if (p->code == EAP_FAILURE && e->state != AUTHE_OPEN)
		return failure(e);
	/* Success counts only where the method itself has ended well (RFC 3748 section 4.2) */
	return p->code == EAP_SUCCESS ? authe_network_seen(e) : AUTHE_NONE;
}
