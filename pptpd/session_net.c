/* What a session needs of the system: addresses from the pools, an interface of its own or the shared one, routes, and the
 * engine's table of inner destinations. All of it is there before the worker is told to begin. */
#include "pptpd/session.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sys/log.h"

enum { MAX_FIXED_TRIES = 65536 };

/* ---- addresses ---- */

static uint64_t
addr_hash(const struct server *srv, const struct addr *a)
{
	return hash_bytes(srv->hash_seed, a->bytes, sizeof(a->bytes));
}

/* Holds an address that is of no pool; false if another session has it. */
static bool
hold(struct server *srv, struct held *h, const struct addr *a)
{
	uint64_t hash = addr_hash(srv, a);

	for (struct hash_node *n = hash_first(&srv->held_addresses, hash); n != NULL; n = hash_next(n)) {
		if (addr_equal(&HASH_ENTRY(n, struct held, node)->addr, a))
			return false;
	}
	h->addr = *a;
	h->in = true;
	hash_add(&srv->held_addresses, &h->node, hash);
	return true;
}

static void
unhold(struct server *srv, struct held *h)
{
	if (h->in)
		hash_del(&srv->held_addresses, &h->node);
	h->in = false;
}

static bool
take_fixed_v4(struct session *s, uint64_t value)
{
	struct server *srv = s->srv;
	struct addr a = pool_addr_v4(value);

	if (addr_equal(&a, &srv->config->local_v4))
		return false;
	s->v4_pool = srv->pool_v4 != NULL && pool_has(srv->pool_v4, value);
	if (s->v4_pool ? !pool_take_value(srv->pool_v4, value) : !hold(srv, &s->v4_held, &a)) {
		s->v4_pool = false;
		return false;
	}
	s->v4 = a;
	return true;
}

/* The first free one of the user's own addresses. */
static const char *
take_own_v4(struct session *s)
{
	const struct user_profile *p = &s->profile;
	unsigned tries = 0;

	for (uint8_t i = 0; i < p->v4_count; i++) {
		for (uint64_t v = p->v4[i].first; v <= p->v4[i].last && tries++ < MAX_FIXED_TRIES; v++) {
			if (take_fixed_v4(s, v))
				return NULL;
		}
	}
	return "the user's own address is in use by another session";
}

static const char *
take_v4(struct session *s)
{
	struct server *srv = s->srv;
	uint64_t value;

	if (!srv->config->options.bundle.ipv4 || s->profile.no_v4)
		return NULL;
	if (s->profile.v4_count > 0)
		return take_own_v4(s);
	if (srv->pool_v4 == NULL)
		return "no address: there is no pool, and the user has no address of his own";
	if (!pool_take(srv->pool_v4, s->authed ? hash_bytes(srv->hash_seed, s->user, strlen(s->user)) : 0, &value)) {
		srv->counters.pool_exhausted++;
		return "the address pool is exhausted";
	}
	s->v4 = pool_addr_v4(value);
	s->v4_pool = true;
	return NULL;
}

static bool
take_fixed_v6(struct session *s)
{
	struct server *srv = s->srv;
	uint64_t value = pool_value_v6(&s->profile.v6);

	s->v6_pool = srv->pool_v6 != NULL && pool_has(srv->pool_v6, value);
	return s->v6_pool ? pool_take_value(srv->pool_v6, value) : hold(srv, &s->v6_held, &s->profile.v6.addr);
}

/* No prefix left is no reason to refuse a peer that can have IPv4. */
static const char *
take_v6(struct session *s)
{
	struct server *srv = s->srv;
	uint64_t value;

	if (!srv->config->options.bundle.ipv6)
		return NULL;
	if (s->profile.v6.addr.family == 6) {
		if (take_fixed_v6(s)) {
			s->v6 = s->profile.v6;
			return NULL;
		}
		s->v6_pool = false;
		return s->v4.family != 0 ? NULL : "the user's own IPv6 prefix is in use by another session";
	}
	if (srv->pool_v6 == NULL)
		return NULL;
	if (!pool_take(srv->pool_v6, s->authed ? hash_bytes(srv->hash_seed, s->user, strlen(s->user)) : 0, &value)) {
		srv->counters.pool_exhausted++;
		return s->v4.family != 0 ? NULL : "the IPv6 prefix pool is exhausted";
	}
	s->v6 = pool_prefix_v6(value);
	s->v6_pool = true;
	return NULL;
}

