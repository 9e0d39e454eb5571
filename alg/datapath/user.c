#include "alg/datapath/user.h"

#include <errno.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "alg/datapath/user_thread.h"

struct user {
	struct datapath dp;
	unsigned threads_count;
	struct user_thread *threads[DATAPATH_USER_THREADS];
	struct user_gate *pool; /* of twice max_gates */
	struct table_node *free;
	int stop; /* eventfd: readable when the threads shall end */
	bool ipv4, ipv6;
};

static const char *const drop_texts[USER_DROPS] = {
    [USER_SHORT] = "cut short",
    [USER_NOT_GRE] = "not PPTP",
    [USER_UNKNOWN] = "unknown call",
    [USER_TTL] = "hop limit used up",
    [USER_OWN] = "of this machine",
    [USER_SEND] = "could not be sent",
};

const char *
datapath_user_drop_text(enum datapath_user_drop reason)
{
	return drop_texts[reason];
}

unsigned
datapath_user_threads(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN) / 2;

	return n < 1 ? 1 : n > DATAPATH_USER_THREADS ? DATAPATH_USER_THREADS : (unsigned)n;
}

static struct user *
user_of(struct datapath *dp)
{
	return (struct user *)(void *)dp;
}

static struct user_thread *
thread_of(const struct user *u, const struct gate *gate)
{
	return u->threads[gate->call_id % u->threads_count];
}

static bool
carries(const struct user *u, const struct gate *gate)
{
	bool v4 = gate->src.family == 4 || gate->new_src.family == 4;
	bool v6 = gate->src.family == 6 || gate->new_src.family == 6;

	return gate->src.family == gate->dst.family && gate->new_src.family == gate->new_dst.family && (v4 || v6) && (!v4 || u->ipv4) &&
	       (!v6 || u->ipv6);
}

static bool
is_address(const struct ifaddrs *i, const struct addr *a)
{
	if (i->ifa_addr == NULL)
		return false;
	if (a->family == 4)
		return i->ifa_addr->sa_family == AF_INET &&
		       memcmp(&((const struct sockaddr_in *)(const void *)i->ifa_addr)->sin_addr, a->bytes, 4) == 0;
	return i->ifa_addr->sa_family == AF_INET6 &&
	       memcmp(&((const struct sockaddr_in6 *)(const void *)i->ifa_addr)->sin6_addr, a->bytes, 16) == 0;
}

static bool
is_own_address(const struct addr *a)
{
	struct ifaddrs *all, *i;
	bool found;

	if (getifaddrs(&all) != 0)
		return false;
	for (i = all; i != NULL && !is_address(i, a); i = i->ifa_next)
		;
	found = i != NULL;
	freeifaddrs(all);
	return found;
}

static struct user_gate *
find(const struct user *u, const struct gate *gate)
{
	return user_thread_find(thread_of(u, gate), gate);
}

/* 0 when it is there exactly so, ENOENT when it isn't there at all, or EEXIST. */
static int
compare(const struct user *u, uint64_t pair_id, const struct gate *gate)
{
	const struct user_gate *g = find(u, gate);

	if (g == NULL)
		return ENOENT;
	return g->pair_id == pair_id && addr_equal(&g->gate.new_src, &gate->new_src) && addr_equal(&g->gate.new_dst, &gate->new_dst) &&
		       g->gate.new_call_id == gate->new_call_id
		   ? 0
		   : EEXIST;
}

static void
install(struct user *u, uint64_t pair_id, const struct gate *gate)
{
	struct user_gate *g = TABLE_OWNER(u->free, struct user_gate, node);

	u->free = u->free->next;
	*g = (struct user_gate){.gate = *gate, .pair_id = pair_id};
	g->own = user_gate_changes_nothing(gate) && is_own_address(&gate->dst);
	user_thread_add(thread_of(u, gate), g);
}

static void
take_out(struct user *u, struct user_gate *g, uint64_t *pkts, uint64_t *bytes)
{
	user_thread_del(thread_of(u, &g->gate), g);
	*pkts = g->pkts;
	*bytes = g->bytes;
	g->node.next = u->free;
	u->free = &g->node;
}

static bool
same_tuple(const struct gate *a, const struct gate *b)
{
	return a->call_id == b->call_id && addr_equal(&a->src, &b->src) && addr_equal(&a->dst, &b->dst);
}

static int
user_add(struct datapath *dp, const struct gate_pair *pair)
{
	struct user *u = user_of(dp);
	int up, down;

	if (!carries(u, &pair->up) || !carries(u, &pair->down))
		return ENOTSUP;
	up = compare(u, pair->id, &pair->up);
	down = compare(u, pair->id, &pair->down);
	if (up == 0 && down == 0)
		return 0;
	if (up != ENOENT || down != ENOENT || same_tuple(&pair->up, &pair->down))
		return EEXIST;
	if (u->free == NULL || u->free->next == NULL)
		return ENOSPC;
	install(u, pair->id, &pair->up);
	install(u, pair->id, &pair->down);
	return 0;
}

