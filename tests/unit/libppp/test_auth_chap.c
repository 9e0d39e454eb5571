/* PAP and CHAP: what they have of their own. */
#include "libppp/auth_fsm.h"

#include <stdio.h>
#include <string.h>

#include "base/timerheap.h"
#include "base/wire.h"
#include "tests/unit/libppp/auth_pair.h"
#include "tests/unit/libppp/util.h"
#include "tests/unit/suite.h"

Suite *suite_auth_chap(void);

/* ---- PAP ------------------------------------------------------------------------------------------------------------ */

START_TEST(pap_answers_the_newest_request)
{
	struct auth_pair p;

	auth_pair_init(&p, 0);
	p.hold = true;
	auth_pair_start(&p, PPP_AUTH_PAP, PPP_AUTH_PAP);
	auth_pair_run(&p, TS_S(2 * RESTART));
	ck_assert_uint_eq(p.e_sent, 3);
	auth_pair_decide(&p);
	ck_assert_uint_eq(p.last_r[3], p.last_e[3]);
	auth_pair_assert_agreed(&p, PPP_AUTH_PAP);
}
END_TEST

START_TEST(pap_acks)
{
	struct auth_pair p;
	char hex[64];
	uint8_t first;

	auth_pair_init(&p, 0);
	p.lose_e = 1000;
	auth_pair_start(&p, PPP_AUTH_PAP, PPP_AUTH_PAP);
	first = p.e.id;
	auth_pair_run(&p, TS_S(2 * RESTART));
	/* ids that were never sent */
	snprintf(hex, sizeof(hex), "02%02x0005 00", (uint8_t)(first - 1));
	ck_assert_int_eq(auth_hex_to_e(&p, PPP_PROTO_PAP, hex), AUTHE_NONE);
	snprintf(hex, sizeof(hex), "02%02x0005 00", (uint8_t)(first + 3));
	ck_assert_int_eq(auth_hex_to_e(&p, PPP_PROTO_PAP, hex), AUTHE_NONE);
	snprintf(hex, sizeof(hex), "05%02x0005 00", first);
	ck_assert_int_eq(auth_hex_to_e(&p, PPP_PROTO_PAP, hex), AUTHE_NONE);
	/* the first request is acknowledged late, and without a message */
	snprintf(hex, sizeof(hex), "02%02x0004", first);
	ck_assert_int_eq(auth_hex_to_e(&p, PPP_PROTO_PAP, hex), AUTHE_ACCEPTED);
	ck_assert_str_eq(p.e.message, "");
}
END_TEST

START_TEST(pap_message_longer_than_the_packet)
{
	struct auth_pair p;
	char hex[64];

	auth_pair_init(&p, 0);
	p.lose_e = 1;
	auth_pair_start(&p, PPP_AUTH_PAP, PPP_AUTH_PAP);
	snprintf(hex, sizeof(hex), "03%02x0008 ff 6e6f21", p.e.id);
	ck_assert_int_eq(auth_hex_to_e(&p, PPP_PROTO_PAP, hex), AUTHE_REJECTED);
	ck_assert_str_eq(p.e.message, "no!");
}
END_TEST

START_TEST(pap_second_try)
{
	struct auth_pair p;

	auth_pair_init(&p, 1);
	authr_start(&p.r, PPP_AUTH_PAP, 0);
	ck_assert_int_eq(auth_hex_to_r(&p, PPP_PROTO_PAP, "01070008 016a0170"), AUTHR_REQUEST);
	auth_pair_decide(&p);
	ck_assert_uint_eq(p.last_r[2], 3);
	ck_assert_int_eq(p.r.state, AUTHR_CHALLENGE);
	/* the same again is only a repetition */
	ck_assert_int_eq(auth_hex_to_r(&p, PPP_PROTO_PAP, "01070008 016a0170"), AUTHR_NONE);
	ck_assert_int_eq(auth_hex_to_r(&p, PPP_PROTO_PAP, "0108000d 016a06736563726574"), AUTHR_REQUEST);
	auth_pair_decide(&p);
	ck_assert_int_eq(p.r.state, AUTHR_OPEN);
	ck_assert_str_eq(p.r.request.name, "j");
	/* passwords don't stay in memory */
	for (size_t i = 0; i < sizeof(p.r.request.response); i++)
		ck_assert_uint_eq(p.r.request.response[i], 0);
}
END_TEST

START_TEST(pap_names_with_nul)
{
	struct auth_pair p;

	auth_pair_init(&p, 0);
	authr_start(&p.r, PPP_AUTH_PAP, 0);
	ck_assert_int_eq(auth_hex_to_r(&p, PPP_PROTO_PAP, "0107000a 036a0078 0170"), AUTHR_NONE);
	ck_assert_int_eq(p.r.state, AUTHR_CHALLENGE);
}
END_TEST

/* ---- CHAP ----------------------------------------------------------------------------------------------------------- */

