/* The authentication machines of a link: the authenticator (authr), with which we check the peer, and the authenticatee
 * (authe), with which we answer it. Independent of each other: both run at once in mutual authentication.
 *
 * Sub-objects of a link, without allocation and callbacks (but for random). Packets leave through the link's outq; what
 * happened is the return value of the call that made it happen. The link keeps the time of the whole phase, decides
 * which protocol was negotiated, and gives a machine only packets of that protocol (CVE-2020-8597); with codes that
 * both directions share in mind, give
 *   PAP  Authenticate-Request to authr, Ack and Nak to authe;
 *   CHAP Response and the password changes (5, 6, 7) to authr, Challenge, Success and Failure to authe;
 *   EAP  Response to authr, Request, Success and Failure to authe;
 * or simply any packet to both that run: a machine drops what isn't for it.
 *
 * Methods are a set: one bit of PAP, CHAP-MD5, MS-CHAP or MS-CHAPv2, or, when EAP was negotiated, the EAP methods
 * allowed, of which EAP itself picks one (RFC 3748 section 5.3.1). */
#ifndef LIBPPP_AUTH_FSM_H
#define LIBPPP_AUTH_FSM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "libppp/auth.h"
#include "libppp/crypto.h"
#include "libppp/outq.h"
#include "libppp/proto.h"

enum { PPP_AUTH_EAP_ANY = PPP_AUTH_EAP_MD5 | PPP_AUTH_EAP_MSCHAPV2 };

/* The protocol number to negotiate for a method: PPP_PROTO_PAP, _CHAP or _EAP. */
enum ppp_proto ppp_auth_proto(enum ppp_auth_method method);

/* What both machines need. Copied by init; what it points to must outlive the machine. */
struct auth_config {
	const struct ppp_crypto *crypto;
	void (*random)(void *user, void *buf, size_t len);
	void *random_user;
	const char *name;                /* ours: in challenges, and as user name */
	const struct ppp_secret *secret; /* our password; authe only */
	struct outq *out;
	uint64_t restart_ns;  /* between retransmissions */
	uint8_t max_transmit; /* transmissions of one packet, the first included; at least 1 */
	uint8_t retries;      /* authr: wrong answers that leave the peer another try */
};

/* ---- authenticator ------------------------------------------------------------------------------------------- */

enum authr_state {
	AUTHR_IDLE,
	AUTHR_IDENTITY,  /* EAP: Identity asked for */
	AUTHR_CHALLENGE, /* challenge sent; PAP: waiting for the peer to begin */
	AUTHR_DECIDE,    /* verdict awaited */
	AUTHR_CONFIRM,   /* EAP-MSCHAPv2: success or failure sent, the peer's acknowledgement awaited */
	AUTHR_OPEN,      /* peer accepted; a repeated response is answered as before */
	AUTHR_CLOSED,    /* peer refused, or gone */
};

enum authr_result {
	AUTHR_NONE,      /* nothing for the link */
	AUTHR_REQUEST,   /* authr.request wants a verdict: authr_verdict() */
	AUTHR_ACCEPTED,  /* the peer is who it says: authr.request.name, .method, .keys */
	AUTHR_REFUSED,   /* it is not, and has been told: close the link */
	AUTHR_NO_METHOD, /* EAP: the peer refused all methods allowed: agree on another protocol, or authr_give_up() and close the link */
	AUTHR_TIMEOUT,   /* it does not answer: close the link */
};

enum { AUTH_REPLY_MAX = 360 };

struct authr {
	struct auth_config config;
	enum authr_state state;
	unsigned methods;            /* allowed; EAP: those that the peer has not refused */
	enum ppp_auth_method method; /* running */
	uint8_t id;                  /* of the request that waits for an answer; PAP: a counter of tries */
	uint8_t transmits;           /* of it */
	uint8_t retries_left;
	bool verdict_ok; /* in AUTHR_CONFIRM */
	bool retry;      /* a failure was sent that allows another response */
	uint64_t expiry;
	struct ppp_auth_request request;
	struct ppp_mppe_keys keys; /* once accepted */
	/* What was sent last: challenge, verdict or request, repeated when the peer did not get it. */
	uint8_t reply_code;
	uint8_t reply_id;
	uint16_t reply_len;
	uint8_t reply[AUTH_REPLY_MAX];
};

