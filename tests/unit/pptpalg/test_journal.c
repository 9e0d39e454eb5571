/* The journal: a crash is a second journal_open() without journal_close(), or a process that is killed in the middle. */
#include "alg/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/suite.h"

Suite *suite_journal(void);

enum { HEAD = 4096, SLOT = 256, BODY = 16, IDS = 4096 };

static int file = -1;

static void
set_up(void)
{
	char path[] = "/tmp/test-journal-XXXXXX";

	file = mkstemp(path);
	ck_assert_int_ge(file, 0);
	ck_assert_int_eq(unlink(path), 0);
}

static void
tear_down(void)
{
	close(file);
}

static struct journal *
open_again(size_t max, bool want_discarded)
{
	bool discarded = !want_discarded;
	struct journal *j = journal_open(dup(file), max, &discarded);

	ck_assert_ptr_nonnull(j);
	ck_assert_int_eq(discarded, want_discarded);
	return j;
}

static struct addr
ip(const char *text)
{
	struct addr a = {0};

	ck_assert(addr_parse(&a, text));
	return a;
}

/* All fields depend on the id and on what. */
static struct journal_record
record(uint64_t id, uint16_t what)
{
	struct addr c = ip("192.168.1.2"), s = ip("2001:db8::1"), n = ip("203.0.113.5");
	struct journal_record r = {.pair = {.id = id},
	    .owner = {.client = c, .server = s, .conn = id * 3, .number = (uint32_t)id + 7},
	    .client_id = what,
	    .client_xid = (uint16_t)(what + 1),
	    .server_id = (uint16_t)(what + 2),
	    .server_xid = (uint16_t)(what + 3),
	    .since_wall = UINT64_C(0x1122334455667788) + id,
	    .user = id % 2 == 1};

	c.bytes[3] = (uint8_t)id;
	r.pair.up = (struct gate){c, s, (uint16_t)(what + 4), n, s, (uint16_t)(what + 5)};
	r.pair.down = (struct gate){s, n, (uint16_t)(what + 6), s, c, (uint16_t)(what + 7)};
	return r;
}

static void
put(struct journal *j, uint64_t id, uint16_t what)
{
	struct journal_record r = record(id, what);

	ck_assert_int_eq(journal_put(j, &r), 0);
}

static bool
gate_equal(const struct gate *a, const struct gate *b)
{
	return addr_equal(&a->src, &b->src) && addr_equal(&a->dst, &b->dst) && a->call_id == b->call_id &&
	       addr_equal(&a->new_src, &b->new_src) && addr_equal(&a->new_dst, &b->new_dst) && a->new_call_id == b->new_call_id;
}

/* What was found, by id. */
struct found {
	struct journal *clear; /* clears each record as it is found */
	size_t count;
	bool there[IDS];
	uint16_t what[IDS];
};

static void
check_record(void *user, const struct journal_record *r)
{
	struct found *f = user;
	struct journal_record want = record(r->pair.id, r->client_id);

	ck_assert_uint_lt(r->pair.id, IDS);
	ck_assert(!f->there[r->pair.id]);
	f->there[r->pair.id] = true;
	f->what[r->pair.id] = r->client_id;
	f->count++;
	ck_assert(gate_equal(&r->pair.up, &want.pair.up) && gate_equal(&r->pair.down, &want.pair.down));
	ck_assert(addr_equal(&r->owner.client, &want.owner.client) && addr_equal(&r->owner.server, &want.owner.server));
	ck_assert(r->owner.conn == want.owner.conn && r->owner.number == want.owner.number);
	ck_assert(r->client_xid == want.client_xid && r->server_id == want.server_id && r->server_xid == want.server_xid);
	ck_assert(r->since_wall == want.since_wall && r->user == want.user);
	if (f->clear != NULL)
		journal_clear(f->clear, r->pair.id);
}

static struct found
find_all(struct journal *j)
{
	static struct found f;

	memset(&f, 0, sizeof(f));
	journal_each(j, check_record, &f);
	ck_assert_uint_eq(f.count, journal_count(j));
	return f;
}

