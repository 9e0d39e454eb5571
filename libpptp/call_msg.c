#include <string.h>

#include "libpptp/conn_private.h"

enum { DEFAULT_WINDOW = 64, DEFAULT_MIN_BPS = 300, DEFAULT_BPS = 100000000, BOTH = 3 /* framings, bearers */ };

static uint32_t
or_default(uint32_t v, uint32_t otherwise)
{
	return v != 0 ? v : otherwise;
}

static void
copy_text(char to[65], const char *from)
{
	if (from != NULL)
		memcpy(to, from, strnlen(from, 64));
}

/* The numbers of a call that the peer asked for are the peer's, and stay. */
void
call_take_params(struct call *call, const struct pptp_call_params *params)
{
	static const struct pptp_call_params none;
	const struct pptp_call_params *p = params != NULL ? params : &none;
	struct pptp_call_info *info = &call->info;

	call->recv_window = (uint16_t)or_default(p->recv_window, DEFAULT_WINDOW);
	call->processing_delay = p->processing_delay;
	info->connect_speed = or_default(p->connect_speed, DEFAULT_BPS);
	if (info->state != PPTP_CALL_IDLE)
		return;
	info->minimum_bps = or_default(p->minimum_bps, DEFAULT_MIN_BPS);
	info->maximum_bps = or_default(p->maximum_bps, DEFAULT_BPS);
	info->framing_type = or_default(p->framing_type, BOTH);
	info->bearer_type = or_default(p->bearer_type, BOTH);
	copy_text(info->called_number, p->called_number);
	copy_text(info->calling_number, p->calling_number);
	copy_text(info->subaddress, p->subaddress);
}

static void
take_outgoing_request(struct pptp_call_info *info, const struct pptp_outgoing_call_request *m)
{
	info->serial = m->call_serial_number;
	info->minimum_bps = m->minimum_bps;
	info->maximum_bps = m->maximum_bps;
	info->bearer_type = m->bearer_type;
	info->framing_type = m->framing_type;
	info->peer_window = m->packet_recv_window_size;
	info->peer_delay = m->packet_processing_delay;
	copy_text(info->called_number, m->phone_number);
	copy_text(info->subaddress, m->subaddress);
}

static void
take_incoming_request(struct pptp_call_info *info, const struct pptp_incoming_call_request *m)
{
	info->serial = m->call_serial_number;
	info->bearer_type = m->bearer_type;
	copy_text(info->called_number, m->dialed_number);
	copy_text(info->calling_number, m->dialing_number);
	copy_text(info->subaddress, m->subaddress);
}

void
call_take_message(struct call *call, const struct pptp_msg *msg)
{
	struct pptp_call_info *info = &call->info;

	switch (msg->type) {
	case PPTP_OUTGOING_CALL_REQUEST:
		take_outgoing_request(info, &msg->outgoing_call_request);
		break;
	case PPTP_INCOMING_CALL_REQUEST:
		take_incoming_request(info, &msg->incoming_call_request);
		break;
	case PPTP_OUTGOING_CALL_REPLY:
		info->connect_speed = msg->outgoing_call_reply.connect_speed;
		info->peer_window = msg->outgoing_call_reply.packet_recv_window_size;
		info->peer_delay = msg->outgoing_call_reply.packet_processing_delay;
		break;
	case PPTP_INCOMING_CALL_REPLY:
		info->peer_window = msg->incoming_call_reply.packet_recv_window_size;
		info->peer_delay = msg->incoming_call_reply.packet_transmit_delay;
		break;
	case PPTP_INCOMING_CALL_CONNECTED:
		info->connect_speed = msg->incoming_call_connected.connect_speed;
		info->peer_window = msg->incoming_call_connected.packet_recv_window_size;
		info->peer_delay = msg->incoming_call_connected.packet_transmit_delay;
		info->framing_type = msg->incoming_call_connected.framing_type;
		break;
	default:
		break;
	}
}

