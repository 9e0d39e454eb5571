/* IPCP and IPV6CP, and what the bundle makes of them. */
#include <stdio.h>
#include <string.h>

#include "tests/unit/libppp/pair.h"
#include "tests/unit/suite.h"

Suite *suite_ncp(void);

static struct pair p;

static void
setup(void)
{
	pair_init(&p);
}

static void
teardown(void)
{
	pair_fini(&p);
}

static struct ppp_bundle_info
info_of(const struct end *e)
{
	struct ppp_bundle_info info;

	ppp_bundle_info(e->bundle, &info);
	return info;
}

static const char *
text_of(struct addr a)
{
	static char text[ADDR_TEXT_MAX];

	return addr_text(&a, text);
}

/* LCP by hand, so that what follows is a scripted peer's. */
static void
up(struct end *e)
{
	uint8_t frame[FRAME_MAX], *payload;
	size_t len, payloadlen;

	end_open(e);
	len = ppp_link_output(e->link, frame, sizeof(frame));
	frame[4] = PPP_CONF_ACK;
	ppp_link_rx(e->link, frame, len, *e->now, &payload, &payloadlen);
	end_rx_hex(e, "ff03c021 01010004");
	ck_assert_str_eq(end_tx_hex(e), "ff03c02102010004");
}

#define TX_IS(e, hex) ck_assert_str_eq(end_tx_hex(e), hex)

START_TEST(test_server_assigns)
{
	p.a.bc.dns[0] = v4("8.8.8.8");
	p.a.bc.wins[1] = v4("9.9.9.9");
	up(&p.a);
	TX_IS(&p.a, "ff0380210101000a03060a000001");
	/* Windows: everything, all zero; VJ compression and the old IP-Addresses are not for us */
	end_rx_hex(
	    &p.a, "8021 01010032 010a0000000000000000 0206002d0f01 030600000000 810600000000 820600000000 830600000000 840600000000");
	TX_IS(&p.a, "ff038021040100"
		    "20010a00000000000000000206002d0f01820600000000830600000000");
	end_rx_hex(&p.a, "8021 01020016 030600000000 810600000000 840600000000");
	TX_IS(&p.a, "ff0380210302001603060a000002"
		    "810608080808840609090909");
	end_rx_hex(&p.a, "8021 01030016 03060a000002 810608080808 840609090909");
	TX_IS(&p.a, "ff0380210203001603060a000002"
		    "810608080808840609090909");
	end_rx_hex(&p.a, "8021 0201000a 03060a000001");
	ck_assert(info_of(&p.a).ipv4_up);
	ck_assert_str_eq(text_of(info_of(&p.a).peer_v4), "10.0.0.2");
	ck_assert_int_eq(end_rx_hex(&p.a, "21 45"), PPP_RX_IP);
	ck_assert_int_eq(end_rx_hex(&p.a, "57 60"), PPP_RX_DROP);
}
END_TEST

START_TEST(test_server_insists)
{
	up(&p.a);
	end_drain(&p.a);
	end_rx_hex(&p.a, "8021 0101000a 0306c0a80001");
	TX_IS(&p.a, "ff0380210301000a03060a000002");
	end_rx_hex(&p.a, "8021 01020004");
	TX_IS(&p.a, "ff0380210302000a03060a000002");
	for (int i = 0; i < 3; i++)
		end_rx_hex(&p.a, "8021 0103000a 0306c0a80001");
	end_drain(&p.a);
	end_rx_hex(&p.a, "8021 0104000a 0306c0a80001"); /* Max-Failure */
	TX_IS(&p.a, "ff0380210404000a0306c0a80001");
	end_rx_hex(&p.a, "8021 01050004");
	TX_IS(&p.a, "ff03802102050004");
	end_rx_hex(&p.a, "8021 0301000a 03060a090909"); /* and its own address is not the peer's to choose */
	TX_IS(&p.a, "ff0380210102000a03060a000001");
	end_rx_hex(&p.a, "8021 0202000a 03060a000001");
	ck_assert_str_eq(text_of(info_of(&p.a).peer_v4), "10.0.0.2");
	ck_assert_str_eq(text_of(info_of(&p.a).local_v4), "10.0.0.1");
}
END_TEST

