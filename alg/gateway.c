#include "alg/gateway.h"

#include <event2/event.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alg/calls.h"
#include "alg/flow.h"
#include "alg/guard.h"
#include "alg/handover.h"
#include "alg/nft_watch.h"
#include "alg/nft.h"
#include "alg/start.h"
#include "base/timerheap.h"
#include "sys/clock.h"
#include "sys/log.h"
#include "sys/netlink.h"

enum { STOP_STEP_MS = 20, STOP_CALLS = 64 };

/* How long peers have to hear of the end. */
#define STOP_NS TS_S(2)

/* --- work ------------------------------------------------------------------------------ */

static void
on_work(evutil_socket_t fd, short what, void *arg)
{
	struct gateway *gw = arg;

	(void)fd, (void)what;
	gates_work(gw);
	flow_reap(gw);
}

void
gateway_work_later(struct gateway *gw)
{
	event_active(gw->work, EV_TIMEOUT, 0);
}

static void
on_gates_timer(evutil_socket_t fd, short what, void *arg)
{
	struct gateway *gw = arg;

	(void)fd, (void)what;
	gates_expire(gw->gates, clock_ts());
	gates_work(gw);
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct gateway *gw = arg;

	(void)fd, (void)what;
	flow_check_deadlines(gw, clock_ts());
	for (size_t i = 0; i < gw->listeners_count && !gw->stopping; i++)
		event_add(gw->listeners[i].event, NULL);
}

/* --- stopping ------------------------------------------------------------------------------ */

static void
close_listeners(struct gateway *gw)
{
	for (size_t i = 0; i < gw->listeners_count; i++) {
		if (gw->listeners[i].event != NULL)
			event_free(gw->listeners[i].event);
		close(gw->listeners[i].fd);
	}
	gw->listeners_count = 0;
}

/* Both ends are told the end of each call, then of the connection. */
static void
stop_flow(struct flow *f)
{
	struct alg_call calls[STOP_CALLS];
	size_t n;

	if (f->rw == NULL) {
		flow_fail(f, "the gateway is shutting down");
		return;
	}
	if (f->reason[0] == '\0')
		snprintf(f->reason, sizeof(f->reason), "the gateway is shutting down");
	n = alg_rewrite_calls(f->rw, calls, STOP_CALLS);
	for (size_t i = 0; i < n && i < STOP_CALLS; i++)
		alg_rewrite_clear(f->rw, calls[i].number, ALG_WHY_ADMIN);
	f->ending = true;
	flow_fsm(f, FLOW_E_END);
	flow_pump(f);
}

static void
on_stop_step(evutil_socket_t fd, short what, void *arg)
{
	struct gateway *gw = arg;

	(void)fd, (void)what;
	if ((gw->flows_count == 0 && gw->calls_count == 0) || clock_ts() >= gw->stop_deadline_ts)
		event_base_loopexit(gw->base, NULL);
}

static void
begin_stop(struct gateway *gw)
{
	struct timeval step = {0, STOP_STEP_MS * 1000};

	log_event(LOG_LEVEL_INFO, "stop", "flows=%zu calls=%zu", gw->flows_count, gw->calls_count);
	gw->stopping = true;
	gw->stop_deadline_ts = clock_ts() + STOP_NS;
	close_listeners(gw);
	for (struct flow *f = gw->flows, *next; f != NULL; f = next) {
		next = f->next;
		stop_flow(f);
	}
	for (struct call *c = gw->calls; c != NULL; c = c->next)
		if (c->flow == NULL)
			calls_clear(c, ALG_WHY_ADMIN);
	event_add(gw->stop_timer, &step);
}

static void
hand_over(struct gateway *gw)
{
	gw->stopping = true;
	if (handover_give(gw)) {
		event_base_loopexit(gw->base, NULL);
		return;
	}
	gw->stopping = false;
}

/* The monitor has read the new configuration, and logged what is wrong with it. */
static void
on_reload(void *user, int error, const struct monitor_reply *reply, const int *fds, size_t nfds)
{
	struct gateway *gw = user;

	(void)reply, (void)fds, (void)nfds;
	if (error != 0 || gw->stopping)
		return;
	log_event(LOG_LEVEL_INFO, "reload", "result=ok flows=%zu calls=%zu", gw->flows_count, gw->calls_count);
	hand_over(gw);
}

static void
reload(struct gateway *gw)
{
	struct monitor_request req;

	memset(&req, 0, sizeof(req));
	req.type = MONITOR_RELOAD;
	if (monitor_send(gw->priv, &req, on_reload, gw) != 0)
		log_event(LOG_LEVEL_ERROR, "reload", "error=\"the monitor does not answer\"");
}

