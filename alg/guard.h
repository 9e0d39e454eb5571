/* Sees to it that the gateway's nftables table and routing rules stay where they are, whoever loads his own. */
#ifndef ALG_GUARD_H
#define ALG_GUARD_H

struct gateway;
struct guard;

/* Takes over sockets of nft_watch_open() and nl_rule_watch_open(); -1: none. NULL when memory ran out; they are closed then. */
struct guard *guard_new(struct gateway *gw, int table_fd, int rules_fd);
void guard_free(struct guard *g);

#endif
