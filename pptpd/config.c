#include "pptpd/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pptpd/config_check.h"
#include "sys/conf.h"

enum { MAX_OPTS = TUNNEL_OPTIONS_MAX + 64 };

static const struct conf_number numbers[] = {
    {"port", 1, 65535},
    {"max-connections", 1, 1000000},
    {"max-connections-per-source", 0, 1000000},
    {"max-half-open", 1, 1000000},
    {"calls-per-connection", 1, 65535},
    {"max-sessions", 1, 65535},
    {"sessions-per-user", 0, 65535},
    {"workers", 0, TUNNEL_MAX_WORKERS},
};

static int
check_number(cfg_t *cfg, cfg_opt_t *opt)
{
	return conf_check_number(cfg, opt, numbers, sizeof(numbers) / sizeof(numbers[0]));
}

/* pptpd's own options; pptpd.conf(5) says what each means. */
static const cfg_opt_t own_opts[] = {
    CFG_STR_LIST("listen", "{\"0.0.0.0\", \"::\"}", CFGF_NONE),
    CFG_INT("port", PPTP_PORT, CFGF_NONE),
    CFG_INT("max-connections", 10000, CFGF_NONE),
    CFG_INT("max-connections-per-source", 1000, CFGF_NONE),
    CFG_INT("max-half-open", 256, CFGF_NONE),
    CFG_STR("handshake-timeout", "30s", CFGF_NONE),
    CFG_BOOL("accept-outgoing-calls", cfg_true, CFGF_NONE),
    CFG_BOOL("accept-incoming-calls", cfg_false, CFGF_NONE),
    CFG_INT("calls-per-connection", 16, CFGF_NONE),
    CFG_INT("max-sessions", 10000, CFGF_NONE),
    CFG_STR("users", "chap-secrets", CFGF_NONE),
    CFG_STR("server-name", "pptpd", CFGF_NONE),
    CFG_STR_LIST("auth", "{mschap2}", CFGF_NONE),
    CFG_INT("sessions-per-user", 0, CFGF_NONE),
    CFG_STR("local-ip", "", CFGF_NONE),
    CFG_STR("local-ipv6", "", CFGF_NONE),
    CFG_STR_LIST("pool", "{}", CFGF_NONE),
    CFG_BOOL("pool-skip-0-255", cfg_true, CFGF_NONE),
    CFG_STR_LIST("pool-ipv6", "{}", CFGF_NONE),
    CFG_STR_LIST("dns", "{}", CFGF_NONE),
    CFG_STR_LIST("wins", "{}", CFGF_NONE),
    CFG_STR_LIST("dns-ipv6", "{}", CFGF_NONE),
    CFG_STR("interface", "shared", CFGF_NONE),
    CFG_STR("interface-name", "", CFGF_NONE),
    CFG_BOOL("proxy-arp", cfg_false, CFGF_NONE),
    CFG_STR("idle-timeout", "0", CFGF_NONE),
    CFG_STR("session-timeout", "0", CFGF_NONE),
    CFG_STR("ip-up", "", CFGF_NONE),
    CFG_STR("ip-down", "", CFGF_NONE),
    CFG_INT("workers", 0, CFGF_NONE),
    CFG_STR("user", OPENPPTP_USER, CFGF_NONE),
    CFG_STR("control-socket", PPTPD_DEFAULT_SOCKET, CFGF_NONE),
    CFG_STR("control-mode", "0600", CFGF_NONE),
    CFG_STR("log", "stderr", CFGF_NONE),
    CFG_STR("log-level", "info", CFGF_NONE),
    CFG_BOOL("trace", cfg_false, CFGF_NONE),
    CFG_STR("shutdown-timeout", "5s", CFGF_NONE),
};

static const struct {
	const char *name;
	cfg_validate_callback_t check;
} checks[] = {
    {"listen", check_listen},
    {"handshake-timeout", conf_check_duration},
    {"server-name", conf_check_name},
    {"auth", check_auth},
    {"local-ip", conf_check_v4},
    {"local-ipv6", conf_check_v6},
    {"pool", conf_check_range},
    {"pool-ipv6", check_pool6},
    {"dns", conf_check_v4},
    {"wins", conf_check_v4},
    {"dns-ipv6", conf_check_v6},
    {"interface", check_interface},
    {"interface-name", check_ifname},
    {"idle-timeout", conf_check_duration},
    {"session-timeout", conf_check_duration},
    {"ip-up", conf_check_path},
    {"ip-down", conf_check_path},
    {"user", conf_check_name},
    {"control-socket", conf_check_path},
    {"control-mode", conf_check_mode},
    {"log", conf_check_log},
    {"log-level", conf_check_log_level},
    {"shutdown-timeout", conf_check_duration},
};

static cfg_validate_callback_t
check_of(const cfg_opt_t *opt)
{
	if (opt->type == CFGT_INT)
		return check_number;
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		if (strcmp(checks[i].name, opt->name) == 0)
			return checks[i].check;
	}
	return NULL;
}

