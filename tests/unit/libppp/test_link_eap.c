/* EAP is agreed on by LCP, its methods are not: where they have none in common, another protocol gets its chance. */
#include <stdio.h>
#include <string.h>

#include "tests/unit/libppp/pair.h"
#include "tests/unit/suite.h"

Suite *suite_link_eap(void);

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

static bool
logged(const struct end *e, const char *line)
{
	return strstr(e->log, line) != NULL;
}

/* Opens LCP of e with a scripted peer, whose last Configure-Request is given. */
static void
lcp_with(struct end *e, const char *request)
{
	char ack[200];

	/* the same packet, but for its code */
	snprintf(ack, sizeof(ack), "c021 02%s", end_tx_hex(e) + strlen("ff03c02101"));
	end_rx_hex(e, ack);
	end_rx_hex(e, request);
	end_drain(e);
	ck_assert(end_saw(e, PPP_EVENT_LCP_UP));
}

/* The server finds out, and offers what is left. */
START_TEST(server_goes_on_to_chap)
{
	struct ppp_link_info info;

	p.a.lc.require = PPP_AUTH_EAP_MSCHAPV2 | PPP_AUTH_MSCHAP | PPP_AUTH_CHAP_MD5;
	p.b.lc.allow = PPP_AUTH_EAP_MD5 | PPP_AUTH_CHAP_MD5;
	p.a.lc.passive = _i == 1;
	pair_open(&p);
	ck_assert_msg(end_saw(&p.a, PPP_EVENT_IPCP_UP), "%s", p.a.log);
	ppp_link_info(p.a.link, &info);
	ck_assert_uint_eq(info.peer_method, PPP_AUTH_CHAP_MD5);
	ck_assert_str_eq(info.peer_name, "joe");
	ck_assert(!logged(&p.a, "EAP Failure"));
	ck_assert_uint_eq(p.a.requests, 1);
	ck_assert(pair_ping(&p, &p.a, &p.b, 100) && pair_ping(&p, &p.b, &p.a, 100));
}
END_TEST

/* A peer that would rather have EAP is asked once more for what it did not want. */
START_TEST(server_goes_back_to_its_first_wish)
{
	unsigned id;
	char hex[100];

	p.a.lc.require = PPP_AUTH_MSCHAPV2 | PPP_AUTH_EAP_MSCHAPV2;
	end_open(&p.a);
	end_drain(&p.a);
	end_rx_hex(&p.a, "c021 03010008 0304c227");
	lcp_with(&p.a, "c021 0101000a 050622222222");
	ck_assert_int_eq(sscanf(strstr(p.a.log, "> [EAP Request id="), "> [EAP Request id=%u Identity", &id), 1);
	snprintf(hex, sizeof(hex), "c227 02%02x0008 01 6a6f65", id);
	end_rx_hex(&p.a, hex);
	end_drain(&p.a);
	snprintf(hex, sizeof(hex), "c227 02%02x0006 0304", (uint8_t)(id + 1));
	end_rx_hex(&p.a, hex);
	end_drain(&p.a);
	ck_assert(!logged(&p.a, "EAP Failure"));
	ck_assert(!end_saw(&p.a, PPP_EVENT_DOWN));
	ck_assert_msg(logged(&p.a, "> [LCP ConfReq id=3 <mru 1400> <asyncmap 00000000> <auth MSCHAP-v2>"), "%s", p.a.log);
}
END_TEST

/* And where nothing is left, it is told. */
START_TEST(server_has_nothing_else)
{
	pair_authenticate(&p, PPP_AUTH_EAP_MSCHAPV2);
	p.b.lc.allow = PPP_AUTH_EAP_MD5;
	pair_open(&p);
	pair_run(&p, TS_S(10));
	ck_assert(logged(&p.a, "> [EAP Failure"));
	ck_assert_int_eq(p.a.down.down, PPP_DOWN_AUTH_REFUSED);
	ck_assert_int_eq(p.b.down.down, PPP_DOWN_AUTH_REFUSED);
	ck_assert_str_eq(p.b.down.message, "the peer knows no EAP method that is allowed here");
}
END_TEST

/* The server offers EAP-TLS alone, and gives up after our Nak. */
static void
eap_in_vain(void)
{
	p.b.lc.allow = PPP_AUTH_MSCHAPV2 | PPP_AUTH_EAP_MSCHAPV2;
	end_open(&p.b);
	lcp_with(&p.b, "c021 01010008 0304c227");
	end_rx_hex(&p.b, "c227 01010005 01");
	end_rx_hex(&p.b, "c227 01020006 0d20");
	end_drain(&p.b);
	ck_assert(logged(&p.b, "> [EAP Response id=2 Nak <type 26>]"));
	end_rx_hex(&p.b, "c227 04020004");
}

START_TEST(client_asks_for_chap)
{
	eap_in_vain();
	ck_assert(!end_saw(&p.b, PPP_EVENT_DOWN));
	lcp_with(&p.b, "c021 01020009 0305c22381");
	end_rx_hex(&p.b, "c223 0101001b 10 00112233445566778899aabbccddeeff 736572766572");
	end_drain(&p.b);
	ck_assert_msg(logged(&p.b, "> [CHAP Response id=1"), "%s", p.b.log);
}
END_TEST

START_TEST(client_lets_a_peer_insist)
{
	eap_in_vain();
	end_drain(&p.b);
	for (int again = 0; again < 2; again++) {
		end_rx_hex(&p.b, "c021 01020008 0304c227"); /* the same twice: our Nak was lost */
		ck_assert_str_eq(end_tx_hex(&p.b), "ff03c021030200090305c22381");
	}
	end_rx_hex(&p.b, "c021 01030008 0304c227");
	ck_assert_str_eq(end_tx_hex(&p.b), "ff03c021020300080304c227");
}
END_TEST

/* It ends the link, as many do: that is no wrong password. */
START_TEST(server_leaves)
{
	eap_in_vain();
	end_drain(&p.b);
	end_rx_hex(&p.b, "c021 05030004");
	end_drain(&p.b);
	ck_assert(ppp_link_is_over(p.b.link));
	ppp_link_lower_down(p.b.link, p.now);
	end_events(&p.b);
	ck_assert_int_eq(p.b.down.down, PPP_DOWN_AUTH_REFUSED);
}
END_TEST

Suite *
suite_link_eap(void)
{
	Suite *s = suite_create("link/eap");
	TCase *t = tcase_create("link/eap");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, server_goes_on_to_chap, 0, 2);
	tcase_add_test(t, server_goes_back_to_its_first_wish);
	tcase_add_test(t, server_has_nothing_else);
	tcase_add_test(t, client_asks_for_chap);
	tcase_add_test(t, client_lets_a_peer_insist);
	tcase_add_test(t, server_leaves);
	suite_add_tcase(s, t);
	return s;
}
