/* What the policy allows: one check per type of request. The form of the request was checked before. */
#include <errno.h>
#include <fnmatch.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "sys/priv_core.h"

enum { MTU_MIN = 68, MTU_MAX = 65535 };

/* --- interfaces ------------------------------------------------------------- */

static bool
still_there(const struct priv_own_if *i)
{
	char name[IF_NAMESIZE];

	return if_indextoname((unsigned)i->ifindex, name) != NULL && strcmp(name, i->name) == 0;
}

bool
priv_own_ifindex(const struct priv_core *core, int ifindex)
{
	for (size_t i = core->ifs_count; i-- > 0;) {
		if (core->ifs[i].ifindex == ifindex)
			return still_there(&core->ifs[i]);
	}
	return false;
}

bool
priv_own_ifname(const struct priv_core *core, const char *name)
{
	for (size_t i = core->ifs_count; i-- > 0;) {
		if (strcmp(core->ifs[i].name, name) == 0 && still_there(&core->ifs[i]))
			return true;
	}
	return false;
}

/* A name the kernel would take, and at most one "%d", for which *plain gets a digit. */
static bool
name_ok(const char *name, char plain[PRIV_IFNAME])
{
	const char *percent = strchr(name, '%');
	int before = percent != NULL ? (int)(percent - name) : (int)strlen(name);

	if (name[0] == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strpbrk(name, "/: \t\n\v\f\r") != NULL)
		return false;
	if (percent != NULL && (percent[1] != 'd' || strchr(percent + 1, '%') != NULL))
		return false;
	snprintf(plain, PRIV_IFNAME, "%.*s%s%s", before, name, percent != NULL ? "0" : "", percent != NULL ? percent + 2 : "");
	return true;
}

static int
allow_tun_open(struct priv_core *core, const struct priv_request *r)
{
	char plain[PRIV_IFNAME];

	if (!name_ok(r->tun.name, plain) || r->tun.mtu < MTU_MIN || r->tun.mtu > MTU_MAX)
		return EPERM;
	if (r->tun.queues == 0 || r->tun.queues > core->policy.max_queues || r->tun.queues > PRIV_MAX_FDS)
		return EPERM;
	for (const char *const *p = core->policy.ifnames; p != NULL && *p != NULL; p++) {
		if (fnmatch(*p, plain, 0) == 0)
			return 0;
	}
	return EPERM;
}

static int
allow_link_mtu(struct priv_core *core, const struct priv_request *r)
{
	return priv_own_ifindex(core, r->link.ifindex) && r->link.mtu >= MTU_MIN && r->link.mtu <= MTU_MAX ? 0 : EPERM;
}

/* --- addresses and routes ------------------------------------------------------ */

/* Every address of p lies in one of the policy's prefixes. */
static bool
within(const struct priv_core *core, const struct prefix *p)
{
	for (size_t i = 0; i < core->policy.addresses_count; i++) {
		if (core->policy.addresses[i].len <= p->len && prefix_contains(&core->policy.addresses[i], &p->addr))
			return true;
	}
	return core->policy.addresses_count == 0;
}

static bool
address_within(const struct priv_core *core, const struct addr *a)
{
	static const struct prefix link_local = {.addr = {.family = 6, .bytes = {0xfe, 0x80}}, .len = 10};
	struct prefix p = {.addr = *a, .len = (uint8_t)(addr_len(a) * 8)};

	return prefix_contains(&link_local, a) || within(core, &p);
}

static int
allow_addr_add(struct priv_core *core, const struct priv_request *r)
{
	if (!priv_own_ifindex(core, r->addr.ifindex) || !address_within(core, &r->addr.local))
		return EPERM;
	return r->addr.peer.family == 0 || address_within(core, &r->addr.peer) ? 0 : EPERM;
}

static int
allow_route_add(struct priv_core *core, const struct priv_request *r)
{
	if (priv_own_ifindex(core, r->route.ifindex))
		return core->policy.any_route || within(core, &r->route.dst) ? 0 : EPERM;
	/* Elsewhere only the host route to a server: it can't draw other traffic. */
	return core->policy.host_routes && r->route.ifindex > 0 && r->route.table == 0 &&
		       r->route.dst.len == addr_len(&r->route.dst.addr) * 8
		   ? 0
		   : EPERM;
}

