/* Names to addresses off the event loop: getaddrinfo(3) blocks, and only it knows all that nsswitch.conf can name. */
#ifndef PPTPC_RESOLVE_H
#define PPTPC_RESOLVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

enum { RESOLVE_MAX_ADDRS = 16, RESOLVE_TIMEOUT = -1000 };

struct event_base;
struct resolve;

/* error: 0, a getaddrinfo() error, or RESOLVE_TIMEOUT. */
typedef void (*resolve_fn)(void *user, int error, const struct addr *addrs, size_t count);

/* Looks a name up (or reads an address) in a thread of its own, and calls fn once from the loop, after at most timeout_ns. NULL when
 * there are no resources for it. */
struct resolve *resolve_start(struct event_base *base, const char *name, uint64_t timeout_ns, resolve_fn fn, void *user);
/* Ends it without a call. Not after fn was called: the object is gone by then. NULL is allowed. */
void resolve_cancel(struct resolve *r);

#endif
