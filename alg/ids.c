/* Translated call ids, per flow: which line of the translation table an id stands on.
 *
 *   client's id   line from the server to the external address
 *   server's id   line from the client to the dialed address
 *
 * An id that is taken never keeps a call out, but for one case: what a client on the gateway sends doesn't pass the forwarder in user
 * space, and its sockets get what comes as it comes, so that its ids must stay as they are there. Elsewhere every data path can rewrite
 * an id, even where no address changes. */
#include "alg/calls.h"
#include "alg/flow.h"
#include "sys/clock.h"

static struct xlate_line
line_of(const struct flow *f, enum alg_side owner)
{
	if (owner == ALG_CLIENT)
		return (struct xlate_line){.from = f->server, .to = f->external};
	return (struct xlate_line){.from = f->client, .to = f->dialed};
}

static struct xlate_owner
owner_of(const struct flow *f, enum alg_side owner, uint16_t id)
{
	return (struct xlate_owner){
	    .addr = owner == ALG_CLIENT ? f->client : f->server, .port = owner == ALG_CLIENT ? f->client_port : f->server_port, .id = id};
}

static bool
keeps_ids(const struct flow *f)
{
	return f->own && f->user && f->client.family == f->server.family;
}

static enum xlate_error
choose(const struct flow *f, enum alg_side side, uint16_t id, uint16_t *xid)
{
	struct xlate_line line = line_of(f, side);
	struct xlate_owner owner = owner_of(f, side, id);

	if (!keeps_ids(f))
		return xlate_take(f->gw->xlate, &line, &owner, clock_ts(), xid);
	*xid = id;
	return xlate_claim(f->gw->xlate, &line, &owner, id, clock_ts());
}

/* Calls that are asked for hold an id each, so they count, too, though they have no gates yet. */
static enum alg_why
admit(void *user)
{
	struct flow *f = user;

	f->refusal = gates_check(f->gw->gates, &f->client, f->source_account->requested, clock_ts());
	return f->refusal == GATES_OK ? ALG_WHY_NONE : ALG_WHY_TOO_MANY;
}

static enum alg_why
take(void *user, enum alg_side side, uint16_t id, uint16_t *xid)
{
	struct flow *f = user;
	enum alg_why why = choose(f, side, id, xid) == XLATE_OK ? ALG_WHY_NONE : ALG_WHY_NO_ID;

	trace_line(f->gw->trace, TRACE_VERBOSE, TRACE_XLATE, "flow=%llu %s id=%u xid=%u %s", (unsigned long long)f->number,
	    flow_side_text(side), id, *xid, why == ALG_WHY_NONE ? "taken" : alg_why_text(why));
	return why;
}

static void
give(void *user, enum alg_side side, uint16_t xid)
{
	struct flow *f = user;
	struct xlate_line line = line_of(f, side);

	xlate_give(f->gw->xlate, &line, xid, clock_ts());
}

static bool
claim(void *user, enum alg_side side, uint16_t id, uint16_t xid)
{
	struct flow *f = user;
	struct xlate_line line = line_of(f, side);
	struct xlate_owner owner = owner_of(f, side, id);

	return xlate_claim(f->gw->xlate, &line, &owner, xid, clock_ts()) == XLATE_OK;
}

const struct alg_xlate_ops ids_ops = {.take = take, .give = give, .claim = claim, .admit = admit};

/* --- adopted calls: what stands in their gates --------------------------------------- */

void
ids_claim_adopted(struct call *c)
{
	struct xlate_line client_line = {.from = c->pair.down.src, .to = c->pair.down.dst};
	struct xlate_line server_line = {.from = c->pair.up.src, .to = c->pair.up.dst};
	struct xlate_owner client = {.addr = c->client, .id = c->pair.down.new_call_id};
	struct xlate_owner server = {.addr = c->server, .id = c->pair.up.new_call_id};
	uint64_t ts = clock_ts();

	if (xlate_claim(c->gw->xlate, &client_line, &client, c->pair.down.call_id, ts) != XLATE_OK)
		return;
	c->claims = xlate_claim(c->gw->xlate, &server_line, &server, c->pair.up.call_id, ts) == XLATE_OK;
	if (!c->claims)
		xlate_give(c->gw->xlate, &client_line, c->pair.down.call_id, ts);
}

void
ids_give_adopted(struct call *c)
{
	struct xlate_line client_line = {.from = c->pair.down.src, .to = c->pair.down.dst};
	struct xlate_line server_line = {.from = c->pair.up.src, .to = c->pair.up.dst};
	uint64_t ts = clock_ts();

	if (!c->claims)
		return;
	c->claims = false;
	xlate_give(c->gw->xlate, &client_line, c->pair.down.call_id, ts);
	xlate_give(c->gw->xlate, &server_line, c->pair.up.call_id, ts);
}