/* --- records over a crash -------------------------------------------------------- */

START_TEST(what_was_put_is_there_after_a_crash)
{
	struct journal *j = open_again(10, false), *next;
	struct found f;

	ck_assert_uint_eq(journal_next_id(j), 1);
	put(j, 1, 100);
	put(j, 2, 200);
	put(j, 7, 700);
	put(j, 2, 222);
	journal_clear(j, 1);
	journal_clear(j, 1);
	journal_clear(j, 99);
	next = open_again(10, false); /* j is still mapped: nothing was written at an end */
	f = find_all(next);
	ck_assert(f.count == 2 && f.what[2] == 222 && f.what[7] == 700 && !f.there[1]);
	ck_assert_uint_eq(journal_next_id(next), 8);
	journal_clear(next, 7);
	journal_close(next);
	journal_close(j);
	next = open_again(10, false);
	ck_assert_uint_eq(find_all(next).count, 1);
	ck_assert_uint_eq(journal_next_id(next), 8); /* 7 was used, though nothing tells of it any more */
	journal_close(next);
}
END_TEST

START_TEST(records_may_be_cleared_while_they_are_looked_at)
{
	struct journal *j = open_again(100, false);
	static struct found f;

	for (uint64_t id = 1; id <= 100; id++)
		put(j, id, 5);
	f = (struct found){.clear = j};
	journal_each(j, check_record, &f);
	ck_assert_uint_eq(f.count, 100);
	ck_assert_uint_eq(find_all(j).count, 0);
	put(j, 200, 6);
	ck_assert_uint_eq(find_all(j).what[200], 6);
	journal_close(j);
}
END_TEST

START_TEST(full)
{
	struct journal *j = open_again(3, false);
	struct journal_record r = record(9, 9);

	for (uint64_t id = 1; id <= 3; id++)
		put(j, id, 1);
	ck_assert_int_eq(journal_put(j, &r), ENOSPC);
	ck_assert_uint_eq(journal_next_id(j), 4);
	for (uint16_t i = 0; i < 50; i++)
		put(j, 1 + i % 3, i); /* replacing always works */
	journal_clear(j, 2);
	ck_assert_int_eq(journal_put(j, &r), 0);
	ck_assert_int_eq(journal_put(j, &(struct journal_record){.pair.id = 10}), ENOSPC);
	journal_close(j);
	j = open_again(3, false);
	ck_assert(find_all(j).count == 3 && find_all(j).there[9] && !find_all(j).there[2]);
	journal_close(j);
}
END_TEST

START_TEST(the_limit_may_change)
{
	struct journal *j = open_again(10, false);
	struct journal_record r = record(11, 1);

	for (uint64_t id = 1; id <= 10; id++)
		put(j, id, (uint16_t)id);
	journal_close(j);
	j = open_again(4, false); /* they are in the kernel: all are told of */
	ck_assert_uint_eq(find_all(j).count, 10);
	ck_assert_int_eq(journal_put(j, &r), ENOSPC);
	put(j, 10, 1000);
	for (uint64_t id = 1; id <= 7; id++)
		journal_clear(j, id);
	ck_assert_int_eq(journal_put(j, &r), 0);
	ck_assert_int_eq(journal_put(j, &(struct journal_record){.pair.id = 12}), ENOSPC);
	journal_close(j);
	j = open_again(1000, false);
	ck_assert(find_all(j).count == 4 && find_all(j).what[10] == 1000);
	for (uint64_t id = 20; id < 1016; id++)
		put(j, id, 3);
	ck_assert_int_eq(journal_put(j, &(struct journal_record){.pair.id = 2000}), ENOSPC);
	journal_close(j);
	j = open_again(1000, false);
	ck_assert_uint_eq(find_all(j).count, 1000);
	journal_close(j);
}
END_TEST

