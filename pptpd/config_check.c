#include "pptpd/config_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libppp/auth.h"
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

	if (cfg_opt_size(opt) > CONFIG_MAX_LISTEN) {
		cfg_error(cfg, "option 'listen': more than %d addresses", CONFIG_MAX_LISTEN);
		return -1;
	}
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
	const char *s = conf_last(opt);

	return strcmp(s, "shared") == 0 || strcmp(s, "per-session") == 0 ? 0 : conf_refuse(cfg, opt, "shared or per-session");
}
