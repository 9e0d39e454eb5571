#include <string.h>

#include "libpptp/conn_private.h"
#include "libpptp/msg_table.h"

typedef int (*conn_action)(struct pptp_conn *, const struct conn_input *);

/* Starts the time that the peer has in a state. */
void
conn_set_state(struct pptp_conn *conn, enum pptp_conn_state state, uint64_t ts)
{
	conn->state = state;
	switch (state) {
	case PPTP_CONN_IDLE:
		conn->deadline = conn->initiator ? PPTP_TS_NEVER : ts_add(ts, conn->config.start_timeout_ns);
		break;
	case PPTP_CONN_WAIT_CTL_REPLY:
		conn->deadline = ts_add(ts, conn->config.start_timeout_ns);
		break;
	case PPTP_CONN_ESTABLISHED:
		conn->deadline = ts_add(ts, conn->config.echo_interval_ns);
		conn_note(conn, PPTP_EVENT_ESTABLISHED, NULL);
		break;
	case PPTP_CONN_WAIT_STOP_REPLY:
		conn->deadline = ts_add(ts, conn->config.reply_timeout_ns);
		call_end_all(conn, conn->ending.end, conn->ending.text, ts);
		break;
	case PPTP_CONN_CLOSED:
		conn->deadline = PPTP_TS_NEVER;
		call_end_all(conn, conn->ending.end, conn->ending.text, ts);
		break;
	}
}

static void
close_conn(struct pptp_conn *conn, enum pptp_end end, int error, const char *text, uint64_t ts)
{
	ending_set(&conn->ending, end, error, text);
	conn_set_state(conn, PPTP_CONN_CLOSED, ts);
}

/* Start-Control-Connection-Request or -Reply (sections 2.1 and 2.2). */
static void
send_start(struct pptp_conn *conn, enum pptp_msg_type type, uint8_t result_code, uint8_t error_code)
{
	struct pptp_msg msg = {
	    .type = type,
	    .start =
		{
		    .protocol_version = PPTP_VERSION_1,
		    .result_code = result_code,
		    .error_code = error_code,
		    .framing_capabilities = conn->config.framing_capabilities,
		    .bearer_capabilities = conn->config.bearer_capabilities,
		    .maximum_channels = conn->config.maximum_channels,
		    .firmware_revision = conn->config.firmware_revision,
		},
	};

	memcpy(msg.start.host_name, conn->host_name, sizeof(msg.start.host_name));
	memcpy(msg.start.vendor_name, conn->vendor_name, sizeof(msg.start.vendor_name));
	conn_send(conn, &msg);
}

static void
send_stop(struct pptp_conn *conn, uint8_t reason)
{
	conn_send(conn, &(struct pptp_msg){.type = PPTP_STOP_CONTROL_CONNECTION_REQUEST, .stop_request = {.reason = reason}});
}

static void
send_echo_reply(struct pptp_conn *conn, uint32_t identifier, uint8_t result_code, uint8_t error_code)
{
	conn_send(conn, &(struct pptp_msg){.type = PPTP_ECHO_REPLY,
			    .echo = {.identifier = identifier, .result_code = result_code, .error_code = error_code}});
}

enum { RESULT_OK = 1, RESULT_GENERAL_ERROR = 2 }; /* alike in all replies */

void
conn_refuse(struct pptp_conn *conn, const struct pptp_msg *msg, uint8_t error_code)
{
	struct pptp_msg reply = {.type = pptp_msg_info(msg->type)->reply};

	switch (msg->type) {
	case PPTP_START_CONTROL_CONNECTION_REQUEST:
		send_start(conn, reply.type, RESULT_GENERAL_ERROR, error_code);
		return;
	case PPTP_ECHO_REQUEST:
		send_echo_reply(conn, msg->echo.identifier, RESULT_GENERAL_ERROR, error_code);
		return;
	case PPTP_OUTGOING_CALL_REQUEST:
		reply.outgoing_call_reply.peer_call_id = msg->outgoing_call_request.call_id;
		reply.outgoing_call_reply.result_code = RESULT_GENERAL_ERROR;
		reply.outgoing_call_reply.error_code = error_code;
		break;
	case PPTP_INCOMING_CALL_REQUEST:
		reply.incoming_call_reply.peer_call_id = msg->incoming_call_request.call_id;
		reply.incoming_call_reply.result_code = RESULT_GENERAL_ERROR;
		reply.incoming_call_reply.error_code = error_code;
		break;
	default:
		return;
	}
	conn_send(conn, &reply);
}

