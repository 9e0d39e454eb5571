/* One call from a client: its authentication, addresses, interface, and its end.
 *
 * A session has two legs: the call on the control connection, and the worker's half in the data plane. It is a machine
 * (session_fsm) over events of both, and lives until both are gone. */
#ifndef PPTPD_SESSION_H
#define PPTPD_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include <pptp/conn.h>

#include "pptpd/server.h"

enum session_state {
	SESSION_NEW,     /* the call is being set up */
	SESSION_LINK,    /* the worker runs LCP and authentication */
	SESSION_AUTH,    /* a verdict is awaited */
	SESSION_SETUP,   /* addresses are taken, the monitor makes interface and routes */
	SESSION_NETWORK, /* bound: network protocols are negotiated */
	SESSION_UP,
	SESSION_CLOSING, /* the worker ends it */
	SESSION_DEAD,    /* the worker has ended it */
	SESSION_STATES,
};

enum session_event {
	SESSION_E_CALL_UP,
	SESSION_E_AUTH_REQUEST, /* arg: struct ppp_auth_request */
	SESSION_E_AUTH_ANSWER,  /* arg: struct auth_answer */
	SESSION_E_AUTHED,       /* the worker wants a network */
	SESSION_E_READY,        /* interface and routes are made */
	SESSION_E_NETWORK_UP,   /* arg: struct tunnel_event */
	SESSION_E_CLOSE,        /* arg: struct session_close */
	SESSION_E_CALL_DOWN,    /* arg: struct session_close */
	SESSION_E_CLOSED,       /* arg: struct tunnel_event */
	SESSION_EVENTS,
};

struct session_close {
	enum ppp_down down; /* as accounted */
	const char *reason; /* for the log and, shortened, for the peer */
	uint8_t cdn_result; /* enum pptp_cdn_result */
};

enum { SESSION_REASON_MAX = 160 };

/* A network behind a session's user, in the server's table. */
struct network {
	struct hash_node node;
	struct session *session;
	struct prefix dst;
};

/* An address that is no pool's but in use, so that no two sessions have it. */
struct held {
	struct hash_node node;
	struct addr addr;
	bool in;
};

struct session {
	struct server *srv;
	struct session *next, *prev;
	struct session *buried_next;
	struct session *stranger_next, **stranger_prev; /* of those that are not authenticated yet; stranger_prev NULL: not one of them */
	struct hash_node id_node, user_node;
	bool in_user_hash;

	uint64_t id;
	enum session_state state;
	struct conn *conn; /* NULL: the control connection is gone */
	struct session *conn_next, *conn_prev;
	bool call_alive, worker_alive;
	struct pptp_call_info call;
	struct addr local, peer; /* outer */
	unsigned worker;
	struct tunnel_counters *counters;

	bool authed;
	char user[PPP_NAME_MAX + 1];
	enum ppp_auth_method method;
	struct user_profile profile;

	struct addr v4;   /* the peer's; family 0: none */
	struct prefix v6; /* the same */
	bool v4_pool, v6_pool;
	struct held v4_held, v6_held;
	struct network networks[USER_MAX_ROUTES]; /* the first networks_count are in the table */
	uint8_t networks_count;

	uint32_t if_id; /* 0: none */
	int ifindex;
	char ifname[PRIV_IFNAME];
	bool own_if, routed;
	unsigned pending;         /* requests to the monitor that setup waits for */
	const char *setup_failed; /* static; NULL: it did not */

	bool was_up, buried;
	bool ipv4_up, ipv6_up, mppe_up;
	char encoding[32];
	uint16_t mtu, mru;
	char identification[96];

	uint64_t created_ts, up_ts;
	uint64_t created_unix;
	enum ppp_down down;
	bool reason_may_change; /* the call ended first; the link may know why */
	char reason[SESSION_REASON_MAX];
	uint8_t cdn_result;
};

/* Makes the session of a call that a peer asks for, state SESSION_NEW. With max-sessions the oldest one that is not authenticated yet makes
 * room. NULL: limits or memory; *why is static then. */
struct session *session_new(struct conn *conn, const struct pptp_call_info *call, const char **why);

/* The one entry of the machine. */
void session_fsm(struct session *s, enum session_event event, const void *arg);

/* Not one of the strangers any more, as it is authenticated, or ends. */
void session_known(struct session *s);

/* Shorthand for SESSION_E_CLOSE. */
void session_end(struct session *s, enum ppp_down down, uint8_t cdn_result, const char *reason);

/* The session of a number; NULL: none. */
struct session *session_by_id(struct server *srv, uint64_t id);
/* Sessions of a user that are authenticated. */
unsigned session_count_user(struct server *srv, const char *user);
/* Idle and session time-outs; once a second. */
void session_check_timeouts(struct session *s, uint64_t ts);
/* When the peer last sent or got user data, or came up. */
uint64_t session_last_used(const struct session *s);
/* Frees what session_fsm() buried. */
void sessions_reap(struct server *srv);

const char *session_state_name(enum session_state state);

/* session_net.c: what the session needs of the system. */

/* Takes addresses and asks the monitor for interface and routes; SESSION_E_READY or SESSION_E_CLOSE follows, now or later. */
void session_setup(struct session *s);
/* Tells the worker of the interface and addresses. */
void session_network(struct session *s);
/* Gives all of it back. */
void session_release(struct session *s);

/* session_log.c: what people and scripts hear of it. */
void session_log_up(const struct session *s);
void session_log_down(const struct session *s);
void session_log_auth(const struct session *s, const char *user, enum ppp_auth_method method, bool ok, const char *reason);
void session_script_up(const struct session *s);
void session_script_down(const struct session *s);

#endif
