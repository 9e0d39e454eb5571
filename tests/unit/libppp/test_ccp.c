#include "libppp/ccp.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/libppp/pair.h"
#include "tests/unit/suite.h"

Suite *suite_ccp(void);

static struct pair p;

/* Start keys that fit each other, in place of those of an authentication. */
static void
setup(void)
{
	pair_init(&p);
	for (int i = 0; i < 16; i++) {
		p.a.keys.send[i] = p.b.keys.recv[i] = (uint8_t)(i + 1);
		p.a.keys.recv[i] = p.b.keys.send[i] = (uint8_t)(0x80 + i);
	}
	p.a.keys.valid = p.b.keys.valid = true;
	p.a.bc.mppe = p.b.bc.mppe = PPP_MPPE_REQUIRE;
}

static void
teardown(void)
{
	pair_fini(&p);
}

/* Ends both stacks, keeping the configurations. */
static void
again(void)
{
	struct end *ends[] = {&p.a, &p.b};

	for (int i = 0; i < 2; i++) {
		ppp_link_free(ends[i]->link);
		ppp_bundle_free(ends[i]->bundle);
		ends[i]->link = NULL;
		ends[i]->bundle = NULL;
		ends[i]->seen = 0;
		ends[i]->loglen = 0;
		memset(&ends[i]->down, 0, sizeof(ends[i]->down));
		memset(&ends[i]->failed, 0, sizeof(ends[i]->failed));
	}
}

static struct ppp_bundle_info
info_of(const struct end *e)
{
	struct ppp_bundle_info info;

	ppp_bundle_info(e->bundle, &info);
	return info;
}

static void
clear_data_is_refused(struct end *e)
{
	uint64_t before = info_of(e).rx_clear_dropped;

	ck_assert_int_eq(end_rx_hex(e, "ff030021 45000014"), PPP_RX_DROP);
	ck_assert_int_eq(end_rx_hex(e, "21 45000014"), PPP_RX_DROP);
	ck_assert_uint_eq(info_of(e).rx_clear_dropped, before + 2);
}

START_TEST(test_stateless_128)
{
	struct ppp_link_info link;
	struct ppp_bundle_info info;
	char text[32];

	pair_open(&p);
	info = info_of(&p.a);
	ck_assert_str_eq(ppp_encoding_text(&info, text), "MPPE128 stateless");
	for (size_t len = 1; len <= 1396; len += 31) {
		ck_assert(pair_ping(&p, &p.a, &p.b, len));
		ck_assert(pair_ping(&p, &p.b, &p.a, len));
	}
	clear_data_is_refused(&p.a);
	ppp_link_info(p.a.link, &link);
	ck_assert_uint_eq(link.mtu, 1396);
	/* encryption was there before IP was told to be up */
	ck_assert_ptr_nonnull(strstr(p.a.log, "* mppe-up"));
	ck_assert(strstr(p.a.log, "* mppe-up") < strstr(p.a.log, "* ipcp-up"));
	/* the peer that naks names one key length */
	ck_assert_ptr_nonnull(strstr(p.a.log, "[CCP ConfReq id=1 <mppe +H +M +S +L -D -C>]"));
	ck_assert_ptr_nonnull(strstr(p.a.log, "> [CCP ConfNak id=1 <mppe +H -M +S -L -D -C>]"));
}
END_TEST

/* What must come of two ends' wishes. */
struct wishes {
	enum ppp_mppe_policy policy;
	unsigned bits;
	bool stateless, stateful_ok;
};

static void
apply(struct end *e, const struct wishes *w)
{
	e->bc.mppe = w->policy;
	e->bc.mppe_bits = w->bits;
	e->bc.mppe_stateless = w->stateless;
	e->bc.mppe_stateful_ok = w->stateful_ok;
}

static unsigned
best(unsigned bits)
{
	return bits & 4 ? 4 : bits & 2 ? 2 : bits & 1;
}

static void
expect_data(bool encrypted)
{
	ck_assert(pair_ping(&p, &p.a, &p.b, 777));
	ck_assert(pair_ping(&p, &p.b, &p.a, 778));
	if (encrypted) {
		clear_data_is_refused(&p.a);
		clear_data_is_refused(&p.b);
	}
}

