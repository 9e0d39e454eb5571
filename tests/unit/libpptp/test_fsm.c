/* Every state by every message, for the control connection and for the four call machines: what is said, what the program
 * is told, and the state after it, written out here once more. */
#include <pptp/conn.h>

#include <string.h>

#include "tests/unit/libpptp/solo.h"
#include "tests/unit/suite.h"

Suite *suite_fsm(void);

enum { TYPES = 16 };

/* What to expect of one message: the line, and the state after it; NULL: ignored, in the same state. */
struct cell {
	const char *line;
	int after;
};

#define ESTABLISHED PPTP_CONN_ESTABLISHED
#define CLOSED PPTP_CONN_CLOSED

static const struct cell conn_cells[5][TYPES] = {
    [PPTP_CONN_IDLE] =
	{
	    [PPTP_START_CONTROL_CONNECTION_REQUEST] = {"SCCRP:1/0 ESTABLISHED", ESTABLISHED},
	    [PPTP_STOP_CONTROL_CONNECTION_REQUEST] = {"StopRP:1/0 CLOSED:peer", CLOSED},
	    [PPTP_ECHO_REQUEST] = {"EchoRP:2/1", PPTP_CONN_IDLE},
	    [PPTP_OUTGOING_CALL_REQUEST] = {"OCRP:2/1", PPTP_CONN_IDLE},
	    [PPTP_INCOMING_CALL_REQUEST] = {"ICRP:2/1", PPTP_CONN_IDLE},
	},
    [PPTP_CONN_WAIT_CTL_REPLY] =
	{
	    [PPTP_START_CONTROL_CONNECTION_REQUEST] = {"SCCRP:1/0 ESTABLISHED", ESTABLISHED}, /* our address is the lower one */
	    [PPTP_START_CONTROL_CONNECTION_REPLY] = {"ESTABLISHED", ESTABLISHED},
	    [PPTP_STOP_CONTROL_CONNECTION_REQUEST] = {"StopRP:1/0 CLOSED:peer", CLOSED},
	    [PPTP_ECHO_REQUEST] = {"EchoRP:2/1", PPTP_CONN_WAIT_CTL_REPLY},
	    [PPTP_OUTGOING_CALL_REQUEST] = {"OCRP:2/1", PPTP_CONN_WAIT_CTL_REPLY},
	    [PPTP_INCOMING_CALL_REQUEST] = {"ICRP:2/1", PPTP_CONN_WAIT_CTL_REPLY},
	},
    [PPTP_CONN_ESTABLISHED] =
	{
	    [PPTP_START_CONTROL_CONNECTION_REQUEST] = {"SCCRP:3/0", ESTABLISHED},
	    [PPTP_STOP_CONTROL_CONNECTION_REQUEST] = {"StopRP:1/0 CLOSED:peer", CLOSED},
	    [PPTP_ECHO_REQUEST] = {"EchoRP:1/0", ESTABLISHED},
	    [PPTP_OUTGOING_CALL_REQUEST] = {"REQUEST", ESTABLISHED},
	    [PPTP_INCOMING_CALL_REQUEST] = {"REQUEST", ESTABLISHED},
	},
    [PPTP_CONN_WAIT_STOP_REPLY] =
	{
	    [PPTP_STOP_CONTROL_CONNECTION_REQUEST] = {"StopRP:1/0 CLOSED:local", CLOSED},
	    [PPTP_STOP_CONTROL_CONNECTION_REPLY] = {"CLOSED:local", CLOSED},
	    [PPTP_ECHO_REQUEST] = {"EchoRP:1/0", PPTP_CONN_WAIT_STOP_REPLY},
	},
};

static void
bring_conn(struct solo *s, enum pptp_conn_state state)
{
	struct pptp_msg reply = msg_about(PPTP_START_CONTROL_CONNECTION_REPLY, 0, 0);

	s->config.peer_addr[0] = 1;
	solo_open(s, true);
	if (state >= PPTP_CONN_WAIT_CTL_REPLY)
		ck_assert_int_eq(pptp_conn_start(s->conn, s->ts), PPTP_OK);
	if (state >= PPTP_CONN_ESTABLISHED)
		solo_recv(s, &reply);
	if (state >= PPTP_CONN_WAIT_STOP_REPLY)
		ck_assert_int_eq(pptp_conn_stop(s->conn, PPTP_STOP_NONE, s->ts), PPTP_OK);
	if (state >= PPTP_CONN_CLOSED)
		pptp_conn_transport_closed(s->conn, s->ts);
	solo_line(s);
	ck_assert_int_eq(pptp_conn_state(s->conn), state);
}

