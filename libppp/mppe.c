#include "libppp/mppe.h"

#include <string.h>

#include "base/wire.h"
#include "libppp/mppe_key.h"

/* RFC 3078 section 3.1. B and C are of MPPC, which is never negotiated. */
enum {
	BIT_A = 0x8000, /* tables were initialized before this packet: FLUSHED */
	BIT_C = 0x2000, /* compressed */
	BIT_D = 0x1000, /* encrypted */
	COUNT_MASK = 0x0fff,
	COUNTS = 0x1000,
	FLAG_MASK = 0x00ff, /* stateful: the key changes where these bits of the count are all set */
};

/* key is the session key, or the scout's. Spoils the RC4 tables. */
static void
change_key(struct mppe *m, uint8_t key[16])
{
	uint8_t interim[16];

	mppe_new_key(interim, m->start_key, key, m->keylen);
	rc4_init(&m->rc4, interim, m->keylen);
	rc4_crypt(&m->rc4, interim, m->keylen);
	mppe_weaken_key(interim, m->bits);
	memcpy(key, interim, m->keylen);
	m->rekeys++;
}

static void
load_key(struct mppe *m)
{
	rc4_init(&m->rc4, m->session_key, m->keylen);
}

void
mppe_init(struct mppe *m, const struct ppp_mppe_keys *keys, bool send, unsigned bits, bool stateless)
{
	const uint8_t *start = send ? keys->send : keys->recv;

	memset(m, 0, sizeof(*m));
	m->bits = (uint8_t)bits;
	m->keylen = bits == 128 ? 16 : 8;
	m->stateless = stateless;
	m->ccount = COUNT_MASK;
	m->credit = MPPE_CREDIT_MAX;
	if (keys->lm && bits != 128)
		start = keys->lm_key;
	memcpy(m->start_key, start, m->keylen);
	mppe_new_key(m->session_key, m->start_key, m->start_key, m->keylen);
	mppe_weaken_key(m->session_key, bits);
	load_key(m);
}

void
mppe_reset(struct mppe *m)
{
	m->flush = !m->stateless;
}

void
mppe_encrypt(struct mppe *m, uint8_t header[MPPE_HEADER], uint8_t *data, size_t datalen)
{
	unsigned bits = BIT_D;

	m->ccount = (m->ccount + 1) & COUNT_MASK;
	/* After a reset RFC 3078 section 8.2 loads the same key again, so that two packets are encrypted with one key stream,
	 * and Linux's ppp_mppe changes the key instead. Going on at the next "flag" packet has the key changed with all. */
	if (m->flush)
		m->ccount |= FLAG_MASK;
	m->flush = false;
	if (m->stateless || (m->ccount & FLAG_MASK) == FLAG_MASK) {
		change_key(m, m->session_key);
		load_key(m);
		bits |= BIT_A;
	}
	put_u16(header, (uint16_t)(bits | m->ccount));
	rc4_crypt(&m->rc4, data, datalen);
}

/* ---- receive ------------------------------------------------------------------------------------------------- */

/* Whether data starts as MPPE's plain text does: a network protocol's number, uncompressed, or compressed and then the
 * version of IP. About one of 500 random texts does. */
static bool
plausible(const uint8_t data[2])
{
	return (data[0] == 0 && (data[1] & 1) != 0) || (data[0] == 0x21 && data[1] >> 4 == 4) || (data[0] == 0x57 && data[1] >> 4 == 6);
}

/* Whether a fresh stream of key makes head plausible. Spoils the RC4 tables. */
static bool
key_fits(struct mppe *m, const uint8_t key[16], const uint8_t head[2])
{
	uint8_t text[2] = {head[0], head[1]};

	rc4_init(&m->rc4, key, m->keylen);
	rc4_crypt(&m->rc4, text, sizeof(text));
	return plausible(text);
}

static void
refill(struct mppe *m)
{
	m->credit = (uint16_t)(m->credit + MPPE_CREDIT_REFILL < MPPE_CREDIT_MAX ? m->credit + MPPE_CREDIT_REFILL : MPPE_CREDIT_MAX);
}

