/* The option negotiation automaton of RFC 1661 section 4, shared by LCP, IPCP, IPV6CP and CCP.
 *
 * The transition table is data (fsm.c); fsm_event() is the only way to move, and packets become events in
 * fsm_rx.c. A protocol is an ops table plus option rows. */
#ifndef LIBPPP_FSM_H
#define LIBPPP_FSM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libppp/options.h"
#include "libppp/outq.h"
#include "libppp/proto.h"

/* RFC 1661 section 4.2, with its numbers. */
enum fsm_state {
	FSM_INITIAL,
	FSM_STARTING,
	FSM_CLOSED,
	FSM_STOPPED,
	FSM_CLOSING,
	FSM_STOPPING,
	FSM_REQ_SENT,
	FSM_ACK_RCVD,
	FSM_ACK_SENT,
	FSM_OPENED,
	FSM_STATES,
};

/* RFC 1661 section 4.3. */
enum fsm_event {
	FSM_UP,
	FSM_DOWN,
	FSM_OPEN,
	FSM_CLOSE,
	FSM_TO_PLUS,   /* time-out, restarts left */
	FSM_TO_MINUS,  /* time-out, none left */
	FSM_RCR_PLUS,  /* Configure-Request, acceptable */
	FSM_RCR_MINUS, /* Configure-Request, not acceptable */
	FSM_RCA,
	FSM_RCN, /* Configure-Nak or -Reject */
	FSM_RTR,
	FSM_RTA,
	FSM_RUC,       /* unknown code */
	FSM_RXJ_PLUS,  /* Code- or Protocol-Reject we can live with */
	FSM_RXJ_MINUS, /* and one we can't */
	FSM_RXR,       /* Echo-Request, Echo-Reply, Discard-Request */
	FSM_EVENTS,
};

/* RFC 1661 section 4.4, in the order in which one transition performs them. */
enum fsm_action {
	FSM_TLD = 1 << 0,
	FSM_IRC = 1 << 1,
	FSM_ZRC = 1 << 2,
	FSM_SCR = 1 << 3,
	FSM_STR = 1 << 4,
	FSM_SCA = 1 << 5,
	FSM_SCN = 1 << 6,
	FSM_STA = 1 << 7,
	FSM_SCJ = 1 << 8,
	FSM_SER = 1 << 9,
	FSM_TLS = 1 << 10,
	FSM_TLU = 1 << 11,
	FSM_TLF = 1 << 12,
	FSM_ILLEGAL = 1 << 15, /* the cells printed as "-": nothing happens */
};

struct fsm_cell {
	uint16_t actions;
	uint8_t next;
};

/* One cell of the table. */
struct fsm_cell fsm_cell(enum fsm_state state, enum fsm_event event);
const char *fsm_state_name(enum fsm_state state);

/* A packet as it was received, behind its 4-byte header. */
struct fsm_packet {
	uint8_t code, id;
	const uint8_t *data;
	size_t len;
};

struct fsm_ops {
	enum ppp_proto proto;
	struct opt_table options;
	void (*up)(void *user);       /* This-Layer-Up */
	void (*down)(void *user);     /* This-Layer-Down */
	void (*finished)(void *user); /* This-Layer-Finished */
	/* Before a Configure-Request is judged: what the peer said before is void. */
	void (*forget_peer)(void *user);
	/* A code that is none of 1..7; false: unknown, so it gets a Code-Reject. NULL: all are unknown. */
	bool (*extra)(void *user, const struct fsm_packet *p);
	/* Send-Echo-Reply for the packet being handled. NULL: none. */
	void (*echo_reply)(void *user, const struct fsm_packet *p);
	/* A Code-Reject of an extra code came. NULL: nobody cares. */
	void (*code_rejected)(void *user, uint8_t code);
};

struct fsm_limits {
	uint64_t restart_ns;
	uint8_t max_configure;
	uint8_t max_terminate;
	uint8_t max_failure;
};

enum { FSM_REQUEST_MAX = 64, FSM_REASON_MAX = 64, FSM_REPEATS = 3 };

struct fsm {
	const struct fsm_ops *ops;
	void *user;
	struct outq *outq;   /* NULL: packets go nowhere */
	const uint64_t *now; /* ns; the owner keeps it */
	struct fsm_limits limits;
	enum fsm_state state;
	bool passive;        /* in Starting, wait for the peer's request (RFC 1661 section 4.6, "passive") */
	uint64_t expiry;     /* of the restart timer; TS_NEVER: not running */
	uint8_t restarts;    /* the restart counter */
	uint16_t naks_sent;  /* Naks and Rejects since the last Ack */
	uint16_t naks_rcvd;  /* Naks and Rejects since This-Layer-Up or Up */
	uint8_t next_id;     /* for Configure- and Terminate-Requests and rejects */
	uint8_t request_id;  /* of our last Configure-Request */
	bool request_open;   /* it has no answer yet */
	bool request_early;  /* the peer may not have listened: it goes out again when the peer begins */
	uint8_t request_len; /* and what it held: an Ack must repeat it */
	uint8_t request[FSM_REQUEST_MAX];
	uint8_t acked_id; /* of the peer's request that was acknowledged last, and what it held */
	uint8_t acked_len;
	uint8_t acked[FSM_REQUEST_MAX];
	bool acked_valid;
	uint8_t repeats;                 /* of it, since This-Layer-Up */
	char reason[FSM_REASON_MAX];     /* data of our Terminate-Request */
	const struct fsm_packet *packet; /* being handled */
	const struct opt_reply *reply;   /* to the Configure-Request being handled */
	uint64_t rx_bad;                 /* packets discarded: malformed, or of a wrong identifier */
};

void fsm_init(struct fsm *f, const struct fsm_ops *ops, void *user, const struct fsm_limits *limits, const uint64_t *now);

/* The one entry: performs the cell's actions and changes the state. False when the cell is "-". */
bool fsm_event(struct fsm *f, enum fsm_event event);

/* Takes a packet of the protocol: code, id, length, data. */
void fsm_input(struct fsm *f, const uint8_t *packet, size_t len);

/* The restart timer. */
void fsm_expire(struct fsm *f);

/* A request of ours that has no answer yet may have come too early for the peer: when the peer's own comes before the answer,
 * ours goes out again at once instead of after a restart time. */
void fsm_was_early(struct fsm *f);

/* The peer sent a Protocol-Reject for this protocol (RFC 1661 section 5.7). */
void fsm_rejected(struct fsm *f);

/* Sends a packet with these bytes as its data, cut to what fits. */
void fsm_send(struct fsm *f, uint8_t code, uint8_t id, const void *data, size_t len);

#endif
