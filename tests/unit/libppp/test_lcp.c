#include "libppp/lcp.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/libppp/pair.h"
#include "tests/unit/suite.h"

Suite *suite_lcp(void);

static struct pair p;

/* Golden bytes need known magic numbers: 11111111 for ever. */
static void
ones(void *user, void *buf, size_t len)
{
	(void)user;
	memset(buf, 0x11, len);
}

static void
setup(void)
{
	pair_init(&p);
	p.a.lc.random = ones;
}

static void
teardown(void)
{
	pair_fini(&p);
}

#define TX_IS(hex) ck_assert_str_eq(end_tx_hex(&p.a), hex)

START_TEST(test_golden_request)
{
	p.a.lc.require = PPP_AUTH_MSCHAPV2;
	end_open(&p.a);
	TX_IS("ff03c0210101001d010405780206000000000305c2238105061111111107020802");
	TX_IS("");
	end_rx_hex(&p.a, "ff03c021 0201001d 01040578 020600000000 0305c22381 050611111111 0702 0802");
	/* a length that is not the options' */
	end_rx_hex(&p.a, "ff03c021 01070013 010405dc 050622222222 0702 0802 00");
	TX_IS("");
	/* padding is no part of it */
	end_rx_hex(&p.a, "ff03c021 01080012 010405dc 050622222222 0702 0802 0000");
	TX_IS("ff03c02102080012010405dc05062222222207020802");
	ck_assert(end_saw(&p.a, PPP_EVENT_LCP_UP));
}
END_TEST

START_TEST(test_request_follows_the_configuration)
{
	p.a.lc.mru = 1500;
	p.a.lc.accm = 0xffffffff;
	p.a.lc.pfc = p.a.lc.acfc = false;
	p.a.lc.require = PPP_AUTH_PAP;
	end_open(&p.a);
	TX_IS("ff03c0210101000e0304c023050611111111");
	end_rx_hex(&p.a, "c021 01010008 0702 0802");
	TX_IS("ff03c0210401000807020802");
}
END_TEST

/* What is not known is rejected as it came: MRRU, short sequence numbers, endpoint, callback, quality, compound frames. */
START_TEST(test_rejects_unknown_options)
{
	end_open(&p.a);
	end_drain(&p.a);
	end_rx_hex(&p.a, "c021 0133002a 010405dc 110405f4 1202 1309010123456789ab 0d0306 0408c025000000ff 0f02 050622222222");
	TX_IS("ff03c02104330020110405f412021309010123456789ab0d03060408c025000000ff0f02");
}
END_TEST

START_TEST(test_naks_bad_values)
{
	end_open(&p.a);
	end_drain(&p.a);
	end_rx_hex(&p.a, "c021 0101000e 0104007f 050600000000");
	TX_IS("ff03c0210301000e01040080050611111111");
	end_rx_hex(&p.a, "c021 01020008 01040080");
	TX_IS("ff03c0210202000801040080");
}
END_TEST

START_TEST(test_takes_naks)
{
	end_open(&p.a);
	end_drain(&p.a);
	end_rx_hex(&p.a, "c021 0301000e 010405dc 0206000a0000");
	TX_IS("ff03c02101020018010405dc0206000a000005061111111107020802");
	/* senseless: kept */
	end_rx_hex(&p.a, "c021 03020008 01040001");
	TX_IS("ff03c02101030018010405dc0206000a000005061111111107020802");
	end_rx_hex(&p.a, "c021 04030010 010405dc 050611111111 0702");
	TX_IS("ff03c0210104000c0206000a00000802");
}
END_TEST

