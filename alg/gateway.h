/* The gateway's state in its worker: what the files of this room share, and what tables and metrics are made from.
 *
 *   listener ─► flow (one proxied control connection) ─► rewriter ─► calls ─► gates (alg/gates.h) ─► data path
 *
 * A call here is the record of a pair of gates, from the moment they are wanted until nothing refers to them any more; it may outlive its
 * flow. Calls that have no gates yet are the rewriter's own affair. All lists are walked from the loop's thread only. */
#ifndef ALG_GATEWAY_H
#define ALG_GATEWAY_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alg/config.h"
#include "alg/datapath/user.h"
#include "alg/gates.h"
#include "alg/journal.h"
#include "alg/monitor.h"
#include "alg/policy.h"
#include "alg/rewrite.h"
#include "alg/table.h"
#include "alg/trace.h"
#include "alg/xlate.h"
#include "sys/ctl.h"
#include "sys/handover.h"
#include "sys/log_limit.h"
#include "sys/priv.h"

struct event;
struct event_base;
struct gateway;
struct guard;
struct metrics;
struct nl;

enum { GATEWAY_LISTENERS = 2, GATEWAY_CALL_TEXT = 32, GATEWAY_GRE_FDS = 2 * DATAPATH_USER_THREADS };

/* --- flows ------------------------------------------------------------------------- */

/* The life of a proxied control connection; only flow_set_state() changes it. */
enum flow_state {
	FLOW_ACCEPTED,   /* from the client; a socket towards the server is asked for */
	FLOW_CONNECTING, /* to the server */
	FLOW_LOOKUP,     /* connected; what the server sees of us is asked for */
	FLOW_OPEN,
	FLOW_DRAINING, /* one end has closed, or the rewriter has: what is still on its way goes out */
	FLOW_CLOSED,   /* freed at the end of the present callback */
	FLOW_STATES,
};

/* "accepted", "connecting" ...; static. */
const char *flow_state_text(enum flow_state state);

/* One of the two TCP connections. */
struct flow_end {
	struct flow *flow;
	enum alg_side side;
	int fd; /* -1: none */
	struct event *read, *write;
	uint64_t bytes; /* received from this end */
	bool eof;       /* it sends no more */
	bool shut;      /* it was told that no more will come */
	bool full;      /* the rewriter takes no more of its bytes for now */
};

/* A client's address with the control connections it has. */
struct source {
	struct table_node node;
	struct addr addr;
	size_t flows;
	size_t requested; /* calls of theirs that have no gates yet */
};

struct flow {
	struct gateway *gw;
	struct flow *next, *prev;            /* of all, the youngest first */
	struct flow *half_next, **half_prev; /* of those half-open, the oldest first; half_prev NULL: not one of them */
	struct source *source_account;
	struct table_node by_number;

	uint64_t number; /* never used twice; names the flow in logs and tables */
	enum flow_state state;
	uint64_t since, since_unix; /* ts, and seconds of the wall clock */
	uint64_t deadline;          /* of the present state; TS_NEVER: none */
	uint64_t heard;             /* ts of the last bytes of either end */

	struct addr client, dialed, server, external; /* external: what the server sees; family 0: not known yet */
	uint16_t client_port, dialed_port, server_port, external_port;
	char ifname[IFNAMSIZ]; /* on which the client's packets come in; empty: not known */
	bool own;              /* the client is on the gateway itself */
	bool nat64;
	bool user;                  /* its gates are in the user backend */
	enum gates_refusal refusal; /* why the last call was not let in, where it was for ALG_WHY_TOO_MANY */
	bool untouched;             /* not PPTP version 1: bytes pass as they are */
	bool started;               /* a message went by: no longer half-open */
	bool restored;              /* came from a former process */

	enum config_action action; /* and the rest of the policy's verdict */
	enum config_nat nat;
	char policy[64];
	enum policy_source source_kind;
	struct addr source;

	struct flow_end end[2]; /* by enum alg_side */
	struct alg_rewrite *rw; /* NULL before FLOW_OPEN */
	struct call *calls;     /* with gates */
	size_t calls_count;     /* of them */
	size_t requested;       /* as counted in source_account */
	uint64_t violations;    /* messages not let through */
	uint64_t calls_ever;    /* calls whose gates were installed */
	size_t closing_gates;   /* pairs of calls that ended: until they are gone, nothing is sent, for it may tell of the end */
	bool ending;            /* the rewriter has said CLOSED: what comes in is dropped */
	unsigned answers;       /* that are awaited from the monitor: it isn't freed before */
	char reason[160];       /* why it ended, for the log */
};

/* --- calls ---------------------------------------------------------------------------- */

/* What a pair of gates is for. gates_find(gw->gates, pair.id) tells state, counters and times. */
struct call {
	struct gateway *gw;
	struct call *next, *prev;                /* of all, the youngest first */
	struct call *flow_next, *flow_prev;      /* of its flow */
	struct table_node by_id, by_up, by_down; /* the latter by what leaves the gates */
	struct gate_pair pair;
	struct flow *flow;    /* NULL: adopted, or its control connection is gone */
	uint64_t flow_number; /* 0: never had one in this process */
	struct alg_call ids;  /* ids.number is the rewriter's */
	struct addr client, dialed, server, external;
	uint16_t client_port, server_port;
	char ifname[IFNAMSIZ];
	char policy[64];
	uint64_t since_unix;
	bool user;    /* in the user backend */
	bool up;      /* its gates were installed */
	bool ending;  /* cleared from here */
	bool gone;    /* the rewriter has forgotten it */
	bool awaited; /* its flow's closing_gates counts it */
	bool adopted; /* found in the kernel after a restart */
	bool claims;  /* adopted: holds its translated ids itself */
};

