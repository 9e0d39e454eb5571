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
#include <endian.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alg/datapath/bpf_links.h"
#include "alg/datapath/bpf_map.h"
#include "alg/datapath/bpf_object.h"
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
	int map4, map6;
	uint64_t refreshed;
	bool full; /* said so */
};

union value {
	struct gates_count count; /* of either */
	struct gates_value4 ipv4;
	struct gates_value6 ipv6;
};

/* A gate as the table has it. */
struct entry {
	int map;
	union {
		struct gates_key4 ipv4;
		struct gates_key6 ipv6;
	} key;
	union value value;
};

static void
fill_ipv4(struct entry *e, const struct gate *gate)
{
	memcpy(&e->key.ipv4.src, gate->src.bytes, 4);
	memcpy(&e->key.ipv4.dst, gate->dst.bytes, 4);
	e->key.ipv4.call_id = htobe16(gate->call_id);
	memcpy(&e->value.ipv4.new_src, gate->new_src.bytes, 4);
	memcpy(&e->value.ipv4.new_dst, gate->new_dst.bytes, 4);
	e->value.ipv4.new_call_id = htobe16(gate->new_call_id);
}

static void
fill_ipv6(struct entry *e, const struct gate *gate)
{
	memcpy(e->key.ipv6.src, gate->src.bytes, 16);
	memcpy(e->key.ipv6.dst, gate->dst.bytes, 16);
	e->key.ipv6.call_id = htobe16(gate->call_id);
	memcpy(e->value.ipv6.new_src, gate->new_src.bytes, 16);
	memcpy(e->value.ipv6.new_dst, gate->new_dst.bytes, 16);
	e->value.ipv6.new_call_id = htobe16(gate->new_call_id);
}

static struct entry
entry_of(const struct bpf *b, const struct gate *gate)
{
	struct entry e;

	memset(&e, 0, sizeof(e));
	e.map = gate->src.family == 4 ? b->map4 : b->map6;
	if (gate->src.family == 4)
		fill_ipv4(&e, gate);
	else
		fill_ipv6(&e, gate);
	return e;
}

/* Whether both rewrite alike, whatever they counted. */
static bool
is_same(const union value *a, const union value *b)
{
	return memcmp((const char *)a + sizeof(a->count), (const char *)b + sizeof(b->count), sizeof(*a) - sizeof(a->count)) == 0;
}

/* A gate that finds no room stays connection tracking's alone. */
static void
put(struct bpf *b, const struct gate *gate)
{
	struct entry e = entry_of(b, gate);
	union value there;

	memset(&there, 0, sizeof(there));
	if (bpf_map_lookup_elem(e.map, &e.key, &there) == 0 && is_same(&there, &e.value))
		return;
	if (bpf_map_update_elem(e.map, &e.key, &e.value, BPF_ANY) == 0 || b->full)
		return;
	b->full = true;
	log_event(LOG_LEVEL_WARN, "datapath", "error=\"the eBPF table takes no more: %m; calls beyond it go through connection tracking\"");
}

/* Removes a gate from the table and adds what it carried; false: it was not there. */
static bool
take(struct bpf *b, const struct gate *gate, uint64_t *pkts, uint64_t *bytes)
{
	struct entry e = entry_of(b, gate);
	union value v;

	if (bpf_map_lookup_and_delete_elem(e.map, &e.key, &v) != 0)
		return false;
	*pkts += v.count.pkts;
	*bytes += v.count.bytes;
	return true;
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
	struct entry e = entry_of(b, gate);
	union value v;

	if (bpf_map_lookup_elem(e.map, &e.key, &v) != 0) {
		put(b, gate);
		return;
	}
	*pkts += v.count.pkts;
	*bytes += v.count.bytes;
}

static void
refresh(struct bpf *b)
{
	uint64_t now = clock_ts();

	if (now - b->refreshed < REFRESH_NS)
		return;
	b->refreshed = now;
	b->full = false;
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
close_bpf(struct datapath *dp, bool keep_gates)
{
	struct bpf *b = (struct bpf *)dp;

	bpf_links_close(b->links);
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

static int
map_fd(const struct bpf *b, const char *name)
{
	return bpf_map__fd(bpf_object__find_map_by_name(b->object, name));
}

static bool
set_size(const struct bpf *b, const char *name, uint32_t gates)
{
	return bpf_map__set_max_entries(bpf_object__find_map_by_name(b->object, name), gates) == 0;
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
load(struct bpf *b, uint32_t max_gates, char *err, size_t errlen)
{
	uint32_t entries = max_gates > UINT32_MAX / 2 ? UINT32_MAX : max_gates == 0 ? 2 : 2 * max_gates;
	int error;

	b->object = bpf_object__open_mem(bpf_object_start, (size_t)(bpf_object_end - bpf_object_start), NULL);
	if (b->object == NULL || !set_size(b, GATES_MAP_IPV4, entries) || !set_size(b, GATES_MAP_IPV6, entries)) {
		snprintf(err, errlen, "the eBPF object can't be read: %s", strerror(errno));
		return false;
	}
	error = -bpf_object__load(b->object);
	if (error != 0) {
		snprintf(err, errlen, "the kernel doesn't take the eBPF program: %s%s", strerror(error), load_hint(error));
		return false;
	}
	b->map4 = map_fd(b, GATES_MAP_IPV4);
	b->map6 = map_fd(b, GATES_MAP_IPV6);
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
