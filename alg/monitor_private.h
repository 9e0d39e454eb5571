/* The inside of the gateway's part of the monitor: monitor.c (requests), monitor_check.c (which are let through), monitor_start.c (its
 * beginning and end), monitor_files.c. */
#ifndef ALG_MONITOR_PRIVATE_H
#define ALG_MONITOR_PRIVATE_H

#include "alg/monitor.h"
#include "alg/nft.h"
#include "alg/table.h"

/* A pair of gates that the worker had installed. */
struct held {
	struct table_node node;
	struct gate_pair pair;
	struct held *next, *prev;
};

struct monitor {
	const struct config *config;
	struct datapath *datapath; /* NULL: gates are the worker's own */
	const char *datapath_name;
	struct nft *nft;
	struct ct *ct; /* NULL: nothing is tracked */
	struct table by_id;
	struct held *pairs;
	size_t pairs_count, pairs_max;
	size_t diverts;

	struct handover_fd *inherited; /* from the former process; none when the worker has settled */
	size_t inherited_count, inherited_given;
	struct handover_fd *handed; /* for the next one */
	size_t handed_count, handed_max;
	bool anew;       /* hand over by executing this program, even where a service manager would keep descriptors */
	bool handed_all; /* the last of them has come: the state */
	const char *path;
	char *const *argv;
};

/* The name of the descriptor that comes last in a hand-over: without it, it isn't one. */
#define MONITOR_STATE_NAME "state"

/* --- monitor.c ------------------------------------------------------------------------- */

/* The hook of struct priv_program; user is the monitor. */
int monitor_handle(
    void *user, const uint8_t *data, size_t len, const int *in_fds, size_t in_count, struct priv_reply *reply, int fds[PRIV_MAX_FDS]);
/* The pair that it holds under this id, or NULL. */
struct held *monitor_find(const struct monitor *m, uint64_t id);
/* Removes all gates that it still holds from the data path. */
void monitor_remove_gates(struct monitor *m);
/* Forgets them only. */
void monitor_forget_gates(struct monitor *m);

/* --- monitor_check.c ---------------------------------------------------------------------- */

/* Of a request's bytes as they came, with so many descriptors: 0, or an errno: EINVAL, EPERM (this gateway has no use for it), ENOENT,
 * ENOSPC. */
int monitor_check(const struct monitor *m, const struct monitor_request *request, size_t fds);

/* --- monitor_files.c ---------------------------------------------------------------------- */

/* Each a descriptor, or -1 with errno. */
int monitor_open_journal(const struct config *config);
int monitor_open_trace(const struct config *config);

#endif
