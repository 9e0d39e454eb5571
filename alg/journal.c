/* The file: a page with the head, then slots of one record each. All is in this machine's byte order but for the bodies.
 *
 * A process that is killed stops between two stores, so order is all that matters: a slot's body and checksum first, its state last;
 * a record that is replaced goes to another slot, and the old one is freed when the new one is there. */
#include "alg/journal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <fcntl.h>
#include <unistd.h>

#include "alg/saved.h"
#include "base/wire.h"

enum { FORMAT = 1, HEAD_SIZE = 4096, SLOT_SIZE = 256, BODY_SIZE = SLOT_SIZE - 16 };

/* Written in turns: one of the two is whole at any time. */
struct next_id {
	uint64_t value, check;
};

struct head {
	char magic[8];
	uint32_t version, slot_size;
	struct next_id next[2];
};

struct slot {
	uint64_t generation; /* 0: free; of two slots with one id the higher counts */
	uint64_t check;
	uint8_t body[BODY_SIZE];
};

_Static_assert(sizeof(struct slot) == SLOT_SIZE && sizeof(struct head) <= HEAD_SIZE, "layout of the file");

struct place {
	uint64_t id;
	uint32_t slot;
	bool used;
};

struct journal {
	uint8_t *map;
	size_t map_size;
	struct head *head;
	struct slot *slots;
	size_t slots_count;
	size_t max, count;
	uint64_t generation, next_id;
	unsigned next_turn;
	uint32_t *free_slots;
	size_t free_count;
	struct place *index; /* open addressing by id */
	size_t index_mask;
};

/* Of ids and generations: nothing that counts up comes there. */
#define BEYOND (UINT64_C(1) << 63)

static const char magic[8] = {'p', 'p', 't', 'p', 'a', 'l', 'g', 'j'};

/* FNV-1a; against accidents, not against people: root's file. */
static uint64_t
checksum(const void *data, size_t len, uint64_t start)
{
	const uint8_t *p = data;
	uint64_t h = UINT64_C(0xcbf29ce484222325) ^ start;

	for (size_t i = 0; i < len; i++)
		h = (h ^ p[i]) * UINT64_C(0x100000001b3);
	return h;
}

/* --- bodies: what another process wrote is taken apart field by field ---------------- */

static void
put_gate(struct wr *w, const struct gate *g)
{
	wr_addr(w, &g->src);
	wr_addr(w, &g->dst);
	wr_u16(w, g->call_id);
	wr_addr(w, &g->new_src);
	wr_addr(w, &g->new_dst);
	wr_u16(w, g->new_call_id);
}

static bool
take_gate(struct rd *r, struct gate *g)
{
	rd_addr(r, &g->src);
	rd_addr(r, &g->dst);
	g->call_id = rd_u16(r);
	rd_addr(r, &g->new_src);
	rd_addr(r, &g->new_dst);
	g->new_call_id = rd_u16(r);
	return r->ok && g->src.family != 0 && g->dst.family != 0 && g->new_src.family != 0 && g->new_dst.family != 0;
}

static void
encode(const struct journal_record *rec, uint8_t body[BODY_SIZE])
{
	struct wr w = wr_init(body, BODY_SIZE);

	wr_u64(&w, rec->pair.id);
	put_gate(&w, &rec->pair.up);
	put_gate(&w, &rec->pair.down);
	wr_addr(&w, &rec->owner.client);
	wr_addr(&w, &rec->owner.server);
	wr_u64(&w, rec->owner.conn);
	wr_u32(&w, rec->owner.number);
	wr_u16(&w, rec->client_id);
	wr_u16(&w, rec->client_xid);
	wr_u16(&w, rec->server_id);
	wr_u16(&w, rec->server_xid);
	wr_u64(&w, rec->since_wall);
	wr_u8(&w, rec->user);
	wr_zero(&w, (size_t)(w.end - w.p));
}

static bool
decode(const uint8_t body[BODY_SIZE], struct journal_record *rec)
{
	struct rd r = rd_init(body, BODY_SIZE);
	uint8_t user;

	memset(rec, 0, sizeof(*rec));
	rec->pair.id = rd_u64(&r);
	if (!take_gate(&r, &rec->pair.up) || !take_gate(&r, &rec->pair.down))
		return false;
	rd_addr(&r, &rec->owner.client);
	rd_addr(&r, &rec->owner.server);
	rec->owner.conn = rd_u64(&r);
	rec->owner.number = rd_u32(&r);
	rec->client_id = rd_u16(&r);
	rec->client_xid = rd_u16(&r);
	rec->server_id = rd_u16(&r);
	rec->server_xid = rd_u16(&r);
	rec->since_wall = rd_u64(&r);
	user = rd_u8(&r);
	rec->user = user != 0;
	return r.ok && user <= 1 && rec->pair.id < BEYOND;
}

