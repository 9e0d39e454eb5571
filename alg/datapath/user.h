/* The user backend: a forwarder of GRE on raw sockets, in the unprivileged worker. For NAT64, and for kernels without ctnetlink.
 *
 * Each thread has a raw socket of each family and the packets whose call id % threads is its number. A packet that matches a gate
 * leaves with the gate's new addresses and call id; everything else is dropped and counted, and never answered. What is addressed
 * to others comes to raw sockets by nft_divert(); what is addressed to the gateway comes anyway. Raw sockets get copies only:
 * whatever else happens to packets of the gateway's own addresses goes on happening.
 *
 * Of the outer header: TOS or traffic class is copied; TTL or hop limit is one less, and a packet that would leave with 0 is dropped
 * without ICMP. A packet that is bigger than its new path is sent in fragments, whatever its DF bit said (its inner packet can't
 * shrink); fragments that come are put together by the kernel first. DF stays as it came where no address changes (the sender can
 * still be told of a smaller path), and is cleared otherwise: errors could not find the sender, and those that tell the gateway
 * itself of a smaller path are the first that firewalls drop, as connection tracking doesn't know what they are about. */
#ifndef ALG_DATAPATH_USER_H
#define ALG_DATAPATH_USER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alg/datapath/datapath.h"

enum { DATAPATH_USER_THREADS = 8 };

struct datapath_user_config {
	uint32_t max_gates; /* pairs, at least 1 */
	unsigned threads;   /* 1..DATAPATH_USER_THREADS; datapath_user_threads() says how many are of use */
	/* One each a thread: from PRIV_GRE_OPEN or gresock_open() with shard = the thread's number, shards = threads, no bind address,
	 * transparent, and a mark that keeps nft_divert() and the box's source NAT off what is sent (nft_marks: proxy | fixed).
	 * -1 at all: this family is not forwarded (add() then says ENOTSUP). They stay the caller's, and open as long as this is. */
	int fd4[DATAPATH_USER_THREADS];
	int fd6[DATAPATH_USER_THREADS];
};

enum datapath_user_drop {
	USER_SHORT,   /* cut short, or lengths that contradict each other */
	USER_NOT_GRE, /* not PPTP's GRE: version, protocol or flags; the socket's filter leaves few of these */
	USER_UNKNOWN, /* no gate */
	USER_TTL,     /* TTL or hop limit used up */
	USER_OWN,     /* for a program on this machine, that gets it itself (see below); not lost */
	USER_SEND,    /* the kernel would not send it: no route, no memory */
	USER_DROPS,
};

/* "unknown call" ...; static. */
const char *datapath_user_drop_text(enum datapath_user_drop reason);

struct datapath_user_stats {
	/* Given to the kernel to send. Bytes here and in gate_counters: the whole IP packet's, as it came. */
	uint64_t forwarded_pkts, forwarded_bytes;
	uint64_t dropped[USER_DROPS];
	uint32_t gates; /* single ones, now */
};

/* 1 on up to two processors, then one for every two, 8 at most: a thread keeps about one processor's kernel busy as well. */
unsigned datapath_user_threads(void);

/* Starts the threads. NULL with a sentence in err. The operations are for one thread, of the caller's choice; they are done when
 * they return. close() ends the threads; gates are forgotten even with keep_gates: the next process adds them anew, and what comes
 * meanwhile waits in the sockets, if they are handed over.
 *
 * add() never says ENOSPC below max_gates. Call ids may change without a change of addresses. A gate that changes nothing and leads to
 * an address of this machine (a client or server on the gateway itself) only counts: the packet has been delivered already. */
struct datapath *datapath_user_open(const struct datapath_user_config *config, char *err, size_t errlen);

/* Adds to a pair's counters what a former process counted. 0 or ENOENT. */
int datapath_user_resume(struct datapath *dp, const struct gate_pair *pair, const struct gate_counters *counters);

void datapath_user_stats(struct datapath *dp, struct datapath_user_stats *stats);

#endif
