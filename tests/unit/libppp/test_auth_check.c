#include "libppp/auth.h"

#include <stdio.h>
#include <string.h>

#include "libppp/auth_fsm.h"
#include "libppp/mppe_key.h"
#include "libppp/mschap.h"
#include "tests/unit/libppp/util.h"
#include "tests/unit/suite.h"

Suite *suite_auth(void);
Suite *suite_auth_check(void);

static const enum ppp_auth_method methods[] = {
    PPP_AUTH_PAP, PPP_AUTH_CHAP_MD5, PPP_AUTH_EAP_MD5, PPP_AUTH_MSCHAP, PPP_AUTH_EAP_MSCHAPV2, PPP_AUTH_MSCHAPV2};

enum { METHODS = 6 };

/* ---- a peer of the simplest kind ------------------------------------------------------------------------------- */

static void
answer_md5(struct ppp_auth_request *r, const struct ppp_secret *s)
{
	struct ppp_iov in[] = {{&r->id, 1}, {s->data, s->len}, {r->challenge, r->challenge_len}};

	r->response_len = 16;
	ppp_md5(test_crypto(), r->response, in, 3);
}

/* hashed is the part of the name that takes part in the hash */
static void
answer_v2(struct ppp_auth_request *r, const uint8_t hash[16], const char *hashed)
{
	uint8_t challenge[8];

	memset(r->response, 0x5a, 16);
	mschap_challenge_hash(test_crypto(), challenge, r->response, r->challenge, hashed, strlen(hashed));
	mschap_response(test_crypto(), r->response + MSCHAP_NT_AT, challenge, hash);
}

static struct ppp_auth_request
answer(enum ppp_auth_method method, const char *name, const char *hashed, const char *password)
{
	struct ppp_auth_request r = {.method = method, .id = 77, .name_len = (uint16_t)strlen(name)};
	struct ppp_secret s = test_password(password);
	uint8_t hash[16];

	memcpy(r.name, name, r.name_len);
	ppp_nt_hash(test_crypto(), hash, password, strlen(password));
	r.challenge_len = method == PPP_AUTH_PAP ? 0 : method == PPP_AUTH_MSCHAP ? 8 : 16;
	memset(r.challenge, 0xc3, r.challenge_len);
	r.response_len = MSCHAP_RESPONSE;
	if (method == PPP_AUTH_PAP) {
		memcpy(r.response, s.data, s.len);
		r.response_len = s.len;
	} else if (method == PPP_AUTH_CHAP_MD5 || method == PPP_AUTH_EAP_MD5) {
		answer_md5(&r, &s);
	} else if (method == PPP_AUTH_MSCHAP) {
		mschap_response(test_crypto(), r.response + MSCHAP_NT_AT, r.challenge, hash);
		r.response[MSCHAP_FLAG_AT] = 1;
	} else {
		answer_v2(&r, hash, hashed);
	}
	return r;
}

static struct ppp_auth_verdict
check(const struct ppp_auth_request *r, const struct ppp_secret *s)
{
	struct ppp_auth_verdict v;

	memset(&v, 0xff, sizeof(v));
	ppp_auth_check(test_crypto(), r, s, &v);
	return v;
}

static bool
accepts(enum ppp_auth_method method, const char *given, const char *known)
{
	struct ppp_auth_request r = answer(method, "joe", "joe", given);
	struct ppp_secret s = test_password(known);
	struct ppp_auth_verdict v = check(&r, &s);

	if (!v.ok) {
		ck_assert_uint_eq(v.mschap_error, 691);
		ck_assert(v.retry);
		ck_assert(!v.keys.valid);
		ck_assert_uint_gt(strlen(v.message), 0);
	}
	return v.ok;
}

/* ---- tests ------------------------------------------------------------------------------------------------------ */

