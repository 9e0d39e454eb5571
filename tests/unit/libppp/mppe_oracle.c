#define OPENSSL_SUPPRESS_DEPRECATED

#include "tests/unit/libppp/mppe_oracle.h"

#include <openssl/evp.h>
#include <string.h>

#include "base/wire.h"
#include "tests/unit/suite.h"

/* ---- the oracle, a sender --------------------------------------------------------------------------------------- */

static void
oracle_interim(struct oracle *o, uint8_t out[16])
{
	uint8_t pad[40] = {0}, digest[EVP_MAX_MD_SIZE];
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	EVP_DigestInit_ex(ctx, EVP_sha1(), NULL);
	EVP_DigestUpdate(ctx, o->start, o->keylen);
	EVP_DigestUpdate(ctx, pad, sizeof(pad));
	EVP_DigestUpdate(ctx, o->session, o->keylen);
	memset(pad, 0xf2, sizeof(pad));
	EVP_DigestUpdate(ctx, pad, sizeof(pad));
	EVP_DigestFinal_ex(ctx, digest, NULL);
	EVP_MD_CTX_free(ctx);
	memcpy(out, digest, 16);
}

static void
oracle_reduce(struct oracle *o)
{
	if (o->bits == 40)
		memcpy(o->session, "\xd1\x26\x9e", 3);
	if (o->bits == 56)
		o->session[0] = 0xd1;
	RC4_set_key(&o->rc4, (int)o->keylen, o->session);
}

void
oracle_change(struct oracle *o)
{
	uint8_t interim[16];

	oracle_interim(o, interim);
	RC4_set_key(&o->rc4, (int)o->keylen, interim);
	RC4(&o->rc4, o->keylen, interim, o->session);
	oracle_reduce(o);
}

void
oracle_init(struct oracle *o, const uint8_t start[16], unsigned bits, bool stateless)
{
	memset(o, 0, sizeof(*o));
	o->keylen = bits == 128 ? 16 : 8;
	o->bits = bits;
	o->stateless = stateless;
	memcpy(o->start, start, o->keylen);
	memcpy(o->session, start, o->keylen);
	oracle_interim(o, o->session);
	oracle_reduce(o);
}

void
oracle_plain(uint8_t data[LEN], unsigned number)
{
	memset(data, (int)(number * 7), LEN);
	data[0] = 0x00;
	data[1] = 0x21;
	data[2] = 0x45;
	data[3] = (uint8_t)(number >> 8);
	data[4] = (uint8_t)number;
}

void
oracle_send(struct oracle *o, uint8_t header[2], uint8_t data[LEN])
{
	bool change = o->stateless || (o->next & 0xff) == 0xff;

	oracle_plain(data, o->next);
	if (change)
		oracle_change(o);
	put_u16(header, (uint16_t)(BIT_D | (o->stateless ? BIT_A : 0) | (o->next & 0xfff)));
	RC4(&o->rc4, LEN, data, data);
	o->next++;
}

/* ---- a session: our receiver behind a sender ------------------------------------------------------------------- */

const uint8_t oracle_start_key[16] = {3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3};
const unsigned oracle_strengths[3] = {40, 56, 128};

struct ppp_mppe_keys
oracle_keys(void)
{
	struct ppp_mppe_keys k = {.valid = true};

	memcpy(k.send, oracle_start_key, 16);
	memcpy(k.recv, oracle_start_key, 16);
	return k;
}

void
session_init(struct mppe_session *s, unsigned bits, bool stateless)
{
	struct ppp_mppe_keys k = oracle_keys();

	oracle_init(&s->tx, oracle_start_key, bits, stateless);
	mppe_init(&s->rx, &k, false, bits, stateless);
}

void
session_lose(struct mppe_session *s, unsigned count)
{
	while (count-- > 0)
		oracle_send(&s->tx, s->header, s->data);
}

bool
session_intact(const struct mppe_session *s)
{
	uint8_t expected[LEN];

	oracle_plain(expected, s->tx.next - 1);
	return memcmp(s->data, expected, LEN) == 0;
}

enum mppe_rx
session_pass(struct mppe_session *s)
{
	oracle_send(&s->tx, s->header, s->data);
	return mppe_decrypt(&s->rx, s->header, s->data, LEN);
}

void
session_pass_well(struct mppe_session *s, unsigned count)
{
	while (count-- > 0) {
		ck_assert_int_eq(session_pass(s), MPPE_RX_OK);
		ck_assert(session_intact(s));
	}
}

unsigned
session_recover(struct mppe_session *s, unsigned most)
{
	for (unsigned n = 1; n <= most; n++) {
		if (session_pass(s) == MPPE_RX_OK && session_intact(s))
			return n;
	}
	return 0;
}
