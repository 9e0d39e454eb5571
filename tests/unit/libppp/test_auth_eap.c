/* EAP: what is not common to all methods (test_auth_fsm.c). */
#include "libppp/auth_fsm.h"

#include <stdio.h>
#include <string.h>

#include "base/timerheap.h"
#include "base/wire.h"
#include "tests/unit/libppp/auth_pair.h"
#include "tests/unit/libppp/util.h"
#include "tests/unit/suite.h"

Suite *suite_auth_eap(void);

/* Both as far as the first request of the strongest method of r_methods, which the peer has not seen. */
static void
at_method(struct auth_pair *p, unsigned r_methods, unsigned e_methods, uint8_t retries)
{
	auth_pair_init(p, retries);
	p->keep_r = 1;
	p->lose_r = 1;
	auth_pair_start(p, r_methods, e_methods);
	ck_assert_int_eq(p->r.state, AUTHR_CHALLENGE);
}

static enum authr_result
to_r(struct auth_pair *p, uint8_t id, const char *hex)
{
	uint8_t packet[512] = {2, id};
	size_t len = 4 + unhex(packet + 4, sizeof(packet) - 4, hex);

	put_u16(packet + 2, (uint16_t)len);
	return auth_to_r(p, PPP_PROTO_EAP, packet, len);
}

static enum authe_result
to_e(struct auth_pair *p, uint8_t code, uint8_t id, const char *hex)
{
	uint8_t packet[512] = {code, id};
	size_t len = 4 + unhex(packet + 4, sizeof(packet) - 4, hex);

	put_u16(packet + 2, (uint16_t)len);
	return auth_to_e(p, PPP_PROTO_EAP, packet, len);
}

/* The next frame of a queue, from its code on, is this. */
static void
assert_sent(struct outq *q, const char *hex)
{
	uint8_t frame[AUTH_FRAME];
	size_t len = outq_take(q, frame, sizeof(frame));

	ck_assert_uint_gt(len, 2);
	ck_assert_uint_eq(get_u16(frame), PPP_PROTO_EAP);
	assert_hex(frame + 2, len - 2, hex);
}

/* ---- which method --------------------------------------------------------------------------------------------------- */

START_TEST(strongest_first)
{
	struct auth_pair p;

	auth_pair_init(&p, 0);
	auth_pair_start(&p, PPP_AUTH_EAP_ANY, PPP_AUTH_EAP_ANY);
	ck_assert_int_eq(p.r_result, AUTHR_ACCEPTED);
	ck_assert_int_eq(p.r.method, PPP_AUTH_EAP_MSCHAPV2);
	ck_assert_int_eq(p.e.method, PPP_AUTH_EAP_MSCHAPV2);
}
END_TEST

START_TEST(nak_switches)
{
	struct auth_pair p;

	auth_pair_init(&p, 0);
	auth_pair_start(&p, PPP_AUTH_EAP_ANY, PPP_AUTH_EAP_MD5);
	ck_assert_int_eq(p.r_result, AUTHR_ACCEPTED);
	ck_assert_int_eq(p.e_result, AUTHE_ACCEPTED);
	ck_assert_int_eq(p.r.method, PPP_AUTH_EAP_MD5);
	ck_assert_int_eq(p.r.request.method, PPP_AUTH_EAP_MD5);
	ck_assert(!p.r.keys.valid);
}
END_TEST

START_TEST(nak_of_all)
{
	struct auth_pair p;

	auth_pair_init(&p, 0);
	auth_pair_start(&p, PPP_AUTH_EAP_MSCHAPV2, PPP_AUTH_EAP_MD5);
	ck_assert_int_eq(p.r_result, AUTHR_NO_METHOD);
	/* no Failure, which would end the link, before the authenticator's link has nothing else */
	ck_assert_uint_eq(p.last_r[2], 1);
	ck_assert_int_eq(p.e.state, AUTHE_WAIT);
	authr_give_up(&p.r);
	auth_pair_settle(&p);
	ck_assert_uint_eq(p.last_r[2], 4);
	ck_assert_int_eq(p.e_result, AUTHE_NO_METHOD);
	ck_assert_int_eq(p.e.state, AUTHE_CLOSED);
	ck_assert_uint_eq(p.requests, 0);
}
END_TEST

