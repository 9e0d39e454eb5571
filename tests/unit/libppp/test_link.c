/* Whole stacks: authentication through the link, late verdicts, harm on the way, memory, garbage. */
#include "libppp/link.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/libppp/pair.h"
#include "tests/unit/suite.h"

Suite *suite_link(void);

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
both_saw(enum ppp_event_type type)
{
	return end_saw(&p.a, type) && end_saw(&p.b, type);
}

START_TEST(test_comes_up_without_authentication)
{
	struct ppp_bundle_info info;
	struct ppp_link_info link;
	char text[ADDR_TEXT_MAX];

	pair_open(&p);
	ck_assert(both_saw(PPP_EVENT_IPCP_UP));
	ppp_bundle_info(p.b.bundle, &info);
	ck_assert(info.ipv4_up);
	ck_assert_str_eq(addr_text(&info.local_v4, text), "10.0.0.2");
	ck_assert_str_eq(addr_text(&info.peer_v4, text), "10.0.0.1");
	ck_assert(pair_ping(&p, &p.a, &p.b, 1400));
	ck_assert(pair_ping(&p, &p.b, &p.a, 20));
	ck_assert_uint_lt(p.frames, 16);
	ppp_link_info(p.a.link, &link);
	ck_assert_int_eq(link.phase, PPP_PHASE_NETWORK);
	ck_assert_uint_eq(link.mtu, 1400);
	ck_assert(link.pfc && link.acfc);
	ck_assert_uint_gt(link.rx_control, 3);
	/* nothing but the keepalive is pending */
	ck_assert_uint_eq(ppp_link_expiry(p.a.link), p.now + TS_S(30));
}
END_TEST

static void
check_method(unsigned method)
{
	bool keys = (method & PPP_AUTH_MSCHAP_ANY) != 0;
	struct ppp_link_info a, b;

	pair_authenticate(&p, method);
	p.a.bc.mppe = p.b.bc.mppe = keys ? PPP_MPPE_REQUIRE : PPP_MPPE_ALLOW;
	pair_open(&p);
	ck_assert_msg(both_saw(PPP_EVENT_IPCP_UP), "%s:\n%s", ppp_auth_name((enum ppp_auth_method)method), p.a.log);
	ck_assert(end_saw(&p.a, PPP_EVENT_PEER_AUTHED) && end_saw(&p.b, PPP_EVENT_SELF_AUTHED));
	ppp_link_info(p.a.link, &a);
	ppp_link_info(p.b.link, &b);
	ck_assert_uint_eq(a.peer_method, method);
	ck_assert_uint_eq(b.self_method, method);
	ck_assert_str_eq(a.peer_name, "joe");
	ck_assert_int_eq(a.keys.valid, keys);
	ck_assert_int_eq(end_saw(&p.a, PPP_EVENT_MPPE_UP), keys);
	ck_assert_uint_eq(a.mtu, keys ? 1396 : 1400);
	ck_assert(pair_ping(&p, &p.a, &p.b, 1000) && pair_ping(&p, &p.b, &p.a, 1000));
	ck_assert_ptr_null(strstr(p.a.log, "secret"));
	ck_assert_ptr_null(strstr(p.b.log, "secret"));
	ppp_link_close(p.b.link, PPP_DOWN_LOCAL, "done", p.now);
	pair_settle(&p);
	ck_assert_int_eq(p.a.down.down, PPP_DOWN_PEER);
	ck_assert_int_eq(p.b.down.down, PPP_DOWN_LOCAL);
}

START_TEST(test_each_method)
{
	check_method(1u << _i);
}
END_TEST

START_TEST(test_each_method_wrong_password)
{
	unsigned method = 1u << _i;

	pair_authenticate(&p, method);
	p.b.lc.secret = secret_of("wrong");
	pair_open(&p);
	pair_run(&p, TS_S(10));
	ck_assert_int_eq(p.a.down.down, PPP_DOWN_AUTH_FAILED);
	ck_assert_int_eq(p.b.down.down, PPP_DOWN_AUTH_REJECTED);
	if (method == PPP_AUTH_MSCHAP || method == PPP_AUTH_MSCHAPV2)
		ck_assert_uint_eq(p.b.down.mschap_error, PPP_MSE_WRONG_PASSWORD);
	ck_assert(!end_saw(&p.a, PPP_EVENT_NETWORK) && !end_saw(&p.b, PPP_EVENT_NETWORK));
	ck_assert_str_ne(p.b.down.message, "");
}
END_TEST

