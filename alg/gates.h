/* The life of each call's pair of gates, sans-I/O: from the reply that wants them to the record of what they carried.
 *
 *   want ─► ADDING ─► AGEING ── first packet ─► ACTIVE ── silence, end of call ─► DELETING ─► DONE (record) ─► free
 *                        └──── none in time ──────────────────────────────────────►┘
 *   adopt ─► ACTIVE or AGEING, with the control connection that a restart handed over; without one:
 *   adopt ─► ADOPTED ── silence ─► DELETING
 *
 * The program executes what gates_action() tells and reports the outcome; time comes in with each call. Ageing and idle time-outs
 * come from the data path's counters, which are read at least every poll_ns and always right before a time-out takes effect.
 *
 * Limits are kept here: calls, calls per client, pairs that wait for their first packet. Each refusal is counted by reason, with the
 * client that met it last. Memory is allocated when the object is made, but for the timer heap's array. */
#ifndef ALG_GATES_H
#define ALG_GATES_H

#include "alg/datapath/datapath.h"
#include "alg/rewrite.h"
#include "base/mem.h"

enum gates_state {
	GATES_FREE,      /* not seen outside */
	GATES_ADDING,    /* asked for, not yet in the kernel */
	GATES_RESTORING, /* somebody removed them from the kernel; asked for again */
	GATES_CANCEL,    /* ended while they were being added: to be removed as soon as that is done */
	GATES_AGEING,    /* wait for their first packet */
	GATES_ACTIVE,
	GATES_LINGER,  /* the control connection is gone; they have linger_ns left */
	GATES_ADOPTED, /* without a control connection since a restart */
	GATES_DELETING,
	GATES_DONE, /* removed; the record waits to be taken */
	GATES_STATES,
};

/* "adding", "ageing" ...; static. */
const char *gates_state_text(enum gates_state state);

enum gates_refusal {
	GATES_OK,
	GATES_TOO_MANY_CALLS,
	GATES_TOO_MANY_OF_CLIENT,
	GATES_TOO_MANY_WAITING, /* for their first packet */
	GATES_NO_MEMORY,
	GATES_REFUSALS,
};

/* "too many calls of this client" ...; static. */
const char *gates_refusal_text(enum gates_refusal refusal);

struct gates_config {
	size_t max_calls;       /* at least 1 */
	size_t max_per_client;  /* 0: as max_calls */
	size_t max_waiting;     /* 0: as max_calls */
	uint64_t ageing_ns;     /* until the first packet; 0: 120 s */
	uint64_t idle_ns;       /* without a packet of either direction; 0: 1800 s */
	uint64_t adopted_ns;    /* the same for adopted gates; 0: as idle_ns */
	uint64_t linger_ns;     /* after the control connection is lost; 0: none */
	uint64_t poll_ns;       /* between two looks at the counters; 0: 10 s */
	bool keep_with_control; /* no idle time-out while the control connection lives */
	uint64_t first_id;      /* of gate_pair.id; above all that earlier processes used, as far as the program knows */
	void (*fill)(void *user, void *buf, size_t len); /* unpredictable bytes */
	void *fill_user;
};

/* Whose call it is. */
struct gates_owner {
	struct addr client; /* its limit counts */
	struct addr server;
	uint64_t conn;   /* the program's number of the control connection; 0: none (adopted) */
	uint32_t number; /* the call's, as in struct alg_call */
};

/* Everything known of a pair, for tables and records. Times are ts; 0: never. */
struct gates_info {
	struct gate_pair pair;
	struct gates_owner owner;
	enum gates_state state;
	enum alg_why why; /* it ends; ALG_WHY_NONE before */
	struct gate_counters counters;
	uint64_t since;
	uint64_t last_up, last_down; /* when counters were last seen to have grown */
	uint64_t expires;            /* when it ends if nothing comes; TS_NEVER: it doesn't */
};

enum gates_action_type {
	GATES_ADD,  /* install info->pair; answer with gates_added() */
	GATES_READ, /* read its counters; answer with gates_counted() */
	GATES_DEL,  /* read its counters a last time and remove it; answer with gates_deleted(). For why AGED and IDLE also end the call */
	GATES_GONE, /* the record: nothing refers to the pair any more. For why GATES_FAILED also end the call, if it is still there */
};

struct gates_action {
	enum gates_action_type type;
	struct gates_info info;
};

struct gates_stats {
	size_t calls;    /* now, without those that are being removed */
	size_t waiting;  /* of them, for their first packet */
	size_t adopted;  /* of them, without a control connection */
	size_t removing; /* being removed or not yet recorded */
	size_t clients;
	uint64_t wanted, added, add_failed, restored, ended; /* ever */
	struct {
		uint64_t count;
		struct addr last_who;
		uint64_t last_ts;
	} refused[GATES_REFUSALS];
	uint64_t ended_by[ALG_WHYS];
};

struct gates;

/* Returns 0, or -1 when memory ran out. */
int gates_new(struct gates **g, const struct gates_config *config, const struct mem *mem);
void gates_free(struct gates *g);

/* Whether a call of this client would be let in now, to refuse at its request already; a refusal is counted. requested: calls of the
 * client that have no gates yet. One that dials anew after its control connection was lost needs no second place: at a limit its oldest
 * call without one ends. */
enum gates_refusal gates_check(struct gates *g, const struct addr *client, size_t requested, uint64_t ts);

/* Takes a call in: pair->id is filled in, and GATES_ADD follows. A refusal is counted. */
enum gates_refusal gates_want(struct gates *g, const struct gates_owner *owner, struct gate_pair *pair, uint64_t ts);

/* Takes over a pair found in the kernel, with its id and counters; owner->conn is 0 or the control connection handed over with it.
 * Only TOO_MANY_CALLS (or its id is known: then nothing changes) and NO_MEMORY refuse; the program then removes it itself. */
enum gates_refusal gates_adopt(
    struct gates *g, const struct gates_owner *owner, const struct gate_pair *pair, const struct gate_counters *counters, uint64_t ts);

/* Right behind gates_adopt(), when the data path may have begun to count anew: its counters go on from total. */
void gates_carry(struct gates *g, uint64_t id, const struct gate_counters *total);

/* The call ended (removed at once), or its control connection was lost (removed after linger_ns). Unknown ids are ignored. */
void gates_end(struct gates *g, uint64_t id, enum alg_why why, uint64_t ts);
void gates_control_lost(struct gates *g, uint64_t id, uint64_t ts);

/* Takes the next thing to do; false when there is none. */
bool gates_action(struct gates *g, struct gates_action *action);

/* Answers. error: 0 or an errno. counters: NULL when the kernel has no such pair. Answers nobody waits for are ignored. */
void gates_added(struct gates *g, uint64_t id, int error, uint64_t ts);
void gates_counted(struct gates *g, uint64_t id, const struct gate_counters *counters, uint64_t ts);
void gates_deleted(struct gates *g, uint64_t id, const struct gate_counters *counters, uint64_t ts);

/* Has all counters read now, as if their time had come. */
void gates_look(struct gates *g, uint64_t ts);

/* When gates_expire() is due next; TS_NEVER: never. */
uint64_t gates_expiry(const struct gates *g);
void gates_expire(struct gates *g, uint64_t ts);

/* False: no such pair. */
bool gates_find(const struct gates *g, uint64_t id, struct gates_info *info);
/* Calls fn for every pair, the oldest first. fn must not change the gates. */
void gates_each(const struct gates *g, void (*fn)(void *user, const struct gates_info *info), void *user);
void gates_stats(const struct gates *g, struct gates_stats *stats);

#endif