static void
make_opts(cfg_opt_t opts[MAX_OPTS])
{
	size_t n = sizeof(own_opts) / sizeof(own_opts[0]);

	memcpy(opts, own_opts, sizeof(own_opts));
	for (size_t i = 0; i < n; i++)
		opts[i].validcb = check_of(&opts[i]);
	n += tunnel_options_cfg(opts + n, TUNNEL_SERVER);
	opts[n] = (cfg_opt_t)CFG_END();
}

/* ---- from libconfuse's values to ours ---- */

static bool
read_addrs(const struct config *c, const char *name, struct addr *list)
{
	unsigned n = cfg_size(c->cfg, name);
	char what[128];

	if (n > CONFIG_MAX_DNS) {
		snprintf(what, sizeof(what), "option '%s': more than %d servers (a peer takes no more)", name, CONFIG_MAX_DNS);
		return conf_say(c->cfg, what);
	}
	for (unsigned i = 0; i < n; i++)
		addr_parse(&list[i], cfg_getnstr(c->cfg, name, i));
	return true;
}

static void
read_listen(struct config *c)
{
	c->listen_count = cfg_size(c->cfg, "listen");
	for (size_t i = 0; i < c->listen_count; i++) {
		c->listen[i].port = (uint16_t)cfg_getint(c->cfg, "port");
		parse_listen(cfg_getnstr(c->cfg, "listen", (unsigned)i), &c->listen[i].addr, &c->listen[i].port);
	}
}

static bool
read_limits(struct config *c)
{
	cfg_t *cfg = c->cfg;

	c->max_connections = conf_number(cfg, "max-connections");
	c->max_connections_per_source = conf_number(cfg, "max-connections-per-source");
	c->max_half_open = conf_number(cfg, "max-half-open");
	c->handshake_timeout_ns = conf_ns(cfg, "handshake-timeout");
	c->accept_outgoing_calls = cfg_getbool(cfg, "accept-outgoing-calls");
	c->accept_incoming_calls = cfg_getbool(cfg, "accept-incoming-calls");
	c->max_calls = (uint16_t)conf_number(cfg, "calls-per-connection");
	c->max_sessions = conf_number(cfg, "max-sessions");
	c->sessions_per_user = (unsigned)conf_number(cfg, "sessions-per-user");
	if (c->handshake_timeout_ns == 0)
		return conf_say(c->cfg, "option 'handshake-timeout': 0 would let idle connections stay for ever");
	return true;
}

/* A relative path begins at the configuration's directory, so that a directory of both can be moved. It is made absolute, for a daemon
 * leaves its working directory and may be told to read the file again. */
static bool
read_users_path(struct config *c)
{
	const char *path = cfg_getstr(c->cfg, "users"), *slash = strrchr(c->cfg->filename, '/');
	int dir = *path != '/' && slash != NULL ? (int)(slash - c->cfg->filename + 1) : 0, n;
	char cwd[4096] = "";

	if (*path != '/' && c->cfg->filename[0] != '/' && getcwd(cwd, sizeof(cwd) - 1) != NULL)
		strcat(cwd, "/");
	n = snprintf(c->users_path, sizeof(c->users_path), "%s%.*s%s", cwd, dir, c->cfg->filename, path);
	return (n > 0 && (size_t)n < sizeof(c->users_path)) || conf_say(c->cfg, "option 'users': the path is too long");
}

static bool
read_auth(struct config *c)
{
	char list[512], err[256];

	c->server_name = cfg_getstr(c->cfg, "server-name");
	tunnel_parse_auth(tunnel_cfg_join(cfg_getopt(c->cfg, "auth"), list, sizeof(list)), &c->auth, err, sizeof(err));
	if (c->options.bundle.mppe == PPP_MPPE_REQUIRE && (c->auth & PPP_AUTH_MSCHAP_ANY) == 0)
		return conf_say(c->cfg, "mppe = require needs mschap2, eap-mschap2 or mschap in auth: only these give keys for encryption");
	c->options.link.require = c->auth;
	snprintf(c->options.link.local_name, sizeof(c->options.link.local_name), "%s", c->server_name);
	return true;
}

/* Whether it can be made is asked of the pool itself, so that pptpd -n knows. */
static bool
check_pool(const struct config *c, const char *option, const struct pool_range *ranges, size_t count, bool skip_ends)
{
	char err[128], what[192];
	struct pool *pool = count > 0 ? pool_new(ranges, count, skip_ends, err, sizeof(err)) : NULL;

	if (count > 0 && pool == NULL) {
		snprintf(what, sizeof(what), "option '%s': %s", option, err);
		return conf_say(c->cfg, what);
	}
	pool_free(pool);
	return true;
}