START_TEST(test_loop)
{
	uint8_t frame[FRAME_MAX], *payload;
	size_t len, payloadlen;

	p.a.lc.random = p.b.lc.random;
	p.a.lc.random_user = &p.a.rng;
	end_open(&p.a);
	for (int i = 0; i < 100 && !end_saw(&p.a, PPP_EVENT_DOWN); i++) {
		len = ppp_link_output(p.a.link, frame, sizeof(frame));
		ck_assert_uint_gt(len, 0);
		ppp_link_rx(p.a.link, frame, len, p.now, &payload, &payloadlen);
		end_events(&p.a);
	}
	ck_assert_int_eq(p.a.down.down, PPP_DOWN_LOOPBACK);
	ck_assert(!end_saw(&p.a, PPP_EVENT_LCP_UP));
}
END_TEST

static void
up(void)
{
	p.a.lc.random = ones;
	end_open(&p.a);
	end_drain(&p.a);
	end_rx_hex(&p.a, "c021 02010018 01040578 020600000000 050611111111 0702 0802");
	end_rx_hex(&p.a, "c021 0101000a 050622222222");
	end_drain(&p.a);
	ck_assert(end_saw(&p.a, PPP_EVENT_NETWORK));
}

START_TEST(test_echo)
{
	up();
	end_rx_hex(&p.a, "c021 0942000c 22222222 deadbeef");
	TX_IS("ff03c0210a42000c11111111deadbeef");
	end_rx_hex(&p.a, "c021 0b430008 22222222");
	end_rx_hex(&p.a, "c021 09440004");
	end_rx_hex(&p.a, "c021 0a440004");
	TX_IS("");
	end_rx_hex(&p.a, "c021 09420008 11111111");
	ck_assert_int_eq(p.a.down.down, PPP_DOWN_LOOPBACK);
}
END_TEST

START_TEST(test_protocol_reject_is_bounded)
{
	up();
	end_rx_hex(&p.a, "ff03 8207 01010004");
	TX_IS("ff03c0210802000a820701010004");
	for (int i = 0; i < 100; i++)
		end_rx_hex(&p.a, "8207 01");
	for (int i = 0; i < 7; i++)
		ck_assert_str_ne(end_tx_hex(&p.a), "");
	TX_IS("");
	p.now += TS_S(1);
	end_rx_hex(&p.a, "8207 01");
	ck_assert_str_ne(end_tx_hex(&p.a), "");
}
END_TEST

START_TEST(test_rejects_authentication_not_agreed_on)
{
	static const char *const frames[] = {
	    "c223 01010008 02aabb63", "c227 01010005 01", "c023 0101000a 016a 0170 0000", "c227 02010005 01", "c223 04010004"};

	up();
	for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
		end_rx_hex(&p.a, frames[i]);
		ck_assert_msg(strncmp(end_tx_hex(&p.a), "ff03c02108", 10) == 0, "%s", frames[i]);
	}
	ck_assert(!end_saw(&p.a, PPP_EVENT_DOWN));
	ck_assert(!end_saw(&p.a, PPP_EVENT_AUTH_REQUEST));
}
END_TEST

START_TEST(test_protocol_reject_of_lcp)
{
	up();
	end_rx_hex(&p.a, "c021 08010006 8207"); /* of what we never sent */
	ck_assert(!end_saw(&p.a, PPP_EVENT_DOWN));
	end_rx_hex(&p.a, "c021 08010006 c021");
	end_drain(&p.a);
	for (int i = 0; i < 3; i++) {
		p.now += TS_S(3);
		ppp_link_expire(p.a.link, p.now);
		end_drain(&p.a);
	}
	ck_assert_int_eq(p.a.down.down, PPP_DOWN_LCP_FAILED);
}
END_TEST

START_TEST(test_terminate)
{
	up();
	end_rx_hex(&p.a, "c021 0577000b 62796522 0a5c7f");
	TX_IS("ff03c02106770004");
	ck_assert_int_eq(p.a.down.down, PPP_DOWN_PEER);
	ck_assert_str_eq(p.a.down.message, "bye\\x22\\x0a\\x5c\\x7f");
	end_rx_hex(&p.a, "c021 05780004"); /* our Ack was lost */
	TX_IS("ff03c02106780004");
	end_rx_hex(&p.a, "c021 01790004");
	TX_IS("");
}
END_TEST

