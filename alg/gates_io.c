/* Executes what alg/gates.h wants: through the monitor, whose answers come later, or in the user backend, which answers at once. */
#include <errno.h>
#include <event2/event.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "alg/calls.h"
#include "alg/counters.h"
#include "alg/flow.h"
#include "base/timerheap.h"
#include "sys/clock.h"
#include "sys/log.h"

/* A request on its way. */
struct op {
	struct gateway *gw;
	uint64_t id;
	unsigned answers;     /* that are still to come */
	int error;            /* the first */
	struct gate_pair led; /* to the user backend, which has it; id 0: not */
};

struct batch {
	struct gateway *gw;
	struct monitor_request request;
};

/* --- log lines -------------------------------------------------------------------------- */

static void
log_call(enum log_level level, const char *event, const struct call *c, const char *more)
{
	char name[GATEWAY_CALL_TEXT], client[ADDR_TEXT_MAX], dialed[ADDR_TEXT_MAX], server[ADDR_TEXT_MAX], external[ADDR_TEXT_MAX];

	log_event(level, event,
	    "call=%s client=%s dialed=%s server=%s external=%s client-id=%u client-xid=%u server-id=%u server-xid=%u gates=%" PRIu64 " %s",
	    gateway_call_text(c, name), addr_text(&c->client, client), addr_text(&c->dialed, dialed), addr_text(&c->server, server),
	    addr_text(&c->external, external), c->ids.client_id, c->ids.client_xid, c->ids.server_id, c->ids.server_xid, c->pair.id, more);
}

static void
log_down(const struct call *c, const struct gates_info *info)
{
	const struct gate_counters *n = &info->counters;
	uint64_t now = clock_unix();
	char more[256];

	snprintf(more, sizeof(more),
	    "seconds=%" PRIu64 " up-packets=%" PRIu64 " up-bytes=%" PRIu64 " down-packets=%" PRIu64 " down-bytes=%" PRIu64 " reason=\"%s\"",
	    now > c->since_unix ? now - c->since_unix : 0, n->up_pkts, n->up_bytes, n->down_pkts, n->down_bytes, alg_why_text(info->why));
	log_call(LOG_LEVEL_INFO, "call-down", c, more);
}

/* --- asking ----------------------------------------------------------------------------------- */

/* Sends, or answers itself where that fails. */
static void
ask(struct gateway *gw, const struct monitor_request *request, monitor_reply_fn fn, void *user)
{
	if (monitor_send(gw->priv, request, fn, user) == 0)
		return;
	if (gw->counters.monitor_failed++ == 0)
		log_event(LOG_LEVEL_ERROR, "monitor", "error=\"the monitor does not answer\"");
	fn(user, ENOBUFS, NULL, NULL, 0);
}

static void
divert(struct gateway *gw, enum monitor_type type, const struct gate *gate, monitor_reply_fn fn, void *user)
{
	struct monitor_request request;

	memset(&request, 0, sizeof(request));
	request.type = type;
	request.divert = *gate;
	ask(gw, &request, fn, user);
}

/* No answer would change anything. */
static void
on_diverted(void *user, int error, const struct monitor_reply *reply, const int *fds, size_t nfds)
{
	(void)user, (void)error, (void)reply, (void)fds, (void)nfds;
}

void
gates_divert(struct gateway *gw, const struct gate_pair *pair)
{
	divert(gw, MONITOR_DIVERT, &pair->up, on_diverted, NULL);
	divert(gw, MONITOR_DIVERT, &pair->down, on_diverted, NULL);
}

/* Takes a pair from the user backend; false: it was not there. */
static bool
withdraw_user(struct gateway *gw, const struct gate_pair *pair, struct gate_counters *last)
{
	bool found;

	memset(last, 0, sizeof(*last));
	found = gw->user != NULL && gw->user->ops->del(gw->user, pair, last) == 0;
	divert(gw, MONITOR_DIVERT_END, &pair->up, on_diverted, NULL);
	divert(gw, MONITOR_DIVERT_END, &pair->down, on_diverted, NULL);
	return found;
}

/* --- adding ---------------------------------------------------------------------------------- */

static void
write_journal(const struct call *c)
{
	struct journal_record record;

	if (c->gw->journal == NULL)
		return;
	calls_record(c, &record);
	if (journal_put(c->gw->journal, &record) == 0)
		return;
	if (c->gw->counters.journal_failed++ == 0)
		log_event(
		    LOG_LEVEL_WARN, "journal", "error=\"%m\" reason=\"gates that are not in the journal are lost to the next process\"");
}

