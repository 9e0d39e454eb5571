/* The form of requests: everything that can be said about one without knowing the policy. */
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sys/priv_core.h"

#define BODY_LEN(member) (offsetof(struct priv_request, member) + sizeof(((struct priv_request *)0)->member))

size_t
priv_request_len(const struct priv_request *r)
{
	switch (r->type) {
	case PRIV_TUN_OPEN:
		return BODY_LEN(tun);
	case PRIV_LINK_MTU:
		return BODY_LEN(link);
	case PRIV_ADDR_ADD:
	case PRIV_ADDR_DEL:
		return BODY_LEN(addr);
	case PRIV_ROUTE_ADD:
	case PRIV_ROUTE_DEL:
		return BODY_LEN(route);
	case PRIV_PROXY_ADD:
	case PRIV_PROXY_DEL:
		return BODY_LEN(proxy);
	case PRIV_GRE_OPEN:
		return BODY_LEN(gre);
	case PRIV_TCP_LISTEN:
	case PRIV_TCP_SOCKET:
		return BODY_LEN(tcp);
	case PRIV_FILE_OPEN:
		return BODY_LEN(file);
	case PRIV_SCRIPT:
		return r->script.envlen <= PRIV_ENV_BYTES ? offsetof(struct priv_request, script.env) + r->script.envlen : 0;
	case PRIV_DNS_SET:
	case PRIV_DNS_CLEAR:
		return BODY_LEN(dns);
	case PRIV_PROGRAM:
		return r->program.len <= PRIV_PROGRAM_BYTES ? offsetof(struct priv_request, program.data) + r->program.len : 0;
	case PRIV_TYPES:
		break;
	}
	return 0;
}

size_t
priv_answer_len(const struct priv_answer *a)
{
	return offsetof(struct priv_answer, reply.program.data) + a->reply.program.len;
}

void
priv_put_fds(struct msghdr *msg, void *control, const int *fds, size_t count)
{
	struct cmsghdr *c;

	msg->msg_control = control;
	msg->msg_controllen = CMSG_SPACE(count * sizeof(int));
	memset(control, 0, msg->msg_controllen);
	c = CMSG_FIRSTHDR(msg);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(count * sizeof(int));
	memcpy(CMSG_DATA(c), fds, count * sizeof(int));
}

size_t
priv_take_fds(struct msghdr *msg, int *fds, size_t max)
{
	size_t count = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c != NULL; c = CMSG_NXTHDR(msg, c)) {
		size_t here = c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS ? (c->cmsg_len - CMSG_LEN(0)) / sizeof(int) : 0;

		for (size_t i = 0; i < here; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
			if (count < max)
				fds[count++] = fd;
			else
				close(fd);
		}
	}
	return count;
}

static bool
ends(const char *s, size_t size)
{
	return memchr(s, '\0', size) != NULL;
}

static bool
family_ok(const struct addr *a, bool may_be_none)
{
	return a->family == 4 || a->family == 6 || (may_be_none && a->family == 0);
}

static bool
prefix_len_ok(const struct addr *a, uint8_t len)
{
	return len <= addr_len(a) * 8;
}

/* A boolean that another process wrote can hold any byte; reading it as bool would then be undefined. */
static bool
bool_ok(const bool *b)
{
	uint8_t byte;

	memcpy(&byte, b, 1);
	return byte <= 1;
}

static bool
route_ok(const struct priv_request *r)
{
	struct prefix p = r->route.dst;

	if (!family_ok(&p.addr, false) || !prefix_len_ok(&p.addr, p.len))
		return false;
	addr_mask(&p.addr, p.len);
	return addr_equal(&p.addr, &r->route.dst.addr) && family_ok(&r->route.gateway, true) && family_ok(&r->route.source, true) &&
	       (r->route.source.family == 0 || r->route.source.family == p.addr.family);
}

static bool
addr_ok(const struct priv_request *r)
{
	return family_ok(&r->addr.local, false) && (r->addr.peer.family == 0 || r->addr.peer.family == r->addr.local.family) &&
	       prefix_len_ok(&r->addr.local, r->addr.prefix_len);
}

