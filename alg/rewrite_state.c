#include <string.h>

#include "alg/rewrite_private.h"
#include "base/wire.h"

/* --- the list of calls ---------------------------------------------------------------------- */

struct alg_call
rewrite_public(const struct call *call)
{
	return (struct alg_call){
	    .number = call->number,
	    .requester = call->requester,
	    .incoming = call->incoming,
	    .client_id = call->id[ALG_CLIENT],
	    .client_xid = call->xid[ALG_CLIENT],
	    .server_id = call->id[ALG_SERVER],
	    .server_xid = call->xid[ALG_SERVER],
	};
}

struct call *
rewrite_by_number(const struct alg_rewrite *rw, uint32_t number)
{
	for (size_t i = 0; i < rw->ncalls; i++)
		if (rw->calls[i].number == number)
			return &rw->calls[i];
	return NULL;
}

/* The call to which a side has given this id. */
static struct call *
by_own(const struct alg_rewrite *rw, enum alg_side side, uint16_t id)
{
	for (size_t i = 0; i < rw->ncalls; i++)
		if (rw->calls[i].taken[side] && rw->calls[i].id[side] == id)
			return &rw->calls[i];
	return NULL;
}

/* The call that a side knows by this id of the other end. */
static struct call *
by_peers(const struct alg_rewrite *rw, enum alg_side side, uint16_t id)
{
	enum alg_side other = other_side(side);

	for (size_t i = 0; i < rw->ncalls; i++)
		if (rw->calls[i].taken[other] && rw->calls[i].xid[other] == id)
			return &rw->calls[i];
	return NULL;
}

/* An ended call, as the side called it, or as it was called to the side; NULL: none that is remembered. */
static struct recent *
recent_own(struct alg_rewrite *rw, enum alg_side side, uint16_t id)
{
	for (size_t i = 0; i < RECENT; i++)
		if (rw->recent[i].taken[side] && rw->recent[i].id[side] == id)
			return &rw->recent[i];
	return NULL;
}

static struct recent *
recent_peers(struct alg_rewrite *rw, enum alg_side side, uint16_t id)
{
	enum alg_side other = other_side(side);

	for (size_t i = 0; i < RECENT; i++)
		if (rw->recent[i].taken[other] && rw->recent[i].xid[other] != 0 && rw->recent[i].xid[other] == id)
			return &rw->recent[i];
	return NULL;
}

/* The oldest of which a PAC still has to tell the end, under an id not known here. */
static struct recent *
recent_owed(struct alg_rewrite *rw, enum alg_side pac)
{
	for (size_t i = 0; i < RECENT; i++) {
		struct recent *r = &rw->recent[(rw->next_recent + i) % RECENT];

		if (r->owes_end && !r->taken[pac])
			return r;
	}
	return NULL;
}

bool
rewrite_grow(struct alg_rewrite *rw, size_t calls)
{
	size_t cap = rw->cap > 0 ? rw->cap : 1;
	struct call *more;

	if (calls <= rw->cap)
		return true;
	while (cap < calls)
		cap *= 2;
	more = mem_calloc(rw->config.mem, cap, sizeof(*more));
	if (more == NULL)
		return false;
	if (rw->ncalls > 0)
		memcpy(more, rw->calls, rw->ncalls * sizeof(*more));
	mem_free(rw->config.mem, rw->calls);
	rw->calls = more;
	rw->cap = cap;
	return true;
}

static void
remember(struct alg_rewrite *rw, const struct call *call, bool owes_end)
{
	struct recent *r = &rw->recent[rw->next_recent++ % RECENT];

	for (int side = 0; side < 2; side++) {
		r->taken[side] = call->taken[side];
		r->id[side] = call->id[side];
		r->xid[side] = call->xid[side];
	}
	r->owes_end = owes_end;
}

