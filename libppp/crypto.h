/* The digests and ciphers that PPP needs, fetched once from OpenSSL (MD4 and DES live in its legacy provider).
 *
 * Load it before a chroot or a drop of privileges: OpenSSL reads the provider's module from disk. */
#ifndef LIBPPP_CRYPTO_H
#define LIBPPP_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ppp_crypto;

/* Returns 0, or -1 with an English sentence in err that names what is missing ("OpenSSL's legacy
 * provider can't be loaded: MS-CHAP and MPPE need its MD4: ..."). Immutable afterwards: threads may share it. */
int ppp_crypto_new(struct ppp_crypto **crypto, char *err, size_t errlen);
void ppp_crypto_free(struct ppp_crypto *crypto);

/* A run of bytes; the functions below hash the concatenation of several. */
struct ppp_iov {
	const void *data;
	size_t len;
};

void ppp_md4(const struct ppp_crypto *c, uint8_t out[16], const struct ppp_iov *in, size_t count);
void ppp_md5(const struct ppp_crypto *c, uint8_t out[16], const struct ppp_iov *in, size_t count);
void ppp_sha1(const struct ppp_crypto *c, uint8_t out[20], const struct ppp_iov *in, size_t count);
/* One block of DES-ECB under a 7-byte key, parity added (RFC 2759 section 8.6). */
void ppp_des(const struct ppp_crypto *c, uint8_t out[8], const uint8_t in[8], const uint8_t key[7]);
/* Compares without telling by its time where the first difference is. */
bool ppp_equal(const void *a, const void *b, size_t len);
/* Overwrites secrets in a way the compiler keeps. */
void ppp_wipe(void *p, size_t len);

#endif
