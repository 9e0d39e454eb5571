/* Gates as entries of the kernel's connection tracking.
 *
 * A PPTP GRE packet's tuple has the packet's call id as destination key and 0 as source key, and translation rewrites the destination
 * key. So each direction is an entry of its own, which nothing ever answers. What the packet becomes stands in the entry's
 * reply tuple, the wrong way round: addresses swapped, and the new call id as its source key.
 *
 * The kernel translates addresses where it is told to by CTA_NAT_SRC and CTA_NAT_DST and finds a difference to the reply tuple,
 * and rewrites the key along with the destination only. So where the call id must change the reply tuple is given with a false
 * source, which the kernel then "translates" to the right one, even if the destination stays as it is.
 *
 * A key of 0/0 is that of all GRE that is not PPTP's. No translated id is 0, but a peer's own may be: the reply tuple then gets a
 * destination key, so that a GRE tunnel between the same hosts doesn't meet the gate.
 *
 * Status bits: SEEN_REPLY makes the first packet already `ct state established`. FIXED_TIMEOUT since ctnetlink knows no time-outs of
 * GRE and the entry would die of its first packet. It also means that an entry's time can't be changed any more: to renew it, it is
 * replaced, and `renewed` keeps what the former entries counted. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alg/ctnl.h"
#include "alg/datapath/datapath.h"
#include "sys/log.h"

/* libnetfilter_conntrack has an enum of its own for these, in a header that can't be used next to the kernel's. */
enum { SEEN_REPLY = 1 << 1, ASSURED = 1 << 2, FIXED_TIMEOUT = 1 << 10 };

enum { UP, DOWN, WAYS };

struct count {
	uint64_t pkts, bytes;
};

/* What a pair's entries had counted when they were replaced. */
struct renewed {
	uint64_t id;
	struct count before[WAYS];
};

struct conntrack {
	struct datapath dp;
	struct ctnl *nl;
	uint32_t life_s;
	bool acct_was_off;
	void *renewed; /* tree of struct renewed, by id */
};

/* One gate on its way into the kernel, and what the kernel has in its place. */
struct one_way {
	const struct gate *gate;
	struct nf_conntrack *full, *key, *found;
};

static struct conntrack *
conntrack_of(struct datapath *dp)
{
	return (struct conntrack *)(void *)dp;
}

/* --- gates as entries ---------------------------------------------------------- */

static void
translate(struct nf_conntrack *ct, bool source, const struct addr *to)
{
	if (to->family == 6)
		nfct_set_attr(ct, source ? ATTR_SNAT_IPV6 : ATTR_DNAT_IPV6, to->bytes);
	else
		nfct_set_attr(ct, source ? ATTR_SNAT_IPV4 : ATTR_DNAT_IPV4, to->bytes);
}

/* Nothing answers a gate, so any will do that is not likely to be a translated id between the two. */
static uint16_t
reply_key(const struct gate *g)
{
	return g->new_call_id == 0 ? UINT16_MAX : 0;
}

static struct nf_conntrack *
entry_full(const struct gate *g, uint32_t life_s)
{
	struct nf_conntrack *ct = nfct_new();
	struct addr answers = g->new_dst;

	if (ct == NULL)
		return NULL;
	if (!addr_equal(&g->dst, &g->new_dst) || g->call_id != g->new_call_id) {
		answers.bytes[addr_len(&answers) - 1] ^= 1;
		translate(ct, false, &g->new_dst);
	}
	if (!addr_equal(&g->src, &g->new_src))
		translate(ct, true, &g->new_src);
	ctnl_set(ct, CTNL_ORIGINAL, IPPROTO_GRE, &g->src, &g->dst, 0, g->call_id);
	ctnl_set(ct, CTNL_REPLY, IPPROTO_GRE, &answers, &g->src, g->new_call_id, reply_key(g));
	nfct_set_attr_u32(ct, ATTR_STATUS, SEEN_REPLY | ASSURED | FIXED_TIMEOUT);
	nfct_set_attr_u32(ct, ATTR_TIMEOUT, life_s);
	return ct;
}