START_TEST(test_closes_in_order)
{
	up();
	ppp_link_close(p.a.link, PPP_DOWN_LOCAL, "good night", p.now);
	TX_IS("ff03c0210502000e676f6f64206e69676874");
	ppp_link_close(p.a.link, PPP_DOWN_ECHO, "later reasons don't count", p.now);
	end_events(&p.a);
	ck_assert(!end_saw(&p.a, PPP_EVENT_DOWN));
	end_rx_hex(&p.a, "c021 06020004");
	ck_assert_int_eq(p.a.down.down, PPP_DOWN_LOCAL);
	ck_assert_str_eq(p.a.down.message, "good night");
	ck_assert_int_eq(end_rx_hex(&p.a, "c021 01790004"), PPP_RX_DROP);
	ck_assert_uint_eq(ppp_link_expiry(p.a.link), TS_NEVER);
}
END_TEST

START_TEST(test_early_terminate)
{
	end_open(&p.a);
	end_drain(&p.a);
	end_rx_hex(&p.a, "c021 05770004");
	TX_IS("ff03c02106770004");
	end_drain(&p.a);
	end_rx_hex(&p.a, "c021 06020004");
	ck_assert_int_eq(p.a.down.down, PPP_DOWN_PEER);
}
END_TEST

START_TEST(test_identification)
{
	snprintf(p.a.lc.identification, sizeof(p.a.lc.identification), "openpptp");
	up();
	ck_assert_ptr_nonnull(strstr(p.a.log, "> [LCP Ident id=2 <magic 11111111> \"openpptp\"]"));
	/* a peer that repeats itself fills no ring: what matters still finds its place */
	for (int i = 0; i < 50; i++) {
		uint8_t frame[] = {0xc0, 0x21, 12, 1, 0, 10, 0x22, 0x22, 0x22, 0x22, 'h', '\n'}, *payload;
		size_t payloadlen;

		ppp_link_rx(p.a.link, frame, sizeof(frame), p.now, &payload, &payloadlen);
	}
	end_rx_hex(&p.a, "c021 0d010008 22222222"); /* Time-Remaining is not answered */
	end_rx_hex(&p.a, "c021 05770004");
	ck_assert(end_saw(&p.a, PPP_EVENT_IDENTIFICATION));
	ck_assert(end_saw(&p.a, PPP_EVENT_DOWN));
}
END_TEST

static unsigned
pass_seconds(struct end *e, unsigned seconds)
{
	unsigned frames = 0;

	while (seconds-- > 0) {
		uint8_t frame[FRAME_MAX];

		p.now += TS_S(1);
		ppp_link_expire(e->link, p.now);
		end_events(e);
		while (ppp_link_output(e->link, frame, sizeof(frame)) > 0)
			frames++;
	}
	return frames;
}

/* Peers that keep all rules and never come to an end. */
START_TEST(test_setup_ends)
{
	char request[64], ack[200] = "";
	unsigned seconds = 0;

	p.a.lc.require = _i == 0 ? PPP_AUTH_PAP : 0;
	end_open(&p.a);
	while (!end_saw(&p.a, PPP_EVENT_DOWN) && seconds < 300) {
		const char *tx;

		/* its own request is fine, and anew again and again, or never acceptable */
		snprintf(request, sizeof(request), _i == 0 ? "c021 01%02x000a 050622222222" : "c021 01%02x0006 fe02", seconds & 0xff);
		end_rx_hex(&p.a, request);
		while (*(tx = end_tx_hex(&p.a)) != '\0') {
			if (strncmp(tx, "ff03c02101", 10) != 0)
				continue;
			snprintf(ack, sizeof(ack), "c021 02%s", tx + 10);
			end_rx_hex(&p.a, ack);
		}
		p.now += TS_S(1);
		ppp_link_expire(p.a.link, p.now);
		end_events(&p.a);
		seconds++;
	}
	/* 10 requests of 3 s and 30 s, and Terminate-Requests; or Max-Failure and twice as many replies as requests */
	ck_assert_uint_ge(seconds, _i == 0 ? 60 : 25);
	ck_assert_uint_le(seconds, _i == 0 ? 70 : 27);
	ck_assert_int_eq(p.a.down.down, _i == 0 ? PPP_DOWN_AUTH_TIMEOUT : PPP_DOWN_LCP_FAILED);
}
END_TEST

