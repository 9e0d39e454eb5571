#include "pptpc/option.h"

#include <stdio.h>
#include <string.h>

#include "tunnel/options.h"

#define AT(field) offsetof(struct profile, field)
#define SIZE(field) sizeof(((struct profile *)NULL)->field)
#define SWITCH(name, initial, field)                                                                                                       \
	{                                                                                                                                  \
		name, OPTION_BOOL, initial, AT(field), 0, 0, NULL                                                                          \
	}
#define TEXT(name, initial, field)                                                                                                         \
	{                                                                                                                                  \
		name, OPTION_TEXT, initial, AT(field), 0, SIZE(field), NULL                                                                \
	}
#define NUMBER(name, initial, field, min, max)                                                                                             \
	{                                                                                                                                  \
		name, OPTION_NUMBER, initial, AT(field), min, max, NULL                                                                    \
	}
#define DURATION(name, initial, field, min)                                                                                                \
	{                                                                                                                                  \
		name, OPTION_DURATION, initial, AT(field), min, 0, NULL                                                                    \
	}
#define WAIT(name, initial, field)                                                                                                         \
	{                                                                                                                                  \
		name, OPTION_WAIT, initial, AT(field), 0, 0, NULL                                                                          \
	}

static const char *const families[] = {"any", "ipv4", "ipv6", NULL};

static const struct option_row rows[] = {
    {"server", OPTION_NAMES, NULL, AT(servers), 0, 0, NULL},
    NUMBER("port", "1723", port, 1, 65535),
    {"family", OPTION_CHOICE, "any", AT(family), 0, 0, families},
    TEXT("user", NULL, user),
    {"password", OPTION_SECRET, NULL, AT(password), 0, SIZE(password), NULL},
    TEXT("password-file", NULL, password_file),
    {"password-fd", OPTION_FD, NULL, AT(password_fd), 0, 1023, NULL},
    TEXT("phone", NULL, phone),
    NUMBER("call-id", "0", call_id, 0, UINT16_MAX),
    {"allow", OPTION_AUTH, "mschap2, eap-mschap2", AT(allow), 0, 0, NULL},
    TEXT("interface", "pptp%d", interface),
    SWITCH("auto", "yes", autostart),
    {"address", OPTION_ADDRESS, NULL, AT(address), 4, 4, NULL},
    SWITCH("default-route", "no", default_route),
    SWITCH("default-route6", "no", default_route6),
    {"routes", OPTION_PREFIXES, NULL, AT(routes), 0, 0, NULL},
    NUMBER("metric", "0", metric, 0, UINT32_MAX),
    NUMBER("table", "0", table, 0, UINT32_MAX),
    NUMBER("mark", "0", mark, 0, UINT32_MAX),
    {"bind-address", OPTION_ADDRESS, NULL, AT(bind_address), 0, 0, NULL},
    TEXT("bind-interface", NULL, bind_interface),
    SWITCH("dns", "no", dns),
    TEXT("dns-domain", NULL, dns_domain),
    TEXT("ip-up", NULL, ip_up),
    TEXT("ip-down", NULL, ip_down),
    SWITCH("demand", "no", demand),
    DURATION("idle-timeout", "0", idle_ns, 0),
    DURATION("session-timeout", "0", session_ns, 0),
    DURATION("connect-timeout", "20s", connect_ns, 1),
    DURATION("gre-timeout", "8s", no_gre_ns, 1),
    SWITCH("retry", "yes", retry),
    NUMBER("attempts", "0", attempts, 0, UINT32_MAX),
    WAIT("retry-network", "2s", waits.network_ns),
    WAIT("retry-refused", "30s", waits.refused_ns),
    WAIT("retry-auth", "stop", waits.auth_ns),
    WAIT("retry-encryption", "stop", waits.encryption_ns),
    WAIT("retry-ended", "5s", waits.ended_ns),
    DURATION("retry-max", "10m", retry_max_ns, 1),
};

const struct option_row *
option_rows(size_t *count)
{
	*count = sizeof(rows) / sizeof(rows[0]);
	return rows;
}

const struct option_row *
option_find(const char *name)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strcmp(rows[i].name, name) == 0)
			return &rows[i];
	return NULL;
}

bool
option_is_list(const struct option_row *row)
{
	return row->kind == OPTION_PREFIXES || row->kind == OPTION_NAMES || row->kind == OPTION_AUTH;
}

bool
profile_set(struct profile *p, const char *name, const char *value, char *err, size_t errlen)
{
	const struct option_row *row = option_find(name);

	char what[192];

	if (row == NULL)
		return tunnel_option_set(&p->tunnel, name, value, err, errlen);
	if (option_set(p, row, value, what, sizeof(what)))
		return true;
	snprintf(err, errlen, "%s: %s", name, what);
	return false;
}

bool
profile_is_switch(const char *name)
{
	const struct option_row *row = option_find(name);
	cfg_opt_t shared[TUNNEL_OPTIONS_MAX];
	size_t count;

	if (row != NULL)
		return row->kind == OPTION_BOOL;
	count = tunnel_options_cfg(shared, TUNNEL_CLIENT);
	for (size_t i = 0; i < count; i++)
		if (strcmp(shared[i].name, name) == 0)
			return shared[i].type == CFGT_BOOL;
	return false;
}
