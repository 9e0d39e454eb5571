/* What the eBPF program and the process that fills its tables must agree on. Only kernel types: the program is built with it too.
 *
 * With thousands of calls it is the cache lines of a packet's way that cost. So the table is an array of slots, mapped into the process:
 * a gate of IPv4 is one line, with its counters and the way to the next hop as it was found last. A gate lies in one of the GATES_REACH
 * slots from the one that its hash names (its home); one that finds them taken is not in the table. The home says how far to look.
 *
 * The process alone says which gate is in a slot, the program alone what the next hop is; both count on each other's order:
 *
 *   state  A slot changes hands only while GATES_LIVE is not set, and each time its version grows. The program reads the state, the
 *          gate, and the state again, with a full barrier before and behind: a gate that was changed meanwhile is not used.
 *   until  Odd while a CPU writes the hop. Read before and behind it, likewise. A slot whose hop is being written changes no hands.
 *
 * Counters are added to atomically, which is cheap as long as a call's packets all come in by one CPU, as they do (a receive queue is
 * chosen by addresses). */
#ifndef ALG_DATAPATH_BPF_MAP_H
#define ALG_DATAPATH_BPF_MAP_H

#include <linux/types.h>

/* Names in the object. */
#define GATES_MAP_IPV4 "gates4"
#define GATES_MAP_IPV6 "gates6"
#define GATES_MAP_LINKS "links"
#define GATES_MAP_SETUP ".rodata.setup"
#define GATES_PROGRAM_XDP "gates_xdp"
#define GATES_PROGRAM_TCX "gates_tcx"

enum {
	GATES_LINKS_MAX = 256,
	GATES_LINK_SLOTS = 1024, /* a power of 2 */
	GATES_REACH = 8,
	/* Of a slot's state. */
	GATES_LIVE = 0x01,
	GATES_FAR = 0x0e, /* how far behind this slot gates lie whose home it is, at most */
	GATES_FAR_SHIFT = 1,
	GATES_VERSION = 0x10, /* counts from here up */
};

/* Of each slot; call ids are in network order, as addresses are. Bytes are of whole IP packets, as connection tracking counts them. */
struct gates_head {
	__u64 pkts, bytes;
	__u32 state;
	__u32 until;       /* gates_ticks(): the end of the hop's time */
	__u32 ifindex;     /* 0: no hop */
	__u16 mtu;         /* of packets that the hop takes */
	__u8 dscp : 6;     /* of packets that it is for */
	__u8 from_xdp : 1; /* the interface can send frames of XDP */
	__u8 turn;         /* gates_turns(): when a packet goes to the stack again */
	__be16 dmac[3], smac[3];
	__be16 call_id, new_call_id;
};

struct gates_slot4 {
	struct gates_head head;
	__be32 src, dst, new_src, new_dst;
} __attribute__((aligned(64)));

struct gates_slot6 {
	struct gates_head head;
	__be32 src[4], dst[4], new_src[4], new_dst[4];
} __attribute__((aligned(64)));

_Static_assert(sizeof(struct gates_slot4) == 64, "a gate of IPv4 is one cache line");
_Static_assert(sizeof(struct gates_slot6) == 128, "a gate of IPv6 is two");

/* Random, as peers choose ids and some choose their addresses. */
struct gates_seed {
	__u64 address[8], call_id, sum;
};

/* Constants of the program once it is loaded. The masks are the number of slots less one. */
struct gates_setup {
	struct gates_seed seed;
	__u32 mask4, mask6;
};

/* By interface index, modulo GATES_LINK_SLOTS: those that the XDP program is attached to. */
struct gates_link {
	__u32 ifindex; /* 0: none */
	__u8 mac[6];
	__u8 sends; /* can send frames of XDP */
	__u8 zero;
};

/* The home of a gate is the low bits. Multiply-shift by pairs (Thorup): whoever does not know the seed finds no two gates that meet more
 * often than by chance. As ids are given in order, which makes such sums evenly spaced, they are stirred at the end. */
static inline __attribute__((always_inline)) __u32
gates_hash(const volatile struct gates_seed *seed, const __be32 *src, const __be32 *dst, unsigned words, __be16 call_id)
{
	__u64 sum = seed->sum + seed->call_id * call_id;

	for (unsigned i = 0; i < words; i++)
		sum += (seed->address[2 * i] + src[i]) * (seed->address[2 * i + 1] + dst[i]);
	sum = (sum ^ sum >> 32) * 0xd6e8feb86659fd93ULL;
	return (__u32)((sum ^ sum >> 32) * 0xd6e8feb86659fd93ULL >> 32);
}

/* Both of nanoseconds of the monotonic clock: about 1 ms, and about 4 s. They wrap around; a time is still to come when it is no
 * further away than times are ever set. */
static inline __attribute__((always_inline)) __u32
gates_ticks(__u64 ns)
{
	return (__u32)(ns >> 20);
}

static inline __attribute__((always_inline)) __u8
gates_turns(__u64 ns)
{
	return (__u8)(ns >> 32);
}

/* How long a hop is used before the route is looked up again, in ticks: whatever changes about routes, neighbours and links is followed
 * within this time, which is shorter than neighbours or routing protocols take to notice anything. Even. */
#define GATES_HOP_LIFE 240
/* Between two packets of a gate that go to the stack, in turns. */
#define GATES_TURN_LIFE 7

#endif
