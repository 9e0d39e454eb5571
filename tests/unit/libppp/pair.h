/* Two PPP stacks, or one and a scripted peer, in a test's hands: virtual time, seeded randomness, a log of what happened. */
#ifndef TESTS_LIBPPP_PAIR_H
#define TESTS_LIBPPP_PAIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/timerheap.h"
#include "libppp/bundle.h"
#include "libppp/crypto.h"
#include "libppp/link.h"

enum { END_LOG = 16384, FRAME_MAX = PPP_MAX_CONTROL + PPP_MAX_OVERHEAD };

struct end {
	struct ppp_link_config lc; /* change before end_open() */
	struct ppp_bundle_config bc;
	bool no_bundle;            /* don't join one */
	bool hold_verdict;         /* don't answer AUTH_REQUEST; look at request */
	struct ppp_mppe_keys keys; /* valid: given to the bundle in place of the authentication's */
	struct ppp_secret users;   /* the secret of each peer that authenticates */
	struct ppp_link *link;
	struct ppp_bundle *bundle;
	uint64_t rng;
	uint64_t *now;
	unsigned seen;         /* events by type, as bits */
	struct ppp_event down; /* PPP_EVENT_DOWN, once seen */
	struct ppp_event failed;
	struct ppp_auth_request request;
	unsigned requests;
	char log[END_LOG]; /* traces, "> " and "< ", and events, by line */
	size_t loglen;
};

struct pair {
	struct end a, b; /* as a rule a is the server */
	uint64_t now;
	const struct ppp_crypto *crypto;
	unsigned frames; /* carried */
	/* Decides a frame's fate on its way to `to`; NULL: all arrive. */
	bool (*pass)(struct pair *p, struct end *to, uint8_t *frame, size_t len);
	void *pass_user;
};

/* Configurations with names, addresses (10.0.0.1 and .2) and IPv4 only; no authentication, MPPE denied. */
void pair_init(struct pair *p);
void pair_fini(struct pair *p);
void end_open(struct end *e);
/* Opens both and lets them talk until nothing is left to say for now. */
void pair_open(struct pair *p);
/* Carries frames and handles events until all is quiet. */
void pair_settle(struct pair *p);
/* Lets ns pass, timer by timer. */
void pair_run(struct pair *p, uint64_t ns);
/* Both ends authenticate b by method bits `methods`, with the right password. */
void pair_authenticate(struct pair *p, unsigned methods);
struct ppp_secret secret_of(const char *password);

/* Takes frames and events of one end until quiet; the frames go nowhere but into the trace. */
void end_drain(struct end *e);
/* Gives it one frame of hexadecimal digits (spaces allowed), then handles events. */
enum ppp_rx_kind end_rx_hex(struct end *e, const char *hex);
/* The next frame it sends, as hexadecimal digits; "" if none. Static buffer. */
const char *end_tx_hex(struct end *e);
void end_events(struct end *e);
bool end_saw(const struct end *e, enum ppp_event_type type);
size_t hex_bytes(const char *hex, uint8_t *buf, size_t buflen);

/* Sends an IP packet of len bytes from one to the other; true when it came out as it went in. */
bool pair_ping(struct pair *p, struct end *from, struct end *to, size_t len);
struct addr v4(const char *text);

#endif