static void
added(struct gateway *gw, uint64_t id, int error)
{
	struct call *c = calls_by_pair(gw, id);
	struct flow *f = c != NULL ? c->flow : NULL;

	gates_added(gw->gates, id, error, clock_ts());
	gateway_work_later(gw);
	if (c == NULL)
		return;
	trace_line(gw->trace, TRACE_INFO, TRACE_GATES, "gates=%" PRIu64 " added: %s", id, error == 0 ? "ok" : strerror(error));
	if (error == 0 && !c->up) {
		c->up = true;
		gw->counters.calls_up++;
		if (f != NULL)
			f->calls_ever++;
		log_call(LOG_LEVEL_INFO, "call-up", c, c->user ? "datapath=user" : "");
	} else if (error != 0) {
		char more[128];

		snprintf(
		    more, sizeof(more), "reason=\"gates: %s\"", error == EEXIST ? "something else has these call ids" : strerror(error));
		log_call(LOG_LEVEL_WARN, "call-failed", c, more);
	}
	if (f == NULL || f->rw == NULL)
		return;
	alg_rewrite_gates(f->rw, c->ids.number, error == 0);
	flow_pump(f);
}

static void
on_added(void *user, int error, const struct monitor_reply *reply, const int *fds, size_t nfds)
{
	struct op *op = user;
	struct gate_counters last;

	(void)reply, (void)fds, (void)nfds;
	if (op->error == 0)
		op->error = error;
	if (--op->answers > 0)
		return;
	if (op->error != 0 && op->led.id != 0)
		withdraw_user(op->gw, &op->led, &last);
	added(op->gw, op->id, op->error);
	free(op);
}

static struct op *
new_op(struct gateway *gw, uint64_t id, unsigned answers)
{
	struct op *op = calloc(1, sizeof(*op));

	if (op != NULL)
		*op = (struct op){.gw = gw, .id = id, .answers = answers};
	return op;
}

/* The forwarder knows the gates before the first packet is led to it. */
static void
add_user(struct gateway *gw, const struct gate_pair *pair)
{
	struct op *op = new_op(gw, pair->id, 2);
	int error = op == NULL ? ENOMEM : gw->user == NULL ? ENOTSUP : gw->user->ops->add(gw->user, pair);

	if (error != 0) {
		free(op);
		added(gw, pair->id, error);
		return;
	}
	op->led = *pair;
	divert(gw, MONITOR_DIVERT, &pair->up, on_added, op);
	divert(gw, MONITOR_DIVERT, &pair->down, on_added, op);
}

static void
add(struct gateway *gw, const struct gates_info *info)
{
	const struct call *c = calls_by_pair(gw, info->pair.id);
	struct monitor_request request;
	struct op *op;

	if (c != NULL)
		write_journal(c);
	if (c != NULL && c->user) {
		add_user(gw, &info->pair);
		return;
	}
	op = new_op(gw, info->pair.id, 1);
	if (op == NULL) {
		added(gw, info->pair.id, ENOMEM);
		return;
	}
	memset(&request, 0, sizeof(request));
	request.type = MONITOR_GATE_ADD;
	request.pair = info->pair;
	ask(gw, &request, on_added, op);
}

/* --- reading -------------------------------------------------------------------------------------- */

static void
on_read(void *user, int error, const struct monitor_reply *reply, const int *fds, size_t nfds)
{
	struct batch *b = user;

	(void)fds, (void)nfds;
	for (uint32_t i = 0; i < b->request.read.count; i++) {
		bool found = error == 0 && i < reply->read.count && reply->read.found[i];

		gates_counted(b->gw->gates, b->request.read.ids[i], found ? &reply->read.counters[i] : NULL, clock_ts());
	}
	gateway_work_later(b->gw);
	free(b);
}

static void
read_flush(struct gateway *gw, struct batch **batch)
{
	struct batch *b = *batch;

	*batch = NULL;
	if (b != NULL)
		ask(gw, &b->request, on_read, b);
}

