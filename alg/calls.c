#include "alg/calls.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alg/flow.h"
#include "sys/clock.h"
#include "sys/log.h"

/* --- tables ------------------------------------------------------------------------- */

static uint32_t
hash_id(const struct table *t, uint64_t id)
{
	return table_hash_end(t, table_hash_u64(t, 0, id));
}

static uint32_t
hash_gate(const struct table *t, const struct gate *g)
{
	return table_hash_end(t, table_hash_u64(t, table_hash_addr(t, table_hash_addr(t, 0, &g->new_src), &g->new_dst), g->new_call_id));
}

/* As packets leave it. */
static bool
same_outside(const struct gate *a, const struct gate *b)
{
	return a->new_call_id == b->new_call_id && addr_equal(&a->new_src, &b->new_src) && addr_equal(&a->new_dst, &b->new_dst);
}

struct call *
calls_by_pair(const struct gateway *gw, uint64_t pair_id)
{
	struct table_node *n = table_first(&gw->calls_by_id, hash_id(&gw->calls_by_id, pair_id));

	while (n != NULL && TABLE_OWNER(n, struct call, by_id)->pair.id != pair_id)
		n = table_next(n);
	return n != NULL ? TABLE_OWNER(n, struct call, by_id) : NULL;
}

static struct call *
by_up(const struct gateway *gw, const struct gate *g)
{
	struct table_node *n = table_first(&gw->calls_by_up, hash_gate(&gw->calls_by_up, g));

	while (n != NULL && !same_outside(&TABLE_OWNER(n, struct call, by_up)->pair.up, g))
		n = table_next(n);
	return n != NULL ? TABLE_OWNER(n, struct call, by_up) : NULL;
}

static struct call *
by_down(const struct gateway *gw, const struct gate *g)
{
	struct table_node *n = table_first(&gw->calls_by_down, hash_gate(&gw->calls_by_down, g));

	while (n != NULL && !same_outside(&TABLE_OWNER(n, struct call, by_down)->pair.down, g))
		n = table_next(n);
	return n != NULL ? TABLE_OWNER(n, struct call, by_down) : NULL;
}

static void
link_call(struct call *c)
{
	struct gateway *gw = c->gw;
	const struct gate *up = &c->pair.up, *down = &c->pair.down;

	table_add(&gw->calls_by_id, &c->by_id, hash_id(&gw->calls_by_id, c->pair.id));
	table_add(&gw->calls_by_up, &c->by_up, hash_gate(&gw->calls_by_up, up));
	table_add(&gw->calls_by_down, &c->by_down, hash_gate(&gw->calls_by_down, down));
	c->next = gw->calls;
	if (c->next != NULL)
		c->next->prev = c;
	gw->calls = c;
	gw->calls_count++;
}

static void
attach(struct call *c, struct flow *f)
{
	c->flow = f;
	c->flow_number = f->number;
	c->flow_next = f->calls;
	if (c->flow_next != NULL)
		c->flow_next->flow_prev = c;
	f->calls = c;
	f->calls_count++;
}

static void
detach(struct call *c)
{
	struct flow *f = c->flow;

	if (f == NULL)
		return;
	if (c->flow_next != NULL)
		c->flow_next->flow_prev = c->flow_prev;
	if (c->flow_prev != NULL)
		c->flow_prev->flow_next = c->flow_next;
	else
		f->calls = c->flow_next;
	f->calls_count--;
	c->flow = NULL;
	c->flow_next = c->flow_prev = NULL;
}

void
calls_drop(struct call *c)
{
	struct gateway *gw = c->gw;

	detach(c);
	ids_give_adopted(c);
	table_del(&gw->calls_by_id, &c->by_id);
	table_del(&gw->calls_by_up, &c->by_up);
	table_del(&gw->calls_by_down, &c->by_down);
	if (c->next != NULL)
		c->next->prev = c->prev;
	if (c->prev != NULL)
		c->prev->next = c->next;
	else
		gw->calls = c->next;
	gw->calls_count--;
	free(c);
}

/* --- making ---------------------------------------------------------------------------- */

/* Names as in alg/ids.c: client C, dialed D, server S, external N. */
struct gate_pair
calls_pair(const struct flow *f, const struct alg_call *ids)
{
	return (struct gate_pair){
	    .up = {.src = f->client,
		.dst = f->dialed,
		.call_id = ids->server_xid,
		.new_src = f->external,
		.new_dst = f->server,
		.new_call_id = ids->server_id},
	    .down = {.src = f->server,
		.dst = f->external,
		.call_id = ids->client_xid,
		.new_src = f->dialed,
		.new_dst = f->client,
		.new_call_id = ids->client_id},
	};
}

static void
take_flow(struct call *c, struct flow *f)
{
	c->client = f->client;
	c->dialed = f->dialed;
	c->server = f->server;
	c->external = f->external;
	c->client_port = f->client_port;
	c->server_port = f->server_port;
	c->user = f->user;
	memcpy(c->ifname, f->ifname, sizeof(c->ifname));
	memcpy(c->policy, f->policy, sizeof(c->policy));
}

/* Both ends know nothing of an older call to which one of them has just given the same id: that call's control connection is dead,
 * though nobody has said so, or it is adopted. The newer one wins. Where it is another client's call, a server gives one id to two
 * calls that it can't tell apart: the data path refuses the newer. */
