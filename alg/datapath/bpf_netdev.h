/* What the eBPF backend asks the kernel about interfaces. */
#ifndef ALG_DATAPATH_BPF_NETDEV_H
#define ALG_DATAPATH_BPF_NETDEV_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

struct bpf_netdev {
	uint32_t ifindex;
	char name[IFNAMSIZ];
	uint8_t mac[6];
	bool ethernet; /* and not loopback */
	bool up;
	bool port; /* of a bridge, a bond, a VRF ... */
};

/* Calls fn for each interface of this network namespace, perhaps again when they change meanwhile. 0, or -1 with errno. */
int bpf_netdev_each(void (*fn)(void *user, const struct bpf_netdev *dev), void *user);

struct bpf_netdev_features;

/* For questions after features; NULL with errno where the kernel is too old for them (before 6.3). */
struct bpf_netdev_features *bpf_netdev_features_open(void);
void bpf_netdev_features_close(struct bpf_netdev_features *f);
/* Whether frames can be handed to the interface from XDP now. False where the kernel doesn't say so. */
bool bpf_netdev_sends_xdp(struct bpf_netdev_features *f, uint32_t ifindex);

#endif
