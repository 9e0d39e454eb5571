/* The worker's side: requests queue in order, replies come back in order. */
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sys/priv_core.h"

enum { QUEUE_MAX = 65536 };

/* A request that has no reply yet. */
struct pending {
	TAILQ_ENTRY(pending) entry;
	priv_reply_fn fn;
	void *user;
	uint32_t seq;
	size_t len; /* of message; 0 once it was sent */
	void *message;
	struct priv_given with; /* copies, until it is sent */
};

TAILQ_HEAD(pending_list, pending);

struct priv {
	int fd;                 /* -1: inline */
	struct priv_core *core; /* inline */
	uint32_t seq;
	size_t count;
	struct pending_list unsent, sent;
	struct event *readable, *writable, *scripts;
	void (*lost)(void *user);
	void *lost_user;
	bool is_lost;
};

struct priv *
priv_new(int fd, struct priv_core *core)
{
	struct priv *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	p->fd = fd;
	p->core = core;
	TAILQ_INIT(&p->unsent);
	TAILQ_INIT(&p->sent);
	return p;
}

static void
close_copies(struct pending *r)
{
	while (r->with.count > 0)
		close(r->with.fds[--r->with.count]);
}

static void
free_pending(struct pending *r)
{
	close_copies(r);
	free(r->message);
	free(r);
}

static void
free_list(struct pending_list *list)
{
	struct pending *r;

	while ((r = TAILQ_FIRST(list)) != NULL) {
		TAILQ_REMOVE(list, r, entry);
		free_pending(r);
	}
}

static void
free_event(struct event *ev)
{
	if (ev != NULL)
		event_free(ev);
}

static int do_inline(struct priv *p);

/* As the monitor does when its worker has ended: what was asked for is done, but nobody is told. */
static void
end_inline(struct priv *p)
{
	struct pending *r;

	TAILQ_FOREACH(r, &p->unsent, entry)
	r->fn = NULL;
	while (do_inline(p) == 1)
		continue;
	priv_core_end(p->core, 0);
	priv_core_fini(p->core);
	free(p->core);
}

void
priv_free(struct priv *p)
{
	if (p == NULL)
		return;
	free_event(p->readable);
	free_event(p->writable);
	free_event(p->scripts);
	if (p->core != NULL)
		end_inline(p);
	free_list(&p->unsent);
	free_list(&p->sent);
	if (p->fd >= 0)
		close(p->fd);
	free(p);
}

static void
say_lost(struct priv *p)
{
	if (p->is_lost)
		return;
	p->is_lost = true;
	if (p->readable != NULL)
		event_del(p->readable);
	if (p->writable != NULL)
		event_del(p->writable);
	if (p->lost != NULL)
		p->lost(p->lost_user);
}

/* --- sending ------------------------------------------------------------------------ */

