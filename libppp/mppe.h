/* MPPE: one direction's encryption state (RFC 3078, keys by RFC 3079). The hot loop of the project. */
#ifndef LIBPPP_MPPE_H
#define LIBPPP_MPPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libppp/auth.h"
#include "libppp/rc4.h"

enum { MPPE_HEADER = 2, MPPE_MAX_GAP = 256 };

struct mppe {
	struct rc4 rc4;
	uint8_t start_key[16];
	uint8_t session_key[16];
	uint8_t keylen; /* bytes: 8 or 16 */
	uint8_t bits;   /* 40, 56 or 128 */
	bool stateless;
	bool flush; /* tx: the next packet carries the A bit; rx: only an A bit packet helps */
	bool started;
	uint16_t ccount; /* coherency count, 12 bits */
	uint64_t rekeys;
	uint64_t gaps; /* rx: refused for a gap over MPPE_MAX_GAP */
};

/* Starts a direction. keys and send tell which key; bits is 40, 56 or 128. */
void mppe_init(struct mppe *m, const struct ppp_mppe_keys *keys, bool send, unsigned bits, bool stateless);

/* Encrypts data (the 2-byte protocol and what follows) in place and writes the 2-byte header that goes in front. */
void mppe_encrypt(struct mppe *m, uint8_t header[MPPE_HEADER], uint8_t *data, size_t datalen);

enum mppe_rx {
	MPPE_RX_OK,    /* data is plain now */
	MPPE_RX_DROP,  /* old, or too large a gap: nothing changed but counters */
	MPPE_RX_RESET, /* stateful and out of step: drop it and send CCP Reset-Request */
};

/* Decrypts data, the bytes behind the header, in place. The work is bounded: at most MPPE_MAX_GAP key changes. */
enum mppe_rx mppe_decrypt(struct mppe *m, const uint8_t header[MPPE_HEADER], uint8_t *data, size_t datalen);

/* tx, stateful: a Reset-Request came. */
void mppe_reset(struct mppe *m);

#endif
