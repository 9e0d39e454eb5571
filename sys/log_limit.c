#include "sys/log_limit.h"

#include <inttypes.h>

#include "base/timerheap.h"
#include "sys/clock.h"
#include "sys/log.h"

bool
log_limit(struct log_limit *l, uint64_t ts, uint64_t *held)
{
	const uint64_t pace = TS_MS(LOG_LIMIT_MS);
	uint64_t due = l->due_ts > ts ? l->due_ts : ts;

	*held = 0;
	if (due - ts > (LOG_LIMIT_BURST - 1) * pace) {
		l->held++;
		return false;
	}
	l->due_ts = due + pace;
	*held = l->held;
	l->held = 0;
	return true;
}

bool
log_may(struct log_limit *l, const char *event)
{
	uint64_t held;

	if (!log_limit(l, clock_ts(), &held))
		return false;
	if (held > 0)
		log_event(LOG_LEVEL_WARN, "log-suppressed", "of=%s lines=%" PRIu64, event, held);
	return true;
}
