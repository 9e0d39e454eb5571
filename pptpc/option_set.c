/* Text to values, a function for each kind of option. */
#include "pptpc/option.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/timerheap.h"
#include "sys/conf.h"

struct problem {
	char *err;
	size_t errlen;
};

static bool refuse(const struct problem *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static bool
refuse(const struct problem *p, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(p->err, p->errlen, fmt, ap);
	va_end(ap);
	return false;
}

static bool
set_bool(bool *field, const char *value, const struct problem *p)
{
	static const char *const yes[] = {"yes", "true", "on", "1"}, *const no[] = {"no", "false", "off", "0"};

	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
		if (strcasecmp(value, yes[i]) == 0 || strcasecmp(value, no[i]) == 0) {
			*field = strcasecmp(value, yes[i]) == 0;
			return true;
		}
	}
	return refuse(p, "\"%s\" is neither yes nor no", value);
}

static bool
parse_number(const char *value, uint32_t min, uint32_t max, unsigned long long *out)
{
	char *end;

	if (value[0] < '0' || value[0] > '9')
		return false;
	errno = 0;
	*out = strtoull(value, &end, 0);
	return errno == 0 && *end == '\0' && *out >= min && *out <= max;
}

static bool
set_number(uint32_t *field, const struct option_row *row, const char *value, const struct problem *p)
{
	unsigned long long n;

	if (!parse_number(value, row->min, row->max, &n))
		return refuse(p, "\"%s\" is not a number from %u to %u", value, row->min, row->max);
	*field = (uint32_t)n;
	return true;
}

static bool
set_fd(int64_t *field, const struct option_row *row, const char *value, const struct problem *p)
{
	unsigned long long n;

	if (!parse_number(value, row->min, row->max, &n))
		return refuse(p, "\"%s\" is not a descriptor from %u to %u", value, row->min, row->max);
	*field = (int64_t)n;
	return true;
}

static bool
set_duration(uint64_t *field, const struct option_row *row, const char *value, const struct problem *p)
{
	uint64_t ns;

	if (row->kind == OPTION_WAIT && strcasecmp(value, "stop") == 0) {
		*field = TS_NEVER;
		return true;
	}
	if (!conf_duration(value, &ns))
		return refuse(p, "\"%s\" is not a time such as 500ms, 30, 15m or 2h%s", value, row->kind == OPTION_WAIT ? ", or stop" : "");
	if (row->min > 0 && ns == 0)
		return refuse(p, "it can't be 0");
	*field = ns;
	return true;
}

static bool
set_text(char *field, const struct option_row *row, const char *value, const struct problem *p)
{
	if (strlen(value) >= row->max)
		return refuse(p, "longer than %u characters", row->max - 1);
	memset(field, 0, row->max);
	memcpy(field, value, strlen(value));
	return true;
}

static bool
set_address(struct addr *field, const struct option_row *row, const char *value, const struct problem *p)
{
	struct addr a;

	if (!addr_parse(&a, value))
		return refuse(p, "\"%s\" is not an address", value);
	if (row->min != 0 && a.family != row->min)
		return refuse(p, "\"%s\" is not an IPv%u address", value, row->min);
	*field = a;
	return true;
}

static bool
add_prefix(struct prefix_list *list, const char *item, const struct problem *p)
{
	if (list->count == PROFILE_MAX_ROUTES)
		return refuse(p, "more than %d networks", PROFILE_MAX_ROUTES);
	if (!prefix_parse(&list->items[list->count], item))
		return refuse(p, "\"%s\" is not a network such as 10.0.0.0/8", item);
	list->count++;
	return true;
}

static bool
add_name(struct name_list *list, const char *item, const struct problem *p)
{
	if (list->count == PROFILE_MAX_SERVERS)
		return refuse(p, "more than %d servers", PROFILE_MAX_SERVERS);
	if (strlen(item) >= PROFILE_TEXT)
		return refuse(p, "longer than %d characters", PROFILE_TEXT - 1);
	memcpy(list->names[list->count++], item, strlen(item) + 1);
	return true;
}

static bool
add_method(unsigned *methods, const char *item, const struct problem *p)
{
	unsigned method = strcasecmp(item, "eap") == 0       ? PPP_AUTH_EAP_MD5 | PPP_AUTH_EAP_MSCHAPV2
			  : strcasecmp(item, "mschap1") == 0 ? PPP_AUTH_MSCHAP
							     : ppp_auth_parse(item);

	if (method == 0)
		return refuse(p, "\"%s\" is none of mschap2, eap-mschap2, mschap1, chap, eap-md5, pap and eap", item);
	*methods |= method;
	return true;
}

static bool
add_item(struct profile *p, const struct option_row *row, const char *item, const struct problem *problem)
{
	void *field = (char *)p + row->offset;

	switch (row->kind) {
	case OPTION_PREFIXES:
		return add_prefix(field, item, problem);
	case OPTION_NAMES:
		return add_name(field, item, problem);
	default:
		return add_method(field, item, problem);
	}
}

static size_t
field_size(const struct option_row *row)
{
	switch (row->kind) {
	case OPTION_PREFIXES:
		return sizeof(struct prefix_list);
	case OPTION_NAMES:
		return sizeof(struct name_list);
	default:
		return sizeof(unsigned);
	}
}

static bool
set_list(struct profile *p, const struct option_row *row, const char *value, const struct problem *problem)
{
	char *copy = strdup(value), *save = NULL;
	void *field = (char *)p + row->offset, *old = malloc(field_size(row));
	bool ok = copy != NULL && old != NULL;

	if (old != NULL) {
		memcpy(old, field, field_size(row));
		memset(field, 0, field_size(row));
	}
	for (char *item = ok ? strtok_r(copy, ", \t\n", &save) : NULL; ok && item != NULL; item = strtok_r(NULL, ", \t\n", &save))
		ok = add_item(p, row, item, problem);
	if (!ok && old != NULL)
		memcpy(field, old, field_size(row));
	free(copy);
	free(old);
	return ok;
}

static bool
set_choice(int *field, const struct option_row *row, const char *value, const struct problem *p)
{
	char words[128] = "";

	for (int i = 0; row->words[i] != NULL; i++) {
		if (strcasecmp(value, row->words[i]) == 0) {
			*field = i;
			return true;
		}
		snprintf(words + strlen(words), sizeof(words) - strlen(words), "%s%s", i > 0 ? ", " : "", row->words[i]);
	}
	return refuse(p, "\"%s\" is none of %s", value, words);
}

bool
option_set(struct profile *p, const struct option_row *row, const char *value, char *err, size_t errlen)
{
	const struct problem problem = {err, errlen};
	void *field = (char *)p + row->offset;

	switch (row->kind) {
	case OPTION_BOOL:
		return set_bool(field, value, &problem);
	case OPTION_NUMBER:
		return set_number(field, row, value, &problem);
	case OPTION_FD:
		return set_fd(field, row, value, &problem);
	case OPTION_DURATION:
	case OPTION_WAIT:
		return set_duration(field, row, value, &problem);
	case OPTION_SECRET:
		p->password_set = true;
		return set_text(field, row, value, &problem);
	case OPTION_TEXT:
		return set_text(field, row, value, &problem);
	case OPTION_ADDRESS:
		return set_address(field, row, value, &problem);
	case OPTION_CHOICE:
		return set_choice(field, row, value, &problem);
	default:
		return set_list(p, row, value, &problem);
	}
}
