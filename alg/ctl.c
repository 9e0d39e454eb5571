/* The control socket's commands: tables in the terms of SRX and ScreenOS. Each answers at once; rows go out one by one. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "alg/counters.h"
#include "alg/gateway.h"
#include "base/text.h"
#include "base/timerheap.h"
#include "sys/clock.h"

enum { NS_PER_S = 1000000000, HOST_TEXT = ADDR_TEXT_MAX + 8 };

static void
set(json_t *o, const char *key, json_t *value)
{
	json_object_set_new(o, key, value);
}

static void
set_number(json_t *o, const char *key, uint64_t value)
{
	set(o, key, json_integer((json_int_t)value));
}

static void
set_text(json_t *o, const char *key, const char *value)
{
	set(o, key, ctl_text(value));
}

static void
set_addr(json_t *o, const char *key, const struct addr *a)
{
	char buf[ADDR_TEXT_MAX];

	set_text(o, key, a->family != 0 ? addr_text(a, buf) : "");
}

static void
set_endpoint(json_t *o, const char *key, const struct addr *a, uint16_t port)
{
	char buf[ADDR_TEXT_MAX], text[HOST_TEXT];

	addr_text(a, buf);
	if (a->family == 0)
		text[0] = '\0';
	else
		snprintf(text, sizeof(text), a->family == 6 ? "[%s]:%u" : "%s:%u", buf, port);
	set_text(o, key, text);
}

static uint64_t
seconds_since(uint64_t then, uint64_t ts)
{
	return ts > then ? (ts - then) / NS_PER_S : 0;
}

/* "Too many calls" as part of a key: "too_many_calls". */
static void
add_slug(struct text *t, const char *words)
{
	for (; *words != '\0'; words++)
		text_addf(t, "%c", *words == ' ' ? '_' : *words);
}

/* ---- which rows ---- */

/* Only what belongs to this client or server, where asked for. */
struct filter {
	struct addr client, server; /* family 0: any */
};

static bool
read_filter(struct filter *f, json_t *args, struct ctl_reply *reply)
{
	const char *client = json_string_value(json_object_get(args, "client"));
	const char *server = json_string_value(json_object_get(args, "server"));

	*f = (struct filter){{0}, {0}};
	if (client != NULL && !addr_parse(&f->client, client)) {
		ctl_reply_error(reply, "no address: %.64s", client);
		return false;
	}
	if (server != NULL && !addr_parse(&f->server, server)) {
		ctl_reply_error(reply, "no address: %.64s", server);
		return false;
	}
	return true;
}

static bool
passes(const struct filter *f, const struct addr *client, const struct addr *server)
{
	return (f->client.family == 0 || addr_equal(&f->client, client)) && (f->server.family == 0 || addr_equal(&f->server, server));
}

/* ---- status ---- */

static void
add_usage(json_t *o, const struct gateway *gw, const struct gates_stats *g)
{
	const struct config *c = gw->config;
	struct xlate_stats x;

	xlate_stats(gw->xlate, &x);
	set_number(o, "connections", gw->flows_count);
	set_number(o, "connections_limit", c->max_connections);
	set_number(o, "half_open", gw->half_open_count);
	set_number(o, "half_open_limit", c->max_half_open);
	set_number(o, "calls", g->calls);
	set_number(o, "calls_limit", c->max_calls);
	set_number(o, "calls_limit_per_client", c->max_calls_per_client);
	set_number(o, "waiting", g->waiting);
	set_number(o, "waiting_limit", c->max_waiting);
	set_number(o, "adopted", g->adopted);
	set_number(o, "clients", g->clients);
	set_number(o, "ids", x.used);
	set_number(o, "ids_limit", x.limit);
	set_number(o, "ids_failed", x.failed);
}

/* Who was refused last, and why: a row for each reason that there was. */
static json_t *
refusals(const struct gates_stats *g, uint64_t ts)
{
	json_t *rows = json_array();

	for (int i = GATES_OK + 1; i < GATES_REFUSALS; i++) {
		json_t *o;

		if (g->refused[i].count == 0)
			continue;
		o = json_object();
		set_text(o, "refused", gates_refusal_text((enum gates_refusal)i));
		set_number(o, "count", g->refused[i].count);
		set_addr(o, "last_client", &g->refused[i].last_who);
		set_number(o, "ago_s", seconds_since(g->refused[i].last_ts, ts));
		json_array_append_new(rows, o);
	}
	return rows;
}

