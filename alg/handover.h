/* How flows come from one process to the next: their sockets as descriptors, all else as one versioned block of bytes in a memory file.
 *
 *   state   HANDOVER_MAGIC, version, next flow's number, counters, then a block for each flow: length and fields
 *   f       every flow's sockets; which is whose is told by the kernel's cookies of sockets, which stand in the block
 *   l4 l6    listeners
 *   g4.. g6.. raw sockets of the user backend, by thread
 *
 * All names together have to fit into 128 KiB (sys/handover.h), and the service manager forgets by name: hence one for thousands.
 * What the rewriter took is in its own saved state; what it did not take is in the sockets. */
#ifndef ALG_HANDOVER_H
#define ALG_HANDOVER_H

#include "alg/gateway.h"
#include "base/wire.h"

#define HANDOVER_MAGIC UINT32_C(0x50414c47)
enum { HANDOVER_VERSION = 1, HANDOVER_COUNTERS = sizeof(struct gateway_counters) / sizeof(uint64_t) };

#define HANDOVER_FLOW_NAME "f"

/* A call's part of a flow's block. */
struct handover_call {
	uint64_t pair_id;
	struct alg_call ids;
	uint64_t since_unix;
	bool up, user;
	struct gate_counters counters; /* which the data path may forget */
};

/* --- handover_save.c ----------------------------------------------------------------- */

/* Gives everything to the monitor; the process is to end then. False with the reason logged: nobody takes it, go on. */
bool handover_give(struct gateway *gw);

/* --- handover_load.c ------------------------------------------------------------------- */

struct inheritance;

/* Takes what the former process left: listeners and raw sockets go to gw at once. Never NULL but when memory ran out. */
struct inheritance *handover_inherit(struct gateway *gw);
/* Brings flows and their calls to life, when everything else of gw is there; only then the service manager forgets them. A state that
 * can't be read is logged, and its sockets are reset. Frees in, which may be NULL. */
void handover_restore(struct gateway *gw, struct inheritance *in);
/* The same without taking anything: the service manager, if there is one, gives it all to another process. */
void handover_decline(struct inheritance *in);

/* --- handover_state.c: the block's bytes, the same way out and in ------------------------------ */

/* What the kernel calls a socket as long as it lives, in whatever process; 0: it doesn't tell, or fd is -1. */
uint64_t handover_cookie(int fd);

/* Writes all of a flow but its rewriter and calls. */
void handover_put_flow(struct wr *w, const struct flow *f);
void handover_put_call(struct wr *w, const struct handover_call *c);
/* Fills in a new flow; *state is what its life is to go on with. r->ok is false when values are out of range. */
void handover_get_flow(struct rd *r, struct flow *f, enum flow_state *state);
void handover_get_call(struct rd *r, struct handover_call *c);

#endif
