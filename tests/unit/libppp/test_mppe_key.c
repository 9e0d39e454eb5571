#include "libppp/mppe_key.h"

#include <string.h>

#include "libppp/mppe.h"
#include "libppp/mschap.h"
#include "tests/unit/libppp/util.h"
#include "tests/unit/suite.h"

Suite *suite_mppe_key(void);

#define NT_RESPONSE "82309ECD8D708B5EA08FAA3981CD83544233114A3D85D6DF"

/* RFC 3079 section 3.5: the samples are the server's, and what it sends */
static void
sample_v2(struct ppp_mppe_keys *keys, bool server)
{
	uint8_t hash[16], response[24];

	ppp_nt_hash(test_crypto(), hash, "clientPass", 10);
	assert_hex(hash, 16, "44EBBA8D5312B8D611474411F56989AE");
	unhex(response, sizeof(response), NT_RESPONSE);
	mppe_keys_v2(test_crypto(), keys, hash, response, server);
	ck_assert(keys->valid && !keys->lm);
	ck_assert_uint_eq(mppe_keys_bits(keys), 7);
}

START_TEST(start_keys_of_v2)
{
	struct ppp_mppe_keys server, client;

	sample_v2(&server, true);
	sample_v2(&client, false);
	assert_hex(server.send, 16, "8B7CDC149B993A1BA118CB153F56DCCB");
	assert_hex(client.send, 16, "D5F0E9521E3EA9589645E86051C82226");
	ck_assert_mem_eq(server.send, client.recv, 16);
	ck_assert_mem_eq(server.recv, client.send, 16);
}
END_TEST

START_TEST(session_keys_and_messages_of_v2)
{
	static const struct {
		unsigned bits;
		const char *key, *message;
	} v[] = {
	    {40, "D1269EC49FA62E3E", "929137917E5803D668D75898"},
	    /* the RFC prints 58 for the last byte; OpenSSL makes it b8 from the key that the RFC prints */
	    {56, "D15C00C49FA62E3E", "3F106833FA448DA842BC57B8"},
	    {128, "405CB2247A7956E6E211007AE27B22D4", "81848317DF68846272FB5ABE"},
	};
	struct ppp_mppe_keys keys;

	sample_v2(&keys, true);
	for (size_t i = 0; i < 3; i++) {
		uint8_t message[12] = {'t', 'e', 's', 't', ' ', 'm', 'e', 's', 's', 'a', 'g', 'e'}, header[MPPE_HEADER];
		struct mppe m;

		mppe_init(&m, &keys, true, v[i].bits, false);
		assert_hex(m.session_key, m.keylen, v[i].key);
		mppe_encrypt(&m, header, message, sizeof(message));
		assert_hex(message, sizeof(message), v[i].message);
		assert_hex(header, 2, "1000");
	}
}
END_TEST

/* RFC 3079 section 2.5 */
START_TEST(keys_of_v1)
{
	struct ppp_mppe_keys keys;
	uint8_t hash[16], lm[16], challenge[8];
	struct mppe m;

	ppp_nt_hash(test_crypto(), hash, "clientPass", 10);
	mschap_lm_hash(test_crypto(), lm, "clientPass", 10);
	assert_hex(lm, 16, "76a152936096d7830e23902274 04afd2");
	unhex(challenge, sizeof(challenge), "102db5df085d3041");
	mppe_keys_v1(test_crypto(), &keys, hash, lm, challenge);
	ck_assert_uint_eq(mppe_keys_bits(&keys), 7);
	/* the RFC prints one byte of this as ca in one line and as c1 in the next; the session key decides */
	assert_hex(keys.send, 7, "a8947850cfc0ac");
	ck_assert_mem_eq(keys.send, keys.recv, 16);
	mppe_init(&m, &keys, true, 40, true);
	assert_hex(m.session_key, 8, "d1269e538cec4a08");
	mppe_init(&m, &keys, false, 56, true);
	assert_hex(m.session_key, 8, "d10801538cec4a08");
	mppe_init(&m, &keys, true, 128, true);
	assert_hex(m.session_key, 16, "59d159bc09f76f1da2a86a28ffec0b1e");
}
END_TEST

START_TEST(no_weak_keys_without_the_lm_hash)
{
	static const uint8_t hash[16], challenge[8];
	struct ppp_mppe_keys keys;

	mppe_keys_v1(test_crypto(), &keys, hash, NULL, challenge);
	ck_assert_uint_eq(mppe_keys_bits(&keys), 4);
	keys.valid = false;
	ck_assert_uint_eq(mppe_keys_bits(&keys), 0);
}
END_TEST

Suite *
suite_mppe_key(void)
{
	Suite *s = suite_create("libppp/mppe_key");
	TCase *tc = tcase_create("mppe_key");

	tcase_add_test(tc, start_keys_of_v2);
	tcase_add_test(tc, session_keys_and_messages_of_v2);
	tcase_add_test(tc, keys_of_v1);
	tcase_add_test(tc, no_weak_keys_without_the_lm_hash);
	suite_add_tcase(s, tc);
	return s;
}
