#include "sys/mbox.h"

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <sys/resource.h>

#include "tests/unit/suite.h"

Suite *suite_mbox(void);

static bool
readable(const struct mbox *m)
{
	struct pollfd p = {.fd = mbox_fd(m), .events = POLLIN};

	return poll(&p, 1, 0) == 1;
}

START_TEST(first_in_first_out_up_to_cap)
{
	struct mbox *m = mbox_new(sizeof(int), 5);
	int got;

	ck_assert_ptr_nonnull(m);
	for (int round = 0; round < 7; round++) {
		for (int i = 0; i < 5; i++)
			ck_assert(mbox_post(m, &(int){100 * round + i}));
		ck_assert(!mbox_post(m, &(int){-1}));
		for (int i = 0; i < 3; i++) {
			ck_assert(mbox_take(m, &got));
			ck_assert_int_eq(got, 100 * round + i);
		}
		ck_assert(mbox_post(m, &(int){100 * round + 5})); /* behind the others, around the end of the ring */
		for (int i = 3; i < 6; i++) {
			ck_assert(mbox_take(m, &got));
			ck_assert_int_eq(got, 100 * round + i);
		}
		ck_assert(!mbox_take(m, &got));
	}
	mbox_free(m);
}
END_TEST

START_TEST(descriptor_is_readable_until_found_empty)
{
	struct mbox *m = mbox_new(sizeof(int), 4);
	int got;

	ck_assert(!readable(m));
	mbox_post(m, &(int){1});
	mbox_post(m, &(int){2});
	ck_assert(readable(m));
	ck_assert(mbox_take(m, &got));
	ck_assert(readable(m));
	ck_assert(mbox_take(m, &got));
	ck_assert(!mbox_take(m, &got));
	ck_assert(!readable(m));
	mbox_post(m, &(int){3});
	ck_assert(readable(m));
	mbox_free(m);
}
END_TEST

START_TEST(no_mailbox_without_descriptors)
{
	struct rlimit before, none;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = 0;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	ck_assert_ptr_null(mbox_new(16, 16));
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
	mbox_free(NULL);
}
END_TEST

enum { POSTERS = 4, EACH = 5000 };

struct poster {
	struct mbox *m;
	uint32_t number;
};

static void *
post_all(void *arg)
{
	struct poster *p = arg;

	for (uint32_t i = 0; i < EACH;) {
		uint32_t msg[2] = {p->number, i};

		if (mbox_post(p->m, msg))
			i++;
		else
			sched_yield();
	}
	return NULL;
}

START_TEST(many_threads_post_and_nothing_is_lost)
{
	struct mbox *m = mbox_new(2 * sizeof(uint32_t), 64);
	struct poster posters[POSTERS];
	pthread_t threads[POSTERS];
	uint32_t next[POSTERS] = {0}, msg[2];
	size_t taken = 0;

	for (uint32_t i = 0; i < POSTERS; i++) {
		posters[i] = (struct poster){m, i};
		ck_assert_int_eq(pthread_create(&threads[i], NULL, post_all, &posters[i]), 0);
	}
	while (taken < POSTERS * EACH) {
		struct pollfd p = {.fd = mbox_fd(m), .events = POLLIN};

		ck_assert_int_eq(poll(&p, 1, 20000), 1); /* a lost wake-up ends here */
		while (mbox_take(m, msg)) {
			ck_assert_uint_lt(msg[0], POSTERS);
			ck_assert_uint_eq(msg[1], next[msg[0]]++);
			taken++;
		}
	}
	for (size_t i = 0; i < POSTERS; i++)
		pthread_join(threads[i], NULL);
	ck_assert(!mbox_take(m, msg));
	mbox_free(m);
}
END_TEST

Suite *
suite_mbox(void)
{
	Suite *s = suite_create("mbox");
	TCase *t = tcase_create("mbox");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, first_in_first_out_up_to_cap);
	tcase_add_test(t, descriptor_is_readable_until_found_empty);
	tcase_add_test(t, no_mailbox_without_descriptors);
	tcase_add_test(t, many_threads_post_and_nothing_is_lost);
	suite_add_tcase(s, t);
	return s;
}
