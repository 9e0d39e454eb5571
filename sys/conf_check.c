#include "sys/conf.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

bool
conf_duration(const char *s, uint64_t *ns)
{
	static const struct {
		const char *unit;
		uint64_t ns;
	} units[] = {{"", 1000000000}, {"s", 1000000000}, {"ms", 1000000}, {"m", 60000000000}, {"h", 3600000000000}, {"d", 86400000000000}};
	uint64_t n = 0;

	if (*s < '0' || *s > '9')
		return false;
	for (; *s >= '0' && *s <= '9'; s++) {
		n = n * 10 + (uint64_t)(*s - '0');
		if (n > UINT32_MAX)
			return false;
	}
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(s, units[i].unit) == 0)
			return !__builtin_mul_overflow(n, units[i].ns, ns);
	}
	return false;
}

static uint32_t
host_order(const struct addr *a)
{
	return (uint32_t)a->bytes[0] << 24 | (uint32_t)a->bytes[1] << 16 | (uint32_t)a->bytes[2] << 8 | a->bytes[3];
}

/* What stands behind the dash: a whole address, or the last byte of one like first. */
static bool
range_end(const char *s, uint32_t first, uint32_t *last)
{
	struct addr a;
	char *end;
	unsigned long n;

	if (addr_parse(&a, s)) {
		*last = host_order(&a);
		return a.family == 4;
	}
	if (*s < '0' || *s > '9')
		return false;
	n = strtoul(s, &end, 10);
	if (*end != '\0' || n > 255)
		return false;
	*last = (first & 0xffffff00) | (uint32_t)n;
	return true;
}

bool
conf_range(const char *s, uint32_t *first, uint32_t *last)
{
	const char *dash = strchr(s, '-');
	char text[ADDR_TEXT_MAX];
	struct prefix p;
	uint32_t low, high;

	if (dash == NULL) {
		if (!prefix_parse(&p, s) || p.addr.family != 4)
			return false;
		*first = host_order(&p.addr);
		*last = *first | (p.len < 32 ? UINT32_MAX >> p.len : 0);
		return true;
	}
	if ((size_t)(dash - s) >= sizeof(text))
		return false;
	memcpy(text, s, (size_t)(dash - s));
	text[dash - s] = '\0';
	if (!addr_parse(&p.addr, text) || p.addr.family != 4)
		return false;
	low = host_order(&p.addr);
	if (!range_end(dash + 1, low, &high) || high < low)
		return false;
	*first = low;
	*last = high;
	return true;
}

static bool
is_addr(const char *s)
{
	struct addr a;

	return addr_parse(&a, s);
}

static bool
is_range(const char *s)
{
	uint32_t first, last;

	return conf_range(s, &first, &last);
}

static bool
is_duration(const char *s)
{
	uint64_t ns;

	return conf_duration(s, &ns);
}

static int
check_last(cfg_t *cfg, cfg_opt_t *opt, bool (*is)(const char *s), const char *form)
{
	return cfg_opt_size(opt) == 0 || is(conf_last(opt)) ? 0 : conf_refuse(cfg, opt, form);
}

int
conf_check_addr(cfg_t *cfg, cfg_opt_t *opt)
{
	return check_last(cfg, opt, is_addr, "an IPv4 or IPv6 address");
}

int
conf_check_range(cfg_t *cfg, cfg_opt_t *opt)
{
	return check_last(cfg, opt, is_range, "a range of IPv4 addresses like 192.0.2.10-192.0.2.99, 192.0.2.10-99 or 192.0.2.0/24");
}

int
conf_check_duration(cfg_t *cfg, cfg_opt_t *opt)
{
	return check_last(cfg, opt, is_duration, "a time like 30, 500ms, 15m, 2h or 1d");
}

int
conf_check_port(cfg_t *cfg, cfg_opt_t *opt)
{
	unsigned n = cfg_opt_size(opt);
	long port = n > 0 ? cfg_opt_getnint(opt, n - 1) : 1;

	if (port >= 1 && port <= 65535)
		return 0;
	cfg_error(cfg, "option '%s': %ld is no port (1 to 65535)", opt->name, port);
	return -1;
}
