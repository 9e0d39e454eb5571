#include "alg/datapath/bpf_links.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "alg/datapath/bpf_map.h"
#include "alg/datapath/bpf_netdev.h"
#include "sys/log.h"

/* BPF_TCX_INGRESS, which older headers don't have. */
enum { TCX_INGRESS = 46 };

struct link {
	struct bpf_netdev dev;
	int xdp, tcx; /* descriptors; closing one detaches the program. -1: not attached */
	int xdp_error;
	bool sends;
	bool there; /* at the last look */
	bool fresh; /* to be attached */
};

struct bpf_links {
	struct bpf_links_config config;
	char **names;                         /* config's; NULL: all */
	struct bpf_netdev_features *features; /* NULL: the kernel doesn't tell */
	size_t count, skipped;
	struct link links[GATES_LINKS_MAX];
};

static bool
is_possible(const struct bpf_links *l, const struct bpf_netdev *dev)
{
	if (!dev->ethernet)
		return false;
	if (l->names == NULL)
		return !dev->port;
	for (char **name = l->names; *name != NULL; name++)
		if (strcmp(*name, dev->name) == 0)
			return true;
	return false;
}

static struct link *
find_link(struct bpf_links *l, uint32_t ifindex)
{
	for (size_t i = 0; i < l->count; i++)
		if (l->links[i].dev.ifindex == ifindex)
			return &l->links[i];
	return NULL;
}

/* One that goes down keeps its programs. */
static void
on_netdev(void *user, const struct bpf_netdev *dev)
{
	struct bpf_links *l = user;
	struct link *link = find_link(l, dev->ifindex);

	if (!is_possible(l, dev))
		return;
	if (link != NULL) {
		link->fresh = link->fresh || memcmp(link->dev.mac, dev->mac, sizeof(dev->mac)) != 0;
		link->dev = *dev;
		link->there = true;
	} else if (dev->up && l->count < GATES_LINKS_MAX) {
		l->links[l->count++] = (struct link){.dev = *dev, .xdp = -1, .tcx = -1, .there = true, .fresh = true};
	} else if (dev->up) {
		l->skipped++;
	}
}

/* The system call itself, as libbpf of some distributions knows less of attach types than their kernel. */
static int
attach_tcx(int program, uint32_t ifindex)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.link_create.prog_fd = (uint32_t)program;
	attr.link_create.target_ifindex = ifindex;
	attr.link_create.attach_type = TCX_INGRESS;
	return (int)syscall(SYS_bpf, BPF_LINK_CREATE, &attr, sizeof(attr));
}

/* Whether an interface that is at XDP has the place that this one would have in the program's table. */
static bool
is_place_taken(const struct bpf_links *l, uint32_t ifindex)
{
	for (size_t i = 0; i < l->count; i++)
		if (l->links[i].xdp >= 0 && l->links[i].dev.ifindex % GATES_LINK_SLOTS == ifindex % GATES_LINK_SLOTS)
			return true;
	return false;
}

/* Never takes another's place: a link can't be made where a program is. */
static void
attach_xdp(const struct bpf_links *l, struct link *link, int program)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = XDP_FLAGS_DRV_MODE);

	if (is_place_taken(l, link->dev.ifindex)) {
		link->xdp_error = ENOSPC;
		return;
	}
	link->xdp = bpf_link_create(program, (int)link->dev.ifindex, BPF_XDP, &opts);
	if (link->xdp < 0) {
		link->xdp_error = -link->xdp;
		link->xdp = -1;
	}
}

