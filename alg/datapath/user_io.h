/* Batches of GRE with their outer headers, from and to raw sockets. Not for several threads at once. */
#ifndef ALG_DATAPATH_USER_IO_H
#define ALG_DATAPATH_USER_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alg/datapath/user_packet.h"

enum { USER_BATCH = 64 };

struct user_rx;
struct user_tx;

/* Sets the socket's options; fd stays the caller's. NULL with errno. Buffers take packets of any length. */
struct user_rx *user_rx_new(int fd, uint8_t family);
void user_rx_free(struct user_rx *rx);
/* Receives what waits, up to USER_BATCH packets; their number, 0 when there is none. */
unsigned user_rx_recv(struct user_rx *rx);
/* Forgets what routers told, as the kernel has learned from it (the MTU of a path); it would fill the socket. When poll(2) says POLLERR. */
void user_rx_errors(struct user_rx *rx);
/* The i-th packet of the last batch, in a buffer that stays until the next; as user_packet_ipv4(). */
bool user_rx_packet(const struct user_rx *rx, unsigned i, struct user_packet *p, enum datapath_user_drop *why);

struct user_tx *user_tx_new(int fd, uint8_t family);
void user_tx_free(struct user_tx *tx);
/* Adds a packet of the socket's family with new addresses, hops, tos and df; its buffer must stay until the flush. At most USER_BATCH
 * between flushes. Order is kept. Returns how many packets could not be sent: of an earlier df, which goes before this one. */
unsigned user_tx_push(struct user_tx *tx, const struct user_packet *p);
/* Sends all, and waits 10 ms at most when the socket is full. Returns how many packets could not be sent. */
unsigned user_tx_flush(struct user_tx *tx);

#endif
