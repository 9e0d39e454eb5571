#include "alg/datapath/user_gates.h"

#include <string.h>

#include "tests/unit/suite.h"

Suite *suite_user_gates(void);

static const uint64_t key[2] = {UINT64_C(0x0123456789abcdef), UINT64_C(0xfedcba9876543211)};

static struct addr
ip(const char *text)
{
	struct addr a = {0};

	ck_assert(addr_parse(&a, text));
	return a;
}

static struct user_gate
gate(const char *src, const char *dst, uint16_t id, const char *new_src, const char *new_dst, uint16_t new_id)
{
	return (struct user_gate){.gate = {ip(src), ip(dst), id, ip(new_src), ip(new_dst), new_id}};
}

static uint8_t gre[8];

static struct user_packet
packet(const char *src, const char *dst, uint16_t id)
{
	return (struct user_packet){
	    .src = ip(src), .dst = ip(dst), .call_id = id, .hops = 64, .tos = 0x10, .df = true, .length = 100, .gre = gre, .grelen = 8};
}

START_TEST(rewritten)
{
	struct user_gate one = gate("10.0.0.1", "192.0.2.1", 5, "203.0.113.1", "192.0.2.9", 6);
	struct user_packet p = packet("10.0.0.1", "192.0.2.1", 5);
	struct user_gates g;
	enum datapath_user_drop why;

	ck_assert(user_gates_init(&g, 4, key, NULL));
	user_gates_add(&g, &one);
	ck_assert(user_gates_apply(&g, &p, &why));
	ck_assert(addr_equal(&p.src, &one.gate.new_src) && addr_equal(&p.dst, &one.gate.new_dst));
	ck_assert_uint_eq(p.call_id, 6);
	ck_assert_uint_eq(gre[7], 6);
	ck_assert_uint_eq(p.hops, 63);
	ck_assert_uint_eq(p.tos, 0x10);
	ck_assert_uint_eq(one.pkts, 1);
	ck_assert_uint_eq(one.bytes, 100);
	user_gates_fini(&g);
}
END_TEST

START_TEST(each_part_of_the_key_counts)
{
	struct user_gate one = gate("10.0.0.1", "192.0.2.1", 5, "203.0.113.1", "192.0.2.9", 6);
	struct user_packet others[] = {packet("10.0.0.2", "192.0.2.1", 5), packet("10.0.0.1", "192.0.2.2", 5),
	    packet("10.0.0.1", "192.0.2.1", 6), packet("192.0.2.1", "10.0.0.1", 5), packet("a00:1::", "c000:201::", 5)};
	struct user_gates g;

	ck_assert(user_gates_init(&g, 4, key, NULL));
	user_gates_add(&g, &one);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		struct user_packet was = others[i];
		enum datapath_user_drop why = USER_DROPS;

		ck_assert(!user_gates_apply(&g, &others[i], &why));
		ck_assert_int_eq(why, USER_UNKNOWN);
		ck_assert_mem_eq(&was, &others[i], sizeof(was));
	}
	ck_assert_uint_eq(one.pkts, 0);
	user_gates_fini(&g);
}
END_TEST

START_TEST(hop_limit)
{
	struct user_gate one = gate("2001:db8::1", "2001:db8::2", 5, "2001:db8::3", "2001:db8::4", 6);
	struct user_gates g;

	ck_assert(user_gates_init(&g, 4, key, NULL));
	user_gates_add(&g, &one);
	for (uint8_t hops = 0; hops < 4; hops++) {
		struct user_packet p = packet("2001:db8::1", "2001:db8::2", 5);
		enum datapath_user_drop why = USER_DROPS;
		bool leaves;

		p.hops = hops;
		leaves = user_gates_apply(&g, &p, &why);
		ck_assert_int_eq(leaves, hops > 1);
		ck_assert_int_eq(why, hops > 1 ? USER_DROPS : USER_TTL);
		ck_assert_uint_eq(p.hops, hops > 1 ? hops - 1 : hops);
	}
	ck_assert_uint_eq(one.pkts, 2);
	user_gates_fini(&g);
}
END_TEST

static bool
df_after(struct user_gate one, bool df)
{
	struct user_packet p = {
	    .src = one.gate.src, .dst = one.gate.dst, .call_id = one.gate.call_id, .hops = 9, .df = df, .gre = gre, .grelen = 8};
	struct user_gates g;
	enum datapath_user_drop why;

	ck_assert(user_gates_init(&g, 4, key, NULL));
	user_gates_add(&g, &one);
	ck_assert(user_gates_apply(&g, &p, &why));
	user_gates_fini(&g);
	return p.df;
}

