#include <string.h>
#include <sys/socket.h>

#include "alg/handover.h"
#include "alg/saved.h"

uint64_t
handover_cookie(int fd)
{
	uint64_t cookie = 0;
	socklen_t len = sizeof(cookie);

	return fd >= 0 && getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &len) == 0 ? cookie : 0;
}

/* --- parts ------------------------------------------------------------------------------ */

/* Text of a fixed size, which ends inside it. */
static void
get_text(struct rd *r, char *to, size_t size)
{
	const uint8_t *p = rd_bytes(r, size);

	if (p == NULL || memchr(p, '\0', size) == NULL)
		r->ok = false;
	else
		memcpy(to, p, size);
}

/* --- flows ---------------------------------------------------------------------------------- */

static void
put_end(struct wr *w, const struct flow_end *end)
{
	wr_u8(w, end->eof);
	wr_u8(w, end->shut);
	wr_u64(w, end->bytes);
}

static void
get_end(struct rd *r, struct flow_end *end)
{
	end->eof = rd_bool(r);
	end->shut = rd_bool(r);
	end->bytes = rd_u64(r);
}

void
handover_put_flow(struct wr *w, const struct flow *f)
{
	wr_u8(w, (uint8_t)f->state);
	wr_u64(w, f->number);
	wr_u64(w, f->since);
	wr_u64(w, f->since_unix);
	wr_addr(w, &f->client);
	wr_addr(w, &f->dialed);
	wr_addr(w, &f->server);
	wr_addr(w, &f->external);
	wr_addr(w, &f->source);
	wr_u16(w, f->client_port);
	wr_u16(w, f->dialed_port);
	wr_u16(w, f->server_port);
	wr_u16(w, f->external_port);
	wr_bytes(w, f->ifname, sizeof(f->ifname));
	wr_bytes(w, f->policy, sizeof(f->policy));
	wr_u8(w, f->own);
	wr_u8(w, f->nat64);
	wr_u8(w, f->untouched);
	wr_u8(w, f->started);
	wr_u8(w, f->ending);
	wr_u8(w, (uint8_t)f->nat);
	wr_u8(w, (uint8_t)f->source_kind);
	wr_u64(w, f->violations);
	wr_u64(w, f->calls_ever);
	put_end(w, &f->end[ALG_CLIENT]);
	put_end(w, &f->end[ALG_SERVER]);
}

void
handover_get_flow(struct rd *r, struct flow *f, enum flow_state *state)
{
	*state = (enum flow_state)rd_below(r, FLOW_CLOSED);
	f->number = rd_u64(r);
	f->since = rd_u64(r);
	f->since_unix = rd_u64(r);
	rd_addr(r, &f->client);
	rd_addr(r, &f->dialed);
	rd_addr(r, &f->server);
	rd_addr(r, &f->external);
	rd_addr(r, &f->source);
	f->client_port = rd_u16(r);
	f->dialed_port = rd_u16(r);
	f->server_port = rd_u16(r);
	f->external_port = rd_u16(r);
	get_text(r, f->ifname, sizeof(f->ifname));
	get_text(r, f->policy, sizeof(f->policy));
	f->own = rd_bool(r);
	f->nat64 = rd_bool(r);
	f->untouched = rd_bool(r);
	f->started = rd_bool(r);
	f->ending = rd_bool(r);
	f->nat = (enum config_nat)rd_below(r, NAT_INTERFACE + 1);
	f->source_kind = (enum policy_source)rd_below(r, SOURCE_INTERFACE + 1);
	f->violations = rd_u64(r);
	f->calls_ever = rd_u64(r);
	get_end(r, &f->end[ALG_CLIENT]);
	get_end(r, &f->end[ALG_SERVER]);
	if (f->number == 0 || f->client.family == 0 || f->server.family == 0 || f->dialed.family != f->client.family)
		r->ok = false;
	if (*state >= FLOW_OPEN && f->external.family != f->server.family)
		r->ok = false;
}

/* --- calls -------------------------------------------------------------------------------------- */

void
handover_put_call(struct wr *w, const struct handover_call *c)
{
	wr_u64(w, c->pair_id);
	wr_u32(w, c->ids.number);
	wr_u8(w, (uint8_t)c->ids.requester);
	wr_u8(w, c->ids.incoming);
	wr_u16(w, c->ids.client_id);
	wr_u16(w, c->ids.client_xid);
	wr_u16(w, c->ids.server_id);
	wr_u16(w, c->ids.server_xid);
	wr_u64(w, c->since_unix);
	wr_u8(w, c->up);
	wr_u8(w, c->user);
	wr_u64(w, c->counters.up_pkts);
	wr_u64(w, c->counters.up_bytes);
	wr_u64(w, c->counters.down_pkts);
	wr_u64(w, c->counters.down_bytes);
}

void
handover_get_call(struct rd *r, struct handover_call *c)
{
	c->pair_id = rd_u64(r);
	c->ids.number = rd_u32(r);
	c->ids.requester = (enum alg_side)rd_below(r, 2);
	c->ids.incoming = rd_bool(r);
	c->ids.client_id = rd_u16(r);
	c->ids.client_xid = rd_u16(r);
	c->ids.server_id = rd_u16(r);
	c->ids.server_xid = rd_u16(r);
	c->since_unix = rd_u64(r);
	c->up = rd_bool(r);
	c->user = rd_bool(r);
	c->counters.up_pkts = rd_u64(r);
	c->counters.up_bytes = rd_u64(r);
	c->counters.down_pkts = rd_u64(r);
	c->counters.down_bytes = rd_u64(r);
}
