/* Descriptors that outlive a process: to the next one by way of the service manager's descriptor store, or by executing oneself
 * anew. Both leave them to the next process in the same manner (LISTEN_FDS, sd_listen_fds(3)). */
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
 * cleared of it and the descriptors are close-on-exec from then on. Call it first thing in main(). Returns how many. */
size_t handover_take(struct handover_fd *fds, size_t max);

/* There is a service manager that tells its wishes by NOTIFY_SOCKET. */
bool handover_managed(void);

/* "READY=1", "STOPPING=1", "STATUS=..."; without a service manager nothing happens. 0 or -1 with errno. */
int handover_notify(const char *state);

/* Leaves the descriptors in the service manager's store, which has them when this returns 0 (it waits for that, at most 5 s); -1 with
 * errno. The process may end then; they stay the caller's. */
int handover_store(const struct handover_fd *fds, size_t n);
/* Takes all descriptors of this name out of the store again. */
int handover_unstore(const char *name);

/* Executes path with argv in this very process, which keeps its pid, and leaves it the descriptors. Returns only on error, with
 * errno. */
void handover_exec(const char *path, char *const argv[], const struct handover_fd *fds, size_t n);

#endif
