/* The commands of the control socket. Fields are named as the server names them. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pptpc/client.h"
#include "sys/clock.h"

static uint64_t
load(const _Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

static void
set_number(json_t *o, const char *key, uint64_t value)
{
	json_object_set_new(o, key, json_integer((json_int_t)value));
}

static void
set_text(json_t *o, const char *key, const char *value)
{
	json_object_set_new(o, key, ctl_text(value));
}

static void
set_addr(json_t *o, const char *key, const struct addr *a)
{
	char buf[ADDR_TEXT_MAX];

	set_text(o, key, a->family != 0 ? addr_text(a, buf) : "");
}

/* Why it is not up, or was not the last time. */
static void
add_trouble(json_t *o, const struct dial *d, uint64_t ts)
{
	char at[ADDR_TEXT_MAX], text[512];
	struct trouble_place place = dial_place(d, at);

	if (d->trouble.kind != TROUBLE_NONE) {
		set_text(o, "last_error", trouble_word(d->trouble.kind));
		set_text(o, "last_error_text", trouble_sentence(&d->trouble, &place, text, sizeof(text)));
		set_text(o, "advice", trouble_advice(&d->trouble, &place, text, sizeof(text)));
		set_number(o, "last_error_unix", d->trouble_unix);
	}
	if (d->state == DIAL_WAIT)
		set_number(o, "retry_s", d->retry_ts > ts ? (d->retry_ts - ts + 999999999) / 1000000000 : 0);
}

static json_t *
row(const struct dial *d, uint64_t ts)
{
	bool up = d->state == DIAL_UP;
	json_t *o = json_object();
	char buf[64];

	snprintf(buf, sizeof(buf), "%" PRIx64, d->session);
	set_text(o, "session", d->session != 0 ? buf : "");
	set_text(o, "tunnel", d->profile->name);
	set_text(o, "user", d->profile->user);
	set_addr(o, "peer", &d->server);
	set_addr(o, "address", up ? &d->bundle.local_v4 : &d->profile->address);
	set_addr(o, "remote", up ? &d->bundle.peer_v4 : &(struct addr){.family = 0});
	set_addr(o, "ipv6", &d->netif.local_v6);
	set_text(o, "ifname", d->netif.name);
	set_text(o, "state", dial_state_name(d->state));
	set_number(o, "uptime_s", up ? (ts - d->up_ts) / 1000000000 : 0);
	set_number(o, "idle_s", up ? dial_idle_ns(d, ts) / 1000000000 : 0);
	set_text(o, "encoding", up ? ppp_encoding_text(&d->bundle, buf) : "");
	set_number(o, "mtu", up ? d->link.mtu : 0);
	set_number(o, "mru", up ? d->link.mru : 0);
	set_number(o, "rx_bytes", d->counters != NULL ? load(&d->counters->rx_bytes) : 0);
	set_number(o, "tx_bytes", d->counters != NULL ? load(&d->counters->tx_bytes) : 0);
	add_trouble(o, d, ts);
	return o;
}

static void
show_sessions(void *user, json_t *args, struct ctl_reply *reply)
{
	struct client *c = user;
	uint64_t ts = clock_ts();

	(void)args;
	for (size_t i = 0; i < c->dials_count; i++)
		ctl_reply_row(reply, row(&c->dials[i], ts));
	ctl_reply_done(reply, NULL);
}

/* By tunnel name or session number, whichever args have; NULL with the reply ended. */
static struct dial *
find(struct client *c, json_t *args, struct ctl_reply *reply)
{
	const char *tunnel = json_string_value(json_object_get(args, "tunnel"));
	const char *session = json_string_value(json_object_get(args, "session"));
	const char *text = tunnel != NULL ? tunnel : session;

	if (text == NULL) {
		ctl_reply_error(reply, "the tunnel's name or the session's number is missing");
		return NULL;
	}
	for (size_t i = 0; i < c->dials_count; i++) {
		struct dial *d = &c->dials[i];
		char id[17];

		snprintf(id, sizeof(id), "%" PRIx64, d->session);
		if (strcmp(d->profile->name, text) == 0 || (d->session != 0 && tunnel == NULL && strcmp(id, text) == 0))
			return d;
	}
	ctl_reply_error(reply, "no such tunnel: %.64s", text);
	return NULL;
}

