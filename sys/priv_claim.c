/* Host routes through other interfaces, which stay in the kernel when the monitor is killed with SIGKILL: each has a name in the
 * abstract socket space of its network namespace, bound for as long as the process lives that made it. One whose name is free is a dead
 * process's, and goes when the next one starts. */
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/addr.h"
#include "sys/log.h"
#include "sys/netlink.h"
#include "sys/priv_core.h"

enum { STALE_MAX = 64 };

/* A descriptor that holds the name, or -1 with errno: EADDRINUSE when another process does. */
static int
hold_name(const struct prefix *dst)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), saved;
	char text[ADDR_TEXT_MAX];
	socklen_t len;

	if (fd < 0)
		return -1;
	snprintf(name.sun_path + 1, sizeof(name.sun_path) - 1, "openpptp route %s", prefix_text(dst, text));
	len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name.sun_path + 1));
	if (bind(fd, (const struct sockaddr *)&name, len) == 0)
		return fd;
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

static struct priv_claim *
find(struct priv_claims *c, const struct prefix *dst)
{
	for (size_t i = 0; i < c->count; i++)
		if (c->items[i].dst.len == dst->len && addr_equal(&c->items[i].dst.addr, &dst->addr))
			return &c->items[i];
	return NULL;
}

void
priv_claim(struct priv_claims *c, const struct prefix *dst)
{
	int fd;

	if (find(c, dst) != NULL || c->count == PRIV_CLAIMS)
		return;
	fd = hold_name(dst);
	if (fd >= 0)
		c->items[c->count++] = (struct priv_claim){*dst, fd};
}

void
priv_unclaim(struct priv_claims *c, const struct prefix *dst)
{
	struct priv_claim *claim = find(c, dst);

	if (claim == NULL)
		return;
	close(claim->fd);
	*claim = c->items[--c->count];
}

void
priv_unclaim_all(struct priv_claims *c)
{
	while (c->count > 0)
		close(c->items[--c->count].fd);
}

/* --- what dead processes left ------------------------------------------------------------- */

struct search {
	size_t count;
	struct nl_route routes[STALE_MAX];
};

/* Routes onto a TUN are a living process's: the others went with it. */
static bool
is_tun(int ifindex)
{
	struct ethtool_drvinfo info = {.cmd = ETHTOOL_GDRVINFO};
	struct ifreq r = {.ifr_data = (void *)&info};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool tun = fd >= 0 && if_indextoname((unsigned)ifindex, r.ifr_name) != NULL && ioctl(fd, SIOCETHTOOL, &r) == 0 &&
		   strcmp(info.driver, "tun") == 0;

	if (fd >= 0)
		close(fd);
	return tun;
}

static bool
is_unclaimed(const struct prefix *dst)
{
	int fd = hold_name(dst);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static bool
collect(void *user, const struct nl_route *r)
{
	struct search *s = user;
	bool host = r->protocol == NL_ROUTE_PROTOCOL && r->table == RT_TABLE_MAIN && r->dst.len == addr_len(&r->dst.addr) * 8;

	if (host && !is_tun(r->ifindex) && is_unclaimed(&r->dst))
		s->routes[s->count++] = *r;
	return s->count == STALE_MAX;
}

void
priv_drop_stale_routes(struct nl *nl)
{
	for (uint8_t family = 4; family <= 6; family = (uint8_t)(family + 2)) {
		struct search s = {.count = 0};

		(void)nl_route_each(nl, family, collect, &s);
		for (size_t i = 0; i < s.count; i++) {
			char text[ADDR_TEXT_MAX];

			if (nl_route_del(nl, &s.routes[i]) == 0)
				log_event(LOG_LEVEL_INFO, "undo", "route=%s reason=\"a killed process left it\"",
				    prefix_text(&s.routes[i].dst, text));
		}
	}
}
