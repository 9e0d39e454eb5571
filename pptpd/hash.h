/* A chained hash table of intrusive nodes with a fixed number of buckets. The caller keeps the nodes and compares the keys. */
#ifndef PPTPD_HASH_H
#define PPTPD_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hash_node {
	struct hash_node *next;
	uint64_t hash;
};

struct hash {
	struct hash_node **buckets;
	size_t mask;
	size_t count;
};

#define HASH_ENTRY(node, type, member) ((type *)(void *)((char *)(node)-offsetof(type, member)))

/* Makes a table with at least `expected` buckets; false when memory ran out. */
bool hash_init(struct hash *h, size_t expected);
void hash_fini(struct hash *h);
void hash_add(struct hash *h, struct hash_node *n, uint64_t hash);
/* Takes out a node that is in. */
void hash_del(struct hash *h, struct hash_node *n);
/* Walks the nodes of one hash value: compare the keys of what comes. NULL at the end. */
struct hash_node *hash_first(const struct hash *h, uint64_t hash);
struct hash_node *hash_next(const struct hash_node *n);
/* FNV-1a, 64 bits, started from seed. */
uint64_t hash_bytes(uint64_t seed, const void *data, size_t len);

#endif
