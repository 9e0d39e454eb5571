#include <errno.h>
#include <string.h>

#include "alg/datapath/conntrack_private.h"

/* --- adding ---------------------------------------------------------------------- */

/* Strays that a packet made in the moment between the removal of former ones and an entry's creation: packets come on other CPUs. */
enum { TRIES = 50 };

/* What has the tuple that the gate's entry (e->found) or its packets, once translated, shall have: 0 when it is nothing or a stray, or the
 * gate itself (*there). */
static int
look(struct conntrack *c, struct one_way *e, const struct nf_conntrack *reply, struct nf_conntrack *other, bool *there)
{
	struct ctnl_op ops[] = {
	    {.type = CTNL_GET, .what = e->key, .answer = e->found}, {.type = CTNL_GET, .by_reply = true, .what = reply, .answer = other}};
	int error = ctnl_run(c->nl, ops, 2);

	if (error != 0)
		return error;
	*there = ops[0].error == 0 && conntrack_is_this_gate(e->found, e->gate);
	if (*there)
		return 0;
	return (ops[0].error == 0 && conntrack_is_gate(e->found)) || (ops[1].error == 0 && conntrack_is_gate(other)) ? EEXIST : 0;
}

/* In one piece, so that hardly a packet falls between. */
static int
take_place(struct conntrack *c, const struct one_way *e, const struct nf_conntrack *reply)
{
	struct ctnl_op ops[] = {{.type = CTNL_DELETE, .what = e->key}, {.type = CTNL_DELETE, .by_reply = true, .what = reply},
	    {.type = CTNL_CREATE, .what = e->full}};
	int error = ctnl_run(c->nl, ops, 3);

	return error != 0 ? error : ops[2].error;
}

int
conntrack_add_against(struct conntrack *c, struct one_way *e, bool *there)
{
	struct nf_conntrack *reply = conntrack_reply_key(e->gate), *other = nfct_new();
	int error = reply != NULL && other != NULL ? EEXIST : ENOMEM;

	*there = false;
	for (int i = 0; i < TRIES && error == EEXIST; i++) {
		error = look(c, e, reply, other, there);
		if (error != 0 || *there)
			break;
		error = take_place(c, e, reply);
	}
	if (reply != NULL)
		nfct_destroy(reply);
	if (other != NULL)
		nfct_destroy(other);
	return error;
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
