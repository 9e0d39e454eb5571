#include <stdlib.h>
#include <string.h>

#include "tests/unit/libppp/pair.h"
#include "tests/unit/suite.h"

static struct pair p;

static void
setup(void)
{
	pair_init(&p);
}

static void
teardown(void)
{
	pair_fini(&p);
}

START_TEST(test_comes_up_without_authentication)
{
	struct ppp_bundle_info info;
	char text[ADDR_TEXT_MAX];

	pair_open(&p);
	ck_assert(end_saw(&p.a, PPP_EVENT_IPCP_UP));
	ck_assert(end_saw(&p.b, PPP_EVENT_IPCP_UP));
	ppp_bundle_info(p.b.bundle, &info);
	ck_assert(info.ipv4_up);
	ck_assert_str_eq(addr_text(&info.local_v4, text), "10.0.0.2");
	ck_assert_str_eq(addr_text(&info.peer_v4, text), "10.0.0.1");
	ck_assert(pair_ping(&p, &p.a, &p.b, 1400));
	ck_assert(pair_ping(&p, &p.b, &p.a, 20));
	ck_assert_uint_lt(p.frames, 16);
}
END_TEST

Suite *suite_link(void);

Suite *
suite_link(void)
{
	Suite *s = suite_create("link");
	TCase *t = tcase_create("link");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_comes_up_without_authentication);
	suite_add_tcase(s, t);
	return s;
}
