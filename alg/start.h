/* What the gateway is made of at its start. Each returns false with the reason logged. */
#ifndef ALG_START_H
#define ALG_START_H

#include "alg/gateway.h"

/* Tables, translation, gates and journal: all that depends on nobody. */
bool start_tables(struct gateway *gw);
/* The user-space forwarder, where it is needed; inherited descriptors are in gw->gre_fds, others are -1. */
bool start_user(struct gateway *gw);
/* Those that were not inherited. */
bool start_listeners(struct gateway *gw);
void start_trace(struct gateway *gw);
/* Gates that the journal has and no flow took: they go on by themselves, and age. */
void start_adopt(struct gateway *gw);

#endif
