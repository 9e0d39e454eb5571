/* What nft.c and nft_text.c share. */
#ifndef ALG_NFT_TEXT_H
#define ALG_NFT_TEXT_H

#include <stddef.h>

#include "alg/nft.h"

/* GRE of version 1 that carries PPP (RFC 2637, section 4.1), as an expression that needs `meta l4proto gre` in the chain before. */
#define NFT_PPTP_GRE "@th,0,32 & 0x0007ffff == 0x0001880b"

/* What belongs to the table where the kernel has zones of connection tracking. As nft_text().
 *
 * A connection onward has the client's address and the server's, as the client's own has, and a port of the kernel's choice, which
 * knows nothing of the ports that the client has chosen. So that two with the same port are not one to connection tracking, those
 * onward are in a zone of their own, as far as it goes by what the gateway sends. */
size_t nft_apart_text(const struct config *config, char *buf, size_t buflen);

/* What is added to the table once GRE of gates is led to raw sockets: it costs each GRE packet a look. As nft_text().
 *
 * Such GRE is not tracked, in either direction: the box's NAT and states are no matter of it. Its fragments are put together before,
 * since other chains of the table use connection tracking. */
size_t nft_divert_text(const struct config *config, char *buf, size_t buflen);

#endif
