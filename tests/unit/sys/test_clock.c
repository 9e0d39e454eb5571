#include "sys/clock.h"

#include <string.h>
#include <time.h>

#include "tests/unit/suite.h"

Suite *suite_clock(void);

START_TEST(monotonic_never_goes_back)
{
	uint64_t last = clock_ts();

	for (int i = 0; i < 1000; i++) {
		uint64_t now = clock_ts();

		ck_assert_uint_ge(now, last);
		last = now;
	}
}
END_TEST

START_TEST(unix_time_is_the_calendar)
{
	time_t before = time(NULL);
	uint64_t now = clock_unix();

	ck_assert_uint_ge(now, (uint64_t)before);
	ck_assert_uint_le(now, (uint64_t)time(NULL) + 1);
}
END_TEST

START_TEST(random_fills_every_byte)
{
	uint8_t seen[4096] = {0}, buf[4096];
	size_t untouched = 0;

	/* One draw leaves a byte zero with 1/256; five in a row would need about 4 of 10^12 tries. */
	for (int i = 0; i < 5; i++) {
		clock_random(NULL, buf, sizeof(buf));
		for (size_t j = 0; j < sizeof(buf); j++)
			seen[j] |= buf[j];
	}
	for (size_t j = 0; j < sizeof(buf); j++)
		untouched += seen[j] == 0;
	ck_assert_uint_eq(untouched, 0);
	memset(buf, 7, sizeof(buf));
	clock_random(NULL, buf, 0);
	ck_assert_uint_eq(buf[0], 7);
}
END_TEST

Suite *
suite_clock(void)
{
	Suite *s = suite_create("clock");
	TCase *t = tcase_create("clock");

	tcase_add_test(t, monotonic_never_goes_back);
	tcase_add_test(t, unix_time_is_the_calendar);
	tcase_add_test(t, random_fills_every_byte);
	suite_add_tcase(s, t);
	return s;
}