START_TEST(right_and_wrong)
{
	char longest[256], longer[256];

	memset(longest, 'x', 255);
	longest[255] = '\0';
	memcpy(longer, longest, sizeof(longer));
	longer[254] = 'y';
	for (size_t i = 0; i < METHODS; i++) {
		ck_assert(accepts(methods[i], "secret", "secret"));
		ck_assert(!accepts(methods[i], "secret", "Secret"));
		ck_assert(!accepts(methods[i], "secret", "secre"));
		ck_assert(!accepts(methods[i], "secret", "secrets"));
		ck_assert(!accepts(methods[i], "secret", ""));
		ck_assert(!accepts(methods[i], "", "secret"));
		ck_assert(accepts(methods[i], "", ""));
		ck_assert(accepts(methods[i], longest, longest));
		ck_assert(!accepts(methods[i], longest, longer));
		ck_assert(accepts(methods[i], "p\xc3\xa4ssw\xc3\xb6rt \xe2\x82\xac \xf0\x9f\x94\x91",
		    "p\xc3\xa4ssw\xc3\xb6rt \xe2\x82\xac \xf0\x9f\x94\x91"));
		ck_assert(!accepts(methods[i], "p\xc3\xa4ssw\xc3\xb6rt", "passwort"));
	}
}
END_TEST

START_TEST(nt_hash_secrets)
{
	for (size_t i = 0; i < METHODS; i++) {
		struct ppp_auth_request r = answer(methods[i], "joe", "joe", "secret"), wrong = answer(methods[i], "joe", "joe", "Secret");
		struct ppp_secret s = test_nt_hash("secret");
		struct ppp_auth_verdict v = check(&r, &s);
		bool md5 = methods[i] == PPP_AUTH_CHAP_MD5 || methods[i] == PPP_AUTH_EAP_MD5;

		ck_assert_int_eq(v.ok, !md5);
		if (md5)
			ck_assert_ptr_nonnull(strstr(v.message, "NT hash"));
		ck_assert(!check(&wrong, &s).ok);
	}
}
END_TEST

START_TEST(keys_come_with_mschap_only)
{
	for (size_t i = 0; i < METHODS; i++) {
		struct ppp_auth_request r = answer(methods[i], "joe", "joe", "secret");
		struct ppp_secret s = test_password("secret"), hash = test_nt_hash("secret");
		struct ppp_auth_verdict v = check(&r, &s);
		bool gives = (methods[i] & PPP_AUTH_MSCHAP_ANY) != 0;

		ck_assert_int_eq(v.keys.valid, gives);
		ck_assert_uint_eq(mppe_keys_bits(&v.keys), gives ? 7 : 0);
		v = check(&r, &hash);
		ck_assert_uint_eq(mppe_keys_bits(&v.keys), !gives ? 0 : methods[i] == PPP_AUTH_MSCHAP ? 4 : 7);
	}
}
END_TEST

START_TEST(vector_rfc2759)
{
	struct ppp_auth_request r = {.method = PPP_AUTH_MSCHAPV2, .name = "User", .name_len = 4, .challenge_len = 16, .response_len = 49};
	struct ppp_secret s = test_password("clientPass");
	struct ppp_auth_verdict v;

	unhex(r.challenge, 16, "5B5D7C7D7B3F2F3E3C2C602132262628");
	unhex(r.response, 16, "21402324255E262A28295F2B3A337C7E");
	unhex(r.response + 24, 24, "82309ECD8D708B5EA08FAA3981CD83544233114A3D85D6DF");
	v = check(&r, &s);
	ck_assert(v.ok);
	assert_hex(v.authenticator_response, 20, "407A5589115FD0D6209F510FE9C04566932CDA56");
	assert_hex(v.keys.send, 16, "8B7CDC149B993A1BA118CB153F56DCCB");
}
END_TEST