static bool
dns_ok(const struct priv_request *r)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";

	if (!ends(r->dns.ifname, PRIV_IFNAME) || !ends(r->dns.domain, sizeof(r->dns.domain)))
		return false;
	if (r->dns.domain[0] == '-' || strspn(r->dns.domain, letters) != strlen(r->dns.domain))
		return false;
	for (size_t i = 0; i < PRIV_MAX_DNS; i++) {
		if (!family_ok(&r->dns.servers[i], true) || (i > 0 && r->dns.servers[i].family != 0 && r->dns.servers[i - 1].family == 0))
			return false;
	}
	return true;
}

static bool
form_ok(const struct priv_request *r)
{
	switch (r->type) {
	case PRIV_TUN_OPEN:
		return ends(r->tun.name, PRIV_IFNAME) && bool_ok(&r->tun.vnet_hdr) && bool_ok(&r->tun.tap);
	case PRIV_ADDR_ADD:
	case PRIV_ADDR_DEL:
		return addr_ok(r);
	case PRIV_ROUTE_ADD:
	case PRIV_ROUTE_DEL:
		return route_ok(r);
	case PRIV_PROXY_ADD:
	case PRIV_PROXY_DEL:
		return family_ok(&r->proxy.addr, false);
	case PRIV_GRE_OPEN:
		return (r->gre.family == 4 || r->gre.family == 6) && (r->gre.bind.family == 0 || r->gre.bind.family == r->gre.family) &&
		       r->gre.shard < r->gre.shards && ends(r->gre.ifname, PRIV_IFNAME) && bool_ok(&r->gre.transparent);
	case PRIV_TCP_LISTEN:
	case PRIV_TCP_SOCKET:
		return family_ok(&r->tcp.bind, false) && ends(r->tcp.ifname, PRIV_IFNAME) && bool_ok(&r->tcp.transparent);
	case PRIV_SCRIPT:
		return (r->script.when == PRIV_SCRIPT_NOW || (r->script.when == PRIV_SCRIPT_AT_EXIT && r->script.key != 0)) &&
		       priv_env_valid(r->script.env, r->script.envlen);
	case PRIV_DNS_SET:
	case PRIV_DNS_CLEAR:
		return dns_ok(r);
	case PRIV_LINK_MTU:
	case PRIV_FILE_OPEN:
	case PRIV_PROGRAM:
	case PRIV_TYPES:
		break;
	}
	return true;
}

bool
priv_request_decode(struct priv_request *out, const void *data, size_t len)
{
	memset(out, 0, sizeof(*out));
	if (len < sizeof(out->type) || len > sizeof(*out))
		return false;
	memcpy(out, data, len);
	return priv_request_len(out) == len && form_ok(out);
}

/* --- environments of scripts -------------------------------------------------- */

/* Shells, interpreters, the loader, iptables, openssl and many more read variables that would let an unprivileged process run its own code
 * as root, and no list of these is complete: so all names are ours. */
static bool
name_ok(const char *name, size_t len)
{
	static const char ours[] = "PPTP_";
	size_t start = sizeof(ours) - 1;

	return len > start && memcmp(name, ours, start) == 0 && strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") >= len;
}

static bool
control(char c)
{
	return (unsigned char)c < 0x20 || c == 0x7f;
}

bool
priv_env_valid(const char *env, size_t len)
{
	while (len > 0) {
		const char *end = memchr(env, '\0', len), *equals;

		if (end == NULL)
			return false;
		equals = strchr(env, '=');
		if (equals == NULL || !name_ok(env, (size_t)(equals - env)))
			return false;
		for (const char *p = equals + 1; p < end; p++) {
			if (control(*p))
				return false;
		}
		len -= (size_t)(end + 1 - env);
		env = end + 1;
	}
	return true;
}

bool
priv_env_add(struct priv_request *request, const char *name, const char *value)
{
	size_t n = strlen(name), v = strlen(value), used = request->script.envlen;
	char *p = request->script.env + used;

	if (!name_ok(name, n) || used > PRIV_ENV_BYTES || n + v + 2 > PRIV_ENV_BYTES - used)
		return false;
	memcpy(p, name, n);
	p[n] = '=';
	memcpy(p + n + 1, value, v + 1);
	for (p += n + 1; *p != '\0'; p++)
		*p = control(*p) ? ' ' : *p;
	request->script.envlen = (uint16_t)(used + n + v + 2);
	return true;
}
