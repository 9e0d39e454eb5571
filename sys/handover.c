/* sd_listen_fds(3) and sd_notify(3), as far as they are needed here; the protocol is small and libsystemd is not everywhere. */
#include "sys/handover.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "sys/clock.h"

enum {
	FIRST = 3,         /* the first descriptor passed */
	MESSAGE_FDS = 253, /* the kernel's limit */
	NAMES_MAX = 131072 - sizeof("LISTEN_FDNAMES="),
	WAIT_MS = 5000,
	SELECT_MAX = 1024, /* FD_SETSIZE */
	FEW = 256,
	STORE_SINGLY = 1024,
	BUNDLE_BYTES = 4 << 20,
};

/* A socket in whose queue the others wait. systemd compares each descriptor that it is to store with all that it has, which takes
 * minutes where there are thousands. */
static const char bundle_name[] = "bundle";

/* --- taking ------------------------------------------------------------------- */

/* A number of digits only, at most max; -1 for anything else. */
static long
number(const char *text, long max)
{
	char *end;
	long n;

	if (text == NULL || text[0] < '0' || text[0] > '9')
		return -1;
	errno = 0;
	n = strtol(text, &end, 10);
	return errno == 0 && *end == '\0' && n <= max ? n : -1;
}

static void
clear_environment(void)
{
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_PIDFDID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
}

/* Copies the name at *names, if there is one, and goes to the next. */
static void
next_name(const char **names, char name[HANDOVER_NAME])
{
	size_t len = *names != NULL ? strcspn(*names, ":") : 0;

	snprintf(name, HANDOVER_NAME, "%.*s", len > 0 ? (int)len : (int)strlen("unknown"), len > 0 ? *names : "unknown");
	if (*names != NULL)
		*names = (*names)[len] == ':' ? *names + len + 1 : NULL;
}

/* Libraries that use select(2) can't do with sockets beyond the low numbers, which thousands of descriptors must leave to them. */
static void
leave_low(struct handover_fd *fds, size_t n)
{
	for (size_t i = 0; i < n && n > FEW; i++) {
		int fd = fds[i].fd < SELECT_MAX ? fcntl(fds[i].fd, F_DUPFD_CLOEXEC, SELECT_MAX) : -1;

		if (fd < 0)
			continue;
		close(fds[i].fd);
		fds[i].fd = fd;
	}
}

/* Takes a message's descriptors, at most max; further ones are closed. flags: of recvmsg(2). -1 when there are no more messages. */
static ssize_t
take_message(int bundle, int flags, struct handover_fd *fds, size_t max)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(MESSAGE_FDS * sizeof(int))];
	} control;
	char name[HANDOVER_NAME] = "";
	struct iovec iov = {name, sizeof(name) - 1};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
	int passed[MESSAGE_FDS];
	size_t n = 0, taken = 0;

	if (recvmsg(bundle, &msg, flags | MSG_DONTWAIT | MSG_CMSG_CLOEXEC) <= 0)
		return -1;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c != NULL; c = CMSG_NXTHDR(&msg, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(passed, CMSG_DATA(c), n * sizeof(int));
	}
	for (size_t i = 0; i < n; i++) {
		if (taken == max) {
			close(passed[i]);
			continue;
		}
		fds[taken].fd = passed[i];
		memcpy(fds[taken++].name, name, sizeof(name));
	}
	return (ssize_t)taken;
}

/* Copies are taken, one message behind the other, so that the store keeps all of them for whoever comes if this process does not get
 * far. */
static int
copying(int bundle)
{
	static const int first = 0;

	return setsockopt(bundle, SOL_SOCKET, SO_PEEK_OFF, &first, sizeof(first)) == 0 ? MSG_PEEK : 0;
}

/* Puts what is in bundles in their place. */
static size_t
unpack(struct handover_fd *fds, size_t n, size_t max)
{
	for (size_t i = 0; i < n;) {
		ssize_t more = 0;
		int bundle, flags;

		if (strcmp(fds[i].name, bundle_name) != 0) {
			i++;
			continue;
		}
		bundle = fds[i].fd;
		fds[i] = fds[--n];
		flags = copying(bundle);
		while ((more = take_message(bundle, flags, fds + n, max - n)) >= 0)
			n += (size_t)more;
		close(bundle);
	}
	return n;
}

