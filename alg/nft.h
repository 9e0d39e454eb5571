/* The gateway's own nftables table `inet pptpalg`, and the policy routing that goes with it. Runs in the monitor.
 *
 * The table takes control connections to the gateway's sockets (TPROXY, behind the box's own destination NAT), leads packets of its
 * transparent sockets home, keeps the box's source NAT off connections whose source address is fixed, and, with `strict`, drops
 * PPTP GRE that belongs to no gate. It is put in place and replaced as one transaction, and nothing else is touched.
 *
 * Without a living gateway the table does nothing: TPROXY without a listener lets packets pass as if there were no rule. */
#ifndef ALG_NFT_H
#define ALG_NFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alg/config.h"
#include "alg/datapath/datapath.h"

/* Bits of SO_MARK on the gateway's sockets, above config->mark: see alg/nft.c for which packets they are. */
struct nft_marks {
	uint32_t local; /* to the gateway's own sockets; what the routing rule matches */
	uint32_t proxy; /* on sockets towards servers: never taken again */
	uint32_t fixed; /* also on those whose source address the box's NAT shall leave alone */
};

struct nft_marks nft_marks(const struct config *config);

struct nft;

/* The table as text, as it is loaded: for `pptpalg -nv`, tests, and people. Returns the length, as snprintf. */
size_t nft_text(const struct config *config, char *buf, size_t buflen);

/* Installs table, rules and routes of both families, in the place of what a former process left. NULL with a sentence in err. */
struct nft *nft_start(const struct config *config, char *err, size_t errlen);
/* Makes anew what somebody took away of table, rules and routes. 0: the table was there; ENOENT: it was gone, and diverted gates must be
 * diverted again; else an errno, with the reason logged. */
int nft_restore(struct nft *n);
/* keep: another process goes on with them. */
void nft_stop(struct nft *n, bool keep);

/* GRE of this gate comes to raw sockets of the gateway from now on, though it is addressed to others (user backend). 0 or an errno. */
int nft_divert(struct nft *n, const struct gate *gate);
int nft_divert_end(struct nft *n, const struct gate *gate);

#endif
