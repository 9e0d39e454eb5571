/* How the gateway's part of the monitor begins, and how it ends. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alg/machine.h"
#include "alg/monitor_private.h"
#include "sys/clock.h"
#include "sys/log.h"

enum { ERROR_TEXT = 256, SPARE_FDS = 64 };

/* --- the data path -------------------------------------------------------------------- */

static struct datapath *
open_bpf(const struct config *c, const struct datapath_config *dc)
{
	char err[ERROR_TEXT];
	struct datapath *dp = datapath_bpf_open(dc, err, sizeof(err));

	if (dp == NULL)
		log_event(LOG_LEVEL_WARN, "datapath", "wanted=%s error=\"%s\" instead=conntrack", config_datapath_text(c->datapath), err);
	return dp;
}

/* False: what is wanted can't be had. */
static bool
open_datapath(struct monitor *m)
{
	const struct config *c = m->config;
	const char *ifnames[CONFIG_MAX_INTERFACES + 1] = {NULL};
	struct datapath_config dc = {.max_gates = (uint32_t)m->pairs_max, .life_ns = c->life_ns};
	char err[ERROR_TEXT] = "";

	m->datapath_name = "user";
	if (c->datapath == DATAPATH_USER)
		return true;
	for (size_t i = 0; i < c->bpf_interfaces_count; i++)
		ifnames[i] = c->bpf_interfaces[i];
	dc.ifnames = c->bpf_interfaces_count > 0 ? ifnames : NULL;
	if (c->datapath == DATAPATH_BPF)
		m->datapath = open_bpf(c, &dc);
	if (m->datapath == NULL)
		m->datapath = datapath_conntrack_open(&dc, err, sizeof(err));
	if (m->datapath != NULL) {
		m->datapath_name = m->datapath->ops->name;
		return true;
	}
	log_event(c->datapath == DATAPATH_AUTO ? LOG_LEVEL_WARN : LOG_LEVEL_ERROR, "datapath", "wanted=%s error=\"%s\"%s",
	    config_datapath_text(c->datapath), err, c->datapath == DATAPATH_AUTO ? " instead=user" : "");
	return c->datapath == DATAPATH_AUTO;
}

/* Looks for a connection that can't be there. */
static void
open_lookup(struct monitor *m)
{
	const struct ct_tcp nobody = {.src = {.family = 4}, .dst = {.family = 4}};
	struct ct_tcp seen;
	int error;

	m->ct = ct_open();
	error = m->ct != NULL ? ct_lookup(m->ct, &nobody, &seen) : errno;
	if (error != 0 && error != ENOENT)
		log_event(LOG_LEVEL_WARN, "machine",
		    "reason=\"connection tracking can't be asked: %s\" effect=\"with nat = auto, calls carry nothing where this machine "
		    "translates sources\" advice=\"load nf_conntrack_netlink, or set nat to interface\"",
		    strerror(error));
}

/* --- beginning --------------------------------------------------------------------------- */

static bool
make_tables(struct monitor *m)
{
	const struct config *c = m->config;
	uint64_t key[2];

	/* Gates that are being removed need room beside those that live, as in alg/gates.h. */
	m->pairs_max = c->max_calls + c->max_calls / 4 + 16;
	m->handed_max = 2 * c->max_connections + SPARE_FDS;
	m->handed = calloc(m->handed_max, sizeof(*m->handed));
	clock_random(NULL, key, sizeof(key));
	return m->handed != NULL && table_init(&m->by_id, m->pairs_max, key, NULL);
}

static void
free_monitor(struct monitor *m)
{
	table_fini(&m->by_id, NULL);
	free(m->handed);
	free(m->inherited);
	free(m);
}

struct monitor *
monitor_new(const struct config *config)
{
	struct monitor *m = calloc(1, sizeof(*m));
	char err[ERROR_TEXT] = "";

	if (m == NULL)
		return NULL;
	m->config = config;
	if (!make_tables(m)) {
		log_event(LOG_LEVEL_ERROR, "start", "error=\"out of memory\"");
	} else if (open_datapath(m)) {
		machine_check_files(config, m->datapath_name, "");
		machine_check_netlink(config);
		open_lookup(m);
		m->nft = nft_start(config, err, sizeof(err));
		if (m->nft != NULL)
			return m;
		log_event(LOG_LEVEL_ERROR, "start", "error=\"nftables: %s\"%s", err,
		    strstr(err, "No such file") != NULL ? " advice=\"the kernel must have nft_tproxy, nft_socket and nft_fib_inet\"" : "");
		ct_close(m->ct);
		if (m->datapath != NULL)
			m->datapath->ops->close(m->datapath, true);
	}
	free_monitor(m);
	return NULL;
}