static void
detach(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void
tell_program(struct bpf_links *l, struct link *link)
{
	struct gates_link value = {.ifindex = link->dev.ifindex, .sends = link->sends};
	uint32_t at = link->dev.ifindex % GATES_LINK_SLOTS;

	memcpy(value.mac, link->dev.mac, sizeof(value.mac));
	if (bpf_map_update_elem(l->config.map_fd, &at, &value, BPF_ANY) != 0)
		log_event(LOG_LEVEL_WARN, "datapath", "interface=%s error=\"%m\"", link->dev.name);
}

static void
tell_program_gone(struct bpf_links *l, uint32_t ifindex)
{
	struct gates_link none = {0};
	uint32_t at = ifindex % GATES_LINK_SLOTS;

	bpf_map_update_elem(l->config.map_fd, &at, &none, BPF_ANY);
}

/* Frames must be able to leave by XDP somewhere, or it is no use to catch them there. */
static void
attach_fresh_xdp(struct bpf_links *l)
{
	bool any = false;

	if (l->features == NULL)
		return;
	for (size_t i = 0; i < l->count; i++)
		if (l->links[i].fresh && l->links[i].xdp < 0)
			attach_xdp(l, &l->links[i], l->config.xdp_fd);
	for (size_t i = 0; i < l->count; i++) {
		struct link *link = &l->links[i];

		if (link->fresh)
			link->sends = link->xdp >= 0 && bpf_netdev_sends_xdp(l->features, link->dev.ifindex);
		any = any || link->sends;
	}
	for (size_t i = 0; i < l->count; i++) {
		struct link *link = &l->links[i];

		if (link->fresh && link->xdp >= 0 && !any) {
			detach(&link->xdp);
			tell_program_gone(l, link->dev.ifindex);
		} else if (link->fresh && link->xdp >= 0) {
			tell_program(l, link);
		}
	}
}

static const char *
why_no_xdp(const struct bpf_links *l, const struct link *link)
{
	if (l->features == NULL)
		return "the kernel doesn't tell which interfaces can send from XDP";
	if (link->xdp_error == EBUSY || link->xdp_error == EEXIST)
		return "another program is at XDP";
	if (link->xdp_error == ENOSPC)
		return "its place in the table is taken";
	if (link->xdp_error != 0)
		return strerror(link->xdp_error);
	return "no interface can send from XDP";
}

static void
report(const struct bpf_links *l, const struct link *link)
{
	const char *mode = link->xdp >= 0 ? link->tcx >= 0 ? "xdp,tcx" : "xdp" : link->tcx >= 0 ? "tcx" : "none";

	if (link->xdp >= 0)
		log_event(
		    LOG_LEVEL_INFO, "datapath", "interface=%s mode=%s xdp_sends=%s", link->dev.name, mode, link->sends ? "yes" : "no");
	else
		log_event(LOG_LEVEL_INFO, "datapath", "interface=%s mode=%s xdp=\"%s\"", link->dev.name, mode, why_no_xdp(l, link));
}

/* 0, or the last errno. */
static int
attach_fresh(struct bpf_links *l)
{
	int error = 0;

	attach_fresh_xdp(l);
	for (size_t i = 0; i < l->count; i++) {
		struct link *link = &l->links[i];

		if (!link->fresh)
			continue;
		if (link->tcx < 0)
			link->tcx = attach_tcx(l->config.tcx_fd, link->dev.ifindex);
		if (link->tcx < 0)
			error = errno;
		link->fresh = false;
		report(l, link);
	}
	return error;
}

static bool
attach_all(struct bpf_links *l, char *err, size_t errlen)
{
	int error = attach_fresh(l);

	if (l->skipped > 0)
		log_event(LOG_LEVEL_WARN, "datapath", "skipped=%zu reason=\"more than %d interfaces\"", l->skipped, GATES_LINKS_MAX);
	for (size_t i = 0; i < l->count; i++)
		if (l->links[i].tcx >= 0 || l->links[i].xdp >= 0)
			return true;
	if (error == EINVAL)
		snprintf(err, errlen, "the kernel has no TCX (Linux 6.6 or later), and no interface has XDP for sending");
	else
		snprintf(err, errlen, "eBPF can't be attached to any interface: %s", l->count == 0 ? "there is none" : strerror(error));
	return false;
}

/* The kernel has detached the programs of interfaces that are no more. */
static void
remove_gone(struct bpf_links *l)
{
	size_t kept = 0;

	for (size_t i = 0; i < l->count; i++) {
		struct link *link = &l->links[i];

		if (link->there) {
			l->links[kept++] = *link;
			continue;
		}
		if (link->xdp >= 0)
			tell_program_gone(l, link->dev.ifindex);
		detach(&link->xdp);
		detach(&link->tcx);
		log_event(LOG_LEVEL_INFO, "datapath", "interface=%s mode=none reason=gone", link->dev.name);
	}
	l->count = kept;
}

static void
refresh_sending(struct bpf_links *l)
{
	for (size_t i = 0; l->features != NULL && i < l->count; i++) {
		struct link *link = &l->links[i];
		bool sends = link->xdp >= 0 && bpf_netdev_sends_xdp(l->features, link->dev.ifindex);

		if (sends == link->sends)
			continue;
		link->sends = sends;
		tell_program(l, link);
		log_event(LOG_LEVEL_INFO, "datapath", "interface=%s xdp_sends=%s", link->dev.name, sends ? "yes" : "no");
	}
}

void
bpf_links_refresh(struct bpf_links *l)
{
	l->skipped = 0;
	for (size_t i = 0; i < l->count; i++)
		l->links[i].there = false;
	if (bpf_netdev_each(on_netdev, l) == 0) {
		remove_gone(l);
		attach_fresh(l);
	}
	refresh_sending(l);
}

static void
report_missing(const struct bpf_links *l)
{
	for (char **name = l->names; name != NULL && *name != NULL; name++) {
		size_t i = 0;

		while (i < l->count && strcmp(l->links[i].dev.name, *name) != 0)
			i++;
		if (i == l->count)
			log_event(LOG_LEVEL_WARN, "datapath", "interface=%s mode=none reason=\"no Ethernet interface that is up\"", *name);
	}
}

static void
free_names(char **names)
{
	for (char **name = names; name != NULL && *name != NULL; name++)
		free(*name);
	free(names);
}

/* False: no memory. */
static bool
copy_names(struct bpf_links *l)
{
	const char *const *from = l->config.ifnames;
	size_t count = 0;

	if (from == NULL)
		return true;
	while (from[count] != NULL)
		count++;
	l->names = calloc(count + 1, sizeof(*l->names));
	for (size_t i = 0; l->names != NULL && i < count; i++) {
		l->names[i] = strdup(from[i]);
		if (l->names[i] == NULL)
			return false;
	}
	l->config.ifnames = NULL;
	return l->names != NULL;
}

struct bpf_links *
bpf_links_open(const struct bpf_links_config *config, char *err, size_t errlen)
{
	struct bpf_links *l = calloc(1, sizeof(*l));

	if (l == NULL) {
		snprintf(err, errlen, "no memory");
		return NULL;
	}
	l->config = *config;
	if (!copy_names(l)) {
		snprintf(err, errlen, "no memory");
		bpf_links_close(l);
		return NULL;
	}
	l->features = bpf_netdev_features_open();
	if (bpf_netdev_each(on_netdev, l) != 0) {
		snprintf(err, errlen, "the kernel doesn't list its interfaces: %m");
		bpf_links_close(l);
		return NULL;
	}
	report_missing(l);
	if (!attach_all(l, err, errlen)) {
		bpf_links_close(l);
		return NULL;
	}
	return l;
}

void
bpf_links_close(struct bpf_links *l)
{
	if (l == NULL)
		return;
	for (size_t i = 0; i < l->count; i++) {
		detach(&l->links[i].xdp);
		detach(&l->links[i].tcx);
	}
	bpf_netdev_features_close(l->features);
	free_names(l->names);
	free(l);
}
