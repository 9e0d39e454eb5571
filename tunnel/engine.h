/* The data plane: worker threads that carry the packets of sessions, and run their PPP.
 *
 *   control thread                      worker thread (one of N)
 *   ---------------                     ------------------------------------------------------------
 *   struct tunnel_command  --mailbox--> raw GRE socket  -> call id -> pptp_gre -> ppp_link -> TUN (joined segments)
 *   struct tunnel_event   <--mailbox--  TUN (super-packets, cut) -> session -> ppp_link -> pptp_gre -> raw GRE socket
 *
 * A session belongs to one worker, the one whose socket filter keeps its call id (call id % workers): nothing on the packet
 * path takes a lock. Commands and events are values; the only memory both sides see is a session's counters. The control
 * thread decides (users, addresses, interfaces), the worker carries out. Server and client use it alike. */
#ifndef TUNNEL_ENGINE_H
#define TUNNEL_ENGINE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "libppp/bundle.h"
#include "libppp/link.h"
#include <pptp/gre.h>

enum {
	TUNNEL_MAX_WORKERS = 32,
	TUNNEL_HOLD_PKTS = 256, /* packets kept for an interface whose session is not up yet (dial on demand) */
};

/* A session's counters: written by its worker with relaxed stores, read by anyone. Allocated by the control thread, and freed by it
 * after TUNNEL_EVENT_CLOSED. IP bytes inside the tunnel. */
struct tunnel_counters {
	_Atomic uint64_t rx_pkts, rx_bytes;      /* from the peer */
	_Atomic uint64_t tx_pkts, tx_bytes;      /* to the peer */
	_Atomic uint64_t last_rx_ts, last_tx_ts; /* user data, for idle time-outs */
	_Atomic uint64_t gre_rx;                 /* any GRE packet of the call from the right source */
	_Atomic uint64_t gre_lost, gre_duplicate, gre_late, gre_reordered, gre_bad;
	_Atomic uint64_t dropped_clear, dropped_spoofed, dropped_bad, dropped_queue;
	_Atomic uint64_t mppe_resets;
};

/* The counters of packets as rows for tables, i from 0 on: the name of the i-th (static) with its present value in *value; NULL behind the
 * last one. Any thread may read them. */
const char *tunnel_counter(const struct tunnel_counters *c, size_t i, uint64_t *value);

enum tunnel_command_type {
	TUNNEL_IF_ADD,        /* a worker takes an interface's queue: iface */
	TUNNEL_IF_DEL,        /* and gives it up (closed off the packet thread): iface.id */
	TUNNEL_SESSION_OPEN,  /* the call is up: open */
	TUNNEL_SESSION_PEER,  /* the peer's call id or window became known later: peer */
	TUNNEL_SESSION_AUTH,  /* verdict on TUNNEL_EVENT_AUTH_REQUEST: auth */
	TUNNEL_SESSION_BIND,  /* the session's interface and addresses: bind; network protocols start */
	TUNNEL_SESSION_CLOSE, /* close in order, then TUNNEL_EVENT_CLOSED: close */
	TUNNEL_SESSION_ABORT, /* the call is gone: TUNNEL_EVENT_CLOSED at once, or as soon as the link knows why: abort */
	TUNNEL_ROUTE_ADD,     /* inner destinations behind a session of a shared interface: route (every worker gets it) */
	TUNNEL_ROUTE_DEL,
	TUNNEL_STOP, /* end the thread */
};

struct tunnel_if {
	uint32_t id;       /* chosen by the control thread, unique */
	int fd;            /* this worker's queue; owned by the worker from now on */
	uint32_t offloads; /* TUN_F_* in force */
	bool vnet_hdr;
	bool shared; /* sessions are found by inner destination; else it is one session's */
	bool hold;   /* keep packets, and say TUNNEL_EVENT_DIAL, while no session is bound */
	uint32_t mtu;
};

struct tunnel_open {
	uint16_t call_id;
	struct addr local; /* outer addresses */
	struct addr peer;
	struct pptp_gre_config gre;
	struct ppp_link_config link; /* mem, crypto, random and trace are filled in by the engine */
	struct tunnel_counters *counters;
	uint64_t no_gre_ns; /* no GRE at all for so long after opening: TUNNEL_EVENT_NO_GRE; 0: never */
	/* The call is not answered yet and gre says nothing of the peer: TUNNEL_SESSION_PEER follows. Nothing is sent before, but what
	 * a quick peer sends is not lost. */
	bool peer_later;
};

