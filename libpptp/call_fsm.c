#include <string.h>

#include "base/text.h"
#include "libpptp/conn_private.h"
#include "libpptp/msg_table.h"

typedef int (*call_action)(struct pptp_conn *, struct call *, const struct call_input *);

/* Starts or ends the time that the peer has to answer, and tells the program. */
void
call_set_state(struct pptp_conn *conn, struct call *call, enum pptp_call_state state, uint64_t ts)
{
	call->info.state = state;
	switch (state) {
	case PPTP_CALL_IDLE:
		call_retire(conn, call, ts);
		break;
	case PPTP_CALL_WAIT_ANSWER:
		conn_note(conn, PPTP_EVENT_CALL_REQUEST, call);
		break;
	case PPTP_CALL_ESTABLISHED:
		call_wait(conn, call, PPTP_TS_NEVER);
		conn_note(conn, PPTP_EVENT_CALL_UP, call);
		break;
	case PPTP_CALL_WAIT_REPLY:
	case PPTP_CALL_WAIT_CONNECT:
	case PPTP_CALL_WAIT_DISCONNECT:
		call_wait(conn, call, ts_add(ts, conn->config.reply_timeout_ns));
		break;
	}
}

static bool
is_pac(const struct call *call)
{
	return call->machine == PAC_OUTGOING || call->machine == PAC_INCOMING;
}

static int
end(struct pptp_conn *conn, struct call *call, enum pptp_end why, int error, const char *text, uint64_t ts)
{
	ending_set(&call->ending, why, error, text);
	call_set_state(conn, call, PPTP_CALL_IDLE, ts);
	return PPTP_OK;
}

/* --- actions --------------------------------------------------------------------------- */

static int
illegal(struct pptp_conn *conn, struct call *call, const struct call_input *in)
{
	(void)conn;
	(void)call;
	(void)in;
	return PPTP_ERR_STATE;
}

static int
nothing(struct pptp_conn *conn, struct call *call, const struct call_input *in)
{
	(void)conn;
	(void)call;
	(void)in;
	return PPTP_OK;
}

static int
request(struct pptp_conn *conn, struct call *call, const struct call_input *in)
{
	call_take_params(call, in->params);
	call_send_request(conn, call);
	call_set_state(conn, call, PPTP_CALL_WAIT_REPLY, in->ts);
	return PPTP_OK;
}

static int
requested(struct pptp_conn *conn, struct call *call, const struct call_input *in)
{
	call_take_message(call, in->msg);
	call_set_state(conn, call, PPTP_CALL_WAIT_ANSWER, in->ts);
	return PPTP_OK;
}

/* As PAC the call is then up; as PNS the PAC has still to connect it. */
static int
accept_call(struct pptp_conn *conn, struct call *call, const struct call_input *in)
{
	call_take_params(call, in->params);
	call_send_reply(conn, call, PPTP_OCRP_CONNECTED, PPTP_EC_NONE);
	call_set_state(conn, call, is_pac(call) ? PPTP_CALL_ESTABLISHED : PPTP_CALL_WAIT_CONNECT, in->ts);
	return PPTP_OK;
}

static int
reject(struct pptp_conn *conn, struct call *call, const struct call_input *in)
{
	call_send_reply(conn, call, in->result_code, in->error_code);
	return end(conn, call, PPTP_END_LOCAL, PPTP_OK, "", in->ts);
}

static int
clear_unanswered(struct pptp_conn *conn, struct call *call, const struct call_input *in)
{
	call_send_reply(conn, call, is_pac(call) ? PPTP_OCRP_DO_NOT_ACCEPT : PPTP_ICRP_DO_NOT_ACCEPT, PPTP_EC_NONE);
	return end(conn, call, PPTP_END_LOCAL, PPTP_OK, "", in->ts);
}

static int
refused(struct pptp_conn *conn, struct call *call, const struct call_input *in, const struct call_ending *codes)
{
	ending_set(&call->ending, PPTP_END_REFUSED, PPTP_OK, pptp_result_text(in->msg->type, codes->result_code));
	call->ending.result_code = codes->result_code;
	call->ending.error_code = codes->error_code;
	call->ending.cause_code = codes->cause_code;
	call_set_state(conn, call, PPTP_CALL_IDLE, in->ts);
	return PPTP_OK;
}

/* A PAC that gives one id to two calls: this one can't be told from the other, and is taken back. */
static int
clear_ambiguous(struct pptp_conn *conn, struct call *call, uint64_t ts)
{
	static const char *const why = "the peer gave one call id to two calls";

	if (is_pac(call)) {
		call_send_disconnect(conn, call, PPTP_CDN_GENERAL_ERROR, PPTP_EC_BAD_CALL_ID);
		return end(conn, call, PPTP_END_PROTOCOL, PPTP_ERR_FIELD, why, ts);
	}
	call_send_clear(conn, call);
	ending_set(&call->ending, PPTP_END_PROTOCOL, PPTP_ERR_FIELD, why);
	call_set_state(conn, call, PPTP_CALL_WAIT_DISCONNECT, ts);
	return PPTP_OK;
}

