#include "pptpd/pool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/wire.h"

enum { NIL = 0xffffffff };

struct slot {
	uint64_t owner;       /* who had it last; 0: nobody */
	uint32_t next, prev;  /* in the free queue */
	uint32_t owner_chain; /* slots whose owners share a bucket */
	bool taken, reserved, queued;
};

struct pool {
	struct pool_range ranges[POOL_MAX_RANGES]; /* sorted, apart from each other */
	uint32_t start[POOL_MAX_RANGES];           /* slot of each range's first value */
	size_t ranges_count;
	bool skip_ends;
	uint32_t size; /* slots; those left out by skip_ends are never queued */
	uint32_t usable;
	uint32_t taken, free;
	uint32_t head, tail;
	uint32_t *buckets;
	uint32_t mask;
	struct slot slots[];
};

/* ---- values and slots ---- */

static bool
left_out(const struct pool *p, uint64_t value)
{
	return p->skip_ends && ((value & 0xff) == 0 || (value & 0xff) == 0xff);
}

static uint32_t
slot_of(const struct pool *p, uint64_t value)
{
	for (size_t i = 0; i < p->ranges_count; i++) {
		if (value >= p->ranges[i].first && value <= p->ranges[i].last)
			return left_out(p, value) ? NIL : p->start[i] + (uint32_t)(value - p->ranges[i].first);
	}
	return NIL;
}

static uint64_t
value_of(const struct pool *p, uint32_t slot)
{
	size_t i = p->ranges_count - 1;

	while (i > 0 && p->start[i] > slot)
		i--;
	return p->ranges[i].first + (slot - p->start[i]);
}

/* ---- the queue of free slots ---- */

static void
enqueue(struct pool *p, uint32_t i)
{
	struct slot *s = &p->slots[i];

	s->queued = true;
	s->next = NIL;
	s->prev = p->tail;
	if (p->tail != NIL)
		p->slots[p->tail].next = i;
	else
		p->head = i;
	p->tail = i;
	p->free++;
}

static void
dequeue(struct pool *p, uint32_t i)
{
	struct slot *s = &p->slots[i];

	if (!s->queued)
		return;
	if (s->prev != NIL)
		p->slots[s->prev].next = s->next;
	else
		p->head = s->next;
	if (s->next != NIL)
		p->slots[s->next].prev = s->prev;
	else
		p->tail = s->prev;
	s->queued = false;
	p->free--;
}

/* ---- who had what ---- */

static uint32_t *
bucket_of(struct pool *p, uint64_t owner)
{
	return &p->buckets[(owner ^ (owner >> 32)) & p->mask];
}

static void
owner_forget(struct pool *p, uint32_t i)
{
	uint32_t *at;

	if (p->slots[i].owner == 0)
		return;
	at = bucket_of(p, p->slots[i].owner);
	while (*at != NIL && *at != i)
		at = &p->slots[*at].owner_chain;
	if (*at == i)
		*at = p->slots[i].owner_chain;
	p->slots[i].owner = 0;
}

static void
owner_set(struct pool *p, uint32_t i, uint64_t owner)
{
	uint32_t *at;

	owner_forget(p, i);
	if (owner == 0)
		return;
	at = bucket_of(p, owner);
	p->slots[i].owner = owner;
	p->slots[i].owner_chain = *at;
	*at = i;
}

/* A free slot that owner had before; NIL if there is none. */
static uint32_t
owner_find(struct pool *p, uint64_t owner)
{
	for (uint32_t i = *bucket_of(p, owner); i != NIL; i = p->slots[i].owner_chain) {
		if (p->slots[i].owner == owner && p->slots[i].queued)
			return i;
	}
	return NIL;
}

/* ---- making ---- */

static int
range_cmp(const void *a, const void *b)
{
	const struct pool_range *x = a, *y = b;

	return x->first < y->first ? -1 : x->first > y->first;
}

/* Sorts, and joins what overlaps; returns how many remain. */
static size_t
merge_ranges(struct pool_range *r, size_t count)
{
	size_t n = 0;

	qsort(r, count, sizeof(*r), range_cmp);
	for (size_t i = 0; i < count; i++) {
		if (n > 0 && r[i].first <= r[n - 1].last) {
			if (r[i].last > r[n - 1].last)
				r[n - 1].last = r[i].last;
		} else {
			r[n++] = r[i];
		}
	}
	return n;
}

static void
fill(struct pool *p)
{
	memset(p->buckets, 0xff, ((size_t)p->mask + 1) * sizeof(p->buckets[0]));
	p->head = p->tail = NIL;
	for (uint32_t i = 0; i < p->size; i++) {
		if (!left_out(p, value_of(p, i)))
			enqueue(p, i);
	}
	p->usable = p->free;
}

