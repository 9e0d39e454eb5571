/* The way to the server: a socket from the monitor, the connection, and what the server sees of it. */
#include <errno.h>
#include <event2/event.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "alg/calls.h"
#include "alg/flow.h"
#include "alg/nft.h"
#include "base/timerheap.h"
#include "sys/log.h"
#include "sys/netlink.h"
#include "sys/sockaddr.h"

/* --- sockets ------------------------------------------------------------------------- */

void
flow_set_up_socket(const struct flow *f, int fd)
{
	const int on = 1, probes = 3;
	int seconds = (int)(f->gw->config->keepalive_ns / TS_S(1)), interval = seconds / 4 > 0 ? seconds / 4 : 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (seconds == 0)
		return;
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &seconds, sizeof(seconds));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof(interval));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof(probes));
}

/* A server behind destination NAT that is reached through the interface the client came in on would answer the client itself, past the
 * gateway: it has to see the gateway's own address. */
static bool
hairpin(const struct flow *f)
{
	struct nl_route way;

	if (f->ifname[0] == '\0' || f->own || addr_equal(&f->dialed, &f->server) || f->gw->nl == NULL)
		return false;
	return nl_route_lookup(f->gw->nl, &f->server, 0, NULL, NULL, &way) == 0 && way.ifindex == (int)if_nametoindex(f->ifname);
}

static void
source_request(struct flow *f, struct priv_request *req)
{
	struct nft_marks marks = nft_marks(f->gw->config);

	if (f->source_kind == SOURCE_CLIENT && hairpin(f))
		f->source_kind = SOURCE_INTERFACE;
	req->type = PRIV_TCP_SOCKET;
	req->tcp.mark = marks.proxy | (f->source_kind != SOURCE_CLIENT ? marks.fixed : 0);
	req->tcp.transparent = true;
	req->tcp.bind.family = f->server.family;
	if (f->source_kind == SOURCE_CLIENT)
		req->tcp.bind = f->client;
	else if (f->source_kind == SOURCE_FIXED)
		req->tcp.bind = f->source;
}

static void
on_socket(void *user, const struct priv_reply *reply, const int *fds)
{
	struct flow *f = user;

	f->answers--;
	if (f->state != FLOW_ACCEPTED) {
		for (size_t i = 0; i < reply->fds; i++)
			close(fds[i]);
		gateway_work_later(f->gw);
	} else if (reply->error != 0 || reply->fds != 1) {
		flow_fail(f, "no socket towards the server: %s", strerror(reply->error));
	} else {
		f->end[ALG_SERVER].fd = fds[0];
		flow_set_up_socket(f, fds[0]);
		flow_fsm(f, FLOW_E_SOCKET);
	}
}

/* Until the server is reached, the client is only watched for its end. */
void
flow_ask_socket(struct flow *f)
{
	struct priv_request req;

	memset(&req, 0, sizeof(req));
	source_request(f, &req);
	if (!flow_watch(f, ALG_CLIENT)) {
		flow_fail(f, "out of memory");
		return;
	}
	flow_read_on(f, ALG_CLIENT);
	if (priv_send(f->gw->priv, &req, on_socket, f) == 0) {
		f->answers++;
		return;
	}
	f->gw->counters.monitor_failed++;
	flow_fail(f, "the monitor has too many requests");
}

/* --- connecting -------------------------------------------------------------------------- */

static const char *
connect_text(int error)
{
	switch (error) {
	case ECONNREFUSED:
		return "the server refused the connection";
	case ETIMEDOUT:
		return "the server did not answer";
	case EHOSTUNREACH:
		return "the server can't be reached: no route to host";
	case ENETUNREACH:
		return "there is no route to the server";
	case ECONNRESET:
		return "the server reset the connection";
	case EADDRNOTAVAIL:
		return "no port is left for a connection to the server";
	case EPERM:
	case EACCES:
		return "this machine's firewall forbids the connection to the server";
	default:
		return strerror(error);
	}
}

static void
connect_failed(struct flow *f, int error)
{
	f->gw->counters.connect_failed++;
	flow_fail(f, "%s", connect_text(error));
}

static void
on_connected(evutil_socket_t fd, short what, void *arg)
{
	struct flow *f = arg;
	int error = 0;
	socklen_t len = sizeof(error);

	(void)what;
	if (f->state != FLOW_CONNECTING)
		return;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
		error = errno;
	event_free(f->end[ALG_SERVER].write);
	f->end[ALG_SERVER].write = NULL;
	if (error != 0)
		connect_failed(f, error);
	else
		flow_fsm(f, FLOW_E_CONNECTED);
}