size_t
handover_take(struct handover_fd *fds, size_t max)
{
	bool ours = number(getenv("LISTEN_PID"), INT_MAX) == getpid();
	long count = ours ? number(getenv("LISTEN_FDS"), INT_MAX - FIRST) : 0;
	const char *names = getenv("LISTEN_FDNAMES");
	size_t n = 0;

	for (int fd = FIRST; fd < FIRST + count; fd++) {
		char name[HANDOVER_NAME];

		next_name(&names, name);
		if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) {
			if (fd > sysconf(_SC_OPEN_MAX))
				break;
			continue;
		}
		if (n == max) {
			close(fd);
			continue;
		}
		fds[n].fd = fd;
		memcpy(fds[n++].name, name, sizeof(name));
	}
	clear_environment();
	n = unpack(fds, n, max);
	leave_low(fds, n);
	return n;
}

/* --- the service manager -------------------------------------------------------- */

bool
handover_managed(void)
{
	const char *path = getenv("NOTIFY_SOCKET");

	return path != NULL && (path[0] == '/' || path[0] == '@') && path[1] != '\0';
}

/* Connected, so that it can be waited for until the manager has read some. */
static int
open_manager(void)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	const char *path = getenv("NOTIFY_SOCKET");
	size_t len = handover_managed() ? strlen(path) : 0;
	int fd;

	if (len == 0 || len >= sizeof(name.sun_path)) {
		errno = len == 0 ? ENOTCONN : ENAMETOOLONG;
		return -1;
	}
	memcpy(name.sun_path, path, len);
	if (path[0] == '@')
		name.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&name, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) == 0)
		return fd;
	close(fd);
	return -1;
}

/* 0 when the event came before the deadline. */
static int
wait_for(int fd, short events, uint64_t deadline)
{
	for (;;) {
		struct pollfd p = {.fd = fd, .events = events};
		uint64_t now = clock_ts();
		int n = now < deadline ? poll(&p, 1, (int)((deadline - now) / 1000000 + 1)) : 0;

		if (n > 0)
			return 0;
		if (n == 0) {
			errno = ETIMEDOUT;
			return -1;
		}
		if (errno != EINTR)
			return -1;
	}
}

static int
send_state(int manager, const char *state, const int *fds, size_t n, uint64_t deadline)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(MESSAGE_FDS * sizeof(int))];
	} control;
	struct iovec iov = {(void *)(uintptr_t)state, strlen(state)};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

	if (n > 0) {
		struct cmsghdr *c;

		memset(&control, 0, sizeof(control));
		msg.msg_control = &control;
		msg.msg_controllen = CMSG_SPACE(n * sizeof(int));
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(n * sizeof(int));
		memcpy(CMSG_DATA(c), fds, n * sizeof(int));
	}
	while (sendmsg(manager, &msg, MSG_NOSIGNAL) < 0) {
		if (errno != EAGAIN && errno != EINTR && errno != ENOBUFS)
			return -1;
		if (wait_for(manager, POLLOUT, deadline) != 0)
			return -1;
	}
	return 0;
}

static int
close_keep_errno(int fd, int result)
{
	int saved = errno;

	close(fd);
	errno = saved;
	return result;
}

static uint64_t
deadline_from_now(void)
{
	return clock_ts() + WAIT_MS * UINT64_C(1000000);
}

int
handover_notify(const char *state)
{
	int manager = handover_managed() ? open_manager() : -1;

	if (!handover_managed())
		return 0;
	return manager < 0 ? -1 : close_keep_errno(manager, send_state(manager, state, NULL, 0, deadline_from_now()));
}

static bool
name_ok(const char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
	size_t len = strspn(name, letters);

	return len > 0 && len < HANDOVER_NAME && name[len] == '\0';
}

/* Checks names and their length together; the length with separators, or -1 with errno. */
static int
names_length(const struct handover_fd *fds, size_t n)
{
	size_t total = 0;

	for (size_t i = 0; i < n; i++) {
		if (!name_ok(fds[i].name)) {
			errno = EINVAL;
			return -1;
		}
		total += strlen(fds[i].name) + 1;
	}
	if (total < NAMES_MAX)
		return (int)total;
	errno = E2BIG;
	return -1;
}

