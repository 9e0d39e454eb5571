/* pptpalg's configuration file, read whole into one struct before anything else happens. Monitor and worker see the same. */
#ifndef ALG_CONFIG_H
#define ALG_CONFIG_H

#include <confuse.h>
#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pptp/msg.h>

#include "alg/rewrite.h"
#include "base/addr.h"
#include "sys/log.h"

enum { CONFIG_MAX_PORTS = 16, CONFIG_MAX_INTERFACES = 64, CONFIG_MAX_POLICIES = 256, CONFIG_MAX_MATCHES = 64, CONFIG_MAX_SERVERS = 256 };

#define PPTPALG_DEFAULT_CONFIG "/etc/pptpalg.conf"
#define PPTPALG_DEFAULT_SOCKET "/run/pptpalg/control.sock"

enum config_datapath { DATAPATH_AUTO, DATAPATH_CONNTRACK, DATAPATH_BPF, DATAPATH_USER };

/* What becomes of a control connection that a policy matches. */
enum config_action {
	ACTION_PROXY,  /* the gateway's work */
	ACTION_REFUSE, /* closed with a reset, counted, logged */
	ACTION_PASS,   /* never taken: the box treats it as if there were no gateway */
};

/* From which address the gateway goes on to the server, and GRE with it. */
enum config_nat {
	NAT_AUTO,      /* whatever the box's own rules make of the client's address */
	NAT_ROUTE,     /* the client's own address, whatever the box's rules say */
	NAT_STATIC,    /* one to one: the n-th address of `inside` becomes the n-th of `outside` */
	NAT_POOL,      /* one of `outside`, the same for a client at all times */
	NAT_INTERFACE, /* the address of the interface towards the server */
};

struct config_policy {
	const char *name;
	enum config_action action;
	enum config_nat nat;                       /* means something for ACTION_PROXY only */
	struct prefix sources[CONFIG_MAX_MATCHES]; /* of clients; none: any */
	size_t sources_count;
	struct prefix destinations[CONFIG_MAX_MATCHES]; /* as dialed; none: any */
	size_t destinations_count;
	char interfaces[CONFIG_MAX_INTERFACES][IFNAMSIZ]; /* on which connections come in, never own ones; none: any */
	size_t interfaces_count;
	uint16_t ports[CONFIG_MAX_PORTS]; /* none: all of the configuration's */
	size_t ports_count;
	struct prefix inside;                      /* of NAT_STATIC: clients of others don't match; else family 0 */
	struct prefix outside[CONFIG_MAX_MATCHES]; /* of NAT_STATIC (one) and NAT_POOL */
	size_t outside_count;
};

/* Destination NAT: a server inside, dialed at an address of the gateway's. */
struct config_server {
	const char *name;
	struct addr address; /* as dialed */
	uint16_t port;       /* as dialed; 0: each of the configuration's */
	struct addr to;
	uint16_t to_port; /* 0: as dialed */
};

struct config {
	cfg_t *cfg; /* owns the strings */

	uint16_t ports[CONFIG_MAX_PORTS]; /* of control connections that are taken; default 1723 */
	size_t ports_count;
	char interfaces[CONFIG_MAX_INTERFACES][IFNAMSIZ]; /* on which they come in; none: all */
	size_t interfaces_count;
	bool own_connections; /* those of clients on the gateway itself are taken too */
	bool ipv4, ipv6;

	enum config_datapath datapath;
	char bpf_interfaces[CONFIG_MAX_INTERFACES][IFNAMSIZ]; /* none: all */
	size_t bpf_interfaces_count;
	bool strict; /* PPTP GRE that no gate matches is dropped */
	uint64_t life_ns;

	enum pptp_policy protocol; /* how strictly messages are read */
	enum alg_other_version other_version;
	bool random_ids; /* never keep a client's call id */
	uint64_t id_rest_ns;

	struct config_policy policies[CONFIG_MAX_POLICIES]; /* the first that matches; none: proxy with `nat` */
	size_t policies_count;
	enum config_nat nat; /* where no policy matches: AUTO, ROUTE or INTERFACE */
	struct config_server servers[CONFIG_MAX_SERVERS];
	size_t servers_count;
	struct prefix nat64_prefix; /* an IPv4 server as IPv6 clients dial it, /96; family 0: no NAT64 */
	struct addr nat64_source;   /* family 0: the interface's */

	size_t max_connections, max_connections_per_source, max_half_open; /* half-open: the server is not reached, or no Start seen */
	size_t max_calls, max_calls_per_client, max_waiting;
	uint16_t max_calls_per_connection;
	size_t max_ids; /* of the translation table */
	uint64_t connect_timeout_ns, handshake_timeout_ns;
	uint64_t control_timeout_ns; /* without a call and a message; 0: none */
	uint64_t ageing_ns, idle_ns, adopted_ns, linger_ns, poll_ns;
	bool keep_with_control;
	uint64_t keepalive_ns; /* TCP keepalive of both halves, so that a dead end is noticed; 0: none */

	uint32_t mark;  /* firewall mark of packets for the gateway's own sockets: one bit; it and the two above it are the gateway's */
	uint32_t table; /* routing table, and priority of the first of the rules that lead there */
	uint16_t proxy_port;

	const char *user; /* that the worker runs as */
	const char *control_socket;
	unsigned control_mode;
	const char *state_dir;    /* the journal of gates; must outlive the process, not the machine */
	struct addr metrics_addr; /* family 0: none */
	uint16_t metrics_port;
	enum log_target log_target;
	enum log_level log_level;

	struct {
		const char *file; /* NULL: none; absolute */
		uint64_t size;    /* bytes, then the next */
		unsigned files;   /* kept, with the one written */
		unsigned level;   /* enum trace_level */
		unsigned flags;   /* enum trace_flag, bit set */
	} trace;
};

/* Reads path. Every error is printed to stderr as `FILE:LINE: what` or `FILE: what`. Returns NULL then. */
struct config *config_load(const char *path);
/* The same from text, for tests; name stands in errors. */
struct config *config_load_text(const char *name, const char *text);
void config_free(struct config *c);
/* Prints what is in force, defaults included, as a file that reads back to the same. */
void config_print(const struct config *c);

/* "auto", "route" ...; static. */
const char *config_nat_text(enum config_nat nat);
const char *config_datapath_text(enum config_datapath datapath);

#endif
