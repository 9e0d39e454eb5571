/* The fifteen control messages of RFC 2637 section 2: one table, and the codec that reads it.
 *
 * A message in memory is host-order numbers and NUL-terminated strings. Its wire form is fixed in
 * length by its type. Reserved fields are sent as zero and ignored or refused on receipt by policy. */
#ifndef PPTP_MSG_H
#define PPTP_MSG_H

#include <pptp/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Control message types, named as RFC 2637 section 1.4 numbers them. */
enum pptp_msg_type {
	PPTP_START_CONTROL_CONNECTION_REQUEST = 1,
	PPTP_START_CONTROL_CONNECTION_REPLY = 2,
	PPTP_STOP_CONTROL_CONNECTION_REQUEST = 3,
	PPTP_STOP_CONTROL_CONNECTION_REPLY = 4,
	PPTP_ECHO_REQUEST = 5,
	PPTP_ECHO_REPLY = 6,
	PPTP_OUTGOING_CALL_REQUEST = 7,
	PPTP_OUTGOING_CALL_REPLY = 8,
	PPTP_INCOMING_CALL_REQUEST = 9,
	PPTP_INCOMING_CALL_REPLY = 10,
	PPTP_INCOMING_CALL_CONNECTED = 11,
	PPTP_CALL_CLEAR_REQUEST = 12,
	PPTP_CALL_DISCONNECT_NOTIFY = 13,
	PPTP_WAN_ERROR_NOTIFY = 14,
	PPTP_SET_LINK_INFO = 15,
};

/* General error codes, RFC 2637 section 2.16. */
enum pptp_error_code {
	PPTP_EC_NONE = 0,
	PPTP_EC_NOT_CONNECTED = 1,
	PPTP_EC_BAD_FORMAT = 2,
	PPTP_EC_BAD_VALUE = 3,
	PPTP_EC_NO_RESOURCE = 4,
	PPTP_EC_BAD_CALL_ID = 5,
	PPTP_EC_PAC_ERROR = 6,
};

/* Result codes of Start-Control-Connection-Reply, section 2.2. */
enum pptp_start_result {
	PPTP_START_OK = 1,
	PPTP_START_GENERAL_ERROR = 2,
	PPTP_START_EXISTS = 3,
	PPTP_START_NOT_AUTHORIZED = 4,
	PPTP_START_BAD_VERSION = 5,
};

/* Reasons of Stop-Control-Connection-Request, section 2.3. */
enum pptp_stop_reason {
	PPTP_STOP_NONE = 1,
	PPTP_STOP_PROTOCOL = 2,
	PPTP_STOP_LOCAL_SHUTDOWN = 3,
};

/* Result codes of Outgoing-Call-Reply, section 2.8. */
enum pptp_ocrp_result {
	PPTP_OCRP_CONNECTED = 1,
	PPTP_OCRP_GENERAL_ERROR = 2,
	PPTP_OCRP_NO_CARRIER = 3,
	PPTP_OCRP_BUSY = 4,
	PPTP_OCRP_NO_DIAL_TONE = 5,
	PPTP_OCRP_TIME_OUT = 6,
	PPTP_OCRP_DO_NOT_ACCEPT = 7,
};

/* Result codes of Incoming-Call-Reply, section 2.10. */
enum pptp_icrp_result {
	PPTP_ICRP_CONNECT = 1,
	PPTP_ICRP_GENERAL_ERROR = 2,
	PPTP_ICRP_DO_NOT_ACCEPT = 3,
};

/* Result codes of Call-Disconnect-Notify, section 2.13. */
enum pptp_cdn_result {
	PPTP_CDN_LOST_CARRIER = 1,
	PPTP_CDN_GENERAL_ERROR = 2,
	PPTP_CDN_ADMIN_SHUTDOWN = 3,
	PPTP_CDN_REQUEST = 4,
};

enum { PPTP_FRAMING_ASYNC = 1, PPTP_FRAMING_SYNC = 2 }; /* framing capabilities and types, a bit set */
enum { PPTP_BEARER_ANALOG = 1, PPTP_BEARER_DIGITAL = 2 };

/* Start-Control-Connection-Request and -Reply, sections 2.1 and 2.2. */
struct pptp_start {
	uint16_t protocol_version; /* 0x0100 */
	uint8_t result_code;       /* reply only */
	uint8_t error_code;        /* reply only */
	uint32_t framing_capabilities;
	uint32_t bearer_capabilities;
	uint16_t maximum_channels;
	uint16_t firmware_revision;
	char host_name[65];
	char vendor_name[65];
};

struct pptp_stop_request {
	uint8_t reason;
};

struct pptp_stop_reply {
	uint8_t result_code;
	uint8_t error_code;
};

/* Echo-Request and -Reply, sections 2.5 and 2.6. */
struct pptp_echo {
	uint32_t identifier;
	uint8_t result_code; /* reply only */
	uint8_t error_code;  /* reply only */
};

struct pptp_outgoing_call_request {
	uint16_t call_id;
	uint16_t call_serial_number;
	uint32_t minimum_bps;
	uint32_t maximum_bps;
	uint32_t bearer_type;
	uint32_t framing_type;
	uint16_t packet_recv_window_size; /* packets; 0 from a peer means no limit */
	uint16_t packet_processing_delay; /* tenths of a second */
	uint16_t phone_number_length;
	char phone_number[65];
	char subaddress[65];
};

