/* The privileged actions: one per type of request. What comes here was allowed. */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/gresock.h"
#include "sys/netlink.h"
#include "sys/priv_core.h"
#include "sys/sockaddr.h"
#include "sys/tunq.h"

enum { BACKLOG = 4096 };

/* --- interfaces ---------------------------------------------------------------- */

static bool
gone(void *user, int ifindex)
{
	char name[IF_NAMESIZE];

	(void)user;
	return if_indextoname((unsigned)ifindex, name) == NULL;
}

/* Drops interfaces that are gone, and what was done on them, before the list grows. */
static bool
room_for_if(struct priv_core *core)
{
	struct priv_own_if *grown;
	size_t kept = 0, room;

	if (core->ifs_count < core->ifs_room)
		return true;
	for (size_t i = 0; i < core->ifs_count; i++) {
		if (!gone(NULL, core->ifs[i].ifindex))
			core->ifs[kept++] = core->ifs[i];
	}
	core->ifs_count = kept;
	priv_undo_forget(core->undo, gone, NULL);
	/* Doubling keeps the sweeps rare. */
	room = kept * 2 > 64 ? kept * 2 : 64;
	grown = realloc(core->ifs, room * sizeof(*grown));
	if (grown == NULL)
		return kept < core->ifs_room;
	core->ifs = grown;
	core->ifs_room = room;
	return true;
}

static int
do_tun_open(struct priv_core *core, const struct priv_request *r, struct priv_reply *reply, int fds[PRIV_MAX_FDS])
{
	int saved;

	if (!room_for_if(core))
		return ENOMEM;
	memcpy(reply->ifname, r->tun.name, PRIV_IFNAME);
	if (tunq_open(reply->ifname, r->tun.queues, r->tun.vnet_hdr, r->tun.tap, fds, &reply->offloads, &reply->vnet_hdr) != 0)
		return errno;
	reply->ifindex = (int)if_nametoindex(reply->ifname);
	if (reply->ifindex != 0 && nl_link_up(core->nl, reply->ifindex, r->tun.mtu) == 0) {
		reply->fds = r->tun.queues;
		core->ifs[core->ifs_count].ifindex = reply->ifindex;
		memcpy(core->ifs[core->ifs_count++].name, reply->ifname, PRIV_IFNAME);
		return 0;
	}
	saved = errno;
	for (size_t i = 0; i < r->tun.queues; i++)
		close(fds[i]);
	return saved;
}

static int
do_link_mtu(struct priv_core *core, const struct priv_request *r, struct priv_reply *reply, int fds[PRIV_MAX_FDS])
{
	(void)reply, (void)fds;
	return nl_link_mtu(core->nl, r->link.ifindex, r->link.mtu) == 0 ? 0 : errno;
}

/* --- addresses, routes, neighbours ------------------------------------------------ */

static int
do_addr_add(struct priv_core *core, const struct priv_request *r, struct priv_reply *reply, int fds[PRIV_MAX_FDS])
{
	struct nl_addr a = {.ifindex = r->addr.ifindex, .local = r->addr.local, .peer = r->addr.peer, .prefix_len = r->addr.prefix_len};
	struct priv_deed deed = priv_deed_of(r);

	(void)reply, (void)fds;
	/* First the list, then the deed: what could not be undone is not done. */
	if (!priv_undo_add(core->undo, &deed))
		return ENOSPC;
	return nl_addr_add(core->nl, &a) == 0 ? 0 : errno;
}

static int
put_route(struct nl *nl, const struct nl_route *route, bool ours)
{
	if (!ours && nl_route_add(nl, route) == 0)
		return 0;
	if (!ours && (errno != EEXIST || !nl_route_is_stale(nl, route)))
		return errno != 0 ? errno : EEXIST;
	return nl_route_replace(nl, route) == 0 ? 0 : errno;
}

/* A gateway outside of the interface's subnets, as providers of virtual machines have them, is said to be on the link. */
static int
put_route_anyhow(struct nl *nl, struct nl_route *route, bool ours)
{
	int error = put_route(nl, route, ours);

	if ((error != ENETUNREACH && error != EHOSTUNREACH) || route->gateway.family == 0)
		return error;
	route->onlink = true;
	return put_route(nl, route, ours);
}

