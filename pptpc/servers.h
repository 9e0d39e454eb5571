/* Which server and which of its addresses is next: names in order, each resolved anew in its turn, all its addresses tried. */
#ifndef PPTPC_SERVERS_H
#define PPTPC_SERVERS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "pptpc/profile.h"

enum { SERVERS_MAX_ADDRS = 16 };

struct addr_set {
	uint8_t count;
	struct addr items[SERVERS_MAX_ADDRS];
};

struct servers {
	const struct name_list *names;
	enum profile_family family;
	uint8_t name; /* the one in turn */
	uint8_t addr;
	struct addr_set addrs;                      /* of the one in turn; empty: not resolved yet */
	struct addr_set known[PROFILE_MAX_SERVERS]; /* of earlier attempts, for when names can't be resolved */
};

void servers_init(struct servers *s, const struct name_list *names, enum profile_family family);
/* From the first name on, with nothing resolved. */
void servers_restart(struct servers *s);
const char *servers_name(const struct servers *s);
/* What a look-up found, in its order; addresses of an unwanted family are left out. False when none is left. */
bool servers_resolved(struct servers *s, const struct addr *addrs, size_t count);
/* The look-up failed: takes what an earlier one found; false when there was none. */
bool servers_use_known(struct servers *s);
/* The address in turn; family 0 when the name has to be resolved. */
struct addr servers_addr(const struct servers *s);
/* The one in turn failed: on to the next. False when all had their turn; the first name is next then. */
bool servers_next(struct servers *s);
/* The name in turn failed as a whole. The same otherwise. */
bool servers_next_name(struct servers *s);

#endif