static void
add_counters(json_t *o, const struct tunnel_counters *c)
{
	const char *name;
	uint64_t value;

	for (size_t i = 0; (name = tunnel_counter(c, i, &value)) != NULL; i++)
		set_number(o, name, value);
}

static void
show_session(void *user, json_t *args, struct ctl_reply *reply)
{
	struct client *c = user;
	struct dial *d = find(c, args, reply);
	json_t *o;

	if (d == NULL)
		return;
	o = row(d, clock_ts());
	set_text(o, "method",
	    d->state == DIAL_UP && d->link.self_method != 0 ? ppp_auth_name((enum ppp_auth_method)d->link.self_method) : "none");
	set_text(o, "server", servers_name(&d->servers));
	set_addr(o, "local", &d->outer);
	set_addr(o, "dns1", &d->bundle.dns[0]);
	set_addr(o, "dns2", &d->bundle.dns[1]);
	set_number(o, "call_id", d->call_id);
	set_number(o, "failures", d->backoff.total);
	if (d->counters != NULL)
		add_counters(o, d->counters);
	ctl_reply_done(reply, o);
}

static void
show_counters(void *user, json_t *args, struct ctl_reply *reply)
{
	static const char *const names[5] = {"gre_bad", "gre_unknown_call", "gre_wrong_source", "tun_no_route", "tx_errors"};
	struct client *c = user;
	uint64_t sums[5] = {0};
	json_t *o = json_object();

	(void)args;
	for (size_t i = 0; i < c->paths_count; i++) {
		const struct tunnel_worker_counters *w = tunnel_worker_counters(c->paths[i]->engine, 0);

		sums[0] += load(&w->gre_bad);
		sums[1] += load(&w->gre_unknown_call);
		sums[2] += load(&w->gre_wrong_source);
		sums[3] += load(&w->tun_no_route);
		sums[4] += load(&w->tx_errors);
	}
	for (size_t i = 0; i < 5; i++)
		set_number(o, names[i], sums[i]);
	ctl_reply_done(reply, o);
}

static void
show_status(void *user, json_t *args, struct ctl_reply *reply)
{
	struct client *c = user;
	json_t *o = json_object();
	size_t up = 0;

	(void)args;
	for (size_t i = 0; i < c->dials_count; i++)
		up += c->dials[i].state == DIAL_UP;
	set_text(o, "program", "pptpc");
	set_text(o, "version", PACKAGE_VERSION);
	set_number(o, "uptime_s", (clock_ts() - c->started_ts) / 1000000000);
	set_number(o, "tunnels", c->dials_count);
	set_number(o, "sessions", up);
	json_object_set_new(o, "stopping", json_boolean(c->stopping));
	ctl_reply_done(reply, o);
}

/* Ends the session; a tunnel that is to be up dials again as its options say. */
static void
kick(void *user, json_t *args, struct ctl_reply *reply)
{
	struct dial *d = find(user, args, reply);

	if (d == NULL)
		return;
	if (d->session == 0) {
		ctl_reply_error(reply, "tunnel %.64s has no session: it is %s", d->profile->name, dial_state_name(d->state));
		return;
	}
	dial_hangup_kind(d, TROUBLE_KICKED, NULL);
	ctl_reply_done(reply, json_pack("{s:i}", "kicked", 1));
}

static void
run_connect(void *user, json_t *args, struct ctl_reply *reply)
{
	struct dial *d = find(user, args, reply);

	if (d == NULL)
		return;
	dial_start(d);
	ctl_reply_done(reply, row(d, clock_ts()));
}

static void
run_disconnect(void *user, json_t *args, struct ctl_reply *reply)
{
	struct dial *d = find(user, args, reply);

	if (d == NULL)
		return;
	dial_stop(d);
	ctl_reply_done(reply, row(d, clock_ts()));
}

const struct ctl_command client_commands[] = {
    {"show sessions", "all tunnels, a row each", show_sessions},
    {"show session", "one tunnel with its counters: tunnel or session", show_session},
    {"show counters", "counters of the data plane", show_counters},
    {"status", "version, uptime, totals", show_status},
    {"connect", "dial a tunnel, or make it ready to: tunnel", run_connect},
    {"disconnect", "end a tunnel and leave it down: tunnel", run_disconnect},
    {"kick", "end a session; its tunnel dials again if it retries: tunnel or session", kick},
    {NULL, NULL, NULL},
};
