/* The gateway's view of one proxied control connection, sans-I/O: two byte streams, between which call ids are translated.
 *
 *      client side                         gateway                          server side
 *   TCP bytes ──► alg_rewrite_recv(CLIENT) ─► frame, check, track, rewrite ─► alg_rewrite_output(SERVER) ──►
 *             ◄── alg_rewrite_output(CLIENT) ◄─────────────────────────────── alg_rewrite_recv(SERVER) ◄──
 *
 * "Client" is the end that opened the TCP connection, "server" the one it was opened to; either may be PNS or PAC, and calls may be
 * outgoing or incoming. Each call has two ids, one chosen by each end, and each may be translated on its way to the other end:
 *
 *   own id of      as it is at its owner    as the other end sees it
 *   client         client_id                client_xid
 *   server         server_id                server_xid
 *
 * GRE from client to server carries server_xid on the client's side of the gateway and server_id on the server's side; GRE from server
 * to client carries client_xid, then client_id. No message changes its length.
 *
 * The message with which both ids are known, and after which GRE may start (Outgoing-Call-Reply, Incoming-Call-Reply), is held, with
 * all that follows it in the same direction, until the program says that the call's gates exist.
 *
 * Nothing here grows with what a peer sends: one message a direction, 1 KiB of output a direction and a few events are all that is
 * held, and input is only taken while there is room for what may come of it. */
#ifndef ALG_REWRITE_H
#define ALG_REWRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pptp/msg.h>

#include "base/mem.h"

enum alg_side { ALG_CLIENT, ALG_SERVER };

/* How a connection is treated whose Start-Control-Connection-Request is not of version 1. */
enum alg_other_version { ALG_VERSION_PASS, ALG_VERSION_REFUSE };

struct alg_call {
	uint32_t number;                /* the rewriter's own, never used twice on a connection */
	enum alg_side requester;        /* which end sent the request */
	bool incoming;                  /* Incoming-Call-*, else Outgoing-Call-* */
	uint16_t client_id, client_xid; /* those of the end that did not ask are 0 until the reply */
	uint16_t server_id, server_xid;
};

/* Why a call or connection ended, or a message was not let through. */
enum alg_why {
	ALG_WHY_NONE,
	ALG_WHY_CLEARED,    /* Call-Clear-Request answered, or Call-Disconnect-Notify */
	ALG_WHY_STOPPED,    /* Stop-Control-Connection */
	ALG_WHY_REPLIED_NO, /* the other end refused the call or the connection */
	ALG_WHY_TRANSPORT,  /* a TCP connection ended */
	ALG_WHY_ADMIN,      /* cleared by the administrator */
	ALG_WHY_NO_ID,      /* no translated id free */
	ALG_WHY_TOO_MANY,   /* the program's limits */
	ALG_WHY_NO_MEMORY,
	ALG_WHY_GATES_FAILED, /* the data path refused */
	ALG_WHY_SEQUENCE,     /* a message that its state does not allow, or about a call that is not there */
	ALG_WHY_MALFORMED,
	ALG_WHY_VERSION,
	ALG_WHY_AGED,    /* no packet came in the gates' first time */
	ALG_WHY_IDLE,    /* no data for the gates' time-out */
	ALG_WHY_CROWDED, /* max_calls on this connection */
	ALG_WHYS,
};

/* "call cleared", "no translated call id free" ...; static. */
const char *alg_why_text(enum alg_why why);

/* Translation is the program's: ids must be unique beyond one connection. The functions must not call the rewriter. */
struct alg_xlate_ops {
	/* An id to stand for `id` of `owner` towards the other end, into *xid. Returns ALG_WHY_NONE, or why the call is to be refused
	 * (NO_ID, NO_MEMORY). */
	enum alg_why (*take)(void *user, enum alg_side owner, uint16_t id, uint16_t *xid);
	/* xid stands for nothing any more. */
	void (*give)(void *user, enum alg_side owner, uint16_t xid);
	/* Only alg_rewrite_load(): xid stands for id, as before the hand-over. False: it can't. */
	bool (*claim)(void *user, enum alg_side owner, uint16_t id, uint16_t xid);
	/* Whether there may be one more call, before an id is taken for it and the other end hears of it: ALG_WHY_NONE, or why not
	 * (TOO_MANY, NO_MEMORY). NULL: there may. */
	enum alg_why (*admit)(void *user);
};

struct alg_rewrite_config {
	const struct mem *mem;
	enum pptp_policy policy;
	enum alg_other_version other_version;
	uint16_t max_calls; /* at once on this connection, at least 1; each message costs a walk over them */
	struct alg_xlate_ops xlate;
	void *xlate_user;
	/* Sees every message as received and as forwarded. forwarded NULL: refused, late or held; received NULL: a held one let go, or
	 * one of the gateway's own making, which speaks for the end `from`. Must not call the rewriter. */
	void (*trace)(void *user, enum alg_side from, const struct pptp_msg *received, const struct pptp_msg *forwarded);
	void *trace_user;
};

