#include <pptp/callid.h>

#include <string.h>

#include "libpptp/alloc.h"

enum { IDS = 65535 };

struct resting {
	uint64_t until;
	uint16_t id;
};

/* Ids are in one of three places: free[0..nfree), taken (a bit in `taken`), or in the ring of resting ones, the
 * earliest first. Each id is in exactly one, so free and the ring can hold them all. */
struct pptp_callid_pool {
	const struct pptp_mem *mem;
	pptp_random_fn random;
	void *random_user;
	uint64_t rest_ns;
	size_t nfree;
	size_t ntaken;
	size_t first; /* of the ring */
	size_t nresting;
	uint16_t free[IDS]; /* see free_get() */
	uint8_t taken[(IDS + 8) / 8];
	struct resting ring[IDS];
};

/* Entries are kept relative to their place, so that zeroed memory is the full pool, and touched only as far as it is used. */
static uint16_t
free_get(const struct pptp_callid_pool *p, size_t i)
{
	return (uint16_t)(p->free[i] ^ (i + 1));
}

static void
free_set(struct pptp_callid_pool *p, size_t i, uint16_t id)
{
	p->free[i] = (uint16_t)(id ^ (i + 1));
}

int
pptp_callid_pool_new(struct pptp_callid_pool **pool, uint64_t rest_ns, pptp_random_fn random, void *random_user, const struct pptp_mem *mem)
{
	struct pptp_callid_pool *p = alloc_zeroed(mem, 1, sizeof(*p));

	if (p == NULL)
		return PPTP_ERR_NOMEM;
	p->mem = mem;
	p->random = random;
	p->random_user = random_user;
	p->rest_ns = rest_ns;
	p->nfree = IDS;
	*pool = p;
	return PPTP_OK;
}

void
pptp_callid_pool_free(struct pptp_callid_pool *pool)
{
	if (pool != NULL)
		alloc_free(pool->mem, pool);
}

static void
wake_first(struct pptp_callid_pool *p)
{
	free_set(p, p->nfree++, p->ring[p->first].id);
	p->first = (p->first + 1) % IDS;
	p->nresting--;
}

static void
wake(struct pptp_callid_pool *p, uint64_t ts)
{
	while (p->nresting > 0 && p->ring[p->first].until <= ts)
		wake_first(p);
}

/* A number below n, each as likely: draws that would favour the low ones are drawn again. */
static size_t
random_below(const struct pptp_callid_pool *p, uint32_t n)
{
	uint32_t reject = (uint32_t)(UINT64_C(0x100000000) % n);
	uint32_t v;

	do
		p->random(p->random_user, &v, sizeof(v));
	while (v < reject);
	return v % n;
}

static uint16_t
take_at(struct pptp_callid_pool *pool, size_t i)
{
	uint16_t id = free_get(pool, i);

	free_set(pool, i, free_get(pool, --pool->nfree));
	pool->taken[id / 8] |= (uint8_t)(1 << id % 8);
	pool->ntaken++;
	return id;
}

int
pptp_callid_take(struct pptp_callid_pool *pool, uint16_t *id, uint64_t ts)
{
	wake(pool, ts);
	/* Too early is better than not at all: who makes and ends calls without pause must not keep everybody else from theirs. */
	if (pool->nfree == 0 && pool->nresting > 0)
		wake_first(pool);
	if (pool->nfree == 0)
		return PPTP_ERR_EXHAUSTED;
	*id = take_at(pool, random_below(pool, (uint32_t)pool->nfree));
	return PPTP_OK;
}

int
pptp_callid_claim(struct pptp_callid_pool *pool, uint16_t id, uint64_t ts)
{
	wake(pool, ts);
	for (size_t i = 0; i < pool->nfree; i++) {
		if (free_get(pool, i) == id) {
			take_at(pool, i);
			return PPTP_OK;
		}
	}
	return PPTP_ERR_EXHAUSTED;
}

void
pptp_callid_give(struct pptp_callid_pool *pool, uint16_t id, uint64_t ts)
{
	struct resting *r = &pool->ring[(pool->first + pool->nresting) % IDS];

	if ((pool->taken[id / 8] & 1 << id % 8) == 0)
		return;
	pool->taken[id / 8] &= (uint8_t) ~(1 << id % 8);
	pool->ntaken--;
	*r = (struct resting){.until = ts > UINT64_MAX - pool->rest_ns ? UINT64_MAX : ts + pool->rest_ns, .id = id};
	pool->nresting++;
}

void
pptp_callid_count(const struct pptp_callid_pool *pool, uint64_t ts, size_t *taken, size_t *resting)
{
	size_t n = pool->nresting;

	while (n > 0 && pool->ring[(pool->first + pool->nresting - n) % IDS].until <= ts)
		n--;
	*taken = pool->ntaken;
	*resting = n;
}
