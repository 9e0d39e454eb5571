/* A binary heap of timers, intrusive: the caller embeds a node in its object and owns it.
 *
 * Times are nanoseconds of whatever clock the caller uses. All operations are O(log n); the heap
 * grows by allocation only in theap_set(). */
#ifndef BASE_TIMERHEAP_H
#define BASE_TIMERHEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TS_NEVER UINT64_MAX
#define TS_S(s) ((uint64_t)(s)*UINT64_C(1000000000))
#define TS_MS(ms) ((uint64_t)(ms)*UINT64_C(1000000))
#define TS_US(us) ((uint64_t)(us)*UINT64_C(1000))

struct theap_node {
	uint64_t ts;
	size_t pos; /* 1-based place in the heap; 0 when not in it */
};

struct theap {
	struct theap_node **nodes;
	size_t len;
	size_t cap;
};

void theap_init(struct theap *h);
/* Frees the heap's own array; the nodes belong to the caller. */
void theap_fini(struct theap *h);
/* Puts the node in, or moves it, to ts; TS_NEVER takes it out. False when memory ran out (nothing changed). */
bool theap_set(struct theap *h, struct theap_node *n, uint64_t ts);
void theap_remove(struct theap *h, struct theap_node *n);
/* The earliest time, TS_NEVER when the heap is empty. */
uint64_t theap_next(const struct theap *h);
/* Takes out and returns the earliest node whose time is at or before ts; NULL when there is none. */
struct theap_node *theap_pop(struct theap *h, uint64_t ts);

#endif