/* A restored flow may have connected already, or be about to. */
void
flow_connect(struct flow *f)
{
	struct flow_end *end = &f->end[ALG_SERVER];
	struct sockaddr_storage ss;
	socklen_t len = sockaddr_make(&ss, &f->server, f->server_port);

	if (connect(end->fd, (struct sockaddr *)&ss, len) == 0 || errno == EISCONN) {
		flow_fsm(f, FLOW_E_CONNECTED);
	} else if (errno == EINPROGRESS || errno == EALREADY) {
		end->write = event_new(f->gw->base, end->fd, EV_WRITE, on_connected, f);
		if (end->write == NULL || event_add(end->write, NULL) != 0)
			flow_fail(f, "out of memory");
	} else {
		connect_failed(f, errno);
	}
}

/* --- what the server sees ------------------------------------------------------------------- */

static bool
local_address(const struct flow *f, struct addr *addr, uint16_t *port)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);

	if (getsockname(f->end[ALG_SERVER].fd, (struct sockaddr *)&ss, &len) != 0)
		return false;
	*addr = sockaddr_addr(&ss, port);
	return true;
}

/* Where nothing is tracked, nothing is translated: what the socket says stands. */
static void
on_lookup(void *user, int error, const struct monitor_reply *reply, const int *fds, size_t nfds)
{
	struct flow *f = user;

	(void)fds, (void)nfds;
	f->answers--;
	if (f->state != FLOW_LOOKUP) {
		gateway_work_later(f->gw);
		return;
	}
	if (error == 0 && reply->seen.src.family == f->server.family) {
		f->external = reply->seen.src;
		f->external_port = reply->seen.sport;
	}
	flow_fsm(f, FLOW_E_SEEN);
}

void
flow_ask_lookup(struct flow *f)
{
	struct monitor_request req;

	memset(&req, 0, sizeof(req));
	req.type = MONITOR_LOOKUP;
	req.tcp.dst = f->server;
	req.tcp.dport = f->server_port;
	if (!local_address(f, &req.tcp.src, &req.tcp.sport)) {
		flow_fail(f, "the server closed at once");
		return;
	}
	f->external = req.tcp.src;
	f->external_port = req.tcp.sport;
	if (monitor_send(f->gw->priv, &req, on_lookup, f) == 0) {
		f->answers++;
		return;
	}
	f->gw->counters.monitor_failed++;
	flow_fail(f, "the monitor has too many requests");
}

/* --- open -------------------------------------------------------------------------------------- */

void
flow_rewrite_config(struct flow *f, struct alg_rewrite_config *rc)
{
	const struct config *c = f->gw->config;

	*rc = (struct alg_rewrite_config){
	    .policy = c->protocol,
	    .other_version = c->other_version,
	    .max_calls = c->max_calls_per_connection,
	    .xlate = ids_ops,
	    .xlate_user = f,
	    .trace = trace_wants(f->gw->trace, TRACE_INFO, TRACE_MESSAGES) || log_enabled(LOG_LEVEL_TRACE) ? flow_trace : NULL,
	    .trace_user = f,
	};
}

void
flow_log_open(const struct flow *f)
{
	char text[FLOW_TEXT], dialed[ADDR_TEXT_MAX], external[ADDR_TEXT_MAX];

	addr_text(&f->dialed, dialed);
	addr_text(&f->external, external);
	log_event(LOG_LEVEL_INFO, f->restored ? "control-restored" : "control-up",
	    "%s dialed=%s external=%s external-port=%u ifname=%s policy=%s nat=%s", flow_text(f, text), dialed, external, f->external_port,
	    f->ifname[0] != '\0' ? f->ifname : "-", f->policy, config_nat_text(f->nat));
	trace_line(f->gw->trace, TRACE_NOTICE, TRACE_CONNECTIONS, "%s up dialed=%s external=%s external-port=%u ifname=%s policy=%s", text,
	    dialed, external, f->external_port, f->ifname, f->policy);
}

void
flow_open(struct flow *f)
{
	struct alg_rewrite_config rc;

	flow_rewrite_config(f, &rc);
	if (!flow_watch(f, ALG_CLIENT) || !flow_watch(f, ALG_SERVER) || (f->rw == NULL && alg_rewrite_new(&f->rw, &rc) != 0)) {
		flow_fail(f, "out of memory");
		return;
	}
	if (f->restored)
		flow_log_open(f);
	flow_read_on(f, ALG_CLIENT);
	flow_read_on(f, ALG_SERVER);
	flow_pump(f);
}