/* Whether the PAC was told to clear a call whose id it never told. */
static bool
owes_end(const struct call *call, enum alg_why why)
{
	enum alg_side pns = call->incoming ? other_side(call->requester) : call->requester;

	return !call->taken[other_side(pns)] && why != ALG_WHY_REPLIED_NO && ((call->cleared & 1 << pns) != 0 || call->tell);
}

void
rewrite_finish(struct alg_rewrite *rw, struct call *call, enum alg_why why)
{
	struct half *replier = &rw->half[other_side(call->requester)];

	rewrite_note(rw, ALG_EVENT_CALL_END, call->requester, why)->call = rewrite_public(call);
	if (call->state == CALL_HELD && replier->held_call == call->number)
		replier->held_len = 0;
	remember(rw, call, owes_end(call, why));
	for (int side = 0; side < 2; side++)
		if (call->taken[side])
			rw->config.xlate.give(rw->config.xlate_user, (enum alg_side)side, call->xid[side]);
	rw->ncalls--;
	memmove(call, call + 1, (size_t)(rw->calls + rw->ncalls - call) * sizeof(*call));
}

void
rewrite_doom(struct alg_rewrite *rw, struct call *call, enum alg_why why, bool tell)
{
	rw->ndoomed += call->doom == ALG_WHY_NONE;
	if (call->doom == ALG_WHY_NONE)
		call->doom = why;
	call->tell = tell;
}

void
rewrite_doom_all(struct alg_rewrite *rw, enum alg_why why)
{
	for (size_t i = 0; i < rw->ncalls; i++)
		rewrite_doom(rw, &rw->calls[i], why, false);
}

static enum alg_why
take(struct alg_rewrite *rw, struct call *call, enum alg_side side, uint16_t id)
{
	enum alg_why why = rw->config.xlate.take(rw->config.xlate_user, side, id, &call->xid[side]);

	call->id[side] = id;
	call->taken[side] = why == ALG_WHY_NONE;
	return why;
}

/* --- requests ------------------------------------------------------------------------------- */

/* A call whose Call-Clear-Request the other end never answered keeps nobody else out: one at a time, as each is an event. There are more
 * calls than may be where a process with a lower limit took over. */
static bool
make_room(struct alg_rewrite *rw)
{
	if (rw->ncalls < rw->config.max_calls)
		return true;
	for (size_t i = 0; i < rw->ncalls; i++)
		if (rw->calls[i].state == CALL_CLEARING) {
			rewrite_finish(rw, &rw->calls[i], ALG_WHY_CLEARED);
			break;
		}
	return rw->ncalls < rw->config.max_calls;
}

static enum alg_why
new_call(struct alg_rewrite *rw, const struct rx *in, uint16_t id)
{
	struct call call = {.requester = in->from, .incoming = in->msg->type == PPTP_INCOMING_CALL_REQUEST, .state = CALL_REQUESTED};
	enum alg_why why;

	if (!make_room(rw))
		return ALG_WHY_CROWDED;
	if (!rewrite_grow(rw, rw->ncalls + 1))
		return ALG_WHY_NO_MEMORY;
	why = rw->config.xlate.admit != NULL ? rw->config.xlate.admit(rw->config.xlate_user) : ALG_WHY_NONE;
	if (why == ALG_WHY_NONE)
		why = take(rw, &call, in->from, id);
	if (why != ALG_WHY_NONE)
		return why;
	call.number = rw->next_number++;
	rw->calls[rw->ncalls++] = call;
	rewrite_note(rw, ALG_EVENT_CALL_NEW, in->from, ALG_WHY_NONE)->call = rewrite_public(&call);
	rewrite_forward_call(rw, in->from, in->msg, in->data, in->len, &call, false);
	return ALG_WHY_NONE;
}

