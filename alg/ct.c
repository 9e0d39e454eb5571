#include "alg/ct.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "alg/ctnl.h"

struct ct {
	struct ctnl *nl;
};

struct ct *
ct_open(void)
{
	struct ct *ct = calloc(1, sizeof(*ct));

	if (ct == NULL)
		return NULL;
	ct->nl = ctnl_open();
	if (ct->nl == NULL) {
		int saved = errno;

		free(ct);
		errno = saved;
		return NULL;
	}
	return ct;
}

void
ct_close(struct ct *ct)
{
	if (ct == NULL)
		return;
	ctnl_close(ct->nl);
	free(ct);
}

/* The other end sees what it answers to: the reply tuple, the other way round. */
static void
take_seen(const struct nf_conntrack *found, struct ct_tcp *seen)
{
	ctnl_get(found, CTNL_REPLY, &seen->dst, &seen->src, &seen->dport, &seen->sport);
}

static int
lookup_in(struct ct *ct, uint16_t zone, const struct ct_tcp *original, struct ct_tcp *seen)
{
	struct nf_conntrack *key = nfct_new(), *found = nfct_new();
	struct ctnl_op get = {.type = CTNL_GET, .what = key, .answer = found};
	int error = ENOMEM;

	if (key != NULL && found != NULL) {
		ctnl_set(key, CTNL_ORIGINAL, IPPROTO_TCP, &original->src, &original->dst, original->sport, original->dport);
		if (zone != 0)
			nfct_set_attr_u16(key, ATTR_ORIG_ZONE, zone);
		error = ctnl_run(ct->nl, &get, 1);
		if (error == 0)
			error = get.error;
	}
	if (error == 0)
		take_seen(found, seen);
	if (key != NULL)
		nfct_destroy(key);
	if (found != NULL)
		nfct_destroy(found);
	return error;
}

/* A kernel without zones says EOPNOTSUPP. */
int
ct_lookup(struct ct *ct, const struct ct_tcp *original, struct ct_tcp *seen)
{
	return lookup_in(ct, CT_ZONE, original, seen) == 0 ? 0 : lookup_in(ct, 0, original, seen);
}
