#include "alg/flow.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/timerheap.h"
#include "sys/clock.h"
#include "sys/log.h"

/* How long what is still on its way may take after one end has closed. */
#define DRAIN_NS TS_S(5)

static const char *const state_texts[FLOW_STATES] = {
    [FLOW_ACCEPTED] = "accepted",
    [FLOW_CONNECTING] = "connecting",
    [FLOW_LOOKUP] = "lookup",
    [FLOW_OPEN] = "open",
    [FLOW_DRAINING] = "draining",
    [FLOW_CLOSED] = "closed",
};

const char *
flow_state_text(enum flow_state state)
{
	return state_texts[state];
}

const char *
flow_text(const struct flow *f, char buf[FLOW_TEXT])
{
	char client[ADDR_TEXT_MAX], server[ADDR_TEXT_MAX];

	snprintf(buf, FLOW_TEXT, "flow=%" PRIu64 " client=%s client-port=%u server=%s server-port=%u", f->number,
	    addr_text(&f->client, client), f->client_port, addr_text(&f->server, server), f->server_port);
	return buf;
}

const char *
flow_side_text(enum alg_side side)
{
	return side == ALG_CLIENT ? "client" : "server";
}

/* --- lists ------------------------------------------------------------------------- */

static uint32_t
hash_source(const struct gateway *gw, const struct addr *a)
{
	return table_hash_end(&gw->sources, table_hash_addr(&gw->sources, 0, a));
}

static uint32_t
hash_number(const struct gateway *gw, uint64_t number)
{
	return table_hash_end(&gw->flows_by_number, table_hash_u64(&gw->flows_by_number, 0, number));
}

static struct flow *
by_number(const struct gateway *gw, uint64_t number)
{
	struct table_node *n = table_first(&gw->flows_by_number, hash_number(gw, number));

	while (n != NULL && TABLE_OWNER(n, struct flow, by_number)->number != number)
		n = table_next(n);
	return n != NULL ? TABLE_OWNER(n, struct flow, by_number) : NULL;
}

static struct source *
find_source(const struct gateway *gw, const struct addr *addr)
{
	struct table_node *n = table_first(&gw->sources, hash_source(gw, addr));

	while (n != NULL && !addr_equal(&TABLE_OWNER(n, struct source, node)->addr, addr))
		n = table_next(n);
	return n != NULL ? TABLE_OWNER(n, struct source, node) : NULL;
}

size_t
flow_count_source(const struct gateway *gw, const struct addr *addr)
{
	const struct source *s = find_source(gw, addr);

	return s != NULL ? s->flows : 0;
}

/* NULL: no memory. */
static struct source *
join_source(struct gateway *gw, const struct addr *addr)
{
	struct source *s = find_source(gw, addr);

	if (s == NULL) {
		s = calloc(1, sizeof(*s));
		if (s == NULL)
			return NULL;
		s->addr = *addr;
		table_add(&gw->sources, &s->node, hash_source(gw, addr));
	}
	s->flows++;
	return s;
}

static void
leave_source(struct gateway *gw, struct source *s)
{
	if (--s->flows > 0)
		return;
	table_del(&gw->sources, &s->node);
	free(s);
}

static void
half_add(struct flow *f)
{
	struct gateway *gw = f->gw;

	f->half_next = NULL;
	f->half_prev = gw->half_open_tail;
	*gw->half_open_tail = f;
	gw->half_open_tail = &f->half_next;
	gw->half_open_count++;
}

void
flow_no_longer_half_open(struct flow *f)
{
	struct gateway *gw = f->gw;

	if (f->half_prev == NULL)
		return;
	*f->half_prev = f->half_next;
	if (f->half_next != NULL)
		f->half_next->half_prev = f->half_prev;
	else
		gw->half_open_tail = f->half_prev;
	f->half_prev = NULL;
	gw->half_open_count--;
}

bool
flow_drop_half_open(struct gateway *gw, const struct addr *source, const char *reason)
{
	struct flow *f = gw->half_open;

	while (f != NULL && source != NULL && !addr_equal(&f->client, source))
		f = f->half_next;
	if (f == NULL)
		return false;
	gw->counters.half_open_dropped++;
	flow_fail(f, "%s", reason);
	return true;
}

struct flow *
flow_new(struct gateway *gw, int fd)
{
	struct flow *f = calloc(1, sizeof(*f));

	if (f == NULL) {
		close(fd);
		return NULL;
	}
	f->gw = gw;
	f->end[ALG_CLIENT] = (struct flow_end){.flow = f, .side = ALG_CLIENT, .fd = fd};
	f->end[ALG_SERVER] = (struct flow_end){.flow = f, .side = ALG_SERVER, .fd = -1};
	f->since = clock_ts();
	f->heard = f->since;
	f->since_unix = clock_unix();
	f->deadline = TS_NEVER;
	return f;
}

