/* The tunnel's interface, and the addresses, routes and resolvers that come and go with the tunnel. */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pptpc/client.h"
#include "sys/log.h"

static void
on_address(void *user, const struct priv_reply *reply, const int *fds)
{
	const struct dial *d = user;
	char text[ADDR_TEXT_MAX];

	(void)fds;
	if (reply->error != 0)
		client_warn(d, "address", "the address %s can't be put on the interface %s: %s", addr_text(&d->netif.local_v4, text),
		    d->netif.name, strerror(reply->error));
}

/* A machine without IPv6 takes no IPv6 address, which is nobody's business. */
static void
send_addr(struct dial *d, enum priv_type type, const struct addr *local, const struct addr *peer, uint8_t prefix_len)
{
	struct priv_request request = {.type = type};

	request.addr.ifindex = d->netif.ifindex;
	request.addr.local = *local;
	if (peer != NULL)
		request.addr.peer = *peer;
	request.addr.prefix_len = prefix_len;
	priv_send(d->client->priv, &request, type == PRIV_ADDR_ADD && local->family == 4 ? on_address : NULL, d);
}

static void
on_route(void *user, const struct priv_reply *reply, const int *fds)
{
	const struct asked_route *asked = user;
	struct dial *d = asked->dial;
	char text[ADDR_TEXT_MAX];

	(void)fds;
	if (reply->error == 0 || d == NULL)
		return;
	routeplan_remove(&d->netif.routes, &asked->op);
	prefix_text(&asked->op.dst, text);
	if (reply->error == EEXIST)
		client_warn(d, "route", "this machine has a route to %s already, which stays: give the tunnel's another metric", text);
	else
		client_warn(d, "route", "the route to %s can't be made: %s", text, strerror(reply->error));
}

static struct asked_route *
note_asked(struct dial *d, const struct route_op *op)
{
	struct asked_route *asked = &d->netif.asked_routes[d->netif.next_asked++ % ROUTEPLAN_MAX];

	*asked = (struct asked_route){d, *op};
	return asked;
}

static void
send_route(struct dial *d, enum priv_type type, const struct route_op *op)
{
	struct priv_request request = {.type = type};
	bool add = type == PRIV_ROUTE_ADD;

	request.route.dst = op->dst;
	request.route.gateway = op->gateway;
	request.route.source = op->source;
	request.route.ifindex = op->ifindex;
	request.route.metric = op->metric;
	request.route.table = op->table;
	priv_send(d->client->priv, &request, add ? on_route : NULL, add ? note_asked(d, op) : NULL);
}

/* --- the interface -------------------------------------------------------------- */

static void
on_tun(void *user, const struct priv_reply *reply, const int *fds)
{
	struct dial *d = user;
	struct tunnel_command add = {.type = TUNNEL_IF_ADD};

	if (reply->error != 0 || reply->fds != 1) {
		d->netif.asked = false;
		dial_netif_ready(d, reply->error != 0 ? reply->error : EIO);
		return;
	}
	d->netif.ifindex = reply->ifindex;
	memcpy(d->netif.name, reply->ifname, sizeof(d->netif.name));
	add.iface.id = d->index + 1;
	add.iface.fd = fds[0];
	add.iface.offloads = reply->offloads;
	add.iface.vnet_hdr = reply->vnet_hdr;
	add.iface.hold = d->profile->demand;
	add.iface.mtu = d->profile->tunnel.link.mtu_max;
	d->netif.mtu = add.iface.mtu;
	tunnel_post(d->path->engine, 0, &add);
	log_event(LOG_LEVEL_DEBUG, "interface", "tunnel=%s interface=%s", d->profile->name, d->netif.name);
	dial_netif_ready(d, 0);
}

