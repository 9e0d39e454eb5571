#include "pptpc/profile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libppp/crypto.h"
#include "pptpc/option.h"

static void
set_string(char *field, size_t size, const char *value)
{
	snprintf(field, size, "%s", value);
}

void
profile_init(struct profile *p, bool by_hand)
{
	size_t count;
	const struct option_row *rows = option_rows(&count);
	char err[256];

	memset(p, 0, sizeof(*p));
	p->password_fd = -1;
	tunnel_options_init(&p->tunnel, TUNNEL_CLIENT);
	for (size_t i = 0; i < count; i++)
		if (rows[i].initial != NULL)
			option_set(p, &rows[i], rows[i].initial, err, sizeof(err));
	p->retry = !by_hand;
}

void
client_config_init(struct client_config *c)
{
	memset(c, 0, sizeof(*c));
	set_string(c->control_socket, sizeof(c->control_socket), "/run/pptpc/control.sock");
	set_string(c->log_level, sizeof(c->log_level), "info");
	set_string(c->log_target, sizeof(c->log_target), "stderr");
	set_string(c->worker, sizeof(c->worker), OPENPPTP_USER);
}

void
client_config_fini(struct client_config *c)
{
	if (c->tunnels != NULL)
		ppp_wipe(c->tunnels, PROFILE_MAX_TUNNELS * sizeof(*c->tunnels));
	free(c->tunnels);
	c->tunnels = NULL;
	c->count = 0;
}

struct profile *
client_config_add(struct client_config *c, const char *name)
{
	struct profile *p;

	if (c->count == PROFILE_MAX_TUNNELS)
		return NULL;
	/* All at once: pointers to profiles stay good. */
	if (c->tunnels == NULL)
		c->tunnels = calloc(PROFILE_MAX_TUNNELS, sizeof(*c->tunnels));
	if (c->tunnels == NULL)
		return NULL;
	p = &c->tunnels[c->count++];
	profile_init(p, c->by_hand);
	set_string(p->name, sizeof(p->name), name);
	return p;
}

static const char *
check_auth(const struct profile *p)
{
	unsigned keyless = p->allow & ~(unsigned)PPP_AUTH_MSCHAP_ANY;

	if (p->allow == 0)
		return "allow names no authentication method";
	if (p->tunnel.bundle.mppe == PPP_MPPE_REQUIRE && keyless == p->allow)
		return "encryption is required, but none of the methods in allow gives keys: add mschap2, or set mppe to allow or deny";
	return NULL;
}

static const char *
check_routes(const struct profile *p)
{
	if (!p->tunnel.bundle.ipv4 && !p->tunnel.bundle.ipv6)
		return "neither ipv4 nor ipv6 is wanted: the tunnel would carry nothing";
	if (p->default_route && !p->tunnel.bundle.ipv4)
		return "default-route needs ipv4 = yes";
	if (p->default_route6 && !p->tunnel.bundle.ipv6)
		return "default-route6 needs ipv6 = yes";
	for (size_t i = 0; i < p->routes.count; i++) {
		if (p->routes.items[i].addr.family == 6 && !p->tunnel.bundle.ipv6)
			return "routes has an IPv6 network, which needs ipv6 = yes";
		if (p->routes.items[i].addr.family == 4 && !p->tunnel.bundle.ipv4)
			return "routes has an IPv4 network, which needs ipv4 = yes";
	}
	if (p->demand && !p->tunnel.bundle.ipv4)
		return "demand needs ipv4 = yes";
	if (p->bind_address.family != 0 && p->family != PROFILE_ANY && (p->bind_address.family == 6) != (p->family == PROFILE_IPV6))
		return "bind-address is not of the family that family asks for";
	return NULL;
}

/* As the monitor allows it, where "%d" stands for a number. */
static bool
names_interface(const char *name)
{
	const char *percent = strchr(name, '%');

	if (name[0] == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strpbrk(name, "/: \t\n\v\f\r*?[]\\") != NULL)
		return false;
	return percent == NULL || (percent[1] == 'd' && strchr(percent + 1, '%') == NULL);
}

static const char *
check_texts(const struct profile *p)
{
	if (!names_interface(p->interface))
		return "interface is no name for an interface, such as vpn0 or pptp%d";
	if ((p->ip_up[0] != '\0' && p->ip_up[0] != '/') || (p->ip_down[0] != '\0' && p->ip_down[0] != '/'))
		return "ip-up and ip-down are whole paths, which begin with /";
	if (p->dns_domain[0] == '-' || strpbrk(p->dns_domain, " \t\n\r") != NULL)
		return "dns-domain is no domain";
	return NULL;
}

static const char *
check_sources(const struct profile *p)
{
	int sources = (p->password_set ? 1 : 0) + (p->password_file[0] != '\0' ? 1 : 0) + (p->password_fd >= 0 ? 1 : 0);

	if (p->servers.count == 0)
		return "no server is named";
	if (p->user[0] == '\0')
		return "no user is named: user NAME is missing";
	if (sources > 1)
		return "more than one of password, password-file and password-fd is given";
	return NULL;
}

bool
profile_check(const struct profile *p, char *err, size_t errlen)
{
	const char *what = check_sources(p);

	if (what == NULL)
		what = check_texts(p);
	if (what == NULL)
		what = check_auth(p);
	if (what == NULL)
		what = check_routes(p);
	if (what != NULL)
		snprintf(err, errlen, "%s", what);
	return what == NULL;
}

static bool
check_pair(const struct profile *a, const struct profile *b, char *err, size_t errlen)
{
	if (strcmp(a->name, b->name) == 0) {
		snprintf(err, errlen, "two tunnels are named \"%s\"", a->name);
		return false;
	}
	if (strchr(a->interface, '%') == NULL && strcmp(a->interface, b->interface) == 0) {
		snprintf(err, errlen, "tunnels \"%s\" and \"%s\" both want interface %s", a->name, b->name, a->interface);
		return false;
	}
	return true;
}

/* 192.0.0.0/29 (RFC 7335) is what stands for an unknown address; it has room for six. */
static bool
check_placeholders(const struct client_config *c, char *err, size_t errlen)
{
	size_t n = 0;

	for (size_t i = 0; i < c->count; i++)
		n += profile_needs_placeholder(&c->tunnels[i]);
	if (n > 6)
		snprintf(err, errlen, "more than six tunnels dial on demand without an address of their own: give some of them address");
	return n <= 6;
}

bool
client_config_check(const struct client_config *c, char *err, size_t errlen)
{
	for (size_t i = 0; i < c->count; i++)
		for (size_t k = 0; k < i; k++)
			if (!check_pair(&c->tunnels[k], &c->tunnels[i], err, errlen))
				return false;
	if (c->count == 0) {
		snprintf(err, errlen, "no tunnel is configured");
		return false;
	}
	return check_placeholders(c, err, errlen);
}

bool
profile_needs_placeholder(const struct profile *p)
{
	return p->demand && p->address.family == 0;
}
