/* What is to become of one control connection: pure decision from the configuration, no system calls. */
#ifndef ALG_POLICY_H
#define ALG_POLICY_H

#include <stdbool.h>

#include "alg/config.h"

struct policy_query {
	struct addr client;
	struct addr dialed; /* as the client's packets name it, before the box's destination NAT */
	struct addr dst;    /* after it; same as dialed where there is none */
	uint16_t dialed_port, dst_port;
	char ifname[IFNAMSIZ]; /* on which the connection came in; empty: not known */
	bool own;              /* the client is on the gateway itself */
};

enum policy_source {
	SOURCE_CLIENT,    /* the client's own address; the box's rules may change it on the way out */
	SOURCE_FIXED,     /* `source`, and the box's rules shall leave it alone */
	SOURCE_INTERFACE, /* the kernel's choice */
};

struct policy_verdict {
	enum config_action action;
	const char *policy; /* its name, or "default" */
	enum config_nat nat;
	bool nat64;
	struct addr server; /* whom to connect to */
	uint16_t server_port;
	enum policy_source source_kind;
	struct addr source;
	const char *reason; /* of REFUSE, when it isn't the policy's action: "the pool has no address of the server's family" */
};

/* The policy is the first of the configuration's that matches. The box's own destination NAT wins over servers, servers over
 * nat64-prefix. A connection of the gateway's own goes out as it is (NAT_AUTO), whatever the policy's translation. The verdict borrows from
 * the configuration. */
void policy_decide(const struct config *config, const struct policy_query *query, struct policy_verdict *verdict);

/* Whether there can be a proxied connection from client to the dialed address, on whatever interface and port it may come in: what the
 * monitor lets the worker have gates for. */
bool policy_may_proxy(const struct config *config, const struct addr *client, const struct addr *dialed);

#endif
