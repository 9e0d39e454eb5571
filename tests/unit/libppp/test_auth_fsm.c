/* What all methods share; PAP and CHAP are in test_auth_chap.c, MS-CHAP in test_auth_mschap.c, EAP in test_auth_eap.c. */
#include "libppp/auth_fsm.h"

#include <stdio.h>
#include <string.h>

#include "base/timerheap.h"
#include "base/wire.h"
#include "libppp/mppe_key.h"
#include "tests/unit/libppp/auth_pair.h"
#include "tests/unit/libppp/util.h"
#include "tests/unit/suite.h"

Suite *suite_auth_fsm(void);

static const enum ppp_auth_method methods[] = {
    PPP_AUTH_PAP, PPP_AUTH_CHAP_MD5, PPP_AUTH_EAP_MD5, PPP_AUTH_MSCHAP, PPP_AUTH_EAP_MSCHAPV2, PPP_AUTH_MSCHAPV2};

enum { METHODS = 6 };

/* ---- in order and out of it -------------------------------------------------------------------------------------------------- */

START_TEST(right_password)
{
	for (size_t i = 0; i < METHODS; i++) {
		struct auth_pair p;

		auth_pair_assert_agreed(auth_pair_started(&p, methods[i]), methods[i]);
		ck_assert_uint_eq(p.requests, 1);
	}
}
END_TEST

START_TEST(wrong_password)
{
	for (size_t i = 0; i < METHODS; i++) {
		struct auth_pair p;

		auth_pair_init(&p, 0);
		p.e_secret = test_password("guess");
		auth_pair_start(&p, methods[i], methods[i]);
		ck_assert_int_eq(p.r_result, AUTHR_REFUSED);
		ck_assert_int_eq(p.e_result, AUTHE_REJECTED);
		ck_assert_ptr_nonnull(strstr(p.e.message, "wrong user name or password"));
		ck_assert_uint_eq(p.e.mschap_error, (methods[i] & PPP_AUTH_MSCHAP_ANY) != 0 ? 691 : 0);
		ck_assert(!p.r.keys.valid && !p.e.keys.valid);
		ck_assert_uint_eq(authr_expiry(&p.r), TS_NEVER);
		ck_assert_uint_eq(authe_expiry(&p.e), TS_NEVER);
	}
}
END_TEST

START_TEST(nt_hash_on_either_side)
{
	for (size_t i = 0; i < METHODS; i++) {
		bool md5 = methods[i] == PPP_AUTH_CHAP_MD5 || methods[i] == PPP_AUTH_EAP_MD5;
		struct auth_pair p;

		auth_pair_init(&p, 0);
		p.r_secret = test_nt_hash("secret");
		auth_pair_start(&p, methods[i], methods[i]);
		ck_assert_int_eq(p.r_result, md5 ? AUTHR_REFUSED : AUTHR_ACCEPTED);
		if (!md5)
			ck_assert_int_eq(p.e_result, AUTHE_ACCEPTED);
		auth_pair_init(&p, 0);
		p.e_secret = test_nt_hash("secret");
		auth_pair_start(&p, methods[i], methods[i]);
		auth_pair_run(&p, TS_S(1));
		if ((methods[i] & PPP_AUTH_MSCHAP_ANY) != 0)
			ck_assert_int_eq(p.e_result, AUTHE_ACCEPTED);
		else if (methods[i] == PPP_AUTH_EAP_MD5)
			ck_assert_int_eq(p.r_result, AUTHR_NO_METHOD);
		else
			ck_assert_int_eq(p.e_result, AUTHE_REJECTED);
	}
}
END_TEST

/* The verdict takes ten repetitions of what waits; one request was made, and one answer is enough. */
START_TEST(late_verdict)
{
	for (size_t i = 0; i < METHODS; i++) {
		struct auth_pair p;

		auth_pair_init(&p, 0);
		p.hold = true;
		auth_pair_start(&p, methods[i], methods[i]);
		auth_pair_run(&p, TS_S(RESTART * (TRANSMITS - 1)));
		ck_assert_int_eq(p.r.state, AUTHR_DECIDE);
		ck_assert_uint_eq(p.requests, 1);
		auth_pair_decide(&p);
		auth_pair_assert_agreed(&p, methods[i]);
	}
}
END_TEST

