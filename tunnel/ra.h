/* Router Advertisements and echoes on the tunnel's link: RFC 4861 sections 4.1, 4.2, 6, RFC 4862 section 5.5, RFC 8106. */
#ifndef TUNNEL_RA_H
#define TUNNEL_RA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "tunnel/ip.h"

enum {
	RA_MAX = 256,         /* bytes of the longest packet made here */
	RA_LIFETIME_S = 1800, /* of the router; also RDNSS */
	RA_VALID_S = 86400,   /* of the prefix */
	RA_PREFERRED_S = 14400,
	RA_INTERVAL_S = 600, /* between unsolicited ones */
	RA_INITIAL = 3,      /* the first few come faster: */
	RA_INITIAL_INTERVAL_S = 16,
	RA_SOLICITATIONS = 3, /* RFC 4861 section 10 */
	RA_SOLICIT_INTERVAL_S = 4,
};

enum nd_kind {
	ND_NONE,          /* not Neighbor Discovery */
	ND_SOLICITATION,  /* Router Solicitation */
	ND_ADVERTISEMENT, /* Router Advertisement */
	ND_OTHER,         /* neighbours and redirects, which a point-to-point link has no use for */
	ND_BAD,           /* fails the checks of RFC 4861 section 6.1 */
};

/* What an IPv6 packet is to Neighbor Discovery. Hop limit, checksum, code and, of what is read here, lengths are checked. */
enum nd_kind nd_classify(const struct ip_info *ip, const uint8_t *packet);

struct ra_info {
	struct prefix prefix; /* for the peer's own use: on-link is not set, autonomous is */
	struct addr dns[2];   /* family 0: none */
	uint8_t ifid[8];      /* our interface identifier: source is fe80::ifid */
	uint32_t mtu;         /* 0: not told */
};

/* Writes a Router Advertisement to all nodes into buf (RA_MAX bytes); returns its length. */
size_t ra_build(uint8_t *buf, const struct ra_info *info);
/* Writes the answer to an Echo Request (RFC 4443 section 4.2) that came from a link-local address to fe80::ifid, all nodes or all routers of
 * the link, into buf (as long as the packet); returns its length, 0 when packet is none. */
size_t echo_build(uint8_t *buf, const struct ip_info *ip, const uint8_t *packet, const uint8_t ifid[8]);
/* Writes a Router Solicitation to all routers. */
size_t rs_build(uint8_t *buf, const uint8_t ifid[8]);
/* Reads a packet that is ND_ADVERTISEMENT: the first prefix of 64 bits for autonomous configuration that is still valid. False when
 * there is none, or an option is malformed. */
bool ra_parse(const struct ip_info *ip, const uint8_t *packet, struct prefix *prefix);

#endif
