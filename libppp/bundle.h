/* A PPP bundle: what one or more links carry together: IPCP (RFC 1332, 1877), IPV6CP (RFC 5072), and CCP with MPPE
 * (RFC 1962, 2118, 3078, 3079). See link.h for how it is driven. */
#ifndef LIBPPP_BUNDLE_H
#define LIBPPP_BUNDLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "libppp/link.h"

enum ppp_mppe_policy {
	PPP_MPPE_DENY,    /* refuse it */
	PPP_MPPE_ALLOW,   /* use it when both can, go on in clear otherwise */
	PPP_MPPE_REQUIRE, /* no data in clear, either way; end when it can't be had */
};

enum ppp_mppe_bits { PPP_MPPE_40 = 1, PPP_MPPE_56 = 2, PPP_MPPE_128 = 4, PPP_MPPE_ANY = 7 };

struct ppp_bundle_config {
	const struct mem *mem;
	const struct ppp_crypto *crypto;
	void (*random)(void *user, void *buf, size_t len);
	void *random_user;

	bool ipv4;            /* run IPCP */
	struct addr local_v4; /* ours; family 0: let the peer assign it */
	struct addr peer_v4;  /* what the peer gets; family 0: what it asks for */
	bool accept_local_v4; /* take another address for ourselves if the peer Naks ours with it */
	bool accept_peer_v4;  /* let the peer choose its own although peer_v4 is set */
	struct addr dns[2];   /* told to the peer; family 0: none */
	struct addr wins[2];
	bool request_dns; /* ask the peer for DNS servers */

	bool ipv6;             /* run IPV6CP */
	uint8_t local_ifid[8]; /* zero: drawn at random */
	uint8_t peer_ifid[8];  /* offered to a peer that has none; zero: drawn at random */

	enum ppp_mppe_policy mppe;
	unsigned mppe_bits;        /* enum ppp_mppe_bits, those allowed; the strongest common one is taken */
	bool mppe_stateless;       /* ask for it (default); a peer's wish for stateless always wins */
	bool mppe_stateful_ok;     /* accept stateful when the peer insists; default true */
	struct ppp_mppe_keys keys; /* start keys, from the authentication; not valid: MPPE can't be had */

	uint64_t restart_ns; /* as in ppp_link_config */
	uint8_t max_configure;
	uint8_t max_terminate;
	uint8_t max_failure;
	void (*trace)(void *user, bool sent, const char *line);
	void *trace_user;
};

void ppp_bundle_config_init(struct ppp_bundle_config *config);

/* Returns 0, or -1 when memory ran out. The configuration is copied; crypto must outlive it. */
int ppp_bundle_new(struct ppp_bundle **bundle, const struct ppp_bundle_config *config, uint64_t ts);
void ppp_bundle_free(struct ppp_bundle *bundle);

struct ppp_bundle_info {
	bool ipv4_up;
	struct addr local_v4, peer_v4;
	struct addr dns[2], wins[2]; /* the peer told us */
	bool ipv6_up;
	uint8_t local_ifid[8], peer_ifid[8];
	bool mppe_up;
	unsigned mppe_bits; /* the one in use */
	bool mppe_stateless;
	uint64_t mppe_rekeys, mppe_resets; /* key changes while receiving, Reset-Requests sent */
	uint64_t rx_clear_dropped;         /* frames in clear although encryption is required */
	uint64_t rx_bad;                   /* malformed or undecryptable */
	uint64_t rx_unexpected;            /* protocol not up, or not known (Protocol-Reject sent) */
};

void ppp_bundle_info(const struct ppp_bundle *bundle, struct ppp_bundle_info *info);

/* "MPPE128 stateless", "MPPE40 stateful", "none"; written into buf. */
const char *ppp_encoding_text(const struct ppp_bundle_info *info, char buf[32]);

#endif
