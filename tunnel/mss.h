/* Clamping of TCP's maximum segment size, so that hosts behind the tunnel send what fits it. */
#ifndef TUNNEL_MSS_H
#define TUNNEL_MSS_H

#include <stdbool.h>
#include <stdint.h>

#include "tunnel/ip.h"

/* The MSS that fits an MTU for an IP version: headers without options subtracted (RFC 6691). */
uint16_t mss_of_mtu(uint32_t mtu, uint8_t version);

/* Lowers the MSS option of a SYN to max, and corrects the checksum. A SYN without the option is left: its default of 536 fits.
 * Returns whether the packet was changed. */
bool mss_clamp(const struct ip_info *ip, uint8_t *packet, uint16_t max);

#endif
