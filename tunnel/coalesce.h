/* Joining consecutive TCP segments into super-packets for a TUN with offloads, without copying: one gathered write each.
 *
 * Packets that may not be joined pass through at once, behind what their flow has waiting, so a flow's order stays. */
#ifndef TUNNEL_COALESCE_H
#define TUNNEL_COALESCE_H

#include <linux/virtio_net.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "tunnel/ip.h"

enum {
	COALESCE_SLOTS = 16, /* flows at once */
	COALESCE_PKTS = 64,  /* segments of a super-packet */
	COALESCE_KEY = 38,   /* bytes: both addresses, both ports, two of padding */
};

/* Writes one packet to the interface `to`: iov[1..iovcnt-1] (iov[0] is the callee's). segments: how many are in it. */
typedef void (*coalesce_write_fn)(
    void *user, void *to, const struct virtio_net_hdr *h, struct iovec *iov, unsigned iovcnt, unsigned segments);

struct coalesce_slot {
	void *to;
	uint8_t *packet; /* the first segment: its headers are the super-packet's */
	struct ip_info ip;
	size_t headers;
	size_t gso_size;
	size_t length; /* of the super-packet so far */
	uint32_t next_seq;
	bool closed; /* a PSH or a short segment was the last */
	unsigned segments;
	uint8_t key[COALESCE_KEY];
	struct iovec iov[COALESCE_PKTS + 1]; /* [0] is left free */
};

struct coalescer {
	coalesce_write_fn write;
	void *user;
	unsigned used; /* slots in use: the first ones */
	struct coalesce_slot slots[COALESCE_SLOTS];
};

void coalesce_init(struct coalescer *c, coalesce_write_fn write, void *user);

/* Takes an IP packet for the interface `to`. It must stay in place until coalesce_flush(), and its headers may be changed. join: the
 * interface has the virtio header; without, packets pass through. */
void coalesce_add(struct coalescer *c, void *to, bool join, const struct ip_info *ip, uint8_t *packet);

/* Writes all that waits. */
void coalesce_flush(struct coalescer *c);

#endif
