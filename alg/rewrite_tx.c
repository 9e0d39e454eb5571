#include <string.h>

#include "alg/rewrite_private.h"
#include "base/wire.h"

/* Callers have seen to the room; a held reply's is set aside, so it is not asked for again here. */
static uint8_t *
append(struct alg_rewrite *rw, enum alg_side to, const uint8_t *data, size_t len)
{
	struct half *h = &rw->half[to];
	uint8_t *p = h->out + h->out_len;

	memcpy(p, data, len);
	h->out_len += len;
	return p;
}

static void
trace(struct alg_rewrite *rw, enum alg_side from, const struct pptp_msg *received, const uint8_t *data, size_t len)
{
	struct pptp_msg forwarded;

	if (rw->config.trace != NULL && pptp_msg_decode(&forwarded, data, len, PPTP_LENIENT, NULL) == PPTP_OK)
		rw->config.trace(rw->config.trace_user, from, received, &forwarded);
}

void
rewrite_forward(struct alg_rewrite *rw, enum alg_side from, const struct pptp_msg *received, const uint8_t *data, size_t len)
{
	append(rw, other_side(from), data, len);
	rw->stats.forwarded++;
	trace(rw, from, received, data, len);
}

/* Where the two id fields are is all that differs between messages: Call ID is the sender's own, and leaves as its xid; Peer's Call ID
 * comes as the receiver's xid, and leaves as what the receiver calls itself. Where a peer has put the receiver's id into Call ID, it is
 * the receiver's that leaves. */
void
rewrite_forward_call(struct alg_rewrite *rw, enum alg_side from, const struct pptp_msg *received, const uint8_t *data, size_t len,
    const struct call *call, bool receivers_id)
{
	const struct pptp_msg_info *info = pptp_msg_info(get_u16(data + 8));
	enum alg_side to = other_side(from);
	uint8_t *p = append(rw, to, data, len);

	if (info->call_id_offset != 0 && receivers_id)
		put_u16(p + info->call_id_offset, call->id[to]);
	else if (info->call_id_offset != 0 && call->taken[from])
		put_u16(p + info->call_id_offset, call->xid[from]);
	else if (info->call_id_offset != 0 && info->peer_call_id_offset == 0)
		put_u16(p + info->call_id_offset, 0); /* never told, and of no use to the other end */
	if (info->peer_call_id_offset != 0)
		put_u16(p + info->peer_call_id_offset, call->id[to]);
	rw->stats.forwarded++;
	trace(rw, from, received, p, len);
}

/* --- the gateway's own ----------------------------------------------------------------- */

/* What it says of a reason: result and error code of the two replies and of Call-Disconnect-Notify. */
static const struct {
	uint8_t ocrp, icrp, cdn, error;
} codes[ALG_WHYS] = {
    [ALG_WHY_ADMIN] = {PPTP_OCRP_DO_NOT_ACCEPT, PPTP_ICRP_DO_NOT_ACCEPT, PPTP_CDN_ADMIN_SHUTDOWN, PPTP_EC_NONE},
    [ALG_WHY_NO_ID] = {PPTP_OCRP_GENERAL_ERROR, PPTP_ICRP_GENERAL_ERROR, PPTP_CDN_GENERAL_ERROR, PPTP_EC_NO_RESOURCE},
    [ALG_WHY_TOO_MANY] = {PPTP_OCRP_GENERAL_ERROR, PPTP_ICRP_GENERAL_ERROR, PPTP_CDN_GENERAL_ERROR, PPTP_EC_NO_RESOURCE},
    [ALG_WHY_CROWDED] = {PPTP_OCRP_GENERAL_ERROR, PPTP_ICRP_GENERAL_ERROR, PPTP_CDN_GENERAL_ERROR, PPTP_EC_NO_RESOURCE},
    [ALG_WHY_NO_MEMORY] = {PPTP_OCRP_GENERAL_ERROR, PPTP_ICRP_GENERAL_ERROR, PPTP_CDN_GENERAL_ERROR, PPTP_EC_NO_RESOURCE},
    [ALG_WHY_GATES_FAILED] = {PPTP_OCRP_GENERAL_ERROR, PPTP_ICRP_GENERAL_ERROR, PPTP_CDN_GENERAL_ERROR, PPTP_EC_NO_RESOURCE},
    [ALG_WHY_SEQUENCE] = {PPTP_OCRP_GENERAL_ERROR, PPTP_ICRP_GENERAL_ERROR, PPTP_CDN_GENERAL_ERROR, PPTP_EC_BAD_CALL_ID},
    [ALG_WHY_AGED] = {PPTP_OCRP_NO_CARRIER, PPTP_ICRP_GENERAL_ERROR, PPTP_CDN_LOST_CARRIER, PPTP_EC_NONE},
    [ALG_WHY_IDLE] = {PPTP_OCRP_NO_CARRIER, PPTP_ICRP_GENERAL_ERROR, PPTP_CDN_LOST_CARRIER, PPTP_EC_NONE},
};

