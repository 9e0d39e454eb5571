#include "tunnel/ip.h"

#include <stdlib.h>
#include <string.h>

#include "base/wire.h"
#include "tests/unit/suite.h"
#include "tests/unit/tunnel/packets.h"

Suite *suite_ip(void);

START_TEST(reads_both_versions)
{
	struct packet_spec spec = packet_default(4, 6);
	struct addr want;
	struct ip_info ip;
	uint8_t buf[128];
	size_t len = packet_make(buf, &spec);

	ck_assert(ip_parse(&ip, buf, len + 5));
	ck_assert_uint_eq(ip.version, 4);
	ck_assert_uint_eq(ip.proto, 6);
	ck_assert_uint_eq(ip.header, 20);
	ck_assert_uint_eq(ip.length, len);
	ck_assert(ip.first && !ip.fragment && ip.dont_fragment);
	ck_assert(addr_parse(&want, "10.0.0.2"));
	ck_assert(addr_equal(&want, &(struct addr){.family = 4, .bytes = {10, 0, 0, 2}}));
	struct addr got = ip_destination(&ip, buf);
	ck_assert(addr_equal(&want, &got));

	spec = packet_default(6, 17);
	len = packet_make(buf, &spec);
	ck_assert(ip_parse(&ip, buf, len));
	ck_assert_uint_eq(ip.header, 40);
	ck_assert_uint_eq(ip.proto, 17);
	got = ip_source(&ip, buf);
	ck_assert(addr_parse(&want, "fd00::1"));
	ck_assert(addr_equal(&want, &got));
}
END_TEST

/* Every cut of a packet is refused, and nothing behind it is read (under a sanitizer). */
START_TEST(refuses_every_truncation)
{
	for (uint8_t version = 4; version <= 6; version = (uint8_t)(version + 2)) {
		struct packet_spec spec = packet_default(version, 6);
		uint8_t buf[128];
		size_t len = packet_make(buf, &spec);

		for (size_t n = 0; n < len; n++) {
			uint8_t *exact = malloc(n + (n == 0));
			struct ip_info ip;

			memcpy(exact, buf, n);
			ck_assert(!ip_parse(&ip, exact, n));
			free(exact);
		}
	}
}
END_TEST

START_TEST(refuses_wrong_headers)
{
	struct packet_spec spec = packet_default(4, 6);
	uint8_t buf[128];
	size_t len = packet_make(buf, &spec);
	struct ip_info ip;

	buf[0] = 0x44;
	ck_assert(!ip_parse(&ip, buf, len));
	buf[0] = 0x4f;
	ck_assert(!ip_parse(&ip, buf, len));
	buf[0] = 0x55;
	ck_assert(!ip_parse(&ip, buf, len));
	buf[0] = 0x45;
	put_u16(buf + 2, 19);
	ck_assert(!ip_parse(&ip, buf, len));
	put_u16(buf + 2, (uint16_t)(len + 1));
	ck_assert(!ip_parse(&ip, buf, len));
}
END_TEST

START_TEST(sees_fragments)
{
	struct packet_spec spec = packet_default(4, 17);
	uint8_t buf[128];
	struct ip_info ip;

	spec.fragment = 0x2000;
	ck_assert(ip_parse(&ip, buf, packet_make(buf, &spec)));
	ck_assert(ip.fragment && ip.first && !ip.dont_fragment);
	spec.fragment = 0x0003;
	ck_assert(ip_parse(&ip, buf, packet_make(buf, &spec)));
	ck_assert(ip.fragment && !ip.first);
	spec = packet_default(6, 44);
	spec.payload = (const uint8_t[]){6, 0, 0, 9, 0, 0, 0, 1};
	spec.payloadlen = 8;
	ck_assert(ip_parse(&ip, buf, packet_make(buf, &spec)));
	ck_assert(ip.fragment && !ip.first);
}
END_TEST

START_TEST(tcp_header_must_fit)
{
	struct packet_spec spec = packet_default(4, 6);
	uint8_t buf[128];
	struct ip_info ip;

	ck_assert(ip_parse(&ip, buf, packet_make(buf, &spec)));
	ck_assert_uint_eq(ip_tcp_header(&ip, buf), 20);
	buf[20 + 12] = 0x60;
	ck_assert_uint_eq(ip_tcp_header(&ip, buf), 0);
	buf[20 + 12] = 0x40;
	ck_assert_uint_eq(ip_tcp_header(&ip, buf), 0);
}
END_TEST

START_TEST(knows_kinds_of_addresses)
{
	struct addr a;

	ck_assert(addr_parse(&a, "fe80::1") && ip_is_link_local(&a) && !ip_is_unspecified(&a));
	ck_assert(addr_parse(&a, "febf::1") && ip_is_link_local(&a));
	ck_assert(addr_parse(&a, "fec0::1") && !ip_is_link_local(&a));
	ck_assert(addr_parse(&a, "::") && ip_is_unspecified(&a));
	ck_assert(addr_parse(&a, "224.0.0.1") && ip_is_multicast(&a));
	ck_assert(addr_parse(&a, "ff02::1") && ip_is_multicast(&a));
	ck_assert(addr_parse(&a, "10.0.0.1") && !ip_is_multicast(&a));
}
END_TEST

Suite *
suite_ip(void)
{
	Suite *s = suite_create("ip");
	TCase *tc = tcase_create("ip");

	tcase_add_test(tc, reads_both_versions);
	tcase_add_test(tc, refuses_every_truncation);
	tcase_add_test(tc, refuses_wrong_headers);
	tcase_add_test(tc, sees_fragments);
	tcase_add_test(tc, tcp_header_must_fit);
	tcase_add_test(tc, knows_kinds_of_addresses);
	suite_add_tcase(s, tc);
	return s;
}