START_TEST(test_accept_flags)
{
	p.a.bc.accept_local_v4 = p.a.bc.accept_peer_v4 = true;
	up(&p.a);
	end_drain(&p.a);
	end_rx_hex(&p.a, "8021 0101000a 0306c0a80001");
	TX_IS(&p.a, "ff0380210201000a0306c0a80001");
	end_rx_hex(&p.a, "8021 0301000a 03060a090909");
	TX_IS(&p.a, "ff0380210102000a03060a090909");
	end_rx_hex(&p.a, "8021 0202000a 03060a090909");
	ck_assert_str_eq(text_of(info_of(&p.a).peer_v4), "192.168.0.1");
	ck_assert_str_eq(text_of(info_of(&p.a).local_v4), "10.9.9.9");
}
END_TEST

START_TEST(test_client_is_told)
{
	struct ppp_bundle_info info;

	p.a.bc.dns[0] = v4("10.0.0.53");
	p.a.bc.dns[1] = v4("10.0.1.53");
	p.b.bc.request_dns = true;
	pair_open(&p);
	info = info_of(&p.b);
	ck_assert(info.ipv4_up);
	ck_assert_str_eq(text_of(info.local_v4), "10.0.0.2");
	ck_assert_str_eq(text_of(info.peer_v4), "10.0.0.1");
	ck_assert_str_eq(text_of(info.dns[0]), "10.0.0.53");
	ck_assert_str_eq(text_of(info.dns[1]), "10.0.1.53");
	ck_assert_str_eq(text_of(info.wins[0]), "none");
}
END_TEST

START_TEST(test_client_and_no_dns)
{
	p.b.bc.request_dns = true;
	pair_open(&p);
	ck_assert(info_of(&p.b).ipv4_up);
	ck_assert_str_eq(text_of(info_of(&p.b).dns[0]), "none");
}
END_TEST

START_TEST(test_client_without_an_address)
{
	p.a.bc.peer_v4 = (struct addr){0};
	pair_open(&p);
	pair_run(&p, TS_S(60));
	ck_assert(!end_saw(&p.b, PPP_EVENT_IPCP_UP));
	ck_assert(end_saw(&p.b, PPP_EVENT_DOWN));
	ck_assert(p.b.down.down == PPP_DOWN_NO_NETWORK || p.a.down.down == PPP_DOWN_NO_NETWORK);
}
END_TEST

START_TEST(test_nothing_in_common)
{
	p.a.bc.ipv4 = false;
	p.a.bc.ipv6 = true;
	pair_open(&p);
	pair_run(&p, TS_S(20));
	ck_assert(end_saw(&p.a, PPP_EVENT_BUNDLE_FAILED) || end_saw(&p.b, PPP_EVENT_BUNDLE_FAILED));
	ck_assert(p.a.down.down == PPP_DOWN_NO_NETWORK || p.b.down.down == PPP_DOWN_NO_NETWORK);
	ck_assert(end_saw(&p.a, PPP_EVENT_DOWN) && end_saw(&p.b, PPP_EVENT_DOWN));
}
END_TEST

/* A peer that has what it wants from us, and repeats for ever what it can't get. */
START_TEST(test_peer_never_agrees)
{
	unsigned requests = 0;

	up(&p.a);
	end_drain(&p.a);
	end_rx_hex(&p.a, "8021 0201000a 03060a000001");
	while (!ppp_link_is_over(p.a.link) && requests < 100) {
		char hex[64];

		snprintf(hex, sizeof(hex), "8021 01%02x000a 0206002d0f01", ++requests);
		end_rx_hex(&p.a, hex);
		end_drain(&p.a);
	}
	ck_assert_uint_gt(requests, 10);
	ck_assert_uint_lt(requests, 40);
	ppp_link_lower_down(p.a.link, p.now);
	end_events(&p.a);
	ck_assert_int_eq(p.a.down.down, PPP_DOWN_NO_NETWORK);
}
END_TEST

