#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "alg/machine.h"
#include "alg/nfnl.h"
#include "alg/nft.h"
#include "sys/log.h"
#include "sys/netlink.h"

enum { PORT_TRIES = 20, PORT_WAIT_NS = 50000000 };

/* --- routing rules ------------------------------------------------------------------ */

struct rules {
	const struct config *config;
	unsigned before; /* rules that come before the gateway's */
	uint32_t first;  /* of them */
	bool table, mark;
};

/* The first rule of any system, with priority 0, is for the local table, which has nothing for foreign addresses. */
static bool
note_rule(void *user, const struct nl_rule *rule)
{
	struct rules *r = user;
	struct nft_marks m = nft_marks(r->config);

	if (rule->priority > 0 && rule->priority < r->config->table) {
		r->first = r->before++ > 0 && r->first < rule->priority ? r->first : rule->priority;
	}
	r->table = r->table || rule->table == r->config->table;
	r->mark = r->mark || (rule->mark & (m.local | m.proxy | m.fixed)) != 0;
	return false;
}

static void
check_rules(struct nl *nl, const struct config *c, uint8_t family)
{
	struct rules r = {.config = c};

	if (nl_rule_each_foreign(nl, family, note_rule, &r) != 0)
		return;
	if (r.before > 0)
		log_event(LOG_LEVEL_WARN, "machine",
		    "reason=\"%u routing rules of IPv%u, from priority %u on, come before the gateway's, whose priority is %u\" "
		    "effect=\"connections that they match hang\" advice=\"set table, which is the priority too, to less than %u, unless "
		    "they are "
		    "about other connections\"",
		    r.before, family, r.first, c->table, r.first);
	if (r.table)
		log_event(LOG_LEVEL_WARN, "machine",
		    "reason=\"a routing rule of IPv%u that is not the gateway's leads to table %u\" effect=\"what it matches ends in this "
		    "machine\" advice=\"set table to another number\"",
		    family, c->table);
	if (r.mark)
		log_event(LOG_LEVEL_WARN, "machine",
		    "reason=\"a routing rule of IPv%u matches a firewall mark with bits of the gateway's (0x%x and the two bits above)\" "
		    "effect=\"connections go astray\" advice=\"set mark to a bit that is free\"",
		    family, c->mark);
}

/* --- the kernel's helper as an object of nftables -------------------------------------- */

static int
helper_name(const struct nlattr *attr, void *user)
{
	bool *found = user;

	if (mnl_attr_get_type(attr) == NFTA_CT_HELPER_NAME && mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) == 0)
		*found = *found || strcmp(mnl_attr_get_str(attr), "pptp") == 0;
	return MNL_CB_OK;
}

static int
object_attr(const struct nlattr *attr, void *user)
{
	return mnl_attr_get_type(attr) == NFTA_OBJ_DATA ? mnl_attr_parse_nested(attr, helper_name, user) : MNL_CB_OK;
}

static int
object(const struct nlmsghdr *h, void *user)
{
	return mnl_attr_parse(h, sizeof(struct nfgenmsg), object_attr, user);
}

static void
check_helper_objects(void)
{
	const uint32_t type = htonl(NFT_OBJECT_CT_HELPER);
	const struct nfnl_question q = {
	    .type = NFT_MSG_GETOBJ, .family = AF_UNSPEC, .dump = true, .attr = NFTA_OBJ_TYPE, .data = &type, .datalen = sizeof(type)};
	bool found = false;

	nfnl_ask(&q, object, &found);
	if (found)
		log_event(LOG_LEVEL_WARN, "machine",
		    "reason=\"an nftables table has the kernel's PPTP helper (ct helper)\" effect=\"where a rule calls it, the kernel "
		    "translates "
		    "call ids of the same connections once more: calls carry nothing, or pass their gates by\" advice=\"remove it\"");
}

void
machine_check_netlink(const struct config *c)
{
	struct nl *nl = nl_open();

	if (nl != NULL && c->ipv4)
		check_rules(nl, c, 4);
	if (nl != NULL && c->ipv6)
		check_rules(nl, c, 6);
	nl_close(nl);
	check_helper_objects();
}

/* --- another gateway ------------------------------------------------------------------------ */

/* The name is one of the network namespace's, as the table and the rules are, and goes with its process, however that ends. */
static int
claim(void)
{
	static const char name[] = "pptpalg";
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), error;

	if (fd < 0)
		return -1;
	memcpy(un.sun_path + 1, name, sizeof(name) - 1);
	if (bind(fd, (struct sockaddr *)&un, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + sizeof(name))) == 0)
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

int
machine_claim(void)
{
	int fd = claim();

	for (int i = 1; i < PORT_TRIES && fd < 0 && errno == EADDRINUSE; i++) {
		const struct timespec wait = {.tv_nsec = PORT_WAIT_NS};

		nanosleep(&wait, NULL);
		fd = claim();
	}
	if (fd < 0 && errno == EADDRINUSE)
		log_event(LOG_LEVEL_ERROR, "start",
		    "error=\"another pptpalg runs on this machine (in this network namespace)\" "
		    "advice=\"stop it first; one is enough, with policies for what differs\"");
	else if (fd < 0)
		log_event(LOG_LEVEL_ERROR, "start", "error=\"unix socket: %m\"");
	return fd;
}

/* --- the proxy port --------------------------------------------------------------------- */

/* 0, or why the port can't be had. A family that is not there has no ports that are taken. */
static int
try_port(int family, uint16_t port)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1, error = 0;

	if (fd < 0)
		return 0;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (bind(fd, family == AF_INET ? (struct sockaddr *)&in : (struct sockaddr *)&in6, family == AF_INET ? sizeof(in) : sizeof(in6)) !=
	    0)
		error = errno;
	close(fd);
	return error;
}

bool
machine_check_port(const struct config *c)
{
	int error = 0;

	for (int i = 0; i < PORT_TRIES; i++) {
		const struct timespec wait = {.tv_nsec = PORT_WAIT_NS};

		error = c->ipv4 ? try_port(AF_INET, c->proxy_port) : 0;
		if (error == 0 && c->ipv6)
			error = try_port(AF_INET6, c->proxy_port);
		if (error != EADDRINUSE)
			break;
		nanosleep(&wait, NULL);
	}
	if (error != EADDRINUSE)
		return true;
	log_event(LOG_LEVEL_ERROR, "start",
	    "error=\"another program listens on TCP port %u\" advice=\"ss -ltnp sport = :%u tells which; proxy-port can be another\"",
	    c->proxy_port, c->proxy_port);
	return false;
}