START_TEST(naks_of_every_kind)
{
	static const struct {
		const char *types;
		enum authr_result result;
	} v[] = {
	    {"03", AUTHR_NO_METHOD},          /* lists nothing */
	    {"0300", AUTHR_NO_METHOD},        /* wants nothing */
	    {"031a", AUTHR_NO_METHOD},        /* wants what it refuses */
	    {"030d1504", AUTHR_NONE},         /* TLS, TTLS, and MD5, which is allowed */
	    {"03fefefefe04", AUTHR_NONE},     /* and things unknown */
	    {"fe00000000000003", AUTHR_NONE}, /* an expanded Nak answers nothing that we send */
	};

	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		struct auth_pair p;

		at_method(&p, PPP_AUTH_EAP_ANY, PPP_AUTH_EAP_ANY, 0);
		ck_assert_int_eq(to_r(&p, p.r.id, v[i].types), v[i].result);
	}
}
END_TEST

/* A Nak to the second offer can't bring the first back. */
START_TEST(naks_end)
{
	struct auth_pair p;

	at_method(&p, PPP_AUTH_EAP_ANY, PPP_AUTH_EAP_ANY, 0);
	ck_assert_int_eq(to_r(&p, p.r.id, "0304"), AUTHR_NONE);
	ck_assert_int_eq(p.r.method, PPP_AUTH_EAP_MD5);
	ck_assert_int_eq(to_r(&p, p.r.id, "031a"), AUTHR_NO_METHOD);
}
END_TEST

START_TEST(nak_in_the_wrong_place)
{
	struct auth_pair p;

	auth_pair_init(&p, 0);
	authr_start(&p.r, PPP_AUTH_EAP_ANY, 0);
	ck_assert_int_eq(to_r(&p, p.r.id, "0304"), AUTHR_NONE);
	ck_assert_int_eq(p.r.state, AUTHR_IDENTITY);
	at_method(&p, PPP_AUTH_EAP_ANY, PPP_AUTH_EAP_ANY, 0);
	ck_assert_int_eq(to_r(&p, (uint8_t)(p.r.id - 1), "0304"), AUTHR_NONE);
	ck_assert_int_eq(p.r.method, PPP_AUTH_EAP_MSCHAPV2);
}
END_TEST

START_TEST(we_nak_what_we_do_not_do)
{
	struct auth_pair p;

	auth_pair_init(&p, 0);
	authe_start(&p.e, PPP_AUTH_EAP_ANY, 0);
	to_e(&p, 1, 5, "0d20");
	assert_sent(&p.e_out, "02050007 031a04");
	p.e_secret = test_nt_hash("secret");
	authe_start(&p.e, PPP_AUTH_EAP_ANY, 0);
	to_e(&p, 1, 6, "0410 00112233445566778899aabbccddeeff");
	assert_sent(&p.e_out, "02060006 031a");
	authe_start(&p.e, PPP_AUTH_EAP_MD5, 0);
	to_e(&p, 1, 7, "0410 00112233445566778899aabbccddeeff");
	assert_sent(&p.e_out, "02070006 0300");
}
END_TEST

