#include <string.h>

#include "base/wire.h"
#include "tests/unit/alg/gw.h"
#include "tests/unit/suite.h"

Suite *suite_rewrite_rx(void);

/* --- every phase by every message ------------------------------------------------------- */

enum { IN_NEW, IN_STARTED, IN_UP, IN_STOPPING, IN_PHASES };

static void
bring_to(struct gw *g, int phase)
{
	gw_init(g);
	gw_open(g);
	if (phase >= IN_STARTED)
		gw_say(g, ALG_CLIENT, SCCRQ, 0, 0);
	if (phase >= IN_UP)
		gw_say(g, ALG_SERVER, SCCRP, 0, 0);
	if (phase >= IN_STOPPING)
		gw_say(g, ALG_SERVER, STOPRQ, 0, 0);
	gw_line(g);
}

/* What the client's message does: + goes to the server, - is a violation, . is dropped as late. */
static const char *const from_client[IN_PHASES] = {
    /*              SCCRQ P STOPRQ P ECHO P OCRQ P ICRQ P ICCN CCR CDN WEN SLI */
    [IN_NEW] = "+-+------------",
    [IN_STARTED] = "--+-+++-+------",
    [IN_UP] = "--+-+++-+------",
    [IN_STOPPING] = "--++++.........",
};

START_TEST(every_phase_by_every_message)
{
	for (int phase = 0; phase < IN_PHASES; phase++) {
		for (unsigned type = 1; type <= 15; type++) {
			struct gw g;
			char found;
			const char *line;

			bring_to(&g, phase);
			gw_say(&g, ALG_CLIENT, type, 5, 6);
			line = gw_line(&g);
			found = line[0] == '>' ? '+' : line[0] == 'V' ? '-' : '.';
			ck_assert_msg(found == from_client[phase][type - 1], "phase %d, message %u: %s", phase, type, line);
			gw_free(&g);
		}
	}
}
END_TEST

START_TEST(violations_have_words)
{
	struct gw g;

	gw_init(&g);
	gw_open(&g);
	gw_say(&g, ALG_SERVER, OCRP, 1, 2);
	ck_assert_str_eq(gw_line(&g), "VIOLATION:sequence");
	ck_assert_int_eq(g.last.from, ALG_SERVER);
	ck_assert_str_eq(g.last.text, "Outgoing-Call-Reply: not allowed in the present state of the control connection");
	gw_start(&g);
	gw_say(&g, ALG_SERVER, OCRP, 1, 2);
	gw_line(&g);
	ck_assert_str_eq(g.last.text, "Outgoing-Call-Reply: no call has the id 2");
	gw_free(&g);
}
END_TEST

/* --- the start ------------------------------------------------------------------------------ */

START_TEST(both_may_start)
{
	struct gw g;

	gw_init(&g);
	gw_open(&g);
	gw_say(&g, ALG_CLIENT, SCCRQ, 0, 0);
	gw_say(&g, ALG_SERVER, SCCRQ, 0, 0);
	gw_say(&g, ALG_CLIENT, SCCRP, 0, 0);
	ck_assert_str_eq(gw_line(&g), "<SCCRQ >SCCRQ >SCCRP=1");
	gw_call(&g);
	gw_say(&g, ALG_SERVER, SCCRP, 0, 0); /* who answers whatever is asked does no harm, but once */
	ck_assert_str_eq(gw_line(&g), "<SCCRP=1");
	gw_say(&g, ALG_SERVER, SCCRP, 0, 0);
	gw_say(&g, ALG_CLIENT, SCCRP, 0, 0);
	ck_assert_str_eq(gw_line(&g), "VIOLATION:sequence VIOLATION:sequence");
	ck_assert_uint_eq(alg_rewrite_calls(g.rw, NULL, 0), 1);
	gw_free(&g);
}
END_TEST

START_TEST(a_refused_start_may_be_tried_again)
{
	struct pptp_msg no = gw_msg(SCCRP, 0, 0);
	struct gw g;

	no.start.result_code = PPTP_START_NOT_AUTHORIZED;
	gw_init(&g);
	gw_open(&g);
	gw_say(&g, ALG_CLIENT, SCCRQ, 0, 0);
	gw_say(&g, ALG_CLIENT, OCRQ, 5, 0); /* sent along */
	gw_send(&g, ALG_SERVER, &no);
	ck_assert_str_eq(gw_line(&g), "<SCCRP=4 >SCCRQ >OCRQ:1005 NEW#1 END#1:no");
	gw_start(&g);
	gw_free(&g);
}
END_TEST