/* A monitor that was killed sends SIGTERM too, when it is gone: then nothing may be said to anybody, and everything stays as it is. */
static bool
monitor_is_gone(const struct gateway *gw)
{
	return gw->monitor_pid != 0 && getppid() != gw->monitor_pid;
}

static void
abandon(struct gateway *gw)
{
	log_event(LOG_LEVEL_ERROR, "stop", "reason=\"the monitor process has gone; gates stay for the next start\"");
	gw->status = 1;
	gw->handing_over = true;
	event_base_loopexit(gw->base, NULL);
}

static void
on_signal(evutil_socket_t sig, short what, void *arg)
{
	struct gateway *gw = arg;

	(void)what;
	if (monitor_is_gone(gw))
		abandon(gw);
	else if (gw->stopping)
		return;
	else if (sig == SIGHUP)
		reload(gw);
	else if (sig == SIGUSR2)
		hand_over(gw);
	else
		begin_stop(gw);
}

static void
on_monitor_lost(void *arg)
{
	abandon(arg);
}

/* --- making ------------------------------------------------------------------------------------ */

/* Before tables are used, since whatever happens to calls asks for work. */
static bool
make_events(struct gateway *gw)
{
	gw->work = event_new(gw->base, -1, 0, on_work, gw);
	gw->tick = event_new(gw->base, -1, EV_PERSIST, on_tick, gw);
	gw->gates_timer = event_new(gw->base, -1, 0, on_gates_timer, gw);
	gw->stop_timer = event_new(gw->base, -1, EV_PERSIST, on_stop_step, gw);
	return gw->work != NULL && gw->tick != NULL && gw->gates_timer != NULL && gw->stop_timer != NULL;
}

static bool
serve_events(struct gateway *gw)
{
	static const int signals[4] = {SIGTERM, SIGINT, SIGUSR2, SIGHUP};
	struct timeval second = {1, 0};

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		gw->signals[i] = evsignal_new(gw->base, signals[i], on_signal, gw);
		if (gw->signals[i] == NULL || event_add(gw->signals[i], NULL) != 0)
			return false;
	}
	for (size_t i = 0; i < gw->listeners_count; i++) {
		struct listener *l = &gw->listeners[i];

		l->event = event_new(gw->base, l->fd, EV_READ | EV_PERSIST, flow_on_accept, l);
		if (l->event == NULL || event_add(l->event, NULL) != 0)
			return false;
	}
	return event_add(gw->tick, &second) == 0;
}

static bool
make_control(struct gateway *gw, struct gateway_prepared *p)
{
	if (p->control_fd >= 0) {
		gw->ctl = ctl_server_new(gw->base, p->control_fd, gateway_commands, gw);
		p->control_fd = -1;
		if (gw->ctl == NULL)
			return false;
	}
	gw->guard = guard_new(gw, p->table_fd, p->rules_fd);
	p->table_fd = p->rules_fd = -1;
	if (gw->guard == NULL)
		return false;
	if (p->metrics_fd >= 0) {
		gw->metrics = metrics_new(gw, p->metrics_fd);
		p->metrics_fd = -1;
		if (gw->metrics == NULL)
			return false;
	}
	return true;
}

static bool
out_of_memory(void)
{
	log_event(LOG_LEVEL_ERROR, "start", "error=\"out of memory\"");
	return false;
}

/* Listeners come before restored flows, so that nobody is refused; ids of restored flows are claimed before those of adopted gates. */
static bool
start(struct gateway *gw, struct gateway_prepared *p)
{
	struct inheritance *in;

	gw->base = event_base_new();
	if (gw->base == NULL || !make_events(gw))
		return out_of_memory();
	if (!start_tables(gw))
		return false;
	in = handover_inherit(gw);
	if (!start_user(gw) || !start_listeners(gw)) {
		handover_decline(in);
		return false;
	}
	if (priv_attach(gw->priv, gw->base, on_monitor_lost, gw) != 0)
		return out_of_memory();
	start_trace(gw);
	handover_restore(gw, in);
	start_adopt(gw);
	gateway_work_later(gw); /* their time runs */
	return (serve_events(gw) && make_control(gw, p)) || out_of_memory();
}

static void
free_event(struct event *e)
{
	if (e != NULL)
		event_free(e);
}

/* After a hand-over the sockets are closed here without a word: others have them. */
static void
free_flows(struct gateway *gw)
{
	while (gw->flows != NULL) {
		if (gw->flows->reason[0] == '\0')
			snprintf(gw->flows->reason, sizeof(gw->flows->reason), "the gateway is shutting down");
		flow_fsm(gw->flows, FLOW_E_FAILED);
	}
	flow_reap(gw);
}

