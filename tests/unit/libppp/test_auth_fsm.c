/* What all methods share, and PAP and CHAP; EAP is in test_auth_eap.c. */
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

static struct auth_pair *
started(struct auth_pair *p, enum ppp_auth_method method)
{
	auth_pair_init(p, 0);
	auth_pair_start(p, method, method);
	return p;
}

static void
assert_agreed(const struct auth_pair *p, enum ppp_auth_method method)
{
	ck_assert_int_eq(p->r_result, AUTHR_ACCEPTED);
	ck_assert_int_eq(p->e_result, AUTHE_ACCEPTED);
	ck_assert_int_eq(p->r.method, method);
	ck_assert_int_eq(p->e.method, method);
	ck_assert_str_eq(p->r.request.name, "joe");
	ck_assert_int_eq(p->r.keys.valid, (method & PPP_AUTH_MSCHAP_ANY) != 0);
	ck_assert_int_eq(p->e.keys.valid, p->r.keys.valid);
	ck_assert_mem_eq(p->r.keys.send, p->e.keys.recv, 16);
	ck_assert_mem_eq(p->r.keys.recv, p->e.keys.send, 16);
	ck_assert_mem_eq(p->r.keys.lm_key, p->e.keys.lm_key, 8);
	ck_assert_uint_eq(authr_expiry(&p->r), TS_NEVER);
	ck_assert_uint_eq(authe_expiry(&p->e), TS_NEVER);
}

/* ---- all methods -------------------------------------------------------------------------------------------------- */

START_TEST(right_password)
{
	for (size_t i = 0; i < METHODS; i++) {
		struct auth_pair p;

		assert_agreed(started(&p, methods[i]), methods[i]);
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
		assert_agreed(&p, methods[i]);
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
		assert_agreed(&p, methods[i]);
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
	assert_agreed(&p, method);
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
		started(&p, methods[i]);
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

		started(&p, methods[i]);
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

		started(&p, methods[i]);
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
	assert_agreed(&p, PPP_AUTH_PAP);
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

	started(&p, PPP_AUTH_MSCHAPV2);
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
		started(&p, PPP_AUTH_MSCHAPV2);
		ck_assert_int_eq(auth_to_r(&p, PPP_PROTO_CHAP, packet, sizeof(packet)), AUTHR_NONE);
		ck_assert_uint_eq(outq_peek(&p.r_out), 0);
		ck_assert_int_eq(p.r.state, AUTHR_OPEN);
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
	tcase_add_test(tc, peer_not_genuine);
	tcase_add_test(tc, success_message_shows);
	tcase_add_test(tc, second_try);
	tcase_add_test(tc, tries_are_counted);
	tcase_add_test(tc, old_response_to_the_new_challenge_fails);
	tcase_add_test(tc, codes_reach_the_peer);
	tcase_add_test(tc, passwords_are_not_changed);
	tcase_add_test(tc, password_change_out_of_place);
	tcase_add_test(tc, longest_names_and_secrets);
	tcase_add_test(tc, domain_in_the_name);
	suite_add_tcase(s, tc);
	return s;
}