/* Failure is a verdict on our password only where one was asked for. */
START_TEST(failure_after_naks)
{
	struct auth_pair p;

	auth_pair_init(&p, 0);
	authe_start(&p.e, PPP_AUTH_EAP_ANY, 0);
	to_e(&p, 1, 1, "01");
	ck_assert_int_eq(to_e(&p, 4, 1, ""), AUTHE_REJECTED); /* it does not like the name */
	authe_start(&p.e, PPP_AUTH_EAP_ANY, 0);
	to_e(&p, 1, 1, "01");
	to_e(&p, 1, 2, "0d20");
	to_e(&p, 1, 3, "1900");
	ck_assert_int_eq(to_e(&p, 4, 3, ""), AUTHE_NO_METHOD);
	ck_assert_int_eq(to_e(&p, 4, 3, ""), AUTHE_NONE);
	authe_start(&p.e, PPP_AUTH_EAP_ANY, 0);
	to_e(&p, 1, 5, "0d20");
	to_e(&p, 1, 6, "0410 00112233445566778899aabbccddeeff");
	ck_assert_int_eq(to_e(&p, 4, 6, ""), AUTHE_REJECTED);
}
END_TEST

/* ---- the peer's side ------------------------------------------------------------------------------------------------ */

START_TEST(identity_and_notification)
{
	struct auth_pair p;

	auth_pair_init(&p, 0);
	authe_start(&p.e, PPP_AUTH_EAP_ANY, 0);
	to_e(&p, 1, 1, "02 68656c6c6f");
	assert_sent(&p.e_out, "02010005 02");
	to_e(&p, 1, 2, "01 77686f3f");
	assert_sent(&p.e_out, "02020008 01 6a6f65");
	/* the same again gets the same again */
	to_e(&p, 1, 2, "01 77686f3f");
	assert_sent(&p.e_out, "02020008 01 6a6f65");
	/* no type, no answer */
	to_e(&p, 1, 3, "");
	ck_assert_uint_eq(outq_peek(&p.e_out), 0);
}
END_TEST

START_TEST(success_out_of_the_blue)
{
	struct auth_pair p;

	auth_pair_init(&p, 0);
	authe_start(&p.e, PPP_AUTH_EAP_ANY, 0);
	for (unsigned id = 0; id < 256; id++)
		ck_assert_int_eq(to_e(&p, 3, (uint8_t)id, ""), AUTHE_NONE);
	/* and with MS-CHAPv2 not before the peer proved itself */
	at_method(&p, PPP_AUTH_EAP_MSCHAPV2, PPP_AUTH_EAP_ANY, 0);
	auth_to_e(&p, PPP_PROTO_EAP, p.last_r + 2, p.last_r_len - 2);
	ck_assert_int_eq(p.e.state, AUTHE_ANSWERED);
	ck_assert_int_eq(to_e(&p, 3, p.e.id, ""), AUTHE_NONE);
	ck_assert_int_eq(p.e.state, AUTHE_ANSWERED);
}
END_TEST

START_TEST(failure_at_any_time)
{
	struct auth_pair p;

	auth_pair_init(&p, 0);
	authe_start(&p.e, PPP_AUTH_EAP_ANY, 0);
	ck_assert_int_eq(to_e(&p, 4, 1, ""), AUTHE_REJECTED);
	ck_assert_int_eq(p.e.state, AUTHE_CLOSED);
}
END_TEST

START_TEST(no_change_of_method_midway)
{
	struct auth_pair p;

	at_method(&p, PPP_AUTH_EAP_MSCHAPV2, PPP_AUTH_EAP_ANY, 0);
	auth_to_e(&p, PPP_PROTO_EAP, p.last_r + 2, p.last_r_len - 2);
	ck_assert_uint_ne(outq_peek(&p.e_out), 0);
	outq_take(&p.e_out, p.last_e, sizeof(p.last_e));
	to_e(&p, 1, 77, "0410 00112233445566778899aabbccddeeff");
	to_e(&p, 1, 78, "01");
	ck_assert_uint_eq(outq_peek(&p.e_out), 0);
	ck_assert_int_eq(p.e.method, PPP_AUTH_EAP_MSCHAPV2);
}
END_TEST

