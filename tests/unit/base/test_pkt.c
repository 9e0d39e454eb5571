#include "base/pkt.h"
#include "base/serial.h"

#include "tests/unit/suite.h"

Suite *suite_pkt(void);

START_TEST(pushes_and_pulls)
{
	uint8_t buf[100];
	struct pkt p;

	pkt_init(&p, buf, sizeof(buf), PKT_HEADROOM);
	ck_assert_uint_eq(pkt_headroom(&p), PKT_HEADROOM);
	p.len = 10;
	ck_assert_ptr_eq(pkt_push(&p, 16), buf + 48);
	ck_assert_uint_eq(p.len, 26);
	ck_assert_ptr_eq(pkt_pull(&p, 16), buf + 48);
	ck_assert_ptr_eq(p.data, buf + 64);
	ck_assert_uint_eq(p.len, 10);
	ck_assert_ptr_eq(pkt_pull(&p, 10), buf + 64);
	ck_assert_uint_eq(p.len, 0);
}
END_TEST

START_TEST(refuses_more_than_there_is)
{
	uint8_t buf[8];
	struct pkt p;

	pkt_init(&p, buf, sizeof(buf), 4);
	p.len = 4;
	ck_assert_ptr_null(pkt_push(&p, 5));
	ck_assert_ptr_null(pkt_pull(&p, 5));
	ck_assert_ptr_null(pkt_push(&p, SIZE_MAX));
	ck_assert_ptr_eq(p.data, buf + 4);
	ck_assert_uint_eq(p.len, 4);
	ck_assert_ptr_eq(pkt_push(&p, 4), buf);
	ck_assert_ptr_eq(pkt_pull(&p, 8), buf);
}
END_TEST

START_TEST(serial_order_wraps)
{
	ck_assert_int_eq(serial_diff(5, 7), 2);
	ck_assert_int_eq(serial_diff(7, 5), -2);
	ck_assert_int_eq(serial_diff(UINT32_MAX, 0), 1);
	ck_assert(serial_lt(UINT32_MAX, 0));
	ck_assert(!serial_lt(0, UINT32_MAX));
	ck_assert(!serial_lt(3, 3));
	ck_assert(serial_le(3, 3));
	ck_assert(serial_lt(0, INT32_MAX));
	ck_assert(!serial_lt(0, UINT32_C(0x80000001)));
}
END_TEST

Suite *
suite_pkt(void)
{
	Suite *s = suite_create("base/pkt");
	TCase *tc = tcase_create("pkt");

	tcase_add_test(tc, pushes_and_pulls);
	tcase_add_test(tc, refuses_more_than_there_is);
	tcase_add_test(tc, serial_order_wraps);
	suite_add_tcase(s, tc);
	return s;
}
