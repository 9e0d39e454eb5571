#include "libpptp/msg_table.h"

/* Rows of numbers and texts: `member` is the union's member and the field's path. */
#define OFF(member) ((uint16_t)offsetof(struct pptp_msg, member))
#define NUM(name, wire, width, member, lo, hi)                                                                                             \
	{                                                                                                                                  \
		name, wire, width, FIELD_DEC, OFF(member), 0, lo, hi                                                                       \
	}
#define ANY(name, wire, width, member)                                                                                                     \
	{                                                                                                                                  \
		name, wire, width, FIELD_DEC, OFF(member), 0, 0, UINT32_MAX                                                                \
	}
#define HEX(name, wire, member)                                                                                                            \
	{                                                                                                                                  \
		name, wire, 4, FIELD_HEX, OFF(member), 0, 0, UINT32_MAX                                                                    \
	}
#define TEXT(name, wire, width, member)                                                                                                    \
	{                                                                                                                                  \
		name, wire, width, FIELD_TEXT, OFF(member), 0, 0, 0                                                                        \
	}
#define TEXTLEN(name, wire, member, len)                                                                                                   \
	{                                                                                                                                  \
		name, wire, 64, FIELD_TEXT, OFF(member), OFF(len), 0, 0                                                                    \
	}
#define RESERVED(name, wire, width)                                                                                                        \
	{                                                                                                                                  \
		name, wire, width, FIELD_RESERVED, 0, 0, 0, 0                                                                              \
	}
#define HEADER_RESERVED RESERVED("Reserved0", 10, 2)
#define ERROR_CODE(wire, member) NUM("Error", wire, 1, member, 0, PPTP_EC_PAC_ERROR)

#define CAPABILITIES                                                                                                                       \
	NUM("Framing", 16, 4, start.framing_capabilities, 0, 3), NUM("Bearer", 20, 4, start.bearer_capabilities, 0, 3),                    \
	    ANY("Max-Channels", 24, 2, start.maximum_channels), ANY("Firmware", 26, 2, start.firmware_revision),                           \
	    TEXT("Host", 28, 64, start.host_name), TEXT("Vendor", 92, 64, start.vendor_name)

/* The version has no bounds: another one is answered by the state machine (result 5, section 2.2). */
static const struct field start_request[] = {
    HEADER_RESERVED,
    {"Version", 12, 2, FIELD_HEX, OFF(start.protocol_version), 0, 0, UINT32_MAX},
    RESERVED("Reserved1", 14, 2),
    CAPABILITIES,
};

static const struct field start_reply[] = {
    HEADER_RESERVED,
    {"Version", 12, 2, FIELD_HEX, OFF(start.protocol_version), 0, 0, UINT32_MAX},
    NUM("Result", 14, 1, start.result_code, PPTP_START_OK, PPTP_START_BAD_VERSION),
    ERROR_CODE(15, start.error_code),
    CAPABILITIES,
};

static const struct field stop_request[] = {
    HEADER_RESERVED,
    NUM("Reason", 12, 1, stop_request.reason, PPTP_STOP_NONE, PPTP_STOP_LOCAL_SHUTDOWN),
    RESERVED("Reserved1", 13, 1),
    RESERVED("Reserved2", 14, 2),
};

static const struct field stop_reply[] = {
    HEADER_RESERVED,
    NUM("Result", 12, 1, stop_reply.result_code, 1, 2),
    ERROR_CODE(13, stop_reply.error_code),
    RESERVED("Reserved1", 14, 2),
};

static const struct field echo_request[] = {
    HEADER_RESERVED,
    HEX("Identifier", 12, echo.identifier),
};

static const struct field echo_reply[] = {
    HEADER_RESERVED,
    HEX("Identifier", 12, echo.identifier),
    NUM("Result", 16, 1, echo.result_code, 1, 2),
    ERROR_CODE(17, echo.error_code),
    RESERVED("Reserved1", 18, 2),
};

static const struct field outgoing_call_request[] = {
    HEADER_RESERVED,
    ANY("Call-ID", 12, 2, outgoing_call_request.call_id),
    ANY("Serial", 14, 2, outgoing_call_request.call_serial_number),
    ANY("Min-BPS", 16, 4, outgoing_call_request.minimum_bps),
    ANY("Max-BPS", 20, 4, outgoing_call_request.maximum_bps),
    NUM("Bearer", 24, 4, outgoing_call_request.bearer_type, 1, 3),
    NUM("Framing", 28, 4, outgoing_call_request.framing_type, 1, 3),
    NUM("Window", 32, 2, outgoing_call_request.packet_recv_window_size, 1, UINT16_MAX),
    ANY("Delay", 34, 2, outgoing_call_request.packet_processing_delay),
    NUM("Phone-Length", 36, 2, outgoing_call_request.phone_number_length, 0, 64),
    RESERVED("Reserved1", 38, 2),
    TEXTLEN("Phone", 40, outgoing_call_request.phone_number, outgoing_call_request.phone_number_length),
    TEXT("Subaddress", 104, 64, outgoing_call_request.subaddress),
};