/* Against a plain table: puts, replacements and clears by chance, and a crash now and then. */
START_TEST(as_a_table_does)
{
	static struct {
		bool there;
		uint16_t what;
	} model[IDS];
	struct journal *j = open_again(300, false);
	size_t count = 0;
	uint32_t seed = 1;

	memset(model, 0, sizeof(model));
	for (unsigned i = 0; i < 30000; i++) {
		uint64_t id = (seed = seed * 1664525 + 1013904223) >> 23; /* 0..511 */
		struct journal_record r = record(id, (uint16_t)i);

		if ((seed >> 8 & 3) == 0) {
			journal_clear(j, id);
			count -= model[id].there;
			model[id].there = false;
		} else if (!model[id].there && count == 300) {
			ck_assert_int_eq(journal_put(j, &r), ENOSPC);
		} else {
			ck_assert_int_eq(journal_put(j, &r), 0);
			count += !model[id].there;
			model[id].there = true;
			model[id].what = (uint16_t)i;
		}
		if (i % 1000 == 999) {
			struct found f;

			journal_close(j);
			j = open_again(300, false);
			f = find_all(j);
			ck_assert_uint_eq(f.count, count);
			for (size_t k = 0; k < IDS; k++)
				ck_assert(f.there[k] == model[k].there && (!f.there[k] || f.what[k] == model[k].what));
		}
	}
	journal_close(j);
}
END_TEST

/* --- killed in the middle ---------------------------------------------------------------- */

/* No macro of libcheck here: it would write to the test program's own file, and be killed in the middle of that. */
static void __attribute__((noreturn)) write_for_ever(int ready, struct journal_record *records)
{
	bool discarded;
	struct journal *j = journal_open(dup(file), 50, &discarded);

	for (uint64_t i = 0; j != NULL; i++) {
		struct journal_record *r = &records[i % 50];

		r->client_id = (uint16_t)(i / 50);
		r->client_xid = (uint16_t)(r->client_id + 1);
		r->server_id = (uint16_t)(r->client_id + 2);
		r->server_xid = (uint16_t)(r->client_id + 3);
		r->pair.up.call_id = (uint16_t)(r->client_id + 4);
		r->pair.up.new_call_id = (uint16_t)(r->client_id + 5);
		r->pair.down.call_id = (uint16_t)(r->client_id + 6);
		r->pair.down.new_call_id = (uint16_t)(r->client_id + 7);
		if (journal_put(j, r) != 0 || (i == 50 && write(ready, "r", 1) != 1))
			break;
	}
	_exit(1);
}

START_TEST(killed_while_it_writes)
{
	for (int round = 0; round < 20; round++) {
		struct journal *j;
		struct journal_record records[50];
		int fds[2], status;
		pid_t pid;
		char c;

		for (uint64_t i = 0; i < 50; i++)
			records[i] = record(i + 1, 0);
		ck_assert_int_eq(pipe(fds), 0);
		ck_assert_int_eq(ftruncate(file, 0), 0);
		pid = fork();
		if (pid == 0)
			write_for_ever(fds[1], records);
		ck_assert_int_eq(read(fds[0], &c, 1), 1);
		usleep((useconds_t)(500 + round * 137)); /* anywhere */
		kill(pid, SIGKILL);
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		ck_assert(WIFSIGNALED(status));
		j = open_again(50, false);
		ck_assert_uint_eq(find_all(j).count, 50); /* replacing never loses the old one */
		ck_assert_uint_eq(journal_next_id(j), 51);
		journal_close(j);
		close(fds[0]);
		close(fds[1]);
	}
}
END_TEST

/* --- broken files --------------------------------------------------------------------------- */

static off_t
size_of_file(void)
{
	struct stat st;

	ck_assert_int_eq(fstat(file, &st), 0);
	return st.st_size;
}

static void
flip(off_t at)
{
	uint8_t byte;

	ck_assert_int_eq(pread(file, &byte, 1, at), 1);
	byte ^= 0x10;
	ck_assert_int_eq(pwrite(file, &byte, 1, at), 1);
}