START_TEST(chap_challenges_are_fresh)
{
	struct auth_pair p;
	uint8_t first[64], id;

	auth_pair_init(&p, 0);
	auth_pair_start(&p, PPP_AUTH_MSCHAPV2, PPP_AUTH_MSCHAPV2);
	memcpy(first, p.r.request.challenge, sizeof(first));
	id = p.r.id;
	auth_pair_start(&p, PPP_AUTH_MSCHAPV2, PPP_AUTH_MSCHAPV2);
	ck_assert_mem_ne(first, p.r.request.challenge, 16);
	ck_assert_uint_ne(id, p.r.id);
}
END_TEST

/* A repeated challenge gets the same response: with MS-CHAPv2 a new one would have another challenge of ours in it. */
START_TEST(chap_repeated_challenge)
{
	struct auth_pair p;
	uint8_t first[AUTH_FRAME], second[AUTH_FRAME];
	size_t len;

	auth_pair_init(&p, 0);
	authe_start(&p.e, PPP_AUTH_MSCHAPV2, 0);
	authr_start(&p.r, PPP_AUTH_MSCHAPV2, 0);
	len = outq_take(&p.r_out, p.last_r, sizeof(p.last_r));
	auth_to_e(&p, PPP_PROTO_CHAP, p.last_r + 2, len - 2);
	auth_to_e(&p, PPP_PROTO_CHAP, p.last_r + 2, len - 2);
	len = outq_take(&p.e_out, first, sizeof(first));
	ck_assert_uint_eq(outq_take(&p.e_out, second, sizeof(second)), len);
	ck_assert_mem_eq(first, second, len);
}
END_TEST

/* RFC 1994 section 2: the peer may challenge again at any time. */
START_TEST(chap_challenged_again_when_open)
{
	struct auth_pair p;

	auth_pair_started(&p, PPP_AUTH_MSCHAPV2);
	authr_start(&p.r, PPP_AUTH_MSCHAPV2, 0);
	auth_pair_settle(&p);
	ck_assert_int_eq(p.r_result, AUTHR_ACCEPTED);
	ck_assert_int_eq(p.e.state, AUTHE_OPEN);
	ck_assert_uint_eq(p.requests, 2);
	p.r_secret = test_password("changed");
	authr_start(&p.r, PPP_AUTH_MSCHAPV2, 0);
	auth_pair_settle(&p);
	ck_assert_int_eq(p.r_result, AUTHR_REFUSED);
	ck_assert_int_eq(p.e_result, AUTHE_REJECTED);
}
END_TEST

START_TEST(chap_challenge_sizes)
{
	for (unsigned size = 0; size < 256; size++) {
		static const enum ppp_auth_method chap[] = {PPP_AUTH_CHAP_MD5, PPP_AUTH_MSCHAP, PPP_AUTH_MSCHAPV2};

		for (size_t i = 0; i < 3; i++) {
			uint8_t packet[512] = {1, 9, 0, 0, (uint8_t)size};
			struct auth_pair p;
			bool answered = chap[i] == PPP_AUTH_CHAP_MD5 ? size > 0 : size == (chap[i] == PPP_AUTH_MSCHAP ? 8 : 16);

			put_u16(packet + 2, (uint16_t)(5 + size));
			auth_pair_init(&p, 0);
			authe_start(&p.e, chap[i], 0);
			ck_assert_int_eq(auth_to_e(&p, PPP_PROTO_CHAP, packet, 5 + size), AUTHE_NONE);
			ck_assert_int_eq(outq_peek(&p.e_out) != 0, answered);
		}
	}
}
END_TEST

START_TEST(chap_verdict_before_a_challenge)
{
	static const enum ppp_auth_method chap[] = {PPP_AUTH_CHAP_MD5, PPP_AUTH_MSCHAP, PPP_AUTH_MSCHAPV2};

	for (size_t i = 0; i < 3; i++) {
		struct auth_pair p;

		auth_pair_init(&p, 0);
		authe_start(&p.e, chap[i], 0);
		for (unsigned id = 0; id < 256; id++) {
			uint8_t packet[4] = {3, (uint8_t)id, 0, 4};

			ck_assert_int_eq(auth_to_e(&p, PPP_PROTO_CHAP, packet, 4), AUTHE_NONE);
			packet[0] = 4;
			ck_assert_int_eq(auth_to_e(&p, PPP_PROTO_CHAP, packet, 4), AUTHE_NONE);
		}
	}
}
END_TEST

Suite *
suite_auth_chap(void)
{
	Suite *s = suite_create("libppp/auth_chap");
	TCase *tc = tcase_create("auth_chap");

	tcase_add_test(tc, pap_answers_the_newest_request);
	tcase_add_test(tc, pap_acks);
	tcase_add_test(tc, pap_message_longer_than_the_packet);
	tcase_add_test(tc, pap_second_try);
	tcase_add_test(tc, pap_names_with_nul);
	tcase_add_test(tc, chap_challenges_are_fresh);
	tcase_add_test(tc, chap_repeated_challenge);
	tcase_add_test(tc, chap_challenged_again_when_open);
	tcase_add_test(tc, chap_challenge_sizes);
	tcase_add_test(tc, chap_verdict_before_a_challenge);
	suite_add_tcase(s, tc);
	return s;
}