static enum mppe_rx
accept(struct mppe *m, uint16_t count)
{
	m->ccount = count;
	m->far_run = 0;
	return MPPE_RX_OK;
}

static enum mppe_rx
refuse(uint64_t *counter)
{
	(*counter)++;
	return MPPE_RX_DROP;
}

static enum mppe_rx
decrypt_fresh(struct mppe *m, uint16_t count, uint8_t *data, size_t datalen)
{
	load_key(m);
	rc4_crypt(&m->rc4, data, datalen);
	return accept(m, count);
}

/* Goes ahead by `changes` keys if head is plausible there; else nothing changes but the credit. */
static bool
skip(struct mppe *m, unsigned changes, const uint8_t head[2])
{
	struct rc4 tables = m->rc4;
	uint8_t key[16];

	if (changes > m->credit)
		return false;
	m->credit = (uint16_t)(m->credit - changes);
	memcpy(key, m->session_key, sizeof(key));
	for (unsigned i = 0; i < changes; i++)
		change_key(m, key);
	if (!key_fits(m, key, head)) {
		m->rc4 = tables;
		return false;
	}
	memcpy(m->session_key, key, sizeof(key));
	return true;
}

/* Counts packets that are too far off; true when enough came in sequence to deserve a look. */
static bool
far_in_sequence(struct mppe *m, uint16_t count)
{
	bool next = m->far_run > 0 && count == ((m->far_count + 1) & COUNT_MASK);

	m->far_count = count;
	m->far_run = (uint8_t)(next ? m->far_run + 1 : 1);
	if (m->far_run < MPPE_RUN)
		return false;
	m->far_run = MPPE_RUN;
	return true;
}

/* ---- receive, stateless -------------------------------------------------------------------------------------- */

static void
scout_start(struct mppe *m, bool missed)
{
	m->scout.active = true;
	m->scout.missed = missed;
	m->scout.hits = 0;
	m->scout.wraps = 0;
	m->scout.count = m->ccount;
	memcpy(m->scout.key, m->session_key, sizeof(m->scout.key));
}

/* Takes the scout to the packet's count if the credit is enough, one wrap further each time that there was nothing. True when
 * it has found the peer: its key is then the session's. */
static bool
scout(struct mppe *m, uint16_t count, const uint8_t head[2])
{
	struct mppe_scout *s = &m->scout;
	unsigned steps = ((unsigned)(count - s->count) & COUNT_MASK) + (s->missed ? COUNTS : 0);

	if (steps > m->credit)
		return false;
	m->credit = (uint16_t)(m->credit - steps);
	for (unsigned i = 0; i < steps; i++)
		change_key(m, s->key);
	s->count = count;
	s->missed = !key_fits(m, s->key, head);
	s->hits = s->missed ? 0 : (uint8_t)(s->hits + 1);
	if (s->missed && ++s->wraps == MPPE_SCOUT_WRAPS)
		s->active = false;
	if (s->hits < MPPE_RUN)
		return false;
	s->active = false;
	m->odd = 0;
	m->gaps++;
	memcpy(m->session_key, s->key, sizeof(s->key));
	return true;
}

/* Keeps the score of packets in sequence: how many more were odd than not, of late. True when they look undecryptable. */
static bool
odd_score(struct mppe *m, bool odd)
{
	enum { MOST = 2 * MPPE_RUN };

	if (odd && m->odd < MOST)
		m->odd++;
	if (!odd && m->odd > 0)
		m->odd--;
	if (m->odd == 0)
		m->scout.active = false;
	return odd && m->odd >= MPPE_RUN;
}

/* The packet came in sequence. Should the peer be a whole number of wraps ahead, no gap shows that: only nonsense does,
 * which some packets may rightly look like; so the scout looks on the side. */
