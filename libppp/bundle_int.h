/* Inside of a bundle: shared by bundle.c, its protocols, and the link's data path. */
#ifndef LIBPPP_BUNDLE_INT_H
#define LIBPPP_BUNDLE_INT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libppp/bundle.h"
#include "libppp/ccp.h"
#include "libppp/ipcp.h"
#include "libppp/ipv6cp.h"
#include "libppp/mppe.h"

struct ppp_bundle {
	/* read for each packet */
	bool ipv4_up, ipv6_up; /* data may pass */
	bool clear_ok;         /* unencrypted data is taken */
	bool mppe_tx_on, mppe_rx_on;
	struct mppe mppe_tx, mppe_rx;
	uint64_t rx_clear_dropped, rx_bad, rx_unexpected;

	uint64_t now;
	struct ppp_bundle_config config;
	struct ppp_link *links; /* joined; control frames and events go by the first */
	bool up;                /* a link is in phase Network */
	bool was_up;
	bool failed;
	bool mppe_told; /* PPP_EVENT_MPPE_UP was given */
	struct ipcp ipcp;
	struct ipv6cp ipv6cp;
	struct ccp ccp;
};

/* A link comes and goes; up and down follow its phase Network. */
void bundle_join(struct ppp_bundle *b, struct ppp_link *link);
void bundle_leave(struct ppp_bundle *b, struct ppp_link *link);
void bundle_link_up(struct ppp_bundle *b, struct ppp_link *link);
void bundle_link_down(struct ppp_bundle *b, struct ppp_link *link);

/* Takes a packet of a network control protocol; false: we don't run that one. */
bool bundle_rx_control(struct ppp_bundle *b, unsigned proto, const uint8_t *packet, size_t len, uint64_t ts);
void bundle_protocol_rejected(struct ppp_bundle *b, unsigned proto, uint64_t ts);
/* Stateful MPPE is out of step: sends a Reset-Request; false: one was sent just now. */
bool bundle_need_reset(struct ppp_bundle *b, uint64_t ts);

uint64_t bundle_expiry(const struct ppp_bundle *b);
void bundle_expire(struct ppp_bundle *b, uint64_t ts);

/* Data is, or will have to be, encrypted. */
bool bundle_encrypts(const struct ppp_bundle *b);

/* A protocol of the bundle opened or left Opened: finds out what may pass now, and tells the program. */
void bundle_update(struct ppp_bundle *b);
/* One of the network protocols ended for good, as far as we go. */
void bundle_ncp_finished(struct ppp_bundle *b);
/* Nothing more can come of it: PPP_EVENT_BUNDLE_FAILED, and the links end for the same reason. */
void bundle_fail(struct ppp_bundle *b, enum ppp_down down, const char *message);

#endif