const char *
monitor_datapath(const struct monitor *m)
{
	return m->datapath_name;
}

/* There may be more than a new configuration allows, and they must be handed over once more. */
static void
make_room(struct monitor *m, size_t n)
{
	struct handover_fd *more = n + SPARE_FDS > m->handed_max ? realloc(m->handed, (n + SPARE_FDS) * sizeof(*more)) : NULL;

	if (more == NULL)
		return;
	m->handed = more;
	m->handed_max = n + SPARE_FDS;
}

void
monitor_handover(struct monitor *m, const struct handover_fd *fds, size_t n, const char *path, char *const argv[])
{
	m->path = path;
	m->argv = argv;
	make_room(m, n);
	m->inherited = n > 0 ? calloc(n, sizeof(*fds)) : NULL;
	if (m->inherited != NULL) {
		memcpy(m->inherited, fds, n * sizeof(*fds));
		m->inherited_count = n;
		return;
	}
	for (size_t i = 0; i < n; i++)
		close(fds[i].fd);
}

static void
close_inherited(struct monitor *m)
{
	while (m->inherited_given < m->inherited_count)
		close(m->inherited[m->inherited_given++].fd);
}

void
monitor_abandon(struct monitor *m)
{
	close_inherited(m);
	ct_close(m->ct);
	nft_stop(m->nft, true);
	if (m->datapath != NULL)
		m->datapath->ops->close(m->datapath, true);
	free_monitor(m);
}

/* --- end --------------------------------------------------------------------------------------- */

/* To the service manager's store, or else to this program anew, which is how a reload works. */
static void
hand_over(struct monitor *m)
{
	if (handover_managed() && !m->anew) {
		if (handover_store(m->handed, m->handed_count) == 0) {
			log_event(LOG_LEVEL_INFO, "handover", "descriptors=%zu to=\"the service manager\"", m->handed_count);
			return;
		}
		log_event(LOG_LEVEL_WARN, "handover", "error=\"the service manager does not take descriptors: %m\" instead=exec");
	}
	log_event(LOG_LEVEL_INFO, "handover", "descriptors=%zu to=\"%s\"", m->handed_count, m->path);
	handover_exec(m->path, m->argv, m->handed, m->handed_count);
	log_event(LOG_LEVEL_ERROR, "handover", "program=\"%s\" error=\"%m\" instead=\"the program that runs\"", m->path);
	handover_exec("/proc/self/exe", m->argv, m->handed, m->handed_count);
	log_event(LOG_LEVEL_ERROR, "handover", "error=\"%m\" reason=\"control connections are lost, gates stay\"");
}

/* What the service manager keeps until the worker has settled is there for another process. */
static bool
is_kept(const struct monitor *m)
{
	return m->inherited_count > 0 && handover_managed();
}

/* After a worker's crash the gates stay too, so that data goes on until the next start adopts them. */
static void
end(void *user, int status)
{
	struct monitor *m = user;
	bool over = m->handed_all && status == 0, crashed = status > 128, stays = over || crashed || is_kept(m);

	if (crashed && m->pairs_count > 0)
		log_event(
		    LOG_LEVEL_WARN, "stop", "gates=%zu reason=\"the worker was killed; gates stay for the next start\"", m->pairs_count);
	if (stays)
		monitor_forget_gates(m);
	else
		monitor_remove_gates(m);
	close_inherited(m);
	ct_close(m->ct);
	nft_stop(m->nft, stays);
	if (m->datapath != NULL)
		m->datapath->ops->close(m->datapath, stays);
	if (over)
		hand_over(m);
	for (size_t i = 0; i < m->handed_count; i++)
		close(m->handed[i].fd);
	free_monitor(m);
}

void
monitor_give_up(struct monitor *m)
{
	end(m, 1);
}

void
monitor_policy(struct monitor *m, struct priv_policy *policy)
{
	policy->types[PRIV_PROGRAM] = true;
	policy->types[PRIV_GRE_OPEN] = m->datapath == NULL || m->config->nat64_prefix.addr.family != 0;
	policy->program = (struct priv_program){.user = m, .handle = monitor_handle, .end = end};
}
