/* The interfaces that the eBPF backend is attached to, as they come and go. GRE of those without a program meets connection tracking. */
#ifndef ALG_DATAPATH_BPF_LINKS_H
#define ALG_DATAPATH_BPF_LINKS_H

#include <stddef.h>

struct bpf_links;

struct bpf_links_config {
	const char *const *ifnames; /* NULL-terminated, copied; NULL: all Ethernet interfaces that are up and no port of a bridge or bond */
	int xdp_fd, tcx_fd;         /* programs */
	int map_fd;                 /* GATES_MAP_LINKS */
};

/* Attaches where it can and logs for each interface which way: XDP natively where the driver has it, nobody else's program is there
 * and frames can leave by XDP too, and TCX everywhere. NULL with a sentence in err when not one interface was left. */
struct bpf_links *bpf_links_open(const struct bpf_links_config *config, char *err, size_t errlen);

/* Asks the kernel again which interfaces there are, and which can send frames of XDP: with some drivers (veth) that depends on the other
 * end. New ones get the programs; those that have become ports of a bridge or bond lose them. */
void bpf_links_refresh(struct bpf_links *links);

/* Detaches the programs. */
void bpf_links_close(struct bpf_links *links);

#endif
