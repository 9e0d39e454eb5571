/* What the monitor lets its worker ask for: one check per type of request. The worker parses what peers send, so it may be anybody's: no
 * request may reach further than a gateway with this configuration needs. */
#include <errno.h>
#include <string.h>

#include "alg/handover.h"
#include "alg/monitor_private.h"
#include "alg/policy.h"

/* --- addresses -------------------------------------------------------------------------- */

static bool
is_host_v4(const uint8_t a[4])
{
	static const uint8_t all[4] = {255, 255, 255, 255};

	return a[0] != 0 && a[0] != 127 && (a[0] & 0xf0) != 0xe0 && memcmp(a, all, 4) != 0;
}

/* Not ::, ::1 or an IPv4 address as a socket sees it, not multicast. */
static bool
is_host_v6(const uint8_t a[16])
{
	static const uint8_t zero[16], mapped[12] = {[10] = 0xff, [11] = 0xff};

	return (memcmp(a, zero, 15) != 0 || a[15] > 1) && memcmp(a, mapped, 12) != 0 && a[0] != 0xff;
}

/* Of a known family, with nothing behind the address (then equal addresses are equal bytes), and one host's that is not this one for
 * itself. */
static bool
addr_ok(const struct addr *a)
{
	static const uint8_t zero[16];

	if (a->family == 6)
		return is_host_v6(a->bytes);
	return a->family == 4 && memcmp(a->bytes + 4, zero, 12) == 0 && is_host_v4(a->bytes);
}

/* --- gates ---------------------------------------------------------------------------------- */

static bool
gate_ok(const struct gate *g)
{
	return addr_ok(&g->src) && addr_ok(&g->dst) && addr_ok(&g->new_src) && addr_ok(&g->new_dst) && g->src.family == g->dst.family &&
	       g->new_src.family == g->new_dst.family;
}

static bool
same_gate(const struct gate *a, const struct gate *b)
{
	return addr_equal(&a->src, &b->src) && addr_equal(&a->dst, &b->dst) && addr_equal(&a->new_src, &b->new_src) &&
	       addr_equal(&a->new_dst, &b->new_dst) && a->call_id == b->call_id && a->new_call_id == b->new_call_id;
}

/* One gate leads back where the other came from; only the user backend, which isn't here, crosses families. Call id 0 is what the kernel
 * has for all GRE that is not PPTP's: no translated id is 0, so a gate never waits for that. */
static bool
pair_ok(const struct gate_pair *pair)
{
	const struct gate *up = &pair->up, *down = &pair->down;

	return pair->id != 0 && gate_ok(up) && gate_ok(down) && up->src.family == up->new_src.family && up->call_id != 0 &&
	       down->call_id != 0 && addr_equal(&up->src, &down->new_dst) && addr_equal(&up->dst, &down->new_src) &&
	       addr_equal(&up->new_src, &down->dst) && addr_equal(&up->new_dst, &down->src);
}

/* Whether the pair may be one of those held: as it is, or as one more. */
static int
check_hold(const struct monitor *m, const struct gate_pair *pair)
{
	const struct held *h = monitor_find(m, pair->id);

	if (h != NULL)
		return same_gate(&h->pair.up, &pair->up) && same_gate(&h->pair.down, &pair->down) ? 0 : EPERM;
	return m->pairs_count < m->pairs_max ? 0 : ENOSPC;
}

/* For a client and a server that no policy lets talk there are no gates either. Those that it holds already may be put back where
 * somebody removed them. */
static int
check_add(const struct monitor *m, const struct monitor_request *r)
{
	const struct gate *up = &r->pair.up;

	if (!pair_ok(&r->pair))
		return EINVAL;
	if (monitor_find(m, r->pair.id) == NULL && !policy_may_proxy(m->config, &up->src, &up->dst))
		return EPERM;
	return check_hold(m, &r->pair);
}

/* These were let through by the policies of their time; that they are gates is what the data path looks at. */
static int
check_adopt(const struct monitor *m, const struct monitor_request *r)
{
	return pair_ok(&r->pair) ? check_hold(m, &r->pair) : EINVAL;
}

static int
check_del(const struct monitor *m, const struct monitor_request *r)
{
	return monitor_find(m, r->id) != NULL ? 0 : ENOENT;
}

static int
check_read(const struct monitor *m, const struct monitor_request *r)
{
	(void)m;
	return r->read.count <= MONITOR_READ_MAX ? 0 : EINVAL;
}

/* --- look-ups -------------------------------------------------------------------------------- */

