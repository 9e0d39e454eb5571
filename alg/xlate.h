/* The translation table: which public call id stands for which end's own one.
 *
 * GRE with a call id is told apart by where it comes from and where it goes to, besides the id. So an id must be unique among those
 * that stand between one pair of addresses (a line, here): for a client's id the line is from the server to the gateway's external
 * address; for a server's id from the client to the address at which it found the server. Families don't matter, each line has
 * two addresses of one.
 *
 * An id that is free stays as it is; otherwise another is drawn at random. A freed id rests, so that late packets of a dead call
 * never reach a new one. All memory is allocated when the table is made; each operation takes constant time but for xlate_each(),
 * as long as a line has not nearly all of its 65,535 ids in use. */
#ifndef ALG_XLATE_H
#define ALG_XLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/mem.h"

struct xlate_line {
	struct addr from; /* who sends GRE with the public id */
	struct addr to;   /* where it sends it to: the public address of whoever owns the id */
};

/* Whose id is translated, for tables; `id` is as its owner chose it. */
struct xlate_owner {
	struct addr addr;
	uint16_t port; /* TCP port of its control connection, 0: not known */
	uint16_t id;
};

struct xlate_entry {
	struct xlate_line line;
	struct xlate_owner owner;
	uint16_t xid; /* the public id, 1..65535 */
	uint64_t since;
};

enum xlate_error {
	XLATE_OK = 0,
	XLATE_LIMIT = -1, /* as many ids are taken as the limit allows */
	XLATE_FULL = -2,  /* no id of this line is free */
	XLATE_TAKEN = -3, /* xlate_claim(): another owner has the id */
};

struct xlate_config {
	size_t limit;                                    /* ids taken at once, 1..16,777,216 */
	uint64_t rest_ns;                                /* how long a freed id stays unused */
	bool random;                                     /* never keep the owner's id, always draw one */
	void (*fill)(void *user, void *buf, size_t len); /* unpredictable bytes */
	void *fill_user;
};

struct xlate_stats {
	size_t used; /* ids taken now */
	size_t limit;
	size_t resting;
	size_t lines;    /* pairs of addresses with ids taken or at rest */
	uint64_t taken;  /* ever */
	uint64_t kept;   /* of them, those that stayed as they were */
	uint64_t failed; /* for either reason */
	uint64_t failed_limit;
	uint64_t failed_full;
};

struct xlate;

/* Returns 0, or -1 when memory ran out. The configuration is copied; mem (NULL: the C library) and fill must outlive the table. */
int xlate_new(struct xlate **x, const struct xlate_config *config, const struct mem *mem);
void xlate_free(struct xlate *x);

/* Takes a public id on a line into *xid. Returns XLATE_OK, _LIMIT or _FULL; the last two are counted as failures. */
int xlate_take(struct xlate *x, const struct xlate_line *line, const struct xlate_owner *owner, uint64_t ts, uint16_t *xid);

/* Takes this very id, as another process did before (hand-over, adopted gates); it may be at rest. XLATE_OK, _LIMIT or _TAKEN. */
int xlate_claim(struct xlate *x, const struct xlate_line *line, const struct xlate_owner *owner, uint16_t xid, uint64_t ts);

/* Gives an id back, to rest from ts on. False: it is not taken. */
bool xlate_give(struct xlate *x, const struct xlate_line *line, uint16_t xid, uint64_t ts);

/* Calls fn for every id taken, the latest first. fn must not change the table. */
void xlate_each(const struct xlate *x, void (*fn)(void *user, const struct xlate_entry *entry), void *user);

void xlate_stats(const struct xlate *x, struct xlate_stats *stats);

#endif
