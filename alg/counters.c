#include "alg/counters.h"

#include "alg/datapath/user.h"
#include "alg/gateway.h"

struct out {
	void (*fn)(void *user, const struct counter *c);
	void *user;
};

static void
put(const struct out *out, const char *name, const char *help, bool gauge, uint64_t value)
{
	out->fn(out->user, &(struct counter){.name = name, .help = help, .gauge = gauge, .value = value});
}

static void
put_label(const struct out *out, const char *name, const char *help, const char *label, const char *text, uint64_t value)
{
	out->fn(out->user, &(struct counter){.name = name, .help = help, .label = label, .value_of_label = text, .value = value});
}

static void
now(const struct out *out, const struct gateway *gw, const struct gates_stats *g, const struct xlate_stats *x)
{
	put(out, "connections_now", "Control connections", true, gw->flows_count);
	put(out, "half_open_now", "Control connections whose server is not reached or that said nothing yet", true, gw->half_open_count);
	put(out, "calls_now", "Calls with gates", true, g->calls);
	put(out, "waiting_now", "Calls whose gates wait for their first packet", true, g->waiting);
	put(out, "adopted_now", "Calls without a control connection since a restart", true, g->adopted);
	put(out, "removing_now", "Calls whose gates are being removed", true, g->removing);
	put(out, "connections_limit", "Control connections that may be", true, gw->config->max_connections);
	put(out, "calls_limit", "Calls that may be", true, gw->config->max_calls);
	put(out, "ids_limit", "Translated call ids that may be in use", true, x->limit);
	put(out, "clients_now", "Clients with calls", true, g->clients);
	put(out, "ids_now", "Translated call ids in use", true, x->used);
	put(out, "ids_resting_now", "Call ids that rest after use", true, x->resting);
}

static void
connections(const struct out *out, const struct gateway_counters *c)
{
	static const char name[] = "connections_refused", help[] = "Control connections refused", label[] = "reason";

	put(out, "connections", "Control connections accepted", false, c->flows);
	put_label(out, name, help, label, "too many", c->refused_limit);
	put_label(out, name, help, label, "policy", c->refused_policy);
	put_label(out, name, help, label, "no descriptor", c->refused_descriptor);
	put_label(out, name, help, label, "version", c->version_refused);
	put(out, "half_open_dropped", "Half-open control connections dropped in favour of new ones", false, c->half_open_dropped);
	put(out, "handshake_timeouts", "Control connections that said nothing in time", false, c->handshake_timeouts);
	put(out, "control_timeouts", "Control connections without a call that were silent for too long", false, c->control_timeouts);
	put(out, "connect_timeouts", "Servers that did not answer in time", false, c->connect_timeouts);
	put(out, "connect_failed", "Servers that could not be reached", false, c->connect_failed);
	put(out, "untouched", "Control connections that are not PPTP version 1, passed as they are", false, c->untouched);
}

static void
messages(const struct out *out, const struct gateway *gw)
{
	struct alg_rewrite_stats m;

	gateway_messages(gw, &m);
	put_label(out, "messages_received", "Control messages received", "from", "client", m.received[ALG_CLIENT]);
	put_label(out, "messages_received", "Control messages received", "from", "server", m.received[ALG_SERVER]);
	put(out, "messages_forwarded", "Control messages forwarded", false, m.forwarded);
	put(out, "messages_made", "Control messages of the gateway's own making", false, m.made);
	put(out, "messages_repaired", "Control messages whose wrong ids were put right", false, m.repaired);
	put(out, "messages_late", "Control messages about calls that just ended", false, m.late);
	put(out, "violations", "Control messages out of sequence or malformed, not forwarded", false, gw->counters.violations);
}