static void
show_status(void *user, json_t *args, struct ctl_reply *reply)
{
	struct gateway *gw = user;
	uint64_t ts = clock_ts();
	struct gates_stats g;
	json_t *o = json_object();

	(void)args;
	gates_stats(gw->gates, &g);
	set_text(o, "program", "pptpalg");
	set_text(o, "version", PACKAGE_VERSION);
	set_number(o, "uptime_s", seconds_since(gw->started_ts, ts));
	set(o, "took_over", json_boolean(gw->inherited));
	set(o, "stopping", json_boolean(gw->stopping));
	set_text(o, "datapath", gw->datapath);
	set(o, "user_forwarder", json_boolean(gw->user != NULL));
	set(o, "strict", json_boolean(gw->config->strict));
	set_text(o, "nat", config_nat_text(gw->config->nat));
	set_number(o, "policies", gw->config->policies_count);
	set_number(o, "servers", gw->config->servers_count);
	add_usage(o, gw, &g);
	set_number(o, "ageing_timeout_s", gw->config->ageing_ns / NS_PER_S);
	set_number(o, "idle_timeout_s", gw->config->idle_ns / NS_PER_S);
	set(o, "refusals", refusals(&g, ts));
	ctl_reply_done(reply, o);
}

/* ---- flows: sessions, as `show security flow session` has them ---- */

static void
set_timeout(json_t *o, const struct gates_info *info, uint64_t ts)
{
	if (info->expires != TS_NEVER)
		set_number(o, "timeout_s", info->expires > ts ? (info->expires - ts) / NS_PER_S : 0);
	else
		set(o, "timeout_s", json_null());
}

static json_t *
control_row(const struct flow *f, enum alg_side from)
{
	json_t *o = json_object();
	char id[24];

	snprintf(id, sizeof(id), "%" PRIu64, f->number);
	set_text(o, "session", id);
	set_text(o, "kind", from == ALG_CLIENT ? "control up" : "control down");
	if (from == ALG_CLIENT) {
		set_endpoint(o, "from", &f->client, f->client_port);
		set_endpoint(o, "to", &f->dialed, f->dialed_port);
	} else {
		set_endpoint(o, "from", &f->server, f->server_port);
		set_endpoint(o, "to", &f->external, f->external_port);
	}
	set(o, "call_id", json_null());
	if (from == ALG_CLIENT) {
		set_endpoint(o, "new_from", &f->external, f->external_port);
		set_endpoint(o, "new_to", &f->server, f->server_port);
	} else {
		set_endpoint(o, "new_from", &f->dialed, f->dialed_port);
		set_endpoint(o, "new_to", &f->client, f->client_port);
	}
	set(o, "new_call_id", json_null());
	set_text(o, "interface", from == ALG_CLIENT ? f->ifname : "");
	set(o, "packets", json_null());
	set_number(o, "bytes", f->end[from].bytes);
	set(o, "timeout_s", json_null());
	set_text(o, "state", flow_state_text(f->state));
	set_text(o, "policy", f->policy);
	return o;
}

static void
set_gate(json_t *o, const struct gate *g)
{
	set_addr(o, "from", &g->src);
	set_addr(o, "to", &g->dst);
	set_number(o, "call_id", g->call_id);
	set_addr(o, "new_from", &g->new_src);
	set_addr(o, "new_to", &g->new_dst);
	set_number(o, "new_call_id", g->new_call_id);
}

static json_t *
gre_row(const struct call *c, const struct gates_info *info, bool up, uint64_t ts)
{
	json_t *o = json_object();
	char id[GATEWAY_CALL_TEXT];

	set_text(o, "session", gateway_call_text(c, id));
	set_text(o, "kind", up ? "gre up" : "gre down");
	set_gate(o, up ? &c->pair.up : &c->pair.down);
	set_text(o, "interface", up ? c->ifname : "");
	set_number(o, "packets", up ? info->counters.up_pkts : info->counters.down_pkts);
	set_number(o, "bytes", up ? info->counters.up_bytes : info->counters.down_bytes);
	set_timeout(o, info, ts);
	set_text(o, "state", gates_state_text(info->state));
	set_text(o, "policy", c->policy);
	return o;
}