struct tunnel_bind {
	uint32_t if_id;                  /* 0: none, packets from the peer are dropped */
	struct ppp_bundle_config bundle; /* keys are filled in by the engine from the link */
	uint16_t mss_max;                /* bytes; TCP MSS of SYNs both ways is clamped to it; 0: from the MTU; UINT16_MAX: no clamping */
	struct prefix sources[8];        /* inner source addresses the peer may use; others are dropped and counted. count 0: any */
	uint8_t sources_count;
	struct prefix ra; /* IPv6 prefix announced to the peer by Router Advertisement; family 0: none */
	struct addr ra_dns[2];
	bool accept_ra;         /* client: take the peer's advertisement: TUNNEL_EVENT_PREFIX */
	struct addr nat_inside; /* client: this address on the interface stands for the one the peer assigned; family 0: none */
};

struct tunnel_command {
	enum tunnel_command_type type;
	uint64_t session; /* the control thread's number of it, never used twice; 0 where none is meant */
	union {
		struct tunnel_if iface;
		struct tunnel_open open;
		struct {
			uint16_t call_id, window, delay;
		} peer;
		struct {
			uint8_t id;
			struct ppp_auth_verdict verdict;
		} auth;
		struct tunnel_bind bind;
		struct {
			enum ppp_down why;
			char reason[64];
		} close;
		struct {
			/* The peer's last words may still be on their way: the longest to listen for them; 0: not at all. A later
			 * abort may cut it short. */
			uint64_t listen_ns;
		} abort;
		struct {
			uint32_t if_id;
			struct prefix dst;
			uint16_t call_id; /* of the session: tells the worker */
		} route;
	};
};

enum tunnel_event_type {
	TUNNEL_EVENT_AUTH_REQUEST,   /* request */
	TUNNEL_EVENT_NETWORK,        /* link: authentication is done, answer with TUNNEL_SESSION_BIND */
	TUNNEL_EVENT_UP,             /* a network protocol came up or changed: link and bundle. May come again */
	TUNNEL_EVENT_PREFIX,         /* client: prefix from the peer's Router Advertisement */
	TUNNEL_EVENT_NO_GRE,         /* nothing came over GRE since the call was opened */
	TUNNEL_EVENT_IDENTIFICATION, /* message */
	TUNNEL_EVENT_CLOSED,         /* the last one: down, message; counters are final */
	TUNNEL_EVENT_IF_LOST,        /* if_id: somebody deleted the interface; each worker that has it says so */
	TUNNEL_EVENT_DIAL,           /* if_id: a packet waits at an interface without a session */
};

struct tunnel_event {
	enum tunnel_event_type type;
	uint64_t session;
	uint32_t if_id;
	enum ppp_down down;
	uint16_t mschap_error;
	union {
		struct ppp_auth_request request;
		struct {
			struct ppp_link_info link;
			struct ppp_bundle_info bundle;
		} up;
		struct prefix prefix;
		char message[PPP_MESSAGE_MAX + 1];
	};
};

/* A worker's counters that are no session's. */
struct tunnel_worker_counters {
	_Atomic uint64_t gre_bad; /* malformed GRE */
	_Atomic uint64_t gre_unknown_call;
	_Atomic uint64_t gre_wrong_source; /* right call id, wrong outer address */
	_Atomic uint64_t tun_no_route;     /* no session for an inner destination */
	_Atomic uint64_t tun_handed_over;  /* packets of another worker's session */
	_Atomic uint64_t tx_errors;
};

struct tunnel_engine_config {
	unsigned workers;                  /* 1..TUNNEL_MAX_WORKERS */
	int gre_fd[TUNNEL_MAX_WORKERS][2]; /* raw sockets for IPv4 and IPv6, owned by the engine; -1: none */
	bool gre_pktinfo[2];               /* the sockets are not bound: set the source address of each packet */
	const struct ppp_crypto *crypto;   /* must outlive the engine */
	/* A trace line of PPP, from worker threads: `recv [LCP ConfReq ...]`. NULL: none. */
	void (*trace)(void *user, uint64_t session, const char *line);
	void *trace_user;
};

struct tunnel_engine;

/* Starts the workers. Returns NULL, with a logged reason, when it can't. */
struct tunnel_engine *tunnel_engine_new(const struct tunnel_engine_config *config);
/* Stops the workers, closes descriptors. */
void tunnel_engine_free(struct tunnel_engine *e);

unsigned tunnel_workers(const struct tunnel_engine *e);
/* The worker of a call id: call id % workers. */
unsigned tunnel_worker_of(const struct tunnel_engine *e, uint16_t call_id);

/* Sends a command to a worker, by value. False only when its mailbox is full (65,536 commands). */
bool tunnel_post(struct tunnel_engine *e, unsigned worker, const struct tunnel_command *command);
/* To all workers: routes. */
bool tunnel_post_all(struct tunnel_engine *e, const struct tunnel_command *command);

/* Readable while events wait; take them until false. Both from the control thread only. */
int tunnel_event_fd(const struct tunnel_engine *e);
bool tunnel_take_event(struct tunnel_engine *e, struct tunnel_event *event);

const struct tunnel_worker_counters *tunnel_worker_counters(const struct tunnel_engine *e, unsigned worker);

#endif
