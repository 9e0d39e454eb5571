/* A control connection and its calls: RFC 2637 sections 2 and 3, for PNS and PAC, outgoing and incoming.
 *
 * One object is one TCP connection's protocol state. Use: feed it received bytes with pptp_conn_recv(),
 * let time pass with pptp_conn_expire() at pptp_conn_expiry(), then drain both pptp_conn_output() and
 * pptp_conn_event(). Everything it holds is bounded: when its output or its events are full it takes no
 * more input until they are drained, so a peer can't make it grow. */
#ifndef PPTP_CONN_H
#define PPTP_CONN_H

#include <pptp/callid.h>
#include <pptp/msg.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Control connection states, RFC 2637 sections 3.1.2 and 3.1.3 (originator and receiver). */
enum pptp_conn_state {
	PPTP_CONN_IDLE,           /* TCP is up, no Start-Control-Connection-Request seen or sent */
	PPTP_CONN_WAIT_CTL_REPLY, /* originator, request sent */
	PPTP_CONN_ESTABLISHED,
	PPTP_CONN_WAIT_STOP_REPLY,
	PPTP_CONN_CLOSED, /* drain output, then close TCP */
};

/* Call states, sections 3.2.1 to 3.2.4, over both roles. */
enum pptp_call_state {
	PPTP_CALL_IDLE,         /* slot not in use */
	PPTP_CALL_WAIT_REPLY,   /* we sent a request */
	PPTP_CALL_WAIT_ANSWER,  /* a peer's request is with the program: answer with accept or reject */
	PPTP_CALL_WAIT_CONNECT, /* incoming call: PNS replied, waits for Incoming-Call-Connected */
	PPTP_CALL_ESTABLISHED,
	PPTP_CALL_WAIT_DISCONNECT, /* PNS sent Call-Clear-Request, waits for Call-Disconnect-Notify */
};

enum pptp_call_kind {
	PPTP_OUTGOING, /* asked for by the PNS with Outgoing-Call-Request */
	PPTP_INCOMING, /* offered by the PAC with Incoming-Call-Request */
};

/* Why a call or connection ended, for logs and for the next step. */
enum pptp_end {
	PPTP_END_LOCAL,        /* this side asked for it */
	PPTP_END_PEER,         /* the peer cleared or disconnected it */
	PPTP_END_REFUSED,      /* the peer refused: result and error code say why */
	PPTP_END_TIMEOUT,      /* no reply in time */
	PPTP_END_ECHO_TIMEOUT, /* no Echo-Reply in time */
	PPTP_END_PROTOCOL,     /* the peer broke the protocol: error says how */
	PPTP_END_COLLISION,    /* gave way to the peer's connection (section 3.1.3) */
	PPTP_END_TRANSPORT,    /* TCP ended */
	PPTP_END_NOMEM,
};

/* "peer refused", "no Echo-Reply in time" ...; static. */
PPTP_API const char *pptp_end_text(enum pptp_end end);

struct pptp_conn_config {
	struct pptp_callid_pool *call_ids; /* shared by the endpoint's connections; must outlive them */
	const struct pptp_mem *mem;        /* NULL: the C library */
	enum pptp_policy policy;
	bool accept_outgoing_calls;    /* act as PAC for a peer's Outgoing-Call-Request */
	bool accept_incoming_calls;    /* act as PNS for a peer's Incoming-Call-Request */
	bool in_order;                 /* take no input behind a call request until its event is taken, so that replies keep the
	                                * order of the requests when several come together */
	uint16_t max_calls;            /* calls at once on this connection, 1..65535 */
	uint32_t framing_capabilities; /* 0: both */
	uint32_t bearer_capabilities;  /* 0: both */
	uint16_t maximum_channels;     /* as told to the peer; a PNS says 0 */
	uint16_t firmware_revision;
	const char *host_name;     /* at most 64 bytes; copied */
	const char *vendor_name;   /* at most 64 bytes; copied */
	uint64_t start_timeout_ns; /* for Start-Control-Connection-Request or -Reply; 0: 60 s (section 3.1.4) */
	uint64_t reply_timeout_ns; /* for call and stop replies; 0: 60 s */
	uint64_t echo_interval_ns; /* silence before an Echo-Request; 0: 60 s; PPTP_TS_NEVER: none sent */
	uint64_t echo_timeout_ns;  /* for its reply; 0: 60 s */
	uint8_t local_addr[16];    /* both addresses in network order, IPv4 in the first 4 bytes, rest zero: */
	uint8_t peer_addr[16];     /* the higher one wins a start collision (section 3.1.3) */
	/* Sees every message sent and received, for traces; must not call the library. */
	void (*trace)(void *user, bool sent, const struct pptp_msg *msg);
	void *trace_user;
};

