/* A hash table of nodes that live in their owners' objects: it allocates once, when it is made, and never grows.
 *
 * Keys are peers' addresses and ids, so the hash is keyed with secret random words: a peer can't choose what collides. */
#ifndef ALG_TABLE_H
#define ALG_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/mem.h"

struct table_node {
	struct table_node *next;
	uint32_t hash;
};

struct table {
	struct table_node **heads;
	uint32_t mask;
	uint64_t key[2];
};

/* The object of type `type` in which *node is the member `member`. */
#define TABLE_OWNER(node, type, member) ((type *)(void *)((char *)(node)-offsetof(type, member)))

/* For about `expected` nodes. key: two secret words. False when memory ran out. */
bool table_init(struct table *t, size_t expected, const uint64_t key[2], const struct mem *mem);
void table_fini(struct table *t, const struct mem *mem);
void table_add(struct table *t, struct table_node *n, uint32_t hash);
/* The node must be in the table. */
void table_del(struct table *t, struct table_node *n);
/* The first node with this hash, and the next one after n; NULL at the end. Equal hashes don't mean equal keys. */
struct table_node *table_first(const struct table *t, uint32_t hash);
struct table_node *table_next(const struct table_node *n);

/* Hashes of keys, to be chained: start with 0, feed parts, take the low 32 bits with table_hash_end(). */
uint64_t table_hash_u64(const struct table *t, uint64_t h, uint64_t v);
uint64_t table_hash_addr(const struct table *t, uint64_t h, const struct addr *a);
uint32_t table_hash_end(const struct table *t, uint64_t h);

#endif
