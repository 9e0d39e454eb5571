/* The host route to the server: without it, a default route through the tunnel would swallow the tunnel's own packets. */
#include <errno.h>
#include <string.h>

#include "pptpc/client.h"
#include "sys/log.h"
#include "sys/netlink.h"

static bool
is_tunnel(void *user, int ifindex)
{
	const struct client *c = user;

	for (size_t i = 0; i < c->dials_count; i++)
		if (c->dials[i].netif.ifindex == ifindex)
			return true;
	return false;
}

/* Somebody's own route to the server is as good. */
static void
on_added(void *user, const struct priv_reply *reply, const int *fds)
{
	struct dial *d = user;
	char text[ADDR_TEXT_MAX];

	(void)fds;
	if (reply->error == 0)
		return;
	d->hostroute.placed = false;
	if (reply->error != EEXIST)
		client_warn(d, "host-route", "the route to the server %s besides the tunnel can't be made: %s", addr_text(&d->server, text),
		    strerror(reply->error));
}

static void
send_op(struct dial *d, enum priv_type type, const struct route_op *op)
{
	struct priv_request request = {.type = type};

	request.route.dst = op->dst;
	request.route.gateway = op->gateway;
	request.route.ifindex = op->ifindex;
	request.route.metric = op->metric;
	request.route.table = op->table;
	priv_send(d->client->priv, &request, type == PRIV_ROUTE_ADD ? on_added : NULL, d);
}

static void
put(struct dial *d, const struct route_op *op)
{
	char dst[ADDR_TEXT_MAX], gateway[ADDR_TEXT_MAX];

	send_op(d, PRIV_ROUTE_ADD, op);
	d->hostroute.op = *op;
	d->hostroute.placed = true;
	log_event(LOG_LEVEL_DEBUG, "host-route", "tunnel=%s dst=%s gateway=%s ifindex=%d", d->profile->name, prefix_text(&op->dst, dst),
	    addr_text(&op->gateway, gateway), op->ifindex);
}

static void
take_away(struct dial *d)
{
	if (d->hostroute.placed)
		send_op(d, PRIV_ROUTE_DEL, &d->hostroute.op);
	d->hostroute.placed = false;
}

struct search {
	const struct route_op *op;
	bool found;
};

static bool
find(void *user, const struct nl_route *r)
{
	struct search *s = user;

	s->found = r->ifindex == s->op->ifindex && r->dst.len == s->op->dst.len && addr_equal(&r->dst.addr, &s->op->dst.addr) &&
		   addr_equal(&r->gateway, &s->op->gateway);
	return s->found;
}

/* The kernel drops the route together with its interface's address or link. */
static bool
is_there(struct client *c, const struct route_op *op)
{
	struct search s = {.op = op};

	return nl_route_each(c->nl, op->dst.addr.family, find, &s) == 0 && s.found;
}

void
hostroute_check(struct dial *d)
{
	struct client *c = d->client;
	struct hostroute *h = &d->hostroute;
	struct nl_route way;
	struct route_op op;

	if (h->server.family == 0)
		return;
	/* No way now: what is there stays until there is a better one. */
	if (nl_route_lookup(c->nl, &h->server, d->profile->mark, is_tunnel, c, &way) != 0)
		return;
	op = routeplan_host(&h->server, &way.gateway, way.ifindex);
	if (h->placed && routeplan_same(&h->op, &op) && is_there(c, &op))
		return;
	if (h->placed && !routeplan_same(&h->op, &op))
		take_away(d);
	put(d, &op);
}

void
hostroute_place(struct dial *d, const struct addr *server)
{
	if (!routeplan_needs_host(d->profile, server)) {
		hostroute_drop(d);
		return;
	}
	if (!addr_equal(&d->hostroute.server, server))
		hostroute_drop(d);
	d->hostroute.server = *server;
	hostroute_check(d);
}

void
hostroute_drop(struct dial *d)
{
	take_away(d);
	memset(&d->hostroute, 0, sizeof(d->hostroute));
}
