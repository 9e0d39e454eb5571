/* Inside of a link: shared by link*.c, lcp*.c and the bundle. */
#ifndef LIBPPP_LINK_INT_H
#define LIBPPP_LINK_INT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libppp/auth_fsm.h"
#include "libppp/events.h"
#include "libppp/lcp.h"
#include "libppp/link.h"
#include "libppp/outq.h"

enum { LINK_EARLY_BYTES = 512 };

struct ppp_link {
	/* read for each packet */
	struct ppp_bundle *bundle;
	enum ppp_phase phase;
	bool heard;       /* anything came at all */
	uint64_t last_rx; /* when, ns */
	bool tx_pfc, tx_acfc;

	struct ppp_link *next; /* of the bundle's links */
	uint64_t now;
	struct ppp_link_config config;
	struct outq outq;
	struct events events;
	struct lcp lcp;
	struct authr *authr; /* the peer authenticates to us; NULL: it need not, or both sides are through with it */
	struct authe *authe; /* and we to it; NULL: never yet */
	bool authr_done, authe_done;
	uint64_t auth_deadline;   /* of the phase Authenticate; TS_NEVER: not in it */
	uint64_t setup_deadline;  /* of all that comes before the phase Network the first time; TS_NEVER: it is over */
	uint64_t listen_deadline; /* when a passive link begins by itself; TS_NEVER: no more */
	unsigned peer_method, self_method;
	char peer_name[PPP_NAME_MAX + 1];
	struct ppp_mppe_keys keys;
	bool networked; /* PPP_EVENT_NETWORK was given */
	enum ppp_down why;
	uint16_t mschap_error;
	char message[PPP_MESSAGE_MAX + 1]; /* with why */
	uint64_t rx_control, tx_control;
	size_t early_len;
	uint8_t early[LINK_EARLY_BYTES]; /* network control packets before the bundle joined: protocol, length, packet */
};

/* Ends the link in order, with Terminate-Requests; the first reason stays. message goes to the program, and to the peer
 * where it is our own text; NULL: ppp_down_text(). */
void link_fail(struct ppp_link *link, enum ppp_down why, uint16_t mschap_error, const char *message);
/* Gives PPP_EVENT_DOWN now. */
void link_report_down(struct ppp_link *link);

/* LCP's automaton tells (RFC 1661 section 4.4). */
void link_lcp_up(struct ppp_link *link);
void link_lcp_down(struct ppp_link *link);
void link_lcp_finished(struct ppp_link *link);

/* link_auth.c: the phase Authenticate. */
void link_auth_free(struct ppp_link *link);
void link_auth_start(struct ppp_link *link);
void link_auth_stop(struct ppp_link *link);
/* Data flows, so the peer has our verdict and won't ask for it again. */
void link_auth_settled(struct ppp_link *link);
void link_auth_rx(struct ppp_link *link, enum ppp_proto proto, const uint8_t *packet, size_t len);
/* A network protocol's packet came although we wait for the peer's verdict. */
void link_auth_network_seen(struct ppp_link *link);
/* The peer does not know the authentication protocol. */
void link_auth_rejected(struct ppp_link *link, unsigned proto);
uint64_t link_auth_expiry(const struct ppp_link *link);
void link_auth_expire(struct ppp_link *link);
/* Authentication is done: on to the phase Network. */
void link_network(struct ppp_link *link);

/* link_rx.c: gives the bundle what came for it before it joined. */
void link_early_deliver(struct ppp_link *link);

/* link_rx.c, link_tx.c: the peer can't take this protocol (Protocol-Reject). */
void link_protocol_rejected(struct ppp_link *link, unsigned proto);

#endif
