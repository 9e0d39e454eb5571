#include "sys/ctl.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "sys/log.h"

enum { CLIENTS_MAX = 32, LINE_MAX_BYTES = 65536, OUTPUT_PAUSE = 65536, OUTPUT_MAX = 32 << 20, STALL_S = 10, BACKLOG = 16 };

struct client {
	LIST_ENTRY(client) entry;
	struct ctl_server *server;
	struct bufferevent *bev;
	bool drop; /* once nobody uses it any more */
};

struct ctl_server {
	struct event_base *base;
	struct evconnlistener *listener;
	struct event *retry; /* of a listener that rests */
	const struct ctl_command *commands;
	void *user;
	unsigned count;
	LIST_HEAD(, client) clients;
};

struct ctl_reply {
	struct client *client;
	bool rows, ended;
};

/* --- replies ------------------------------------------------------------------------ */

static int
add_piece(const char *piece, size_t len, void *user)
{
	return evbuffer_add(user, piece, len);
}

/* Takes the reference. */
static void
send_line(struct client *c, json_t *line)
{
	struct evbuffer *out = bufferevent_get_output(c->bev);

	if (line == NULL || c->drop || json_dump_callback(line, add_piece, out, JSON_COMPACT) != 0 || evbuffer_add(out, "\n", 1) != 0 ||
	    evbuffer_get_length(out) > OUTPUT_MAX)
		c->drop = true;
	json_decref(line);
}

void
ctl_reply_row(struct ctl_reply *r, json_t *row)
{
	if (row == NULL)
		return;
	if (r->ended) {
		json_decref(row);
		return;
	}
	r->rows = true;
	send_line(r->client, json_pack("{s:b, s:o}", "ok", 1, "row", row));
}

void
ctl_reply_done(struct ctl_reply *r, json_t *result)
{
	json_t *line;

	if (r->ended) {
		json_decref(result);
		return;
	}
	r->ended = true;
	line = json_pack("{s:b}", "ok", 1);
	if (result != NULL)
		json_object_set_new(line, "result", result);
	if (r->rows)
		json_object_set_new(line, "done", json_true());
	send_line(r->client, line);
}

void
ctl_reply_error(struct ctl_reply *r, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	if (r->ended)
		return;
	r->ended = true;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	send_line(r->client, json_pack("{s:b, s:o}", "ok", 0, "error", ctl_text(text)));
}

/* --- requests ------------------------------------------------------------------------- */

static void
help(struct ctl_server *s, struct ctl_reply *r)
{
	for (const struct ctl_command *c = s->commands; c->name != NULL; c++)
		ctl_reply_row(r, json_pack("{s:s, s:s}", "command", c->name, "help", c->help));
	ctl_reply_done(r, NULL);
}

static void
run_command(struct ctl_server *s, json_t *args, struct ctl_reply *r)
{
	const char *name = json_string_value(json_object_get(args, "command"));

	if (name == NULL) {
		ctl_reply_error(r, "the request is no object with a \"command\"");
		return;
	}
	if (strcmp(name, "help") == 0) {
		help(s, r);
		return;
	}
	for (const struct ctl_command *c = s->commands; c->name != NULL; c++) {
		if (strcmp(c->name, name) == 0) {
			c->run(s->user, args, r);
			if (!r->ended)
				ctl_reply_error(r, "command %s gave no answer", name);
			return;
		}
	}
	ctl_reply_error(r, "no such command: %s", name);
}

static void
serve_line(struct client *c, const char *line, size_t len)
{
	struct ctl_reply r = {.client = c};
	json_error_t error;
	json_t *args = json_loadb(line, len, 0, &error);

	if (args != NULL)
		run_command(c->server, args, &r);
	else
		ctl_reply_error(&r, "the request is no JSON: %s", error.text);
	json_decref(args);
}

static void
free_client(struct client *c)
{
	LIST_REMOVE(c, entry);
	c->server->count--;
	bufferevent_free(c->bev);
	free(c);
}

/* Who has sent more than a line while its answers wait is not read further. libevent's own high watermark would call on_data() again and
 * again meanwhile, and a connection that is freed while such a call is on its way stays behind when the loop is freed. */
static void
pace(struct client *c)
{
	bool full = evbuffer_get_length(bufferevent_get_input(c->bev)) > LINE_MAX_BYTES;
	bool reads = (bufferevent_get_enabled(c->bev) & EV_READ) != 0;

	if (full && reads)
		bufferevent_disable(c->bev, EV_READ);
	else if (!full && !reads)
		bufferevent_enable(c->bev, EV_READ);
}

/* Serves the lines that are here, one answer in the output at a time: who sends many requests without reading waits. */
static void
serve(struct client *c)
{
	struct evbuffer *in = bufferevent_get_input(c->bev), *out = bufferevent_get_output(c->bev);

	while (!c->drop && evbuffer_get_length(out) < OUTPUT_PAUSE) {
		size_t len;
		char *line = evbuffer_readln(in, &len, EVBUFFER_EOL_LF);

		if (line == NULL) {
			c->drop = c->drop || evbuffer_get_length(in) > LINE_MAX_BYTES;
			break;
		}
		if (len > LINE_MAX_BYTES)
			c->drop = true;
		else
			serve_line(c, line, len);
		free(line);
	}
	if (c->drop) {
		log_event(LOG_LEVEL_INFO, "control", "reason=\"client dropped: line too long, or it does not read its answers\"");
		free_client(c);
		return;
	}
	pace(c);
}

