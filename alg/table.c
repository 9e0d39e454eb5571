#include "alg/table.h"

#include <string.h>

bool
table_init(struct table *t, size_t expected, const uint64_t key[2], const struct mem *mem)
{
	size_t n = 16;

	while (n < expected && n < UINT32_C(1) << 31)
		n *= 2;
	*t = (struct table){.heads = mem_calloc(mem, n, sizeof(*t->heads)), .mask = (uint32_t)(n - 1), .key = {key[0], key[1] | 1}};
	return t->heads != NULL;
}

void
table_fini(struct table *t, const struct mem *mem)
{
	mem_free(mem, t->heads);
	t->heads = NULL;
}

void
table_add(struct table *t, struct table_node *n, uint32_t hash)
{
	struct table_node **head = &t->heads[hash & t->mask];

	n->hash = hash;
	n->next = *head;
	*head = n;
}

void
table_del(struct table *t, struct table_node *n)
{
	struct table_node **p = &t->heads[n->hash & t->mask];

	while (*p != n)
		p = &(*p)->next;
	*p = n->next;
}

static struct table_node *
with_hash(struct table_node *n, uint32_t hash)
{
	while (n != NULL && n->hash != hash)
		n = n->next;
	return n;
}

struct table_node *
table_first(const struct table *t, uint32_t hash)
{
	return with_hash(t->heads[hash & t->mask], hash);
}

struct table_node *
table_next(const struct table_node *n)
{
	return with_hash(n->next, n->hash);
}

/* Multiplies by a secret odd word and folds the high half down, where the product depends on every bit fed. */
static uint64_t
mix(uint64_t h, uint64_t key)
{
	h *= key;
	h ^= h >> 29;
	h *= UINT64_C(0x9E3779B97F4A7C15);
	return h ^ h >> 32;
}

uint64_t
table_hash_u64(const struct table *t, uint64_t h, uint64_t v)
{
	return mix(h ^ v ^ t->key[0], t->key[1]);
}

uint64_t
table_hash_addr(const struct table *t, uint64_t h, const struct addr *a)
{
	uint64_t part[2];

	memcpy(part, a->bytes, sizeof(part));
	return table_hash_u64(t, table_hash_u64(t, h ^ a->family, part[0]), part[1]);
}

uint32_t
table_hash_end(const struct table *t, uint64_t h)
{
	return (uint32_t)(mix(h ^ t->key[0] >> 7, t->key[1]) >> 16);
}