static void
give_addresses(struct session *s)
{
	struct server *srv = s->srv;

	if (s->v4_pool)
		pool_give(srv->pool_v4, pool_value_v4(&s->v4));
	if (s->v6_pool)
		pool_give(srv->pool_v6, pool_value_v6(&s->v6));
	s->v4_pool = s->v6_pool = false;
	unhold(srv, &s->v4_held);
	unhold(srv, &s->v6_held);
}

/* ---- the session's prefixes ---- */

struct dst_list {
	struct prefix dst[2 + USER_MAX_ROUTES];
	size_t count;
};

static struct dst_list
all_prefixes(const struct session *s)
{
	struct dst_list l = {.count = 0};

	if (s->v4.family != 0)
		l.dst[l.count++] = (struct prefix){s->v4, 32};
	if (s->v6.addr.family != 0)
		l.dst[l.count++] = s->v6;
	for (uint8_t i = 0; i < s->profile.routes_count; i++)
		l.dst[l.count++] = s->profile.routes[i];
	return l;
}

/* Those that the kernel needs a route for: the pools' are there since the start with a shared interface, and with an interface of
 * its own the peer's IPv4 address is the interface's. */
static struct dst_list
kernel_routes(const struct session *s)
{
	struct dst_list l = {.count = 0};

	if (s->v4.family != 0 && !s->own_if && !s->v4_pool)
		l.dst[l.count++] = (struct prefix){s->v4, 32};
	if (s->v6.addr.family != 0 && (s->own_if || !s->v6_pool))
		l.dst[l.count++] = s->v6;
	for (uint8_t i = 0; i < s->profile.routes_count; i++)
		l.dst[l.count++] = s->profile.routes[i];
	return l;
}

/* ---- networks behind users ---- */

static uint64_t
network_hash(const struct server *srv, const struct prefix *dst)
{
	return hash_bytes(srv->hash_seed ^ dst->len, dst->addr.bytes, sizeof(dst->addr.bytes));
}

static void
add_networks(struct session *s)
{
	for (uint8_t i = 0; i < s->profile.routes_count; i++) {
		struct network *n = &s->networks[s->networks_count++];

		n->session = s;
		n->dst = s->profile.routes[i];
		hash_add(&s->srv->networks, &n->node, network_hash(s->srv, &n->dst));
	}
}

static void
remove_networks(struct session *s)
{
	while (s->networks_count > 0)
		hash_del(&s->srv->networks, &s->networks[--s->networks_count].node);
}

/* A user who calls again, while it is not yet known that his old session is dead, has his networks behind both: they are the newest one's,
 * and when that ends, the one's before. NULL: nobody's. */
static const struct session *
owner_of(const struct server *srv, const struct prefix *dst)
{
	for (struct hash_node *node = hash_first(&srv->networks, network_hash(srv, dst)); node != NULL; node = hash_next(node)) {
		const struct network *n = HASH_ENTRY(node, struct network, node);

		if (n->dst.len == dst->len && addr_equal(&n->dst.addr, &dst->addr))
			return n->session;
	}
	return NULL;
}

/* ---- the engine's table ---- */

static void
engine_route(const struct session *s, enum tunnel_command_type type, const struct prefix *dst)
{
	struct tunnel_command cmd;

	if (s->own_if)
		return;
	memset(&cmd, 0, sizeof(cmd));
	cmd.type = type;
	cmd.session = s->id;
	cmd.route.if_id = s->if_id;
	cmd.route.call_id = s->call.call_id;
	cmd.route.dst = *dst;
	tunnel_post_all(s->srv->engine, &cmd);
}

static void
add_engine_routes(const struct session *s)
{
	struct dst_list l = all_prefixes(s);

	for (size_t i = 0; i < l.count; i++)
		engine_route(s, TUNNEL_ROUTE_ADD, &l.dst[i]);
}

static void
remove_engine_routes(const struct session *s)
{
	struct dst_list l = all_prefixes(s);

	for (size_t i = 0; i < l.count; i++) {
		const struct session *heir = owner_of(s->srv, &l.dst[i]);

		engine_route(s, TUNNEL_ROUTE_DEL, &l.dst[i]);
		if (heir != NULL)
			engine_route(heir, TUNNEL_ROUTE_ADD, &l.dst[i]);
	}
}

/* ---- asking the monitor ---- */

struct setup_op {
	struct server *srv;
	uint64_t session;
	const char *failed; /* what to say when it fails; static */
	bool is_tun;
};

static void setup_continue(struct session *s);