static void
try_wishes(const struct wishes *a, const struct wishes *b)
{
	bool denied = a->policy == PPP_MPPE_DENY || b->policy == PPP_MPPE_DENY;
	bool required = a->policy == PPP_MPPE_REQUIRE || b->policy == PPP_MPPE_REQUIRE;
	unsigned bit = denied ? 0 : best(a->bits & b->bits);
	bool stateless = a->stateless || b->stateless || !a->stateful_ok || !b->stateful_ok;
	struct ppp_bundle_info ia, ib;
	char what[120];

	snprintf(what, sizeof(what), "policy %d/%d bits %u/%u stateless %d/%d stateful ok %d/%d", a->policy, b->policy, a->bits, b->bits,
	    a->stateless, b->stateless, a->stateful_ok, b->stateful_ok);
	again();
	apply(&p.a, a);
	apply(&p.b, b);
	pair_open(&p);
	pair_run(&p, TS_S(10));
	if (bit == 0 && required) {
		ck_assert_msg(end_saw(&p.a, PPP_EVENT_DOWN) && end_saw(&p.b, PPP_EVENT_DOWN), "%s: still up", what);
		ck_assert_msg(p.a.down.down == PPP_DOWN_ENCRYPTION || p.b.down.down == PPP_DOWN_ENCRYPTION, "%s: wrong reason", what);
		ck_assert_msg(!end_saw(a->policy == PPP_MPPE_REQUIRE ? &p.a : &p.b, PPP_EVENT_IPCP_UP), "%s: IP came up", what);
		return;
	}
	ia = info_of(&p.a);
	ib = info_of(&p.b);
	ck_assert_msg(ia.mppe_bits == bit && ib.mppe_bits == bit, "%s: %u/%u\n%s", what, ia.mppe_bits, ib.mppe_bits, p.a.log);
	ck_assert_msg(bit == 0 || (ia.mppe_stateless == stateless && ib.mppe_stateless == stateless), "%s: stateless %d/%d\n%s", what,
	    ia.mppe_stateless, ib.mppe_stateless, p.a.log);
	ck_assert_msg(ia.ipv4_up && ib.ipv4_up, "%s: IP is not up\n%s", what, p.a.log);
	expect_data(bit != 0);
}

START_TEST(test_matrix_of_wishes)
{
	static const unsigned bits[] = {PPP_MPPE_40, PPP_MPPE_56, PPP_MPPE_128, PPP_MPPE_40 | PPP_MPPE_128, PPP_MPPE_ANY};
	enum { BITS = sizeof(bits) / sizeof(bits[0]), ALL = 3 * BITS * 4 };

	for (unsigned i = 0; i < ALL; i++) {
		for (unsigned j = 0; j < ALL; j++) {
			struct wishes a = {(enum ppp_mppe_policy)(i % 3), bits[i / 3 % BITS], i / 3 / BITS & 1, i / 3 / BITS & 2};
			struct wishes b = {(enum ppp_mppe_policy)(j % 3), bits[j / 3 % BITS], j / 3 / BITS & 1, j / 3 / BITS & 2};

			try_wishes(&a, &b);
		}
	}
}
END_TEST

START_TEST(test_no_keys)
{
	p.a.keys.valid = p.b.keys.valid = false;
	pair_open(&p);
	ck_assert_int_eq(p.a.down.down == PPP_DOWN_ENCRYPTION || p.b.down.down == PPP_DOWN_ENCRYPTION, 1);
	ck_assert_ptr_nonnull(strstr(p.a.failed.type ? p.a.failed.message : p.b.failed.message, "gave no keys"));
	again();
	p.a.bc.mppe = p.b.bc.mppe = PPP_MPPE_ALLOW;
	pair_open(&p);
	ck_assert(end_saw(&p.a, PPP_EVENT_IPCP_UP));
	ck_assert(!info_of(&p.a).mppe_up);
	expect_data(false);
}
END_TEST

/* A scripted peer: LCP and IPCP are done by hand, then CCP as the test wants. */
static void
script_link_up(struct end *e)
{
	uint8_t frame[FRAME_MAX], *payload;
	size_t len, payloadlen;

	end_open(e);
	len = ppp_link_output(e->link, frame, sizeof(frame));
	ck_assert_uint_gt(len, 8);
	frame[4] = PPP_CONF_ACK;
	ppp_link_rx(e->link, frame, len, *e->now, &payload, &payloadlen);
	end_rx_hex(e, "ff03c021 01010004");
	ck_assert_str_eq(end_tx_hex(e), "ff03c02102010004");
	ck_assert(end_saw(e, PPP_EVENT_NETWORK));
}

