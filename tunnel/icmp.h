/* What a router says to the sender of a packet that does not fit the tunnel: RFC 1191 section 4, RFC 4443 section 3.2. */
#ifndef TUNNEL_ICMP_H
#define TUNNEL_ICMP_H

#include <stddef.h>
#include <stdint.h>

#include "tunnel/ip.h"

enum { ICMP_ERROR_MAX = 1280 };

/* Writes Destination Unreachable, Fragmentation Needed, or ICMPv6 Packet Too Big about the packet into buf (ICMP_ERROR_MAX bytes), from
 * `from`, which is of its family. Returns its length; 0 when no error may be sent about it: it is an error itself, a later
 * fragment, to a group, or from nobody. */
size_t icmp_too_big(uint8_t *buf, const struct ip_info *ip, const uint8_t *packet, uint32_t mtu, const struct addr *from);

#endif