static struct pool *
allocate(uint32_t size)
{
	struct pool *p = calloc(1, sizeof(*p) + size * sizeof(struct slot));
	uint32_t buckets = 16;

	if (p == NULL)
		return NULL;
	while (buckets < size)
		buckets *= 2;
	p->buckets = malloc(buckets * sizeof(p->buckets[0]));
	if (p->buckets == NULL) {
		free(p);
		return NULL;
	}
	p->mask = buckets - 1;
	p->size = size;
	return p;
}

struct pool *
pool_new(const struct pool_range *ranges, size_t count, bool skip_ends, char *err, size_t errlen)
{
	struct pool_range merged[POOL_MAX_RANGES];
	uint64_t size = 0;
	struct pool *p;

	if (count == 0 || count > POOL_MAX_RANGES) {
		snprintf(err, errlen, "a pool has 1 to %d ranges", POOL_MAX_RANGES);
		return NULL;
	}
	memcpy(merged, ranges, count * sizeof(merged[0]));
	count = merge_ranges(merged, count);
	for (size_t i = 0; i < count && size <= POOL_MAX_SIZE; i++)
		size += merged[i].last - merged[i].first < POOL_MAX_SIZE ? merged[i].last - merged[i].first + 1 : POOL_MAX_SIZE + 1;
	p = size <= POOL_MAX_SIZE ? allocate((uint32_t)size) : NULL;
	if (p == NULL) {
		snprintf(err, errlen, size <= POOL_MAX_SIZE ? "out of memory" : "the pool is larger than 4194304");
		return NULL;
	}
	memcpy(p->ranges, merged, count * sizeof(merged[0]));
	p->ranges_count = count;
	for (size_t i = 1; i < count; i++)
		p->start[i] = p->start[i - 1] + (uint32_t)(merged[i - 1].last - merged[i - 1].first + 1);
	p->skip_ends = skip_ends;
	fill(p);
	if (p->usable == 0) {
		snprintf(err, errlen, "the pool is empty: all its addresses end in .0 or .255");
		pool_free(p);
		return NULL;
	}
	return p;
}

void
pool_free(struct pool *p)
{
	if (p == NULL)
		return;
	free(p->buckets);
	free(p);
}

/* ---- taking and giving ---- */

static void
take(struct pool *p, uint32_t i)
{
	dequeue(p, i);
	p->slots[i].taken = true;
	p->taken++;
}

bool
pool_take(struct pool *p, uint64_t owner, uint64_t *value)
{
	uint32_t i = owner != 0 ? owner_find(p, owner) : NIL;

	if (i == NIL)
		i = p->head;
	if (i == NIL)
		return false;
	take(p, i);
	owner_set(p, i, owner);
	*value = value_of(p, i);
	return true;
}

bool
pool_take_value(struct pool *p, uint64_t value)
{
	uint32_t i = slot_of(p, value);

	if (i == NIL || p->slots[i].taken)
		return false;
	take(p, i);
	owner_forget(p, i);
	return true;
}

void
pool_give(struct pool *p, uint64_t value)
{
	uint32_t i = slot_of(p, value);

	if (i == NIL || !p->slots[i].taken)
		return;
	p->slots[i].taken = false;
	p->taken--;
	if (!p->slots[i].reserved)
		enqueue(p, i);
}

bool
pool_has(const struct pool *p, uint64_t value)
{
	return slot_of(p, value) != NIL;
}

void
pool_reserve(struct pool *p, uint64_t value)
{
	uint32_t i = slot_of(p, value);

	if (i == NIL)
		return;
	p->slots[i].reserved = true;
	dequeue(p, i);
}

void
pool_unreserve_all(struct pool *p)
{
	for (uint32_t i = 0; i < p->size; i++) {
		if (p->slots[i].reserved && !p->slots[i].taken)
			enqueue(p, i);
		p->slots[i].reserved = false;
	}
}

struct pool_count
pool_count(const struct pool *p)
{
	return (struct pool_count){p->usable, p->taken, p->usable - p->taken - p->free, p->free};
}

/* ---- addresses ---- */

uint64_t
pool_value_v4(const struct addr *a)
{
	return get_u32(a->bytes);
}

struct addr
pool_addr_v4(uint64_t value)
{
	struct addr a = {.family = 4};

	put_u32(a.bytes, (uint32_t)value);
	return a;
}

uint64_t
pool_value_v6(const struct prefix *p)
{
	return (uint64_t)get_u32(p->addr.bytes) << 32 | get_u32(p->addr.bytes + 4);
}

struct prefix
pool_prefix_v6(uint64_t value)
{
	struct prefix p = {.addr = {.family = 6}, .len = 64};

	put_u32(p.addr.bytes, (uint32_t)(value >> 32));
	put_u32(p.addr.bytes + 4, (uint32_t)value);
	return p;
}