START_TEST(domain_both_ways)
{
	static const enum ppp_auth_method v2[] = {PPP_AUTH_MSCHAPV2, PPP_AUTH_EAP_MSCHAPV2};
	struct ppp_secret s = test_password("secret");

	for (size_t i = 0; i < 2; i++) {
		struct ppp_auth_request r = answer(v2[i], "HOME\\joe", "joe", "secret");

		ck_assert(check(&r, &s).ok);
		r = answer(v2[i], "HOME\\joe", "HOME\\joe", "secret");
		ck_assert(check(&r, &s).ok);
		r = answer(v2[i], "HOME\\joe", "HOME", "secret");
		ck_assert(!check(&r, &s).ok);
		r = answer(v2[i], "joe", "HOME\\joe", "secret");
		ck_assert(!check(&r, &s).ok);
	}
}
END_TEST

/* Each bit of a response and of the challenge counts; so does each length. */
START_TEST(tampered)
{
	struct ppp_secret s = test_password("secret");

	for (size_t i = 0; i < METHODS; i++) {
		struct ppp_auth_request good = answer(methods[i], "joe", "joe", "secret"), bad;

		for (size_t at = 0; at < good.response_len; at++) {
			bool v2 = (methods[i] & (PPP_AUTH_MSCHAPV2 | PPP_AUTH_EAP_MSCHAPV2)) != 0;
			/* v1: the LM response is not looked at; v2: reserved bytes and flags are not */
			bool ignored = (methods[i] == PPP_AUTH_MSCHAP && at < 24) || (v2 && ((at >= 16 && at < 24) || at == 48));

			bad = good;
			bad.response[at] ^= 1;
			ck_assert_int_eq(check(&bad, &s).ok, ignored);
		}
		for (size_t at = 0; at < good.challenge_len; at++) {
			bad = good;
			bad.challenge[at] ^= 0x80;
			ck_assert(!check(&bad, &s).ok);
		}
		for (uint16_t len = 0; len < 256; len++) {
			bad = good;
			bad.response_len = len;
			ck_assert_int_eq(check(&bad, &s).ok, len == good.response_len);
			bad = good;
			bad.challenge_len = len < sizeof(bad.challenge) ? len : 0;
			if (methods[i] != PPP_AUTH_PAP)
				ck_assert_int_eq(check(&bad, &s).ok, bad.challenge_len == good.challenge_len);
		}
	}
}
END_TEST

START_TEST(lan_manager_only_is_refused)
{
	struct ppp_auth_request r = answer(PPP_AUTH_MSCHAP, "joe", "joe", "secret");
	struct ppp_secret s = test_password("secret");
	struct ppp_auth_verdict v;

	r.response[MSCHAP_FLAG_AT] = 0;
	v = check(&r, &s);
	ck_assert(!v.ok);
	ck_assert_ptr_nonnull(strstr(v.message, "LAN Manager"));
}
END_TEST

START_TEST(unusable_secrets)
{
	struct ppp_auth_request r = answer(PPP_AUTH_PAP, "joe", "joe", "secret");
	struct ppp_secret s = test_nt_hash("secret");

	s.len = 15;
	ck_assert(!check(&r, &s).ok);
	s = test_password("secret");
	s.len = 256;
	ck_assert(!check(&r, &s).ok);
	s.len = 6;
	r.method = 0;
	ck_assert(!check(&r, &s).ok);
}
END_TEST

static void
assert_nt_hash(const char *password, const char *wide)
{
	uint8_t utf16[512], a[16], b[16];
	struct ppp_iov in = {utf16, unhex(utf16, sizeof(utf16), wide)};

	ppp_md4(test_crypto(), b, &in, 1);
	ppp_nt_hash(test_crypto(), a, password, strlen(password));
	ck_assert_mem_eq(a, b, 16);
}

