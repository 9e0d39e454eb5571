#include "base/timerheap.h"

#include <stdlib.h>

void
theap_init(struct theap *h)
{
	*h = (struct theap){0};
}

void
theap_fini(struct theap *h)
{
	free(h->nodes);
	*h = (struct theap){0};
}

static void
place(struct theap *h, size_t i, struct theap_node *n)
{
	h->nodes[i] = n;
	n->pos = i + 1;
}

static void
sift_up(struct theap *h, size_t i, struct theap_node *n)
{
	while (i > 0 && h->nodes[(i - 1) / 2]->ts > n->ts) {
		place(h, i, h->nodes[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	place(h, i, n);
}

static void
sift_down(struct theap *h, size_t i, struct theap_node *n)
{
	for (;;) {
		size_t child = 2 * i + 1;

		if (child >= h->len)
			break;
		if (child + 1 < h->len && h->nodes[child + 1]->ts < h->nodes[child]->ts)
			child++;
		if (h->nodes[child]->ts >= n->ts)
			break;
		place(h, i, h->nodes[child]);
		i = child;
	}
	place(h, i, n);
}

static bool
grow(struct theap *h)
{
	size_t cap = h->cap > 0 ? h->cap * 2 : 16;
	struct theap_node **nodes = reallocarray(h->nodes, cap, sizeof(*nodes));

	if (nodes == NULL)
		return false;
	h->nodes = nodes;
	h->cap = cap;
	return true;
}

bool
theap_set(struct theap *h, struct theap_node *n, uint64_t ts)
{
	if (ts == TS_NEVER) {
		theap_remove(h, n);
		return true;
	}
	if (n->pos == 0) {
		if (h->len == h->cap && !grow(h))
			return false;
		n->ts = ts;
		sift_up(h, h->len++, n);
		return true;
	}
	if (ts < n->ts) {
		n->ts = ts;
		sift_up(h, n->pos - 1, n);
	} else if (ts > n->ts) {
		n->ts = ts;
		sift_down(h, n->pos - 1, n);
	}
	return true;
}

void
theap_remove(struct theap *h, struct theap_node *n)
{
	size_t i = n->pos - 1;
	struct theap_node *last;

	if (n->pos == 0)
		return;
	n->pos = 0;
	last = h->nodes[--h->len];
	if (last == n)
		return;
	sift_down(h, i, last);
	sift_up(h, last->pos - 1, last);
}

uint64_t
theap_next(const struct theap *h)
{
	return h->len > 0 ? h->nodes[0]->ts : TS_NEVER;
}

struct theap_node *
theap_pop(struct theap *h, uint64_t ts)
{
	struct theap_node *n;

	if (h->len == 0 || h->nodes[0]->ts > ts)
		return NULL;
	n = h->nodes[0];
	theap_remove(h, n);
	return n;
}
