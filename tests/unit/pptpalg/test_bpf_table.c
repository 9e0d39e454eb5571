/* The eBPF program's table as the process writes it. The program's half is played here as gates.bpf.c has it: from a gate's home as far as
 * this says, and the state before and behind all that is read. */
#include "alg/datapath/bpf_table.h"

#include <endian.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/suite.h"

Suite *suite_bpf_table(void);

enum { SMALL = 16, NOW = 5 };

static struct bpf_table table;

/* The tests' argument: 0 for IPv4, 1 for IPv6. */
static void
open_table(uint32_t slots, int ipv6)
{
	table = (struct bpf_table){.mask = slots - 1, .ipv6 = ipv6 != 0};
	memset(&table.seed, 0x9d, sizeof(table.seed));
	table.seed.address[0] = 0x123456789abcdef1;
	table.seed.address[3] = 0xfedcba9876543213;
	table.slots = aligned_alloc(64, bpf_table_size(slots, table.ipv6));
	ck_assert_ptr_nonnull(table.slots);
	memset(table.slots, 0, bpf_table_size(slots, table.ipv6));
}

static void
close_table(void)
{
	free(table.slots);
	table.slots = NULL;
}

static struct addr
address(uint8_t last)
{
	struct addr a = {.family = table.ipv6 ? 6 : 4, .bytes = {10, 1, 2, last}};

	if (table.ipv6)
		a.bytes[15] = last;
	return a;
}

/* The n-th gate of many between the same ends. */
static struct gate
nth(unsigned n)
{
	return (struct gate){.src = address(1),
	    .dst = address(2),
	    .call_id = (uint16_t)n,
	    .new_src = address(3),
	    .new_dst = address(4),
	    .new_call_id = (uint16_t)~n};
}

static struct gates_head *
head_at(uint32_t at)
{
	size_t size = bpf_table_size(1, table.ipv6);

	return (void *)((char *)table.slots + (at & table.mask) * size);
}

static __be32 *
addresses_at(uint32_t at)
{
	return table.ipv6 ? ((struct gates_slot6 *)(void *)head_at(at))->src : &((struct gates_slot4 *)(void *)head_at(at))->src;
}

static uint32_t
home_of(const struct gate *gate)
{
	unsigned words = table.ipv6 ? 4 : 1;
	__be32 src[4], dst[4];

	memcpy(src, gate->src.bytes, sizeof(src));
	memcpy(dst, gate->dst.bytes, sizeof(dst));
	return gates_hash(&table.seed, src, dst, words, htobe16(gate->call_id)) & table.mask;
}

/* The slot that the program would use for packets of the gate, or NULL. */
static struct gates_head *
program_finds(const struct gate *gate)
{
	uint32_t home = home_of(gate), far = (head_at(home)->state & GATES_FAR) >> GATES_FAR_SHIFT;
	size_t words = table.ipv6 ? 4 : 1;

	for (uint32_t i = 0; i <= far; i++) {
		struct gates_head *head = head_at(home + i);

		if ((head->state & GATES_LIVE) != 0 && head->call_id == htobe16(gate->call_id) &&
		    memcmp(addresses_at(home + i), gate->src.bytes, 4 * words) == 0 &&
		    memcmp(addresses_at(home + i) + words, gate->dst.bytes, 4 * words) == 0)
			return head;
	}
	return NULL;
}

START_TEST(test_gate_is_put_found_and_taken)
{
	struct gate gate = nth(7);
	struct gates_head *head;
	uint64_t pkts = 100, bytes = 1000;

	open_table(SMALL, _i);
	ck_assert(!bpf_table_read(&table, &gate, &pkts, &bytes));
	ck_assert(bpf_table_put(&table, &gate, (uint64_t)NOW << 32));
	head = program_finds(&gate);
	ck_assert_ptr_nonnull(head);
	ck_assert_uint_eq(head->new_call_id, htobe16(gate.new_call_id));
	ck_assert_int_eq(memcmp(addresses_at(home_of(&gate)) + (_i ? 8 : 2), gate.new_src.bytes, _i ? 16 : 4), 0);
	ck_assert_int_eq(memcmp(addresses_at(home_of(&gate)) + (_i ? 12 : 3), gate.new_dst.bytes, _i ? 16 : 4), 0);
	ck_assert_uint_eq(head->turn, NOW + GATES_TURN_LIFE);
	ck_assert_uint_eq(head->until, 0);
	head->pkts = 3;
	head->bytes = 300;
	ck_assert(bpf_table_read(&table, &gate, &pkts, &bytes));
	ck_assert_uint_eq(pkts, 103);
	ck_assert_uint_eq(bytes, 1300);
	ck_assert(bpf_table_take(&table, &gate, &pkts, &bytes));
	ck_assert_uint_eq(pkts, 106);
	ck_assert_uint_eq(bytes, 1600);
	ck_assert_ptr_null(program_finds(&gate));
	ck_assert(!bpf_table_take(&table, &gate, &pkts, &bytes));
	ck_assert_uint_eq(pkts, 106);
	close_table();
}
END_TEST

