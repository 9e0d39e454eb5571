/* A client's control connection, and what limits there are to them. */
#ifndef PPTPD_CONN_H
#define PPTPD_CONN_H

#include <stdbool.h>
#include <stdint.h>

#include "pptpd/server.h"
#include "tunnel/control.h"

struct conn {
	struct server *srv;
	struct control *control;
	struct conn *next, *prev;            /* of all */
	struct conn *half_next, **half_prev; /* of those that have not done Start-Control-Connection; half_prev NULL: not one of them */
	struct hash_node source_node;
	struct addr peer, source; /* who it counts for: the address, of IPv6 its network of 64 bits */
	struct session *sessions;
	uint64_t accepted_ts;
	bool established, closing;
	bool logged;                         /* control-up was, so control-down will be */
	char host_name[65], vendor_name[65]; /* the peer's */
};

/* Takes an accepted socket from peer, within the limits: when these are reached, the oldest half-open connection of the same source makes
 * room, else (but for the source's own limit) the oldest one of all; if there is none, the new one is closed. */
void conn_accept(struct server *srv, int fd, const struct addr *peer);

/* Drops the oldest half-open connection, to free a descriptor; false if there is none. */
bool conn_drop_half_open(struct server *srv);

/* Ends the connection with Stop-Control-Connection-Request. */
void conn_stop(struct conn *c, enum pptp_stop_reason reason);
/* Ends it now. Its sessions lose their call. */
void conn_destroy(struct conn *c, const char *reason);
/* Ends half-open connections that took too long; once a second. */
void conn_check_timeouts(struct server *srv, uint64_t ts);

#endif
