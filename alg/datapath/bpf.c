/* The eBPF backend: connection tracking's gates, and the same gates in a table that a program at XDP or TCX reads before the stack does.
 *
 * Connection tracking stays the truth. A gate exists when its entries exist; the table only makes it fast, so a table that is full or
 * lost costs speed and nothing else. That is why nothing is pinned: at the end of the process, orderly or not, the kernel takes the
 * programs away, data goes on through connection tracking, and the next process fills a table of its own as it adopts the gates.
 *
 * What passes this way skips what the administrator has behind it: netfilter, and with XDP also the queueing discipline and packet
 * capture of both interfaces. Rules by firewall mark don't see it. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "alg/datapath/bpf_links.h"
#include "alg/datapath/bpf_map.h"
#include "alg/datapath/bpf_object.h"
#include "alg/datapath/bpf_table.h"
#include "alg/datapath/datapath.h"
#include "sys/clock.h"
#include "sys/log.h"

/* Between two questions which interfaces can send from XDP. */
#define REFRESH_NS 5000000000ULL

struct bpf {
	struct datapath dp;
	struct datapath *conntrack;
	struct bpf_object *object;
	struct bpf_links *links;
	struct bpf_table ipv4, ipv6;
	uint64_t refreshed;
	bool full; /* said so */
};

static struct bpf_table *
table_of(struct bpf *b, const struct gate *gate)
{
	return gate->src.family == 4 ? &b->ipv4 : &b->ipv6;
}

/* A gate that finds no room stays connection tracking's alone. */
static void
put(struct bpf *b, const struct gate *gate)
{
	if (bpf_table_put(table_of(b, gate), gate, clock_ts()) || b->full)
		return;
	b->full = true;
	log_event(LOG_LEVEL_INFO, "datapath",
	    "text=\"no room for a gate in the eBPF table; it and others like it go through connection tracking\"");
}

static bool
take(struct bpf *b, const struct gate *gate, uint64_t *pkts, uint64_t *bytes)
{
	return bpf_table_take(table_of(b, gate), gate, pkts, bytes);
}

static bool
take_both(struct bpf *b, const struct gate_pair *pair, struct gate_counters *c)
{
	bool up = take(b, &pair->up, &c->up_pkts, &c->up_bytes);
	bool down = take(b, &pair->down, &c->down_pkts, &c->down_bytes);

	return up || down;
}

static int
add(struct datapath *dp, const struct gate_pair *pair)
{
	struct bpf *b = (struct bpf *)dp;
	int error = b->conntrack->ops->add(b->conntrack, pair);

	if (error != 0)
		return error;
	put(b, &pair->up);
	put(b, &pair->down);
	return 0;
}

/* The table first: what comes between is counted by connection tracking. */
static int
del(struct datapath *dp, const struct gate_pair *pair, struct gate_counters *last)
{
	struct bpf *b = (struct bpf *)dp;
	struct gate_counters fast = {0};
	bool found = take_both(b, pair, &fast);
	int error = b->conntrack->ops->del(b->conntrack, pair, last);

	last->up_pkts += fast.up_pkts;
	last->up_bytes += fast.up_bytes;
	last->down_pkts += fast.down_pkts;
	last->down_bytes += fast.down_bytes;
	return error == ENOENT && found ? 0 : error;
}

/* A gate that another process left, or that found no room before, is put in again. */
static void
count_gate(struct bpf *b, const struct gate *gate, uint64_t *pkts, uint64_t *bytes)
{
	if (!bpf_table_read(table_of(b, gate), gate, pkts, bytes))
		put(b, gate);
}

static void
refresh(struct bpf *b)
{
	uint64_t now = clock_ts();

	if (now - b->refreshed < REFRESH_NS)
		return;
	b->refreshed = now;
	bpf_links_refresh(b->links);
}

static int
read_pair(struct datapath *dp, const struct gate_pair *pair, struct gate_counters *counters)
{
	struct bpf *b = (struct bpf *)dp;
	int error = b->conntrack->ops->read(b->conntrack, pair, counters);
	struct gate_counters lost = {0};

	refresh(b);
	if (error == ENOENT) {
		take_both(b, pair, &lost);
		return error;
	}
	if (error != 0)
		return error;
	count_gate(b, &pair->up, &counters->up_pkts, &counters->up_bytes);
	count_gate(b, &pair->down, &counters->down_pkts, &counters->down_bytes);
	return 0;
}

static void
unshare_table(struct bpf_table *t)
{
	if (t->slots != NULL)
		munmap(t->slots, bpf_table_size(t->mask + 1, t->ipv6));
}

static void
close_bpf(struct datapath *dp, bool keep_gates)
{
	struct bpf *b = (struct bpf *)dp;

	bpf_links_close(b->links);
	unshare_table(&b->ipv4);
	unshare_table(&b->ipv6);
	if (b->object != NULL)
		bpf_object__close(b->object);
	if (b->conntrack != NULL)
		b->conntrack->ops->close(b->conntrack, keep_gates);
	free(b);
}

