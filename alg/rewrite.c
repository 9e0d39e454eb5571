#include <string.h>

#include "alg/rewrite_private.h"
#include "base/text.h"

/* --- words ----------------------------------------------------------------------- */

static const char *const why_texts[ALG_WHYS] = {
    [ALG_WHY_NONE] = "no reason",
    [ALG_WHY_CLEARED] = "call cleared",
    [ALG_WHY_STOPPED] = "control connection stopped",
    [ALG_WHY_REPLIED_NO] = "refused by the other end",
    [ALG_WHY_TRANSPORT] = "control connection lost",
    [ALG_WHY_ADMIN] = "cleared by the administrator",
    [ALG_WHY_NO_ID] = "no translated call id free",
    [ALG_WHY_TOO_MANY] = "too many calls",
    [ALG_WHY_NO_MEMORY] = "out of memory",
    [ALG_WHY_GATES_FAILED] = "gates could not be installed",
    [ALG_WHY_SEQUENCE] = "message out of sequence",
    [ALG_WHY_MALFORMED] = "malformed message",
    [ALG_WHY_VERSION] = "not PPTP version 1",
    [ALG_WHY_AGED] = "no packet through the gates in their first time",
    [ALG_WHY_IDLE] = "no packet through the gates for their idle time",
    [ALG_WHY_CROWDED] = "too many calls on one connection",
};

/* The message's name stands in front, the event's value behind. */
static const char *const note_texts[NOTES] = {
    [NOTE_NONE] = "refused",
    [NOTE_PHASE] = "not allowed in the present state of the control connection",
    [NOTE_NO_CALL] = "no call has the id",
    [NOTE_STATE] = "not allowed in the present state of the call with the id",
    [NOTE_DUPLICATE] = "another call of the sender has the id",
    [NOTE_SAME_REPLY] = "the sender gave two calls the id",
    [NOTE_UNKNOWN_TYPE] = "unknown control message type",
    [NOTE_FIELD] = "value not allowed",
    [NOTE_STREAM] = "the stream can't be followed",
    [NOTE_VERSION] = "protocol version",
};

const char *
alg_why_text(enum alg_why why)
{
	return why_texts[why];
}

static void
event_text(char *buf, size_t size, const struct event *e)
{
	const struct pptp_msg_info *info = pptp_msg_info(e->msg_type);
	struct text t;

	text_init(&t, buf, size);
	if (e->type != ALG_EVENT_VIOLATION && e->type != ALG_EVENT_CLOSED)
		return;
	if (info != NULL)
		text_addf(&t, "%s: ", info->name);
	if (e->note == NOTE_FIELD && e->field != NULL)
		text_addf(&t, "%s: ", e->field);
	text_addf(&t, "%s", note_texts[e->note]);
	if (e->note == NOTE_STREAM)
		text_addf(&t, ": %s", pptp_strerror(-(int)e->value));
	else if (e->value != 0 || e->note == NOTE_NO_CALL)
		text_addf(&t, " %u", (unsigned)e->value);
}

/* --- the object -------------------------------------------------------------------- */

int
alg_rewrite_new(struct alg_rewrite **out, const struct alg_rewrite_config *config)
{
	struct alg_rewrite *rw = mem_calloc(config->mem, 1, sizeof(*rw));

	if (rw == NULL)
		return -1;
	rw->config = *config;
	rw->next_number = 1;
	pptp_framer_init(&rw->half[ALG_CLIENT].framer);
	pptp_framer_init(&rw->half[ALG_SERVER].framer);
	*out = rw;
	return 0;
}

void
alg_rewrite_free(struct alg_rewrite *rw)
{
	if (rw == NULL)
		return;
	for (size_t i = 0; i < rw->ncalls; i++)
		for (int side = 0; side < 2; side++)
			if (rw->calls[i].taken[side])
				rw->config.xlate.give(rw->config.xlate_user, (enum alg_side)side, rw->calls[i].xid[side]);
	mem_free(rw->config.mem, rw->calls);
	mem_free(rw->config.mem, rw);
}

/* --- output and events ----------------------------------------------------------------- */

/* Bytes that fit towards a side; what a held reply needs is set aside. */
static size_t
room_to(const struct alg_rewrite *rw, enum alg_side to)
{
	size_t used = rw->half[to].out_len + (rw->half[other_side(to)].held_len > 0 ? PPTP_MAX_MESSAGE : 0);

	return used < OUT_BYTES ? OUT_BYTES - used : 0;
}

struct event *
rewrite_note(struct alg_rewrite *rw, enum alg_event_type type, enum alg_side from, enum alg_why why)
{
	struct event *e = &rw->events[(rw->first_event + rw->nevents++) % EVENTS];

	*e = (struct event){.type = type, .from = from, .why = why};
	return e;
}

/* Ends doomed calls and tells of the end, as far as there is room. The end of everything comes last, when each call has its own. */
static void
pump(struct alg_rewrite *rw)
{
	for (size_t i = 0; rw->ndoomed > 0 && i < rw->ncalls && rw->nevents < EVENTS;) {
		struct call *call = &rw->calls[i];

		if (call->doom == ALG_WHY_NONE ||
		    (call->tell && (room_to(rw, ALG_CLIENT) < DISCONNECT || room_to(rw, ALG_SERVER) < DISCONNECT))) {
			i++;
			continue;
		}
		if (call->tell)
			rewrite_tell_end(rw, call);
		rw->ndoomed--;
		rewrite_finish(rw, call, call->doom);
	}
	if (rw->closing.type != ALG_EVENT_NONE && !rw->close_told && rw->ndoomed == 0 && rw->nevents < EVENTS) {
		*rewrite_note(rw, ALG_EVENT_CLOSED, rw->closing.from, rw->closing.why) = rw->closing;
		rw->close_told = true;
	}
}

