#include <errno.h>
#include <netdb.h>
#include <string.h>

#include "pptpc/diag.h"
#include "tests/unit/suite.h"

static const struct trouble_place place = {
    .host = "vpn.example.org", .address = "192.0.2.1", .port = 1723, .user = "bob", .allow = PPP_AUTH_MSCHAPV2 | PPP_AUTH_EAP_MSCHAPV2};

static char buf[600];

static const char *
sentence(const struct trouble *t)
{
	return trouble_sentence(t, &place, buf, sizeof(buf));
}

static bool
is_sentence(const char *s)
{
	size_t len = strlen(s);

	return len > 10 && s[len - 1] != '.' && strchr(s, '{') == NULL && strchr(s, '}') == NULL;
}

START_TEST(test_every_kind_has_a_word_and_a_sentence)
{
	for (int kind = 0; kind < TROUBLE_KINDS; kind++) {
		struct trouble t = trouble_make((enum trouble_kind)kind, "what the peer or the system said");

		ck_assert_msg(trouble_word(t.kind) != NULL, "kind %d has no row", kind);
		ck_assert_msg(is_sentence(sentence(&t)), "kind %d: %s", kind, buf);
		trouble_advice(&t, &place, buf, sizeof(buf));
		ck_assert_msg(buf[0] == '\0' || is_sentence(buf), "kind %d: %s", kind, buf);
		for (int other = 0; other < kind; other++)
			ck_assert_str_ne(trouble_word((enum trouble_kind)other), trouble_word(t.kind));
	}
}
END_TEST

START_TEST(test_exit_status_follows_the_cause)
{
	ck_assert_int_eq(trouble_exit(TROUBLE_STOPPED), 0);
	ck_assert_int_eq(trouble_exit(TROUBLE_NAME_UNKNOWN), 3);
	ck_assert_int_eq(trouble_exit(TROUBLE_TCP_REFUSED), 4);
	ck_assert_int_eq(trouble_exit(TROUBLE_CALL_BUSY), 5);
	ck_assert_int_eq(trouble_exit(TROUBLE_GRE_BLOCKED), 6);
	ck_assert_int_eq(trouble_exit(TROUBLE_LCP_FAILED), 7);
	ck_assert_int_eq(trouble_exit(TROUBLE_AUTH_WRONG), 8);
	ck_assert_int_eq(trouble_exit(TROUBLE_ENCRYPTION), 9);
	ck_assert_int_eq(trouble_exit(TROUBLE_ECHO_LCP), 10);
	ck_assert_int_eq(trouble_exit(TROUBLE_ENDED_CALL), 11);
	ck_assert_int_eq(trouble_exit(TROUBLE_IDLE), 12);
}
END_TEST

START_TEST(test_retry_follows_the_cause)
{
	ck_assert_int_eq(trouble_class(TROUBLE_GRE_BLOCKED), RETRY_NETWORK);
	ck_assert_int_eq(trouble_class(TROUBLE_CALL_BUSY), RETRY_REFUSED);
	ck_assert_int_eq(trouble_class(TROUBLE_AUTH_WRONG), RETRY_AUTH);
	ck_assert_int_eq(trouble_class(TROUBLE_NOT_GENUINE), RETRY_AUTH);
	ck_assert_int_eq(trouble_class(TROUBLE_ENCRYPTION), RETRY_ENCRYPTION);
	ck_assert_int_eq(trouble_class(TROUBLE_ENDED_PPP), RETRY_ENDED);
	ck_assert_int_eq(trouble_class(TROUBLE_IDLE), RETRY_NEVER);
}
END_TEST

START_TEST(test_lookup)
{
	ck_assert_int_eq(trouble_from_lookup(EAI_NONAME).kind, TROUBLE_NAME_UNKNOWN);
	ck_assert_int_eq(trouble_from_lookup(EAI_AGAIN).kind, TROUBLE_NAME_LATER);
	ck_assert_int_eq(trouble_from_lookup(EAI_FAIL).kind, TROUBLE_NAME_LATER);
	ck_assert_int_eq(trouble_from_lookup(EAI_MEMORY).kind, TROUBLE_MEMORY);
	ck_assert_str_ne(trouble_from_lookup(EAI_AGAIN).detail, "");
}
END_TEST

