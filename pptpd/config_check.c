#include "pptpd/config_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libppp/auth.h"
#include "pptpd/config.h"
#include "sys/log.h"
#include "tunnel/options.h"

/* The value that was parsed last: the one at the parser's line. */
static const char *
last_value(cfg_opt_t *opt)
{
	unsigned n = cfg_opt_size(opt);
	const char *s = n > 0 ? cfg_opt_getnstr(opt, n - 1) : NULL;

	return s != NULL ? s : "";
}

static int
refuse(cfg_t *cfg, cfg_opt_t *opt, const char *wanted)
{
	cfg_error(cfg, "option '%s': '%s' is not %s", cfg_opt_name(opt), last_value(opt), wanted);
	return -1;
}

static bool
parse_port(const char *s, uint16_t *port)
{
	char *end;
	unsigned long n = strtoul(s, &end, 10);

	if (s[0] < '0' || s[0] > '9' || *end != '\0' || n == 0 || n > 65535)
		return false;
	*port = (uint16_t)n;
	return true;
}

bool
parse_listen(const char *s, struct addr *addr, uint16_t *port)
{
	const char *host = s, *end;
	char text[ADDR_TEXT_MAX];

	if (addr_parse(addr, s))
		return true;
	if (*s == '[') {
		host = s + 1;
		end = strchr(host, ']');
		if (end == NULL || end[1] != ':' || !parse_port(end + 2, port))
			return false;
	} else {
		end = strrchr(s, ':');
		if (end == NULL || !parse_port(end + 1, port))
			return false;
	}
	if ((size_t)(end - host) >= sizeof(text))
		return false;
	snprintf(text, sizeof(text), "%.*s", (int)(end - host), host);
	return addr_parse(addr, text) && (addr->family == 6) == (*s == '[');
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
	return parse_listen(last_value(opt), &a, &port) ? 0 : refuse(cfg, opt, "an address, V4:PORT or [V6]:PORT");
}

int
check_auth(cfg_t *cfg, cfg_opt_t *opt)
{
	char err[256];
	unsigned methods;

	if (tunnel_parse_auth(last_value(opt), &methods, err, sizeof(err)))
		return 0;
	cfg_error(cfg, "option '%s': %s", cfg_opt_name(opt), err);
	return -1;
}

static int
check_family(cfg_t *cfg, cfg_opt_t *opt, uint8_t family, const char *wanted)
{
	const char *s = last_value(opt);
	struct addr a;

	if (*s == '\0' || (addr_parse(&a, s) && a.family == family))
		return 0;
	return refuse(cfg, opt, wanted);
}

int
check_v4(cfg_t *cfg, cfg_opt_t *opt)
{
	return check_family(cfg, opt, 4, "an IPv4 address");
}

int
check_v6(cfg_t *cfg, cfg_opt_t *opt)
{
	return check_family(cfg, opt, 6, "an IPv6 address");
}

int
check_pool6(cfg_t *cfg, cfg_opt_t *opt)
{
	struct prefix p;

	if (!prefix_parse(&p, last_value(opt)) || p.addr.family != 6 || p.len > 64 || p.len < 42)
		return refuse(cfg, opt, "an IPv6 prefix of 42 to 64 bits, to be cut into prefixes of 64");
	return 0;
}

int
check_ifname(cfg_t *cfg, cfg_opt_t *opt)
{
	static const char legal[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.%";
	const char *s = last_value(opt), *percent = strchr(s, '%');
	size_t n = strlen(s);

	if (n >= CONFIG_IFNAME || strspn(s, legal) != n)
		return refuse(cfg, opt, "an interface name (at most 15 letters, digits, - _ .)");
	if (percent != NULL && (percent[1] != 'd' || strchr(percent + 1, '%') != NULL))
		return refuse(cfg, opt, "a name with one %d at most");
	return 0;
}

int
check_interface(cfg_t *cfg, cfg_opt_t *opt)
{
	const char *s = last_value(opt);

	return strcmp(s, "shared") == 0 || strcmp(s, "per-session") == 0 ? 0 : refuse(cfg, opt, "shared or per-session");
}

int
check_log(cfg_t *cfg, cfg_opt_t *opt)
{
	const char *s = last_value(opt);

	if (strcmp(s, "stderr") == 0 || strcmp(s, "syslog") == 0 || strcmp(s, "journal") == 0)
		return 0;
	return refuse(cfg, opt, "stderr, syslog or journal");
}

int
check_log_level(cfg_t *cfg, cfg_opt_t *opt)
{
	return log_parse_level(last_value(opt)) >= 0 ? 0 : refuse(cfg, opt, "error, warning, info, debug or trace");
}

int
check_mode(cfg_t *cfg, cfg_opt_t *opt)
{
	const char *s = last_value(opt);

	return strlen(s) >= 3 && strlen(s) <= 4 && strspn(s, "01234567") == strlen(s) ? 0 : refuse(cfg, opt, "an octal mode like 0660");
}

int
check_path(cfg_t *cfg, cfg_opt_t *opt)
{
	const char *s = last_value(opt);

	return *s == '\0' || *s == '/' ? 0 : refuse(cfg, opt, "an absolute path");
}

int
check_name(cfg_t *cfg, cfg_opt_t *opt)
{
	size_t n = strlen(last_value(opt));

	return n > 0 && n <= PPP_NAME_MAX ? 0 : refuse(cfg, opt, "a name of 1 to 255 bytes");
}
