/* A new configuration comes into force by a hand-over to a process that reads it. First it is read here, by the monitor: a file with
 * errors, or one that can't take connections and calls over, changes nothing. */
#ifndef ALG_RELOAD_H
#define ALG_RELOAD_H

#include "alg/config.h"

/* Whether the file at path can take the place of `now` while this many calls are up. Why not is logged, a line for each error. */
bool reload_check(const struct config *now, const char *path, size_t calls);

#endif
