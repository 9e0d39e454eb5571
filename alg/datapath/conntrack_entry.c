/* A gate as an entry of the kernel's connection tracking.
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
 * GRE and the entry would die of its first packet. It also means that an entry's time can't be changed any more (conntrack_read.c). */
#include <netinet/in.h>
#include <string.h>

#include "alg/datapath/conntrack_private.h"

/* libnetfilter_conntrack has an enum of its own for these, in a header that can't be used next to the kernel's. */
enum { SEEN_REPLY = 1 << 1, ASSURED = 1 << 2, FIXED_TIMEOUT = 1 << 10 };

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

struct nf_conntrack *
conntrack_key(const struct gate *g)
{
	struct nf_conntrack *ct = nfct_new();

	if (ct != NULL)
		ctnl_set(ct, CTNL_ORIGINAL, IPPROTO_GRE, &g->src, &g->dst, 0, g->call_id);
	return ct;
}

/* The reply tuple that the gate's entry has or shall have, as an original one. */
struct nf_conntrack *
conntrack_reply_key(const struct gate *g)
{
	struct nf_conntrack *ct = nfct_new();

	if (ct != NULL)
		ctnl_set(ct, CTNL_ORIGINAL, IPPROTO_GRE, &g->new_dst, &g->new_src, g->new_call_id, reply_key(g));
	return ct;
}

/* Made by ctnetlink, not by a packet. */
bool
conntrack_is_gate(const struct nf_conntrack *found)
{
	return (nfct_get_attr_u32(found, ATTR_STATUS) & FIXED_TIMEOUT) != 0;
}

bool
conntrack_is_this_gate(const struct nf_conntrack *found, const struct gate *g)
{
	struct addr src, dst;
	uint16_t sport, dport;

	ctnl_get(found, CTNL_REPLY, &src, &dst, &sport, &dport);
	return conntrack_is_gate(found) && addr_equal(&src, &g->new_dst) && addr_equal(&dst, &g->new_src) && sport == g->new_call_id;
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

void
conntrack_entries_free(struct one_way e[WAYS])
{
	entry_free(&e[UP]);
	entry_free(&e[DOWN]);
}

bool
conntrack_entries_new(struct one_way e[WAYS], const struct gate_pair *pair, uint32_t life_s)
{
	memset(e, 0, WAYS * sizeof(e[0]));
	e[UP].gate = &pair->up;
	e[DOWN].gate = &pair->down;
	for (int i = 0; i < WAYS; i++) {
		e[i].full = entry_full(e[i].gate, life_s);
		e[i].key = conntrack_key(e[i].gate);
		e[i].found = nfct_new();
		if (e[i].full == NULL || e[i].key == NULL || e[i].found == NULL) {
			conntrack_entries_free(e);
			return false;
		}
	}
	return true;
}