enum alg_event_type {
	ALG_EVENT_NONE,
	ALG_EVENT_CALL_NEW,     /* a request was forwarded: call */
	ALG_EVENT_GATES_WANTED, /* install the gates, then alg_rewrite_gates(): call, both ids known */
	ALG_EVENT_CALL_END,     /* remove the gates: call, why. One for each CALL_NEW */
	ALG_EVENT_CALL_REFUSED, /* a request was answered by the gateway: why, from, call with the requester's id. No CALL_NEW came before */
	ALG_EVENT_VIOLATION,    /* a message out of sequence or malformed was not forwarded: why, from, text */
	ALG_EVENT_UNTOUCHED,    /* not PPTP version 1: from now on bytes pass as they are */
	ALG_EVENT_CLOSED, /* the last: why, text. Stream lost, or version refused: drain the output, then close both TCP connections */
};

struct alg_event {
	enum alg_event_type type;
	enum alg_side from;
	enum alg_why why;
	struct alg_call call;
	char text[128]; /* VIOLATION and CLOSED: the message's name and what is wrong with it */
};

struct alg_rewrite_stats {
	uint64_t received[2]; /* messages, by the side they came from */
	uint64_t forwarded;
	uint64_t made;     /* by the gateway itself */
	uint64_t refused;  /* out of sequence or malformed */
	uint64_t late;     /* about a call or connection that just ended: dropped without a word, as an endpoint would */
	uint64_t repaired; /* wrong ids of known peers put right */
};

struct alg_rewrite;

/* Returns 0, or -1 when memory ran out. The configuration is copied; mem and what the users point to must outlive the rewriter. */
int alg_rewrite_new(struct alg_rewrite **rw, const struct alg_rewrite_config *config);
/* Gives back all translated ids. NULL is allowed. */
void alg_rewrite_free(struct alg_rewrite *rw);

/* Takes bytes of one direction; returns how many: fewer when output, events or a held reply must be dealt with first. After
 * ALG_EVENT_CLOSED or the end of a TCP connection all bytes are taken and dropped. */
size_t alg_rewrite_recv(struct alg_rewrite *rw, enum alg_side from, const uint8_t *data, size_t datalen);

/* Bytes to send to an end, valid until the next call; tell how many went out with alg_rewrite_sent(). */
size_t alg_rewrite_output(const struct alg_rewrite *rw, enum alg_side to, const uint8_t **data);
void alg_rewrite_sent(struct alg_rewrite *rw, enum alg_side to, size_t n);

/* Takes the next event; false when there is none. */
bool alg_rewrite_event(struct alg_rewrite *rw, struct alg_event *event);

/* Answers ALG_EVENT_GATES_WANTED: releases the held reply, or turns it into a refusal and ends the call at the other end too. A call
 * that does not wait (any more) is left alone. */
void alg_rewrite_gates(struct alg_rewrite *rw, uint32_t call_number, bool ok);

/* Ends a call from the gateway itself, towards both ends, with the messages their roles expect: Call-Clear-Request to the PAC,
 * Call-Disconnect-Notify to the PNS, a refusal where a request is not yet answered. What they answer is swallowed. CALL_END
 * follows, as soon as there is room for the messages. False: no such call. */
bool alg_rewrite_clear(struct alg_rewrite *rw, uint32_t call_number, enum alg_why why);

/* A TCP connection ended: all calls end, nothing more is taken. What is in the output may still be sent to the other end. */
void alg_rewrite_transport_closed(struct alg_rewrite *rw, enum alg_side side);

/* The calls there are, for tables: copies up to max, returns how many there are. */
size_t alg_rewrite_calls(const struct alg_rewrite *rw, struct alg_call *calls, size_t max);

void alg_rewrite_stats(const struct alg_rewrite *rw, struct alg_rewrite_stats *stats);

/* The whole state as bytes (for a hand-over to a new process), and back; events not yet taken and output not yet sent go with it, and
 * numbers of calls stay. Save returns the bytes written, 0: buf too small; 4 KiB and 32 bytes a call always suffice. Load returns 0,
 * or -1 when memory ran out, an id could not be claimed, or the bytes are not what alg_rewrite_save() writes. */
size_t alg_rewrite_save(const struct alg_rewrite *rw, uint8_t *buf, size_t buflen);
int alg_rewrite_load(struct alg_rewrite **rw, const struct alg_rewrite_config *config, const uint8_t *data, size_t datalen);

#endif
