/* Packets for tests, made and checked by plain code of its own. */
#ifndef TESTS_UNIT_TUNNEL_PACKETS_H
#define TESTS_UNIT_TUNNEL_PACKETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct packet_spec {
	uint8_t version; /* 4 or 6 */
	uint8_t proto;   /* 6: TCP, 17: UDP, else the payload follows the IP header */
	uint8_t tos, ttl;
	uint16_t id;
	uint16_t fragment; /* flags and offset field; IPv4 */
	uint16_t sport, dport;
	uint32_t seq, ack;
	uint8_t flags;
	uint16_t window;
	const uint8_t *options; /* of TCP, a multiple of 4 */
	size_t optionslen;
	const uint8_t *payload;
	size_t payloadlen;
};

/* 10.0.0.1:1000 to 10.0.0.2:2000 (or fd00::1, fd00::2), ACK, DF. */
struct packet_spec packet_default(uint8_t version, uint8_t proto);
/* Writes the packet with its checksums right; returns its length. */
size_t packet_make(uint8_t *buf, const struct packet_spec *spec);
/* The plain sum of 16-bit words in network order. */
uint16_t plain_sum(uint32_t sum, const uint8_t *data, size_t len);
/* Whether all checksums of a TCP, UDP, ICMP or ICMPv6 packet are right. */
bool packet_right(const uint8_t *packet, size_t len);
/* A generator that gives the same numbers each time. */
uint32_t next_random(uint64_t *state);

#endif