/* Once per link. */
void authr_init(struct authr *a, const struct auth_config *config);
/* LCP opened: begins anew with methods (see above). Ids go on, so that a verdict of an earlier round can't fit. */
void authr_start(struct authr *a, unsigned methods, uint64_t ts);
/* LCP left the opened state: forgets the exchange. */
void authr_stop(struct authr *a);
/* Takes one packet {code, id, length, ...} of proto; padding may follow. */
enum authr_result authr_rx(struct authr *a, enum ppp_proto proto, const uint8_t *packet, size_t packetlen, uint64_t ts);
/* After AUTHR_NO_METHOD: tells the peer that there is nothing else. */
void authr_give_up(struct authr *a);
/* The verdict on authr.request; ignored unless one with this id is awaited. */
enum authr_result authr_verdict(struct authr *a, uint8_t id, const struct ppp_auth_verdict *verdict, uint64_t ts);
/* When authr_expire() is due; TS_NEVER: not. */
uint64_t authr_expiry(const struct authr *a);
enum authr_result authr_expire(struct authr *a, uint64_t ts);

/* ---- authenticatee ------------------------------------------------------------------------------------------- */

enum authe_state {
	AUTHE_IDLE,
	AUTHE_WAIT,      /* for the peer's first challenge or request */
	AUTHE_ANSWERED,  /* for its verdict */
	AUTHE_CONFIRMED, /* EAP: the method ended well, EAP Success awaited */
	AUTHE_DENIED,    /* EAP: the method ended badly, EAP Failure awaited */
	AUTHE_OPEN,      /* accepted; a new challenge is answered still (RFC 1994 section 2) */
	AUTHE_CLOSED,
};

enum authe_result {
	AUTHE_NONE,
	AUTHE_ACCEPTED,    /* authe.message is the peer's text, .keys and .method are set */
	AUTHE_REJECTED,    /* authe.message says why, in a sentence; .mschap_error is set with the MS-CHAP methods */
	AUTHE_NO_METHOD,   /* EAP: the peer has none of the methods allowed: agree on another protocol, or close the link */
	AUTHE_NOT_GENUINE, /* MS-CHAPv2: the peer does not know our password, so it is an impostor: close the link */
	AUTHE_TIMEOUT,     /* no verdict on our answers */
};

struct authe {
	struct auth_config config;
	enum authe_state state;
	unsigned methods;            /* allowed */
	enum ppp_auth_method method; /* running, or the last */
	uint8_t id;                  /* of our answer */
	uint8_t first_id;            /* PAP: of our first request */
	uint8_t transmits;
	bool refused; /* EAP: the peer's method was, by a Nak */
	uint64_t expiry;
	uint8_t nt_hash[16];         /* of our password */
	uint8_t expected[20];        /* MS-CHAPv2: authenticator response to come */
	struct ppp_mppe_keys keys;   /* once accepted */
	struct ppp_mppe_keys coming; /* of the running exchange */
	uint16_t mschap_error;
	char message[PPP_MESSAGE_MAX + 1]; /* escaped */
	/* The challenge that was answered, to tell a repeated one from a new one, and the answer. */
	uint16_t challenge_len;
	uint8_t challenge[AUTH_REPLY_MAX];
	uint8_t reply_code;
	uint16_t reply_len;
	uint8_t reply[2 * AUTH_REPLY_MAX];
};

void authe_init(struct authe *e, const struct auth_config *config);
/* LCP opened, the peer wants us to authenticate with one of methods. */
void authe_start(struct authe *e, unsigned methods, uint64_t ts);
void authe_stop(struct authe *e);
enum authe_result authe_rx(struct authe *e, enum ppp_proto proto, const uint8_t *packet, size_t packetlen, uint64_t ts);
/* A network protocol's packet came while we wait: EAP Success may have been lost (RFC 3748 section 4.2), and this stands
 * for it where nothing remains to be verified. Accepted or none. */
enum authe_result authe_network_seen(struct authe *e);
uint64_t authe_expiry(const struct authe *e);
enum authe_result authe_expire(struct authe *e, uint64_t ts);

/* ---- text ---------------------------------------------------------------------------------------------------- */

/* Adds a packet of PAP, CHAP or EAP in the trace's grammar, without brackets: `CHAP Response id=1 <..> name="joe"`.
 * Passwords and responses never show. */
void auth_trace(struct text *t, enum ppp_proto proto, const uint8_t *packet, size_t packetlen);

#endif
