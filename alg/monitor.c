/* The worker's requests to the monitor, which trusts none of them: monitor_check.c decides, then it is done here. */
#include "alg/monitor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alg/monitor_private.h"
#include "alg/reload.h"
#include "sys/log.h"

struct doing {
	struct monitor *m;
	const struct monitor_request *request;
	struct monitor_reply reply;
	const int *in_fds;
	size_t in_count;
	size_t in_kept; /* of in_fds, from the first on: not to be closed */
	int *fds;       /* to give */
	uint16_t fds_count;
};

/* --- pairs held --------------------------------------------------------------------------- */

static uint32_t
hash_id(const struct monitor *m, uint64_t id)
{
	return table_hash_end(&m->by_id, table_hash_u64(&m->by_id, 0, id));
}

struct held *
monitor_find(const struct monitor *m, uint64_t id)
{
	struct table_node *n = table_first(&m->by_id, hash_id(m, id));

	while (n != NULL && TABLE_OWNER(n, struct held, node)->pair.id != id)
		n = table_next(n);
	return n != NULL ? TABLE_OWNER(n, struct held, node) : NULL;
}

static struct held *
hold(struct monitor *m, const struct gate_pair *pair)
{
	struct held *h = calloc(1, sizeof(*h));

	if (h == NULL)
		return NULL;
	h->pair = *pair;
	h->next = m->pairs;
	if (h->next != NULL)
		h->next->prev = h;
	m->pairs = h;
	m->pairs_count++;
	table_add(&m->by_id, &h->node, hash_id(m, pair->id));
	return h;
}

static void
let_go(struct monitor *m, struct held *h)
{
	table_del(&m->by_id, &h->node);
	if (h->next != NULL)
		h->next->prev = h->prev;
	if (h->prev != NULL)
		h->prev->next = h->next;
	else
		m->pairs = h->next;
	m->pairs_count--;
	free(h);
}

void
monitor_remove_gates(struct monitor *m)
{
	struct gate_counters last;

	while (m->pairs != NULL) {
		if (m->datapath != NULL)
			m->datapath->ops->del(m->datapath, &m->pairs->pair, &last);
		let_go(m, m->pairs);
	}
}

void
monitor_forget_gates(struct monitor *m)
{
	while (m->pairs != NULL)
		let_go(m, m->pairs);
}

/* --- deeds -------------------------------------------------------------------------------------- */

/* Where gates that were held can't be put back, what is left of them goes too: for the worker they are no more. */
static int
do_add(struct doing *d)
{
	const struct gate_pair *pair = &d->request->pair;
	struct held *before = monitor_find(d->m, pair->id), *h = before != NULL ? before : hold(d->m, pair);
	struct gate_counters last;
	int error;

	if (h == NULL)
		return ENOMEM;
	error = d->m->datapath != NULL ? d->m->datapath->ops->add(d->m->datapath, pair) : ENOTSUP;
	if (error == 0)
		return 0;
	if (before != NULL && d->m->datapath != NULL)
		d->m->datapath->ops->del(d->m->datapath, pair, &last);
	let_go(d->m, h);
	return error;
}

static int
do_adopt(struct doing *d)
{
	const struct gate_pair *pair = &d->request->pair;
	int error = d->m->datapath != NULL ? d->m->datapath->ops->read(d->m->datapath, pair, &d->reply.last) : ENOENT;

	if (error == 0 && monitor_find(d->m, pair->id) == NULL && hold(d->m, pair) == NULL)
		return ENOMEM;
	return error;
}

/* Of gates that are half there, what is left goes too. */
static int
do_del(struct doing *d)
{
	struct held *h = monitor_find(d->m, d->request->id);
	int error = d->m->datapath != NULL ? d->m->datapath->ops->del(d->m->datapath, &h->pair, &d->reply.last) : ENOENT;

	let_go(d->m, h);
	return error;
}

static int
do_read(struct doing *d)
{
	d->reply.read.count = d->request->read.count;
	for (uint32_t i = 0; i < d->request->read.count; i++) {
		const struct held *h = monitor_find(d->m, d->request->read.ids[i]);

		d->reply.read.found[i] = h != NULL && d->m->datapath->ops->read(d->m->datapath, &h->pair, &d->reply.read.counters[i]) == 0;
	}
	return 0;
}

static int
do_lookup(struct doing *d)
{
	return d->m->ct != NULL ? ct_lookup(d->m->ct, &d->request->tcp, &d->reply.seen) : ENOENT;
}

static int
do_divert(struct doing *d)
{
	bool on = d->request->type == MONITOR_DIVERT;
	int error = on ? nft_divert(d->m->nft, &d->request->divert) : nft_divert_end(d->m->nft, &d->request->divert);

	if (error == 0 && on)
		d->m->diverts++;
	else if (error == 0 && d->m->diverts > 0)
		d->m->diverts--;
	return error;
}

