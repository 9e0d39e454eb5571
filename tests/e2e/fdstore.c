/* fdstore - a service manager as small as can be, with a descriptor store.
 *
 *   fdstore COMMAND [ARGUMENT]...
 *
 * Runs the command with NOTIFY_SOCKET, and again whenever it ends, however it does. What it stores (FDSTORE=1) is kept under its
 * names until FDSTOREREMOVE=1, and left to each next process, newest first, as systemd does it (LISTEN_FDS). BARRIER=1 is answered.
 *   SIGHUP   restart: SIGUSR2 to the command (RestartKillSignal=SIGUSR2), and another one when it has ended
 *   SIGTERM  stop: SIGTERM to the command; then ends with its status
 * A command that ends within a second with an error, five times in a row, is given up.
 *
 * Tells on standard output, a line each: started PID DESCRIPTORS, ready, stopping, stored NAME, removed NAME COUNT, status TEXT,
 * ended PID exit|signal NUMBER. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { STORED_MAX = 16384, NAME_SIZE = 128, MESSAGE_FDS = 253, MESSAGE_SIZE = 4096, FAILURES_MAX = 5 };

struct stored {
	int fd; /* beyond the places of those passed */
	char name[NAME_SIZE];
};

struct manager {
	char **argv;
	char dir[32];
	char path[48];
	int fd, signal_fd;
	sigset_t before;
	pid_t child;
	time_t started;
	unsigned failures;
	bool stopping;
	size_t count;
	struct stored stored[STORED_MAX];
};

