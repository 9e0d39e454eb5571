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
 * The message that lets GRE start towards an end (Outgoing-Call-Reply, Incoming-Call-Reply, Incoming-Call-Connected) is
 * held, with all that follows it in the same direction, until the program says that the call's gates exist. */
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
	uint32_t number;         /* the rewriter's own, never used twice on a connection */
	enum alg_side requester; /* which end sent the request */
	bool incoming;           /* Incoming-Call-*, else Outgoing-Call-* */
	uint16_t client_id, client_xid;
	uint16_t server_id, server_xid; /* 0 until the reply */
};

/* Translation is the program's: ids must be unique beyond one connection. Called from alg_rewrite_recv(); must not call the rewriter. */
struct alg_xlate_ops {
	/* An id to stand for `id` of `owner` towards the other end, into *xid; false when none is free (the call is refused). */
	bool (*take)(void *user, enum alg_side owner, uint16_t id, uint16_t *xid);
	void (*give)(void *user, enum alg_side owner, uint16_t xid);
};

struct alg_rewrite_config {
	const struct mem *mem;
	enum pptp_policy policy;
	enum alg_other_version other_version;
	uint16_t max_calls; /* on this connection */
	struct alg_xlate_ops xlate;
	void *xlate_user;
	/* Sees every message as received and as forwarded (NULL fields: refused or held back). Must not call the rewriter. */
	void (*trace)(void *user, enum alg_side from, const struct pptp_msg *received, const struct pptp_msg *forwarded);
	void *trace_user;
};

enum alg_event_type {
	ALG_EVENT_NONE,
	ALG_EVENT_CALL_NEW,     /* a request was forwarded: call */
	ALG_EVENT_GATES_WANTED, /* install the gates, then alg_rewrite_gates(): call, both ids known */
	ALG_EVENT_CALL_END,     /* remove the gates: call, why */
	ALG_EVENT_CALL_REFUSED, /* no id free, too many calls: why; the requester got a refusing reply */
	ALG_EVENT_VIOLATION,    /* a message out of sequence or malformed was not forwarded: why, text */
	ALG_EVENT_UNTOUCHED,    /* not PPTP version 1: from now on bytes pass as they are */
	ALG_EVENT_CLOSED,       /* the stream can't be followed, or version refused: close both TCP connections after draining */
};

enum alg_why {
	ALG_WHY_NONE,
	ALG_WHY_CLEARED,      /* Call-Clear-Request answered, or Call-Disconnect-Notify */
	ALG_WHY_STOPPED,      /* Stop-Control-Connection */
	ALG_WHY_REPLIED_NO,   /* the other end refused the call */
	ALG_WHY_TRANSPORT,    /* a TCP connection ended */
	ALG_WHY_ADMIN,        /* cleared by the administrator */
	ALG_WHY_NO_ID,        /* no translated id free */
	ALG_WHY_TOO_MANY,     /* max_calls, or the program's limits */
	ALG_WHY_GATES_FAILED, /* the data path refused */
	ALG_WHY_SEQUENCE,     /* a message that its state does not allow, or a reply nobody asked for */
	ALG_WHY_MALFORMED,
	ALG_WHY_VERSION,
	ALG_WHY_IDLE, /* no data for the gates' time-out */
	ALG_WHYS,
};

/* "call cleared", "no translated call id free" ...; static. */
const char *alg_why_text(enum alg_why why);

struct alg_event {
	enum alg_event_type type;
	enum alg_side from;
	enum alg_why why;
	struct alg_call call;
	char text[128];
};

struct alg_rewrite;

/* Returns 0, or -1 when memory ran out. */
int alg_rewrite_new(struct alg_rewrite **rw, const struct alg_rewrite_config *config);
/* Gives back all translated ids. NULL is allowed. */
void alg_rewrite_free(struct alg_rewrite *rw);

/* Takes bytes of one direction; returns how many: fewer when output, events or a held reply must be dealt with first. */
size_t alg_rewrite_recv(struct alg_rewrite *rw, enum alg_side from, const uint8_t *data, size_t datalen);

/* Bytes to send to an end, valid until the next call; tell how many went out with alg_rewrite_sent(). */
size_t alg_rewrite_output(const struct alg_rewrite *rw, enum alg_side to, const uint8_t **data);
void alg_rewrite_sent(struct alg_rewrite *rw, enum alg_side to, size_t n);

bool alg_rewrite_event(struct alg_rewrite *rw, struct alg_event *event);

/* Answers ALG_EVENT_GATES_WANTED: releases the held reply, or turns it into a refusal and ends the call at the other end. */
void alg_rewrite_gates(struct alg_rewrite *rw, uint32_t call_number, bool ok);

/* Ends a call from the gateway itself, towards both ends, with the messages their roles expect. False: no such call. */
bool alg_rewrite_clear(struct alg_rewrite *rw, uint32_t call_number, enum alg_why why);

/* A TCP connection ended: ends all calls. */
void alg_rewrite_transport_closed(struct alg_rewrite *rw, enum alg_side side);

/* The calls there are, for tables: copies up to max, returns how many there are. */
size_t alg_rewrite_calls(const struct alg_rewrite *rw, struct alg_call *calls, size_t max);

/* The whole state as bytes (for a hand-over to a new process), and back. Returns bytes written (0: buf too small), and 0 or -1. */
size_t alg_rewrite_save(const struct alg_rewrite *rw, uint8_t *buf, size_t buflen);
int alg_rewrite_load(struct alg_rewrite **rw, const struct alg_rewrite_config *config, const uint8_t *data, size_t datalen);

#endif
