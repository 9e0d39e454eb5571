#include "tunnel/options.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/timerheap.h"
#include "sys/conf.h"

enum kind { KIND_WORD, KIND_NUMBER, KIND_BOOL, KIND_LIST };

struct option_row {
	const char *name;
	enum kind kind;
	const char *defaults[2]; /* by enum tunnel_role */
	bool (*set)(struct tunnel_options *o, const struct option_row *row, const char *value, char *err, size_t errlen);
	size_t offset; /* of the field in struct tunnel_options, for the setters of plain fields */
	uint64_t min, max;
};

static bool __attribute__((format(printf, 3, 4))) fail(char *err, size_t errlen, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(err, errlen, fmt, ap);
	va_end(ap);
	return false;
}

/* ---- setters ---- */

static bool
parse_number(const struct option_row *row, const char *value, uint64_t *n, char *err, size_t errlen)
{
	char *end;

	errno = 0;
	*n = strtoull(value, &end, 10);
	if (value[0] < '0' || value[0] > '9' || *end != '\0' || errno != 0)
		return fail(err, errlen, "%s: \"%s\" is not a number", row->name, value);
	if (*n < row->min || *n > row->max)
		return fail(err, errlen, "%s: %s is not in %llu..%llu", row->name, value, (unsigned long long)row->min,
		    (unsigned long long)row->max);
	return true;
}

#define FIELD(type) ((type *)((char *)o + row->offset))

static bool
set_u8(struct tunnel_options *o, const struct option_row *row, const char *value, char *err, size_t errlen)
{
	uint64_t n;

	if (!parse_number(row, value, &n, err, errlen))
		return false;
	*FIELD(uint8_t) = (uint8_t)n;
	return true;
}

static bool
set_u16(struct tunnel_options *o, const struct option_row *row, const char *value, char *err, size_t errlen)
{
	uint64_t n;

	if (!parse_number(row, value, &n, err, errlen))
		return false;
	*FIELD(uint16_t) = (uint16_t)n;
	return true;
}

static bool
set_u32(struct tunnel_options *o, const struct option_row *row, const char *value, char *err, size_t errlen)
{
	uint64_t n;

	if (!parse_number(row, value, &n, err, errlen))
		return false;
	*FIELD(uint32_t) = (uint32_t)n;
	return true;
}

static bool
set_duration(struct tunnel_options *o, const struct option_row *row, const char *value, char *err, size_t errlen)
{
	uint64_t ns;

	if (!conf_duration(value, &ns))
		return fail(err, errlen, "%s: \"%s\" is not a duration (like 500ms, 30s, 15m)", row->name, value);
	if (ns < row->min || ns > row->max)
		return fail(err, errlen, "%s: %s is too %s", row->name, value, ns < row->min ? "short" : "long");
	*FIELD(uint64_t) = ns;
	return true;
}

/* PPTP's own Echo: 0 means that none is sent, which libpptp calls never. */
static bool
set_echo_interval(struct tunnel_options *o, const struct option_row *row, const char *value, char *err, size_t errlen)
{
	if (!set_duration(o, row, value, err, errlen))
		return false;
	if (o->echo_interval_ns == 0)
		o->echo_interval_ns = PPTP_TS_NEVER;
	return true;
}

static bool
parse_bool(const struct option_row *row, const char *value, bool *b, char *err, size_t errlen)
{
	static const char *const words[] = {"no", "yes", "false", "true", "off", "on", "0", "1"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcasecmp(value, words[i]) == 0) {
			*b = i % 2 == 1;
			return true;
		}
	}
	return fail(err, errlen, "%s: \"%s\" is neither yes nor no", row->name, value);
}

static bool
set_bool(struct tunnel_options *o, const struct option_row *row, const char *value, char *err, size_t errlen)
{
	return parse_bool(row, value, FIELD(bool), err, errlen);
}

static bool
set_policy(struct tunnel_options *o, const struct option_row *row, const char *value, char *err, size_t errlen)
{
	bool strict = false;

	if (!parse_bool(row, value, &strict, err, errlen))
		return false;
	o->policy = strict ? PPTP_STRICT : PPTP_LENIENT;
	return true;
}

