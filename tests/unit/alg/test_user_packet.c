#include "alg/datapath/user_packet.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/suite.h"

Suite *suite_user_packet(void);

/* 10.0.0.1 to 192.0.2.1, TOS 0x28, DF, TTL 63; GRE of call 0x1234 with sequence number 5 and four bytes of payload. */
static const uint8_t good[] = {0x45, 0x28, 0, 36, 0, 7, 0x40, 0, 63, 47, 0, 0, 10, 0, 0, 1, 192, 0, 2, 1, /**/
    0x30, 0x01, 0x88, 0x0b, 0, 4, 0x12, 0x34, 0, 0, 0, 5, 'a', 'b', 'c', 'd'};

enum { GRE_AT = 20 };

/* In a block of exactly its length, so that a sanitizer sees each byte read behind it. */
static bool
read_exactly(const uint8_t *data, size_t len, struct user_packet *p, enum datapath_user_drop *why)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);
	bool taken;

	memcpy(copy, data, len);
	taken = user_packet_ipv4(p, copy, len, why);
	free(copy);
	return taken;
}

static bool
refused(const uint8_t *data, size_t len, enum datapath_user_drop reason)
{
	enum datapath_user_drop why = USER_DROPS;
	struct user_packet p;

	return !read_exactly(data, len, &p, &why) && why == reason;
}

/* The good packet with one byte changed. */
static bool
refused_with(size_t at, uint8_t value, enum datapath_user_drop reason)
{
	uint8_t data[sizeof(good)];

	memcpy(data, good, sizeof(good));
	data[at] = value;
	return refused(data, sizeof(data), reason);
}

START_TEST(all_fields)
{
	const uint8_t from[] = {10, 0, 0, 1}, to[] = {192, 0, 2, 1};
	struct addr src = addr_v4(from), dst = addr_v4(to);
	enum datapath_user_drop why;
	struct user_packet p;
	uint8_t data[sizeof(good)];

	memcpy(data, good, sizeof(good));
	ck_assert(user_packet_ipv4(&p, data, sizeof(data), &why));
	ck_assert(addr_equal(&p.src, &src) && addr_equal(&p.dst, &dst));
	ck_assert_ptr_eq(p.gre, data + GRE_AT);
	ck_assert_uint_eq(p.grelen, 16);
	ck_assert_uint_eq(p.length, 36);
	ck_assert_uint_eq(p.call_id, 0x1234);
	ck_assert_uint_eq(p.hops, 63);
	ck_assert_uint_eq(p.tos, 0x28);
	ck_assert(p.df);
	data[6] = 0;
	ck_assert(user_packet_ipv4(&p, data, sizeof(data), &why));
	ck_assert(!p.df);
}
END_TEST

START_TEST(options_and_padding)
{
	uint8_t data[sizeof(good) + 4 + 10] = {0};
	enum datapath_user_drop why;
	struct user_packet p;

	memcpy(data, good, GRE_AT);
	data[0] = 0x46;
	data[3] = 40;
	memcpy(data + GRE_AT, "\x94\x04\x00\x00", 4);
	memcpy(data + GRE_AT + 4, good + GRE_AT, 16);
	ck_assert(user_packet_ipv4(&p, data, sizeof(data), &why));
	ck_assert_ptr_eq(p.gre, data + GRE_AT + 4);
	ck_assert_uint_eq(p.grelen, 16);
	ck_assert_uint_eq(p.length, 40);
}
END_TEST

START_TEST(every_truncation)
{
	for (size_t len = 0; len < sizeof(good); len++)
		ck_assert_msg(refused(good, len, USER_SHORT), "%zu bytes", len);
}
END_TEST

/* The lengths agree with each other and with the data, but there is less and less of GRE. */
START_TEST(every_short_gre)
{
	uint8_t data[sizeof(good)];

	memcpy(data, good, sizeof(good));
	for (uint8_t len = GRE_AT; len < sizeof(good); len++) {
		data[3] = len;
		ck_assert_msg(refused(data, len, USER_SHORT), "%u bytes", len);
	}
}
END_TEST

START_TEST(wrong_lengths)
{
	ck_assert(refused_with(0, 0x44, USER_SHORT)); /* header below 20 */
	ck_assert(refused_with(0, 0x4f, USER_SHORT)); /* header beyond the packet */
	ck_assert(refused_with(2, 1, USER_SHORT));    /* longer than what came */
	ck_assert(refused_with(3, 19, USER_SHORT));   /* shorter than its header */
	ck_assert(refused_with(GRE_AT + 5, 5, USER_SHORT));
	ck_assert(refused_with(6, 0x20, USER_SHORT)); /* first and later fragments */
	ck_assert(refused_with(7, 1, USER_SHORT));
}
END_TEST

START_TEST(not_pptp)
{
	ck_assert(refused_with(0, 0x65, USER_NOT_GRE));
	ck_assert(refused_with(9, 6, USER_NOT_GRE));
	ck_assert(refused_with(GRE_AT, 0x10, USER_NOT_GRE)); /* no key */
	ck_assert(refused_with(GRE_AT, 0xb0, USER_NOT_GRE)); /* checksum: fields would lie elsewhere */
	ck_assert(refused_with(GRE_AT, 0x70, USER_NOT_GRE)); /* routing */
	ck_assert(refused_with(GRE_AT + 1, 0, USER_NOT_GRE));
	ck_assert(refused_with(GRE_AT + 1, 2, USER_NOT_GRE));
	ck_assert(refused_with(GRE_AT + 2, 0x08, USER_NOT_GRE));
	ck_assert(refused_with(GRE_AT + 3, 0x00, USER_NOT_GRE));
}
END_TEST

START_TEST(call_id_is_written)
{
	uint8_t data[sizeof(good)];
	enum datapath_user_drop why;
	struct user_packet p;

	memcpy(data, good, sizeof(good));
	ck_assert(user_packet_ipv4(&p, data, sizeof(data), &why));
	user_packet_set_call_id(&p, 0xfedc);
	ck_assert_uint_eq(p.call_id, 0xfedc);
	ck_assert_uint_eq(data[GRE_AT + 6], 0xfe);
	ck_assert_uint_eq(data[GRE_AT + 7], 0xdc);
	data[GRE_AT + 6] = 0x12;
	data[GRE_AT + 7] = 0x34;
	ck_assert_mem_eq(data, good, sizeof(good)); /* and nothing else */
}
END_TEST

Suite *
suite_user_packet(void)
{
	Suite *s = suite_create("alg/datapath/user_packet");
	TCase *t = tcase_create("packet");

	tcase_add_test(t, all_fields);
	tcase_add_test(t, options_and_padding);
	tcase_add_test(t, every_truncation);
	tcase_add_test(t, every_short_gre);
	tcase_add_test(t, wrong_lengths);
	tcase_add_test(t, not_pptp);
	tcase_add_test(t, call_id_is_written);
	suite_add_tcase(s, t);
	return s;
}
