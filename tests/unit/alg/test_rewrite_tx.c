#include <string.h>

#include "base/wire.h"
#include "tests/unit/alg/gw.h"
#include "tests/unit/suite.h"

Suite *suite_rewrite_tx(void);

/* A message full of odd but allowed bytes goes through, and only its ids differ. */
static void
check_identical(struct gw *g, enum alg_side from, uint8_t *bytes, uint16_t call_id, uint16_t peer_call_id)
{
	const struct pptp_msg_info *info = pptp_msg_info(get_u16(bytes + 8));
	enum alg_side to = from == ALG_CLIENT ? ALG_SERVER : ALG_CLIENT;

	g->nbytes[to] = 0;
	ck_assert_uint_eq(gw_feed(g, from, bytes, info->length), info->length);
	gw_line(g);
	ck_assert_uint_eq(g->nbytes[to], info->length);
	if (info->call_id_offset != 0)
		put_u16(bytes + info->call_id_offset, call_id);
	if (info->peer_call_id_offset != 0)
		put_u16(bytes + info->peer_call_id_offset, peer_call_id);
	ck_assert_mem_eq(g->bytes[to], bytes, info->length);
}

static uint8_t *
odd(unsigned type, uint16_t call_id, uint16_t peer_call_id)
{
	static uint8_t bytes[PPTP_MAX_MESSAGE];
	struct pptp_msg msg = gw_msg(type, call_id, peer_call_id);
	uint8_t clean[PPTP_MAX_MESSAGE];
	int n = pptp_msg_encode(clean, sizeof(clean), &msg);

	for (int i = 0; i < n; i++)
		bytes[i] = i >= 20 ? (uint8_t)(0xA0 + i) : clean[i];
	bytes[10] = 0xEE; /* reserved */
	return bytes;
}

START_TEST(everything_else_stays)
{
	struct gw g;

	gw_init(&g);
	gw_open(&g);
	gw_start(&g);
	check_identical(&g, ALG_CLIENT, odd(ECHORQ, 0, 0), 0, 0);
	check_identical(&g, ALG_SERVER, odd(ECHORP, 0, 0), 0, 0);
	check_identical(&g, ALG_CLIENT, odd(OCRQ, 5, 0), 1005, 0);
	gw_feed(&g, ALG_SERVER, odd(OCRP, 7, 1005), 32);
	gw_line(&g);
	g.nbytes[ALG_CLIENT] = 0;
	alg_rewrite_gates(g.rw, 1, true);
	gw_line(&g);
	ck_assert_uint_eq(g.nbytes[ALG_CLIENT], 32);
	ck_assert_mem_eq(g.bytes[ALG_CLIENT], odd(OCRP, 2007, 5), 32);
	check_identical(&g, ALG_CLIENT, odd(SLI, 0, 2007), 0, 7);
	check_identical(&g, ALG_SERVER, odd(SLI, 0, 1005), 0, 5);
	check_identical(&g, ALG_SERVER, odd(WEN, 0, 1005), 0, 5);
	check_identical(&g, ALG_CLIENT, odd(WEN, 0, 2007), 0, 7);
	check_identical(&g, ALG_CLIENT, odd(CCR, 5, 0), 1005, 0);
	check_identical(&g, ALG_SERVER, odd(CDN, 7, 0), 2007, 0);
	gw_free(&g);
}
END_TEST

START_TEST(route_mode_changes_nothing)
{
	struct gw g;

	gw_init(&g);
	g.same = true;
	gw_open(&g);
	gw_start(&g);
	gw_call(&g);
	check_identical(&g, ALG_CLIENT, odd(SLI, 0, 7), 0, 7);
	check_identical(&g, ALG_CLIENT, odd(CCR, 5, 0), 5, 0);
	check_identical(&g, ALG_SERVER, odd(CDN, 7, 0), 7, 0);
	gw_free(&g);
}
END_TEST

/* Why a request is refused, what the client is told. */
static void
check_refusal(enum alg_why why, unsigned error)
{
	struct pptp_msg msg;
	struct gw g;

	gw_init(&g);
	gw_open(&g);
	gw_start(&g);
	g.take_fails = why;
	g.nbytes[ALG_CLIENT] = 0;
	gw_say(&g, ALG_CLIENT, OCRQ, 5, 0);
	ck_assert_ptr_nonnull(strstr(gw_line(&g), "<OCRP:0/5=2 REFUSED"));
	ck_assert_int_eq(g.last.why, why);
	ck_assert_uint_eq(g.last.call.client_id, 5);
	ck_assert_int_eq(pptp_msg_decode(&msg, g.bytes[ALG_CLIENT], 32, PPTP_STRICT, NULL), PPTP_OK);
	ck_assert_uint_eq(msg.outgoing_call_reply.error_code, error);
	gw_say(&g, ALG_SERVER, ICRQ, 9, 0);
	ck_assert_ptr_nonnull(strstr(gw_line(&g), ">ICRP:0/9=2 REFUSED"));
	ck_assert_uint_eq(g.last.call.server_id, 9);
	gw_free(&g);
}