START_TEST(test_tcp)
{
	struct trouble t = trouble_from_tcp(ECONNREFUSED);

	ck_assert_str_eq(sentence(&t), "Nothing listens on vpn.example.org (192.0.2.1) port 1723");
	trouble_advice(&t, &place, buf, sizeof(buf));
	ck_assert_str_eq(buf, "PPTP is not running there, or a firewall rejects it");
	ck_assert_int_eq(trouble_from_tcp(ETIMEDOUT).kind, TROUBLE_TCP_TIMEOUT);
	ck_assert_int_eq(trouble_from_tcp(EHOSTUNREACH).kind, TROUBLE_TCP_UNREACHABLE);
	ck_assert_int_eq(trouble_from_tcp(ENETUNREACH).kind, TROUBLE_NO_ROUTE);
	ck_assert_int_eq(trouble_from_tcp(ECONNRESET).kind, TROUBLE_TCP_FAILED);
	ck_assert_int_eq(trouble_from_tcp(ECONNRESET).result, ECONNRESET);
}
END_TEST

START_TEST(test_an_address_is_not_said_twice)
{
	const struct trouble_place same = {.host = "192.0.2.1", .address = "192.0.2.1", .port = 1723, .user = ""};
	struct trouble t = trouble_from_tcp(ECONNREFUSED);

	ck_assert_str_eq(trouble_sentence(&t, &same, buf, sizeof(buf)), "Nothing listens on 192.0.2.1 port 1723");
}
END_TEST

START_TEST(test_a_name_at_the_beginning_stays)
{
	struct trouble t = trouble_from_tcp(ETIMEDOUT);

	ck_assert_str_eq(sentence(&t), "vpn.example.org (192.0.2.1) does not answer on TCP port 1723");
}
END_TEST

/* Every Outgoing-Call-Reply result with every error code, known or not. */
START_TEST(test_every_call_refusal)
{
	for (int result = 0; result < 256; result++) {
		for (int error = 0; error < 8; error++) {
			struct pptp_event e = {.type = PPTP_EVENT_CALL_DOWN,
			    .end = PPTP_END_REFUSED,
			    .result_code = (uint8_t)result,
			    .error_code = (uint8_t)error};
			struct trouble t = trouble_from_pptp(&e, STAGE_CALL);

			ck_assert(is_sentence(sentence(&t)));
			ck_assert_int_eq(trouble_exit(t.kind), EXIT_REFUSED);
			ck_assert_int_eq(trouble_class(t.kind), RETRY_REFUSED);
		}
	}
}
END_TEST

START_TEST(test_call_refusals)
{
	struct pptp_event e = {.type = PPTP_EVENT_CALL_DOWN, .end = PPTP_END_REFUSED, .result_code = PPTP_OCRP_BUSY};

	ck_assert_int_eq(trouble_from_pptp(&e, STAGE_CALL).kind, TROUBLE_CALL_BUSY);
	e.result_code = PPTP_OCRP_DO_NOT_ACCEPT;
	ck_assert_int_eq(trouble_from_pptp(&e, STAGE_CALL).kind, TROUBLE_CALL_ADMIN);
	e.result_code = PPTP_OCRP_GENERAL_ERROR;
	e.error_code = PPTP_EC_NO_RESOURCE;
	ck_assert_int_eq(trouble_from_pptp(&e, STAGE_CALL).kind, TROUBLE_CALL_RESOURCES);
	e.error_code = PPTP_EC_BAD_VALUE;
	ck_assert_int_eq(trouble_from_pptp(&e, STAGE_CALL).kind, TROUBLE_CALL_FAILED);
}
END_TEST

START_TEST(test_every_control_refusal)
{
	for (int result = 0; result < 256; result++) {
		struct pptp_event e = {.type = PPTP_EVENT_CLOSED, .end = PPTP_END_REFUSED, .result_code = (uint8_t)result};
		struct trouble t = trouble_from_pptp(&e, STAGE_CONTROL);

		ck_assert(is_sentence(sentence(&t)));
		ck_assert_int_eq(trouble_exit(t.kind), EXIT_REFUSED);
	}
}
END_TEST

START_TEST(test_every_end_in_every_stage)
{
	static const enum pptp_event_type types[] = {PPTP_EVENT_CALL_DOWN, PPTP_EVENT_CLOSED};

	for (int end = PPTP_END_LOCAL; end <= PPTP_END_NOMEM; end++) {
		for (int stage = STAGE_CONTROL; stage <= STAGE_UP; stage++) {
			for (size_t i = 0; i < 2; i++) {
				struct pptp_event e = {.type = types[i], .end = (enum pptp_end)end, .result_code = 1};
				struct trouble t = trouble_from_pptp(&e, (enum dial_stage)stage);

				ck_assert_msg(is_sentence(sentence(&t)), "end %d stage %d: %s", end, stage, buf);
			}
		}
	}
}
END_TEST

