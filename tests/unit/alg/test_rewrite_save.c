#include <string.h>

#include "tests/unit/alg/gw.h"
#include "tests/unit/suite.h"

Suite *suite_rewrite_save(void);

enum { SAVED_MAX = 4096 };

/* Hands the rewriter over to itself. */
static void
hand_over(struct gw *g)
{
	uint8_t buf[SAVED_MAX], again[SAVED_MAX];
	size_t n = alg_rewrite_save(g->rw, buf, sizeof(buf));
	struct alg_rewrite *next;
	int taken = g->taken;

	ck_assert_uint_gt(n, 0);
	for (size_t small = 0; small < n; small++)
		ck_assert_uint_eq(alg_rewrite_save(g->rw, again, small), 0);
	ck_assert_int_eq(alg_rewrite_load(&next, &g->config, buf, n), 0);
	ck_assert_int_eq(g->taken, 2 * taken);
	alg_rewrite_free(g->rw);
	g->rw = next;
	ck_assert_uint_eq(alg_rewrite_save(g->rw, again, sizeof(again)), n);
	ck_assert_mem_eq(again, buf, n);
}

START_TEST(a_call_goes_on)
{
	struct gw g;

	gw_init(&g);
	gw_open(&g);
	hand_over(&g);
	gw_start(&g);
	hand_over(&g);
	gw_say(&g, ALG_CLIENT, OCRQ, 5, 0);
	hand_over(&g); /* with output and an event */
	ck_assert_str_eq(gw_line(&g), ">OCRQ:1005 NEW#1");
	gw_say(&g, ALG_SERVER, OCRP, 7, 1005);
	gw_line(&g);
	hand_over(&g); /* with a held reply */
	alg_rewrite_gates(g.rw, 1, true);
	hand_over(&g);
	ck_assert_str_eq(gw_line(&g), "<OCRP:2007/5=1");
	gw_feed(&g, ALG_CLIENT, "\0\x18\0\1\x1a\x2b", 6); /* half a message */
	hand_over(&g);
	gw_feed(&g, ALG_CLIENT, "\x3c\x4d\0\x0f\0\0\x07\xd7\0\0\xff\xff\xff\xff\xff\xff\xff\xff", 18);
	ck_assert_str_eq(gw_line(&g), ">SLI/7");
	gw_say(&g, ALG_SERVER, CDN, 7, 0);
	gw_line(&g);
	hand_over(&g);
	gw_say(&g, ALG_CLIENT, CCR, 5, 0); /* late, and known for that */
	ck_assert_str_eq(gw_line(&g), "");
	gw_say(&g, ALG_CLIENT, OCRQ, 6, 0);
	ck_assert_str_eq(gw_line(&g), ">OCRQ:1006 NEW#2");
	gw_free(&g);
}
END_TEST

START_TEST(whatever_is_damaged_is_refused)
{
	uint8_t buf[SAVED_MAX];
	struct alg_rewrite *next;
	size_t n;
	struct gw g;

	gw_init(&g);
	gw_open(&g);
	gw_start(&g);
	gw_call(&g);
	gw_say(&g, ALG_CLIENT, OCRQ, 6, 0);
	gw_say(&g, ALG_SERVER, OCRP, 8, 1006);
	n = alg_rewrite_save(g.rw, buf, sizeof(buf));
	for (size_t len = 0; len < n; len++)
		ck_assert_int_eq(alg_rewrite_load(&next, &g.config, buf, len), -1);
	ck_assert_int_eq(g.taken, 4);
	for (size_t i = 0; i < n; i++) { /* changed bytes may be refused or not, but do no harm */
		buf[i] ^= 0xff;
		if (alg_rewrite_load(&next, &g.config, buf, n) == 0)
			alg_rewrite_free(next);
		buf[i] ^= 0xff;
	}
	ck_assert_int_eq(g.taken, 4);
	gw_free(&g);
}
END_TEST

/* Half a message that says it is shorter than what there is of it would have its rest counted below zero. */
START_TEST(half_a_message_is_less_than_one)
{
	static const uint8_t half[] = {0, 24, 0, 1, 0x1a, 0x2b, 0x3c, 0x4d, 0, 15, 0, 0, 0, 7, 0, 0};
	uint8_t buf[SAVED_MAX], *at;
	struct alg_rewrite *next;
	size_t n;
	struct gw g;

	gw_init(&g);
	gw_open(&g);
	gw_start(&g);
	gw_feed(&g, ALG_CLIENT, half, sizeof(half));
	n = alg_rewrite_save(g.rw, buf, sizeof(buf));
	at = memmem(buf, n, half, sizeof(half));
	ck_assert_ptr_nonnull(at);
	at[9] = 0; /* of a type without a length of its own */
	at[1] = 17;
	ck_assert_int_eq(alg_rewrite_load(&next, &g.config, buf, n), 0);
	alg_rewrite_free(next);
	at[1] = 16; /* a whole one */
	ck_assert_int_eq(alg_rewrite_load(&next, &g.config, buf, n), -1);
	at[1] = 12;
	ck_assert_int_eq(alg_rewrite_load(&next, &g.config, buf, n), -1);
	at[4] = 0; /* no message's beginning */
	at[1] = 24;
	ck_assert_int_eq(alg_rewrite_load(&next, &g.config, buf, n), -1);
	gw_free(&g);
}
END_TEST

