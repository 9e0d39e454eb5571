/* Raw GRE sockets: made by who has the privilege, then read and written in batches.
 *
 * One socket carries all calls of a worker and family (see ARCHITECTURE.md for what one socket a call costs): a filter in the kernel
 * keeps the worker's shard of call ids. */
#ifndef SYS_GRESOCK_H
#define SYS_GRESOCK_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/addr.h"

enum {
	GRESOCK_BATCH = 128,      /* packets of one system call */
	GRESOCK_BUFFER = 4 << 20, /* bytes of the kernel's buffers: smaller ones lose packets in bursts */
	GRESOCK_CONTROL_LEN = 48, /* bytes of a packet's ancillary data */
};

/* Opens a raw socket of family (4 or 6) for enhanced GRE, non-blocking and close-on-exec, that keeps packets with call id %
 * shards == shard. bind: local address, NULL or family 0: any. mark: SO_MARK, 0: none. ifname: device to bind to, NULL or empty:
 * none. Returns the descriptor, or -1 with errno (EPERM: no CAP_NET_RAW; EINVAL: shards is 0 or shard not below it). */
int gresock_open(uint8_t family, const struct addr *bind, uint16_t shard, uint16_t shards, uint32_t mark, const char *ifname);

/* The same for a forwarder: packets may be sent from any source, the machine's own or not (gresock_writer_init() with pktinfo), and
 * those that routing or a firewall rule led to this machine are received whatever their destination
 * (gresock_reader_destinations()). Needs CAP_NET_RAW or CAP_NET_ADMIN. */
int gresock_open_transparent(uint8_t family, const struct addr *bind, uint16_t shard, uint16_t shards, uint32_t mark, const char *ifname);

/* Receiving. The struct is about 30 KiB: not for the stack. */
struct gresock_reader {
	int fd; /* not owned */
	uint8_t family;
	struct mmsghdr msgs[GRESOCK_BATCH];
	struct iovec iov[GRESOCK_BATCH];
	struct sockaddr_in6 names[GRESOCK_BATCH];
	bool destinations;
	uint8_t control[GRESOCK_BATCH][GRESOCK_CONTROL_LEN] __attribute__((aligned(8)));
};

void gresock_reader_init(struct gresock_reader *r, int fd, uint8_t family);
/* Receives at most max (1..GRESOCK_BATCH) packets into bufs, each of buflen bytes. Returns how many, 0 when none waits (or
 * on an error, which a raw socket reports once and which says nothing about the packets to come). */
unsigned gresock_recv(struct gresock_reader *r, uint8_t *const *bufs, size_t buflen, unsigned max);
/* The i-th packet of the last batch: its GRE header with what follows, in its buffer, and the outer source. False when it was
 * cut or is no packet. */
bool gresock_packet(const struct gresock_reader *r, unsigned i, uint8_t **gre, size_t *grelen, struct addr *source);

/* From now on gresock_destination() tells where packets were sent to; for sockets of gresock_open_transparent(). */
void gresock_reader_destinations(struct gresock_reader *r);
/* The outer destination of the i-th packet of the last batch, which gresock_packet() found to be one; false if it is not known. */
bool gresock_destination(const struct gresock_reader *r, unsigned i, struct addr *destination);

/* Sending. The struct is about 32 KiB. */
struct gresock_writer {
	int fd; /* not owned */
	uint8_t family;
	bool pktinfo; /* set each packet's source: the socket is not bound */
	unsigned count;
	struct mmsghdr msgs[GRESOCK_BATCH];
	struct iovec iov[GRESOCK_BATCH];
	struct sockaddr_in6 names[GRESOCK_BATCH];
	uint8_t control[GRESOCK_BATCH][GRESOCK_CONTROL_LEN] __attribute__((aligned(8)));
};

void gresock_writer_init(struct gresock_writer *w, int fd, uint8_t family, bool pktinfo);
/* Adds a packet, GRE header first, which must stay where it is until the flush. The batch must not be full
 * (count < GRESOCK_BATCH). source counts only with pktinfo. */
void gresock_push(struct gresock_writer *w, uint8_t *gre, size_t grelen, const struct addr *source, const struct addr *destination);
/* Sends the batch and empties it. A full socket buffer is waited for, 10 ms at most. Returns how many packets did not go. */
unsigned gresock_flush(struct gresock_writer *w);

#endif
