/* The client's state in its control thread: what the files of this room share. */
#ifndef PPTPC_CLIENT_H
#define PPTPC_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pptp/callid.h>

#include "pptpc/backoff.h"
#include "pptpc/diag.h"
#include "pptpc/profile.h"
#include "pptpc/routeplan.h"
#include "pptpc/servers.h"
#include "sys/ctl.h"
#include "sys/log.h"
#include "sys/priv.h"
#include "tunnel/engine.h"

struct client;
struct control;
struct event;
struct event_base;
struct nl;
struct nl_monitor;
struct resolve;

enum dial_state {
	DIAL_DOWN,    /* not wanted, or given up */
	DIAL_STANDBY, /* dial on demand: interface and routes are there, the first packet dials */
	DIAL_RESOLVE, /* the server's name */
	DIAL_CONNECT, /* TCP and Start-Control-Connection */
	DIAL_CALL,    /* Outgoing-Call */
	DIAL_LINK,    /* LCP, authentication, network protocols */
	DIAL_UP,
	DIAL_HANGUP, /* ends in order: LCP, call, control connection, TCP */
	DIAL_WAIT,   /* before the next attempt */
};

/* A data plane: tunnels whose outer packets carry the same mark and leave by the same interface share one. */
struct path {
	struct client *client;
	struct tunnel_engine *engine;
	struct event *event;
	uint32_t mark;
	char ifname[PRIV_IFNAME];
	int gre_fd[2]; /* the engine's: IPv4, IPv6 */
};

/* A route that the monitor was asked for. */
struct asked_route {
	struct dial *dial; /* NULL: the interface is gone, and nobody wants to know any more */
	struct route_op op;
};

/* The tunnel's interface, and what was put on it. */
struct netif {
	bool asked; /* for the interface */
	uint32_t mtu;
	int ifindex; /* 0: none */
	char name[PRIV_IFNAME];
	struct addr placeholder; /* family 0: none */
	struct addr local_v4, peer_v4, link_local, local_v6;
	uint8_t prefix_len_v6;
	struct route_plan routes; /* those in place */
	struct asked_route asked_routes[ROUTEPLAN_MAX];
	size_t next_asked;
	bool dns;
};

/* The route to the server besides the tunnel. */
struct hostroute {
	struct addr server; /* family 0: none is wanted */
	bool placed;
	struct route_op op;
};

/* One tunnel, for as long as the program runs. */
struct dial {
	struct client *client;
	const struct profile *profile;
	unsigned index;
	struct path *path;
	enum dial_state state;
	bool wanted;  /* to be up, or ready to dial */
	bool restart; /* told to dial while it hangs up */
	bool waiting; /* dial on demand: a packet waits */

	struct servers servers;
	struct backoff backoff;
	struct event *timer; /* of the state */
	struct event *tick;  /* once a second while up */
	uint64_t retry_ts;

	unsigned attempt; /* replies to an earlier one are ignored */
	struct resolve *resolve;
	bool socket_asked;
	struct control *control;
	struct addr server, outer; /* outer addresses: the server's, ours */
	uint16_t call_id;          /* 0: none */
	bool call_clearing, control_stopping;
	uint64_t session; /* 0: none */
	bool session_closing, session_aborted;
	struct tunnel_counters *counters;
	uint64_t sent_errors, wrong_sources; /* of the data plane when the call came up */
	bool network;                        /* authenticated: interface wanted */
	bool no_gre;
	bool identified; /* the server has said in this attempt what it is */

	struct netif netif;
	struct hostroute hostroute;
	bool was_up;         /* in this attempt */
	uint64_t script_key; /* the session that ip-up was run for */
	uint64_t link_ts;    /* when the call came up */
	uint64_t up_ts;      /* 0: not up */
	uint64_t began_ts;   /* when it came up the last time */
	struct ppp_link_info link;
	struct ppp_bundle_info bundle;
	struct prefix prefix; /* that the server advertised, of 64 bits; family 0: none */

	struct trouble trouble; /* of this attempt, then of the last one */
	uint64_t trouble_unix;  /* seconds; 0: none yet */
};

struct client {
	uint64_t started_ts;
	const struct client_config *config;
	struct priv *priv;
	struct event_base *base;
	struct ppp_crypto *crypto;
	struct pptp_callid_pool *call_ids;
	struct path *paths[PROFILE_MAX_TUNNELS];
	size_t paths_count;
	struct dial *dials;
	size_t dials_count;
	struct nl *nl;
	struct nl_monitor *monitor;
	struct ctl_server *ctl;
	struct event *signals[2];
	uint64_t next_session;
	bool stopping;
	uint64_t stop_ts;
	bool trace;
	int status; /* exit status */
	char host_name[65];
};

/* What only root can prepare in the worker: the control socket, OpenSSL's providers, and the sockets that listen. */
struct client_prepared {
	const struct client_config *config;
	struct ppp_crypto *crypto;
	int control_fd; /* -1: none */
};

