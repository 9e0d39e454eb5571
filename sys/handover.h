/* Descriptors that outlive a process: to the next one by way of the service manager's descriptor store, or by executing oneself
 * anew. Both leave them to the next process in the same manner (LISTEN_FDS, sd_listen_fds(3)).
 *
 * The names of all descriptors travel in one variable of the environment, which Linux lets be 128 KiB long: with thousands of
 * descriptors names must be short. */
#ifndef SYS_HANDOVER_H
#define SYS_HANDOVER_H

#include <stdbool.h>
#include <stddef.h>

enum { HANDOVER_NAME = 64 };

struct handover_fd {
	int fd;
	char name[HANDOVER_NAME]; /* letters, digits, '-', '_' and '.' */
};

/* Takes what a former process or the service manager left for this process, at most max; further ones are closed. The environment is
 * cleared of it and the descriptors are close-on-exec from then on; one without a name is called "unknown", and names that are too
 * long are cut. Where they are many, they are moved above the numbers that select(2) can deal with, as far as the limit of open files
 * allows. The order is the manager's, not the one they were stored in. What was in the manager's store stays there as well until
 * handover_empty(). Call it first thing in main(). Returns how many. */
size_t handover_take(struct handover_fd *fds, size_t max);

/* There is a service manager that tells its wishes by NOTIFY_SOCKET. */
bool handover_managed(void);

/* "READY=1", "STOPPING=1", "STATUS=..."; without a service manager nothing happens. 0 or -1 with errno. */
int handover_notify(const char *state);

/* Leaves the descriptors in the service manager's store, which has them when this returns 0 (it waits for that, at most 5 s), as far
 * as the unit's FileDescriptorStoreMax= goes: the manager does not tell what it had no room for. -1 with errno: ENOTCONN (no manager),
 * EINVAL (a name), E2BIG (all names together), ETIMEDOUT, or sendmsg(2)'s. The process may end then; they stay the caller's. */
int handover_store(const struct handover_fd *fds, size_t n);
/* Takes what handover_take() gave out of the store: when this process has everything in hand. If it ends before, the next one is given
 * the same again. Until then a socket that is closed here stays open there. Without a manager nothing happens. */
void handover_empty(const struct handover_fd *taken, size_t n);

/* Executes path with argv in this very process, which keeps its pid, and leaves it the descriptors, in whatever order; these and all
 * others must be close-on-exec. Takes hardly more descriptors than there are. Signals that are blocked stay so, and what waits of them.
 * Returns only on error, with errno, and everything as it was before. */
void handover_exec(const char *path, char *const argv[], const struct handover_fd *fds, size_t n);

#endif
