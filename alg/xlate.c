#include "alg/xlate.h"

#include "alg/table.h"

enum { IDS = 65535, DRAWS = 64, MAX_LIMIT = 1 << 24 };

/* A pair of addresses; counts what hangs on it, so that a full line is known without a search. */
struct line {
	struct table_node node;
	struct xlate_line addrs;
	uint32_t ids; /* taken or at rest */
	struct line *next_free;
};

/* Taken, at rest, or free: the list it is in says which, and so does `line` for the last. */
struct slot {
	struct table_node node;
	struct xlate_entry entry;
	struct line *line;
	bool resting;
	uint64_t until;
	struct slot *prev, *next;
};

struct list {
	struct slot *first, *last;
};

/* Twice as many slots as the limit: one set taken, and one at rest at most, of which the oldest gives way. A line costs an id. */
struct xlate {
	const struct mem *mem;
	struct xlate_config config;
	struct slot *slots;
	struct line *lines;
	size_t touched_slots; /* those from here on were never used */
	size_t touched_lines;
	struct list taken, rest, free;
	struct line *free_lines;
	struct table by_xid, by_line;
	struct xlate_stats stats;
};

static void
list_append(struct list *l, struct slot *s)
{
	s->prev = l->last;
	s->next = NULL;
	if (l->last != NULL)
		l->last->next = s;
	else
		l->first = s;
	l->last = s;
}

static void
list_remove(struct list *l, struct slot *s)
{
	if (s->prev != NULL)
		s->prev->next = s->next;
	else
		l->first = s->next;
	if (s->next != NULL)
		s->next->prev = s->prev;
	else
		l->last = s->prev;
}

int
xlate_new(struct xlate **out, const struct xlate_config *config, const struct mem *mem)
{
	struct xlate *x = mem_calloc(mem, 1, sizeof(*x));
	uint64_t key[2];

	if (x == NULL)
		return -1;
	x->mem = mem;
	x->config = *config;
	if (x->config.limit > MAX_LIMIT)
		x->config.limit = MAX_LIMIT;
	x->stats.limit = x->config.limit;
	config->fill(config->fill_user, key, sizeof(key));
	x->slots = mem_calloc(mem, 2 * x->config.limit, sizeof(*x->slots));
	x->lines = mem_calloc(mem, 2 * x->config.limit, sizeof(*x->lines));
	if (x->slots == NULL || x->lines == NULL || !table_init(&x->by_xid, 2 * x->config.limit, key, mem) ||
	    !table_init(&x->by_line, x->config.limit, key, mem)) {
		xlate_free(x);
		return -1;
	}
	*out = x;
	return 0;
}

void
xlate_free(struct xlate *x)
{
	if (x == NULL)
		return;
	table_fini(&x->by_xid, x->mem);
	table_fini(&x->by_line, x->mem);
	mem_free(x->mem, x->slots);
	mem_free(x->mem, x->lines);
	mem_free(x->mem, x);
}

/* --- lines ---------------------------------------------------------------------- */

static uint64_t
hash_line(const struct table *t, const struct xlate_line *line)
{
	return table_hash_addr(t, table_hash_addr(t, 0, &line->from), &line->to);
}

static bool
same_line(const struct xlate_line *a, const struct xlate_line *b)
{
	return addr_equal(&a->from, &b->from) && addr_equal(&a->to, &b->to);
}

static struct line *
find_line(const struct xlate *x, const struct xlate_line *addrs)
{
	struct table_node *n = table_first(&x->by_line, table_hash_end(&x->by_line, hash_line(&x->by_line, addrs)));

	while (n != NULL && !same_line(&TABLE_OWNER(n, struct line, node)->addrs, addrs))
		n = table_next(n);
	return n != NULL ? TABLE_OWNER(n, struct line, node) : NULL;
}

/* There are as many as slots, so one is left whenever a slot is. */
static struct line *
get_line(struct xlate *x, const struct xlate_line *addrs)
{
	struct line *line = find_line(x, addrs);

	if (line != NULL)
		return line;
	line = x->free_lines;
	if (line != NULL)
		x->free_lines = line->next_free;
	else
		line = &x->lines[x->touched_lines++];
	*line = (struct line){.addrs = *addrs};
	table_add(&x->by_line, &line->node, table_hash_end(&x->by_line, hash_line(&x->by_line, addrs)));
	x->stats.lines++;
	return line;
}

static void
leave_line(struct xlate *x, struct line *line)
{
	if (--line->ids > 0)
		return;
	table_del(&x->by_line, &line->node);
	line->next_free = x->free_lines;
	x->free_lines = line;
	x->stats.lines--;
}

/* --- slots ----------------------------------------------------------------------- */

static uint32_t
hash_xid(const struct xlate *x, const struct xlate_line *line, uint16_t xid)
{
	return table_hash_end(&x->by_xid, table_hash_u64(&x->by_xid, hash_line(&x->by_xid, line), xid));
}