START_TEST(test_one_of_two_is_enough)
{
	p.b.bc.ipv6 = true;
	pair_open(&p);
	pair_run(&p, TS_S(60));
	ck_assert(info_of(&p.b).ipv4_up);
	ck_assert(!info_of(&p.b).ipv6_up);
	ck_assert(!end_saw(&p.b, PPP_EVENT_DOWN));
	ck_assert_ptr_nonnull(strstr(p.a.log, "> [LCP ProtoRej id=2 <8057>]"));
}
END_TEST

START_TEST(test_ipv6)
{
	struct ppp_bundle_info a, b;

	p.a.bc.ipv6 = p.b.bc.ipv6 = true;
	pair_open(&p);
	a = info_of(&p.a);
	b = info_of(&p.b);
	ck_assert(a.ipv6_up && b.ipv6_up);
	ck_assert_int_eq(memcmp(a.local_ifid, b.peer_ifid, 8), 0);
	ck_assert_int_eq(memcmp(b.local_ifid, a.peer_ifid, 8), 0);
	ck_assert_int_ne(memcmp(a.local_ifid, b.local_ifid, 8), 0);
	ck_assert_uint_eq(a.local_ifid[0] & 2, 0);
	ck_assert_int_eq(end_rx_hex(&p.a, "57 60"), PPP_RX_IPV6);
}
END_TEST

static void
ifid(uint8_t id[8], uint8_t last)
{
	memset(id, 0, 8);
	id[7] = last;
}

START_TEST(test_ipv6_collision)
{
	struct ppp_bundle_info a, b;

	p.a.bc.ipv6 = p.b.bc.ipv6 = true;
	ifid(p.a.bc.local_ifid, 1);
	ifid(p.b.bc.local_ifid, 1);
	ifid(p.a.bc.peer_ifid, 2);
	ifid(p.b.bc.peer_ifid, 3);
	pair_open(&p);
	pair_run(&p, TS_S(30));
	a = info_of(&p.a);
	b = info_of(&p.b);
	ck_assert_msg(a.ipv6_up && b.ipv6_up, "%s", p.a.log);
	ck_assert_int_ne(memcmp(a.local_ifid, b.local_ifid, 8), 0);
	ck_assert_int_eq(memcmp(a.local_ifid, b.peer_ifid, 8), 0);
	ck_assert_int_eq(memcmp(b.local_ifid, a.peer_ifid, 8), 0);
}
END_TEST

START_TEST(test_ipv6_by_hand)
{
	p.a.bc.ipv4 = false;
	p.a.bc.ipv6 = true;
	ifid(p.a.bc.local_ifid, 1);
	ifid(p.a.bc.peer_ifid, 2);
	up(&p.a);
	TX_IS(&p.a, "ff0380570101000e010a0000000000000001");
	end_rx_hex(&p.a, "8057 01010012 010a0000000000000000 0204004f");
	TX_IS(&p.a, "ff038057040100080204004f");
	end_rx_hex(&p.a, "8057 0102000e 010a0000000000000000");
	TX_IS(&p.a, "ff0380570302000e010a0000000000000002");
	end_rx_hex(&p.a, "8057 0103000e 010a0000000000000001");
	TX_IS(&p.a, "ff0380570303000e010a0000000000000002");
	end_rx_hex(&p.a, "8057 01040004");
	TX_IS(&p.a, "ff0380570304000e010a0000000000000002");
	end_rx_hex(&p.a, "8057 0105000e 010a0000000000000002");
	TX_IS(&p.a, "ff0380570205000e010a0000000000000002");
	end_rx_hex(&p.a, "8057 0301000e 010a0000000000000009");
	TX_IS(&p.a, "ff0380570102000e010a0000000000000009");
	end_rx_hex(&p.a, "8057 0202000e 010a0000000000000009");
	ck_assert(end_saw(&p.a, PPP_EVENT_IPV6CP_UP));
}
END_TEST

