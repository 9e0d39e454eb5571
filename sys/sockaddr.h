/* Socket addresses from our addresses and back. */
#ifndef SYS_SOCKADDR_H
#define SYS_SOCKADDR_H

#include <stdint.h>
#include <sys/socket.h>

#include "base/addr.h"

/* Fills in ss for an address of family 4 or 6 and a port (host order), all else zero; returns its length. */
socklen_t sockaddr_make(struct sockaddr_storage *ss, const struct addr *addr, uint16_t port);

/* The address and, unless port is NULL, the port (host order). IPv4 that an IPv6 socket has mapped is IPv4; another family is none, with
 * port 0. */
struct addr sockaddr_addr(const struct sockaddr_storage *ss, uint16_t *port);

#endif