static bool
read_pools(struct config *c)
{
	c->pool_v4_count = cfg_size(c->cfg, "pool");
	c->pool_v6_count = cfg_size(c->cfg, "pool-ipv6");
	c->pool_skip_ends = cfg_getbool(c->cfg, "pool-skip-0-255");
	if (c->pool_v4_count > POOL_MAX_RANGES || c->pool_v6_count > POOL_MAX_RANGES)
		return conf_say(c->cfg, "a pool has at most 32 ranges");
	for (size_t i = 0; i < c->pool_v4_count; i++) {
		uint32_t first = 0, last = 0;

		conf_range(cfg_getnstr(c->cfg, "pool", (unsigned)i), &first, &last);
		c->pool_v4[i] = (struct pool_range){first, last};
	}
	for (size_t i = 0; i < c->pool_v6_count; i++) {
		struct prefix *p = &c->pool_v6_prefixes[i];

		prefix_parse(p, cfg_getnstr(c->cfg, "pool-ipv6", (unsigned)i));
		c->pool_v6[i].first = pool_value_v6(p);
		c->pool_v6[i].last = c->pool_v6[i].first + (UINT64_C(1) << (64 - p->len)) - 1;
	}
	return check_pool(c, "pool", c->pool_v4, c->pool_v4_count, c->pool_skip_ends) &&
	       check_pool(c, "pool-ipv6", c->pool_v6, c->pool_v6_count, false);
}

static bool
in_ranges(const struct pool_range *ranges, size_t count, uint64_t v)
{
	for (size_t i = 0; i < count; i++) {
		if (v >= ranges[i].first && v <= ranges[i].last)
			return true;
	}
	return false;
}

static bool
read_addresses(struct config *c)
{
	const char *v4 = conf_text(c->cfg, "local-ip"), *v6 = conf_text(c->cfg, "local-ipv6");

	if (v4 != NULL)
		addr_parse(&c->local_v4, v4);
	if (v6 != NULL)
		addr_parse(&c->local_v6, v6);
	if (c->options.bundle.ipv4 && v4 == NULL)
		return conf_say(c->cfg, "local-ip is missing: the server's own address inside the tunnels (or write ipv4 = no)");
	if (v4 != NULL && in_ranges(c->pool_v4, c->pool_v4_count, pool_value_v4(&c->local_v4)))
		return conf_say(c->cfg, "local-ip lies in the pool: a client would get the server's own address");
	if (v6 != NULL && in_ranges(c->pool_v6, c->pool_v6_count, pool_value_v6(&(struct prefix){c->local_v6, 64})))
		return conf_say(c->cfg, "local-ipv6 lies in pool-ipv6: a client would get the server's own network");
	if (!c->options.bundle.ipv4 && !c->options.bundle.ipv6)
		return conf_say(c->cfg, "ipv4 = no and ipv6 = no leave nothing to carry");
	if (c->pool_v6_count == 0)
		c->options.bundle.ipv6 = c->options.bundle.ipv6 && !c->options.bundle.ipv4;
	return read_addrs(c, "dns", c->dns) && read_addrs(c, "wins", c->wins) && read_addrs(c, "dns-ipv6", c->dns_v6);
}

static bool
read_interface(struct config *c)
{
	const char *name = conf_text(c->cfg, "interface-name");

	c->per_session = strcmp(cfg_getstr(c->cfg, "interface"), "per-session") == 0;
	snprintf(c->ifname, sizeof(c->ifname), "%s", name != NULL ? name : c->per_session ? "ppptp%d" : "pptp0");
	if (c->per_session && strchr(c->ifname, '%') == NULL)
		return conf_say(c->cfg, "interface-name: with interface = per-session the name needs a %d");
	c->proxy_arp = cfg_getbool(c->cfg, "proxy-arp");
	c->idle_timeout_ns = conf_ns(c->cfg, "idle-timeout");
	c->session_timeout_ns = conf_ns(c->cfg, "session-timeout");
	c->ip_up = conf_text(c->cfg, "ip-up");
	c->ip_down = conf_text(c->cfg, "ip-down");
	return true;
}

static void
read_process(struct config *c)
{
	c->workers = (unsigned)conf_number(c->cfg, "workers");
	c->user = cfg_getstr(c->cfg, "user");
	c->control_socket = conf_text(c->cfg, "control-socket");
	c->control_mode = conf_mode(c->cfg, "control-mode");
	c->log_target = conf_log_target(c->cfg, "log");
	c->log_level = (enum log_level)log_parse_level(cfg_getstr(c->cfg, "log-level"));
	c->trace = cfg_getbool(c->cfg, "trace");
	c->shutdown_timeout_ns = conf_ns(c->cfg, "shutdown-timeout");
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
	tunnel_options_init(&c->options, TUNNEL_SERVER);
	tunnel_options_read(&c->options, cfg);
	read_listen(c);
	read_process(c);
	if (read_limits(c) && read_users_path(c) && read_auth(c) && read_pools(c) && read_addresses(c) && read_interface(c))
		return c;
	config_free(c);
	return NULL;
}

struct config *
config_load(const char *path)
{
	cfg_opt_t opts[MAX_OPTS];

	make_opts(opts);
	return config_from(conf_parse(path, opts));
}

struct config *
config_load_text(const char *name, const char *text)
{
	cfg_opt_t opts[MAX_OPTS];

	make_opts(opts);
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
