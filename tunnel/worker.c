/* A worker's thread: waits, takes a turn over all that is ready, sends what the turn made. */
#include "tunnel/worker.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "sys/clock.h"

/* A nap before the next receive lets a batch gather, which saves the sender's wake-ups and joins more segments. Fewer packets than this
 * are a dialogue, which a nap would only delay; a fuller batch has no need of one. */
enum {
	NAP_MIN_PKTS = 4,
	NAP_MAX_PKTS = GRESOCK_BATCH / 2,
	NAP_NS = 50000,
	TIMER_SLACK_NS = 1000,
	POST_RETRY_NS = 1000000,
};

static bool
watch(struct worker *w, int fd, struct source *source, enum source_kind kind, void *object)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = source};

	*source = (struct source){kind, object};
	return epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

static bool
watch_all(struct worker *w)
{
	w->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (w->epoll_fd < 0 || !watch(w, mbox_fd(w->commands), &w->commands_source, SOURCE_COMMANDS, NULL) ||
	    !watch(w, mbox_fd(w->hand_over), &w->hand_over_source, SOURCE_HAND_OVER, NULL))
		return false;
	for (unsigned f = 0; f < 2; f++)
		if (w->rx[f] != NULL && !watch(w, w->rx[f]->reader.fd, &w->gre_source[f], SOURCE_GRE, w->rx[f]))
			return false;
	return true;
}

struct worker *
worker_new(struct tunnel_engine *e, unsigned index)
{
	struct worker *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return NULL;
	w->engine = e;
	w->index = index;
	w->epoll_fd = -1;
	theap_init(&w->timers);
	w->commands = mbox_new(sizeof(struct tunnel_command), 65536);
	w->hand_over = mbox_new(sizeof(struct parcel *), HAND_OVER_PKTS);
	w->fib = fib_new();
	w->by_call = calloc(65536 / e->config.workers + 1, sizeof(*w->by_call));
	if (w->commands != NULL && w->hand_over != NULL && w->fib != NULL && w->by_call != NULL && rx_init(w) && tx_init(w) && watch_all(w))
		return w;
	worker_free(w);
	return NULL;
}

static void
free_interfaces(struct worker *w)
{
	for (size_t b = 0; b < IFACE_BUCKETS; b++)
		while (w->ifaces[b] != NULL) {
			struct iface *i = w->ifaces[b];

			w->ifaces[b] = i->next;
			iface_free(w, i);
		}
}

static void
free_mail(struct worker *w)
{
	struct tunnel_command c;
	struct parcel *p;

	while (w->commands != NULL && mbox_take(w->commands, &c))
		if (c.type == TUNNEL_IF_ADD)
			close(c.iface.fd);
	while (w->hand_over != NULL && mbox_take(w->hand_over, &p))
		free(p);
	mbox_free(w->commands);
	mbox_free(w->hand_over);
}

void
worker_free(struct worker *w)
{
	for (size_t b = 0; b < NUMBER_BUCKETS; b++)
		while (w->by_number[b] != NULL)
			session_free(w->by_number[b]);
	free_interfaces(w);
	free_mail(w);
	rx_fini(w);
	tx_fini(w);
	theap_fini(&w->timers);
	fib_free(w->fib);
	free(w->by_call);
	if (w->epoll_fd >= 0)
		close(w->epoll_fd);
	free(w);
}

void
worker_touch(struct worker *w, struct session *s)
{
	if (s->touched)
		return;
	s->touched = true;
	s->next_touched = w->touched;
	w->touched = s;
}

void
worker_post(struct worker *w, const struct tunnel_event *event)
{
	const struct timespec pause = {.tv_nsec = POST_RETRY_NS};

	while (!mbox_post(w->engine->events, event) && !atomic_load(&w->engine->stopping))
		nanosleep(&pause, NULL);
}

static void
run_commands(struct worker *w, uint64_t ts)
{
	struct tunnel_command c;

	for (unsigned i = 0; i < COMMANDS_PER_TURN && !w->stop && mbox_take(w->commands, &c); i++) {
		command_run(w, &c, ts);
		ppp_wipe(&c, sizeof(c)); /* passwords and keys */
	}
}

static void
run_timers(struct worker *w, uint64_t ts)
{
	struct theap_node *n;

	while ((n = theap_pop(&w->timers, ts)) != NULL)
		session_expire((struct session *)((char *)n - offsetof(struct session, timer)), ts);
	rx_flush(w);
}

/* Serving a session may touch it again, or another. */
static void
serve_touched(struct worker *w, uint64_t ts)
{
	while (w->touched != NULL) {
		struct session *s = w->touched;

		w->touched = s->next_touched;
		s->touched = false;
		session_serve(s, ts);
	}
}

static int
timeout_ms(const struct worker *w)
{
	uint64_t next = theap_next(&w->timers), now;

	if (next == TS_NEVER)
		return -1;
	now = clock_ts();
	if (next <= now)
		return 0;
	return next - now > TS_S(3600) ? 3600000 : (int)((next - now + TS_MS(1) - 1) / TS_MS(1));
}

/* Waits for something to do. Commands are done here, before packets: a peer's first packet may have come right behind the command that
 * opens its session. They may free what an event is about, so events are asked for anew then. */
static int
wait_for_events(struct worker *w, struct epoll_event *events)
{
	int n = epoll_wait(w->epoll_fd, events, EPOLL_EVENTS, timeout_ms(w));

	for (int i = 0; i < n; i++) {
		if (((const struct source *)events[i].data.ptr)->kind == SOURCE_COMMANDS) {
			run_commands(w, clock_ts());
			return epoll_wait(w->epoll_fd, events, EPOLL_EVENTS, 0);
		}
	}
	return n;
}

static void
take_turn(struct worker *w, const struct epoll_event *events, int n)
{
	uint64_t ts = clock_ts();

	w->last_batch = 0;
	for (int i = 0; i < n; i++) {
		struct source *source = events[i].data.ptr;

		if (source->kind == SOURCE_GRE)
			w->last_batch += rx_batch(w, source == &w->gre_source[1], ts);
		else if (source->kind == SOURCE_TUN)
			tx_from_tun(w, source->object, ts);
		else if (source->kind == SOURCE_HAND_OVER)
			tx_handed_over(w, ts);
	}
	run_timers(w, ts);
	serve_touched(w, ts);
	rx_flush(w);
	tx_flush(w);
}

static void
nap(const struct worker *w)
{
	const struct timespec pause = {.tv_nsec = NAP_NS};

	if (w->last_batch >= NAP_MIN_PKTS && w->last_batch <= NAP_MAX_PKTS)
		clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
}

void *
worker_run(void *worker)
{
	struct worker *w = worker;
	struct epoll_event events[EPOLL_EVENTS];

	(void)prctl(PR_SET_TIMERSLACK, TIMER_SLACK_NS);
	while (!w->stop) {
		int n = wait_for_events(w, events);

		take_turn(w, events, n > 0 ? n : 0);
		nap(w);
	}
	return NULL;
}
