#include "libppp/rc4.h"

#include <endian.h>
#include <string.h>

/* Both loops are written out 256 times, for two reasons: every index that is not data dependent becomes a constant, and
 * every load of s[i] gets a place in the processor's predictor of store-to-load conflicts for itself, which halves the
 * key set-up (a store to s[j] may hit the next s[i], and a shared load instruction learns to wait for all of them). */

/* STEP(n) for n = from .. from + 15, and for all of 0 .. 255 */
#define STEPS4(STEP, n) STEP((n)) STEP((n) + 1) STEP((n) + 2) STEP((n) + 3)
#define STEPS8(STEP, n) STEPS4(STEP, (n)) STEPS4(STEP, (n) + 4)
#define STEPS16(STEP, n) STEPS8(STEP, (n)) STEPS8(STEP, (n) + 8)
#define STEPS64(STEP, n) STEPS16(STEP, (n)) STEPS16(STEP, (n) + 16) STEPS16(STEP, (n) + 32) STEPS16(STEP, (n) + 48)
#define STEPS256(STEP) STEPS64(STEP, 0) STEPS64(STEP, 64) STEPS64(STEP, 128) STEPS64(STEP, 192)

#define IDENTITY(n) (n),
static const uint32_t identity[256] = {STEPS256(IDENTITY)};

#define SCHEDULE(n)                                                                                                                        \
	x = s[(n)];                                                                                                                        \
	j = (j + x + k[(n) % 16]) & 255;                                                                                                   \
	s[(n)] = s[j];                                                                                                                     \
	s[j] = x;

void
rc4_init(struct rc4 *c, const uint8_t *key, size_t keylen)
{
	uint32_t *restrict s = c->s;
	uint32_t j = 0, x;
	uint8_t k[16];

	/* twice an 8-byte key is the same key, and one period fits both */
	memcpy(k, key, 8);
	memcpy(k + 8, keylen == 16 ? key + 8 : key, 8);
	memcpy(s, identity, sizeof(identity));
	STEPS256(SCHEDULE)
	c->i = 0;
	c->j = 0;
}

/* One byte at a time, from any state. */
static void
crypt_some(struct rc4 *c, uint8_t *data, size_t datalen)
{
	uint32_t *restrict s = c->s;
	uint32_t i = c->i, j = c->j, x, y;

	for (size_t n = 0; n < datalen; n++) {
		i = (i + 1) & 255;
		x = s[i];
		j = (j + x) & 255;
		y = s[j];
		s[i] = y;
		s[j] = x;
		data[n] ^= (uint8_t)s[(x + y) & 255];
	}
	c->i = (uint8_t)i;
	c->j = (uint8_t)j;
}

/* Byte n of the stream into its place in an 8-byte word, the first byte lowest. */
#define GENERATE(n)                                                                                                                        \
	x = s[((n) + 1) % 256];                                                                                                            \
	j = (j + x) & 255;                                                                                                                 \
	y = s[j];                                                                                                                          \
	s[((n) + 1) % 256] = y;                                                                                                            \
	s[j] = x;                                                                                                                          \
	word |= (uint64_t)s[(x + y) & 255] << 8 * ((n) % 8);

#define WORD(n)                                                                                                                            \
	word = 0;                                                                                                                          \
	STEPS8(GENERATE, (n))                                                                                                              \
	xor_word(data + (n) % 16, word);

/* 16 bytes, the indices from 16 g + 1 on; leaves the switch when no group is left to do. */
#define GROUP(g)                                                                                                                           \
	case (g):                                                                                                                          \
		if (groups == 0)                                                                                                           \
			break;                                                                                                             \
		groups--;                                                                                                                  \
		WORD(16 * (g))                                                                                                             \
		WORD(16 * (g) + 8)                                                                                                         \
		data += 16;                                                                                                                \
		__attribute__((fallthrough));
#define GROUPS4(g) GROUP((g)) GROUP((g) + 1) GROUP((g) + 2) GROUP((g) + 3)

static inline void
xor_word(uint8_t *data, uint64_t word)
{
	uint64_t v;

	memcpy(&v, data, sizeof(v));
	v ^= htole64(word);
	memcpy(data, &v, sizeof(v));
}

/* Groups of 16 bytes, from a state where i is a multiple of 16: jumps into the unrolled code at the place of i. */
static void
crypt_groups(struct rc4 *c, uint8_t *restrict data, size_t groups)
{
	uint32_t *restrict s = c->s;
	uint32_t j = c->j, x, y;
	unsigned first = c->i / 16;
	uint64_t word;

	c->i = (uint8_t)(c->i + 16 * groups);
	for (; groups > 0; first = 0) {
		switch (first) {
			GROUPS4(0)
			GROUPS4(4)
			GROUPS4(8)
			GROUPS4(12)
		default:
			break;
		}
	}
	c->j = (uint8_t)j;
}

void
rc4_crypt(struct rc4 *c, uint8_t *data, size_t datalen)
{
	size_t before = -c->i & 15, groups;

	if (before > datalen)
		before = datalen;
	crypt_some(c, data, before);
	data += before;
	datalen -= before;
	groups = datalen / 16;
	crypt_groups(c, data, groups);
	crypt_some(c, data + 16 * groups, datalen % 16);
}
