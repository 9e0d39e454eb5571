#include "alg/gates_private.h"

#include <stdlib.h>

/* --- time ------------------------------------------------------------------------- */

static uint64_t
ts_after(uint64_t ts, uint64_t ns)
{
	return ts > TS_NEVER - 1 - ns ? TS_NEVER - 1 : ts + ns;
}

static uint64_t
last_seen(const struct gates_info *info)
{
	uint64_t last = info->last_up > info->last_down ? info->last_up : info->last_down;

	return last > info->since ? last : info->since;
}

static uint64_t
expires(const struct gates *g, const struct pair *p)
{
	switch (p->info.state) {
	case GATES_AGEING:
		return ts_after(p->info.since, g->config.ageing_ns);
	case GATES_ACTIVE:
		if (g->config.keep_with_control && p->info.owner.conn != 0)
			return TS_NEVER;
		return ts_after(last_seen(&p->info), g->config.idle_ns);
	case GATES_ADOPTED:
		return ts_after(last_seen(&p->info), g->config.adopted_ns);
	default:
		return TS_NEVER;
	}
}

/* TS_NEVER would take the node out of the heap, and putting it back could fail; the moment before it never comes either. A node
 * that is in the heap is moved without memory. */
static void
set_timer(struct gates *g, struct pair *p, uint64_t ts)
{
	if (!theap_set(&g->timers, &p->timer, ts < TS_NEVER ? ts : TS_NEVER - 1))
		abort();
}

/* The next look at the counters: soon, or right when time is over. */
static void
arm_poll(struct gates *g, struct pair *p, uint64_t ts)
{
	uint64_t poll = ts_after(ts, g->config.poll_ns);

	p->info.expires = expires(g, p);
	set_timer(g, p, p->info.expires < poll ? p->info.expires : poll);
}

/* --- what is to be done ---------------------------------------------------------------- */

static void
queue(struct gates *g, struct pair *p, uint8_t todo)
{
	p->todo |= todo;
	if (p->queued)
		return;
	p->queued = true;
	p->queue_next = NULL;
	if (g->queue_last != NULL)
		g->queue_last->queue_next = p;
	else
		g->queue_first = p;
	g->queue_last = p;
}

static void
enter_done(struct gates *g, struct pair *p)
{
	g->stats.ended++;
	g->stats.ended_by[p->info.why]++;
	set_timer(g, p, TS_NEVER);
	queue(g, p, TODO_GONE);
}

/* Nobody has begun to add what is still queued, so there is nothing to remove. */
static void
enter_cancel(struct gates *g, struct pair *p, uint64_t ts)
{
	if ((p->todo & TODO_ADD) == 0)
		return;
	p->todo &= (uint8_t)~TODO_ADD;
	gates_set_state(g, p, GATES_DONE, ts);
}

static void
enter_linger(struct gates *g, struct pair *p, uint64_t ts)
{
	p->info.owner.conn = 0;
	if (g->config.linger_ns == 0) {
		gates_set_state(g, p, GATES_DELETING, ts);
		return;
	}
	p->info.expires = ts_after(ts, g->config.linger_ns);
	set_timer(g, p, p->info.expires);
}

static bool
counts_as_live(enum gates_state state)
{
	return state != GATES_CANCEL && state != GATES_DELETING && state != GATES_DONE;
}

/* Nobody can end it any more but time. */
static bool
is_orphan(enum gates_state state)
{
	return state == GATES_LINGER || state == GATES_ADOPTED;
}

static bool
waits(enum gates_state state)
{
	return state == GATES_ADDING || state == GATES_AGEING;
}

void
gates_set_state(struct gates *g, struct pair *p, enum gates_state state, uint64_t ts)
{
	g->stats.waiting += waits(state);
	g->stats.waiting -= waits(p->info.state);
	g->stats.adopted += state == GATES_ADOPTED;
	g->stats.adopted -= p->info.state == GATES_ADOPTED;
	p->client->orphans += is_orphan(state);
	p->client->orphans -= is_orphan(p->info.state);
	p->info.state = state;
	p->info.expires = TS_NEVER;
	if (p->live && !counts_as_live(state))
		gates_unaccount(g, p);
	switch (state) {
	case GATES_ADDING:
	case GATES_RESTORING:
		set_timer(g, p, TS_NEVER);
		queue(g, p, TODO_ADD);
		break;
	case GATES_CANCEL:
		enter_cancel(g, p, ts);
		break;
	case GATES_AGEING:
	case GATES_ACTIVE:
	case GATES_ADOPTED:
		arm_poll(g, p, ts);
		break;
	case GATES_LINGER:
		enter_linger(g, p, ts);
		break;
	case GATES_DELETING:
		p->todo &= (uint8_t)~TODO_READ;
		set_timer(g, p, TS_NEVER);
		queue(g, p, TODO_DEL);
		break;
	case GATES_DONE:
		enter_done(g, p);
		break;
	case GATES_FREE:
	case GATES_STATES:
		break;
	}
}

/* --- the machine -------------------------------------------------------------------------- */

/* Where an event leads. What is not a state: NO is an event that means nothing here, LOOK reads the counters. */
enum { NO = 0, LOOK = GATES_STATES };

#define ADDING GATES_ADDING
#define RESTOR GATES_RESTORING
#define CANCEL GATES_CANCEL
#define AGEING GATES_AGEING
#define ACTIVE GATES_ACTIVE
#define LINGER GATES_LINGER
#define ADOPT GATES_ADOPTED
#define DELETE GATES_DELETING
#define DONE GATES_DONE