/* --- actions ------------------------------------------------------------------- */

static int
ignore(struct pptp_conn *conn, const struct conn_input *in)
{
	(void)in;
	conn->stats.refused++;
	return PPTP_OK;
}

static int
nothing(struct pptp_conn *conn, const struct conn_input *in)
{
	(void)conn;
	(void)in;
	return PPTP_OK;
}

static int
illegal(struct pptp_conn *conn, const struct conn_input *in)
{
	(void)conn;
	(void)in;
	return PPTP_ERR_STATE;
}

static int
refuse(struct pptp_conn *conn, const struct conn_input *in)
{
	conn->stats.refused++;
	conn_refuse(conn, in->msg, PPTP_EC_NOT_CONNECTED);
	return PPTP_OK;
}

/* A second Start on a connection that is up changes nothing: result 3 (section 2.2) says that there is one. */
static int
refuse_start(struct pptp_conn *conn, const struct conn_input *in)
{
	(void)in;
	conn->stats.refused++;
	send_start(conn, PPTP_START_CONTROL_CONNECTION_REPLY, PPTP_START_EXISTS, PPTP_EC_NONE);
	return PPTP_OK;
}

static int
start(struct pptp_conn *conn, const struct conn_input *in)
{
	send_start(conn, PPTP_START_CONTROL_CONNECTION_REQUEST, 0, 0);
	conn_set_state(conn, PPTP_CONN_WAIT_CTL_REPLY, in->ts);
	return PPTP_OK;
}

static int
accept_start(struct pptp_conn *conn, const struct conn_input *in)
{
	if (in->msg->start.protocol_version != PPTP_VERSION_1) {
		conn->stats.refused++;
		send_start(conn, PPTP_START_CONTROL_CONNECTION_REPLY, PPTP_START_BAD_VERSION, PPTP_EC_NONE);
		close_conn(conn, PPTP_END_PROTOCOL, PPTP_ERR_FIELD, "Start-Control-Connection-Request: wrong protocol version", in->ts);
		return PPTP_OK;
	}
	conn->peer = in->msg->start;
	send_start(conn, PPTP_START_CONTROL_CONNECTION_REPLY, PPTP_START_OK, PPTP_EC_NONE);
	conn_set_state(conn, PPTP_CONN_ESTABLISHED, in->ts);
	return PPTP_OK;
}

/* Both sides sent a request on one TCP connection. Section 3.1.3 speaks of two, and lets the higher address win; here
 * the loser has no connection to close, and only answers. Between equal addresses the side that opened TCP wins. */
static int
collide(struct pptp_conn *conn, const struct conn_input *in)
{
	int order = memcmp(conn->config.local_addr, conn->config.peer_addr, sizeof(conn->config.local_addr));

	if (order > 0 || (order == 0 && conn->initiator))
		return PPTP_OK;
	return accept_start(conn, in);
}

static int
started(struct pptp_conn *conn, const struct conn_input *in)
{
	const struct pptp_start *peer = &in->msg->start;
	bool ok = peer->result_code == PPTP_START_OK || (peer->result_code == 0 && conn->config.policy == PPTP_LENIENT);

	if (ok && peer->protocol_version == PPTP_VERSION_1) {
		conn->peer = *peer;
		conn_set_state(conn, PPTP_CONN_ESTABLISHED, in->ts);
	} else if (ok) {
		send_stop(conn, PPTP_STOP_PROTOCOL);
		ending_set(&conn->ending, PPTP_END_PROTOCOL, PPTP_ERR_FIELD, "Start-Control-Connection-Reply: wrong protocol version");
		conn_set_state(conn, PPTP_CONN_WAIT_STOP_REPLY, in->ts);
	} else {
		ending_set(&conn->ending, PPTP_END_REFUSED, PPTP_OK, pptp_result_text(in->msg->type, peer->result_code));
		conn->ending.result_code = peer->result_code;
		conn->ending.error_code = peer->error_code;
		conn_set_state(conn, PPTP_CONN_CLOSED, in->ts);
	}
	return PPTP_OK;
}

