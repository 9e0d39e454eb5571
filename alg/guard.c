#include "alg/guard.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alg/calls.h"
#include "alg/nft_watch.h"

struct guard {
	struct gateway *gw;
	struct event *event;
	int fd;
};

static void
on_restored(void *user, int error, const struct monitor_reply *reply, const int *fds, size_t nfds)
{
	struct gateway *gw = user;

	(void)fds, (void)nfds;
	if (error != 0 || !reply->restored)
		return;
	for (const struct call *c = gw->calls; c != NULL; c = c->next)
		if (c->user && c->up)
			gates_divert(gw, &c->pair);
}

static void
on_change(evutil_socket_t fd, short what, void *arg)
{
	struct gateway *gw = ((struct guard *)arg)->gw;
	struct monitor_request req;

	(void)what;
	if (!nft_watch_read(fd) || gw->stopping)
		return;
	memset(&req, 0, sizeof(req));
	req.type = MONITOR_TABLE;
	if (monitor_send(gw->priv, &req, on_restored, gw) != 0)
		gw->counters.monitor_failed++;
}

struct guard *
guard_new(struct gateway *gw, int fd)
{
	struct guard *g = calloc(1, sizeof(*g));

	if (g == NULL) {
		close(fd);
		return NULL;
	}
	*g = (struct guard){.gw = gw, .fd = fd, .event = event_new(gw->base, fd, EV_READ | EV_PERSIST, on_change, g)};
	if (g->event != NULL && event_add(g->event, NULL) == 0)
		return g;
	guard_free(g);
	return NULL;
}

void
guard_free(struct guard *g)
{
	if (g == NULL)
		return;
	if (g->event != NULL)
		event_free(g->event);
	close(g->fd);
	free(g);
}
