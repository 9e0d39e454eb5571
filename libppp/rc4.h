/* RC4, as MPPE needs it: two key set-ups and one pass a packet, so both loops are unrolled (see bench/bench_mppe).
 * Weak, and known to be so: nothing but MPPE may use it. */
#ifndef LIBPPP_RC4_H
#define LIBPPP_RC4_H

#include <stddef.h>
#include <stdint.h>

struct rc4 {
	uint32_t s[256]; /* bytes in words: their stores are forwarded to loads faster */
	uint8_t i, j;
};

void rc4_init(struct rc4 *c, const uint8_t *key, size_t keylen); /* keylen: 8 or 16 bytes */
void rc4_crypt(struct rc4 *c, uint8_t *data, size_t datalen);    /* in place */

#endif
