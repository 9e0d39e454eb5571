/* LCP: the Link Control Protocol (RFC 1661, 1570). Part of a link; lcp.c negotiates, lcp_rx.c has the other codes. */
#ifndef LIBPPP_LCP_H
#define LIBPPP_LCP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libppp/fsm.h"

struct ppp_link;

/* Our own magic number seen this often in a row is a loop. */
enum { LCP_LOOPS = 4 };

/* What one side's accepted Configure-Request says. */
struct lcp_peer {
	uint16_t mru;
	uint32_t magic; /* 0: none */
	bool pfc, acfc;
	unsigned auth; /* methods that it wants from us: one bit, or EAP's; 0: none */
};

struct lcp {
	struct fsm fsm;
	struct ppp_link *link;
	/* what we ask for */
	bool ask_mru, ask_accm, ask_magic, ask_pfc, ask_acfc;
	uint16_t mru;
	uint32_t accm;
	uint32_t magic;           /* 0: none */
	unsigned offer;           /* methods that the peer is to authenticate with: one bit, or EAP's; 0: none */
	unsigned tried;           /* methods offered so far */
	bool auth_refused;        /* the peer's last demand was for no method that is allowed */
	unsigned refused_methods; /* which ones; 0: unknown ones */
	bool eap_in_vain;         /* EAP was agreed on, but the peer has no method of it that is allowed; */
	bool eap_nakked;          /* so the peer was asked for something else, */
	uint8_t eap_nak_id;       /* in answer to this request */
	uint8_t loops;
	struct lcp_peer peer;
	/* keepalive */
	uint64_t echo_expiry;  /* TS_NEVER: none */
	uint64_t echo_mark;    /* what came since then counts as heard */
	uint64_t echo_sent;    /* when, while its reply is awaited; else TS_NEVER */
	uint64_t echo_rtt;     /* ns; 0: not measured */
	uint8_t echo_id;       /* of the last Echo-Request */
	uint8_t echo_unheard;  /* Echo-Requests since anything came */
	bool echo_unsupported; /* the peer rejected the code */
	/* Protocol-Rejects sent in the running second */
	uint64_t reject_second;
	uint8_t rejects;
};

void lcp_init(struct lcp *lcp, struct ppp_link *link);
/* Goes back to the configured wishes, for a new negotiation. */
void lcp_reset_wishes(struct lcp *lcp);

/* EAP was agreed on in vain. Begins LCP anew to authenticate by another protocol, the peer to us or we to it; false: none is left. */
bool lcp_offer_other_than_eap(struct lcp *lcp);
bool lcp_ask_for_other_than_eap(struct lcp *lcp);

/* Codes above 7. */
bool lcp_extra(void *user, const struct fsm_packet *p);
void lcp_echo_reply(void *user, const struct fsm_packet *p);
void lcp_code_rejected(void *user, uint8_t code);
void lcp_send_identification(struct lcp *lcp);
/* Sends a Protocol-Reject of a frame's information field, unless there were too many this second. */
void lcp_reject_protocol(struct lcp *lcp, unsigned proto, const uint8_t *info, size_t len);

/* The keepalive's timer, while LCP is open. */
void lcp_echo_start(struct lcp *lcp);
void lcp_echo_stop(struct lcp *lcp);
void lcp_echo_expire(struct lcp *lcp);

#endif