START_TEST(refuses_in_the_other_ends_place)
{
	check_refusal(ALG_WHY_NO_ID, PPTP_EC_NO_RESOURCE);
	check_refusal(ALG_WHY_TOO_MANY, PPTP_EC_NO_RESOURCE);
	check_refusal(ALG_WHY_NO_MEMORY, PPTP_EC_NO_RESOURCE);
}
END_TEST

START_TEST(admin_clears_a_call_that_is_up)
{
	struct gw g;

	gw_init(&g);
	gw_open(&g);
	gw_start(&g);
	gw_call(&g);
	ck_assert(!alg_rewrite_clear(g.rw, 2, ALG_WHY_ADMIN));
	ck_assert(alg_rewrite_clear(g.rw, 1, ALG_WHY_ADMIN));
	ck_assert_str_eq(gw_line(&g), "<CDN:2007=3 >CCR:1005 END#1:admin");
	ck_assert(!alg_rewrite_clear(g.rw, 1, ALG_WHY_ADMIN));
	/* What both answer is swallowed. */
	gw_say(&g, ALG_SERVER, CDN, 7, 0);
	gw_say(&g, ALG_CLIENT, CCR, 5, 0);
	ck_assert_str_eq(gw_line(&g), "");
	gw_free(&g);
}
END_TEST

START_TEST(admin_clears_an_unanswered_call)
{
	struct gw g;

	gw_init(&g);
	gw_open(&g);
	gw_start(&g);
	gw_say(&g, ALG_CLIENT, OCRQ, 5, 0);
	gw_line(&g);
	ck_assert(alg_rewrite_clear(g.rw, 1, ALG_WHY_ADMIN));
	ck_assert_str_eq(gw_line(&g), "<OCRP:0/5=7 >CCR:1005 END#1:admin");
	gw_say(&g, ALG_SERVER, OCRP, 7, 1005); /* crossed */
	ck_assert_str_eq(gw_line(&g), "");
	gw_say(&g, ALG_SERVER, ICRQ, 8, 0);
	gw_line(&g);
	ck_assert(alg_rewrite_clear(g.rw, 2, ALG_WHY_ADMIN));
	ck_assert_str_eq(gw_line(&g), "<CDN:2008=3 >ICRP:0/8=3 END#2:admin");
	gw_say(&g, ALG_CLIENT, ICRP, 5, 2008);
	ck_assert_str_eq(gw_line(&g), "");
	gw_free(&g);
}
END_TEST

START_TEST(admin_clears_an_incoming_call)
{
	struct gw g;

	gw_init(&g);
	gw_open(&g);
	gw_start(&g);
	gw_incoming(&g);
	ck_assert(alg_rewrite_clear(g.rw, 1, ALG_WHY_IDLE));
	ck_assert_str_eq(gw_line(&g), "<CDN:2007=1 >CCR:1005 END#1:idle");
	gw_free(&g);
}
END_TEST

START_TEST(admin_clears_what_is_being_cleared)
{
	struct gw g;

	gw_init(&g);
	gw_open(&g);
	gw_start(&g);
	gw_call(&g);
	gw_say(&g, ALG_CLIENT, CCR, 5, 0);
	gw_line(&g);
	ck_assert(alg_rewrite_clear(g.rw, 1, ALG_WHY_ADMIN));
	ck_assert_str_eq(gw_line(&g), "<CDN:2007=3 END#1:admin"); /* the server knows */
	gw_free(&g);
}
END_TEST

START_TEST(traces_both_forms)
{
	struct gw g;

	gw_init(&g);
	gw_open(&g);
	gw_start(&g);
	gw_call(&g);
	gw_say(&g, ALG_SERVER, SLI, 0, 99);
	gw_line(&g);
	alg_rewrite_clear(g.rw, 1, ALG_WHY_ADMIN);
	ck_assert_str_eq(g.traced, "cSCCRQ>SCCRQ sSCCRP>SCCRP cOCRQ>OCRQ sOCRP> s>OCRP sSLI> s>CDN c>CCR");
	gw_free(&g);
}
END_TEST

Suite *
suite_rewrite_tx(void)
{
	Suite *s = suite_create("rewrite_tx");
	TCase *t = tcase_create("rewrite_tx");

	tcase_add_test(t, everything_else_stays);
	tcase_add_test(t, route_mode_changes_nothing);
	tcase_add_test(t, refuses_in_the_other_ends_place);
	tcase_add_test(t, admin_clears_a_call_that_is_up);
	tcase_add_test(t, admin_clears_an_unanswered_call);
	tcase_add_test(t, admin_clears_an_incoming_call);
	tcase_add_test(t, admin_clears_what_is_being_cleared);
	tcase_add_test(t, traces_both_forms);
	suite_add_tcase(s, t);
	return s;
}