static void
free_tables(struct gateway *gw)
{
	while (gw->calls != NULL)
		calls_drop(gw->calls);
	if (gw->user != NULL)
		gw->user->ops->close(gw->user, gw->handing_over);
	for (size_t i = 0; i < GATEWAY_GRE_FDS; i++)
		if (gw->gre_fds[i] >= 0)
			close(gw->gre_fds[i]);
	journal_close(gw->journal);
	gates_free(gw->gates);
	xlate_free(gw->xlate);
	table_fini(&gw->sources, NULL);
	table_fini(&gw->flows_by_number, NULL);
	table_fini(&gw->calls_by_id, NULL);
	table_fini(&gw->calls_by_up, NULL);
	table_fini(&gw->calls_by_down, NULL);
	nl_close(gw->nl);
}

static void
finish(struct gateway *gw)
{
	guard_free(gw->guard);
	metrics_free(gw->metrics);
	ctl_server_free(gw->ctl);
	close_listeners(gw);
	if (gw->flows_by_number.heads != NULL)
		free_flows(gw);
	if (!monitor_is_gone(gw) && gw->status == 0)
		monitor_sync(gw->priv); /* nothing of answers on their way is left behind */
	flow_reap(gw);
	trace_free(gw->trace);
	for (size_t i = 0; i < sizeof(gw->signals) / sizeof(gw->signals[0]); i++)
		free_event(gw->signals[i]);
	free_tables(gw);
	free_event(gw->work);
	free_event(gw->tick);
	free_event(gw->gates_timer);
	free_event(gw->stop_timer);
	priv_free(gw->priv);
	if (gw->base != NULL)
		event_base_free(gw->base);
	free(gw);
}

/* What `systemctl status` shows. */
static void
tell_manager(const struct gateway *gw)
{
	char state[128];

	snprintf(state, sizeof(state), "READY=1\nSTATUS=Serving; data path %s, control connections taken over: %zu", gw->datapath,
	    gw->flows_count);
	handover_notify(state);
}

int
gateway_run(const struct config *config, struct priv *priv, struct gateway_prepared *prepared)
{
	struct gateway *gw = calloc(1, sizeof(*gw));
	int status = 1;

	if (gw == NULL)
		return 1;
	gw->config = config;
	gw->priv = priv;
	gw->datapath = prepared->datapath;
	gw->monitor_pid = prepared->forked ? getppid() : 0;
	for (size_t i = 0; i < GATEWAY_GRE_FDS; i++)
		gw->gre_fds[i] = -1;
	gw->status = 1;
	if (start(gw, prepared)) {
		gw->status = 0;
		log_event(LOG_LEVEL_INFO, "start", "version=%s datapath=%s flows=%zu calls=%zu", PACKAGE_VERSION, gw->datapath,
		    gw->flows_count, gw->calls_count);
		tell_manager(gw);
		event_base_dispatch(gw->base);
		status = gw->status;
		log_event(LOG_LEVEL_INFO, "exit", "status=%d", status);
	}
	finish(gw);
	return status;
}

/* --- privileges ---------------------------------------------------------------------------------- */

/* A port that is taken is no reason to lose tunnels over a restart. */
static void
open_metrics(struct gateway_prepared *p)
{
	char addr[ADDR_TEXT_MAX];

	if (p->config->metrics_addr.family == 0)
		return;
	p->metrics_fd = metrics_listen(p->config);
	if (p->metrics_fd < 0)
		log_event(LOG_LEVEL_ERROR, "metrics", "address=%s port=%u error=\"%m\"", addr_text(&p->config->metrics_addr, addr),
		    p->config->metrics_port);
}

int
gateway_prepare(void *arg)
{
	struct gateway_prepared *p = arg;

	if (p->forked)
		monitor_abandon(p->monitor);
	p->metrics_fd = -1;
	p->table_fd = nft_watch_open();
	p->rules_fd = nl_rule_watch_open();
	open_metrics(p);
	return ctl_listen_at_start(p->config->control_socket, p->config->control_mode, &p->control_fd) ? 0 : -1;
}

void
gateway_policy(const struct config *config, struct priv_policy *policy)
{
	struct nft_marks marks = nft_marks(config);

	memset(policy, 0, sizeof(*policy));
	policy->user = config->user;
	policy->types[PRIV_TCP_LISTEN] = policy->types[PRIV_TCP_SOCKET] = true;
	policy->transparent = true;
	policy->marks = marks.proxy | marks.fixed;
	policy->tcp_port_min = policy->tcp_port_max = config->proxy_port;
}
