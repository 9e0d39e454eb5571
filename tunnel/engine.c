/* The engine from the control thread's side: threads, mailboxes, and the thread that closes interfaces. */
#include "tunnel/engine.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "sys/log.h"
#include "tunnel/worker.h"

enum { MAILBOX = 65536, STOP_REAPER = -1 };

static void *
reap(void *engine)
{
	struct tunnel_engine *e = engine;
	int fd = 0;

	while (fd != STOP_REAPER) {
		struct pollfd p = {.fd = mbox_fd(e->reaper_box), .events = POLLIN};

		(void)poll(&p, 1, -1);
		while (fd != STOP_REAPER && mbox_take(e->reaper_box, &fd))
			if (fd >= 0)
				close(fd);
	}
	return NULL;
}

/* Signals are the control thread's. */
static bool
start_thread(pthread_t *thread, void *(*run)(void *), void *arg)
{
	sigset_t all, before;
	int error;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(thread, NULL, run, arg);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return error == 0;
}

static const char *
start(struct tunnel_engine *e)
{
	e->events = mbox_new(sizeof(struct tunnel_event), MAILBOX);
	e->reaper_box = mbox_new(sizeof(int), MAILBOX);
	if (e->events == NULL || e->reaper_box == NULL)
		return "out of memory or descriptors";
	e->reaping = start_thread(&e->reaper, reap, e);
	if (!e->reaping)
		return "can't start a thread";
	for (unsigned i = 0; i < e->config.workers; i++) {
		e->workers[i] = worker_new(e, i);
		if (e->workers[i] == NULL)
			return "out of memory or descriptors for a worker";
	}
	for (unsigned i = 0; i < e->config.workers; i++) {
		e->workers[i]->running = start_thread(&e->workers[i]->thread, worker_run, e->workers[i]);
		if (!e->workers[i]->running)
			return "can't start a worker's thread";
	}
	return NULL;
}

struct tunnel_engine *
tunnel_engine_new(const struct tunnel_engine_config *config)
{
	struct tunnel_engine *e;
	const char *reason;

	if (config->workers == 0 || config->workers > TUNNEL_MAX_WORKERS) {
		log_event(LOG_LEVEL_ERROR, "engine", "error=\"%u workers: must be 1 to %d\"", config->workers, TUNNEL_MAX_WORKERS);
		return NULL;
	}
	e = calloc(1, sizeof(*e));
	if (e == NULL) {
		log_event(LOG_LEVEL_ERROR, "engine", "error=\"out of memory\"");
		return NULL;
	}
	e->config = *config;
	reason = start(e);
	if (reason == NULL)
		return e;
	log_event(LOG_LEVEL_ERROR, "engine", "error=\"%s\"", reason);
	/* The descriptors stay the callee's. */
	e->config.workers = 0;
	tunnel_engine_free(e);
	return NULL;
}

static void
stop_worker(struct worker *w)
{
	const struct tunnel_command stop = {.type = TUNNEL_STOP};
	const struct timespec pause = {.tv_nsec = 1000000};

	if (!w->running)
		return;
	while (!mbox_post(w->commands, &stop))
		nanosleep(&pause, NULL);
	pthread_join(w->thread, NULL);
}

static void
stop_reaper(struct tunnel_engine *e)
{
	const int stop = STOP_REAPER;
	const struct timespec pause = {.tv_nsec = 1000000};

	if (!e->reaping)
		return;
	while (!mbox_post(e->reaper_box, &stop))
		nanosleep(&pause, NULL);
	pthread_join(e->reaper, NULL);
}

void
tunnel_engine_free(struct tunnel_engine *e)
{
	if (e == NULL)
		return;
	atomic_store(&e->stopping, true);
	for (unsigned i = 0; i < TUNNEL_MAX_WORKERS && e->workers[i] != NULL; i++)
		stop_worker(e->workers[i]);
	for (unsigned i = 0; i < TUNNEL_MAX_WORKERS && e->workers[i] != NULL; i++)
		worker_free(e->workers[i]);
	for (unsigned i = 0; i < e->config.workers; i++)
		for (unsigned f = 0; f < 2; f++)
			if (e->config.gre_fd[i][f] >= 0)
				close(e->config.gre_fd[i][f]);
	stop_reaper(e);
	mbox_free(e->reaper_box);
	mbox_free(e->events);
	free(e);
}

unsigned
tunnel_workers(const struct tunnel_engine *e)
{
	return e->config.workers;
}

unsigned
tunnel_worker_of(const struct tunnel_engine *e, uint16_t call_id)
{
	return call_id % e->config.workers;
}

bool
tunnel_post(struct tunnel_engine *e, unsigned worker, const struct tunnel_command *command)
{
	return mbox_post(e->workers[worker]->commands, command);
}

bool
tunnel_post_all(struct tunnel_engine *e, const struct tunnel_command *command)
{
	bool all = true;

	for (unsigned i = 0; i < e->config.workers; i++)
		all = tunnel_post(e, i, command) && all;
	return all;
}

int
tunnel_event_fd(const struct tunnel_engine *e)
{
	return mbox_fd(e->events);
}

bool
tunnel_take_event(struct tunnel_engine *e, struct tunnel_event *event)
{
	return mbox_take(e->events, event);
}

const struct tunnel_worker_counters *
tunnel_worker_counters(const struct tunnel_engine *e, unsigned worker)
{
	return &e->workers[worker]->counters;
}
