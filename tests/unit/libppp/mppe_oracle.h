/* A sender of MPPE: slow, straight from RFC 3078, on OpenSSL's SHA-1 and RC4; and our receiver behind it. The program that includes this
 * defines OPENSSL_SUPPRESS_DEPRECATED first. */
#ifndef TESTS_UNIT_LIBPPP_MPPE_ORACLE_H
#define TESTS_UNIT_LIBPPP_MPPE_ORACLE_H

#include <openssl/rc4.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libppp/mppe.h"

enum { BIT_A = 0x8000, BIT_D = 0x1000, LEN = 60 };

struct oracle {
	uint8_t start[16], session[16];
	size_t keylen;
	unsigned bits;
	bool stateless;
	RC4_KEY rc4;
	unsigned next; /* count of the next packet */
};

/* bits is 40, 56 or 128, as in oracle_strengths. */
void oracle_init(struct oracle *o, const uint8_t start[16], unsigned bits, bool stateless);
/* The key of the next packet, without one. */
void oracle_change(struct oracle *o);
/* An IPv4 packet whose bytes tell its number. */
void oracle_plain(uint8_t data[LEN], unsigned number);
/* The next packet, encrypted. */
void oracle_send(struct oracle *o, uint8_t header[2], uint8_t data[LEN]);

extern const uint8_t oracle_start_key[16];
extern const unsigned oracle_strengths[3];
/* The start key both ways. */
struct ppp_mppe_keys oracle_keys(void);

struct mppe_session {
	struct oracle tx;
	struct mppe rx;
	uint8_t header[2], data[LEN];
};

void session_init(struct mppe_session *s, unsigned bits, bool stateless);
/* So many packets are sent and lost. */
void session_lose(struct mppe_session *s, unsigned count);
/* Whether the last packet is what was sent. */
bool session_intact(const struct mppe_session *s);
/* One packet is sent and received. */
enum mppe_rx session_pass(struct mppe_session *s);
/* So many, and each must come through. */
void session_pass_well(struct mppe_session *s, unsigned count);
/* Passes packets until one is decrypted; how many it took, at most `most`; 0: none was. */
unsigned session_recover(struct mppe_session *s, unsigned most);

#endif