START_TEST(strict_waits_for_the_reply)
{
	struct gw g;

	gw_init(&g);
	g.config.policy = PPTP_STRICT;
	gw_open(&g);
	gw_say(&g, ALG_CLIENT, SCCRQ, 0, 0);
	gw_say(&g, ALG_CLIENT, OCRQ, 5, 0);
	ck_assert_str_eq(gw_line(&g), ">SCCRQ VIOLATION:sequence");
	gw_free(&g);
}
END_TEST

START_TEST(stop_ends_all_calls)
{
	struct gw g;

	gw_init(&g);
	gw_open(&g);
	gw_start(&g);
	gw_call(&g);
	gw_say(&g, ALG_CLIENT, STOPRQ, 0, 0);
	gw_say(&g, ALG_SERVER, CDN, 7, 0); /* crossing */
	gw_say(&g, ALG_SERVER, STOPRP, 0, 0);
	ck_assert_str_eq(gw_line(&g), "<STOPRP >STOPRQ END#1:stopped");
	gw_free(&g);
}
END_TEST

/* --- other versions ---------------------------------------------------------------------------- */

START_TEST(another_version_is_refused)
{
	struct pptp_msg msg = gw_msg(SCCRQ, 0, 0);
	struct gw g;

	msg.start.protocol_version = 0x0200;
	gw_init(&g);
	gw_open(&g);
	gw_send(&g, ALG_CLIENT, &msg);
	ck_assert_str_eq(gw_line(&g), "CLOSED:version");
	ck_assert_str_eq(g.last.text, "protocol version 512");
	ck_assert_uint_eq(gw_feed(&g, ALG_CLIENT, "more", 4), 4);
	ck_assert_str_eq(gw_line(&g), "");
	gw_free(&g);
}
END_TEST

/* All bytes, from the first on, come out as they went in, both ways. */
static void
check_untouched(const uint8_t *first, size_t len, size_t step)
{
	static const char back[] = "anything at all";
	uint8_t big[5000];
	struct gw g;

	gw_init(&g);
	g.config.other_version = ALG_VERSION_PASS;
	gw_open(&g);
	ck_assert_uint_eq(gw_feed(&g, ALG_SERVER, "\0", 1), 1); /* in the framer when it turns out */
	for (size_t i = 0; i < len; i += step)
		gw_feed(&g, ALG_CLIENT, first + i, len - i < step ? len - i : step);
	ck_assert_uint_eq(gw_feed(&g, ALG_SERVER, back, sizeof(back)), sizeof(back));
	ck_assert_ptr_nonnull(strstr(gw_line(&g), "UNTOUCHED:version"));
	ck_assert_uint_eq(g.nbytes[ALG_SERVER], len);
	ck_assert_mem_eq(g.bytes[ALG_SERVER], first, len);
	ck_assert_uint_eq(g.nbytes[ALG_CLIENT], 1 + sizeof(back));
	ck_assert_mem_eq(g.bytes[ALG_CLIENT] + 1, back, sizeof(back));
	memset(big, 0x55, sizeof(big)); /* bounded: the rest waits */
	ck_assert_uint_lt(gw_feed(&g, ALG_CLIENT, big, sizeof(big)), sizeof(big));
	gw_line(&g);
	gw_free(&g);
}

START_TEST(another_version_passes_untouched)
{
	struct pptp_msg msg = gw_msg(SCCRQ, 0, 0);
	uint8_t bytes[PPTP_MAX_MESSAGE];
	int n;

	msg.start.protocol_version = 0x0200;
	n = pptp_msg_encode(bytes, sizeof(bytes), &msg);
	for (size_t step = 1; step <= 160; step += 53)
		check_untouched(bytes, (size_t)n, step);
	check_untouched((const uint8_t *)"GET / HTTP/1.0\r\n\r\n", 18, 1);
	check_untouched((const uint8_t *)"GET / HTTP/1.0\r\n\r\n", 18, 18);
}
END_TEST

START_TEST(a_reply_of_another_version)
{
	struct pptp_msg msg = gw_msg(SCCRP, 0, 0);
	struct gw g;

	msg.start.protocol_version = 0x0101;
	gw_init(&g);
	gw_open(&g);
	gw_say(&g, ALG_CLIENT, SCCRQ, 0, 0);
	gw_send(&g, ALG_SERVER, &msg);
	ck_assert_str_eq(gw_line(&g), ">SCCRQ CLOSED:version");
	gw_free(&g);
}
END_TEST

