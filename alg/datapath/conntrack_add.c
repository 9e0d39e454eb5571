#include <errno.h>
#include <string.h>

#include "alg/datapath/conntrack_private.h"

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
		error = conntrack_is_gate(found) ? EEXIST : ctnl_run(c->nl, &del, 1);
	nfct_destroy(found);
	return error; /* gone in the meantime, before or after the look: fine */
}

static int
clear_strays(struct conntrack *c, const struct one_way *e)
{
	struct nf_conntrack *reply = conntrack_reply_key(e->gate);
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
int
conntrack_add_against(struct conntrack *c, struct one_way *e, bool *there)
{
	struct ctnl_op get = {.type = CTNL_GET, .what = e->key, .answer = e->found}, add = {.type = CTNL_CREATE, .what = e->full};
	int error = ctnl_run(c->nl, &get, 1);

	*there = error == 0 && get.error == 0 && conntrack_is_this_gate(e->found, e->gate);
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
			ops[i].error = conntrack_add_against(c, &e[i], &there[i]);
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

int
conntrack_add(struct datapath *dp, const struct gate_pair *pair)
{
	struct conntrack *c = conntrack_of(dp);
	struct one_way e[WAYS];
	int error;

	if (!possible(&pair->up) || !possible(&pair->down))
		return ENOTSUP;
	if (!conntrack_entries_new(e, pair, c->life_s))
		return ENOMEM;
	error = add_entries(c, e);
	conntrack_entries_free(e);
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
		if (ops[i * 2].error == 0 && conntrack_is_this_gate(e[i].found, e[i].gate)) {
			conntrack_add_count(last, i, conntrack_count_of(e[i].found));
			found = 0;
		}
	}
	return error != 0 ? error : found;
}

int
conntrack_del(struct datapath *dp, const struct gate_pair *pair, struct gate_counters *last)
{
	struct conntrack *c = conntrack_of(dp);
	struct one_way e[WAYS];
	int error;

	memset(last, 0, sizeof(*last));
	if (!conntrack_entries_new(e, pair, c->life_s))
		return ENOMEM;
	error = take_out(c, e, last);
	conntrack_entries_free(e);
	if (error == 0)
		conntrack_add_renewed(c, pair->id, last);
	conntrack_renewed_free(c, pair->id);
	return error;
}
