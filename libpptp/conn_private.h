/* The insides of a control connection, shared by its files:
 *   conn.c        making, freeing, output, events, the public connection functions
 *   conn_fsm.c    the control connection's states (section 3.1)
 *   conn_rx.c     received bytes to events of the machines
 *   conn_timer.c  time
 *   call.c        the calls of a connection: finding, making, ending, the public call functions
 *   call_fsm.c    the four call machines (sections 3.2.3 and 3.2.4)
 *   call_msg.c    what call messages say, both ways */
#ifndef LIBPPTP_CONN_PRIVATE_H
#define LIBPPTP_CONN_PRIVATE_H

#include <pptp/conn.h>
#include <pptp/framer.h>

enum {
	CONN_OUT = 2048,  /* bytes of output held */
	CONN_NOTES = 16,  /* events held, besides one CALL_DOWN a call and CLOSED */
	CALL_HASH = 1024, /* most buckets of a connection; ids have 16 bits, so none holds more than 64 calls */
	TEXT_SIZE = 129,
};

/* The call machines of section 3.2: our role, and who asked for the call. */
enum call_machine { PNS_OUTGOING, PAC_OUTGOING, PAC_INCOMING, PNS_INCOMING, CALL_MACHINES };

enum { CONN_STATES = PPTP_CONN_CLOSED + 1, CALL_STATES = PPTP_CALL_WAIT_DISCONNECT + 1 };

/* Events of both machines: a message's type, or what this side does or sees. */
enum {
	EV_START = PPTP_SET_LINK_INFO + 1,
	EV_STOP,
	EV_TIMEOUT,
	EV_TCP_CLOSED,
	EV_YIELD,
	EV_BAD_STREAM,
	CONN_EVENTS,
	EV_CALL_OPEN = PPTP_SET_LINK_INFO + 1,
	EV_CALL_ACCEPT,
	EV_CALL_REJECT,
	EV_CALL_CLEAR,
	EV_CALL_TIMEOUT,
	EV_CALL_LINK_INFO,
	EV_CALL_WAN_ERROR,
	CALL_EVENTS,
};

struct conn_input {
	unsigned event;
	uint64_t ts;
	const struct pptp_msg *msg; /* events that are messages */
	uint8_t reason;             /* EV_STOP */
	int error;                  /* EV_BAD_STREAM */
};

struct call_input {
	unsigned event;
	uint64_t ts;
	const struct pptp_msg *msg;            /* received, or to send for EV_CALL_LINK_INFO and EV_CALL_WAN_ERROR */
	const struct pptp_call_params *params; /* EV_CALL_OPEN and EV_CALL_ACCEPT; may be NULL */
	uint8_t result_code;                   /* EV_CALL_REJECT and EV_CALL_CLEAR */
	uint8_t error_code;
};

/* How a call ends, or will have ended once the peer has answered. */
struct call_ending {
	enum pptp_end end;
	int error;
	uint8_t result_code;
	uint8_t error_code;
	uint16_t cause_code;
	char text[TEXT_SIZE];
};

struct call {
	struct call *own_next;    /* in conn->by_own */
	struct call *peer_next;   /* in conn->by_peer, when peer_known */
	struct call *prev, *next; /* in conn->waiting or conn->ended */
	uint64_t deadline;        /* PPTP_TS_NEVER: not in conn->waiting */
	enum call_machine machine;
	bool peer_known; /* info.peer_call_id is set */
	struct pptp_call_info info;
	uint16_t recv_window; /* what we tell the peer */
	uint16_t processing_delay;
	struct call_ending ending;
	uint64_t event_no; /* of its CALL_DOWN, in conn->ended */
};

struct call_list {
	struct call *first, *last;
};

/* An event in the ring; `call` lives at least until its CALL_DOWN is taken, which comes later. */
struct note {
	uint64_t event_no;
	enum pptp_event_type type;
	struct call *call;
	union {
		struct pptp_set_link_info link_info;
		struct pptp_wan_error_notify wan_error;
	};
};

struct pptp_conn {
	struct pptp_conn_config config; /* its strings point at host_name and vendor_name below */
	char host_name[65];
	char vendor_name[65];
	bool initiator;
	enum pptp_conn_state state;
	bool question;     /* in_order: PPTP_EVENT_CALL_REQUEST waits to be taken */
	uint64_t deadline; /* of the state, or of the Echo */
	bool echo_pending;
	uint32_t echo_identifier;
	uint64_t echo_sent;
	uint16_t serial; /* of our last call request */
	struct pptp_start peer;
	struct call_ending ending;
	struct pptp_framer framer;