START_TEST(test_mutual)
{
	struct ppp_link_info a, b;

	pair_authenticate(&p, 1u << (_i % 6));
	p.b.lc.require = 1u << (_i / 6);
	p.a.lc.allow = 1u << (_i / 6);
	p.a.bc.mppe = p.b.bc.mppe = PPP_MPPE_ALLOW;
	pair_open(&p);
	ck_assert_msg(both_saw(PPP_EVENT_IPCP_UP), "%s", p.a.log);
	ck_assert(both_saw(PPP_EVENT_PEER_AUTHED) && both_saw(PPP_EVENT_SELF_AUTHED));
	ppp_link_info(p.a.link, &a);
	ppp_link_info(p.b.link, &b);
	ck_assert_str_eq(b.peer_name, "server");
	ck_assert_int_eq(a.keys.valid, b.keys.valid);
	if (a.keys.valid && !a.keys.lm)
		ck_assert_int_eq(memcmp(a.keys.send, b.keys.recv, 16), 0);
	ck_assert(pair_ping(&p, &p.a, &p.b, 1000) && pair_ping(&p, &p.b, &p.a, 1000));
}
END_TEST

START_TEST(test_late_verdict)
{
	struct ppp_auth_verdict verdict;

	pair_authenticate(&p, PPP_AUTH_MSCHAPV2);
	p.a.hold_verdict = true;
	pair_open(&p);
	pair_run(&p, TS_S(20)); /* the client repeats its response meanwhile */
	ck_assert_uint_eq(p.a.requests, 1);
	ck_assert(!end_saw(&p.b, PPP_EVENT_SELF_AUTHED));
	ppp_auth_check(p.crypto, &p.a.request, &p.a.users, &verdict);
	ppp_link_auth_verdict(p.a.link, (uint8_t)(p.a.request.id + 1), &verdict, p.now);
	pair_settle(&p);
	ck_assert(!end_saw(&p.a, PPP_EVENT_NETWORK)); /* not for this one */
	ppp_link_auth_verdict(p.a.link, p.a.request.id, &verdict, p.now);
	pair_settle(&p);
	ck_assert(both_saw(PPP_EVENT_IPCP_UP));
	ppp_link_auth_verdict(p.a.link, p.a.request.id, &verdict, p.now);
	pair_settle(&p);
	ck_assert(!end_saw(&p.a, PPP_EVENT_DOWN));
}
END_TEST

START_TEST(test_verdict_after_the_end)
{
	struct ppp_auth_verdict verdict;

	pair_authenticate(&p, PPP_AUTH_MSCHAPV2);
	p.a.hold_verdict = true;
	pair_open(&p);
	pair_run(&p, TS_S(31));
	ck_assert_int_eq(p.a.down.down, PPP_DOWN_AUTH_TIMEOUT);
	ppp_auth_check(p.crypto, &p.a.request, &p.a.users, &verdict);
	ppp_link_auth_verdict(p.a.link, p.a.request.id, &verdict, p.now);
	end_events(&p.a);
	ck_assert(!end_saw(&p.a, PPP_EVENT_NETWORK));
}
END_TEST

START_TEST(test_request_not_drained_survives_its_link)
{
	struct ppp_event ev;

	pair_authenticate(&p, PPP_AUTH_PAP);
	p.a.hold_verdict = true;
	pair_open(&p);
	ppp_link_lower_down(p.a.link, p.now);
	ck_assert(ppp_link_event(p.a.link, &ev));
	ck_assert_int_eq(ev.type, PPP_EVENT_DOWN);
	ck_assert(!ppp_link_event(p.a.link, &ev));
}
END_TEST

START_TEST(test_renegotiation_with_a_bundle)
{
	pair_authenticate(&p, PPP_AUTH_MSCHAPV2);
	p.a.bc.mppe = p.b.bc.mppe = PPP_MPPE_REQUIRE;
	pair_open(&p);
	ck_assert(both_saw(PPP_EVENT_IPCP_UP));
	end_rx_hex(&p.a, "ff03c021 01770004"); /* as if b had not been as far */
	ck_assert(end_saw(&p.a, PPP_EVENT_IPCP_DOWN));
	ck_assert(!pair_ping(&p, &p.a, &p.b, 100));
	pair_run(&p, TS_S(60));
	ck_assert_msg(!end_saw(&p.a, PPP_EVENT_DOWN), "%s", p.a.log);
	ck_assert(pair_ping(&p, &p.a, &p.b, 100) && pair_ping(&p, &p.b, &p.a, 100));
}
END_TEST

