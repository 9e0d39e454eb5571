/* pptpc.conf: tunnels as sections, by libconfuse. */
#ifndef PPTPC_CONFFILE_H
#define PPTPC_CONFFILE_H

#include <confuse.h>
#include <stdbool.h>

#include "pptpc/profile.h"

/* Reads path into *c (initialised). Returns what was parsed, for conf_print() and cfg_free(); NULL when it can't be used, and every
 * reason was printed with file and line, or file and tunnel, to stderr. Passwords in a file that others may read are refused. */
cfg_t *conffile_read(const char *path, struct client_config *c);
/* The same from memory; name stands in errors. */
cfg_t *conffile_read_text(const char *name, const char *text, struct client_config *c);

#endif