static bool
find_pair(const struct user *u, const struct gate_pair *pair, struct user_gate **up, struct user_gate **down)
{
	*up = find(u, &pair->up);
	*down = find(u, &pair->down);
	return *up != NULL && *down != NULL && (*up)->pair_id == pair->id && (*down)->pair_id == pair->id;
}

static int
user_del(struct datapath *dp, const struct gate_pair *pair, struct gate_counters *last)
{
	struct user *u = user_of(dp);
	struct user_gate *up, *down;

	memset(last, 0, sizeof(*last));
	if (!find_pair(u, pair, &up, &down))
		return ENOENT;
	take_out(u, up, &last->up_pkts, &last->up_bytes);
	take_out(u, down, &last->down_pkts, &last->down_bytes);
	return 0;
}

static int
user_read(struct datapath *dp, const struct gate_pair *pair, struct gate_counters *counters)
{
	struct user *u = user_of(dp);
	struct user_gate *up, *down;

	memset(counters, 0, sizeof(*counters));
	if (!find_pair(u, pair, &up, &down))
		return ENOENT;
	user_thread_read(thread_of(u, &pair->up), up, &counters->up_pkts, &counters->up_bytes);
	user_thread_read(thread_of(u, &pair->down), down, &counters->down_pkts, &counters->down_bytes);
	return 0;
}

int
datapath_user_resume(struct datapath *dp, const struct gate_pair *pair, const struct gate_counters *counters)
{
	struct user *u = user_of(dp);
	struct user_gate *up, *down;

	if (!find_pair(u, pair, &up, &down))
		return ENOENT;
	user_thread_count(thread_of(u, &pair->up), up, counters->up_pkts, counters->up_bytes);
	user_thread_count(thread_of(u, &pair->down), down, counters->down_pkts, counters->down_bytes);
	return 0;
}

void
datapath_user_stats(struct datapath *dp, struct datapath_user_stats *stats)
{
	struct user *u = user_of(dp);

	memset(stats, 0, sizeof(*stats));
	for (unsigned i = 0; i < u->threads_count; i++)
		user_thread_stats(u->threads[i], stats);
}

static void
user_close(struct datapath *dp, bool keep_gates)
{
	struct user *u = user_of(dp);
	uint64_t one = 1;

	(void)keep_gates;
	if (u->stop >= 0)
		(void)!write(u->stop, &one, sizeof(one));
	for (unsigned i = 0; i < DATAPATH_USER_THREADS; i++)
		user_thread_end(u->threads[i]);
	if (u->stop >= 0)
		close(u->stop);
	free(u->pool);
	free(u);
}

static const struct datapath_ops ops = {"user", user_close, user_add, user_del, user_read};

static void
fill_pool(struct user *u, size_t n)
{
	while (n-- > 0) {
		u->pool[n].node.next = u->free;
		u->free = &u->pool[n].node;
	}
}

static int
start(struct user *u, const struct datapath_user_config *config)
{
	size_t gates = (size_t)config->max_gates * 2;

	u->stop = eventfd(0, EFD_CLOEXEC);
	u->pool = calloc(gates, sizeof(*u->pool));
	if (u->stop < 0 || u->pool == NULL)
		return -1;
	fill_pool(u, gates);
	u->threads_count = config->threads;
	for (unsigned i = 0; i < config->threads; i++) {
		u->threads[i] = user_thread_start(i, config->fd4[i], config->fd6[i], u->stop, gates / config->threads);
		if (u->threads[i] == NULL)
			return -1;
	}
	return 0;
}

static bool
has_family(const int *fds, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (fds[i] < 0)
			return false;
	return true;
}

struct datapath *
datapath_user_open(const struct datapath_user_config *config, char *err, size_t errlen)
{
	struct user *u;

	if (config->max_gates == 0 || config->threads == 0 || config->threads > DATAPATH_USER_THREADS) {
		snprintf(err, errlen, "a forwarder of %u threads for %u gates can't be", config->threads, config->max_gates);
		return NULL;
	}
	u = calloc(1, sizeof(*u));
	if (u == NULL) {
		snprintf(err, errlen, "out of memory");
		return NULL;
	}
	u->dp.ops = &ops;
	u->stop = -1;
	u->ipv4 = has_family(config->fd4, config->threads);
	u->ipv6 = has_family(config->fd6, config->threads);
	if (start(u, config) != 0) {
		snprintf(err, errlen, "the forwarder can't start: %s", strerror(errno));
		user_close(&u->dp, false);
		return NULL;
	}
	return &u->dp;
}
