#include "alg/gates_private.h"

static const char *const state_texts[GATES_STATES] = {
    [GATES_FREE] = "free",
    [GATES_ADDING] = "adding",
    [GATES_RESTORING] = "restoring",
    [GATES_CANCEL] = "cancelled",
    [GATES_AGEING] = "ageing",
    [GATES_ACTIVE] = "active",
    [GATES_LINGER] = "lingering",
    [GATES_ADOPTED] = "adopted",
    [GATES_DELETING] = "deleting",
    [GATES_DONE] = "done",
};

static const char *const refusal_texts[GATES_REFUSALS] = {
    [GATES_OK] = "let in",
    [GATES_TOO_MANY_CALLS] = "too many calls",
    [GATES_TOO_MANY_OF_CLIENT] = "too many calls of this client",
    [GATES_TOO_MANY_WAITING] = "too many gates wait for their first packet",
    [GATES_NO_MEMORY] = "out of memory",
};

const char *
gates_state_text(enum gates_state state)
{
	return state_texts[state];
}

const char *
gates_refusal_text(enum gates_refusal refusal)
{
	return refusal_texts[refusal];
}

static uint64_t
or_default(uint64_t v, uint64_t otherwise)
{
	return v != 0 ? v : otherwise;
}

/* The defaults that SRX and ScreenOS made people used to. */
static void
fill_in(struct gates_config *c)
{
	c->max_per_client = or_default(c->max_per_client, c->max_calls);
	c->max_waiting = or_default(c->max_waiting, c->max_calls);
	c->ageing_ns = or_default(c->ageing_ns, TS_S(120));
	c->idle_ns = or_default(c->idle_ns, TS_S(1800));
	c->adopted_ns = or_default(c->adopted_ns, c->idle_ns);
	c->poll_ns = or_default(c->poll_ns, TS_S(10));
}

/* Pairs that are being removed no longer count against the limits, but need room until it is done. */
static size_t
slots_for(size_t max_calls)
{
	return max_calls + max_calls / 4 + 16;
}

int
gates_new(struct gates **out, const struct gates_config *config, const struct mem *mem)
{
	struct gates *g = mem_calloc(mem, 1, sizeof(*g));
	uint64_t key[2];

	if (g == NULL)
		return -1;
	g->mem = mem;
	g->config = *config;
	fill_in(&g->config);
	g->slots = slots_for(config->max_calls);
	g->next_id = config->first_id;
	theap_init(&g->timers);
	config->fill(config->fill_user, key, sizeof(key));
	g->pairs = mem_calloc(mem, g->slots, sizeof(*g->pairs));
	g->clients = mem_calloc(mem, g->slots, sizeof(*g->clients));
	if (g->pairs == NULL || g->clients == NULL || !table_init(&g->by_id, g->slots, key, mem) ||
	    !table_init(&g->by_client, g->slots, key, mem)) {
		gates_free(g);
		return -1;
	}
	*out = g;
	return 0;
}

void
gates_free(struct gates *g)
{
	if (g == NULL)
		return;
	theap_fini(&g->timers);
	table_fini(&g->by_id, g->mem);
	table_fini(&g->by_client, g->mem);
	mem_free(g->mem, g->pairs);
	mem_free(g->mem, g->clients);
	mem_free(g->mem, g);
}

/* --- clients ------------------------------------------------------------------------ */

static uint32_t
hash_client(const struct gates *g, const struct addr *addr)
{
	return table_hash_end(&g->by_client, table_hash_addr(&g->by_client, 0, addr));
}

static struct client *
find_client(const struct gates *g, const struct addr *addr)
{
	struct table_node *n = table_first(&g->by_client, hash_client(g, addr));

	while (n != NULL && !addr_equal(&TABLE_OWNER(n, struct client, node)->addr, addr))
		n = table_next(n);
	return n != NULL ? TABLE_OWNER(n, struct client, node) : NULL;
}

/* There are as many as pairs, and each has one, so one is left whenever a pair is. */
static struct client *
new_client(struct gates *g, const struct addr *addr)
{
	struct client *c = g->free_clients;

	if (c != NULL)
		g->free_clients = c->next_free;
	else
		c = &g->clients[g->touched_clients++];
	*c = (struct client){.addr = *addr};
	table_add(&g->by_client, &c->node, hash_client(g, addr));
	return c;
}

static void
leave_client(struct gates *g, struct client *c)
{
	if (--c->pairs > 0)
		return;
	table_del(&g->by_client, &c->node);
	c->next_free = g->free_clients;
	g->free_clients = c;
}

static void
account(struct gates *g, struct pair *p)
{
	struct client *c = find_client(g, &p->info.owner.client);

	p->client = c != NULL ? c : new_client(g, &p->info.owner.client);
	p->client->pairs++;
	g->stats.clients += p->client->calls == 0;
	p->client->calls++;
	p->live = true;
	g->stats.calls++;
}

