/* MPPE against an oracle of its own: slow, straight from RFC 3078, on OpenSSL's SHA-1 and RC4. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "libppp/mppe.h"

#include <openssl/evp.h>
#include <openssl/rc4.h>
#include <stdlib.h>
#include <string.h>

#include "base/wire.h"
#include "tests/unit/libppp/util.h"
#include "tests/unit/suite.h"

Suite *suite_mppe(void);

enum { BIT_A = 0x8000, BIT_D = 0x1000, LEN = 60 };

/* ---- the oracle, a sender --------------------------------------------------------------------------------------- */

struct oracle {
	uint8_t start[16], session[16];
	size_t keylen;
	unsigned bits;
	bool stateless;
	RC4_KEY rc4;
	unsigned next; /* count of the next packet */
};

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

static void
oracle_change(struct oracle *o)
{
	uint8_t interim[16];

	oracle_interim(o, interim);
	RC4_set_key(&o->rc4, (int)o->keylen, interim);
	RC4(&o->rc4, o->keylen, interim, o->session);
	oracle_reduce(o);
}

static void
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

/* The next packet: an IPv4 packet whose bytes tell its number. */
static void
plain(uint8_t data[LEN], unsigned number)
{
	memset(data, (int)(number * 7), LEN);
	data[0] = 0x00;
	data[1] = 0x21;
	data[2] = 0x45;
	data[3] = (uint8_t)(number >> 8);
	data[4] = (uint8_t)number;
}

static void
oracle_send(struct oracle *o, uint8_t header[2], uint8_t data[LEN])
{
	bool change = o->stateless || (o->next & 0xff) == 0xff;

	plain(data, o->next);
	if (change)
		oracle_change(o);
	put_u16(header, (uint16_t)(BIT_D | (o->stateless ? BIT_A : 0) | (o->next & 0xfff)));
	RC4(&o->rc4, LEN, data, data);
	o->next++;
}

/* ---- a session: our receiver behind a sender ------------------------------------------------------------------- */

static const uint8_t start_key[16] = {3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3};

static struct ppp_mppe_keys
keys(void)
{
	struct ppp_mppe_keys k = {.valid = true};

	memcpy(k.send, start_key, 16);
	memcpy(k.recv, start_key, 16);
	return k;
}

struct session {
	struct oracle tx;
	struct mppe rx;
	uint8_t header[2], data[LEN];
};

static void
session(struct session *s, unsigned bits, bool stateless)
{
	struct ppp_mppe_keys k = keys();

	oracle_init(&s->tx, start_key, bits, stateless);
	mppe_init(&s->rx, &k, false, bits, stateless);
}

static void
lose(struct session *s, unsigned count)
{
	while (count-- > 0)
		oracle_send(&s->tx, s->header, s->data);
}

static bool
intact(const struct session *s)
{
	uint8_t expected[LEN];

	plain(expected, s->tx.next - 1);
	return memcmp(s->data, expected, LEN) == 0;
}

static enum mppe_rx
pass(struct session *s)
{
	oracle_send(&s->tx, s->header, s->data);
	return mppe_decrypt(&s->rx, s->header, s->data, LEN);
}

static void
pass_well(struct session *s, unsigned count)
{
	while (count-- > 0) {
		ck_assert_int_eq(pass(s), MPPE_RX_OK);
		ck_assert(intact(s));
	}
}

/* Passes packets until one is decrypted; how many it took. */
static unsigned
recover(struct session *s, unsigned most)
{
	for (unsigned n = 1; n <= most; n++) {
		if (pass(s) == MPPE_RX_OK && intact(s))
			return n;
	}
	return 0;
}

/* A packet of a forger who knows all but the key. */
static enum mppe_rx
forge(struct session *s, unsigned count, uint32_t *seed)
{
	uint8_t header[2], data[LEN];

	test_random_fill(seed, data, sizeof(data));
	put_u16(header, (uint16_t)(BIT_A | BIT_D | (count & 0xfff)));
	return mppe_decrypt(&s->rx, header, data, sizeof(data));
}

static const unsigned strengths[] = {40, 56, 128};

/* ---- in order ---------------------------------------------------------------------------------------------------- */