struct pptp_outgoing_call_reply {
	uint16_t call_id;
	uint16_t peer_call_id;
	uint8_t result_code;
	uint8_t error_code;
	uint16_t cause_code;
	uint32_t connect_speed; /* bits per second */
	uint16_t packet_recv_window_size;
	uint16_t packet_processing_delay;
	uint32_t physical_channel_id;
};

struct pptp_incoming_call_request {
	uint16_t call_id;
	uint16_t call_serial_number;
	uint32_t bearer_type;
	uint32_t physical_channel_id;
	uint16_t dialed_number_length;
	uint16_t dialing_number_length;
	char dialed_number[65];
	char dialing_number[65];
	char subaddress[65];
};

struct pptp_incoming_call_reply {
	uint16_t call_id;
	uint16_t peer_call_id;
	uint8_t result_code;
	uint8_t error_code;
	uint16_t packet_recv_window_size;
	uint16_t packet_transmit_delay;
};

struct pptp_incoming_call_connected {
	uint16_t peer_call_id;
	uint32_t connect_speed;
	uint16_t packet_recv_window_size;
	uint16_t packet_transmit_delay;
	uint32_t framing_type;
};

struct pptp_call_clear_request {
	uint16_t call_id;
};

struct pptp_call_disconnect_notify {
	uint16_t call_id;
	uint8_t result_code;
	uint8_t error_code;
	uint16_t cause_code;
	char call_statistics[129];
};

struct pptp_wan_error_notify {
	uint16_t peer_call_id;
	uint32_t crc_errors;
	uint32_t framing_errors;
	uint32_t hardware_overruns;
	uint32_t buffer_overruns;
	uint32_t timeout_errors;
	uint32_t alignment_errors;
};

struct pptp_set_link_info {
	uint16_t peer_call_id;
	uint32_t send_accm;
	uint32_t receive_accm;
};

struct pptp_msg {
	enum pptp_msg_type type;
	union {
		struct pptp_start start;
		struct pptp_stop_request stop_request;
		struct pptp_stop_reply stop_reply;
		struct pptp_echo echo;
		struct pptp_outgoing_call_request outgoing_call_request;
		struct pptp_outgoing_call_reply outgoing_call_reply;
		struct pptp_incoming_call_request incoming_call_request;
		struct pptp_incoming_call_reply incoming_call_reply;
		struct pptp_incoming_call_connected incoming_call_connected;
		struct pptp_call_clear_request call_clear_request;
		struct pptp_call_disconnect_notify call_disconnect_notify;
		struct pptp_wan_error_notify wan_error_notify;
		struct pptp_set_link_info set_link_info;
	};
};

/* How strictly a peer's message is read.
 *
 * STRICT refuses every value that RFC 2637 does not define. LENIENT (the default everywhere) accepts
 * what known peers send: see pptp_quirks() for the list, one row a peer and deviation. */
enum pptp_policy { PPTP_LENIENT, PPTP_STRICT };

struct pptp_quirk {
	const char *peer;    /* "Windows", "accel-ppp 1.12" */
	const char *message; /* "Set-Link-Info" */
	const char *what;    /* what it does, and what a lenient receiver makes of it */
};

/* The table of deviations that PPTP_LENIENT accepts; *count rows, static. */
PPTP_API const struct pptp_quirk *pptp_quirks(size_t *count);

/* What the table says of a message type that programs outside the codec need (gateway, tests, tools). */
struct pptp_msg_info {
	const char *name;             /* "Outgoing-Call-Request" */
	uint16_t length;              /* bytes on the wire, header included */
	uint16_t call_id_offset;      /* bytes to the Call ID field from the message's start; 0: has none */
	uint16_t peer_call_id_offset; /* the same for Peer's Call ID */
	enum pptp_msg_type reply;     /* the message that answers it; 0: none */
};

/* The row of a type; NULL for a type that RFC 2637 does not have. */
PPTP_API const struct pptp_msg_info *pptp_msg_info(unsigned type);

/* Decodes and checks one whole message of datalen bytes (exactly the length its header gives).
 * *msg is written only on PPTP_OK. Errors: SHORT, LENGTH, MAGIC, KIND, TYPE, FIELD; for FIELD,
 * *field (unless NULL) gets the static name of the first bad field. */
PPTP_API int pptp_msg_decode(struct pptp_msg *msg, const uint8_t *data, size_t datalen, enum pptp_policy policy, const char **field);

/* Encodes *msg into buf, which must hold the message's length (PPTP_MAX_MESSAGE always suffices).
 * Returns the bytes written, or PPTP_ERR_TYPE or PPTP_ERR_SHORT (buflen too small). */
PPTP_API int pptp_msg_encode(uint8_t *buf, size_t buflen, const struct pptp_msg *msg);

/* Writes the one-line trace form, `[PPTP Outgoing-Call-Reply <Call-ID 1> <Result 1> ...]`, cut to
 * size bytes with its NUL. A peer's strings are escaped. Returns buf. size must be at least 1. */
PPTP_API const char *pptp_msg_text(char *buf, size_t size, const struct pptp_msg *msg);

/* English words for result and error codes of a message type; "unknown" where RFC 2637 has none. Static. */
PPTP_API const char *pptp_result_text(enum pptp_msg_type type, unsigned result_code);
PPTP_API const char *pptp_error_code_text(unsigned error_code);

#ifdef __cplusplus
}
#endif
#endif
