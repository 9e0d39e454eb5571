/* The password from wherever it is kept, read once at start, before privileges go. */
#ifndef PPTPC_SECRET_H
#define PPTPC_SECRET_H

#include <stdbool.h>
#include <stddef.h>

#include "pptpc/profile.h"

/* Fills the tunnel's secret from, in this order: password, password-file or password-fd of its options; PPTPC_PASSWORD of the
 * environment (by hand only); the terminal (by hand only), without echo. A secret "hash:" and 32 hexadecimal digits is an NT hash.
 * False with a sentence in err when there is none or it can't be read. */
bool secret_load(struct profile *p, bool by_hand, char *err, size_t errlen);

/* Takes PPTPC_PASSWORD out of the environment and overwrites it, so that no child process and no list of processes has it. */
void secret_scrub_environment(void);

#endif