/* clang-format off */
static const uint8_t cells[GATES_STATES][GATES_EVENTS] = {
	/*                   ADDED   ADD_FAILED TRAFFIC SILENT  MISSING END     LOST    DELETED  TIMER */
	[GATES_FREE]      = {NO,     NO,        NO,     NO,     NO,     NO,     NO,     NO,      NO},
	[GATES_ADDING]    = {AGEING, DONE,      NO,     NO,     NO,     CANCEL, CANCEL, NO,      NO},
	[GATES_RESTORING] = {AGEING, DONE,      NO,     NO,     NO,     CANCEL, CANCEL, NO,      NO},
	[GATES_CANCEL]    = {DELETE, DONE,      NO,     NO,     NO,     NO,     NO,     NO,      NO},
	[GATES_AGEING]    = {NO,     NO,        ACTIVE, DELETE, RESTOR, DELETE, LINGER, NO,      LOOK},
	[GATES_ACTIVE]    = {NO,     NO,        NO,     DELETE, RESTOR, DELETE, LINGER, NO,      LOOK},
	[GATES_LINGER]    = {NO,     NO,        NO,     NO,     DELETE, DELETE, NO,     NO,      DELETE},
	[GATES_ADOPTED]   = {NO,     NO,        NO,     DELETE, DELETE, DELETE, NO,     NO,      LOOK},
	[GATES_DELETING]  = {NO,     NO,        NO,     NO,     NO,     NO,     NO,     DONE,    NO},
	[GATES_DONE]      = {NO,     NO,        NO,     NO,     NO,     NO,     NO,     NO,      NO},
};
/* clang-format on */

static enum alg_why
why_of(const struct pair *p, enum gates_event event)
{
	switch (event) {
	case EV_SILENT:
		return p->info.state == GATES_AGEING ? ALG_WHY_AGED : ALG_WHY_IDLE;
	case EV_ADD_FAILED:
	case EV_MISSING:
		return ALG_WHY_GATES_FAILED;
	case EV_LOST:
		return ALG_WHY_TRANSPORT;
	default:
		return p->info.why;
	}
}

void
gates_fsm(struct gates *g, struct pair *p, enum gates_event event, uint64_t ts)
{
	uint8_t next = cells[p->info.state][event];

	if (next == NO)
		return;
	if (next == LOOK) {
		p->reading = true;
		set_timer(g, p, TS_NEVER);
		queue(g, p, TODO_READ);
		return;
	}
	/* The first reason stands: an end while it lingers doesn't undo that the connection was lost. */
	if (p->info.why == ALG_WHY_NONE && next != RESTOR)
		p->info.why = why_of(p, event);
	gates_set_state(g, p, (enum gates_state)next, ts);
}

bool
gates_end_orphan(struct gates *g, const struct client *client, uint64_t ts)
{
	struct pair *p = client->orphans > 0 ? g->first : NULL;

	while (p != NULL && (p->client != client || !is_orphan(p->info.state)))
		p = p->next;
	if (p == NULL)
		return false;
	if (p->info.why == ALG_WHY_NONE)
		p->info.why = ALG_WHY_TRANSPORT;
	gates_fsm(g, p, EV_END, ts);
	return true;
}

void
gates_look(struct gates *g, uint64_t ts)
{
	for (struct pair *p = g->first; p != NULL; p = p->next)
		if (!p->reading && cells[p->info.state][EV_TIMER] == LOOK)
			gates_fsm(g, p, EV_TIMER, ts);
}

/* --- answers that carry counters ------------------------------------------------------------- */

static void
sum(struct gates_info *info, const struct gate_counters *before, const struct gate_counters *now)
{
	info->counters = (struct gate_counters){
	    .up_pkts = before->up_pkts + now->up_pkts,
	    .up_bytes = before->up_bytes + now->up_bytes,
	    .down_pkts = before->down_pkts + now->down_pkts,
	    .down_bytes = before->down_bytes + now->down_bytes,
	};
}

/* Whether packets came since the last look. */
static bool
take_counters(struct pair *p, const struct gate_counters *now, uint64_t ts)
{
	struct gate_counters was = p->info.counters;

	sum(&p->info, &p->before, now);
	if (p->info.counters.up_pkts != was.up_pkts)
		p->info.last_up = ts;
	if (p->info.counters.down_pkts != was.down_pkts)
		p->info.last_down = ts;
	return p->info.counters.up_pkts != was.up_pkts || p->info.counters.down_pkts != was.down_pkts;
}

void
gates_counted(struct gates *g, uint64_t id, const struct gate_counters *counters, uint64_t ts)
{
	struct pair *p = gates_by_id(g, id);

	if (p == NULL || !p->reading)
		return;
	p->reading = false;
	if (counters == NULL) {
		p->before = p->info.counters;
		gates_fsm(g, p, EV_MISSING, ts);
		return;
	}
	if (take_counters(p, counters, ts))
		gates_fsm(g, p, EV_TRAFFIC, ts);
	else if (ts >= p->info.expires)
		gates_fsm(g, p, EV_SILENT, ts);
	if (cells[p->info.state][EV_TIMER] == LOOK)
		arm_poll(g, p, ts);
}

void
gates_deleted(struct gates *g, uint64_t id, const struct gate_counters *counters, uint64_t ts)
{
	struct pair *p = gates_by_id(g, id);

	if (p == NULL || p->info.state != GATES_DELETING)
		return;
	if (counters != NULL)
		take_counters(p, counters, ts);
	gates_fsm(g, p, EV_DELETED, ts);
}
