#include "alg/config.h"

#include <stdio.h>
#include <stdlib.h>

#include "alg/config_check.h"
#include "alg/trace.h"
#include "sys/conf.h"

enum { PPTP_TCP_PORT = 1723, IDS_PER_CALL = 2, MAX_IDS = 16777216 };

static void
print_hex(cfg_opt_t *opt, unsigned i, FILE *fp)
{
	fprintf(fp, "0x%lx", (unsigned long)cfg_opt_getnint(opt, i));
}

/* The options; pptpalg.conf(5) says what each means. libconfuse works with a copy of them. */
static cfg_opt_t policy_opts[] = {
    CONF_STR_LIST("source", "{}", check_prefixes),
    CONF_STR_LIST("destination", "{}", check_prefixes),
    CONF_STR_LIST("interface", "{}", check_ifnames),
    CONF_INT_LIST("port", "{}", check_ports),
    CONF_STR("action", "proxy", check_action),
    CONF_STR("nat", "", check_policy_nat),
    CONF_STR("inside", "", check_inside),
    CONF_STR_LIST("outside", "{}", check_outside),
    CFG_END(),
};

static cfg_opt_t server_opts[] = {
    CONF_STR("address", "", check_host),
    CONF_INT("port", 0, check_number),
    CONF_STR("to", "", check_host),
    CONF_INT("to-port", 0, check_number),
    CFG_END(),
};

static cfg_opt_t trace_opts[] = {
    CONF_STR("file", "", conf_check_path),
    CONF_STR("size", "1m", check_size),
    CONF_INT("files", 3, check_number),
    CONF_STR("level", "info", check_trace_level),
    CONF_STR_LIST("flags", "{all}", check_trace_flags),
    CFG_END(),
};

static cfg_opt_t opts[] = {
    CONF_INT_LIST("ports", "{1723}", check_ports),
    CONF_STR_LIST("interfaces", "{}", check_ifnames),
    CFG_BOOL("own-connections", cfg_true, CFGF_NONE),
    CFG_BOOL("ipv4", cfg_true, CFGF_NONE),
    CFG_BOOL("ipv6", cfg_true, CFGF_NONE),
    CONF_STR("datapath", "auto", check_datapath),
    CONF_STR_LIST("bpf-interfaces", "{}", check_ifnames),
    CFG_BOOL("strict", cfg_false, CFGF_NONE),
    CONF_STR("gate-life", "2h", check_time),
    CONF_STR("protocol", "lenient", check_protocol),
    CONF_STR("other-version", "pass", check_other_version),
    CFG_BOOL("random-ids", cfg_false, CFGF_NONE),
    CONF_STR("id-rest", "60s", check_time),
    CONF_STR("nat", "auto", check_nat),
    CONF_STR("nat64-prefix", "", check_nat64_prefix),
    CONF_STR("nat64-source", "", check_nat64_source),
    CONF_INT("max-connections", 10000, check_number),
    CONF_INT("max-connections-per-source", 200, check_number),
    CONF_INT("max-half-open", 1024, check_number),
    CONF_INT("max-calls", 10000, check_number),
    CONF_INT("max-calls-per-client", 200, check_number),
    CONF_INT("max-calls-per-connection", 64, check_number),
    CONF_INT("max-waiting", 0, check_number),
    CONF_INT("max-ids", 0, check_number),
    CONF_STR("connect-timeout", "30s", check_time),
    CONF_STR("handshake-timeout", "30s", check_time),
    CONF_STR("control-timeout", "10m", check_time),
    CONF_STR("ageing-timeout", "120s", check_time),
    CONF_STR("idle-timeout", "30m", check_time),
    CONF_STR("adopted-timeout", "0", check_time),
    CFG_BOOL("keep-with-control", cfg_true, CFGF_NONE),
    CONF_STR("linger", "0", check_time),
    CONF_STR("poll-interval", "10s", check_time),
    CONF_STR("keepalive", "60s", check_time),
    {.name = "mark", .type = CFGT_INT, .def = {.number = 0x10000000}, .validcb = check_number, .pf = print_hex},
    CONF_INT("table", PPTP_TCP_PORT, check_number),
    CONF_INT("proxy-port", PPTP_TCP_PORT + 1, check_number),
    CONF_STR("user", OPENPPTP_USER, conf_check_name),
    CONF_STR("control-socket", PPTPALG_DEFAULT_SOCKET, conf_check_path),
    CONF_STR("control-mode", "0600", conf_check_mode),
    CONF_STR("state-dir", "/run/pptpalg", check_state_dir),
    CONF_STR("metrics", "", check_metrics),
    CONF_STR("log", "stderr", conf_check_log),
    CONF_STR("log-level", "info", conf_check_log_level),
    CFG_SEC("trace", trace_opts, CFGF_NONE),
    CONF_SECTIONS("policy", policy_opts, check_policy),
    CONF_SECTIONS("server", server_opts, check_server),
    CFG_END(),
};

