#include "pptpd/start.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sys/log.h"

static unsigned
workers_of(const struct config *c)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	if (c->workers != 0)
		return c->workers;
	return cores < 1 ? 1 : cores > TUNNEL_MAX_WORKERS ? TUNNEL_MAX_WORKERS : (unsigned)cores;
}

static bool
listens_on(const struct config *c, uint8_t family)
{
	for (size_t i = 0; i < c->listen_count; i++) {
		if (c->listen[i].addr.family == family)
			return true;
	}
	return false;
}

static bool
failed(const char *what, int error)
{
	log_event(LOG_LEVEL_ERROR, "start", "error=\"%s: %s\"", what, strerror(error));
	return false;
}

/* ---- engine ---- */

static void
trace_ppp(void *user, uint64_t session, const char *line)
{
	(void)user;
	log_event(LOG_LEVEL_TRACE, "trace", "session=%" PRIx64 " %s", session, line);
}

static int
open_gre(struct server *srv, uint8_t family, unsigned shard, unsigned shards)
{
	struct priv_request req;

	memset(&req, 0, sizeof(req));
	req.type = PRIV_GRE_OPEN;
	req.gre.family = family;
	req.gre.shard = (uint16_t)shard;
	req.gre.shards = (uint16_t)shards;
	return priv_call_fd(srv->priv, &req);
}

bool
start_engine(struct server *srv)
{
	struct tunnel_engine_config ec;
	bool any = false;

	memset(&ec, 0, sizeof(ec));
	ec.workers = workers_of(srv->config);
	ec.gre_pktinfo[0] = ec.gre_pktinfo[1] = true;
	ec.crypto = srv->crypto;
	ec.trace = srv->config->trace ? trace_ppp : NULL;
	for (unsigned w = 0; w < ec.workers; w++) {
		for (unsigned f = 0; f < 2; f++) {
			uint8_t family = f == 0 ? 4 : 6;

			ec.gre_fd[w][f] = listens_on(srv->config, family) ? open_gre(srv, family, w, ec.workers) : -1;
			if (ec.gre_fd[w][f] >= 0)
				any = true;
			else if (listens_on(srv->config, family) && errno != EAFNOSUPPORT)
				return failed("raw GRE socket", errno);
		}
	}
	if (!any)
		return failed("raw GRE socket", EAFNOSUPPORT);
	srv->engine = tunnel_engine_new(&ec);
	return srv->engine != NULL;
}

/* ---- the shared interface ---- */

static bool
call(struct server *srv, const struct priv_request *req, const char *what)
{
	struct priv_reply reply;
	int fds[PRIV_MAX_FDS];

	return priv_call(srv->priv, req, &reply, fds) == 0 || failed(what, reply.error);
}

static bool
add_route(struct server *srv, const struct prefix *dst)
{
	struct priv_request req;
	char what[ADDR_TEXT_MAX + 32], text[ADDR_TEXT_MAX];

	memset(&req, 0, sizeof(req));
	req.type = PRIV_ROUTE_ADD;
	req.route.dst = *dst;
	req.route.ifindex = srv->shared_ifindex;
	snprintf(what, sizeof(what), "route to the pool %s", prefix_text(dst, text));
	return call(srv, &req, what);
}

/* A range as the fewest prefixes. */
static bool
add_range_routes(struct server *srv, uint64_t first, uint64_t last)
{
	while (first <= last) {
		struct prefix p = {.addr = pool_addr_v4(first), .len = 32};

		while (p.len > 0 && (first & (UINT64_C(1) << (32 - p.len))) == 0 && first + (UINT64_C(2) << (32 - p.len)) - 1 <= last)
			p.len--;
		if (!add_route(srv, &p))
			return false;
		first += UINT64_C(1) << (32 - p.len);
	}
	return true;
}

