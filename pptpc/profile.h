/* What a user wants of one tunnel, and of the client as a whole: plain values, filled from a file or a command line. */
#ifndef PPTPC_PROFILE_H
#define PPTPC_PROFILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "tunnel/options.h"

enum {
	PROFILE_MAX_SERVERS = 8,
	PROFILE_MAX_ROUTES = 64,
	PROFILE_MAX_TUNNELS = 64,
	PROFILE_TEXT = 256,
};

enum profile_family { PROFILE_ANY, PROFILE_IPV4, PROFILE_IPV6 };

/* A list of names or addresses, in the order of preference. */
struct name_list {
	uint8_t count;
	char names[PROFILE_MAX_SERVERS][PROFILE_TEXT];
};

struct prefix_list {
	uint8_t count;
	struct prefix items[PROFILE_MAX_ROUTES];
};

/* Waits before another attempt, by what went wrong; TS_NEVER: don't try again. */
struct retry_waits {
	uint64_t network_ns;    /* name, route, TCP, GRE, lost echo */
	uint64_t refused_ns;    /* the server or its call was busy or unwilling */
	uint64_t auth_ns;       /* user name or password */
	uint64_t encryption_ns; /* encryption could not be agreed on */
	uint64_t ended_ns;      /* the server hung up */
};

struct profile {
	char name[PROFILE_TEXT];
	struct name_list servers;
	uint32_t port;
	int family; /* enum profile_family of the outer addresses */
	char user[PROFILE_TEXT];
	char password[PROFILE_TEXT]; /* as written in the configuration */
	bool password_set;
	char password_file[PROFILE_TEXT];
	int64_t password_fd; /* -1: none */
	char phone[65];
	uint32_t call_id; /* to ask with; 0: drawn at random */

	char interface[16];
	bool autostart; /* dial at start; else wait to be told */
	unsigned allow; /* enum ppp_auth_method */
	struct tunnel_options tunnel;

	struct addr address; /* ours inside; family 0: the server's choice */
	bool default_route, default_route6;
	struct prefix_list routes;
	uint32_t metric, table, mark;
	struct addr bind_address;
	char bind_interface[16];
	bool dns;
	char dns_domain[128];
	char ip_up[PROFILE_TEXT], ip_down[PROFILE_TEXT];

	bool demand;
	uint64_t idle_ns, session_ns; /* 0: none */
	uint64_t connect_ns;          /* the longest a name look-up, and then TCP, may take */
	uint64_t no_gre_ns;           /* silence of GRE after which it is called blocked */

	bool retry;
	uint32_t attempts; /* at most in a row; 0: for ever */
	struct retry_waits waits;
	uint64_t retry_max_ns;
};

struct client_config {
	char control_socket[108];
	char log_level[16];
	char log_target[16]; /* stderr, syslog or journal */
	char worker[64];     /* the unprivileged user */
	struct profile *tunnels;
	uint8_t count;
	bool by_hand; /* one tunnel from the command line: progress for a person, status by cause */
};

/* Fills *p with the defaults. by_hand: don't dial again when a tunnel ends. */
void profile_init(struct profile *p, bool by_hand);
void client_config_init(struct client_config *c);
/* Frees the tunnels and wipes their passwords. */
void client_config_fini(struct client_config *c);
/* Adds a tunnel with defaults; NULL when there are too many or memory ran out. */
struct profile *client_config_add(struct client_config *c, const char *name);

/* What single values can't show: false, with a sentence in err, if options contradict each other or one is missing. */
bool profile_check(const struct profile *p, char *err, size_t errlen);
/* The same across tunnels: names and interfaces once each. */
bool client_config_check(const struct client_config *c, char *err, size_t errlen);

/* Whether a tunnel that dials on demand needs an address that stands for the one it does not know yet. */
bool profile_needs_placeholder(const struct profile *p);

#endif
