/* The options of a tunnel that server and client share: one table of names, read from a configuration file, from the
 * command line, or both, into the configurations of libpptp, libppp and the tunnel.
 *
 * Every option has a row: name, kind, a default for each role, and a setter that checks the value. The programs add
 * options of their own beside them. */
#ifndef TUNNEL_OPTIONS_H
#define TUNNEL_OPTIONS_H

#include <confuse.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libppp/bundle.h"
#include "libppp/link.h"
#include <pptp/conn.h>
#include <pptp/gre.h>

enum tunnel_role { TUNNEL_SERVER, TUNNEL_CLIENT };

enum { TUNNEL_OPTIONS_MAX = 40 }; /* rows at most: room for tunnel_options_cfg() */

struct tunnel_options {
	struct ppp_link_config link;     /* names, secret, require and allow are the program's */
	struct ppp_bundle_config bundle; /* addresses and keys are the program's */
	struct pptp_gre_config gre;      /* the peer's call id, window and delay are the call's */
	uint16_t mss_max;                /* as in struct tunnel_bind */
	uint16_t recv_window;            /* as in struct pptp_call_params */
	enum pptp_policy policy;         /* these four as in struct pptp_conn_config */
	uint64_t echo_interval_ns;
	uint64_t echo_timeout_ns;
	uint64_t reply_timeout_ns;
	char host_name[65]; /* empty: the machine's */
};

/* Every option at its default for the role. */
void tunnel_options_init(struct tunnel_options *o, enum tunnel_role role);

/* Sets one option by name from text, as the command line gives it ("mppe-bits", "128,56"). False, with a sentence in err and
 * *o unchanged, for an unknown name or a bad value. */
bool tunnel_option_set(struct tunnel_options *o, const char *name, const char *value, char *err, size_t errlen);

/* Whether there is an option of that name. */
bool tunnel_option_known(const char *name);

/* Writes the options as libconfuse's, with defaults and checks, to opts (room for TUNNEL_OPTIONS_MAX); returns how many. The caller
 * adds its own and CFG_END(). A bad value is an error of the parser with file and line. */
size_t tunnel_options_cfg(cfg_opt_t *opts, enum tunnel_role role);

/* Reads what tunnel_options_cfg() defined from a parsed section into *o, which was initialised. The values were checked while
 * parsing; those that stand at their default are read too. */
void tunnel_options_read(struct tunnel_options *o, cfg_t *cfg);

/* "mschap2, eap-mschap2" as a bit set of enum ppp_auth_method; "all" is every method, "none" or "" none. False with a
 * sentence in err for an unknown name. */
bool tunnel_parse_auth(const char *list, unsigned *methods, char *err, size_t errlen);

/* Fills the fields of a connection's configuration that options decide; host_name is used as long as o lives. */
void tunnel_options_conn(const struct tunnel_options *o, struct pptp_conn_config *config);

/* The values of a string list option joined with commas, cut to size; returns buf. */
const char *tunnel_cfg_join(cfg_opt_t *opt, char *buf, size_t size);

#endif
