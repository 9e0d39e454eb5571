/* Cutting a super-packet that came from a TUN with offloads into the packets that it stands for. */
#ifndef TUNNEL_SEGMENT_H
#define TUNNEL_SEGMENT_H

#include <linux/virtio_net.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tunnel/ip.h"

struct segmenter {
	const uint8_t *packet;
	struct ip_info ip;
	size_t headers;  /* bytes in front of the payload, which each segment gets */
	size_t gso_size; /* payload bytes of a segment; 0: the packet goes whole */
	size_t at;       /* payload bytes done */
	uint16_t index;
	bool done;
	bool needs_csum;
	size_t csum_start, csum_offset;
};

/* Prepares a packet with its virtio header h; the packet must stay until the last segment. TCP over IPv4 and IPv6, and
 * UDP (USO), are cut; header lengths are taken from the packet, not from h. False when the two do not fit together. */
bool segment_init(struct segmenter *s, const uint8_t *packet, size_t packetlen, const struct virtio_net_hdr *h);

/* The length of the longest packet that will come. */
size_t segment_max(const struct segmenter *s);

/* Writes the next packet, checksums finished, into buf, and returns its length; 0 when there is none left, or it does not fit. */
size_t segment_next(struct segmenter *s, uint8_t *buf, size_t buflen);

#endif
