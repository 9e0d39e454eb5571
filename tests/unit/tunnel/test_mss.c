#include "tunnel/mss.h"

#include <string.h>

#include "base/wire.h"
#include "tests/unit/suite.h"
#include "tests/unit/tunnel/packets.h"

Suite *suite_mss(void);

static const uint8_t plain[] = {2, 4, 0x05, 0xb4};           /* MSS 1460 */
static const uint8_t odd[] = {1, 2, 4, 0x05, 0xb4, 1, 1, 0}; /* at an odd place */
static const uint8_t behind[] = {4, 2, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8, 2, 4, 0x05, 0xb4};
static const uint8_t ended[] = {0, 2, 4, 0x05, 0xb4, 0, 0, 0}; /* behind the end of options */
static const uint8_t zero_length[] = {8, 0, 2, 4, 0x05, 0xb4, 1, 1};
static const uint8_t overrun[] = {1, 1, 1, 2};

static bool
clamp(uint8_t version, uint8_t flags, const uint8_t *options, size_t optionslen, uint16_t max, uint8_t *out, size_t *len)
{
	struct packet_spec s = packet_default(version, 6);
	struct ip_info ip;

	s.flags = flags;
	s.options = options;
	s.optionslen = optionslen;
	*len = packet_make(out, &s);
	ck_assert(ip_parse(&ip, out, *len));
	return mss_clamp(&ip, out, max);
}

/* The whole packet must be what it would be if it had been made with the lower MSS. */
static void
check_clamped(uint8_t version, const uint8_t *options, size_t optionslen, size_t at)
{
	uint8_t got[128], want[128], lower[40];
	size_t len, wantlen;

	memcpy(lower, options, optionslen);
	put_u16(lower + at, 1320);
	ck_assert(clamp(version, IP_TCP_SYN, options, optionslen, 1320, got, &len));
	clamp(version, IP_TCP_SYN, lower, optionslen, 1320, want, &wantlen);
	ck_assert_uint_eq(len, wantlen);
	ck_assert_mem_eq(got, want, len);
	ck_assert(packet_right(got, len));
}

START_TEST(lowers_the_option_wherever_it_is)
{
	for (uint8_t version = 4; version <= 6; version = (uint8_t)(version + 2)) {
		check_clamped(version, plain, sizeof(plain), 2);
		check_clamped(version, odd, sizeof(odd), 3);
		check_clamped(version, behind, sizeof(behind), 14);
	}
}
END_TEST

START_TEST(leaves_what_needs_no_change)
{
	uint8_t got[128];
	size_t len;

	ck_assert(!clamp(4, IP_TCP_SYN, plain, sizeof(plain), 1460, got, &len));
	ck_assert(!clamp(4, IP_TCP_ACK, plain, sizeof(plain), 1320, got, &len));
	ck_assert(!clamp(4, IP_TCP_SYN, NULL, 0, 1320, got, &len));
	ck_assert(clamp(4, IP_TCP_SYN | IP_TCP_ACK, plain, sizeof(plain), 1320, got, &len));
}
END_TEST

START_TEST(broken_options_are_left)
{
	uint8_t got[128];
	size_t len;

	ck_assert(!clamp(4, IP_TCP_SYN, ended, sizeof(ended), 1320, got, &len));
	ck_assert(!clamp(4, IP_TCP_SYN, zero_length, sizeof(zero_length), 1320, got, &len));
	ck_assert(!clamp(4, IP_TCP_SYN, overrun, sizeof(overrun), 1320, got, &len));
}
END_TEST

START_TEST(not_in_later_fragments_nor_udp)
{
	struct packet_spec s = packet_default(4, 6);
	struct ip_info ip;
	uint8_t buf[128];

	s.flags = IP_TCP_SYN;
	s.options = plain;
	s.optionslen = 4;
	s.fragment = 5;
	ck_assert(ip_parse(&ip, buf, packet_make(buf, &s)));
	ck_assert(!mss_clamp(&ip, buf, 1000));
	s.fragment = 0;
	s.proto = 17;
	ck_assert(ip_parse(&ip, buf, packet_make(buf, &s)));
	ck_assert(!mss_clamp(&ip, buf, 1000));
}
END_TEST

START_TEST(mss_fits_the_mtu)
{
	ck_assert_uint_eq(mss_of_mtu(1400, 4), 1360);
	ck_assert_uint_eq(mss_of_mtu(1400, 6), 1340);
	ck_assert_uint_eq(mss_of_mtu(30, 4), 0);
	ck_assert_uint_eq(mss_of_mtu(100000, 4), 65495);
}
END_TEST

Suite *
suite_mss(void)
{
	Suite *s = suite_create("mss");
	TCase *tc = tcase_create("mss");

	tcase_add_test(tc, lowers_the_option_wherever_it_is);
	tcase_add_test(tc, leaves_what_needs_no_change);
	tcase_add_test(tc, broken_options_are_left);
	tcase_add_test(tc, not_in_later_fragments_nor_udp);
	tcase_add_test(tc, mss_fits_the_mtu);
	suite_add_tcase(s, tc);
	return s;
}
