/* Keys of MPPE from the credentials of MS-CHAP (RFC 3079), and the key change of RFC 3078 section 7.3. */
#ifndef LIBPPP_MPPE_KEY_H
#define LIBPPP_MPPE_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libppp/auth.h"
#include "libppp/crypto.h"

/* Start keys of MS-CHAPv2 (RFC 3079 section 3). server: we are the authenticator. */
void mppe_keys_v2(
    const struct ppp_crypto *c, struct ppp_mppe_keys *keys, const uint8_t nt_hash[16], const uint8_t nt_response[24], bool server);

/* Start keys of MS-CHAPv1 (RFC 3079 section 2). lm_hash is NULL when only the NT hash is known: then 128 bit is all there is. */
void mppe_keys_v1(
    const struct ppp_crypto *c, struct ppp_mppe_keys *keys, const uint8_t nt_hash[16], const uint8_t *lm_hash, const uint8_t challenge[8]);

/* The strengths that keys allow, a set of enum ppp_mppe_bits (bundle.h): 1 is 40 bit, 2 is 56, 4 is 128; 0 without keys. */
unsigned mppe_keys_bits(const struct ppp_mppe_keys *keys);

/* GetNewKeyFromSHA: the interim key from start and session key; keylen is 8 or 16 bytes. */
void mppe_new_key(uint8_t *interim, const uint8_t *start, const uint8_t *session, size_t keylen);

/* Sets the octets that 40 and 56 bit keys have fixed; does nothing at 128 (RFC 3078 section 7.3). */
void mppe_weaken_key(uint8_t *key, unsigned bits);

#endif
