#include "alg/start.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alg/calls.h"
#include "alg/nft.h"
#include "sys/clock.h"
#include "sys/log.h"
#include "sys/netlink.h"

static bool
failed(const char *what, int error)
{
	log_event(LOG_LEVEL_ERROR, "start", "error=\"%s: %s\"", what, strerror(error));
	return false;
}

/* As many pairs as alg/gates.h has room for. */
static size_t
pairs_max(const struct config *c)
{
	return c->max_calls + c->max_calls / 4 + 16;
}

/* --- tables ------------------------------------------------------------------------- */

/* Without a journal gates only don't survive a crash. */
static void
open_journal(struct gateway *gw)
{
	struct monitor_request req;
	struct monitor_reply reply;
	int fds[PRIV_MAX_FDS], error;
	bool discarded = false;
	size_t n;

	memset(&req, 0, sizeof(req));
	req.type = MONITOR_JOURNAL;
	error = monitor_call(gw->priv, &req, NULL, 0, &reply, fds, &n);
	if (error == 0 && n == 1) {
		gw->journal = journal_open(fds[0], pairs_max(gw->config), &discarded);
		error = errno;
	}
	if (gw->journal == NULL)
		log_event(LOG_LEVEL_WARN, "journal",
		    "dir=\"%s\" error=\"%s\" reason=\"gates are not remembered should this process be killed\"", gw->config->state_dir,
		    strerror(error));
	if (discarded)
		log_event(LOG_LEVEL_WARN, "journal", "dir=\"%s\" reason=\"what was there is not a journal of this version; begun anew\"",
		    gw->config->state_dir);
}

static bool
make_gates(struct gateway *gw)
{
	const struct config *c = gw->config;
	const struct gates_config gc = {
	    .max_calls = c->max_calls,
	    .max_per_client = c->max_calls_per_client,
	    .max_waiting = c->max_waiting,
	    .ageing_ns = c->ageing_ns,
	    .idle_ns = c->idle_ns,
	    .adopted_ns = c->adopted_ns,
	    .linger_ns = c->linger_ns,
	    .poll_ns = c->poll_ns,
	    .keep_with_control = c->keep_with_control,
	    .first_id = gw->journal != NULL ? journal_next_id(gw->journal) : clock_unix() << 24,
	    .fill = clock_random,
	};
	const struct xlate_config xc = {.limit = c->max_ids, .rest_ns = c->id_rest_ns, .random = c->random_ids, .fill = clock_random};

	return gates_new(&gw->gates, &gc, NULL) == 0 && xlate_new(&gw->xlate, &xc, NULL) == 0;
}

bool
start_tables(struct gateway *gw)
{
	const struct config *c = gw->config;
	size_t pairs = pairs_max(c);
	uint64_t key[2];

	gw->half_open_tail = &gw->half_open;
	gw->next_flow = 1;
	gw->started_ts = clock_ts();
	gw->started_unix = clock_unix();
	gw->nl = nl_open();
	open_journal(gw);
	clock_random(NULL, key, sizeof(key));
	if (make_gates(gw) && table_init(&gw->sources, c->max_connections, key, NULL) &&
	    table_init(&gw->flows_by_number, c->max_connections, key, NULL) && table_init(&gw->calls_by_id, pairs, key, NULL) &&
	    table_init(&gw->calls_by_up, pairs, key, NULL) && table_init(&gw->calls_by_down, pairs, key, NULL))
		return true;
	return failed("tables", ENOMEM);
}

/* --- the user backend ------------------------------------------------------------------ */

static int
open_gre(struct gateway *gw, uint8_t family, unsigned shard, unsigned shards)
{
	struct nft_marks marks = nft_marks(gw->config);
	struct priv_request req;

	memset(&req, 0, sizeof(req));
	req.type = PRIV_GRE_OPEN;
	req.gre.family = family;
	req.gre.shard = (uint16_t)shard;
	req.gre.shards = (uint16_t)shards;
	req.gre.mark = marks.proxy | marks.fixed;
	req.gre.transparent = true;
	return priv_call_fd(gw->priv, &req);
}

static bool
wants_user(const struct gateway *gw)
{
	return strcmp(gw->datapath, "user") == 0 || gw->config->nat64_prefix.addr.family != 0;
}

bool
start_user(struct gateway *gw)
{
	struct datapath_user_config uc = {.max_gates = (uint32_t)pairs_max(gw->config), .threads = datapath_user_threads()};
	char err[256] = "";

	if (!wants_user(gw))
		return true;
	for (unsigned t = 0; t < uc.threads; t++) {
		int *fd4 = &gw->gre_fds[2 * t], *fd6 = &gw->gre_fds[2 * t + 1];

		if (*fd4 < 0 && gw->config->ipv4)
			*fd4 = open_gre(gw, 4, t, uc.threads);
		if (*fd6 < 0 && gw->config->ipv6)
			*fd6 = open_gre(gw, 6, t, uc.threads);
		if (*fd4 < 0 && *fd6 < 0)
			return failed("raw GRE socket", errno);
		uc.fd4[t] = *fd4;
		uc.fd6[t] = *fd6;
	}
	gw->user = datapath_user_open(&uc, err, sizeof(err));
	if (gw->user == NULL)
		log_event(LOG_LEVEL_ERROR, "start", "error=\"user data path: %s\"", err);
	return gw->user != NULL;
}

/* --- listeners --------------------------------------------------------------------------- */

