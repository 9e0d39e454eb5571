#include "pptpd/hash.h"

#include <stdlib.h>

bool
hash_init(struct hash *h, size_t expected)
{
	size_t n = 16;

	while (n < expected)
		n *= 2;
	h->buckets = calloc(n, sizeof(struct hash_node *));
	h->mask = n - 1;
	h->count = 0;
	return h->buckets != NULL;
}

void
hash_fini(struct hash *h)
{
	free(h->buckets);
	h->buckets = NULL;
}

void
hash_add(struct hash *h, struct hash_node *n, uint64_t hash)
{
	struct hash_node **bucket = &h->buckets[hash & h->mask];

	n->hash = hash;
	n->next = *bucket;
	*bucket = n;
	h->count++;
}

void
hash_del(struct hash *h, struct hash_node *n)
{
	struct hash_node **p = &h->buckets[n->hash & h->mask];

	while (*p != NULL && *p != n)
		p = &(*p)->next;
	if (*p == NULL)
		return;
	*p = n->next;
	h->count--;
}

static struct hash_node *
same_hash(struct hash_node *n, uint64_t hash)
{
	while (n != NULL && n->hash != hash)
		n = n->next;
	return n;
}

struct hash_node *
hash_first(const struct hash *h, uint64_t hash)
{
	return same_hash(h->buckets[hash & h->mask], hash);
}

struct hash_node *
hash_next(const struct hash_node *n)
{
	return same_hash(n->next, n->hash);
}

uint64_t
hash_bytes(uint64_t seed, const void *data, size_t len)
{
	const uint8_t *p = data;
	uint64_t h = seed ^ UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < len; i++)
		h = (h ^ p[i]) * UINT64_C(0x100000001b3);
	return h ^ (h >> 29);
}
