/* The server's state in its control thread: what the files of this room share. */
#ifndef PPTPD_SERVER_H
#define PPTPD_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pptp/callid.h>

#include "pptpd/auth.h"
#include "pptpd/config.h"
#include "pptpd/hash.h"
#include "pptpd/pool.h"
#include "pptpd/users.h"
#include "sys/ctl.h"
#include "sys/log_limit.h"
#include "sys/priv.h"
#include "tunnel/engine.h"

struct event;
struct event_base;
struct conn;
struct session;
struct server;

/* Numbers into priv_policy's files and scripts. */
enum { SERVER_FILE_USERS = 0 };
enum { SERVER_SCRIPT_UP = 0, SERVER_SCRIPT_DOWN = 1 };

struct listener {
	struct server *srv;
	struct event *event;
	int fd;
	struct listen_at at;
};

struct server_counters {
	uint64_t conns, conns_refused, half_open_dropped, handshake_timeouts;
	uint64_t sessions, sessions_up, sessions_refused, strangers_dropped;
	uint64_t auth_ok, auth_refused;
	uint64_t pool_exhausted;
};

struct server {
	const struct config *config;
	struct users *users;
	struct ppp_crypto *crypto;
	struct priv *priv;
	struct event_base *base;
	struct tunnel_engine *engine;
	struct pptp_callid_pool *call_ids;
	struct pool *pool_v4, *pool_v6; /* NULL: none */
	struct auth_backend auth;
	char host_name[65];

	struct listener listeners[CONFIG_MAX_LISTEN];
	size_t listeners_count;
	struct conn *conns;                       /* all */
	struct conn *half_open, **half_open_tail; /* oldest first */
	size_t conns_count, half_open_count;
	struct hash conns_by_source;

	struct session *sessions, *graveyard;
	struct session *strangers, **strangers_tail; /* not authenticated yet, oldest first */
	size_t sessions_count;
	struct hash sessions_by_id, sessions_by_user, held_addresses, networks;
	struct session *session_by_call[65536]; /* by our call id */
	uint64_t next_session;
	uint32_t next_if;

	uint32_t shared_if; /* the engine's number of the shared interface; 0: one for each session */
	int shared_ifindex;
	char shared_ifname[PRIV_IFNAME];

	int control_fd; /* listening Unix socket made as root; -1: none */
	struct ctl_server *ctl;
	struct event *engine_event, *tick, *reap, *signals[3], *stop_timer;
	bool stopping, stop_sent;
	bool abandoned; /* sessions ended that workers still have: nothing of them is freed before the workers end */
	uint64_t stop_began_ts, stop_deadline_ts;
	int status; /* of the process */
	uint64_t started_ts;
	struct server_counters counters;
	/* Of lines that strangers can bring about, by event. */
	struct {
		struct log_limit control_refused, control_up, call_refused, session_down, no_gre;
	} limits;
	uint64_t hash_seed;
};

/* What the worker needs that only root can have: made in priv_start()'s prepare. */
struct server_prepared {
	const struct config *config;
	struct ppp_crypto *crypto;
	int control_fd;
};

/* Runs as root in the worker, before privileges go: 0 or -1 with the reason logged. arg is a struct server_prepared. */
int server_prepare(void *arg);

/* Fills the monitor's policy from the configuration. */
void server_policy(const struct config *config, struct priv_policy *policy);

/* Serves until told to stop; returns the exit status. Takes users. */
int server_run(const struct config *config, struct users *users, struct priv *priv, struct server_prepared *prepared);

/* Frees the sessions in the graveyard once the present callback is over. */
void server_reap_later(struct server *srv);

/* Reads the users file anew, and swaps it in if it is good. */
void server_reload(struct server *srv);

/* Marks the fixed addresses of users as reserved in the pools. */
void server_reserve_fixed(struct server *srv);

#endif