/* Sends the first descriptors that have one name, with that name behind the prefix; returns how many, 0 with errno. */
static size_t
send_some(int to, const char *prefix, const struct handover_fd *fds, size_t n, uint64_t deadline)
{
	char state[64 + HANDOVER_NAME];
	int batch[MESSAGE_FDS];
	size_t count = 0;

	while (count < n && count < MESSAGE_FDS && strcmp(fds[count].name, fds[0].name) == 0) {
		batch[count] = fds[count].fd;
		count++;
	}
	snprintf(state, sizeof(state), "%s%s", prefix, fds[0].name);
	return send_state(to, state, batch, count, deadline) == 0 ? count : 0;
}

static int
send_all(int to, const char *prefix, const struct handover_fd *fds, size_t n, uint64_t deadline)
{
	for (size_t done = 0, some; done < n; done += some) {
		some = send_some(to, prefix, fds + done, n - done, deadline);
		if (some == 0)
			return -1;
	}
	return 0;
}

/* A socket whose peer is gone is kept too (FDPOLL=0): the next process shall see that. */
static int
store_singly(int manager, const struct handover_fd *fds, size_t n, uint64_t deadline)
{
	return send_all(manager, "FDSTORE=1\nFDPOLL=0\nFDNAME=", fds, n, deadline);
}

/* The manager closes the pipe's end when it has come to this message, and so has dealt with those before. */
static int
barrier(int manager, uint64_t deadline)
{
	int p[2], result;

	if (pipe2(p, O_CLOEXEC) != 0)
		return -1;
	result = close_keep_errno(p[1], send_state(manager, "BARRIER=1", &p[1], 1, deadline));
	if (result == 0)
		result = wait_for(p[0], POLLIN, deadline);
	return close_keep_errno(p[0], result);
}

static int
store_bundle(int manager, const struct handover_fd *fds, size_t n, uint64_t deadline)
{
	struct handover_fd bundle;
	int pair[2], room = BUNDLE_BYTES, result;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0)
		return -1;
	/* As root; the usual size is enough for some thousands. */
	if (setsockopt(pair[0], SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room)) != 0)
		setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	bundle.fd = pair[1];
	memcpy(bundle.name, bundle_name, sizeof(bundle_name));
	result = send_all(pair[0], "", fds, n, deadline);
	if (result == 0)
		result = store_singly(manager, &bundle, 1, deadline);
	if (result == 0)
		result = barrier(manager, deadline);
	close_keep_errno(pair[1], 0);
	return close_keep_errno(pair[0], result);
}

int
handover_store(const struct handover_fd *fds, size_t n)
{
	uint64_t deadline = deadline_from_now();
	int manager = names_length(fds, n) >= 0 ? open_manager() : -1;

	if (manager < 0)
		return -1;
	if (n > STORE_SINGLY)
		return close_keep_errno(manager, store_bundle(manager, fds, n, deadline));
	if (store_singly(manager, fds, n, deadline) != 0)
		return close_keep_errno(manager, -1);
	return close_keep_errno(manager, barrier(manager, deadline));
}

static void
unstore(const char *name)
{
	char state[64 + HANDOVER_NAME];
	int manager = open_manager();

	if (manager < 0)
		return;
	snprintf(state, sizeof(state), "FDSTOREREMOVE=1\nFDNAME=%s", name);
	send_state(manager, state, NULL, 0, deadline_from_now());
	close(manager);
}

/* Whether an earlier one has this name: thousands share one, which is found at once. */
static bool
name_again(const struct handover_fd *fds, size_t i)
{
	size_t first = 0;

	while (strcmp(fds[first].name, fds[i].name) != 0)
		first++;
	return first < i;
}

void
handover_empty(const struct handover_fd *taken, size_t n)
{
	if (n == 0 || !handover_managed())
		return;
	for (size_t i = 0; i < n; i++)
		if (name_ok(taken[i].name) && !name_again(taken, i))
			unstore(taken[i].name);
	unstore(bundle_name);
}

/* --- executing oneself anew ---------------------------------------------------------- */

/* One place of the row of descriptors that the next process finds. */
struct place {
	size_t which; /* of the descriptors comes there */
	int from;     /* copy of it, beyond the row; -1: it is there already */
	int saved;    /* copy of what was there; -1: nothing */
};

static bool
is_there(const struct handover_fd *fds, const struct place *places, size_t at)
{
	return fds[places[at].which].fd == FIRST + (int)at;
}

