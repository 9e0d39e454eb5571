#include "base/text.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/suite.h"

Suite *suite_text(void);

START_TEST(adds_up)
{
	char buf[32];
	struct text t;

	text_init(&t, buf, sizeof(buf));
	ck_assert_str_eq(buf, "");
	text_addf(&t, "a=%d", 1);
	text_addf(&t, " b=%s", "two");
	ck_assert_str_eq(buf, "a=1 b=two");
	ck_assert_uint_eq(t.len, 9);
	ck_assert(!t.cut);
}
END_TEST

/* At every size the text is the longest that fits, and no byte behind it is touched. */
START_TEST(cuts_at_every_size)
{
	static const char want[] = "abc 12345 \\x00";
	char buf[40];

	for (size_t size = 1; size < 30; size++) {
		struct text t;
		size_t len = size - 1 < 14 ? size - 1 : 14;

		memset(buf, '#', sizeof(buf));
		text_init(&t, buf, size);
		text_addf(&t, "abc ");
		text_addf(&t, "%d ", 12345);
		text_addf(&t, "%s", want + 10);
		ck_assert_uint_eq(t.len, len);
		ck_assert_uint_eq(strlen(buf), len);
		ck_assert_mem_eq(buf, want, len);
		ck_assert_int_eq(t.cut, size - 1 < 14);
		for (size_t i = size; i < sizeof(buf); i++)
			ck_assert_uint_eq(buf[i], '#');
	}
}
END_TEST

START_TEST(stays_cut)
{
	char buf[4];
	struct text t;

	text_init(&t, buf, sizeof(buf));
	text_addf(&t, "%s", "12345");
	text_addf(&t, "x");
	text_add_hex(&t, "x", 1);
	text_add_untrusted(&t, "x", 1);
	ck_assert_str_eq(buf, "123");
	ck_assert(t.cut);
}
END_TEST

/* All byte values: what comes out is printable ASCII, without quotes. */
START_TEST(escapes_every_byte)
{
	for (unsigned v = 1; v < 256; v++) {
		uint8_t byte = (uint8_t)v;
		char buf[8], want[8];
		struct text t;

		text_init(&t, buf, sizeof(buf));
		text_add_untrusted(&t, &byte, 1);
		if (v >= 0x20 && v <= 0x7e && v != '"' && v != '\\')
			snprintf(want, sizeof(want), "%c", (int)v);
		else
			snprintf(want, sizeof(want), "\\x%02x", v);
		ck_assert_str_eq(buf, want);
	}
}
END_TEST

START_TEST(untrusted_ends)
{
	static const char bytes[] = {'a', 'b', '\0', 'c'};
	char buf[16];
	struct text t;

	text_init(&t, buf, sizeof(buf));
	text_add_untrusted(&t, bytes, sizeof(bytes));
	ck_assert_str_eq(buf, "ab");
	text_add_untrusted(&t, bytes, 1); /* no NUL within the length */
	ck_assert_str_eq(buf, "aba");
	text_add_untrusted(&t, NULL, 0);
	ck_assert_str_eq(buf, "aba");
}
END_TEST

START_TEST(hexadecimal)
{
	static const uint8_t bytes[] = {0x00, 0x1a, 0xff};
	char buf[16];
	struct text t;

	text_init(&t, buf, sizeof(buf));
	text_add_hex(&t, bytes, sizeof(bytes));
	ck_assert_str_eq(buf, "001aff");
}
END_TEST

Suite *
suite_text(void)
{
	Suite *s = suite_create("base/text");
	TCase *tc = tcase_create("text");

	tcase_add_test(tc, adds_up);
	tcase_add_test(tc, cuts_at_every_size);
	tcase_add_test(tc, stays_cut);
	tcase_add_test(tc, escapes_every_byte);
	tcase_add_test(tc, untrusted_ends);
	tcase_add_test(tc, hexadecimal);
	suite_add_tcase(s, tc);
	return s;
}