void
flow_drop(struct flow *f)
{
	alg_rewrite_free(f->rw);
	flow_close_end(f, ALG_CLIENT, true);
	flow_close_end(f, ALG_SERVER, true);
	free(f);
}

bool
flow_link(struct flow *f)
{
	struct gateway *gw = f->gw;

	f->source_account = join_source(gw, &f->client);
	if (f->source_account == NULL)
		return false;
	if (f->number == 0)
		f->number = gw->next_flow++;
	f->next = gw->flows;
	if (f->next != NULL)
		f->next->prev = f;
	gw->flows = f;
	gw->flows_count++;
	table_add(&gw->flows_by_number, &f->by_number, hash_number(gw, f->number));
	if (!f->started)
		half_add(f);
	return true;
}

static void
unlink_flow(struct flow *f)
{
	struct gateway *gw = f->gw;

	flow_no_longer_half_open(f);
	flow_count_requested(f);
	leave_source(gw, f->source_account);
	table_del(&gw->flows_by_number, &f->by_number);
	if (f->next != NULL)
		f->next->prev = f->prev;
	if (f->prev != NULL)
		f->prev->next = f->next;
	else
		gw->flows = f->next;
	gw->flows_count--;
	f->prev = NULL;
	f->next = gw->graveyard;
	gw->graveyard = f;
}

void
flow_reap(struct gateway *gw)
{
	struct flow **p = &gw->graveyard, *f;

	while ((f = *p) != NULL) {
		if (f->answers > 0) {
			p = &f->next;
			continue;
		}
		*p = f->next;
		free(f);
	}
}

/* --- what entering a state does ------------------------------------------------------ */

static void
add_messages(struct gateway_counters *c, const struct alg_rewrite *rw)
{
	struct alg_rewrite_stats s;

	alg_rewrite_stats(rw, &s);
	c->received[ALG_CLIENT] += s.received[ALG_CLIENT];
	c->received[ALG_SERVER] += s.received[ALG_SERVER];
	c->forwarded += s.forwarded;
	c->made += s.made;
	c->repaired += s.repaired;
	c->late += s.late;
}

/* A connection that nothing went by on is a stranger's: it may be one of many thousands. */
static void
log_closed(const struct flow *f, enum flow_state was)
{
	bool was_up = (was == FLOW_OPEN || was == FLOW_DRAINING) && f->started;
	uint64_t seconds = (clock_ts() - f->since) / TS_S(1);
	const char *event = was_up ? "control-down" : "control-failed";
	char text[FLOW_TEXT], quoted[sizeof(f->reason) * 2];

	flow_text(f, text);
	trace_line(f->gw->trace, TRACE_NOTICE, TRACE_CONNECTIONS, "%s %s: %s", text, was_up ? "down" : "failed", f->reason);
	if (!was_up && !log_may(&f->gw->limits.failed, event))
		return;
	log_event(was_up ? LOG_LEVEL_INFO : LOG_LEVEL_WARN, event,
	    "%s seconds=%" PRIu64 " calls=%" PRIu64 " bytes-up=%" PRIu64 " bytes-down=%" PRIu64 " reason=%s", text, seconds, f->calls_ever,
	    f->end[ALG_CLIENT].bytes, f->end[ALG_SERVER].bytes,
	    log_quote(quoted, sizeof(quoted), f->reason[0] != '\0' ? f->reason : "closed"));
}

/* The calls lose their control connection, unless they have ended before. */
static void
enter_closed(struct flow *f, enum flow_state was, bool reset)
{
	if (!f->gw->handing_over)
		log_closed(f, was);
	if (f->rw != NULL) {
		alg_rewrite_transport_closed(f->rw, ALG_CLIENT);
		flow_events(f);
		add_messages(&f->gw->counters, f->rw);
		alg_rewrite_free(f->rw);
		f->rw = NULL;
	}
	reset = reset && !f->gw->handing_over; /* it would be the next process's sockets that are told to reset */
	flow_close_end(f, ALG_CLIENT, reset);
	flow_close_end(f, ALG_SERVER, reset);
	unlink_flow(f);
	gateway_work_later(f->gw);
}

static void
flow_set_state(struct flow *f, enum flow_state state, bool reset)
{
	const struct config *c = f->gw->config;
	enum flow_state was = f->state;
	uint64_t ts = clock_ts();

	f->state = state;
	f->deadline = TS_NEVER;
	switch (state) {
	case FLOW_ACCEPTED:
		f->deadline = ts + c->connect_timeout_ns;
		flow_ask_socket(f);
		break;
	case FLOW_CONNECTING:
		f->deadline = ts + c->connect_timeout_ns;
		flow_connect(f);
		break;
	case FLOW_LOOKUP:
		f->deadline = ts + c->connect_timeout_ns;
		flow_ask_lookup(f);
		break;
	case FLOW_OPEN:
		if (!f->started)
			f->deadline = ts + c->handshake_timeout_ns;
		flow_open(f);
		break;
	case FLOW_DRAINING:
		f->deadline = f->untouched ? TS_NEVER : ts + DRAIN_NS;
		break;
	case FLOW_CLOSED:
		enter_closed(f, was, reset);
		break;
	case FLOW_STATES:
		break;
	}
}

