#include "sys/log_limit.h"

#include <string.h>

#include "base/timerheap.h"
#include "sys/log.h"
#include "tests/unit/suite.h"
#include "tests/unit/sys/capture.h"

Suite *suite_log_limit(void);

static unsigned
written(struct log_limit *l, unsigned lines, uint64_t ts, uint64_t *held)
{
	unsigned n = 0;
	uint64_t h;

	*held = 0;
	while (lines-- > 0) {
		n += log_limit(l, ts, &h);
		*held += h;
	}
	return n;
}

START_TEST(lets_a_burst_through)
{
	struct log_limit l = {0};
	uint64_t held;

	ck_assert_uint_eq(written(&l, LOG_LIMIT_BURST, TS_S(5), &held), LOG_LIMIT_BURST);
	ck_assert_uint_eq(held, 0);
	ck_assert_uint_eq(written(&l, 1000, TS_S(5), &held), 0);
	ck_assert_uint_eq(l.held, 1000);
}
END_TEST

START_TEST(goes_on_at_a_pace)
{
	struct log_limit l = {0};
	unsigned n = 0;
	uint64_t held;

	written(&l, LOG_LIMIT_BURST + 7, TS_S(5), &held);
	ck_assert_uint_eq(written(&l, 2, TS_S(5) + TS_MS(LOG_LIMIT_MS), &held), 1);
	ck_assert_uint_eq(held, 7);
	ck_assert_uint_eq(l.held, 1);
	for (unsigned ms = 1; ms <= 10000; ms++)
		n += written(&l, 3, TS_S(5) + TS_MS(LOG_LIMIT_MS + ms), &held);
	ck_assert_uint_eq(n, 10000 / LOG_LIMIT_MS);
}
END_TEST

START_TEST(a_quiet_time_gives_the_burst_back)
{
	struct log_limit l = {0};
	uint64_t held;

	written(&l, 3 * LOG_LIMIT_BURST, TS_S(5), &held);
	ck_assert_uint_eq(written(&l, 3 * LOG_LIMIT_BURST, TS_S(5) + LOG_LIMIT_BURST * TS_MS(LOG_LIMIT_MS), &held), LOG_LIMIT_BURST);
	ck_assert_uint_eq(held, 2 * LOG_LIMIT_BURST);
	ck_assert_uint_eq(written(&l, 1, TS_S(1000), &held), 1);
	ck_assert_uint_eq(held, 2 * LOG_LIMIT_BURST);
}
END_TEST

START_TEST(says_how_many_it_withheld)
{
	struct log_limit l = {0};
	unsigned n = 0;

	log_set_level(LOG_LEVEL_INFO);
	capture_begin();
	while (l.held < 5)
		n += log_may(&l, "control-up");
	/* A moment of rest at most came between: the burst, and what the pace added. */
	ck_assert_uint_ge(n, LOG_LIMIT_BURST);
	l.due_ts = 0;
	ck_assert(log_may(&l, "control-up"));
	ck_assert_ptr_nonnull(strstr(capture_end(), "event=log-suppressed of=control-up lines=5"));
}
END_TEST

Suite *
suite_log_limit(void)
{
	Suite *s = suite_create("log_limit");
	TCase *t = tcase_create("log_limit");

	tcase_add_test(t, lets_a_burst_through);
	tcase_add_test(t, goes_on_at_a_pace);
	tcase_add_test(t, a_quiet_time_gives_the_burst_back);
	tcase_add_test(t, says_how_many_it_withheld);
	suite_add_tcase(s, t);
	return s;
}