START_TEST(connection_cells)
{
	enum pptp_conn_state state = (enum pptp_conn_state)(_i / TYPES);
	unsigned type = (unsigned)_i % TYPES;
	const struct cell *cell = &conn_cells[state][type];
	struct pptp_conn_stats before, after;
	struct pptp_msg msg;
	struct solo s;

	if (type == 0 || state == PPTP_CONN_CLOSED)
		return;
	solo_init(&s);
	bring_conn(&s, state);
	msg = msg_about((enum pptp_msg_type)type, 99, 98);
	pptp_conn_stats(s.conn, &before);
	solo_recv(&s, &msg);
	pptp_conn_stats(s.conn, &after);
	ck_assert_str_eq(solo_line(&s), cell->line != NULL ? cell->line : "");
	ck_assert_int_eq(pptp_conn_state(s.conn), cell->line != NULL ? cell->after : (int)state);
	ck_assert_uint_eq(after.rx_messages, before.rx_messages + 1);
	if (cell->line == NULL)
		ck_assert_uint_eq(after.refused, before.refused + 1);
	solo_free(&s);
}
END_TEST

START_TEST(closed_takes_nothing)
{
	uint8_t buf[PPTP_MAX_MESSAGE];
	struct solo s;

	solo_init(&s);
	bring_conn(&s, PPTP_CONN_CLOSED);
	for (unsigned type = 1; type < TYPES; type++) {
		struct pptp_msg msg = msg_about((enum pptp_msg_type)type, 1, 2);
		int n = pptp_msg_encode(buf, sizeof(buf), &msg);

		ck_assert_uint_eq(pptp_conn_recv(s.conn, buf, (size_t)n, s.ts), 0);
	}
	ck_assert_str_eq(solo_line(&s), "");
	solo_free(&s);
}
END_TEST

/* What the program may do in which state. */
START_TEST(connection_calls_of_the_program)
{
	static const struct {
		int start, stop, open;
	} want[5] = {
	    [PPTP_CONN_IDLE] = {PPTP_OK, PPTP_ERR_STATE, PPTP_ERR_STATE},
	    [PPTP_CONN_WAIT_CTL_REPLY] = {PPTP_ERR_STATE, PPTP_OK, PPTP_ERR_STATE},
	    [PPTP_CONN_ESTABLISHED] = {PPTP_ERR_STATE, PPTP_OK, PPTP_OK},
	    [PPTP_CONN_WAIT_STOP_REPLY] = {PPTP_ERR_STATE, PPTP_ERR_STATE, PPTP_ERR_STATE},
	    [PPTP_CONN_CLOSED] = {PPTP_ERR_STATE, PPTP_ERR_STATE, PPTP_ERR_STATE},
	};
	uint16_t id;

	for (int what = 0; what < 3; what++) {
		struct solo s;

		solo_init(&s);
		bring_conn(&s, (enum pptp_conn_state)_i);
		if (what == 0)
			ck_assert_int_eq(pptp_conn_start(s.conn, s.ts), want[_i].start);
		else if (what == 1)
			ck_assert_int_eq(pptp_conn_stop(s.conn, PPTP_STOP_LOCAL_SHUTDOWN, s.ts), want[_i].stop);
		else
			ck_assert_int_eq(pptp_call_open(s.conn, NULL, &id, s.ts), want[_i].open);
		solo_free(&s);
	}
}
END_TEST

/* --- calls ------------------------------------------------------------------------------ */

enum machine { PNS_OUT, PAC_OUT, PAC_IN, PNS_IN, MACHINES };
enum { STATES = PPTP_CALL_WAIT_DISCONNECT + 1 };

#define C_IDLE PPTP_CALL_IDLE
#define C_UP PPTP_CALL_ESTABLISHED

/* Once the peer has given its id it may end the call either way. Before that it can only use ours, which lenient mode takes
 * in Call-Disconnect-Notify. */
#define PEER_GIVES_UP [PPTP_CALL_DISCONNECT_NOTIFY] = {"DOWN:peer", C_IDLE}
#define PEER_ENDS [PPTP_CALL_CLEAR_REQUEST] = {"CDN:4/0 DOWN:peer", C_IDLE}, [PPTP_CALL_DISCONNECT_NOTIFY] = {"DOWN:peer", C_IDLE}
#define NOTIFIES [PPTP_WAN_ERROR_NOTIFY] = {"WAN", C_UP}, [PPTP_SET_LINK_INFO] = {"LINK", C_UP}
#define CLEARED [PPTP_CALL_CLEAR_REQUEST] = {"CDN:4/0 DOWN:local", C_IDLE}, [PPTP_CALL_DISCONNECT_NOTIFY] = {"DOWN:local", C_IDLE}