static int
do_route_add(struct priv_core *core, const struct priv_request *r, struct priv_reply *reply, int fds[PRIV_MAX_FDS])
{
	struct nl_route route = {.dst = r->route.dst,
	    .gateway = r->route.gateway,
	    .source = r->route.source,
	    .ifindex = r->route.ifindex,
	    .metric = r->route.metric,
	    .table = r->route.table};
	struct priv_deed deed = priv_deed_of(r), before = deed;
	bool ours = priv_undo_find(core->undo, &before), elsewhere = !priv_own_ifindex(core, r->route.ifindex);
	int error;

	(void)reply, (void)fds;
	if (!ours && priv_undo_full(core->undo))
		return ENOSPC;
	if (elsewhere)
		priv_claim(&core->claims, &r->route.dst);
	error = put_route_anyhow(core->nl, &route, ours);
	if (error == 0 && !priv_undo_add(core->undo, &deed)) {
		priv_deed_undo(core->nl, &deed);
		error = ENOMEM;
	}
	if (error != 0 && elsewhere)
		priv_unclaim(&core->claims, &r->route.dst);
	return error;
}

static bool
skip_own(void *user, int ifindex)
{
	return priv_own_ifindex(user, ifindex);
}

/* The kernel answers for IPv6 proxies only where this is on; turned off at the end where it was off. */
static int
answer_ndp(struct priv_core *core, int ifindex)
{
	bool was = true;

	if (nl_proxy_ndp(ifindex, true, &was) != 0)
		return errno;
	if (!was && core->ndp_count < sizeof(core->ndp_ifs) / sizeof(core->ndp_ifs[0]))
		core->ndp_ifs[core->ndp_count++] = ifindex;
	return 0;
}

static int
do_proxy_add(struct priv_core *core, const struct priv_request *r, struct priv_reply *reply, int fds[PRIV_MAX_FDS])
{
	struct priv_deed deed = priv_deed_of(r);
	int error = 0;

	(void)fds;
	deed.ifindex = nl_link_of_subnet(core->nl, &r->proxy.addr, skip_own, core);
	if (deed.ifindex < 0)
		return errno;
	if (!priv_undo_add(core->undo, &deed))
		return ENOSPC;
	reply->ifindex = deed.ifindex;
	if (r->proxy.addr.family == 6)
		error = answer_ndp(core, deed.ifindex);
	if (error == 0 && nl_proxy_add(core->nl, deed.ifindex, &r->proxy.addr) != 0)
		error = errno;
	return error;
}

static int
do_del(struct priv_core *core, const struct priv_request *r, struct priv_reply *reply, int fds[PRIV_MAX_FDS])
{
	struct priv_deed deed = priv_deed_of(r);
	int error;

	(void)reply, (void)fds;
	if (!priv_undo_find(core->undo, &deed))
		return ENOENT;
	priv_undo_remove(core->undo, &deed);
	error = priv_deed_undo(core->nl, &deed);
	if (deed.type == PRIV_ROUTE_ADD)
		priv_unclaim(&core->claims, &deed.dst);
	return error;
}

/* --- sockets and files --------------------------------------------------------------- */

static int
do_gre_open(struct priv_core *core, const struct priv_request *r, struct priv_reply *reply, int fds[PRIV_MAX_FDS])
{
	int (*const make)(uint8_t, const struct addr *, uint16_t, uint16_t, uint32_t, const char *) =
	    r->gre.transparent ? gresock_open_transparent : gresock_open;

	(void)core;
	fds[0] = make(r->gre.family, &r->gre.bind, r->gre.shard, r->gre.shards, r->gre.mark, r->gre.ifname);
	reply->fds = fds[0] >= 0;
	return fds[0] >= 0 ? 0 : errno;
}

static int
set_transparent(int fd, uint8_t family)
{
	const int on = 1;

	return family == 4 ? setsockopt(fd, IPPROTO_IP, IP_TRANSPARENT, &on, sizeof(on))
			   : setsockopt(fd, IPPROTO_IPV6, IPV6_TRANSPARENT, &on, sizeof(on));
}