static struct nf_conntrack *
entry_key(const struct gate *g)
{
	struct nf_conntrack *ct = nfct_new();

	if (ct != NULL)
		ctnl_set(ct, CTNL_ORIGINAL, IPPROTO_GRE, &g->src, &g->dst, 0, g->call_id);
	return ct;
}

/* The reply tuple that the gate's entry has or shall have, as an original one. */
static struct nf_conntrack *
entry_reply_key(const struct gate *g)
{
	struct nf_conntrack *ct = nfct_new();

	if (ct != NULL)
		ctnl_set(ct, CTNL_ORIGINAL, IPPROTO_GRE, &g->new_dst, &g->new_src, g->new_call_id, reply_key(g));
	return ct;
}

/* Made by ctnetlink, not by a packet. */
static bool
is_gate(const struct nf_conntrack *found)
{
	return (nfct_get_attr_u32(found, ATTR_STATUS) & FIXED_TIMEOUT) != 0;
}

static bool
is_this_gate(const struct nf_conntrack *found, const struct gate *g)
{
	struct addr src, dst;
	uint16_t sport, dport;

	ctnl_get(found, CTNL_REPLY, &src, &dst, &sport, &dport);
	return is_gate(found) && addr_equal(&src, &g->new_dst) && addr_equal(&dst, &g->new_src) && sport == g->new_call_id;
}

static void
entry_free(struct one_way *e)
{
	if (e->full != NULL)
		nfct_destroy(e->full);
	if (e->key != NULL)
		nfct_destroy(e->key);
	if (e->found != NULL)
		nfct_destroy(e->found);
}

static void
entries_free(struct one_way e[WAYS])
{
	entry_free(&e[UP]);
	entry_free(&e[DOWN]);
}

static bool
entries_new(struct one_way e[WAYS], const struct gate_pair *pair, uint32_t life_s)
{
	memset(e, 0, WAYS * sizeof(e[0]));
	e[UP].gate = &pair->up;
	e[DOWN].gate = &pair->down;
	for (int i = 0; i < WAYS; i++) {
		e[i].full = entry_full(e[i].gate, life_s);
		e[i].key = entry_key(e[i].gate);
		e[i].found = nfct_new();
		if (e[i].full == NULL || e[i].key == NULL || e[i].found == NULL) {
			entries_free(e);
			return false;
		}
	}
	return true;
}

/* --- adding ---------------------------------------------------------------------- */

/* Deletes what has a tuple in the gate's way, if a packet made it; EEXIST if it is another gate. */
static int
clear_stray(struct conntrack *c, const struct nf_conntrack *key, bool by_reply)
{
	struct nf_conntrack *found = nfct_new();
	struct ctnl_op get = {.type = CTNL_GET, .by_reply = by_reply, .what = key, .answer = found},
		       del = {.type = CTNL_DELETE, .by_reply = by_reply, .what = key};
	int error;

	if (found == NULL)
		return ENOMEM;
	error = ctnl_run(c->nl, &get, 1);
	if (error == 0 && get.error == 0)
		error = is_gate(found) ? EEXIST : ctnl_run(c->nl, &del, 1);
	nfct_destroy(found);
	return error; /* gone in the meantime, before or after the look: fine */
}

static int
clear_strays(struct conntrack *c, const struct one_way *e)
{
	struct nf_conntrack *reply = entry_reply_key(e->gate);
	int error;

	if (reply == NULL)
		return ENOMEM;
	error = clear_stray(c, e->key, false);
	if (error == 0)
		error = clear_stray(c, reply, true);
	nfct_destroy(reply);
	return error;
}

/* What is in the way of an entry: itself (0, and *there), strays, which are removed before it is tried once more, or another gate. */
static int
add_against(struct conntrack *c, struct one_way *e, bool *there)
{
	struct ctnl_op get = {.type = CTNL_GET, .what = e->key, .answer = e->found}, add = {.type = CTNL_CREATE, .what = e->full};
	int error = ctnl_run(c->nl, &get, 1);

	*there = error == 0 && get.error == 0 && is_this_gate(e->found, e->gate);
	if (error != 0 || *there)
		return error;
	error = clear_strays(c, e);
	if (error == 0)
		error = ctnl_run(c->nl, &add, 1);
	return error != 0 ? error : add.error;
}

