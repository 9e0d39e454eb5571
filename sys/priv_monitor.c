/* The monitor's loop: requests in, replies out, signals on to the worker, scripts watched. It keeps at most one reply in hand: a
 * worker that does not read its replies gets no more requests served. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/log.h"
#include "sys/priv_core.h"

/* More can't wait in the socket, unless somebody else writes to it. */
enum { LAST_REQUESTS = 65536 };

struct monitor {
	struct priv_core *core;
	int fd, signal_fd, worker_fd;
	pid_t worker;
	bool holding; /* answer waits for room in the socket */
	struct priv_answer answer;
	int fds[PRIV_MAX_FDS];
	struct priv_message message;
};

/* Sends the answer in hand; its descriptors are the worker's from then on, and closed here at once: each copy of a TUN descriptor
 * costs its last holder a wait when it is closed. */
static void
send_answer(struct monitor *m)
{
	PRIV_CONTROL(PRIV_MAX_FDS) control;
	struct iovec iov = {&m->answer, priv_answer_len(&m->answer)};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	size_t count = m->answer.reply.fds;

	if (count > 0)
		priv_put_fds(&msg, &control, m->fds, count);
	m->holding = sendmsg(m->fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
	for (size_t i = 0; i < count && !m->holding; i++)
		close(m->fds[i]);
}

/* 1: took one, 0: none there, -1: no more can come: the worker has closed its end (or sent an empty message, which it never does). */
static int
take_request(struct monitor *m)
{
	PRIV_CONTROL(PRIV_SEND_FDS) control;
	struct iovec iov = {&m->message, sizeof(m->message)};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
	/* MSG_TRUNC: the true length, so that a message that is too long is seen to be. */
	ssize_t n = recvmsg(m->fd, &msg, MSG_DONTWAIT | MSG_TRUNC | MSG_CMSG_CLOEXEC);
	struct priv_given given = {0};

	if (n < 0)
		return errno != EAGAIN && errno != EWOULDBLOCK; /* a reset is said once, before what waits is read */
	given.count = priv_take_fds(&msg, given.fds, PRIV_SEND_FDS);
	given.cut = (msg.msg_flags & MSG_CTRUNC) != 0;
	if (n <= (ssize_t)sizeof(m->message.seq)) {
		for (size_t i = 0; i < given.count; i++)
			close(given.fds[i]);
		return n > 0 ? 1 : -1;
	}
	m->answer = (struct priv_answer){.seq = m->message.seq};
	priv_core_handle(
	    m->core, &m->message.request, (size_t)n - offsetof(struct priv_message, request), &given, &m->answer.reply, m->fds);
	send_answer(m);
	return 1;
}

/* The worker has ended: what it asked for last is done all the same, but nobody reads the answers. */
static void
take_last_requests(struct monitor *m)
{
	for (size_t i = 0; m->holding && i < m->answer.reply.fds; i++)
		close(m->fds[i]);
	m->holding = false;
	for (unsigned i = 0; i < LAST_REQUESTS && take_request(m) == 1; i++)
		continue;
}

static void
pass_signal(struct monitor *m)
{
	struct signalfd_siginfo info;

	if (read(m->signal_fd, &info, sizeof(info)) == sizeof(info))
		kill(m->worker, (int)info.ssi_signo);
}

static int
worker_status(struct monitor *m)
{
	int status;

	if (waitpid(m->worker, &status, 0) != m->worker)
		return 1;
	if (WIFSIGNALED(status)) {
		log_event(LOG_LEVEL_ERROR, "worker", "pid=%d signal=%d reason=\"the worker was killed; undoing what it had set up\"",
		    (int)m->worker, WTERMSIG(status));
		return 128 + WTERMSIG(status);
	}
	return WEXITSTATUS(status);
}

void
priv_passed_signals(sigset_t *set)
{
	static const int passed[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2};

	sigemptyset(set);
	for (size_t i = 0; i < sizeof(passed) / sizeof(passed[0]); i++)
		sigaddset(set, passed[i]);
}

int
priv_monitor_run(struct priv_core *core, int fd, int worker_pid, const sigset_t *before)
{
	struct monitor m = {.core = core, .fd = fd, .worker = worker_pid};
	sigset_t signals, mask;

	/* A log that nobody reads any more must not end the process that cleans up. */
	signal(SIGPIPE, SIG_IGN);
	priv_passed_signals(&signals);
	/* Those that wait already are read from the descriptor. */
	sigprocmask(SIG_BLOCK, &signals, NULL);
	m.signal_fd = signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
	m.worker_fd = (int)syscall(SYS_pidfd_open, worker_pid, 0);
	if (before != NULL) {
		sigorset(&mask, before, &signals);
		sigprocmask(SIG_SETMASK, &mask, NULL);
	}
	if (m.signal_fd < 0 || m.worker_fd < 0) {
		log_event(LOG_LEVEL_ERROR, "monitor", "error=\"%m\"");
		kill(m.worker, SIGKILL);
		return worker_status(&m);
	}
	for (;;) {
		struct pollfd p[] = {{.fd = m.worker_fd, .events = POLLIN}, {.fd = m.signal_fd, .events = POLLIN},
		    {.fd = priv_scripts_fd(core->scripts), .events = POLLIN}, {.fd = fd, .events = m.holding ? POLLOUT : POLLIN}};

		/* A socket that was shut down says so until the worker has ended: it must not be asked again and again. */
		if (poll(p, 4, -1) < 0)
			continue;
		if (p[1].revents != 0)
			pass_signal(&m);
		if (p[2].revents != 0)
			priv_scripts_service(core->scripts);
		if ((p[3].revents & (POLLIN | POLLOUT)) != 0) {
			if (m.holding)
				send_answer(&m);
			else if (take_request(&m) < 0)
				fd = -1;
		}
		if (p[0].revents != 0)
			break;
		if ((p[3].revents & POLLHUP) != 0 && (p[3].revents & POLLIN) == 0)
			fd = -1;
	}
	take_last_requests(&m);
	close(m.signal_fd);
	close(m.worker_fd);
	return worker_status(&m);
}