START_TEST(test_golden_bytes)
{
	script_link_up(&p.a);
	ck_assert_str_eq(end_tx_hex(&p.a), "ff0380fd0101000a1206010000e0");
	ck_assert_str_eq(end_tx_hex(&p.a), "ff0380210101000a03060a000001");
	/* Windows asks for MPPC as well, with everything set */
	end_rx_hex(&p.a, "80fd 0105000a 1206010000e1");
	ck_assert_str_eq(end_tx_hex(&p.a), "ff0380fd0305000a120601000040");
	end_rx_hex(&p.a, "80fd 0106000a 120601000040");
	ck_assert_str_eq(end_tx_hex(&p.a), "ff0380fd0206000a120601000040");
	end_rx_hex(&p.a, "80fd 0301000a 120601000040");
	ck_assert_str_eq(end_tx_hex(&p.a), "ff0380fd0102000a120601000040");
	ck_assert(!end_saw(&p.a, PPP_EVENT_MPPE_UP));
	end_rx_hex(&p.a, "80fd 0202000a 120601000040");
	ck_assert(end_saw(&p.a, PPP_EVENT_MPPE_UP));
}
END_TEST

START_TEST(test_peer_without_mppe)
{
	/* pppd without it: deflate and BSD, then nothing */
	p.a.bc.mppe = PPP_MPPE_ALLOW;
	script_link_up(&p.a);
	end_drain(&p.a);
	end_rx_hex(&p.a, "80fd 0101000f 1a047800 1804 7800 1503 2f");
	ck_assert_str_eq(end_tx_hex(&p.a), "ff0380fd0401000f1a047800180478001503"
					   "2f");
	end_rx_hex(&p.a, "80fd 0401000a 1206010000e0");
	ck_assert_str_eq(end_tx_hex(&p.a), "ff0380fd01020004");
	for (int i = 0; i < 10; i++)
		end_rx_hex(&p.a, "80fd 01020004");
	end_rx_hex(&p.a, "80fd 02020004");
	end_drain(&p.a);
	ck_assert(!end_saw(&p.a, PPP_EVENT_DOWN));
	ck_assert(!end_saw(&p.a, PPP_EVENT_MPPE_UP));
	end_rx_hex(&p.a, "8021 0101000a 03060a000002");
	end_rx_hex(&p.a, "8021 0201000a 03060a000001");
	ck_assert(info_of(&p.a).ipv4_up);
	ck_assert_int_eq(end_rx_hex(&p.a, "0021 4500"), PPP_RX_IP);
}
END_TEST

START_TEST(test_require_and_refusals)
{
	static const char *const refusals[] = {
	    "c021 0807000a 80fd 01010004", /* Protocol-Reject of CCP */
	    "80fd 0401000a 1206010000e0",  /* Configure-Reject of the option */
	    "80fd 0301000a 120600000000",  /* a Nak that leaves nothing */
	};

	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		again();
		script_link_up(&p.a);
		end_drain(&p.a);
		end_rx_hex(&p.a, refusals[i]);
		ck_assert(end_saw(&p.a, PPP_EVENT_BUNDLE_FAILED));
		ck_assert_int_eq(p.a.failed.down, PPP_DOWN_ENCRYPTION);
		ck_assert_ptr_nonnull(strstr(p.a.failed.message, "encryption is required, but the peer"));
		end_drain(&p.a);
		ck_assert_ptr_nonnull(strstr(p.a.log, "> [LCP TermReq"));
		end_rx_hex(&p.a, "c021 06070004");
		ck_assert_int_eq(p.a.down.down, PPP_DOWN_ENCRYPTION);
	}
}
END_TEST

START_TEST(test_require_and_silence)
{
	script_link_up(&p.a);
	end_drain(&p.a);
	end_rx_hex(&p.a, "8021 0101000a 03060a000002");
	end_rx_hex(&p.a, "8021 0201000a 03060a000001");
	ck_assert(!end_saw(&p.a, PPP_EVENT_IPCP_UP)); /* held until encryption is there */
	clear_data_is_refused(&p.a);
	for (int i = 0; i < 40; i++) {
		p.now += TS_S(1);
		ppp_link_expire(p.a.link, p.now);
		end_drain(&p.a);
	}
	ck_assert_int_eq(p.a.failed.down, PPP_DOWN_ENCRYPTION);
	ck_assert_int_eq(p.a.down.down, PPP_DOWN_ENCRYPTION);
}
END_TEST

