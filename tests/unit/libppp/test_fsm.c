/* The automaton against RFC 1661 section 4.1, typed a second time: by state, as text. */
#include <stdio.h>
#include <string.h>

#include "base/timerheap.h"
#include "libppp/fsm.h"
#include "tests/unit/suite.h"

Suite *suite_fsm(void);

static const char *const expected[FSM_STATES][FSM_EVENTS] = {
    /* Up Down Open Close | TO+ TO- | RCR+ RCR- RCA RCN | RTR RTA | RUC RXJ+ RXJ- | RXR */
    {"2", "-", "tls/1", "0", "-", "-", "-", "-", "-", "-", "-", "-", "-", "-", "-", "-"},
    {"irc,scr/6", "-", "1", "tlf/0", "-", "-", "-", "-", "-", "-", "-", "-", "-", "-", "-", "-"},
    {"-", "0", "irc,scr/6", "2", "-", "-", "sta/2", "sta/2", "sta/2", "sta/2", "sta/2", "2", "scj/2", "2", "tlf/2", "2"},
    {"-", "tls/1", "3", "2", "-", "-", "irc,scr,sca/8", "irc,scr,scn/6", "sta/3", "sta/3", "sta/3", "3", "scj/3", "3", "tlf/3", "3"},
    {"-", "0", "5", "4", "str/4", "tlf/2", "4", "4", "4", "4", "sta/4", "tlf/2", "scj/4", "4", "tlf/2", "4"},
    {"-", "1", "5", "4", "str/5", "tlf/3", "5", "5", "5", "5", "sta/5", "tlf/3", "scj/5", "5", "tlf/3", "5"},
    {"-", "1", "6", "irc,str/4", "scr/6", "tlf/3", "sca/8", "scn/6", "irc/7", "irc,scr/6", "sta/6", "6", "scj/6", "6", "tlf/3", "6"},
    {"-", "1", "7", "irc,str/4", "scr/6", "tlf/3", "sca,tlu/9", "scn/7", "scr/6", "scr/6", "sta/6", "6", "scj/7", "6", "tlf/3", "7"},
    {"-", "1", "8", "irc,str/4", "scr/8", "tlf/3", "sca/8", "scn/6", "irc,tlu/9", "irc,scr/8", "sta/6", "8", "scj/8", "8", "tlf/3", "8"},
    {"-", "tld/1", "9", "tld,irc,str/4", "-", "-", "tld,scr,sca/8", "tld,scr,scn/6", "tld,scr/6", "tld,scr/6", "tld,zrc,sta/5", "tld,scr/6",
	"scj/9", "9", "tld,irc,str/5", "ser/9"},
};

enum { MAX_CONFIGURE = 10, MAX_TERMINATE = 2, BEFORE = 50 };

/* What the automaton did, in its order. */
struct probe {
	struct fsm f;
	struct outq outq;
	uint64_t now;
	char did[64];
	bool insist; /* the option row Naks */
	unsigned forgotten;
};

static void
did(struct probe *p, const char *what)
{
	size_t n = strlen(p->did);

	snprintf(p->did + n, sizeof(p->did) - n, "%s%s", n > 0 ? "," : "", what);
}

static void
up(void *user)
{
	did(user, "tlu");
}

static void
down(void *user)
{
	did(user, "tld");
}

static void
finished(void *user)
{
	did(user, "tlf");
}

static void
echo_reply(void *user, const struct fsm_packet *packet)
{
	(void)packet;
	did(user, "ser");
}

static bool
extra(void *user, const struct fsm_packet *packet)
{
	struct probe *p = user;

	return packet->code == PPP_ECHO_REQ && fsm_event(&p->f, FSM_RXR);
}

static bool
build(void *user, struct wr *w)
{
	(void)user;
	wr_u8(w, 0x55);
	return true;
}

static enum opt_verdict
check(void *user, struct rd *data, struct wr *nak)
{
	(void)data;
	wr_u8(nak, 0x66);
	return ((struct probe *)user)->insist ? OPT_NAK : OPT_ACK;
}

static void
forget_peer(void *user)
{
	((struct probe *)user)->forgotten++;
}

