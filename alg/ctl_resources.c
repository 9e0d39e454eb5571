/* Translated call ids, and who has what. */
#include <inttypes.h>
#include <stdio.h>

#include "alg/ctl_private.h"
#include "sys/clock.h"

/* ---- xlate: `get alg pptp xlate` ---- */

struct xlate_walk {
	struct ctl_reply *reply;
	struct filter filter;
	uint64_t ts;
};

static void
xlate_row(void *user, const struct xlate_entry *e)
{
	const struct xlate_walk *w = user;
	json_t *o;

	/* A client's id and a server's. */
	if (!filter_passes(&w->filter, &e->owner.addr, &e->line.from) && !filter_passes(&w->filter, &e->line.from, &e->owner.addr))
		return;
	o = json_object();
	row_addr(o, "owner", &e->owner.addr);
	row_number(o, "id", e->owner.id);
	row_addr(o, "public", &e->line.to);
	row_number(o, "public_id", e->xid);
	row_addr(o, "peer", &e->line.from);
	row_number(o, "source_port", e->owner.port);
	row_seconds(o, "time_s", e->since, w->ts);
	ctl_reply_row(w->reply, o);
}

void
show_xlate(void *user, json_t *args, struct ctl_reply *reply)
{
	struct gateway *gw = user;
	struct xlate_walk walk = {.reply = reply, .ts = clock_ts()};
	struct xlate_stats s;
	json_t *o;

	if (!filter_read(&walk.filter, args, reply))
		return;
	xlate_each(gw->xlate, xlate_row, &walk);
	xlate_stats(gw->xlate, &s);
	o = json_object();
	row_number(o, "used", s.used);
	row_number(o, "limit", s.limit);
	row_number(o, "failed", s.failed);
	row_number(o, "resting", s.resting);
	ctl_reply_done(reply, o);
}

/* ---- resources: groups, as `show security resource-manager` has them ---- */

struct group {
	struct ctl_reply *reply;
	char name[24]; /* the connection's number; empty: calls that have none any more */
	uint64_t ts;
};

static void
resource_row(const struct group *g, const char *resource, const char *kind, const struct addr *owner, const char *state, uint64_t since)
{
	json_t *o = json_object();

	row_text(o, "group", g->name);
	row_text(o, "resource", resource);
	row_text(o, "kind", kind);
	row_addr(o, "owner", owner);
	row_text(o, "state", state);
	row_seconds(o, "age_s", since, g->ts);
	ctl_reply_row(g->reply, o);
}

/* A call with its two gates. */
static void
call_resources(const struct gateway *gw, const struct group *g, const struct call *c)
{
	char id[GATEWAY_CALL_TEXT], gate[GATEWAY_CALL_TEXT + 8];
	struct gates_info info;

	if (!gates_find(gw->gates, c->pair.id, &info))
		return;
	gateway_call_text(c, id);
	resource_row(g, id, "call", &c->client, c->gone ? "ended" : c->up ? "up" : "setting up", info.since);
	snprintf(gate, sizeof(gate), "%s up", id);
	resource_row(g, gate, "gate", &c->client, gates_state_text(info.state), info.since);
	snprintf(gate, sizeof(gate), "%s down", id);
	resource_row(g, gate, "gate", &c->server, gates_state_text(info.state), info.since);
}

void
show_resources(void *user, json_t *args, struct ctl_reply *reply)
{
	struct gateway *gw = user;
	struct group g = {.reply = reply, .ts = clock_ts()};
	struct filter filter;

	if (!filter_read(&filter, args, reply))
		return;
	for (const struct flow *f = gw->flows; f != NULL; f = f->next) {
		if (!filter_passes(&filter, &f->client, &f->server))
			continue;
		snprintf(g.name, sizeof(g.name), "%" PRIu64, f->number);
		resource_row(&g, g.name, "connection", &f->client, flow_state_text(f->state), f->since);
		for (const struct call *c = f->calls; c != NULL; c = c->flow_next)
			call_resources(gw, &g, c);
	}
	g.name[0] = '\0';
	for (const struct call *c = gw->calls; c != NULL; c = c->next) {
		if (c->flow == NULL && filter_passes(&filter, &c->client, &c->server))
			call_resources(gw, &g, c);
	}
	ctl_reply_done(reply, NULL);
}