/* ---- from libconfuse's values to ours ---- */

static size_t
read_ports(cfg_t *cfg, const char *name, uint16_t ports[CONFIG_MAX_PORTS])
{
	unsigned n = cfg_size(cfg, name);

	for (unsigned i = 0; i < n; i++)
		ports[i] = (uint16_t)cfg_getnint(cfg, name, i);
	return n;
}

static size_t
read_ifnames(cfg_t *cfg, const char *name, char ifnames[CONFIG_MAX_INTERFACES][IFNAMSIZ])
{
	unsigned n = cfg_size(cfg, name);

	for (unsigned i = 0; i < n; i++)
		snprintf(ifnames[i], IFNAMSIZ, "%s", cfg_getnstr(cfg, name, i));
	return n;
}

static size_t
read_prefixes(cfg_t *cfg, const char *name, struct prefix prefixes[CONFIG_MAX_MATCHES])
{
	unsigned n = cfg_size(cfg, name);

	for (unsigned i = 0; i < n; i++)
		prefix_parse(&prefixes[i], cfg_getnstr(cfg, name, i));
	return n;
}

static bool
read_capture(struct config *c)
{
	cfg_t *cfg = c->cfg;

	c->ports_count = read_ports(cfg, "ports", c->ports);
	c->interfaces_count = read_ifnames(cfg, "interfaces", c->interfaces);
	c->own_connections = cfg_getbool(cfg, "own-connections");
	c->ipv4 = cfg_getbool(cfg, "ipv4");
	c->ipv6 = cfg_getbool(cfg, "ipv6");
	c->mark = (uint32_t)cfg_getint(cfg, "mark");
	c->table = (uint32_t)cfg_getint(cfg, "table");
	c->proxy_port = (uint16_t)cfg_getint(cfg, "proxy-port");
	if (c->ports_count == 0)
		return conf_say(c->cfg, "option 'ports': an empty list leaves nothing to do");
	if (!c->ipv4 && !c->ipv6)
		return conf_say(c->cfg, "ipv4 = no and ipv6 = no leave nothing to do");
	for (size_t i = 0; i < c->ports_count; i++) {
		if (c->ports[i] == c->proxy_port)
			return conf_say(
			    c->cfg, "option 'proxy-port': it must be none of the ports, for connections to those never reach this machine");
	}
	return true;
}

static bool
read_datapath(struct config *c)
{
	c->datapath = (enum config_datapath)conf_get_word(c->cfg, "datapath", datapath_words);
	c->bpf_interfaces_count = read_ifnames(c->cfg, "bpf-interfaces", c->bpf_interfaces);
	c->strict = cfg_getbool(c->cfg, "strict");
	c->life_ns = conf_ns(c->cfg, "gate-life");
	c->protocol = conf_get_word(c->cfg, "protocol", protocol_words) == 0 ? PPTP_LENIENT : PPTP_STRICT;
	c->other_version = conf_get_word(c->cfg, "other-version", version_words) == 0 ? ALG_VERSION_PASS : ALG_VERSION_REFUSE;
	c->random_ids = cfg_getbool(c->cfg, "random-ids");
	c->id_rest_ns = conf_ns(c->cfg, "id-rest");
	return true;
}

static size_t
at_most(size_t value, size_t max)
{
	return value == 0 || value > max ? max : value;
}