static const struct opt_row rows[] = {{7, 1, 1, build, check, NULL, NULL, NULL}};
static const struct fsm_ops ops = {.proto = PPP_PROTO_IPCP,
    .options = {rows, 1},
    .up = up,
    .down = down,
    .finished = finished,
    .extra = extra,
    .echo_reply = echo_reply,
    .forget_peer = forget_peer};
static const struct fsm_limits limits = {TS_S(3), MAX_CONFIGURE, MAX_TERMINATE, 5};

static void
probe_init(struct probe *p, enum fsm_state state)
{
	*p = (struct probe){.now = TS_S(1)};
	outq_init(&p->outq);
	fsm_init(&p->f, &ops, p, &limits, &p->now);
	p->f.outq = &p->outq;
	p->f.state = state;
	p->f.restarts = BEFORE;
}

/* Names what left and what became of the restart counter, between the callbacks that come first and those that come last. */
static void
account(struct probe *p, char *out, size_t outlen)
{
	static const char *const sent[] = {"", "scr", "sca", "scn", "scn", "str", "sta", "scj"};
	bool tld = strncmp(p->did, "tld", 3) == 0;
	const char *rest = tld ? p->did + 3 + (p->did[3] == ',') : p->did;
	uint8_t frame[PPP_MAX_CONTROL];
	char sends[64] = "";
	int counted = 0;

	while (outq_take(&p->outq, frame, sizeof(frame)) > 0) {
		size_t n = strlen(sends);

		snprintf(sends + n, sizeof(sends) - n, "%s,", sent[frame[2]]);
		counted += frame[2] == PPP_CONF_REQ || frame[2] == PPP_TERM_REQ;
	}
	snprintf(out, outlen, "%s%s%s%s", tld ? "tld," : "",
	    p->f.restarts == BEFORE - counted ? ""
	    : p->f.restarts == 0              ? "zrc,"
					      : "irc,",
	    sends, rest);
	if (strlen(out) > 0 && out[strlen(out) - 1] == ',')
		out[strlen(out) - 1] = '\0';
}

START_TEST(test_all_cells)
{
	static const uint8_t bytes[6] = {9, 3, 0, 6, 7, 3};

	for (int state = 0; state < FSM_STATES; state++) {
		for (int event = 0; event < FSM_EVENTS; event++) {
			struct fsm_packet packet = {9, 3, bytes + 4, 2};
			struct opt_reply reply = {.code = event == FSM_RCR_PLUS ? PPP_CONF_ACK : PPP_CONF_NAK};
			char did_now[200], got[220];
			struct probe p;
			bool legal;

			probe_init(&p, (enum fsm_state)state);
			p.f.packet = &packet;
			p.f.reply = event == FSM_RCR_PLUS || event == FSM_RCR_MINUS ? &reply : NULL;
			legal = fsm_event(&p.f, (enum fsm_event)event);
			if (fsm_cell((enum fsm_state)state, (enum fsm_event)event).actions & FSM_TLS)
				did(&p, "tls"); /* nobody listens to this one, so only the table tells */
			account(&p, did_now, sizeof(did_now));
			snprintf(got, sizeof(got), "%s%s%d", did_now, did_now[0] != '\0' ? "/" : "", p.f.state);
			ck_assert_msg(strcmp(legal ? got : "-", expected[state][event]) == 0, "state %s event %d: %s, not %s",
			    fsm_state_name((enum fsm_state)state), event, legal ? got : "-", expected[state][event]);
			ck_assert(legal || p.f.state == (enum fsm_state)state);
		}
	}
}
END_TEST

START_TEST(test_timer_runs_where_it_should)
{
	for (int state = 0; state < FSM_STATES; state++) {
		struct probe p;

		probe_init(&p, FSM_REQ_SENT);
		fsm_event(&p.f, FSM_TO_PLUS);
		ck_assert_uint_eq(p.f.expiry, TS_S(4));
	}
	for (int event = 0; event < FSM_EVENTS; event++) {
		struct probe p;

		probe_init(&p, FSM_ACK_SENT);
		fsm_event(&p.f, (enum fsm_event)event);
		if (p.f.state < FSM_CLOSING || p.f.state == FSM_OPENED)
			ck_assert_uint_eq(p.f.expiry, TS_NEVER);
	}
}
END_TEST

