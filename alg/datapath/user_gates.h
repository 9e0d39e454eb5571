/* The user backend's table of single gates, and what it makes of a packet: no system calls, no locks. */
#ifndef ALG_DATAPATH_USER_GATES_H
#define ALG_DATAPATH_USER_GATES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alg/datapath/user_packet.h"
#include "alg/table.h"
#include "base/mem.h"

struct user_gate {
	struct table_node node;
	struct gate gate;
	uint64_t pair_id;
	bool own; /* only counts: what matches has been delivered on this machine */
	uint64_t pkts, bytes;
};

struct user_gates {
	struct table table;
	const struct mem *mem;
	uint32_t count;
};

/* For about `expected` gates. key: two secret words. False when memory ran out. */
bool user_gates_init(struct user_gates *g, size_t expected, const uint64_t key[2], const struct mem *mem);
void user_gates_fini(struct user_gates *g);

/* NULL: there is none. */
struct user_gate *user_gates_find(const struct user_gates *g, const struct addr *src, const struct addr *dst, uint16_t call_id);
/* Gates stay the caller's. No two of a table may match the same packets. */
void user_gates_add(struct user_gates *g, struct user_gate *gate);
void user_gates_del(struct user_gates *g, struct user_gate *gate);

/* Whether the gate leaves packets as they are. */
bool user_gate_changes_nothing(const struct gate *gate);

/* Counts the packet and turns it into what leaves; hops is at least 1 then. False, with *why USER_UNKNOWN, USER_OWN or USER_TTL, and
 * the packet as it was: it doesn't leave. */
bool user_gates_apply(struct user_gates *g, struct user_packet *p, enum datapath_user_drop *why);

#endif