static int
do_table(struct doing *d)
{
	int error = nft_restore(d->m->nft);

	d->reply.restored = error == ENOENT;
	if (d->reply.restored)
		d->m->diverts = 0;
	return d->reply.restored ? 0 : error;
}

static int
give(struct doing *d, int fd)
{
	if (fd < 0)
		return errno;
	d->fds[d->fds_count++] = fd;
	return 0;
}

static int
do_journal(struct doing *d)
{
	return give(d, monitor_open_journal(d->m->config));
}

static int
do_trace(struct doing *d)
{
	return give(d, monitor_open_trace(d->m->config));
}

/* The argument behind -c. */
static int
do_reload(struct doing *d)
{
	if (d->m->argv == NULL || !reload_check(d->m->config, d->m->argv[2], d->m->pairs_count))
		return EINVAL;
	d->m->anew = true;
	return 0;
}

static int
do_inherit(struct doing *d)
{
	struct monitor *m = d->m;

	while (m->inherited_given < m->inherited_count && d->fds_count < MONITOR_HANDOVER_FDS) {
		const struct handover_fd *h = &m->inherited[m->inherited_given++];

		memcpy(d->reply.inherit.names[d->fds_count], h->name, MONITOR_FD_NAME - 1);
		d->fds[d->fds_count++] = h->fd;
	}
	d->reply.inherit.count = d->fds_count;
	return 0;
}

static int
do_settled(struct doing *d)
{
	struct monitor *m = d->m;

	handover_empty(m->inherited, m->inherited_given);
	m->inherited_count = m->inherited_given = 0;
	return 0;
}

static void
forget_handed(struct monitor *m)
{
	while (m->handed_count > 0)
		close(m->handed[--m->handed_count].fd);
	m->handed_all = false;
}

static int
do_handover(struct doing *d)
{
	struct monitor *m = d->m;

	if (d->in_count == 0)
		forget_handed(m);
	for (size_t i = 0; i < d->in_count; i++) {
		struct handover_fd *h = &m->handed[m->handed_count++];

		*h = (struct handover_fd){.fd = d->in_fds[i]};
		memcpy(h->name, d->request->handover.names[i], MONITOR_FD_NAME);
		if (strcmp(h->name, MONITOR_STATE_NAME) == 0)
			m->handed_all = true;
	}
	d->in_kept = d->in_count;
	return 0;
}

/* --- dispatch --------------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	int (*act)(struct doing *d);
} types[MONITOR_TYPES] = {
    [MONITOR_GATE_ADD] = {"gate-add", do_add},
    [MONITOR_GATE_DEL] = {"gate-del", do_del},
    [MONITOR_GATES_READ] = {"gates-read", do_read},
    [MONITOR_GATE_ADOPT] = {"gate-adopt", do_adopt},
    [MONITOR_LOOKUP] = {"lookup", do_lookup},
    [MONITOR_DIVERT] = {"divert", do_divert},
    [MONITOR_DIVERT_END] = {"divert-end", do_divert},
    [MONITOR_TABLE] = {"table", do_table},
    [MONITOR_JOURNAL] = {"journal", do_journal},
    [MONITOR_TRACE] = {"trace", do_trace},
    [MONITOR_INHERIT] = {"inherit", do_inherit},
    [MONITOR_SETTLED] = {"settled", do_settled},
    [MONITOR_RELOAD] = {"reload", do_reload},
    [MONITOR_HANDOVER] = {"handover", do_handover},
};

_Static_assert(sizeof(struct monitor_request) <= PRIV_PROGRAM_BYTES, "a request fits");
_Static_assert(sizeof(struct monitor_reply) <= PRIV_PROGRAM_BYTES, "a reply fits");
_Static_assert((int)MONITOR_HANDOVER_FDS <= (int)PRIV_SEND_FDS, "descriptors fit");

static const char *
name_of(const struct monitor_request *r)
{
	return (unsigned)r->type < MONITOR_TYPES ? types[r->type].name : "unknown";
}

static int
run(struct doing *d)
{
	int error = monitor_check(d->m, d->request, d->in_count);

	if (error == 0)
		error = types[d->request->type].act(d);
	if (error != 0)
		log_event(LOG_LEVEL_DEBUG, "monitor", "request=%s error=\"%s\"", name_of(d->request), strerror(error));
	return error;
}

int
monitor_handle(
    void *user, const uint8_t *data, size_t len, const int *in_fds, size_t in_count, struct priv_reply *reply, int fds[PRIV_MAX_FDS])
{
	struct monitor_request request;
	struct doing d = {.m = user, .request = &request, .in_fds = in_fds, .in_count = in_count, .fds = fds};
	int error = EINVAL;

	if (len == sizeof(request)) {
		memcpy(&request, data, sizeof(request));
		error = run(&d);
	}
	for (size_t i = d.in_kept; i < in_count; i++)
		close(in_fds[i]);
	memcpy(reply->program.data, &d.reply, sizeof(d.reply));
	reply->program.len = sizeof(d.reply);
	reply->fds = error == 0 ? d.fds_count : 0;
	return error;
}