static uint8_t
next_code(struct probe *p, uint8_t *id)
{
	uint8_t frame[PPP_MAX_CONTROL];

	if (outq_take(&p->outq, frame, sizeof(frame)) == 0)
		return 0;
	*id = frame[3];
	return frame[2];
}

START_TEST(test_counts_transmissions)
{
	struct probe p;
	uint8_t id = 0, first;
	int sent = 0;

	probe_init(&p, FSM_INITIAL);
	fsm_event(&p.f, FSM_OPEN);
	fsm_event(&p.f, FSM_UP);
	ck_assert_uint_eq(next_code(&p, &first), PPP_CONF_REQ);
	for (sent = 1; p.f.state == FSM_REQ_SENT; sent++) {
		p.now = p.f.expiry;
		fsm_expire(&p.f);
		if (p.f.state != FSM_REQ_SENT)
			break;
		ck_assert_uint_eq(next_code(&p, &id), PPP_CONF_REQ);
		ck_assert_uint_eq(id, first); /* a retransmission is the same request */
	}
	ck_assert_int_eq(sent, MAX_CONFIGURE);
	ck_assert_str_eq(p.did, "tlf");
	ck_assert_int_eq(p.f.state, FSM_STOPPED);
	ck_assert_uint_eq(p.now, TS_S(1) + MAX_CONFIGURE * TS_S(3));
}
END_TEST

START_TEST(test_terminates)
{
	struct probe p;
	uint8_t id;

	probe_init(&p, FSM_OPENED);
	snprintf(p.f.reason, sizeof(p.f.reason), "bye");
	fsm_event(&p.f, FSM_CLOSE);
	ck_assert_uint_eq(next_code(&p, &id), PPP_TERM_REQ);
	p.now = p.f.expiry;
	fsm_expire(&p.f);
	ck_assert_uint_eq(next_code(&p, &id), PPP_TERM_REQ);
	p.now = p.f.expiry;
	fsm_expire(&p.f);
	ck_assert_uint_eq(next_code(&p, &id), 0);
	ck_assert_str_eq(p.did, "tld,tlf");
	ck_assert_int_eq(p.f.state, FSM_CLOSED);
}
END_TEST

static void
give(struct probe *p, const char *bytes, size_t len)
{
	fsm_input(&p->f, (const uint8_t *)bytes, len);
}

#define GIVE(p, s) give(p, s, sizeof(s) - 1)

START_TEST(test_identifiers)
{
	struct probe p;

	probe_init(&p, FSM_INITIAL);
	fsm_event(&p.f, FSM_OPEN);
	fsm_event(&p.f, FSM_UP); /* request 1: <7 3 55> */
	GIVE(&p, "\x02\x02\x00\x07\x07\x03\x55");
	ck_assert_int_eq(p.f.state, FSM_REQ_SENT); /* wrong id */
	GIVE(&p, "\x02\x01\x00\x07\x07\x03\x56");
	ck_assert_int_eq(p.f.state, FSM_REQ_SENT); /* not what was asked for */
	GIVE(&p, "\x02\x01\x00\x04");
	ck_assert_int_eq(p.f.state, FSM_REQ_SENT);
	GIVE(&p, "\x03\x09\x00\x07\x07\x03\x56");
	GIVE(&p, "\x04\x01\x00\x07\x07\x03\x56");
	GIVE(&p, "\x04\x01\x00\x04");
	ck_assert_uint_eq(p.f.rx_bad, 6);
	GIVE(&p, "\x02\x01\x00\x07\x07\x03\x55\xff\xff"); /* padding is no part of it */
	ck_assert_int_eq(p.f.state, FSM_ACK_RCVD);
	GIVE(&p, "\x02\x01\x00\x07\x07\x03\x55"); /* answered already: no crossed connection */
	ck_assert_int_eq(p.f.state, FSM_ACK_RCVD);
	GIVE(&p, "\x01\x33\x00\x07\x07\x03\x11");
	ck_assert_int_eq(p.f.state, FSM_OPENED);
	GIVE(&p, "\x02\x01\x00\x07\x07\x03\x55");
	ck_assert_int_eq(p.f.state, FSM_OPENED);
	ck_assert_str_eq(p.did, "tlu");
}
END_TEST

