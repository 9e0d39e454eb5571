/* The inside of the conntrack backend: conntrack.c (its beginning and end), conntrack_entry.c (a gate as an entry), conntrack_add.c (adding and
 * removing), conntrack_read.c (counters, and a gate's life). */
#ifndef ALG_DATAPATH_CONNTRACK_PRIVATE_H
#define ALG_DATAPATH_CONNTRACK_PRIVATE_H

#include "alg/ctnl.h"
#include "alg/datapath/datapath.h"

enum { UP, DOWN, WAYS };

struct count {
	uint64_t pkts, bytes;
};

struct conntrack {
	struct datapath dp;
	struct ctnl *nl;
	uint32_t life_s;
	bool acct_was_off;
	void *renewed; /* tree of what pairs counted in entries that were replaced, by id */
};

/* One gate on its way into the kernel, and what the kernel has in its place. */
struct one_way {
	const struct gate *gate;
	struct nf_conntrack *full, *key, *found;
};

static inline struct conntrack *
conntrack_of(struct datapath *dp)
{
	return (struct conntrack *)(void *)dp;
}

/* --- conntrack_entry.c ------------------------------------------------------------- */

/* Both gates of a pair, with nothing found yet; false when memory ran out. */
bool conntrack_entries_new(struct one_way e[WAYS], const struct gate_pair *pair, uint32_t life_s);
void conntrack_entries_free(struct one_way e[WAYS]);
/* What an entry is asked for by: its original tuple, and (as an original one) the reply tuple that it has or shall have. NULL when memory
 * ran out. */
struct nf_conntrack *conntrack_key(const struct gate *g);
struct nf_conntrack *conntrack_reply_key(const struct gate *g);
/* Made by ctnetlink, not by a packet. */
bool conntrack_is_gate(const struct nf_conntrack *found);
bool conntrack_is_this_gate(const struct nf_conntrack *found, const struct gate *g);

/* --- conntrack_add.c ----------------------------------------------------------------- */

/* As struct datapath_ops has them. */
int conntrack_add(struct datapath *dp, const struct gate_pair *pair);
int conntrack_del(struct datapath *dp, const struct gate_pair *pair, struct gate_counters *last);
/* Adds an entry that found its place taken: by itself (0, and *there), by strays, which are removed, or by another gate (EEXIST). */
int conntrack_add_against(struct conntrack *c, struct one_way *e, bool *there);

/* --- conntrack_read.c ------------------------------------------------------------------ */

/* As struct datapath_ops has it. */
int conntrack_read(struct datapath *dp, const struct gate_pair *pair, struct gate_counters *counters);
struct count conntrack_count_of(const struct nf_conntrack *ct);
void conntrack_add_count(struct gate_counters *counters, int way, struct count count);
/* Adds what a pair counted in entries that were replaced; forgets that. */
void conntrack_add_renewed(struct conntrack *c, uint64_t id, struct gate_counters *counters);
void conntrack_renewed_free(struct conntrack *c, uint64_t id);

#endif