static void
deny(struct alg_rewrite *rw, const struct rx *in, uint16_t id, enum alg_why why)
{
	struct call refused = {.requester = in->from, .incoming = in->msg->type == PPTP_INCOMING_CALL_REQUEST};
	struct alg_call call;

	refused.id[in->from] = id;
	refused.taken[in->from] = true; /* so that its owner may still speak of it */
	call = rewrite_public(&refused);
	rewrite_note(rw, ALG_EVENT_CALL_REFUSED, in->from, why)->call = call;
	remember(rw, &refused, false);
	if (rw->config.trace != NULL)
		rw->config.trace(rw->config.trace_user, in->from, in->msg, NULL);
	rewrite_refuse(rw, in->from, call.incoming, id, why);
}

/* An id may be used anew as soon as its owner has asked for the end of the call that had it. */
void
rewrite_request(struct alg_rewrite *rw, const struct rx *in)
{
	uint16_t id = get_u16(in->data + pptp_msg_info(in->msg->type)->call_id_offset);
	struct call *same = by_own(rw, in->from, id);
	enum alg_why why;

	if (same != NULL && (same->cleared & 1 << in->from) == 0) {
		rewrite_violation(rw, in, ALG_WHY_SEQUENCE, NOTE_DUPLICATE, id);
		return;
	}
	if (same != NULL)
		rewrite_finish(rw, same, ALG_WHY_CLEARED);
	why = new_call(rw, in, id);
	if (why != ALG_WHY_NONE)
		deny(rw, in, id, why);
}

/* --- what a message about a call does --------------------------------------------------------- */

struct about {
	struct call *call;
	bool receivers_id; /* Call ID held the receiver's own id, as accel-ppp has it */
};

typedef void (*call_action)(struct alg_rewrite *, const struct rx *, const struct about *);

static void
forward(struct alg_rewrite *rw, const struct rx *in, const struct about *a)
{
	rewrite_forward_call(rw, in->from, in->msg, in->data, in->len, a->call, a->receivers_id);
}

static void
refuse(struct alg_rewrite *rw, const struct rx *in, const struct about *a)
{
	rewrite_violation(rw, in, ALG_WHY_SEQUENCE, NOTE_STATE, a->call->id[in->from]);
}

static bool
accepts(const struct pptp_msg *msg)
{
	return msg->type == PPTP_OUTGOING_CALL_REPLY ? msg->outgoing_call_reply.result_code == PPTP_OCRP_CONNECTED
						     : msg->incoming_call_reply.result_code == PPTP_ICRP_CONNECT;
}

/* Learns the replier's id, unless nothing can come of the call: then it is refused here, and ended at the replier's end. */
static bool
learn(struct alg_rewrite *rw, const struct rx *in, struct call *call)
{
	uint16_t id = get_u16(in->data + pptp_msg_info(in->msg->type)->call_id_offset);
	enum alg_why why;

	if (by_own(rw, in->from, id) != NULL) {
		rewrite_violation(rw, in, ALG_WHY_SEQUENCE, NOTE_SAME_REPLY, id);
		rewrite_doom(rw, call, ALG_WHY_SEQUENCE, true);
		return false;
	}
	why = take(rw, call, in->from, id);
	if (why == ALG_WHY_NONE)
		return true;
	rewrite_doom(rw, call, why, true);
	if (rw->config.trace != NULL)
		rw->config.trace(rw->config.trace_user, in->from, in->msg, NULL);
	return false;
}

static void
replied_no(struct alg_rewrite *rw, const struct rx *in, const struct about *a)
{
	forward(rw, in, a);
	rewrite_finish(rw, a->call, ALG_WHY_REPLIED_NO);
}

static void
reply(struct alg_rewrite *rw, const struct rx *in, const struct about *a)
{
	struct half *h = &rw->half[in->from];

	if (!accepts(in->msg)) {
		replied_no(rw, in, a);
		return;
	}
	if (!learn(rw, in, a->call))
		return;
	memcpy(h->held, in->data, in->len);
	h->held_len = in->len;
	h->held_call = a->call->number;
	a->call->state = CALL_HELD;
	rewrite_note(rw, ALG_EVENT_GATES_WANTED, in->from, ALG_WHY_NONE)->call = rewrite_public(a->call);
	if (rw->config.trace != NULL)
		rw->config.trace(rw->config.trace_user, in->from, in->msg, NULL);
}