START_TEST(sender_equals_oracle)
{
	for (size_t i = 0; i < 6; i++) {
		struct ppp_mppe_keys k = keys();
		struct oracle o;
		struct mppe m;
		uint8_t ha[2], hb[2], a[LEN], b[LEN];

		oracle_init(&o, start_key, strengths[i / 2], i % 2 == 0);
		mppe_init(&m, &k, true, strengths[i / 2], i % 2 == 0);
		for (unsigned n = 0; n < 5000; n++) {
			plain(a, n);
			mppe_encrypt(&m, ha, a, LEN);
			oracle_send(&o, hb, b);
			ck_assert_mem_eq(a, b, LEN);
			/* flag packets have the A bit too */
			ck_assert_uint_eq(get_u16(ha) & 0x7fff, get_u16(hb) & 0x7fff);
			ck_assert_int_eq((get_u16(ha) & BIT_A) != 0, i % 2 == 0 || (n & 0xff) == 0xff);
		}
	}
}
END_TEST

START_TEST(receiver_follows_oracle)
{
	for (size_t i = 0; i < 6; i++) {
		struct session s;

		session(&s, strengths[i / 2], i % 2 == 0);
		pass_well(&s, 5000); /* the count wraps at 4096 */
		ck_assert_uint_eq(s.rx.gaps + s.rx.late + s.rx.rejected, 0);
	}
}
END_TEST

START_TEST(directions_have_their_own_keys)
{
	struct ppp_mppe_keys k = keys();
	struct mppe tx, rx;

	k.recv[0] ^= 1;
	mppe_init(&tx, &k, true, 128, true);
	mppe_init(&rx, &k, false, 128, true);
	ck_assert_mem_ne(tx.session_key, rx.session_key, 16);
}
END_TEST

START_TEST(tolerates_a_missing_a_bit)
{
	struct session s;

	session(&s, 128, true);
	for (int i = 0; i < 600; i++) {
		oracle_send(&s.tx, s.header, s.data);
		s.header[0] &= 0x7f;
		ck_assert_int_eq(mppe_decrypt(&s.rx, s.header, s.data, LEN), MPPE_RX_OK);
		ck_assert(intact(&s));
	}
}
END_TEST

START_TEST(drops_what_is_not_encrypted)
{
	for (int stateless = 0; stateless < 2; stateless++) {
		struct session s;
		uint8_t header[2], data[LEN] = {0}, zero[LEN] = {0};

		session(&s, 128, stateless);
		pass_well(&s, 10);
		for (unsigned h = 0; h < 0x10000; h += 0x400) {
			if ((h & BIT_D) != 0 && (h & 0x2000) == 0)
				continue;
			put_u16(header, (uint16_t)(h | 10));
			ck_assert_int_eq(mppe_decrypt(&s.rx, header, data, LEN), MPPE_RX_DROP);
			ck_assert_mem_eq(data, zero, LEN);
		}
		put_u16(header, BIT_A | BIT_D | 10);
		ck_assert_int_eq(mppe_decrypt(&s.rx, header, data, 0), MPPE_RX_DROP);
		pass_well(&s, 600);
	}
}
END_TEST

/* ---- stateless: loss -------------------------------------------------------------------------------------------- */

START_TEST(every_small_gap)
{
	struct session s;

	session(&s, 128, true);
	for (unsigned gap = 1; gap < MPPE_MAX_GAP; gap += gap < 20 ? 1 : 13) {
		lose(&s, gap);
		pass_well(&s, 200);
	}
	ck_assert_uint_gt(s.rx.gaps, 0);
	ck_assert_uint_eq(s.rx.late + s.rx.rejected, 0);
}
END_TEST

START_TEST(random_loss)
{
	uint32_t seed = 5;

	for (size_t i = 0; i < 3; i++) {
		struct session s;

		session(&s, strengths[i], true);
		for (int n = 0; n < 6000; n++) {
			if (test_random(&seed) % 3 == 0)
				lose(&s, 1);
			else
				pass_well(&s, 1);
		}
	}
}
END_TEST

START_TEST(late_packets_cost_nothing)
{
	struct session s;
	uint8_t header[2], data[LEN], copy[LEN];
	uint64_t rekeys;

	session(&s, 128, true);
	pass_well(&s, 10);
	oracle_send(&s.tx, header, data); /* overtaken */
	pass_well(&s, 3);
	rekeys = s.rx.rekeys;
	memcpy(copy, data, LEN);
	ck_assert_int_eq(mppe_decrypt(&s.rx, header, data, LEN), MPPE_RX_DROP);
	ck_assert_mem_eq(copy, data, LEN);
	ck_assert_uint_eq(s.rx.rekeys, rekeys);
	ck_assert_uint_eq(s.rx.late, 1);
	/* and again: the last one, a duplicate */
	ck_assert_int_eq(mppe_decrypt(&s.rx, s.header, s.data, LEN), MPPE_RX_DROP);
	ck_assert_uint_eq(s.rx.rekeys, rekeys);
	pass_well(&s, 100);
}
END_TEST