static struct slot *
find_slot(const struct xlate *x, const struct xlate_line *line, uint16_t xid)
{
	struct table_node *n = table_first(&x->by_xid, hash_xid(x, line, xid));

	for (; n != NULL; n = table_next(n)) {
		struct slot *s = TABLE_OWNER(n, struct slot, node);

		if (s->entry.xid == xid && same_line(&s->entry.line, line))
			return s;
	}
	return NULL;
}

static void
end_rest(struct xlate *x, struct slot *s)
{
	list_remove(&x->rest, s);
	x->stats.resting--;
	table_del(&x->by_xid, &s->node);
	leave_line(x, s->line);
	list_append(&x->free, s);
}

static void
wake(struct xlate *x, uint64_t ts)
{
	while (x->rest.first != NULL && x->rest.first->until <= ts)
		end_rest(x, x->rest.first);
}

/* Below the limit there is always one: where all the others are taken or at rest, the one that has rested longest. */
static struct slot *
get_slot(struct xlate *x)
{
	struct slot *s;

	if (x->free.first == NULL && x->touched_slots < 2 * x->config.limit)
		return &x->slots[x->touched_slots++];
	if (x->free.first == NULL)
		end_rest(x, x->rest.first);
	s = x->free.first;
	list_remove(&x->free, s);
	return s;
}

static void
put(struct xlate *x, const struct xlate_line *line, const struct xlate_owner *owner, uint16_t xid, uint64_t ts)
{
	struct slot *s = get_slot(x);

	*s = (struct slot){.entry = {.line = *line, .owner = *owner, .xid = xid, .since = ts}, .line = get_line(x, line)};
	s->line->ids++;
	table_add(&x->by_xid, &s->node, hash_xid(x, line, xid));
	list_append(&x->taken, s);
	x->stats.used++;
	x->stats.taken++;
	x->stats.kept += xid == owner->id;
}

static uint16_t
draw(const struct xlate *x)
{
	uint16_t id = 0;

	while (id == 0)
		x->config.fill(x->config.fill_user, &id, sizeof(id));
	return id;
}

/* A free id of a line that has one; on a nearly full one the search goes on from the last draw. */
static uint16_t
free_xid(const struct xlate *x, const struct xlate_line *line)
{
	uint16_t id = draw(x);

	for (int i = 0; i < DRAWS && find_slot(x, line, id) != NULL; i++)
		id = draw(x);
	while (id == 0 || find_slot(x, line, id) != NULL)
		id++;
	return id;
}

static int
fail(struct xlate *x, uint64_t *reason, int error)
{
	x->stats.failed++;
	(*reason)++;
	return error;
}

int
xlate_take(struct xlate *x, const struct xlate_line *line, const struct xlate_owner *owner, uint64_t ts, uint16_t *xid)
{
	const struct line *known;
	bool keep;

	wake(x, ts);
	if (x->stats.used >= x->config.limit)
		return fail(x, &x->stats.failed_limit, XLATE_LIMIT);
	known = find_line(x, line);
	if (known != NULL && known->ids >= IDS)
		return fail(x, &x->stats.failed_full, XLATE_FULL);
	keep = owner->id != 0 && !x->config.random && find_slot(x, line, owner->id) == NULL;
	*xid = keep ? owner->id : free_xid(x, line);
	put(x, line, owner, *xid, ts);
	return XLATE_OK;
}

int
xlate_claim(struct xlate *x, const struct xlate_line *line, const struct xlate_owner *owner, uint16_t xid, uint64_t ts)
{
	struct slot *s;

	wake(x, ts);
	s = find_slot(x, line, xid);
	if (xid == 0 || (s != NULL && !s->resting))
		return XLATE_TAKEN;
	if (x->stats.used >= x->config.limit)
		return fail(x, &x->stats.failed_limit, XLATE_LIMIT);
	if (s != NULL)
		end_rest(x, s);
	put(x, line, owner, xid, ts);
	return XLATE_OK;
}

bool
xlate_give(struct xlate *x, const struct xlate_line *line, uint16_t xid, uint64_t ts)
{
	struct slot *s = find_slot(x, line, xid);

	if (s == NULL || s->resting)
		return false;
	list_remove(&x->taken, s);
	x->stats.used--;
	s->resting = true;
	s->until = ts > UINT64_MAX - x->config.rest_ns ? UINT64_MAX : ts + x->config.rest_ns;
	list_append(&x->rest, s);
	x->stats.resting++;
	return true;
}

void
xlate_each(const struct xlate *x, void (*fn)(void *user, const struct xlate_entry *entry), void *user)
{
	for (const struct slot *s = x->taken.last; s != NULL; s = s->prev)
		fn(user, &s->entry);
}

void
xlate_stats(const struct xlate *x, struct xlate_stats *stats)
{
	*stats = x->stats;
}