static bool
set_text(struct tunnel_options *o, const struct option_row *row, const char *value, char *err, size_t errlen)
{
	if (strlen(value) > row->max)
		return fail(err, errlen, "%s: longer than %llu bytes", row->name, (unsigned long long)row->max);
	strcpy(FIELD(char), value);
	return true;
}

static bool
set_mss(struct tunnel_options *o, const struct option_row *row, const char *value, char *err, size_t errlen)
{
	if (strcmp(value, "auto") == 0)
		o->mss_max = 0;
	else if (strcmp(value, "off") == 0)
		o->mss_max = UINT16_MAX;
	else if (value[0] >= '0' && value[0] <= '9')
		return set_u16(o, row, value, err, errlen);
	else
		return fail(err, errlen, "%s: \"%s\" is neither auto, off nor a number of bytes", row->name, value);
	return true;
}

static bool
set_mppe(struct tunnel_options *o, const struct option_row *row, const char *value, char *err, size_t errlen)
{
	if (strcmp(value, "deny") == 0)
		o->bundle.mppe = PPP_MPPE_DENY;
	else if (strcmp(value, "allow") == 0)
		o->bundle.mppe = PPP_MPPE_ALLOW;
	else if (strcmp(value, "require") == 0)
		o->bundle.mppe = PPP_MPPE_REQUIRE;
	else
		return fail(err, errlen, "%s: \"%s\" is neither deny, allow nor require", row->name, value);
	return true;
}

static bool
set_mppe_mode(struct tunnel_options *o, const struct option_row *row, const char *value, char *err, size_t errlen)
{
	bool stateless = strcmp(value, "stateless") == 0, stateful = strcmp(value, "stateful") == 0;

	if (!stateless && !stateful && strcmp(value, "any") != 0)
		return fail(err, errlen, "%s: \"%s\" is neither stateless, stateful nor any", row->name, value);
	o->bundle.mppe_stateless = !stateful;
	o->bundle.mppe_stateful_ok = !stateless;
	return true;
}

/* ---- lists ---- */

/* Copies the next word of a list separated by commas or spaces, with or without braces, into word; false at the end. */
static bool
next_word(const char **list, char *word, size_t size)
{
	const char *p = *list + strspn(*list, ", \t{}");
	size_t n = strcspn(p, ", \t{}");

	*list = p + n;
	if (n == 0)
		return false;
	snprintf(word, size, "%.*s", (int)n, p);
	return true;
}

static bool
set_mppe_bits(struct tunnel_options *o, const struct option_row *row, const char *value, char *err, size_t errlen)
{
	unsigned bits = 0;
	char word[64];

	while (next_word(&value, word, sizeof(word))) {
		if (strcmp(word, "128") == 0)
			bits |= PPP_MPPE_128;
		else if (strcmp(word, "56") == 0)
			bits |= PPP_MPPE_56;
		else if (strcmp(word, "40") == 0)
			bits |= PPP_MPPE_40;
		else
			return fail(err, errlen, "%s: \"%s\" is neither 128, 56 nor 40", row->name, word);
	}
	if (bits == 0)
		return fail(err, errlen, "%s: empty (write mppe = deny to have no encryption)", row->name);
	o->bundle.mppe_bits = bits;
	return true;
}

bool
tunnel_parse_auth(const char *list, unsigned *methods, char *err, size_t errlen)
{
	unsigned set = 0, one;
	char word[64];

	while (next_word(&list, word, sizeof(word))) {
		if (strcasecmp(word, "none") == 0)
			continue;
		one = strcasecmp(word, "all") == 0 ? PPP_AUTH_ALL : ppp_auth_parse(word);
		if (one == 0)
			return fail(err, errlen,
			    "no authentication method \"%s\" (there are mschap2, eap-mschap2, mschap, eap-md5, chap, pap)", word);
		set |= one;
	}
	*methods = set;
	return true;
}

/* ---- the table ---- */

#define AT(field) offsetof(struct tunnel_options, field)
#define BOTH(value)                                                                                                                        \
	{                                                                                                                                  \
		value, value                                                                                                               \
	}
#define HOUR TS_S(3600)