/* Patterns of interface names, and what else the monitor's policy points at. */
struct client_policy {
	struct priv_policy policy;
	char patterns[PROFILE_MAX_TUNNELS][64];
	const char *ifnames[PROFILE_MAX_TUNNELS + 1];
};

/* For priv_start(): 0, or -1 with the reason logged. arg is a struct client_prepared. */
int client_prepare(void *arg);
/* Fills the monitor's policy. False with a sentence in err when there are too many scripts. */
bool client_policy_fill(struct client_policy *p, const struct client_config *config, char *err, size_t errlen);
/* The number of a script in the policy; -1: none. */
int client_script(const struct client_config *config, const char *path);

/* Serves until told to stop, or until the tunnel by hand has ended; returns the exit status. */
int client_run(const struct client_config *config, struct priv *priv, struct client_prepared *prepared, bool trace);

/* Ends everything in order; again: at once. */
void client_stop(struct client *c);
/* A tunnel went down for good: ends the loop if that was the last thing to wait for. */
void client_dial_done(struct dial *d);
/* A line for the person in front of a tunnel by hand; nothing else. */
void client_say(const struct client *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Something that went wrong beside the tunnel: a sentence that begins in lower case, without its full stop. By hand for the person, else
 * for the log. */
void client_warn(const struct dial *d, const char *event, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Of log lines that say what a person in front of it has been told already. */
enum log_level client_level(const struct client *c);

/* --- dial.c: from the name to the link --- */

int dial_init(struct dial *d, struct client *c, unsigned index);
void dial_fini(struct dial *d);
/* Wants it up (or ready to dial), or down. reason is for the log. */
void dial_start(struct dial *d);
void dial_stop(struct dial *d);
/* Begins an attempt with the server in turn. */
void dial_attempt(struct dial *d);
/* The only one that assigns d->state. */
void dial_set_state(struct dial *d, enum dial_state state);
const char *dial_state_name(enum dial_state state);
/* Dial on demand: waits for a packet, with interface and routes in place. */
void dial_stand_by(struct dial *d);
/* Nanoseconds without user traffic. */
uint64_t dial_idle_ns(const struct dial *d, uint64_t now);
/* The state's timer; 0 stops it. */
void dial_arm(struct dial *d, uint64_t ns);
/* The interface came, or could not be made. */
void dial_netif_ready(struct dial *d, int error);

/* --- dial_link.c: the call and the link on it --- */

extern const struct control_ops dial_control_ops;
void dial_engine_event(struct dial *d, const struct tunnel_event *event);
void dial_bind(struct dial *d);
/* What is negotiated by now has to do. */
void dial_settle(struct dial *d);

/* --- dial_end.c: hanging up, and what comes next --- */

/* Ends the attempt or the tunnel for a reason; the first one counts. */
void dial_hangup(struct dial *d, const struct trouble *trouble);
void dial_hangup_kind(struct dial *d, enum trouble_kind kind, const char *detail);
/* While hanging up: the link's own reason, which may say more than the first. */
void dial_refine(struct dial *d, const struct trouble *of_link);
/* One step more of hanging up: something that was waited for has come, or its time is over. */
void dial_hangup_step(struct dial *d);
void dial_hangup_timeout(struct dial *d);
/* Where the tunnel is, for sentences. text has ADDR_TEXT_MAX bytes. */
struct trouble_place dial_place(const struct dial *d, char *text);

/* --- data.c: data planes --- */

/* The data plane of a tunnel, made if there is none yet; NULL with the reason logged. */
struct path *data_path(struct client *c, const struct profile *p);
/* Before a call: its GRE goes out by the interface that bears the name of bind-interface now. False with errno when there is none. */
bool data_bind(const struct path *path);
void data_free(struct client *c);

/* --- netif.c --- */

/* Asks for the interface unless it is there; dial_netif_ready() follows. */
void netif_open(struct dial *d);
void netif_close(struct dial *d);
/* Looks whether it is still there: who deleted it ended the tunnel, which then comes back as its options say. */
void netif_check(struct dial *d);
/* Addresses, MTU, routes and resolvers as the tunnel's state wants them; removes what it doesn't. */
void netif_update(struct dial *d);
/* Down: back to what a tunnel that waits has. */
void netif_down(struct dial *d);

/* --- hostroute.c --- */

void hostroute_place(struct dial *d, const struct addr *server);
void hostroute_check(struct dial *d);
void hostroute_drop(struct dial *d);

/* --- scripts.c --- */

/* Writes the environment of ip-up (reason NULL) or ip-down into env as NAME=value strings; returns the bytes. */
uint16_t scripts_environment(const struct dial *d, const char *reason, char env[PRIV_ENV_BYTES]);
void scripts_up(struct dial *d);
void scripts_down(struct dial *d, const char *reason);

/* --- status.c --- */

/* For ctl_server_new(); their user is a struct client. */
extern const struct ctl_command client_commands[];

#endif