START_TEST(test_peer_ends_encryption)
{
	pair_open(&p);
	expect_data(true);
	end_rx_hex(&p.a, "80fd 05770004");
	ck_assert(end_saw(&p.a, PPP_EVENT_MPPE_DOWN));
	ck_assert(end_saw(&p.a, PPP_EVENT_IPCP_DOWN));
	ck_assert_int_eq(p.a.failed.down, PPP_DOWN_ENCRYPTION);
	ck_assert(!pair_ping(&p, &p.a, &p.b, 100));
	pair_run(&p, TS_S(10));
	ck_assert_int_eq(p.a.down.down, PPP_DOWN_ENCRYPTION);
	ck_assert_int_eq(p.b.down.down, PPP_DOWN_PEER);
	ck_assert_ptr_nonnull(strstr(p.b.down.message, "encryption is required"));
}
END_TEST

START_TEST(test_renegotiation_keeps_the_link)
{
	pair_open(&p);
	expect_data(true);
	/* a request out of the blue: one end was not as far as the other */
	end_rx_hex(&p.a, "80fd 0177000a 120601000040");
	ck_assert(!pair_ping(&p, &p.a, &p.b, 100));
	pair_run(&p, TS_S(20));
	ck_assert(!end_saw(&p.a, PPP_EVENT_DOWN));
	expect_data(true);
}
END_TEST

static void
lose(struct end *from, unsigned packets)
{
	for (unsigned i = 0; i < packets; i++) {
		uint8_t buf[PKT_HEADROOM + 100] = {0};
		struct pkt pkt;

		pkt_init(&pkt, buf, sizeof(buf), PKT_HEADROOM);
		pkt.len = 100;
		ck_assert(ppp_link_tx(from->link, &pkt, PPP_PROTO_IP, p.now));
	}
}

START_TEST(test_stateless_survives_loss)
{
	pair_open(&p);
	for (unsigned n = 1; n < 100; n += 7) {
		lose(&p.a, n);
		ck_assert(pair_ping(&p, &p.a, &p.b, 500));
	}
	ck_assert_uint_gt(info_of(&p.b).mppe_rekeys, 0);
	ck_assert_uint_eq(info_of(&p.b).mppe_resets, 0);
}
END_TEST

START_TEST(test_stateful_resets)
{
	p.a.bc.mppe_stateless = p.b.bc.mppe_stateless = false;
	pair_open(&p);
	for (int i = 0; i < 600; i++)
		ck_assert(pair_ping(&p, &p.a, &p.b, 300));
	lose(&p.a, 3);
	ck_assert(!pair_ping(&p, &p.a, &p.b, 500));
	ck_assert(!pair_ping(&p, &p.a, &p.b, 500)); /* asked for once, not for each */
	ck_assert_uint_eq(info_of(&p.b).mppe_resets, 1);
	pair_settle(&p);
	ck_assert_ptr_nonnull(strstr(p.b.log, "> [CCP ResetReq"));
	ck_assert_ptr_nonnull(strstr(p.b.log, "< [CCP ResetAck"));
	for (int i = 0; i < 300; i++)
		ck_assert(pair_ping(&p, &p.a, &p.b, 500));
	expect_data(true);
	/* the next loss is asked for at once, however short after the first */
	lose(&p.a, 1);
	ck_assert(!pair_ping(&p, &p.a, &p.b, 500));
	ck_assert_uint_eq(info_of(&p.b).mppe_resets, 2);
	pair_settle(&p);
	expect_data(true);
	/* a request that was lost is repeated after a while, however few packets come */
	lose(&p.a, 1);
	ck_assert(!pair_ping(&p, &p.a, &p.b, 500));
	end_drain(&p.b);
	pair_run(&p, TS_MS(300));
	ck_assert(!pair_ping(&p, &p.a, &p.b, 500));
	ck_assert_uint_eq(info_of(&p.b).mppe_resets, 4);
	pair_settle(&p);
	expect_data(true);
	/* a reset that nobody needs does no harm either */
	end_rx_hex(&p.a, "80fd 0e010004");
	end_rx_hex(&p.a, "80fd 0f010004");
	expect_data(true);
}
END_TEST