static const struct cell call_cells[MACHINES][STATES][TYPES] =
    {
	[PNS_OUT] =
	    {
		[PPTP_CALL_WAIT_REPLY] = {[PPTP_OUTGOING_CALL_REPLY] = {"UP", C_UP}, PEER_GIVES_UP},
		[PPTP_CALL_ESTABLISHED] = {PEER_ENDS, NOTIFIES},
		[PPTP_CALL_WAIT_DISCONNECT] = {CLEARED},
	    },
	[PAC_OUT] =
	    {
		[PPTP_CALL_WAIT_ANSWER] = {PEER_ENDS},
		[PPTP_CALL_ESTABLISHED] = {PEER_ENDS, NOTIFIES},
	    },
	[PAC_IN] =
	    {
		[PPTP_CALL_WAIT_REPLY] = {[PPTP_INCOMING_CALL_REPLY] = {"ICCN UP", C_UP}, PEER_GIVES_UP},
		[PPTP_CALL_ESTABLISHED] = {PEER_ENDS, NOTIFIES},
	    },
	[PNS_IN] =
	    {
		[PPTP_CALL_WAIT_ANSWER] = {PEER_ENDS},
		[PPTP_CALL_WAIT_CONNECT] = {[PPTP_INCOMING_CALL_CONNECTED] = {"UP", C_UP}, PEER_ENDS},
		[PPTP_CALL_ESTABLISHED] = {PEER_ENDS, NOTIFIES},
		[PPTP_CALL_WAIT_DISCONNECT] = {CLEARED},
	    },
};

static const bool has_state[MACHINES][STATES] = {
    [PNS_OUT] = {[PPTP_CALL_WAIT_REPLY] = true, [PPTP_CALL_ESTABLISHED] = true, [PPTP_CALL_WAIT_DISCONNECT] = true},
    [PAC_OUT] = {[PPTP_CALL_WAIT_ANSWER] = true, [PPTP_CALL_ESTABLISHED] = true},
    [PAC_IN] = {[PPTP_CALL_WAIT_REPLY] = true, [PPTP_CALL_ESTABLISHED] = true},
    [PNS_IN] = {[PPTP_CALL_WAIT_ANSWER] = true,
	[PPTP_CALL_WAIT_CONNECT] = true,
	[PPTP_CALL_ESTABLISHED] = true,
	[PPTP_CALL_WAIT_DISCONNECT] = true},
};

/* In strict mode a message that the RFC doesn't send to our role is ignored. */
static bool
to_our_role(enum machine machine, unsigned type)
{
	bool pns = machine == PNS_OUT || machine == PNS_IN;

	switch (type) {
	case PPTP_CALL_CLEAR_REQUEST:
	case PPTP_SET_LINK_INFO:
		return !pns;
	case PPTP_CALL_DISCONNECT_NOTIFY:
	case PPTP_WAN_ERROR_NOTIFY:
		return pns;
	default:
		return true;
	}
}

static void
bring_call(struct solo *s, enum machine machine, enum pptp_call_state state)
{
	struct pptp_msg msg;

	solo_establish(s);
	if (machine == PNS_OUT || machine == PAC_IN) {
		if (machine == PNS_OUT)
			ck_assert_int_eq(pptp_call_open(s->conn, NULL, &s->call_id, s->ts), PPTP_OK);
		else
			ck_assert_int_eq(pptp_call_offer(s->conn, NULL, &s->call_id, s->ts), PPTP_OK);
		msg = msg_about(machine == PNS_OUT ? PPTP_OUTGOING_CALL_REPLY : PPTP_INCOMING_CALL_REPLY, s->call_id, PEER_ID);
		if (state != PPTP_CALL_WAIT_REPLY)
			solo_recv(s, &msg);
	} else {
		msg = msg_about(machine == PAC_OUT ? PPTP_OUTGOING_CALL_REQUEST : PPTP_INCOMING_CALL_REQUEST, 0, PEER_ID);
		solo_recv(s, &msg);
		solo_line(s);
		if (state != PPTP_CALL_WAIT_ANSWER)
			ck_assert_int_eq(pptp_call_accept(s->conn, s->call_id, NULL, s->ts), PPTP_OK);
		msg = msg_about(PPTP_INCOMING_CALL_CONNECTED, s->call_id, PEER_ID);
		if (machine == PNS_IN && state >= PPTP_CALL_ESTABLISHED)
			solo_recv(s, &msg);
	}
	if (state == PPTP_CALL_WAIT_DISCONNECT)
		ck_assert_int_eq(pptp_call_clear(s->conn, s->call_id, PPTP_CDN_REQUEST, s->ts), PPTP_OK);
	solo_line(s);
}