/* Whether control connections may go there. */
static bool
is_our_port(const struct config *c, uint16_t port)
{
	for (size_t i = 0; i < c->ports_count; i++)
		if (c->ports[i] == port)
			return true;
	for (size_t i = 0; i < c->servers_count; i++)
		if (port != 0 && (c->servers[i].port == port || c->servers[i].to_port == port))
			return true;
	return false;
}

/* Who talks to whom is nobody's business, but for control connections. */
static int
check_lookup(const struct monitor *m, const struct monitor_request *r)
{
	const struct ct_tcp *t = &r->tcp;

	if (!addr_ok(&t->src) || !addr_ok(&t->dst) || t->src.family != t->dst.family)
		return EINVAL;
	return is_our_port(m->config, t->dport) ? 0 : EPERM;
}

/* --- GRE to the worker -------------------------------------------------------------------------- */

/* All of it is the worker's if gates are; else only what crosses between the families. */
static bool
is_workers(const struct monitor *m, const struct gate *g)
{
	const struct prefix *nat64 = &m->config->nat64_prefix;

	if (m->datapath == NULL)
		return true;
	if (nat64->addr.family == 0 || g->src.family == g->new_src.family)
		return false;
	return prefix_contains(nat64, g->src.family == 6 ? &g->dst : &g->new_src);
}

static int
check_divert(const struct monitor *m, const struct monitor_request *r)
{
	if (!gate_ok(&r->divert))
		return EINVAL;
	if (!is_workers(m, &r->divert))
		return EPERM;
	return r->type == MONITOR_DIVERT_END || m->diverts < 2 * m->pairs_max ? 0 : ENOSPC;
}

/* --- files and hand-over --------------------------------------------------------------------------- */

static int
check_nothing(const struct monitor *m, const struct monitor_request *r)
{
	(void)m, (void)r;
	return 0;
}

/* Whoever has everything in hand has taken all of it. */
static int
check_settled(const struct monitor *m, const struct monitor_request *r)
{
	(void)r;
	return m->inherited_given == m->inherited_count ? 0 : EINVAL;
}

static int
check_trace(const struct monitor *m, const struct monitor_request *r)
{
	(void)r;
	return m->config->trace.file != NULL ? 0 : EPERM;
}

/* Those that alg/handover.h names, and none that would mean something else to the next process. */
static bool
name_ok(const char name[MONITOR_FD_NAME])
{
	if (memchr(name, '\0', MONITOR_FD_NAME) == NULL)
		return false;
	if (strcmp(name, HANDOVER_FLOW_NAME) == 0 || strcmp(name, MONITOR_STATE_NAME) == 0)
		return true;
	return (name[0] == 'l' || name[0] == 'g') && (name[1] == '4' || name[1] == '6') &&
	       strspn(name + 2, "0123456789") == strlen(name + 2);
}

static int
check_handover(const struct monitor *m, const struct monitor_request *r)
{
	uint32_t count = r->handover.count;

	if (count > MONITOR_HANDOVER_FDS)
		return EINVAL;
	for (uint32_t i = 0; i < count; i++)
		if (!name_ok(r->handover.names[i]))
			return EINVAL;
	return m->handed_count + count <= m->handed_max ? 0 : ENOSPC;
}

int
monitor_check(const struct monitor *m, const struct monitor_request *request, size_t fds)
{
	static int (*const checks[MONITOR_TYPES])(const struct monitor *m, const struct monitor_request *r) = {
	    [MONITOR_GATE_ADD] = check_add,
	    [MONITOR_GATE_DEL] = check_del,
	    [MONITOR_GATES_READ] = check_read,
	    [MONITOR_GATE_ADOPT] = check_adopt,
	    [MONITOR_LOOKUP] = check_lookup,
	    [MONITOR_DIVERT] = check_divert,
	    [MONITOR_DIVERT_END] = check_divert,
	    [MONITOR_TABLE] = check_nothing,
	    [MONITOR_JOURNAL] = check_nothing,
	    [MONITOR_TRACE] = check_trace,
	    [MONITOR_INHERIT] = check_nothing,
	    [MONITOR_SETTLED] = check_settled,
	    [MONITOR_RELOAD] = check_nothing,
	    [MONITOR_HANDOVER] = check_handover,
	};

	if ((unsigned)request->type >= MONITOR_TYPES || fds != (request->type == MONITOR_HANDOVER ? request->handover.count : 0))
		return EINVAL;
	return checks[request->type](m, request);
}
