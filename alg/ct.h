/* How connection tracking translates a TCP connection; runs in the monitor. */
#ifndef ALG_CT_H
#define ALG_CT_H

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

/* Of the gateway's connections to servers, in their original direction: nft_apart_text(). */
enum { CT_ZONE = 1723 };

struct ct_tcp {
	struct addr src, dst;
	uint16_t sport, dport;
};

struct ct;

/* NULL with errno: EPROTONOSUPPORT when the kernel has no ctnetlink. */
struct ct *ct_open(void);
void ct_close(struct ct *ct);

/* For a connection by its original tuple, as its initiator sees it: what the other end sees, in *seen (seen->src is the translated
 * source). One in CT_ZONE goes before one in none. 0, or ENOENT: not tracked. */
int ct_lookup(struct ct *ct, const struct ct_tcp *original, struct ct_tcp *seen);

#endif
