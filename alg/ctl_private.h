/* What the control socket's commands share (alg/ctl*.c): how a row is put together, and which rows are wanted. */
#ifndef ALG_CTL_PRIVATE_H
#define ALG_CTL_PRIVATE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "alg/gateway.h"
#include "base/addr.h"
#include "sys/ctl.h"

/* Each sets a key of o. row_set() takes the reference; a text may hold any bytes. */
void row_set(json_t *o, const char *key, json_t *value);
void row_number(json_t *o, const char *key, uint64_t value);
void row_text(json_t *o, const char *key, const char *value);
/* Empty for family 0. */
void row_addr(json_t *o, const char *key, const struct addr *a);
/* "192.0.2.1:1723", "[2001:db8::1]:1723". */
void row_endpoint(json_t *o, const char *key, const struct addr *a, uint16_t port);
/* Whole seconds between two times, 0 if it is the other way round; null for TS_NEVER. */
void row_seconds(json_t *o, const char *key, uint64_t from, uint64_t to);

/* Only what belongs to this client or server, where asked for. */
struct filter {
	struct addr client, server; /* family 0: any */
};

/* From the request's "client" and "server". False: an error was replied. */
bool filter_read(struct filter *f, json_t *args, struct ctl_reply *reply);
bool filter_passes(const struct filter *f, const struct addr *client, const struct addr *server);

/* Commands (see sys/ctl.h); user is a struct gateway. */
void show_flows(void *user, json_t *args, struct ctl_reply *reply);
void show_gates(void *user, json_t *args, struct ctl_reply *reply);
void show_xlate(void *user, json_t *args, struct ctl_reply *reply);
void show_resources(void *user, json_t *args, struct ctl_reply *reply);

#endif