START_TEST(nt_hash_is_of_utf16)
{
	assert_nt_hash("", "");
	assert_nt_hash("ab", "6100 6200");
	assert_nt_hash("\xc3\xa4", "e400");
	assert_nt_hash("\xe2\x82\xac", "ac20");
	assert_nt_hash("\xf0\x9f\x94\x91", "3dd8 11dd");
	/* not UTF-8: each byte stands for itself */
	assert_nt_hash("\xe4", "e400");
	assert_nt_hash("\xe4z", "e400 7a00");
	assert_nt_hash("\xc0\x80", "c000 8000");
	assert_nt_hash("\xed\xa0\x80", "ed00 a000 8000");
	assert_nt_hash("\xf4\x90\x80\x80", "f400 9000 8000 8000");
	assert_nt_hash("\xf0\x9f\x94", "f000 9f00 9400");
	assert_nt_hash("\xff", "ff00");
}
END_TEST

/* ---- names ------------------------------------------------------------------------------------------------------ */

START_TEST(names_read_back)
{
	for (size_t i = 0; i < METHODS; i++)
		ck_assert_uint_eq(ppp_auth_parse(ppp_auth_name(methods[i])), methods[i]);
	ck_assert_str_eq(ppp_auth_name(0), "none");
	ck_assert_str_eq(ppp_auth_name(PPP_AUTH_MSCHAPV2), "mschap2");
	ck_assert_uint_eq(ppp_auth_parse("MSCHAP-V2"), PPP_AUTH_MSCHAPV2);
	ck_assert_uint_eq(ppp_auth_parse("mschapv2"), PPP_AUTH_MSCHAPV2);
	ck_assert_uint_eq(ppp_auth_parse("Chap-MD5"), PPP_AUTH_CHAP_MD5);
	ck_assert_uint_eq(ppp_auth_parse("mschap-v1"), PPP_AUTH_MSCHAP);
	ck_assert_uint_eq(ppp_auth_parse("eap-mschapv2"), PPP_AUTH_EAP_MSCHAPV2);
	ck_assert_uint_eq(ppp_auth_parse("eap-tls"), 0);
	ck_assert_uint_eq(ppp_auth_parse(""), 0);
}
END_TEST

START_TEST(protocols)
{
	ck_assert_uint_eq(ppp_auth_proto(PPP_AUTH_PAP), PPP_PROTO_PAP);
	ck_assert_uint_eq(ppp_auth_proto(PPP_AUTH_CHAP_MD5), PPP_PROTO_CHAP);
	ck_assert_uint_eq(ppp_auth_proto(PPP_AUTH_MSCHAP), PPP_PROTO_CHAP);
	ck_assert_uint_eq(ppp_auth_proto(PPP_AUTH_MSCHAPV2), PPP_PROTO_CHAP);
	ck_assert_uint_eq(ppp_auth_proto(PPP_AUTH_EAP_MD5), PPP_PROTO_EAP);
	ck_assert_uint_eq(ppp_auth_proto(PPP_AUTH_EAP_MSCHAPV2), PPP_PROTO_EAP);
}
END_TEST

Suite *
suite_auth_check(void)
{
	Suite *s = suite_create("libppp/auth_check");
	TCase *tc = tcase_create("auth_check");

	tcase_add_test(tc, right_and_wrong);
	tcase_add_test(tc, nt_hash_secrets);
	tcase_add_test(tc, keys_come_with_mschap_only);
	tcase_add_test(tc, vector_rfc2759);
	tcase_add_test(tc, domain_both_ways);
	tcase_add_test(tc, tampered);
	tcase_add_test(tc, lan_manager_only_is_refused);
	tcase_add_test(tc, unusable_secrets);
	tcase_add_test(tc, nt_hash_is_of_utf16);
	suite_add_tcase(s, tc);
	return s;
}

Suite *
suite_auth(void)
{
	Suite *s = suite_create("libppp/auth");
	TCase *tc = tcase_create("auth");

	tcase_add_test(tc, names_read_back);
	tcase_add_test(tc, protocols);
	suite_add_tcase(s, tc);
	return s;
}
