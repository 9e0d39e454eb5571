#include "pptpc/backoff.h"

#include <string.h>

#include "base/timerheap.h"

void
backoff_reset(struct backoff *b)
{
	memset(b, 0, sizeof(*b));
}

static uint64_t
first_wait(const struct retry_waits *w, enum retry_class why)
{
	switch (why) {
	case RETRY_NETWORK:
		return w->network_ns;
	case RETRY_REFUSED:
		return w->refused_ns;
	case RETRY_AUTH:
		return w->auth_ns;
	case RETRY_ENCRYPTION:
		return w->encryption_ns;
	case RETRY_ENDED:
		return w->ended_ns;
	case RETRY_NEVER:
		break;
	}
	return TS_NEVER;
}

/* A first wait above the longest is what the user asked for. */
static uint64_t
grow(uint64_t first, unsigned failures, uint64_t max)
{
	uint64_t wait = first;

	while (--failures > 0 && wait < max)
		wait = wait > max / 2 ? max : wait * 2;
	return wait;
}

uint64_t
backoff_next(struct backoff *b, const struct profile *p, enum retry_class why, uint32_t random)
{
	uint64_t first = first_wait(&p->waits, why), wait;

	b->in_class = b->last == why ? b->in_class + 1 : 1;
	b->last = why;
	b->total++;
	if (!p->retry || first == TS_NEVER || (p->attempts != 0 && b->total >= p->attempts))
		return TS_NEVER;
	wait = grow(first, b->in_class, p->retry_max_ns);
	return wait + (uint64_t)((__uint128_t)(wait / 8) * random / UINT32_MAX);
}