START_TEST(test_ends_of_a_control_connection)
{
	struct pptp_event e = {.type = PPTP_EVENT_CLOSED, .end = PPTP_END_ECHO_TIMEOUT};

	ck_assert_int_eq(trouble_from_pptp(&e, STAGE_UP).kind, TROUBLE_ECHO_PPTP);
	e.end = PPTP_END_TRANSPORT;
	ck_assert_int_eq(trouble_from_pptp(&e, STAGE_UP).kind, TROUBLE_TCP_LOST);
	ck_assert_int_eq(trouble_from_pptp(&e, STAGE_CONTROL).kind, TROUBLE_CONTROL_CLOSED);
	ck_assert_int_eq(trouble_from_pptp(&e, STAGE_LINK).kind, TROUBLE_ENDED_EARLY);
	e.end = PPTP_END_TIMEOUT;
	ck_assert_int_eq(trouble_from_pptp(&e, STAGE_CONTROL).kind, TROUBLE_CONTROL_SILENT);
	ck_assert_int_eq(trouble_from_pptp(&e, STAGE_CALL).kind, TROUBLE_CALL_SILENT);
	e.end = PPTP_END_PEER;
	ck_assert_int_eq(trouble_from_pptp(&e, STAGE_UP).kind, TROUBLE_ENDED_CONTROL);
	e.type = PPTP_EVENT_CALL_DOWN;
	ck_assert_int_eq(trouble_from_pptp(&e, STAGE_UP).kind, TROUBLE_ENDED_CALL);
	e.end = PPTP_END_PROTOCOL;
	e.error = PPTP_ERR_MAGIC;
	ck_assert_str_eq(trouble_from_pptp(&e, STAGE_CALL).detail, pptp_strerror(PPTP_ERR_MAGIC));
}
END_TEST

START_TEST(test_every_ppp_down)
{
	for (int down = PPP_DOWN_NONE; down <= PPP_DOWN_NOMEM; down++) {
		for (int seen = 0; seen < 2; seen++) {
			for (int stage = STAGE_LINK; stage <= STAGE_UP; stage++) {
				struct trouble t = trouble_from_ppp((enum ppp_down)down, 0, "words", (enum dial_stage)stage, seen != 0);

				ck_assert_msg(is_sentence(sentence(&t)), "down %d: %s", down, buf);
			}
		}
	}
}
END_TEST

START_TEST(test_blocked_gre_is_said_in_these_words)
{
	struct trouble t = trouble_from_ppp(PPP_DOWN_NO_REPLY, 0, "", STAGE_LINK, false);

	ck_assert_int_eq(t.kind, TROUBLE_GRE_BLOCKED);
	ck_assert_ptr_nonnull(
	    strstr(sentence(&t), "he control connection is up but no GRE arrives: something on the way blocks IP protocol 47"));
	ck_assert_int_eq(trouble_from_ppp(PPP_DOWN_NO_REPLY, 0, "", STAGE_LINK, true).kind, TROUBLE_PPP_SILENT);
	ck_assert_int_eq(trouble_from_ppp(PPP_DOWN_LCP_FAILED, 0, LINK_UNANSWERED, STAGE_LINK, true).kind, TROUBLE_PPP_SILENT);
	ck_assert_int_eq(trouble_from_ppp(PPP_DOWN_LCP_FAILED, 0, "", STAGE_LINK, true).kind, TROUBLE_LCP_FAILED);
}
END_TEST

START_TEST(test_every_mschap_error)
{
	static const struct {
		uint16_t error;
		enum trouble_kind kind;
	} rows[] = {
	    {0, TROUBLE_AUTH_WRONG},
	    {PPP_MSE_WRONG_PASSWORD, TROUBLE_AUTH_WRONG},
	    {PPP_MSE_RESTRICTED_HOURS, TROUBLE_AUTH_HOURS},
	    {PPP_MSE_ACCOUNT_DISABLED, TROUBLE_AUTH_DISABLED},
	    {PPP_MSE_PASSWORD_EXPIRED, TROUBLE_AUTH_EXPIRED},
	    {PPP_MSE_NO_DIALIN, TROUBLE_AUTH_NO_DIALIN},
	    {PPP_MSE_CHANGING_PASSWORD, TROUBLE_AUTH_CHANGE},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct trouble t = trouble_from_ppp(PPP_DOWN_AUTH_REJECTED, rows[i].error, "", STAGE_LINK, true);

		ck_assert_int_eq(t.kind, rows[i].kind);
		ck_assert_ptr_nonnull(strstr(sentence(&t), "'bob'"));
	}
}
END_TEST

