/* Requests to the kernel's connection tracking (ctnetlink), several at a time, each with its answer. */
#ifndef ALG_CTNL_H
#define ALG_CTNL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libnetfilter_conntrack/libnetfilter_conntrack.h>

#include "base/addr.h"

enum { CTNL_MAX_OPS = 8 };

enum ctnl_type {
	CTNL_GET,    /* by the original tuple of `what` */
	CTNL_CREATE, /* EEXIST: either tuple is taken */
	CTNL_DELETE, /* as GET */
};

struct ctnl_op {
	enum ctnl_type type;
	bool by_reply; /* GET, DELETE: that one whose reply tuple is the original tuple of `what` */
	const struct nf_conntrack *what;
	struct nf_conntrack *answer; /* of GET, filled in where error is 0 */
	int error;                   /* 0 or an errno; ENOENT: there is none */
};

struct ctnl;

/* In the caller's network namespace. NULL with errno: EPROTONOSUPPORT when the kernel has no ctnetlink. */
struct ctnl *ctnl_open(void);
void ctnl_close(struct ctnl *c);

/* Sends all and waits for all, at most CTNL_MAX_OPS; one that fails doesn't stop those behind it. 0, or an errno when the kernel can't
 * be talked to; each op has its own error besides. */
int ctnl_run(struct ctnl *c, struct ctnl_op *ops, size_t n);

/* One end of a connection: its original tuple, or the reply's. Ports are in host order; for GRE they are the keys. */
enum ctnl_tuple { CTNL_ORIGINAL, CTNL_REPLY };
void ctnl_set(struct nf_conntrack *ct, enum ctnl_tuple which, uint8_t proto, const struct addr *src, const struct addr *dst, uint16_t sport,
    uint16_t dport);
void ctnl_get(const struct nf_conntrack *ct, enum ctnl_tuple which, struct addr *src, struct addr *dst, uint16_t *sport, uint16_t *dport);

#endif