static const struct field outgoing_call_reply[] = {
    HEADER_RESERVED,
    ANY("Call-ID", 12, 2, outgoing_call_reply.call_id),
    ANY("Peer-Call-ID", 14, 2, outgoing_call_reply.peer_call_id),
    NUM("Result", 16, 1, outgoing_call_reply.result_code, PPTP_OCRP_CONNECTED, PPTP_OCRP_DO_NOT_ACCEPT),
    ERROR_CODE(17, outgoing_call_reply.error_code),
    ANY("Cause", 18, 2, outgoing_call_reply.cause_code),
    ANY("Speed", 20, 4, outgoing_call_reply.connect_speed),
    ANY("Window", 24, 2, outgoing_call_reply.packet_recv_window_size),
    ANY("Delay", 26, 2, outgoing_call_reply.packet_processing_delay),
    ANY("Channel", 28, 4, outgoing_call_reply.physical_channel_id),
};

static const struct field incoming_call_request[] = {
    HEADER_RESERVED,
    ANY("Call-ID", 12, 2, incoming_call_request.call_id),
    ANY("Serial", 14, 2, incoming_call_request.call_serial_number),
    NUM("Bearer", 16, 4, incoming_call_request.bearer_type, 1, 3),
    ANY("Channel", 20, 4, incoming_call_request.physical_channel_id),
    NUM("Dialed-Length", 24, 2, incoming_call_request.dialed_number_length, 0, 64),
    NUM("Dialing-Length", 26, 2, incoming_call_request.dialing_number_length, 0, 64),
    TEXTLEN("Dialed", 28, incoming_call_request.dialed_number, incoming_call_request.dialed_number_length),
    TEXTLEN("Dialing", 92, incoming_call_request.dialing_number, incoming_call_request.dialing_number_length),
    TEXT("Subaddress", 156, 64, incoming_call_request.subaddress),
};

static const struct field incoming_call_reply[] = {
    HEADER_RESERVED,
    ANY("Call-ID", 12, 2, incoming_call_reply.call_id),
    ANY("Peer-Call-ID", 14, 2, incoming_call_reply.peer_call_id),
    NUM("Result", 16, 1, incoming_call_reply.result_code, PPTP_ICRP_CONNECT, PPTP_ICRP_DO_NOT_ACCEPT),
    ERROR_CODE(17, incoming_call_reply.error_code),
    ANY("Window", 18, 2, incoming_call_reply.packet_recv_window_size),
    ANY("Delay", 20, 2, incoming_call_reply.packet_transmit_delay),
    RESERVED("Reserved1", 22, 2),
};

static const struct field incoming_call_connected[] = {
    HEADER_RESERVED,
    ANY("Peer-Call-ID", 12, 2, incoming_call_connected.peer_call_id),
    RESERVED("Reserved1", 14, 2),
    ANY("Speed", 16, 4, incoming_call_connected.connect_speed),
    NUM("Window", 20, 2, incoming_call_connected.packet_recv_window_size, 1, UINT16_MAX),
    ANY("Delay", 22, 2, incoming_call_connected.packet_transmit_delay),
    NUM("Framing", 24, 4, incoming_call_connected.framing_type, 1, 3),
};

static const struct field call_clear_request[] = {
    HEADER_RESERVED,
    ANY("Call-ID", 12, 2, call_clear_request.call_id),
    RESERVED("Reserved1", 14, 2),
};

static const struct field call_disconnect_notify[] = {
    HEADER_RESERVED,
    ANY("Call-ID", 12, 2, call_disconnect_notify.call_id),
    NUM("Result", 14, 1, call_disconnect_notify.result_code, PPTP_CDN_LOST_CARRIER, PPTP_CDN_REQUEST),
    ERROR_CODE(15, call_disconnect_notify.error_code),
    ANY("Cause", 16, 2, call_disconnect_notify.cause_code),
    RESERVED("Reserved1", 18, 2),
    TEXT("Statistics", 20, 128, call_disconnect_notify.call_statistics),
};

static const struct field wan_error_notify[] = {
    HEADER_RESERVED,
    ANY("Peer-Call-ID", 12, 2, wan_error_notify.peer_call_id),
    RESERVED("Reserved1", 14, 2),
    ANY("CRC", 16, 4, wan_error_notify.crc_errors),
    ANY("Framing", 20, 4, wan_error_notify.framing_errors),
    ANY("Hardware", 24, 4, wan_error_notify.hardware_overruns),
    ANY("Buffer", 28, 4, wan_error_notify.buffer_overruns),
    ANY("Timeout", 32, 4, wan_error_notify.timeout_errors),
    ANY("Alignment", 36, 4, wan_error_notify.alignment_errors),
};

