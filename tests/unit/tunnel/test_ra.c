#include "tunnel/ra.h"

#include <stdlib.h>
#include <string.h>

#include "base/wire.h"
#include "tests/unit/suite.h"
#include "tests/unit/tunnel/packets.h"
#include "tunnel/csum.h"

Suite *suite_ra(void);

static const uint8_t ifid[8] = {2, 0, 0, 0, 0, 0, 0, 9};

static size_t
build(uint8_t *buf)
{
	struct ra_info info = {.mtu = 1400};

	ck_assert(prefix_parse(&info.prefix, "2001:db8:5::/64"));
	ck_assert(addr_parse(&info.dns[0], "2001:db8::53"));
	memcpy(info.ifid, ifid, 8);
	return ra_build(buf, &info);
}

static struct ip_info
parse(const uint8_t *packet, size_t len)
{
	struct ip_info ip;

	ck_assert(ip_parse(&ip, packet, len));
	return ip;
}

static void
fix_checksum(uint8_t *packet, size_t len)
{
	uint32_t icmplen = (uint32_t)(len - 40);

	put_u16(packet + 42, 0);
	csum_put(packet + 42, csum_add(csum_pseudo(packet + 8, 32, 58, icmplen), packet + 40, icmplen));
}

/* Byte by byte as RFC 4861 section 4.2 and RFC 8106 section 5.1 lay it out. */
START_TEST(advertisement_bytes)
{
	static const uint8_t want[] = {0x60, 0, 0, 0, 0, 80, 58, 255,       /* IPv6 */
	    0xfe, 0x80, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 9,           /* source */
	    0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,              /* all nodes */
	    134, 0, 0, 0, 64, 0, 0x07, 0x08, 0, 0, 0, 0, 0, 0, 0, 0,        /* checksum left out */
	    3, 4, 64, 0x40, 0, 1, 0x51, 0x80, 0, 0, 0x38, 0x40, 0, 0, 0, 0, /* prefix */
	    0x20, 1, 0x0d, 0xb8, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,        /* */
	    5, 1, 0, 0, 0, 0, 5, 0x78,                                      /* MTU */
	    25, 3, 0, 0, 0, 0, 7, 8, 0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x53};
	uint8_t got[RA_MAX];

	ck_assert_uint_eq(build(got), sizeof(want));
	ck_assert(packet_right(got, sizeof(want)));
	put_u16(got + 42, 0);
	ck_assert_mem_eq(got, want, sizeof(want));
}
END_TEST

START_TEST(solicitation_and_advertisement_are_known)
{
	uint8_t packet[RA_MAX];
	size_t len = build(packet);
	struct ip_info ip = parse(packet, len);
	struct prefix p, want;

	ck_assert_int_eq(nd_classify(&ip, packet), ND_ADVERTISEMENT);
	ck_assert(ra_parse(&ip, packet, &p));
	ck_assert(prefix_parse(&want, "2001:db8:5::/64"));
	ck_assert(addr_equal(&p.addr, &want.addr));
	ck_assert_uint_eq(p.len, 64);
	len = rs_build(packet, ifid);
	ck_assert_uint_eq(len, 48);
	ck_assert(packet_right(packet, len));
	ip = parse(packet, len);
	ck_assert_int_eq(nd_classify(&ip, packet), ND_SOLICITATION);
}
END_TEST

START_TEST(checks_of_section_6_1)
{
	uint8_t packet[RA_MAX];
	size_t len = build(packet);
	struct ip_info ip = parse(packet, len);

	packet[7] = 254;
	ck_assert_int_eq(nd_classify(&ip, packet), ND_BAD);
	packet[7] = 255;
	packet[60]++;
	ck_assert_int_eq(nd_classify(&ip, packet), ND_BAD);
	packet[60]--;
	packet[8] = 0x20; /* a source that is not link-local */
	fix_checksum(packet, len);
	ck_assert_int_eq(nd_classify(&ip, packet), ND_BAD);
	packet[40] = 135;
	fix_checksum(packet, len);
	ck_assert_int_eq(nd_classify(&ip, packet), ND_OTHER);
	packet[40] = 128;
	ck_assert_int_eq(nd_classify(&ip, packet), ND_NONE);
}
END_TEST

static bool
parses_with(size_t at, uint8_t value)
{
	uint8_t packet[RA_MAX];
	size_t len = build(packet);
	struct ip_info ip = parse(packet, len);
	struct prefix p;

	packet[at] = value;
	return ra_parse(&ip, packet, &p);
}