void
flow_begin(struct flow *f, enum flow_state state)
{
	flow_set_state(f, state, false);
}

/* --- the machine -------------------------------------------------------------------------- */

enum { NO = FLOW_STATES, RESET };

/* clang-format off */
static const uint8_t cells[FLOW_STATES][FLOW_EVENTS] = {
	/*                   SOCKET           CONNECTED    SEEN       END            DRAINED      FAILED TIMEOUT */
	[FLOW_ACCEPTED]   = {FLOW_CONNECTING, NO,          NO,        RESET,         NO,          RESET, RESET},
	[FLOW_CONNECTING] = {NO,              FLOW_LOOKUP, NO,        RESET,         NO,          RESET, RESET},
	[FLOW_LOOKUP]     = {NO,              NO,          FLOW_OPEN, RESET,         NO,          RESET, RESET},
	[FLOW_OPEN]       = {NO,              NO,          NO,        FLOW_DRAINING, FLOW_CLOSED, RESET, RESET},
	[FLOW_DRAINING]   = {NO,              NO,          NO,        NO,            FLOW_CLOSED, RESET, RESET},
	[FLOW_CLOSED]     = {NO,              NO,          NO,        NO,            NO,          NO,    NO},
};
/* clang-format on */

static void
timeout_reason(struct flow *f)
{
	struct gateway_counters *c = &f->gw->counters;

	if (f->state == FLOW_OPEN) {
		c->handshake_timeouts++;
		snprintf(f->reason, sizeof(f->reason), "no Start-Control-Connection-Request in time");
	} else if (f->state == FLOW_CONNECTING) {
		c->connect_timeouts++;
		snprintf(f->reason, sizeof(f->reason), "the server did not answer within %llu s",
		    (unsigned long long)(f->gw->config->connect_timeout_ns / TS_S(1)));
	} else if (f->state != FLOW_DRAINING) {
		snprintf(f->reason, sizeof(f->reason), "the monitor did not answer in time");
	}
}

void
flow_fsm(struct flow *f, enum flow_event event)
{
	uint8_t next = cells[f->state][event];

	if (next == NO)
		return;
	if (event == FLOW_E_TIMEOUT)
		timeout_reason(f);
	if (event == FLOW_E_END && next == RESET && f->reason[0] == '\0')
		snprintf(f->reason, sizeof(f->reason), "the client closed before the server was reached");
	flow_set_state(f, next == RESET ? FLOW_CLOSED : (enum flow_state)next, next == RESET);
}

void
flow_fail(struct flow *f, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (f->reason[0] == '\0')
		vsnprintf(f->reason, sizeof(f->reason), fmt, ap);
	va_end(ap);
	flow_fsm(f, FLOW_E_FAILED);
}

/* Peers that have something to lose say so at least by an echo. */
static void
check_silence(struct flow *f, uint64_t ts)
{
	uint64_t limit = f->gw->config->control_timeout_ns;

	if (limit == 0 || f->state != FLOW_OPEN || f->untouched || ts < f->heard + limit || alg_rewrite_calls(f->rw, NULL, 0) > 0)
		return;
	f->gw->counters.control_timeouts++;
	flow_fail(f, "no call, and no message for %" PRIu64 " s", limit / TS_S(1));
}

void
flow_check_deadlines(struct gateway *gw, uint64_t ts)
{
	for (struct flow *f = gw->flows, *next; f != NULL; f = next) {
		next = f->next;
		if (ts >= f->deadline)
			flow_fsm(f, FLOW_E_TIMEOUT);
		else
			flow_check_ends(f);
		check_silence(f, ts);
	}
}

void
flow_gates_gone(struct gateway *gw, uint64_t number)
{
	struct flow *f = by_number(gw, number);

	if (f == NULL || f->closing_gates == 0)
		return;
	f->closing_gates--;
	flow_pump(f);
}

bool
gateway_clear_flow(struct gateway *gw, uint64_t number)
{
	struct flow *f = by_number(gw, number);

	if (f == NULL)
		return false;
	flow_fail(f, "cleared by the administrator");
	return true;
}

void
gateway_messages(const struct gateway *gw, struct alg_rewrite_stats *sum)
{
	struct gateway_counters c = gw->counters;

	for (const struct flow *f = gw->flows; f != NULL; f = f->next)
		if (f->rw != NULL)
			add_messages(&c, f->rw);
	*sum = (struct alg_rewrite_stats){.received = {c.received[ALG_CLIENT], c.received[ALG_SERVER]},
	    .forwarded = c.forwarded,
	    .made = c.made,
	    .refused = c.violations,
	    .late = c.late,
	    .repaired = c.repaired};
}