static int
stop(struct pptp_conn *conn, const struct conn_input *in)
{
	send_stop(conn, in->reason);
	ending_set(&conn->ending, PPTP_END_LOCAL, PPTP_OK, "");
	conn_set_state(conn, PPTP_CONN_WAIT_STOP_REPLY, in->ts);
	return PPTP_OK;
}

static void
send_stop_reply(struct pptp_conn *conn)
{
	conn_send(conn, &(struct pptp_msg){.type = PPTP_STOP_CONTROL_CONNECTION_REPLY, .stop_reply = {.result_code = RESULT_OK}});
}

static int
stopped_by_peer(struct pptp_conn *conn, const struct conn_input *in)
{
	uint8_t reason = in->msg->stop_request.reason;

	send_stop_reply(conn);
	ending_set(&conn->ending, PPTP_END_PEER, PPTP_OK, pptp_result_text(in->msg->type, reason));
	conn->ending.result_code = reason;
	conn_set_state(conn, PPTP_CONN_CLOSED, in->ts);
	return PPTP_OK;
}

/* Both sides stop at once: each answers, and neither waits for more. */
static int
stops_crossed(struct pptp_conn *conn, const struct conn_input *in)
{
	send_stop_reply(conn);
	conn_set_state(conn, PPTP_CONN_CLOSED, in->ts);
	return PPTP_OK;
}

/* Ends as was decided when Stop-Control-Connection-Request went out. */
static int
stopped(struct pptp_conn *conn, const struct conn_input *in)
{
	conn_set_state(conn, PPTP_CONN_CLOSED, in->ts);
	return PPTP_OK;
}

static int
echo(struct pptp_conn *conn, const struct conn_input *in)
{
	send_echo_reply(conn, in->msg->echo.identifier, RESULT_OK, PPTP_EC_NONE);
	return PPTP_OK;
}

static int
echoed(struct pptp_conn *conn, const struct conn_input *in)
{
	if (!conn->echo_pending || in->msg->echo.identifier != conn->echo_identifier)
		return ignore(conn, in);
	conn->echo_pending = false;
	conn->stats.rtt_ns = in->ts > conn->echo_sent ? in->ts - conn->echo_sent : 1;
	conn->deadline = ts_add(in->ts, conn->config.echo_interval_ns);
	return PPTP_OK;
}

/* A peer that doesn't read leaves no room for the request; it then gets the same time to come back. */
static int
echo_timer(struct pptp_conn *conn, const struct conn_input *in)
{
	if (conn->echo_pending) {
		close_conn(conn, PPTP_END_ECHO_TIMEOUT, PPTP_OK, "no Echo-Reply", in->ts);
		return PPTP_OK;
	}
	conn->echo_pending = true;
	conn->echo_identifier++;
	conn->echo_sent = in->ts;
	conn->deadline = ts_add(in->ts, conn->config.echo_timeout_ns);
	if (conn_has_room(conn))
		conn_send(conn, &(struct pptp_msg){.type = PPTP_ECHO_REQUEST, .echo = {.identifier = conn->echo_identifier}});
	return PPTP_OK;
}

static int
start_timeout(struct pptp_conn *conn, const struct conn_input *in)
{
	const char *what = conn->state == PPTP_CONN_IDLE ? "no Start-Control-Connection-Request" : "no Start-Control-Connection-Reply";

	close_conn(conn, PPTP_END_TIMEOUT, PPTP_OK, what, in->ts);
	return PPTP_OK;
}

static int
tcp_closed(struct pptp_conn *conn, const struct conn_input *in)
{
	conn->out_len = 0;
	close_conn(conn, PPTP_END_TRANSPORT, PPTP_OK, "", in->ts);
	return PPTP_OK;
}

/* TCP that ends while the peer owes Stop-Control-Connection-Reply is an answer, too. */
static int
tcp_closed_after_stop(struct pptp_conn *conn, const struct conn_input *in)
{
	conn->out_len = 0;
	return stopped(conn, in);
}

static int
yield(struct pptp_conn *conn, const struct conn_input *in)
{
	conn->out_len = 0;
	close_conn(conn, PPTP_END_COLLISION, PPTP_OK, "", in->ts);
	return PPTP_OK;
}

/* Loss of synchronization must close TCP at once (section 1.4), so nothing is said to the peer. */
static int
bad_stream(struct pptp_conn *conn, const struct conn_input *in)
{
	close_conn(conn, PPTP_END_PROTOCOL, in->error, pptp_strerror(in->error), in->ts);
	return PPTP_OK;
}

