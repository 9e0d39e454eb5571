#include "tests/unit/libpptp/solo.h"

#include <check.h>
#include <string.h>

#include "base/wire.h"

static void
prng(void *user, void *buf, size_t len)
{
	uint64_t *state = user;

	for (size_t i = 0; i < len; i++) {
		*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		((uint8_t *)buf)[i] = (uint8_t)(*state >> 56);
	}
}

void
solo_init(struct solo *s)
{
	memset(s, 0, sizeof(*s));
	s->random = 42;
	s->ts = 1000 * SEC;
	mem_failing_init(&s->failing, 0);
	s->mem = (struct pptp_mem){.user = &s->failing, .calloc = s->failing.mem.calloc, .free = s->failing.mem.free};
	ck_assert_int_eq(pptp_callid_pool_new(&s->pool, 60 * SEC, prng, &s->random, NULL), PPTP_OK);
	pptp_conn_config_init(&s->config);
	s->config.call_ids = s->pool;
	s->config.mem = &s->mem;
	s->config.accept_outgoing_calls = true;
	s->config.accept_incoming_calls = true;
	s->config.max_calls = 8;
	s->config.host_name = "solo";
}

void
solo_open(struct solo *s, bool initiator)
{
	ck_assert_int_eq(pptp_conn_new(&s->conn, &s->config, initiator, s->ts), PPTP_OK);
}

/* Whatever a test did, no call id and no memory is left behind. */
void
solo_free(struct solo *s)
{
	size_t taken, resting;

	pptp_conn_free(s->conn, s->ts);
	pptp_callid_count(s->pool, s->ts, &taken, &resting);
	ck_assert_uint_eq(taken, 0);
	ck_assert_uint_eq(s->failing.held, 0);
	pptp_callid_pool_free(s->pool);
}

void
solo_recv_bytes(struct solo *s, const void *data, size_t datalen)
{
	ck_assert_uint_eq(pptp_conn_recv(s->conn, data, datalen, s->ts), datalen);
}

void
solo_recv(struct solo *s, const struct pptp_msg *msg)
{
	uint8_t buf[PPTP_MAX_MESSAGE];
	int n = pptp_msg_encode(buf, sizeof(buf), msg);

	ck_assert_int_gt(n, 0);
	solo_recv_bytes(s, buf, (size_t)n);
}

size_t
msg_bytes(uint8_t *buf, const struct pptp_msg *msg)
{
	int n = pptp_msg_encode(buf, PPTP_MAX_MESSAGE, msg);

	ck_assert_int_gt(n, 0);
	return (size_t)n;
}

void
msg_word(struct text *t, const struct pptp_msg *msg)
{
	static const char *const names[] = {"?", "SCCRQ", "SCCRP", "StopRQ", "StopRP", "EchoRQ", "EchoRP", "OCRQ", "OCRP", "ICRQ", "ICRP",
	    "ICCN", "CCRQ", "CDN", "WEN", "SLI"};
	unsigned result = 0, error = 0;

	switch (msg->type) {
	case PPTP_START_CONTROL_CONNECTION_REPLY:
		result = msg->start.result_code, error = msg->start.error_code;
		break;
	case PPTP_STOP_CONTROL_CONNECTION_REQUEST:
		result = msg->stop_request.reason;
		break;
	case PPTP_STOP_CONTROL_CONNECTION_REPLY:
		result = msg->stop_reply.result_code, error = msg->stop_reply.error_code;
		break;
	case PPTP_ECHO_REPLY:
		result = msg->echo.result_code, error = msg->echo.error_code;
		break;
	case PPTP_OUTGOING_CALL_REPLY:
		result = msg->outgoing_call_reply.result_code, error = msg->outgoing_call_reply.error_code;
		break;
	case PPTP_INCOMING_CALL_REPLY:
		result = msg->incoming_call_reply.result_code, error = msg->incoming_call_reply.error_code;
		break;
	case PPTP_CALL_DISCONNECT_NOTIFY:
		result = msg->call_disconnect_notify.result_code, error = msg->call_disconnect_notify.error_code;
		break;
	default:
		text_addf(t, "%s", names[msg->type]);
		return;
	}
	text_addf(t, "%s:%u/%u", names[msg->type], result, error);
}

void
event_word(struct text *t, const struct pptp_event *event)
{
	static const char *const names[] = {"NONE", "ESTABLISHED", "REQUEST", "UP", "DOWN", "LINK", "WAN", "CLOSED"};
	static const char *const ends[] = {"local", "peer", "refused", "timeout", "echo", "protocol", "collision", "tcp", "nomem"};

	text_addf(t, "%s", names[event->type]);
	if (event->type == PPTP_EVENT_CALL_DOWN || event->type == PPTP_EVENT_CLOSED)
		text_addf(t, ":%s", ends[event->end]);
}

static void
space(struct text *t)
{
	if (t->len > 0)
		text_addf(t, " ");
}

/* What goes out must please the strictest reader. */
static void
add_output(struct solo *s)
{
	const uint8_t *data;
	size_t n;

	while ((n = pptp_conn_output(s->conn, &data)) > 0) {
		const char *field = "";
		size_t len;

		ck_assert_uint_ge(n, 12);
		len = get_u16(data);
		ck_assert_uint_le(len, n);
		ck_assert_msg(pptp_msg_decode(&s->said, data, len, PPTP_STRICT, &field) == PPTP_OK, "type %u field %s", data[9], field);
		space(&s->text);
		msg_word(&s->text, &s->said);
		pptp_conn_sent(s->conn, len);
	}
}

