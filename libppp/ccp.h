/* CCP, as far as it is MPPE's: which key length, stateless or not, and resets (RFC 1962, 3078). */
#ifndef LIBPPP_CCP_H
#define LIBPPP_CCP_H

#include <stdbool.h>
#include <stdint.h>

#include "libppp/fsm.h"

struct ppp_bundle;

struct ccp {
	struct fsm fsm;
	struct ppp_bundle *bundle;
	bool opened;
	bool ask;
	uint32_t wish;      /* the 32 bits of the option that we ask to receive with */
	uint32_t granted;   /* what the peer asked to receive with, and got; 0: nothing */
	bool asked_h;       /* the peer was asked for stateless already, */
	uint8_t asked_h_id; /* in answer to this request */
	uint64_t reset_ts;  /* when the last Reset-Request went; 0: none */
	uint64_t reset_gap; /* for which gap */
	uint64_t resets;
};

/* Can it run at all? Not when denied, or without keys. */
bool ccp_possible(const struct ppp_bundle *b);
void ccp_init(struct ccp *p, struct ppp_bundle *b);
void ccp_reset_wishes(struct ccp *p);
/* In use in both directions. */
bool ccp_active(const struct ccp *p);
/* The weaker direction's enum ppp_mppe_bits, and whether both are stateless. */
unsigned ccp_bits(const struct ccp *p);
bool ccp_stateless(const struct ccp *p);
/* Sends a Reset-Request unless one for the same gap went just now. */
bool ccp_send_reset(struct ccp *p);

#endif
