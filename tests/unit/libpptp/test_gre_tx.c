#include "base/mem.h"
#include "tests/unit/suite.h"

#include <pptp/gre.h>
#include <string.h>

Suite *suite_gre_tx(void);

#define MS UINT64_C(1000000)

static struct pptp_gre_session *
session(void)
{
	struct pptp_gre_session *s = NULL;
	struct pptp_gre_config config;

	pptp_gre_config_init(&config);
	config.peer_call_id = 0x1234;
	ck_assert_int_eq(pptp_gre_session_new(&s, &config, NULL), PPTP_OK);
	return s;
}

static void
rx(struct pptp_gre_session *s, uint32_t seq, uint64_t ts)
{
	struct pptp_gre_header h = {.payload_length = 10, .has_sequence = true, .sequence = seq, .header_length = 12};

	ck_assert_int_ne(pptp_gre_rx(s, &h, s, ts), PPTP_GRE_DROP);
}

static void
rx_ack(struct pptp_gre_session *s, uint32_t ack, uint64_t ts)
{
	struct pptp_gre_header h = {.has_ack = true, .ack = ack, .header_length = 12};

	ck_assert_int_eq(pptp_gre_rx(s, &h, s, ts), PPTP_GRE_ACK_ONLY);
}

/* Sends a packet and returns its decoded header, which ends right before the payload. */
static struct pptp_gre_header
tx(struct pptp_gre_session *s, uint16_t payload_length, uint64_t ts)
{
	uint8_t buf[PPTP_GRE_MAX_HEADER + 100];
	struct pptp_gre_header h;
	size_t len;

	memset(buf, 0xee, sizeof(buf));
	len = pptp_gre_tx(s, buf + PPTP_GRE_MAX_HEADER, payload_length, ts);
	ck_assert_int_eq(pptp_gre_decode(&h, buf + PPTP_GRE_MAX_HEADER - len, len + payload_length), PPTP_OK);
	ck_assert_uint_eq(h.header_length, len);
	ck_assert_uint_eq(buf[PPTP_GRE_MAX_HEADER], 0xee);
	if (len < PPTP_GRE_MAX_HEADER)
		ck_assert_uint_eq(buf[PPTP_GRE_MAX_HEADER - len - 1], 0xee);
	return h;
}

START_TEST(numbers_from_zero)
{
	struct pptp_gre_session *s = session();

	for (uint32_t i = 0; i < 5; i++) {
		struct pptp_gre_header h = tx(s, 50, i);

		ck_assert(h.has_sequence && !h.has_ack);
		ck_assert_uint_eq(h.sequence, i);
		ck_assert_uint_eq(h.call_id, 0x1234);
		ck_assert_uint_eq(h.payload_length, 50);
	}
	pptp_gre_set_peer(s, 0x4321, 0, 0);
	ck_assert_uint_eq(tx(s, 50, 9).call_id, 0x4321);
	ck_assert_uint_eq(pptp_gre_stats(s)->tx_pkts, 6);
	ck_assert_uint_eq(pptp_gre_stats(s)->tx_bytes, 300);
	pptp_gre_session_free(s);
}
END_TEST

START_TEST(piggyback)
{
	struct pptp_gre_session *s = session();
	struct pptp_gre_header h;
	uint8_t buf[PPTP_GRE_MAX_HEADER];

	rx(s, 1, 0);
	rx(s, 2, 0);
	h = tx(s, 10, 1);
	ck_assert(h.has_ack);
	ck_assert_uint_eq(h.ack, 2);
	ck_assert_uint_eq(pptp_gre_expiry(s), PPTP_TS_NEVER);
	ck_assert(!tx(s, 10, 2).has_ack); /* paid */
	ck_assert_uint_eq(pptp_gre_ack(s, buf, 1000 * MS), 0);
	rx(s, 5, 3); /* held, but it is the highest received */
	ck_assert_uint_eq(tx(s, 10, 4).ack, 5);
	ck_assert_ptr_nonnull(pptp_gre_drain(s));
	ck_assert_uint_eq(pptp_gre_stats(s)->tx_acks, 0);
	pptp_gre_session_free(s);
}
END_TEST

START_TEST(delayed_ack)
{
	struct pptp_gre_session *s = session();
	struct pptp_gre_header h;
	uint8_t buf[PPTP_GRE_MAX_HEADER];

	ck_assert_uint_eq(pptp_gre_expiry(s), PPTP_TS_NEVER);
	rx(s, 0, 5 * MS);
	rx(s, 1, 50 * MS); /* the first one's time counts */
	ck_assert_uint_eq(pptp_gre_expiry(s), 105 * MS);
	ck_assert_uint_eq(pptp_gre_ack(s, buf, 105 * MS - 1), 0);
	ck_assert_uint_eq(pptp_gre_ack(s, buf, 105 * MS), 12);
	ck_assert_int_eq(pptp_gre_decode(&h, buf, 12), PPTP_OK);
	ck_assert(h.has_ack && !h.has_sequence);
	ck_assert_uint_eq(h.ack, 1);
	ck_assert_uint_eq(h.call_id, 0x1234);
	ck_assert_uint_eq(h.payload_length, 0);
	ck_assert_uint_eq(pptp_gre_ack(s, buf, 105 * MS), 0);
	ck_assert_uint_eq(pptp_gre_expiry(s), PPTP_TS_NEVER);
	ck_assert_uint_eq(pptp_gre_stats(s)->tx_acks, 1);
	pptp_gre_session_free(s);
}
END_TEST

