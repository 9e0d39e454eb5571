#include "tunnel/fib.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_SLOTS = 64, LENGTHS_V4 = 33, LENGTHS_V6 = 129 };

/* A table with open addressing, at most half full; a removed entry leaves none behind, as its successors move up. */
struct entry {
	bool used;
	uint8_t len;
	uint16_t call_id;
	uint32_t if_id;
	struct addr addr;
};

/* Prefix lengths of one family that occur, longest first. */
struct lengths {
	uint8_t list[LENGTHS_V6];
	size_t count;
	uint32_t used[LENGTHS_V6];
};

struct fib {
	struct entry *slots;
	size_t size; /* a power of two */
	size_t count;
	struct lengths v4, v6;
};

static uint64_t
mix(uint64_t h)
{
	h ^= h >> 31;
	h *= UINT64_C(0x9e3779b97f4a7c15);
	h ^= h >> 29;
	return h;
}

static size_t
hash(uint32_t if_id, const struct addr *a, uint8_t len)
{
	uint64_t words[2];

	memcpy(words, a->bytes, 16);
	return (size_t)mix(mix(words[0] ^ ((uint64_t)len << 40) ^ a->family) ^ words[1] ^ ((uint64_t)if_id << 32));
}

static bool
matches(const struct entry *e, uint32_t if_id, const struct addr *a, uint8_t len)
{
	return e->len == len && e->if_id == if_id && addr_equal(&e->addr, a);
}

/* The entry, or the free place where it would be. */
static struct entry *
probe(const struct fib *f, uint32_t if_id, const struct addr *a, uint8_t len)
{
	size_t i = hash(if_id, a, len) & (f->size - 1);

	while (f->slots[i].used && !matches(&f->slots[i], if_id, a, len))
		i = (i + 1) & (f->size - 1);
	return &f->slots[i];
}

static struct lengths *
lengths_of(struct fib *f, uint8_t family)
{
	return family == 4 ? &f->v4 : &f->v6;
}

static void
list_lengths(struct lengths *l)
{
	l->count = 0;
	for (int len = LENGTHS_V6 - 1; len >= 0; len--)
		if (l->used[len] > 0)
			l->list[l->count++] = (uint8_t)len;
}

static void
count_length(struct fib *f, const struct entry *e, int step)
{
	struct lengths *l = lengths_of(f, e->addr.family);

	l->used[e->len] += (uint32_t)step;
	if (l->used[e->len] <= 1)
		list_lengths(l);
	f->count += (size_t)step;
}

struct fib *
fib_new(void)
{
	struct fib *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return NULL;
	f->size = FIRST_SLOTS;
	f->slots = calloc(f->size, sizeof(*f->slots));
	if (f->slots != NULL)
		return f;
	free(f);
	return NULL;
}

void
fib_free(struct fib *f)
{
	if (f == NULL)
		return;
	free(f->slots);
	free(f);
}

static bool
grow(struct fib *f)
{
	struct fib bigger = {.size = f->size * 2, .slots = calloc(f->size * 2, sizeof(*f->slots))};

	if (bigger.slots == NULL)
		return false;
	for (size_t i = 0; i < f->size; i++) {
		const struct entry *e = &f->slots[i];

		if (e->used)
			*probe(&bigger, e->if_id, &e->addr, e->len) = *e;
	}
	free(f->slots);
	f->slots = bigger.slots;
	f->size = bigger.size;
	return true;
}

static bool
is_prefix(const struct prefix *p)
{
	return (p->addr.family == 4 && p->len < LENGTHS_V4) || (p->addr.family == 6 && p->len < LENGTHS_V6);
}

bool
fib_set(struct fib *f, uint32_t if_id, const struct prefix *dst, uint16_t call_id)
{
	struct addr a = dst->addr;
	struct entry *e;

	if (!is_prefix(dst) || (f->count * 2 >= f->size && !grow(f)))
		return false;
	addr_mask(&a, dst->len);
	e = probe(f, if_id, &a, dst->len);
	if (e->used) {
		e->call_id = call_id;
		return true;
	}
	*e = (struct entry){.used = true, .len = dst->len, .call_id = call_id, .if_id = if_id, .addr = a};
	count_length(f, e, 1);
	return true;
}

/* Moves up the entries behind the hole that could not be found across it. */
static void
remove_entry(struct fib *f, struct entry *e)
{
	size_t hole = (size_t)(e - f->slots), mask = f->size - 1;

	count_length(f, e, -1);
	for (size_t i = (hole + 1) & mask; f->slots[i].used; i = (i + 1) & mask) {
		size_t home = hash(f->slots[i].if_id, &f->slots[i].addr, f->slots[i].len) & mask;

		if (((i - home) & mask) < ((i - hole) & mask))
			continue;
		f->slots[hole] = f->slots[i];
		hole = i;
	}
	f->slots[hole].used = false;
}

bool
fib_remove(struct fib *f, uint32_t if_id, const struct prefix *dst, uint16_t call_id)
{
	struct addr a = dst->addr;
	struct entry *e;

	if (!is_prefix(dst))
		return false;
	addr_mask(&a, dst->len);
	e = probe(f, if_id, &a, dst->len);
	if (!e->used || e->call_id != call_id)
		return false;
	remove_entry(f, e);
	return true;
}

void
fib_remove_if(struct fib *f, uint32_t if_id)
{
	size_t i = 0;

	/* A removal may move another entry into this place, which is then looked at again. */
	while (i < f->size) {
		if (f->slots[i].used && f->slots[i].if_id == if_id)
			remove_entry(f, &f->slots[i]);
		else
			i++;
	}
}

int
fib_lookup(const struct fib *f, uint32_t if_id, const struct addr *dst)
{
	const struct lengths *l = dst->family == 4 ? &f->v4 : &f->v6;

	for (size_t i = 0; i < l->count; i++) {
		struct addr a = *dst;
		const struct entry *e;

		addr_mask(&a, l->list[i]);
		e = probe(f, if_id, &a, l->list[i]);
		if (e->used)
			return e->call_id;
	}
	return -1;
}

size_t
fib_count(const struct fib *f)
{
	return f->count;
}
