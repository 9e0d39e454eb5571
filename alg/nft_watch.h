/* Whether the gateway's nftables table is still there: `nft flush ruleset`, which is how many a machine loads its rules, takes it away. */
#ifndef ALG_NFT_WATCH_H
#define ALG_NFT_WATCH_H

#include <stdbool.h>

/* 0: there it is. ENOENT, or another errno where that is not to be learnt. */
int nft_is_gone(void);

/* Tells of tables that go: a socket, non-blocking, to be opened as root and read by anybody; -1 with errno. */
int nft_watch_open(void);
/* Reads all that has come. True: our table has gone, or it can't be told. */
bool nft_watch_read(int fd);

#endif