static void
show_flows(void *user, json_t *args, struct ctl_reply *reply)
{
	struct gateway *gw = user;
	uint64_t ts = clock_ts();
	struct gates_info info;
	struct filter filter;

	if (!read_filter(&filter, args, reply))
		return;
	for (const struct flow *f = gw->flows; f != NULL; f = f->next) {
		if (!passes(&filter, &f->client, &f->server))
			continue;
		ctl_reply_row(reply, control_row(f, ALG_CLIENT));
		ctl_reply_row(reply, control_row(f, ALG_SERVER));
	}
	for (const struct call *c = gw->calls; c != NULL; c = c->next) {
		if (!passes(&filter, &c->client, &c->server) || !gates_find(gw->gates, c->pair.id, &info))
			continue;
		ctl_reply_row(reply, gre_row(c, &info, true, ts));
		ctl_reply_row(reply, gre_row(c, &info, false, ts));
	}
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
	set_text(o, "flags", buf);
}

static json_t *
gate_row(const struct call *c, const struct gates_info *info, bool up, uint64_t ts)
{
	const struct gate *g = up ? &c->pair.up : &c->pair.down;
	bool installed = c->up && info->state != GATES_DELETING && info->state != GATES_DONE;
	json_t *o = json_object();
	char id[GATEWAY_CALL_TEXT];

	set_text(o, "call", gateway_call_text(c, id));
	set_text(o, "direction", up ? "up" : "down");
	set_gate(o, g);
	set_number(o, "age_s", seconds_since(info->since, ts));
	set_flags(o, c, g);
	set_text(o, "zone", up ? c->ifname : "");
	/* Who needs it: the call of a control connection, and the data path that has it. */
	set_number(o, "references", (c->flow != NULL && !c->gone) + (unsigned)installed);
	set_text(o, "state", gates_state_text(info->state));
	set_timeout(o, info, ts);
	return o;
}

static void
show_gates(void *user, json_t *args, struct ctl_reply *reply)
{
	struct gateway *gw = user;
	uint64_t ts = clock_ts();
	struct gates_info info;
	struct filter filter;

	if (!read_filter(&filter, args, reply))
		return;
	for (const struct call *c = gw->calls; c != NULL; c = c->next) {
		if (!passes(&filter, &c->client, &c->server) || !gates_find(gw->gates, c->pair.id, &info))
			continue;
		ctl_reply_row(reply, gate_row(c, &info, true, ts));
		ctl_reply_row(reply, gate_row(c, &info, false, ts));
	}
	ctl_reply_done(reply, NULL);
}

/* ---- xlate: `get alg pptp xlate` ---- */

struct xlate_walk {
	struct ctl_reply *reply;
	struct filter filter; /* client: the id's owner; server: who sends with the public id */
	uint64_t ts;
};

static void
xlate_row(void *user, const struct xlate_entry *e)
{
	const struct xlate_walk *w = user;
	json_t *o;

	if (!passes(&w->filter, &e->owner.addr, &e->line.from))
		return;
	o = json_object();
	set_addr(o, "owner", &e->owner.addr);
	set_number(o, "id", e->owner.id);
	set_addr(o, "public", &e->line.to);
	set_number(o, "public_id", e->xid);
	set_addr(o, "peer", &e->line.from);
	set_number(o, "source_port", e->owner.port);
	set_number(o, "time_s", seconds_since(e->since, w->ts));
	ctl_reply_row(w->reply, o);
}

static void
show_xlate(void *user, json_t *args, struct ctl_reply *reply)
{
	struct gateway *gw = user;
	struct xlate_walk walk = {.reply = reply, .ts = clock_ts()};
	struct xlate_stats s;
	json_t *o;

	if (!read_filter(&walk.filter, args, reply))
		return;
	xlate_each(gw->xlate, xlate_row, &walk);
	xlate_stats(gw->xlate, &s);
	o = json_object();
	set_number(o, "used", s.used);
	set_number(o, "limit", s.limit);
	set_number(o, "failed", s.failed);
	set_number(o, "resting", s.resting);
	ctl_reply_done(reply, o);
}

/* ---- resources: groups, as `show security resource-manager` has them ---- */

