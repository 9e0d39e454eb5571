/* What pptpalg's worker may ask its monitor for, beyond sys/priv.h's own requests. By value over the same socket, as PRIV_PROGRAM
 * requests; each type has its own check.
 *
 * The monitor keeps the pairs of gates it installed by their id: it removes only those, at most config.max_calls, and all of them
 * at its end, unless they are handed over. */
#ifndef ALG_MONITOR_H
#define ALG_MONITOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alg/config.h"
#include "alg/ct.h"
#include "alg/datapath/datapath.h"
#include "sys/handover.h"
#include "sys/priv.h"

enum { MONITOR_READ_MAX = 24, MONITOR_HANDOVER_FDS = 32, MONITOR_FD_NAME = 24 };

enum monitor_type {
	MONITOR_GATE_ADD,
	MONITOR_GATE_DEL,   /* by id; reply: last counters */
	MONITOR_GATES_READ, /* by ids; reply: counters each */
	MONITOR_GATE_ADOPT, /* a pair of a former process: from now on like one of ours; reply: counters; ENOENT: not there any more */
	MONITOR_LOOKUP,     /* reply: how conntrack shows a TCP connection to the server */
	MONITOR_DIVERT,     /* GRE of this gate comes to the raw sockets (user backend) */
	MONITOR_DIVERT_END,
	MONITOR_TABLE,    /* puts nftables table and routing rules back where they are gone; reply: whether diverted gates have, too */
	MONITOR_JOURNAL,  /* reply: descriptor of the journal's file */
	MONITOR_TRACE,    /* reply: descriptor of a new trace file, the older ones renamed */
	MONITOR_INHERIT,  /* reply: the next descriptors that the former process handed over, with their names; none: no more */
	MONITOR_SETTLED,  /* what was inherited is in use: the service manager need not keep it any longer for another process */
	MONITOR_RELOAD,   /* the configuration file is good, and the hand-over that follows goes to a process that reads it; EINVAL: no */
	MONITOR_HANDOVER, /* descriptors with names for the next process, which the monitor keeps; none: forget those given before */
	MONITOR_TYPES,
};

struct monitor_request {
	enum monitor_type type;
	union {
		struct gate_pair pair; /* ADD, ADOPT */
		uint64_t id;           /* DEL */
		struct {
			uint32_t count;
			uint64_t ids[MONITOR_READ_MAX];
		} read;
		struct ct_tcp tcp;  /* LOOKUP: as the gateway's socket sees it */
		struct gate divert; /* DIVERT, DIVERT_END */
		struct {
			uint32_t count;
			char names[MONITOR_HANDOVER_FDS][MONITOR_FD_NAME];
		} handover;
	};
};

struct monitor_reply {
	union {
		struct gate_counters last; /* DEL, ADOPT */
		struct {
			uint32_t count;
			bool found[MONITOR_READ_MAX];
			struct gate_counters counters[MONITOR_READ_MAX];
		} read;
		struct ct_tcp seen;
		bool restored; /* TABLE */
		struct {
			uint32_t count;
			char names[MONITOR_HANDOVER_FDS][MONITOR_FD_NAME];
		} inherit;
	};
};

/* The monitor's side: what main() puts into priv_policy. Opens the data path and the table before the worker is forked, so that what
 * can't work is said at once. NULL with a logged reason. */
struct monitor *monitor_new(const struct config *config);
void monitor_policy(struct monitor *m, struct priv_policy *policy);
/* "conntrack", "bpf", or "user" when gates are the worker's own. */
const char *monitor_datapath(const struct monitor *m);
/* What a former process left (MONITOR_INHERIT gives it out; takes fds over), and how to execute the program anew where there is no
 * service manager to keep descriptors. path and argv must outlive m. */
void monitor_handover(struct monitor *m, const struct handover_fd *fds, size_t n, const char *path, char *const argv[]);
/* In the worker: closes its copies of what is the monitor's, and undoes nothing. */
void monitor_abandon(struct monitor *m);
/* Where no worker could be started: undoes what monitor_new() did, and frees m. */
void monitor_give_up(struct monitor *m);

/* The worker's side: sends a request; error as in priv_reply. reply is NULL only where fn is called without a monitor's answer; fds are
 * fn's own. */
typedef void (*monitor_reply_fn)(void *user, int error, const struct monitor_reply *reply, const int *fds, size_t nfds);
int monitor_send(struct priv *p, const struct monitor_request *request, monitor_reply_fn fn, void *user);
/* At start-up and at the end: waits. Sends descriptors along, which stay the caller's. 0 or an errno. fds: room for PRIV_MAX_FDS. */
int monitor_call(struct priv *p, const struct monitor_request *request, const int *send_fds, size_t nsend, struct monitor_reply *reply,
    int *fds, size_t *nfds);
/* Waits until everything that was sent before is answered, and the answers are dealt with. 0 or an errno. */
int monitor_sync(struct priv *p);

#endif
