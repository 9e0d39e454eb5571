#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alg/calls.h"
#include "alg/flow.h"
#include "alg/handover.h"
#include "alg/monitor_private.h"
#include "sys/clock.h"
#include "sys/log.h"
#include "sys/sockaddr.h"

enum { STATE_MAX_BYTES = 256 << 20, TRIES_MAX = 3 };

struct inherited {
	char name[MONITOR_FD_NAME];
	uint64_t cookie; /* of flows' sockets, which have one name; else 0 */
	int fd;          /* -1: taken */
};

struct inheritance {
	struct inherited *at; /* in order, once all have come */
	size_t count, room;
	uint8_t *state; /* NULL: none */
	size_t state_len;
};

/* --- descriptors ------------------------------------------------------------------------- */

static int
in_order(const void *a, const void *b)
{
	const struct inherited *x = a, *y = b;
	int names = strcmp(x->name, y->name);

	return names != 0 ? names : (x->cookie > y->cookie) - (x->cookie < y->cookie);
}

/* -1: it didn't come. */
static int
take_fd(struct inheritance *in, const char *name, uint64_t cookie)
{
	struct inherited key = {.cookie = cookie}, *found;
	int fd;

	snprintf(key.name, sizeof(key.name), "%s", name);
	found = in->count > 0 ? bsearch(&key, in->at, in->count, sizeof(key), in_order) : NULL;
	if (found == NULL)
		return -1;
	fd = found->fd;
	found->fd = -1;
	return fd;
}

static void
collect(struct inheritance *in, const char *name, int fd)
{
	if (in->count == in->room) {
		size_t room = in->room > 0 ? 2 * in->room : 64;
		struct inherited *more = realloc(in->at, room * sizeof(*more));

		if (more == NULL) {
			close(fd);
			return;
		}
		in->at = more;
		in->room = room;
	}
	in->at[in->count] = (struct inherited){.fd = fd, .cookie = strcmp(name, HANDOVER_FLOW_NAME) == 0 ? handover_cookie(fd) : 0};
	snprintf(in->at[in->count++].name, MONITOR_FD_NAME, "%s", name);
}

static void
collect_all(struct gateway *gw, struct inheritance *in)
{
	struct monitor_request req;
	struct monitor_reply reply;
	int fds[PRIV_MAX_FDS];
	size_t n;

	memset(&req, 0, sizeof(req));
	req.type = MONITOR_INHERIT;
	while (monitor_call(gw->priv, &req, NULL, 0, &reply, fds, &n) == 0 && n > 0)
		for (size_t i = 0; i < n; i++)
			collect(in, reply.inherit.names[i], fds[i]);
	if (in->count > 0)
		qsort(in->at, in->count, sizeof(*in->at), in_order);
}

/* A listener of another configuration is of no use. */
static void
take_listener(struct gateway *gw, struct inheritance *in, const char *name, uint8_t family)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	int fd = take_fd(in, name, 0);
	uint16_t port = 0;

	if (fd < 0)
		return;
	if (getsockname(fd, (struct sockaddr *)&ss, &len) == 0)
		sockaddr_addr(&ss, &port);
	if (port == gw->config->proxy_port && (family == 4 ? gw->config->ipv4 : gw->config->ipv6))
		gw->listeners[gw->listeners_count++] = (struct listener){.gw = gw, .fd = fd, .family = family};
	else
		close(fd);
}

static void
take_gre(struct gateway *gw, struct inheritance *in)
{
	char name[MONITOR_FD_NAME];

	for (size_t i = 0; i < GATEWAY_GRE_FDS; i++) {
		snprintf(name, sizeof(name), "g%c%zu", i % 2 == 0 ? '4' : '6', i / 2);
		gw->gre_fds[i] = take_fd(in, name, 0);
	}
}

/* The place in the file, which all share that are given it, counts them: who ends at this does not do so for ever. */
static bool
is_tried(int fd)
{
	off_t tries = lseek(fd, 0, SEEK_CUR);

	if (tries < TRIES_MAX)
		return lseek(fd, tries + 1, SEEK_SET) < 0;
	log_event(LOG_LEVEL_ERROR, "handover",
	    "error=\"%d processes have ended while they took over what the former one left: control connections are reset, gates are "
	    "adopted\"",
	    TRIES_MAX);
	return true;
}