static bool
lossy(struct pair *pair, struct end *to, uint8_t *frame, size_t len)
{
	uint64_t *state = pair->pass_user;

	(void)to, (void)frame, (void)len;
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (*state >> 33) % 10 >= 3;
}

/* A third of all control frames lost, each time others: up with everything, or down with a reason. */
START_TEST(test_loss)
{
	unsigned up = 0;

	pair_fini(&p);
	for (uint64_t seed = 1; seed <= 60; seed++) {
		uint64_t state = seed;

		pair_init(&p);
		pair_authenticate(&p, 1u << (seed % 6));
		p.a.bc.mppe = p.b.bc.mppe = PPP_MPPE_ALLOW;
		p.pass = lossy;
		p.pass_user = &state;
		pair_open(&p);
		pair_run(&p, TS_S(100));
		p.pass = NULL;
		pair_run(&p, TS_S(100));
		ck_assert_msg(
		    end_saw(&p.a, PPP_EVENT_DOWN) == end_saw(&p.b, PPP_EVENT_DOWN), "seed %u:\n%s\n%s", (unsigned)seed, p.a.log, p.b.log);
		if (!end_saw(&p.a, PPP_EVENT_DOWN)) {
			up++;
			ck_assert_msg(pair_ping(&p, &p.a, &p.b, 600) && pair_ping(&p, &p.b, &p.a, 600), "seed %u:\n%s\n%s", (unsigned)seed,
			    p.a.log, p.b.log);
		}
		if (seed < 60)
			pair_fini(&p);
	}
	ck_assert_uint_gt(up, 50);
}
END_TEST

START_TEST(test_allocation_failures)
{
	struct mem_failing mem;

	for (size_t n = 1;; n++) {
		struct ppp_bundle *bundle = NULL;
		struct ppp_link *link = NULL;
		bool failed;

		mem_failing_init(&mem, n);
		p.a.lc.mem = p.a.bc.mem = &mem.mem;
		failed = ppp_link_new(&link, &p.a.lc, p.now) != 0 || ppp_bundle_new(&bundle, &p.a.bc, p.now) != 0;
		if (!failed) {
			ppp_link_open(link, p.now);
			ppp_link_join(link, bundle, p.now);
		}
		ppp_bundle_free(bundle); /* before its link: allowed as well */
		ppp_link_free(link);
		ck_assert_uint_eq(mem.held, 0);
		ck_assert_int_eq(failed, n <= 2);
		if (!failed)
			break;
	}
	p.a.lc.mem = p.a.bc.mem = NULL;
}
END_TEST

/* The machines of authentication live no longer than they are of use. */
START_TEST(test_memory_of_authentication)
{
	struct ppp_auth_verdict verdict;
	struct mem_failing mem;

	pair_authenticate(&p, PPP_AUTH_MSCHAPV2);
	mem_failing_init(&mem, 0);
	p.a.lc.mem = &mem.mem;
	p.a.hold_verdict = true;
	pair_open(&p);
	ck_assert_uint_eq(mem.held, 2);
	p.a.hold_verdict = false;
	ck_assert_uint_eq(p.a.requests, 1);
	ppp_auth_check(p.crypto, &p.a.request, &p.a.users, &verdict);
	ppp_link_auth_verdict(p.a.link, p.a.request.id, &verdict, p.now);
	pair_settle(&p);
	ck_assert(both_saw(PPP_EVENT_IPCP_UP));
	ck_assert_uint_eq(mem.held, 1);
	/* a Response that comes now is nobody's; a verdict, too */
	ck_assert_int_eq(end_rx_hex(&p.a, "c223 02010008 02aabb63"), PPP_RX_CONTROL);
	ppp_link_auth_verdict(p.a.link, p.a.request.id, &verdict, p.now);
	pair_settle(&p);
	ck_assert(!end_saw(&p.a, PPP_EVENT_DOWN));
	/* and a new negotiation makes a new machine */
	end_rx_hex(&p.a, "ff03c021 01770004");
	pair_run(&p, TS_S(60));
	ck_assert_msg(!end_saw(&p.a, PPP_EVENT_DOWN), "%s", p.a.log);
	ck_assert_uint_eq(p.a.requests, 2);
	ck_assert_uint_eq(mem.held, 1);
	ck_assert(pair_ping(&p, &p.a, &p.b, 100) && pair_ping(&p, &p.b, &p.a, 100));
	pair_fini(&p);
	ck_assert_uint_eq(mem.held, 0);
	pair_init(&p);
}
END_TEST

