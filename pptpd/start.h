/* The server's start: what it asks the monitor for once, in order, before it serves. */
#ifndef PPTPD_START_H
#define PPTPD_START_H

#include <stdbool.h>

#include "pptpd/server.h"

/* Opens GRE sockets and starts the workers; false with the reason logged. */
bool start_engine(struct server *srv);
/* Makes the shared interface with addresses and routes to the pools, if there is to be one. */
bool start_interface(struct server *srv);
/* Opens the listening sockets into srv->listeners (fd only). False when none could be had, or one is taken by somebody else. */
bool start_listeners(struct server *srv);

#endif