static void __attribute__((noreturn)) die(const char *what)
{
	fprintf(stderr, "fdstore: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void
tell(const char *what, const char *text)
{
	printf("%s%s%s\n", what, text[0] != '\0' ? " " : "", text);
	fflush(stdout);
}

/* --- what the command says --- */

static void
store(struct manager *m, const char *name, const int *fds, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (m->count == STORED_MAX) {
			fprintf(stderr, "fdstore: no room for %s\n", name);
			return;
		}
		m->stored[m->count].fd = fcntl(fds[i], F_DUPFD_CLOEXEC, 3 + STORED_MAX);
		if (m->stored[m->count].fd < 0)
			die("keeping a descriptor");
		snprintf(m->stored[m->count++].name, NAME_SIZE, "%s", name);
		tell("stored", name);
	}
}

static void
drop(struct manager *m, const char *name)
{
	size_t kept = 0;
	char text[NAME_SIZE + 32];

	for (size_t i = 0; i < m->count; i++) {
		if (strcmp(m->stored[i].name, name) == 0)
			close(m->stored[i].fd);
		else
			m->stored[kept++] = m->stored[i];
	}
	snprintf(text, sizeof(text), "%s %zu", name, m->count - kept);
	m->count = kept;
	tell("removed", text);
}

/* A BARRIER needs nothing but that its descriptor is closed in its turn. */
static void
obey(struct manager *m, char *message, const int *fds, size_t n)
{
	const char *name = "stored";
	bool stores = false, removes = false;
	char *rest;

	for (char *line = strtok_r(message, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) {
		if (strncmp(line, "FDNAME=", 7) == 0)
			name = line + 7;
		else if (strcmp(line, "FDSTORE=1") == 0)
			stores = true;
		else if (strcmp(line, "FDSTOREREMOVE=1") == 0)
			removes = true;
		else if (strcmp(line, "READY=1") == 0)
			tell("ready", "");
		else if (strcmp(line, "STOPPING=1") == 0)
			tell("stopping", "");
		else if (strncmp(line, "STATUS=", 7) == 0)
			tell("status", line + 7);
	}
	if (removes)
		drop(m, name);
	else if (stores)
		store(m, name, fds, n);
}

static void
read_message(struct manager *m)
{
	char control[CMSG_SPACE(MESSAGE_FDS * sizeof(int))] __attribute__((aligned(8))), text[MESSAGE_SIZE + 1];
	struct iovec iov = {text, MESSAGE_SIZE};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
	ssize_t len = recvmsg(m->fd, &msg, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	int fds[MESSAGE_FDS];
	size_t n = 0;

	if (len < 0)
		return;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c != NULL; c = CMSG_NXTHDR(&msg, c)) {
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
			n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
			memcpy(fds, CMSG_DATA(c), n * sizeof(int));
		}
	}
	text[len] = '\0';
	obey(m, text, fds, n);
	while (n > 0)
		close(fds[--n]);
}

static void
read_all_messages(struct manager *m)
{
	struct pollfd p = {.fd = m->fd, .events = POLLIN};

	while (poll(&p, 1, 0) == 1)
		read_message(m);
}

/* --- the command --- */

static void
set_number(const char *name, long value)
{
	char text[24];

	snprintf(text, sizeof(text), "%ld", value);
	setenv(name, text, 1);
}

static void __attribute__((noreturn)) become_command(struct manager *m)
{
	static char names[STORED_MAX * NAME_SIZE];
	char *at = names;

	for (size_t i = 0; i < m->count; i++) {
		const struct stored *s = &m->stored[m->count - 1 - i];

		if (dup2(s->fd, 3 + (int)i) < 0)
			die("dup2");
		at += sprintf(at, "%s%s", i > 0 ? ":" : "", s->name);
	}
	if (m->count > 0) {
		set_number("LISTEN_PID", getpid());
		set_number("LISTEN_FDS", (long)m->count);
		setenv("LISTEN_FDNAMES", names, 1);
	}
	setenv("NOTIFY_SOCKET", m->path, 1);
	sigprocmask(SIG_SETMASK, &m->before, NULL);
	execvp(m->argv[0], m->argv);
	die(m->argv[0]);
}

static void
start(struct manager *m)
{
	char text[64];

	m->started = time(NULL);
	m->child = fork();
	if (m->child < 0)
		die("fork");
	if (m->child == 0)
		become_command(m);
	snprintf(text, sizeof(text), "%d %zu", (int)m->child, m->count);
	tell("started", text);
}

static void __attribute__((noreturn)) leave(const struct manager *m, int status)
{
	unlink(m->path);
	rmdir(m->dir);
	exit(status);
}

static void
reap(struct manager *m)
{
	char text[64];
	int status;
	bool by_signal;

	if (waitpid(m->child, &status, WNOHANG) != m->child)
		return;
	by_signal = WIFSIGNALED(status);
	read_all_messages(m); /* its last words */
	snprintf(text, sizeof(text), "%d %s %d", (int)m->child, by_signal ? "signal" : "exit",
	    by_signal ? WTERMSIG(status) : WEXITSTATUS(status));
	tell("ended", text);
	if (m->stopping)
		leave(m, by_signal ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
	m->failures = !by_signal && WEXITSTATUS(status) != 0 && time(NULL) <= m->started + 1 ? m->failures + 1 : 0;
	if (m->failures == FAILURES_MAX) {
		fprintf(stderr, "fdstore: %s fails again and again\n", m->argv[0]);
		leave(m, 1);
	}
	start(m);
}

static void
read_signal(struct manager *m)
{
	struct signalfd_siginfo info;

	if (read(m->signal_fd, &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_signo == SIGHUP) {
		kill(m->child, SIGUSR2);
	} else if (info.ssi_signo != SIGCHLD) {
		m->stopping = true;
		kill(m->child, SIGTERM);
	}
	reap(m); /* signals of one kind that come together are one */
}

/* --- */

static void
open_sockets(struct manager *m)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	sigset_t signals;

	strcpy(m->dir, "/tmp/fdstore.XXXXXX");
	if (mkdtemp(m->dir) == NULL || chmod(m->dir, 0755) != 0)
		die("mkdtemp");
	snprintf(m->path, sizeof(m->path), "%s/notify", m->dir);
	memcpy(name.sun_path, m->path, strlen(m->path));
	m->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (m->fd < 0 || bind(m->fd, (struct sockaddr *)&name, sizeof(name)) != 0)
		die(m->path);
	/* As systemd's: anybody may write to it, an unprivileged worker too (NotifyAccess=all). */
	if (chmod(m->path, 0777) != 0)
		die(m->path);
	sigemptyset(&signals);
	sigaddset(&signals, SIGCHLD);
	sigaddset(&signals, SIGHUP);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigprocmask(SIG_BLOCK, &signals, &m->before);
	m->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC);
	if (m->signal_fd < 0)
		die("signalfd");
}

int
main(int argc, char **argv)
{
	static struct manager m;

	if (argc < 2) {
		fprintf(stderr, "usage: fdstore COMMAND [ARGUMENT]...\n");
		return 2;
	}
	m.argv = argv + 1;
	setrlimit(RLIMIT_NOFILE, &(struct rlimit){4 * STORED_MAX, 4 * STORED_MAX});
	open_sockets(&m);
	start(&m);
	for (;;) {
		struct pollfd p[] = {{.fd = m.fd, .events = POLLIN}, {.fd = m.signal_fd, .events = POLLIN}};

		if (poll(p, 2, -1) < 0)
			continue;
		if (p[0].revents != 0)
			read_message(&m);
		if (p[1].revents != 0)
			read_signal(&m);
	}
}