START_TEST(test_no_memory_for_authentication)
{
	struct end *poor = _i == 0 ? &p.a : &p.b, *other = _i == 0 ? &p.b : &p.a;
	struct mem_failing mem;

	mem_failing_init(&mem, 2);
	pair_authenticate(&p, PPP_AUTH_MSCHAPV2);
	poor->lc.mem = &mem.mem;
	pair_open(&p);
	pair_run(&p, TS_S(10));
	ck_assert_int_eq(poor->down.down, PPP_DOWN_NOMEM);
	ck_assert_int_eq(other->down.down, PPP_DOWN_PEER);
	pair_fini(&p);
	ck_assert_uint_eq(mem.held, 0);
	pair_init(&p);
}
END_TEST

static void
throw_garbage(struct end *e, uint32_t *seed)
{
	static const uint16_t protos[] = {0xc021, 0xc023, 0xc223, 0xc227, 0x8021, 0x8057, 0x80fd, 0x00fd, 0x0021, 0x0057, 0x003d};

	for (size_t len = 0; len <= 1600; len++) {
		uint8_t frame[1600], *payload;
		size_t payloadlen;

		for (size_t i = 0; i < len; i++) {
			*seed = *seed * 1664525 + 1013904223;
			frame[i] = (uint8_t)(*seed >> 24);
		}
		if (len >= 6 && (len & 3) != 0) {
			uint16_t proto = protos[*seed % 11];

			frame[0] = (uint8_t)(proto >> 8);
			frame[1] = (uint8_t)proto;
			frame[2] %= 16;
			frame[4] = (uint8_t)((len - 2) >> 8);
			frame[5] = (uint8_t)(len - 2);
			/* but leave the link alive, so that all of them are seen */
			if (proto == 0xc021 && (frame[2] == PPP_TERM_REQ || frame[2] == PPP_CODE_REJ || frame[2] == PPP_PROTO_REJ))
				frame[2] = 0x40;
		}
		ppp_link_rx(e->link, frame, len, *e->now, &payload, &payloadlen);
		ck_assert(payload == NULL || (payload >= frame && payload + payloadlen <= frame + len));
		end_drain(e);
	}
}

START_TEST(test_garbage_in_each_phase)
{
	uint32_t seed = (uint32_t)_i + 1;

	p.a.lc.trace = NULL;
	p.a.hold_verdict = true;
	switch (_i) {
	case 0:
		ck_assert_int_eq(ppp_link_new(&p.a.link, &p.a.lc, p.now), 0);
		break;
	case 1:
		end_open(&p.a);
		break;
	case 2:
	case 3:
		pair_authenticate(&p, _i == 2 ? PPP_AUTH_ALL : PPP_AUTH_EAP_MSCHAPV2);
		p.a.no_bundle = p.b.no_bundle = true;
		pair_open(&p);
		break;
	case 4:
		p.a.bc.ipv6 = p.b.bc.ipv6 = true;
		pair_open(&p);
		break;
	case 5:
		pair_authenticate(&p, PPP_AUTH_MSCHAPV2);
		p.a.hold_verdict = false;
		p.a.bc.mppe = p.b.bc.mppe = PPP_MPPE_REQUIRE;
		pair_open(&p);
		break;
	default:
		pair_open(&p);
		ppp_link_close(p.a.link, PPP_DOWN_LOCAL, NULL, p.now);
		break;
	}
	for (int round = 0; round < 3; round++) {
		throw_garbage(&p.a, &seed);
		p.now += TS_S(1);
		ppp_link_expire(p.a.link, p.now);
		end_drain(&p.a);
	}
}
END_TEST

START_TEST(test_down_texts)
{
	for (int i = 0; i <= PPP_DOWN_NOMEM; i++) {
		ck_assert_str_ne(ppp_down_text((enum ppp_down)i), "unknown reason");
		for (int j = 0; j < i; j++)
			ck_assert_str_ne(ppp_down_text((enum ppp_down)i), ppp_down_text((enum ppp_down)j));
	}
}
END_TEST

START_TEST(test_close_before_open)
{
	ck_assert_int_eq(ppp_link_new(&p.a.link, &p.a.lc, p.now), 0);
	ppp_link_close(p.a.link, PPP_DOWN_LOCAL, NULL, p.now);
	ppp_link_open(p.a.link, p.now);
	ck_assert_str_eq(end_tx_hex(&p.a), "");
	end_events(&p.a);
	ck_assert_int_eq(p.a.down.down, PPP_DOWN_LOCAL);
	ppp_link_free(NULL);
	ppp_bundle_free(NULL);
}
END_TEST