static bool
read_limits(struct config *c)
{
	cfg_t *cfg = c->cfg;

	c->max_connections = conf_number(cfg, "max-connections");
	c->max_connections_per_source = at_most(conf_number(cfg, "max-connections-per-source"), c->max_connections);
	c->max_half_open = at_most(conf_number(cfg, "max-half-open"), c->max_connections);
	c->max_calls = conf_number(cfg, "max-calls");
	c->max_calls_per_client = at_most(conf_number(cfg, "max-calls-per-client"), c->max_calls);
	c->max_waiting = at_most(conf_number(cfg, "max-waiting"), c->max_calls);
	c->max_calls_per_connection = (uint16_t)conf_number(cfg, "max-calls-per-connection");
	c->max_ids = conf_number(cfg, "max-ids");
	if (c->max_ids == 0)
		c->max_ids = IDS_PER_CALL * c->max_calls;
	if (c->max_ids < IDS_PER_CALL * c->max_calls)
		return conf_say(c->cfg, "option 'max-ids': less than two for each of max-calls, for each end of a call has one");
	return true;
}

static bool
read_times(struct config *c)
{
	cfg_t *cfg = c->cfg;

	c->connect_timeout_ns = conf_ns(cfg, "connect-timeout");
	c->handshake_timeout_ns = conf_ns(cfg, "handshake-timeout");
	c->control_timeout_ns = conf_ns(cfg, "control-timeout");
	c->ageing_ns = conf_ns(cfg, "ageing-timeout");
	c->idle_ns = conf_ns(cfg, "idle-timeout");
	c->adopted_ns = conf_ns(cfg, "adopted-timeout");
	c->keep_with_control = cfg_getbool(cfg, "keep-with-control");
	c->linger_ns = conf_ns(cfg, "linger");
	c->poll_ns = conf_ns(cfg, "poll-interval");
	c->keepalive_ns = conf_ns(cfg, "keepalive");
	if (c->poll_ns > c->ageing_ns || c->poll_ns > c->idle_ns)
		return conf_say(c->cfg, "option 'poll-interval': longer than ageing-timeout or idle-timeout, which are measured by it");
	if (c->life_ns < 2 * c->poll_ns)
		return conf_say(c->cfg, "option 'gate-life': less than two poll-intervals, so that gates would end in use");
	if (c->adopted_ns == 0)
		c->adopted_ns = c->idle_ns;
	return true;
}

static bool
is_ours(const struct config *c, uint16_t port)
{
	for (size_t i = 0; i < c->ports_count; i++) {
		if (c->ports[i] == port)
			return true;
	}
	return false;
}

static bool
say_port(const struct config *c, const char *kind, const char *name, uint16_t port)
{
	char what[384];

	snprintf(what, sizeof(what), "%s '%s': port %u is none of ports, so its connections are never seen", kind, name, port);
	return conf_say(c->cfg, what);
}

static bool
read_policy(struct config *c, cfg_t *section, struct config_policy *p)
{
	const char *nat = conf_text(section, "nat"), *inside = conf_text(section, "inside");

	p->name = cfg_title(section);
	p->action = (enum config_action)conf_get_word(section, "action", action_words);
	p->nat = nat != NULL ? (enum config_nat)conf_word(nat_words, nat) : c->nat;
	p->sources_count = read_prefixes(section, "source", p->sources);
	p->destinations_count = read_prefixes(section, "destination", p->destinations);
	p->interfaces_count = read_ifnames(section, "interface", p->interfaces);
	p->ports_count = read_ports(section, "port", p->ports);
	if (inside != NULL)
		prefix_parse(&p->inside, inside);
	p->outside_count = read_prefixes(section, "outside", p->outside);
	for (size_t i = 0; i < p->ports_count; i++) {
		if (!is_ours(c, p->ports[i]))
			return say_port(c, "policy", p->name, p->ports[i]);
	}
	return true;
}

static bool
read_policies(struct config *c)
{
	c->nat = (enum config_nat)conf_get_word(c->cfg, "nat", nat_words);
	c->policies_count = cfg_size(c->cfg, "policy");
	for (size_t i = 0; i < c->policies_count; i++) {
		if (!read_policy(c, cfg_getnsec(c->cfg, "policy", (unsigned)i), &c->policies[i]))
			return false;
	}
	return true;
}

