#include "base/timerheap.h"
#include "pptpc/backoff.h"
#include "tests/unit/suite.h"

static struct profile profile;
static struct backoff b;

static void
setup(void)
{
	profile_init(&profile, false);
	backoff_reset(&b);
}

START_TEST(test_doubles_up_to_the_longest)
{
	static const uint64_t seconds[] = {2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600};

	for (size_t i = 0; i < sizeof(seconds) / sizeof(seconds[0]); i++)
		ck_assert_uint_eq(backoff_next(&b, &profile, RETRY_NETWORK, 0), TS_S(seconds[i]));
}
END_TEST

START_TEST(test_each_cause_has_its_sequence)
{
	ck_assert_uint_eq(backoff_next(&b, &profile, RETRY_NETWORK, 0), TS_S(2));
	ck_assert_uint_eq(backoff_next(&b, &profile, RETRY_REFUSED, 0), TS_S(30));
	ck_assert_uint_eq(backoff_next(&b, &profile, RETRY_REFUSED, 0), TS_S(60));
	ck_assert_uint_eq(backoff_next(&b, &profile, RETRY_ENDED, 0), TS_S(5));
	ck_assert_uint_eq(backoff_next(&b, &profile, RETRY_NETWORK, 0), TS_S(2));
	ck_assert_uint_eq(b.total, 5);
}
END_TEST

START_TEST(test_a_wrong_password_stops)
{
	ck_assert_uint_eq(backoff_next(&b, &profile, RETRY_AUTH, 0), TS_NEVER);
	ck_assert_uint_eq(backoff_next(&b, &profile, RETRY_ENCRYPTION, 0), TS_NEVER);
	ck_assert_uint_eq(backoff_next(&b, &profile, RETRY_NEVER, 0), TS_NEVER);
}
END_TEST

START_TEST(test_a_first_wait_above_the_longest_stays)
{
	profile.waits.ended_ns = TS_S(900);
	ck_assert_uint_eq(backoff_next(&b, &profile, RETRY_ENDED, 0), TS_S(900));
	ck_assert_uint_eq(backoff_next(&b, &profile, RETRY_ENDED, 0), TS_S(900));
}
END_TEST

START_TEST(test_attempts_are_counted)
{
	profile.attempts = 3;
	ck_assert_uint_ne(backoff_next(&b, &profile, RETRY_NETWORK, 0), TS_NEVER);
	ck_assert_uint_ne(backoff_next(&b, &profile, RETRY_REFUSED, 0), TS_NEVER);
	ck_assert_uint_eq(backoff_next(&b, &profile, RETRY_NETWORK, 0), TS_NEVER);
	backoff_reset(&b);
	ck_assert_uint_eq(backoff_next(&b, &profile, RETRY_NETWORK, 0), TS_S(2));
}
END_TEST

START_TEST(test_without_retry_never)
{
	profile.retry = false;
	ck_assert_uint_eq(backoff_next(&b, &profile, RETRY_NETWORK, 0), TS_NEVER);
}
END_TEST

START_TEST(test_chance_adds_an_eighth_at_most)
{
	uint64_t wait = backoff_next(&b, &profile, RETRY_REFUSED, UINT32_MAX);

	ck_assert_uint_eq(wait, TS_S(30) + TS_S(30) / 8);
	backoff_reset(&b);
	wait = backoff_next(&b, &profile, RETRY_REFUSED, UINT32_MAX / 2);
	ck_assert_uint_gt(wait, TS_S(30));
	ck_assert_uint_lt(wait, TS_S(30) + TS_S(30) / 8);
}
END_TEST

START_TEST(test_ten_thousand_failures)
{
	for (int i = 0; i < 10000; i++)
		ck_assert_uint_le(backoff_next(&b, &profile, RETRY_NETWORK, 0), TS_S(600));
}
END_TEST

Suite *suite_backoff(void);

Suite *
suite_backoff(void)
{
	Suite *s = suite_create("backoff");
	TCase *t = tcase_create("backoff");

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, test_doubles_up_to_the_longest);
	tcase_add_test(t, test_each_cause_has_its_sequence);
	tcase_add_test(t, test_a_wrong_password_stops);
	tcase_add_test(t, test_a_first_wait_above_the_longest_stays);
	tcase_add_test(t, test_attempts_are_counted);
	tcase_add_test(t, test_without_retry_never);
	tcase_add_test(t, test_chance_adds_an_eighth_at_most);
	tcase_add_test(t, test_ten_thousand_failures);
	suite_add_tcase(s, t);
	return s;
}