static int
state_of(struct solo *s)
{
	struct pptp_call_info info;

	return pptp_call_info(s->conn, s->call_id, &info) == PPTP_OK ? (int)info.state : PPTP_CALL_IDLE;
}

static void
call_cell(enum machine machine, enum pptp_call_state state, unsigned type, enum pptp_policy policy)
{
	static const struct cell ignored = {"", -1};
	const struct cell *cell = &call_cells[machine][state][type];
	struct pptp_msg msg;
	struct solo s;

	if (cell->line == NULL || (policy == PPTP_STRICT && !to_our_role(machine, type)))
		cell = &ignored;
	if (policy == PPTP_STRICT && state == PPTP_CALL_WAIT_REPLY && type == PPTP_CALL_DISCONNECT_NOTIFY)
		cell = &ignored;
	solo_init(&s);
	s.config.policy = policy;
	bring_call(&s, machine, state);
	ck_assert_int_eq(state_of(&s), state);
	msg = msg_about((enum pptp_msg_type)type, s.call_id, state == PPTP_CALL_WAIT_REPLY ? s.call_id : PEER_ID);
	solo_recv(&s, &msg);
	ck_assert_msg(strcmp(solo_line(&s), cell->line) == 0, "machine %d state %d type %u policy %d: \"%s\", not \"%s\"", machine, state,
	    type, policy, s.line, cell->line);
	ck_assert_int_eq(state_of(&s), cell->after >= 0 ? cell->after : (int)state);
	ck_assert_int_eq(pptp_conn_state(s.conn), PPTP_CONN_ESTABLISHED);
	solo_free(&s);
}

START_TEST(call_cells_all)
{
	enum machine machine = (enum machine)(_i / STATES);
	enum pptp_call_state state = (enum pptp_call_state)(_i % STATES);

	if (!has_state[machine][state])
		return;
	for (unsigned type = PPTP_OUTGOING_CALL_REPLY; type < TYPES; type++) {
		if (type == PPTP_INCOMING_CALL_REQUEST)
			continue;
		call_cell(machine, state, type, PPTP_LENIENT);
		call_cell(machine, state, type, PPTP_STRICT);
	}
}
END_TEST

/* What the program does with a call: {return, line}. */
static const struct deed {
	int error;
	const char *line;
} deeds[MACHINES][STATES][5] = {
/* accept, reject, clear, link info, WAN error */
#define NO                                                                                                                                 \
	{                                                                                                                                  \
		PPTP_ERR_STATE, ""                                                                                                         \
	}
#define INFO                                                                                                                               \
	{PPTP_OK, "SLI"},                                                                                                                  \
	{                                                                                                                                  \
		PPTP_OK, "WEN"                                                                                                             \
	}
    [PNS_OUT] =
	{
	    [PPTP_CALL_WAIT_REPLY] = {NO, NO, {PPTP_OK, "CCRQ"}, NO, NO},
	    [PPTP_CALL_ESTABLISHED] = {NO, NO, {PPTP_OK, "CCRQ"}, INFO},
	    [PPTP_CALL_WAIT_DISCONNECT] = {NO, NO, {PPTP_OK, ""}, NO, NO},
	},
    [PAC_OUT] =
	{
	    [PPTP_CALL_WAIT_ANSWER] = {{PPTP_OK, "OCRP:1/0 UP"}, {PPTP_OK, "OCRP:4/0 DOWN:local"}, {PPTP_OK, "OCRP:7/0 DOWN:local"}, NO,
		NO},
	    [PPTP_CALL_ESTABLISHED] = {NO, NO, {PPTP_OK, "CDN:3/0 DOWN:local"}, INFO},
	},
    [PAC_IN] =
	{
	    [PPTP_CALL_WAIT_REPLY] = {NO, NO, {PPTP_OK, "CDN:3/0 DOWN:local"}, NO, NO},
	    [PPTP_CALL_ESTABLISHED] = {NO, NO, {PPTP_OK, "CDN:3/0 DOWN:local"}, INFO},
	},
    [PNS_IN] =
	{
	    [PPTP_CALL_WAIT_ANSWER] = {{PPTP_OK, "ICRP:1/0"}, {PPTP_OK, "ICRP:3/0 DOWN:local"}, {PPTP_OK, "ICRP:3/0 DOWN:local"}, NO, NO},
	    [PPTP_CALL_WAIT_CONNECT] = {NO, NO, {PPTP_OK, "CCRQ"}, NO, NO},
	    [PPTP_CALL_ESTABLISHED] = {NO, NO, {PPTP_OK, "CCRQ"}, INFO},
	    [PPTP_CALL_WAIT_DISCONNECT] = {NO, NO, {PPTP_OK, ""}, NO, NO},
	},
};

