/* One control connection under test. What it says and tells is read as one line of words, in order: its messages, then
 * its events: "SCCRP:1/0 ESTABLISHED". Times are in seconds. */
#ifndef TESTS_UNIT_LIBPPTP_SOLO_H
#define TESTS_UNIT_LIBPPTP_SOLO_H

#include <pptp/conn.h>

#include "base/mem.h"
#include "base/text.h"

#define SEC UINT64_C(1000000000)

enum { PEER_ID = 0x4000 };

struct solo {
	struct pptp_conn_config config;
	struct pptp_callid_pool *pool;
	struct pptp_conn *conn;
	uint64_t random;
	uint64_t ts;
	char line[8192];
	struct text text;
	uint16_t call_id;       /* of the last call event or program's call */
	struct pptp_event last; /* event */
	struct pptp_msg said;   /* message */
	struct mem_failing failing;
	struct pptp_mem mem;
};

/* Defaults: lenient, all calls accepted, 8 calls at most. Change config before solo_open(). */
void solo_init(struct solo *s);
void solo_open(struct solo *s, bool initiator);
void solo_free(struct solo *s);

/* Feeds a message, all of which must be taken. */
void solo_recv(struct solo *s, const struct pptp_msg *msg);
void solo_recv_bytes(struct solo *s, const void *data, size_t datalen);
/* Drains messages and events to the line; valid until the next call. */
const char *solo_line(struct solo *s);
/* Lets seconds pass, with the expiries that fall due. */
void solo_pass(struct solo *s, uint64_t seconds);

/* Opens as a TCP server whose peer has started the connection. */
void solo_establish(struct solo *s);

/* A message of a type with success codes, about the call with our id `own` and the peer's id `peer`. */
struct pptp_msg msg_about(enum pptp_msg_type type, uint16_t own, uint16_t peer);
/* Its wire form, in PPTP_MAX_MESSAGE bytes of room; returns the length. */
size_t msg_bytes(uint8_t *buf, const struct pptp_msg *msg);
/* "OCRP:1/0" */
void msg_word(struct text *t, const struct pptp_msg *msg);
void event_word(struct text *t, const struct pptp_event *event);

#endif
