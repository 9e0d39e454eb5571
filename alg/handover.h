/* How flows come from one process to the next: their sockets as descriptors, all else as one versioned block of bytes in a memory file.
 * handover_save.c writes it, handover_load.c reads it. */
#ifndef ALG_HANDOVER_H
#define ALG_HANDOVER_H

#include "alg/gateway.h"

/* Gives everything to the monitor; the process is to end then. False with the reason logged: nobody takes it, go on. */
bool handover_give(struct gateway *gw);
/* Descriptors of the former process into gw (listeners, gre_fds), and the state into memory, before the tables' users start; then
 * flows and their calls, once everything is there. A state that can't be read is logged, and its flows are reset. */
struct inheritance;
struct inheritance *handover_inherit(struct gateway *gw);
void handover_restore(struct gateway *gw, struct inheritance *in);

#endif