static int
outgoing_answered(struct pptp_conn *conn, struct call *call, const struct call_input *in)
{
	const struct pptp_outgoing_call_reply *m = &in->msg->outgoing_call_reply;

	if (m->result_code != PPTP_OCRP_CONNECTED)
		return refused(conn, call, in,
		    &(struct call_ending){.result_code = m->result_code, .error_code = m->error_code, .cause_code = m->cause_code});
	if (call_by_peer(conn, m->call_id) != NULL)
		return clear_ambiguous(conn, call, in->ts);
	call_learn_peer_id(conn, call, m->call_id);
	call_take_message(call, in->msg);
	call_set_state(conn, call, PPTP_CALL_ESTABLISHED, in->ts);
	return PPTP_OK;
}

/* The request was on its way when we cleared the call. The PAC's id is what its Call-Disconnect-Notify will carry; a refusal leaves
 * nothing for it to disconnect. */
static int
answered_late(struct pptp_conn *conn, struct call *call, const struct call_input *in)
{
	const struct pptp_outgoing_call_reply *m = &in->msg->outgoing_call_reply;

	if (call->peer_known)
		return PPTP_ERR_STATE;
	if (m->result_code != PPTP_OCRP_CONNECTED)
		call_set_state(conn, call, PPTP_CALL_IDLE, in->ts);
	else if (call_by_peer(conn, m->call_id) == NULL)
		call_learn_peer_id(conn, call, m->call_id);
	return PPTP_OK;
}

static int
incoming_answered(struct pptp_conn *conn, struct call *call, const struct call_input *in)
{
	const struct pptp_incoming_call_reply *m = &in->msg->incoming_call_reply;

	if (m->result_code != PPTP_ICRP_CONNECT)
		return refused(conn, call, in, &(struct call_ending){.result_code = m->result_code, .error_code = m->error_code});
	if (call_by_peer(conn, m->call_id) != NULL)
		return clear_ambiguous(conn, call, in->ts);
	call_learn_peer_id(conn, call, m->call_id);
	call_take_message(call, in->msg);
	call_send_connected(conn, call);
	call_set_state(conn, call, PPTP_CALL_ESTABLISHED, in->ts);
	return PPTP_OK;
}

static int
connected(struct pptp_conn *conn, struct call *call, const struct call_input *in)
{
	call_take_message(call, in->msg);
	call_set_state(conn, call, PPTP_CALL_ESTABLISHED, in->ts);
	return PPTP_OK;
}

/* Call-Clear-Request: answered whoever sends it, and the call is over. */
static int
cleared(struct pptp_conn *conn, struct call *call, const struct call_input *in)
{
	call_send_disconnect(conn, call, PPTP_CDN_REQUEST, PPTP_EC_NONE);
	return end(conn, call, PPTP_END_PEER, PPTP_OK, "", in->ts);
}

/* Both sides clear at once: the end is ours, which was first here. */
static int
clears_crossed(struct pptp_conn *conn, struct call *call, const struct call_input *in)
{
	call_send_disconnect(conn, call, PPTP_CDN_REQUEST, PPTP_EC_NONE);
	call_set_state(conn, call, PPTP_CALL_IDLE, in->ts);
	return PPTP_OK;
}

static void
take_disconnect(struct call_ending *ending, const struct pptp_call_disconnect_notify *m)
{
	struct text t;

	ending->result_code = m->result_code;
	ending->error_code = m->error_code;
	ending->cause_code = m->cause_code;
	text_init(&t, ending->text, sizeof(ending->text));
	text_add_untrusted(&t, m->call_statistics, sizeof(m->call_statistics));
}

static int
disconnected(struct pptp_conn *conn, struct call *call, const struct call_input *in)
{
	ending_set(&call->ending, PPTP_END_PEER, PPTP_OK, "");
	take_disconnect(&call->ending, &in->msg->call_disconnect_notify);
	call_set_state(conn, call, PPTP_CALL_IDLE, in->ts);
	return PPTP_OK;
}

/* The answer to our Call-Clear-Request. */
static int
clear_answered(struct pptp_conn *conn, struct call *call, const struct call_input *in)
{
	if (call->ending.end == PPTP_END_LOCAL)
		take_disconnect(&call->ending, &in->msg->call_disconnect_notify);
	call_set_state(conn, call, PPTP_CALL_IDLE, in->ts);
	return PPTP_OK;
}

static int
clear_unheard(struct pptp_conn *conn, struct call *call, const struct call_input *in)
{
	call_set_state(conn, call, PPTP_CALL_IDLE, in->ts);
	return PPTP_OK;
}

