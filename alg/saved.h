/* Parts of what a gateway writes down for the next process: addresses, numbers of small range. As base/wire.h: what can't be turns the
 * reader's `ok` false. */
#ifndef ALG_SAVED_H
#define ALG_SAVED_H

#include <stdbool.h>

#include "base/addr.h"
#include "base/wire.h"

/* Family and 16 bytes, whatever the family. */
static inline void
wr_addr(struct wr *w, const struct addr *a)
{
	wr_u8(w, a->family);
	wr_bytes(w, a->bytes, sizeof(a->bytes));
}

/* Of family 0 there is nothing; other bytes than the family's are not taken. */
static inline void
rd_addr(struct rd *r, struct addr *a)
{
	uint8_t family = rd_u8(r);
	const uint8_t *bytes = rd_bytes(r, sizeof(a->bytes));

	*a = (struct addr){0};
	if (family == 4 && bytes != NULL)
		*a = addr_v4(bytes);
	else if (family == 6 && bytes != NULL)
		*a = addr_v6(bytes);
	else if (family != 0)
		r->ok = false;
}

/* A byte that must be less than `end`; 0 when it is not. */
static inline unsigned
rd_below(struct rd *r, unsigned end)
{
	unsigned v = rd_u8(r);

	if (v < end)
		return v;
	r->ok = false;
	return 0;
}

static inline bool
rd_bool(struct rd *r)
{
	return rd_below(r, 2) != 0;
}

#endif
