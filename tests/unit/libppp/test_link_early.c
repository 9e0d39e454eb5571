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

/* What the quicker end sent before this end's program made a bundle is not lost: all is up without any restart time. */
START_TEST(frames_before_the_bundle_are_kept)
{
	uint64_t before;

	p.b.no_bundle = true;
	pair_open(&p);
	ck_assert(!end_saw(&p.b, PPP_EVENT_IPCP_UP));
	before = p.now;
	ck_assert_int_eq(ppp_bundle_new(&p.b.bundle, &p.b.bc, p.now), 0);
	ppp_link_join(p.b.link, p.b.bundle, p.now);
	pair_settle(&p);
	ck_assert(end_saw(&p.a, PPP_EVENT_IPCP_UP));
	ck_assert(end_saw(&p.b, PPP_EVENT_IPCP_UP));
	ck_assert_uint_eq(p.now, before);
}
END_TEST

/* Any number of them, of any length, is bounded. */
START_TEST(too_many_early_frames)
{
	p.b.no_bundle = true;
	pair_open(&p);
	for (int i = 0; i < 100; i++)
		end_rx_hex(&p.b, "8021 01 01 000a 03 06 0a000001");
	ck_assert_int_eq(ppp_bundle_new(&p.b.bundle, &p.b.bc, p.now), 0);
	ppp_link_join(p.b.link, p.b.bundle, p.now);
	pair_run(&p, TS_S(4));
	ck_assert(end_saw(&p.b, PPP_EVENT_IPCP_UP));
}
END_TEST

START_TEST(passive_waits_for_the_peer)
{
	p.a.lc.passive = true;
	end_open(&p.a);
	end_drain(&p.a);
	ck_assert_ptr_null(strstr(p.a.log, "ConfReq"));
	end_open(&p.b);
	pair_settle(&p);
	ck_assert(end_saw(&p.a, PPP_EVENT_IPCP_UP));
}
END_TEST

START_TEST(passive_begins_when_nobody_does)
{
	p.a.lc.passive = true;
	end_open(&p.a);
	p.now += p.a.lc.restart_ns - 1;
	ppp_link_expire(p.a.link, p.now);
	end_drain(&p.a);
	ck_assert_ptr_null(strstr(p.a.log, "ConfReq"));
	p.now++;
	ppp_link_expire(p.a.link, p.now);
	end_drain(&p.a);
	ck_assert_ptr_nonnull(strstr(p.a.log, "ConfReq"));
	for (int i = 0; i < p.a.lc.max_configure; i++) {
		p.now += p.a.lc.restart_ns;
		ppp_link_expire(p.a.link, p.now);
		end_drain(&p.a);
	}
	ck_assert(end_saw(&p.a, PPP_EVENT_DOWN));
	ck_assert_int_eq(p.a.down.down, PPP_DOWN_NO_REPLY);
}
END_TEST

Suite *suite_link_early(void);

Suite *
suite_link_early(void)
{
	Suite *s = suite_create("link_early");
	TCase *t = tcase_create("early");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, frames_before_the_bundle_are_kept);
	tcase_add_test(t, too_many_early_frames);
	tcase_add_test(t, passive_waits_for_the_peer);
	tcase_add_test(t, passive_begins_when_nobody_does);
	suite_add_tcase(s, t);
	return s;
}