static int
to_call(struct pptp_conn *conn, const struct conn_input *in)
{
	struct call *call;

	if (msg_row(in->event)->scope == SCOPE_NEW) {
		call_requested(conn, in->msg, in->ts);
		return PPTP_OK;
	}
	call = call_select(conn, in->msg);
	if (call == NULL || call_fsm(conn, call, &(struct call_input){.event = in->event, .ts = in->ts, .msg = in->msg}) != PPTP_OK)
		return ignore(conn, in);
	return PPTP_OK;
}

/* --- the machine ----------------------------------------------------------------- */

/* Every state by every event, sections 3.1.1 and 3.1.2. What they leave open: a message that needs a connection which is
 * up is refused with "not connected" if it has a reply that can say so, and ignored otherwise. */
static const conn_action cells[CONN_STATES][CONN_EVENTS] = {
    [PPTP_CONN_IDLE] =
	{
	    [PPTP_START_CONTROL_CONNECTION_REQUEST] = accept_start,
	    [PPTP_START_CONTROL_CONNECTION_REPLY] = ignore,
	    [PPTP_STOP_CONTROL_CONNECTION_REQUEST] = stopped_by_peer,
	    [PPTP_STOP_CONTROL_CONNECTION_REPLY] = ignore,
	    [PPTP_ECHO_REQUEST] = refuse,
	    [PPTP_ECHO_REPLY] = ignore,
	    [PPTP_OUTGOING_CALL_REQUEST] = refuse,
	    [PPTP_OUTGOING_CALL_REPLY] = ignore,
	    [PPTP_INCOMING_CALL_REQUEST] = refuse,
	    [PPTP_INCOMING_CALL_REPLY] = ignore,
	    [PPTP_INCOMING_CALL_CONNECTED] = ignore,
	    [PPTP_CALL_CLEAR_REQUEST] = ignore,
	    [PPTP_CALL_DISCONNECT_NOTIFY] = ignore,
	    [PPTP_WAN_ERROR_NOTIFY] = ignore,
	    [PPTP_SET_LINK_INFO] = ignore,
	    [EV_START] = start,
	    [EV_STOP] = illegal,
	    [EV_TIMEOUT] = start_timeout,
	    [EV_TCP_CLOSED] = tcp_closed,
	    [EV_YIELD] = yield,
	    [EV_BAD_STREAM] = bad_stream,
	},
    [PPTP_CONN_WAIT_CTL_REPLY] =
	{
	    [PPTP_START_CONTROL_CONNECTION_REQUEST] = collide,
	    [PPTP_START_CONTROL_CONNECTION_REPLY] = started,
	    [PPTP_STOP_CONTROL_CONNECTION_REQUEST] = stopped_by_peer,
	    [PPTP_STOP_CONTROL_CONNECTION_REPLY] = ignore,
	    [PPTP_ECHO_REQUEST] = refuse,
	    [PPTP_ECHO_REPLY] = ignore,
	    [PPTP_OUTGOING_CALL_REQUEST] = refuse,
	    [PPTP_OUTGOING_CALL_REPLY] = ignore,
	    [PPTP_INCOMING_CALL_REQUEST] = refuse,
	    [PPTP_INCOMING_CALL_REPLY] = ignore,
	    [PPTP_INCOMING_CALL_CONNECTED] = ignore,
	    [PPTP_CALL_CLEAR_REQUEST] = ignore,
	    [PPTP_CALL_DISCONNECT_NOTIFY] = ignore,
	    [PPTP_WAN_ERROR_NOTIFY] = ignore,
	    [PPTP_SET_LINK_INFO] = ignore,
	    [EV_START] = illegal,
	    [EV_STOP] = stop,
	    [EV_TIMEOUT] = start_timeout,
	    [EV_TCP_CLOSED] = tcp_closed,
	    [EV_YIELD] = yield,
	    [EV_BAD_STREAM] = bad_stream,
	},
    [PPTP_CONN_ESTABLISHED] =
	{
	    [PPTP_START_CONTROL_CONNECTION_REQUEST] = refuse_start,
	    [PPTP_START_CONTROL_CONNECTION_REPLY] = ignore,
	    [PPTP_STOP_CONTROL_CONNECTION_REQUEST] = stopped_by_peer,
	    [PPTP_STOP_CONTROL_CONNECTION_REPLY] = ignore,
	    [PPTP_ECHO_REQUEST] = echo,
	    [PPTP_ECHO_REPLY] = echoed,
	    [PPTP_OUTGOING_CALL_REQUEST] = to_call,
	    [PPTP_OUTGOING_CALL_REPLY] = to_call,
	    [PPTP_INCOMING_CALL_REQUEST] = to_call,
	    [PPTP_INCOMING_CALL_REPLY] = to_call,
	    [PPTP_INCOMING_CALL_CONNECTED] = to_call,
	    [PPTP_CALL_CLEAR_REQUEST] = to_call,
	    [PPTP_CALL_DISCONNECT_NOTIFY] = to_call,
	    [PPTP_WAN_ERROR_NOTIFY] = to_call,
	    [PPTP_SET_LINK_INFO] = to_call,
	    [EV_START] = illegal,
	    [EV_STOP] = stop,
	    [EV_TIMEOUT] = echo_timer,
	    [EV_TCP_CLOSED] = tcp_closed,
	    [EV_YIELD] = yield,
	    [EV_BAD_STREAM] = bad_stream,
	},
    [PPTP_CONN_WAIT_STOP_REPLY] =
	{
	    [PPTP_START_CONTROL_CONNECTION_REQUEST] = ignore,
	    [PPTP_START_CONTROL_CONNECTION_REPLY] = ignore,
	    [PPTP_STOP_CONTROL_CONNECTION_REQUEST] = stops_crossed,
	    [PPTP_STOP_CONTROL_CONNECTION_REPLY] = stopped,
	    [PPTP_ECHO_REQUEST] = echo,
	    [PPTP_ECHO_REPLY] = ignore,
	    [PPTP_OUTGOING_CALL_REQUEST] = ignore,
	    [PPTP_OUTGOING_CALL_REPLY] = ignore,
	    [PPTP_INCOMING_CALL_REQUEST] = ignore,
	    [PPTP_INCOMING_CALL_REPLY] = ignore,
	    [PPTP_INCOMING_CALL_CONNECTED] = ignore,
	    [PPTP_CALL_CLEAR_REQUEST] = ignore,
	    [PPTP_CALL_DISCONNECT_NOTIFY] = ignore,
	    [PPTP_WAN_ERROR_NOTIFY] = ignore,
	    [PPTP_SET_LINK_INFO] = ignore,
	    [EV_START] = illegal,
	    [EV_STOP] = illegal,
	    [EV_TIMEOUT] = stopped,
	    [EV_TCP_CLOSED] = tcp_closed_after_stop,
	    [EV_YIELD] = yield,
	    [EV_BAD_STREAM] = bad_stream,
	},
    [PPTP_CONN_CLOSED] =
	{
	    [PPTP_START_CONTROL_CONNECTION_REQUEST] = ignore,
	    [PPTP_START_CONTROL_CONNECTION_REPLY] = ignore,
	    [PPTP_STOP_CONTROL_CONNECTION_REQUEST] = ignore,
	    [PPTP_STOP_CONTROL_CONNECTION_REPLY] = ignore,
	    [PPTP_ECHO_REQUEST] = ignore,
	    [PPTP_ECHO_REPLY] = ignore,
	    [PPTP_OUTGOING_CALL_REQUEST] = ignore,
	    [PPTP_OUTGOING_CALL_REPLY] = ignore,
	    [PPTP_INCOMING_CALL_REQUEST] = ignore,
	    [PPTP_INCOMING_CALL_REPLY] = ignore,
	    [PPTP_INCOMING_CALL_CONNECTED] = ignore,
	    [PPTP_CALL_CLEAR_REQUEST] = ignore,
	    [PPTP_CALL_DISCONNECT_NOTIFY] = ignore,
	    [PPTP_WAN_ERROR_NOTIFY] = ignore,
	    [PPTP_SET_LINK_INFO] = ignore,
	    [EV_START] = illegal,
	    [EV_STOP] = illegal,
	    [EV_TIMEOUT] = nothing,
	    [EV_TCP_CLOSED] = nothing,
	    [EV_YIELD] = nothing,
	    [EV_BAD_STREAM] = nothing,
	},
};

int
conn_fsm(struct pptp_conn *conn, const struct conn_input *in)
{
	return cells[conn->state][in->event](conn, in);
}