static void
send(struct alg_rewrite *rw, enum alg_side to, const struct pptp_msg *msg)
{
	uint8_t buf[PPTP_MAX_MESSAGE];
	int n = pptp_msg_encode(buf, sizeof(buf), msg);

	if (n <= 0)
		return;
	append(rw, to, buf, (size_t)n);
	rw->stats.made++;
	if (rw->config.trace != NULL)
		rw->config.trace(rw->config.trace_user, other_side(to), NULL, msg);
}

/* Any other reason than those in the table reads as a general error. */
static uint8_t
code_or(uint8_t code)
{
	return code != 0 ? code : PPTP_OCRP_GENERAL_ERROR;
}

void
rewrite_refuse(struct alg_rewrite *rw, enum alg_side to, bool incoming, uint16_t id, enum alg_why why)
{
	struct pptp_msg msg = {.type = incoming ? PPTP_INCOMING_CALL_REPLY : PPTP_OUTGOING_CALL_REPLY};

	if (incoming)
		msg.incoming_call_reply = (struct pptp_incoming_call_reply){
		    .peer_call_id = id, .result_code = code_or(codes[why].icrp), .error_code = codes[why].error};
	else
		msg.outgoing_call_reply = (struct pptp_outgoing_call_reply){
		    .peer_call_id = id, .result_code = code_or(codes[why].ocrp), .error_code = codes[why].error};
	send(rw, to, &msg);
}

static void
send_disconnect(struct alg_rewrite *rw, enum alg_side pns, const struct call *call)
{
	send(rw, pns,
	    &(struct pptp_msg){.type = PPTP_CALL_DISCONNECT_NOTIFY,
		.call_disconnect_notify = {
		    .call_id = call->xid[other_side(pns)],
		    .result_code = code_or(codes[call->doom].cdn),
		    .error_code = codes[call->doom].error,
		}});
}

static void
send_clear(struct alg_rewrite *rw, enum alg_side pac, const struct call *call)
{
	enum alg_side pns = other_side(pac);

	if ((call->cleared & 1 << pns) != 0)
		return; /* it has one already */
	send(rw, pac, &(struct pptp_msg){.type = PPTP_CALL_CLEAR_REQUEST, .call_clear_request = {.call_id = call->xid[pns]}});
}

void
rewrite_tell_end(struct alg_rewrite *rw, const struct call *call)
{
	enum alg_side pns = call->incoming ? other_side(call->requester) : call->requester;
	bool unanswered = call->state == CALL_REQUESTED || call->state == CALL_HELD;

	if (unanswered)
		rewrite_refuse(rw, call->requester, call->incoming, call->id[call->requester], call->doom);
	if (!unanswered || call->requester != pns)
		send_disconnect(rw, pns, call);
	if (!unanswered || call->requester == pns)
		send_clear(rw, other_side(pns), call);
}
