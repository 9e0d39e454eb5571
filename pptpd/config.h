/* pptpd's configuration file, read whole into one struct before anything else happens. */
#ifndef PPTPD_CONFIG_H
#define PPTPD_CONFIG_H

#include <confuse.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "pptpd/pool.h"
#include "sys/log.h"
#include "tunnel/engine.h"
#include "tunnel/options.h"

enum { CONFIG_MAX_LISTEN = 16, CONFIG_MAX_DNS = 2, CONFIG_IFNAME = 16 };

#define PPTPD_DEFAULT_CONFIG "/etc/pptpd/pptpd.conf"
#define PPTPD_DEFAULT_SOCKET "/run/pptpd/control.sock"

struct listen_at {
	struct addr addr;
	uint16_t port;
};

struct config {
	cfg_t *cfg; /* owns the strings */
	struct tunnel_options options;

	struct listen_at listen[CONFIG_MAX_LISTEN];
	size_t listen_count;
	size_t max_connections;
	size_t max_connections_per_source; /* 0: no limit */
	size_t max_half_open;
	uint64_t handshake_timeout_ns;
	bool accept_outgoing_calls, accept_incoming_calls;
	uint16_t max_calls; /* a connection */
	size_t max_sessions;

	char users_path[4096]; /* absolute */
	const char *server_name;
	unsigned auth; /* enum ppp_auth_method, bit set; 0: nobody is asked */
	unsigned sessions_per_user;

	struct addr local_v4, local_v6;
	struct pool_range pool_v4[POOL_MAX_RANGES];
	size_t pool_v4_count;
	bool pool_skip_ends;
	struct pool_range pool_v6[POOL_MAX_RANGES];
	size_t pool_v6_count;
	struct prefix pool_v6_prefixes[POOL_MAX_RANGES];
	struct addr dns[CONFIG_MAX_DNS], wins[CONFIG_MAX_DNS], dns_v6[CONFIG_MAX_DNS];

	bool per_session;           /* an interface for each session */
	char ifname[CONFIG_IFNAME]; /* of the shared one, or the pattern */
	bool proxy_arp;
	uint64_t idle_timeout_ns, session_timeout_ns; /* 0: none */
	const char *ip_up, *ip_down;                  /* NULL: none */

	unsigned workers;
	const char *user; /* that the worker runs as */
	const char *control_socket;
	unsigned control_mode;
	enum log_target log_target;
	enum log_level log_level;
	bool trace;
	uint64_t shutdown_timeout_ns;
};

/* Reads path. Every error is printed to stderr as `FILE:LINE: what` or `FILE: what`. Returns NULL then. */
struct config *config_load(const char *path);
/* The same from text, for tests; name stands in errors and its directory is where relative paths begin. */
struct config *config_load_text(const char *name, const char *text);
void config_free(struct config *c);
/* Prints what is in force, defaults included, as a file that reads back to the same. */
void config_print(const struct config *c);

#endif