const char *
solo_line(struct solo *s)
{
	struct pptp_event event;

	text_init(&s->text, s->line, sizeof(s->line));
	add_output(s);
	while (pptp_conn_event(s->conn, &event)) {
		space(&s->text);
		event_word(&s->text, &event);
		s->last = event;
		if (event.call_id != 0)
			s->call_id = event.call_id;
	}
	return s->line;
}

void
solo_pass(struct solo *s, uint64_t seconds)
{
	uint64_t until = s->ts + seconds * SEC;
	int turns = 0;

	while (pptp_conn_expiry(s->conn) <= until) {
		ck_assert_int_lt(turns++, 1000);
		if (pptp_conn_expiry(s->conn) > s->ts)
			s->ts = pptp_conn_expiry(s->conn);
		pptp_conn_expire(s->conn, s->ts);
	}
	s->ts = until;
}

void
solo_establish(struct solo *s)
{
	struct pptp_msg msg = msg_about(PPTP_START_CONTROL_CONNECTION_REQUEST, 0, 0);

	solo_open(s, false);
	solo_recv(s, &msg);
	ck_assert_str_eq(solo_line(s), "SCCRP:1/0 ESTABLISHED");
}

struct pptp_msg
msg_about(enum pptp_msg_type type, uint16_t own, uint16_t peer)
{
	struct pptp_msg msg = {.type = type};

	switch (type) {
	case PPTP_START_CONTROL_CONNECTION_REQUEST:
	case PPTP_START_CONTROL_CONNECTION_REPLY:
		msg.start = (struct pptp_start){
		    .protocol_version = 0x0100, .framing_capabilities = 3, .bearer_capabilities = 3, .host_name = "peer"};
		msg.start.result_code = type == PPTP_START_CONTROL_CONNECTION_REPLY;
		break;
	case PPTP_STOP_CONTROL_CONNECTION_REQUEST:
		msg.stop_request.reason = 1;
		break;
	case PPTP_STOP_CONTROL_CONNECTION_REPLY:
		msg.stop_reply.result_code = 1;
		break;
	case PPTP_ECHO_REQUEST:
	case PPTP_ECHO_REPLY:
		msg.echo.identifier = 1;
		msg.echo.result_code = type == PPTP_ECHO_REPLY;
		break;
	case PPTP_OUTGOING_CALL_REQUEST:
		msg.outgoing_call_request = (struct pptp_outgoing_call_request){.call_id = peer,
		    .call_serial_number = 77,
		    .minimum_bps = 300,
		    .maximum_bps = 1000000,
		    .bearer_type = 3,
		    .framing_type = 3,
		    .packet_recv_window_size = 16,
		    .packet_processing_delay = 5,
		    .phone_number_length = 3,
		    .phone_number = "555",
		    .subaddress = "sub"};
		break;
	case PPTP_OUTGOING_CALL_REPLY:
		msg.outgoing_call_reply = (struct pptp_outgoing_call_reply){.call_id = peer,
		    .peer_call_id = own,
		    .result_code = 1,
		    .connect_speed = 64000,
		    .packet_recv_window_size = 9,
		    .packet_processing_delay = 4};
		break;
	case PPTP_INCOMING_CALL_REQUEST:
		msg.incoming_call_request = (struct pptp_incoming_call_request){.call_id = peer,
		    .call_serial_number = 78,
		    .bearer_type = 1,
		    .dialed_number_length = 2,
		    .dialing_number_length = 1,
		    .dialed_number = "42",
		    .dialing_number = "7"};
		break;
	case PPTP_INCOMING_CALL_REPLY:
		msg.incoming_call_reply = (struct pptp_incoming_call_reply){
		    .call_id = peer, .peer_call_id = own, .result_code = 1, .packet_recv_window_size = 11, .packet_transmit_delay = 3};
		break;
	case PPTP_INCOMING_CALL_CONNECTED:
		msg.incoming_call_connected = (struct pptp_incoming_call_connected){.peer_call_id = own,
		    .connect_speed = 33600,
		    .packet_recv_window_size = 12,
		    .packet_transmit_delay = 2,
		    .framing_type = 1};
		break;
	case PPTP_CALL_CLEAR_REQUEST:
		msg.call_clear_request.call_id = peer;
		break;
	case PPTP_CALL_DISCONNECT_NOTIFY:
		msg.call_disconnect_notify = (struct pptp_call_disconnect_notify){
		    .call_id = peer, .result_code = 1, .cause_code = 16, .call_statistics = "in=1 \"out\"=2"};
		break;
	case PPTP_WAN_ERROR_NOTIFY:
		msg.wan_error_notify = (struct pptp_wan_error_notify){.peer_call_id = own, .crc_errors = 5, .alignment_errors = 6};
		break;
	case PPTP_SET_LINK_INFO:
		msg.set_link_info = (struct pptp_set_link_info){.peer_call_id = own, .send_accm = 0xffffffff, .receive_accm = 0xa0000};
		break;
	}
	return msg;
}
