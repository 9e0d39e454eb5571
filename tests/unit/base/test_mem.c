#include "base/mem.h"

#include <stdint.h>

#include "tests/unit/suite.h"

Suite *suite_mem(void);

START_TEST(c_library_by_default)
{
	uint8_t *p = mem_calloc(NULL, 3, 5);

	ck_assert_ptr_nonnull(p);
	for (int i = 0; i < 15; i++)
		ck_assert_uint_eq(p[i], 0);
	mem_free(NULL, p);
	mem_free(NULL, NULL);
}
END_TEST

START_TEST(fails_once_where_told)
{
	struct mem_failing f;

	for (size_t fail_at = 0; fail_at <= 4; fail_at++) {
		void *p[4];

		mem_failing_init(&f, fail_at);
		for (size_t i = 0; i < 4; i++) {
			p[i] = mem_calloc(&f.mem, 1, 8);
			ck_assert_int_eq(p[i] == NULL, i + 1 == fail_at);
		}
		ck_assert_uint_eq(f.calls, 4);
		ck_assert_uint_eq(f.held, fail_at == 0 ? 4 : 3);
		for (size_t i = 0; i < 4; i++)
			mem_free(&f.mem, p[i]);
		ck_assert_uint_eq(f.held, 0);
	}
}
END_TEST

START_TEST(free_of_null_is_nothing)
{
	struct mem_failing f;

	mem_failing_init(&f, 0);
	mem_free(&f.mem, NULL);
	ck_assert_uint_eq(f.held, 0);
}
END_TEST

Suite *
suite_mem(void)
{
	Suite *s = suite_create("base/mem");
	TCase *tc = tcase_create("mem");

	tcase_add_test(tc, c_library_by_default);
	tcase_add_test(tc, fails_once_where_told);
	tcase_add_test(tc, free_of_null_is_nothing);
	suite_add_tcase(s, tc);
	return s;
}