	uint8_t out[CONN_OUT];
	size_t out_first;
	size_t out_len;

	struct note notes[CONN_NOTES];
	size_t note_first;
	size_t note_count;
	uint64_t event_no;
	bool closed_told;

	struct call_list waiting; /* calls with a deadline, the earliest first */
	struct call_list ended;   /* calls whose CALL_DOWN waits, the earliest first */
	size_t allocated;         /* calls, with the ended ones: at most config.max_calls */
	struct pptp_conn_stats stats;
	size_t buckets; /* a power of two */
	struct call **by_own;
	struct call **by_peer;
	struct call *hash[]; /* both tables */
};

/* conn.c */

/* Room for the longest message and for one event, which each thing that a program does needs at most. */
bool conn_has_room(const struct pptp_conn *conn);
/* The caller has seen conn_has_room(). */
void conn_send(struct pptp_conn *conn, const struct pptp_msg *msg);
/* A free slot of the ring, counted in; the caller has seen conn_has_room(). */
struct note *conn_note(struct pptp_conn *conn, enum pptp_event_type type, struct call *call);
/* ts + ns, or PPTP_TS_NEVER when that is beyond time. */
uint64_t ts_add(uint64_t ts, uint64_t ns);
void ending_set(struct call_ending *ending, enum pptp_end end, int error, const char *text);

/* conn_fsm.c */

/* Runs one event through the control connection's machine. Returns PPTP_OK, or PPTP_ERR_STATE where a local event is
 * not legal. */
int conn_fsm(struct pptp_conn *conn, const struct conn_input *in);
void conn_set_state(struct pptp_conn *conn, enum pptp_conn_state state, uint64_t ts);
/* Answers a request with an error, where the message has a reply that can say so. */
void conn_refuse(struct pptp_conn *conn, const struct pptp_msg *msg, uint8_t error_code);

/* call.c */

/* Takes a call id, wanted if that is free, and memory. Errors: NOMEM, EXHAUSTED. */
int call_new(struct pptp_conn *conn, enum call_machine machine, uint16_t wanted, struct call **call, uint64_t ts);
void call_learn_peer_id(struct pptp_conn *conn, struct call *call, uint16_t peer_call_id);
struct call *call_by_own(const struct pptp_conn *conn, uint16_t id);
struct call *call_by_peer(const struct pptp_conn *conn, uint16_t id);
/* The call that a received message is about; NULL if there is none. */
struct call *call_select(const struct pptp_conn *conn, const struct pptp_msg *msg);
/* Takes the call out of the tables, gives its id to rest, and makes it its own CALL_DOWN event. */
void call_retire(struct pptp_conn *conn, struct call *call, uint64_t ts);
/* Ends all calls alike; nothing is sent. */
void call_end_all(struct pptp_conn *conn, enum pptp_end end, const char *text, uint64_t ts);
void call_wait(struct pptp_conn *conn, struct call *call, uint64_t deadline);
void call_list_remove(struct call_list *list, struct call *call);
void call_list_append(struct call_list *list, struct call *call);
/* A peer's Outgoing- or Incoming-Call-Request. */
void call_requested(struct pptp_conn *conn, const struct pptp_msg *msg, uint64_t ts);

/* call_fsm.c */

/* Runs one event through the call's machine. Returns PPTP_OK, or PPTP_ERR_STATE where the event is not legal: a message
 * is then ignored. The caller has seen conn_has_room(). */
int call_fsm(struct pptp_conn *conn, struct call *call, const struct call_input *in);
void call_set_state(struct pptp_conn *conn, struct call *call, enum pptp_call_state state, uint64_t ts);

/* call_msg.c */

void call_take_params(struct call *call, const struct pptp_call_params *params);
/* Reads a request, an accepting reply or Incoming-Call-Connected into what is known of the call. */
void call_take_message(struct call *call, const struct pptp_msg *msg);
/* The call's own request, or its reply to the peer's. */
void call_send_request(struct pptp_conn *conn, struct call *call);
void call_send_reply(struct pptp_conn *conn, const struct call *call, uint8_t result_code, uint8_t error_code);
void call_send_connected(struct pptp_conn *conn, const struct call *call);
void call_send_clear(struct pptp_conn *conn, const struct call *call);
void call_send_disconnect(struct pptp_conn *conn, const struct call *call, uint8_t result_code, uint8_t error_code);

#endif
