#include "sys/tunq.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

_Static_assert(sizeof(struct virtio_net_hdr) == TUNQ_VNET_LEN, "virtio header");

static int
open_queue(char ifname[16], int flags)
{
	struct ifreq ifr;
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	int saved;

	if (fd < 0)
		return -1;
	memset(&ifr, 0, sizeof(ifr));
	memcpy(ifr.ifr_name, ifname, strnlen(ifname, IFNAMSIZ - 1));
	ifr.ifr_flags = (short)flags;
	if (ioctl(fd, TUNSETIFF, &ifr) == 0) {
		memcpy(ifname, ifr.ifr_name, IFNAMSIZ);
		return fd;
	}
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

/* Offloads are the device's, not a queue's; a kernel before 6.2 has no USO and refuses the whole set. */
static bool
set_offloads(int fd, uint32_t *offloads)
{
	static const uint32_t tries[] = {
	    TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN | TUNQ_F_USO4 | TUNQ_F_USO6,
	    TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN,
	    TUN_F_CSUM,
	};
	int len = TUNQ_VNET_LEN;

	if (ioctl(fd, TUNSETVNETHDRSZ, &len) != 0)
		return false;
	for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
		*offloads = tries[i];
		if (ioctl(fd, TUNSETOFFLOAD, (unsigned long)tries[i]) == 0)
			return true;
	}
	*offloads = 0;
	return true;
}

static void
close_all(const int *fds, unsigned count)
{
	int saved = errno;

	for (unsigned i = 0; i < count; i++)
		close(fds[i]);
	errno = saved;
}

static int
open_queues(char ifname[16], unsigned queues, int flags, int *fds)
{
	for (unsigned i = 0; i < queues; i++) {
		fds[i] = open_queue(ifname, flags);
		if (fds[i] < 0) {
			close_all(fds, i);
			return -1;
		}
	}
	return 0;
}

int
tunq_open(char ifname[16], unsigned queues, bool vnet_hdr, bool tap, int *fds, uint32_t *offloads, bool *got_vnet_hdr)
{
	int flags = (tap ? IFF_TAP : IFF_TUN) | IFF_NO_PI | (queues > 1 ? IFF_MULTI_QUEUE : 0);

	*offloads = 0;
	*got_vnet_hdr = false;
	if (queues == 0) {
		errno = EINVAL;
		return -1;
	}
	if (vnet_hdr && open_queues(ifname, queues, flags | IFF_VNET_HDR, fds) == 0) {
		bool ok = true;

		for (unsigned i = 0; i < queues; i++)
			ok = set_offloads(fds[i], offloads) && ok;
		if (ok) {
			*got_vnet_hdr = true;
			return 0;
		}
		close_all(fds, queues);
		*offloads = 0;
	} else if (vnet_hdr && errno != EINVAL) {
		return -1;
	}
	return open_queues(ifname, queues, flags, fds);
}

ssize_t
tunq_read(int fd, bool vnet_hdr, uint8_t *buf, uint8_t **packet, struct virtio_net_hdr *h)
{
	ssize_t n = read(fd, buf, TUNQ_READ_BYTES);
	size_t skip = vnet_hdr ? TUNQ_VNET_LEN : 0;

	memset(h, 0, sizeof(*h));
	*packet = buf + skip;
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	if ((size_t)n <= skip)
		return 0;
	if (vnet_hdr)
		memcpy(h, buf, sizeof(*h));
	return n - (ssize_t)skip;
}

bool
tunq_write(int fd, bool vnet_hdr, const struct virtio_net_hdr *h, struct iovec *iov, unsigned iovcnt)
{
	struct virtio_net_hdr copy = *h;
	ssize_t n;

	iov[0] = (struct iovec){&copy, sizeof(copy)};
	do
		n = vnet_hdr ? writev(fd, iov, (int)iovcnt) : writev(fd, iov + 1, (int)iovcnt - 1);
	while (n < 0 && errno == EINTR);
	return n > 0;
}