static const struct field set_link_info[] = {
    HEADER_RESERVED,
    ANY("Peer-Call-ID", 12, 2, set_link_info.peer_call_id),
    RESERVED("Reserved1", 14, 2),
    HEX("Send-ACCM", 16, set_link_info.send_accm),
    HEX("Recv-ACCM", 20, set_link_info.receive_accm),
};

static const char *const start_results[] = {
    "none", "connected", "general error", "command channel already exists", "not authorized", "protocol version not supported", NULL};
static const char *const stop_reasons[] = {"none", "no particular reason", "protocol version not supported", "local shutdown", NULL};
static const char *const ok_results[] = {"none", "ok", "general error", NULL};
static const char *const outgoing_results[] = {
    "none", "connected", "general error", "no carrier", "busy", "no dial tone", "time out", "administratively prohibited", NULL};
static const char *const incoming_results[] = {"none", "accepted", "general error", "administratively prohibited", NULL};
static const char *const disconnect_results[] = {
    "none", "lost carrier", "general error", "administrative shutdown", "requested by peer", NULL};

#define FIELDS(f) (f), sizeof(f) / sizeof((f)[0])

enum { PNS = ROLE_PNS, PAC = ROLE_PAC, BOTH = ROLE_PNS | ROLE_PAC };
#define NO_REPLY ((enum pptp_msg_type)0)

/* info: name, bytes, offset of Call ID, of Peer's Call ID, reply | scope, call selected by, received by | fields | results */
static const struct msg_row rows[MSG_TYPES] = {
    {{"Start-Control-Connection-Request", 156, 0, 0, PPTP_START_CONTROL_CONNECTION_REPLY}, SCOPE_CONN, SELECT_NONE, BOTH,
	FIELDS(start_request), NULL},
    {{"Start-Control-Connection-Reply", 156, 0, 0, NO_REPLY}, SCOPE_CONN, SELECT_NONE, BOTH, FIELDS(start_reply), start_results},
    {{"Stop-Control-Connection-Request", 16, 0, 0, PPTP_STOP_CONTROL_CONNECTION_REPLY}, SCOPE_CONN, SELECT_NONE, BOTH, FIELDS(stop_request),
	stop_reasons},
    {{"Stop-Control-Connection-Reply", 16, 0, 0, NO_REPLY}, SCOPE_CONN, SELECT_NONE, BOTH, FIELDS(stop_reply), ok_results},
    {{"Echo-Request", 16, 0, 0, PPTP_ECHO_REPLY}, SCOPE_CONN, SELECT_NONE, BOTH, FIELDS(echo_request), NULL},
    {{"Echo-Reply", 20, 0, 0, NO_REPLY}, SCOPE_CONN, SELECT_NONE, BOTH, FIELDS(echo_reply), ok_results},
    {{"Outgoing-Call-Request", 168, 12, 0, PPTP_OUTGOING_CALL_REPLY}, SCOPE_NEW, SELECT_SENDERS, PAC, FIELDS(outgoing_call_request), NULL},
    {{"Outgoing-Call-Reply", 32, 12, 14, NO_REPLY}, SCOPE_CALL, SELECT_RECEIVERS, PNS, FIELDS(outgoing_call_reply), outgoing_results},
    {{"Incoming-Call-Request", 220, 12, 0, PPTP_INCOMING_CALL_REPLY}, SCOPE_NEW, SELECT_SENDERS, PNS, FIELDS(incoming_call_request), NULL},
    {{"Incoming-Call-Reply", 24, 12, 14, PPTP_INCOMING_CALL_CONNECTED}, SCOPE_CALL, SELECT_RECEIVERS, PAC, FIELDS(incoming_call_reply),
	incoming_results},
    {{"Incoming-Call-Connected", 28, 0, 12, NO_REPLY}, SCOPE_CALL, SELECT_RECEIVERS, PNS, FIELDS(incoming_call_connected), NULL},
    {{"Call-Clear-Request", 16, 12, 0, PPTP_CALL_DISCONNECT_NOTIFY}, SCOPE_CALL, SELECT_SENDERS, PAC, FIELDS(call_clear_request), NULL},
    {{"Call-Disconnect-Notify", 148, 12, 0, NO_REPLY}, SCOPE_CALL, SELECT_SENDERS, PNS, FIELDS(call_disconnect_notify), disconnect_results},
    {{"WAN-Error-Notify", 40, 0, 12, NO_REPLY}, SCOPE_CALL, SELECT_RECEIVERS, PNS, FIELDS(wan_error_notify), NULL},
    {{"Set-Link-Info", 24, 0, 12, NO_REPLY}, SCOPE_CALL, SELECT_RECEIVERS, PAC, FIELDS(set_link_info), NULL},
};

const struct msg_row *
msg_row(unsigned type)
{
	return type >= 1 && type <= MSG_TYPES ? &rows[type - 1] : NULL;
}

const struct pptp_msg_info *
pptp_msg_info(unsigned type)
{
	const struct msg_row *row = msg_row(type);

	return row != NULL ? &row->info : NULL;
}
