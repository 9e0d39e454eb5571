/* Trace lines of PAP, CHAP and EAP packets. Passwords and responses never show. */
#include "libppp/auth_wire.h"

static void
add_text(struct text *t, const char *label, struct rd *r, size_t len)
{
	const uint8_t *p = rd_bytes(r, len < rd_left(r) ? len : rd_left(r));

	if (p == NULL || len == 0)
		return;
	text_addf(t, " %s=\"", label);
	text_add_untrusted(t, p, (size_t)(r->p - p));
	text_addf(t, "\"");
}

static void
trace_pap(struct text *t, struct auth_packet *p)
{
	static const char *const names[] = {"AuthReq", "AuthAck", "AuthNak"};

	if (p->code < PAP_REQUEST || p->code > PAP_NAK) {
		text_addf(t, "PAP code=%u id=%u", p->code, p->id);
		return;
	}
	text_addf(t, "PAP %s id=%u", names[p->code - 1], p->id);
	add_text(t, p->code == PAP_REQUEST ? "name" : "message", &p->data, rd_u8(&p->data));
	if (p->code == PAP_REQUEST)
		text_addf(t, " <password hidden>");
}

/* A value and a name: of challenges the value shows, of responses its length. */
static void
add_value(struct text *t, struct rd *r, bool challenge)
{
	size_t len = rd_u8(r);
	const uint8_t *value = rd_bytes(r, len);

	if (value == NULL) {
		text_addf(t, " <malformed>");
		return;
	}
	if (challenge) {
		text_addf(t, " <");
		text_add_hex(t, value, len);
		text_addf(t, ">");
	} else {
		text_addf(t, " <%zu bytes hidden>", len);
	}
	add_text(t, "name", r, rd_left(r));
}

static void
trace_chap(struct text *t, struct auth_packet *p)
{
	static const char *const names[] = {
	    "Challenge", "Response", "Success", "Failure", "ChangePassword1", "ChangePassword2", "ChangePassword3"};

	if (p->code < CHAP_CHALLENGE || p->code > CHAP_CHANGE_V3) {
		text_addf(t, "CHAP code=%u id=%u", p->code, p->id);
		return;
	}
	text_addf(t, "CHAP %s id=%u", names[p->code - 1], p->id);
	if (p->code <= CHAP_RESPONSE)
		add_value(t, &p->data, p->code == CHAP_CHALLENGE);
	else if (p->code <= CHAP_FAILURE)
		add_text(t, "message", &p->data, rd_left(&p->data));
	else
		text_addf(t, " <%zu bytes hidden>", rd_left(&p->data));
}

static void
trace_mschapv2(struct text *t, struct rd *r)
{
	static const char *const names[] = {"Challenge", "Response", "Success", "Failure"};
	uint8_t opcode = rd_u8(r);

	if (!r->ok || opcode < EAP_MS_CHALLENGE || opcode > EAP_MS_FAILURE) {
		text_addf(t, " MSCHAPv2 opcode=%u", opcode);
		return;
	}
	text_addf(t, " MSCHAPv2-%s", names[opcode - 1]);
	rd_bytes(r, 3);
	if (!r->ok)
		return; /* the answer to Success or Failure is the opcode alone */
	if (opcode <= EAP_MS_RESPONSE)
		add_value(t, r, opcode == EAP_MS_CHALLENGE);
	else
		add_text(t, "message", r, rd_left(r));
}

static void
trace_eap_type(struct text *t, struct auth_packet *p)
{
	uint8_t type = rd_u8(&p->data);

	switch (type) {
	case EAP_TYPE_IDENTITY:
	case EAP_TYPE_NOTIFICATION:
		text_addf(t, " %s", type == EAP_TYPE_IDENTITY ? "Identity" : "Notification");
		add_text(t, type == EAP_TYPE_IDENTITY ? "name" : "message", &p->data, rd_left(&p->data));
		break;
	case EAP_TYPE_NAK:
		text_addf(t, " Nak");
		while (rd_left(&p->data) > 0)
			text_addf(t, " <type %u>", rd_u8(&p->data));
		break;
	case EAP_TYPE_MD5:
		text_addf(t, " MD5");
		add_value(t, &p->data, p->code == EAP_REQUEST);
		break;
	case EAP_TYPE_MSCHAPV2:
		trace_mschapv2(t, &p->data);
		break;
	default:
		text_addf(t, " type=%u", type);
		break;
	}
}

static void
trace_eap(struct text *t, struct auth_packet *p)
{
	static const char *const names[] = {"Request", "Response", "Success", "Failure"};

	if (p->code < EAP_REQUEST || p->code > EAP_FAILURE) {
		text_addf(t, "EAP code=%u id=%u", p->code, p->id);
		return;
	}
	text_addf(t, "EAP %s id=%u", names[p->code - 1], p->id);
	if (p->code <= EAP_RESPONSE)
		trace_eap_type(t, p);
}

void
auth_trace(struct text *t, enum ppp_proto proto, const uint8_t *packet, size_t packetlen)
{
	struct auth_packet p;

	if (!auth_packet(&p, packet, packetlen))
		text_addf(t, "%04x <malformed, %zu bytes>", (unsigned)proto, packetlen);
	else if (proto == PPP_PROTO_PAP)
		trace_pap(t, &p);
	else if (proto == PPP_PROTO_CHAP)
		trace_chap(t, &p);
	else
		trace_eap(t, &p);
}
