/* Stateful MPPE: what is lost until the peer resets its key. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "libppp/mppe.h"

#include <string.h>

#include "base/wire.h"
#include "tests/unit/libppp/mppe_oracle.h"
#include "tests/unit/libppp/util.h"
#include "tests/unit/suite.h"

Suite *suite_mppe_stateful(void);

struct pair {
	struct mppe tx, rx;
	unsigned number;
	uint8_t header[2], data[LEN];
};

static void
pair(struct pair *p, unsigned bits)
{
	struct ppp_mppe_keys k = oracle_keys();

	p->number = 0;
	mppe_init(&p->tx, &k, true, bits, false);
	mppe_init(&p->rx, &k, false, bits, false);
}

static void
pair_send(struct pair *p)
{
	oracle_plain(p->data, ++p->number);
	mppe_encrypt(&p->tx, p->header, p->data, LEN);
}

static enum mppe_rx
pair_pass(struct pair *p)
{
	uint8_t expected[LEN];
	enum mppe_rx rx;

	pair_send(p);
	rx = mppe_decrypt(&p->rx, p->header, p->data, LEN);
	oracle_plain(expected, p->number);
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

		pair(&p, oracle_strengths[i]);
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
	struct mppe_session s;

	session_init(&s, 128, false);
	session_pass_well(&s, 20);
	session_lose(&s, 1);
	ck_assert_int_eq(session_pass(&s), MPPE_RX_RESET);
	RC4_set_key(&s.tx.rc4, 16, s.tx.session);
	oracle_send(&s.tx, s.header, s.data);
	s.header[0] |= 0x80;
	ck_assert_int_eq(mppe_decrypt(&s.rx, s.header, s.data, LEN), MPPE_RX_OK);
	ck_assert(session_intact(&s));
	session_pass_well(&s, 600);
}
END_TEST

/* As Linux has it: the sender changes the key. */
START_TEST(stateful_reset_with_the_next_key)
{
	struct mppe_session s;

	session_init(&s, 128, false);
	session_pass_well(&s, 20);
	session_lose(&s, 1);
	ck_assert_int_eq(session_pass(&s), MPPE_RX_RESET);
	oracle_change(&s.tx);
	oracle_change(&s.tx); /* and one such packet was lost */
	oracle_send(&s.tx, s.header, s.data);
	s.header[0] |= 0x80;
	ck_assert_int_eq(mppe_decrypt(&s.rx, s.header, s.data, LEN), MPPE_RX_OK);
	ck_assert(session_intact(&s));
	session_pass_well(&s, 600);
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
	struct ppp_mppe_keys k = oracle_keys();
	struct mppe m;
	uint8_t header[2], data[LEN];

	mppe_init(&m, &k, true, 128, true);
	mppe_reset(&m);
	oracle_plain(data, 0);
	mppe_encrypt(&m, header, data, LEN);
	ck_assert_uint_eq(get_u16(header), BIT_A | BIT_D);
}
END_TEST

START_TEST(stateful_late_and_forged)
{
	struct mppe_session s;
	uint32_t seed = 31;
	uint8_t header[2], data[LEN];

	session_init(&s, 128, false);
	session_pass_well(&s, 20);
	memcpy(header, s.header, 2);
	memcpy(data, s.data, LEN);
	session_pass_well(&s, 5);
	ck_assert_int_eq(mppe_decrypt(&s.rx, header, data, LEN), MPPE_RX_DROP);
	session_pass_well(&s, 5);
	/* forged, flushed, and right in sequence: the stream must survive it */
	for (int n = 0; n < 50; n++) {
		uint8_t junk[LEN] = {0};

		test_random_fill(&seed, junk, LEN);
		put_u16(header, (uint16_t)(BIT_A | BIT_D | ((s.tx.next + (unsigned)n * 5) & 0xfff)));
		if (mppe_decrypt(&s.rx, header, junk, LEN) == MPPE_RX_OK)
			break; /* one in 125 is believed */
		session_pass_well(&s, 1);
	}
}
END_TEST

START_TEST(stateful_asks_again)
{
	struct mppe_session s;
	unsigned resets = 0;

	session_init(&s, 128, false);
	session_pass_well(&s, 20);
	session_lose(&s, 1);
	for (int n = 0; n < 4000; n++)
		resets += session_pass(&s) == MPPE_RX_RESET;
	ck_assert_uint_eq(resets, 4000);
}
END_TEST

Suite *
suite_mppe_stateful(void)
{
	Suite *s = suite_create("libppp/mppe_stateful");
	TCase *tc = tcase_create("mppe_stateful");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, stateful_loss_and_reset);
	tcase_add_test(tc, stateful_long_loss);
	tcase_add_test(tc, stateful_reset_with_the_same_key);
	tcase_add_test(tc, stateful_reset_with_the_next_key);
	tcase_add_test(tc, reset_goes_on_at_the_next_flag_packet);
	tcase_add_test(tc, stateless_ignores_reset);
	tcase_add_test(tc, stateful_late_and_forged);
	tcase_add_test(tc, stateful_asks_again);
	suite_add_tcase(s, tc);
	return s;
}
