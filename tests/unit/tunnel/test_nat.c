#include "tunnel/nat.h"

#include <string.h>

#include "base/wire.h"
#include "tests/unit/suite.h"
#include "tests/unit/tunnel/packets.h"
#include "tunnel/csum.h"
#include "tunnel/icmp.h"

Suite *suite_nat(void);

static const uint8_t first[4] = {10, 0, 0, 1}, second[4] = {10, 0, 0, 2}, other[4] = {172, 16, 250, 9};

static struct ip_info
parse(const uint8_t *packet, size_t len)
{
	struct ip_info ip;

	ck_assert(ip_parse(&ip, packet, len));
	return ip;
}

START_TEST(rewrites_both_ways_with_right_checksums)
{
	static const uint8_t protos[] = {IP_PROTO_TCP, IP_PROTO_UDP};

	for (size_t i = 0; i < 2; i++) {
		struct packet_spec s = packet_default(4, protos[i]);
		uint8_t packet[128], before[128];
		struct ip_info ip;
		size_t len;

		s.payload = (const uint8_t *)"abc";
		s.payloadlen = 3;
		len = packet_make(packet, &s);
		memcpy(before, packet, len);
		ip = parse(packet, len);
		ck_assert(nat_source(&ip, packet, first, other));
		ck_assert_mem_eq(packet + 12, other, 4);
		ck_assert(packet_right(packet, len));
		ck_assert(nat_destination(&ip, packet, second, first));
		ck_assert(packet_right(packet, len));
		ck_assert(nat_source(&ip, packet, other, first) && nat_destination(&ip, packet, first, second));
		ck_assert_mem_eq(packet, before, len);
	}
}
END_TEST

START_TEST(other_addresses_and_ipv6_are_left)
{
	struct packet_spec s = packet_default(4, 6);
	uint8_t packet[128], before[128];
	size_t len = packet_make(packet, &s);
	struct ip_info ip = parse(packet, len);

	memcpy(before, packet, len);
	ck_assert(!nat_source(&ip, packet, second, other));
	ck_assert(!nat_destination(&ip, packet, first, other));
	ck_assert_mem_eq(packet, before, len);
	s = packet_default(6, 6);
	ip = parse(packet, packet_make(packet, &s));
	ck_assert(!nat_source(&ip, packet, first, other));
}
END_TEST

/* No checksum stays none; one that becomes zero is sent as ones (RFC 768). */
START_TEST(udp_without_checksum_stays_so)
{
	struct packet_spec s = packet_default(4, 17);
	uint8_t packet[128];
	size_t len = packet_make(packet, &s);
	struct ip_info ip = parse(packet, len);

	put_u16(packet + 26, 0);
	ck_assert(nat_source(&ip, packet, first, other));
	ck_assert_uint_eq(get_u16(packet + 26), 0);
	for (uint32_t port = 0; port < 65536; port++) {
		s.sport = (uint16_t)port;
		len = packet_make(packet, &s);
		nat_source(&ip, packet, first, other);
		ck_assert_uint_ne(get_u16(packet + 26), 0);
	}
}
END_TEST

/* Only the first fragment has the transport's checksum. */
START_TEST(fragments)
{
	struct packet_spec s = packet_default(4, 17);
	uint8_t packet[128], want[128];
	struct ip_info ip;
	size_t len;

	s.fragment = 0x2000;
	len = packet_make(packet, &s);
	ip = parse(packet, len);
	ck_assert(nat_source(&ip, packet, first, other));
	ck_assert(packet_right(packet, len));
	s.fragment = 7;
	len = packet_make(packet, &s);
	memcpy(want, packet, len);
	ip = parse(packet, len);
	ck_assert(nat_source(&ip, packet, first, other));
	ck_assert_mem_eq(packet + 20, want + 20, len - 20);
	ck_assert_uint_eq(plain_sum(0, packet, 20), 0xffff);
}
END_TEST

/* An error about a packet of ours comes back with our outer address in the quote, too. */
START_TEST(icmp_errors_are_followed_inside)
{
	struct packet_spec s = packet_default(4, 17);
	struct addr router = addr_v4((const uint8_t[]){10, 9, 9, 9});
	uint8_t packet[128], error[ICMP_ERROR_MAX];
	struct ip_info ip = {0}, outer;
	size_t len = packet_make(packet, &s);

	ip = parse(packet, len);
	len = icmp_too_big(error, &ip, packet, 1000, &router);
	outer = parse(error, len);
	ck_assert(packet_right(error, len));
	ck_assert(nat_destination(&outer, error, first, other));
	ck_assert_mem_eq(error + 16, other, 4);
	ck_assert_mem_eq(error + 28 + 12, other, 4);
	ck_assert_mem_eq(error + 28 + 16, second, 4);
	ck_assert(packet_right(error, len));
	ck_assert_uint_eq(plain_sum(0, error + 28, 20), 0xffff);
	/* An echo carries what it likes. */
	error[20] = 8;
	memcpy(error + 28 + 12, first, 4);
	ck_assert(!nat_destination(&outer, error, first, second));
}
END_TEST

Suite *
suite_nat(void)
{
	Suite *s = suite_create("nat");
	TCase *tc = tcase_create("nat");

	tcase_add_test(tc, rewrites_both_ways_with_right_checksums);
	tcase_add_test(tc, other_addresses_and_ipv6_are_left);
	tcase_add_test(tc, udp_without_checksum_stays_so);
	tcase_add_test(tc, fragments);
	tcase_add_test(tc, icmp_errors_are_followed_inside);
	suite_add_tcase(s, tc);
	return s;
}
