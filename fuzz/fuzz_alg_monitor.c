/* What the gateway's worker may send to its monitor: any bytes. The first byte of each step says what is sent: a request made of the
 * input's bytes, or one that is nearly right. Whatever comes: the data path gets only gates that belong together and are some hosts',
 * no more than there may be, removes none that it was not given, and nothing is left at the end. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "alg/monitor_private.h"
#include "alg/reload.h"
#include "fuzz/fuzz.h"
#include "sys/log.h"
#include "sys/priv_core.h"

enum { PAIRS = 4, HANDED = 8, GIVEN = 3 };

/* --- in the place of the kernel ----------------------------------------------------------- */

struct world {
	struct datapath dp;
	struct gate_pair there[PAIRS];
	size_t count;
	struct monitor monitor;
	struct handover_fd handed[HANDED];
	struct priv_core core;
	struct fuzz_input in;
};

static struct world w;

static void
check_addr(const struct addr *a)
{
	FUZZ_CHECK(a->family == 4 || a->family == 6);
	FUZZ_CHECK(a->family == 6 || (a->bytes[0] != 0 && a->bytes[0] != 127));
	FUZZ_CHECK(a->family == 4 || a->bytes[0] != 0xff);
}

static void
check_gate(const struct gate *g)
{
	check_addr(&g->src);
	check_addr(&g->dst);
	check_addr(&g->new_src);
	check_addr(&g->new_dst);
	FUZZ_CHECK(g->src.family == g->dst.family && g->new_src.family == g->new_dst.family);
}

static void
check_pair(const struct gate_pair *p)
{
	check_gate(&p->up);
	check_gate(&p->down);
	FUZZ_CHECK(p->id != 0 && p->up.call_id != 0 && p->down.call_id != 0 && p->up.src.family == p->up.new_src.family);
	FUZZ_CHECK(addr_equal(&p->up.src, &p->down.new_dst) && addr_equal(&p->up.new_dst, &p->down.src));
}

static struct gate_pair *
find(uint64_t id)
{
	for (size_t i = 0; i < w.count; i++)
		if (w.there[i].id == id)
			return &w.there[i];
	return NULL;
}

static int
add(struct datapath *dp, const struct gate_pair *pair)
{
	struct gate_pair *p = find(pair->id);

	(void)dp;
	check_pair(pair);
	if (p != NULL) {
		FUZZ_CHECK(memcmp(&p->up.src, &pair->up.src, sizeof(p->up.src)) == 0 && p->up.call_id == pair->up.call_id);
		return 0;
	}
	if (pair->up.new_call_id % 16 == 15)
		return EEXIST;
	FUZZ_CHECK(w.count < PAIRS);
	w.there[w.count++] = *pair;
	return 0;
}

static int
del(struct datapath *dp, const struct gate_pair *pair, struct gate_counters *last)
{
	struct gate_pair *p = find(pair->id);

	(void)dp;
	memset(last, 0, sizeof(*last));
	FUZZ_CHECK(p != NULL);
	*p = w.there[--w.count];
	return 0;
}

/* Those that it adopts are there, from a former process. */
static int
look(struct datapath *dp, const struct gate_pair *pair, struct gate_counters *counters)
{
	memset(counters, 0, sizeof(*counters));
	return add(dp, pair) == 0 ? 0 : ENOENT;
}

static const struct datapath_ops ops = {.name = "fuzz", .add = add, .del = del, .read = look};

int
nft_divert(struct nft *n, const struct gate *gate)
{
	(void)n;
	check_gate(gate);
	FUZZ_CHECK(w.monitor.datapath == NULL || gate->src.family != gate->new_src.family);
	return 0;
}

int
nft_divert_end(struct nft *n, const struct gate *gate)
{
	return nft_divert(n, gate);
}

int
nft_restore(struct nft *n)
{
	(void)n;
	return w.monitor.pairs_count % 2 == 0 ? 0 : ENOENT;
}

int
monitor_open_journal(const struct config *config)
{
	(void)config;
	return open("/dev/null", O_RDWR | O_CLOEXEC);
}

int
monitor_open_trace(const struct config *config)
{
	FUZZ_CHECK(config->trace.file != NULL);
	return open("/dev/null", O_WRONLY | O_CLOEXEC);
}

bool
reload_check(const struct config *old, const char *path, size_t calls)
{
	(void)old, (void)path, (void)calls;
	return false;
}

/* --- requests -------------------------------------------------------------------------------- */

/* Few different ones, one of them nobody's. */
static struct addr
address(uint8_t choice)
{
	const uint8_t v4[4] = {(choice & 3) == 3 ? 127 : 10, 0, 0, choice & 3};
	const uint8_t v6[16] = {0, (choice & 4) != 0 ? 0x64 : 1, 0xff, 0x9b, [15] = choice & 3};

	return (choice & 8) != 0 ? addr_v6(v6) : addr_v4(v4);
}

static void
near_pair(struct gate_pair *p)
{
	struct addr c = address(fuzz_u8(&w.in)), d = address(fuzz_u8(&w.in)), n = address(fuzz_u8(&w.in)), s = address(fuzz_u8(&w.in));

	p->id = fuzz_u8(&w.in) % 8;
	p->up = (struct gate){c, d, fuzz_u8(&w.in), n, s, fuzz_u8(&w.in)};
	p->down = (struct gate){s, n, fuzz_u8(&w.in), d, c, fuzz_u8(&w.in)};
}

