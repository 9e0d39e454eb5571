/* What the parts of the rewriter share: rewrite.c (the object, output, events), rewrite_rx.c (messages in), rewrite_state.c (calls and
 * what may happen to them), rewrite_tx.c (messages of the gateway's own), rewrite_save.c (hand-over). */
#ifndef ALG_REWRITE_PRIVATE_H
#define ALG_REWRITE_PRIVATE_H

#include <pptp/framer.h>

#include "alg/rewrite.h"

enum {
	OUT_BYTES = 1024,
	EVENTS = 8,
	MESSAGE_EVENTS = 3, /* of one message: a request can end the call that had its id, and one that makes room, and be a call */
	RECENT = 64,        /* ended calls that are remembered, so that what crossed their end is known for what it is */
	DISCONNECT = 148,   /* bytes of the longest message that the gateway makes */
};

static inline enum alg_side
other_side(enum alg_side side)
{
	return side == ALG_CLIENT ? ALG_SERVER : ALG_CLIENT;
}

/* How far the control connection is, as far as a gateway can see. */
enum phase {
	PHASE_NEW,      /* no Start-Control-Connection-Request yet */
	PHASE_STARTED,  /* requested by whoever's bit is in `started` */
	PHASE_UP,       /* who has asked, too, and not been answered yet, still has its bit there */
	PHASE_STOPPING, /* one side has said Stop */
	PHASES,         /* beyond these, messages are no longer looked at: */
	PHASE_UNTOUCHED = PHASES,
	PHASE_CLOSED,
};

enum call_state {
	CALL_REQUESTED,
	CALL_HELD,    /* the reply waits here for the gates */
	CALL_REPLIED, /* incoming: Incoming-Call-Connected is still to come */
	CALL_UP,
	CALL_CLEARING, /* Call-Clear-Request went by */
	CALL_STATES,
};

struct call {
	uint32_t number;
	enum alg_side requester;
	bool incoming;
	enum call_state state;
	bool taken[2]; /* whether that side's id is known and has its xid */
	uint16_t id[2], xid[2];
	uint8_t cleared;   /* sides that sent Call-Clear-Request, bits */
	enum alg_why doom; /* it ends, as soon as there is room to say so; NONE: it doesn't */
	bool tell;         /* with messages to both ends */
};

/* Ids of an ended or refused call. What each field means: see struct call; an xid of 0 was never told. */
struct recent {
	bool taken[2];
	uint16_t id[2], xid[2];
	bool owes_end; /* the PAC was told to clear it, and its Call-Disconnect-Notify will name an id that is not known here */
};

/* What is wrong with a message: with its name and a number, the text of an event. */
enum note {
	NOTE_NONE,
	NOTE_PHASE,
	NOTE_NO_CALL,
	NOTE_STATE,
	NOTE_DUPLICATE,
	NOTE_SAME_REPLY,
	NOTE_UNKNOWN_TYPE,
	NOTE_FIELD,
	NOTE_STREAM,
	NOTE_VERSION,
	NOTES,
};

struct event {
	enum alg_event_type type;
	enum alg_side from;
	enum alg_why why;
	uint8_t msg_type; /* 0: none */
	enum note note;
	uint16_t value;    /* what the note is about */
	const char *field; /* NOTE_FIELD: static; lost in a hand-over */
	struct alg_call call;
};

/* What comes from a side, and what goes to it. */
struct half {
	struct pptp_framer framer;
	size_t held_len; /* a reply from this side waits for gates */
	uint32_t held_call;
	size_t out_len; /* to this side */
	uint8_t held[PPTP_MAX_MESSAGE];
	uint8_t out[OUT_BYTES];
};

struct alg_rewrite {
	struct alg_rewrite_config config;
	enum phase phase;
	uint8_t started; /* sides with a Start-Control-Connection-Request not yet replied to, bits */
	bool close_told; /* whether ALG_EVENT_CLOSED is out, or isn't to come */
	struct event closing;
	uint32_t next_number;
	struct call *calls; /* the oldest first */
	size_t ncalls, cap, ndoomed;
	struct recent recent[RECENT];
	size_t next_recent;
	struct event events[EVENTS];
	size_t first_event, nevents;
	struct half half[2];
	struct alg_rewrite_stats stats;
};

/* A message on its way. data is the framer's, and good until the next message. */
struct rx {
	enum alg_side from;
	const uint8_t *data;
	size_t len;
	const struct pptp_msg *msg;
};

/* --- rewrite.c --- */

/* The event's slot, to be filled in further. There must be room. */
struct event *rewrite_note(struct alg_rewrite *rw, enum alg_event_type type, enum alg_side from, enum alg_why why);
void rewrite_close(struct alg_rewrite *rw, enum alg_side from, enum alg_why why, enum note note, uint16_t value);

/* --- rewrite_rx.c --- */

/* Takes what the framer gave. */
void rewrite_message(struct alg_rewrite *rw, enum alg_side from, const uint8_t *data, size_t len);
/* Not PPTP version 1: refused or let through for good, by configuration. The bytes come first. */
void rewrite_other_version(struct alg_rewrite *rw, enum alg_side from, const uint8_t *data, size_t len, enum note note, uint16_t value);
void rewrite_violation(struct alg_rewrite *rw, const struct rx *in, enum alg_why why, enum note note, uint16_t value);
void rewrite_late(struct alg_rewrite *rw, const struct rx *in);

/* --- rewrite_state.c --- */

void rewrite_request(struct alg_rewrite *rw, const struct rx *in);
void rewrite_call_message(struct alg_rewrite *rw, const struct rx *in);
struct call *rewrite_by_number(const struct alg_rewrite *rw, uint32_t number);
struct alg_call rewrite_public(const struct call *call);
void rewrite_doom(struct alg_rewrite *rw, struct call *call, enum alg_why why, bool tell);
/* Every call, without a word to either end. */
void rewrite_doom_all(struct alg_rewrite *rw, enum alg_why why);
/* Forgets the call, gives back its ids, and notes ALG_EVENT_CALL_END. *call is another one after this, or none. */
void rewrite_finish(struct alg_rewrite *rw, struct call *call, enum alg_why why);
/* Room for one call more; false: no memory. */
bool rewrite_grow(struct alg_rewrite *rw, size_t calls);

/* --- rewrite_tx.c --- */

void rewrite_forward(struct alg_rewrite *rw, enum alg_side from, const struct pptp_msg *received, const uint8_t *data, size_t len);
/* The message with its ids as the other end must see them. */
void rewrite_forward_call(struct alg_rewrite *rw, enum alg_side from, const struct pptp_msg *received, const uint8_t *data, size_t len,
    const struct call *call, bool receivers_id);
/* Answers a request of `to` in the other end's place. */
void rewrite_refuse(struct alg_rewrite *rw, enum alg_side to, bool incoming, uint16_t id, enum alg_why why);
/* Tells both ends that the call is over; needs DISCONNECT bytes of room each way. */
void rewrite_tell_end(struct alg_rewrite *rw, const struct call *call);

#endif