START_TEST(test_the_servers_words_are_told_and_our_own_are_not)
{
	struct trouble t = trouble_from_ppp(PPP_DOWN_AUTH_REJECTED, 691, "go away", STAGE_LINK, true);

	ck_assert_str_eq(sentence(&t), "Wrong user name or password for 'bob': it says 'go away'");
	t = trouble_from_ppp(PPP_DOWN_AUTH_REJECTED, 691, ppp_down_text(PPP_DOWN_AUTH_REJECTED), STAGE_LINK, true);
	ck_assert_str_eq(sentence(&t), "Wrong user name or password for 'bob'");
}
END_TEST

/* The packet that refused the log-in was lost, but not what came after it: the account is not tried again and again. */
START_TEST(test_a_login_that_is_refused_in_the_last_words)
{
	struct trouble t = trouble_from_ppp(PPP_DOWN_PEER, 0, "Authentication failed", STAGE_LINK, true);

	ck_assert_int_eq(trouble_class(t.kind), RETRY_AUTH);
	ck_assert_str_eq(sentence(&t), "Wrong user name or password for 'bob': it says 'Authentication failed'");
	ck_assert_int_eq(trouble_from_ppp(PPP_DOWN_PEER, 0, "Authentication failed", STAGE_UP, true).kind, TROUBLE_ENDED_PPP);
	ck_assert_int_eq(trouble_from_ppp(PPP_DOWN_PEER, 0, "No network protocols running", STAGE_LINK, true).kind, TROUBLE_ENDED_EARLY);
}
END_TEST

START_TEST(test_the_method_that_the_server_wants)
{
	struct trouble t = trouble_from_ppp(PPP_DOWN_AUTH_REFUSED, 0, "pap", STAGE_LINK, true);

	ck_assert_str_eq(
	    sentence(&t), "The server asks for an authentication method, pap, that is not allowed here (only mschap2, eap-mschap2)");
}
END_TEST

START_TEST(test_what_pppd_says_of_mppe)
{
	struct trouble t = trouble_from_ppp(PPP_DOWN_PEER, 0, "MPPE required but peer negotiation failed", STAGE_LINK, true);

	ck_assert_int_eq(t.kind, TROUBLE_ENCRYPTION_WANTED);
	t = trouble_from_ppp(PPP_DOWN_PEER, 0, "idle too long", STAGE_UP, true);
	ck_assert_int_eq(t.kind, TROUBLE_ENDED_PPP);
	t = trouble_from_ppp(PPP_DOWN_PEER, 0, "no address", STAGE_LINK, true);
	ck_assert_int_eq(t.kind, TROUBLE_ENDED_EARLY);
}
END_TEST

START_TEST(test_a_small_buffer_is_not_overrun)
{
	struct trouble t = trouble_from_tcp(ETIMEDOUT);
	char small[8];

	trouble_sentence(&t, &place, small, sizeof(small));
	ck_assert_str_eq(small, "vpn.exa");
}
END_TEST

Suite *suite_diag(void);

Suite *
suite_diag(void)
{
	Suite *s = suite_create("diag");
	TCase *t = tcase_create("diag");

	tcase_add_test(t, test_every_kind_has_a_word_and_a_sentence);
	tcase_add_test(t, test_exit_status_follows_the_cause);
	tcase_add_test(t, test_retry_follows_the_cause);
	tcase_add_test(t, test_lookup);
	tcase_add_test(t, test_tcp);
	tcase_add_test(t, test_an_address_is_not_said_twice);
	tcase_add_test(t, test_a_name_at_the_beginning_stays);
	tcase_add_test(t, test_every_call_refusal);
	tcase_add_test(t, test_call_refusals);
	tcase_add_test(t, test_every_control_refusal);
	tcase_add_test(t, test_every_end_in_every_stage);
	tcase_add_test(t, test_ends_of_a_control_connection);
	tcase_add_test(t, test_every_ppp_down);
	tcase_add_test(t, test_blocked_gre_is_said_in_these_words);
	tcase_add_test(t, test_every_mschap_error);
	tcase_add_test(t, test_the_servers_words_are_told_and_our_own_are_not);
	tcase_add_test(t, test_a_login_that_is_refused_in_the_last_words);
	tcase_add_test(t, test_the_method_that_the_server_wants);
	tcase_add_test(t, test_what_pppd_says_of_mppe);
	tcase_add_test(t, test_a_small_buffer_is_not_overrun);
	suite_add_tcase(s, t);
	return s;
}