static void
send_outgoing_request(struct pptp_conn *conn, const struct call *call)
{
	const struct pptp_call_info *info = &call->info;
	struct pptp_msg msg = {
	    .type = PPTP_OUTGOING_CALL_REQUEST,
	    .outgoing_call_request =
		{
		    .call_id = info->call_id,
		    .call_serial_number = info->serial,
		    .minimum_bps = info->minimum_bps,
		    .maximum_bps = info->maximum_bps,
		    .bearer_type = info->bearer_type,
		    .framing_type = info->framing_type,
		    .packet_recv_window_size = call->recv_window,
		    .packet_processing_delay = call->processing_delay,
		    .phone_number_length = (uint16_t)strlen(info->called_number),
		},
	};

	copy_text(msg.outgoing_call_request.phone_number, info->called_number);
	copy_text(msg.outgoing_call_request.subaddress, info->subaddress);
	conn_send(conn, &msg);
}

static void
send_incoming_request(struct pptp_conn *conn, const struct call *call)
{
	const struct pptp_call_info *info = &call->info;
	struct pptp_msg msg = {
	    .type = PPTP_INCOMING_CALL_REQUEST,
	    .incoming_call_request =
		{
		    .call_id = info->call_id,
		    .call_serial_number = info->serial,
		    .bearer_type = info->bearer_type,
		    .dialed_number_length = (uint16_t)strlen(info->called_number),
		    .dialing_number_length = (uint16_t)strlen(info->calling_number),
		},
	};

	copy_text(msg.incoming_call_request.dialed_number, info->called_number);
	copy_text(msg.incoming_call_request.dialing_number, info->calling_number);
	copy_text(msg.incoming_call_request.subaddress, info->subaddress);
	conn_send(conn, &msg);
}

void
call_send_request(struct pptp_conn *conn, struct call *call)
{
	call->info.serial = ++conn->serial;
	if (call->machine == PNS_OUTGOING)
		send_outgoing_request(conn, call);
	else
		send_incoming_request(conn, call);
}

/* A refusal carries no Call ID of ours: the call doesn't exist. */
void
call_send_reply(struct pptp_conn *conn, const struct call *call, uint8_t result_code, uint8_t error_code)
{
	bool ok = result_code == PPTP_OCRP_CONNECTED;
	uint16_t call_id = ok ? call->info.call_id : 0;
	uint16_t window = ok ? call->recv_window : 0;
	struct pptp_msg msg = {.type = PPTP_OUTGOING_CALL_REPLY};

	if (call->machine == PAC_OUTGOING) {
		msg.outgoing_call_reply = (struct pptp_outgoing_call_reply){
		    .call_id = call_id,
		    .peer_call_id = call->info.peer_call_id,
		    .result_code = result_code,
		    .error_code = error_code,
		    .connect_speed = ok ? call->info.connect_speed : 0,
		    .packet_recv_window_size = window,
		    .packet_processing_delay = call->processing_delay,
		};
	} else {
		msg.type = PPTP_INCOMING_CALL_REPLY;
		msg.incoming_call_reply = (struct pptp_incoming_call_reply){
		    .call_id = call_id,
		    .peer_call_id = call->info.peer_call_id,
		    .result_code = result_code,
		    .error_code = error_code,
		    .packet_recv_window_size = window,
		    .packet_transmit_delay = call->processing_delay,
		};
	}
	conn_send(conn, &msg);
}

void
call_send_connected(struct pptp_conn *conn, const struct call *call)
{
	conn_send(conn, &(struct pptp_msg){.type = PPTP_INCOMING_CALL_CONNECTED,
			    .incoming_call_connected = {
				.peer_call_id = call->info.peer_call_id,
				.connect_speed = call->info.connect_speed,
				.packet_recv_window_size = call->recv_window,
				.packet_transmit_delay = call->processing_delay,
				.framing_type = call->info.framing_type,
			    }});
}

void
call_send_clear(struct pptp_conn *conn, const struct call *call)
{
	conn_send(conn, &(struct pptp_msg){.type = PPTP_CALL_CLEAR_REQUEST, .call_clear_request = {.call_id = call->info.call_id}});
}

void
call_send_disconnect(struct pptp_conn *conn, const struct call *call, uint8_t result_code, uint8_t error_code)
{
	conn_send(conn, &(struct pptp_msg){.type = PPTP_CALL_DISCONNECT_NOTIFY,
			    .call_disconnect_notify = {
				.call_id = call->info.call_id,
				.result_code = result_code,
				.error_code = error_code,
			    }});
}
