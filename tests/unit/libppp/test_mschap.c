#include "libppp/mschap.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/libppp/util.h"
#include "tests/unit/suite.h"

Suite *suite_mschap(void);

/* RFC 2433 appendix B.2 */
START_TEST(v1_rfc2433)
{
	uint8_t hash[16], challenge[8], response[24];

	ppp_nt_hash(test_crypto(), hash, "MyPw", 4);
	assert_hex(hash, 16, "FC156AF7EDCD6C0EDDE3337D427F4EAC");
	unhex(challenge, sizeof(challenge), "102DB5DF085D3041");
	mschap_response(test_crypto(), response, challenge, hash);
	assert_hex(response, 24, "4E9D3C8F9CFD385D5BF4D3246791956CA4C351AB409A3D61");
}
END_TEST

/* RFC 2759 section 9.2 */
START_TEST(v2_rfc2759)
{
	uint8_t hash[16], ours[16], theirs[16], challenge[8], response[24], proof[20];

	ppp_nt_hash(test_crypto(), hash, "clientPass", 10);
	unhex(ours, 16, "5B5D7C7D7B3F2F3E3C2C602132262628");
	unhex(theirs, 16, "21402324255E262A28295F2B3A337C7E");
	mschap_challenge_hash(test_crypto(), challenge, theirs, ours, "User", 4);
	assert_hex(challenge, 8, "D02E4386BCE91226");
	mschap_response(test_crypto(), response, challenge, hash);
	assert_hex(response, 24, "82309ECD8D708B5EA08FAA3981CD83544233114A3D85D6DF");
	mschap_authenticator_response(test_crypto(), proof, hash, response, challenge);
	assert_hex(proof, 20, "407A5589115FD0D6209F510FE9C04566932CDA56");
}
END_TEST

START_TEST(lm_hash_is_of_upper_case_and_14_bytes)
{
	uint8_t a[16], b[16];

	mschap_lm_hash(test_crypto(), a, "", 0);
	assert_hex(a, 16, "aad3b435b51404eeaad3b435b51404ee");
	mschap_lm_hash(test_crypto(), a, "Password", 8);
	mschap_lm_hash(test_crypto(), b, "pASSWORD", 8);
	ck_assert_mem_eq(a, b, 16);
	assert_hex(a, 16, "e52cac67419a9a224a3b108f3fa6cb6d");
	mschap_lm_hash(test_crypto(), a, "12345678901234", 14);
	mschap_lm_hash(test_crypto(), b, "12345678901234567", 17);
	ck_assert_mem_eq(a, b, 16);
}
END_TEST

START_TEST(domains)
{
	ck_assert_uint_eq(mschap_domain("joe", 3), 0);
	ck_assert_uint_eq(mschap_domain("", 0), 0);
	ck_assert_uint_eq(mschap_domain("HOME\\joe", 8), 5);
	ck_assert_uint_eq(mschap_domain("\\joe", 4), 1);
	ck_assert_uint_eq(mschap_domain("HOME\\joe", 4), 0);
}
END_TEST

static struct mschap_failure
parse(const char *text)
{
	struct mschap_failure f;

	mschap_failure_parse(&f, (const uint8_t *)text, strlen(text));
	return f;
}

START_TEST(failure_in_order)
{
	struct mschap_failure f = parse("E=691 R=1 C=00112233445566778899AABBCCDDEEFF V=3 M=Go away = please");

	ck_assert_uint_eq(f.error, 691);
	ck_assert(f.retry);
	ck_assert_uint_eq(f.challenge_len, 16);
	assert_hex(f.challenge, 16, "00112233445566778899AABBCCDDEEFF");
	ck_assert_str_eq(f.message, "Go away = please");
	f = parse("E=0000000648 R=0 C=0011223344556677 V=2");
	ck_assert_uint_eq(f.error, 648);
	ck_assert(!f.retry);
	ck_assert_uint_eq(f.challenge_len, 8);
	ck_assert_str_eq(f.message, "");
}
END_TEST

START_TEST(failure_out_of_order)
{
	struct mschap_failure f = parse("V=3   R=1 E=649");

	ck_assert_uint_eq(f.error, 649);
	ck_assert(f.retry);
	ck_assert_uint_eq(parse("E=99999999999999999999").error, 0);
	ck_assert_uint_eq(parse("E=").error, 0);
	ck_assert_uint_eq(parse("E").error, 0);
	ck_assert_uint_eq(parse("").error, 0);
	ck_assert_uint_eq(parse("C=0g E=691").challenge_len, 0);
	ck_assert_uint_eq(parse("C=000 E=691").challenge_len, 1);
	ck_assert_uint_eq(parse("E=691 C=00112233445566778899AABBCCDDEEFF00112233").challenge_len, 16);
	ck_assert_str_eq(parse("Access denied").message, "Access denied");
	ck_assert_str_eq(parse("E=691 R=0 M=\x1b[31m").message, "\\x1b[31m");
}
END_TEST

/* Any bytes at any length: what matters is that the sanitizers have nothing to say. */
START_TEST(failure_of_garbage)
{
	uint32_t seed = 99;

	for (int round = 0; round < 3000; round++) {
		static const char alphabet[] = "ERCVM= 01f\\\0\xff";
		size_t len = test_random(&seed) % 600;
		uint8_t *data = malloc(len);
		struct mschap_failure f;

		for (size_t i = 0; i < len; i++)
			data[i] = (uint8_t)alphabet[test_random(&seed) % (sizeof(alphabet) - 1)];
		mschap_failure_parse(&f, data, len);
		ck_assert_uint_le(f.challenge_len, 16);
		ck_assert_ptr_nonnull(memchr(f.message, '\0', sizeof(f.message)));
		free(data);
	}
}
END_TEST

START_TEST(error_texts)
{
	static const unsigned codes[] = {646, 647, 648, 649, 691, 709};

	for (size_t i = 0; i < 6; i++)
		ck_assert_ptr_nonnull(mschap_error_text(codes[i]));
	ck_assert_ptr_null(mschap_error_text(0));
	ck_assert_ptr_null(mschap_error_text(690));
}
END_TEST

Suite *
suite_mschap(void)
{
	Suite *s = suite_create("libppp/mschap");
	TCase *tc = tcase_create("mschap");

	tcase_add_test(tc, v1_rfc2433);
	tcase_add_test(tc, v2_rfc2759);
	tcase_add_test(tc, lm_hash_is_of_upper_case_and_14_bytes);
	tcase_add_test(tc, domains);
	tcase_add_test(tc, failure_in_order);
	tcase_add_test(tc, failure_out_of_order);
	tcase_add_test(tc, failure_of_garbage);
	tcase_add_test(tc, error_texts);
	suite_add_tcase(s, tc);
	return s;
}
