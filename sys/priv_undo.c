/* The list of what was done to the system: a table by content, and a chain by age. */
#include <errno.h>
#include <stdlib.h>

#include "sys/netlink.h"
#include "sys/priv_core.h"

enum { BUCKETS = 4096 };

struct entry {
	struct priv_deed deed;
	struct entry *in_bucket;
	struct entry *older, *newer;
};

struct priv_undo {
	struct entry *buckets[BUCKETS];
	struct entry *newest;
	size_t count;
};

static struct entry **
bucket(struct priv_undo *u, const struct priv_deed *d)
{
	uint32_t hash = 2166136261u ^ (uint32_t)d->type;

	for (size_t i = 0; i < sizeof(d->dst.addr.bytes); i++)
		hash = (hash ^ d->dst.addr.bytes[i]) * 16777619u;
	return &u->buckets[hash % BUCKETS];
}

/* A route of a destination, metric and table is one, whatever its interface is now; so is an address's proxy. */
static bool
same(const struct priv_deed *a, const struct priv_deed *b)
{
	return a->type == b->type && (a->ifindex == b->ifindex || a->type != PRIV_ADDR_ADD) && a->dst.len == b->dst.len &&
	       addr_equal(&a->dst.addr, &b->dst.addr) && a->metric == b->metric && a->table == b->table;
}

static struct entry **
find(struct priv_undo *u, const struct priv_deed *deed)
{
	struct entry **p = bucket(u, deed);

	while (*p != NULL && !same(&(*p)->deed, deed))
		p = &(*p)->in_bucket;
	return p;
}

struct priv_undo *
priv_undo_new(void)
{
	return calloc(1, sizeof(struct priv_undo));
}

void
priv_undo_free(struct priv_undo *u)
{
	struct priv_deed deed;

	while (u != NULL && priv_undo_pop(u, &deed))
		continue;
	free(u);
}

bool
priv_undo_full(const struct priv_undo *u)
{
	return u->count >= PRIV_UNDO_MAX;
}

bool
priv_undo_add(struct priv_undo *u, const struct priv_deed *deed)
{
	struct entry **p = find(u, deed), *e;

	if (*p != NULL) {
		(*p)->deed = *deed;
		return true;
	}
	e = priv_undo_full(u) ? NULL : calloc(1, sizeof(*e));
	if (e == NULL)
		return false;
	e->deed = *deed;
	e->older = u->newest;
	if (u->newest != NULL)
		u->newest->newer = e;
	u->newest = e;
	*p = e;
	u->count++;
	return true;
}

bool
priv_undo_find(const struct priv_undo *u, struct priv_deed *deed)
{
	struct entry **p = find((struct priv_undo *)(uintptr_t)u, deed);

	if (*p == NULL)
		return false;
	*deed = (*p)->deed;
	return true;
}

static void
unlink_entry(struct priv_undo *u, struct entry **p)
{
	struct entry *e = *p;

	*p = e->in_bucket;
	if (e->older != NULL)
		e->older->newer = e->newer;
	if (e->newer != NULL)
		e->newer->older = e->older;
	else
		u->newest = e->older;
	u->count--;
	free(e);
}

void
priv_undo_remove(struct priv_undo *u, const struct priv_deed *deed)
{
	struct entry **p = find(u, deed);

	if (*p != NULL)
		unlink_entry(u, p);
}

bool
priv_undo_pop(struct priv_undo *u, struct priv_deed *deed)
{
	if (u->newest == NULL)
		return false;
	*deed = u->newest->deed;
	priv_undo_remove(u, deed);
	return true;
}

void
priv_undo_forget(struct priv_undo *u, bool (*gone)(void *user, int ifindex), void *user)
{
	struct entry *older;

	for (struct entry *e = u->newest; e != NULL; e = older) {
		struct priv_deed deed = e->deed;

		older = e->older;
		if (gone(user, deed.ifindex))
			priv_undo_remove(u, &deed);
	}
}

struct priv_deed
priv_deed_of(const struct priv_request *r)
{
	struct priv_deed d = {0};

	switch (r->type) {
	case PRIV_ADDR_ADD:
	case PRIV_ADDR_DEL:
		d.type = PRIV_ADDR_ADD;
		d.ifindex = r->addr.ifindex;
		d.dst.addr = r->addr.local;
		d.dst.len = r->addr.prefix_len;
		d.peer = r->addr.peer;
		break;
	case PRIV_ROUTE_ADD:
	case PRIV_ROUTE_DEL:
		d.type = PRIV_ROUTE_ADD;
		d.ifindex = r->route.ifindex;
		d.dst = r->route.dst;
		d.metric = r->route.metric;
		d.table = r->route.table;
		break;
	default:
		d.type = PRIV_PROXY_ADD;
		d.dst.addr = r->proxy.addr;
		break;
	}
	return d;
}

static int
undo(struct nl *nl, const struct priv_deed *d)
{
	struct nl_addr a = {.ifindex = d->ifindex, .local = d->dst.addr, .peer = d->peer, .prefix_len = d->dst.len};
	struct nl_route r = {.dst = d->dst, .ifindex = d->ifindex, .metric = d->metric, .table = d->table};

	if (d->type == PRIV_ADDR_ADD)
		return nl_addr_del(nl, &a);
	if (d->type == PRIV_ROUTE_ADD)
		return nl_route_del(nl, &r);
	return nl_proxy_del(nl, d->ifindex, &d->dst.addr);
}

int
priv_deed_undo(struct nl *nl, const struct priv_deed *deed)
{
	if (undo(nl, deed) == 0)
		return 0;
	/* Gone already, with its interface or by another's hand. */
	return errno == ESRCH || errno == ENODEV || errno == EADDRNOTAVAIL || errno == ENOENT || errno == ENXIO ? 0 : errno;
}
