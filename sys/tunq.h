/* TUN and TAP queues with offloads: super-packets come out and go in behind a virtio header. */
#ifndef SYS_TUNQ_H
#define SYS_TUNQ_H

#include <linux/virtio_net.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

/* What headers of Linux 6.1 lack. */
enum {
	TUNQ_F_USO4 = 0x20,
	TUNQ_F_USO6 = 0x40,
	TUNQ_GSO_UDP_L4 = 5,
};

enum {
	TUNQ_VNET_LEN = 10,                      /* bytes of struct virtio_net_hdr */
	TUNQ_READ_BYTES = 65536 + TUNQ_VNET_LEN, /* the longest read */
};

/* Makes (or attaches to) the interface ifname, which may hold one "%d" and gets the name made, with that many queues,
 * non-blocking and close-on-exec, without packet information. vnet_hdr asks for the virtio header with every offload that the
 * kernel takes: *offloads gets TUN_F_* in force, *got_vnet_hdr whether packets have the header. tap: Ethernet frames.
 * Returns 0 with queues descriptors in fds, or -1 with errno and none open. */
int tunq_open(char ifname[16], unsigned queues, bool vnet_hdr, bool tap, int *fds, uint32_t *offloads, bool *got_vnet_hdr);

/* Reads one packet into buf (TUNQ_READ_BYTES). *h gets its virtio header, all zero without one. Returns the packet's length, 0 when
 * none waits (or it was malformed), -1 with errno when the queue is gone. */
ssize_t tunq_read(int fd, bool vnet_hdr, uint8_t *buf, uint8_t **packet, struct virtio_net_hdr *h);

/* Writes one packet from iov[1..iovcnt-1]; iov[0] is the callee's, for the virtio header. False when the kernel did not take it. */
bool tunq_write(int fd, bool vnet_hdr, const struct virtio_net_hdr *h, struct iovec *iov, unsigned iovcnt);

#endif
