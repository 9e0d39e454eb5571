/* One rewriter under test. What it sends and tells is read as one line of words, in order: messages to the client, messages to the
 * server, events. A message is "<" (to the client) or ">" (to the server), a short name, its Call ID, "/" and its Peer's Call ID,
 * "=" and its result code, each where it has one: "<OCRP:2007/5=1". Ids of the client are translated to 1000 more, the server's to 2000 more. */
#ifndef TESTS_UNIT_ALG_GW_H
#define TESTS_UNIT_ALG_GW_H

#include "alg/rewrite.h"
#include "base/mem.h"
#include "base/text.h"

enum { CLIENT_PLUS = 1000, SERVER_PLUS = 2000 };

struct gw {
	struct alg_rewrite_config config;
	struct alg_rewrite *rw;
	struct mem_failing failing;
	enum alg_why take_fails, admit_fails; /* what the next ones answer */
	bool same;                            /* route mode: no translation */
	int taken;                            /* ids taken and not given back */
	char traced[4096];
	struct text trace;
	char line[4096];
	struct text text;
	struct alg_event last;
	uint8_t bytes[2][65536]; /* all that went to each side */
	size_t nbytes[2];
};

/* Defaults: lenient, other versions refused, 8 calls. Change config before gw_open(). */
void gw_init(struct gw *g);
void gw_open(struct gw *g);
void gw_free(struct gw *g);

/* Feeds bytes or a message from a side; returns how many were taken. */
size_t gw_feed(struct gw *g, enum alg_side from, const void *data, size_t len);
void gw_send(struct gw *g, enum alg_side from, const struct pptp_msg *msg);
/* A message of a type with success codes about a call: Call ID and Peer's Call ID as given, where it has them. */
struct pptp_msg gw_msg(unsigned type, uint16_t call_id, uint16_t peer_call_id);
void gw_say(struct gw *g, enum alg_side from, unsigned type, uint16_t call_id, uint16_t peer_call_id);

/* Drains output and events to the line; valid until the next call. */
const char *gw_line(struct gw *g);

/* Opens and starts the control connection. */
void gw_start(struct gw *g);
/* An outgoing call 5 of the client that the server (id 7) accepted, number 1; the line is empty after it. */
void gw_call(struct gw *g);
/* The same, incoming, offered by the server (id 7) to the client (id 5). */
void gw_incoming(struct gw *g);

enum {
	SCCRQ = PPTP_START_CONTROL_CONNECTION_REQUEST,
	SCCRP = PPTP_START_CONTROL_CONNECTION_REPLY,
	STOPRQ = PPTP_STOP_CONTROL_CONNECTION_REQUEST,
	STOPRP = PPTP_STOP_CONTROL_CONNECTION_REPLY,
	ECHORQ = PPTP_ECHO_REQUEST,
	ECHORP = PPTP_ECHO_REPLY,
	OCRQ = PPTP_OUTGOING_CALL_REQUEST,
	OCRP = PPTP_OUTGOING_CALL_REPLY,
	ICRQ = PPTP_INCOMING_CALL_REQUEST,
	ICRP = PPTP_INCOMING_CALL_REPLY,
	ICCN = PPTP_INCOMING_CALL_CONNECTED,
	CCR = PPTP_CALL_CLEAR_REQUEST,
	CDN = PPTP_CALL_DISCONNECT_NOTIFY,
	WEN = PPTP_WAN_ERROR_NOTIFY,
	SLI = PPTP_SET_LINK_INFO,
};

#endif
