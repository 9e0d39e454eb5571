/* One proxied control connection: flow_accept.c (who is let in), flow.c (its life), flow_open.c (the way to the server), flow_io.c
 * (bytes), flow_events.c (what the rewriter tells). */
#ifndef ALG_FLOW_H
#define ALG_FLOW_H

#include "alg/gateway.h"

enum flow_event {
	FLOW_E_SOCKET,    /* the socket towards the server is there */
	FLOW_E_CONNECTED, /* to the server */
	FLOW_E_SEEN,      /* the external address is known */
	FLOW_E_END,       /* one end sends no more, or the rewriter is done */
	FLOW_E_DRAINED,   /* nothing is left to send or receive */
	FLOW_E_FAILED,    /* either end is lost, or nothing can come of it: flow->reason */
	FLOW_E_TIMEOUT,   /* flow->deadline is over */
	FLOW_EVENTS,
};

/* --- flow.c ------------------------------------------------------------------------ */

/* Takes fd over; NULL (fd closed) when memory ran out. The addresses are to be filled in before the first event. */
struct flow *flow_new(struct gateway *gw, int fd);
/* False: no memory, and nothing has changed. */
bool flow_link(struct flow *f);
/* Forgets one that isn't linked, and resets its sockets. */
void flow_drop(struct flow *f);
void flow_fsm(struct flow *f, enum flow_event event);
/* FLOW_E_FAILED with a reason, unless there is one already. */
void flow_fail(struct flow *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Begins the life of a linked flow in this state: FLOW_ACCEPTED, or one that a former process left it in. */
void flow_begin(struct flow *f, enum flow_state state);
void flow_no_longer_half_open(struct flow *f);
/* Drops the oldest half-open one (of this source; NULL: of any); false when there is none. */
bool flow_drop_half_open(struct gateway *gw, const struct addr *source, const char *reason);
size_t flow_count_source(const struct gateway *gw, const struct addr *source);
/* Closed ones for which no answer is awaited. */
void flow_reap(struct gateway *gw);
void flow_check_deadlines(struct gateway *gw, uint64_t ts);
/* Both addresses, as log lines begin: "flow=3 client=... server=...". */
enum { FLOW_TEXT = 320 };
const char *flow_text(const struct flow *f, char buf[FLOW_TEXT]);
/* "client" or "server"; static. */
const char *flow_side_text(enum alg_side side);
/* The gates of a call of this flow that ended are gone: what tells of the end may go out. */
void flow_gates_gone(struct gateway *gw, uint64_t number);
/* A descriptor is closed with a reset, so that its other end knows at once. */
void flow_reset(int fd);

/* --- flow_accept.c --------------------------------------------------------------------- */

void flow_on_accept(int fd, short what, void *arg);

/* --- flow_open.c: what entering a state does ----------------------------------------------- */

void flow_ask_socket(struct flow *f);
void flow_connect(struct flow *f);
void flow_ask_lookup(struct flow *f);
/* The rewriter's configuration for this flow, whose addresses must be known. */
void flow_rewrite_config(struct flow *f, struct alg_rewrite_config *rc);
/* Makes the rewriter, unless a restored flow has one, and begins to read. */
void flow_open(struct flow *f);
/* Logs that it is there: of a new one, when the first message has gone by. */
void flow_log_open(const struct flow *f);
/* Sets what both sockets need: no delay, keepalive. */
void flow_set_up_socket(const struct flow *f, int fd);

/* --- flow_io.c ------------------------------------------------------------------------------- */

/* Makes the events of an end's descriptor. False: no memory. */
bool flow_watch(struct flow *f, enum alg_side side);
void flow_read_on(struct flow *f, enum alg_side side);
/* Deals with events and output until there is nothing to do; to be called after whatever changes the rewriter. The flow may be
 * closed afterwards, but isn't freed. */
void flow_pump(struct flow *f);
/* An end that is gone while it isn't read, since the other end takes nothing, tells nobody: this looks. */
void flow_check_ends(struct flow *f);
void flow_close_end(struct flow *f, enum alg_side side, bool reset);

/* --- flow_events.c ------------------------------------------------------------------------------ */

/* Takes the rewriter's events; true: there were some. */
bool flow_events(struct flow *f);
/* Counts the calls without gates anew, which hold ids, for the limit on calls of a client. */
void flow_count_requested(struct flow *f);
/* For alg_rewrite_config.trace; user is the flow. */
void flow_trace(void *user, enum alg_side from, const struct pptp_msg *received, const struct pptp_msg *forwarded);

#endif
