/* Sessions and gates, a row each way. */
#include <inttypes.h>
#include <net/if.h>
#include <stdio.h>

#include "alg/ctl_private.h"
#include "base/text.h"
#include "sys/clock.h"
#include "sys/netlink.h"

struct listing {
	struct gateway *gw;
	struct ctl_reply *reply;
	struct filter filter;
	uint64_t ts;
	struct addr server; /* whose way was looked up last: many rows have the same */
	char way[IFNAMSIZ];
};

static bool
begin(struct listing *l, struct gateway *gw, json_t *args, struct ctl_reply *reply)
{
	*l = (struct listing){.gw = gw, .reply = reply, .ts = clock_ts()};
	return filter_read(&l->filter, args, reply);
}

/* The interface that a server's packets come in on, as far as routes tell; empty where they don't. */
static const char *
way_to(struct listing *l, const struct addr *server)
{
	struct nl_route r;

	if (l->gw->nl == NULL || addr_equal(&l->server, server))
		return l->way;
	l->server = *server;
	if (nl_route_lookup(l->gw->nl, server, 0, NULL, NULL, &r) != 0 || if_indextoname((unsigned)r.ifindex, l->way) == NULL)
		l->way[0] = '\0';
	return l->way;
}

/* ---- flows: sessions, as `show security flow session` has them ---- */

static json_t *
control_row(struct listing *l, const struct flow *f, enum alg_side from)
{
	json_t *o = json_object();
	char id[24];

	snprintf(id, sizeof(id), "%" PRIu64, f->number);
	row_text(o, "session", id);
	row_text(o, "kind", from == ALG_CLIENT ? "control up" : "control down");
	if (from == ALG_CLIENT) {
		row_endpoint(o, "from", &f->client, f->client_port);
		row_endpoint(o, "to", &f->dialed, f->dialed_port);
	} else {
		row_endpoint(o, "from", &f->server, f->server_port);
		row_endpoint(o, "to", &f->external, f->external_port);
	}
	row_set(o, "call_id", json_null());
	if (from == ALG_CLIENT) {
		row_endpoint(o, "new_from", &f->external, f->external_port);
		row_endpoint(o, "new_to", &f->server, f->server_port);
	} else {
		row_endpoint(o, "new_from", &f->dialed, f->dialed_port);
		row_endpoint(o, "new_to", &f->client, f->client_port);
	}
	row_set(o, "new_call_id", json_null());
	row_text(o, "interface", from == ALG_CLIENT ? f->ifname : way_to(l, &f->server));
	row_set(o, "packets", json_null());
	row_number(o, "bytes", f->end[from].bytes);
	row_seconds(o, "timeout_s", l->ts, f->deadline);
	row_text(o, "state", flow_state_text(f->state));
	row_text(o, "policy", f->policy);
	return o;
}

static void
set_gate(json_t *o, const struct gate *g)
{
	row_addr(o, "from", &g->src);
	row_addr(o, "to", &g->dst);
	row_number(o, "call_id", g->call_id);
	row_addr(o, "new_from", &g->new_src);
	row_addr(o, "new_to", &g->new_dst);
	row_number(o, "new_call_id", g->new_call_id);
}

static json_t *
gre_row(struct listing *l, const struct call *c, const struct gates_info *info, bool up)
{
	json_t *o = json_object();
	char id[GATEWAY_CALL_TEXT];

	row_text(o, "session", gateway_call_text(c, id));
	row_text(o, "kind", up ? "gre up" : "gre down");
	set_gate(o, up ? &c->pair.up : &c->pair.down);
	row_text(o, "interface", up ? c->ifname : way_to(l, &c->server));
	row_number(o, "packets", up ? info->counters.up_pkts : info->counters.down_pkts);
	row_number(o, "bytes", up ? info->counters.up_bytes : info->counters.down_bytes);
	row_seconds(o, "timeout_s", l->ts, info->expires);
	row_text(o, "state", gates_state_text(info->state));
	row_text(o, "policy", c->policy);
	return o;
}

/* Both directions of each call that has gates. */
static void
call_rows(struct listing *l, json_t *(*row)(struct listing *l, const struct call *c, const struct gates_info *info, bool up))
{
	struct gates_info info;

	for (const struct call *c = l->gw->calls; c != NULL; c = c->next) {
		if (!filter_passes(&l->filter, &c->client, &c->server) || !gates_find(l->gw->gates, c->pair.id, &info))
			continue;
		ctl_reply_row(l->reply, row(l, c, &info, true));
		ctl_reply_row(l->reply, row(l, c, &info, false));
	}
}

void
show_flows(void *user, json_t *args, struct ctl_reply *reply)
{
	struct listing l;

	if (!begin(&l, user, args, reply))
		return;
	for (const struct flow *f = l.gw->flows; f != NULL; f = f->next) {
		if (!filter_passes(&l.filter, &f->client, &f->server))
			continue;
		ctl_reply_row(reply, control_row(&l, f, ALG_CLIENT));
		ctl_reply_row(reply, control_row(&l, f, ALG_SERVER));
	}
	call_rows(&l, gre_row);
	ctl_reply_done(reply, NULL);
}

/* ---- gates ---- */

static void
set_flags(json_t *o, const struct call *c, const struct gate *g)
{
	const struct {
		bool is;
		const char *word;
	} flags[] = {
	    {!addr_equal(&g->src, &g->new_src), "snat"},
	    {!addr_equal(&g->dst, &g->new_dst), "dnat"},
	    {g->call_id != g->new_call_id, "id"},
	    {g->src.family != g->new_src.family, "nat64"},
	    {c->user, "user"},
	    {c->adopted, "adopted"},
	};
	char buf[64];
	struct text t;

	text_init(&t, buf, sizeof(buf));
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		if (flags[i].is)
			text_addf(&t, t.len > 0 ? ",%s" : "%s", flags[i].word);
	}
	row_text(o, "flags", buf);
}

static json_t *
gate_row(struct listing *l, const struct call *c, const struct gates_info *info, bool up)
{
	const struct gate *g = up ? &c->pair.up : &c->pair.down;
	bool installed = c->up && info->state != GATES_DELETING && info->state != GATES_DONE;
	json_t *o = json_object();
	char id[GATEWAY_CALL_TEXT];

	row_text(o, "call", gateway_call_text(c, id));
	row_text(o, "direction", up ? "up" : "down");
	set_gate(o, g);
	row_seconds(o, "age_s", info->since, l->ts);
	set_flags(o, c, g);
	row_text(o, "zone", up ? c->ifname : way_to(l, &c->server));
	/* Who needs it: the call of a control connection, and the data path that has it. */
	row_number(o, "references", (c->flow != NULL && !c->gone) + (unsigned)installed);
	row_text(o, "state", gates_state_text(info->state));
	row_seconds(o, "timeout_s", l->ts, info->expires);
	return o;
}

void
show_gates(void *user, json_t *args, struct ctl_reply *reply)
{
	struct listing l;

	if (!begin(&l, user, args, reply))
		return;
	call_rows(&l, gate_row);
	ctl_reply_done(reply, NULL);
}