static int
add_error(int error)
{
	return error == ENOMEM || error == ENFILE ? ENOSPC : error; /* the kernel says ENOMEM when nf_conntrack_max is reached */
}

static int
add_entries(struct conntrack *c, struct one_way e[WAYS])
{
	struct ctnl_op ops[WAYS] = {{.type = CTNL_CREATE, .what = e[UP].full}, {.type = CTNL_CREATE, .what = e[DOWN].full}};
	int error = ctnl_run(c->nl, ops, WAYS);
	bool there[WAYS] = {false, false};

	if (error != 0)
		return error;
	for (int i = 0; i < WAYS; i++)
		if (ops[i].error == EEXIST)
			ops[i].error = add_against(c, &e[i], &there[i]);
	error = ops[UP].error != 0 ? ops[UP].error : ops[DOWN].error;
	for (int i = 0; i < WAYS && error != 0; i++) {
		struct ctnl_op del = {.type = CTNL_DELETE, .what = e[i].key};

		if (ops[i].error == 0 && !there[i])
			ctnl_run(c->nl, &del, 1);
	}
	return add_error(error);
}

static bool
possible(const struct gate *g)
{
	uint8_t family = g->src.family;

	return family == g->dst.family && family == g->new_src.family && family == g->new_dst.family;
}

static int
conntrack_add(struct datapath *dp, const struct gate_pair *pair)
{
	struct conntrack *c = conntrack_of(dp);
	struct one_way e[WAYS];
	int error;

	if (!possible(&pair->up) || !possible(&pair->down))
		return ENOTSUP;
	if (!entries_new(e, pair, c->life_s))
		return ENOMEM;
	error = add_entries(c, e);
	entries_free(e);
	return error;
}

/* --- counters ---------------------------------------------------------------------- */

static int
by_id(const void *a, const void *b)
{
	uint64_t x = ((const struct renewed *)a)->id, y = ((const struct renewed *)b)->id;

	return (x > y) - (x < y);
}

static struct renewed *
renewed_find(struct conntrack *c, uint64_t id)
{
	struct renewed like = {.id = id}, **node = tfind(&like, &c->renewed, by_id);

	return node != NULL ? *node : NULL;
}

static struct renewed *
renewed_make(struct conntrack *c, uint64_t id)
{
	struct renewed *r = renewed_find(c, id), **node;

	if (r != NULL)
		return r;
	r = calloc(1, sizeof(*r));
	if (r == NULL)
		return NULL;
	r->id = id;
	node = tsearch(r, &c->renewed, by_id);
	if (node == NULL) {
		free(r);
		return NULL;
	}
	return r;
}

static void
renewed_free(struct conntrack *c, uint64_t id)
{
	struct renewed *r = renewed_find(c, id);

	if (r == NULL)
		return;
	tdelete(r, &c->renewed, by_id);
	free(r);
}

static struct count
count_of(const struct nf_conntrack *ct)
{
	return (struct count){nfct_get_attr_u64(ct, ATTR_ORIG_COUNTER_PACKETS), nfct_get_attr_u64(ct, ATTR_ORIG_COUNTER_BYTES)};
}

static void
add_count(struct gate_counters *counters, int way, struct count count)
{
	if (way == UP) {
		counters->up_pkts += count.pkts;
		counters->up_bytes += count.bytes;
	} else {
		counters->down_pkts += count.pkts;
		counters->down_bytes += count.bytes;
	}
}

static void
add_renewed(struct conntrack *c, uint64_t id, struct gate_counters *counters)
{
	const struct renewed *r = renewed_find(c, id);

	for (int i = 0; r != NULL && i < WAYS; i++)
		add_count(counters, i, r->before[i]);
}

/* --- reading and renewing ------------------------------------------------------------ */

/* The entry's last counters, its end and its successor go to the kernel in one piece, so that hardly a packet falls between them. One
 * that does makes a stray, which goes the way of all strays. */
