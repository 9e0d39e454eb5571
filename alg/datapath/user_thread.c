#include "alg/datapath/user_thread.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alg/datapath/user_io.h"
#include "sys/clock.h"

enum {
	ROUNDS = 16, /* batches of one socket before the other has its turn */
};

struct user_thread {
	pthread_t id;
	int fd4, fd6, stop;
	struct user_rx *rx4, *rx6;
	struct user_tx *tx4, *tx6;
	/* Of gates and stats. Held while a batch is looked up, not in system calls. */
	pthread_mutex_t lock;
	struct user_gates gates;
	struct datapath_user_stats stats;
	struct user_packet out[USER_BATCH]; /* the batch, as it leaves */
};

/* Fills t->out; how many leave. */
static unsigned
look_up(struct user_thread *t, const struct user_rx *rx, unsigned n)
{
	enum datapath_user_drop why;
	unsigned out = 0;

	pthread_mutex_lock(&t->lock);
	for (unsigned i = 0; i < n; i++) {
		struct user_packet *p = &t->out[out];

		if (!user_rx_packet(rx, i, p, &why) || !user_gates_apply(&t->gates, p, &why)) {
			t->stats.dropped[why]++;
			continue;
		}
		t->stats.forwarded_pkts++;
		t->stats.forwarded_bytes += p->length;
		out++;
	}
	pthread_mutex_unlock(&t->lock);
	return out;
}

static unsigned
send_out(struct user_thread *t, unsigned n)
{
	unsigned failed = 0;

	for (unsigned i = 0; i < n; i++)
		failed += user_tx_push(t->out[i].dst.family == 4 ? t->tx4 : t->tx6, &t->out[i]);
	if (t->tx4 != NULL)
		failed += user_tx_flush(t->tx4);
	if (t->tx6 != NULL)
		failed += user_tx_flush(t->tx6);
	return failed;
}

static void
count_failed(struct user_thread *t, unsigned failed)
{
	if (failed == 0)
		return;
	pthread_mutex_lock(&t->lock);
	t->stats.dropped[USER_SEND] += failed;
	pthread_mutex_unlock(&t->lock);
}

static void
forward(struct user_thread *t, struct user_rx *rx)
{
	unsigned n = USER_BATCH;

	for (unsigned round = 0; round < ROUNDS && n == USER_BATCH; round++) {
		n = user_rx_recv(rx);
		if (n > 0)
			count_failed(t, send_out(t, look_up(t, rx, n)));
	}
}

static void
serve(struct user_thread *t, struct user_rx *rx, short revents)
{
	if ((revents & POLLERR) != 0)
		user_rx_errors(rx);
	if (revents != 0)
		forward(t, rx);
}

static void *
run(void *arg)
{
	struct user_thread *t = arg;
	struct pollfd fds[] = {{.fd = t->fd4, .events = POLLIN}, {.fd = t->fd6, .events = POLLIN}, {.fd = t->stop, .events = POLLIN}};

	while (fds[2].revents == 0) {
		if (poll(fds, 3, -1) < 0)
			continue;
		serve(t, t->rx4, fds[0].revents);
		serve(t, t->rx6, fds[1].revents);
	}
	return NULL;
}

static int
open_sockets(struct user_thread *t)
{
	if (t->fd4 >= 0) {
		t->rx4 = user_rx_new(t->fd4, 4);
		t->tx4 = user_tx_new(t->fd4, 4);
	}
	if (t->fd6 >= 0) {
		t->rx6 = user_rx_new(t->fd6, 6);
		t->tx6 = user_tx_new(t->fd6, 6);
	}
	return (t->fd4 >= 0 && (t->rx4 == NULL || t->tx4 == NULL)) || (t->fd6 >= 0 && (t->rx6 == NULL || t->tx6 == NULL)) ? -1 : 0;
}

static void
dismantle(struct user_thread *t)
{
	user_rx_free(t->rx4);
	user_rx_free(t->rx6);
	user_tx_free(t->tx4);
	user_tx_free(t->tx6);
	user_gates_fini(&t->gates);
	pthread_mutex_destroy(&t->lock);
	free(t);
}

/* Signals are the main thread's. */
static int
create(struct user_thread *t)
{
	sigset_t all, was;
	int error;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &was);
	error = pthread_create(&t->id, NULL, run, t);
	pthread_sigmask(SIG_SETMASK, &was, NULL);
	return error;
}

struct user_thread *
user_thread_start(unsigned number, int fd4, int fd6, int stop, size_t gates)
{
	struct user_thread *t = calloc(1, sizeof(*t));
	uint64_t key[2];
	char name[16];
	int error;

	if (t == NULL)
		return NULL;
	t->fd4 = fd4;
	t->fd6 = fd6;
	t->stop = stop;
	pthread_mutex_init(&t->lock, NULL);
	clock_random(NULL, key, sizeof(key));
	if (!user_gates_init(&t->gates, gates, key, NULL) || open_sockets(t) != 0) {
		error = errno;
	} else {
		error = create(t);
		if (error == 0) {
			snprintf(name, sizeof(name), "forward/%u", number);
			pthread_setname_np(t->id, name);
			return t;
		}
	}
	dismantle(t);
	errno = error;
	return NULL;
}

void
user_thread_end(struct user_thread *t)
{
	if (t == NULL)
		return;
	pthread_join(t->id, NULL);
	dismantle(t);
}

struct user_gate *
user_thread_find(struct user_thread *t, const struct gate *gate)
{
	/* Only this thread changes the table, so it may read it without the lock. */
	return user_gates_find(&t->gates, &gate->src, &gate->dst, gate->call_id);
}

void
user_thread_add(struct user_thread *t, struct user_gate *gate)
{
	pthread_mutex_lock(&t->lock);
	user_gates_add(&t->gates, gate);
	pthread_mutex_unlock(&t->lock);
}

void
user_thread_del(struct user_thread *t, struct user_gate *gate)
{
	pthread_mutex_lock(&t->lock);
	user_gates_del(&t->gates, gate);
	pthread_mutex_unlock(&t->lock);
}

void
user_thread_read(struct user_thread *t, const struct user_gate *gate, uint64_t *pkts, uint64_t *bytes)
{
	pthread_mutex_lock(&t->lock);
	*pkts = gate->pkts;
	*bytes = gate->bytes;
	pthread_mutex_unlock(&t->lock);
}

void
user_thread_count(struct user_thread *t, struct user_gate *gate, uint64_t pkts, uint64_t bytes)
{
	pthread_mutex_lock(&t->lock);
	gate->pkts += pkts;
	gate->bytes += bytes;
	pthread_mutex_unlock(&t->lock);
}

void
user_thread_stats(struct user_thread *t, struct datapath_user_stats *stats)
{
	pthread_mutex_lock(&t->lock);
	stats->forwarded_pkts += t->stats.forwarded_pkts;
	stats->forwarded_bytes += t->stats.forwarded_bytes;
	for (unsigned i = 0; i < USER_DROPS; i++)
		stats->dropped[i] += t->stats.dropped[i];
	stats->gates += t->gates.count;
	pthread_mutex_unlock(&t->lock);
}
