#include "pptpc/routeplan.h"

#include <string.h>

static void
add(struct route_plan *plan, const struct profile *p, const struct route_facts *f, const struct prefix *dst)
{
	struct route_op op = {.dst = *dst, .ifindex = f->ifindex, .metric = p->metric, .table = p->table};

	if (dst->addr.family == 4)
		op.source = f->local;
	if (plan->count < ROUTEPLAN_MAX && !routeplan_has(plan, &op))
		plan->ops[plan->count++] = op;
}

static void
add_default(struct route_plan *plan, const struct profile *p, const struct route_facts *f, uint8_t family)
{
	struct prefix half = {.addr = {.family = family}, .len = p->table != 0 ? 0 : 1};

	add(plan, p, f, &half);
	if (p->table != 0)
		return;
	half.addr.bytes[0] = 0x80;
	add(plan, p, f, &half);
}

void
routeplan_tunnel(struct route_plan *plan, const struct profile *p, const struct route_facts *facts)
{
	plan->count = 0;
	if (p->default_route && facts->ipv4)
		add_default(plan, p, facts, 4);
	if (p->default_route6 && facts->ipv6)
		add_default(plan, p, facts, 6);
	for (size_t i = 0; i < p->routes.count; i++) {
		const struct prefix *dst = &p->routes.items[i];

		if (dst->addr.family == 4 ? facts->ipv4 : facts->ipv6)
			add(plan, p, facts, dst);
	}
}

bool
routeplan_needs_host(const struct profile *p, const struct addr *server)
{
	if (p->table != 0)
		return false;
	if (server->family == 4 ? p->default_route : p->default_route6)
		return true;
	for (size_t i = 0; i < p->routes.count; i++)
		if (prefix_contains(&p->routes.items[i], server))
			return true;
	return false;
}

struct route_op
routeplan_host(const struct addr *server, const struct addr *gateway, int ifindex)
{
	struct route_op op = {.dst = {.addr = *server, .len = server->family == 4 ? 32 : 128}, .gateway = *gateway, .ifindex = ifindex};

	return op;
}

bool
routeplan_same(const struct route_op *a, const struct route_op *b)
{
	return addr_equal(&a->dst.addr, &b->dst.addr) && a->dst.len == b->dst.len && addr_equal(&a->gateway, &b->gateway) &&
	       addr_equal(&a->source, &b->source) && a->ifindex == b->ifindex && a->metric == b->metric && a->table == b->table;
}

bool
routeplan_has(const struct route_plan *plan, const struct route_op *op)
{
	for (size_t i = 0; i < plan->count; i++)
		if (routeplan_same(&plan->ops[i], op))
			return true;
	return false;
}

void
routeplan_remove(struct route_plan *plan, const struct route_op *op)
{
	for (size_t i = 0; i < plan->count; i++) {
		if (routeplan_same(&plan->ops[i], op)) {
			plan->ops[i] = plan->ops[--plan->count];
			return;
		}
	}
}