static void
clear_way(struct gateway *gw, const struct call *c)
{
	struct call *old[2] = {by_up(gw, &c->pair.up), by_down(gw, &c->pair.down)};

	for (int i = 0; i < 2; i++) {
		if (old[i] == NULL || old[i]->ending || !addr_equal(&old[i]->client, &c->client))
			continue;
		gw->counters.superseded++;
		calls_clear(old[i], ALG_WHY_TRANSPORT);
	}
}

/* A call whose reply is held is refused, one that a former process left without gates is cleared. */
static void
refused(struct flow *f, const struct alg_call *ids, const char *why)
{
	char text[FLOW_TEXT];

	f->gw->counters.calls_refused++;
	if (log_may(&f->gw->limits.calls, "call-refused"))
		log_event(LOG_LEVEL_WARN, "call-refused", "%s call=%u reason=\"%s\"", flow_text(f, text), ids->number, why);
	alg_rewrite_clear(f->rw, ids->number, ALG_WHY_GATES_FAILED);
}

void
calls_want(struct flow *f, const struct alg_call *ids)
{
	struct gates_owner owner = {.client = f->client, .server = f->server, .conn = f->number, .number = ids->number};
	struct call *c = calloc(1, sizeof(*c));
	enum gates_refusal refusal;

	if (c == NULL) {
		refused(f, ids, "out of memory");
		return;
	}
	c->gw = f->gw;
	c->pair = calls_pair(f, ids);
	c->ids = *ids;
	c->since_unix = clock_unix();
	take_flow(c, f);
	clear_way(f->gw, c);
	refusal = gates_want(f->gw->gates, &owner, &c->pair, clock_ts());
	if (refusal != GATES_OK) {
		refused(f, ids, gates_refusal_text(refusal));
		free(c);
		return;
	}
	link_call(c);
	attach(c, f);
	gateway_work_later(f->gw);
}

struct call *
calls_restore(struct gateway *gw, struct flow *f, const struct journal_record *r)
{
	struct call *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->gw = gw;
	c->pair = r->pair;
	c->ids = (struct alg_call){.number = r->owner.number,
	    .client_id = r->client_id,
	    .client_xid = r->client_xid,
	    .server_id = r->server_id,
	    .server_xid = r->server_xid};
	c->since_unix = r->since_wall;
	c->user = r->user;
	c->up = true;
	if (f != NULL) {
		take_flow(c, f);
		link_call(c);
		attach(c, f);
		return c;
	}
	c->client = r->owner.client;
	c->server = r->owner.server;
	c->dialed = r->pair.up.dst;
	c->external = r->pair.up.new_src;
	c->adopted = true;
	snprintf(c->policy, sizeof(c->policy), "adopted");
	link_call(c);
	ids_claim_adopted(c);
	return c;
}

void
calls_record(const struct call *c, struct journal_record *r)
{
	memset(r, 0, sizeof(*r));
	r->pair = c->pair;
	r->owner = (struct gates_owner){.client = c->client, .server = c->server, .conn = c->flow_number, .number = c->ids.number};
	r->client_id = c->ids.client_id;
	r->client_xid = c->ids.client_xid;
	r->server_id = c->ids.server_id;
	r->server_xid = c->ids.server_xid;
	r->since_wall = c->since_unix;
	r->user = c->user;
}

/* --- ends -------------------------------------------------------------------------------- */

static struct call *
of_flow(const struct flow *f, uint32_t number)
{
	struct call *c = f->calls;

	while (c != NULL && c->ids.number != number)
		c = c->flow_next;
	return c;
}

void
calls_ended(struct flow *f, const struct alg_call *ids, enum alg_why why)
{
	struct call *c = of_flow(f, ids->number);

	trace_line(f->gw->trace, TRACE_INFO, TRACE_CALLS, "flow=%" PRIu64 " call=%u ended: %s", f->number, ids->number, alg_why_text(why));
	if (c == NULL)
		return;
	c->gone = true;
	detach(c);
	gateway_work_later(f->gw);
	if (why == ALG_WHY_TRANSPORT) {
		gates_control_lost(f->gw->gates, c->pair.id, clock_ts());
		return;
	}
	gates_end(f->gw->gates, c->pair.id, why, clock_ts());
	c->awaited = true;
	f->closing_gates++;
}

/* The gates first: a call that merely lost its connection would linger. */
void
calls_clear(struct call *c, enum alg_why why)
{
	struct gateway *gw = c->gw;
	struct flow *f = c->flow;
	uint32_t number = c->ids.number;

	c->ending = true;
	gates_end(gw->gates, c->pair.id, why, clock_ts());
	ids_give_adopted(c);
	gateway_work_later(gw);
	if (f == NULL || f->rw == NULL)
		return;
	alg_rewrite_clear(f->rw, number, why);
	flow_pump(f);
}

/* --- by hand --------------------------------------------------------------------------------- */

const char *
gateway_call_text(const struct call *c, char buf[GATEWAY_CALL_TEXT])
{
	if (c->flow_number != 0)
		snprintf(buf, GATEWAY_CALL_TEXT, "%" PRIu64 ".%u", c->flow_number, c->ids.number);
	else
		snprintf(buf, GATEWAY_CALL_TEXT, "adopted-%" PRIu64, c->pair.id);
	return buf;
}

bool
gateway_clear_call(struct gateway *gw, const char *name)
{
	char text[GATEWAY_CALL_TEXT];

	for (struct call *c = gw->calls; c != NULL; c = c->next) {
		if (strcmp(gateway_call_text(c, text), name) != 0)
			continue;
		calls_clear(c, ALG_WHY_ADMIN);
		return true;
	}
	return false;
}