/* --- the gateway ------------------------------------------------------------------------ */

struct listener {
	struct gateway *gw;
	struct event *event;
	int fd;
	uint8_t family;
};

struct gateway_counters {
	uint64_t flows;                                             /* accepted ever */
	uint64_t refused_limit, refused_policy, refused_descriptor; /* closed at once with a reset */
	uint64_t half_open_dropped, handshake_timeouts, control_timeouts, connect_timeouts, connect_failed;
	uint64_t untouched, version_refused;
	uint64_t calls_up, calls_refused, calls_ended;
	uint64_t violations;                                   /* messages out of sequence or malformed */
	uint64_t received[2], forwarded, made, repaired, late; /* messages of flows that have ended; flows that live: alg_rewrite_stats() */
	struct gate_counters carried;                          /* by calls that have ended; those that live: gates_each() */
	uint64_t superseded;                                   /* calls cleared since a newer one has the same gates */
	uint64_t journal_failed;
	uint64_t adopted;        /* pairs taken over from a former process */
	uint64_t monitor_failed; /* requests that could not be sent */
};

struct gateway {
	const struct config *config;
	struct priv *priv;
	struct event_base *base;
	struct xlate *xlate;
	struct gates *gates;
	struct journal *journal; /* NULL: none */
	struct trace *trace;     /* NULL: none */
	const char *datapath;    /* "conntrack", "bpf" or "user" */
	struct datapath *user;   /* the user backend, which runs here; NULL: not in use */

	struct listener listeners[GATEWAY_LISTENERS];
	size_t listeners_count;
	struct flow *flows;
	struct flow *half_open, **half_open_tail;
	struct flow *graveyard;
	size_t flows_count, half_open_count;
	struct table sources, flows_by_number;
	struct call *calls;
	size_t calls_count;
	struct table calls_by_id, calls_by_up, calls_by_down;
	uint64_t next_flow;

	int control_fd; /* listening Unix socket made as root; -1: none */
	struct ctl_server *ctl;
	struct metrics *metrics;
	struct nl *nl;       /* looks routes up; NULL: can't */
	struct guard *guard; /* of the nftables table and the routing rules; NULL: not yet */
	struct event *tick, *work, *gates_timer, *stop_timer, *signals[4];
	int gre_fds[GATEWAY_GRE_FDS]; /* the user backend's, by thread and family */
	bool stopping;
	uint64_t stop_deadline_ts;
	int monitor_pid;   /* 0: the monitor is this process */
	bool handing_over; /* flows were saved: nothing may be said to anybody any more */
	int status;        /* of the process */
	uint64_t started_ts, started_unix;
	bool inherited; /* this process took over from another */
	struct gateway_counters counters;
	struct { /* what strangers can bring about */
		struct log_limit refused, failed, calls, violations;
	} limits;
};

/* What the worker needs that only root can have, or that was known before it was forked. */
struct gateway_prepared {
	const struct config *config;
	const char *datapath;
	struct monitor *monitor;
	bool forked; /* the monitor is another process, so that its descriptors are to be closed here */
	int control_fd;
	int metrics_fd;
	int table_fd, rules_fd; /* of nft_watch_open() and nl_rule_watch_open() */
};

/* Runs as root in the worker, before privileges go: 0 or -1 with the reason logged. arg is a struct gateway_prepared. */
int gateway_prepare(void *arg);

/* Fills in what of the monitor's policy is not alg/monitor.c's. */
void gateway_policy(const struct config *config, struct priv_policy *policy);

/* Serves until told to stop; returns the exit status. */
int gateway_run(const struct config *config, struct priv *priv, struct gateway_prepared *prepared);

/* Something for on_work is there: gates' actions, dead flows. Done when the present callback is over. */
void gateway_work_later(struct gateway *gw);

/* --- for tables and by hand -------------------------------------------------------------- */

/* How a call is named to people: flow and number, "12.1"; "adopted-ID" without a flow. */
const char *gateway_call_text(const struct call *call, char buf[GATEWAY_CALL_TEXT]);
/* Clears the call of this name (at both ends, where it has a control connection). False: there is none. */
bool gateway_clear_call(struct gateway *gw, const char *name);
/* Resets both ends of a control connection; its calls lose it. False: there is none. */
bool gateway_clear_flow(struct gateway *gw, uint64_t number);
/* Messages of all times: counters and the flows that live. */
void gateway_messages(const struct gateway *gw, struct alg_rewrite_stats *sum);

/* alg/ctl.c: for ctl_server_new(); their user is a struct gateway. */
extern const struct ctl_command gateway_commands[];

/* alg/metrics.c: Prometheus over HTTP on a listening socket that it takes over; NULL when it can't. */
struct metrics *metrics_new(struct gateway *gw, int fd);
/* The socket for it, as configured: a descriptor, or -1 with errno. */
int metrics_listen(const struct config *c);
void metrics_free(struct metrics *m);

#endif