static int
allow_proxy_add(struct priv_core *core, const struct priv_request *r)
{
	struct prefix p = {.addr = r->proxy.addr, .len = (uint8_t)(addr_len(&r->proxy.addr) * 8)};

	return within(core, &p) ? 0 : EPERM;
}

/* Only what is in the list of what was done. */
static int
allow_del(struct priv_core *core, const struct priv_request *r)
{
	struct priv_deed deed = priv_deed_of(r);

	return priv_undo_find(core->undo, &deed) ? 0 : ENOENT;
}

/* --- sockets, files, scripts, resolvers ------------------------------------------ */

static bool
mark_ok(const struct priv_core *core, uint32_t mark)
{
	return core->policy.marks == 0 || (mark & ~core->policy.marks) == 0;
}

static int
allow_gre_open(struct priv_core *core, const struct priv_request *r)
{
	return r->gre.shards <= 256 && (!r->gre.transparent || core->policy.transparent) && mark_ok(core, r->gre.mark) ? 0 : EPERM;
}

static int
allow_tcp_listen(struct priv_core *core, const struct priv_request *r)
{
	if ((r->tcp.transparent && !core->policy.transparent) || !mark_ok(core, r->tcp.mark))
		return EPERM;
	return r->tcp.port != 0 && r->tcp.port >= core->policy.tcp_port_min && r->tcp.port <= core->policy.tcp_port_max ? 0 : EPERM;
}

static int
allow_tcp_socket(struct priv_core *core, const struct priv_request *r)
{
	if ((r->tcp.transparent && !core->policy.transparent) || !mark_ok(core, r->tcp.mark))
		return EPERM;
	return r->tcp.port == 0 || r->tcp.port >= 1024 ? 0 : EPERM;
}

static int
allow_file_open(struct priv_core *core, const struct priv_request *r)
{
	return r->file.number < PRIV_MAX_FILES && core->policy.files[r->file.number] != NULL ? 0 : EPERM;
}

static int
allow_script(struct priv_core *core, const struct priv_request *r)
{
	return r->script.number < PRIV_MAX_SCRIPTS && core->policy.scripts[r->script.number] != NULL ? 0 : EPERM;
}

static int
allow_dns_set(struct priv_core *core, const struct priv_request *r)
{
	return priv_own_ifname(core, r->dns.ifname) && r->dns.servers[0].family != 0 ? 0 : EPERM;
}

static int
allow_dns_clear(struct priv_core *core, const struct priv_request *r)
{
	/* Only what was set can be cleared; priv_dns_clear() looks. The interface may be gone. */
	(void)core;
	return r->dns.ifname[0] != '\0' ? 0 : EPERM;
}

static int
allow_program(struct priv_core *core, const struct priv_request *r)
{
	(void)r;
	return core->policy.program.handle != NULL ? 0 : EPERM;
}

int
priv_allow(struct priv_core *core, const struct priv_request *r)
{
	static int (*const checks[PRIV_TYPES])(struct priv_core * core, const struct priv_request *r) = {
	    [PRIV_TUN_OPEN] = allow_tun_open,
	    [PRIV_LINK_MTU] = allow_link_mtu,
	    [PRIV_ADDR_ADD] = allow_addr_add,
	    [PRIV_ADDR_DEL] = allow_del,
	    [PRIV_ROUTE_ADD] = allow_route_add,
	    [PRIV_ROUTE_DEL] = allow_del,
	    [PRIV_PROXY_ADD] = allow_proxy_add,
	    [PRIV_PROXY_DEL] = allow_del,
	    [PRIV_GRE_OPEN] = allow_gre_open,
	    [PRIV_TCP_LISTEN] = allow_tcp_listen,
	    [PRIV_TCP_SOCKET] = allow_tcp_socket,
	    [PRIV_FILE_OPEN] = allow_file_open,
	    [PRIV_SCRIPT] = allow_script,
	    [PRIV_DNS_SET] = allow_dns_set,
	    [PRIV_DNS_CLEAR] = allow_dns_clear,
	    [PRIV_PROGRAM] = allow_program,
	};

	return core->policy.types[r->type] ? checks[r->type](core, r) : EPERM;
}