static void
calls(const struct out *out, const struct gateway_counters *c, const struct gates_stats *g)
{
	put(out, "calls", "Calls whose gates were installed", false, c->calls_up);
	put(out, "calls_refused", "Calls refused by the gateway", false, c->calls_refused);
	for (int i = GATES_OK + 1; i < GATES_REFUSALS; i++)
		put_label(out, "gates_refused", "Calls refused by a limit on calls and gates", "reason",
		    gates_refusal_text((enum gates_refusal)i), g->refused[i].count);
	put(out, "calls_superseded", "Calls cleared since a peer used their id anew", false, c->superseded);
	put(out, "calls_ended", "Calls ended that had gates", false, c->calls_ended);
	put(out, "gates_wanted", "Pairs of gates asked for", false, g->wanted);
	put(out, "gates_added", "Pairs of gates installed", false, g->added);
	put(out, "gates_failed", "Pairs of gates that the data path refused", false, g->add_failed);
	put(out, "gates_restored", "Pairs of gates installed again after somebody removed them", false, g->restored);
	put(out, "gates_adopted", "Pairs of gates taken over from a former process", false, c->adopted);
	for (int i = ALG_WHY_NONE + 1; i < ALG_WHYS; i++)
		put_label(out, "gates_ended", "Pairs of gates removed", "reason", alg_why_text((enum alg_why)i), g->ended_by[i]);
}

void
counters_add(struct gate_counters *sum, const struct gate_counters *c)
{
	sum->up_pkts += c->up_pkts;
	sum->up_bytes += c->up_bytes;
	sum->down_pkts += c->down_pkts;
	sum->down_bytes += c->down_bytes;
}

static void
add_live(void *user, const struct gates_info *info)
{
	counters_add(user, &info->counters);
}

static void
carried(const struct out *out, const struct gateway *gw)
{
	struct gate_counters sum = gw->counters.carried;

	gates_each(gw->gates, add_live, &sum);
	put_label(out, "gre_packets", "GRE packets of calls, as of the last look at the counters", "direction", "up", sum.up_pkts);
	put_label(out, "gre_packets", "GRE packets of calls, as of the last look at the counters", "direction", "down", sum.down_pkts);
	put_label(out, "gre_bytes", "Bytes of these, with their IP headers", "direction", "up", sum.up_bytes);
	put_label(out, "gre_bytes", "Bytes of these, with their IP headers", "direction", "down", sum.down_bytes);
}

/* What is for this machine itself is not lost, so it is not among the dropped. */
static void
forwarder(const struct out *out, const struct gateway *gw)
{
	struct datapath_user_stats s;

	if (gw->user == NULL)
		return;
	datapath_user_stats(gw->user, &s);
	put(out, "forwarder_sent_packets", "GRE packets sent on in user space", false, s.forwarded_pkts);
	put(out, "forwarder_sent_bytes", "Bytes of these, with their IP headers", false, s.forwarded_bytes);
	for (int i = 0; i < USER_DROPS; i++)
		if (i != USER_OWN)
			put_label(out, "forwarder_dropped", "GRE packets that the forwarder dropped", "reason",
			    datapath_user_drop_text((enum datapath_user_drop)i), s.dropped[i]);
}

void
counters_each(const struct gateway *gw, void (*fn)(void *user, const struct counter *c), void *user)
{
	const struct out out = {fn, user};
	struct gates_stats g;
	struct xlate_stats x;

	gates_stats(gw->gates, &g);
	xlate_stats(gw->xlate, &x);
	now(&out, gw, &g, &x);
	connections(&out, &gw->counters);
	messages(&out, gw);
	calls(&out, &gw->counters, &g);
	carried(&out, gw);
	forwarder(&out, gw);
	put(&out, "ids_taken", "Translated call ids taken", false, x.taken);
	put(&out, "ids_kept", "Of them, those that stayed as their owner chose them", false, x.kept);
	put_label(&out, "ids_failed", "Call ids that could not be translated", "reason", "limit", x.failed_limit);
	put_label(&out, "ids_failed", "Call ids that could not be translated", "reason", "none free", x.failed_full);
	put(&out, "journal_failed", "Records that the journal did not take", false, gw->counters.journal_failed);
	put(&out, "monitor_failed", "Requests to the monitor that could not be sent", false, gw->counters.monitor_failed);
}