START_TEST(test_hostile_frames)
{
	pair_open(&p);
	ck_assert_int_eq(end_rx_hex(&p.a, "00fd"), PPP_RX_DROP);
	ck_assert_int_eq(end_rx_hex(&p.a, "00fd 90"), PPP_RX_DROP);
	ck_assert_int_eq(end_rx_hex(&p.a, "fd 9000"), PPP_RX_DROP);
	ck_assert_int_eq(end_rx_hex(&p.a, "fd 8000 21"), PPP_RX_DROP); /* not marked as encrypted */
	ck_assert_uint_ge(info_of(&p.a).rx_bad, 4);
	expect_data(true);
}
END_TEST

/* How often the trace has this line. */
static unsigned
times(const struct end *e, const char *line)
{
	unsigned n = 0;

	for (const char *at = e->log; (at = strstr(at, line)) != NULL; at++)
		n++;
	return n;
}

/* LCP by hand, then CCP with 128 bits, stateless: the answer to ours, then the peer's own request. */
static void
encrypt_by_hand(struct end *e)
{
	uint8_t frame[FRAME_MAX], *payload;
	size_t len, payloadlen;

	e->bc.mppe_bits = PPP_MPPE_128;
	end_open(e);
	len = ppp_link_output(e->link, frame, sizeof(frame));
	frame[4] = PPP_CONF_ACK;
	ppp_link_rx(e->link, frame, len, *e->now, &payload, &payloadlen);
	end_rx_hex(e, "ff03c021 01010004");
	end_drain(e);
	end_rx_hex(e, "80fd 0201000a 120601000040");
	end_rx_hex(e, "80fd 0101000a 120601000040");
	end_drain(e);
	ck_assert_ptr_nonnull(strstr(e->log, "* mppe-up"));
}

/* pppd listens to IPCP only when CCP is open, and begins then: our request from before goes out again at once. */
START_TEST(test_peer_begins_ip_after_encryption)
{
	encrypt_by_hand(&p.a);
	ck_assert_uint_eq(times(&p.a, "> [IPCP ConfReq id=1 "), 1);
	end_rx_hex(&p.a, "8021 0101000a 03060a000002");
	end_drain(&p.a);
	ck_assert_uint_eq(times(&p.a, "> [IPCP ConfReq id=1 "), 2);
	ck_assert_uint_eq(times(&p.a, "> [IPCP ConfAck id=1 "), 1);
	/* once is enough */
	end_rx_hex(&p.a, "8021 0102000a 03060a000002");
	end_drain(&p.a);
	ck_assert_uint_eq(times(&p.a, "> [IPCP ConfReq id=1 "), 2);
	end_rx_hex(&p.a, "8021 0201000a 03060a000001");
	end_drain(&p.a);
	ck_assert(end_saw(&p.a, PPP_EVENT_IPCP_UP));
}
END_TEST

/* A peer that answered ours heard it. */
START_TEST(test_peer_heard_ip_before_encryption)
{
	encrypt_by_hand(&p.a);
	end_rx_hex(&p.a, "8021 0201000a 03060a000001");
	end_rx_hex(&p.a, "8021 0101000a 03060a000002");
	end_drain(&p.a);
	ck_assert_uint_eq(times(&p.a, "> [IPCP ConfReq "), 1);
	ck_assert(end_saw(&p.a, PPP_EVENT_IPCP_UP));
}
END_TEST

Suite *
suite_ccp(void)
{
	Suite *s = suite_create("ccp");
	TCase *t = tcase_create("ccp");

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_stateless_128);
	tcase_add_test(t, test_matrix_of_wishes);
	tcase_add_test(t, test_no_keys);
	tcase_add_test(t, test_golden_bytes);
	tcase_add_test(t, test_peer_without_mppe);
	tcase_add_test(t, test_require_and_refusals);
	tcase_add_test(t, test_require_and_silence);
	tcase_add_test(t, test_peer_ends_encryption);
	tcase_add_test(t, test_renegotiation_keeps_the_link);
	tcase_add_test(t, test_stateless_survives_loss);
	tcase_add_test(t, test_stateful_resets);
	tcase_add_test(t, test_hostile_frames);
	tcase_add_test(t, test_peer_begins_ip_after_encryption);
	tcase_add_test(t, test_peer_heard_ip_before_encryption);
	suite_add_tcase(s, t);
	return s;
}