/* Who is through with it has all the time there is. */
START_TEST(test_setup_time_ends_with_authentication)
{
	p.a.no_bundle = true;
	p.a.lc.echo_interval_ns = 0;
	up();
	ck_assert_uint_eq(ppp_link_expiry(p.a.link), TS_NEVER);
}
END_TEST

START_TEST(test_keepalive)
{
	p.a.no_bundle = true;
	up();
	ck_assert_uint_eq(pass_seconds(&p.a, 29), 0);
	ck_assert_uint_eq(pass_seconds(&p.a, 1), 1);
	ck_assert_uint_eq(pass_seconds(&p.a, 60), 2);
	/* anything counts as a sign of life, even what is dropped */
	ck_assert_int_eq(end_rx_hex(&p.a, "0021 45"), PPP_RX_DROP);
	ck_assert_uint_eq(pass_seconds(&p.a, 29), 0);
	ck_assert_uint_eq(pass_seconds(&p.a, 90), 4 - 1);
	ck_assert(!end_saw(&p.a, PPP_EVENT_DOWN));
	pass_seconds(&p.a, 60);
	ck_assert_int_eq(p.a.down.down, PPP_DOWN_ECHO);
}
END_TEST

START_TEST(test_keepalive_ends_with_code_reject)
{
	p.a.no_bundle = true;
	up();
	pass_seconds(&p.a, 30);
	end_rx_hex(&p.a, "c021 0701000c 09020008 11111111");
	ck_assert_uint_eq(pass_seconds(&p.a, 600), 0);
	ck_assert(!end_saw(&p.a, PPP_EVENT_DOWN));
}
END_TEST

START_TEST(test_echo_rtt)
{
	struct ppp_link_info info;
	char reply[64];

	p.a.no_bundle = true;
	up();
	p.now += TS_S(30);
	ppp_link_expire(p.a.link, p.now);
	snprintf(reply, sizeof(reply), "%s", end_tx_hex(&p.a));
	ck_assert_str_eq(reply, "ff03c0210902000811111111");
	p.now += TS_MS(25);
	end_rx_hex(&p.a, "c021 0a090008 22222222");
	ppp_link_info(p.a.link, &info);
	ck_assert_uint_eq(info.echo_rtt_ns, 0);
	end_rx_hex(&p.a, "c021 0a020008 22222222");
	ppp_link_info(p.a.link, &info);
	ck_assert_uint_eq(info.echo_rtt_ns, TS_MS(25));
}
END_TEST

START_TEST(test_no_reply)
{
	end_open(&p.a);
	ck_assert_uint_eq(pass_seconds(&p.a, 29), 10);
	ck_assert(!end_saw(&p.a, PPP_EVENT_DOWN));
	pass_seconds(&p.a, 1);
	ck_assert_int_eq(p.a.down.down, PPP_DOWN_NO_REPLY);
	ck_assert_ptr_nonnull(strstr(p.a.down.message, "47"));
}
END_TEST

START_TEST(test_mute_but_there)
{
	end_open(&p.a);
	end_rx_hex(&p.a, "c021 0101000a 050622222222");
	pass_seconds(&p.a, 30);
	ck_assert_int_eq(p.a.down.down, PPP_DOWN_LCP_FAILED);
}
END_TEST

