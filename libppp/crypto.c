#include "libppp/crypto.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/provider.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A library context of our own: what the system's openssl.cnf does to the default one (FIPS, say) does not reach here. */
struct ppp_crypto {
	OSSL_LIB_CTX *lib;
	OSSL_PROVIDER *standard;
	OSSL_PROVIDER *legacy;
	EVP_MD *md4, *md5, *sha1;
	EVP_CIPHER *des;
};

static int
failed(char *err, size_t errlen, const char *what)
{
	unsigned long code = ERR_peek_last_error();
	char why[160] = "no reason given";

	if (code != 0)
		ERR_error_string_n(code, why, sizeof(why));
	ERR_clear_error();
	snprintf(err, errlen, "%s: %s", what, why);
	return -1;
}

static int
load(struct ppp_crypto *c, char *err, size_t errlen)
{
	c->lib = OSSL_LIB_CTX_new();
	if (c->lib == NULL)
		return failed(err, errlen, "OpenSSL gives no library context");
	c->standard = OSSL_PROVIDER_load(c->lib, "default");
	if (c->standard == NULL)
		return failed(err, errlen, "OpenSSL's default provider can't be loaded");
	c->legacy = OSSL_PROVIDER_load(c->lib, "legacy");
	if (c->legacy == NULL)
		return failed(err, errlen,
		    "OpenSSL's legacy provider (legacy.so; Debian: package libssl3 or openssl-provider-legacy) can't be loaded: "
		    "MS-CHAP and MPPE need its MD4 and DES");
	c->md4 = EVP_MD_fetch(c->lib, "MD4", NULL);
	c->md5 = EVP_MD_fetch(c->lib, "MD5", NULL);
	c->sha1 = EVP_MD_fetch(c->lib, "SHA1", NULL);
	c->des = EVP_CIPHER_fetch(c->lib, "DES-ECB", NULL);
	if (c->md4 == NULL || c->md5 == NULL || c->sha1 == NULL || c->des == NULL)
		return failed(err, errlen, "OpenSSL lacks MD4, MD5, SHA1 or DES");
	return 0;
}

int
ppp_crypto_new(struct ppp_crypto **crypto, char *err, size_t errlen)
{
	struct ppp_crypto *c = calloc(1, sizeof(*c));

	*crypto = NULL;
	if (c == NULL) {
		snprintf(err, errlen, "out of memory");
		return -1;
	}
	if (load(c, err, errlen) != 0) {
		ppp_crypto_free(c);
		return -1;
	}
	*crypto = c;
	return 0;
}

void
ppp_crypto_free(struct ppp_crypto *c)
{
	if (c == NULL)
		return;
	EVP_MD_free(c->md4);
	EVP_MD_free(c->md5);
	EVP_MD_free(c->sha1);
	EVP_CIPHER_free(c->des);
	if (c->legacy != NULL)
		OSSL_PROVIDER_unload(c->legacy);
	if (c->standard != NULL)
		OSSL_PROVIDER_unload(c->standard);
	OSSL_LIB_CTX_free(c->lib);
	free(c);
}

/* A digest of fetched objects fails only without memory for its context of some hundred bytes. Going on with a digest
 * that was not computed could let a stranger in, so there is no going on. */
static void
must(bool ok)
{
	if (!ok)
		abort();
}

static void
digest(const EVP_MD *md, uint8_t *out, const struct ppp_iov *in, size_t count)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	must(ctx != NULL && EVP_DigestInit_ex(ctx, md, NULL) == 1);
	for (size_t i = 0; i < count; i++)
		must(EVP_DigestUpdate(ctx, in[i].data, in[i].len) == 1);
	must(EVP_DigestFinal_ex(ctx, out, NULL) == 1);
	EVP_MD_CTX_free(ctx);
}

void
ppp_md4(const struct ppp_crypto *c, uint8_t out[16], const struct ppp_iov *in, size_t count)
{
	digest(c->md4, out, in, count);
}

void
ppp_md5(const struct ppp_crypto *c, uint8_t out[16], const struct ppp_iov *in, size_t count)
{
	digest(c->md5, out, in, count);
}

void
ppp_sha1(const struct ppp_crypto *c, uint8_t out[20], const struct ppp_iov *in, size_t count)
{
	digest(c->sha1, out, in, count);
}

/* Spreads 56 bits over 8 bytes of 7, high bits first, and makes each byte's parity odd with its low bit. */
static void
des_key(uint8_t out[8], const uint8_t key[7])
{
	uint64_t bits = 0;

	for (int i = 0; i < 7; i++)
		bits = bits << 8 | key[i];
	for (int i = 7; i >= 0; i--, bits >>= 7) {
		uint8_t seven = (uint8_t)(bits & 0x7f);

		out[i] = (uint8_t)(seven << 1 | !__builtin_parity(seven));
	}
}

void
ppp_des(const struct ppp_crypto *c, uint8_t out[8], const uint8_t in[8], const uint8_t key[7])
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8_t spread[8];
	int len = 0;

	des_key(spread, key);
	must(ctx != NULL && EVP_EncryptInit_ex2(ctx, c->des, spread, NULL, NULL) == 1);
	must(EVP_CIPHER_CTX_set_padding(ctx, 0) == 1 && EVP_EncryptUpdate(ctx, out, &len, in, 8) == 1 && len == 8);
	EVP_CIPHER_CTX_free(ctx);
	ppp_wipe(spread, sizeof(spread));
}

bool
ppp_equal(const void *a, const void *b, size_t len)
{
	return CRYPTO_memcmp(a, b, len) == 0;
}

void
ppp_wipe(void *p, size_t len)
{
	OPENSSL_cleanse(p, len);
}
