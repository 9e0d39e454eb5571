/* Sees to it that the gateway's nftables table stays where it is, whoever loads rules of his own. */
#ifndef ALG_GUARD_H
#define ALG_GUARD_H

struct gateway;
struct guard;

/* Takes over a socket of nft_watch_open(). NULL when memory ran out; the socket is closed then. */
struct guard *guard_new(struct gateway *gw, int fd);
void guard_free(struct guard *g);

#endif
