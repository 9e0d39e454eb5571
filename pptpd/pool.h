/* A pool of numbered things: IPv4 addresses, or IPv6 prefixes of 64 bits by their upper half. Taking and giving back is O(1).
 *
 * What is given back goes to the end of the queue; a user gets what he had the last time if nobody took it since. Things can be
 * reserved: these are given only to who asks for them by name (users with fixed addresses). */
#ifndef PPTPD_POOL_H
#define PPTPD_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

enum { POOL_MAX_RANGES = 32, POOL_MAX_SIZE = 1 << 22 };

struct pool_range {
	uint64_t first, last; /* both in the pool */
};

struct pool;

/* Makes a pool of the ranges; skip_ends leaves out values whose last octet is 0 or 255. Overlaps count once. Returns NULL when it
 * would hold nothing, more than POOL_MAX_SIZE, or memory ran out: err says which. */
struct pool *pool_new(const struct pool_range *ranges, size_t count, bool skip_ends, char *err, size_t errlen);
void pool_free(struct pool *p);

/* Takes a value: the one that owner (a hash of a user's name; 0: nobody) had last, if it is free, else the one free for the
 * longest time. False when none is left. */
bool pool_take(struct pool *p, uint64_t owner, uint64_t *value);
/* Takes this value, reserved or not. False when it is taken or not of the pool. */
bool pool_take_value(struct pool *p, uint64_t value);
/* Gives a taken value back; others are ignored. */
void pool_give(struct pool *p, uint64_t value);

bool pool_has(const struct pool *p, uint64_t value);
/* Reserves a value from now on; one that is taken stays so. */
void pool_reserve(struct pool *p, uint64_t value);
void pool_unreserve_all(struct pool *p);

struct pool_count {
	size_t size;
	size_t taken;
	size_t reserved; /* and not taken */
	size_t free;
};

struct pool_count pool_count(const struct pool *p);

/* Between values and addresses. */
uint64_t pool_value_v4(const struct addr *a);
struct addr pool_addr_v4(uint64_t value);
uint64_t pool_value_v6(const struct prefix *p);
struct prefix pool_prefix_v6(uint64_t value);

#endif
