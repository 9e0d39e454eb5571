/* IPV6CP: interface identifiers (RFC 5072). */
#ifndef LIBPPP_IPV6CP_H
#define LIBPPP_IPV6CP_H

#include <stdbool.h>
#include <stdint.h>

#include "libppp/fsm.h"

struct ppp_bundle;

enum { IFID_LEN = 8 };

struct ipv6cp {
	struct fsm fsm;
	struct ppp_bundle *bundle;
	bool opened;
	bool finished;
	bool ask;
	bool peer_known; /* peer holds what it asked for */
	uint8_t local[IFID_LEN];
	uint8_t peer[IFID_LEN];
	uint8_t offer[IFID_LEN]; /* for a peer that has none */
};

void ipv6cp_init(struct ipv6cp *p, struct ppp_bundle *b);
void ipv6cp_reset_wishes(struct ipv6cp *p);

#endif