/* --- malformed -------------------------------------------------------------------------------------- */

START_TEST(unknown_types_are_not_forwarded)
{
	uint8_t unknown[16] = {0, 16, 0, 1, 0x1A, 0x2B, 0x3C, 0x4D, 0, 99};
	struct alg_rewrite_stats stats;
	struct gw g;

	gw_init(&g);
	gw_open(&g);
	gw_start(&g);
	gw_feed(&g, ALG_SERVER, unknown, sizeof(unknown));
	ck_assert_str_eq(gw_line(&g), "VIOLATION:malformed");
	ck_assert_str_eq(g.last.text, "unknown control message type 99");
	gw_call(&g); /* the stream goes on */
	alg_rewrite_stats(g.rw, &stats);
	ck_assert_uint_eq(stats.refused, 1);
	ck_assert_uint_eq(stats.received[ALG_SERVER], 3);
	ck_assert_uint_eq(stats.received[ALG_CLIENT], 2);
	ck_assert_uint_eq(stats.forwarded, 4);
	gw_free(&g);
}
END_TEST

START_TEST(strict_names_the_field)
{
	struct pptp_msg msg = gw_msg(OCRQ, 5, 0);
	struct gw g;

	msg.outgoing_call_request.framing_type = 9;
	gw_init(&g);
	g.config.policy = PPTP_STRICT;
	gw_open(&g);
	gw_start(&g);
	gw_send(&g, ALG_CLIENT, &msg);
	ck_assert_str_eq(gw_line(&g), "VIOLATION:malformed");
	ck_assert_str_eq(g.last.text, "Outgoing-Call-Request: Framing: value not allowed");
	gw_free(&g);
}
END_TEST

START_TEST(a_lost_stream_closes)
{
	struct gw g;

	gw_init(&g);
	gw_open(&g);
	gw_start(&g);
	gw_call(&g);
	gw_feed(&g, ALG_CLIENT, "GET / HTTP/1.0\r\n\r\n", 18);
	ck_assert_str_eq(gw_line(&g), "END#1:malformed CLOSED:malformed");
	ck_assert_ptr_nonnull(strstr(g.last.text, "the stream can't be followed"));
	gw_free(&g);
}
END_TEST

/* --- segments ------------------------------------------------------------------------------------------ */

/* Defects 2 and 3 of the kernel's helper: whatever the segments, the same messages come out. */
static void
say_all(struct gw *g, size_t split)
{
	static const unsigned types[] = {SCCRQ, ECHORQ, OCRQ};
	uint8_t stream[3 * PPTP_MAX_MESSAGE];
	size_t len = 0;

	for (size_t i = 0; i < 3; i++) {
		struct pptp_msg msg = gw_msg(types[i], 5, 0);

		len += (size_t)pptp_msg_encode(stream + len, PPTP_MAX_MESSAGE, &msg);
	}
	split = split < len ? split : len;
	ck_assert_uint_eq(gw_feed(g, ALG_CLIENT, stream, split), split);
	ck_assert_uint_eq(gw_feed(g, ALG_CLIENT, stream + split, len - split), len - split);
}

START_TEST(split_and_coalesced)
{
	for (size_t split = 0; split <= 340; split++) {
		struct gw g;

		gw_init(&g);
		gw_open(&g);
		say_all(&g, split);
		ck_assert_str_eq(gw_line(&g), ">SCCRQ >ECHORQ >OCRQ:1005 NEW#1");
		gw_free(&g);
	}
}
END_TEST

Suite *
suite_rewrite_rx(void)
{
	Suite *s = suite_create("rewrite_rx");
	TCase *t = tcase_create("rewrite_rx");

	tcase_add_test(t, every_phase_by_every_message);
	tcase_add_test(t, violations_have_words);
	tcase_add_test(t, both_may_start);
	tcase_add_test(t, a_refused_start_may_be_tried_again);
	tcase_add_test(t, strict_waits_for_the_reply);
	tcase_add_test(t, stop_ends_all_calls);
	tcase_add_test(t, another_version_is_refused);
	tcase_add_test(t, another_version_passes_untouched);
	tcase_add_test(t, a_reply_of_another_version);
	tcase_add_test(t, unknown_types_are_not_forwarded);
	tcase_add_test(t, strict_names_the_field);
	tcase_add_test(t, a_lost_stream_closes);
	tcase_add_test(t, split_and_coalesced);
	suite_add_tcase(s, t);
	return s;
}
