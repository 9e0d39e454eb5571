#include "alg/rewrite_private.h"
#include "base/wire.h"

void
rewrite_violation(struct alg_rewrite *rw, const struct rx *in, enum alg_why why, enum note note, uint16_t value)
{
	struct event *e = rewrite_note(rw, ALG_EVENT_VIOLATION, in->from, why);

	e->msg_type = in->msg != NULL ? (uint8_t)in->msg->type : 0;
	e->note = note;
	e->value = value;
	rw->stats.refused++;
	if (in->msg != NULL && rw->config.trace != NULL)
		rw->config.trace(rw->config.trace_user, in->from, in->msg, NULL);
}

void
rewrite_late(struct alg_rewrite *rw, const struct rx *in)
{
	rw->stats.late++;
	if (rw->config.trace != NULL)
		rw->config.trace(rw->config.trace_user, in->from, in->msg, NULL);
}

/* --- another version ------------------------------------------------------------------- */

static void
pass_raw(struct alg_rewrite *rw, enum alg_side from, const uint8_t *data, size_t len)
{
	struct half *to = &rw->half[other_side(from)];

	for (size_t i = 0; i < len; i++)
		to->out[to->out_len++] = data[i];
}

/* What the framers have taken in goes out as it came, first of all. */
void
rewrite_other_version(struct alg_rewrite *rw, enum alg_side from, const uint8_t *data, size_t len, enum note note, uint16_t value)
{
	const struct pptp_framer *back = &rw->half[other_side(from)].framer;

	if (rw->config.other_version == ALG_VERSION_REFUSE) {
		rewrite_close(rw, from, ALG_WHY_VERSION, note, value);
		return;
	}
	pass_raw(rw, from, data, len);
	pass_raw(rw, other_side(from), back->buf, back->len);
	rewrite_doom_all(rw, ALG_WHY_VERSION);
	rw->phase = PHASE_UNTOUCHED;
	rewrite_note(rw, ALG_EVENT_UNTOUCHED, from, ALG_WHY_VERSION);
}

static bool
other_version(struct alg_rewrite *rw, const struct rx *in)
{
	uint16_t version = in->msg->start.protocol_version;

	if (version == PPTP_VERSION_1)
		return false;
	rewrite_other_version(rw, in->from, in->data, in->len, NOTE_VERSION, version);
	return true;
}

/* --- what a message about the connection does ---------------------------------------------- */

typedef void (*rx_action)(struct alg_rewrite *, const struct rx *);

static void
pass(struct alg_rewrite *rw, const struct rx *in)
{
	rewrite_forward(rw, in->from, in->msg, in->data, in->len);
}

static void
refuse(struct alg_rewrite *rw, const struct rx *in)
{
	rewrite_violation(rw, in, ALG_WHY_SEQUENCE, NOTE_PHASE, 0);
}

/* Both sides may ask, on one TCP connection too (section 3.1.3), but each only once. */
static void
start_request(struct alg_rewrite *rw, const struct rx *in)
{
	if ((rw->started & 1 << in->from) != 0) {
		refuse(rw, in);
		return;
	}
	if (other_version(rw, in))
		return;
	rw->started |= (uint8_t)(1 << in->from);
	rw->phase = PHASE_STARTED;
	pass(rw, in);
}

/* A refused Start may be followed by another try. */
static void
start_reply(struct alg_rewrite *rw, const struct rx *in)
{
	uint8_t asked = (uint8_t)(1 << other_side(in->from));
	uint8_t result = in->msg->start.result_code;

	if ((rw->started & asked) == 0) {
		refuse(rw, in);
		return;
	}
	if (result == PPTP_START_OK || (result == 0 && rw->config.policy == PPTP_LENIENT)) {
		if (other_version(rw, in))
			return;
		rw->phase = PHASE_UP;
		rw->started &= (uint8_t)~asked;
	} else {
		rw->started &= (uint8_t)~asked;
		rw->phase = rw->started != 0 ? PHASE_STARTED : PHASE_NEW;
		rewrite_doom_all(rw, ALG_WHY_REPLIED_NO);
	}
	pass(rw, in);
}

