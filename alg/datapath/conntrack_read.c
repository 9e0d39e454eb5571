/* An entry's time can't be changed (conntrack_entry.c). To renew it, it is replaced, and what the former entries counted is kept here. */
#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "alg/datapath/conntrack_private.h"

/* What a pair's entries had counted when they were replaced. */
struct renewed {
	uint64_t id;
	struct count before[WAYS];
};

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

void
conntrack_renewed_free(struct conntrack *c, uint64_t id)
{
	struct renewed *r = renewed_find(c, id);

	if (r == NULL)
		return;
	tdelete(r, &c->renewed, by_id);
	free(r);
}

struct count
conntrack_count_of(const struct nf_conntrack *ct)
{
	return (struct count){nfct_get_attr_u64(ct, ATTR_ORIG_COUNTER_PACKETS), nfct_get_attr_u64(ct, ATTR_ORIG_COUNTER_BYTES)};
}

void
conntrack_add_count(struct gate_counters *counters, int way, struct count count)
{
	if (way == UP) {
		counters->up_pkts += count.pkts;
		counters->up_bytes += count.bytes;
	} else {
		counters->down_pkts += count.pkts;
		counters->down_bytes += count.bytes;
	}
}

void
conntrack_add_renewed(struct conntrack *c, uint64_t id, struct gate_counters *counters)
{
	const struct renewed *r = renewed_find(c, id);

	for (int i = 0; r != NULL && i < WAYS; i++)
		conntrack_add_count(counters, i, r->before[i]);
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
		before->pkts += conntrack_count_of(last).pkts;
		before->bytes += conntrack_count_of(last).bytes;
	}
	nfct_destroy(last);
	if (error == 0 && ops[2].error == EEXIST)
		ops[2].error = conntrack_add_against(c, e, &there);
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
		error = ops[i].error != 0 ? ops[i].error : conntrack_is_this_gate(e[i].found, e[i].gate) ? 0 : ENOENT;
	return error;
}

/* Where one gate is gone the other goes, too, and so does what they counted: who puts them back counts from zero. */
static int
lose(struct conntrack *c, uint64_t id, const struct one_way e[WAYS])
{
	for (int i = 0; i < WAYS; i++) {
		struct ctnl_op del = {.type = CTNL_DELETE, .what = e[i].key};

		if (conntrack_is_this_gate(e[i].found, e[i].gate))
			ctnl_run(c->nl, &del, 1);
	}
	conntrack_renewed_free(c, id);
	return ENOENT;
}

int
conntrack_read(struct datapath *dp, const struct gate_pair *pair, struct gate_counters *counters)
{
	struct conntrack *c = conntrack_of(dp);
	struct one_way e[WAYS];
	int error;

	memset(counters, 0, sizeof(*counters));
	if (!conntrack_entries_new(e, pair, c->life_s))
		return ENOMEM;
	error = find_entries(c, e);
	if (error == 0) {
		conntrack_add_count(counters, UP, conntrack_count_of(e[UP].found));
		conntrack_add_count(counters, DOWN, conntrack_count_of(e[DOWN].found));
		conntrack_add_renewed(c, pair->id, counters);
		error = renew(c, pair->id, e);
	}
	if (error != 0)
		error = lose(c, pair->id, e);
	conntrack_entries_free(e);
	return error;
}
