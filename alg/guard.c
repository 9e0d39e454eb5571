#include "alg/guard.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alg/calls.h"
#include "alg/nft_watch.h"
#include "sys/netlink.h"

/* Who takes rules away does it one by one. */
enum { RULES_WAIT_MS = 200 };

struct guard {
	struct gateway *gw;
	struct event *table, *rules, *later;
	int table_fd, rules_fd;
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
restore(struct gateway *gw)
{
	struct monitor_request req;

	if (gw->stopping)
		return;
	memset(&req, 0, sizeof(req));
	req.type = MONITOR_TABLE;
	if (monitor_send(gw->priv, &req, on_restored, gw) != 0)
		gw->counters.monitor_failed++;
}

static void
on_table(evutil_socket_t fd, short what, void *arg)
{
	struct guard *g = arg;

	(void)what;
	if (nft_watch_read(fd))
		restore(g->gw);
}

static void
on_rules(evutil_socket_t fd, short what, void *arg)
{
	static const struct timeval wait = {.tv_usec = RULES_WAIT_MS * 1000};
	struct guard *g = arg;

	(void)what;
	if (nl_watch_read(fd, nl_rule_has_gone))
		event_add(g->later, &wait);
}

static void
on_later(evutil_socket_t fd, short what, void *arg)
{
	struct guard *g = arg;

	(void)fd, (void)what;
	restore(g->gw);
}

static bool
listen_to(struct guard *g, struct event **event, int fd, event_callback_fn fn)
{
	if (fd < 0)
		return true;
	*event = event_new(g->gw->base, fd, EV_READ | EV_PERSIST, fn, g);
	return *event != NULL && event_add(*event, NULL) == 0;
}

struct guard *
guard_new(struct gateway *gw, int table_fd, int rules_fd)
{
	struct guard *g = calloc(1, sizeof(*g));

	if (g != NULL) {
		*g = (struct guard){.gw = gw, .table_fd = table_fd, .rules_fd = rules_fd};
		g->later = event_new(gw->base, -1, 0, on_later, g);
		if (g->later != NULL && listen_to(g, &g->table, table_fd, on_table) && listen_to(g, &g->rules, rules_fd, on_rules))
			return g;
		guard_free(g);
		return NULL;
	}
	if (table_fd >= 0)
		close(table_fd);
	if (rules_fd >= 0)
		close(rules_fd);
	return NULL;
}

void
guard_free(struct guard *g)
{
	struct event *events[] = {g != NULL ? g->table : NULL, g != NULL ? g->rules : NULL, g != NULL ? g->later : NULL};

	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
		if (events[i] != NULL)
			event_free(events[i]);
	if (g != NULL && g->table_fd >= 0)
		close(g->table_fd);
	if (g != NULL && g->rules_fd >= 0)
		close(g->rules_fd);
	free(g);
}
