/* How long to wait before the next attempt: twice as long after each failure of the same class. */
#ifndef PPTPC_BACKOFF_H
#define PPTPC_BACKOFF_H

#include <stdint.h>

#include "pptpc/diag.h"
#include "pptpc/profile.h"

struct backoff {
	enum retry_class last;
	unsigned in_class; /* failures in a row of that class */
	unsigned total;    /* failures in a row */
};

void backoff_reset(struct backoff *b);

/* Counts a failure and returns nanoseconds to wait; TS_NEVER: give up. random (any value) adds up to an eighth, so that many
 * clients of a server that came back don't return together. */
uint64_t backoff_next(struct backoff *b, const struct profile *p, enum retry_class why, uint32_t random);

#endif
