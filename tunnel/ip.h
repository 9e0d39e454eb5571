/* The little that the data path reads of inner packets. */
#ifndef TUNNEL_IP_H
#define TUNNEL_IP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

enum {
	IP_PROTO_ICMP = 1,
	IP_PROTO_TCP = 6,
	IP_PROTO_UDP = 17,
	IP_PROTO_FRAGMENT6 = 44,
	IP_PROTO_GRE = 47,
	IP_PROTO_ICMP6 = 58,
	IP_V4_HEADER = 20,
	IP_V6_HEADER = 40,
	IP_UDP_HEADER = 8,
	IP_TCP_HEADER = 20,
	IP_TCP_CHECKSUM = 16, /* offsets in the transport's header */
	IP_UDP_CHECKSUM = 6,
};

enum {
	IP_TCP_FIN = 0x01,
	IP_TCP_SYN = 0x02,
	IP_TCP_PSH = 0x08,
	IP_TCP_ACK = 0x10,
	IP_TCP_CWR = 0x80,
};

struct ip_info {
	uint8_t version;
	uint8_t proto;      /* of what follows the (first) header; IPv6 extension headers are not walked */
	uint16_t header;    /* bytes: where the transport's header begins */
	size_t length;      /* of the packet, by its header: never more than was there */
	bool fragment;      /* one of several */
	bool first;         /* the transport's header is in it */
	bool dont_fragment; /* IPv6: always */
};

/* Reads the IP header. False when the version is neither, a length does not fit, or the IPv4 header is cut. Bytes behind
 * the packet are allowed. */
bool ip_parse(struct ip_info *ip, const uint8_t *packet, size_t packetlen);

/* Addresses of a packet that was parsed. */
struct addr ip_source(const struct ip_info *ip, const uint8_t *packet);
struct addr ip_destination(const struct ip_info *ip, const uint8_t *packet);

bool ip_is_link_local(const struct addr *a); /* fe80::/10 */
bool ip_is_unspecified(const struct addr *a);
bool ip_is_multicast(const struct addr *a);

/* The sum of the packet's pseudo-header for a transport of length bytes. */
uint64_t ip_pseudo_sum(const struct ip_info *ip, const uint8_t *packet, uint32_t length);
/* Writes a fresh IPv4 header checksum. */
void ip_finish_v4(uint8_t *packet, size_t header);
/* The length of the TCP header; 0 when it does not fit the packet. */
size_t ip_tcp_header(const struct ip_info *ip, const uint8_t *packet);

#endif
