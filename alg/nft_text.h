/* What nft.c and nft_text.c share. */
#ifndef ALG_NFT_TEXT_H
#define ALG_NFT_TEXT_H

#include <stddef.h>

#include "alg/nft.h"

/* GRE of version 1 that carries PPP (RFC 2637, section 4.1), as an expression that needs `meta l4proto gre` in the chain before. */
#define NFT_PPTP_GRE "@th,0,32 & 0x0007ffff == 0x0001880b"

/* What is added to the table once GRE of gates is led to raw sockets: it costs each GRE packet a look. As nft_text().
 *
 * Such GRE is not tracked, in either direction: the box's NAT and states are no matter of it. Its fragments are put together before,
 * since other chains of the table use connection tracking. */
size_t nft_divert_text(const struct config *config, char *buf, size_t buflen);

#endif