/* Outages of any length heal by themselves, within packets that the README of the numbers below can be held to. */
START_TEST(outages_heal)
{
	static const unsigned outages[] = {300, 2000, 2048, 3000, 4000, 4095, 4096, 4097, 4100, 5000, 8192, 20000, 60000};

	for (size_t i = 0; i < sizeof(outages) / sizeof(outages[0]); i++) {
		struct session s;
		unsigned wraps = outages[i] / 4096, took;

		session(&s, 128, true);
		pass_well(&s, 50);
		lose(&s, outages[i]);
		took = recover(&s, 2 * MPPE_RUN + (wraps + 1) * (4096 / MPPE_CREDIT_REFILL + 2 * MPPE_RUN));
		ck_assert_msg(took > 0, "outage of %u packets: not recovered", outages[i]);
		if (outages[i] < 4000)
			ck_assert_uint_le(took, 2 * MPPE_RUN - 1);
		pass_well(&s, 5000);
	}
}
END_TEST

/* A second outage, when the credit is spent by the first. */
START_TEST(outages_heal_again)
{
	struct session s;

	session(&s, 40, true);
	for (int i = 0; i < 8; i++) {
		pass_well(&s, 3);
		lose(&s, 3500);
		ck_assert_uint_gt(recover(&s, 600), 0);
	}
	pass_well(&s, 100);
}
END_TEST

/* Packets of a protocol that looks like none: they go through, and cost the session nothing. */
START_TEST(odd_packets_in_order_go_through)
{
	struct ppp_mppe_keys k = keys();
	struct mppe tx, rx;
	uint8_t header[2], data[LEN], before[LEN];

	mppe_init(&tx, &k, true, 128, true);
	mppe_init(&rx, &k, false, 128, true);
	for (unsigned n = 0; n < 3000; n++) {
		memset(before, 0xee, LEN);
		memcpy(data, before, LEN);
		mppe_encrypt(&tx, header, data, LEN);
		ck_assert_int_eq(mppe_decrypt(&rx, header, data, LEN), MPPE_RX_OK);
		ck_assert_mem_eq(data, before, LEN);
	}
}
END_TEST

/* ---- stateless: forgery ------------------------------------------------------------------------------------------ */

/* Forged packets with any count between good ones: the session lives, and the work stays in bounds. */
START_TEST(forged_counts)
{
	struct session s;
	uint32_t seed = 77;
	uint64_t packets = 0;
	unsigned lost = 0;

	session(&s, 128, true);
	for (int n = 0; n < 20000; n++) {
		unsigned count = test_random(&seed);

		/* not the next one: that can't be told apart, and costs just the packet it stands for */
		if (((count - s.tx.next) & 0xfff) == 0)
			count++;
		forge(&s, count, &seed);
		packets += 2;
		lost += !(pass(&s) == MPPE_RX_OK && intact(&s));
	}
	ck_assert_uint_le(s.rx.rekeys, MPPE_CREDIT_MAX + packets * (MPPE_CREDIT_REFILL + 1));
	/* one in 500 forged ones behind a small gap is believed, and makes good ones late until the gap is over */
	ck_assert_uint_lt(lost, 6000);
	ck_assert_uint_gt(recover(&s, 2000), 0);
	pass_well(&s, 1000);
}
END_TEST

START_TEST(forged_flood_is_bounded)
{
	struct session s;
	uint32_t seed = 3;
	uint64_t before;

	session(&s, 128, true);
	pass_well(&s, 10);
	before = s.rx.rekeys;
	/* far counts in sequence, which wake the scout */
	for (unsigned n = 0; n < 2000; n++)
		forge(&s, 2000 + n, &seed);
	pass_well(&s, 1000);
	/* once around, and 900 packets past our place: those are believed, and ours are late until the sender is there too */
	for (unsigned n = 0; n < 4096; n++)
		forge(&s, s.tx.next + 900 + n, &seed);
	ck_assert_uint_le(s.rx.rekeys - before, MPPE_CREDIT_MAX + 7200 * (MPPE_CREDIT_REFILL + 1));
	ck_assert_uint_gt(recover(&s, 1000), 0);
	pass_well(&s, 1000);
}
END_TEST

