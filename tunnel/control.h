/* A control connection on its TCP socket: pptp_conn driven by the event loop, for server and client alike. */
#ifndef TUNNEL_CONTROL_H
#define TUNNEL_CONTROL_H

#include <stdbool.h>
#include <stdint.h>

#include <pptp/conn.h>

#include "base/addr.h"

struct event_base;
struct control;

struct control_ops {
	/* One event of the connection. PPTP_EVENT_CLOSED is the last; the callee then calls control_free() now or
	 * later (it may be called from here). Within it, all pptp_call_*() and pptp_conn_*() may be called on control_conn(). */
	void (*event)(void *user, struct control *c, const struct pptp_event *event);
	/* Initiator: TCP could not be made (error is an errno, ETIMEDOUT included). Free it then. May be NULL for an acceptor. */
	void (*unreachable)(void *user, struct control *c, int error);
};

/* Takes over an accepted socket (non-blocking, owned). The addresses in config are filled in from the socket. Returns NULL,
 * with the socket closed, when memory ran out. */
struct control *control_accept(
    struct event_base *base, int fd, const struct pptp_conn_config *config, const struct control_ops *ops, void *user);

/* Connects fd (fresh, non-blocking, owned, from PRIV_TCP_SOCKET) to server:port, for at most timeout_ns, and then sends
 * Start-Control-Connection-Request. Returns NULL, with the socket closed, when memory ran out; that the server can't be
 * reached is always told by ops->unreachable, from the loop. */
struct control *control_connect(struct event_base *base, int fd, const struct addr *server, uint16_t port, uint64_t timeout_ns,
    const struct pptp_conn_config *config, const struct control_ops *ops, void *user);

/* Sends what is still in the output as far as the socket takes it, and closes. Calls that are still up end without a word
 * to the program. May be called from within the ops. */
void control_free(struct control *c);

/* The protocol state, never NULL (idle while TCP is being made). After calling a function of it that makes output or events outside of ops->event, call control_kick(). */
struct pptp_conn *control_conn(struct control *c);
void control_kick(struct control *c);
/* The same from the loop, for who can't bear what may come of it now: events of this connection. */
void control_kick_later(struct control *c);

const struct addr *control_local(const struct control *c);
const struct addr *control_peer(const struct control *c);
uint16_t control_peer_port(const struct control *c);

#endif