START_TEST(test_what_is_there_keeps_its_counters)
{
	struct gate gate = nth(7), other = gate;
	struct gates_head *head;
	uint32_t state;

	open_table(SMALL, _i);
	ck_assert(bpf_table_put(&table, &gate, 0));
	head = program_finds(&gate);
	head->pkts = 3;
	state = head->state;
	ck_assert(bpf_table_put(&table, &gate, 0));
	ck_assert_uint_eq(head->pkts, 3);
	ck_assert_uint_eq(head->state, state);
	other.new_call_id++;
	ck_assert(bpf_table_put(&table, &other, 0));
	head = program_finds(&gate);
	ck_assert_ptr_nonnull(head);
	ck_assert_uint_eq(head->new_call_id, htobe16(other.new_call_id));
	ck_assert_uint_eq(head->pkts, 0);
	ck_assert_uint_ne(head->state, state);
	close_table();
}
END_TEST

/* Four times as many gates as there are slots. */
START_TEST(test_full_table_finds_all_that_it_took)
{
	bool put[4 * SMALL];
	unsigned taken = 0;
	uint64_t pkts = 0, bytes = 0;

	open_table(SMALL, _i);
	for (unsigned n = 0; n < 4 * SMALL; n++) {
		struct gate gate = nth(n);

		put[n] = bpf_table_put(&table, &gate, 0);
		taken += put[n];
	}
	ck_assert_uint_ge(taken, GATES_REACH);
	ck_assert_uint_le(taken, SMALL);
	for (unsigned step = 0; step < 4 * SMALL; step++) {
		struct gate gone = nth(step);

		for (unsigned n = 0; n < 4 * SMALL; n++) {
			struct gate gate = nth(n);

			ck_assert_int_eq(program_finds(&gate) != NULL, put[n] && n >= step);
		}
		ck_assert_int_eq(bpf_table_take(&table, &gone, &pkts, &bytes), put[step]);
	}
	for (uint32_t at = 0; at < SMALL; at++)
		ck_assert_uint_eq(head_at(at)->state & (GATES_LIVE | GATES_FAR), 0);
	close_table();
}
END_TEST

START_TEST(test_slot_whose_hop_is_being_written_is_left_alone)
{
	struct gate gate = nth(7);
	uint64_t pkts = 0, bytes = 0;
	struct gates_head *home;

	open_table(SMALL, _i);
	home = head_at(home_of(&gate));
	home->until = 1001;
	ck_assert(bpf_table_put(&table, &gate, 0));
	ck_assert_uint_eq(home->until, 1001);
	ck_assert_ptr_nonnull(program_finds(&gate));
	ck_assert_ptr_ne(program_finds(&gate), home);
	ck_assert(bpf_table_take(&table, &gate, &pkts, &bytes));
	home->until = 1002;
	ck_assert(bpf_table_put(&table, &gate, 0));
	ck_assert_ptr_eq(program_finds(&gate), home);
	ck_assert_uint_eq(home->until, 0);
	close_table();
}
END_TEST

START_TEST(test_nearly_all_find_a_place)
{
	enum { GATES = 20000 };
	unsigned missed = 0;

	open_table(bpf_table_slots(GATES), _i);
	for (unsigned n = 0; n < GATES; n++) {
		struct gate gate = nth(n);

		missed += !bpf_table_put(&table, &gate, 0);
	}
	ck_assert_uint_le(missed, GATES / 100);
	close_table();
}
END_TEST