static void
take_interface(struct session *s, const struct priv_reply *reply, const int *fds)
{
	struct tunnel_command cmd;

	memset(&cmd, 0, sizeof(cmd));
	cmd.type = TUNNEL_IF_ADD;
	cmd.iface.id = s->if_id = s->srv->next_if++;
	cmd.iface.fd = fds[0];
	cmd.iface.offloads = reply->offloads;
	cmd.iface.vnet_hdr = reply->vnet_hdr;
	cmd.iface.mtu = s->srv->config->options.link.mtu_max;
	s->ifindex = reply->ifindex;
	snprintf(s->ifname, sizeof(s->ifname), "%s", reply->ifname);
	if (!tunnel_post(s->srv->engine, s->worker, &cmd)) {
		close(fds[0]);
		s->if_id = 0;
		s->setup_failed = "the worker is overloaded";
	}
}

static void
setup_reply(void *user, const struct priv_reply *reply, const int *fds)
{
	struct setup_op op = *(struct setup_op *)user;
	struct session *s = session_by_id(op.srv, op.session);
	bool alive = s != NULL && s->state == SESSION_SETUP;

	free(user);
	if (!alive) {
		for (uint16_t i = 0; i < reply->fds; i++)
			close(fds[i]);
		return;
	}
	s->pending--;
	if (reply->error != 0) {
		log_event(LOG_LEVEL_WARN, "setup", "session=%" PRIx64 " error=\"%s: %s\"", s->id, op.failed, strerror(reply->error));
		s->setup_failed = op.failed;
	} else if (op.is_tun) {
		take_interface(s, reply, fds);
	}
	if (s->pending == 0)
		setup_continue(s);
}

static void
ask(struct session *s, const struct priv_request *req, const char *failed)
{
	struct setup_op *op = malloc(sizeof(*op));

	if (op != NULL)
		*op = (struct setup_op){s->srv, s->id, failed, req->type == PRIV_TUN_OPEN};
	if (op == NULL || priv_send(s->srv->priv, req, setup_reply, op) != 0) {
		free(op);
		s->setup_failed = priv_refusal(s->srv->priv);
		return;
	}
	s->pending++;
}

/* Undoing needs no answer: the monitor does requests in their order, and cleans up at its end in any case. */
static void
tell(struct session *s, const struct priv_request *req)
{
	if (priv_send(s->srv->priv, req, NULL, NULL) != 0)
		log_event(LOG_LEVEL_WARN, "release", "session=%" PRIx64 " error=\"%s\"", s->id, priv_refusal(s->srv->priv));
}

static void
ask_routes(struct session *s)
{
	struct dst_list l = kernel_routes(s);
	struct priv_request req;

	memset(&req, 0, sizeof(req));
	req.type = PRIV_ROUTE_ADD;
	req.route.ifindex = s->ifindex;
	for (size_t i = 0; i < l.count; i++) {
		req.route.dst = l.dst[i];
		ask(s, &req, "route");
	}
}

static void
remove_routes(struct session *s)
{
	struct dst_list l = kernel_routes(s);
	struct priv_request req;

	memset(&req, 0, sizeof(req));
	for (size_t i = 0; i < l.count; i++) {
		const struct session *heir = owner_of(s->srv, &l.dst[i]);

		req.type = heir != NULL ? PRIV_ROUTE_ADD : PRIV_ROUTE_DEL;
		req.route.ifindex = heir != NULL ? heir->ifindex : s->ifindex;
		req.route.dst = l.dst[i];
		if (heir == NULL || heir->ifindex != s->ifindex)
			tell(s, &req);
	}
}

static void
ask_proxy(struct session *s, enum priv_type type)
{
	struct priv_request req;

	if (!s->srv->config->proxy_arp || s->v4.family == 0)
		return;
	memset(&req, 0, sizeof(req));
	req.type = type;
	req.proxy.addr = s->v4;
	if (type == PRIV_PROXY_ADD)
		ask(s, &req, "proxy ARP");
	else
		tell(s, &req);
}

static void
ask_tun(struct session *s)
{
	const struct config *c = s->srv->config;
	struct priv_request req;

	memset(&req, 0, sizeof(req));
	req.type = PRIV_TUN_OPEN;
	snprintf(req.tun.name, sizeof(req.tun.name), "%s", s->profile.ifname[0] != '\0' ? s->profile.ifname : c->ifname);
	req.tun.queues = 1;
	req.tun.mtu = c->options.link.mtu_max;
	req.tun.vnet_hdr = true;
	ask(s, &req, "interface");
}

