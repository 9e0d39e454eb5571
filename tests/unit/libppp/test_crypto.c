#include "libppp/crypto.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/libppp/util.h"
#include "tests/unit/suite.h"

Suite *suite_crypto(void);

struct vector {
	const char *in;
	const char *out;
};

typedef void (*digest_fn)(const struct ppp_crypto *c, uint8_t *out, const struct ppp_iov *in, size_t count);

/* Each vector whole, and cut in two at every byte. */
static void
check_digest(digest_fn fn, size_t outlen, const struct vector *v, size_t count)
{
	uint8_t out[20];

	for (size_t i = 0; i < count; i++) {
		size_t len = strlen(v[i].in);

		for (size_t cut = 0; cut <= len; cut++) {
			struct ppp_iov in[] = {{v[i].in, cut}, {v[i].in + cut, len - cut}};

			fn(test_crypto(), out, in, 2);
			assert_hex(out, outlen, v[i].out);
		}
	}
}

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"
#define EIGHTY "12345678901234567890123456789012345678901234567890123456789012345678901234567890"

START_TEST(md4_rfc1320)
{
	static const struct vector v[] = {
	    {"", "31d6cfe0d16ae931b73c59d7e0c089c0"},
	    {"a", "bde52cb31de33e46245e05fbdbd6fb24"},
	    {"abc", "a448017aaf21d8525fc10ae87aa6729d"},
	    {"message digest", "d9130a8164549fe818874806e1c7014b"},
	    {LOWER, "d79e1c308aa5bbcdeea8ed63df412da9"},
	    {UPPER LOWER DIGITS, "043f8582f241db351ce627e153e7f0e4"},
	    {EIGHTY, "e33b4ddc9c38f2199c3e7b164fcc0536"},
	};

	check_digest(ppp_md4, 16, v, sizeof(v) / sizeof(v[0]));
}
END_TEST

START_TEST(md5_rfc1321)
{
	static const struct vector v[] = {
	    {"", "d41d8cd98f00b204e9800998ecf8427e"},
	    {"a", "0cc175b9c0f1b6a831c399e269772661"},
	    {"abc", "900150983cd24fb0d6963f7d28e17f72"},
	    {"message digest", "f96b697d7cb7938d525a2f31aaf161d0"},
	    {LOWER, "c3fcd3d76192e4007dfb496cca67e13b"},
	    {UPPER LOWER DIGITS, "d174ab98d277d9f5a5611c2c9f419d9f"},
	    {EIGHTY, "57edf4a22be3c955ac49da2e2107b67a"},
	};

	check_digest(ppp_md5, 16, v, sizeof(v) / sizeof(v[0]));
}
END_TEST

START_TEST(sha1_fips180)
{
	static const struct vector v[] = {
	    {"", "da39a3ee5e6b4b0d3255bfef95601890afd80709"},
	    {"abc", "a9993e364706816aba3e25717850c26c9cd0d89d"},
	    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", "84983e441c3bd26ebaae4aa1f95129e5e54670f1"},
	};

	check_digest(ppp_sha1, 20, v, sizeof(v) / sizeof(v[0]));
}
END_TEST

/* The classic textbook vector: key 13 34 57 79 9B BC DF F1, whose 56 bits without parity are the 7 bytes here. */
START_TEST(des_of_seven_byte_keys)
{
	uint8_t key[7], in[8], out[8];

	unhex(key, sizeof(key), "12695bc9b7b7f8");
	unhex(in, sizeof(in), "0123456789abcdef");
	ppp_des(test_crypto(), out, in, key);
	assert_hex(out, sizeof(out), "85e813540f0ab405");
	/* weak keys (all zero, all one) work: they occur as the last key of a response */
	memset(key, 0, sizeof(key));
	memset(in, 0, sizeof(in));
	ppp_des(test_crypto(), out, in, key);
	assert_hex(out, sizeof(out), "8ca64de9c1b123a7");
}
END_TEST

START_TEST(compares_and_wipes)
{
	uint8_t a[32], b[32];

	memset(a, 7, sizeof(a));
	memset(b, 7, sizeof(b));
	ck_assert(ppp_equal(a, b, sizeof(a)));
	ck_assert(ppp_equal(a, b, 0));
	for (size_t i = 0; i < sizeof(a); i++) {
		b[i] ^= 0x80;
		ck_assert(!ppp_equal(a, b, sizeof(a)));
		b[i] ^= 0x80;
	}
	ppp_wipe(a, sizeof(a));
	memset(b, 0, sizeof(b));
	ck_assert_mem_eq(a, b, sizeof(a));
}
END_TEST

START_TEST(says_that_the_provider_is_missing)
{
	struct ppp_crypto *c;
	char err[512], *before = getenv("OPENSSL_MODULES"), *kept = before != NULL ? strdup(before) : NULL;

	setenv("OPENSSL_MODULES", "/nonexistent", 1);
	ck_assert_int_eq(ppp_crypto_new(&c, err, sizeof(err)), -1);
	if (kept != NULL)
		setenv("OPENSSL_MODULES", kept, 1);
	else
		unsetenv("OPENSSL_MODULES");
	free(kept);
	ck_assert_ptr_null(c);
	ck_assert_ptr_nonnull(strstr(err, "legacy provider"));
	ck_assert_ptr_nonnull(strstr(err, "MS-CHAP"));
}
END_TEST

START_TEST(frees_nothing)
{
	ppp_crypto_free(NULL);
}
END_TEST

Suite *
suite_crypto(void)
{
	Suite *s = suite_create("libppp/crypto");
	TCase *tc = tcase_create("crypto");

	tcase_add_test(tc, md4_rfc1320);
	tcase_add_test(tc, md5_rfc1321);
	tcase_add_test(tc, sha1_fips180);
	tcase_add_test(tc, des_of_seven_byte_keys);
	tcase_add_test(tc, compares_and_wipes);
	tcase_add_test(tc, says_that_the_provider_is_missing);
	tcase_add_test(tc, frees_nothing);
	suite_add_tcase(s, tc);
	return s;
}
