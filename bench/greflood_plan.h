/* What greflood tells its program in the kernel. */
#ifndef BENCH_GREFLOOD_PLAN_H
#define BENCH_GREFLOOD_PLAN_H

#include <linux/types.h>

/* Where GRE begins, and what stands where in it. */
enum { PLAN_HEADER = 68, PLAN_GRE_IPV4 = 34, PLAN_GRE_IPV6 = 54, PLAN_CALL_ID = 6, PLAN_SEQUENCE = 8 };

enum { PLAN_TRAIN = 32 };

struct plan {
	union {
		__u8 header[PLAN_HEADER]; /* Ethernet to GRE's sequence number, and what is in a frame of IPv4 behind it */
		__u64 aligned;
	};
	__u32 ipv6;
	__u32 ifindex;
	__u32 calls, first_id;
	__u32 call, sequence; /* next */
	__u32 row, sent;      /* so many frames of a call one after the other, and how many of them the call has had */
	__u64 offered;
	__u64 train_ns, next; /* PLAN_TRAIN frames each so many nanoseconds (0: as fast as it goes), and when the next ones are due */
};

#endif
