/* Inside of privilege separation: what the monitor holds, and how a request passes through it.
 *
 *     bytes -> priv_wire (form) -> priv_allow (policy) -> priv_do (action) -> priv_undo (remembered)
 */
#ifndef SYS_PRIV_CORE_H
#define SYS_PRIV_CORE_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "sys/priv.h"

struct nl;
struct priv_undo;
struct priv_scripts;
struct priv_dns;

struct priv_own_if {
	int ifindex;
	char name[PRIV_IFNAME];
};

/* The names of host routes that this process has made; see priv_claim.c. */
enum { PRIV_CLAIMS = 64 };

struct priv_claim {
	struct prefix dst;
	int fd;
};

struct priv_claims {
	size_t count;
	struct priv_claim items[PRIV_CLAIMS];
};

struct priv_core {
	struct priv_policy policy;
	struct nl *nl;
	struct priv_own_if *ifs; /* interfaces made, some of which may be gone */
	size_t ifs_count, ifs_room;
	int ndp_ifs[8]; /* links whose proxy_ndp was turned on here */
	size_t ndp_count;
	struct priv_undo *undo;
	struct priv_claims claims;
	struct priv_scripts *scripts;
	struct priv_dns *dns;
	unsigned refused; /* requests, for the log's sake */
};

bool priv_core_init(struct priv_core *core, const struct priv_policy *policy);
/* Undoes everything that was done, newest first, and runs the scripts that were kept for the end; waits for those. */
void priv_core_fini(struct priv_core *core);

/* Tells the program that the worker has ended; before priv_core_fini(). */
void priv_core_end(struct priv_core *core, int status);

/* Descriptors that came with a request, owned. */
struct priv_given {
	size_t count;
	int fds[PRIV_SEND_FDS];
	bool cut; /* there were more, or there was no room for all in this process */
};

/* Checks and does one request of len bytes. The reply is always filled; its descriptors (of close-on-exec) go into fds. Those given
 * are not the caller's any more. */
void priv_core_handle(struct priv_core *core, const void *request, size_t len, const struct priv_given *given, struct priv_reply *reply,
    int fds[PRIV_MAX_FDS]);

/* --- priv_wire.c: requests and replies on the socket pair -------------------- */

struct priv_message {
	uint32_t seq;
	struct priv_request request;
};

struct priv_answer {
	uint32_t seq;
	struct priv_reply reply;
};

/* Bytes of an answer that mean something: what is sent. */
size_t priv_answer_len(const struct priv_answer *a);

/* Room for n descriptors with a message. */
#define PRIV_CONTROL(n)                                                                                                                    \
	union {                                                                                                                            \
		struct cmsghdr align;                                                                                                      \
		char bytes[CMSG_SPACE((n) * sizeof(int))];                                                                                 \
	}
/* Puts count (> 0) descriptors into msg, whose control is of room for them. */
void priv_put_fds(struct msghdr *msg, void *control, const int *fds, size_t count);
/* Takes at most max descriptors out of a message that was received; the rest is closed. Returns how many. */
size_t priv_take_fds(struct msghdr *msg, int *fds, size_t max);

/* Bytes of a request that mean something: what is sent. 0 for an unknown type or an environment that is too long. */
size_t priv_request_len(const struct priv_request *r);
/* Copies untrusted bytes into *out, zeroing the rest; false when they are not one well-formed request: length, ranges of enums and
 * booleans, NULs at the end of names, address families and prefix lengths. */
bool priv_request_decode(struct priv_request *out, const void *data, size_t len);
bool priv_env_valid(const char *env, size_t len);

/* --- priv_allow.c: one check per type ----------------------------------------- */

/* 0, or the errno to refuse with. */
int priv_allow(struct priv_core *core, const struct priv_request *r);
/* The interface was made here and still has the name it had. */
bool priv_own_ifindex(const struct priv_core *core, int ifindex);
bool priv_own_ifname(const struct priv_core *core, const char *name);

/* --- priv_do.c: one action per type -------------------------------------------- */

/* Does what was allowed. 0 or an errno. */
int priv_do(struct priv_core *core, const struct priv_request *r, struct priv_reply *reply, int fds[PRIV_MAX_FDS]);

/* --- priv_undo.c: what was done to the system ----------------------------------- */

enum { PRIV_UNDO_MAX = 1 << 18 };

/* One thing done; unused fields are zero, so that equal things are equal bytes. */
struct priv_deed {
	enum priv_type type; /* PRIV_ADDR_ADD, PRIV_ROUTE_ADD or PRIV_PROXY_ADD */
	int ifindex;
	struct prefix dst; /* address of ADDR and PROXY */
	struct addr peer;  /* of ADDR */
	uint32_t metric, table;
};

