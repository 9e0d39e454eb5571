/* Where GRE is let through and its call ids rewritten: one interface, several backends (conntrack, bpf, user).
 *
 * A call has two gates, one a direction. A gate matches outer source, destination and call id, and says what they become. All
 * functions run in the privileged monitor, or on its behalf; none of them parses a peer's bytes. */
#ifndef ALG_DATAPATH_H
#define ALG_DATAPATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

/* One direction of a call. The two address families may differ only in the user backend (NAT64). */
struct gate {
	struct addr src, dst; /* as packets arrive at the gateway */
	uint16_t call_id;
	struct addr new_src, new_dst; /* as they leave */
	uint16_t new_call_id;
};

struct gate_pair {
	uint64_t id;      /* the program's, never used twice; kept in the kernel where the backend can (mark/label) */
	struct gate up;   /* client to server */
	struct gate down; /* server to client */
};

struct gate_counters {
	uint64_t up_pkts, up_bytes, down_pkts, down_bytes;
};

struct datapath_config {
	uint32_t mark;              /* tells the kernel objects of this gateway from others' */
	uint32_t max_gates;         /* pairs */
	uint64_t idle_ns;           /* kernel-side upper bound of a silent gate's life, where the backend has one */
	bool strict;                /* drop GRE that no gate matches; else leave it to the rest of the rules */
	const char *const *ifnames; /* bpf: interfaces to attach to, NULL-terminated */
};

struct datapath;

struct datapath_ops {
	const char *name; /* "conntrack" */
	/* Prepares the kernel. Returns NULL with a sentence in err when it can't work here ("the kernel has no ctnetlink"). */
	struct datapath *(*open)(const struct datapath_config *config, char *err, size_t errlen);
	void (*close)(struct datapath *dp, bool keep_gates); /* keep_gates: for a restart, data goes on */
	/* Installs both gates, or none. 0 or an errno (EEXIST: the tuple is taken; ENOSPC: full). */
	int (*add)(struct datapath *dp, const struct gate_pair *pair);
	int (*del)(struct datapath *dp, const struct gate_pair *pair);
	/* Counters of a pair; 0 or ENOENT. */
	int (*read)(struct datapath *dp, const struct gate_pair *pair, struct gate_counters *counters);
	/* Calls fn for each gate pair found in the kernel that an earlier process left, with its counters (adoption). */
	int (*list)(
	    struct datapath *dp, void (*fn)(void *user, const struct gate_pair *pair, const struct gate_counters *counters), void *user);
};

extern const struct datapath_ops datapath_conntrack;
extern const struct datapath_ops datapath_bpf;
extern const struct datapath_ops datapath_user;

#endif