/* It crossed Call-Clear-Request: no gates for a call that is about to end, but its end will be told with this id. */
static void
reply_crossing(struct alg_rewrite *rw, const struct rx *in, const struct about *a)
{
	if (!accepts(in->msg))
		replied_no(rw, in, a);
	else if (a->call->taken[in->from])
		refuse(rw, in, a);
	else if (learn(rw, in, a->call))
		forward(rw, in, a);
}

static void
connected(struct alg_rewrite *rw, const struct rx *in, const struct about *a)
{
	a->call->state = CALL_UP;
	forward(rw, in, a);
}

static void
clear(struct alg_rewrite *rw, const struct rx *in, const struct about *a)
{
	a->call->cleared |= (uint8_t)(1 << in->from);
	if (a->call->state != CALL_HELD)
		a->call->state = CALL_CLEARING;
	forward(rw, in, a);
}

static void
disconnect(struct alg_rewrite *rw, const struct rx *in, const struct about *a)
{
	forward(rw, in, a);
	rewrite_finish(rw, a->call, ALG_WHY_CLEARED);
}

enum column { REPLY, CONNECTED, CLEAR, DISCONNECT_NOTIFY, NOTICE, COLUMNS };

/* clang-format off */
static const call_action cells[CALL_STATES][COLUMNS] = {
	/*                   REPLY           CONNECTED  CLEAR  DISCONNECT  NOTICE (Set-Link-Info, WAN-Error-Notify) */
	[CALL_REQUESTED] = {reply,          refuse,    clear, disconnect, refuse},
	[CALL_HELD]      = {refuse,         refuse,    clear, disconnect, refuse},
	[CALL_REPLIED]   = {refuse,         connected, clear, disconnect, forward},
	[CALL_UP]        = {refuse,         refuse,    clear, disconnect, forward},
	[CALL_CLEARING]  = {reply_crossing, forward,   clear, disconnect, forward},
};
/* clang-format on */

/* Which column, if it is the message's sender who may send it in this kind of call; COLUMNS if not. */
static enum column
column_of(const struct rx *in, const struct call *call)
{
	bool by_requester = in->from == call->requester;

	switch (in->msg->type) {
	case PPTP_OUTGOING_CALL_REPLY:
		return !call->incoming && !by_requester ? REPLY : COLUMNS;
	case PPTP_INCOMING_CALL_REPLY:
		return call->incoming && !by_requester ? REPLY : COLUMNS;
	case PPTP_INCOMING_CALL_CONNECTED:
		return call->incoming && by_requester ? CONNECTED : COLUMNS;
	case PPTP_CALL_CLEAR_REQUEST:
		return CLEAR;
	case PPTP_CALL_DISCONNECT_NOTIFY:
		return DISCONNECT_NOTIFY;
	default:
		return NOTICE;
	}
}

/* --- which call a message is about ---------------------------------------------------------------- */

/* The oldest call that was cleared before its reply came: Call-Disconnect-Notify then names an id that was never told. */
static struct call *
cleared_early(const struct alg_rewrite *rw, enum alg_side from)
{
	for (size_t i = 0; i < rw->ncalls; i++)
		if (rw->calls[i].state == CALL_CLEARING && !rw->calls[i].taken[from])
			return &rw->calls[i];
	return NULL;
}

/* Call-Clear-Request and Call-Disconnect-Notify name the sender's id. An id never told may by chance be one of the receiver's: a call
 * that waits, or waited, for such a message comes first. Its id is taken for a moment, so that at the other end it is no other call's;
 * where none is free, 0 is told. */
