#include "libppp/rc4.h"

#include <string.h>

/* Both loops are written out 256 times, for two reasons: every index that is not data dependent becomes a constant, and
 * every load of s[i] gets a place in the processor's predictor of store-to-load conflicts for itself, which halves the
 * key set-up (a store to s[j] may hit the next s[i], and a shared load instruction learns to wait for all of them). */

/* STEP(n) for n = from .. from + 15, and for all of 0 .. 255 */
#define STEPS4(STEP, n) STEP((n)) STEP((n) + 1) STEP((n) + 2) STEP((n) + 3)
#define STEPS16(STEP, n) STEPS4(STEP, (n)) STEPS4(STEP, (n) + 4) STEPS4(STEP, (n) + 8) STEPS4(STEP, (n) + 12)
#define STEPS64(STEP, n) STEPS16(STEP, (n)) STEPS16(STEP, (n) + 16) STEPS16(STEP, (n) + 32) STEPS16(STEP, (n) + 48)
#define STEPS256(STEP) STEPS64(STEP, 0) STEPS64(STEP, 64) STEPS64(STEP, 128) STEPS64(STEP, 192)

#define IDENTITY(n) (n),
static const uint8_t identity[256] = {STEPS256(IDENTITY)};

void
rc4_init(struct rc4 *c, const uint8_t *key, size_t keylen)
{
	uint8_t *restrict s = c->s;
	uint8_t k[16], j = 0, x;

	/* twice an 8-byte key is the same key, and one period fits both */
	memcpy(k, key, 8);
	memcpy(k + 8, keylen == 16 ? key + 8 : key, 8);
	memcpy(s, identity, sizeof(identity));
#define SCHEDULE(n)                                                                                                                        \
	x = s[(n)];                                                                                                                        \
	j = (uint8_t)(j + x + k[(n) % 16]);                                                                                                \
	s[(n)] = s[j];                                                                                                                     \
	s[j] = x;
	STEPS256(SCHEDULE)
#undef SCHEDULE
	c->i = 0;
	c->j = 0;
}

/* One byte at a time, from any state. */
static void
crypt_some(struct rc4 *c, uint8_t *data, size_t datalen)
{
	uint8_t *restrict s = c->s;
	uint8_t i = c->i, j = c->j, x, y;

	for (size_t k = 0; k < datalen; k++) {
		x = s[++i];
		j = (uint8_t)(j + x);
		y = s[j];
		s[i] = y;
		s[j] = x;
		data[k] ^= s[(uint8_t)(x + y)];
	}
	c->i = i;
	c->j = j;
}

/* 16 bytes of group g, whose first index is 16 g + 1; leaves the loop when fewer are left. */
#define GENERATE(n)                                                                                                                        \
	x = s[((n) + 1) % 256];                                                                                                            \
	j = (uint8_t)(j + x);                                                                                                              \
	y = s[j];                                                                                                                          \
	s[((n) + 1) % 256] = y;                                                                                                            \
	s[j] = x;                                                                                                                          \
	data[(n) % 16] ^= s[(uint8_t)(x + y)];
#define GROUP(g)                                                                                                                           \
	case (g):                                                                                                                          \
		if (groups-- == 0)                                                                                                         \
			break;                                                                                                             \
		STEPS16(GENERATE, 16 * (g))                                                                                                \
		data += 16;                                                                                                                \
		__attribute__((fallthrough));
#define GROUPS4(g) GROUP((g)) GROUP((g) + 1) GROUP((g) + 2) GROUP((g) + 3)

/* groups times 16 bytes, from a state where i is a multiple of 16. */
static uint8_t *
crypt_groups(struct rc4 *c, uint8_t *restrict data, size_t groups)
{
	uint8_t *restrict s = c->s;
	uint8_t j = c->j, x, y;
	unsigned first = c->i / 16;

	c->i = (uint8_t)(c->i + 16 * groups);
	for (; groups != SIZE_MAX; first = 0) {
		switch (first) {
			GROUPS4(0)
			GROUPS4(4)
			GROUPS4(8)
			GROUPS4(12)
		default:
			break;
		}
	}
	c->j = j;
	return data;
}

void
rc4_crypt(struct rc4 *c, uint8_t *data, size_t datalen)
{
	size_t before = -c->i & 15, groups;

	if (before > datalen)
		before = datalen;
	if (before > 0)
		crypt_some(c, data, before);
	data += before;
	datalen -= before;
	groups = datalen / 16;
	if (groups > 0)
		data = crypt_groups(c, data, groups);
	crypt_some(c, data, datalen % 16);
}