START_TEST(test_peer_ends_ip)
{
	pair_open(&p);
	end_rx_hex(&p.a, "8021 05010004");
	TX_IS(&p.a, "80210601"
		    "0004");
	ck_assert(end_saw(&p.a, PPP_EVENT_IPCP_DOWN));
	ck_assert(!pair_ping(&p, &p.a, &p.b, 20));
	p.now += TS_S(3);
	ppp_link_expire(p.a.link, p.now);
	end_events(&p.a);
	ck_assert_int_eq(p.a.failed.down, PPP_DOWN_NO_NETWORK);
}
END_TEST

START_TEST(test_peer_rejects_ip_packets)
{
	pair_open(&p);
	end_rx_hex(&p.a, "c021 08010008 0021 4500");
	ck_assert(end_saw(&p.a, PPP_EVENT_IPCP_DOWN));
}
END_TEST

START_TEST(test_early_packets_are_dropped_in_silence)
{
	p.a.lc.require = PPP_AUTH_PAP;
	end_open(&p.a);
	end_rx_hex(&p.a, "8021 0101000a 030600000000");
	end_drain(&p.a);
	end_rx_hex(&p.a, "c021 0201001c 01040578 020600000000 0304c023 0506 00000000 0702 0802");
	end_rx_hex(&p.a, "8021 0101000a 030600000000");
	end_rx_hex(&p.a, "80fd 0101000a 120601000040");
	end_rx_hex(&p.a, "8207 0101");
	ck_assert_int_eq(end_rx_hex(&p.a, "0021 45"), PPP_RX_DROP);
	ck_assert_int_eq(end_rx_hex(&p.a, "00fd 90000021"), PPP_RX_DROP);
	TX_IS(&p.a, "");
}
END_TEST

START_TEST(test_compressed_fields_follow_the_peer)
{
	struct pkt pkt;
	uint8_t buf[PKT_HEADROOM + 20] = {0};

	p.b.lc.pfc = false;
	p.a.lc.acfc = false;
	pair_open(&p);
	pkt_init(&pkt, buf, sizeof(buf), PKT_HEADROOM);
	pkt.len = 20;
	ck_assert(ppp_link_tx(p.b.link, &pkt, PPP_PROTO_IP, p.now));
	ck_assert_uint_eq(pkt.len, 24); /* neither was agreed on in that direction */
	ck_assert_int_eq(memcmp(pkt.data, "\xff\x03\x00\x21", 4), 0);
	ck_assert(pair_ping(&p, &p.a, &p.b, 500));
	ck_assert(pair_ping(&p, &p.b, &p.a, 500));
	ck_assert(!ppp_link_tx(p.b.link, &pkt, PPP_PROTO_IPV6, p.now));
}
END_TEST

START_TEST(test_no_headroom)
{
	uint8_t buf[20] = {0};
	struct pkt pkt;

	pair_open(&p);
	pkt_init(&pkt, buf, sizeof(buf), 0);
	pkt.len = 20;
	ck_assert(!ppp_link_tx(p.a.link, &pkt, PPP_PROTO_IP, p.now));
}
END_TEST

Suite *
suite_ncp(void)
{
	Suite *s = suite_create("ncp");
	TCase *t = tcase_create("ncp");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_server_assigns);
	tcase_add_test(t, test_server_insists);
	tcase_add_test(t, test_accept_flags);
	tcase_add_test(t, test_client_is_told);
	tcase_add_test(t, test_client_and_no_dns);
	tcase_add_test(t, test_client_without_an_address);
	tcase_add_test(t, test_nothing_in_common);
	tcase_add_test(t, test_peer_never_agrees);
	tcase_add_test(t, test_one_of_two_is_enough);
	tcase_add_test(t, test_ipv6);
	tcase_add_test(t, test_ipv6_collision);
	tcase_add_test(t, test_ipv6_by_hand);
	tcase_add_test(t, test_peer_ends_ip);
	tcase_add_test(t, test_peer_rejects_ip_packets);
	tcase_add_test(t, test_early_packets_are_dropped_in_silence);
	tcase_add_test(t, test_compressed_fields_follow_the_peer);
	tcase_add_test(t, test_no_headroom);
	suite_add_tcase(s, t);
	return s;
}