static void
resource_row(struct ctl_reply *reply, const char *group, const char *resource, const char *kind, const struct addr *owner,
    const char *state, uint64_t age_s)
{
	json_t *o = json_object();

	set_text(o, "group", group);
	set_text(o, "resource", resource);
	set_text(o, "kind", kind);
	set_addr(o, "owner", owner);
	set_text(o, "state", state);
	set_number(o, "age_s", age_s);
	ctl_reply_row(reply, o);
}

/* A call with its two gates. */
static void
call_resources(const struct gateway *gw, struct ctl_reply *reply, const char *group, const struct call *c, uint64_t ts)
{
	char id[GATEWAY_CALL_TEXT], gate[GATEWAY_CALL_TEXT + 8];
	struct gates_info info;

	if (!gates_find(gw->gates, c->pair.id, &info))
		return;
	gateway_call_text(c, id);
	resource_row(reply, group, id, "call", &c->client, c->gone ? "ended" : c->up ? "up" : "setting up", seconds_since(info.since, ts));
	snprintf(gate, sizeof(gate), "%s up", id);
	resource_row(reply, group, gate, "gate", &c->client, gates_state_text(info.state), seconds_since(info.since, ts));
	snprintf(gate, sizeof(gate), "%s down", id);
	resource_row(reply, group, gate, "gate", &c->server, gates_state_text(info.state), seconds_since(info.since, ts));
}

static void
show_resources(void *user, json_t *args, struct ctl_reply *reply)
{
	struct gateway *gw = user;
	uint64_t ts = clock_ts();
	struct filter filter;
	char group[24];

	if (!read_filter(&filter, args, reply))
		return;
	for (const struct flow *f = gw->flows; f != NULL; f = f->next) {
		if (!passes(&filter, &f->client, &f->server))
			continue;
		snprintf(group, sizeof(group), "%" PRIu64, f->number);
		resource_row(reply, group, group, "connection", &f->client, flow_state_text(f->state), seconds_since(f->since, ts));
		for (const struct call *c = f->calls; c != NULL; c = c->flow_next)
			call_resources(gw, reply, group, c, ts);
	}
	for (const struct call *c = gw->calls; c != NULL; c = c->next) {
		if (c->flow == NULL && passes(&filter, &c->client, &c->server))
			call_resources(gw, reply, "", c, ts);
	}
	ctl_reply_done(reply, NULL);
}

/* ---- counters ---- */

static void
add_counter(void *user, const struct counter *c)
{
	char key[192];
	struct text t;

	text_init(&t, key, sizeof(key));
	text_addf(&t, "%s", c->name);
	if (c->label != NULL) {
		text_addf(&t, "_");
		add_slug(&t, c->value_of_label);
	}
	set_number(user, key, c->value);
}

static void
show_counters(void *user, json_t *args, struct ctl_reply *reply)
{
	json_t *o = json_object();

	(void)args;
	counters_each(user, add_counter, o);
	ctl_reply_done(reply, o);
}

/* ---- clear ---- */

static void
clear(void *user, json_t *args, struct ctl_reply *reply)
{
	const char *call = json_string_value(json_object_get(args, "call"));
	const char *connection = json_string_value(json_object_get(args, "connection"));
	char *end = NULL;
	uint64_t number = connection != NULL ? strtoull(connection, &end, 10) : 0;

	if (call == NULL && connection == NULL)
		ctl_reply_error(reply, "the call's name or the connection's number is missing");
	else if (call != NULL && !gateway_clear_call(user, call))
		ctl_reply_error(reply, "no such call: %.64s", call);
	else if (connection != NULL && (end == connection || *end != '\0' || !gateway_clear_flow(user, number)))
		ctl_reply_error(reply, "no such connection: %.64s", connection);
	else
		ctl_reply_done(reply, json_pack("{s:i}", "cleared", 1));
}

const struct ctl_command gateway_commands[] = {
    {"alg status", "data path, use of limits, refusals with the last client", show_status},
    {"alg flows", "control connections and calls, a row a direction: client, server", show_flows},
    {"alg gates", "gates, a row each: client, server", show_gates},
    {"alg xlate", "translated call ids: client, server", show_xlate},
    {"alg resources", "connections with their calls and gates: client, server", show_resources},
    {"alg counters", "all counters", show_counters},
    {"alg clear", "end a call or a control connection: call or connection", clear},
    {"status", "the same as alg status", show_status},
    {NULL, NULL, NULL},
};