static void
read_one(struct gateway *gw, const struct gates_info *info, struct batch **batch)
{
	const struct call *c = calls_by_pair(gw, info->pair.id);
	struct gate_counters counters = {0};
	struct batch *b = *batch;

	if (c != NULL && c->user) {
		bool found = gw->user != NULL && gw->user->ops->read(gw->user, &info->pair, &counters) == 0;

		gates_counted(gw->gates, info->pair.id, found ? &counters : NULL, clock_ts());
		return;
	}
	if (b == NULL) {
		b = *batch = calloc(1, sizeof(*b));
		if (b == NULL) {
			gates_counted(gw->gates, info->pair.id, NULL, clock_ts());
			return;
		}
		b->gw = gw;
		b->request.type = MONITOR_GATES_READ;
	}
	b->request.read.ids[b->request.read.count++] = info->pair.id;
	if (b->request.read.count == MONITOR_READ_MAX)
		read_flush(gw, batch);
}

/* --- removing --------------------------------------------------------------------------------------- */

static void
on_deleted(void *user, int error, const struct monitor_reply *reply, const int *fds, size_t nfds)
{
	struct op *op = user;

	(void)fds, (void)nfds;
	gates_deleted(op->gw->gates, op->id, error == 0 ? &reply->last : NULL, clock_ts());
	gateway_work_later(op->gw);
	free(op);
}

static void
del_user(struct gateway *gw, const struct gate_pair *pair)
{
	struct gate_counters last;
	bool found = withdraw_user(gw, pair, &last);

	gates_deleted(gw->gates, pair->id, found ? &last : NULL, clock_ts());
}

/* The gates' own end is the end of the call: both peers are told. */
static void
end_call(struct call *c, enum alg_why why)
{
	struct flow *f = c->flow;

	if (f == NULL || f->rw == NULL)
		return;
	alg_rewrite_clear(f->rw, c->ids.number, why);
	flow_pump(f);
}

static void
del(struct gateway *gw, const struct gates_info *info)
{
	struct call *c = calls_by_pair(gw, info->pair.id);
	struct monitor_request request;
	struct op *op;

	if (c != NULL && c->user) {
		del_user(gw, &info->pair);
	} else if ((op = new_op(gw, info->pair.id, 1)) != NULL) {
		memset(&request, 0, sizeof(request));
		request.type = MONITOR_GATE_DEL;
		request.id = info->pair.id;
		ask(gw, &request, on_deleted, op);
	} else {
		gates_deleted(gw->gates, info->pair.id, NULL, clock_ts());
	}
	if (c != NULL && (info->why == ALG_WHY_AGED || info->why == ALG_WHY_IDLE))
		end_call(c, info->why);
}

static void
gone(struct gateway *gw, const struct gates_info *info)
{
	struct call *c = calls_by_pair(gw, info->pair.id);

	if (gw->journal != NULL)
		journal_clear(gw->journal, info->pair.id);
	counters_add(&gw->counters.carried, &info->counters);
	if (c == NULL)
		return;
	if (c->up) {
		gw->counters.calls_ended++;
		log_down(c, info);
	}
	trace_line(gw->trace, TRACE_INFO, TRACE_GATES, "gates=%" PRIu64 " gone: %s", info->pair.id, alg_why_text(info->why));
	if (info->why == ALG_WHY_GATES_FAILED)
		end_call(c, info->why);
	if (c->awaited)
		flow_gates_gone(gw, c->flow_number);
	calls_drop(c);
}

/* --- all ----------------------------------------------------------------------------------------------- */

static void
set_timer(struct gateway *gw)
{
	uint64_t due = gates_expiry(gw->gates), now = clock_ts(), in;
	struct timeval tv;

	if (due == TS_NEVER) {
		event_del(gw->gates_timer);
		return;
	}
	in = due > now ? due - now : 0;
	tv = (struct timeval){.tv_sec = (time_t)(in / TS_S(1)), .tv_usec = (suseconds_t)(in % TS_S(1) / 1000 + 1)};
	event_add(gw->gates_timer, &tv);
}

void
gates_work(struct gateway *gw)
{
	struct gates_action action;
	struct batch *batch = NULL;

	while (!gw->handing_over && gates_action(gw->gates, &action)) {
		switch (action.type) {
		case GATES_ADD:
			add(gw, &action.info);
			break;
		case GATES_READ:
			read_one(gw, &action.info, &batch);
			break;
		case GATES_DEL:
			del(gw, &action.info);
			break;
		case GATES_GONE:
			gone(gw, &action.info);
			break;
		}
	}
	read_flush(gw, &batch);
	set_timer(gw);
}
