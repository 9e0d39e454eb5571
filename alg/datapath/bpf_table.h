/* The eBPF program's table of one address family, as the process writes it: memory that both share (see bpf_map.h). */
#ifndef ALG_DATAPATH_BPF_TABLE_H
#define ALG_DATAPATH_BPF_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alg/datapath/bpf_map.h"
#include "alg/datapath/datapath.h"

struct bpf_table {
	struct gates_seed seed;
	void *slots; /* not owned */
	uint32_t mask;
	bool ipv6;
};

/* How many slots (a power of 2) so many gates need: twice as many at least, so that nearly all find a place, and not more than a million,
 * which bounds the memory. */
uint32_t bpf_table_slots(uint64_t gates);

/* Bytes of so many slots. */
size_t bpf_table_size(uint32_t slots, bool ipv6);

/* Puts a gate of the table's family in, counters at zero; one that is there already, exactly so, keeps its counters, and one that rewrites
 * otherwise is replaced. now: ns of the monotonic clock. False: no free slot within its reach. */
bool bpf_table_put(struct bpf_table *t, const struct gate *gate, uint64_t now);

/* Adds what the gate carried so far. False: it is not there. */
bool bpf_table_read(const struct bpf_table *t, const struct gate *gate, uint64_t *pkts, uint64_t *bytes);

/* Removes the gate and adds what it carried. A packet that is under way on another CPU may be missing there. False: it was not there. */
bool bpf_table_take(struct bpf_table *t, const struct gate *gate, uint64_t *pkts, uint64_t *bytes);

#endif
