/* IPCP: addresses (RFC 1332), and DNS and WINS servers (RFC 1877). */
#ifndef LIBPPP_IPCP_H
#define LIBPPP_IPCP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "libppp/fsm.h"

struct ppp_bundle;

enum { IPCP_SERVERS = 4 }; /* DNS 1, WINS 1, DNS 2, WINS 2: in the order of their option types, 129 to 132 */

struct ipcp {
	struct fsm fsm;
	struct ppp_bundle *bundle;
	bool opened;
	bool finished; /* ended, until the bundle comes up anew or the peer tries again */
	bool ask_addr;
	bool ask_server[IPCP_SERVERS];
	struct addr local;                /* what we ask for; family 0: as yet unknown */
	struct addr peer;                 /* what the peer asked for and got; family 0: nothing */
	struct addr server[IPCP_SERVERS]; /* that the peer told us */
};

void ipcp_init(struct ipcp *p, struct ppp_bundle *b);
/* Back to the configured wishes. */
void ipcp_reset_wishes(struct ipcp *p);

#endif
