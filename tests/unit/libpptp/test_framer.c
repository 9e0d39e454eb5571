#include <pptp/framer.h>

#include <string.h>

#include "base/wire.h"
#include "tests/unit/libpptp/golden.h"
#include "tests/unit/suite.h"

Suite *suite_framer(void);

/* One of each message in a row; returns the bytes. */
static size_t
all_messages(uint8_t *stream)
{
	size_t len = 0;

	for (int t = 1; t <= 15; t++)
		len += golden_bytes(stream + len, golden_messages[t].hex);
	return len;
}

/* Feeds stream in two parts and checks that all fifteen come out whole. */
static void
feed_split(const uint8_t *stream, size_t len, size_t split)
{
	const uint8_t *part = stream, *msg = NULL;
	size_t left = split;
	struct pptp_framer f;
	int n, type = 0;

	pptp_framer_init(&f);
	for (int half = 0; half < 2; half++) {
		while ((n = pptp_framer_next(&f, &part, &left, &msg)) > 0) {
			type++;
			ck_assert_int_eq(n, pptp_msg_info((unsigned)type)->length);
			ck_assert_uint_eq(get_u16(msg + 8), type);
		}
		ck_assert_int_eq(n, 0);
		ck_assert_uint_eq(left, 0);
		left = len - split;
	}
	ck_assert_int_eq(type, 15);
}

START_TEST(splits_at_every_byte)
{
	uint8_t stream[15 * PPTP_MAX_MESSAGE];
	size_t len = all_messages(stream);

	for (size_t split = 0; split <= len; split++)
		feed_split(stream, len, split);
}
END_TEST

START_TEST(byte_by_byte)
{
	uint8_t stream[15 * PPTP_MAX_MESSAGE], want[PPTP_MAX_MESSAGE];
	size_t len = all_messages(stream), one;
	const uint8_t *p = stream, *msg;
	struct pptp_framer f;
	int type = 0;

	pptp_framer_init(&f);
	while (p < stream + len) {
		int n;

		one = 1;
		n = pptp_framer_next(&f, &p, &one, &msg);
		ck_assert_uint_eq(one, 0);
		if (n == 0)
			continue;
		ck_assert_int_eq(n, (int)golden_bytes(want, golden_messages[++type].hex));
		ck_assert_mem_eq(msg, want, n);
	}
	ck_assert_int_eq(type, 15);
}
END_TEST

/* What the framer makes of one buffer: whole, or byte by byte. */
static int
frame(const uint8_t *data, size_t datalen, size_t step)
{
	const uint8_t *msg;
	struct pptp_framer f;
	int n = 0;

	pptp_framer_init(&f);
	while (datalen > 0 && n == 0) {
		size_t part = step < datalen ? step : datalen, was = part;

		n = pptp_framer_next(&f, &data, &part, &msg);
		datalen -= was - part;
	}
	return n;
}

START_TEST(every_length)
{
	uint8_t buf[PPTP_MAX_MESSAGE] = {0};
	unsigned own = pptp_msg_info((unsigned)_i) != NULL ? pptp_msg_info((unsigned)_i)->length : 0;
	unsigned wrong = 0;

	golden_bytes(buf, golden_messages[PPTP_INCOMING_CALL_REQUEST].hex);
	put_u16(buf + 8, (uint16_t)_i);
	for (unsigned length = 0; length <= UINT16_MAX; length++) {
		int want = length < 12 || length > 220 || (own != 0 && length != own) ? PPTP_ERR_LENGTH : (int)length;

		put_u16(buf, (uint16_t)length);
		wrong += frame(buf, sizeof(buf), sizeof(buf)) != want;
		if (length <= 300 || length > 65500)
			wrong += frame(buf, sizeof(buf), 1) != want;
	}
	ck_assert_uint_eq(wrong, 0);
}
END_TEST

START_TEST(every_wrong_header_byte)
{
	uint8_t buf[PPTP_MAX_MESSAGE];
	size_t len = golden_bytes(buf, golden_messages[PPTP_ECHO_REQUEST].hex);

	for (unsigned v = 0; v < 256; v++) {
		for (size_t at = 2; at < 8; at++) {
			uint8_t was = buf[at];

			buf[at] = (uint8_t)v;
			/* The error is seen with the bad byte itself, before the message is whole. */
			ck_assert_int_eq(frame(buf, at + 1, 1), v == was ? 0 : at < 4 ? PPTP_ERR_KIND : PPTP_ERR_MAGIC);
			ck_assert_int_eq(frame(buf, len, len), v == was ? (int)len : at < 4 ? PPTP_ERR_KIND : PPTP_ERR_MAGIC);
			buf[at] = was;
		}
	}
}
END_TEST

START_TEST(errors_stick)
{
	uint8_t buf[PPTP_MAX_MESSAGE] = "GET / HTTP/1.1\r\n\r\n";
	const uint8_t *p = buf, *msg;
	size_t left = 18;
	struct pptp_framer f;

	pptp_framer_init(&f);
	ck_assert_int_eq(pptp_framer_next(&f, &p, &left, &msg), PPTP_ERR_LENGTH);
	left = golden_bytes(buf, golden_messages[PPTP_ECHO_REQUEST].hex);
	p = buf;
	ck_assert_int_eq(pptp_framer_next(&f, &p, &left, &msg), PPTP_ERR_LENGTH);
	ck_assert_uint_eq(left, 16);
	pptp_framer_init(&f);
	ck_assert_int_eq(pptp_framer_next(&f, &p, &left, &msg), 16);
}
END_TEST

START_TEST(empty_input_is_nothing)
{
	const uint8_t *p = NULL, *msg;
	size_t left = 0;
	struct pptp_framer f;

	pptp_framer_init(&f);
	ck_assert_int_eq(pptp_framer_next(&f, &p, &left, &msg), 0);
}
END_TEST

Suite *
suite_framer(void)
{
	Suite *s = suite_create("libpptp/framer");
	TCase *tc = tcase_create("framer");

	tcase_add_test(tc, splits_at_every_byte);
	tcase_add_test(tc, byte_by_byte);
	tcase_add_loop_test(tc, every_length, 0, 18);
	tcase_add_test(tc, every_wrong_header_byte);
	tcase_add_test(tc, errors_stick);
	tcase_add_test(tc, empty_input_is_nothing);
	suite_add_tcase(s, tc);
	return s;
}
