/* The HTTP side. libevent's server has no bound of its own on connections, nor on how long one may take to ask: each gets a place
 * here with a deadline, and the socket accepts none while all are taken. */
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sys/clock.h"
#include "sys/metrics_impl.h"

enum { PLACES = 16, HEADERS_MAX = 8192, SECONDS = 10, TICK_MS = 250, FULL_TICK_MS = 20 };

/* A connection, from when it is accepted. */
struct place {
	struct bufferevent *bev; /* a reference; NULL: free */
	uint64_t deadline;
};

struct metrics_server {
	struct event_base *base;
	struct evhttp *http;
	struct evconnlistener *listener; /* http's */
	struct event *tick;              /* seldom while there are no connections */
	metrics_fn fn;
	void *user;
	uint64_t limit_ns;
	size_t used;
	struct place places[PLACES];
};

/* --- places -------------------------------------------------------------------------- */

static void
start_tick(struct metrics_server *s)
{
	static const struct timeval idle = {.tv_sec = 1}, busy = {.tv_usec = TICK_MS * 1000}, full = {.tv_usec = FULL_TICK_MS * 1000};

	event_add(s->tick, s->used == 0 ? &idle : s->used < PLACES ? &busy : &full);
}

static void
release(struct metrics_server *s, struct place *p)
{
	struct bufferevent *bev = p->bev;

	p->bev = NULL;
	if (s->used-- == PLACES)
		evconnlistener_enable(s->listener);
	bufferevent_decref(bev);
}

/* libevent asks for each connection that it accepts; there is a place, or it would not have. */
static struct bufferevent *
on_connection(struct event_base *base, void *arg)
{
	struct metrics_server *s = arg;
	struct bufferevent *bev = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
	struct place *p = s->places;

	if (bev == NULL)
		return NULL;
	while (p->bev != NULL && p < s->places + PLACES - 1)
		p++;
	bufferevent_incref(bev);
	p->bev = bev;
	p->deadline = clock_ts() + s->limit_ns;
	if (++s->used == PLACES)
		evconnlistener_disable(s->listener);
	/* Only then: to begin it anew with each would put it off for ever. */
	if (s->used == 1 || s->used == PLACES)
		start_tick(s);
	return bev;
}

/* libevent does not tell when it gave up a connection that never asked; but it takes its functions back. */
static bool
is_over(struct bufferevent *bev)
{
	bufferevent_event_cb fn;

	bufferevent_getcb(bev, NULL, NULL, &fn, NULL);
	return fn == NULL;
}

static void
on_tick(evutil_socket_t fd, short events, void *arg)
{
	struct metrics_server *s = arg;
	uint64_t now = clock_ts();

	(void)fd, (void)events;
	for (struct place *p = s->places; p < s->places + PLACES; p++) {
		if (p->bev == NULL)
			continue;
		if (!is_over(p->bev) && now >= p->deadline)
			bufferevent_trigger_event(p->bev, BEV_EVENT_READING | BEV_EVENT_TIMEOUT, 0);
		if (p->bev != NULL && is_over(p->bev))
			release(s, p);
	}
	if (s->used < PLACES)
		evconnlistener_enable(s->listener);
	start_tick(s);
}

/* No descriptor left, most likely: to try at once again and again would help nobody. The next tick tries. (arg is libevent's own.) */
static void
on_accept_error(struct evconnlistener *listener, void *arg)
{
	(void)arg;
	evconnlistener_disable(listener);
}

static void
on_close(struct evhttp_connection *conn, void *arg)
{
	struct metrics_server *s = arg;
	struct bufferevent *bev = evhttp_connection_get_bufferevent(conn);

	for (struct place *p = s->places; p < s->places + PLACES; p++) {
		if (p->bev == bev)
			release(s, p);
	}
}

/* --- requests ---------------------------------------------------------------------------- */

static void
answer(struct metrics_server *s, struct evhttp_request *req)
{
	struct metrics_out out = {.buf = evbuffer_new()};

	if (out.buf == NULL) {
		evhttp_send_reply(req, HTTP_INTERNAL, "Internal Server Error", NULL);
		return;
	}
	s->fn(s->user, &out);
	if (out.failed) {
		evhttp_send_reply(req, HTTP_INTERNAL, "Internal Server Error", NULL);
	} else {
		evhttp_add_header(evhttp_request_get_output_headers(req), "Content-Type", "text/plain; version=0.0.4; charset=utf-8");
		evhttp_send_reply(req, HTTP_OK, "OK", out.buf);
	}
	evbuffer_free(out.buf);
}

static void
on_request(struct evhttp_request *req, void *arg)
{
	struct metrics_server *s = arg;
	const char *path = evhttp_uri_get_path(evhttp_request_get_evhttp_uri(req));
	struct evkeyvalq *headers = evhttp_request_get_output_headers(req);

	evhttp_connection_set_closecb(evhttp_request_get_connection(req), on_close, s);
	evhttp_add_header(headers, "Connection", "close");
	if (path == NULL || strcmp(path, "/metrics") != 0) {
		evhttp_send_reply(req, HTTP_NOTFOUND, "Not Found", NULL);
	} else if (evhttp_request_get_command(req) != EVHTTP_REQ_GET) {
		evhttp_add_header(headers, "Allow", "GET");
		evhttp_send_reply(req, HTTP_BADMETHOD, "Method Not Allowed", NULL);
	} else {
		answer(s, req);
	}
}

/* --- the server ------------------------------------------------------------------------------ */

static bool
set_up(struct metrics_server *s, int fd)
{
	struct evhttp_bound_socket *bound;

	s->http = evhttp_new(s->base);
	s->tick = evtimer_new(s->base, on_tick, s);
	if (s->http == NULL || s->tick == NULL) {
		close(fd);
		return false;
	}
	evhttp_set_max_headers_size(s->http, HEADERS_MAX);
	evhttp_set_max_body_size(s->http, HEADERS_MAX);
	evhttp_set_timeout(s->http, SECONDS);
	/* All that libevent knows, so that the answer to another one says which. */
	evhttp_set_allowed_methods(s->http, UINT16_MAX);
	evhttp_set_gencb(s->http, on_request, s);
	evhttp_set_bevcb(s->http, on_connection, s);
	bound = evhttp_accept_socket_with_handle(s->http, fd);
	if (bound == NULL) {
		close(fd);
		return false;
	}
	s->listener = evhttp_bound_socket_get_listener(bound);
	evconnlistener_set_error_cb(s->listener, on_accept_error);
	start_tick(s);
	return true;
}

struct metrics_server *
metrics_server_new(struct event_base *base, int fd, metrics_fn fn, void *user)
{
	struct metrics_server *s = calloc(1, sizeof(*s));

	if (s == NULL) {
		close(fd);
		return NULL;
	}
	s->base = base;
	s->fn = fn;
	s->user = user;
	s->limit_ns = SECONDS * UINT64_C(1000000000);
	signal(SIGPIPE, SIG_IGN); /* libevent writes without MSG_NOSIGNAL */
	if (set_up(s, fd))
		return s;
	metrics_server_free(s);
	return NULL;
}

void
metrics_server_set_limit(struct metrics_server *s, uint64_t limit_ns)
{
	s->limit_ns = limit_ns;
}

void
metrics_server_free(struct metrics_server *s)
{
	if (s == NULL)
		return;
	/* What has no place any more is told of by nobody. */
	for (struct place *p = s->places; p < s->places + PLACES; p++) {
		if (p->bev != NULL)
			release(s, p);
	}
	if (s->http != NULL)
		evhttp_free(s->http);
	if (s->tick != NULL)
		event_free(s->tick);
	free(s);
}
