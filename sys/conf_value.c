/* Options that more than one daemon has, and values on their way from libconfuse to a daemon's own struct. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sys/conf.h"

/* In the order of enum log_target. */
static const char *const log_words[] = {"stderr", "syslog", "journal", NULL};

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

int
conf_check_word(cfg_t *cfg, cfg_opt_t *opt, const char *const *words, const char *wanted)
{
	return conf_word(words, conf_last(opt)) >= 0 ? 0 : conf_refuse(cfg, opt, wanted);
}

int
conf_check_count(cfg_t *cfg, cfg_opt_t *opt, unsigned max, const char *what)
{
	if (cfg_opt_size(opt) <= max)
		return 0;
	cfg_error(cfg, "option '%s': more than %u %s", cfg_opt_name(opt), max, what);
	return -1;
}

int
conf_check_number(cfg_t *cfg, cfg_opt_t *opt, const struct conf_number *numbers, size_t count)
{
	long n = cfg_opt_getnint(opt, 0);

	for (size_t i = 0; i < count; i++) {
		if (strcmp(numbers[i].name, cfg_opt_name(opt)) != 0 || (n >= numbers[i].min && n <= numbers[i].max))
			continue;
		cfg_error(cfg, "option '%s': %ld is not in %ld..%ld", numbers[i].name, n, numbers[i].min, numbers[i].max);
		return -1;
	}
	return 0;
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

int
conf_check_log(cfg_t *cfg, cfg_opt_t *opt)
{
	return conf_check_word(cfg, opt, log_words, "stderr, syslog or journal");
}

int
conf_check_log_level(cfg_t *cfg, cfg_opt_t *opt)
{
	return log_parse_level(conf_last(opt)) >= 0 ? 0 : conf_refuse(cfg, opt, "error, warning, info, debug or trace");
}

/* ---- values ---- */

int
conf_word(const char *const *words, const char *word)
{
	for (int i = 0; words[i] != NULL; i++) {
		if (strcmp(words[i], word) == 0)
			return i;
	}
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
	return (enum log_target)conf_get_word(cfg, name, log_words);
}

int
conf_get_word(cfg_t *cfg, const char *name, const char *const *words)
{
	return conf_word(words, cfg_getstr(cfg, name));
}

bool
conf_say(cfg_t *cfg, const char *what)
{
	fprintf(stderr, "%s: %s\n", cfg->filename, what);
	return false;
}