/* What isn't PPTP is not kept once nobody looks at it. */
START_TEST(a_lost_stream_is_handed_over)
{
	struct gw g;

	gw_init(&g);
	gw_open(&g);
	gw_start(&g);
	gw_call(&g);
	gw_feed(&g, ALG_CLIENT, "nonsense that is no message", 27);
	hand_over(&g);
	ck_assert_str_eq(gw_line(&g), "END#1:malformed CLOSED:malformed");
	gw_free(&g);
}
END_TEST

/* A request whose id an older call had, where another older call has to make room, is three events at once. */
START_TEST(fewer_calls_than_before)
{
	uint8_t buf[SAVED_MAX];
	struct alg_rewrite *next;
	struct pptp_msg msg = gw_msg(OCRQ, 1, 0);
	size_t n;
	struct gw g;

	gw_init(&g);
	gw_open(&g);
	gw_start(&g);
	for (uint16_t i = 1; i <= 3; i++)
		gw_say(&g, ALG_CLIENT, OCRQ, i, 0);
	for (uint16_t i = 1; i <= 2; i++)
		gw_say(&g, ALG_CLIENT, CCR, i, 0);
	gw_line(&g);
	n = alg_rewrite_save(g.rw, buf, sizeof(buf));
	alg_rewrite_free(g.rw);
	g.config.max_calls = 2;
	ck_assert_int_eq(alg_rewrite_load(&next, &g.config, buf, n), 0);
	g.rw = next;
	for (uint16_t i = 0; i < 6; i++)
		gw_say(&g, ALG_CLIENT, CCR, 99, 0);
	n = (size_t)pptp_msg_encode(buf, sizeof(buf), &msg);
	ck_assert_uint_eq(gw_feed(&g, ALG_CLIENT, buf, n), 0);
	gw_line(&g);
	ck_assert_uint_eq(gw_feed(&g, ALG_CLIENT, buf, n), n);
	ck_assert_str_eq(gw_line(&g), ">OCRQ:1001 END#1:cleared END#2:cleared NEW#4");
	gw_say(&g, ALG_CLIENT, OCRQ, 4, 0);
	ck_assert_str_eq(gw_line(&g), "<OCRP:0/4=2 REFUSED:crowded");
	gw_free(&g);
}
END_TEST

/* More than one too many: those that nobody answers make room one by one. */
START_TEST(many_fewer_calls_than_before)
{
	uint8_t buf[SAVED_MAX];
	struct alg_rewrite *next;
	size_t n;
	struct gw g;

	gw_init(&g);
	gw_open(&g);
	gw_start(&g);
	for (uint16_t i = 1; i <= 3; i++)
		gw_say(&g, ALG_CLIENT, OCRQ, i, 0);
	for (uint16_t i = 1; i <= 3; i++)
		gw_say(&g, ALG_CLIENT, CCR, i, 0);
	gw_line(&g);
	n = alg_rewrite_save(g.rw, buf, sizeof(buf));
	alg_rewrite_free(g.rw);
	g.config.max_calls = 1;
	ck_assert_int_eq(alg_rewrite_load(&next, &g.config, buf, n), 0);
	g.rw = next;
	gw_say(&g, ALG_CLIENT, OCRQ, 4, 0);
	ck_assert_str_eq(gw_line(&g), "<OCRP:0/4=2 END#1:cleared REFUSED:crowded");
	gw_say(&g, ALG_CLIENT, OCRQ, 5, 0);
	ck_assert_str_eq(gw_line(&g), "<OCRP:0/5=2 END#2:cleared REFUSED:crowded");
	gw_say(&g, ALG_CLIENT, OCRQ, 6, 0);
	ck_assert_str_eq(gw_line(&g), ">OCRQ:1006 END#3:cleared NEW#4");
	gw_free(&g);
}
END_TEST

START_TEST(an_id_that_is_gone_refuses)
{
	uint8_t buf[SAVED_MAX];
	struct alg_rewrite *next;
	size_t n;
	struct gw g;

	gw_init(&g);
	gw_open(&g);
	gw_start(&g);
	gw_call(&g);
	n = alg_rewrite_save(g.rw, buf, sizeof(buf));
	g.take_fails = ALG_WHY_NO_ID;
	ck_assert_int_eq(alg_rewrite_load(&next, &g.config, buf, n), -1);
	ck_assert_int_eq(g.taken, 2);
	gw_free(&g);
}
END_TEST

START_TEST(no_memory)
{
	uint8_t buf[SAVED_MAX];
	struct alg_rewrite *next;
	size_t n;
	struct gw g;

	gw_init(&g);
	gw_open(&g);
	gw_start(&g);
	gw_call(&g);
	n = alg_rewrite_save(g.rw, buf, sizeof(buf));
	for (size_t i = 1; i <= 2; i++) {
		g.failing.fail_at = g.failing.calls + i;
		ck_assert_int_eq(alg_rewrite_load(&next, &g.config, buf, n), -1);
	}
	gw_free(&g);
}
END_TEST

Suite *
suite_rewrite_save(void)
{
	Suite *s = suite_create("rewrite_save");
	TCase *t = tcase_create("rewrite_save");

	tcase_add_test(t, a_call_goes_on);
	tcase_add_test(t, whatever_is_damaged_is_refused);
	tcase_add_test(t, half_a_message_is_less_than_one);
	tcase_add_test(t, a_lost_stream_is_handed_over);
	tcase_add_test(t, fewer_calls_than_before);
	tcase_add_test(t, many_fewer_calls_than_before);
	tcase_add_test(t, an_id_that_is_gone_refuses);
	tcase_add_test(t, no_memory);
	suite_add_tcase(s, t);
	return s;
}