START_TEST(mschapv2_not_genuine)
{
	static const char *const wrong[] = {
	    "1a 03 05 002e 533d" /* S= and nothing */,
	    "1a 03 05 0004",
	    "1a 03 05 002e 533d 30303030303030303030 30303030303030303030 30303030303030303030 30303030303030303030",
	};

	for (size_t i = 0; i < 3; i++) {
		struct auth_pair p;

		at_method(&p, PPP_AUTH_EAP_MSCHAPV2, PPP_AUTH_EAP_ANY, 0);
		auth_to_e(&p, PPP_PROTO_EAP, p.last_r + 2, p.last_r_len - 2);
		ck_assert_int_eq(to_e(&p, 1, (uint8_t)(p.e.id + 1), wrong[i]), AUTHE_NOT_GENUINE);
		ck_assert(!p.e.keys.valid);
		ck_assert_int_eq(to_e(&p, 3, p.e.id, ""), AUTHE_NONE);
	}
}
END_TEST

START_TEST(verdict_of_mschapv2_before_its_challenge)
{
	struct auth_pair p;

	auth_pair_init(&p, 0);
	authe_start(&p.e, PPP_AUTH_EAP_ANY, 0);
	ck_assert_int_eq(to_e(&p, 1, 1, "1a 03 05 002e 533d"), AUTHE_NONE);
	ck_assert_int_eq(to_e(&p, 1, 2, "1a 04 05 0009 453d363931"), AUTHE_NONE);
	ck_assert_int_eq(to_e(&p, 1, 3, "1a 09 05 0004"), AUTHE_NONE);
	ck_assert_int_eq(to_e(&p, 1, 4, "1a"), AUTHE_NONE);
	ck_assert_int_eq(p.e.state, AUTHE_WAIT);
	ck_assert_uint_eq(outq_peek(&p.e_out), 0);
}
END_TEST

/* The peer sends a failure, takes our acknowledgement, and no EAP Failure comes. */
START_TEST(lost_eap_failure)
{
	struct auth_pair p;

	at_method(&p, PPP_AUTH_EAP_MSCHAPV2, PPP_AUTH_EAP_ANY, 0);
	auth_to_e(&p, PPP_PROTO_EAP, p.last_r + 2, p.last_r_len - 2);
	ck_assert_int_eq(to_e(&p, 1, 99, "1a 04 05 0009 453d363439"), AUTHE_NONE);
	ck_assert_int_eq(p.e.state, AUTHE_DENIED);
	ck_assert_int_eq(authe_expire(&p.e, authe_expiry(&p.e) - 1), AUTHE_NONE);
	ck_assert_int_eq(authe_expire(&p.e, authe_expiry(&p.e)), AUTHE_REJECTED);
	ck_assert_uint_eq(p.e.mschap_error, 649);
}
END_TEST

/* ---- the authenticator's side --------------------------------------------------------------------------------------- */

START_TEST(name_of_the_response_wins)
{
	struct auth_pair p, q;

	at_method(&p, PPP_AUTH_EAP_MSCHAPV2, PPP_AUTH_EAP_ANY, 0);
	ck_assert_str_eq(p.r.request.name, "joe");
	auth_pair_init(&q, 0);
	q.e.config.name = "HOME\\joe";
	authe_start(&q.e, PPP_AUTH_EAP_ANY, 0);
	auth_to_e(&q, PPP_PROTO_EAP, p.last_r + 2, p.last_r_len - 2);
	q.last_e_len = outq_take(&q.e_out, q.last_e, sizeof(q.last_e));
	ck_assert_int_eq(auth_to_r(&p, PPP_PROTO_EAP, q.last_e + 2, q.last_e_len - 2), AUTHR_REQUEST);
	ck_assert_str_eq(p.r.request.name, "HOME\\joe");
	auth_pair_decide(&p);
	ck_assert_int_eq(p.r.state, AUTHR_CONFIRM);
	ck_assert(p.r.verdict_ok);
}
END_TEST

