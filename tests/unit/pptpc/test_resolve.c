#include <event2/event.h>

#include "base/timerheap.h"
#include "pptpc/resolve.h"
#include "tests/unit/suite.h"

static struct event_base *base;
static int calls, last_error;
static size_t last_count;
static struct addr last_addr;

static void
setup(void)
{
	base = event_base_new();
	calls = 0;
	last_error = 1;
}

static void
teardown(void)
{
	event_base_free(base);
}

static void
on_answer(void *user, int error, const struct addr *addrs, size_t count)
{
	(void)user;
	calls++;
	last_error = error;
	last_count = count;
	if (count > 0)
		last_addr = addrs[0];
}

START_TEST(test_an_address_is_its_own_answer)
{
	char text[ADDR_TEXT_MAX];

	ck_assert_ptr_nonnull(resolve_start(base, "192.0.2.1", TS_S(30), on_answer, NULL));
	event_base_dispatch(base);
	ck_assert_int_eq(calls, 1);
	ck_assert_int_eq(last_error, 0);
	ck_assert_uint_eq(last_count, 1);
	ck_assert_str_eq(addr_text(&last_addr, text), "192.0.2.1");
}
END_TEST

START_TEST(test_what_is_no_name_fails)
{
	ck_assert_ptr_nonnull(resolve_start(base, "no name at all", TS_S(30), on_answer, NULL));
	event_base_dispatch(base);
	ck_assert_int_eq(calls, 1);
	ck_assert_int_ne(last_error, 0);
}
END_TEST

/* The thread may still run: it finds nobody. */
START_TEST(test_cancelled_is_never_called)
{
	struct resolve *r = resolve_start(base, "192.0.2.1", TS_S(30), on_answer, NULL);

	ck_assert_ptr_nonnull(r);
	resolve_cancel(r);
	resolve_cancel(NULL);
	event_base_dispatch(base);
	ck_assert_int_eq(calls, 0);
}
END_TEST

Suite *suite_resolve(void);

Suite *
suite_resolve(void)
{
	Suite *s = suite_create("resolve");
	TCase *t = tcase_create("resolve");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_an_address_is_its_own_answer);
	tcase_add_test(t, test_what_is_no_name_fails);
	tcase_add_test(t, test_cancelled_is_never_called);
	suite_add_tcase(s, t);
	return s;
}