START_TEST(verdicts_that_fit_nothing)
{
	for (size_t i = 0; i < METHODS; i++) {
		struct ppp_auth_verdict v = {.ok = true};
		struct auth_pair p;
		uint8_t id;

		auth_pair_init(&p, 0);
		p.hold = true;
		ck_assert_int_eq(authr_verdict(&p.r, p.r.id, &v, 0), AUTHR_NONE);
		auth_pair_start(&p, methods[i], methods[i]);
		id = p.r.request.id;
		ck_assert_int_eq(authr_verdict(&p.r, (uint8_t)(id + 1), &v, 0), AUTHR_NONE);
		ck_assert_int_eq(authr_verdict(&p.r, (uint8_t)(id - 1), &v, 0), AUTHR_NONE);
		ck_assert_int_eq(p.r.state, AUTHR_DECIDE);
		/* LCP went down and came up again: the verdict of the first round is for nobody */
		authr_stop(&p.r);
		ck_assert_int_eq(authr_verdict(&p.r, id, &v, 0), AUTHR_NONE);
		auth_pair_start(&p, methods[i], methods[i]);
		ck_assert_int_eq(p.r.state, AUTHR_DECIDE);
		ck_assert_int_eq(authr_verdict(&p.r, id, &v, 0), AUTHR_NONE);
		auth_pair_decide(&p);
		auth_pair_assert_agreed(&p, methods[i]);
		ck_assert_int_eq(authr_verdict(&p.r, p.r.request.id, &v, 0), AUTHR_NONE);
	}
}
END_TEST

/* Frames are lost from the at-th of one side on: all get through in the end. */
static void
lose(enum ppp_auth_method method, bool from_r, int at, int count)
{
	struct auth_pair p;

	auth_pair_init(&p, 0);
	*(from_r ? &p.keep_r : &p.keep_e) = at;
	*(from_r ? &p.lose_r : &p.lose_e) = count;
	auth_pair_start(&p, method, method);
	auth_pair_run(&p, TS_S(RESTART * TRANSMITS - 1));
	/* EAP Success is not repeated (RFC 3748 section 4.2): the first packet of a network protocol stands for it */
	if (p.e_result == AUTHE_NONE && (method & PPP_AUTH_EAP_ANY) != 0) {
		ck_assert_uint_eq(p.last_r[2], 3);
		p.e_result = authe_network_seen(&p.e);
	}
	auth_pair_assert_agreed(&p, method);
}

START_TEST(lost_frames)
{
	for (size_t i = 0; i < METHODS; i++) {
		for (int at = 0; at < 4; at++) {
			for (int count = 1; count <= 2; count++) {
				lose(methods[i], true, at, count);
				lose(methods[i], false, at, count);
			}
		}
	}
}
END_TEST

START_TEST(network_protocols_prove_nothing_early)
{
	for (size_t i = 0; i < METHODS; i++) {
		struct auth_pair p;

		auth_pair_init(&p, 0);
		p.hold = true;
		ck_assert_int_eq(authe_network_seen(&p.e), AUTHE_NONE);
		auth_pair_start(&p, methods[i], methods[i]);
		/* MS-CHAPv2 has yet to prove that the peer is genuine */
		ck_assert_int_eq(authe_network_seen(&p.e), methods[i] == PPP_AUTH_EAP_MD5 ? AUTHE_ACCEPTED : AUTHE_NONE);
	}
}
END_TEST

START_TEST(mute_peer)
{
	for (size_t i = 0; i < METHODS; i++) {
		struct auth_pair p;

		auth_pair_init(&p, 0);
		p.lose_r = p.lose_e = 1000;
		auth_pair_start(&p, methods[i], methods[i]);
		auth_pair_run(&p, TS_S(RESTART * TRANSMITS - 1));
		ck_assert_int_eq(p.r_result, AUTHR_NONE);
		ck_assert_int_eq(p.e_result, AUTHE_NONE);
		auth_pair_run(&p, TS_S(2));
		if (methods[i] == PPP_AUTH_PAP) {
			/* the peer begins: it knows of a timeout, the authenticator leaves it to the link */
			ck_assert_int_eq(p.e_result, AUTHE_TIMEOUT);
			ck_assert_uint_eq(p.e_sent, TRANSMITS);
		} else {
			ck_assert_int_eq(p.r_result, AUTHR_TIMEOUT);
			ck_assert_uint_eq(p.r_sent, TRANSMITS);
		}
		auth_pair_run(&p, TS_S(100));
		ck_assert_uint_le(p.r_sent + p.e_sent, TRANSMITS);
	}
}
END_TEST