static int
clear_as_pns(struct pptp_conn *conn, struct call *call, const struct call_input *in)
{
	call_send_clear(conn, call);
	ending_set(&call->ending, PPTP_END_LOCAL, PPTP_OK, "");
	call_set_state(conn, call, PPTP_CALL_WAIT_DISCONNECT, in->ts);
	return PPTP_OK;
}

static int
clear_as_pac(struct pptp_conn *conn, struct call *call, const struct call_input *in)
{
	call_send_disconnect(conn, call, in->result_code, PPTP_EC_NONE);
	ending_set(&call->ending, PPTP_END_LOCAL, PPTP_OK, "");
	call->ending.result_code = in->result_code;
	call_set_state(conn, call, PPTP_CALL_IDLE, in->ts);
	return PPTP_OK;
}

/* The peer may still answer later: what we send makes it forget the call, and we don't wait any longer. */
static int
unanswered(struct pptp_conn *conn, struct call *call, const struct call_input *in)
{
	const char *what = call->info.state == PPTP_CALL_WAIT_CONNECT ? "no Incoming-Call-Connected"
			   : call->machine == PNS_OUTGOING            ? "no Outgoing-Call-Reply"
								      : "no Incoming-Call-Reply";

	if (is_pac(call))
		call_send_disconnect(conn, call, PPTP_CDN_GENERAL_ERROR, PPTP_EC_NONE);
	else
		call_send_clear(conn, call);
	return end(conn, call, PPTP_END_TIMEOUT, PPTP_OK, what, in->ts);
}

static int
link_info(struct pptp_conn *conn, struct call *call, const struct call_input *in)
{
	conn_note(conn, PPTP_EVENT_LINK_INFO, call)->link_info = in->msg->set_link_info;
	return PPTP_OK;
}

static int
wan_error(struct pptp_conn *conn, struct call *call, const struct call_input *in)
{
	conn_note(conn, PPTP_EVENT_WAN_ERROR, call)->wan_error = in->msg->wan_error_notify;
	return PPTP_OK;
}

static int
send_link_info(struct pptp_conn *conn, struct call *call, const struct call_input *in)
{
	struct pptp_msg msg = *in->msg;

	msg.set_link_info.peer_call_id = call->info.peer_call_id;
	conn_send(conn, &msg);
	return PPTP_OK;
}

static int
send_wan_error(struct pptp_conn *conn, struct call *call, const struct call_input *in)
{
	struct pptp_msg msg = *in->msg;

	msg.wan_error_notify.peer_call_id = call->info.peer_call_id;
	conn_send(conn, &msg);
	return PPTP_OK;
}

/* --- the machines ------------------------------------------------------------------------ */

/* Every machine by state by event, sections 3.2.3 and 3.2.4. An empty cell is illegal: of a message that means ignored,
 * of the program's wish PPTP_ERR_STATE. States that a machine does not have are empty altogether. */
