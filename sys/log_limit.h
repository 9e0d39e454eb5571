/* How many lines of the log peers may cause: each kind of line that a stranger can bring about at will has a limit of its own. What is
 * withheld is counted, and the next line that is written tells how many there were. */
#ifndef SYS_LOG_LIMIT_H
#define SYS_LOG_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

/* So many lines at once, then one in each such time. */
enum { LOG_LIMIT_BURST = 100, LOG_LIMIT_MS = 200 };

/* Zeroed: nothing was written yet. */
struct log_limit {
	uint64_t due_ts; /* when all lines so far would have been written at the steady pace */
	uint64_t held;   /* withheld since the last one written */
};

/* True: write it. *held is the number of lines withheld before it. */
bool log_limit(struct log_limit *l, uint64_t ts, uint64_t *held);
/* The same by the clock, for lines of this event; says itself how many were withheld. */
bool log_may(struct log_limit *l, const char *event);

#endif