/* Accepted only when the peer, too, has seen that it can trust us. */
START_TEST(success_needs_the_peers_word)
{
	struct auth_pair p;

	auth_pair_init(&p, 0);
	p.keep_e = 2;
	p.lose_e = 1000;
	auth_pair_start(&p, PPP_AUTH_EAP_MSCHAPV2, PPP_AUTH_EAP_MSCHAPV2);
	ck_assert_int_eq(p.r.state, AUTHR_CONFIRM);
	ck_assert_int_eq(to_r(&p, p.r.id, "1a04"), AUTHR_NONE);
	ck_assert_int_eq(to_r(&p, p.r.id, "1a"), AUTHR_NONE);
	ck_assert_int_eq(to_r(&p, p.r.id, "04"), AUTHR_NONE);
	auth_pair_run(&p, TS_S(RESTART * TRANSMITS));
	ck_assert_int_eq(p.r_result, AUTHR_TIMEOUT);
}
END_TEST

START_TEST(success_confirmed)
{
	struct auth_pair p;

	auth_pair_init(&p, 0);
	p.keep_e = 2;
	p.lose_e = 1;
	auth_pair_start(&p, PPP_AUTH_EAP_MSCHAPV2, PPP_AUTH_EAP_MSCHAPV2);
	ck_assert_int_eq(to_r(&p, p.r.id, "1a03"), AUTHR_ACCEPTED);
	auth_pair_settle(&p);
	ck_assert_uint_eq(p.last_r[2], 3);
	ck_assert_int_eq(p.e_result, AUTHE_ACCEPTED);
}
END_TEST

START_TEST(failure_without_acknowledgement)
{
	struct auth_pair p;

	auth_pair_init(&p, 0);
	p.r_secret = test_password("other");
	p.keep_e = 2;
	p.lose_e = 1000;
	auth_pair_start(&p, PPP_AUTH_EAP_MSCHAPV2, PPP_AUTH_EAP_MSCHAPV2);
	auth_pair_run(&p, TS_S(RESTART * TRANSMITS));
	ck_assert_int_eq(p.r_result, AUTHR_REFUSED);
	ck_assert_int_eq(p.e_result, AUTHE_REJECTED);
	ck_assert_uint_eq(p.e.mschap_error, 691);
}
END_TEST

START_TEST(mschapv2_second_try)
{
	struct auth_pair p, q;
	uint8_t challenge[64] = {1, 0, 0, 26, 26, 1, 9, 0, 21, 16};

	auth_pair_init(&p, 1);
	p.e_secret = test_password("guess");
	p.keep_e = 2;
	p.lose_e = 1; /* the acknowledgement, which would end it */
	auth_pair_start(&p, PPP_AUTH_EAP_MSCHAPV2, PPP_AUTH_EAP_MSCHAPV2);
	ck_assert_int_eq(p.r.state, AUTHR_CONFIRM);
	ck_assert_ptr_nonnull(memmem(p.last_r, p.last_r_len, "E=691 R=1 C=", 12));
	auth_pair_init(&q, 0);
	authe_start(&q.e, PPP_AUTH_EAP_MSCHAPV2, 0);
	challenge[1] = p.r.id;
	memcpy(challenge + 10, p.r.request.challenge, 16);
	auth_to_e(&q, PPP_PROTO_EAP, challenge, 26);
	q.last_e_len = outq_take(&q.e_out, q.last_e, sizeof(q.last_e));
	ck_assert_int_eq(auth_to_r(&p, PPP_PROTO_EAP, q.last_e + 2, q.last_e_len - 2), AUTHR_REQUEST);
	auth_pair_decide(&p);
	ck_assert(p.r.verdict_ok);
	ck_assert_int_eq(to_r(&p, p.r.id, "1a03"), AUTHR_ACCEPTED);
}
END_TEST

