/* The control socket's commands: tables in the terms of SRX and ScreenOS. Each answers at once; rows go out one by one. */
#include <stdlib.h>

#include "alg/counters.h"
#include "alg/ctl_private.h"
#include "base/text.h"
#include "sys/clock.h"

/* ---- status ---- */

static void
add_usage(json_t *o, const struct gateway *gw, const struct gates_stats *g)
{
	const struct config *c = gw->config;
	struct xlate_stats x;

	xlate_stats(gw->xlate, &x);
	row_number(o, "connections", gw->flows_count);
	row_number(o, "connections_limit", c->max_connections);
	row_number(o, "half_open", gw->half_open_count);
	row_number(o, "half_open_limit", c->max_half_open);
	row_number(o, "calls", g->calls);
	row_number(o, "calls_limit", c->max_calls);
	row_number(o, "calls_limit_per_client", c->max_calls_per_client);
	row_number(o, "waiting", g->waiting);
	row_number(o, "waiting_limit", c->max_waiting);
	row_number(o, "adopted", g->adopted);
	row_number(o, "clients", g->clients);
	row_number(o, "ids", x.used);
	row_number(o, "ids_limit", x.limit);
	row_number(o, "ids_failed", x.failed);
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
		row_text(o, "refused", gates_refusal_text((enum gates_refusal)i));
		row_number(o, "count", g->refused[i].count);
		row_addr(o, "last_client", &g->refused[i].last_who);
		row_seconds(o, "ago_s", g->refused[i].last_ts, ts);
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
	row_text(o, "program", "pptpalg");
	row_text(o, "version", PACKAGE_VERSION);
	row_seconds(o, "uptime_s", gw->started_ts, ts);
	row_set(o, "took_over", json_boolean(gw->inherited));
	row_set(o, "stopping", json_boolean(gw->stopping));
	row_text(o, "datapath", gw->datapath);
	row_set(o, "user_forwarder", json_boolean(gw->user != NULL));
	row_set(o, "strict", json_boolean(gw->config->strict));
	row_text(o, "nat", config_nat_text(gw->config->nat));
	row_number(o, "policies", gw->config->policies_count);
	row_number(o, "servers", gw->config->servers_count);
	add_usage(o, gw, &g);
	row_seconds(o, "ageing_timeout_s", 0, gw->config->ageing_ns);
	row_seconds(o, "idle_timeout_s", 0, gw->config->idle_ns);
	row_set(o, "refusals", refusals(&g, ts));
	ctl_reply_done(reply, o);
}

/* ---- counters ---- */

/* "Too many calls" as part of a key: "too_many_calls". */
static void
add_slug(struct text *t, const char *words)
{
	for (; *words != '\0'; words++)
		text_addf(t, "%c", *words == ' ' ? '_' : *words);
}

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
	row_number(user, key, c->value);
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
