#include "tests/unit/suite.h"

#include <pptp/gre.h>
#include <string.h>

Suite *suite_gre_header(void);

static const uint8_t data_and_ack[] = {
    0x30, 0x81, 0x88, 0x0b, 0x00, 0x03, 0xab, 0xcd, 0x01, 0x02, 0x03, 0x04, 0xf1, 0xf2, 0xf3, 0xf4, 'p', 'p', 'p'};
static const uint8_t data_only[] = {0x30, 0x01, 0x88, 0x0b, 0x00, 0x02, 0x00, 0x01, 0x00, 0x00, 0x00, 0x07, 'h', 'i'};
static const uint8_t ack_only[] = {0x20, 0x81, 0x88, 0x0b, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

START_TEST(golden_decode)
{
	struct pptp_gre_header h;

	ck_assert_int_eq(pptp_gre_decode(&h, data_and_ack, sizeof(data_and_ack)), PPTP_OK);
	ck_assert(h.has_sequence && h.has_ack);
	ck_assert_uint_eq(h.payload_length, 3);
	ck_assert_uint_eq(h.call_id, 0xabcd);
	ck_assert_uint_eq(h.sequence, 0x01020304);
	ck_assert_uint_eq(h.ack, 0xf1f2f3f4);
	ck_assert_uint_eq(h.header_length, 16);
	ck_assert_int_eq(pptp_gre_decode(&h, data_only, sizeof(data_only)), PPTP_OK);
	ck_assert(h.has_sequence && !h.has_ack);
	ck_assert_uint_eq(h.payload_length, 2);
	ck_assert_uint_eq(h.call_id, 1);
	ck_assert_uint_eq(h.sequence, 7);
	ck_assert_uint_eq(h.ack, 0);
	ck_assert_uint_eq(h.header_length, 12);
	ck_assert_int_eq(pptp_gre_decode(&h, ack_only, sizeof(ack_only)), PPTP_OK);
	ck_assert(!h.has_sequence && h.has_ack);
	ck_assert_uint_eq(h.payload_length, 0);
	ck_assert_uint_eq(h.call_id, 0xffff);
	ck_assert_uint_eq(h.sequence, 0);
	ck_assert_uint_eq(h.ack, 0xffffffff);
	ck_assert_uint_eq(h.header_length, 12);
}
END_TEST

START_TEST(golden_encode)
{
	struct pptp_gre_header h = {.payload_length = 3, .call_id = 0xabcd, .has_sequence = true, .has_ack = true};
	uint8_t buf[PPTP_GRE_MAX_HEADER];

	h.sequence = 0x01020304;
	h.ack = 0xf1f2f3f4;
	ck_assert_uint_eq(pptp_gre_encode(buf, &h), 16);
	ck_assert_mem_eq(buf, data_and_ack, 16);
	h = (struct pptp_gre_header){.payload_length = 2, .call_id = 1, .has_sequence = true, .sequence = 7};
	ck_assert_uint_eq(pptp_gre_encode(buf, &h), 12);
	ck_assert_mem_eq(buf, data_only, 12);
	h = (struct pptp_gre_header){.call_id = 0xffff, .has_ack = true, .ack = 0xffffffff};
	ck_assert_uint_eq(pptp_gre_encode(buf, &h), 12);
	ck_assert_mem_eq(buf, ack_only, 12);
	h = (struct pptp_gre_header){.call_id = 5};
	ck_assert_uint_eq(pptp_gre_encode(buf, &h), 8);
	ck_assert_mem_eq(buf, "\x20\x01\x88\x0b\0\0\0\x05", 8);
}
END_TEST

START_TEST(header_without_both)
{
	struct pptp_gre_header h;

	ck_assert_int_eq(pptp_gre_decode(&h, (const uint8_t *)"\x20\x01\x88\x0b\0\0\0\x05", 8), PPTP_OK);
	ck_assert(!h.has_sequence && !h.has_ack);
	ck_assert_uint_eq(h.header_length, 8);
}
END_TEST

START_TEST(every_truncation_is_short)
{
	struct pptp_gre_header h;
	struct pptp_gre_header untouched;

	memset(&h, 0x5a, sizeof(h));
	untouched = h;
	for (size_t len = 0; len < sizeof(data_and_ack); len++)
		ck_assert_int_eq(pptp_gre_decode(&h, data_and_ack, len), PPTP_ERR_SHORT);
	for (size_t len = 0; len < sizeof(data_only); len++)
		ck_assert_int_eq(pptp_gre_decode(&h, data_only, len), PPTP_ERR_SHORT);
	for (size_t len = 0; len < sizeof(ack_only); len++)
		ck_assert_int_eq(pptp_gre_decode(&h, ack_only, len), PPTP_ERR_SHORT);
	ck_assert_mem_eq(&h, &untouched, sizeof(h));
}
END_TEST

START_TEST(every_first_word)
{
	uint8_t packet[sizeof(data_and_ack)];
	struct pptp_gre_header h;

	memcpy(packet, data_and_ack, sizeof(packet));
	for (unsigned bits = 0; bits <= 0xffff; bits++) {
		int expect = PPTP_ERR_FIELD;

		packet[0] = (uint8_t)(bits >> 8);
		packet[1] = (uint8_t)bits;
		if ((bits & 7) != 1)
			expect = PPTP_ERR_KIND;
		else if (bits == 0x2001 || bits == 0x2081 || bits == 0x3001 || bits == 0x3081)
			expect = PPTP_OK;
		if (pptp_gre_decode(&h, packet, sizeof(packet)) != expect)
			ck_abort_msg("bits %04x", bits);
	}
}
END_TEST

START_TEST(other_protocols)
{
	uint8_t packet[sizeof(data_and_ack)];
	struct pptp_gre_header h;

	memcpy(packet, data_and_ack, sizeof(packet));
	packet[3] = 0x0c;
	ck_assert_int_eq(pptp_gre_decode(&h, packet, sizeof(packet)), PPTP_ERR_KIND);
	packet[2] = 0x08;
	packet[3] = 0x00;
	ck_assert_int_eq(pptp_gre_decode(&h, packet, sizeof(packet)), PPTP_ERR_KIND);
}
END_TEST

START_TEST(payload_length_against_data)
{
	uint8_t packet[sizeof(data_and_ack) + 4] = {0};
	struct pptp_gre_header h;

	memcpy(packet, data_and_ack, sizeof(data_and_ack));
	ck_assert_int_eq(pptp_gre_decode(&h, packet, sizeof(packet)), PPTP_OK); /* padding behind is ignored */
	ck_assert_uint_eq(h.payload_length, 3);
	packet[5] = 7;
	ck_assert_int_eq(pptp_gre_decode(&h, packet, sizeof(packet)), PPTP_OK);
	packet[5] = 8;
	ck_assert_int_eq(pptp_gre_decode(&h, packet, sizeof(packet)), PPTP_ERR_SHORT);
	packet[4] = 0xff;
	packet[5] = 0xff;
	ck_assert_int_eq(pptp_gre_decode(&h, packet, sizeof(packet)), PPTP_ERR_SHORT);
}
END_TEST

Suite *
suite_gre_header(void)
{
	Suite *s = suite_create("libpptp/gre_header");
	TCase *tc = tcase_create("gre_header");

	tcase_add_test(tc, golden_decode);
	tcase_add_test(tc, golden_encode);
	tcase_add_test(tc, header_without_both);
	tcase_add_test(tc, every_truncation_is_short);
	tcase_add_test(tc, every_first_word);
	tcase_add_test(tc, other_protocols);
	tcase_add_test(tc, payload_length_against_data);
	suite_add_tcase(s, tc);
	return s;
}
