/* What happens to packets that do not fit: tunnel/icmp.c and tunnel/frag.c. */
#include <string.h>

#include "base/wire.h"
#include "tests/unit/suite.h"
#include "tests/unit/tunnel/packets.h"
#include "tunnel/frag.h"
#include "tunnel/icmp.h"

Suite *suite_fit(void);

static uint8_t data[4000];

static struct ip_info
parse(const uint8_t *packet, size_t len)
{
	struct ip_info ip;

	ck_assert(ip_parse(&ip, packet, len));
	return ip;
}

START_TEST(says_too_big_in_ipv4)
{
	struct packet_spec s = packet_default(4, 17);
	struct addr from = addr_v4((const uint8_t[]){10, 0, 0, 99});
	uint8_t packet[2000], error[ICMP_ERROR_MAX];
	size_t len;
	struct ip_info ip;

	s.payload = data;
	s.payloadlen = 1500;
	ip = parse(packet, packet_make(packet, &s));
	len = icmp_too_big(error, &ip, packet, 1396, &from);
	ck_assert_uint_eq(len, 576);
	ck_assert(packet_right(error, len));
	ck_assert_uint_eq(error[9], 1);
	ck_assert_mem_eq(error + 12, from.bytes, 4);
	ck_assert_mem_eq(error + 16, packet + 12, 4);
	ck_assert_mem_eq(error + 20, ((const uint8_t[]){3, 4}), 2);
	ck_assert_uint_eq(get_u16(error + 26), 1396);
	ck_assert_mem_eq(error + 28, packet, len - 28);
}
END_TEST

START_TEST(says_too_big_in_ipv6)
{
	struct packet_spec s = packet_default(6, 6);
	struct addr from;
	uint8_t packet[2000], error[ICMP_ERROR_MAX];
	size_t len;
	struct ip_info ip;

	ck_assert(addr_parse(&from, "fe80::2"));
	s.payload = data;
	s.payloadlen = 1500;
	ip = parse(packet, packet_make(packet, &s));
	len = icmp_too_big(error, &ip, packet, 1396, &from);
	ck_assert_uint_eq(len, 1280);
	ck_assert(packet_right(error, len));
	ck_assert_uint_eq(error[40], 2);
	ck_assert_uint_eq(get_u32(error + 44), 1396);
	ck_assert_mem_eq(error + 8, from.bytes, 16);
	ck_assert_mem_eq(error + 24, packet + 8, 16);
	ck_assert_mem_eq(error + 48, packet, len - 48);
}
END_TEST

START_TEST(errors_about_errors_are_not_sent)
{
	struct packet_spec s = packet_default(4, 1);
	struct addr from = addr_v4((const uint8_t[]){10, 0, 0, 99});
	uint8_t packet[2000], error[ICMP_ERROR_MAX];
	struct ip_info ip;

	s.payload = (const uint8_t[]){3, 4, 0, 0, 0, 0, 0, 0};
	s.payloadlen = 8;
	ip = parse(packet, packet_make(packet, &s));
	ck_assert_uint_eq(icmp_too_big(error, &ip, packet, 100, &from), 0);
	packet[20] = 8; /* an echo is no error */
	ck_assert_uint_gt(icmp_too_big(error, &ip, packet, 100, &from), 0);
	packet[16] = 224; /* to a group */
	ck_assert_uint_eq(icmp_too_big(error, &ip, packet, 100, &from), 0);
	s.fragment = 9;
	ip = parse(packet, packet_make(packet, &s));
	ck_assert_uint_eq(icmp_too_big(error, &ip, packet, 100, &from), 0);
	ck_assert(addr_parse(&from, "::1"));
	s.fragment = 0;
	ip = parse(packet, packet_make(packet, &s));
	ck_assert_uint_eq(icmp_too_big(error, &ip, packet, 100, &from), 0);
}
END_TEST

