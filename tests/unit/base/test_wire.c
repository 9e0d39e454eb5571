#include "base/wire.h"

#include "tests/unit/suite.h"

Suite *suite_wire(void);

START_TEST(network_order)
{
	uint8_t buf[6];

	put_u16(buf, 0x8001);
	put_u32(buf + 2, 0xfedcba98);
	ck_assert_mem_eq(buf, "\x80\x01\xfe\xdc\xba\x98", 6);
	ck_assert_uint_eq(get_u16(buf), 0x8001);
	ck_assert_uint_eq(get_u32(buf + 2), 0xfedcba98);
}
END_TEST

START_TEST(reads_in_a_row)
{
	static const uint8_t in[] = {1, 0x02, 0x03, 0x80, 0, 0, 4, 'x', 'y', 'z'};
	struct rd r = rd_init(in, sizeof(in));

	ck_assert_uint_eq(rd_u8(&r), 1);
	ck_assert_uint_eq(rd_u16(&r), 0x0203);
	ck_assert_uint_eq(rd_u32(&r), 0x80000004);
	ck_assert_uint_eq(rd_left(&r), 3);
	ck_assert_ptr_eq(rd_bytes(&r, 3), in + 7);
	ck_assert_uint_eq(rd_left(&r), 0);
	ck_assert(r.ok);
	ck_assert_ptr_nonnull(rd_bytes(&r, 0));
	ck_assert(r.ok);
}
END_TEST

/* A read behind the end gives zero, moves nothing, and spoils the reader for good. */
START_TEST(short_reads_stick)
{
	static const uint8_t in[] = {0xff, 0xff, 0xff};
	struct rd r = rd_init(in, sizeof(in));

	ck_assert_uint_eq(rd_u32(&r), 0);
	ck_assert(!r.ok);
	ck_assert_uint_eq(rd_left(&r), 3);
	ck_assert_uint_eq(rd_u8(&r), 0);
	ck_assert_uint_eq(rd_u16(&r), 0);
	ck_assert_ptr_null(rd_bytes(&r, 1));
	r = rd_init(NULL, 0);
	ck_assert_uint_eq(rd_u8(&r), 0);
	ck_assert(!r.ok);
	r = rd_init(in, sizeof(in));
	ck_assert_ptr_null(rd_bytes(&r, SIZE_MAX));
	ck_assert(!r.ok);
}
END_TEST

START_TEST(sub_readers)
{
	static const uint8_t in[] = {1, 2, 3, 4};
	struct rd r = rd_init(in, sizeof(in)), sub = rd_sub(&r, 3), beyond;

	ck_assert_uint_eq(rd_u16(&sub), 0x0102);
	ck_assert_uint_eq(rd_u16(&sub), 0);
	ck_assert(!sub.ok);
	ck_assert(r.ok);
	ck_assert_uint_eq(rd_u8(&r), 4);
	beyond = rd_sub(&r, 1);
	ck_assert(!beyond.ok);
	ck_assert(!r.ok);
	ck_assert_uint_eq(rd_u8(&beyond), 0);
}
END_TEST

START_TEST(writes_in_a_row)
{
	uint8_t buf[12];
	struct wr w = wr_init(buf, sizeof(buf));

	wr_u8(&w, 1);
	wr_u16(&w, 0x0203);
	wr_u32(&w, 0x04050607);
	wr_bytes(&w, "xyz", 3);
	wr_bytes(&w, NULL, 0);
	wr_zero(&w, 2);
	wr_zero(&w, 0);
	ck_assert(w.ok);
	ck_assert_uint_eq(wr_len(&w), 12);
	ck_assert_mem_eq(buf, "\1\2\3\4\5\6\7xyz\0\0", 12);
}
END_TEST

/* What doesn't fit writes nothing, not even in part, and neither does anything after it. */
START_TEST(full_writers_stick)
{
	for (size_t size = 0; size < 4; size++) {
		uint8_t buf[8];
		struct wr w = wr_init(buf, size);

		memset(buf, '#', sizeof(buf));
		wr_u32(&w, 0);
		ck_assert(!w.ok);
		wr_u8(&w, 0);
		wr_u16(&w, 0);
		wr_bytes(&w, "a", 1);
		wr_zero(&w, 1);
		ck_assert_ptr_null(wr_room(&w, 0));
		ck_assert_uint_eq(wr_len(&w), 0);
		for (size_t i = 0; i < sizeof(buf); i++)
			ck_assert_uint_eq(buf[i], '#');
	}
}
END_TEST

Suite *
suite_wire(void)
{
	Suite *s = suite_create("base/wire");
	TCase *tc = tcase_create("wire");

	tcase_add_test(tc, network_order);
	tcase_add_test(tc, reads_in_a_row);
	tcase_add_test(tc, short_reads_stick);
	tcase_add_test(tc, sub_readers);
	tcase_add_test(tc, writes_in_a_row);
	tcase_add_test(tc, full_writers_stick);
	suite_add_tcase(s, tc);
	return s;
}