START_TEST(test_passive)
{
	p.a.lc.passive = true;
	end_open(&p.a);
	ck_assert_uint_eq(pass_seconds(&p.a, 2), 0);
	ck_assert_uint_eq(pass_seconds(&p.a, 1), 1); /* the peer had its time to begin */
	ck_assert_uint_eq(pass_seconds(&p.a, 29), 9);
	ck_assert(!end_saw(&p.a, PPP_EVENT_DOWN));
	pass_seconds(&p.a, 1);
	ck_assert_int_eq(p.a.down.down, PPP_DOWN_NO_REPLY);
}
END_TEST

START_TEST(test_passive_answers)
{
	p.a.lc.passive = true;
	end_open(&p.a);
	TX_IS("");
	end_rx_hex(&p.a, "c021 0101000a 050622222222");
	end_drain(&p.a);
	ck_assert_ptr_nonnull(strstr(p.a.log, "> [LCP ConfReq id=1"));
	ck_assert_ptr_nonnull(strstr(p.a.log, "> [LCP ConfAck id=1"));
	end_rx_hex(&p.a, "c021 02010018 01040578 020600000000 050611111111 0702 0802");
	ck_assert(end_saw(&p.a, PPP_EVENT_LCP_UP));
}
END_TEST

START_TEST(test_lower_down)
{
	up();
	ppp_link_lower_down(p.a.link, p.now);
	TX_IS("");
	end_events(&p.a);
	ck_assert_int_eq(p.a.down.down, PPP_DOWN_PEER);
	ck_assert_uint_eq(ppp_link_expiry(p.a.link), TS_NEVER);
}
END_TEST

/* ---- authentication: which protocol is agreed on ---- */

static unsigned
family(unsigned methods)
{
	return methods & (PPP_AUTH_EAP_MD5 | PPP_AUTH_EAP_MSCHAPV2) ? methods | PPP_AUTH_EAP_MD5 | PPP_AUTH_EAP_MSCHAPV2 : methods;
}

/* Where LCP agrees on EAP before it can know that no method of EAP is common to both, it tries again without. */
START_TEST(test_require_allow_matrix)
{
	pair_fini(&p);
	for (unsigned require = 0; require <= PPP_AUTH_ALL; require++) {
		for (unsigned allow = 0; allow <= PPP_AUTH_ALL; allow++) {
			bool match = require == 0 || (family(require) & family(allow)) != 0;

			pair_init(&p);
			p.a.lc.require = require;
			p.b.lc.allow = allow;
			p.a.no_bundle = p.b.no_bundle = true;
			pair_open(&p);
			ck_assert_msg(end_saw(&p.a, PPP_EVENT_LCP_UP) == match, "require %02x allow %02x", require, allow);
			if (!match)
				ck_assert_int_eq(p.a.down.down, PPP_DOWN_AUTH_REFUSED);
			else if (require == 0 || (require & allow) != 0)
				ck_assert_msg(end_saw(&p.a, PPP_EVENT_NETWORK) && end_saw(&p.b, PPP_EVENT_NETWORK),
				    "require %02x allow %02x", require, allow);
			else if (!end_saw(&p.a, PPP_EVENT_NETWORK))
				ck_assert_int_eq(p.a.down.down, PPP_DOWN_AUTH_REFUSED);
			if (require != PPP_AUTH_ALL || allow != PPP_AUTH_ALL)
				pair_fini(&p);
		}
	}
}
END_TEST