static void
near_request(struct monitor_request *r)
{
	switch (r->type) {
	case MONITOR_GATE_ADD:
	case MONITOR_GATE_ADOPT:
		near_pair(&r->pair);
		break;
	case MONITOR_GATE_DEL:
		r->id = fuzz_u8(&w.in) % 8;
		break;
	case MONITOR_GATES_READ:
		r->read.count = fuzz_u8(&w.in) % (MONITOR_READ_MAX + 2);
		for (size_t i = 0; i < MONITOR_READ_MAX; i++)
			r->read.ids[i] = i % 8;
		break;
	case MONITOR_DIVERT:
	case MONITOR_DIVERT_END: {
		struct gate_pair p;

		near_pair(&p);
		r->divert = p.up;
		break;
	}
	case MONITOR_HANDOVER:
		r->handover.count = fuzz_u8(&w.in) % (GIVEN + 2);
		for (size_t i = 0; i < GIVEN; i++)
			r->handover.names[i][0] = (char)fuzz_u8(&w.in);
		break;
	default:
		break;
	}
}

static void
send_request(struct priv_request *r, size_t len, size_t given_count)
{
	struct priv_given given = {.count = given_count};
	struct priv_reply reply;
	int fds[PRIV_MAX_FDS];

	for (size_t i = 0; i < given_count; i++)
		given.fds[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	priv_core_handle(&w.core, r, len, &given, &reply, fds);
	FUZZ_CHECK(reply.fds <= PRIV_MAX_FDS && (reply.error == 0 || reply.fds == 0));
	for (size_t i = 0; i < reply.fds; i++)
		close(fds[i]);
}

static void
step(void)
{
	uint8_t how = fuzz_u8(&w.in);
	struct priv_request r;
	struct monitor_request request;
	const uint8_t *p;
	size_t n, len = offsetof(struct priv_request, program.data) + sizeof(request);

	memset(&r, 0, sizeof(r));
	memset(&request, 0, sizeof(request));
	request.type = (enum monitor_type)(how & 15);
	r.type = PRIV_PROGRAM;
	r.program.len = sizeof(request);
	if ((how & 0x10) != 0) {
		p = fuzz_bytes(&w.in, fuzz_u16(&w.in) % (sizeof(request) - sizeof(request.type)), &n);
		memcpy((uint8_t *)&request + offsetof(struct monitor_request, pair), p,
		    n < sizeof(request) - offsetof(struct monitor_request, pair) ? n : 0);
	} else {
		near_request(&request);
	}
	memcpy(r.program.data, &request, sizeof(request));
	if ((how & 0x20) != 0) { /* the monitor's own frame, spoilt */
		r.type = (enum priv_type)fuzz_u8(&w.in);
		r.program.len = fuzz_u16(&w.in);
		len = fuzz_u16(&w.in) % (sizeof(r) + 1);
	}
	send_request(&r, len, request.type == MONITOR_HANDOVER && (how & 0x40) == 0 ? request.handover.count % (GIVEN + 1) : how >> 7);
	FUZZ_CHECK(w.monitor.pairs_count == w.count && w.count <= PAIRS);
	FUZZ_CHECK(w.monitor.handed_count <= HANDED && w.monitor.diverts <= 2 * PAIRS);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t datalen)
{
	static const uint64_t key[2] = {1, 2};
	static struct config *configs[2];
	uint8_t how;

	log_init("fuzz", LOG_TO_STDERR, LOG_LEVEL_ERROR);
	if (configs[0] == NULL) {
		configs[0] = config_load_text("a", "");
		configs[1] = config_load_text("b", "nat64-prefix = \"64:ff9b::/96\"\npolicy a { source = {10.0.0.0/31} }\n"
						   "policy b { action = refuse }\ntrace { file = \"/dev/null\" }\n");
		FUZZ_CHECK(configs[0] != NULL && configs[1] != NULL);
	}
	memset(&w, 0, sizeof(w));
	w.in = (struct fuzz_input){data, datalen};
	how = fuzz_u8(&w.in);
	w.dp.ops = &ops;
	w.monitor = (struct monitor){.config = configs[how & 1],
	    .datapath = (how & 2) == 0 ? &w.dp : NULL,
	    .pairs_max = PAIRS,
	    .handed = w.handed,
	    .handed_max = HANDED};
	FUZZ_CHECK(table_init(&w.monitor.by_id, PAIRS, key, NULL));
	w.core.policy.types[PRIV_PROGRAM] = true;
	w.core.policy.program = (struct priv_program){.user = &w.monitor, .handle = monitor_handle};
	while (w.in.left > 0)
		step();
	monitor_remove_gates(&w.monitor);
	FUZZ_CHECK(w.count == 0 && w.monitor.pairs_count == 0);
	for (size_t i = 0; i < w.monitor.handed_count; i++)
		close(w.handed[i].fd);
	table_fini(&w.monitor.by_id, NULL);
	return 0;
}
