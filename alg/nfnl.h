/* Questions to nf_tables in the kernel that libnftables would answer with the whole ruleset as text. */
#ifndef ALG_NFNL_H
#define ALG_NFNL_H

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct nfnl_question {
	uint16_t type;  /* NFT_MSG_... */
	uint8_t family; /* NFPROTO_..., AF_UNSPEC: all */
	bool dump;      /* all that there are, else the one that is named */
	uint16_t attr;  /* by which it is looked for */
	const void *data;
	size_t datalen;
};

/* Runs fn (may be NULL) over the answers. 0, or an errno: ENOENT there is none of that name. */
int nfnl_ask(const struct nfnl_question *q, mnl_cb_t fn, void *user);

#endif