START_TEST(mschapv2_gives_up_the_second_try)
{
	struct auth_pair p;

	auth_pair_init(&p, 1);
	p.e_secret = test_password("guess");
	auth_pair_start(&p, PPP_AUTH_EAP_MSCHAPV2, PPP_AUTH_EAP_MSCHAPV2);
	ck_assert_int_eq(p.r_result, AUTHR_REFUSED);
	ck_assert_int_eq(p.e_result, AUTHE_REJECTED);
	/* without R=1 a response is not looked at, and a change of password ends it */
	auth_pair_init(&p, 0);
	p.e_secret = test_password("guess");
	p.keep_e = 2;
	p.lose_e = 1;
	auth_pair_start(&p, PPP_AUTH_EAP_MSCHAPV2, PPP_AUTH_EAP_MSCHAPV2);
	p.last_e[3] = p.r.id;
	ck_assert_int_eq(to_r(&p, p.r.id, "1a02"), AUTHR_NONE);
	ck_assert_int_eq(to_r(&p, p.r.id, "1a07"), AUTHR_REFUSED);
}
END_TEST

START_TEST(identities)
{
	char hex[2 + 2 * 300 + 1] = "01";
	struct auth_pair p;

	for (int i = 0; i < 255; i++)
		snprintf(hex + 2 + 2 * i, 3, "61");
	auth_pair_init(&p, 0);
	authr_start(&p.r, PPP_AUTH_EAP_ANY, 0);
	ck_assert_int_eq(to_r(&p, p.r.id, hex), AUTHR_NONE);
	ck_assert_int_eq(p.r.state, AUTHR_CHALLENGE);
	ck_assert_uint_eq(p.r.request.name_len, 255);
	/* too long, and with a NUL */
	snprintf(hex + 2 + 2 * 255, 3, "61");
	authr_start(&p.r, PPP_AUTH_EAP_ANY, 0);
	to_r(&p, p.r.id, hex);
	to_r(&p, p.r.id, "01 6a006f");
	ck_assert_int_eq(p.r.state, AUTHR_IDENTITY);
	/* empty is a name, too: anonymous */
	to_r(&p, p.r.id, "01");
	ck_assert_int_eq(p.r.state, AUTHR_CHALLENGE);
}
END_TEST

START_TEST(md5_values_of_every_length)
{
	for (unsigned size = 0; size < 256; size++) {
		uint8_t packet[300] = {2, 0, 0, 0, 4, (uint8_t)size};
		struct auth_pair p;

		at_method(&p, PPP_AUTH_EAP_MD5, PPP_AUTH_EAP_ANY, 0);
		packet[1] = p.r.id;
		put_u16(packet + 2, (uint16_t)(6 + size));
		ck_assert_int_eq(auth_to_r(&p, PPP_PROTO_EAP, packet, 6 + size), size == 16 ? AUTHR_REQUEST : AUTHR_NONE);
	}
}
END_TEST

Suite *
suite_auth_eap(void)
{
	Suite *s = suite_create("libppp/auth_eap");
	TCase *tc = tcase_create("auth_eap");

	tcase_add_test(tc, strongest_first);
	tcase_add_test(tc, nak_switches);
	tcase_add_test(tc, nak_of_all);
	tcase_add_test(tc, naks_of_every_kind);
	tcase_add_test(tc, naks_end);
	tcase_add_test(tc, nak_in_the_wrong_place);
	tcase_add_test(tc, we_nak_what_we_do_not_do);
	tcase_add_test(tc, failure_after_naks);
	tcase_add_test(tc, identity_and_notification);
	tcase_add_test(tc, success_out_of_the_blue);
	tcase_add_test(tc, failure_at_any_time);
	tcase_add_test(tc, no_change_of_method_midway);
	tcase_add_test(tc, mschapv2_not_genuine);
	tcase_add_test(tc, verdict_of_mschapv2_before_its_challenge);
	tcase_add_test(tc, lost_eap_failure);
	tcase_add_test(tc, name_of_the_response_wins);
	tcase_add_test(tc, success_needs_the_peers_word);
	tcase_add_test(tc, success_confirmed);
	tcase_add_test(tc, failure_without_acknowledgement);
	tcase_add_test(tc, mschapv2_second_try);
	tcase_add_test(tc, mschapv2_gives_up_the_second_try);
	tcase_add_test(tc, identities);
	tcase_add_test(tc, md5_values_of_every_length);
	suite_add_tcase(s, tc);
	return s;
}