static const call_action cells[CALL_MACHINES][CALL_STATES][CALL_EVENTS] = {
    [PNS_OUTGOING] =
	{
	    [PPTP_CALL_IDLE] = {[EV_CALL_OPEN] = request},
	    [PPTP_CALL_WAIT_REPLY] =
		{
		    [PPTP_OUTGOING_CALL_REPLY] = outgoing_answered,
		    [PPTP_CALL_DISCONNECT_NOTIFY] = disconnected,
		    [EV_CALL_CLEAR] = clear_as_pns,
		    [EV_CALL_TIMEOUT] = unanswered,
		},
	    [PPTP_CALL_ESTABLISHED] =
		{
		    [PPTP_CALL_CLEAR_REQUEST] = cleared,
		    [PPTP_CALL_DISCONNECT_NOTIFY] = disconnected,
		    [PPTP_WAN_ERROR_NOTIFY] = wan_error,
		    [PPTP_SET_LINK_INFO] = link_info,
		    [EV_CALL_CLEAR] = clear_as_pns,
		    [EV_CALL_LINK_INFO] = send_link_info,
		    [EV_CALL_WAN_ERROR] = send_wan_error,
		},
	    [PPTP_CALL_WAIT_DISCONNECT] =
		{
		    [PPTP_OUTGOING_CALL_REPLY] = answered_late,
		    [PPTP_CALL_CLEAR_REQUEST] = clears_crossed,
		    [PPTP_CALL_DISCONNECT_NOTIFY] = clear_answered,
		    [EV_CALL_CLEAR] = nothing,
		    [EV_CALL_TIMEOUT] = clear_unheard,
		},
	},
    [PAC_OUTGOING] =
	{
	    [PPTP_CALL_IDLE] = {[PPTP_OUTGOING_CALL_REQUEST] = requested},
	    [PPTP_CALL_WAIT_ANSWER] =
		{
		    [PPTP_CALL_CLEAR_REQUEST] = cleared,
		    [PPTP_CALL_DISCONNECT_NOTIFY] = disconnected,
		    [EV_CALL_ACCEPT] = accept_call,
		    [EV_CALL_REJECT] = reject,
		    [EV_CALL_CLEAR] = clear_unanswered,
		},
	    [PPTP_CALL_ESTABLISHED] =
		{
		    [PPTP_CALL_CLEAR_REQUEST] = cleared,
		    [PPTP_CALL_DISCONNECT_NOTIFY] = disconnected,
		    [PPTP_WAN_ERROR_NOTIFY] = wan_error,
		    [PPTP_SET_LINK_INFO] = link_info,
		    [EV_CALL_CLEAR] = clear_as_pac,
		    [EV_CALL_LINK_INFO] = send_link_info,
		    [EV_CALL_WAN_ERROR] = send_wan_error,
		},
	},
    [PAC_INCOMING] =
	{
	    [PPTP_CALL_IDLE] = {[EV_CALL_OPEN] = request},
	    [PPTP_CALL_WAIT_REPLY] =
		{
		    [PPTP_INCOMING_CALL_REPLY] = incoming_answered,
		    [PPTP_CALL_DISCONNECT_NOTIFY] = disconnected,
		    [EV_CALL_CLEAR] = clear_as_pac,
		    [EV_CALL_TIMEOUT] = unanswered,
		},
	    [PPTP_CALL_ESTABLISHED] =
		{
		    [PPTP_CALL_CLEAR_REQUEST] = cleared,
		    [PPTP_CALL_DISCONNECT_NOTIFY] = disconnected,
		    [PPTP_WAN_ERROR_NOTIFY] = wan_error,
		    [PPTP_SET_LINK_INFO] = link_info,
		    [EV_CALL_CLEAR] = clear_as_pac,
		    [EV_CALL_LINK_INFO] = send_link_info,
		    [EV_CALL_WAN_ERROR] = send_wan_error,
		},
	},
    [PNS_INCOMING] =
	{
	    [PPTP_CALL_IDLE] = {[PPTP_INCOMING_CALL_REQUEST] = requested},
	    [PPTP_CALL_WAIT_ANSWER] =
		{
		    [PPTP_CALL_CLEAR_REQUEST] = cleared,
		    [PPTP_CALL_DISCONNECT_NOTIFY] = disconnected,
		    [EV_CALL_ACCEPT] = accept_call,
		    [EV_CALL_REJECT] = reject,
		    [EV_CALL_CLEAR] = clear_unanswered,
		},
	    [PPTP_CALL_WAIT_CONNECT] =
		{
		    [PPTP_INCOMING_CALL_CONNECTED] = connected,
		    [PPTP_CALL_CLEAR_REQUEST] = cleared,
		    [PPTP_CALL_DISCONNECT_NOTIFY] = disconnected,
		    [EV_CALL_CLEAR] = clear_as_pns,
		    [EV_CALL_TIMEOUT] = unanswered,
		},
	    [PPTP_CALL_ESTABLISHED] =
		{
		    [PPTP_CALL_CLEAR_REQUEST] = cleared,
		    [PPTP_CALL_DISCONNECT_NOTIFY] = disconnected,
		    [PPTP_WAN_ERROR_NOTIFY] = wan_error,
		    [PPTP_SET_LINK_INFO] = link_info,
		    [EV_CALL_CLEAR] = clear_as_pns,
		    [EV_CALL_LINK_INFO] = send_link_info,
		    [EV_CALL_WAN_ERROR] = send_wan_error,
		},
	    [PPTP_CALL_WAIT_DISCONNECT] =
		{
		    [PPTP_CALL_CLEAR_REQUEST] = clears_crossed,
		    [PPTP_CALL_DISCONNECT_NOTIFY] = clear_answered,
		    [EV_CALL_CLEAR] = nothing,
		    [EV_CALL_TIMEOUT] = clear_unheard,
		},
	},
};

/* Whether the RFC has the message sent to our role in this call. What the cells make of one that isn't is for known peers. */
static bool
for_us(const struct pptp_conn *conn, const struct call *call, const struct pptp_msg *msg)
{
	return conn->config.policy == PPTP_LENIENT || (msg_row(msg->type)->receivers & (is_pac(call) ? ROLE_PAC : ROLE_PNS)) != 0;
}

int
call_fsm(struct pptp_conn *conn, struct call *call, const struct call_input *in)
{
	call_action action = cells[call->machine][call->info.state][in->event];

	if (action == NULL || (in->event <= PPTP_SET_LINK_INFO && !for_us(conn, call, in->msg)))
		action = illegal;
	return action(conn, call, in);
}
