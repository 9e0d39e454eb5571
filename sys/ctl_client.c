#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "sys/ctl.h"

enum { LINE_MAX_BYTES = 64 << 20 };

struct ctl_client {
	int fd, timeout_ms;
	char *buf;
	size_t len, room; /* bytes read and not yet taken; of buf */
};

static bool
wait_for(const struct ctl_client *c, short events)
{
	struct pollfd p = {.fd = c->fd, .events = events};
	int n;

	do
		n = poll(&p, 1, c->timeout_ms);
	while (n < 0 && errno == EINTR);
	if (n == 0)
		errno = ETIMEDOUT;
	return n == 1;
}

struct ctl_client *
ctl_client_open(const char *path, int timeout_ms)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	struct ctl_client *c;
	int saved;

	if (strlen(path) >= sizeof(sa.sun_path)) {
		errno = ENAMETOOLONG;
		return NULL;
	}
	memcpy(sa.sun_path, path, strlen(path));
	c = calloc(1, sizeof(*c));
	if (c == NULL)
		return NULL;
	c->timeout_ms = timeout_ms;
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* A Unix socket connects at once or not at all. */
	if (c->fd >= 0 && connect(c->fd, (struct sockaddr *)&sa, sizeof(sa)) == 0)
		return c;
	saved = errno;
	ctl_client_close(c);
	errno = saved;
	return NULL;
}

void
ctl_client_close(struct ctl_client *c)
{
	if (c == NULL)
		return;
	if (c->fd >= 0)
		close(c->fd);
	free(c->buf);
	free(c);
}

static bool
send_request(struct ctl_client *c, json_t *request)
{
	char *line = json_dumps(request, JSON_COMPACT);
	size_t len = line != NULL ? strlen(line) : 0, at = 0;
	bool ok = line != NULL;

	if (ok)
		line[len++] = '\n'; /* in the place of the NUL */
	while (ok && at < len) {
		ssize_t n = send(c->fd, line + at, len - at, MSG_NOSIGNAL);

		if (n > 0)
			at += (size_t)n;
		else
			ok = (errno == EAGAIN && wait_for(c, POLLOUT)) || errno == EINTR;
	}
	free(line);
	return ok;
}

static bool
grow(struct ctl_client *c)
{
	size_t room = c->room > 0 ? 2 * c->room : 65536;
	char *buf = room <= LINE_MAX_BYTES ? realloc(c->buf, room) : NULL;

	if (buf == NULL) {
		errno = EMSGSIZE;
		return false;
	}
	c->buf = buf;
	c->room = room;
	return true;
}

/* Reads until a whole line is in buf; returns its length without the newline, or -1 with errno. */
static ssize_t
read_line(struct ctl_client *c)
{
	size_t searched = 0;

	for (;;) {
		char *newline = c->len > searched ? memchr(c->buf + searched, '\n', c->len - searched) : NULL;
		ssize_t n;

		if (newline != NULL)
			return newline - c->buf;
		searched = c->len;
		if (c->len == c->room && !grow(c))
			return -1;
		n = recv(c->fd, c->buf + c->len, c->room - c->len, 0);
		if (n > 0) {
			c->len += (size_t)n;
		} else if (n == 0) {
			errno = ECONNRESET;
			return -1;
		} else if (errno != EINTR && (errno != EAGAIN || !wait_for(c, POLLIN))) {
			return -1;
		}
	}
}

static json_t *
read_object(struct ctl_client *c, char *err, size_t errlen)
{
	ssize_t len = read_line(c);
	json_error_t error;
	json_t *object;

	if (len < 0) {
		snprintf(err, errlen, "%s",
		    errno == ETIMEDOUT    ? "no answer in time"
		    : errno == ECONNRESET ? "the daemon closed the connection"
					  : strerror(errno));
		return NULL;
	}
	object = json_loadb(c->buf, (size_t)len, 0, &error);
	c->len -= (size_t)len + 1;
	memmove(c->buf, c->buf + len + 1, c->len);
	if (!json_is_object(object)) {
		snprintf(err, errlen, "the answer is no JSON object");
		json_decref(object);
		return NULL;
	}
	return object;
}

json_t *
ctl_client_call(struct ctl_client *c, json_t *request, void (*row)(void *user, json_t *row), void *user, char *err, size_t errlen)
{
	if (!send_request(c, request)) {
		snprintf(err, errlen, "can't send the request: %s", strerror(errno));
		return NULL;
	}
	for (;;) {
		json_t *object = read_object(c, err, errlen), *one;

		if (object == NULL)
			return NULL;
		one = json_object_get(object, "row");
		if (one == NULL)
			return object;
		if (row != NULL)
			row(user, one);
		json_decref(object);
	}
}