static enum mppe_rx
decrypt_next(struct mppe *m, uint16_t count, const uint8_t head[2], uint8_t *data, size_t datalen)
{
	change_key(m, m->session_key);
	decrypt_fresh(m, count, data, datalen);
	if (datalen < 2 || !odd_score(m, !plausible(data)))
		return MPPE_RX_OK;
	if (!m->scout.active)
		scout_start(m, true);
	load_key(m);
	rc4_crypt(&m->rc4, data, datalen); /* the cipher text again */
	scout(m, count, head);
	return decrypt_fresh(m, count, data, datalen);
}

static enum mppe_rx
decrypt_far(struct mppe *m, uint16_t count, const uint8_t head[2], uint8_t *data, size_t datalen)
{
	if (!far_in_sequence(m, count))
		return refuse(&m->late);
	if (!m->scout.active)
		scout_start(m, false);
	if (!scout(m, count, head))
		return refuse(&m->late);
	return decrypt_fresh(m, count, data, datalen);
}

static enum mppe_rx
decrypt_stateless(struct mppe *m, uint16_t count, uint8_t *data, size_t datalen)
{
	unsigned gap = (unsigned)(count - m->ccount) & COUNT_MASK;
	const uint8_t head[2] = {data[0], datalen > 1 ? data[1] : 0};

	if (gap == 1)
		return decrypt_next(m, count, head, data, datalen);
	if (gap == 0 || gap > MPPE_MAX_GAP || !skip(m, gap, head))
		return decrypt_far(m, count, head, data, datalen);
	m->gaps++;
	return decrypt_fresh(m, count, data, datalen);
}

/* ---- receive, stateful --------------------------------------------------------------------------------------- */

/* How many "flag" packets are in (from, to], RFC 3078 section 8.2. */
static unsigned
flags_between(uint16_t from, uint16_t to)
{
	unsigned last = to > from ? to : to + COUNTS;

	return (last + 1) / (FLAG_MASK + 1) - (from + 1u) / (FLAG_MASK + 1);
}

/* A packet with the A bit: in step again whatever was lost. Linux's ppp_mppe changes the key with each reset, where
 * RFC 3078 section 8.2 keeps it, and such packets may be lost too: EXTRA of them are made good. */
static enum mppe_rx
decrypt_flushed(struct mppe *m, uint16_t count, uint8_t *data, size_t datalen)
{
	enum { EXTRA = 4 };
	unsigned changes = flags_between(m->ccount, count);
	const uint8_t head[2] = {data[0], datalen > 1 ? data[1] : 0};

	for (unsigned extra = 0; extra < EXTRA; extra++) {
		if (skip(m, changes + extra, head)) {
			m->flush = false;
			return decrypt_fresh(m, count, data, datalen);
		}
	}
	return refuse(&m->rejected);
}

static enum mppe_rx
decrypt_stateful(struct mppe *m, uint16_t count, bool flushed, uint8_t *data, size_t datalen)
{
	unsigned gap = (unsigned)(count - m->ccount) & COUNT_MASK;

	if (!m->flush && (gap == 0 || gap > COUNTS / 2) && !far_in_sequence(m, count))
		return refuse(&m->late);
	if (flushed)
		return decrypt_flushed(m, count, data, datalen);
	if (!m->flush && gap == 1) {
		if ((count & FLAG_MASK) == FLAG_MASK) {
			change_key(m, m->session_key);
			load_key(m);
		}
		rc4_crypt(&m->rc4, data, datalen);
		return accept(m, count);
	}
	if (!m->flush) {
		m->flush = true;
		m->gaps++;
	}
	return MPPE_RX_RESET;
}

enum mppe_rx
mppe_decrypt(struct mppe *m, const uint8_t header[MPPE_HEADER], uint8_t *data, size_t datalen)
{
	uint16_t h = get_u16(header);
	uint16_t count = h & COUNT_MASK;

	refill(m);
	if ((h & BIT_D) == 0 || (h & BIT_C) != 0 || datalen == 0)
		return refuse(&m->rejected);
	if (m->stateless)
		return decrypt_stateless(m, count, data, datalen);
	return decrypt_stateful(m, count, (h & BIT_A) != 0, data, datalen);
}