START_TEST(forged_next_costs_one_packet)
{
	struct session s;
	uint32_t seed = 9;

	session(&s, 128, true);
	pass_well(&s, 10);
	forge(&s, s.tx.next, &seed);
	ck_assert_int_eq(pass(&s), MPPE_RX_DROP);
	pass_well(&s, 1000);
}
END_TEST

/* ---- stateful ---------------------------------------------------------------------------------------------------- */

struct pair {
	struct mppe tx, rx;
	unsigned number;
	uint8_t header[2], data[LEN];
};

static void
pair(struct pair *p, unsigned bits)
{
	struct ppp_mppe_keys k = keys();

	p->number = 0;
	mppe_init(&p->tx, &k, true, bits, false);
	mppe_init(&p->rx, &k, false, bits, false);
}

static void
pair_send(struct pair *p)
{
	plain(p->data, ++p->number);
	mppe_encrypt(&p->tx, p->header, p->data, LEN);
}

static enum mppe_rx
pair_pass(struct pair *p)
{
	uint8_t expected[LEN];
	enum mppe_rx rx;

	pair_send(p);
	rx = mppe_decrypt(&p->rx, p->header, p->data, LEN);
	plain(expected, p->number);
	if (rx == MPPE_RX_OK)
		ck_assert_mem_eq(p->data, expected, LEN);
	return rx;
}

START_TEST(stateful_loss_and_reset)
{
	uint32_t seed = 12;

	for (size_t i = 0; i < 3; i++) {
		struct pair p;
		unsigned resets = 0, good = 0;

		pair(&p, strengths[i]);
		for (int n = 0; n < 20000; n++) {
			enum mppe_rx rx;

			if (test_random(&seed) % 50 == 0) {
				pair_send(&p);
				continue;
			}
			rx = pair_pass(&p);
			good += rx == MPPE_RX_OK;
			if (rx == MPPE_RX_RESET && ++resets % 4 != 0) /* one in four is lost */
				mppe_reset(&p.tx);
		}
		ck_assert_uint_gt(resets, 100);
		ck_assert_uint_gt(good, 15000);
	}
}
END_TEST

START_TEST(stateful_long_loss)
{
	static const unsigned lost[] = {1, 100, 255, 256, 257, 1000, 2000, 2500, 3800};

	for (size_t i = 0; i < sizeof(lost) / sizeof(lost[0]); i++) {
		struct pair p;
		bool reset = false;

		pair(&p, 128);
		for (unsigned n = 0; n < 300; n++)
			ck_assert_int_eq(pair_pass(&p), MPPE_RX_OK);
		for (unsigned n = 0; n < lost[i]; n++)
			pair_send(&p);
		for (unsigned n = 0; n < 2 * MPPE_RUN && !reset; n++)
			reset = pair_pass(&p) == MPPE_RX_RESET;
		ck_assert(reset);
		mppe_reset(&p.tx);
		for (unsigned n = 0; n < 600; n++)
			ck_assert_int_eq(pair_pass(&p), MPPE_RX_OK);
	}
}
END_TEST

/* As RFC 3078 section 8.2 has it: the sender loads the same key again. */
START_TEST(stateful_reset_with_the_same_key)
{
	struct session s;

	session(&s, 128, false);
	pass_well(&s, 20);
	lose(&s, 1);
	ck_assert_int_eq(pass(&s), MPPE_RX_RESET);
	RC4_set_key(&s.tx.rc4, 16, s.tx.session);
	oracle_send(&s.tx, s.header, s.data);
	s.header[0] |= 0x80;
	ck_assert_int_eq(mppe_decrypt(&s.rx, s.header, s.data, LEN), MPPE_RX_OK);
	ck_assert(intact(&s));
	pass_well(&s, 600);
}
END_TEST

/* As Linux has it: the sender changes the key. */
START_TEST(stateful_reset_with_the_next_key)
{
	struct session s;

	session(&s, 128, false);
	pass_well(&s, 20);
	lose(&s, 1);
	ck_assert_int_eq(pass(&s), MPPE_RX_RESET);
	oracle_change(&s.tx);
	oracle_change(&s.tx); /* and one such packet was lost */
	oracle_send(&s.tx, s.header, s.data);
	s.header[0] |= 0x80;
	ck_assert_int_eq(mppe_decrypt(&s.rx, s.header, s.data, LEN), MPPE_RX_OK);
	ck_assert(intact(&s));
	pass_well(&s, 600);
}
END_TEST