/* The place in the file of the record with this id: ids are the first 8 bytes of a body. */
static off_t
slot_of(uint64_t id)
{
	for (off_t at = HEAD; at < size_of_file(); at += SLOT) {
		uint8_t bytes[BODY + 8];

		ck_assert_int_eq(pread(file, bytes, sizeof(bytes), at), (ssize_t)sizeof(bytes));
		if (bytes[BODY + 7] == id && (bytes[0] | bytes[1]) != 0)
			return at;
	}
	ck_abort_msg("no slot");
}

START_TEST(a_flipped_bit_costs_one_record)
{
	for (off_t at = 0; at < SLOT; at++) {
		struct journal *j;
		struct found f;

		ck_assert_int_eq(ftruncate(file, 0), 0);
		j = open_again(5, false);
		for (uint64_t id = 1; id <= 5; id++)
			put(j, id, 3);
		journal_close(j);
		flip(slot_of(3) + at);
		j = open_again(5, false);
		f = find_all(j);
		ck_assert_msg(f.count == 4 && !f.there[3], "byte %ld: %zu", (long)at, f.count);
		put(j, 6, 1); /* its slot is free again */
		journal_close(j);
		j = open_again(5, false);
		ck_assert_uint_eq(find_all(j).count, 5);
		journal_close(j);
	}
}
END_TEST

START_TEST(another_version_is_begun_anew)
{
	for (off_t at = 0; at < 16; at++) { /* magic, version, size of slots */
		struct journal *j;

		ck_assert_int_eq(ftruncate(file, 0), 0);
		j = open_again(5, false);
		put(j, 77, 1);
		journal_close(j);
		flip(at);
		j = open_again(5, true);
		ck_assert(find_all(j).count == 0 && journal_next_id(j) == 1);
		put(j, 5, 1);
		journal_close(j);
		j = open_again(5, false);
		ck_assert_uint_eq(find_all(j).count, 1);
		journal_close(j);
	}
}
END_TEST

START_TEST(the_next_id_survives_its_own_breaking)
{
	for (off_t at = 16; at < 48; at++) { /* two values with their checksums */
		struct journal *j;
		uint64_t next;

		ck_assert_int_eq(ftruncate(file, 0), 0);
		j = open_again(5, false);
		for (uint64_t id = 1; id <= 10; id++) {
			put(j, id, 1);
			journal_clear(j, id);
		}
		put(j, 4, 1); /* a lower one changes nothing */
		ck_assert_uint_eq(journal_next_id(j), 11);
		journal_close(j);
		flip(at);
		j = open_again(5, false);
		next = journal_next_id(j);
		ck_assert_msg(next == 11 || next == 10, "%ld: %lu", (long)at, (unsigned long)next);
		put(j, 20, 1);
		put(j, 21, 1);
		journal_close(j);
		j = open_again(5, false);
		ck_assert_uint_eq(journal_next_id(j), 22);
		journal_close(j);
	}
}
END_TEST

START_TEST(files_of_odd_sizes)
{
	static const off_t sizes[] = {1, HEAD - 1, HEAD, HEAD + SLOT - 1, HEAD + 3 * SLOT + 1, 1 << 20};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct journal *j;

		ck_assert_int_eq(ftruncate(file, 0), 0);
		ck_assert_int_eq(ftruncate(file, sizes[i]), 0); /* zeros are no journal */
		j = open_again(8, true);
		ck_assert_int_eq(size_of_file(), HEAD + 9 * SLOT);
		put(j, 1, 1);
		journal_close(j);
		/* Cut in the middle of a slot, and between slots. */
		ck_assert_int_eq(ftruncate(file, HEAD + 5 * SLOT + 7), 0);
		journal_close(open_again(8, true));
		ck_assert_int_eq(ftruncate(file, HEAD + 5 * SLOT), 0);
		j = open_again(8, false);
		ck_assert_int_eq(size_of_file(), HEAD + 9 * SLOT);
		for (uint64_t id = 1; id <= 8; id++)
			put(j, id, 1); /* no page of it is missing */
		journal_close(j);
	}
	/* Bigger than any may be. */
	ck_assert_int_eq(ftruncate(file, HEAD + (off_t)(JOURNAL_MAX + 2) * SLOT), 0);
	journal_close(open_again(8, true));
	ck_assert_int_eq(size_of_file(), HEAD + 9 * SLOT);
}
END_TEST