void
netif_open(struct dial *d)
{
	struct priv_request request = {.type = PRIV_TUN_OPEN};

	if (d->netif.asked)
		return;
	d->netif.asked = true;
	memcpy(request.tun.name, d->profile->interface, sizeof(request.tun.name));
	request.tun.queues = 1;
	request.tun.mtu = d->profile->tunnel.link.mtu_max;
	request.tun.vnet_hdr = true;
	if (priv_send(d->client->priv, &request, on_tun, d) != 0) {
		d->netif.asked = false;
		dial_netif_ready(d, ENOBUFS);
	}
}

void
netif_close(struct dial *d)
{
	struct tunnel_command del = {.type = TUNNEL_IF_DEL};
	struct addr placeholder = d->netif.placeholder;

	if (d->netif.ifindex == 0)
		return;
	netif_down(d);
	del.iface.id = d->index + 1;
	tunnel_post(d->path->engine, 0, &del);
	memset(&d->netif, 0, sizeof(d->netif));
	d->netif.placeholder = placeholder;
}

void
netif_check(struct dial *d)
{
	char name[IF_NAMESIZE], text[96];

	if (d->netif.ifindex == 0 || if_indextoname((unsigned)d->netif.ifindex, name) != NULL)
		return;
	snprintf(text, sizeof(text), "another program, or somebody by hand, deleted the interface %s", d->netif.name);
	if (d->state == DIAL_LINK || d->state == DIAL_UP)
		dial_hangup_kind(d, TROUBLE_LOCAL, text);
	else
		log_event(LOG_LEVEL_WARN, "interface", "tunnel=%s text=\"%s\"", d->profile->name, text);
	netif_close(d);
	if (d->state == DIAL_STANDBY)
		dial_stand_by(d);
}

static void
drop_routes(struct dial *d)
{
	for (size_t i = 0; i < d->netif.routes.count; i++)
		send_route(d, PRIV_ROUTE_DEL, &d->netif.routes.ops[i]);
	d->netif.routes.count = 0;
}

/* --- addresses -------------------------------------------------------------------- */

static void
set_v4(struct dial *d, const struct addr *local, const struct addr *peer)
{
	struct netif *n = &d->netif;

	if (addr_equal(&n->local_v4, local) && addr_equal(&n->peer_v4, peer))
		return;
	/* With the address the kernel drops the routes that prefer it as source. */
	drop_routes(d);
	if (n->local_v4.family != 0)
		send_addr(d, PRIV_ADDR_DEL, &n->local_v4, &n->peer_v4, 32);
	n->local_v4 = *local;
	n->peer_v4 = *peer;
	if (local->family != 0)
		send_addr(d, PRIV_ADDR_ADD, local, peer, 32);
}

static void
set_v6(struct dial *d, struct addr *field, const struct addr *local, uint8_t *field_len, uint8_t prefix_len)
{
	if (addr_equal(field, local) && *field_len == prefix_len)
		return;
	if (field->family != 0)
		send_addr(d, PRIV_ADDR_DEL, field, NULL, *field_len);
	*field = *local;
	*field_len = prefix_len;
	if (local->family != 0)
		send_addr(d, PRIV_ADDR_ADD, local, NULL, prefix_len);
}

static struct addr
make_v6(const uint8_t *prefix, const uint8_t ifid[8])
{
	struct addr a = {.family = 6};

	memcpy(a.bytes, prefix, 8);
	memcpy(a.bytes + 8, ifid, 8);
	return a;
}

/* Dialing on demand, one address stays whatever the server assigns, so that sockets made before the call keep working. */
static struct addr
wanted_v4(const struct dial *d)
{
	static const struct addr none;

	if (d->netif.placeholder.family != 0)
		return d->netif.placeholder;
	if (d->profile->demand)
		return d->profile->address;
	return d->up_ts != 0 && d->bundle.ipv4_up ? d->bundle.local_v4 : none;
}

/* A server that names its outer address as the inner one would get its own packets routed into the tunnel. Dialing on demand, the
 * address on the interface never changes. */
static struct addr
wanted_peer_v4(const struct dial *d)
{
	static const struct addr none;

	if (d->profile->demand || d->up_ts == 0 || !d->bundle.ipv4_up || addr_equal(&d->bundle.peer_v4, &d->server))
		return none;
	return d->bundle.peer_v4;
}