START_TEST(useless_prefixes_and_broken_options)
{
	ck_assert(parses_with(56 + 3, 0x40));
	ck_assert(!parses_with(56 + 3, 0x80)); /* not autonomous */
	ck_assert(!parses_with(56 + 2, 63));   /* not 64 bits */
	ck_assert(!parses_with(56 + 8, 0xff)); /* preferred beyond valid */
	ck_assert(!parses_with(56 + 1, 0));    /* an option without length */
	ck_assert(!parses_with(56 + 1, 200));  /* beyond the end */
	ck_assert(!parses_with(88 + 1, 0));    /* even when the prefix came before */
}
END_TEST

/* Cuts and random bytes: never read behind the packet (under a sanitizer). */
/* An Echo Request of fe80::7, number 0x0102 0x0304, to the end of a destination. */
static size_t
echo(uint8_t *packet, const char *destination)
{
	static const uint8_t start[] = {0x6b, 0xcd, 0, 0, 0, 11, 58, 64, 0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7};
	static const uint8_t icmp[] = {128, 0, 0, 0, 1, 2, 3, 4, 'a', 'b', 'c'};
	struct addr to;

	ck_assert(addr_parse(&to, destination));
	memcpy(packet, start, sizeof(start));
	memcpy(packet + 24, to.bytes, 16);
	memcpy(packet + 40, icmp, sizeof(icmp));
	fix_checksum(packet, 51);
	return 51;
}

static size_t
answer(uint8_t *got, const uint8_t *packet, size_t len)
{
	struct ip_info ip = parse(packet, len);

	return echo_build(got, &ip, packet, ifid);
}

START_TEST(echoes_to_us_are_answered)
{
	static const char *const ours[] = {"fe80::200:0:0:9", "ff02::1", "ff02::2"};
	static const uint8_t want[] = {0x60, 0, 0, 0, 0, 11, 58, 255, /* IPv6 */
	    0xfe, 0x80, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 9,     /* source: the identifier, whatever was asked */
	    0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7,     /* to who asked */
	    129, 0, 0, 0, 1, 2, 3, 4, 'a', 'b', 'c'};                 /* checksum left out */
	uint8_t packet[64], got[64];

	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
		ck_assert_uint_eq(answer(got, packet, echo(packet, ours[i])), sizeof(want));
		ck_assert(packet_right(got, sizeof(want)));
		put_u16(got + 42, 0);
		ck_assert_mem_eq(got, want, sizeof(want));
	}
}
END_TEST

START_TEST(other_echoes_are_not)
{
	static const struct {
		size_t at;
		uint8_t byte;
	} wrong[] = {{6, 17}, {8, 0x20}, {40, 129}, {41, 1}, {24, 0x20}, {39, 8}};
	uint8_t packet[64], got[64];

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		size_t len = echo(packet, "fe80::200:0:0:9");

		packet[wrong[i].at] = wrong[i].byte;
		fix_checksum(packet, len);
		ck_assert_msg(answer(got, packet, len) == 0, "row %zu", i);
	}
	ck_assert_uint_eq(answer(got, packet, echo(packet, "ff02::3")), 0);
	echo(packet, "ff02::2");
	packet[50] ^= 1; /* the checksum is wrong */
	ck_assert_uint_eq(answer(got, packet, 51), 0);
	packet[5] = 7; /* cut in the ICMP header */
	ck_assert_uint_eq(answer(got, packet, 47), 0);
}
END_TEST

START_TEST(any_bytes_are_survived)
{
	uint64_t state = 4;

	for (int round = 0; round < 3000; round++) {
		uint8_t packet[RA_MAX], *exact;
		size_t len = build(packet), cut = 56 + next_random(&state) % (len - 55);
		struct prefix p;
		struct ip_info ip;

		for (int i = 0; i < 3; i++)
			packet[56 + next_random(&state) % (len - 56)] = (uint8_t)next_random(&state);
		put_u16(packet + 4, (uint16_t)(cut - 40));
		exact = malloc(cut);
		memcpy(exact, packet, cut);
		ip = parse(exact, cut);
		(void)nd_classify(&ip, exact);
		(void)ra_parse(&ip, exact, &p);
		free(exact);
	}
}
END_TEST

Suite *
suite_ra(void)
{
	Suite *s = suite_create("ra");
	TCase *tc = tcase_create("ra");

	tcase_add_test(tc, advertisement_bytes);
	tcase_add_test(tc, solicitation_and_advertisement_are_known);
	tcase_add_test(tc, checks_of_section_6_1);
	tcase_add_test(tc, useless_prefixes_and_broken_options);
	tcase_add_test(tc, echoes_to_us_are_answered);
	tcase_add_test(tc, other_echoes_are_not);
	tcase_add_test(tc, any_bytes_are_survived);
	suite_add_tcase(s, tc);
	return s;
}
