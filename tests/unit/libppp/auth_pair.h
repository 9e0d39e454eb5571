/* An authenticator and an authenticatee in a test's hands: virtual time, frames that the test may lose, and verdicts from
 * ppp_auth_check() that it may hold back. */
#ifndef TESTS_LIBPPP_AUTH_PAIR_H
#define TESTS_LIBPPP_AUTH_PAIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libppp/auth_fsm.h"

enum { SECOND = 1000000000, RESTART = 3, TRANSMITS = 4, AUTH_FRAME = 2048 };

struct auth_pair {
	uint64_t now;
	uint32_t seed;
	struct outq r_out, e_out;
	struct authr r;
	struct authe e;
	struct ppp_secret e_secret; /* what the peer knows */
	struct ppp_secret r_secret; /* what the user file knows */
	enum authr_result r_result; /* the last that was not NONE */
	enum authe_result e_result;
	unsigned requests, r_sent, e_sent;
	bool hold;                                      /* leave AUTHR_REQUEST to the test */
	int keep_r, keep_e;                             /* frames of each side that arrive before any is lost */
	int lose_r, lose_e;                             /* and how many then are */
	uint8_t last_r[AUTH_FRAME], last_e[AUTH_FRAME]; /* the last frame of each, protocol first */
	size_t last_r_len, last_e_len;
};

/* Both know "secret", and the peer is "joe". The authenticator allows `retries` wrong answers. */
void auth_pair_init(struct auth_pair *p, uint8_t retries);
void auth_pair_start(struct auth_pair *p, unsigned r_methods, unsigned e_methods);
/* Both of the above, with this method alone; returns p. */
struct auth_pair *auth_pair_started(struct auth_pair *p, enum ppp_auth_method method);
/* Both ends have accepted, know each other by name and have the same keys, if it is a method that has any. */
void auth_pair_assert_agreed(const struct auth_pair *p, enum ppp_auth_method method);
/* Carries frames until none is left. */
void auth_pair_settle(struct auth_pair *p);
/* Lets ns pass, timer by timer. */
void auth_pair_run(struct auth_pair *p, uint64_t ns);
/* Judges the request that was held. */
void auth_pair_decide(struct auth_pair *p);
/* Hands one packet, without protocol, to a machine, in memory of exactly its size. */
enum authr_result auth_to_r(struct auth_pair *p, enum ppp_proto proto, const uint8_t *packet, size_t len);
enum authe_result auth_to_e(struct auth_pair *p, enum ppp_proto proto, const uint8_t *packet, size_t len);
/* The same with hexadecimal digits. */
enum authr_result auth_hex_to_r(struct auth_pair *p, enum ppp_proto proto, const char *hex);
enum authe_result auth_hex_to_e(struct auth_pair *p, enum ppp_proto proto, const char *hex);

#endif