void
gates_unaccount(struct gates *g, struct pair *p)
{
	p->live = false;
	g->stats.calls--;
	g->stats.removing++;
	p->client->calls--;
	g->stats.clients -= p->client->calls == 0;
}

/* --- pairs --------------------------------------------------------------------------- */

static uint32_t
hash_id(const struct gates *g, uint64_t id)
{
	return table_hash_end(&g->by_id, table_hash_u64(&g->by_id, 0, id));
}

struct pair *
gates_by_id(const struct gates *g, uint64_t id)
{
	struct table_node *n = table_first(&g->by_id, hash_id(g, id));

	while (n != NULL && TABLE_OWNER(n, struct pair, node)->info.pair.id != id)
		n = table_next(n);
	return n != NULL ? TABLE_OWNER(n, struct pair, node) : NULL;
}

static struct pair *
get_pair(struct gates *g)
{
	struct pair *p = g->free_pairs;

	if (p != NULL)
		g->free_pairs = p->next;
	else if (g->touched_pairs < g->slots)
		p = &g->pairs[g->touched_pairs++];
	if (p != NULL)
		*p = (struct pair){0};
	return p;
}

static void
free_pair(struct gates *g, struct pair *p)
{
	p->next = g->free_pairs;
	g->free_pairs = p;
}

static void
link_pair(struct gates *g, struct pair *p)
{
	table_add(&g->by_id, &p->node, hash_id(g, p->info.pair.id));
	p->prev = g->last;
	if (g->last != NULL)
		g->last->next = p;
	else
		g->first = p;
	g->last = p;
}

static void
drop_pair(struct gates *g, struct pair *p)
{
	theap_remove(&g->timers, &p->timer);
	table_del(&g->by_id, &p->node);
	if (p->prev != NULL)
		p->prev->next = p->next;
	else
		g->first = p->next;
	if (p->next != NULL)
		p->next->prev = p->prev;
	else
		g->last = p->prev;
	leave_client(g, p->client);
	g->stats.removing--;
	p->info.state = GATES_FREE;
	free_pair(g, p);
}

/* A linked pair in state FREE, with its place in the timer heap; NULL when there is no memory for either. */
static struct pair *
new_pair(struct gates *g, const struct gates_owner *owner, const struct gate_pair *pair, uint64_t ts)
{
	struct pair *p = get_pair(g);

	if (p == NULL)
		return NULL;
	if (!theap_set(&g->timers, &p->timer, TS_NEVER - 1)) {
		free_pair(g, p);
		return NULL;
	}
	p->info.pair = *pair;
	p->info.owner = *owner;
	p->info.since = ts;
	link_pair(g, p);
	account(g, p);
	return p;
}

/* --- limits ----------------------------------------------------------------------------- */

static enum gates_refusal
refuse(struct gates *g, enum gates_refusal refusal, const struct addr *who, uint64_t ts)
{
	g->stats.refused[refusal].count++;
	g->stats.refused[refusal].last_who = *who;
	g->stats.refused[refusal].last_ts = ts;
	return refusal;
}

enum gates_refusal
gates_check(struct gates *g, const struct addr *client, size_t requested, uint64_t ts)
{
	const struct client *c = find_client(g, client);
	size_t max = g->config.max_per_client;

	while (g->stats.calls >= g->config.max_calls)
		if (c == NULL || requested >= max || !gates_end_orphan(g, c, ts))
			return refuse(g, GATES_TOO_MANY_CALLS, client, ts);
	while ((c != NULL ? c->calls : 0) + requested >= max)
		if (c == NULL || requested >= max || !gates_end_orphan(g, c, ts))
			return refuse(g, GATES_TOO_MANY_OF_CLIENT, client, ts);
	if (g->stats.waiting >= g->config.max_waiting)
		return refuse(g, GATES_TOO_MANY_WAITING, client, ts);
	return GATES_OK;
}

enum gates_refusal
gates_want(struct gates *g, const struct gates_owner *owner, struct gate_pair *pair, uint64_t ts)
{
	enum gates_refusal refusal = gates_check(g, &owner->client, 0, ts);
	struct pair *p;

	if (refusal != GATES_OK)
		return refusal;
	pair->id = g->next_id;
	p = new_pair(g, owner, pair, ts);
	if (p == NULL)
		return refuse(g, GATES_NO_MEMORY, &owner->client, ts);
	g->next_id++;
	g->stats.wanted++;
	gates_set_state(g, p, GATES_ADDING, ts);
	return GATES_OK;
}

enum gates_refusal
gates_adopt(
    struct gates *g, const struct gates_owner *owner, const struct gate_pair *pair, const struct gate_counters *counters, uint64_t ts)
{
	struct pair *p;