START_TEST(nothing_before_start_or_after_stop)
{
	for (size_t i = 0; i < METHODS; i++) {
		enum ppp_proto proto = ppp_auth_proto(methods[i]);
		struct auth_pair p;

		auth_pair_init(&p, 0);
		ck_assert_int_eq(auth_hex_to_r(&p, proto, "01010008 016a0170"), AUTHR_NONE);
		ck_assert_int_eq(auth_hex_to_e(&p, proto, "01010005 01"), AUTHE_NONE);
		auth_pair_started(&p, methods[i]);
		authr_stop(&p.r);
		authe_stop(&p.e);
		ck_assert(!p.r.keys.valid && !p.e.keys.valid);
		ck_assert_int_eq(auth_to_r(&p, proto, p.last_e + 2, p.last_e_len - 2), AUTHR_NONE);
		ck_assert_int_eq(auth_to_e(&p, proto, p.last_r + 2, p.last_r_len - 2), AUTHE_NONE);
		ck_assert_uint_eq(outq_peek(&p.r_out), 0);
		ck_assert_uint_eq(outq_peek(&p.e_out), 0);
	}
}
END_TEST

/* CVE-2020-8597 and its kin: what was not negotiated is not looked at. */
START_TEST(other_protocols_are_dropped)
{
	static const enum ppp_proto protos[] = {PPP_PROTO_PAP, PPP_PROTO_CHAP, PPP_PROTO_EAP, PPP_PROTO_LCP};

	for (size_t i = 0; i < METHODS; i++) {
		for (size_t k = 0; k < 4; k++) {
			struct auth_pair p;

			if (protos[k] == ppp_auth_proto(methods[i]))
				continue;
			auth_pair_init(&p, 0);
			authe_start(&p.e, methods[i], 0);
			authr_start(&p.r, methods[i], 0);
			while (outq_take(&p.r_out, p.last_r, sizeof(p.last_r)) > 0 || outq_take(&p.e_out, p.last_e, sizeof(p.last_e)) > 0)
				;
			for (unsigned code = 0; code < 16; code++) {
				uint8_t packet[64] = {(uint8_t)code, p.r.id, 0, 64, 1, 'j', 1, 'p'};

				ck_assert_int_eq(auth_to_r(&p, protos[k], packet, sizeof(packet)), AUTHR_NONE);
				packet[1] = p.e.id;
				ck_assert_int_eq(auth_to_e(&p, protos[k], packet, sizeof(packet)), AUTHE_NONE);
			}
			ck_assert_uint_eq(outq_peek(&p.r_out), 0);
			ck_assert_uint_eq(outq_peek(&p.e_out), 0);
		}
	}
}
END_TEST

/* Each frame of a whole exchange cut at every length, and with every length in its length field. */
static void
mangle(struct auth_pair *p, enum ppp_proto proto, const uint8_t *frame, size_t framelen)
{
	for (size_t len = 0; len + 2 < framelen; len++) {
		struct auth_pair copy = *p;

		copy.r.config.out = &copy.r_out;
		copy.e.config.out = &copy.e_out;
		auth_to_r(&copy, proto, frame + 2, len);
		auth_to_e(&copy, proto, frame + 2, len);
		ck_assert(copy.r.state != AUTHR_OPEN || p->r.state == AUTHR_OPEN);
	}
	for (unsigned field = 0; field < framelen + 10; field++) {
		struct auth_pair copy = *p;
		uint8_t packet[AUTH_FRAME];

		copy.r.config.out = &copy.r_out;
		copy.e.config.out = &copy.e_out;
		memcpy(packet, frame + 2, framelen - 2);
		put_u16(packet + 2, (uint16_t)field);
		auth_to_r(&copy, proto, packet, framelen - 2);
		auth_to_e(&copy, proto, packet, framelen - 2);
	}
}

