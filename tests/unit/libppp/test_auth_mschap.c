/* MS-CHAP: the authenticator's proof, further tries, failures in words. */
#include "libppp/auth_fsm.h"

#include <string.h>

#include "base/timerheap.h"
#include "tests/unit/libppp/auth_pair.h"
#include "tests/unit/libppp/util.h"
#include "tests/unit/suite.h"

Suite *suite_auth_mschap(void);

/* An impostor accepts without knowing the password. */
START_TEST(peer_not_genuine)
{
	static const char *const texts[] = {"", "S=", "M=welcome", "S=0000000000000000000000000000000000000000",
	    "S=407A5589115FD0D6209F510FE9C04566932CDA5", "S=zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz M=hello",
	    "T=407A5589115FD0D6209F510FE9C04566932CDA56"};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct auth_pair p;
		uint8_t packet[128] = {3};
		size_t len = 4 + strlen(texts[i]);

		auth_pair_init(&p, 0);
		p.lose_e = 1;
		auth_pair_start(&p, PPP_AUTH_MSCHAPV2, PPP_AUTH_MSCHAPV2);
		packet[1] = p.e.id;
		packet[3] = (uint8_t)len;
		memcpy(packet + 4, texts[i], len - 4);
		ck_assert_int_eq(auth_to_e(&p, PPP_PROTO_CHAP, packet, len), AUTHE_NOT_GENUINE);
		ck_assert(!p.e.keys.valid);
		ck_assert_uint_eq(authe_expiry(&p.e), TS_NEVER);
	}
}
END_TEST

START_TEST(success_message_shows)
{
	struct ppp_auth_verdict v;
	struct auth_pair p;

	auth_pair_init(&p, 0);
	p.hold = true;
	auth_pair_start(&p, PPP_AUTH_MSCHAPV2, PPP_AUTH_MSCHAPV2);
	ppp_auth_check(test_crypto(), &p.r.request, &p.r_secret, &v);
	memset(v.message, 'w', PPP_MESSAGE_MAX);
	v.message[PPP_MESSAGE_MAX] = '\0';
	ck_assert_int_eq(authr_verdict(&p.r, p.r.request.id, &v, 0), AUTHR_ACCEPTED);
	auth_pair_settle(&p);
	ck_assert_int_eq(p.e_result, AUTHE_ACCEPTED);
	ck_assert_str_eq(p.e.message, v.message);
}
END_TEST

/* ---- MS-CHAP: another try ---------------------------------------------------------------------------------------- */

/* Answers the new challenge of a failure as another peer, who knows the password, would. */
static void
second_answer(struct auth_pair *p, enum ppp_auth_method method, uint8_t id, uint8_t packet[512], size_t *len)
{
	struct auth_pair q;
	uint8_t challenge[128] = {1, id, 0, 0, (uint8_t)p->r.request.challenge_len};

	auth_pair_init(&q, 0);
	authe_start(&q.e, method, 0);
	challenge[3] = (uint8_t)(5 + p->r.request.challenge_len);
	memcpy(challenge + 5, p->r.request.challenge, p->r.request.challenge_len);
	auth_to_e(&q, PPP_PROTO_CHAP, challenge, challenge[3]);
	*len = outq_take(&q.e_out, packet, 512);
}

START_TEST(second_try)
{
	static const enum ppp_auth_method ms[] = {PPP_AUTH_MSCHAP, PPP_AUTH_MSCHAPV2};

	for (int i = 0; i < 4; i++) {
		enum ppp_auth_method method = ms[i % 2];
		struct auth_pair p;
		uint8_t packet[512], old;
		size_t len;

		auth_pair_init(&p, 1);
		p.e_secret = test_password("guess");
		auth_pair_start(&p, method, method);
		ck_assert_int_eq(p.r.state, AUTHR_CHALLENGE);
		ck_assert_int_eq(p.e_result, AUTHE_REJECTED);
		ck_assert_ptr_nonnull(memmem(p.last_r, p.last_r_len, "E=691 R=1 C=", 12));
		/* the old response again: the same failure again */
		ck_assert_int_eq(auth_to_r(&p, PPP_PROTO_CHAP, p.last_e + 2, p.last_e_len - 2), AUTHR_NONE);
		ck_assert_uint_eq(outq_take(&p.r_out, packet, sizeof(packet)), p.last_r_len);
		ck_assert_mem_eq(packet, p.last_r, p.last_r_len);
		/* the next id, as the RFC says, or the old one */
		old = p.last_r[3];
		second_answer(&p, method, (uint8_t)(i < 2 ? old + 1 : old), packet, &len);
		ck_assert_int_eq(auth_to_r(&p, PPP_PROTO_CHAP, packet + 2, len - 2), AUTHR_REQUEST);
		auth_pair_decide(&p);
		ck_assert_int_eq(p.r_result, AUTHR_ACCEPTED);
		ck_assert_uint_eq(p.last_r[3], packet[3]);
	}
}
END_TEST

START_TEST(tries_are_counted)
{
	struct auth_pair p;
	uint8_t packet[512];
	size_t len;

	auth_pair_init(&p, 2);
	p.r_secret = test_password("unknown");
	auth_pair_start(&p, PPP_AUTH_MSCHAPV2, PPP_AUTH_MSCHAPV2);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(p.r.state, AUTHR_CHALLENGE);
		second_answer(&p, PPP_AUTH_MSCHAPV2, p.r.id, packet, &len);
		ck_assert_int_eq(auth_to_r(&p, PPP_PROTO_CHAP, packet + 2, len - 2), AUTHR_REQUEST);
		auth_pair_decide(&p);
	}
	ck_assert_int_eq(p.r_result, AUTHR_REFUSED);
	ck_assert_ptr_nonnull(memmem(p.last_r, p.last_r_len, "E=691 R=0 C=", 12));
}
END_TEST