/* A config with every field at its default: lenient, 64 calls, no calls accepted, 60 s everywhere. Set call_ids before use. */
PPTP_API void pptp_conn_config_init(struct pptp_conn_config *config);

/* What both sides told each other about a call. */
struct pptp_call_info {
	enum pptp_call_kind kind;
	enum pptp_call_state state;
	uint16_t call_id;      /* ours: the key of received GRE packets and of all functions here */
	uint16_t peer_call_id; /* the peer's: the key of sent GRE packets */
	uint16_t serial;
	uint16_t peer_window;   /* packets that the peer takes unacknowledged; 0: no limit */
	uint16_t peer_delay;    /* its packet processing delay, tenths of a second */
	uint32_t connect_speed; /* bits per second */
	uint32_t minimum_bps;
	uint32_t maximum_bps;
	uint32_t framing_type;
	uint32_t bearer_type;
	char called_number[65]; /* phone or dialed number */
	char calling_number[65];
	char subaddress[65];
};

enum pptp_event_type {
	PPTP_EVENT_NONE,
	PPTP_EVENT_ESTABLISHED,  /* control connection is up: peer holds its Start message */
	PPTP_EVENT_CALL_REQUEST, /* answer with pptp_call_accept() or pptp_call_reject(): call */
	PPTP_EVENT_CALL_UP,      /* GRE may flow: call */
	PPTP_EVENT_CALL_DOWN,    /* the id is resting: call, end, result_code, error_code, cause_code, text */
	PPTP_EVENT_LINK_INFO,    /* call_id, send_accm, receive_accm */
	PPTP_EVENT_WAN_ERROR,    /* call_id, wan_error */
	PPTP_EVENT_CLOSED,       /* last event: end, error; close TCP after draining the output */
};

struct pptp_event {
	enum pptp_event_type type;
	uint16_t call_id; /* ours; 0 where the event is the connection's */
	enum pptp_end end;
	int error; /* PPTP_END_PROTOCOL: an enum pptp_error */
	uint8_t result_code;
	uint8_t error_code;
	uint16_t cause_code;
	union {
		struct pptp_start peer;
		struct pptp_call_info call;
		struct pptp_set_link_info link_info;
		struct pptp_wan_error_notify wan_error;
	};
	char text[129]; /* CALL_DOWN and CLOSED: what went wrong, or Call-Disconnect-Notify's statistics; escaped */
};

struct pptp_conn;

/* Makes the state of a fresh TCP connection. initiator: this side opened it and pptp_conn_start() follows.
 * The configuration is copied. Errors: NOMEM, INVALID. The caller frees it with pptp_conn_free(). */
PPTP_API int pptp_conn_new(struct pptp_conn **conn, const struct pptp_conn_config *config, bool initiator, uint64_t ts);

/* Frees the connection and gives its call ids back to rest at ts; nothing is sent. NULL is allowed. */
PPTP_API void pptp_conn_free(struct pptp_conn *conn, uint64_t ts);

PPTP_API enum pptp_conn_state pptp_conn_state(const struct pptp_conn *conn);

/* Sends Start-Control-Connection-Request (section 2.1). Errors: STATE, FULL. */
PPTP_API int pptp_conn_start(struct pptp_conn *conn, uint64_t ts);

/* Sends Stop-Control-Connection-Request and ends all calls (section 2.3). Errors: STATE, FULL. */
PPTP_API int pptp_conn_stop(struct pptp_conn *conn, enum pptp_stop_reason reason, uint64_t ts);

/* Whether this side wins when both have opened a TCP connection to each other and sent Start-Control-Connection-Request on it
 * (section 3.1.3): the connection that the winner opened lives on, and the loser ends its own with pptp_conn_yield(). Addresses as
 * in struct pptp_conn_config. Two requests on one TCP connection need no help: the loser answers there. */
PPTP_API bool pptp_collision_won(const uint8_t local_addr[16], const uint8_t peer_addr[16]);

/* Closes with PPTP_END_COLLISION; nothing more is sent, not even what is in the output. */
PPTP_API void pptp_conn_yield(struct pptp_conn *conn, uint64_t ts);

/* Tells that TCP ended: all calls end with PPTP_END_TRANSPORT. Events remain to be drained. */
PPTP_API void pptp_conn_transport_closed(struct pptp_conn *conn, uint64_t ts);

/* Feeds received bytes. Returns how many were taken: fewer than datalen when output or events are full,
 * or with in_order behind a call request (drain them, then feed the rest), or when the connection closed. Never an error: a peer's fault ends in
 * answers as section 2 says, and if need be in PPTP_EVENT_CLOSED. */
PPTP_API size_t pptp_conn_recv(struct pptp_conn *conn, const uint8_t *data, size_t datalen, uint64_t ts);