static const struct datapath_ops ops = {.name = "bpf", .close = close_bpf, .add = add, .del = del, .read = read_pair};

/* libbpf's own words are for those who look for them. */
static int __attribute__((format(printf, 2, 0))) on_libbpf(enum libbpf_print_level level, const char *fmt, va_list args)
{
	char line[1024];

	if (level == LIBBPF_DEBUG || !log_enabled(LOG_LEVEL_DEBUG))
		return 0;
	vsnprintf(line, sizeof(line), fmt, args);
	line[strcspn(line, "\n")] = '\0';
	log_event(LOG_LEVEL_DEBUG, "libbpf", "text=\"%s\"", line);
	return 0;
}

static int
program_fd(const struct bpf *b, const char *name)
{
	return bpf_program__fd(bpf_object__find_program_by_name(b->object, name));
}

static struct bpf_map *
map(const struct bpf *b, const char *name)
{
	return bpf_object__find_map_by_name(b->object, name);
}

static int
map_fd(const struct bpf *b, const char *name)
{
	return bpf_map__fd(map(b, name));
}

/* The sizes of both tables, and the seed of their hash. */
static bool
set_up(struct bpf *b, uint32_t max_pairs)
{
	uint32_t slots = bpf_table_slots(2 * (uint64_t)max_pairs);
	struct gates_setup setup;

	memset(&setup, 0, sizeof(setup));
	clock_random(NULL, &setup.seed, sizeof(setup.seed));
	setup.mask4 = setup.mask6 = slots - 1;
	b->ipv4 = (struct bpf_table){.seed = setup.seed, .mask = slots - 1};
	b->ipv6 = (struct bpf_table){.seed = setup.seed, .mask = slots - 1, .ipv6 = true};
	return bpf_map__set_max_entries(map(b, GATES_MAP_IPV4), slots) == 0 &&
	       bpf_map__set_max_entries(map(b, GATES_MAP_IPV6), slots) == 0 &&
	       bpf_map__set_initial_value(map(b, GATES_MAP_SETUP), &setup, sizeof(setup)) == 0;
}

/* The worker shall not have it. */
static bool
share(const struct bpf *b, const char *name, struct bpf_table *t)
{
	void *slots = mmap(NULL, bpf_table_size(t->mask + 1, t->ipv6), PROT_READ | PROT_WRITE, MAP_SHARED, map_fd(b, name), 0);

	t->slots = slots == MAP_FAILED ? NULL : slots;
	return t->slots != NULL && madvise(slots, bpf_table_size(t->mask + 1, t->ipv6), MADV_DONTFORK) == 0;
}

static const char *
load_hint(int error)
{
	switch (error) {
	case EPERM:
		return " (eBPF needs CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON, or CAP_SYS_ADMIN, and a system that allows it)";
	case ENOSYS:
		return " (a kernel without eBPF)";
	case ENOMEM:
		return " (memory, or the limit of locked memory, is too small)";
	}
	return "";
}

static bool
load(struct bpf *b, uint32_t max_pairs, char *err, size_t errlen)
{
	int error;

	b->object = bpf_object__open_mem(bpf_object_start, (size_t)(bpf_object_end - bpf_object_start), NULL);
	if (b->object == NULL || !set_up(b, max_pairs)) {
		snprintf(err, errlen, "the eBPF object can't be read: %s", strerror(errno));
		return false;
	}
	error = -bpf_object__load(b->object);
	if (error != 0) {
		snprintf(err, errlen, "the kernel doesn't take the eBPF program: %s%s", strerror(error), load_hint(error));
		return false;
	}
	if (!share(b, GATES_MAP_IPV4, &b->ipv4) || !share(b, GATES_MAP_IPV6, &b->ipv6)) {
		snprintf(err, errlen, "the eBPF table can't be mapped: %s", strerror(errno));
		return false;
	}
	return true;
}

static bool
attach(struct bpf *b, const char *const *ifnames, char *err, size_t errlen)
{
	struct bpf_links_config config = {
	    .ifnames = ifnames,
	    .xdp_fd = program_fd(b, GATES_PROGRAM_XDP),
	    .tcx_fd = program_fd(b, GATES_PROGRAM_TCX),
	    .map_fd = map_fd(b, GATES_MAP_LINKS),
	};

	b->links = bpf_links_open(&config, err, errlen);
	return b->links != NULL;
}

struct datapath *
datapath_bpf_open(const struct datapath_config *config, char *err, size_t errlen)
{
	struct bpf *b = calloc(1, sizeof(*b));

	if (b == NULL) {
		snprintf(err, errlen, "no memory");
		return NULL;
	}
	b->dp.ops = &ops;
	b->refreshed = clock_ts();
	libbpf_set_print(on_libbpf);
	if (!load(b, config->max_gates, err, errlen)) {
		close_bpf(&b->dp, true);
		return NULL;
	}
	b->conntrack = datapath_conntrack_open(config, err, errlen);
	if (b->conntrack == NULL || !attach(b, config->ifnames, err, errlen)) {
		close_bpf(&b->dp, true);
		return NULL;
	}
	return &b->dp;
}