/* Where in the row of n a descriptor stands by its number; n or beyond: outside of it. */
static size_t
place_of(int fd, size_t n)
{
	return fd >= FIRST ? (size_t)(fd - FIRST) : n;
}

/* Who has a number of the row keeps it, and the others fill the gaps: to move thousands would take as many descriptors more, twice. */
static void
assign_places(struct place *places, const struct handover_fd *fds, size_t n)
{
	size_t gap = 0;

	for (size_t at = 0; at < n; at++)
		places[at] = (struct place){.which = n, .from = -1, .saved = -1};
	for (size_t i = 0; i < n; i++) {
		size_t at = place_of(fds[i].fd, n);

		if (at < n)
			places[at].which = i;
	}
	for (size_t i = 0; i < n; i++) {
		size_t at = place_of(fds[i].fd, n);

		if (at < n && places[at].which == i)
			continue;
		while (places[gap].which < n)
			gap++;
		places[gap].which = i;
	}
}

/* Nothing is changed yet: copies only. False with errno; the places are whole up to *made then. */
static bool
prepare_places(struct place *places, const struct handover_fd *fds, size_t n, size_t *made)
{
	int beyond = FIRST + (int)n;

	for (*made = 0; *made < n; (*made)++) {
		struct place *p = &places[*made];
		int fd = fds[p->which].fd;

		if (is_there(fds, places, *made)) {
			if (fcntl(fd, F_GETFD) < 0)
				return false;
			continue;
		}
		p->from = fcntl(fd, F_DUPFD_CLOEXEC, beyond);
		if (p->from < 0)
			return false;
		p->saved = fcntl(FIRST + (int)*made, F_DUPFD_CLOEXEC, beyond);
		if (p->saved < 0 && errno != EBADF) {
			close_keep_errno(p->from, 0);
			return false;
		}
	}
	return true;
}

static void
restore_place(const struct place *p, int at, bool moved)
{
	if (moved && p->from < 0)
		fcntl(at, F_SETFD, FD_CLOEXEC);
	else if (moved && p->saved < 0)
		close(at);
	else if (moved)
		dup3(p->saved, at, O_CLOEXEC);
	if (p->from >= 0)
		close(p->from);
	if (p->saved >= 0)
		close(p->saved);
}

static bool
set_environment(const struct handover_fd *fds, const struct place *places, size_t n, int length)
{
	char *names = malloc((size_t)length + 1), *at = names, text[24];
	bool ok = names != NULL;

	for (size_t i = 0; ok && i < n; i++)
		at += sprintf(at, "%s%s", i > 0 ? ":" : "", fds[places[i].which].name);
	if (ok)
		*at = '\0';
	snprintf(text, sizeof(text), "%d", (int)getpid());
	ok = ok && setenv("LISTEN_FDNAMES", names, 1) == 0 && setenv("LISTEN_PID", text, 1) == 0;
	snprintf(text, sizeof(text), "%zu", n);
	ok = ok && setenv("LISTEN_FDS", text, 1) == 0;
	free(names);
	return ok;
}

static void
move_and_exec(const char *path, char *const argv[], const struct place *places, size_t n)
{
	void (*pipe_handler)(int);

	for (size_t i = 0; i < n; i++) {
		int at = FIRST + (int)i;

		if (places[i].from < 0)
			fcntl(at, F_SETFD, 0);
		else
			dup2(places[i].from, at);
	}
	fflush(NULL);
	/* Who ignores it hands that on. */
	pipe_handler = signal(SIGPIPE, SIG_DFL);
	execv(path, argv);
	signal(SIGPIPE, pipe_handler);
}

void
handover_exec(const char *path, char *const argv[], const struct handover_fd *fds, size_t n)
{
	int length = names_length(fds, n), saved;
	struct place *places;
	size_t made = 0;
	bool moved;

	if (length < 0)
		return;
	places = calloc(n + 1, sizeof(*places));
	if (places == NULL)
		return;
	assign_places(places, fds, n);
	moved = prepare_places(places, fds, n, &made) && set_environment(fds, places, n, length);
	if (moved)
		move_and_exec(path, argv, places, n);
	saved = errno;
	clear_environment();
	for (size_t i = 0; i < made; i++)
		restore_place(&places[i], FIRST + (int)i, moved);
	free(places);
	errno = saved;
}