static int
replace(struct conntrack *c, struct one_way *e, struct count *before)
{
	struct nf_conntrack *last = nfct_new();
	struct ctnl_op ops[] = {{.type = CTNL_GET, .what = e->key, .answer = last}, {.type = CTNL_DELETE, .what = e->key},
	    {.type = CTNL_CREATE, .what = e->full}};
	int error;
	bool there;

	if (last == NULL)
		return ENOMEM;
	error = ctnl_run(c->nl, ops, 3);
	if (error == 0 && ops[0].error == 0) {
		before->pkts += count_of(last).pkts;
		before->bytes += count_of(last).bytes;
	}
	nfct_destroy(last);
	if (error == 0 && ops[2].error == EEXIST)
		ops[2].error = add_against(c, e, &there);
	return error != 0 ? error : ops[2].error;
}

static int
renew(struct conntrack *c, uint64_t id, struct one_way e[WAYS])
{
	struct renewed *r = NULL;
	int error = 0;

	for (int i = 0; i < WAYS && error == 0; i++) {
		if (nfct_get_attr_u32(e[i].found, ATTR_TIMEOUT) >= c->life_s / 2)
			continue;
		r = renewed_make(c, id);
		error = r != NULL ? replace(c, &e[i], &r->before[i]) : ENOMEM;
	}
	return error;
}

static int
find_entries(struct conntrack *c, struct one_way e[WAYS])
{
	struct ctnl_op ops[WAYS] = {
	    {.type = CTNL_GET, .what = e[UP].key, .answer = e[UP].found}, {.type = CTNL_GET, .what = e[DOWN].key, .answer = e[DOWN].found}};
	int error = ctnl_run(c->nl, ops, WAYS);

	for (int i = 0; i < WAYS && error == 0; i++)
		error = ops[i].error != 0 ? ops[i].error : is_this_gate(e[i].found, e[i].gate) ? 0 : ENOENT;
	return error;
}

static int
conntrack_read(struct datapath *dp, const struct gate_pair *pair, struct gate_counters *counters)
{
	struct conntrack *c = conntrack_of(dp);
	struct one_way e[WAYS];
	int error;

	memset(counters, 0, sizeof(*counters));
	if (!entries_new(e, pair, c->life_s))
		return ENOMEM;
	error = find_entries(c, e);
	if (error == 0) {
		add_count(counters, UP, count_of(e[UP].found));
		add_count(counters, DOWN, count_of(e[DOWN].found));
		add_renewed(c, pair->id, counters);
		error = renew(c, pair->id, e);
	}
	entries_free(e);
	return error;
}

/* --- removing -------------------------------------------------------------------------- */

/* Each entry's counters and its end in one piece: only what comes in that microsecond is not counted. ENOENT: neither was there. */
static int
take_out(struct conntrack *c, struct one_way e[WAYS], struct gate_counters *last)
{
	struct ctnl_op ops[WAYS * 2];
	int error, found = ENOENT;

	for (int i = 0; i < WAYS; i++) {
		ops[i * 2] = (struct ctnl_op){.type = CTNL_GET, .what = e[i].key, .answer = e[i].found};
		ops[i * 2 + 1] = (struct ctnl_op){.type = CTNL_DELETE, .what = e[i].key};
	}
	error = ctnl_run(c->nl, ops, WAYS * 2);
	for (int i = 0; i < WAYS && error == 0; i++) {
		if (ops[i * 2].error == 0 && is_this_gate(e[i].found, e[i].gate)) {
			add_count(last, i, count_of(e[i].found));
			found = 0;
		}
	}
	return error != 0 ? error : found;
}

static int
conntrack_del(struct datapath *dp, const struct gate_pair *pair, struct gate_counters *last)
{
	struct conntrack *c = conntrack_of(dp);
	struct one_way e[WAYS];
	int error;

	memset(last, 0, sizeof(*last));
	if (!entries_new(e, pair, c->life_s))
		return ENOMEM;
	error = take_out(c, e, last);
	entries_free(e);
	if (error == 0)
		add_renewed(c, pair->id, last);
	renewed_free(c, pair->id);
	return error;
}

/* --- opening ---------------------------------------------------------------------------- */

#define ACCT_FILE "/proc/sys/net/netfilter/nf_conntrack_acct"

/* -1 with errno. */
static long
read_number(const char *file)
{
	char text[32];
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;
	int saved = errno;

	if (fd >= 0)
		close(fd);
	errno = saved;
	if (n < 0)
		return -1;
	text[n] = 0;
	return strtol(text, NULL, 10);
}

