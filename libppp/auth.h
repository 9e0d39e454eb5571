/* Authentication as values: what a peer presented, and the verdict on it.
 *
 * The link machine (link.h) makes requests and takes verdicts; who decides (a file, RADIUS) is outside, and may
 * take its time. Both structs are plain values without pointers, so they cross threads and processes. */
#ifndef LIBPPP_AUTH_H
#define LIBPPP_AUTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libppp/crypto.h"

/* Methods as a bit set; a higher bit is preferred. */
enum ppp_auth_method {
	PPP_AUTH_PAP = 1 << 0,
	PPP_AUTH_CHAP_MD5 = 1 << 1,
	PPP_AUTH_EAP_MD5 = 1 << 2,
	PPP_AUTH_MSCHAP = 1 << 3,
	PPP_AUTH_EAP_MSCHAPV2 = 1 << 4,
	PPP_AUTH_MSCHAPV2 = 1 << 5,
};

enum {
	PPP_AUTH_MSCHAP_ANY = PPP_AUTH_MSCHAP | PPP_AUTH_MSCHAPV2 | PPP_AUTH_EAP_MSCHAPV2, /* those that give MPPE keys */
	PPP_AUTH_ALL = (1 << 6) - 1,
	PPP_NAME_MAX = 255,
	PPP_SECRET_MAX = 255,
	PPP_MESSAGE_MAX = 255,
};

/* "pap", "chap", "eap-md5", "mschap", "eap-mschap2", "mschap2" for one bit; static. */
const char *ppp_auth_name(enum ppp_auth_method method);
/* The method of such a name (case is ignored; "chap-md5", "mschap-v2", "mschapv2" and the like too); 0 if unknown. */
unsigned ppp_auth_parse(const char *name);

/* What a peer presented. */
struct ppp_auth_request {
	enum ppp_auth_method method;
	uint8_t id;                  /* of the CHAP or EAP exchange */
	char name[PPP_NAME_MAX + 1]; /* NUL-terminated at name_len; may hold any byte but is text for us */
	uint16_t name_len;
	uint8_t challenge[64]; /* that we sent; PAP: empty */
	uint16_t challenge_len;
	uint8_t response[PPP_SECRET_MAX + 1]; /* PAP: the password; CHAP: 16 bytes; MS-CHAP: 49 bytes */
	uint16_t response_len;
};

/* MPPE start keys, RFC 3079. send and recv are this side's. */
struct ppp_mppe_keys {
	bool valid;
	uint8_t send[16]; /* 128-bit start key; 40 and 56 bit take its first 8 bytes (MS-CHAPv2) */
	uint8_t recv[16];
	bool lm; /* MS-CHAPv1: 40 and 56 bit come from lm_key instead (RFC 3079 section 2.1, 2.2) */
	uint8_t lm_key[8];
	bool no_lm_key; /* MS-CHAPv1 against an NT hash: only 128 bit can be had; see mppe_keys_bits() */
};

/* Error codes of MS-CHAP failure packets, RFC 2759 section 6. */
enum ppp_mschap_error {
	PPP_MSE_RESTRICTED_HOURS = 646,
	PPP_MSE_ACCOUNT_DISABLED = 647,
	PPP_MSE_PASSWORD_EXPIRED = 648,
	PPP_MSE_NO_DIALIN = 649,
	PPP_MSE_WRONG_PASSWORD = 691,
	PPP_MSE_CHANGING_PASSWORD = 709,
};

struct ppp_auth_verdict {
	bool ok;
	uint16_t mschap_error;              /* when !ok; 0: 691 */
	bool retry;                         /* when !ok: the peer may try once more with a new challenge */
	uint8_t authenticator_response[20]; /* MS-CHAPv2 success, RFC 2759 section 8.7 */
	struct ppp_mppe_keys keys;
	char message[PPP_MESSAGE_MAX + 1]; /* for the peer's user; may be empty */
};

/* A user's secret: a plain password, or its NT hash (then only the MS-CHAP methods and PAP can be checked). */
struct ppp_secret {
	bool is_nt_hash;
	uint8_t data[PPP_SECRET_MAX + 1]; /* UTF-8 password, or 16 bytes */
	uint16_t len;
};

/* Decides a request against a secret and fills the verdict, keys included. Never fails: what can't be
 * checked (CHAP-MD5 against an NT hash) is a refusal whose message says so. A domain in front of the name
 * ("DOMAIN\user") takes part in MS-CHAPv2's hash as the peer hashed it: both ways are tried (RFC 2759 section 4). */
void ppp_auth_check(
    const struct ppp_crypto *c, const struct ppp_auth_request *request, const struct ppp_secret *secret, struct ppp_auth_verdict *verdict);

/* The NT hash of a UTF-8 password: MD4 of its UTF-16LE form (RFC 2759 section 8.3). */
void ppp_nt_hash(const struct ppp_crypto *c, uint8_t out[16], const char *password, size_t len);

#endif
