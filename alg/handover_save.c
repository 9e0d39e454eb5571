#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "alg/calls.h"
#include "alg/handover.h"
#include "alg/monitor_private.h"
#include "sys/clock.h"
#include "sys/log.h"

enum { SETTLE_ROUNDS = 8, FLOW_BYTES = 1024, REWRITE_BYTES = 4096, REWRITE_CALL_BYTES = 32, CALL_BYTES = 128 };

/* --- a quiet moment ------------------------------------------------------------------- */

/* Gates that are being added or removed would be in nobody's books: one answer may lead to another request, but nothing new comes in. */
static bool
settle(struct gateway *gw)
{
	struct gates_stats stats;

	gates_look(gw->gates, clock_ts());
	for (int i = 0; i < SETTLE_ROUNDS; i++) {
		gates_work(gw);
		if (monitor_sync(gw->priv) != 0)
			return false;
		gates_stats(gw->gates, &stats);
		if (stats.removing == 0 && i > 0)
			break;
	}
	return true;
}

/* --- the state ---------------------------------------------------------------------------- */

static bool
write_all(int fd, const uint8_t *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		data += n;
		len -= (size_t)n;
	}
	return true;
}

static bool
write_head(struct gateway *gw, int fd)
{
	uint8_t buf[32 + 8 * HANDOVER_COUNTERS];
	struct wr w = wr_init(buf, sizeof(buf));
	uint64_t counters[HANDOVER_COUNTERS];

	memcpy(counters, &gw->counters, sizeof(counters));
	wr_u32(&w, HANDOVER_MAGIC);
	wr_u16(&w, HANDOVER_VERSION);
	wr_u64(&w, gw->next_flow);
	wr_u16(&w, HANDOVER_COUNTERS);
	for (size_t i = 0; i < HANDOVER_COUNTERS; i++)
		wr_u64(&w, counters[i]);
	wr_u32(&w, (uint32_t)gw->flows_count);
	return w.ok && write_all(fd, buf, wr_len(&w));
}

static void
put_calls(struct wr *w, const struct flow *f)
{
	wr_u32(w, (uint32_t)f->calls_count);
	for (const struct call *c = f->calls; c != NULL; c = c->flow_next) {
		struct handover_call hc = {.pair_id = c->pair.id, .ids = c->ids, .since_unix = c->since_unix, .up = c->up, .user = c->user};
		struct gates_info info;

		if (gates_find(f->gw->gates, c->pair.id, &info))
			hc.counters = info.counters;
		handover_put_call(w, &hc);
	}
}

static bool
put_rewriter(struct wr *w, const struct flow *f)
{
	uint8_t *len_at = wr_room(w, 4), *at = w->p;
	size_t len = f->rw != NULL ? alg_rewrite_save(f->rw, at, (size_t)(w->end - at)) : 0;

	if (len_at == NULL || (len == 0 && f->rw != NULL))
		return false;
	put_u32(len_at, (uint32_t)len);
	return wr_room(w, len) != NULL || len == 0;
}

static bool
write_flow(const struct flow *f, int fd)
{
	size_t calls = f->rw != NULL ? alg_rewrite_calls(f->rw, NULL, 0) : 0;
	size_t size = FLOW_BYTES + REWRITE_BYTES + calls * REWRITE_CALL_BYTES + f->calls_count * CALL_BYTES;
	uint8_t *buf = malloc(size);
	struct wr w = wr_init(buf, buf != NULL ? size : 0);
	bool ok;

	wr_u32(&w, 0);
	wr_u64(&w, handover_cookie(f->end[ALG_CLIENT].fd));
	wr_u64(&w, handover_cookie(f->end[ALG_SERVER].fd));
	handover_put_flow(&w, f);
	put_calls(&w, f);
	ok = put_rewriter(&w, f) && w.ok;
	if (ok) {
		put_u32(buf, (uint32_t)(wr_len(&w) - 4));
		ok = write_all(fd, buf, wr_len(&w));
	}
	free(buf);
	return ok;
}