START_TEST(truncated_frames)
{
	for (size_t i = 0; i < METHODS; i++) {
		enum ppp_proto proto = ppp_auth_proto(methods[i]);
		static struct auth_pair p;
		uint8_t frame[AUTH_FRAME];
		size_t len;

		auth_pair_init(&p, 1);
		authe_start(&p.e, methods[i], 0);
		authr_start(&p.r, methods[i], 0);
		for (int step = 0; step < 12; step++) {
			if ((len = outq_take(&p.r_out, frame, sizeof(frame))) > 0) {
				mangle(&p, proto, frame, len);
				auth_to_e(&p, proto, frame + 2, len - 2);
			} else if ((len = outq_take(&p.e_out, frame, sizeof(frame))) > 0) {
				mangle(&p, proto, frame, len);
				if (auth_to_r(&p, proto, frame + 2, len - 2) == AUTHR_REQUEST) {
					struct ppp_auth_verdict v;

					ppp_auth_check(test_crypto(), &p.r.request, &p.r_secret, &v);
					authr_verdict(&p.r, p.r.request.id, &v, 0);
				}
			}
		}
		ck_assert_int_eq(p.r.state, AUTHR_OPEN);
		ck_assert_int_eq(p.e.state, AUTHE_OPEN);
	}
}
END_TEST

START_TEST(garbage)
{
	uint32_t seed = 8;

	for (size_t i = 0; i < METHODS; i++) {
		struct auth_pair p;

		auth_pair_started(&p, methods[i]);
		authe_start(&p.e, methods[i], 0);
		authr_start(&p.r, methods[i], 0);
		for (int round = 0; round < 4000; round++) {
			uint8_t packet[600];
			size_t len = test_random(&seed) % (round % 2 == 0 ? 80 : sizeof(packet));

			test_random_fill(&seed, packet, len);
			if (len >= 6) {
				packet[0] = (uint8_t)(packet[0] % 9);
				packet[1] = round % 3 == 0 ? p.e.id : p.r.id;
				put_u16(packet + 2, (uint16_t)(packet[3] % 4 == 0 ? packet[3] : len));
				packet[4] = packet[4] % 2 == 0 ? packet[4] % 5 : 26;
			}
			if (auth_to_r(&p, ppp_auth_proto(methods[i]), packet, len) == AUTHR_REQUEST) {
				struct ppp_auth_verdict v;

				ppp_auth_check(test_crypto(), &p.r.request, &p.r_secret, &v);
				ck_assert(!v.ok);
				authr_verdict(&p.r, p.r.request.id, &v, 0);
			}
			ck_assert_int_ne(p.r.state, AUTHR_OPEN);
			if (p.r.state == AUTHR_CLOSED)
				authr_start(&p.r, methods[i], 0);
			auth_to_e(&p, ppp_auth_proto(methods[i]), packet, len);
			ck_assert(!p.e.keys.valid);
			if (p.e.state == AUTHE_CLOSED)
				authe_start(&p.e, methods[i], 0);
			while (outq_take(&p.r_out, packet, sizeof(packet)) > 0 || outq_take(&p.e_out, packet, sizeof(packet)) > 0)
				;
		}
	}
}
END_TEST

/* ---- repeated responses ------------------------------------------------------------------------------------------- */

/* RFC 1994 section 4.2, RFC 1334 section 2.2.2: the same reply, and nobody is asked again. */
START_TEST(repeated_after_success)
{
	for (size_t i = 0; i < METHODS; i++) {
		enum ppp_proto proto = ppp_auth_proto(methods[i]);
		struct auth_pair p;
		uint8_t reply[AUTH_FRAME];

		auth_pair_started(&p, methods[i]);
		ck_assert_int_eq(auth_to_r(&p, proto, p.last_e + 2, p.last_e_len - 2), AUTHR_NONE);
		ck_assert_uint_eq(outq_take(&p.r_out, reply, sizeof(reply)), p.last_r_len);
		ck_assert_mem_eq(reply, p.last_r, p.last_r_len);
		ck_assert_uint_eq(p.requests, 1);
		ck_assert_int_eq(p.r.state, AUTHR_OPEN);
	}
}
END_TEST

