/* Where GRE is let through and its call ids rewritten: one interface, several backends.
 *
 * A call has two gates, one a direction. A gate matches outer source, destination and call id, and says what they become.
 *
 *   conntrack  entries in the kernel's connection tracking; the default
 *   bpf        conntrack, and a table at XDP or TCX in front of it; what misses the table meets conntrack
 *   user       a forwarder on raw sockets: IPv6 to IPv4, and kernels without ctnetlink
 *
 * conntrack and bpf run in the privileged monitor, which parses no peer's bytes; user runs in the worker, on sockets it was given. */
#ifndef ALG_DATAPATH_DATAPATH_H
#define ALG_DATAPATH_DATAPATH_H

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
	uint64_t id;      /* the program's, never used twice, not even by the next process */
	struct gate up;   /* client to server */
	struct gate down; /* server to client */
};

struct gate_counters {
	uint64_t up_pkts, up_bytes, down_pkts, down_bytes;
};

struct datapath_config {
	uint32_t max_gates;         /* pairs */
	uint64_t life_ns;           /* conntrack: how long gates outlive a process that reads them no more; each read renews it */
	const char *const *ifnames; /* bpf: interfaces to attach to, NULL-terminated; NULL: all that are up, but loopback */
};

/* The first member of each backend's own struct. */
struct datapath {
	const struct datapath_ops *ops;
};

struct datapath_ops {
	const char *name; /* "conntrack" */
	/* keep_gates: data goes on, and another process will take the gates over. */
	void (*close)(struct datapath *dp, bool keep_gates);
	/* Installs both gates, or none. 0 or an errno: EEXIST the tuple is somebody else's; ENOSPC full; ENOTSUP this backend can't (e.g.
	 * conntrack can't rewrite a call id where no address changes). Gates that are there already, exactly so, are no error. */
	int (*add)(struct datapath *dp, const struct gate_pair *pair);
	/* Removes both and fills in the counters as they were last. 0, or ENOENT when none was there (counters zero). */
	int (*del)(struct datapath *dp, const struct gate_pair *pair, struct gate_counters *last);
	/* Counters of a pair, and renews its life; 0, or ENOENT when either gate is gone: then both are, and what they counted. */
	int (*read)(struct datapath *dp, const struct gate_pair *pair, struct gate_counters *counters);
};

/* Each returns NULL with a sentence in err when it can't work here ("the kernel has no ctnetlink"). */
struct datapath *datapath_conntrack_open(const struct datapath_config *config, char *err, size_t errlen);
struct datapath *datapath_bpf_open(const struct datapath_config *config, char *err, size_t errlen);

#endif
