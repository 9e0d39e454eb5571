#include "tunnel/csum.h"

#include "tests/unit/suite.h"
#include "tests/unit/tunnel/packets.h"

Suite *suite_csum(void);

static uint16_t
network(uint16_t v)
{
	uint8_t b[2];

	memcpy(b, &v, 2);
	return (uint16_t)(b[0] << 8 | b[1]);
}

START_TEST(equals_the_plain_sum_at_every_length)
{
	uint8_t data[1600];
	uint64_t state = 1;

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)next_random(&state);
	for (size_t len = 0; len < 1590; len++) {
		uint16_t want = plain_sum(0, data + len % 7, len);

		ck_assert_uint_eq(network(csum_fold(csum_add(0, data + len % 7, len))), want);
		ck_assert_uint_eq(network(csum_fold(csum_add_portable(0, data + len % 7, len))), want);
	}
}
END_TEST

START_TEST(carries_survive)
{
	uint8_t ones[65536];

	memset(ones, 0xff, sizeof(ones));
	ck_assert_uint_eq(csum_fold(csum_add(0, ones, sizeof(ones))), 0xffff);
	ck_assert_uint_eq(csum_fold(csum_add(UINT64_MAX, ones, 64)), 0xffff);
}
END_TEST

START_TEST(a_replaced_field_keeps_the_checksum_right)
{
	uint8_t packet[64];
	uint64_t state = 2;

	for (int round = 0; round < 1000; round++) {
		uint8_t to[4];

		for (size_t i = 0; i < sizeof(packet); i++)
			packet[i] = (uint8_t)next_random(&state);
		memset(packet + 2, 0, 2);
		csum_put(packet + 2, csum_add(0, packet, sizeof(packet)));
		for (size_t i = 0; i < 4; i++)
			to[i] = (uint8_t)next_random(&state);
		csum_replace(packet + 2, packet + 12, to, 4);
		ck_assert_mem_eq(packet + 12, to, 4);
		ck_assert_uint_eq(csum_fold(csum_add(0, packet, sizeof(packet))), 0xffff);
	}
}
END_TEST

Suite *
suite_csum(void)
{
	Suite *s = suite_create("csum");
	TCase *tc = tcase_create("csum");

	tcase_add_test(tc, equals_the_plain_sum_at_every_length);
	tcase_add_test(tc, carries_survive);
	tcase_add_test(tc, a_replaced_field_keeps_the_checksum_right);
	suite_add_tcase(s, tc);
	return s;
}
