#define OPENSSL_SUPPRESS_DEPRECATED

#include "libppp/rc4.h"

#include <openssl/rc4.h>
#include <string.h>

#include "tests/unit/libppp/util.h"
#include "tests/unit/suite.h"

Suite *suite_rc4(void);

enum { MAX = 3000 };

/* RFC 6229 has vectors of 64 and 128 bits */
START_TEST(vectors_rfc6229)
{
	uint8_t key[16], stream[16] = {0};
	struct rc4 c;

	unhex(key, sizeof(key), "0102030405060708");
	rc4_init(&c, key, 8);
	rc4_crypt(&c, stream, sizeof(stream));
	assert_hex(stream, sizeof(stream), "97ab8a1bf0afb96132f2f67258da15a8");
	unhex(key, sizeof(key), "0102030405060708090a0b0c0d0e0f10");
	rc4_init(&c, key, 16);
	memset(stream, 0, sizeof(stream));
	rc4_crypt(&c, stream, sizeof(stream));
	assert_hex(stream, sizeof(stream), "9ac7cc9a609d1ef7b2932899cde41b97");
}
END_TEST

/* Pieces of random lengths, so that every alignment of the unrolled groups occurs. */
START_TEST(equals_openssl)
{
	static uint8_t ours[MAX], theirs[MAX];
	uint32_t seed = 4711;

	for (int round = 0; round < 400; round++) {
		size_t keylen = round % 2 == 0 ? 8 : 16;
		uint8_t key[16];
		struct rc4 c;
		RC4_KEY oracle;

		test_random_fill(&seed, key, sizeof(key));
		rc4_init(&c, key, keylen);
		RC4_set_key(&oracle, (int)keylen, key);
		for (int piece = 0; piece < 12; piece++) {
			size_t len = test_random(&seed) % (piece % 3 == 0 ? MAX : 40);

			test_random_fill(&seed, ours, len);
			memcpy(theirs, ours, len);
			rc4_crypt(&c, ours, len);
			RC4(&oracle, len, theirs, theirs);
			ck_assert_mem_eq(ours, theirs, len);
		}
	}
}
END_TEST

START_TEST(every_length_from_every_place)
{
	static const uint8_t key[16] = "sixteen byte key";
	uint8_t ours[600], theirs[600];

	for (size_t first = 0; first < 40; first++) {
		for (size_t len = 0; len < 560; len += len < 40 ? 1 : 7) {
			struct rc4 c;
			RC4_KEY oracle;

			memset(ours, 0, sizeof(ours));
			memset(theirs, 0, sizeof(theirs));
			rc4_init(&c, key, 16);
			rc4_crypt(&c, ours, first);
			rc4_crypt(&c, ours + first, len);
			RC4_set_key(&oracle, 16, key);
			RC4(&oracle, first + len, theirs, theirs);
			ck_assert_mem_eq(ours, theirs, sizeof(ours));
			ck_assert_uint_eq(c.i, (uint8_t)(first + len));
		}
	}
}
END_TEST

Suite *
suite_rc4(void)
{
	Suite *s = suite_create("libppp/rc4");
	TCase *tc = tcase_create("rc4");

	tcase_add_test(tc, vectors_rfc6229);
	tcase_add_test(tc, equals_openssl);
	tcase_add_test(tc, every_length_from_every_place);
	suite_add_tcase(s, tc);
	return s;
}
