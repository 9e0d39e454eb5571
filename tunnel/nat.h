/* One inner IPv4 address in place of another, both ways, without state: what lets an interface keep its address when each
 * dial-up brings a new one. */
#ifndef TUNNEL_NAT_H
#define TUNNEL_NAT_H

#include <stdbool.h>
#include <stdint.h>

#include "tunnel/ip.h"

/* Puts `to` in the place of the source address, if that is `from`; checksums of IPv4, TCP and UDP are corrected, fragments
 * included. In ICMP errors the packet quoted is changed likewise, the other way round. Returns whether anything was changed. */
bool nat_source(const struct ip_info *ip, uint8_t *packet, const uint8_t from[4], const uint8_t to[4]);
/* The same for the destination address. */
bool nat_destination(const struct ip_info *ip, uint8_t *packet, const uint8_t from[4], const uint8_t to[4]);

#endif
