/* What the files of the netlink module share. */
#ifndef SYS_NETLINK_IMPL_H
#define SYS_NETLINK_IMPL_H

#include <libmnl/libmnl.h>

#include "base/addr.h"
#include "sys/netlink.h"

enum { NL_BUFFER = 32768 };

struct nl {
	struct mnl_socket *socket;
	uint32_t seq;
	union {
		struct nlmsghdr align;
		char bytes[1024];
	} request;
	char reply[NL_BUFFER];
};

/* Each attribute from START to END, like libmnl's own macro, which narrows a length without a cast. */
#define NL_EACH_ATTR(ATTR, START, END)                                                                                                     \
	for (ATTR = (START); mnl_attr_ok(ATTR, (int)((const char *)(END) - (const char *)ATTR)); ATTR = mnl_attr_next(ATTR))

/* Starts a request in nl->request. */
struct nlmsghdr *nl_begin(struct nl *nl, uint16_t type, uint16_t flags);
/* Sends it and runs fn (may be NULL) over the answers, up to the acknowledgement or the end of the dump. */
int nl_finish(struct nl *nl, struct nlmsghdr *h, mnl_cb_t fn, void *user);

/* AF_INET or AF_INET6. */
uint8_t nl_family(const struct addr *a);
void nl_put_addr(struct nlmsghdr *h, uint16_t type, const struct addr *a);
/* The address in an attribute of a message of that AF_*; family 0 when its length is wrong. */
struct addr nl_get_addr(uint8_t family, const struct nlattr *a);

#endif