/* The program needs time for an interface; the peer's network protocols don't wait for it. Nothing is lost and no timer waited for. */
START_TEST(test_what_came_before_the_join_counts)
{
	uint64_t before;

	p.b.no_bundle = true;
	pair_open(&p);
	ck_assert(end_saw(&p.b, PPP_EVENT_NETWORK));
	ck_assert(!end_saw(&p.a, PPP_EVENT_IPCP_UP));
	before = p.now;
	ck_assert_int_eq(ppp_bundle_new(&p.b.bundle, &p.b.bc, p.now), 0);
	ppp_link_join(p.b.link, p.b.bundle, p.now);
	pair_settle(&p);
	ck_assert(end_saw(&p.a, PPP_EVENT_IPCP_UP));
	ck_assert(end_saw(&p.b, PPP_EVENT_IPCP_UP));
	ck_assert_uint_eq(p.now, before);
}
END_TEST

/* More than there is room for is as good as lost. */
START_TEST(test_too_much_before_the_join)
{
	struct ppp_link_info info;

	p.b.no_bundle = true;
	pair_open(&p);
	for (int i = 0; i < 100; i++)
		ck_assert_int_eq(end_rx_hex(&p.b, "8021 0101000a 03060a000001"), PPP_RX_CONTROL);
	ck_assert_int_eq(ppp_bundle_new(&p.b.bundle, &p.b.bc, p.now), 0);
	ppp_link_join(p.b.link, p.b.bundle, p.now);
	pair_settle(&p);
	pair_run(&p, TS_S(10));
	ppp_link_info(p.b.link, &info);
	ck_assert_int_eq(info.phase, PPP_PHASE_NETWORK);
	ck_assert(end_saw(&p.b, PPP_EVENT_IPCP_UP));
}
END_TEST

static bool
only_to_b(struct pair *pair, struct end *to, uint8_t *frame, size_t len)
{
	(void)frame;
	(void)len;
	return to == &pair->b;
}

/* GRE that is open in one direction only. */
START_TEST(test_a_peer_that_talks_but_never_hears)
{
	p.pass = only_to_b;
	pair_open(&p);
	pair_run(&p, TS_S(60));
	ck_assert_int_eq(p.b.down.down, PPP_DOWN_LCP_FAILED);
	ck_assert_str_eq(p.b.down.message, LINK_UNANSWERED);
	ck_assert_int_eq(p.a.down.down, PPP_DOWN_NO_REPLY);
}
END_TEST

/* The peer wants a method that is not allowed, and leaves: the program hears which. */
START_TEST(test_a_method_that_is_not_allowed)
{
	p.b.lc.allow = PPP_AUTH_MSCHAPV2;
	end_open(&p.b);
	end_drain(&p.b);
	end_rx_hex(&p.b, "c021 01010008 0304c023");
	end_drain(&p.b);
	/* Terminate-Request, and the answer to ours */
	end_rx_hex(&p.b, "c021 05020004");
	end_drain(&p.b);
	end_rx_hex(&p.b, "c021 06020004");
	end_drain(&p.b);
	ck_assert_int_eq(p.b.down.down, PPP_DOWN_AUTH_REFUSED);
	ck_assert_str_eq(p.b.down.message, "pap");
}
END_TEST

Suite *
suite_link(void)
{
	Suite *s = suite_create("link");
	TCase *t = tcase_create("link");

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_comes_up_without_authentication);
	tcase_add_loop_test(t, test_each_method, 0, 6);
	tcase_add_loop_test(t, test_each_method_wrong_password, 0, 6);
	tcase_add_loop_test(t, test_mutual, 0, 36);
	tcase_add_test(t, test_late_verdict);
	tcase_add_test(t, test_verdict_after_the_end);
	tcase_add_test(t, test_request_not_drained_survives_its_link);
	tcase_add_test(t, test_renegotiation_with_a_bundle);
	tcase_add_test(t, test_loss);
	tcase_add_test(t, test_allocation_failures);
	tcase_add_test(t, test_memory_of_authentication);
	tcase_add_loop_test(t, test_no_memory_for_authentication, 0, 2);
	tcase_add_loop_test(t, test_garbage_in_each_phase, 0, 7);
	tcase_add_test(t, test_down_texts);
	tcase_add_test(t, test_close_before_open);
	tcase_add_test(t, test_what_came_before_the_join_counts);
	tcase_add_test(t, test_too_much_before_the_join);
	tcase_add_test(t, test_a_peer_that_talks_but_never_hears);
	tcase_add_test(t, test_a_method_that_is_not_allowed);
	suite_add_tcase(s, t);
	return s;
}