static void
on_data(struct bufferevent *bev, void *arg)
{
	(void)bev;
	serve(arg);
}

static void
on_event(struct bufferevent *bev, short what, void *arg)
{
	(void)bev, (void)what;
	free_client(arg);
}

/* --- clients ----------------------------------------------------------------------------- */

static void
refuse(int fd)
{
	static const char line[] = "{\"ok\":false,\"error\":\"too many clients\"}\n";

	if (send(fd, line, sizeof(line) - 1, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		log_event(LOG_LEVEL_DEBUG, "control", "error=\"%m\"");
	close(fd);
}

static void
on_connection(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *sa, int salen, void *arg)
{
	static const struct timeval stall = {.tv_sec = STALL_S};
	struct ctl_server *s = arg;
	struct client *c = s->count < CLIENTS_MAX ? calloc(1, sizeof(*c)) : NULL;

	(void)listener, (void)sa, (void)salen;
	if (c == NULL) {
		refuse(fd);
		return;
	}
	c->server = s;
	c->bev = bufferevent_socket_new(s->base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (c->bev == NULL) {
		free(c);
		close(fd);
		return;
	}
	LIST_INSERT_HEAD(&s->clients, c, entry);
	s->count++;
	bufferevent_setcb(c->bev, on_data, on_data, on_event, c);
	bufferevent_set_timeouts(c->bev, NULL, &stall);
	bufferevent_enable(c->bev, EV_READ | EV_WRITE);
}

/* No descriptor left, most likely: to try at once again and again would help nobody. */
static void
on_accept_error(struct evconnlistener *listener, void *arg)
{
	static const struct timeval rest = {.tv_sec = 1};
	struct ctl_server *s = arg;

	log_event(LOG_LEVEL_ERROR, "control", "error=\"%m\" reason=\"new clients wait\"");
	evconnlistener_disable(listener);
	event_add(s->retry, &rest);
}

static void
on_retry(evutil_socket_t fd, short what, void *arg)
{
	struct ctl_server *s = arg;

	(void)fd, (void)what;
	evconnlistener_enable(s->listener);
}

struct ctl_server *
ctl_server_new(struct event_base *base, int fd, const struct ctl_command *commands, void *user)
{
	struct ctl_server *s = calloc(1, sizeof(*s));

	if (s != NULL) {
		s->base = base;
		s->commands = commands;
		s->user = user;
		LIST_INIT(&s->clients);
		signal(SIGPIPE, SIG_IGN); /* libevent writes without MSG_NOSIGNAL: a client that leaves would end the daemon */
		evutil_make_socket_nonblocking(fd);
		s->retry = evtimer_new(base, on_retry, s);
		s->listener = s->retry != NULL
				  ? evconnlistener_new(base, on_connection, s, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd)
				  : NULL;
	}
	if (s == NULL || s->listener == NULL) {
		close(fd);
		if (s != NULL && s->retry != NULL)
			event_free(s->retry);
		free(s);
		return NULL;
	}
	evconnlistener_set_error_cb(s->listener, on_accept_error);
	return s;
}

void
ctl_server_free(struct ctl_server *s)
{
	struct client *c;

	if (s == NULL)
		return;
	while ((c = LIST_FIRST(&s->clients)) != NULL)
		free_client(c);
	evconnlistener_free(s->listener);
	event_free(s->retry);
	free(s);
}

/* --- the socket ------------------------------------------------------------------------------ */

/* Takes away a socket that nobody listens on. */
static int
remove_stale(const struct sockaddr_un *sa)
{
	struct stat st;
	int fd, r;

	if (lstat(sa->sun_path, &st) != 0)
		return errno == ENOENT ? 0 : -1;
	if (!S_ISSOCK(st.st_mode)) {
		errno = EEXIST;
		return -1;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	r = connect(fd, (const struct sockaddr *)sa, sizeof(*sa));
	/* EAGAIN: it listens, and its queue is full. */
	r = r == 0 || errno == EAGAIN ? EADDRINUSE : errno == ECONNREFUSED ? 0 : errno;
	close(fd);
	errno = r;
	return r == 0 ? unlink(sa->sun_path) : -1;
}

int
ctl_listen(const char *path, unsigned mode)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int fd, saved;

	if (strlen(path) >= sizeof(sa.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(sa.sun_path, path, strlen(path));
	if (remove_stale(&sa) != 0)
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	/* The mode is set before it listens: until then nobody can connect. */
	if (bind(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0 && chmod(path, (mode_t)mode) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

/* /run is empty after the machine's start, and who starts a daemon by hand has no service manager to make its folder. */
static void
make_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	char folder[sizeof(((struct sockaddr_un *)0)->sun_path)];

	if (slash == NULL || (size_t)(slash - path) >= sizeof(folder))
		return;
	snprintf(folder, sizeof(folder), "%.*s", (int)(slash - path), path);
	mkdir(folder, 0755);
}

bool
ctl_listen_at_start(const char *path, unsigned mode, int *fd)
{
	if (path != NULL)
		make_folder(path);
	*fd = path != NULL ? ctl_listen(path, mode) : -1;
	if (path == NULL || *fd >= 0)
		return true;
	log_event(LOG_LEVEL_ERROR, "start", "error=\"control socket %s: %s\"", path, strerror(errno));
	return false;
}
