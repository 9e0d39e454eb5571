/* What went wrong, as a value; and what to tell the person who has to act on it.
 *
 * Each way a tunnel can fail or end is one kind with one row: sentence, advice, when to dial again, exit status. */
#ifndef PPTPC_DIAG_H
#define PPTPC_DIAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libppp/link.h"
#include <pptp/conn.h>

enum trouble_kind {
	TROUBLE_NONE,
	/* wanted here */
	TROUBLE_STOPPED,
	TROUBLE_KICKED,
	TROUBLE_IDLE,
	TROUBLE_SESSION_TIMEOUT,
	/* on the way to the server */
	TROUBLE_NAME_UNKNOWN,
	TROUBLE_NAME_LATER,
	TROUBLE_NAME_TIMEOUT,
	TROUBLE_NAME_FAMILY,
	TROUBLE_NO_ROUTE,
	TROUBLE_TCP_REFUSED,
	TROUBLE_TCP_TIMEOUT,
	TROUBLE_TCP_UNREACHABLE,
	TROUBLE_TCP_FAILED,
	/* control connection and call */
	TROUBLE_CONTROL_SILENT,
	TROUBLE_CONTROL_VERSION,
	TROUBLE_CONTROL_FORBIDDEN,
	TROUBLE_CONTROL_REFUSED,
	TROUBLE_CONTROL_PROTOCOL,
	TROUBLE_CONTROL_CLOSED,
	TROUBLE_CALL_SILENT,
	TROUBLE_CALL_BUSY,
	TROUBLE_CALL_ADMIN,
	TROUBLE_CALL_RESOURCES,
	TROUBLE_CALL_FAILED,
	/* GRE and PPP */
	TROUBLE_GRE_BLOCKED,
	TROUBLE_GRE_LOCAL,
	TROUBLE_GRE_SOURCE,
	TROUBLE_PPP_SILENT,
	TROUBLE_LCP_FAILED,
	TROUBLE_LOOPBACK,
	TROUBLE_AUTH_METHODS,
	TROUBLE_AUTH_WRONG,
	TROUBLE_AUTH_HOURS,
	TROUBLE_AUTH_DISABLED,
	TROUBLE_AUTH_EXPIRED,
	TROUBLE_AUTH_NO_DIALIN,
	TROUBLE_AUTH_CHANGE,
	TROUBLE_AUTH_SILENT,
	TROUBLE_AUTH_PEER,
	TROUBLE_NOT_GENUINE,
	TROUBLE_ENCRYPTION,
	TROUBLE_ENCRYPTION_WANTED,
	TROUBLE_NO_NETWORK,
	TROUBLE_ENDED_EARLY,
	TROUBLE_ENDLESS,
	/* once up */
	TROUBLE_ECHO_PPTP,
	TROUBLE_ECHO_LCP,
	TROUBLE_ENDED_PPP,
	TROUBLE_ENDED_CALL,
	TROUBLE_ENDED_CONTROL,
	TROUBLE_TCP_LOST,
	/* here */
	TROUBLE_LOCAL,
	TROUBLE_MEMORY,
	TROUBLE_KINDS,
};

/* What decides how long to wait before the next attempt. */
enum retry_class {
	RETRY_NEVER,
	RETRY_NETWORK,
	RETRY_REFUSED,
	RETRY_AUTH,
	RETRY_ENCRYPTION,
	RETRY_ENDED,
};

/* Exit status of a tunnel by hand; pptpc(8) lists them. */
enum exit_status {
	EXIT_STOPPED = 0,
	EXIT_USAGE = 1,
	EXIT_LOCAL = 2,
	EXIT_NAME = 3,
	EXIT_UNREACHABLE = 4,
	EXIT_REFUSED = 5,
	EXIT_GRE = 6,
	EXIT_NEGOTIATION = 7,
	EXIT_AUTH = 8,
	EXIT_ENCRYPTION = 9,
	EXIT_LOST = 10,
	EXIT_ENDED = 11,
	EXIT_TIMEOUT = 12,
};

struct trouble {
	enum trouble_kind kind;
	int result; /* a result code or an errno */
	int error;  /* RFC 2637's general error code, or MS-CHAP's error */
	int cause;
	char detail[160]; /* the peer's or the system's words; escaped */
};

/* Where it happened, for the sentences. */
struct trouble_place {
	const char *host;
	const char *address; /* text; empty: not known yet */
	uint16_t port;
	const char *user;
	unsigned allow; /* authentication methods */
};

/* What was going on when a call or link ended. */
enum dial_stage { STAGE_CONTROL, STAGE_CALL, STAGE_LINK, STAGE_UP };

struct trouble trouble_make(enum trouble_kind kind, const char *detail);
/* From getaddrinfo()'s error, and from a connect()'s errno. */
struct trouble trouble_from_lookup(int gai_error);
struct trouble trouble_from_tcp(int error);
/* From PPTP_EVENT_CALL_DOWN or PPTP_EVENT_CLOSED. */
struct trouble trouble_from_pptp(const struct pptp_event *event, enum dial_stage stage);
/* From the end of a link. gre_seen: any GRE packet came from the server. */
struct trouble trouble_from_ppp(enum ppp_down down, uint16_t mschap_error, const char *message, enum dial_stage stage, bool gre_seen);

enum retry_class trouble_class(enum trouble_kind kind);
int trouble_exit(enum trouble_kind kind);
/* "gre-blocked": a stable word for logs, scripts and the control socket. */
const char *trouble_word(enum trouble_kind kind);
/* "Nothing listens on 192.0.2.1 port 1723", and what to do about it ("" if nothing), written into buf; both return buf. */
const char *trouble_sentence(const struct trouble *t, const struct trouble_place *place, char *buf, size_t size);
const char *trouble_advice(const struct trouble *t, const struct trouble_place *place, char *buf, size_t size);

#endif
