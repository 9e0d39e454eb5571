#include "alg/config_check.h"

#include <string.h>

#include "alg/config.h"
#include "alg/trace.h"
#include "sys/conf.h"

/* In the order of the enums. */
const char *const datapath_words[] = {"auto", "conntrack", "bpf", "user", NULL};
const char *const action_words[] = {"proxy", "refuse", "pass", NULL};
const char *const nat_words[] = {"auto", "route", "static", "pool", "interface", NULL};
const char *const protocol_words[] = {"lenient", "strict", NULL};
const char *const version_words[] = {"pass", "refuse", NULL};

static const struct conf_number numbers[] = {
    {"max-connections", 1, 1000000},
    {"max-connections-per-source", 0, 1000000},
    {"max-half-open", 0, 1000000},
    {"max-calls", 1, 1000000},
    {"max-calls-per-client", 0, 1000000},
    {"max-calls-per-connection", 1, 65535},
    {"max-waiting", 0, 1000000},
    {"max-ids", 0, 16777216},
    {"proxy-port", 1, 65535},
    {"table", 1, 32000},
    {"port", 0, 65535},
    {"to-port", 0, 65535},
    {"files", 1, 1000},
};

/* Three neighbouring bits are the gateway's; this is the lowest. */
static int
check_mark(cfg_t *cfg, long n)
{
	if (n > 0 && n <= 0x20000000 && (n & (n - 1)) == 0)
		return 0;
	cfg_error(cfg, "option 'mark': 0x%lx is not one bit, 0x20000000 at most (it and the two bits above it are used)", (unsigned long)n);
	return -1;
}

int
check_number(cfg_t *cfg, cfg_opt_t *opt)
{
	long n = cfg_opt_getnint(opt, 0);

	if (strcmp(cfg_opt_name(opt), "mark") == 0)
		return check_mark(cfg, n);
	if (strcmp(cfg_opt_name(opt), "table") == 0 && n >= 253 && n <= 255) {
		cfg_error(cfg, "option 'table': 253 to 255 are the system's own routing tables");
		return -1;
	}
	return conf_check_number(cfg, opt, numbers, sizeof(numbers) / sizeof(numbers[0]));
}

static const struct {
	const char *name;
	uint64_t min_ns; /* but 0, where zero says so */
	bool zero;
	const char *why;
} times[] = {
    {"connect-timeout", 1, false, "0 would let connections that do nothing stay for ever"},
    {"handshake-timeout", 1, false, "0 would let connections that do nothing stay for ever"},
    {"ageing-timeout", 1, false, "0 would let gates of dead calls stay for ever"},
    {"idle-timeout", 1, false, "0 would let gates of dead calls stay for ever"},
    {"poll-interval", 1, false, "0 would leave time for nothing else"},
    {"gate-life", UINT64_C(60000000000), false, "less than a minute, so that gates would end in use"},
    {"keepalive", UINT64_C(1000000000), true, "less than a second; 0 is never"},
};

int
check_time(cfg_t *cfg, cfg_opt_t *opt)
{
	uint64_t ns;

	if (conf_check_duration(cfg, opt) != 0)
		return -1;
	conf_duration(conf_last(opt), &ns);
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		if (strcmp(times[i].name, cfg_opt_name(opt)) != 0 || ns >= times[i].min_ns || (ns == 0 && times[i].zero))
			continue;
		cfg_error(cfg, "option '%s': %s", times[i].name, times[i].why);
		return -1;
	}
	return 0;
}

int
check_state_dir(cfg_t *cfg, cfg_opt_t *opt)
{
	if (*conf_last(opt) != '\0')
		return conf_check_path(cfg, opt);
	cfg_error(cfg, "option 'state-dir': it is empty, and gates could not be found again after a crash");
	return -1;
}

int
check_ports(cfg_t *cfg, cfg_opt_t *opt)
{
	unsigned n = cfg_opt_size(opt);
	long port = n > 0 ? cfg_opt_getnint(opt, n - 1) : 0;

	if (conf_check_port(cfg, opt) != 0)
		return -1;
	for (unsigned i = 0; i + 1 < n; i++) {
		if (cfg_opt_getnint(opt, i) != port)
			continue;
		cfg_error(cfg, "option '%s': %ld stands there twice", cfg_opt_name(opt), port);
		return -1;
	}
	return conf_check_count(cfg, opt, CONFIG_MAX_PORTS, "ports");
}