static bool
add_pool_routes(struct server *srv)
{
	const struct config *c = srv->config;

	for (size_t i = 0; i < c->pool_v4_count && c->options.bundle.ipv4; i++) {
		if (!add_range_routes(srv, c->pool_v4[i].first, c->pool_v4[i].last))
			return false;
	}
	for (size_t i = 0; i < c->pool_v6_count && c->options.bundle.ipv6; i++) {
		if (!add_route(srv, &c->pool_v6_prefixes[i]))
			return false;
	}
	return true;
}

static bool
add_local(struct server *srv, const struct addr *a)
{
	struct priv_request req;

	if (a->family == 0)
		return true;
	memset(&req, 0, sizeof(req));
	req.type = PRIV_ADDR_ADD;
	req.addr.ifindex = srv->shared_ifindex;
	req.addr.local = *a;
	req.addr.prefix_len = a->family == 4 ? 32 : 128;
	return call(srv, &req, "local address");
}

static bool
give_queues(struct server *srv, const struct priv_reply *reply, const int *fds)
{
	struct tunnel_command cmd;

	for (uint16_t i = 0; i < reply->fds; i++) {
		memset(&cmd, 0, sizeof(cmd));
		cmd.type = TUNNEL_IF_ADD;
		cmd.iface.id = srv->shared_if;
		cmd.iface.fd = fds[i];
		cmd.iface.offloads = reply->offloads;
		cmd.iface.vnet_hdr = reply->vnet_hdr;
		cmd.iface.shared = true;
		cmd.iface.mtu = srv->config->options.link.mtu_max;
		if (!tunnel_post(srv->engine, i, &cmd))
			return failed("worker", EAGAIN);
	}
	return true;
}

bool
start_interface(struct server *srv)
{
	const struct config *c = srv->config;
	struct priv_request req;
	struct priv_reply reply;
	int fds[PRIV_MAX_FDS];

	if (c->per_session)
		return true;
	memset(&req, 0, sizeof(req));
	req.type = PRIV_TUN_OPEN;
	snprintf(req.tun.name, sizeof(req.tun.name), "%s", c->ifname);
	req.tun.queues = (uint16_t)tunnel_workers(srv->engine);
	req.tun.mtu = c->options.link.mtu_max;
	req.tun.vnet_hdr = true;
	if (priv_call(srv->priv, &req, &reply, fds) != 0)
		return failed(c->ifname, reply.error);
	srv->shared_if = srv->next_if++;
	srv->shared_ifindex = reply.ifindex;
	memcpy(srv->shared_ifname, reply.ifname, sizeof(srv->shared_ifname));
	return give_queues(srv, &reply, fds) && add_local(srv, &c->local_v4) && add_local(srv, &c->local_v6) && add_pool_routes(srv);
}

/* ---- listeners ---- */

static int
open_listener(struct server *srv, const struct listen_at *at)
{
	struct priv_request req;

	memset(&req, 0, sizeof(req));
	req.type = PRIV_TCP_LISTEN;
	req.tcp.bind = at->addr;
	req.tcp.port = at->port;
	return priv_call_fd(srv->priv, &req);
}

bool
start_listeners(struct server *srv)
{
	const struct config *c = srv->config;
	char text[ADDR_TEXT_MAX], what[ADDR_TEXT_MAX + 32];

	for (size_t i = 0; i < c->listen_count; i++) {
		struct listener *l = &srv->listeners[srv->listeners_count];
		int error;

		l->srv = srv;
		l->at = c->listen[i];
		l->fd = open_listener(srv, &l->at);
		error = errno;
		if (l->fd >= 0) {
			srv->listeners_count++;
			log_event(LOG_LEVEL_INFO, "listen", "address=%s port=%u", addr_text(&l->at.addr, text), l->at.port);
			continue;
		}
		snprintf(what, sizeof(what), "listen on %s port %u", addr_text(&l->at.addr, text), l->at.port);
		failed(what, error);
		/* A machine without IPv6 still serves IPv4 with the default configuration. */
		if (error != EAFNOSUPPORT)
			return false;
	}
	return srv->listeners_count > 0;
}