static void
update_addresses(struct dial *d)
{
	static const struct addr none;
	static const uint8_t link_local[8] = {0xfe, 0x80};
	struct addr local = wanted_v4(d), peer = wanted_peer_v4(d);
	bool ipv6 = d->up_ts != 0 && d->bundle.ipv6_up;
	struct addr ll = ipv6 ? make_v6(link_local, d->bundle.local_ifid) : none;
	struct addr global = d->prefix.addr.family == 6 ? make_v6(d->prefix.addr.bytes, d->bundle.local_ifid) : none;
	uint8_t ll_len = d->netif.link_local.family != 0 ? 64 : 0; /* always a whole /64, so not kept */

	set_v4(d, &local, &peer);
	set_v6(d, &d->netif.link_local, &ll, &ll_len, ipv6 ? 64 : 0);
	set_v6(d, &d->netif.local_v6, ipv6 ? &global : &none, &d->netif.prefix_len_v6, ipv6 && global.family != 0 ? 64 : 0);
}

/* --- routes and resolvers ------------------------------------------------------------ */

static void
update_routes(struct dial *d)
{
	bool ready = d->profile->demand && d->wanted;
	struct route_facts facts = {
	    .ifindex = d->netif.ifindex,
	    .ipv4 = ready || (d->up_ts != 0 && d->bundle.ipv4_up),
	    .ipv6 = d->up_ts != 0 && d->bundle.ipv6_up,
	    .local = d->netif.local_v4,
	};
	struct route_plan plan;

	routeplan_tunnel(&plan, d->profile, &facts);
	for (size_t i = 0; i < d->netif.routes.count; i++)
		if (!routeplan_has(&plan, &d->netif.routes.ops[i]))
			send_route(d, PRIV_ROUTE_DEL, &d->netif.routes.ops[i]);
	for (size_t i = 0; i < plan.count; i++)
		if (!routeplan_has(&d->netif.routes, &plan.ops[i]))
			send_route(d, PRIV_ROUTE_ADD, &plan.ops[i]);
	d->netif.routes = plan;
}

static void
on_dns(void *user, const struct priv_reply *reply, const int *fds)
{
	(void)fds;
	if (reply->error != 0)
		client_warn(user, "dns", "the server's name servers can't be put in place: %s", strerror(reply->error));
}

static void
update_dns(struct dial *d)
{
	bool wanted = d->profile->dns && d->up_ts != 0 && d->bundle.ipv4_up && d->bundle.dns[0].family != 0;
	struct priv_request request = {.type = wanted ? PRIV_DNS_SET : PRIV_DNS_CLEAR};

	if (!wanted && !d->netif.dns)
		return;
	memcpy(request.dns.ifname, d->netif.name, sizeof(request.dns.ifname));
	if (wanted) {
		memcpy(request.dns.servers, d->bundle.dns, sizeof(d->bundle.dns));
		memcpy(request.dns.domain, d->profile->dns_domain, sizeof(request.dns.domain));
	}
	d->netif.dns = wanted;
	priv_send(d->client->priv, &request, wanted ? on_dns : NULL, d);
}

static void
update_mtu(struct dial *d)
{
	struct priv_request request = {.type = PRIV_LINK_MTU};

	if (d->up_ts == 0 || d->link.mtu == 0 || d->netif.mtu == d->link.mtu)
		return;
	d->netif.mtu = d->link.mtu;
	request.link.ifindex = d->netif.ifindex;
	request.link.mtu = d->link.mtu;
	priv_send(d->client->priv, &request, NULL, NULL);
}

void
netif_update(struct dial *d)
{
	if (d->netif.ifindex == 0)
		return;
	update_mtu(d);
	update_addresses(d);
	update_routes(d);
	update_dns(d);
}

void
netif_down(struct dial *d)
{
	d->up_ts = 0;
	netif_update(d);
}