static int
set_acct(bool on)
{
	int fd = open(ACCT_FILE, O_WRONLY | O_CLOEXEC), error = 0;

	if (fd < 0 || write(fd, on ? "1" : "0", 1) != 1)
		error = errno;
	if (fd >= 0)
		close(fd);
	return error;
}

/* Without counters gates could not age. */
static bool
count_packets(struct conntrack *c, char *err, size_t errlen)
{
	long was = read_number(ACCT_FILE);
	int error;

	if (was < 0) {
		snprintf(err, errlen, "the kernel has no connection tracking: %s: %s", ACCT_FILE, strerror(errno));
		return false;
	}
	if (was != 0)
		return true;
	error = set_acct(true);
	if (error != 0) {
		snprintf(err, errlen, "packets of gates can't be counted: writing 1 to %s: %s", ACCT_FILE, strerror(error));
		return false;
	}
	c->acct_was_off = true;
	return true;
}

/* Looks for an entry that can't be there. */
static int
probe(struct conntrack *c)
{
	struct gate g = {.src = {.family = 4}, .dst = {.family = 4}};
	struct nf_conntrack *key = entry_key(&g), *found = nfct_new();
	struct ctnl_op get = {.type = CTNL_GET, .what = key, .answer = found};
	int error = ENOMEM;

	if (key != NULL && found != NULL)
		error = ctnl_run(c->nl, &get, 1);
	if (error == 0 && get.error != ENOENT)
		error = get.error;
	if (key != NULL)
		nfct_destroy(key);
	if (found != NULL)
		nfct_destroy(found);
	return error;
}

static bool
usable(struct conntrack *c, char *err, size_t errlen)
{
	int error;

	c->nl = ctnl_open();
	error = c->nl != NULL ? probe(c) : errno;
	if (error == 0)
		return count_packets(c, err, errlen);
	if (error == EPERM)
		snprintf(err, errlen, "connection tracking can't be changed without the capability CAP_NET_ADMIN");
	else if (error == EPROTONOSUPPORT || error == EINVAL || error == EOPNOTSUPP)
		snprintf(err, errlen, "the kernel has no ctnetlink (CONFIG_NF_CT_NETLINK)");
	else
		snprintf(err, errlen, "connection tracking can't be reached: %s", strerror(error));
	return false;
}

static void
warn_of_limit(uint32_t max_gates)
{
	long limit = read_number("/proc/sys/net/netfilter/nf_conntrack_max");

	if (limit >= 0 && limit < (long)max_gates * WAYS)
		log_event(LOG_LEVEL_WARN, "conntrack-limit",
		    "limit=%ld needed=%" PRIu64
		    " reason=\"each call takes two entries: raise net.netfilter.nf_conntrack_max or lower max-calls\"",
		    limit, (uint64_t)max_gates * WAYS);
}

static void
conntrack_close(struct datapath *dp, bool keep_gates)
{
	struct conntrack *c = conntrack_of(dp);

	if (c->acct_was_off && !keep_gates)
		set_acct(false);
	tdestroy(c->renewed, free);
	ctnl_close(c->nl);
	free(c);
}

static uint32_t
seconds(uint64_t ns)
{
	uint64_t s = ns / 1000000000;

	return s < 2 ? 2 : s > INT32_MAX / 1000 ? INT32_MAX / 1000 : (uint32_t)s; /* the kernel counts in ticks of 31 bits */
}

struct datapath *
datapath_conntrack_open(const struct datapath_config *config, char *err, size_t errlen)
{
	static const struct datapath_ops ops = {
	    .name = "conntrack", .close = conntrack_close, .add = conntrack_add, .del = conntrack_del, .read = conntrack_read};
	struct conntrack *c = calloc(1, sizeof(*c));

	if (c == NULL) {
		snprintf(err, errlen, "out of memory");
		return NULL;
	}
	c->dp.ops = &ops;
	c->life_s = seconds(config->life_ns);
	if (!usable(c, err, errlen)) {
		conntrack_close(&c->dp, false);
		return NULL;
	}
	warn_of_limit(config->max_gates);
	return &c->dp;
}