static int
set_up_tcp(int fd, const struct priv_request *r)
{
	struct sockaddr_storage ss;
	socklen_t len = sockaddr_make(&ss, &r->tcp.bind, r->tcp.port);
	const int on = 1;
	bool listens = r->type == PRIV_TCP_LISTEN;

	if (r->tcp.bind.family == 6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) != 0)
		return -1;
	if (r->tcp.mark != 0 && setsockopt(fd, SOL_SOCKET, SO_MARK, &r->tcp.mark, sizeof(r->tcp.mark)) != 0)
		return -1;
	if (r->tcp.ifname[0] != '\0' && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, r->tcp.ifname, (socklen_t)strlen(r->tcp.ifname)) != 0)
		return -1;
	if (r->tcp.transparent && set_transparent(fd, r->tcp.bind.family) != 0)
		return -1;
	/* A port per server instead of one per address. An option of IPv4's level for both families. */
	if (!listens && r->tcp.port == 0 && setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on)) != 0)
		return -1;
	if (listens && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0)
		return -1;
	if (bind(fd, (struct sockaddr *)&ss, len) != 0)
		return -1;
	return listens ? listen(fd, BACKLOG) : 0;
}

static int
do_tcp(struct priv_core *core, const struct priv_request *r, struct priv_reply *reply, int fds[PRIV_MAX_FDS])
{
	int saved;

	(void)core;
	fds[0] = socket(r->tcp.bind.family == 4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fds[0] < 0)
		return errno;
	if (set_up_tcp(fds[0], r) == 0) {
		reply->fds = 1;
		return 0;
	}
	saved = errno;
	close(fds[0]);
	return saved;
}

static int
do_file_open(struct priv_core *core, const struct priv_request *r, struct priv_reply *reply, int fds[PRIV_MAX_FDS])
{
	struct stat st;

	fds[0] = open(core->policy.files[r->file.number], O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fds[0] < 0)
		return errno;
	if (fstat(fds[0], &st) == 0 && S_ISDIR(st.st_mode)) {
		close(fds[0]);
		return EISDIR;
	}
	reply->fds = 1;
	return 0;
}

/* --- scripts and resolvers -------------------------------------------------------------- */

static int
do_script(struct priv_core *core, const struct priv_request *r, struct priv_reply *reply, int fds[PRIV_MAX_FDS])
{
	const char *path = core->policy.scripts[r->script.number];

	(void)reply, (void)fds;
	if (r->script.when == PRIV_SCRIPT_AT_EXIT)
		return priv_scripts_keep(core->scripts, r->script.key, path, r->script.env, r->script.envlen);
	if (r->script.key != 0)
		priv_scripts_forget(core->scripts, r->script.key);
	return priv_scripts_run(core->scripts, r->script.key, path, r->script.env, r->script.envlen);
}

static int
do_dns_set(struct priv_core *core, const struct priv_request *r, struct priv_reply *reply, int fds[PRIV_MAX_FDS])
{
	(void)reply, (void)fds;
	return priv_dns_set(core->dns, r);
}

static int
do_dns_clear(struct priv_core *core, const struct priv_request *r, struct priv_reply *reply, int fds[PRIV_MAX_FDS])
{
	(void)reply, (void)fds;
	return priv_dns_clear(core->dns, r->dns.ifname);
}

int
priv_do(struct priv_core *core, const struct priv_request *r, struct priv_reply *reply, int fds[PRIV_MAX_FDS])
{
	static int (*const actions[PRIV_TYPES])(
	    struct priv_core * core, const struct priv_request *r, struct priv_reply *reply, int fds[PRIV_MAX_FDS]) = {
	    [PRIV_TUN_OPEN] = do_tun_open,
	    [PRIV_LINK_MTU] = do_link_mtu,
	    [PRIV_ADDR_ADD] = do_addr_add,
	    [PRIV_ADDR_DEL] = do_del,
	    [PRIV_ROUTE_ADD] = do_route_add,
	    [PRIV_ROUTE_DEL] = do_del,
	    [PRIV_PROXY_ADD] = do_proxy_add,
	    [PRIV_PROXY_DEL] = do_del,
	    [PRIV_GRE_OPEN] = do_gre_open,
	    [PRIV_TCP_LISTEN] = do_tcp,
	    [PRIV_TCP_SOCKET] = do_tcp,
	    [PRIV_FILE_OPEN] = do_file_open,
	    [PRIV_SCRIPT] = do_script,
	    [PRIV_DNS_SET] = do_dns_set,
	    [PRIV_DNS_CLEAR] = do_dns_clear,
	};

	return actions[r->type](core, r, reply, fds);
}