START_TEST(old_response_to_the_new_challenge_fails)
{
	struct auth_pair p;
	uint8_t copy[AUTH_FRAME];

	auth_pair_init(&p, 1);
	p.hold = true;
	auth_pair_start(&p, PPP_AUTH_MSCHAPV2, PPP_AUTH_MSCHAPV2);
	memcpy(copy, p.last_e, p.last_e_len);
	authr_verdict(&p.r, p.r.request.id, &(struct ppp_auth_verdict){.retry = true}, 0);
	copy[3]++;
	p.hold = false;
	/* right for the first challenge, replayed for the second */
	ck_assert_int_eq(auth_to_r(&p, PPP_PROTO_CHAP, copy + 2, p.last_e_len - 2), AUTHR_REQUEST);
	auth_pair_decide(&p);
	ck_assert_int_eq(p.r_result, AUTHR_REFUSED);
}
END_TEST

START_TEST(codes_reach_the_peer)
{
	static const struct {
		uint16_t code;
		const char *text;
	} v[] = {
	    {646, "at this time"}, {647, "disabled"}, {648, "expired"}, {649, "remote access"}, {0, "wrong user name"}, {999, "error 999"}};

	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		struct ppp_auth_verdict verdict = {.mschap_error = v[i].code, .message = "ask the office"};
		struct auth_pair p;

		auth_pair_init(&p, 0);
		p.hold = true;
		auth_pair_start(&p, PPP_AUTH_MSCHAPV2, PPP_AUTH_MSCHAPV2);
		ck_assert_int_eq(authr_verdict(&p.r, p.r.request.id, &verdict, 0), AUTHR_REFUSED);
		auth_pair_settle(&p);
		ck_assert_int_eq(p.e_result, AUTHE_REJECTED);
		ck_assert_uint_eq(p.e.mschap_error, v[i].code != 0 ? v[i].code : 691);
		ck_assert_ptr_nonnull(strstr(p.e.message, v[i].text));
		ck_assert_ptr_nonnull(strstr(p.e.message, "ask the office"));
	}
}
END_TEST

START_TEST(passwords_are_not_changed)
{
	for (unsigned code = 5; code <= 7; code++) {
		enum ppp_auth_method method = code == 7 ? PPP_AUTH_MSCHAPV2 : PPP_AUTH_MSCHAP;

		for (uint8_t retries = 0; retries < 2; retries++) {
			struct auth_pair p;
			uint8_t packet[600] = {(uint8_t)code, 0, 600 >> 8, 600 & 255}, reply[AUTH_FRAME];
			size_t len;

			auth_pair_init(&p, retries);
			p.r_secret = test_password("other");
			auth_pair_start(&p, method, method);
			packet[1] = (uint8_t)(p.last_r[3] + 1);
			ck_assert_int_eq(auth_to_r(&p, PPP_PROTO_CHAP, packet, sizeof(packet)), retries > 0 ? AUTHR_REFUSED : AUTHR_NONE);
			len = outq_take(&p.r_out, reply, sizeof(reply));
			ck_assert_uint_gt(len, 6);
			ck_assert_uint_eq(reply[2], 4);
			ck_assert_uint_eq(reply[3], packet[1]);
			ck_assert_ptr_nonnull(memmem(reply, len, "E=709 R=0", 9));
		}
	}
}
END_TEST

START_TEST(password_change_out_of_place)
{
	for (unsigned code = 5; code <= 7; code++) {
		uint8_t packet[8] = {(uint8_t)code, 0, 0, 8};
		struct auth_pair p;

		auth_pair_init(&p, 0);
		authr_start(&p.r, PPP_AUTH_MSCHAPV2, 0);
		packet[1] = p.r.id;
		ck_assert_int_eq(auth_to_r(&p, PPP_PROTO_CHAP, packet, sizeof(packet)), AUTHR_NONE);
		auth_pair_started(&p, PPP_AUTH_MSCHAPV2);
		ck_assert_int_eq(auth_to_r(&p, PPP_PROTO_CHAP, packet, sizeof(packet)), AUTHR_NONE);
		ck_assert_uint_eq(outq_peek(&p.r_out), 0);
		ck_assert_int_eq(p.r.state, AUTHR_OPEN);
	}
}
END_TEST

START_TEST(domain_in_the_name)
{
	static const enum ppp_auth_method v2[] = {PPP_AUTH_MSCHAPV2, PPP_AUTH_EAP_MSCHAPV2};

	for (size_t i = 0; i < 2; i++) {
		struct auth_pair p;

		auth_pair_init(&p, 0);
		p.e.config.name = "HOME\\joe";
		auth_pair_start(&p, v2[i], v2[i]);
		ck_assert_int_eq(p.e_result, AUTHE_ACCEPTED);
		ck_assert_str_eq(p.r.request.name, "HOME\\joe");
	}
}
END_TEST

Suite *
suite_auth_mschap(void)
{
	Suite *s = suite_create("libppp/auth_mschap");
	TCase *tc = tcase_create("auth_mschap");

	tcase_add_test(tc, peer_not_genuine);
	tcase_add_test(tc, success_message_shows);
	tcase_add_test(tc, second_try);
	tcase_add_test(tc, tries_are_counted);
	tcase_add_test(tc, old_response_to_the_new_challenge_fails);
	tcase_add_test(tc, codes_reach_the_peer);
	tcase_add_test(tc, passwords_are_not_changed);
	tcase_add_test(tc, password_change_out_of_place);
	tcase_add_test(tc, domain_in_the_name);
	suite_add_tcase(s, tc);
	return s;
}
