/* The primitives of MS-CHAP, versions 1 and 2 (RFC 2433 appendix A, RFC 2759 section 8). */
#ifndef LIBPPP_MSCHAP_H
#define LIBPPP_MSCHAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libppp/auth.h"
#include "libppp/crypto.h"

enum {
	MSCHAP_RESPONSE = 49, /* bytes of the value of a Response, both versions */
	MSCHAP_NT_AT = 24,    /* where the NT response is in it */
	MSCHAP_FLAG_AT = 48,  /* version 1: 1 tells to use the NT response */
	MSCHAP_V1_CHALLENGE = 8,
	MSCHAP_V2_CHALLENGE = 16,
};

/* The LAN Manager hash: DES keyed by the password's first 14 bytes in upper case (RFC 2433 A.2). */
void mschap_lm_hash(const struct ppp_crypto *c, uint8_t out[16], const char *password, size_t len);
/* The three DES blocks that prove a hash (RFC 2433 A.5, RFC 2759 8.5). */
void mschap_response(const struct ppp_crypto *c, uint8_t out[24], const uint8_t challenge[8], const uint8_t hash[16]);
/* ChallengeHash(), RFC 2759 8.2; the name is without its domain. */
void mschap_challenge_hash(const struct ppp_crypto *c, uint8_t out[8], const uint8_t peer_challenge[16], const uint8_t auth_challenge[16],
    const char *name, size_t namelen);
/* The digest behind "S=", RFC 2759 8.7; challenge is mschap_challenge_hash()'s. */
void mschap_authenticator_response(
    const struct ppp_crypto *c, uint8_t out[20], const uint8_t nt_hash[16], const uint8_t nt_response[24], const uint8_t challenge[8]);
/* How many bytes at the start of name are a domain and its backslash; 0: none. */
size_t mschap_domain(const char *name, size_t namelen);
/* The NT hash of a secret of either kind. */
void mschap_secret_hash(const struct ppp_crypto *c, uint8_t out[16], const struct ppp_secret *secret);

/* ---- failure packets ----------------------------------------------------------------------------------------- */

struct mschap_failure {
	uint16_t error; /* 0: none given */
	bool retry;
	uint8_t challenge[16];
	uint8_t challenge_len;             /* 0: none given */
	char message[PPP_MESSAGE_MAX + 1]; /* the peer's text, escaped */
};

/* Reads "E=691 R=1 C=<hex> V=3 M=<text>" as far as it goes: any bytes and any length are allowed. */
void mschap_failure_parse(struct mschap_failure *f, const uint8_t *data, size_t datalen);
/* A sentence for a code ("wrong user name or password"), NULL for one that is not known; static. */
const char *mschap_error_text(unsigned error);

#endif
