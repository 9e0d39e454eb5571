#include "alg/machine.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sys/log.h"

struct look {
	const struct config *config;
	const char *datapath, *root;
};

/* --- files ------------------------------------------------------------------------------ */

static bool
is_there(const struct look *l, const char *path)
{
	char full[PATH_MAX];

	snprintf(full, sizeof(full), "%s%s", l->root, path);
	return access(full, F_OK) == 0;
}

/* The number in a file; -1: there is no such file. */
static long
number(const struct look *l, const char *path)
{
	char full[PATH_MAX], text[32] = "";
	bool read;
	FILE *f;

	snprintf(full, sizeof(full), "%s%s", l->root, path);
	f = fopen(full, "re");
	if (f == NULL)
		return -1;
	read = fgets(text, sizeof(text), f) != NULL;
	fclose(f);
	return read ? strtol(text, NULL, 10) : -1;
}

/* The first name in a folder for which fn is true, in buf; false: none. */
static bool
find(const struct look *l, const char *path, bool (*fn)(const struct look *l, const char *name), char buf[NAME_MAX + 1])
{
	char full[PATH_MAX];
	struct dirent *e;
	bool found = false;
	DIR *dir;

	snprintf(full, sizeof(full), "%s%s", l->root, path);
	dir = opendir(full);
	while (!found && dir != NULL && (e = readdir(dir)) != NULL) {
		found = e->d_name[0] != '.' && fn(l, e->d_name);
		snprintf(buf, NAME_MAX + 1, "%s", e->d_name);
	}
	if (dir != NULL)
		closedir(dir);
	return found;
}

/* --- forwarding --------------------------------------------------------------------------- */

/* The user backend needs none, for all GRE is led to it. A machine that forwards IPv4 only may well mean it. */
static void
check_forwarding(const struct look *l)
{
	static const char effect[] = "calls come up, but none of their data gets through";
	bool off = number(l, "/proc/sys/net/ipv4/ip_forward") == 0;

	if (strcmp(l->datapath, "user") == 0)
		return;
	if (l->config->ipv4 && off)
		log_event(LOG_LEVEL_WARN, "machine",
		    "reason=\"this machine does not forward IPv4\" effect=\"%s\" advice=\"sysctl net.ipv4.ip_forward=1\"", effect);
	if (l->config->ipv6 && number(l, "/proc/sys/net/ipv6/conf/all/forwarding") == 0)
		log_event(l->config->ipv4 ? LOG_LEVEL_INFO : LOG_LEVEL_WARN, "machine",
		    "reason=\"this machine does not forward IPv6\" effect=\"%s\" advice=\"sysctl net.ipv6.conf.all.forwarding=1, or ipv6 = "
		    "no\"",
		    effect);
}

/* --- bridges ------------------------------------------------------------------------------ */

static bool
takes_from(const struct config *c, const char *ifname)
{
	for (size_t i = 0; i < c->interfaces_count; i++)
		if (strcmp(c->interfaces[i], ifname) == 0)
			return true;
	return c->interfaces_count == 0;
}

static bool
is_bridge(const struct look *l, const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "/sys/class/net/%s/bridge", name);
	return takes_from(l->config, name) && is_there(l, path);
}

/* A bridged packet meets the rules twice then: the gateway's socket, which the first time finds, is lost before the second. */
static void
check_bridges(const struct look *l)
{
	static const char *const files[] = {"iptables", "ip6tables"};
	const bool wanted[] = {l->config->ipv4, l->config->ipv6};
	char path[PATH_MAX], bridge[NAME_MAX + 1];

	if (!find(l, "/sys/class/net", is_bridge, bridge))
		return;
	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "/proc/sys/net/bridge/bridge-nf-call-%s", files[i]);
		if (wanted[i] && number(l, path) == 1)
			log_event(LOG_LEVEL_WARN, "machine",
			    "reason=\"net.bridge.bridge-nf-call-%s is 1, and %s is a bridge\" effect=\"control connections that come in "
			    "through "
			    "a bridge hang\" advice=\"sysctl net.bridge.bridge-nf-call-%s=0\"",
			    files[i], bridge, files[i]);
	}
}

/* --- interfaces ---------------------------------------------------------------------------- */

static void
check_interface(const struct look *l, const char *of, const char *name, const char *ifname)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "/sys/class/net/%s", ifname);
	if (!is_there(l, path))
		log_event(LOG_LEVEL_WARN, "machine",
		    "reason=\"%s%s names interface %s, and there is none\" effect=\"nothing is taken from it until there is one\"", of,
		    name, ifname);
}

static void
check_interfaces(const struct look *l)
{
	const struct config *c = l->config;

	if (!is_there(l, "/sys/class/net"))
		return;
	for (size_t i = 0; i < c->interfaces_count; i++)
		check_interface(l, "interfaces", "", c->interfaces[i]);
	for (size_t i = 0; i < c->policies_count; i++)
		for (size_t n = 0; n < c->policies[i].interfaces_count; n++)
			check_interface(l, "policy ", c->policies[i].name, c->policies[i].interfaces[n]);
}

/* --- the kernel's helper ------------------------------------------------------------------- */

#define HELPER "/sys/module/nf_conntrack_pptp"

static bool
any(const struct look *l, const char *name)
{
	(void)l, (void)name;
	return true;
}

/* A rule that calls the helper holds its module, beside nf_nat_pptp. */
static void
check_helper(const struct look *l)
{
	static const char effect[] =
	    "the kernel translates call ids of the same connections once more: calls carry nothing, or pass their gates by";
	char holder[NAME_MAX + 1];
	long users = number(l, HELPER "/refcnt"), holders = find(l, HELPER "/holders", any, holder);

	if (is_there(l, HELPER) && number(l, "/proc/sys/net/netfilter/nf_conntrack_helper") == 1)
		log_event(LOG_LEVEL_WARN, "machine",
		    "reason=\"net.netfilter.nf_conntrack_helper is 1, and the kernel's PPTP helper is loaded\" effect=\"%s\" "
		    "advice=\"sysctl "
		    "net.netfilter.nf_conntrack_helper=0\"",
		    effect);
	else if (users > holders)
		log_event(LOG_LEVEL_WARN, "machine",
		    "reason=\"a firewall rule calls the kernel's PPTP helper\" effect=\"%s\" advice=\"remove the rule (ct helper, or CT "
		    "--helper "
		    "pptp)\"",
		    effect);
}

void
machine_check_files(const struct config *c, const char *datapath, const char *root)
{
	const struct look l = {c, datapath, root};

	check_forwarding(&l);
	check_bridges(&l);
	check_interfaces(&l);
	check_helper(&l);
}