static const struct option_row rows[] = {
    {"mru", KIND_NUMBER, BOTH("1400"), set_u16, AT(link.mru), PPP_MIN_MRU, 1500},
    {"mtu", KIND_NUMBER, BOTH("1400"), set_u16, AT(link.mtu_max), PPP_MIN_MRU, 1500},
    {"mss", KIND_WORD, BOTH("auto"), set_mss, AT(mss_max), 64, 1460},
    {"mppe", KIND_WORD, BOTH("require"), set_mppe, 0, 0, 0},
    {"mppe-bits", KIND_LIST, BOTH("{128}"), set_mppe_bits, 0, 0, 0},
    {"mppe-mode", KIND_WORD, {"stateless", "any"}, set_mppe_mode, 0, 0, 0},
    {"ipv4", KIND_BOOL, BOTH("yes"), set_bool, AT(bundle.ipv4), 0, 0},
    {"ipv6", KIND_BOOL, BOTH("yes"), set_bool, AT(bundle.ipv6), 0, 0},
    {"lcp-echo-interval", KIND_WORD, BOTH("30s"), set_duration, AT(link.echo_interval_ns), 0, HOUR},
    {"lcp-echo-failures", KIND_NUMBER, BOTH("4"), set_u8, AT(link.echo_failures), 1, 255},
    {"lcp-restart", KIND_WORD, BOTH("3s"), set_duration, AT(link.restart_ns), TS_MS(100), TS_S(60)},
    {"lcp-max-configure", KIND_NUMBER, BOTH("10"), set_u8, AT(link.max_configure), 1, 255},
    {"lcp-passive", KIND_BOOL, {"yes", "no"}, set_bool, AT(link.passive), 0, 0},
    {"pfc", KIND_BOOL, BOTH("yes"), set_bool, AT(link.pfc), 0, 0},
    {"acfc", KIND_BOOL, BOTH("yes"), set_bool, AT(link.acfc), 0, 0},
    {"identification", KIND_WORD, BOTH(""), set_text, AT(link.identification), 0, 64},
    {"auth-timeout", KIND_WORD, BOTH("30s"), set_duration, AT(link.auth_timeout_ns), TS_S(1), HOUR},
    {"auth-retries", KIND_NUMBER, BOTH("0"), set_u8, AT(link.auth_retries), 0, 10},
    {"echo-interval", KIND_WORD, BOTH("60s"), set_echo_interval, AT(echo_interval_ns), 0, HOUR},
    {"echo-timeout", KIND_WORD, BOTH("60s"), set_duration, AT(echo_timeout_ns), TS_MS(100), HOUR},
    {"reply-timeout", KIND_WORD, {"60s", "20s"}, set_duration, AT(reply_timeout_ns), TS_MS(100), HOUR},
    {"receive-window", KIND_NUMBER, BOTH("64"), set_u16, AT(recv_window), 1, UINT16_MAX},
    {"sliding-window", KIND_BOOL, BOTH("no"), set_bool, AT(gre.window), 0, 0},
    {"reorder-packets", KIND_NUMBER, BOTH("64"), set_u32, AT(gre.reorder_pkts), 0, PPTP_GRE_MAX_REORDER},
    {"reorder-time", KIND_WORD, BOTH("100ms"), set_duration, AT(gre.reorder_ns), 0, TS_S(10)},
    {"ack-packets", KIND_NUMBER, BOTH("32"), set_u32, AT(gre.ack_pkts), 1, 65535},
    {"ack-delay", KIND_WORD, BOTH("100ms"), set_duration, AT(gre.ack_delay_ns), 0, TS_S(10)},
    {"host-name", KIND_WORD, BOTH(""), set_text, AT(host_name), 0, 64},
    {"strict", KIND_BOOL, BOTH("no"), set_policy, 0, 0, 0},
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };
_Static_assert((int)ROWS <= (int)TUNNEL_OPTIONS_MAX, "TUNNEL_OPTIONS_MAX is too small");

static const struct option_row *
find_row(const char *name)
{
	for (size_t i = 0; i < ROWS; i++) {
		if (strcmp(rows[i].name, name) == 0)
			return &rows[i];
	}
	return NULL;
}

void
tunnel_options_init(struct tunnel_options *o, enum tunnel_role role)
{
	char err[128];

	memset(o, 0, sizeof(*o));
	ppp_link_config_init(&o->link);
	ppp_bundle_config_init(&o->bundle);
	pptp_gre_config_init(&o->gre);
	for (size_t i = 0; i < ROWS; i++)
		rows[i].set(o, &rows[i], rows[i].defaults[role], err, sizeof(err));
}