struct priv_undo *priv_undo_new(void);
void priv_undo_free(struct priv_undo *u);
/* Remembers a deed, in the place of one like it; true if it is in the list then. */
bool priv_undo_add(struct priv_undo *u, const struct priv_deed *deed);
bool priv_undo_full(const struct priv_undo *u);
/* Whether a deed like this is in the list (interfaces count for addresses only); *deed becomes the one found. */
bool priv_undo_find(const struct priv_undo *u, struct priv_deed *deed);
void priv_undo_remove(struct priv_undo *u, const struct priv_deed *deed);
/* Forgets deeds on interfaces that are gone, for which the kernel has undone them. */
void priv_undo_forget(struct priv_undo *u, bool (*gone)(void *user, int ifindex), void *user);
/* Takes the newest deed out; false when there is none. */
bool priv_undo_pop(struct priv_undo *u, struct priv_deed *deed);
/* The deed of an ADD or DEL request. */
struct priv_deed priv_deed_of(const struct priv_request *r);
/* Undoes it; things that are gone already are no error. 0 or an errno. */
int priv_deed_undo(struct nl *nl, const struct priv_deed *deed);

/* --- priv_claim.c: whose host route is whose -------------------------------------- */

/* Before such a route is made, and when it is gone. A name that another living process holds, or the 65th, is done without. */
void priv_claim(struct priv_claims *c, const struct prefix *dst);
void priv_unclaim(struct priv_claims *c, const struct prefix *dst);
void priv_unclaim_all(struct priv_claims *c);
/* Removes host routes that processes left which do not live any more. */
void priv_drop_stale_routes(struct nl *nl);

/* --- priv_script.c: scripts as children ------------------------------------------- */

/* As many sessions may end at once as there are; the bytes are of environments, of those that wait and of those that are kept. */
enum { PRIV_SCRIPTS_WAITING = 65536, PRIV_SCRIPTS_KEPT = 65536, PRIV_SCRIPTS_BYTES = 64 << 20 };

struct priv_scripts *priv_scripts_new(unsigned at_once, unsigned timeout_s);
void priv_scripts_free(struct priv_scripts *s);
/* Runs path soon, with an environment of strings, behind those of the same key (0: none). 0, EAGAIN (too many wait) or ENOMEM. */
int priv_scripts_run(struct priv_scripts *s, uint64_t key, const char *path, const char *env, size_t envlen);
/* Keeps one under a key for the end. 0, ENOSPC or ENOMEM. */
int priv_scripts_keep(struct priv_scripts *s, uint64_t key, const char *path, const char *env, size_t envlen);
void priv_scripts_forget(struct priv_scripts *s, uint64_t key);
/* Readable when there is something to do; then call priv_scripts_service(). */
int priv_scripts_fd(const struct priv_scripts *s);
/* Reaps children that ended, kills those that take too long, starts the next. */
void priv_scripts_service(struct priv_scripts *s);
/* Queues what was kept, and waits until nothing runs or waits any more. */
void priv_scripts_finish(struct priv_scripts *s);

/* --- priv_dns.c, priv_resolv.c: resolvers ------------------------------------------- */

struct priv_dns *priv_dns_new(const char *resolv_conf);
/* Clears what is still set. */
void priv_dns_free(struct priv_dns *d);
/* 0 or an errno. */
int priv_dns_set(struct priv_dns *d, const struct priv_request *r);
/* ENOENT when nothing is set for it. */
int priv_dns_clear(struct priv_dns *d, const char *ifname);

/* Puts text in the place of path's content, with the present content kept in comments that name this process. 0 or an errno. */
int priv_resolv_set(const char *path, const char *text);
/* Restores the content exactly, if what is there was put by this process (or, with dead_too, by one that does not live any more). */
int priv_resolv_restore(const char *path, bool dead_too);

/* --- priv_drop.c: getting rid of privileges ------------------------------------------ */

/* Becomes uid and gid for good: no groups, no capabilities (bounding set included), no new privileges, not dumpable. dir: chroot
 * there first; NULL: don't. Returns false with a logged reason. */
bool priv_drop(unsigned uid, unsigned gid, const char *dir);

/* --- priv_monitor.c --------------------------------------------------------------------- */

/* The signals that are the worker's to answer. */
void priv_passed_signals(sigset_t *set);

/* Serves the socket until the worker has ended and all its requests were, passes signals on to it; returns the status to exit with. before: the
 * signal mask to go back to but for the signals passed on, where the caller blocked all around the fork; NULL: it did not. */
int priv_monitor_run(struct priv_core *core, int fd, int worker_pid, const sigset_t *before);

/* --- priv_worker.c ------------------------------------------------------------------------ */

/* A handle on the socket to the monitor, or, with fd -1, on a core in this process (owned by it then). */
struct priv *priv_new(int fd, struct priv_core *core);

#endif
