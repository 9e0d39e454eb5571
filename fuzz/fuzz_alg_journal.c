/* A journal of gates as a former process, or anybody, left it. First byte: bit 0: the input is the file; else it is made of what the
 * input says of its head and its slots, with checksums that are right where it wants them so. Whatever is there: what is told of is
 * sound, each id once, and the next process finds what this one leaves. */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "alg/journal.h"
#include "fuzz/fuzz.h"

enum { HEAD = 4096, SLOT = 256, BODY = SLOT - 16, MAX_SLOTS = 16, RECORDS = 4 };

struct slot {
	uint64_t generation, check;
	uint8_t body[BODY];
};

/* As alg/journal.c has it. */
static uint64_t
checksum(const void *data, size_t len, uint64_t start)
{
	const uint8_t *p = data;
	uint64_t h = UINT64_C(0xcbf29ce484222325) ^ start;

	for (size_t i = 0; i < len; i++)
		h = (h ^ p[i]) * UINT64_C(0x100000001b3);
	return h;
}

static void
put_head(uint8_t *file, struct fuzz_input *in)
{
	uint8_t how = fuzz_u8(in);
	uint32_t version = (how & 15) == 15 ? 2 : 1, slot_size = (how >> 4) == 15 ? 128 : SLOT;

	memcpy(file, "pptpalgj", 8);
	memcpy(file + 8, &version, 4);
	memcpy(file + 12, &slot_size, 4);
	for (size_t i = 0; i < 2; i++) {
		uint64_t next = fuzz_u16(in), check = checksum(&next, sizeof(next), 1);

		if (fuzz_u8(in) == 0)
			check++;
		memcpy(file + 16 + 16 * i, &next, 8);
		memcpy(file + 24 + 16 * i, &check, 8);
	}
}

/* A body that is nearly right: addresses have a family. */
static void
put_slot(uint8_t *at, struct fuzz_input *in)
{
	static const size_t families[] = {8, 25, 44, 61, 80, 97, 116, 133, 152, 169};
	uint8_t how = fuzz_u8(in);
	struct slot s = {.generation = fuzz_u8(in)};
	const uint8_t *p;
	size_t n;

	if ((how & 1) != 0)
		s.generation |= UINT64_C(1) << 63;
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
		s.body[families[i]] = (how & 2) != 0 ? 4 : 6;
	s.body[7] = fuzz_u8(in); /* the pair's id */
	if ((how & 4) != 0) {
		p = fuzz_bytes(in, fuzz_u8(in), &n);
		memcpy(s.body, p, n < BODY ? n : BODY);
	}
	s.check = checksum(s.body, BODY, s.generation) + ((how & 0xf0) == 0xf0);
	memcpy(at, &s, sizeof(s));
}

static size_t
make_file(uint8_t *file, struct fuzz_input *in)
{
	size_t slots = 0;

	put_head(file, in);
	while (in->left > 0 && slots < MAX_SLOTS)
		put_slot(file + HEAD + SLOT * slots++, in);
	return HEAD + SLOT * slots;
}

/* --- what is told ------------------------------------------------------------------------------ */

struct told {
	uint64_t ids[MAX_SLOTS + RECORDS + 1];
	size_t count;
	struct journal *journal;
	bool clear;
};

static void
check_addr(const struct addr *a, bool may_be_none)
{
	FUZZ_CHECK(a->family == 4 || a->family == 6 || (may_be_none && a->family == 0));
}

static void
each(void *user, const struct journal_record *r)
{
	struct told *t = user;

	for (size_t i = 0; i < t->count; i++)
		FUZZ_CHECK(t->ids[i] != r->pair.id);
	FUZZ_CHECK(t->count < sizeof(t->ids) / sizeof(t->ids[0]));
	t->ids[t->count++] = r->pair.id;
	FUZZ_CHECK(r->pair.id < journal_next_id(t->journal));
	check_addr(&r->pair.up.src, false);
	check_addr(&r->pair.down.new_dst, false);
	check_addr(&r->owner.client, true);
	if (t->clear)
		journal_clear(t->journal, r->pair.id);
}

static struct told
tell(struct journal *j, bool clear)
{
	struct told t = {.journal = j, .clear = clear};

	journal_each(j, each, &t);
	FUZZ_CHECK(journal_count(j) == (clear ? 0 : t.count));
	return t;
}

static struct journal *
open_again(int fd, bool *discarded)
{
	return journal_open(dup(fd), RECORDS, discarded);
}

static void
use(int fd)
{
	struct journal_record r = {.pair.id = 3, .pair.up = {.src.family = 4, .dst.family = 4, .new_src.family = 4, .new_dst.family = 4}};
	bool discarded;
	struct journal *j = open_again(fd, &discarded);
	struct told was;

	FUZZ_CHECK(j != NULL);
	was = tell(j, false);
	r.pair.down = r.pair.up;
	if (journal_put(j, &r) != 0)
		FUZZ_CHECK(was.count >= RECORDS);
	journal_clear(j, 99);
	was = tell(j, false);
	journal_close(j);
	j = open_again(fd, &discarded);
	FUZZ_CHECK(j != NULL && !discarded && journal_count(j) == was.count);
	FUZZ_CHECK(tell(j, true).count == was.count && tell(j, false).count == 0);
	journal_close(j);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t datalen)
{
	static uint8_t file[HEAD + SLOT * MAX_SLOTS];
	struct fuzz_input in = {data, datalen};
	bool raw = (fuzz_u8(&in) & 1) != 0;
	int fd = memfd_create("journal", MFD_CLOEXEC);
	size_t len;

	FUZZ_CHECK(fd >= 0);
	memset(file, 0, sizeof(file));
	len = raw ? in.left : make_file(file, &in);
	FUZZ_CHECK(write(fd, raw ? in.p : file, len) == (ssize_t)len);
	use(fd);
	close(fd);
	return 0;
}
