/* Call ids of one endpoint: random, non-zero, unique, and at rest for a while after use, so that late GRE
 * packets of a dead call never reach a new one (RFC 2637 section 2.7 leaves the choice open).
 *
 * One pool serves all control connections of an endpoint, and costs 1.2 MB of address space, touched as it is used. */
#ifndef PPTP_CALLID_H
#define PPTP_CALLID_H

#include <pptp/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct pptp_callid_pool;

/* rest_ns: how long a freed id stays unused, as long as there are others. random draws the ids; both must outlive the pool.
 * Errors: NOMEM. The caller frees *pool with pptp_callid_pool_free(). */
PPTP_API int pptp_callid_pool_new(
    struct pptp_callid_pool **pool, uint64_t rest_ns, pptp_random_fn random, void *random_user, const struct pptp_mem *mem);
PPTP_API void pptp_callid_pool_free(struct pptp_callid_pool *pool);

/* Takes a free id (1..65535) into *id; where none is left, the one that has rested longest. Errors: EXHAUSTED when all ids are in
 * use. O(1) amortized at any fill level. */
PPTP_API int pptp_callid_take(struct pptp_callid_pool *pool, uint16_t *id, uint64_t ts);

/* Takes this very id, in time proportional to the number of free ids. Errors: EXHAUSTED when it is in use or at rest, or 0. */
PPTP_API int pptp_callid_claim(struct pptp_callid_pool *pool, uint16_t id, uint64_t ts);

/* Gives an id back, to rest from ts on. An id that is not taken is ignored. */
PPTP_API void pptp_callid_give(struct pptp_callid_pool *pool, uint16_t id, uint64_t ts);

/* Ids taken now, and ids at rest at ts. */
PPTP_API void pptp_callid_count(const struct pptp_callid_pool *pool, uint64_t ts, size_t *taken, size_t *resting);

#ifdef __cplusplus
}
#endif
#endif
