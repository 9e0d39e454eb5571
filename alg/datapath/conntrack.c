/* Gates as entries of the kernel's connection tracking: whether it can be had, and the backend's interface. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alg/datapath/conntrack_private.h"
#include "sys/log.h"

#define ACCT_FILE "/proc/sys/net/netfilter/nf_conntrack_acct"

/* -1 with errno. */
static long
read_number(const char *file)
{
	char text[32];
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;
	int saved = errno;

	if (fd >= 0)
		close(fd);
	errno = saved;
	if (n < 0)
		return -1;
	text[n] = 0;
	return strtol(text, NULL, 10);
}

static int
set_acct(bool on)
{
	int fd = open(ACCT_FILE, O_WRONLY | O_CLOEXEC), error = 0;

	if (fd < 0 || write(fd, on ? "1" : "0", 1) != 1)
		error = errno;
	if (fd >= 0)
		close(fd);
	return error;
}

/* Without counters gates could not age. */
static bool
count_packets(struct conntrack *c, char *err, size_t errlen)
{
	long was = read_number(ACCT_FILE);
	int error;

	if (was < 0) {
		snprintf(err, errlen, "the kernel has no connection tracking: %s: %s", ACCT_FILE, strerror(errno));
		return false;
	}
	if (was != 0)
		return true;
	error = set_acct(true);
	if (error != 0) {
		snprintf(err, errlen, "packets of gates can't be counted: writing 1 to %s: %s", ACCT_FILE, strerror(error));
		return false;
	}
	c->acct_was_off = true;
	return true;
}

/* Looks for an entry that can't be there. */
static int
probe(struct conntrack *c)
{
	struct gate g = {.src = {.family = 4}, .dst = {.family = 4}};
	struct nf_conntrack *key = conntrack_key(&g), *found = nfct_new();
	struct ctnl_op get = {.type = CTNL_GET, .what = key, .answer = found};
	int error = ENOMEM;

	if (key != NULL && found != NULL)
		error = ctnl_run(c->nl, &get, 1);
	if (error == 0 && get.error != ENOENT)
		error = get.error;
	if (key != NULL)
		nfct_destroy(key);
	if (found != NULL)
		nfct_destroy(found);
	return error;
}

static bool
usable(struct conntrack *c, char *err, size_t errlen)
{
	int error;

	c->nl = ctnl_open();
	error = c->nl != NULL ? probe(c) : errno;
	if (error == 0)
		return count_packets(c, err, errlen);
	if (error == EPERM)
		snprintf(err, errlen, "connection tracking can't be changed without the capability CAP_NET_ADMIN");
	else if (error == EPROTONOSUPPORT || error == EINVAL || error == EOPNOTSUPP)
		snprintf(err, errlen, "the kernel has no ctnetlink (CONFIG_NF_CT_NETLINK)");
	else
		snprintf(err, errlen, "connection tracking can't be reached: %s", strerror(error));
	return false;
}

static void
warn_of_limit(uint32_t max_gates)
{
	long limit = read_number("/proc/sys/net/netfilter/nf_conntrack_max");

	if (limit >= 0 && limit < (long)max_gates * WAYS)
		log_event(LOG_LEVEL_WARN, "conntrack-limit",
		    "limit=%ld needed=%" PRIu64
		    " reason=\"each call takes two entries: raise net.netfilter.nf_conntrack_max or lower max-calls\"",
		    limit, (uint64_t)max_gates * WAYS);
}

/* Each entry stands in the hash table by both its tuples, and every other one of a bucket that a packet must pass is cache lines that are
 * not near: at two in a bucket it takes a call's packets about a tenth longer, with 10,000 calls. */
static void
warn_of_hash(uint32_t max_gates)
{
	long buckets = read_number("/proc/sys/net/netfilter/nf_conntrack_buckets");
	uint64_t needed = (uint64_t)max_gates * WAYS;

	if (buckets > 0 && (uint64_t)buckets < needed)
		log_event(LOG_LEVEL_WARN, "conntrack-hash",
		    "buckets=%ld advised=%" PRIu64
		    " effect=\"packets take longer when there are many calls\" advice=\"raise net.netfilter.nf_conntrack_buckets\"",
		    buckets, needed);
}

static void
conntrack_close(struct datapath *dp, bool keep_gates)
{
	struct conntrack *c = conntrack_of(dp);

	if (c->acct_was_off && !keep_gates)
		set_acct(false);
	tdestroy(c->renewed, free);
	ctnl_close(c->nl);
	free(c);
}

static uint32_t
seconds(uint64_t ns)
{
	uint64_t s = ns / 1000000000;

	return s < 2 ? 2 : s > INT32_MAX / 1000 ? INT32_MAX / 1000 : (uint32_t)s; /* the kernel counts in ticks of 31 bits */
}

struct datapath *
datapath_conntrack_open(const struct datapath_config *config, char *err, size_t errlen)
{
	static const struct datapath_ops ops = {
	    .name = "conntrack", .close = conntrack_close, .add = conntrack_add, .del = conntrack_del, .read = conntrack_read};
	struct conntrack *c = calloc(1, sizeof(*c));

	if (c == NULL) {
		snprintf(err, errlen, "out of memory");
		return NULL;
	}
	c->dp.ops = &ops;
	c->life_s = seconds(config->life_ns);
	if (!usable(c, err, errlen)) {
		conntrack_close(&c->dp, false);
		return NULL;
	}
	warn_of_limit(config->max_gates);
	warn_of_hash(config->max_gates);
	return &c->dp;
}