bool
tunnel_option_set(struct tunnel_options *o, const char *name, const char *value, char *err, size_t errlen)
{
	const struct option_row *row = find_row(name);

	if (row == NULL)
		return fail(err, errlen, "no option \"%s\"", name);
	return row->set(o, row, value, err, errlen);
}

bool
tunnel_option_known(const char *name)
{
	return find_row(name) != NULL;
}

/* ---- libconfuse ---- */

const char *
tunnel_cfg_join(cfg_opt_t *opt, char *buf, size_t size)
{
	size_t len = 0;

	buf[0] = '\0';
	for (unsigned i = 0; i < cfg_opt_size(opt) && len < size; i++) {
		int n = snprintf(buf + len, size - len, "%s%s", i > 0 ? ", " : "", cfg_opt_getnstr(opt, i));

		if (n < 0)
			break;
		len += (size_t)n;
	}
	return buf;
}

/* The option's value as the text its setter takes. */
static const char *
cfg_value(cfg_opt_t *opt, enum kind kind, char *buf, size_t size)
{
	const char *word;

	switch (kind) {
	case KIND_NUMBER:
		snprintf(buf, size, "%ld", cfg_opt_getnint(opt, 0));
		return buf;
	case KIND_BOOL:
		return cfg_opt_getnbool(opt, 0) ? "yes" : "no";
	case KIND_LIST:
		return tunnel_cfg_join(opt, buf, size);
	case KIND_WORD:
		break;
	}
	word = cfg_opt_getnstr(opt, 0);
	return word != NULL ? word : "";
}

static int
check_option(cfg_t *cfg, cfg_opt_t *opt)
{
	const struct option_row *row = find_row(cfg_opt_name(opt));
	struct tunnel_options scratch;
	char buf[512], err[256];

	memset(&scratch, 0, sizeof(scratch));
	if (row != NULL && !row->set(&scratch, row, cfg_value(opt, row->kind, buf, sizeof(buf)), err, sizeof(err))) {
		cfg_error(cfg, "%s", err);
		return -1;
	}
	return 0;
}

static cfg_opt_t
row_opt(const struct option_row *row, enum tunnel_role role)
{
	const char *value = row->defaults[role];
	cfg_opt_t opt;

	if (row->kind == KIND_NUMBER)
		opt = (cfg_opt_t)CFG_INT(row->name, strtol(value, NULL, 10), CFGF_NONE);
	else if (row->kind == KIND_BOOL)
		opt = (cfg_opt_t)CFG_BOOL(row->name, strcmp(value, "yes") == 0 ? cfg_true : cfg_false, CFGF_NONE);
	else if (row->kind == KIND_LIST)
		opt = (cfg_opt_t)CFG_STR_LIST(row->name, (char *)(uintptr_t)value, CFGF_NONE);
	else
		opt = (cfg_opt_t)CFG_STR(row->name, value, CFGF_NONE);
	opt.validcb = check_option;
	return opt;
}

size_t
tunnel_options_cfg(cfg_opt_t *opts, enum tunnel_role role)
{
	for (size_t i = 0; i < ROWS; i++)
		opts[i] = row_opt(&rows[i], role);
	return ROWS;
}

void
tunnel_options_read(struct tunnel_options *o, cfg_t *cfg)
{
	char buf[512], err[256];

	for (size_t i = 0; i < ROWS; i++) {
		cfg_opt_t *opt = cfg_getopt(cfg, rows[i].name);

		if (opt != NULL)
			rows[i].set(o, &rows[i], cfg_value(opt, rows[i].kind, buf, sizeof(buf)), err, sizeof(err));
	}
	o->bundle.restart_ns = o->link.restart_ns;
	o->bundle.max_configure = o->link.max_configure;
}

void
tunnel_options_conn(const struct tunnel_options *o, struct pptp_conn_config *config)
{
	config->policy = o->policy;
	config->echo_interval_ns = o->echo_interval_ns;
	config->echo_timeout_ns = o->echo_timeout_ns;
	config->reply_timeout_ns = o->reply_timeout_ns;
	config->host_name = o->host_name;
	config->vendor_name = PACKAGE_NAME " " PACKAGE_VERSION;
}