/* Where both have asked, both may answer, and the connection is up with the first reply that says yes. */
static void
second_reply(struct alg_rewrite *rw, const struct rx *in)
{
	uint8_t asked = (uint8_t)(1 << other_side(in->from));

	if ((rw->started & asked) == 0) {
		refuse(rw, in);
		return;
	}
	rw->started &= (uint8_t)~asked;
	pass(rw, in);
}

static void
stop_request(struct alg_rewrite *rw, const struct rx *in)
{
	rw->phase = PHASE_STOPPING;
	rewrite_doom_all(rw, ALG_WHY_STOPPED);
	pass(rw, in);
}

/* A client may send its first requests along with its Start, before the reply is there; it is the server's to judge. */
static void
early_request(struct alg_rewrite *rw, const struct rx *in)
{
	if ((rw->started & 1 << in->from) != 0 && rw->config.policy == PPTP_LENIENT)
		rewrite_request(rw, in);
	else
		refuse(rw, in);
}

enum kind { START_REQUEST, START_REPLY, STOP_REQUEST, STOP_REPLY, ECHO, CALL_REQUEST, CALL_OTHER, KINDS };

static enum kind
kind_of(enum pptp_msg_type type)
{
	switch (type) {
	case PPTP_START_CONTROL_CONNECTION_REQUEST:
		return START_REQUEST;
	case PPTP_START_CONTROL_CONNECTION_REPLY:
		return START_REPLY;
	case PPTP_STOP_CONTROL_CONNECTION_REQUEST:
		return STOP_REQUEST;
	case PPTP_STOP_CONTROL_CONNECTION_REPLY:
		return STOP_REPLY;
	case PPTP_ECHO_REQUEST:
	case PPTP_ECHO_REPLY:
		return ECHO;
	case PPTP_OUTGOING_CALL_REQUEST:
	case PPTP_INCOMING_CALL_REQUEST:
		return CALL_REQUEST;
	default:
		return CALL_OTHER;
	}
}

/* clang-format off */
static const rx_action cells[PHASES][KINDS] = {
	/*                   START_REQUEST  START_REPLY   STOP_REQUEST  STOP_REPLY ECHO    CALL_REQUEST     CALL_OTHER */
	[PHASE_NEW]      = {start_request, refuse,       stop_request, refuse,    refuse, refuse,          refuse},
	[PHASE_STARTED]  = {start_request, start_reply,  stop_request, refuse,    pass,   early_request,   rewrite_call_message},
	[PHASE_UP]       = {refuse,        second_reply, stop_request, refuse,    pass,   rewrite_request, rewrite_call_message},
	[PHASE_STOPPING] = {refuse,        refuse,       pass,         pass,      pass,   rewrite_late,    rewrite_late},
};
/* clang-format on */

void
rewrite_message(struct alg_rewrite *rw, enum alg_side from, const uint8_t *data, size_t len)
{
	struct rx in = {.from = from, .data = data, .len = len};
	const char *field = NULL;
	struct pptp_msg msg;
	int error = pptp_msg_decode(&msg, data, len, rw->config.policy, &field);

	rw->stats.received[from]++;
	if (error == PPTP_OK) {
		in.msg = &msg;
		cells[rw->phase][kind_of(msg.type)](rw, &in);
		return;
	}
	rewrite_violation(rw, &in, ALG_WHY_MALFORMED, error == PPTP_ERR_FIELD ? NOTE_FIELD : NOTE_UNKNOWN_TYPE,
	    error == PPTP_ERR_FIELD ? 0 : get_u16(data + 8));
	if (error != PPTP_ERR_FIELD)
		return;
	rw->events[(rw->first_event + rw->nevents - 1) % EVENTS].field = field;
	rw->events[(rw->first_event + rw->nevents - 1) % EVENTS].msg_type = data[9];
}
