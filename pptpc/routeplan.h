/* Which routes a tunnel wants, as values: decided here, carried out elsewhere. */
#ifndef PPTPC_ROUTEPLAN_H
#define PPTPC_ROUTEPLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "pptpc/profile.h"

enum { ROUTEPLAN_MAX = PROFILE_MAX_ROUTES + 8 };

struct route_op {
	struct prefix dst;
	struct addr gateway; /* family 0: onto the interface */
	struct addr source;  /* preferred source; family 0: none */
	int ifindex;
	uint32_t metric;
	uint32_t table; /* 0: main */
};

struct route_plan {
	size_t count;
	struct route_op ops[ROUTEPLAN_MAX];
};

/* The tunnel's state, as far as routes depend on it. */
struct route_facts {
	int ifindex;
	bool ipv4, ipv6;   /* traffic of that family can go, or (dial on demand) may make it dial */
	struct addr local; /* preferred IPv4 source; family 0: none */
};

/* The routes onto the tunnel: the wanted networks, and for a default route two halves, which win over the machine's own default
 * without touching it. In a table of its own it is one whole default route. */
void routeplan_tunnel(struct route_plan *plan, const struct profile *p, const struct route_facts *facts);

/* Whether those routes would send the outer packets to the server into the tunnel itself, so that it needs a host route. */
bool routeplan_needs_host(const struct profile *p, const struct addr *server);

/* The host route to server through a gateway (family 0: on the link) and interface. */
struct route_op routeplan_host(const struct addr *server, const struct addr *gateway, int ifindex);

/* Takes it out, if it is in there. */
void routeplan_remove(struct route_plan *plan, const struct route_op *op);
bool routeplan_has(const struct route_plan *plan, const struct route_op *op);
bool routeplan_same(const struct route_op *a, const struct route_op *b);

#endif