static struct about
by_call_id(struct alg_rewrite *rw, const struct rx *in, uint16_t id)
{
	struct call *early = in->msg->type == PPTP_CALL_DISCONNECT_NOTIFY ? cleared_early(rw, in->from) : NULL;
	struct about a = {.call = by_own(rw, in->from, id)};
	struct call *peers = rw->config.policy == PPTP_LENIENT ? by_peers(rw, in->from, id) : NULL;

	if (a.call != NULL || recent_own(rw, in->from, id) != NULL)
		return a;
	if (early != NULL && early != peers) {
		take(rw, early, in->from, id);
		a.call = early;
		return a;
	}
	if (in->msg->type == PPTP_CALL_DISCONNECT_NOTIFY && recent_owed(rw, in->from) != NULL)
		return a;
	a.call = peers;
	a.receivers_id = peers != NULL;
	rw->stats.repaired += a.receivers_id;
	return a;
}

/* Whether the message is about a call that ended lately. A reply to such a call tells the id under which its sender will speak of it
 * next; and where a PAC still owes the end of one, it is that. */
static bool
is_late(struct alg_rewrite *rw, const struct rx *in, uint16_t id)
{
	const struct pptp_msg_info *info = pptp_msg_info(in->msg->type);
	struct recent *r = recent_own(rw, in->from, id);

	if (info->call_id_offset != 0 && info->peer_call_id_offset != 0) {
		r = recent_peers(rw, in->from, id);
		if (r == NULL)
			return false;
		r->id[in->from] = get_u16(in->data + info->call_id_offset);
		r->taken[in->from] = true;
		r->owes_end = false;
		return true;
	}
	if (r == NULL && in->msg->type == PPTP_CALL_DISCONNECT_NOTIFY) {
		r = recent_owed(rw, in->from);
		if (r != NULL)
			r->owes_end = false;
	}
	return r != NULL || recent_peers(rw, in->from, id) != NULL;
}

/* Set-Link-Info and WAN-Error-Notify: some peers name their own id, or 0 where there is only one call. Where the receiver's id is not
 * known, nothing right could be told to it. */
static struct call *
guess_noticed(struct alg_rewrite *rw, enum alg_side from, uint16_t id)
{
	struct call *call = by_own(rw, from, id);

	if (call == NULL && id == 0 && rw->ncalls == 1)
		call = &rw->calls[0];
	if (call != NULL && !call->taken[other_side(from)])
		return NULL;
	rw->stats.repaired += call != NULL;
	return call;
}

static struct about
about(struct alg_rewrite *rw, const struct rx *in, uint16_t *id)
{
	const struct pptp_msg_info *info = pptp_msg_info(in->msg->type);
	struct about a = {0};

	if (info->peer_call_id_offset == 0) {
		*id = get_u16(in->data + info->call_id_offset);
		return by_call_id(rw, in, *id);
	}
	*id = get_u16(in->data + info->peer_call_id_offset);
	a.call = by_peers(rw, in->from, *id);
	if (a.call == NULL && rw->config.policy == PPTP_LENIENT &&
	    (in->msg->type == PPTP_SET_LINK_INFO || in->msg->type == PPTP_WAN_ERROR_NOTIFY))
		a.call = guess_noticed(rw, in->from, *id);
	return a;
}

void
rewrite_call_message(struct alg_rewrite *rw, const struct rx *in)
{
	uint16_t id;
	struct about a = about(rw, in, &id);
	enum column column;

	if (a.call == NULL && is_late(rw, in, id)) {
		rewrite_late(rw, in);
		return;
	}
	if (a.call == NULL) {
		rewrite_violation(rw, in, ALG_WHY_SEQUENCE, NOTE_NO_CALL, id);
		return;
	}
	column = column_of(in, a.call);
	if (column == COLUMNS)
		refuse(rw, in, &a);
	else
		cells[a.call->state][column](rw, in, &a);
}
