/* What the eBPF program and the process that fills its tables must agree on. Only kernel types: the program is built with it too.
 *
 * Addresses and call ids are in network order. Entries are allocated as they come, and only the process adds and removes them. With
 * thousands of calls it is the cache lines of a packet's way that cost: an entry of IPv4 is two, counters and all. They are counted
 * atomically, which is cheap as long as a call's packets all come in by one CPU, as they do (a receive queue is chosen by addresses). */
#ifndef ALG_DATAPATH_BPF_MAP_H
#define ALG_DATAPATH_BPF_MAP_H

#include <linux/types.h>

/* Names in the object. */
#define GATES_MAP_IPV4 "gates4"
#define GATES_MAP_IPV6 "gates6"
#define GATES_MAP_LINKS "links"
#define GATES_PROGRAM_XDP "gates_xdp"
#define GATES_PROGRAM_TCX "gates_tcx"

enum { GATES_LINKS_MAX = 256 };

struct gates_key4 {
	__be32 src, dst;
	__be16 call_id;
	__u16 zero;
};

struct gates_key6 {
	__be32 src[4], dst[4];
	__be16 call_id;
	__u16 zero;
};

/* Of each gate. Bytes are of whole IP packets, as connection tracking counts them. */
struct gates_count {
	__u64 pkts, bytes;
	__u64 due; /* when a packet goes to the stack again, on the kernel's monotonic clock */
};

struct gates_value4 {
	struct gates_count count;
	__be32 new_src, new_dst;
	__be16 new_call_id;
	__u16 zero[3];
};

struct gates_value6 {
	struct gates_count count;
	__be32 new_src[4], new_dst[4];
	__be16 new_call_id;
	__u16 zero[3];
};

/* By interface index: those that the XDP program is attached to. */
struct gates_link {
	__u8 mac[6];
	__u8 sends; /* can send frames of XDP */
	__u8 zero;
};

#endif