START_TEST(test_lost_ack)
{
	struct probe p;
	uint8_t id;

	probe_init(&p, FSM_ACK_RCVD);
	GIVE(&p, "\x01\x33\x00\x07\x07\x03\x11");
	ck_assert_uint_eq(next_code(&p, &id), PPP_CONF_ACK);
	for (int i = 0; i < FSM_REPEATS; i++) {
		GIVE(&p, "\x01\x33\x00\x07\x07\x03\x11");
		ck_assert_uint_eq(next_code(&p, &id), PPP_CONF_ACK);
		ck_assert_uint_eq(id, 0x33);
		ck_assert_uint_eq(next_code(&p, &id), 0);
		ck_assert_int_eq(p.f.state, FSM_OPENED);
	}
	ck_assert_str_eq(p.did, "tlu");
	GIVE(&p, "\x01\x33\x00\x07\x07\x03\x11"); /* it means it */
	ck_assert_int_eq(p.f.state, FSM_ACK_SENT);
	ck_assert_str_eq(p.did, "tlu,tld");
	/* and another request is never taken for a repetition */
	probe_init(&p, FSM_ACK_RCVD);
	GIVE(&p, "\x01\x33\x00\x07\x07\x03\x11");
	GIVE(&p, "\x01\x34\x00\x07\x07\x03\x11");
	ck_assert_int_eq(p.f.state, FSM_ACK_SENT);
}
END_TEST

START_TEST(test_peer_that_naks_for_ever)
{
	char nak[] = "\x03\x01\x00\x07\x07\x03\x11";
	static const uint8_t max[] = {MAX_CONFIGURE, UINT8_MAX};
	struct probe p;
	int n;

	probe_init(&p, FSM_INITIAL);
	p.f.limits.max_configure = max[_i];
	fsm_event(&p.f, FSM_OPEN);
	fsm_event(&p.f, FSM_UP);
	for (n = 0; n < 1000 && p.f.state == FSM_REQ_SENT; n++) {
		uint8_t id;

		while (next_code(&p, &id) != 0)
			nak[1] = (char)id;
		give(&p, nak, 7);
	}
	ck_assert_int_le(n, 2 * max[_i] + 1);
	ck_assert_int_eq(p.f.state, FSM_STOPPED);
	ck_assert_str_eq(p.did, "tlf");
}
END_TEST

START_TEST(test_max_failure_turns_naks_to_rejects)
{
	struct probe p;
	uint8_t id;

	probe_init(&p, FSM_REQ_SENT);
	p.insist = true;
	for (int i = 0; i < 7; i++) {
		GIVE(&p, "\x01\x01\x00\x07\x07\x03\x11");
		ck_assert_uint_eq(next_code(&p, &id), i < 5 ? PPP_CONF_NAK : PPP_CONF_REJ);
	}
	p.insist = false;
	GIVE(&p, "\x01\x01\x00\x07\x07\x03\x11");
	ck_assert_uint_eq(next_code(&p, &id), PPP_CONF_ACK);
	p.insist = true;
	GIVE(&p, "\x01\x01\x00\x07\x07\x03\x11"); /* counted anew after an Ack */
	ck_assert_uint_eq(next_code(&p, &id), PPP_CONF_NAK);
}
END_TEST

START_TEST(test_peer_that_never_takes_a_reject)
{
	unsigned replies = 0;
	struct probe p;
	uint8_t id, code;

	probe_init(&p, FSM_INITIAL);
	p.insist = true;
	fsm_event(&p.f, FSM_OPEN);
	fsm_event(&p.f, FSM_UP);
	for (int n = 0; n < 1000 && p.f.state == FSM_REQ_SENT; n++) {
		while ((code = next_code(&p, &id)) != 0)
			replies += code == PPP_CONF_NAK || code == PPP_CONF_REJ;
		GIVE(&p, "\x01\x01\x00\x07\x07\x03\x11");
	}
	ck_assert_uint_eq(replies, 5 + 2 * MAX_CONFIGURE);
	ck_assert_int_eq(p.f.state, FSM_STOPPED);
	ck_assert_str_eq(p.did, "tlf");
}
END_TEST