static void
read_state(struct inheritance *in)
{
	int fd = take_fd(in, MONITOR_STATE_NAME, 0);
	struct stat st;

	if (fd < 0)
		return;
	if (!is_tried(fd) && fstat(fd, &st) == 0 && st.st_size > 0 && st.st_size <= STATE_MAX_BYTES)
		in->state = malloc((size_t)st.st_size);
	while (in->state != NULL && in->state_len < (size_t)st.st_size) {
		ssize_t n = pread(fd, in->state + in->state_len, (size_t)st.st_size - in->state_len, (off_t)in->state_len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		in->state_len += (size_t)n;
	}
	close(fd);
}

struct inheritance *
handover_inherit(struct gateway *gw)
{
	struct inheritance *in = calloc(1, sizeof(*in));

	if (in == NULL)
		return NULL;
	collect_all(gw, in);
	take_listener(gw, in, "l4", 4);
	take_listener(gw, in, "l6", 6);
	take_gre(gw, in);
	read_state(in);
	gw->inherited = in->state != NULL;
	return in;
}

/* --- calls --------------------------------------------------------------------------------- */

static void
ignore(void *user, int error, const struct monitor_reply *reply, const int *fds, size_t nfds)
{
	(void)user, (void)error, (void)reply, (void)fds, (void)nfds;
}

static void
divert(struct gateway *gw, const struct gate *gate)
{
	struct monitor_request req;

	memset(&req, 0, sizeof(req));
	req.type = MONITOR_DIVERT;
	req.divert = *gate;
	if (monitor_send(gw->priv, &req, ignore, NULL) != 0)
		gw->counters.monitor_failed++;
}

/* The gates themselves: still in the kernel, or anew in the user backend. */
static bool
gates_are_there(struct gateway *gw, const struct journal_record *r, struct gate_counters *counters)
{
	struct monitor_request req;
	struct monitor_reply reply;
	int fds[PRIV_MAX_FDS];
	size_t n;

	if (r->user) {
		if (gw->user == NULL || gw->user->ops->add(gw->user, &r->pair) != 0)
			return false;
		datapath_user_resume(gw->user, &r->pair, counters);
		divert(gw, &r->pair.up);
		divert(gw, &r->pair.down);
		return true;
	}
	memset(&req, 0, sizeof(req));
	req.type = MONITOR_GATE_ADOPT;
	req.pair = r->pair;
	if (monitor_call(gw->priv, &req, NULL, 0, &reply, fds, &n) != 0)
		return false;
	*counters = reply.last;
	return true;
}

static void
remove_gates(struct gateway *gw, const struct journal_record *r)
{
	struct monitor_request req;

	if (r->user)
		return; /* calls_want() has the same ones added */
	memset(&req, 0, sizeof(req));
	req.type = MONITOR_GATE_DEL;
	req.id = r->pair.id;
	if (monitor_send(gw->priv, &req, ignore, NULL) != 0)
		gw->counters.monitor_failed++;
}

/* False: its gates are gone. */
static bool
restore_gates(struct flow *f, const struct journal_record *r, const struct gate_counters *total)
{
	struct gateway *gw = f->gw;
	struct gate_counters counters = *total;

	if (r->user != f->user || !gates_are_there(gw, r, &counters))
		return false;
	if (gates_adopt(gw->gates, &r->owner, &r->pair, &counters, clock_ts()) != GATES_OK) {
		remove_gates(gw, r);
		return false;
	}
	gates_carry(gw->gates, r->pair.id, total);
	if (calls_restore(gw, f, r) == NULL) {
		gates_end(gw->gates, r->pair.id, ALG_WHY_NO_MEMORY, clock_ts());
		alg_rewrite_clear(f->rw, r->owner.number, ALG_WHY_NO_MEMORY);
	}
	return true;
}

/* Gates that are gone, or were never installed, are asked for anew. */
static void
restore_call(struct flow *f, const struct handover_call *hc)
{
	struct journal_record r = {
	    .owner = {.client = f->client, .server = f->server, .conn = f->number, .number = hc->ids.number},
	    .client_id = hc->ids.client_id,
	    .client_xid = hc->ids.client_xid,
	    .server_id = hc->ids.server_id,
	    .server_xid = hc->ids.server_xid,
	    .since_wall = hc->since_unix,
	    .user = hc->user,
	};

	r.pair = calls_pair(f, &hc->ids);
	r.pair.id = hc->pair_id;
	if (!hc->up || !restore_gates(f, &r, &hc->counters))
		calls_want(f, &hc->ids);
}

/* --- flows ------------------------------------------------------------------------------------ */

static bool
load_rewriter(struct flow *f, struct rd *r)
{
	size_t len = rd_u32(r);
	const uint8_t *data = rd_bytes(r, len);
	struct alg_rewrite_config rc;

	if (data == NULL || rd_left(r) != 0)
		return false;
	flow_rewrite_config(f, &rc);
	return len == 0 || alg_rewrite_load(&f->rw, &rc, data, len) == 0;
}

/* An open flow can't do without its rewriter, nor one that is beyond its beginning without its socket to the server. */
static bool
load_flow(struct flow *f, struct rd *r, enum flow_state *state)
{
	struct rd calls;
	uint32_t count;

	handover_get_flow(r, f, state);
	if (!r->ok || (*state >= FLOW_CONNECTING && f->end[ALG_SERVER].fd < 0))
		return false;
	f->user = f->nat64 || strcmp(f->gw->datapath, "user") == 0;
	f->restored = true;
	count = rd_u32(r);
	calls = *r;
	for (uint32_t i = 0; i < count && r->ok; i++) {
		struct handover_call skipped;

		handover_get_call(r, &skipped);
	}
	if (!r->ok || !load_rewriter(f, r) || (*state >= FLOW_OPEN) != (f->rw != NULL) || (count > 0 && f->rw == NULL) || !flow_link(f))
		return false;
	for (uint32_t i = 0; i < count; i++) {
		struct handover_call hc;

		handover_get_call(&calls, &hc);
		restore_call(f, &hc);
	}
	return true;
}

/* False: this flow can't be restored. */
static bool
restore_flow(struct gateway *gw, struct inheritance *in, struct rd *r)
{
	int client = take_fd(in, HANDOVER_FLOW_NAME, rd_u64(r)), server = take_fd(in, HANDOVER_FLOW_NAME, rd_u64(r));
	struct flow *f = client >= 0 ? flow_new(gw, client) : NULL;
	enum flow_state state;

	if (f == NULL) {
		if (server >= 0)
			flow_reset(server);
		return false;
	}
	f->end[ALG_SERVER].fd = server;
	if (!load_flow(f, r, &state)) {
		flow_drop(f);
		return false;
	}
	flow_begin(f, state == FLOW_DRAINING ? FLOW_OPEN : state);
	if (state == FLOW_DRAINING)
		flow_fsm(f, FLOW_E_END);
	return true;
}

static bool
read_head(struct gateway *gw, struct rd *r, uint32_t *flows)
{
	uint64_t counters[HANDOVER_COUNTERS], next;
	size_t count;

	if (rd_u32(r) != HANDOVER_MAGIC || rd_u16(r) != HANDOVER_VERSION)
		return false;
	next = rd_u64(r);
	count = rd_u16(r);
	for (size_t i = 0; i < count && r->ok; i++) {
		uint64_t v = rd_u64(r);

		if (i < HANDOVER_COUNTERS)
			counters[i] = v;
	}
	*flows = rd_u32(r);
	if (!r->ok)
		return false;
	gw->next_flow = next > gw->next_flow ? next : gw->next_flow;
	if (count == HANDOVER_COUNTERS)
		memcpy(&gw->counters, counters, sizeof(counters));
	return true;
}

static void
restore_all(struct gateway *gw, struct inheritance *in)
{
	struct rd r = rd_init(in->state, in->state_len);
	uint32_t flows = 0, lost = 0;

	if (!read_head(gw, &r, &flows)) {
		log_event(LOG_LEVEL_WARN, "handover",
		    "error=\"the state of the former process is of another form: control connections are reset, gates are adopted\"");
		return;
	}
	for (uint32_t i = 0; i < flows && r.ok; i++) {
		struct rd block = rd_sub(&r, rd_u32(&r));

		lost += !r.ok || !restore_flow(gw, in, &block);
	}
	log_event(lost > 0 || !r.ok ? LOG_LEVEL_WARN : LOG_LEVEL_INFO, "handover", "restored-flows=%zu restored-calls=%zu lost-flows=%u",
	    gw->flows_count, gw->calls_count, lost);
}

static void
settle(struct gateway *gw)
{
	struct monitor_request req;

	memset(&req, 0, sizeof(req));
	req.type = MONITOR_SETTLED;
	if (monitor_send(gw->priv, &req, ignore, NULL) != 0)
		gw->counters.monitor_failed++;
}

static void
free_inheritance(struct inheritance *in, void (*end)(int fd))
{
	for (size_t i = 0; i < in->count; i++)
		if (in->at[i].fd >= 0)
			end(in->at[i].fd);
	free(in->at);
	free(in->state);
	free(in);
}

void
handover_restore(struct gateway *gw, struct inheritance *in)
{
	if (in == NULL)
		return;
	if (in->state != NULL)
		restore_all(gw, in);
	if (in->count > 0)
		settle(gw);
	free_inheritance(in, flow_reset);
}

static void
just_close(int fd)
{
	close(fd);
}

void
handover_decline(struct inheritance *in)
{
	if (in != NULL)
		free_inheritance(in, just_close);
}