START_TEST(dont_fragment)
{
	struct user_gate same = gate("10.0.0.1", "192.0.2.1", 5, "10.0.0.1", "192.0.2.1", 6);
	struct user_gate source = gate("10.0.0.1", "192.0.2.1", 5, "203.0.113.1", "192.0.2.1", 5);
	struct user_gate destination = gate("192.0.2.1", "203.0.113.1", 5, "192.0.2.1", "10.0.0.1", 5);
	struct user_gate to_ipv4 = gate("2001:db8::1", "64:ff9b::c000:201", 5, "203.0.113.1", "192.0.2.1", 5);

	ck_assert(df_after(same, true));
	ck_assert(!df_after(same, false));
	ck_assert(!df_after(source, true));
	ck_assert(!df_after(destination, true));
	ck_assert(!df_after(to_ipv4, false));
}
END_TEST

START_TEST(own_only_counts)
{
	struct user_gate one = gate("10.0.0.1", "192.0.2.1", 5, "10.0.0.1", "192.0.2.1", 5);
	struct user_packet p = packet("10.0.0.1", "192.0.2.1", 5);
	struct user_gates g;
	enum datapath_user_drop why;

	ck_assert(user_gate_changes_nothing(&one.gate));
	one.own = true;
	ck_assert(user_gates_init(&g, 4, key, NULL));
	user_gates_add(&g, &one);
	p.hops = 1; /* it need not go on */
	ck_assert(!user_gates_apply(&g, &p, &why));
	ck_assert_int_eq(why, USER_OWN);
	ck_assert_uint_eq(p.hops, 1);
	ck_assert_uint_eq(one.pkts, 1);
	ck_assert_uint_eq(one.bytes, 100);
	user_gates_fini(&g);
}
END_TEST

START_TEST(nothing_changes)
{
	struct user_gate same = gate("10.0.0.1", "192.0.2.1", 5, "10.0.0.1", "192.0.2.1", 5);
	struct user_gate id = gate("10.0.0.1", "192.0.2.1", 5, "10.0.0.1", "192.0.2.1", 6);
	struct user_gate src = gate("10.0.0.1", "192.0.2.1", 5, "10.0.0.2", "192.0.2.1", 5);
	struct user_gate dst = gate("10.0.0.1", "192.0.2.1", 5, "10.0.0.1", "192.0.2.2", 5);

	ck_assert(user_gate_changes_nothing(&same.gate));
	ck_assert(!user_gate_changes_nothing(&id.gate));
	ck_assert(!user_gate_changes_nothing(&src.gate));
	ck_assert(!user_gate_changes_nothing(&dst.gate));
}
END_TEST

START_TEST(added_and_removed)
{
	enum { COUNT = 300 };
	static struct user_gate many[COUNT];
	struct addr src = ip("10.0.0.1"), dst = ip("192.0.2.1");
	struct user_gates g;

	ck_assert(user_gates_init(&g, 16, key, NULL)); /* more than expected works, too */
	for (uint16_t i = 0; i < COUNT; i++) {
		many[i] = gate("10.0.0.1", "192.0.2.1", i, "203.0.113.1", "192.0.2.1", 1);
		ck_assert_ptr_null(user_gates_find(&g, &src, &dst, i));
		user_gates_add(&g, &many[i]);
	}
	ck_assert_uint_eq(g.count, COUNT);
	for (uint16_t i = 0; i < COUNT; i++)
		ck_assert_ptr_eq(user_gates_find(&g, &src, &dst, i), &many[i]);
	for (uint16_t i = 0; i < COUNT; i += 2)
		user_gates_del(&g, &many[i]);
	ck_assert_uint_eq(g.count, COUNT / 2);
	for (uint16_t i = 0; i < COUNT; i++)
		ck_assert_ptr_eq(user_gates_find(&g, &src, &dst, i), i % 2 == 0 ? NULL : &many[i]);
	user_gates_fini(&g);
}
END_TEST

START_TEST(no_memory)
{
	struct mem_failing f;
	struct user_gates g;

	mem_failing_init(&f, 1);
	ck_assert(!user_gates_init(&g, 16, key, &f.mem));
	ck_assert_uint_eq(f.held, 0);
}
END_TEST

Suite *
suite_user_gates(void)
{
	Suite *s = suite_create("alg/datapath/user_gates");
	TCase *t = tcase_create("gates");

	tcase_add_test(t, rewritten);
	tcase_add_test(t, each_part_of_the_key_counts);
	tcase_add_test(t, hop_limit);
	tcase_add_test(t, dont_fragment);
	tcase_add_test(t, own_only_counts);
	tcase_add_test(t, nothing_changes);
	tcase_add_test(t, added_and_removed);
	tcase_add_test(t, no_memory);
	suite_add_tcase(s, t);
	return s;
}
