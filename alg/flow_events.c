/* What the rewriter tells of one control connection. */
#include <inttypes.h>
#include <stdio.h>

#include "alg/calls.h"
#include "alg/flow.h"
#include "base/timerheap.h"
#include "sys/log.h"

enum { MESSAGE_TEXT = 1024 };

void
flow_trace(void *user, enum alg_side from, const struct pptp_msg *received, const struct pptp_msg *forwarded)
{
	const struct flow *f = user;
	char in[MESSAGE_TEXT] = "none", out[MESSAGE_TEXT] = "none";

	if (received != NULL)
		pptp_msg_text(in, sizeof(in), received);
	if (forwarded != NULL)
		pptp_msg_text(out, sizeof(out), forwarded);
	if (received != NULL)
		trace_line(
		    f->gw->trace, TRACE_INFO, TRACE_MESSAGES, "flow=%" PRIu64 " from=%s recv %s", f->number, flow_side_text(from), in);
	if (forwarded != NULL)
		trace_line(
		    f->gw->trace, TRACE_INFO, TRACE_MESSAGES, "flow=%" PRIu64 " from=%s send %s", f->number, flow_side_text(from), out);
	if (log_enabled(LOG_LEVEL_TRACE))
		log_event(LOG_LEVEL_TRACE, "trace", "flow=%" PRIu64 " from=%s recv %s send %s", f->number, flow_side_text(from), in, out);
}

/* A message went by, or bytes pass untouched: it is more than an open port. */
static void
started(struct flow *f)
{
	if (f->started)
		return;
	f->started = true;
	if (f->state == FLOW_OPEN)
		f->deadline = TS_NEVER;
	flow_no_longer_half_open(f);
	if (!f->restored)
		flow_log_open(f);
}

static void
call_refused(struct flow *f, const struct alg_event *e)
{
	const char *why = e->why == ALG_WHY_TOO_MANY ? gates_refusal_text(f->refusal) : alg_why_text(e->why);
	char text[FLOW_TEXT];

	f->gw->counters.calls_refused++;
	trace_line(f->gw->trace, TRACE_WARNING, TRACE_CALLS, "%s call refused: %s", flow_text(f, text), why);
	if (log_may(&f->gw->limits.calls, "call-refused"))
		log_event(LOG_LEVEL_WARN, "call-refused", "%s from=%s id=%u reason=\"%s\"", text, flow_side_text(e->from),
		    e->from == ALG_CLIENT ? e->call.client_id : e->call.server_id, why);
}

/* A peer must not fill the log: the first ones, then powers of two; and not by many connections either. */
static void
violation(struct flow *f, const struct alg_event *e)
{
	uint64_t n = ++f->violations;
	char text[FLOW_TEXT], quoted[sizeof(e->text) * 2];

	f->gw->counters.violations++;
	trace_line(f->gw->trace, TRACE_WARNING, TRACE_MESSAGES, "%s from=%s not forwarded: %s", flow_text(f, text), flow_side_text(e->from),
	    e->text);
	if ((n > 10 && (n & (n - 1)) != 0) || !log_may(&f->gw->limits.violations, "violation"))
		return;
	log_event(LOG_LEVEL_WARN, "violation", "%s from=%s reason=\"%s\" message=%s count=%" PRIu64, text, flow_side_text(e->from),
	    alg_why_text(e->why), log_quote(quoted, sizeof(quoted), e->text), n);
}

static void
untouched(struct flow *f)
{
	char text[FLOW_TEXT];

	f->untouched = true;
	f->gw->counters.untouched++;
	started(f);
	log_event(LOG_LEVEL_INFO, "control-untouched", "%s reason=\"not PPTP version 1: bytes pass as they are\"", flow_text(f, text));
}

static void
closed(struct flow *f, const struct alg_event *e)
{
	f->ending = true;
	f->gw->counters.version_refused += e->why == ALG_WHY_VERSION;
	if (f->reason[0] == '\0')
		snprintf(f->reason, sizeof(f->reason), "%s: %s", alg_why_text(e->why), e->text);
	flow_fsm(f, FLOW_E_END);
}

static void
call_new(struct flow *f, const struct alg_event *e)
{
	trace_line(f->gw->trace, TRACE_INFO, TRACE_CALLS, "flow=%" PRIu64 " call=%u requested by the %s, %s", f->number, e->call.number,
	    flow_side_text(e->from), e->call.incoming ? "incoming" : "outgoing");
}

/* Where the reply brought an id for which none is left, the call was refused, however late. */
static void
call_end(struct flow *f, const struct alg_event *e)
{
	if (e->why == ALG_WHY_NO_ID)
		call_refused(f, e);
	calls_ended(f, &e->call, e->why);
}

static void
dispatch(struct flow *f, const struct alg_event *e)
{
	switch (e->type) {
	case ALG_EVENT_CALL_NEW:
		call_new(f, e);
		break;
	case ALG_EVENT_GATES_WANTED:
		calls_want(f, &e->call);
		break;
	case ALG_EVENT_CALL_END:
		call_end(f, e);
		break;
	case ALG_EVENT_CALL_REFUSED:
		call_refused(f, e);
		break;
	case ALG_EVENT_VIOLATION:
		violation(f, e);
		break;
	case ALG_EVENT_UNTOUCHED:
		untouched(f);
		break;
	case ALG_EVENT_CLOSED:
		closed(f, e);
		break;
	case ALG_EVENT_NONE:
		break;
	}
}

void
flow_count_requested(struct flow *f)
{
	size_t calls = f->rw != NULL ? alg_rewrite_calls(f->rw, NULL, 0) : 0;
	size_t requested = calls > f->calls_count ? calls - f->calls_count : 0;

	f->source_account->requested += requested - f->requested;
	f->requested = requested;
}

bool
flow_events(struct flow *f)
{
	struct alg_rewrite_stats stats;
	struct alg_event e;
	bool any = false;

	while (f->rw != NULL && alg_rewrite_event(f->rw, &e)) {
		any = true;
		dispatch(f, &e);
	}
	if (f->rw != NULL && !f->started) {
		alg_rewrite_stats(f->rw, &stats);
		if (stats.forwarded > 0)
			started(f);
	}
	flow_count_requested(f);
	return any;
}