START_TEST(ack_after_packets)
{
	struct pptp_gre_session *s = session();
	uint8_t buf[PPTP_GRE_MAX_HEADER];

	for (uint32_t seq = 0; seq < 31; seq++)
		rx(s, seq, 0);
	ck_assert_uint_eq(pptp_gre_ack(s, buf, 0), 0);
	rx(s, 31, 0);
	ck_assert_uint_eq(pptp_gre_expiry(s), 0);
	ck_assert_uint_eq(pptp_gre_ack(s, buf, 0), 12);
	ck_assert_uint_eq(buf[11], 31);
	rx(s, 32, 0);
	ck_assert_uint_eq(pptp_gre_ack(s, buf, 0), 0);
	pptp_gre_session_free(s);
}
END_TEST

START_TEST(drops_owe_no_ack)
{
	struct pptp_gre_session *s = session();
	struct pptp_gre_header h = {.payload_length = 10, .has_sequence = true, .sequence = 0x50000000, .header_length = 12};
	uint8_t buf[PPTP_GRE_MAX_HEADER];

	ck_assert_int_eq(pptp_gre_rx(s, &h, s, 0), PPTP_GRE_DROP);
	ck_assert_uint_eq(pptp_gre_expiry(s), PPTP_TS_NEVER);
	ck_assert_uint_eq(pptp_gre_ack(s, buf, 1000 * MS), 0);
	pptp_gre_session_free(s);
}
END_TEST

START_TEST(acks_for_what_was_never_sent)
{
	struct pptp_gre_session *s = session();
	const struct pptp_gre_stats *st = pptp_gre_stats(s);

	rx_ack(s, 0, 0);
	rx_ack(s, 0xffffffff, 0);
	ck_assert_uint_eq(st->bad_ack, 2);
	tx(s, 10, 0);
	tx(s, 10, 0);
	rx_ack(s, 2, 0);
	rx_ack(s, 0x80000001, 0);
	rx_ack(s, 0xffffffff, 0);
	ck_assert_uint_eq(st->bad_ack, 5);
	ck_assert_uint_eq(st->rtt_ns, 0);
	rx_ack(s, 1, 0);
	rx_ack(s, 0, 0); /* old, but once true */
	ck_assert_uint_eq(st->bad_ack, 5);
	ck_assert_uint_eq(st->rx_acks, 7);
	pptp_gre_session_free(s);
}
END_TEST

START_TEST(round_trip_is_measured_without_window)
{
	struct pptp_gre_session *s = session();

	tx(s, 10, 100 * MS);
	tx(s, 10, 110 * MS);
	rx_ack(s, 1, 130 * MS);
	ck_assert_uint_eq(pptp_gre_stats(s)->rtt_ns, 30 * MS);
	ck_assert_uint_eq(pptp_gre_expiry(s), PPTP_TS_NEVER);
	tx(s, 10, 200 * MS);
	rx_ack(s, 2, 310 * MS);
	ck_assert_uint_eq(pptp_gre_stats(s)->rtt_ns, 40 * MS);
	pptp_gre_session_free(s);
}
END_TEST

START_TEST(bad_configurations)
{
	struct pptp_gre_session *s;
	struct pptp_gre_config good;
	struct pptp_gre_config c;

	pptp_gre_config_init(&good);
	ck_assert(!good.window);
	c = good;
	c.reorder_pkts = PPTP_GRE_MAX_REORDER + 1;
	ck_assert_int_eq(pptp_gre_session_new(&s, &c, NULL), PPTP_ERR_INVALID);
	c = good;
	c.ack_pkts = 0;
	ck_assert_int_eq(pptp_gre_session_new(&s, &c, NULL), PPTP_ERR_INVALID);
	c = good;
	c.max_jump = c.reorder_pkts - 1;
	ck_assert_int_eq(pptp_gre_session_new(&s, &c, NULL), PPTP_ERR_INVALID);
	c.max_jump = (1U << 30) + 1;
	ck_assert_int_eq(pptp_gre_session_new(&s, &c, NULL), PPTP_ERR_INVALID);
}
END_TEST

START_TEST(every_allocation_fails_once)
{
	struct pptp_gre_config config;
	size_t calls = 0;

	pptp_gre_config_init(&config);
	for (size_t fail_at = 1; fail_at == 1 || fail_at <= calls + 1; fail_at++) {
		struct pptp_gre_session *s = NULL;
		struct mem_failing f;
		struct pptp_mem mem;
		int error;

		mem_failing_init(&f, fail_at);
		mem = (struct pptp_mem){.user = f.mem.user, .calloc = f.mem.calloc, .free = f.mem.free};
		error = pptp_gre_session_new(&s, &config, &mem);
		calls = f.calls;
		ck_assert_int_eq(error, fail_at <= f.calls ? PPTP_ERR_NOMEM : PPTP_OK);
		pptp_gre_session_free(s);
		ck_assert_uint_eq(f.held, 0);
		if (error == PPTP_OK)
			break;
	}
	ck_assert_uint_eq(calls, 2); /* and none per packet: the API takes no allocator later */
	pptp_gre_session_free(NULL);
}
END_TEST

Suite *
suite_gre_tx(void)
{
	Suite *s = suite_create("libpptp/gre_tx");
	TCase *tc = tcase_create("gre_tx");

	tcase_add_test(tc, numbers_from_zero);
	tcase_add_test(tc, piggyback);
	tcase_add_test(tc, delayed_ack);
	tcase_add_test(tc, ack_after_packets);
	tcase_add_test(tc, drops_owe_no_ack);
	tcase_add_test(tc, acks_for_what_was_never_sent);
	tcase_add_test(tc, round_trip_is_measured_without_window);
	tcase_add_test(tc, bad_configurations);
	tcase_add_test(tc, every_allocation_fails_once);
	suite_add_tcase(s, tc);
	return s;
}
