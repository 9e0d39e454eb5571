/* MPPE: one direction's encryption state (RFC 3078, keys by RFC 3079). The hot loop of the project.
 *
 * MPPE authenticates nothing, so a receiver must not believe a packet's coherency count blindly: keys only go forward,
 * and one forged count would end the session. A packet behind a gap is believed when it decrypts to a network protocol
 * (one of about 500 with a wrong key does); longer outages, of any number of packets, are made good by a scout, a second
 * key that goes ahead until MPPE_RUN packets in sequence decrypt well, while the first stays where it is.
 * And the work is bounded: key changes beyond the one that a packet costs anyway are paid from a credit, which each
 * packet refills by MPPE_CREDIT_REFILL. */
#ifndef LIBPPP_MPPE_H
#define LIBPPP_MPPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libppp/auth.h"
#include "libppp/rc4.h"

enum {
	MPPE_HEADER = 2,
	MPPE_MAX_GAP = 256, /* counts that a single packet may skip; more is the scout's matter */
	MPPE_RUN = 3,       /* packets in sequence that wake the scout, and that it must decrypt well */
	MPPE_CREDIT_MAX = 8192,
	MPPE_CREDIT_REFILL = 16,
	MPPE_SCOUT_WRAPS = 64, /* of the count; then it starts anew */
};

struct mppe_scout {
	bool active;
	bool missed;  /* there was nothing at count: it must go around once more */
	uint8_t hits; /* packets in sequence that it could decrypt */
	uint8_t wraps;
	uint16_t count;
	uint8_t key[16];
};

struct mppe {
	struct rc4 rc4;
	uint8_t start_key[16];
	uint8_t session_key[16];
	uint8_t keylen; /* bytes: 8 or 16 */
	uint8_t bits;   /* 40, 56 or 128 */
	bool stateless;
	bool flush;      /* stateful; tx: a Reset-Request came; rx: only a packet with the A bit helps */
	uint16_t ccount; /* coherency count of the last packet, 12 bits */
	/* rx */
	uint8_t far_run;    /* packets too far off, in sequence */
	uint8_t odd;        /* packets in sequence that were not plausible: a score */
	uint16_t far_count; /* of the last that was too far off */
	uint16_t credit;    /* key changes that may be spent on gaps */
	struct mppe_scout scout;
	uint64_t rekeys;   /* key changes, those in vain included */
	uint64_t gaps;     /* times that packets were found missing */
	uint64_t late;     /* dropped for being late or too far off */
	uint64_t rejected; /* dropped for a clear D bit, a set C bit, no data, or not decrypting well behind a gap */
};

/* Starts a direction. keys and send tell which key; bits is 40, 56 or 128 and one that mppe_keys_bits() allows. */
void mppe_init(struct mppe *m, const struct ppp_mppe_keys *keys, bool send, unsigned bits, bool stateless);

/* Encrypts data (the 2-byte protocol and what follows) in place and writes the 2-byte header that goes in front. */
void mppe_encrypt(struct mppe *m, uint8_t header[MPPE_HEADER], uint8_t *data, size_t datalen);

enum mppe_rx {
	MPPE_RX_OK,    /* data is plain now */
	MPPE_RX_DROP,  /* late, too far off, not encrypted: nothing changed but counters; data is as it was */
	MPPE_RX_RESET, /* stateful and out of step: drop it and send CCP Reset-Request */
};

/* Decrypts data, the bytes behind the header, in place. Stateful: MPPE_RX_RESET comes with each packet until the peer's
 * flushed one, as requests get lost too; how often to ask is a matter of time, and the caller's. gaps tells one loss from the next. */
enum mppe_rx mppe_decrypt(struct mppe *m, const uint8_t header[MPPE_HEADER], uint8_t *data, size_t datalen);

/* tx: a Reset-Request came. Stateless: nothing happens. */
void mppe_reset(struct mppe *m);

#endif