int
check_ifnames(cfg_t *cfg, cfg_opt_t *opt)
{
	static const char legal[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.@:";
	const char *s = conf_last(opt);
	size_t n = strlen(s);

	if (n == 0 || n >= IFNAMSIZ || strspn(s, legal) != n)
		return conf_refuse(cfg, opt, "an interface name (1 to 15 letters, digits, - _ . @ :)");
	for (unsigned i = 0; i + 1 < cfg_opt_size(opt); i++) {
		if (strcmp(cfg_opt_getnstr(opt, i), s) != 0)
			continue;
		cfg_error(cfg, "option '%s': '%s' stands there twice", cfg_opt_name(opt), s);
		return -1;
	}
	return conf_check_count(cfg, opt, CONFIG_MAX_INTERFACES, "interfaces");
}

int
check_prefixes(cfg_t *cfg, cfg_opt_t *opt)
{
	struct prefix p;

	if (!prefix_parse(&p, conf_last(opt)))
		return conf_refuse(cfg, opt, "an address or a network like 192.0.2.0/24 or 2001:db8::/32");
	return conf_check_count(cfg, opt, CONFIG_MAX_MATCHES, "networks");
}

/* Networks without a host that could be a client or a server: "this" one, loopback, multicast and what is above. */
static bool
has_nobody(const struct prefix *p)
{
	static const char *const networks[] = {"0.0.0.0/8", "127.0.0.0/8", "224.0.0.0/3", "::/127", "::ffff:0:0/96", "ff00::/8"};

	for (size_t i = 0; i < sizeof(networks) / sizeof(networks[0]); i++) {
		struct prefix nobody;

		prefix_parse(&nobody, networks[i]);
		if (prefix_contains(&nobody, &p->addr) || (p->len < nobody.len && prefix_contains(p, &nobody.addr)))
			return true;
	}
	return false;
}

int
check_outside(cfg_t *cfg, cfg_opt_t *opt)
{
	struct prefix p;

	if (check_prefixes(cfg, opt) != 0)
		return -1;
	prefix_parse(&p, conf_last(opt));
	if (!has_nobody(&p))
		return 0;
	cfg_error(cfg, "option '%s': '%s' has addresses that are no host's (loopback, multicast and the like)", cfg_opt_name(opt),
	    conf_last(opt));
	return -1;
}

int
check_host(cfg_t *cfg, cfg_opt_t *opt)
{
	return conf_check_addr(cfg, opt) == 0 ? check_outside(cfg, opt) : -1;
}

int
check_inside(cfg_t *cfg, cfg_opt_t *opt)
{
	return *conf_last(opt) == '\0' ? 0 : check_outside(cfg, opt);
}

int
check_nat64_source(cfg_t *cfg, cfg_opt_t *opt)
{
	if (conf_check_v4(cfg, opt) != 0)
		return -1;
	return *conf_last(opt) == '\0' ? 0 : check_outside(cfg, opt);
}

int
check_datapath(cfg_t *cfg, cfg_opt_t *opt)
{
	return conf_check_word(cfg, opt, datapath_words, "auto, conntrack, bpf or user");
}

int
check_protocol(cfg_t *cfg, cfg_opt_t *opt)
{
	return conf_check_word(cfg, opt, protocol_words, "lenient or strict");
}

int
check_other_version(cfg_t *cfg, cfg_opt_t *opt)
{
	return conf_check_word(cfg, opt, version_words, "pass or refuse");
}

int
check_action(cfg_t *cfg, cfg_opt_t *opt)
{
	return conf_check_word(cfg, opt, action_words, "proxy, refuse or pass");
}

int
check_policy_nat(cfg_t *cfg, cfg_opt_t *opt)
{
	const char *s = conf_last(opt);

	return *s == '\0' || conf_word(nat_words, s) >= 0 ? 0 : conf_refuse(cfg, opt, "auto, route, static, pool or interface");
}

int
check_nat(cfg_t *cfg, cfg_opt_t *opt)
{
	int nat = conf_word(nat_words, conf_last(opt));

	if (nat == NAT_AUTO || nat == NAT_ROUTE || nat == NAT_INTERFACE)
		return 0;
	return conf_refuse(
	    cfg, opt, nat < 0 ? "auto, route or interface" : "auto, route or interface (this one needs addresses: write it in a policy)");
}

int
check_nat64_prefix(cfg_t *cfg, cfg_opt_t *opt)
{
	const char *s = conf_last(opt);
	struct prefix p;

	return *s == '\0' || (prefix_parse(&p, s) && p.addr.family == 6 && p.len == 96)
		   ? 0
		   : conf_refuse(cfg, opt, "an IPv6 network of 96 bits");
}

int
check_metrics(cfg_t *cfg, cfg_opt_t *opt)
{
	const char *s = conf_last(opt);
	struct addr a;
	uint16_t port;

	return *s == '\0' || conf_endpoint(s, &a, &port) ? 0 : conf_refuse(cfg, opt, "ADDRESS:PORT, like 127.0.0.1:9723 or [::1]:9723");
}

bool
parse_size(const char *s, uint64_t *bytes)
{
	uint64_t n = 0;
	unsigned shift = 0;

	if (*s < '0' || *s > '9')
		return false;
	for (; *s >= '0' && *s <= '9'; s++) {
		n = n * 10 + (uint64_t)(*s - '0');
		if (n > UINT32_MAX)
			return false;
	}
	if (*s != '\0')
		shift = *s == 'k' ? 10 : *s == 'm' ? 20 : *s == 'g' ? 30 : 64;
	if (shift == 64 || (*s != '\0' && s[1] != '\0'))
		return false;
	*bytes = n << shift;
	return true;
}

int
check_size(cfg_t *cfg, cfg_opt_t *opt)
{
	uint64_t bytes;

	if (parse_size(conf_last(opt), &bytes) && bytes >= 4096 && bytes <= UINT64_C(1) << 40)
		return 0;
	return conf_refuse(cfg, opt, "a size from 4k to 1024g, like 1m");
}

int
check_trace_level(cfg_t *cfg, cfg_opt_t *opt)
{
	unsigned level;

	return trace_level_parse(conf_last(opt), &level) ? 0 : conf_refuse(cfg, opt, "error, warning, notice, info or verbose");
}

int
check_trace_flags(cfg_t *cfg, cfg_opt_t *opt)
{
	unsigned flag;

	if (trace_flag_parse(conf_last(opt), &flag))
		return 0;
	return conf_refuse(cfg, opt, "messages, connections, calls, gates, xlate, datapath, policy or all");
}

/* ---- whole sections ---- */

static int
wrong(cfg_t *section, const char *kind, const char *what)
{
	cfg_error(section, "%s '%s', which ends here: %s", kind, cfg_title(section), what);
	return -1;
}

/* Static translation: one network each, of one size. */
static const char *
wrong_static(cfg_t *section)
{
	struct prefix inside, outside;

	if (*cfg_getstr(section, "inside") == '\0' || cfg_size(section, "outside") != 1)
		return "nat = static needs inside and one outside";
	prefix_parse(&inside, cfg_getstr(section, "inside"));
	prefix_parse(&outside, cfg_getnstr(section, "outside", 0));
	if (inside.addr.family != outside.addr.family || inside.len != outside.len)
		return "inside and outside must be of one family and length, so that each address has its own";
	return NULL;
}

static const char *
wrong_addresses(cfg_t *section)
{
	bool inside = *cfg_getstr(section, "inside") != '\0';
	int nat = conf_word(nat_words, cfg_getstr(section, "nat"));

	if (nat == NAT_STATIC)
		return wrong_static(section);
	if (inside)
		return "inside is for nat = static only (source says which clients are meant)";
	if (nat == NAT_POOL)
		return cfg_size(section, "outside") > 0 ? NULL : "nat = pool needs outside";
	return cfg_size(section, "outside") > 0 ? "outside is for nat = static and nat = pool only" : NULL;
}

/* What a connection is matched against is of one family: a policy that asks for two never matches. */
static const char *
wrong_families(cfg_t *section)
{
	bool has[2][2] = {{false}};

	for (unsigned which = 0; which < 2; which++) {
		cfg_opt_t *opt = cfg_getopt(section, which == 0 ? "source" : "destination");

		for (unsigned i = 0; i < cfg_opt_size(opt); i++) {
			struct prefix p;

			prefix_parse(&p, cfg_opt_getnstr(opt, i));
			has[which][p.addr.family == 6] = true;
		}
	}
	if ((has[0][0] || has[0][1]) && (has[1][0] || has[1][1]) && !(has[0][0] && has[1][0]) && !(has[0][1] && has[1][1]))
		return "source and destination are of different families, so nothing can match";
	return NULL;
}

int
check_policy(cfg_t *cfg, cfg_opt_t *opt)
{
	cfg_t *section = cfg_opt_getnsec(opt, cfg_opt_size(opt) - 1);
	int action = conf_word(action_words, cfg_getstr(section, "action"));
	const char *what;

	if (conf_check_count(cfg, opt, CONFIG_MAX_POLICIES, "policies") != 0)
		return -1;
	if (action != ACTION_PROXY && *cfg_getstr(section, "nat") != '\0')
		return wrong(section, "policy", "nat means nothing unless action = proxy");
	what = wrong_addresses(section);
	if (what == NULL)
		what = wrong_families(section);
	return what == NULL ? 0 : wrong(section, "policy", what);
}

int
check_server(cfg_t *cfg, cfg_opt_t *opt)
{
	cfg_t *section = cfg_opt_getnsec(opt, cfg_opt_size(opt) - 1);
	struct addr dialed = {0}, to = {0};

	if (conf_check_count(cfg, opt, CONFIG_MAX_SERVERS, "servers") != 0)
		return -1;
	if (!addr_parse(&dialed, cfg_getstr(section, "address")) || !addr_parse(&to, cfg_getstr(section, "to")))
		return wrong(section, "server", "it needs address (as clients dial it) and to (the server's own)");
	if (dialed.family != to.family)
		return wrong(
		    section, "server", "address and to must be of one family (for IPv6 clients of IPv4 servers there is nat64-prefix)");
	if (addr_equal(&dialed, &to) && cfg_getint(section, "to-port") == 0)
		return wrong(section, "server", "address and to are the same");
	return 0;
}
