/* Configuration options (RFC 1661 section 5 and 6) as rows of a table, and the one engine that walks them for LCP, IPCP,
 * IPV6CP and CCP.
 *
 * A packet's options are checked for shape before the first row sees one: a length below 2 or past the end makes the
 * whole packet invalid, and it is discarded. */
#ifndef LIBPPP_OPTIONS_H
#define LIBPPP_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/wire.h"

enum { OPT_HEADER = 2, OPT_NAK_MAX = 256, OPT_REPLY_MAX = 1496 };

enum opt_verdict { OPT_ACK, OPT_NAK, OPT_REJ };

/* One option. Data is what stands behind type and length. `user` is the protocol's own object. */
struct opt_row {
	uint8_t type;
	uint8_t min, max; /* bytes of data; a request outside of them is rejected, a Nak outside of them ignored */
	/* Writes our wish; false: nothing is asked for, and what was written is taken back. NULL: never asked for. */
	bool (*build)(void *user, struct wr *w);
	/* The peer's wish. OPT_NAK: the value wanted instead was written to nak. NULL: rejected. */
	enum opt_verdict (*check)(void *user, struct rd *data, struct wr *nak);
	/* The peer's request lacks the option: true when it must have it, with the value in nak. NULL: it need not. */
	bool (*missing)(void *user, struct wr *nak);
	/* The peer suggests another value; asked for or not. NULL: ignored. */
	void (*on_nak)(void *user, struct rd *data);
	/* The peer knows no such option. NULL: ignored, so it is asked for again. */
	void (*on_rej)(void *user);
};

struct opt_table {
	const struct opt_row *rows;
	size_t count; /* at most 32 */
};

struct opt_reply {
	uint8_t code; /* Configure-Ack, -Nak or -Reject */
	size_t len;
	uint8_t data[OPT_REPLY_MAX];
};

/* True when the options are in shape. */
bool opt_valid(const uint8_t *data, size_t datalen);

/* True when a Configure-Request of these options can be judged: in shape, and not too long to answer. */
bool opt_can_judge(const uint8_t *data, size_t datalen);

/* Writes our Configure-Request's options. */
void opt_build(const struct opt_table *t, void *user, struct wr *w);

/* Judges a peer's Configure-Request and makes the reply. may_nak false: what would be a Nak becomes a Reject (Max-Failure,
 * RFC 1661 section 4.6), and missing options are let go. False where opt_can_judge() is: discard it. */
bool opt_request(const struct opt_table *t, void *user, const uint8_t *data, size_t datalen, bool may_nak, struct opt_reply *reply);

/* Hands a Configure-Nak's options to their rows; false when it is malformed. */
bool opt_nak(const struct opt_table *t, void *user, const uint8_t *data, size_t datalen);

/* The same for a Configure-Reject. False when it is malformed, empty, or names what our request did not hold. */
bool opt_reject(const struct opt_table *t, void *user, const uint8_t *data, size_t datalen, const uint8_t *request, size_t requestlen);

#endif
