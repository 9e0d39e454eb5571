/* The worker's side of its requests to the monitor. */
#include <stdlib.h>
#include <string.h>

#include "alg/monitor.h"

struct waiting {
	monitor_reply_fn fn;
	void *user;
};

static void
wrap(struct priv_request *out, const struct monitor_request *request)
{
	memset(out, 0, sizeof(*out));
	out->type = PRIV_PROGRAM;
	out->program.len = sizeof(*request);
	memcpy(out->program.data, request, sizeof(*request));
}

static void
unwrap(const struct priv_reply *from, struct monitor_reply *reply)
{
	memset(reply, 0, sizeof(*reply));
	if (from->program.len == sizeof(*reply))
		memcpy(reply, from->program.data, sizeof(*reply));
}

static void
on_reply(void *user, const struct priv_reply *from, const int *fds)
{
	struct waiting *w = user;
	struct monitor_reply reply;

	unwrap(from, &reply);
	w->fn(w->user, from->error, &reply, fds, from->fds);
	free(w);
}

int
monitor_send(struct priv *p, const struct monitor_request *request, monitor_reply_fn fn, void *user)
{
	struct waiting *w = calloc(1, sizeof(*w));
	struct priv_request req;

	if (w == NULL)
		return -1;
	*w = (struct waiting){.fn = fn, .user = user};
	wrap(&req, request);
	if (priv_send(p, &req, on_reply, w) == 0)
		return 0;
	free(w);
	return -1;
}

int
monitor_call(struct priv *p, const struct monitor_request *request, const int *send_fds, size_t nsend, struct monitor_reply *reply,
    int *fds, size_t *nfds)
{
	struct priv_request req;
	struct priv_reply from;

	wrap(&req, request);
	*nfds = 0;
	memset(&from, 0, sizeof(from));
	if (priv_call_fds(p, &req, send_fds, nsend, &from, fds) == 0)
		*nfds = from.fds;
	unwrap(&from, reply);
	return from.error;
}

/* Answers come in the order of requests, so this one's is the last. */
int
monitor_sync(struct priv *p)
{
	struct monitor_request nothing;
	struct monitor_reply reply;
	int fds[PRIV_MAX_FDS];
	size_t n;

	memset(&nothing, 0, sizeof(nothing));
	nothing.type = MONITOR_GATES_READ;
	return monitor_call(p, &nothing, NULL, 0, &reply, fds, &n);
}