/* Every slot used, which no process leaves. */
START_TEST(a_file_without_a_free_slot)
{
	uint8_t slots[5][SLOT];
	struct journal *j = open_again(5, false);
	struct journal_record r = record(1, 2);

	for (uint64_t id = 1; id <= 5; id++)
		put(j, id, 1);
	journal_close(j);
	for (off_t i = 0; i < 5; i++)
		ck_assert_int_eq(pread(file, slots[i], SLOT, slot_of((uint64_t)i + 1)), SLOT);
	for (off_t i = 0; i < 5; i++)
		ck_assert_int_eq(pwrite(file, slots[i], SLOT, HEAD + i * SLOT), SLOT);
	ck_assert_int_eq(ftruncate(file, HEAD + 5 * SLOT), 0);
	j = open_again(4, false);
	ck_assert_uint_eq(find_all(j).count, 5);
	ck_assert_int_eq(journal_put(j, &r), ENOSPC);
	journal_clear(j, 5);
	ck_assert_int_eq(journal_put(j, &r), 0);
	/* Both of a pair, as between the two steps of replacing: the younger one counts. */
	memset(slots, 0, sizeof(slots));
	ck_assert_int_eq(pread(file, slots[0], SLOT, slot_of(2)), SLOT);
	put(j, 2, 22);
	for (off_t at = HEAD;; at += SLOT) {
		ck_assert_int_eq(pread(file, slots[1], 8, at), 8);
		if (memcmp(slots[1], slots[2], 8) == 0) { /* a free one */
			ck_assert_int_eq(pwrite(file, slots[0], SLOT, at), SLOT);
			break;
		}
	}
	journal_close(j);
	j = open_again(4, false);
	ck_assert(find_all(j).count == 4 && find_all(j).what[2] == 22);
	journal_close(j);
}
END_TEST

START_TEST(what_is_no_file)
{
	bool discarded;
	int pipes[2], fd;

	ck_assert_int_eq(pipe(pipes), 0);
	ck_assert_ptr_null(journal_open(pipes[0], 5, &discarded));
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_int_eq(close(pipes[0]), -1); /* it was taken over */
	close(pipes[1]);
	ck_assert_ptr_null(journal_open(-1, 5, &discarded));
	ck_assert_int_eq(errno, EBADF);
	ck_assert_ptr_null(journal_open(dup(file), 0, &discarded));
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_ptr_null(journal_open(dup(file), JOURNAL_MAX + 1, &discarded));
	ck_assert_int_eq(errno, EINVAL);
	fd = open("/proc/self/exe", O_RDONLY);
	ck_assert_ptr_null(journal_open(fd, 5, &discarded)); /* can't be written */
	ck_assert_int_ne(errno, 0);
	journal_close(NULL);
}
END_TEST

Suite *
suite_journal(void)
{
	Suite *s = suite_create("journal");
	TCase *t = tcase_create("journal");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, what_was_put_is_there_after_a_crash);
	tcase_add_test(t, records_may_be_cleared_while_they_are_looked_at);
	tcase_add_test(t, full);
	tcase_add_test(t, the_limit_may_change);
	tcase_add_test(t, as_a_table_does);
	tcase_add_test(t, killed_while_it_writes);
	tcase_add_test(t, a_flipped_bit_costs_one_record);
	tcase_add_test(t, another_version_is_begun_anew);
	tcase_add_test(t, the_next_id_survives_its_own_breaking);
	tcase_add_test(t, files_of_odd_sizes);
	tcase_add_test(t, a_file_without_a_free_slot);
	tcase_add_test(t, what_is_no_file);
	suite_add_tcase(s, t);
	return s;
}