static int
write_state(struct gateway *gw)
{
	int fd = memfd_create("pptpalg", MFD_CLOEXEC);
	bool ok = fd >= 0 && write_head(gw, fd);

	for (const struct flow *f = gw->flows; f != NULL && ok; f = f->next)
		ok = write_flow(f, fd);
	if (ok && lseek(fd, 0, SEEK_SET) == 0)
		return fd;
	log_event(LOG_LEVEL_ERROR, "handover", "error=\"the state can't be written: %m\"");
	if (fd >= 0)
		close(fd);
	return -1;
}

/* --- descriptors ------------------------------------------------------------------------------ */

struct bundle {
	struct gateway *gw;
	struct monitor_request request;
	int fds[MONITOR_HANDOVER_FDS];
	size_t total;
	bool failed;
};

/* An empty one is the beginning: the monitor forgets what it was given before. */
static void
send_bundle(struct bundle *b)
{
	struct monitor_reply reply;
	int fds[PRIV_MAX_FDS], error;
	size_t n;

	error = monitor_call(b->gw->priv, &b->request, b->fds, b->request.handover.count, &reply, fds, &n);
	b->total += b->request.handover.count;
	b->request.handover.count = 0;
	if (error != 0 && !b->failed)
		log_event(LOG_LEVEL_ERROR, "handover", "error=\"the monitor does not take descriptors: %s\"", strerror(error));
	b->failed = b->failed || error != 0;
}

static void
flush_bundle(struct bundle *b)
{
	if (b->request.handover.count > 0 && !b->failed)
		send_bundle(b);
}

static void
give(struct bundle *b, int fd, const char *name)
{
	uint32_t i = b->request.handover.count;

	if (fd < 0 || b->failed)
		return;
	snprintf(b->request.handover.names[i], MONITOR_FD_NAME, "%s", name);
	b->fds[i] = fd;
	if (++b->request.handover.count == MONITOR_HANDOVER_FDS)
		send_bundle(b);
}

static void
give_flows(struct bundle *b)
{
	for (const struct flow *f = b->gw->flows; f != NULL; f = f->next) {
		give(b, f->end[ALG_CLIENT].fd, HANDOVER_FLOW_NAME);
		give(b, f->end[ALG_SERVER].fd, HANDOVER_FLOW_NAME);
	}
}

/* The state is the last: a hand-over without it is none. */
static bool
give_all(struct gateway *gw, int state)
{
	struct bundle b = {.gw = gw, .request = {.type = MONITOR_HANDOVER}};
	char name[MONITOR_FD_NAME];

	send_bundle(&b);
	for (size_t i = 0; i < gw->listeners_count; i++)
		give(&b, gw->listeners[i].fd, gw->listeners[i].family == 4 ? "l4" : "l6");
	for (size_t i = 0; i < GATEWAY_GRE_FDS; i++) {
		snprintf(name, sizeof(name), "g%c%zu", i % 2 == 0 ? '4' : '6', i / 2);
		give(&b, gw->gre_fds[i], name);
	}
	give_flows(&b);
	flush_bundle(&b);
	give(&b, state, MONITOR_STATE_NAME);
	flush_bundle(&b);
	if (b.failed)
		send_bundle(&b);
	log_event(b.failed ? LOG_LEVEL_ERROR : LOG_LEVEL_INFO, "handover", "flows=%zu calls=%zu descriptors=%zu result=%s", gw->flows_count,
	    gw->calls_count, b.total, b.failed ? "\"given up; this process goes on\"" : "ok");
	return !b.failed;
}

/* From the moment the state is written, nothing may be read from or written to any socket here. */
bool
handover_give(struct gateway *gw)
{
	int state;
	bool ok;

	if (!settle(gw))
		return false;
	gw->handing_over = true;
	state = write_state(gw);
	ok = state >= 0 && give_all(gw, state);
	if (state >= 0)
		close(state);
	gw->handing_over = ok;
	return ok;
}