START_TEST(repeated_after_failure)
{
	for (size_t i = 0; i < METHODS; i++) {
		enum ppp_proto proto = ppp_auth_proto(methods[i]);
		struct auth_pair p;
		uint8_t reply[AUTH_FRAME];

		auth_pair_init(&p, 0);
		p.r_secret = test_password("other");
		auth_pair_start(&p, methods[i], methods[i]);
		ck_assert_int_eq(p.r_result, AUTHR_REFUSED);
		ck_assert_int_eq(auth_to_r(&p, proto, p.last_e + 2, p.last_e_len - 2), AUTHR_NONE);
		ck_assert_uint_eq(outq_take(&p.r_out, reply, sizeof(reply)), p.last_r_len);
		ck_assert_mem_eq(reply, p.last_r, p.last_r_len);
		ck_assert_uint_eq(p.requests, 1);
	}
}
END_TEST

START_TEST(responses_with_another_id)
{
	static const enum ppp_auth_method chap[] = {PPP_AUTH_CHAP_MD5, PPP_AUTH_MSCHAP, PPP_AUTH_MSCHAPV2};

	for (size_t i = 0; i < 3; i++) {
		struct auth_pair p;

		auth_pair_init(&p, 0);
		p.lose_e = 1;
		auth_pair_start(&p, chap[i], chap[i]);
		for (unsigned id = 0; id < 256; id++) {
			if (id == p.r.id)
				continue;
			p.last_e[3] = (uint8_t)id;
			ck_assert_int_eq(auth_to_r(&p, PPP_PROTO_CHAP, p.last_e + 2, p.last_e_len - 2), AUTHR_NONE);
		}
		ck_assert_int_eq(p.r.state, AUTHR_CHALLENGE);
		ck_assert_uint_eq(outq_peek(&p.r_out), 0);
	}
}
END_TEST

START_TEST(longest_names_and_secrets)
{
	for (size_t i = 0; i < METHODS; i++) {
		char name[PPP_NAME_MAX + 1], password[PPP_SECRET_MAX + 1];
		struct auth_pair p;

		memset(name, 'n', PPP_NAME_MAX);
		memset(password, 'p', PPP_SECRET_MAX);
		name[PPP_NAME_MAX] = password[PPP_SECRET_MAX] = '\0';
		auth_pair_init(&p, 0);
		p.e.config.name = p.r.config.name = name;
		p.e_secret = p.r_secret = test_password(password);
		auth_pair_start(&p, methods[i], methods[i]);
		ck_assert_int_eq(p.r_result, AUTHR_ACCEPTED);
		ck_assert_int_eq(p.e_result, AUTHE_ACCEPTED);
		ck_assert_str_eq(p.r.request.name, name);
	}
}
END_TEST

Suite *
suite_auth_fsm(void)
{
	Suite *s = suite_create("libppp/auth_fsm");
	TCase *tc = tcase_create("auth_fsm");

	tcase_add_test(tc, right_password);
	tcase_add_test(tc, wrong_password);
	tcase_add_test(tc, nt_hash_on_either_side);
	tcase_add_test(tc, late_verdict);
	tcase_add_test(tc, verdicts_that_fit_nothing);
	tcase_add_test(tc, lost_frames);
	tcase_add_test(tc, network_protocols_prove_nothing_early);
	tcase_add_test(tc, mute_peer);
	tcase_add_test(tc, nothing_before_start_or_after_stop);
	tcase_add_test(tc, other_protocols_are_dropped);
	tcase_add_test(tc, truncated_frames);
	tcase_add_test(tc, garbage);
	tcase_add_test(tc, repeated_after_success);
	tcase_add_test(tc, repeated_after_failure);
	tcase_add_test(tc, responses_with_another_id);
	tcase_add_test(tc, longest_names_and_secrets);
	suite_add_tcase(s, tc);
	return s;
}
