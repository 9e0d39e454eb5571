#include "pptpc/resolve.h"

#include <event2/event.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* What the thread sends back, as one datagram. */
struct answer {
	int error;
	uint32_t count;
	struct addr addrs[RESOLVE_MAX_ADDRS];
};

/* The thread's own: a look-up that hangs outlives the request. */
struct job {
	int fd;
	char name[256];
};

struct resolve {
	struct event *event;
	int fd;
	resolve_fn fn;
	void *user;
};

static bool
take_address(struct addr *a, const struct sockaddr *sa)
{
	if (sa->sa_family == AF_INET)
		*a = addr_v4((const uint8_t *)&((const struct sockaddr_in *)(const void *)sa)->sin_addr);
	else if (sa->sa_family == AF_INET6)
		*a = addr_v6((const uint8_t *)&((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr);
	else
		return false;
	return true;
}

static void
look_up(const char *name, struct answer *answer)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
	struct addrinfo *list = NULL;

	memset(answer, 0, sizeof(*answer));
	answer->error = getaddrinfo(name, NULL, &hints, &list);
	if (answer->error != 0)
		return;
	for (struct addrinfo *ai = list; ai != NULL && answer->count < RESOLVE_MAX_ADDRS; ai = ai->ai_next)
		if (take_address(&answer->addrs[answer->count], ai->ai_addr))
			answer->count++;
	freeaddrinfo(list);
}

static void *
run_job(void *arg)
{
	struct job *job = arg;
	struct answer answer;

	look_up(job->name, &answer);
	/* One datagram; when nobody waits any more it goes nowhere. */
	(void)send(job->fd, &answer, sizeof(answer), MSG_NOSIGNAL);
	close(job->fd);
	free(job);
	return NULL;
}

static void
on_answer(evutil_socket_t fd, short what, void *arg)
{
	struct resolve *r = arg;
	resolve_fn fn = r->fn;
	void *user = r->user;
	struct answer answer = {.error = RESOLVE_TIMEOUT};

	if ((what & EV_READ) && read(fd, &answer, sizeof(answer)) != (ssize_t)sizeof(answer))
		answer = (struct answer){.error = EAI_SYSTEM};
	resolve_cancel(r);
	fn(user, answer.error, answer.addrs, answer.count);
}

/* Signals are the main thread's, so all are blocked while the new one starts. */
static int
start_thread(struct job *job)
{
	pthread_attr_t attr;
	pthread_t thread;
	sigset_t all, old;
	int rc;

	if (pthread_attr_init(&attr) != 0)
		return -1;
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&thread, &attr, run_job, job);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	return rc;
}

static bool
start_job(const char *name, int fd)
{
	struct job *job = calloc(1, sizeof(*job));

	if (job == NULL) {
		close(fd);
		return false;
	}
	job->fd = fd;
	snprintf(job->name, sizeof(job->name), "%s", name);
	if (start_thread(job) == 0)
		return true;
	close(fd);
	free(job);
	return false;
}

struct resolve *
resolve_start(struct event_base *base, const char *name, uint64_t timeout_ns, resolve_fn fn, void *user)
{
	const struct timeval timeout = {
	    .tv_sec = (time_t)(timeout_ns / 1000000000), .tv_usec = (suseconds_t)(timeout_ns % 1000000000 / 1000)};
	struct resolve *r = calloc(1, sizeof(*r));
	int fds[2];

	if (r == NULL || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) != 0) {
		free(r);
		return NULL;
	}
	*r = (struct resolve){.fd = fds[0], .fn = fn, .user = user};
	r->event = event_new(base, fds[0], EV_READ, on_answer, r);
	/* start_job() owns its end from here on. */
	if (!start_job(name, fds[1]) || r->event == NULL || event_add(r->event, &timeout) != 0) {
		resolve_cancel(r);
		return NULL;
	}
	return r;
}

void
resolve_cancel(struct resolve *r)
{
	if (r == NULL)
		return;
	if (r->event != NULL)
		event_free(r->event);
	close(r->fd);
	free(r);
}