void
rewrite_close(struct alg_rewrite *rw, enum alg_side from, enum alg_why why, enum note note, uint16_t value)
{
	rw->closing = (struct event){.type = ALG_EVENT_CLOSED, .from = from, .why = why, .note = note, .value = value};
	rw->phase = PHASE_CLOSED;
	rewrite_doom_all(rw, why);
}

size_t
alg_rewrite_output(const struct alg_rewrite *rw, enum alg_side to, const uint8_t **data)
{
	*data = rw->half[to].out;
	return rw->half[to].out_len;
}

void
alg_rewrite_sent(struct alg_rewrite *rw, enum alg_side to, size_t n)
{
	struct half *h = &rw->half[to];

	n = n < h->out_len ? n : h->out_len;
	memmove(h->out, h->out + n, h->out_len - n);
	h->out_len -= n;
	pump(rw);
}

bool
alg_rewrite_event(struct alg_rewrite *rw, struct alg_event *event)
{
	struct event *e = &rw->events[rw->first_event];

	if (rw->nevents == 0)
		return false;
	*event = (struct alg_event){.type = e->type, .from = e->from, .why = e->why, .call = e->call};
	event_text(event->text, sizeof(event->text), e);
	rw->first_event = (rw->first_event + 1) % EVENTS;
	rw->nevents--;
	pump(rw);
	return true;
}

/* --- input -------------------------------------------------------------------------------- */

/* Room for all that one message can bring: itself on one side, a refusal on the other, and its events. */
static bool
ready(const struct alg_rewrite *rw, enum alg_side from)
{
	return rw->phase < PHASES && rw->half[from].held_len == 0 && rw->ndoomed == 0 && rw->nevents + MESSAGE_EVENTS <= EVENTS &&
	       room_to(rw, ALG_CLIENT) >= PPTP_MAX_MESSAGE && room_to(rw, ALG_SERVER) >= PPTP_MAX_MESSAGE;
}

/* At the very start that is a peer which speaks something else; later it has lost its way. */
static void
bad_stream(struct alg_rewrite *rw, enum alg_side from, int error)
{
	const struct pptp_framer *f = &rw->half[from].framer;

	if (rw->phase == PHASE_NEW)
		rewrite_other_version(rw, from, f->buf, f->len, NOTE_STREAM, (uint16_t)-error);
	else
		rewrite_close(rw, from, ALG_WHY_MALFORMED, NOTE_STREAM, (uint16_t)-error);
}

static size_t
pass_bytes(struct alg_rewrite *rw, enum alg_side from, const uint8_t *data, size_t datalen)
{
	struct half *to = &rw->half[other_side(from)];
	size_t room = OUT_BYTES - to->out_len, n = datalen < room ? datalen : room;

	if (n > 0)
		memcpy(to->out + to->out_len, data, n);
	to->out_len += n;
	return n;
}

size_t
alg_rewrite_recv(struct alg_rewrite *rw, enum alg_side from, const uint8_t *data, size_t datalen)
{
	const uint8_t *first = data, *msg;
	int n;

	while (datalen > 0 && ready(rw, from)) {
		n = pptp_framer_next(&rw->half[from].framer, &data, &datalen, &msg);
		if (n > 0)
			rewrite_message(rw, from, msg, (size_t)n);
		else if (n < 0)
			bad_stream(rw, from, n);
		pump(rw);
	}
	if (rw->phase == PHASE_UNTOUCHED)
		data += pass_bytes(rw, from, data, datalen);
	else if (rw->phase == PHASE_CLOSED)
		data += datalen;
	return (size_t)(data - first);
}

void
alg_rewrite_transport_closed(struct alg_rewrite *rw, enum alg_side side)
{
	(void)side;
	if (rw->phase == PHASE_CLOSED)
		return;
	rw->phase = PHASE_CLOSED;
	rewrite_doom_all(rw, ALG_WHY_TRANSPORT);
	pump(rw);
}

/* --- what the program decides ----------------------------------------------------------------- */

void
alg_rewrite_gates(struct alg_rewrite *rw, uint32_t call_number, bool ok)
{
	struct call *call = rewrite_by_number(rw, call_number);
	struct half *h;

	if (call == NULL || call->state != CALL_HELD || call->doom != ALG_WHY_NONE)
		return;
	if (!ok) {
		rewrite_doom(rw, call, ALG_WHY_GATES_FAILED, true);
		pump(rw);
		return;
	}
	h = &rw->half[other_side(call->requester)];
	call->state = call->cleared != 0 ? CALL_CLEARING : call->incoming ? CALL_REPLIED : CALL_UP;
	rewrite_forward_call(rw, other_side(call->requester), NULL, h->held, h->held_len, call, false);
	h->held_len = 0;
}

bool
alg_rewrite_clear(struct alg_rewrite *rw, uint32_t call_number, enum alg_why why)
{
	struct call *call = rewrite_by_number(rw, call_number);

	if (call == NULL || call->doom != ALG_WHY_NONE)
		return false;
	rewrite_doom(rw, call, why, true);
	pump(rw);
	return true;
}

/* --- to look at ------------------------------------------------------------------------------------ */

size_t
alg_rewrite_calls(const struct alg_rewrite *rw, struct alg_call *calls, size_t max)
{
	for (size_t i = 0; i < rw->ncalls && i < max; i++)
		calls[i] = rewrite_public(&rw->calls[i]);
	return rw->ncalls;
}

void
alg_rewrite_stats(const struct alg_rewrite *rw, struct alg_rewrite_stats *stats)
{
	*stats = rw->stats;
}
