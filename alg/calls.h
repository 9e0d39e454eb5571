/* The calls of flows, and the gates of calls: call ids are translated, gates are asked for, and their ends are told. */
#ifndef ALG_CALLS_H
#define ALG_CALLS_H

#include "alg/gateway.h"

/* --- calls.c ------------------------------------------------------------------------ */

/* ALG_EVENT_GATES_WANTED: a record, and gates for it. */
void calls_want(struct flow *f, const struct alg_call *ids);
/* The gates of a flow's call, without the pair's id. */
struct gate_pair calls_pair(const struct flow *f, const struct alg_call *ids);
/* ALG_EVENT_CALL_END. */
void calls_ended(struct flow *f, const struct alg_call *ids, enum alg_why why);
/* The record of a pair; NULL: none. */
struct call *calls_by_pair(const struct gateway *gw, uint64_t pair_id);
/* Ends a call for good, whether it has a control connection or not. */
void calls_clear(struct call *c, enum alg_why why);
/* A record for gates that are there already: of flow f (restored) or of none (adopted, with the journal's record). It claims its ids
 * itself where it has no flow. NULL: no memory. */
struct call *calls_restore(struct gateway *gw, struct flow *f, const struct journal_record *record);
/* Forgets a record to which nothing refers any more. */
void calls_drop(struct call *c);
/* What the journal holds of it. */
void calls_record(const struct call *c, struct journal_record *record);

/* --- ids.c: alg_xlate_ops; user is the flow ------------------------------------------------ */

extern const struct alg_xlate_ops ids_ops;
/* Claims and gives back what an adopted call's gates have. */
void ids_claim_adopted(struct call *c);
void ids_give_adopted(struct call *c);

/* --- gates_io.c: executes what alg/gates.h wants ---------------------------------------------- */

/* Does what gates_action() tells, through the monitor or the user backend, and sets the timer. */
void gates_work(struct gateway *gw);
/* Has GRE of a pair in the user backend led to it; nobody waits for the answer. */
void gates_divert(struct gateway *gw, const struct gate_pair *pair);

#endif