static int
open_listener(struct gateway *gw, uint8_t family)
{
	struct priv_request req;

	memset(&req, 0, sizeof(req));
	req.type = PRIV_TCP_LISTEN;
	req.tcp.bind.family = family;
	req.tcp.port = gw->config->proxy_port;
	req.tcp.transparent = true;
	return priv_call_fd(gw->priv, &req);
}

static bool
has_listener(const struct gateway *gw, uint8_t family)
{
	for (size_t i = 0; i < gw->listeners_count; i++)
		if (gw->listeners[i].family == family)
			return true;
	return false;
}

/* A machine without IPv6 still serves IPv4 with the default configuration. */
bool
start_listeners(struct gateway *gw)
{
	const struct config *c = gw->config;

	for (uint8_t family = 4; family <= 6; family += 2) {
		char what[64];
		int error, fd;

		if (!(family == 4 ? c->ipv4 : c->ipv6) || has_listener(gw, family))
			continue;
		fd = open_listener(gw, family);
		error = errno;
		if (fd >= 0) {
			gw->listeners[gw->listeners_count++] = (struct listener){.gw = gw, .fd = fd, .family = family};
			continue;
		}
		snprintf(what, sizeof(what), "listen on port %u, IPv%u", c->proxy_port, family);
		failed(what, error);
		if (error != EAFNOSUPPORT)
			return false;
	}
	return gw->listeners_count > 0;
}

/* --- trace --------------------------------------------------------------------------------- */

static void
on_trace_file(void *user, int error, const struct monitor_reply *reply, const int *fds, size_t nfds)
{
	struct gateway *gw = user;

	(void)reply;
	if (error == 0 && nfds == 1) {
		trace_file(gw->trace, fds[0]);
		return;
	}
	trace_file(gw->trace, -1);
	log_event(LOG_LEVEL_WARN, "trace", "file=\"%s\" error=\"%s\" reason=\"nothing is traced any more\"", gw->config->trace.file,
	    strerror(error));
}

static void
renew_trace(void *user)
{
	struct gateway *gw = user;
	struct monitor_request req;

	memset(&req, 0, sizeof(req));
	req.type = MONITOR_TRACE;
	if (monitor_send(gw->priv, &req, on_trace_file, gw) != 0)
		gw->counters.monitor_failed++;
}

void
start_trace(struct gateway *gw)
{
	const struct config *c = gw->config;
	const struct trace_config tc = {
	    .level = c->trace.level, .flags = c->trace.flags, .size = c->trace.size, .renew = renew_trace, .user = gw};
	struct monitor_request req;
	struct monitor_reply reply;
	int fds[PRIV_MAX_FDS], error;
	size_t n;

	if (c->trace.file == NULL)
		return;
	gw->trace = trace_new(&tc);
	if (gw->trace == NULL) {
		failed("trace", ENOMEM);
		return;
	}
	/* The first file is waited for, so that no line is missing. */
	memset(&req, 0, sizeof(req));
	req.type = MONITOR_TRACE;
	error = monitor_call(gw->priv, &req, NULL, 0, &reply, fds, &n);
	on_trace_file(gw, error, &reply, fds, n);
}

/* --- what the former process left -------------------------------------------------------------- */

struct records {
	struct journal_record *at;
	size_t count, room;
};

static void
collect(void *user, const struct journal_record *record)
{
	struct records *r = user;

	if (r->count == r->room) {
		size_t room = r->room > 0 ? 2 * r->room : 64;
		struct journal_record *more = realloc(r->at, room * sizeof(*more));

		if (more == NULL)
			return;
		r->at = more;
		r->room = room;
	}
	r->at[r->count++] = *record;
}

/* False: nothing of it is left, or nothing can be done with it. */
static bool
adopt(struct gateway *gw, const struct journal_record *r)
{
	struct gates_owner owner = {.client = r->owner.client, .server = r->owner.server};
	struct monitor_request req;
	struct monitor_reply reply;
	int fds[PRIV_MAX_FDS];
	size_t n;

	memset(&req, 0, sizeof(req));
	req.type = MONITOR_GATE_ADOPT;
	req.pair = r->pair;
	if (r->user || monitor_call(gw->priv, &req, NULL, 0, &reply, fds, &n) != 0)
		return false;
	if (gates_adopt(gw->gates, &owner, &r->pair, &reply.last, clock_ts()) == GATES_OK) {
		if (calls_restore(gw, NULL, r) != NULL)
			return true;
		gates_end(gw->gates, r->pair.id, ALG_WHY_NO_MEMORY, clock_ts());
		return true;
	}
	memset(&req, 0, sizeof(req));
	req.type = MONITOR_GATE_DEL;
	req.id = r->pair.id;
	monitor_call(gw->priv, &req, NULL, 0, &reply, fds, &n);
	return false;
}

void
start_adopt(struct gateway *gw)
{
	struct records r = {0};
	size_t left = 0;

	if (gw->journal == NULL)
		return;
	journal_each(gw->journal, collect, &r);
	for (size_t i = 0; i < r.count; i++) {
		if (calls_by_pair(gw, r.at[i].pair.id) != NULL)
			continue;
		if (adopt(gw, &r.at[i])) {
			gw->counters.adopted++;
			continue;
		}
		left++;
		journal_clear(gw->journal, r.at[i].pair.id);
	}
	if (gw->counters.adopted + left > 0)
		log_event(LOG_LEVEL_INFO, "adopt", "gates=%" PRIu64 " gone=%zu", gw->counters.adopted, left);
	free(r.at);
}