/* Two servers may share an address, with a port each. */
static bool
check_ambiguous(const struct config *c, const struct config_server *s)
{
	char what[640];

	for (const struct config_server *o = c->servers; o < s; o++) {
		if (!addr_equal(&o->address, &s->address) || (o->port != 0 && s->port != 0 && o->port != s->port))
			continue;
		snprintf(what, sizeof(what), "server '%.255s' is dialed at the same address and port as server '%.255s'", s->name, o->name);
		return conf_say(c->cfg, what);
	}
	return true;
}

static bool
read_servers(struct config *c)
{
	c->servers_count = cfg_size(c->cfg, "server");
	for (size_t i = 0; i < c->servers_count; i++) {
		cfg_t *section = cfg_getnsec(c->cfg, "server", (unsigned)i);
		struct config_server *s = &c->servers[i];

		s->name = cfg_title(section);
		s->port = (uint16_t)cfg_getint(section, "port");
		s->to_port = (uint16_t)cfg_getint(section, "to-port");
		addr_parse(&s->address, cfg_getstr(section, "address"));
		addr_parse(&s->to, cfg_getstr(section, "to"));
		if (s->port != 0 && !is_ours(c, s->port))
			return say_port(c, "server", s->name, s->port);
		if (!check_ambiguous(c, s))
			return false;
	}
	return true;
}

static bool
read_nat64(struct config *c)
{
	const char *prefix = conf_text(c->cfg, "nat64-prefix"), *source = conf_text(c->cfg, "nat64-source");

	if (prefix != NULL)
		prefix_parse(&c->nat64_prefix, prefix);
	if (source != NULL)
		addr_parse(&c->nat64_source, source);
	if (source != NULL && prefix == NULL)
		return conf_say(c->cfg, "nat64-source means nothing without nat64-prefix");
	if (prefix != NULL && !c->ipv6)
		return conf_say(c->cfg, "nat64-prefix needs ipv6 = yes: its clients dial IPv6 addresses");
	return true;
}

static void
read_process(struct config *c)
{
	const char *metrics = conf_text(c->cfg, "metrics");

	c->user = cfg_getstr(c->cfg, "user");
	c->control_socket = conf_text(c->cfg, "control-socket");
	c->control_mode = conf_mode(c->cfg, "control-mode");
	c->state_dir = conf_text(c->cfg, "state-dir");
	c->log_target = conf_log_target(c->cfg, "log");
	c->log_level = (enum log_level)log_parse_level(cfg_getstr(c->cfg, "log-level"));
	if (metrics != NULL)
		conf_endpoint(metrics, &c->metrics_addr, &c->metrics_port);
}

static void
read_trace(struct config *c)
{
	cfg_t *section = cfg_getsec(c->cfg, "trace");

	c->trace.file = conf_text(section, "file");
	parse_size(cfg_getstr(section, "size"), &c->trace.size);
	c->trace.files = (unsigned)cfg_getint(section, "files");
	trace_level_parse(cfg_getstr(section, "level"), &c->trace.level);
	for (unsigned i = 0; i < cfg_size(section, "flags"); i++) {
		unsigned flag = 0;

		trace_flag_parse(cfg_getnstr(section, "flags", i), &flag);
		c->trace.flags |= flag;
	}
}

static struct config *
config_from(cfg_t *cfg)
{
	struct config *c = cfg != NULL ? calloc(1, sizeof(*c)) : NULL;

	if (c == NULL) {
		if (cfg != NULL)
			cfg_free(cfg);
		return NULL;
	}
	c->cfg = cfg;
	read_trace(c);
	read_process(c);
	if (read_capture(c) && read_datapath(c) && read_limits(c) && read_times(c) && read_policies(c) && read_servers(c) && read_nat64(c))
		return c;
	config_free(c);
	return NULL;
}

struct config *
config_load(const char *path)
{
	return config_from(conf_parse(path, opts));
}

struct config *
config_load_text(const char *name, const char *text)
{
	return config_from(conf_parse_text(name, text, opts));
}

void
config_free(struct config *c)
{
	if (c == NULL)
		return;
	cfg_free(c->cfg);
	free(c);
}

void
config_print(const struct config *c)
{
	conf_print(c->cfg);
}

const char *
config_nat_text(enum config_nat nat)
{
	return nat_words[nat];
}

const char *
config_datapath_text(enum config_datapath datapath)
{
	return datapath_words[datapath];
}
