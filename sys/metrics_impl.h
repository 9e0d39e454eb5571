/* What metrics.c and metrics_text.c share: an answer as it is written. */
#ifndef SYS_METRICS_IMPL_H
#define SYS_METRICS_IMPL_H

#include <stdbool.h>
#include <stdint.h>

#include "sys/metrics.h"

struct evbuffer;

enum { METRICS_NAME = 128, METRICS_ANSWER_MAX = 64 << 20 };

struct metrics_out {
	struct evbuffer *buf;
	bool failed;             /* memory ran out, or the answer is too long */
	char name[METRICS_NAME]; /* of the family */
};

/* How long a connection may take from when it is accepted, for tests that can't wait. */
void metrics_server_set_limit(struct metrics_server *s, uint64_t limit_ns);

#endif
