/* MPPE against an oracle of its own: packets in order, and stateless MPPE. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "libppp/mppe.h"

#include <stdlib.h>
#include <string.h>

#include "base/wire.h"
#include "tests/unit/libppp/mppe_oracle.h"
#include "tests/unit/libppp/util.h"
#include "tests/unit/suite.h"

Suite *suite_mppe(void);

/* A packet of a forger who knows all but the key. */
static enum mppe_rx
forge(struct mppe_session *s, unsigned count, uint32_t *seed)
{
	uint8_t header[2], data[LEN];

	test_random_fill(seed, data, sizeof(data));
	put_u16(header, (uint16_t)(BIT_A | BIT_D | (count & 0xfff)));
	return mppe_decrypt(&s->rx, header, data, sizeof(data));
}

/* ---- in order ---------------------------------------------------------------------------------------------------- */

START_TEST(sender_equals_oracle)
{
	for (size_t i = 0; i < 6; i++) {
		struct ppp_mppe_keys k = oracle_keys();
		struct oracle o;
		struct mppe m;
		uint8_t ha[2], hb[2], a[LEN], b[LEN];

		oracle_init(&o, oracle_start_key, oracle_strengths[i / 2], i % 2 == 0);
		mppe_init(&m, &k, true, oracle_strengths[i / 2], i % 2 == 0);
		for (unsigned n = 0; n < 5000; n++) {
			oracle_plain(a, n);
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
		struct mppe_session s;

		session_init(&s, oracle_strengths[i / 2], i % 2 == 0);
		session_pass_well(&s, 5000); /* the count wraps at 4096 */
		ck_assert_uint_eq(s.rx.gaps + s.rx.late + s.rx.rejected, 0);
	}
}
END_TEST

START_TEST(directions_have_their_own_keys)
{
	struct ppp_mppe_keys k = oracle_keys();
	struct mppe tx, rx;

	k.recv[0] ^= 1;
	mppe_init(&tx, &k, true, 128, true);
	mppe_init(&rx, &k, false, 128, true);
	ck_assert_mem_ne(tx.session_key, rx.session_key, 16);
}
END_TEST

START_TEST(tolerates_a_missing_a_bit)
{
	struct mppe_session s;

	session_init(&s, 128, true);
	for (int i = 0; i < 600; i++) {
		oracle_send(&s.tx, s.header, s.data);
		s.header[0] &= 0x7f;
		ck_assert_int_eq(mppe_decrypt(&s.rx, s.header, s.data, LEN), MPPE_RX_OK);
		ck_assert(session_intact(&s));
	}
}
END_TEST

START_TEST(drops_what_is_not_encrypted)
{
	for (int stateless = 0; stateless < 2; stateless++) {
		struct mppe_session s;
		uint8_t header[2], data[LEN] = {0}, zero[LEN] = {0};

		session_init(&s, 128, stateless);
		session_pass_well(&s, 10);
		for (unsigned h = 0; h < 0x10000; h += 0x400) {
			if ((h & BIT_D) != 0 && (h & 0x2000) == 0)
				continue;
			put_u16(header, (uint16_t)(h | 10));
			ck_assert_int_eq(mppe_decrypt(&s.rx, header, data, LEN), MPPE_RX_DROP);
			ck_assert_mem_eq(data, zero, LEN);
		}
		put_u16(header, BIT_A | BIT_D | 10);
		ck_assert_int_eq(mppe_decrypt(&s.rx, header, data, 0), MPPE_RX_DROP);
		session_pass_well(&s, 600);
	}
}
END_TEST

/* ---- stateless: loss -------------------------------------------------------------------------------------------- */

START_TEST(every_small_gap)
{
	struct mppe_session s;

	session_init(&s, 128, true);
	for (unsigned gap = 1; gap < MPPE_MAX_GAP; gap += gap < 20 ? 1 : 13) {
		session_lose(&s, gap);
		session_pass_well(&s, 200);
	}
	ck_assert_uint_gt(s.rx.gaps, 0);
	ck_assert_uint_eq(s.rx.late + s.rx.rejected, 0);
}
END_TEST

START_TEST(random_loss)
{
	uint32_t seed = 5;

	for (size_t i = 0; i < 3; i++) {
		struct mppe_session s;

		session_init(&s, oracle_strengths[i], true);
		for (int n = 0; n < 6000; n++) {
			if (test_random(&seed) % 3 == 0)
				session_lose(&s, 1);
			else
				session_pass_well(&s, 1);
		}
	}
}
END_TEST

START_TEST(late_packets_cost_nothing)
{
	struct mppe_session s;
	uint8_t header[2], data[LEN], copy[LEN];
	uint64_t rekeys;

	session_init(&s, 128, true);
	session_pass_well(&s, 10);
	oracle_send(&s.tx, header, data); /* overtaken */
	session_pass_well(&s, 3);
	rekeys = s.rx.rekeys;
	memcpy(copy, data, LEN);
	ck_assert_int_eq(mppe_decrypt(&s.rx, header, data, LEN), MPPE_RX_DROP);
	ck_assert_mem_eq(copy, data, LEN);
	ck_assert_uint_eq(s.rx.rekeys, rekeys);
	ck_assert_uint_eq(s.rx.late, 1);
	/* and again: the last one, a duplicate */
	ck_assert_int_eq(mppe_decrypt(&s.rx, s.header, s.data, LEN), MPPE_RX_DROP);
	ck_assert_uint_eq(s.rx.rekeys, rekeys);
	session_pass_well(&s, 100);
}
END_TEST

/* Outages of any length heal by themselves, within packets that the README of the numbers below can be held to. */
START_TEST(outages_heal)
{
	static const unsigned outages[] = {300, 2000, 2048, 3000, 4000, 4095, 4096, 4097, 4100, 5000, 8192, 20000, 60000};

	for (size_t i = 0; i < sizeof(outages) / sizeof(outages[0]); i++) {
		struct mppe_session s;
		unsigned wraps = outages[i] / 4096, took;

		session_init(&s, 128, true);
		session_pass_well(&s, 50);
		session_lose(&s, outages[i]);
		took = session_recover(&s, 2 * MPPE_RUN + (wraps + 1) * (4096 / MPPE_CREDIT_REFILL + 2 * MPPE_RUN));
		ck_assert_msg(took > 0, "outage of %u packets: not recovered", outages[i]);
		if (outages[i] < 4000)
			ck_assert_uint_le(took, 2 * MPPE_RUN - 1);
		session_pass_well(&s, 5000);
	}
}
END_TEST

/* A second outage, when the credit is spent by the first. */
START_TEST(outages_heal_again)
{
	struct mppe_session s;

	session_init(&s, 40, true);
	for (int i = 0; i < 8; i++) {
		session_pass_well(&s, 3);
		session_lose(&s, 3500);
		ck_assert_uint_gt(session_recover(&s, 600), 0);
	}
	session_pass_well(&s, 100);
}
END_TEST

/* Packets of a protocol that looks like none: they go through, and cost the session nothing. */
START_TEST(odd_packets_in_order_go_through)
{
	struct ppp_mppe_keys k = oracle_keys();
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
	struct mppe_session s;
	uint32_t seed = 77;
	uint64_t packets = 0;
	unsigned lost = 0;

	session_init(&s, 128, true);
	for (int n = 0; n < 20000; n++) {
		unsigned count = test_random(&seed);

		/* not the next one: that can't be told apart, and costs just the packet it stands for */
		if (((count - s.tx.next) & 0xfff) == 0)
			count++;
		forge(&s, count, &seed);
		packets += 2;
		lost += !(session_pass(&s) == MPPE_RX_OK && session_intact(&s));
	}
	ck_assert_uint_le(s.rx.rekeys, MPPE_CREDIT_MAX + packets * (MPPE_CREDIT_REFILL + 1));
	/* one in 500 forged ones behind a small gap is believed, and makes good ones late until the gap is over */
	ck_assert_uint_lt(lost, 6000);
	ck_assert_uint_gt(session_recover(&s, 2000), 0);
	session_pass_well(&s, 1000);
}
END_TEST

START_TEST(forged_flood_is_bounded)
{
	struct mppe_session s;
	uint32_t seed = 3;
	uint64_t before;

	session_init(&s, 128, true);
	session_pass_well(&s, 10);
	before = s.rx.rekeys;
	/* far counts in sequence, which wake the scout */
	for (unsigned n = 0; n < 2000; n++)
		forge(&s, 2000 + n, &seed);
	session_pass_well(&s, 1000);
	/* once around, and 900 packets past our place: those are believed, and ours are late until the sender is there too */
	for (unsigned n = 0; n < 4096; n++)
		forge(&s, s.tx.next + 900 + n, &seed);
	ck_assert_uint_le(s.rx.rekeys - before, MPPE_CREDIT_MAX + 7200 * (MPPE_CREDIT_REFILL + 1));
	ck_assert_uint_gt(session_recover(&s, 1000), 0);
	session_pass_well(&s, 1000);
}
END_TEST

START_TEST(forged_next_costs_one_packet)
{
	struct mppe_session s;
	uint32_t seed = 9;

	session_init(&s, 128, true);
	session_pass_well(&s, 10);
	forge(&s, s.tx.next, &seed);
	ck_assert_int_eq(session_pass(&s), MPPE_RX_DROP);
	session_pass_well(&s, 1000);
}
END_TEST

/* ---- garbage ------------------------------------------------------------------------------------------------------ */

START_TEST(garbage_of_every_length)
{
	for (int stateless = 0; stateless < 2; stateless++) {
		uint32_t seed = 1;
		struct mppe_session s;

		session_init(&s, 128, stateless);
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
	tcase_add_test(tc, garbage_of_every_length);
	suite_add_tcase(s, tc);
	return s;
}
