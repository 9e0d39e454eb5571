#include "alg/datapath/bpf_table.h"

#include <endian.h>
#include <string.h>

enum { SLOTS_MIN = 16, SLOTS_MAX = 1 << 20, WORDS_IPV4 = 1, WORDS_IPV6 = 4 };

/* The addresses of a slot, in its order: source, destination, new source, new destination. */
struct addresses {
	__be32 words[4 * WORDS_IPV6];
};

uint32_t
bpf_table_slots(uint64_t gates)
{
	uint32_t slots = SLOTS_MIN;

	while (slots < SLOTS_MAX && slots < 2 * gates)
		slots *= 2;
	return slots;
}

size_t
bpf_table_size(uint32_t slots, bool ipv6)
{
	return slots * (ipv6 ? sizeof(struct gates_slot6) : sizeof(struct gates_slot4));
}

static unsigned
words(const struct bpf_table *t)
{
	return t->ipv6 ? WORDS_IPV6 : WORDS_IPV4;
}

static struct gates_head *
head_at(const struct bpf_table *t, uint32_t at)
{
	at &= t->mask;
	return t->ipv6 ? &((struct gates_slot6 *)t->slots)[at].head : &((struct gates_slot4 *)t->slots)[at].head;
}

static __be32 *
addresses_of(const struct bpf_table *t, struct gates_head *head)
{
	return t->ipv6 ? ((struct gates_slot6 *)(void *)head)->src : &((struct gates_slot4 *)(void *)head)->src;
}

static uint32_t
load(const __u32 *word)
{
	return __atomic_load_n(word, __ATOMIC_SEQ_CST);
}

static void
store(__u32 *word, uint32_t value)
{
	__atomic_store_n(word, value, __ATOMIC_SEQ_CST);
}

static struct addresses
addresses(const struct bpf_table *t, const struct gate *gate)
{
	const struct addr *from[4] = {&gate->src, &gate->dst, &gate->new_src, &gate->new_dst};
	struct addresses a;

	memset(&a, 0, sizeof(a));
	for (size_t i = 0; i < 4; i++)
		memcpy(&a.words[i * words(t)], from[i]->bytes, words(t) * sizeof(__be32));
	return a;
}

static uint32_t
home(const struct bpf_table *t, const __be32 *from, __be16 call_id)
{
	return gates_hash(&t->seed, from, from + words(t), words(t), call_id) & t->mask;
}

/* The slot of the gate, and its home; NULL: it has none. */
static struct gates_head *
find(const struct bpf_table *t, const struct gate *gate, uint32_t *where)
{
	struct addresses a = addresses(t, gate);
	__be16 call_id = htobe16(gate->call_id);

	*where = home(t, a.words, call_id);
	for (uint32_t i = 0; i < GATES_REACH; i++) {
		struct gates_head *head = head_at(t, *where + i);

		if ((load(&head->state) & GATES_LIVE) != 0 && head->call_id == call_id &&
		    memcmp(addresses_of(t, head), a.words, 2 * words(t) * sizeof(__be32)) == 0)
			return head;
	}
	return NULL;
}

/* How far behind its home the furthest of its gates lies. */
static void
set_far(struct bpf_table *t, uint32_t where)
{
	struct gates_head *head = head_at(t, where);
	uint32_t far = 0;

	for (uint32_t i = 1; i < GATES_REACH; i++) {
		struct gates_head *other = head_at(t, where + i);

		if ((load(&other->state) & GATES_LIVE) != 0 && home(t, addresses_of(t, other), other->call_id) == where)
			far = i;
	}
	store(&head->state, (load(&head->state) & ~(uint32_t)GATES_FAR) | far << GATES_FAR_SHIFT);
}

static bool
is_same(const struct bpf_table *t, struct gates_head *head, const struct gate *gate)
{
	struct addresses a = addresses(t, gate);

	return head->new_call_id == htobe16(gate->new_call_id) &&
	       memcmp(addresses_of(t, head), a.words, 4 * words(t) * sizeof(__be32)) == 0;
}

static void
clear(struct bpf_table *t, struct gates_head *head, uint32_t where)
{
	store(&head->state, (load(&head->state) & ~(uint32_t)GATES_LIVE) + GATES_VERSION);
	set_far(t, where);
}

/* Nobody reads the slot before its state says so, except that a program with an old view of it may count once more. */
static void
fill(struct bpf_table *t, struct gates_head *head, const struct gate *gate, uint64_t now)
{
	struct addresses a = addresses(t, gate);

	__atomic_store_n(&head->pkts, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&head->bytes, 0, __ATOMIC_RELAXED);
	store(&head->until, 0);
	head->turn = (uint8_t)(gates_turns(now) + GATES_TURN_LIFE);
	head->call_id = htobe16(gate->call_id);
	head->new_call_id = htobe16(gate->new_call_id);
	memcpy(addresses_of(t, head), a.words, 4 * words(t) * sizeof(__be32));
	store(&head->state, (load(&head->state) + GATES_VERSION) | GATES_LIVE);
}

static bool
is_free(const struct gates_head *head)
{
	return (load(&head->state) & GATES_LIVE) == 0 && (load(&head->until) & 1) == 0;
}

bool
bpf_table_put(struct bpf_table *t, const struct gate *gate, uint64_t now)
{
	uint32_t where;
	struct gates_head *head = find(t, gate, &where);

	if (head != NULL && is_same(t, head, gate))
		return true;
	if (head != NULL)
		clear(t, head, where);
	for (uint32_t i = 0; i < GATES_REACH; i++) {
		head = head_at(t, where + i);
		if (!is_free(head))
			continue;
		fill(t, head, gate, now);
		set_far(t, where);
		return true;
	}
	return false;
}

static void
add_counters(const struct gates_head *head, uint64_t *pkts, uint64_t *bytes)
{
	*pkts += __atomic_load_n(&head->pkts, __ATOMIC_RELAXED);
	*bytes += __atomic_load_n(&head->bytes, __ATOMIC_RELAXED);
}

bool
bpf_table_read(const struct bpf_table *t, const struct gate *gate, uint64_t *pkts, uint64_t *bytes)
{
	uint32_t where;
	const struct gates_head *head = find(t, gate, &where);

	if (head == NULL)
		return false;
	add_counters(head, pkts, bytes);
	return true;
}

bool
bpf_table_take(struct bpf_table *t, const struct gate *gate, uint64_t *pkts, uint64_t *bytes)
{
	uint32_t where;
	struct gates_head *head = find(t, gate, &where);

	if (head == NULL)
		return false;
	clear(t, head, where);
	add_counters(head, pkts, bytes);
	return true;
}