START_TEST(test_peer_suggests_another_method)
{
	p.a.lc.require = PPP_AUTH_MSCHAPV2 | PPP_AUTH_PAP | PPP_AUTH_CHAP_MD5;
	end_open(&p.a);
	end_drain(&p.a);
	end_rx_hex(&p.a, "c021 03010008 0304c023");
	TX_IS("ff03c0210102001c0104057802060000"
	      "00000304c02305061111111107020802");
	end_rx_hex(&p.a, "c021 03020009 0305c22381"); /* back again: not twice */
	TX_IS("ff03c0210103001d010405780206000000000305c2230505061111111107020802");
	end_rx_hex(&p.a, "c021 03030009 0305c22380");
	end_drain(&p.a);
	end_rx_hex(&p.a, "c021 06040004");
	ck_assert_int_eq(p.a.down.down, PPP_DOWN_AUTH_REFUSED);
}
END_TEST

START_TEST(test_peer_rejects_authentication)
{
	p.a.lc.require = PPP_AUTH_ALL;
	end_open(&p.a);
	end_drain(&p.a);
	end_rx_hex(&p.a, "c021 04010009 0305c22381");
	end_drain(&p.a);
	end_rx_hex(&p.a, "c021 06020004");
	ck_assert_int_eq(p.a.down.down, PPP_DOWN_AUTH_REFUSED);
}
END_TEST

START_TEST(test_answers_a_demand)
{
	static const char *const cases[][2] = {{"0305c22381", "ff03c0210201000d0305c2238101040578"},
	    {"0305c22380", "ff03c021030100090305c22381"}, {"0304c023", "ff03c021030100090305c22381"},
	    {"0304c227", "ff03c021030100090305c22381"}, {"0308c22305111111", "ff03c021030100090305c22381"},
	    {"0304c025", "ff03c021030100090305c22381"}, {"0302", "ff03c021040100060302"}};

	p.a.lc.allow = PPP_AUTH_MSCHAPV2;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char hex[100];

		ppp_link_free(p.a.link);
		end_open(&p.a);
		end_drain(&p.a);
		snprintf(hex, sizeof(hex), "c021 010100%02zx %s 01040578", 8 + strlen(cases[i][0]) / 2, cases[i][0]);
		end_rx_hex(&p.a, hex);
		TX_IS(cases[i][1]);
	}
	p.a.lc.allow = 0;
	ppp_link_free(p.a.link);
	end_open(&p.a);
	end_drain(&p.a);
	end_rx_hex(&p.a, "c021 01010008 0304c023");
	TX_IS("ff03c021040100080304c023");
}
END_TEST

Suite *
suite_lcp(void)
{
	Suite *s = suite_create("lcp");
	TCase *t = tcase_create("lcp");

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_golden_request);
	tcase_add_test(t, test_request_follows_the_configuration);
	tcase_add_test(t, test_rejects_unknown_options);
	tcase_add_test(t, test_naks_bad_values);
	tcase_add_test(t, test_takes_naks);
	tcase_add_test(t, test_loop);
	tcase_add_test(t, test_echo);
	tcase_add_test(t, test_protocol_reject_is_bounded);
	tcase_add_test(t, test_rejects_authentication_not_agreed_on);
	tcase_add_test(t, test_protocol_reject_of_lcp);
	tcase_add_test(t, test_terminate);
	tcase_add_test(t, test_closes_in_order);
	tcase_add_test(t, test_early_terminate);
	tcase_add_test(t, test_identification);
	tcase_add_loop_test(t, test_setup_ends, 0, 2);
	tcase_add_test(t, test_setup_time_ends_with_authentication);
	tcase_add_test(t, test_keepalive);
	tcase_add_test(t, test_keepalive_ends_with_code_reject);
	tcase_add_test(t, test_echo_rtt);
	tcase_add_test(t, test_no_reply);
	tcase_add_test(t, test_mute_but_there);
	tcase_add_test(t, test_passive);
	tcase_add_test(t, test_passive_answers);
	tcase_add_test(t, test_lower_down);
	tcase_add_test(t, test_require_allow_matrix);
	tcase_add_test(t, test_peer_suggests_another_method);
	tcase_add_test(t, test_peer_rejects_authentication);
	tcase_add_test(t, test_answers_a_demand);
	suite_add_tcase(s, t);
	return s;
}