static void
ask_address(struct session *s)
{
	const struct config *c = s->srv->config;
	struct priv_request req;

	memset(&req, 0, sizeof(req));
	req.type = PRIV_ADDR_ADD;
	req.addr.ifindex = s->ifindex;
	if (s->v4.family != 0) {
		req.addr.local = c->local_v4;
		req.addr.peer = s->v4;
		req.addr.prefix_len = 32;
		ask(s, &req, "address");
	}
	if (s->v6.addr.family != 0 && c->local_v6.family != 0) {
		req.addr.local = c->local_v6;
		req.addr.peer = (struct addr){.family = 0};
		req.addr.prefix_len = 128;
		ask(s, &req, "IPv6 address");
	}
}

/* ---- the steps ---- */

/* Called when nothing is pending: begins the next step, or ends setup. */
static void
setup_continue(struct session *s)
{
	if (s->setup_failed == NULL && !s->routed) {
		s->routed = true;
		add_networks(s);
		if (s->own_if)
			ask_address(s);
		ask_routes(s);
		ask_proxy(s, PRIV_PROXY_ADD);
		if (s->pending > 0)
			return;
	}
	if (s->setup_failed == NULL)
		session_fsm(s, SESSION_E_READY, NULL);
	else
		session_end(s, PPP_DOWN_LOCAL, PPTP_CDN_GENERAL_ERROR, s->setup_failed);
}

void
session_setup(struct session *s)
{
	struct server *srv = s->srv;
	const char *failed = take_v4(s);

	if (failed == NULL)
		failed = take_v6(s);
	if (failed == NULL && s->v4.family == 0 && s->v6.addr.family == 0)
		failed = "no address of either family for the user";
	if (failed != NULL) {
		session_end(s, PPP_DOWN_LOCAL, PPTP_CDN_ADMIN_SHUTDOWN, failed);
		return;
	}
	s->own_if = srv->shared_if == 0 || s->profile.ifname[0] != '\0';
	if (s->own_if) {
		ask_tun(s);
		if (s->pending > 0)
			return;
	} else {
		s->if_id = srv->shared_if;
		s->ifindex = srv->shared_ifindex;
		memcpy(s->ifname, srv->shared_ifname, sizeof(s->ifname));
	}
	setup_continue(s);
}

static void
fill_sources(const struct session *s, struct tunnel_bind *bind)
{
	static const struct prefix link_local = {{6, {0xfe, 0x80}}, 10};
	struct dst_list l = all_prefixes(s);

	for (size_t i = 0; i < l.count; i++)
		bind->sources[bind->sources_count++] = l.dst[i];
	if (s->v6.addr.family != 0)
		bind->sources[bind->sources_count++] = link_local;
}

void
session_network(struct session *s)
{
	const struct config *c = s->srv->config;
	struct tunnel_command cmd;

	_Static_assert(sizeof(((struct dst_list *)0)->dst) + sizeof(struct prefix) <= sizeof(((struct tunnel_bind *)0)->sources),
	    "a user's routes must fit the sources");
	memset(&cmd, 0, sizeof(cmd));
	cmd.type = TUNNEL_SESSION_BIND;
	cmd.session = s->id;
	cmd.bind.if_id = s->if_id;
	cmd.bind.bundle = c->options.bundle;
	cmd.bind.bundle.ipv4 = s->v4.family != 0;
	cmd.bind.bundle.local_v4 = c->local_v4;
	cmd.bind.bundle.peer_v4 = s->v4;
	cmd.bind.bundle.ipv6 = s->v6.addr.family != 0;
	memcpy(cmd.bind.bundle.dns, c->dns, sizeof(c->dns));
	memcpy(cmd.bind.bundle.wins, c->wins, sizeof(c->wins));
	cmd.bind.mss_max = c->options.mss_max;
	cmd.bind.ra = s->v6;
	memcpy(cmd.bind.ra_dns, c->dns_v6, sizeof(c->dns_v6));
	fill_sources(s, &cmd.bind);
	add_engine_routes(s);
	tunnel_post(s->srv->engine, s->worker, &cmd);
}

void
session_release(struct session *s)
{
	struct tunnel_command cmd;

	remove_networks(s);
	if (s->if_id != 0)
		remove_engine_routes(s);
	if (s->routed) {
		ask_proxy(s, PRIV_PROXY_DEL);
		remove_routes(s);
	}
	if (s->own_if && s->if_id != 0) {
		memset(&cmd, 0, sizeof(cmd));
		cmd.type = TUNNEL_IF_DEL;
		cmd.iface.id = s->if_id;
		tunnel_post(s->srv->engine, s->worker, &cmd);
	}
	s->if_id = 0;
	s->routed = false;
	give_addresses(s);
}