/* --- the index ----------------------------------------------------------------------- */

static size_t
home(const struct journal *j, uint64_t id)
{
	return (size_t)((id * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & j->index_mask;
}

/* The id's place, or the free one where it would go. There is always a free one: the index has twice as many as there are slots. */
static size_t
find(const struct journal *j, uint64_t id)
{
	size_t at = home(j, id);

	while (j->index[at].used && j->index[at].id != id)
		at = (at + 1) & j->index_mask;
	return at;
}

/* Frees a place and moves up those behind it that are not at home, so that no search ends early. */
static void
unindex(struct journal *j, size_t gap)
{
	for (size_t at = (gap + 1) & j->index_mask; j->index[at].used; at = (at + 1) & j->index_mask) {
		size_t away = (at - home(j, j->index[at].id)) & j->index_mask;

		if (away >= ((at - gap) & j->index_mask)) {
			j->index[gap] = j->index[at];
			gap = at;
		}
	}
	j->index[gap].used = false;
}

/* --- slots ------------------------------------------------------------------------------ */

static void
free_slot(struct journal *j, uint32_t slot)
{
	__atomic_store_n(&j->slots[slot].generation, 0, __ATOMIC_RELEASE);
	j->free_slots[j->free_count++] = slot;
}

static uint32_t
fill_slot(struct journal *j, const struct journal_record *rec)
{
	uint32_t slot = j->free_slots[--j->free_count];
	struct slot *s = &j->slots[slot];
	uint64_t generation = ++j->generation;

	encode(rec, s->body);
	s->check = checksum(s->body, BODY_SIZE, generation);
	__atomic_store_n(&s->generation, generation, __ATOMIC_RELEASE);
	return slot;
}

static uint64_t
check_of_next(uint64_t value)
{
	return checksum(&value, sizeof(value), 1);
}

static void
raise_next_id(struct journal *j, uint64_t next_id)
{
	struct next_id *n = &j->head->next[j->next_turn];

	if (next_id <= j->next_id)
		return;
	j->next_id = next_id;
	/* Broken while it changes; the other one is whole. */
	__atomic_store_n(&n->check, ~check_of_next(n->value), __ATOMIC_RELEASE);
	__atomic_store_n(&n->value, next_id, __ATOMIC_RELEASE);
	__atomic_store_n(&n->check, check_of_next(next_id), __ATOMIC_RELEASE);
	j->next_turn ^= 1;
}

int
journal_put(struct journal *j, const struct journal_record *rec)
{
	size_t at = find(j, rec->pair.id);
	struct place *p = &j->index[at];
	bool replaces = p->used;
	uint32_t old = p->slot;

	if ((!replaces && j->count >= j->max) || j->free_count == 0)
		return ENOSPC;
	raise_next_id(j, rec->pair.id + 1);
	*p = (struct place){.id = rec->pair.id, .slot = fill_slot(j, rec), .used = true};
	if (replaces)
		free_slot(j, old);
	else
		j->count++;
	return 0;
}

void
journal_clear(struct journal *j, uint64_t pair_id)
{
	size_t at = find(j, pair_id);

	if (!j->index[at].used)
		return;
	free_slot(j, j->index[at].slot);
	unindex(j, at);
	j->count--;
}

void
journal_each(struct journal *j, void (*fn)(void *user, const struct journal_record *record), void *user)
{
	for (size_t i = 0; i < j->slots_count; i++) {
		struct journal_record rec;

		if (j->slots[i].generation != 0 && decode(j->slots[i].body, &rec))
			fn(user, &rec);
	}
}

size_t
journal_count(const struct journal *j)
{
	return j->count;
}

uint64_t
journal_next_id(const struct journal *j)
{
	return j->next_id;
}

/* --- opening -------------------------------------------------------------------------------- */

static size_t
file_size(size_t slots)
{
	return HEAD_SIZE + slots * SLOT_SIZE;
}

/* Slots of a file that is a journal of this version; 0 if it is none. */
static size_t
slots_of(int fd, off_t size)
{
	struct head h;
	size_t slots;

	if (size < (off_t)file_size(1) || size > (off_t)file_size(JOURNAL_MAX + 1) || (size - HEAD_SIZE) % SLOT_SIZE != 0)
		return 0;
	if (pread(fd, &h, sizeof(h), 0) != sizeof(h) || memcmp(h.magic, magic, sizeof(magic)) != 0)
		return 0;
	slots = (size_t)(size - HEAD_SIZE) / SLOT_SIZE;
	return h.version == FORMAT && h.slot_size == SLOT_SIZE ? slots : 0;
}

/* Makes the file have that many slots, backed by the disk, and the head of a journal. */
static int
lay_out(int fd, size_t slots, bool anew)
{
	struct head h = {.version = FORMAT, .slot_size = SLOT_SIZE};
	int error;

	if (anew && ftruncate(fd, 0) != 0)
		return -1;
	error = posix_fallocate(fd, 0, (off_t)file_size(slots));
	if (error != 0) {
		errno = error;
		return -1;
	}
	memcpy(h.magic, magic, sizeof(magic));
	return !anew || pwrite(fd, &h, sizeof(h), 0) == sizeof(h) ? 0 : -1;
}

static bool
allocate(struct journal *j)
{
	size_t places = 16;

	while (places < j->slots_count * 2)
		places *= 2;
	j->free_slots = malloc(j->slots_count * sizeof(*j->free_slots));
	j->index = calloc(places, sizeof(*j->index));
	j->index_mask = places - 1;
	return j->free_slots != NULL && j->index != NULL;
}

static void
read_next_id(struct journal *j)
{
	j->next_id = 1;
	for (unsigned i = 0; i < 2; i++) {
		const struct next_id *n = &j->head->next[i];

		if (n->check == check_of_next(n->value) && n->value > j->next_id && n->value <= BEYOND) {
			j->next_id = n->value;
			j->next_turn = i ^ 1;
		}
	}
}

/* Takes a slot that says it is used into the index; false when it is to be freed. Of two with one id the younger one stays. */
static bool
index_slot(struct journal *j, uint32_t slot)
{
	const struct slot *s = &j->slots[slot];
	struct journal_record rec;
	struct place *p;

	if (s->check != checksum(s->body, BODY_SIZE, s->generation) || s->generation >= BEYOND || !decode(s->body, &rec))
		return false;
	if (s->generation > j->generation)
		j->generation = s->generation;
	raise_next_id(j, rec.pair.id + 1);
	p = &j->index[find(j, rec.pair.id)];
	if (p->used && j->slots[p->slot].generation > s->generation)
		return false;
	if (p->used)
		free_slot(j, p->slot);
	else
		j->count++;
	*p = (struct place){.id = rec.pair.id, .slot = slot, .used = true};
	return true;
}

/* From the last one, so that the first ones are used first. */
static void
read_slots(struct journal *j)
{
	read_next_id(j);
	for (size_t i = j->slots_count; i-- > 0;) {
		if (j->slots[i].generation == 0 || !index_slot(j, (uint32_t)i))
			free_slot(j, (uint32_t)i);
	}
}

static struct journal *
map_file(int fd, size_t max, size_t slots)
{
	struct journal *j = calloc(1, sizeof(*j));

	if (j == NULL)
		return NULL;
	j->max = max;
	j->slots_count = slots;
	j->map_size = file_size(slots);
	j->map = mmap(NULL, j->map_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (j->map == MAP_FAILED || !allocate(j)) {
		int saved = errno;

		j->map = j->map == MAP_FAILED ? NULL : j->map;
		journal_close(j);
		errno = saved;
		return NULL;
	}
	j->head = (void *)j->map;
	j->slots = (void *)(j->map + HEAD_SIZE);
	read_slots(j);
	return j;
}

/* One slot more than records: what replaces a record goes there first. A file that has more keeps them. */
static struct journal *
open_file(int fd, size_t max, bool *discarded)
{
	struct stat st;
	size_t slots;
	bool anew;

	if (fstat(fd, &st) != 0)
		return NULL;
	if (max == 0 || max > JOURNAL_MAX || !S_ISREG(st.st_mode)) {
		errno = EINVAL;
		return NULL;
	}
	slots = slots_of(fd, st.st_size);
	anew = slots == 0;
	*discarded = anew && st.st_size > 0;
	if (slots <= max)
		slots = max + 1;
	return lay_out(fd, slots, anew) == 0 ? map_file(fd, max, slots) : NULL;
}

struct journal *
journal_open(int fd, size_t max, bool *discarded)
{
	struct journal *j;
	int saved;

	*discarded = false;
	j = open_file(fd, max, discarded);
	saved = errno;
	close(fd);
	errno = saved;
	return j;
}

void
journal_close(struct journal *j)
{
	if (j == NULL)
		return;
	if (j->map != NULL)
		munmap(j->map, j->map_size);
	free(j->free_slots);
	free(j->index);
	free(j);
}
