/* Options that more than one daemon has, and values on their way from libconfuse to a daemon's own struct. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sys/conf.h"

/* ---- while parsing ---- */

const char *
conf_last(cfg_opt_t *opt)
{
	unsigned n = cfg_opt_size(opt);
	const char *s = n > 0 ? cfg_opt_getnstr(opt, n - 1) : NULL;

	return s != NULL ? s : "";
}

int
conf_refuse(cfg_t *cfg, cfg_opt_t *opt, const char *wanted)
{
	cfg_error(cfg, "option '%s': '%s' is not %s", cfg_opt_name(opt), conf_last(opt), wanted);
	return -1;
}

static int
check_family(cfg_t *cfg, cfg_opt_t *opt, uint8_t family, const char *wanted)
{
	const char *s = conf_last(opt);
	struct addr a;

	if (*s == '\0' || (addr_parse(&a, s) && a.family == family))
		return 0;
	return conf_refuse(cfg, opt, wanted);
}

int
conf_check_v4(cfg_t *cfg, cfg_opt_t *opt)
{
	return check_family(cfg, opt, 4, "an IPv4 address");
}

int
conf_check_v6(cfg_t *cfg, cfg_opt_t *opt)
{
	return check_family(cfg, opt, 6, "an IPv6 address");
}

int
conf_check_path(cfg_t *cfg, cfg_opt_t *opt)
{
	const char *s = conf_last(opt);

	return *s == '\0' || *s == '/' ? 0 : conf_refuse(cfg, opt, "an absolute path");
}

int
conf_check_mode(cfg_t *cfg, cfg_opt_t *opt)
{
	const char *s = conf_last(opt);

	return strlen(s) >= 3 && strlen(s) <= 4 && strspn(s, "01234567") == strlen(s) ? 0
										      : conf_refuse(cfg, opt, "an octal mode like 0660");
}

int
conf_check_name(cfg_t *cfg, cfg_opt_t *opt)
{
	size_t n = strlen(conf_last(opt));

	return n > 0 && n <= 255 ? 0 : conf_refuse(cfg, opt, "a name of 1 to 255 bytes");
}

static bool
is_log_target(const char *s)
{
	return strcmp(s, "stderr") == 0 || strcmp(s, "syslog") == 0 || strcmp(s, "journal") == 0;
}

int
conf_check_log(cfg_t *cfg, cfg_opt_t *opt)
{
	return is_log_target(conf_last(opt)) ? 0 : conf_refuse(cfg, opt, "stderr, syslog or journal");
}

int
conf_check_log_level(cfg_t *cfg, cfg_opt_t *opt)
{
	return log_parse_level(conf_last(opt)) >= 0 ? 0 : conf_refuse(cfg, opt, "error, warning, info, debug or trace");
}

/* ---- values ---- */

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
conf_endpoint(const char *s, struct addr *addr, uint16_t *port)
{
	const char *colon = strrchr(s, ':'), *host = s, *end = colon;
	char text[ADDR_TEXT_MAX];

	if (colon == NULL || colon == s || !parse_port(colon + 1, port))
		return false;
	if (*s == '[') {
		host = s + 1;
		end = colon - 1;
		if (*end != ']')
			return false;
	}
	if (end <= host || (size_t)(end - host) >= sizeof(text))
		return false;
	snprintf(text, sizeof(text), "%.*s", (int)(end - host), host);
	return addr_parse(addr, text) && (addr->family == 6) == (*s == '[');
}

const char *
conf_text(cfg_t *cfg, const char *name)
{
	const char *s = cfg_getstr(cfg, name);

	return s != NULL && *s != '\0' ? s : NULL;
}

uint64_t
conf_ns(cfg_t *cfg, const char *name)
{
	uint64_t ns = 0;

	conf_duration(cfg_getstr(cfg, name), &ns);
	return ns;
}

size_t
conf_number(cfg_t *cfg, const char *name)
{
	return (size_t)cfg_getint(cfg, name);
}

unsigned
conf_mode(cfg_t *cfg, const char *name)
{
	return (unsigned)strtoul(cfg_getstr(cfg, name), NULL, 8);
}

enum log_target
conf_log_target(cfg_t *cfg, const char *name)
{
	const char *s = cfg_getstr(cfg, name);

	return s[0] == 'j' ? LOG_TO_JOURNAL : s[1] == 'y' ? LOG_TO_SYSLOG : LOG_TO_STDERR;
}