/* Bytes to send, in *data, owned by the connection and valid until its next call; returns their number, 0: none.
 * Tell how many went out with pptp_conn_sent(). */
PPTP_API size_t pptp_conn_output(const struct pptp_conn *conn, const uint8_t **data);
PPTP_API void pptp_conn_sent(struct pptp_conn *conn, size_t n);

/* Takes the next event into *event; false when there is none. */
PPTP_API bool pptp_conn_event(struct pptp_conn *conn, struct pptp_event *event);

/* When pptp_conn_expire() is due next; PPTP_TS_NEVER if never. */
PPTP_API uint64_t pptp_conn_expiry(const struct pptp_conn *conn);
PPTP_API void pptp_conn_expire(struct pptp_conn *conn, uint64_t ts);

/* Parameters of a call that this side opens or accepts; zero means the default named. */
struct pptp_call_params {
	uint16_t recv_window;      /* packets we take unacknowledged; 0: 64 */
	uint16_t processing_delay; /* tenths of a second */
	uint32_t minimum_bps;      /* 0: 300 */
	uint32_t maximum_bps;      /* 0: 100,000,000 */
	uint32_t connect_speed;    /* 0: 100,000,000 */
	uint32_t framing_type;     /* 0: both */
	uint32_t bearer_type;      /* 0: both */
	const char *called_number; /* NULL: empty; at most 64 bytes, copied */
	const char *calling_number;
	const char *subaddress;
	uint16_t call_id; /* to ask with, where it is free; 0, and where it is not: drawn at random, as it should be. Not for answers */
};

/* As PNS: sends Outgoing-Call-Request; *call_id gets our id. params may be NULL. PPTP_EVENT_CALL_UP or _DOWN follows. Errors:
 * STATE, FULL, EXHAUSTED (no call id, or max_calls reached with those whose CALL_DOWN is not yet taken), NOMEM, INVALID. */
PPTP_API int pptp_call_open(struct pptp_conn *conn, const struct pptp_call_params *params, uint16_t *call_id, uint64_t ts);

/* As PAC: sends Incoming-Call-Request; PPTP_EVENT_CALL_UP follows once the PNS has accepted and
 * Incoming-Call-Connected is sent. Errors as pptp_call_open(). */
PPTP_API int pptp_call_offer(struct pptp_conn *conn, const struct pptp_call_params *params, uint16_t *call_id, uint64_t ts);

/* Answers PPTP_EVENT_CALL_REQUEST; params may be NULL. PPTP_EVENT_CALL_UP follows, as PNS once the PAC has connected the call.
 * Errors: NOTFOUND, STATE, FULL. */
PPTP_API int pptp_call_accept(struct pptp_conn *conn, uint16_t call_id, const struct pptp_call_params *params, uint64_t ts);
/* result_code is one of the request's reply (pptp_ocrp_result or pptp_icrp_result), not a success. PPTP_EVENT_CALL_DOWN follows.
 * Errors: NOTFOUND, STATE, FULL, INVALID (a success). */
PPTP_API int pptp_call_reject(struct pptp_conn *conn, uint16_t call_id, uint8_t result_code, uint8_t error_code, uint64_t ts);

/* Ends a call: Call-Clear-Request as PNS (section 2.12), Call-Disconnect-Notify with result_code (enum
 * pptp_cdn_result) as PAC (section 2.13), a refusal where the peer's request is not answered yet. PPTP_EVENT_CALL_DOWN
 * follows, as PNS once the PAC has answered or its time is over. Errors: NOTFOUND, FULL. */
PPTP_API int pptp_call_clear(struct pptp_conn *conn, uint16_t call_id, uint8_t result_code, uint64_t ts);

/* Sends Set-Link-Info (section 2.15) or WAN-Error-Notify (section 2.14; its peer_call_id is filled in).
 * Errors: NOTFOUND, STATE, FULL. */
PPTP_API int pptp_call_set_link_info(struct pptp_conn *conn, uint16_t call_id, uint32_t send_accm, uint32_t receive_accm, uint64_t ts);
PPTP_API int pptp_call_wan_error(struct pptp_conn *conn, uint16_t call_id, const struct pptp_wan_error_notify *counts, uint64_t ts);

/* Copies what is known of a call. Errors: NOTFOUND. */
PPTP_API int pptp_call_info(const struct pptp_conn *conn, uint16_t call_id, struct pptp_call_info *info);

struct pptp_conn_stats {
	uint64_t rx_messages;
	uint64_t tx_messages;
	uint64_t refused; /* messages answered with an error or ignored as illegal */
	uint64_t rtt_ns;  /* of the last Echo; 0: none yet */
	size_t calls;     /* now */
};

PPTP_API void pptp_conn_stats(const struct pptp_conn *conn, struct pptp_conn_stats *stats);

#ifdef __cplusplus
}
#endif
#endif