/* Our sender's answer to a reset is in step with a receiver of either kind: its count is a flag packet's. */
START_TEST(reset_goes_on_at_the_next_flag_packet)
{
	struct pair p;

	pair(&p, 128);
	for (int n = 0; n < 10; n++)
		pair_send(&p);
	mppe_reset(&p.tx);
	pair_send(&p);
	ck_assert_uint_eq(get_u16(p.header), 0x8000 | BIT_D | 0x0ff);
	pair_send(&p);
	ck_assert_uint_eq(get_u16(p.header), BIT_D | 0x100);
}
END_TEST

START_TEST(stateless_ignores_reset)
{
	struct ppp_mppe_keys k = keys();
	struct mppe m;
	uint8_t header[2], data[LEN];

	mppe_init(&m, &k, true, 128, true);
	mppe_reset(&m);
	plain(data, 0);
	mppe_encrypt(&m, header, data, LEN);
	ck_assert_uint_eq(get_u16(header), BIT_A | BIT_D);
}
END_TEST

START_TEST(stateful_late_and_forged)
{
	struct session s;
	uint32_t seed = 31;
	uint8_t header[2], data[LEN];

	session(&s, 128, false);
	pass_well(&s, 20);
	memcpy(header, s.header, 2);
	memcpy(data, s.data, LEN);
	pass_well(&s, 5);
	ck_assert_int_eq(mppe_decrypt(&s.rx, header, data, LEN), MPPE_RX_DROP);
	pass_well(&s, 5);
	/* forged, flushed, and right in sequence: the stream must survive it */
	for (int n = 0; n < 50; n++) {
		uint8_t junk[LEN] = {0};

		test_random_fill(&seed, junk, LEN);
		put_u16(header, (uint16_t)(BIT_A | BIT_D | ((s.tx.next + (unsigned)n * 5) & 0xfff)));
		if (mppe_decrypt(&s.rx, header, junk, LEN) == MPPE_RX_OK)
			break; /* one in 125 is believed */
		pass_well(&s, 1);
	}
}
END_TEST

START_TEST(stateful_asks_again)
{
	struct session s;
	unsigned resets = 0;

	session(&s, 128, false);
	pass_well(&s, 20);
	lose(&s, 1);
	for (int n = 0; n < 4000; n++)
		resets += pass(&s) == MPPE_RX_RESET;
	ck_assert_uint_eq(resets, 4000);
}
END_TEST

/* ---- garbage ------------------------------------------------------------------------------------------------------ */

START_TEST(garbage_of_every_length)
{
	for (int stateless = 0; stateless < 2; stateless++) {
		uint32_t seed = 1;
		struct session s;

		session(&s, 128, stateless);
		for (int round = 0; round < 20; round++) {
			for (size_t len = 0; len < 300; len++) {
				uint8_t *data = malloc(len), header[2];

				test_random_fill(&seed, data, len);
				test_random_fill(&seed, header, 2);
				mppe_decrypt(&s.rx, header, data, len);
				free(data);
			}
		}
	}
}
END_TEST

Suite *
suite_mppe(void)
{
	Suite *s = suite_create("libppp/mppe");
	TCase *tc = tcase_create("mppe");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, sender_equals_oracle);
	tcase_add_test(tc, receiver_follows_oracle);
	tcase_add_test(tc, directions_have_their_own_keys);
	tcase_add_test(tc, tolerates_a_missing_a_bit);
	tcase_add_test(tc, drops_what_is_not_encrypted);
	tcase_add_test(tc, every_small_gap);
	tcase_add_test(tc, random_loss);
	tcase_add_test(tc, late_packets_cost_nothing);
	tcase_add_test(tc, outages_heal);
	tcase_add_test(tc, outages_heal_again);
	tcase_add_test(tc, odd_packets_in_order_go_through);
	tcase_add_test(tc, forged_counts);
	tcase_add_test(tc, forged_flood_is_bounded);
	tcase_add_test(tc, forged_next_costs_one_packet);
	tcase_add_test(tc, stateful_loss_and_reset);
	tcase_add_test(tc, stateful_long_loss);
	tcase_add_test(tc, stateful_reset_with_the_same_key);
	tcase_add_test(tc, stateful_reset_with_the_next_key);
	tcase_add_test(tc, reset_goes_on_at_the_next_flag_packet);
	tcase_add_test(tc, stateless_ignores_reset);
	tcase_add_test(tc, stateful_late_and_forged);
	tcase_add_test(tc, stateful_asks_again);
	tcase_add_test(tc, garbage_of_every_length);
	suite_add_tcase(s, tc);
	return s;
}
