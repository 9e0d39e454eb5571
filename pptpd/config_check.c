#include "pptpd/config_check.h"

#include <string.h>

#include "pptpd/config.h"
#include "sys/conf.h"
#include "tunnel/options.h"

bool
parse_listen(const char *s, struct addr *addr, uint16_t *port)
{
	return addr_parse(addr, s) || conf_endpoint(s, addr, port);
}

int
check_listen(cfg_t *cfg, cfg_opt_t *opt)
{
	struct addr a;
	uint16_t port;

	if (conf_check_count(cfg, opt, CONFIG_MAX_LISTEN, "addresses") != 0)
		return -1;
	return parse_listen(conf_last(opt), &a, &port) ? 0 : conf_refuse(cfg, opt, "an address, V4:PORT or [V6]:PORT");
}

int
check_auth(cfg_t *cfg, cfg_opt_t *opt)
{
	char err[256];
	unsigned methods;

	if (tunnel_parse_auth(conf_last(opt), &methods, err, sizeof(err)))
		return 0;
	cfg_error(cfg, "option '%s': %s", cfg_opt_name(opt), err);
	return -1;
}

int
check_pool6(cfg_t *cfg, cfg_opt_t *opt)
{
	struct prefix p;

	if (!prefix_parse(&p, conf_last(opt)) || p.addr.family != 6 || p.len > 64 || p.len < 42)
		return conf_refuse(cfg, opt, "an IPv6 prefix of 42 to 64 bits, to be cut into prefixes of 64");
	return 0;
}

int
check_ifname(cfg_t *cfg, cfg_opt_t *opt)
{
	static const char legal[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.%";
	const char *s = conf_last(opt), *percent = strchr(s, '%');
	size_t n = strlen(s);

	if (n >= CONFIG_IFNAME || strspn(s, legal) != n)
		return conf_refuse(cfg, opt, "an interface name (at most 15 letters, digits, - _ .)");
	if (percent != NULL && (percent[1] != 'd' || strchr(percent + 1, '%') != NULL))
		return conf_refuse(cfg, opt, "a name with one %d at most");
	return 0;
}

int
check_interface(cfg_t *cfg, cfg_opt_t *opt)
{
	static const char *const words[] = {"shared", "per-session", NULL};

	return conf_check_word(cfg, opt, words, "shared or per-session");
}
