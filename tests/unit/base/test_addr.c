#include "base/addr.h"

#include <string.h>

#include "tests/unit/suite.h"

Suite *suite_addr(void);

static struct addr
addr(const char *s)
{
	struct addr a = {0};

	ck_assert_msg(addr_parse(&a, s), "%s", s);
	return a;
}

START_TEST(parses_and_prints)
{
	static const char *const same[] = {"0.0.0.0", "192.0.2.1", "255.255.255.255", "::", "::1", "2001:db8::1", "fe80::1:2:3:4"};
	char buf[ADDR_TEXT_MAX];

	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		struct addr a = addr(same[i]);

		ck_assert_uint_eq(a.family, strchr(same[i], ':') != NULL ? 6 : 4);
		ck_assert_uint_eq(addr_len(&a), a.family == 4 ? 4 : 16);
		ck_assert_str_eq(addr_text(&a, buf), same[i]);
	}
}
END_TEST

START_TEST(refuses_what_is_no_address)
{
	static const char *const bad[] = {"", " ", "1", "1.2.3", "1.2.3.4.5", "256.0.0.1", "1.2.3.4 ", " 1.2.3.4", "1.2.3.4/32",
	    ":::", "1::2::3", "12345::", "g::", "host", "::1%lo"};
	struct addr a = {.family = 77};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ck_assert_msg(!addr_parse(&a, bad[i]), "%s", bad[i]);
		ck_assert_uint_eq(a.family, 77);
	}
}
END_TEST

START_TEST(from_bytes)
{
	static const uint8_t four[4] = {192, 0, 2, 1}, six[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 9};
	struct addr a = addr_v4(four), b = addr_v6(six), none = {0};
	struct addr want_a = addr("192.0.2.1"), want_b = addr("2001:db8::9");
	char buf[ADDR_TEXT_MAX];

	ck_assert(addr_equal(&a, &want_a));
	ck_assert(addr_equal(&b, &want_b));
	for (size_t i = 4; i < 16; i++)
		ck_assert_uint_eq(a.bytes[i], 0);
	ck_assert_uint_eq(addr_len(&none), 0);
	ck_assert_str_eq(addr_text(&none, buf), "none");
}
END_TEST

/* In ascending order. */
START_TEST(compares)
{
	static const char *const order[] = {
	    "0.0.0.0", "1.0.0.0", "127.255.255.255", "128.0.0.0", "255.255.255.255", "::", "::1", "7fff::", "8000::", "ffff::"};
	enum { N = sizeof(order) / sizeof(order[0]) };

	for (int i = 0; i < N; i++) {
		for (int j = 0; j < N; j++) {
			struct addr a = addr(order[i]), b = addr(order[j]);

			ck_assert_int_eq(addr_cmp(&a, &b), (i > j) - (i < j));
			ck_assert_int_eq(addr_equal(&a, &b), i == j);
		}
	}
}
END_TEST

START_TEST(masks_every_length)
{
	for (unsigned len = 0; len <= 128; len++) {
		struct addr a = {.family = 6};

		memset(a.bytes, 0xff, sizeof(a.bytes));
		addr_mask(&a, (uint8_t)len);
		for (unsigned bit = 0; bit < 128; bit++)
			if ((a.bytes[bit / 8] >> (7 - bit % 8) & 1) != (bit < len))
				ck_abort_msg("length %u bit %u", len, bit);
	}
}
END_TEST

START_TEST(prefixes)
{
	static const struct {
		const char *in, *out; /* NULL: refused */
	} cases[] = {
	    {"10.1.2.3/8", "10.0.0.0/8"},
	    {"10.1.2.3/0", "0.0.0.0/0"},
	    {"10.1.2.3/31", "10.1.2.2/31"},
	    {"10.1.2.3", "10.1.2.3/32"},
	    {"2001:db8::ffff/121", "2001:db8::ff80/121"},
	    {"2001:db8::1", "2001:db8::1/128"},
	    {"10.1.2.3/33", NULL},
	    {"2001:db8::/129", NULL},
	    {"10.1.2.3/", NULL},
	    {"10.1.2.3/-1", NULL},
	    {"10.1.2.3/+1", NULL},
	    {"10.1.2.3/ 1", NULL},
	    {"10.1.2.3/8x", NULL},
	    {"10.1.2.3/18446744073709551624", NULL},
	    {"10.1.2/8", NULL},
	    {"/8", NULL},
	    {"", NULL},
	    {"1111111111111111111111111111111111111111111111111111111111111111111111111111/8", NULL},
	};
	char buf[ADDR_TEXT_MAX];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct prefix p = {.len = 99};

		ck_assert_int_eq(prefix_parse(&p, cases[i].in), cases[i].out != NULL);
		if (cases[i].out != NULL)
			ck_assert_str_eq(prefix_text(&p, buf), cases[i].out);
		else
			ck_assert_uint_eq(p.len, 99);
	}
}
END_TEST

START_TEST(contains)
{
	struct addr in = addr("10.255.0.1"), out = addr("11.0.0.0"), six = addr("a00::1");
	struct prefix p, all;

	ck_assert(prefix_parse(&p, "10.0.0.0/8"));
	ck_assert(prefix_parse(&all, "0.0.0.0/0"));
	ck_assert(prefix_contains(&p, &in));
	ck_assert(!prefix_contains(&p, &out));
	ck_assert(!prefix_contains(&p, &six));
	ck_assert(prefix_contains(&all, &out));
	ck_assert(!prefix_contains(&all, &six));
}
END_TEST

Suite *
suite_addr(void)
{
	Suite *s = suite_create("base/addr");
	TCase *tc = tcase_create("addr");

	tcase_add_test(tc, parses_and_prints);
	tcase_add_test(tc, refuses_what_is_no_address);
	tcase_add_test(tc, from_bytes);
	tcase_add_test(tc, compares);
	tcase_add_test(tc, masks_every_length);
	tcase_add_test(tc, prefixes);
	tcase_add_test(tc, contains);
	suite_add_tcase(s, tc);
	return s;
}