	if (g->stats.calls >= g->config.max_calls || gates_by_id(g, pair->id) != NULL)
		return refuse(g, GATES_TOO_MANY_CALLS, &owner->client, ts);
	p = new_pair(g, owner, pair, ts);
	if (p == NULL)
		return refuse(g, GATES_NO_MEMORY, &owner->client, ts);
	if (pair->id >= g->next_id)
		g->next_id = pair->id + 1;
	p->info.counters = *counters;
	if (owner->conn == 0)
		gates_set_state(g, p, GATES_ADOPTED, ts);
	else
		gates_set_state(g, p, counters->up_pkts + counters->down_pkts > 0 ? GATES_ACTIVE : GATES_AGEING, ts);
	return GATES_OK;
}

static uint64_t
carry(uint64_t total, uint64_t *now)
{
	uint64_t before = total > *now ? total - *now : 0;

	*now += before;
	return before;
}

void
gates_carry(struct gates *g, uint64_t id, const struct gate_counters *total)
{
	struct pair *p = gates_by_id(g, id);
	struct gate_counters *now = p != NULL ? &p->info.counters : NULL;

	if (p != NULL)
		p->before = (struct gate_counters){
		    .up_pkts = carry(total->up_pkts, &now->up_pkts),
		    .up_bytes = carry(total->up_bytes, &now->up_bytes),
		    .down_pkts = carry(total->down_pkts, &now->down_pkts),
		    .down_bytes = carry(total->down_bytes, &now->down_bytes),
		};
}

/* --- what happens to a pair ---------------------------------------------------------------- */

void
gates_end(struct gates *g, uint64_t id, enum alg_why why, uint64_t ts)
{
	struct pair *p = gates_by_id(g, id);

	if (p == NULL)
		return;
	if (p->info.why == ALG_WHY_NONE)
		p->info.why = why;
	gates_fsm(g, p, EV_END, ts);
}

void
gates_control_lost(struct gates *g, uint64_t id, uint64_t ts)
{
	struct pair *p = gates_by_id(g, id);

	if (p != NULL)
		gates_fsm(g, p, EV_LOST, ts);
}

void
gates_added(struct gates *g, uint64_t id, int error, uint64_t ts)
{
	struct pair *p = gates_by_id(g, id);

	if (p == NULL || (p->info.state != GATES_ADDING && p->info.state != GATES_RESTORING && p->info.state != GATES_CANCEL))
		return;
	if (error != 0)
		g->stats.add_failed++;
	else if (p->info.state == GATES_RESTORING)
		g->stats.restored++;
	else
		g->stats.added++;
	gates_fsm(g, p, error == 0 ? EV_ADDED : EV_ADD_FAILED, ts);
	if (p->info.counters.up_pkts + p->info.counters.down_pkts > 0)
		gates_fsm(g, p, EV_TRAFFIC, ts); /* before they were removed and restored */
}

uint64_t
gates_expiry(const struct gates *g)
{
	uint64_t ts = theap_next(&g->timers);

	return ts == TS_NEVER - 1 ? TS_NEVER : ts;
}

void
gates_expire(struct gates *g, uint64_t ts)
{
	struct theap_node *n;

	while (g->timers.len > 0 && theap_next(&g->timers) <= ts && theap_next(&g->timers) < TS_NEVER - 1) {
		n = g->timers.nodes[0];
		gates_fsm(g, TABLE_OWNER(n, struct pair, timer), EV_TIMER, ts);
	}
}

bool
gates_action(struct gates *g, struct gates_action *action)
{
	static const struct {
		uint8_t todo;
		enum gates_action_type type;
	} order[] = {{TODO_ADD, GATES_ADD}, {TODO_READ, GATES_READ}, {TODO_DEL, GATES_DEL}, {TODO_GONE, GATES_GONE}};
	struct pair *p = g->queue_first;
	size_t i = 0;

	while (p != NULL && p->todo == 0) {
		p->queued = false;
		p = g->queue_first = p->queue_next;
	}
	if (p == NULL) {
		g->queue_last = NULL;
		return false;
	}
	while ((p->todo & order[i].todo) == 0)
		i++;
	p->todo &= (uint8_t)~order[i].todo;
	*action = (struct gates_action){.type = order[i].type, .info = p->info};
	if (p->todo == 0) {
		p->queued = false;
		g->queue_first = p->queue_next;
		if (g->queue_first == NULL)
			g->queue_last = NULL;
	}
	if (action->type == GATES_GONE)
		drop_pair(g, p);
	return true;
}

/* --- to look at ------------------------------------------------------------------------------ */

bool
gates_find(const struct gates *g, uint64_t id, struct gates_info *info)
{
	const struct pair *p = gates_by_id(g, id);

	if (p != NULL)
		*info = p->info;
	return p != NULL;
}

void
gates_each(const struct gates *g, void (*fn)(void *user, const struct gates_info *info), void *user)
{
	for (const struct pair *p = g->first; p != NULL; p = p->next)
		fn(user, &p->info);
}

void
gates_stats(const struct gates *g, struct gates_stats *stats)
{
	*stats = g->stats;
}
