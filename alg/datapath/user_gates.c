#include "alg/datapath/user_gates.h"

bool
user_gates_init(struct user_gates *g, size_t expected, const uint64_t key[2], const struct mem *mem)
{
	g->mem = mem;
	g->count = 0;
	return table_init(&g->table, expected, key, mem);
}

void
user_gates_fini(struct user_gates *g)
{
	table_fini(&g->table, g->mem);
}

static uint32_t
hash_of(const struct user_gates *g, const struct addr *src, const struct addr *dst, uint16_t call_id)
{
	uint64_t h = table_hash_addr(&g->table, call_id, src);

	return table_hash_end(&g->table, table_hash_addr(&g->table, h, dst));
}

struct user_gate *
user_gates_find(const struct user_gates *g, const struct addr *src, const struct addr *dst, uint16_t call_id)
{
	for (struct table_node *n = table_first(&g->table, hash_of(g, src, dst, call_id)); n != NULL; n = table_next(n)) {
		struct user_gate *gate = TABLE_OWNER(n, struct user_gate, node);

		if (gate->gate.call_id == call_id && addr_equal(&gate->gate.src, src) && addr_equal(&gate->gate.dst, dst))
			return gate;
	}
	return NULL;
}

void
user_gates_add(struct user_gates *g, struct user_gate *gate)
{
	table_add(&g->table, &gate->node, hash_of(g, &gate->gate.src, &gate->gate.dst, gate->gate.call_id));
	g->count++;
}

void
user_gates_del(struct user_gates *g, struct user_gate *gate)
{
	table_del(&g->table, &gate->node);
	g->count--;
}

static bool
keeps_addresses(const struct gate *gate)
{
	return addr_equal(&gate->src, &gate->new_src) && addr_equal(&gate->dst, &gate->new_dst);
}

bool
user_gate_changes_nothing(const struct gate *gate)
{
	return keeps_addresses(gate) && gate->call_id == gate->new_call_id;
}

bool
user_gates_apply(struct user_gates *g, struct user_packet *p, enum datapath_user_drop *why)
{
	struct user_gate *gate = user_gates_find(g, &p->src, &p->dst, p->call_id);

	if (gate == NULL) {
		*why = USER_UNKNOWN;
		return false;
	}
	if (!gate->own && p->hops <= 1) {
		*why = USER_TTL;
		return false;
	}
	gate->pkts++;
	gate->bytes += p->length;
	if (gate->own) {
		*why = USER_OWN;
		return false;
	}
	p->hops--;
	p->df = p->df && keeps_addresses(&gate->gate); /* see user.h for the reasons */
	p->src = gate->gate.new_src;
	p->dst = gate->gate.new_dst;
	user_packet_set_call_id(p, gate->gate.new_call_id);
	return true;
}