START_TEST(test_size)
{
	ck_assert_uint_eq(bpf_table_slots(0), SMALL);
	ck_assert_uint_eq(bpf_table_slots(8), SMALL);
	ck_assert_uint_eq(bpf_table_slots(9), 2 * SMALL);
	ck_assert_uint_eq(bpf_table_slots(20000), 65536);
	ck_assert_uint_eq(bpf_table_slots(UINT64_C(2) * UINT32_MAX), 1 << 20);
	ck_assert_uint_eq(bpf_table_size(SMALL, false), 1024);
	ck_assert_uint_eq(bpf_table_size(SMALL, true), 2048);
}
END_TEST

/* A gate of these has the same value in all that a packet becomes. */
static struct gate
plain_gate(unsigned n)
{
	struct gate gate = nth(n);

	gate.new_call_id = (uint16_t)(n * 0x0101);
	memset(gate.new_src.bytes, (int)n, table.ipv6 ? 16 : 4);
	gate.new_dst = gate.new_src;
	return gate;
}

static bool stop;

static bool
is_whole(const struct gates_head *copy, const __be32 *addresses)
{
	size_t words = table.ipv6 ? 4 : 1;
	__be32 same;

	memset(&same, be16toh(copy->call_id), sizeof(same));
	if (copy->new_call_id != (__be16)same)
		return false;
	for (size_t i = 2 * words; i < 4 * words; i++)
		if (addresses[i] != same)
			return false;
	return true;
}

/* Reads slots as the program does. Returns how many were live and not whole. */
static void *
read_slots(void *seen_any)
{
	uintptr_t broken = 0;
	struct gates_slot6 copy;

	for (uint32_t at = 0; !__atomic_load_n(&stop, __ATOMIC_RELAXED); at++) {
		struct gates_head *head = head_at(at);
		uint32_t state = __atomic_fetch_add(&head->state, 0, __ATOMIC_SEQ_CST);

		for (size_t i = 0; i < bpf_table_size(1, table.ipv6) / sizeof(uint32_t); i++)
			((uint32_t *)(void *)&copy)[i] = __atomic_load_n(&((uint32_t *)(void *)head)[i], __ATOMIC_RELAXED);
		__atomic_fetch_add(&head->pkts, 1, __ATOMIC_SEQ_CST);
		if ((state & GATES_LIVE) == 0 || __atomic_load_n(&head->state, __ATOMIC_RELAXED) != state)
			continue;
		__atomic_store_n((bool *)seen_any, true, __ATOMIC_RELAXED);
		broken += !is_whole(&copy.head, table.ipv6 ? copy.src : &((struct gates_slot4 *)(void *)&copy)->src);
	}
	return (void *)broken;
}

/* One CPU forwards while gates come and go in the same few slots. */
START_TEST(test_reader_never_sees_half_a_gate)
{
	bool seen_any = false;
	uint64_t pkts = 0, bytes = 0;
	pthread_t reader;
	void *broken;

	open_table(SMALL, _i);
	stop = false;
	ck_assert_int_eq(pthread_create(&reader, NULL, read_slots, &seen_any), 0);
	for (unsigned n = 0; n < 100000 || !__atomic_load_n(&seen_any, __ATOMIC_RELAXED); n++) {
		struct gate gate = plain_gate(1 + n % 200), old = plain_gate(1 + (n + 195) % 200);

		bpf_table_put(&table, &gate, 0);
		bpf_table_take(&table, &old, &pkts, &bytes);
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	ck_assert_int_eq(pthread_join(reader, &broken), 0);
	ck_assert_ptr_null(broken);
	close_table();
}
END_TEST

Suite *
suite_bpf_table(void)
{
	Suite *s = suite_create("bpf_table");
	TCase *tc = tcase_create("bpf_table");

	tcase_add_loop_test(tc, test_gate_is_put_found_and_taken, 0, 2);
	tcase_add_loop_test(tc, test_what_is_there_keeps_its_counters, 0, 2);
	tcase_add_loop_test(tc, test_full_table_finds_all_that_it_took, 0, 2);
	tcase_add_loop_test(tc, test_slot_whose_hop_is_being_written_is_left_alone, 0, 2);
	tcase_add_loop_test(tc, test_nearly_all_find_a_place, 0, 2);
	tcase_add_test(tc, test_size);
	tcase_add_loop_test(tc, test_reader_never_sees_half_a_gate, 0, 2);
	suite_add_tcase(s, tc);
	return s;
}