START_TEST(fragments_make_the_whole_again)
{
	struct packet_spec s = packet_default(4, 17);
	uint8_t packet[4100], piece[2000], whole[4100];
	struct fragmenter f;
	struct ip_info ip;
	size_t len, n, got = 0;

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7);
	s.fragment = 0;
	s.id = 77;
	s.payload = data;
	s.payloadlen = 3333;
	len = packet_make(packet, &s);
	ip = parse(packet, len);
	ck_assert(frag_init(&f, &ip, packet, 1399));
	while ((n = frag_next(&f, piece, sizeof(piece))) > 0) {
		struct ip_info part = parse(piece, n);

		ck_assert_uint_le(n, 1399);
		ck_assert(part.fragment);
		ck_assert_uint_eq(plain_sum(0, piece, 20), 0xffff);
		ck_assert_uint_eq(get_u16(piece + 4), 77);
		ck_assert_uint_eq((size_t)(get_u16(piece + 6) & 0x1fff) * 8, got);
		memcpy(whole + got, piece + 20, n - 20);
		got += n - 20;
		ck_assert_int_eq((get_u16(piece + 6) & 0x2000) != 0, got < len - 20);
	}
	ck_assert_uint_eq(got, len - 20);
	ck_assert_mem_eq(whole, packet + 20, got);
}
END_TEST

/* A fragment that is cut again keeps its place and its more-fragments bit. */
START_TEST(a_fragment_can_be_cut_again)
{
	struct packet_spec s = packet_default(4, 99);
	uint8_t packet[2000], piece[2000];
	struct fragmenter f;
	struct ip_info ip;

	s.fragment = 0x2000 | 10;
	s.payload = data;
	s.payloadlen = 160;
	ip = parse(packet, packet_make(packet, &s));
	ck_assert(frag_init(&f, &ip, packet, 116));
	ck_assert_uint_eq(frag_next(&f, piece, sizeof(piece)), 116);
	ck_assert_uint_eq(get_u16(piece + 6), 0x2000 | 10);
	ck_assert_uint_eq(frag_next(&f, piece, sizeof(piece)), 84);
	ck_assert_uint_eq(get_u16(piece + 6), 0x2000 | 22);
	ck_assert_uint_eq(frag_next(&f, piece, sizeof(piece)), 0);
}
END_TEST

START_TEST(options_not_copied_are_blanked)
{
	uint8_t packet[256] = {0x47, 0, 0, 128, 0, 1, 0, 0, 64, 99, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 7, 3, 4, 1, 0x94, 4, 0, 0};
	uint8_t piece[256];
	struct ip_info ip = parse(packet, 128);
	struct fragmenter f;

	ck_assert(frag_init(&f, &ip, packet, 92));
	ck_assert_uint_eq(frag_next(&f, piece, sizeof(piece)), 92);
	ck_assert_mem_eq(piece + 20, packet + 20, 8);
	ck_assert_uint_eq(frag_next(&f, piece, sizeof(piece)), 64);
	ck_assert_mem_eq(piece + 20, ((const uint8_t[]){1, 1, 1, 1, 0x94, 4, 0, 0}), 8);
}
END_TEST

START_TEST(what_may_not_be_cut)
{
	struct packet_spec s = packet_default(4, 17);
	uint8_t packet[2000];
	struct fragmenter f;
	struct ip_info ip = parse(packet, packet_make(packet, &s));

	ck_assert(!frag_init(&f, &ip, packet, 1000));
	s.version = 6;
	ip = parse(packet, packet_make(packet, &s));
	ck_assert(!frag_init(&f, &ip, packet, 1000));
	s.version = 4;
	s.fragment = 0;
	ip = parse(packet, packet_make(packet, &s));
	ck_assert(!frag_init(&f, &ip, packet, 27));
}
END_TEST

Suite *
suite_fit(void)
{
	Suite *s = suite_create("fit");
	TCase *tc = tcase_create("fit");

	tcase_add_test(tc, says_too_big_in_ipv4);
	tcase_add_test(tc, says_too_big_in_ipv6);
	tcase_add_test(tc, errors_about_errors_are_not_sent);
	tcase_add_test(tc, fragments_make_the_whole_again);
	tcase_add_test(tc, a_fragment_can_be_cut_again);
	tcase_add_test(tc, options_not_copied_are_blanked);
	tcase_add_test(tc, what_may_not_be_cut);
	suite_add_tcase(s, tc);
	return s;
}
