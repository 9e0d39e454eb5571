/* Fragmenting of inner IPv4 packets that do not fit the tunnel and may be cut: RFC 791 section 3.2. */
#ifndef TUNNEL_FRAG_H
#define TUNNEL_FRAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tunnel/ip.h"

struct fragmenter {
	const uint8_t *packet;
	struct ip_info ip;
	size_t chunk; /* payload bytes of all fragments but the last: a multiple of 8 */
	size_t at;    /* payload bytes done */
};

/* Prepares an IPv4 packet, which must stay until the last fragment, for an MTU. False when it may not be cut or nothing fits. */
bool frag_init(struct fragmenter *f, const struct ip_info *ip, const uint8_t *packet, uint32_t mtu);
/* Writes the next fragment into buf and returns its length; 0 when there is none left, or it does not fit. */
size_t frag_next(struct fragmenter *f, uint8_t *buf, size_t buflen);

#endif