START_TEST(test_unknown_code)
{
	uint8_t frame[PPP_MAX_CONTROL];
	struct probe p;

	probe_init(&p, FSM_OPENED);
	GIVE(&p, "\x63\x05\x00\x06\xab\xcd");
	ck_assert_uint_eq(outq_take(&p.outq, frame, sizeof(frame)), 12);
	ck_assert_int_eq(memcmp(frame + 2, "\x07\x01\x00\x0a\x63\x05\x00\x06\xab\xcd", 10), 0);
	GIVE(&p, "\x07\x05\x00\x05\x63"); /* its reject of a code we can do without */
	ck_assert_int_eq(p.f.state, FSM_OPENED);
	GIVE(&p, "\x07\x05\x00\x04"); /* of nothing */
	ck_assert_uint_eq(p.f.rx_bad, 1);
	GIVE(&p, "\x07\x05\x00\x05\x01"); /* and of Configure-Request */
	ck_assert_int_eq(p.f.state, FSM_STOPPING);
}
END_TEST

START_TEST(test_lengths)
{
	struct probe p;

	probe_init(&p, FSM_OPENED);
	GIVE(&p, "");
	GIVE(&p, "\x05");
	GIVE(&p, "\x05\x01\x00");
	GIVE(&p, "\x05\x01\x00\x00");
	GIVE(&p, "\x05\x01\x00\x03");
	GIVE(&p, "\x05\x01\x00\x05");
	GIVE(&p, "\x05\x01\xff\xff");
	ck_assert_uint_eq(p.f.rx_bad, 7);
	ck_assert_int_eq(p.f.state, FSM_OPENED);
}
END_TEST

/* A request that is discarded leaves all that the peer said before as it was. */
START_TEST(test_malformed_request_changes_nothing)
{
	static const char *const bad[] = {"\x07\x00\x11", "\x07\x01\x11", "\x07\xff\x11", "\x07\x03\x11\x07", "\x07\x03\x11\x07\x03"};
	static const size_t len[] = {3, 3, 3, 4, 5};
	struct probe p;
	uint8_t id;

	probe_init(&p, FSM_OPENED);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char packet[16] = {1, 1, 0, (char)(4 + len[i])};

		memcpy(packet + 4, bad[i], len[i]);
		give(&p, packet, 4 + len[i]);
		ck_assert_uint_eq(p.f.rx_bad, i + 1);
	}
	ck_assert_uint_eq(p.forgotten, 0);
	ck_assert_int_eq(p.f.state, FSM_OPENED);
	ck_assert_uint_eq(next_code(&p, &id), 0);
	GIVE(&p, "\x01\x01\x00\x07\x07\x03\x11");
	ck_assert_uint_eq(p.forgotten, 1);
}
END_TEST

START_TEST(test_passive_waits)
{
	struct probe p;
	uint8_t id;

	probe_init(&p, FSM_INITIAL);
	p.f.passive = true;
	fsm_event(&p.f, FSM_OPEN);
	fsm_event(&p.f, FSM_UP);
	ck_assert_uint_eq(next_code(&p, &id), 0);
	ck_assert_uint_eq(p.f.expiry, TS_NEVER);
	GIVE(&p, "\x01\x01\x00\x07\x07\x03\x11");
	ck_assert_uint_eq(next_code(&p, &id), PPP_CONF_REQ);
	ck_assert_uint_eq(next_code(&p, &id), PPP_CONF_ACK);
	ck_assert_int_eq(p.f.state, FSM_ACK_SENT);
}
END_TEST

Suite *
suite_fsm(void)
{
	Suite *s = suite_create("fsm");
	TCase *t = tcase_create("fsm");

	tcase_add_test(t, test_all_cells);
	tcase_add_test(t, test_timer_runs_where_it_should);
	tcase_add_test(t, test_counts_transmissions);
	tcase_add_test(t, test_terminates);
	tcase_add_test(t, test_identifiers);
	tcase_add_test(t, test_lost_ack);
	tcase_add_loop_test(t, test_peer_that_naks_for_ever, 0, 2);
	tcase_add_test(t, test_max_failure_turns_naks_to_rejects);
	tcase_add_test(t, test_peer_that_never_takes_a_reject);
	tcase_add_test(t, test_unknown_code);
	tcase_add_test(t, test_lengths);
	tcase_add_test(t, test_malformed_request_changes_nothing);
	tcase_add_test(t, test_passive_waits);
	suite_add_tcase(s, t);
	return s;
}
