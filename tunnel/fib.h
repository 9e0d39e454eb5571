/* Inner destinations of shared interfaces: prefix to call id, longest prefix first. One copy a worker, no locks. */
#ifndef TUNNEL_FIB_H
#define TUNNEL_FIB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

struct fib;

struct fib *fib_new(void);
void fib_free(struct fib *f);
/* Sets the call id of a prefix of an interface (replacing what was there). False when memory ran out or the prefix is none. */
bool fib_set(struct fib *f, uint32_t if_id, const struct prefix *dst, uint16_t call_id);
/* Takes a prefix out, if it still belongs to call_id: another session may have it by now. */
bool fib_remove(struct fib *f, uint32_t if_id, const struct prefix *dst, uint16_t call_id);
/* Takes out all of an interface. */
void fib_remove_if(struct fib *f, uint32_t if_id);
/* The call id for a destination, -1: none. One probe for each prefix length in use. */
int fib_lookup(const struct fib *f, uint32_t if_id, const struct addr *dst);
size_t fib_count(const struct fib *f);

#endif
