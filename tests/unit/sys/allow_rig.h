/* Requests against a policy, without doing them: tables of what a worker may ask for. */
#ifndef TESTS_UNIT_SYS_ALLOW_RIG_H
#define TESTS_UNIT_SYS_ALLOW_RIG_H

#include "sys/priv_core.h"

/* The monitor's interface, which the tests make themselves. */
enum { ALLOW_OWN = 1 };

struct allow_row {
	const char *what;
	void (*make)(struct priv_request *r, struct priv_policy *p); /* fills in r, and may change the policy */
	int want;                                                    /* 0, EPERM or ENOENT */
};

struct priv_policy allow_policy(void);
/* A core that has made the loopback interface "itself". */
void allow_core_init(struct priv_core *core, const struct priv_policy *p);
void allow_core_fini(struct priv_core *core);
/* Over a socket pair, with the monitor's own loop on the other end, as the worker would ask: the reply's error. */
int allow_over_socket(const struct priv_policy *p, const void *message, size_t len);

/* Fails the test unless the answer is what the row wants. */
void allow_check(const struct allow_row *row);
/* The same over a socket pair, for refusals, which must be logged; what is granted is passed over. */
void allow_check_over_socket(const struct allow_row *row);

#endif