static int
do_deed(struct solo *s, enum machine machine, int what)
{
	static const struct pptp_wan_error_notify counts = {.crc_errors = 1};

	switch (what) {
	case 0:
		return pptp_call_accept(s->conn, s->call_id, NULL, s->ts);
	case 1:
		return pptp_call_reject(s->conn, s->call_id, machine == PNS_IN ? PPTP_ICRP_DO_NOT_ACCEPT : PPTP_OCRP_BUSY, 0, s->ts);
	case 2:
		return pptp_call_clear(s->conn, s->call_id, PPTP_CDN_ADMIN_SHUTDOWN, s->ts);
	case 3:
		return pptp_call_set_link_info(s->conn, s->call_id, 1, 2, s->ts);
	default:
		return pptp_call_wan_error(s->conn, s->call_id, &counts, s->ts);
	}
}

START_TEST(call_deeds_all)
{
	enum machine machine = (enum machine)(_i / STATES);
	enum pptp_call_state state = (enum pptp_call_state)(_i % STATES);

	for (int what = 0; what < 5 && has_state[machine][state]; what++) {
		struct solo s;

		solo_init(&s);
		bring_call(&s, machine, state);
		ck_assert_int_eq(do_deed(&s, machine, what), deeds[machine][state][what].error);
		ck_assert_str_eq(solo_line(&s), deeds[machine][state][what].line);
		solo_free(&s);
	}
}
END_TEST

/* No reply in time: by machine and state what is said and told. */
START_TEST(call_timeouts)
{
	static const struct {
		enum machine machine;
		enum pptp_call_state state;
		const char *line, *text;
	} want[] = {
	    {PNS_OUT, PPTP_CALL_WAIT_REPLY, "CCRQ DOWN:timeout", "no Outgoing-Call-Reply"},
	    {PNS_OUT, PPTP_CALL_ESTABLISHED, "", ""},
	    {PNS_OUT, PPTP_CALL_WAIT_DISCONNECT, "DOWN:local", ""},
	    {PAC_OUT, PPTP_CALL_WAIT_ANSWER, "", ""},
	    {PAC_OUT, PPTP_CALL_ESTABLISHED, "", ""},
	    {PAC_IN, PPTP_CALL_WAIT_REPLY, "CDN:2/0 DOWN:timeout", "no Incoming-Call-Reply"},
	    {PAC_IN, PPTP_CALL_ESTABLISHED, "", ""},
	    {PNS_IN, PPTP_CALL_WAIT_ANSWER, "", ""},
	    {PNS_IN, PPTP_CALL_WAIT_CONNECT, "CCRQ DOWN:timeout", "no Incoming-Call-Connected"},
	    {PNS_IN, PPTP_CALL_ESTABLISHED, "", ""},
	    {PNS_IN, PPTP_CALL_WAIT_DISCONNECT, "DOWN:local", ""},
	};

	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		struct solo s;

		solo_init(&s);
		s.config.echo_interval_ns = PPTP_TS_NEVER;
		s.config.reply_timeout_ns = 10 * SEC;
		bring_call(&s, want[i].machine, want[i].state);
		solo_pass(&s, 9);
		ck_assert_str_eq(solo_line(&s), "");
		solo_pass(&s, 1);
		ck_assert_str_eq(solo_line(&s), want[i].line);
		ck_assert_str_eq(s.last.type == PPTP_EVENT_CALL_DOWN ? s.last.text : "", want[i].text);
		solo_free(&s);
	}
}
END_TEST

Suite *
suite_fsm(void)
{
	Suite *s = suite_create("libpptp/fsm");
	TCase *conn = tcase_create("connection");
	TCase *call = tcase_create("call");

	tcase_add_loop_test(conn, connection_cells, 0, 5 * TYPES);
	tcase_add_test(conn, closed_takes_nothing);
	tcase_add_loop_test(conn, connection_calls_of_the_program, 0, 5);
	suite_add_tcase(s, conn);
	tcase_add_loop_test(call, call_cells_all, 0, MACHINES * STATES);
	tcase_add_loop_test(call, call_deeds_all, 0, MACHINES * STATES);
	tcase_add_test(call, call_timeouts);
	suite_add_tcase(s, call);
	return s;
}