static ssize_t
send_pending(int fd, struct pending *r)
{
	PRIV_CONTROL(PRIV_SEND_FDS) control;
	struct iovec iov = {r->message, r->len};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

	if (r->with.count > 0)
		priv_put_fds(&msg, &control, r->with.fds, r->with.count);
	return sendmsg(fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* Sends what the socket takes. False when the monitor is gone. */
static bool
flush_unsent(struct priv *p)
{
	struct pending *r;

	while ((r = TAILQ_FIRST(&p->unsent)) != NULL) {
		if (send_pending(p->fd, r) < 0) {
			/* ETOOMANYREFS: of descriptors on their way, until the monitor has taken some. */
			if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR || errno == ENOBUFS || errno == ETOOMANYREFS)
				break;
			return false;
		}
		TAILQ_REMOVE(&p->unsent, r, entry);
		TAILQ_INSERT_TAIL(&p->sent, r, entry);
		free(r->message);
		r->message = NULL;
		r->len = 0;
		close_copies(r);
	}
	if (p->writable != NULL && r != NULL)
		event_add(p->writable, NULL);
	return true;
}

/* Its owner may close his before they are sent. */
static bool
copy_fds(struct pending *r, const int *fds, size_t count)
{
	if (count > PRIV_SEND_FDS)
		return false;
	for (size_t i = 0; i < count; i++) {
		int fd = fcntl(fds[i], F_DUPFD_CLOEXEC, 3);

		if (fd < 0)
			return false;
		r->with.fds[r->with.count++] = fd;
	}
	return true;
}

static struct pending *
new_pending(struct priv *p, const struct priv_request *request, const int *fds, size_t count, priv_reply_fn fn, void *user)
{
	size_t len = priv_request_len(request);
	struct pending *r = len > 0 && p->count < QUEUE_MAX && !p->is_lost ? calloc(1, sizeof(*r)) : NULL;

	if (r == NULL)
		return NULL;
	r->fn = fn;
	r->user = user;
	r->len = offsetof(struct priv_message, request) + len;
	r->message = calloc(1, r->len);
	if (r->message == NULL || !copy_fds(r, fds, count)) {
		free_pending(r);
		return NULL;
	}
	r->seq = ++p->seq;
	memcpy(r->message, &r->seq, sizeof(r->seq));
	memcpy((char *)r->message + offsetof(struct priv_message, request), request, len);
	TAILQ_INSERT_TAIL(&p->unsent, r, entry);
	p->count++;
	return r;
}

int
priv_send(struct priv *p, const struct priv_request *request, priv_reply_fn fn, void *user)
{
	return priv_send_fds(p, request, NULL, 0, fn, user);
}

int
priv_send_fds(struct priv *p, const struct priv_request *request, const int *fds, size_t count, priv_reply_fn fn, void *user)
{
	if (new_pending(p, request, fds, count, fn, user) == NULL)
		return -1;
	if (p->core != NULL) {
		/* Done from the loop, so that fn is never called from here. */
		if (p->readable != NULL)
			event_active(p->readable, EV_READ, 0);
	} else if (!flush_unsent(p) && p->readable != NULL) {
		event_active(p->readable, EV_READ, 0); /* finds the socket closed */
	}
	return 0;
}

const char *
priv_refusal(const struct priv *p)
{
	return p->is_lost ? "the monitor is gone" : "the monitor is overloaded";
}

/* --- replies -------------------------------------------------------------------------- */

static void
finish(struct priv *p, struct pending_list *list, const struct priv_reply *reply, const int *fds)
{
	struct pending *r = TAILQ_FIRST(list);

	TAILQ_REMOVE(list, r, entry);
	p->count--;
	if (r->fn != NULL) {
		r->fn(r->user, reply, fds);
	} else {
		for (size_t i = 0; i < reply->fds; i++)
			close(fds[i]);
	}
	free_pending(r);
}

/* The answer to the oldest request, whole. */
static bool
answers_oldest(const struct priv *p, const struct priv_answer *answer, ssize_t n)
{
	return n >= (ssize_t)offsetof(struct priv_answer, reply.program.data) && (size_t)n == priv_answer_len(answer) &&
	       !TAILQ_EMPTY(&p->sent) && answer->seq == TAILQ_FIRST(&p->sent)->seq;
}

/* Takes one reply from the monitor. 1: done, 0: none there, -1: the monitor is gone. */
static int
take_reply(struct priv *p)
{
	PRIV_CONTROL(PRIV_MAX_FDS) control;
	int fds[PRIV_MAX_FDS];
	struct priv_answer answer;
	struct iovec iov = {&answer, sizeof(answer)};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
	ssize_t n = recvmsg(p->fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	size_t count;

	if (n < 0)
		return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? 0 : -1;
	count = n > 0 ? priv_take_fds(&msg, fds, PRIV_MAX_FDS) : 0;
	if (!answers_oldest(p, &answer, n))
		return -1;
	if (answer.reply.fds > count) {
		/* Descriptors that this process had no room for arrive cut off. */
		for (size_t i = 0; i < count; i++)
			close(fds[i]);
		answer.reply = (struct priv_reply){.error = EMFILE};
	}
	finish(p, &p->sent, &answer.reply, fds);
	return 1;
}

/* Inline: does the oldest request. */
static int
do_inline(struct priv *p)
{
	struct pending *r = TAILQ_FIRST(&p->unsent);
	int fds[PRIV_MAX_FDS];
	struct priv_reply reply;

	if (r == NULL)
		return 0;
	priv_core_handle(p->core, (char *)r->message + offsetof(struct priv_message, request),
	    r->len - offsetof(struct priv_message, request), &r->with, &reply, fds);
	r->with.count = 0; /* they went with the request */
	finish(p, &p->unsent, &reply, fds);
	return 1;
}

static void
on_readable(evutil_socket_t fd, short events, void *arg)
{
	struct priv *p = arg;
	int r = 1;

	(void)fd, (void)events;
	/* A bound keeps the loop fair; what is left shows up again. */
	for (int i = 0; i < 64 && r == 1; i++)
		r = p->core != NULL ? do_inline(p) : take_reply(p);
	if (r < 0)
		say_lost(p);
	else if (p->core != NULL && r == 1)
		event_active(p->readable, EV_READ, 0);
}

static void
on_writable(evutil_socket_t fd, short events, void *arg)
{
	struct priv *p = arg;

	(void)fd, (void)events;
	if (!flush_unsent(p))
		say_lost(p);
}

static void
on_scripts(evutil_socket_t fd, short events, void *arg)
{
	struct priv *p = arg;

	(void)fd, (void)events;
	priv_scripts_service(p->core->scripts);
}

int
priv_attach(struct priv *p, struct event_base *base, void (*lost)(void *user), void *user)
{
	p->lost = lost;
	p->lost_user = user;
	if (p->core != NULL) {
		p->readable = event_new(base, -1, 0, on_readable, p);
		p->scripts = event_new(base, priv_scripts_fd(p->core->scripts), EV_READ | EV_PERSIST, on_scripts, p);
		if (p->readable == NULL || p->scripts == NULL || event_add(p->scripts, NULL) != 0)
			return -1;
		event_active(p->readable, EV_READ, 0);
		return 0;
	}
	p->readable = event_new(base, p->fd, EV_READ | EV_PERSIST, on_readable, p);
	p->writable = event_new(base, p->fd, EV_WRITE, on_writable, p);
	if (p->readable == NULL || p->writable == NULL || event_add(p->readable, NULL) != 0)
		return -1;
	return flush_unsent(p) ? 0 : -1;
}

struct waiter {
	bool done;
	struct priv_reply *reply;
	int *fds;
};

static void
wake(void *user, const struct priv_reply *reply, const int *fds)
{
	struct waiter *w = user;

	w->done = true;
	*w->reply = *reply;
	memcpy(w->fds, fds, reply->fds * sizeof(int));
}

/* Waits for the socket and goes on with what it allows. */
static bool
step(struct priv *p)
{
	struct pollfd pfd = {.fd = p->fd, .events = TAILQ_EMPTY(&p->unsent) ? POLLIN : POLLIN | POLLOUT};

	if (p->core != NULL)
		return do_inline(p) >= 0;
	if (poll(&pfd, 1, -1) < 0)
		return errno == EINTR;
	return flush_unsent(p) && take_reply(p) >= 0;
}

int
priv_call(struct priv *p, const struct priv_request *request, struct priv_reply *reply, int *fds)
{
	return priv_call_fds(p, request, NULL, 0, reply, fds);
}

int
priv_call_fd(struct priv *p, const struct priv_request *request)
{
	struct priv_reply reply;
	int fds[PRIV_MAX_FDS];

	if (priv_call(p, request, &reply, fds) == 0 && reply.fds == 1)
		return fds[0];
	errno = reply.error;
	return -1;
}

int
priv_call_fds(struct priv *p, const struct priv_request *request, const int *send, size_t count, struct priv_reply *reply, int *fds)
{
	struct waiter w = {.reply = reply, .fds = fds};

	*reply = (struct priv_reply){.error = EPIPE};
	if (new_pending(p, request, send, count, wake, &w) == NULL) {
		reply->error = priv_request_len(request) == 0 ? EINVAL : ENOBUFS;
		return -1;
	}
	while (!w.done) {
		if (!step(p)) {
			/* The waiter is about to go: nobody may call it any more. */
			free_list(&p->unsent);
			free_list(&p->sent);
			p->count = 0;
			say_lost(p);
			return -1;
		}
	}
	return reply->error == 0 ? 0 : -1;
}
