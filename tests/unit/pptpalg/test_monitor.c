/* The border between monitor and worker: what a worker that was taken over could ask for. */
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alg/monitor_private.h"
#include "alg/policy.h"
#include "tests/unit/suite.h"

Suite *suite_monitor(void);

/* --- a monitor with a data path that only counts ------------------------------------------ */

struct fake {
	struct datapath dp;
	int added, deleted, read;
	int error;
};

static struct fake *
fake_of(struct datapath *dp)
{
	return (struct fake *)(void *)dp;
}

static int
fake_add(struct datapath *dp, const struct gate_pair *pair)
{
	(void)pair;
	fake_of(dp)->added++;
	return fake_of(dp)->error;
}

static int
fake_del(struct datapath *dp, const struct gate_pair *pair, struct gate_counters *last)
{
	(void)pair;
	*last = (struct gate_counters){.up_pkts = 7};
	fake_of(dp)->deleted++;
	return fake_of(dp)->error;
}

static int
fake_read(struct datapath *dp, const struct gate_pair *pair, struct gate_counters *counters)
{
	(void)pair;
	*counters = (struct gate_counters){.down_pkts = 9};
	fake_of(dp)->read++;
	return fake_of(dp)->error;
}

static const struct datapath_ops fake_ops = {.name = "fake", .add = fake_add, .del = fake_del, .read = fake_read};

struct rig {
	struct config *config;
	struct monitor m;
	struct fake fake;
	struct monitor_request req;
	struct monitor_reply reply;
	int fds[PRIV_MAX_FDS];
	size_t fds_count;
};

enum { PAIRS = 4, HANDED = 3 };

static void
set_up(struct rig *r, const char *text)
{
	static const uint64_t key[2] = {1, 2};

	memset(r, 0, sizeof(*r));
	r->config = config_load_text("t.conf", text);
	ck_assert_ptr_nonnull(r->config);
	r->fake.dp.ops = &fake_ops;
	r->m = (struct monitor){.config = r->config, .datapath = &r->fake.dp, .pairs_max = PAIRS, .handed_max = HANDED};
	r->m.handed = calloc(HANDED, sizeof(*r->m.handed));
	ck_assert(table_init(&r->m.by_id, PAIRS, key, NULL));
}

static void
tear_down(struct rig *r)
{
	monitor_remove_gates(&r->m);
	ck_assert_uint_eq(r->m.pairs_count, 0);
	for (size_t i = 0; i < r->m.handed_count; i++)
		close(r->m.handed[i].fd);
	free(r->m.handed);
	table_fini(&r->m.by_id, NULL);
	config_free(r->config);
}

static int
ask_with(struct rig *r, enum monitor_type type, const int *fds, size_t count)
{
	struct priv_reply reply = {0};
	int error;

	r->req.type = type;
	error = monitor_handle(&r->m, (const uint8_t *)&r->req, sizeof(r->req), fds, count, &reply, r->fds);
	ck_assert_uint_eq(reply.program.len, sizeof(r->reply));
	memcpy(&r->reply, reply.program.data, sizeof(r->reply));
	r->fds_count = reply.fds;
	return error;
}

static int
ask(struct rig *r, enum monitor_type type)
{
	return ask_with(r, type, NULL, 0);
}

static struct addr
addr(const char *s)
{
	struct addr a = {0};

	ck_assert_msg(addr_parse(&a, s), "%s", s);
	return a;
}

/* client C dials D, N goes on to S */
static struct gate_pair
pair_of(uint64_t id, const char *c, const char *d, const char *n, const char *s)
{
	struct gate_pair p;

	memset(&p, 0, sizeof(p));
	p.id = id;
	p.up = (struct gate){addr(c), addr(d), 11, addr(n), addr(s), 12};
	p.down = (struct gate){addr(s), addr(n), 21, addr(d), addr(c), 22};
	return p;
}

static int
add(struct rig *r, uint64_t id, const char *c, const char *d, const char *n, const char *s)
{
	memset(&r->req, 0, sizeof(r->req));
	r->req.pair = pair_of(id, c, d, n, s);
	return ask(r, MONITOR_GATE_ADD);
}

#define C "10.0.0.2"
#define S "192.0.2.1"
#define N "192.0.2.254"

/* --- gates ------------------------------------------------------------------------------------ */

START_TEST(gates_come_and_go)
{
	struct rig r;

	set_up(&r, "");
	ck_assert_int_eq(add(&r, 1, C, S, N, S), 0);
	ck_assert_int_eq(add(&r, 1, C, S, N, S), 0); /* the very same once more */
	ck_assert_uint_eq(r.m.pairs_count, 1);
	memset(&r.req, 0, sizeof(r.req));
	r.req.read.count = 2;
	r.req.read.ids[0] = 1;
	r.req.read.ids[1] = 5;
	ck_assert_int_eq(ask(&r, MONITOR_GATES_READ), 0);
	ck_assert(r.reply.read.count == 2 && r.reply.read.found[0] && !r.reply.read.found[1]);
	ck_assert_uint_eq(r.reply.read.counters[0].down_pkts, 9);
	memset(&r.req, 0, sizeof(r.req));
	r.req.id = 1;
	ck_assert_int_eq(ask(&r, MONITOR_GATE_DEL), 0);
	ck_assert_uint_eq(r.reply.last.up_pkts, 7);
	ck_assert_int_eq(ask(&r, MONITOR_GATE_DEL), ENOENT);
	ck_assert_int_eq(r.fake.deleted, 1);
	tear_down(&r);
}
END_TEST

START_TEST(what_the_data_path_refuses_is_not_held)
{
	struct rig r;

	set_up(&r, "");
	r.fake.error = EEXIST;
	ck_assert_int_eq(add(&r, 1, C, S, N, S), EEXIST);
	r.fake.error = ENOENT;
	ck_assert_int_eq(ask(&r, MONITOR_GATE_ADOPT), ENOENT);
	ck_assert_uint_eq(r.m.pairs_count, 0);
	r.m.datapath = NULL;
	ck_assert_int_eq(ask(&r, MONITOR_GATE_ADD), ENOTSUP);
	ck_assert_int_eq(ask(&r, MONITOR_GATE_ADOPT), ENOENT);
	ck_assert_uint_eq(r.m.pairs_count, 0);
	tear_down(&r);
}
END_TEST

START_TEST(gates_that_cannot_be_put_back_are_held_no_more)
{
	struct rig r;

	set_up(&r, "");
	for (uint64_t id = 1; id <= 2 * PAIRS; id++) {
		r.fake.error = 0;
		ck_assert_int_eq(add(&r, id, C, S, N, S), 0);
		r.fake.error = EEXIST;
		ck_assert_int_eq(add(&r, id, C, S, N, S), EEXIST);
		ck_assert_uint_eq(r.m.pairs_count, 0);
		ck_assert_int_eq(r.fake.deleted, (int)id);
	}
	tear_down(&r);
}
END_TEST

/* None of these is any host's. */
static const char *const nobody[][4] = {
    {"0.0.0.0", S, N, S},
    {"0.1.2.3", S, N, S},
    {"127.0.0.1", S, N, S},
    {C, "127.0.0.5", N, S},
    {C, S, "127.0.0.1", S},
    {C, S, N, "127.0.0.1"},
    {C, "224.0.0.1", N, S},
    {C, S, N, "239.1.1.1"},
    {C, S, N, "255.255.255.255"},
    {"::", "2001:db8::1", "2001:db8::2", "2001:db8::1"},
    {"::1", "2001:db8::1", "2001:db8::2", "2001:db8::1"},
    {"2001:db8::3", "2001:db8::1", "2001:db8::2", "ff02::1"},
    {"2001:db8::3", "2001:db8::1", "::ffff:10.0.0.1", "2001:db8::1"},
    /* families that cross, in one gate and in the pair */
    {C, "2001:db8::1", N, S},
    {C, S, "2001:db8::2", S},
    {"2001:db8::3", "64:ff9b::1", N, S},
};

START_TEST(gates_of_nobody_are_refused)
{
	struct rig r;

	set_up(&r, "nat64-prefix = \"64:ff9b::/96\"\n");
	ck_assert_int_eq(add(&r, 1, nobody[_i][0], nobody[_i][1], nobody[_i][2], nobody[_i][3]), EINVAL);
	ck_assert_int_eq(ask(&r, MONITOR_GATE_ADOPT), EINVAL);
	ck_assert_int_eq(r.fake.added + r.fake.read, 0);
	tear_down(&r);
}
END_TEST

static void
break_up_src(struct gate_pair *p)
{
	p->up.src.bytes[3] ^= 1;
}

static void
break_up_dst(struct gate_pair *p)
{
	p->up.dst.bytes[3] ^= 1;
}

static void
break_up_new_src(struct gate_pair *p)
{
	p->up.new_src.bytes[3] ^= 1;
}

static void
break_up_new_dst(struct gate_pair *p)
{
	p->up.new_dst.bytes[3] ^= 4;
}

static void
put_behind(struct gate_pair *p)
{
	p->up.src.bytes[15] = p->down.new_dst.bytes[15] = 1;
}

static void
unknown_family(struct gate_pair *p)
{
	p->up.src.family = p->down.new_dst.family = 5;
}

static void
no_id(struct gate_pair *p)
{
	p->id = 0;
}

static void
any_gre_up(struct gate_pair *p)
{
	p->up.call_id = 0;
}

static void
any_gre_down(struct gate_pair *p)
{
	p->down.call_id = 0;
}

static void (*const breaks[])(struct gate_pair *p) = {
    break_up_src, break_up_dst, break_up_new_src, break_up_new_dst, put_behind, unknown_family, no_id, any_gre_up, any_gre_down};

START_TEST(gates_that_are_no_pair_are_refused)
{
	struct rig r;

	set_up(&r, "");
	r.req.pair = pair_of(1, C, S, N, S);
	breaks[_i](&r.req.pair);
	ck_assert_int_eq(ask(&r, MONITOR_GATE_ADD), EINVAL);
	ck_assert_int_eq(ask(&r, MONITOR_GATE_ADOPT), EINVAL);
	ck_assert_int_eq(r.fake.added + r.fake.read, 0);
	tear_down(&r);
}
END_TEST

/* A call id of 0 behind the gateway is a peer's own, and all right. */
START_TEST(peers_may_have_call_id_0)
{
	struct rig r;

	set_up(&r, "");
	r.req.pair = pair_of(1, C, S, N, S);
	r.req.pair.up.new_call_id = r.req.pair.down.new_call_id = 0;
	ck_assert_int_eq(ask(&r, MONITOR_GATE_ADD), 0);
	tear_down(&r);
}
END_TEST

START_TEST(an_id_stands_for_one_pair)
{
	struct rig r;

	set_up(&r, "");
	ck_assert_int_eq(add(&r, 1, C, S, N, S), 0);
	ck_assert_int_eq(add(&r, 1, C, S, N, "192.0.2.9"), EPERM);
	ck_assert_int_eq(ask(&r, MONITOR_GATE_ADOPT), EPERM);
	r.req.pair = pair_of(1, C, S, N, S);
	r.req.pair.down.new_call_id++;
	ck_assert_int_eq(ask(&r, MONITOR_GATE_ADD), EPERM);
	ck_assert_int_eq(r.fake.added, 1);
	tear_down(&r);
}
END_TEST

START_TEST(gates_are_bounded)
{
	struct rig r;

	set_up(&r, "");
	for (uint64_t id = 1; id <= PAIRS; id++)
		ck_assert_int_eq(add(&r, id, C, S, N, S), 0);
	ck_assert_int_eq(add(&r, 99, C, S, N, S), ENOSPC);
	ck_assert_int_eq(ask(&r, MONITOR_GATE_ADOPT), ENOSPC);
	ck_assert_int_eq(add(&r, 2, C, S, N, S), 0); /* is there */
	ck_assert_int_eq(r.fake.added, PAIRS + 1);
	tear_down(&r);
	ck_assert_int_eq(r.fake.deleted, PAIRS);
}
END_TEST

START_TEST(gates_keep_to_the_policies)
{
	struct rig r;

	set_up(&r, "policy inside { source = {10.0.0.0/24} destination = {192.0.2.0/24} }\npolicy rest { action = refuse }\n");
	ck_assert_int_eq(add(&r, 1, C, S, N, S), 0);
	ck_assert_int_eq(add(&r, 2, "10.0.1.2", S, N, S), EPERM);
	ck_assert_int_eq(add(&r, 2, C, "198.51.100.1", N, "198.51.100.1"), EPERM);
	ck_assert_int_eq(add(&r, 2, S, C, S, C), EPERM); /* the other way round */
	/* A former configuration may have allowed it; then it may be put back, too. */
	ck_assert_int_eq(ask(&r, MONITOR_GATE_ADOPT), 0);
	ck_assert_uint_eq(r.reply.last.down_pkts, 9);
	ck_assert_int_eq(ask(&r, MONITOR_GATE_ADD), 0);
	tear_down(&r);
}
END_TEST

START_TEST(reads_are_bounded)
{
	struct rig r;

	set_up(&r, "");
	r.req.read.count = MONITOR_READ_MAX + 1;
	ck_assert_int_eq(ask(&r, MONITOR_GATES_READ), EINVAL);
	r.req.read.count = UINT32_MAX;
	ck_assert_int_eq(ask(&r, MONITOR_GATES_READ), EINVAL);
	r.req.read.count = MONITOR_READ_MAX;
	ck_assert_int_eq(ask(&r, MONITOR_GATES_READ), 0);
	ck_assert_int_eq(r.fake.read, 0); /* of gates that it doesn't hold */
	tear_down(&r);
}
END_TEST

/* --- look-ups and diversion ------------------------------------------------------------------------ */

START_TEST(only_control_connections_are_looked_up)
{
	static const struct {
		uint16_t port;
		int error;
	} cases[] = {{1723, ENOENT}, {2000, ENOENT}, {2001, ENOENT}, {2002, ENOENT}, {22, EPERM}, {0, EPERM}};
	struct rig r;

	set_up(&r, "ports = {1723, 2000, 2001}\nserver s { address = 192.0.2.9 port = 2001 to = 10.0.0.1 to-port = 2002 }\n"
		   "server t { address = 192.0.2.8 to = 10.0.0.1 }\n");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		r.req.tcp = (struct ct_tcp){.src = addr(C), .dst = addr(S), .sport = 40000, .dport = cases[i].port};
		ck_assert_int_eq(ask(&r, MONITOR_LOOKUP), cases[i].error);
	}
	r.req.tcp.dst = addr("2001:db8::1");
	ck_assert_int_eq(ask(&r, MONITOR_LOOKUP), EINVAL);
	tear_down(&r);
}
END_TEST

START_TEST(kernel_gates_are_not_diverted)
{
	static const char *const configs[] = {"", "nat64-prefix = \"64:ff9b::/96\"\n"};
	struct rig r;

	set_up(&r, configs[_i]);
	r.req.divert = pair_of(1, C, S, N, S).up;
	ck_assert_int_eq(ask(&r, MONITOR_DIVERT), EPERM);
	ck_assert_int_eq(ask(&r, MONITOR_DIVERT_END), EPERM);
	/* crosses families, but not by way of the prefix */
	r.req.divert = (struct gate){addr("2001:db8::3"), addr("64:ff9c::c000:201"), 1, addr(N), addr(S), 1};
	ck_assert_int_eq(ask(&r, MONITOR_DIVERT), EPERM);
	r.req.divert = (struct gate){addr(S), addr(N), 1, addr("64:ff9c::c000:201"), addr("2001:db8::3"), 1};
	ck_assert_int_eq(ask(&r, MONITOR_DIVERT), EPERM);
	r.req.divert.src.family = 9;
	ck_assert_int_eq(ask(&r, MONITOR_DIVERT), EINVAL);
	tear_down(&r);
}
END_TEST

START_TEST(diverts_are_bounded)
{
	struct rig r;

	set_up(&r, "");
	r.m.datapath = NULL;
	r.m.diverts = 2 * PAIRS;
	r.req.divert = pair_of(1, C, S, N, S).up;
	ck_assert_int_eq(ask(&r, MONITOR_DIVERT), ENOSPC);
	r.req.divert.dst = addr("127.0.0.1");
	ck_assert_int_eq(ask(&r, MONITOR_DIVERT), EINVAL);
	tear_down(&r);
}
END_TEST

/* --- files, hand-over, form ---------------------------------------------------------------------------- */

START_TEST(no_trace_unless_configured)
{
	struct rig r;

	set_up(&r, "");
	ck_assert_int_eq(ask(&r, MONITOR_TRACE), EPERM);
	ck_assert_uint_eq(r.fds_count, 0);
	tear_down(&r);
}
END_TEST

static int
is_closed(int fd)
{
	return fcntl(fd, F_GETFD) < 0 && errno == EBADF;
}

static int
hand_over(struct rig *r, size_t count, const char *name)
{
	int fds[MONITOR_HANDOVER_FDS] = {0}, error;

	memset(&r->req, 0, sizeof(r->req));
	r->req.handover.count = (uint32_t)count;
	for (size_t i = 0; i < count; i++) {
		fds[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
		snprintf(r->req.handover.names[i], MONITOR_FD_NAME, "%s", name);
	}
	error = ask_with(r, MONITOR_HANDOVER, fds, count);
	for (size_t i = 0; i < count; i++)
		ck_assert_int_eq(is_closed(fds[i]), error != 0);
	return error;
}

START_TEST(a_handover_is_bounded)
{
	struct rig r;

	set_up(&r, "");
	ck_assert_int_eq(hand_over(&r, 2, "f"), 0);
	ck_assert(!r.m.handed_all);
	ck_assert_int_eq(hand_over(&r, 2, "f"), ENOSPC);
	ck_assert_int_eq(hand_over(&r, 1, "state"), 0);
	ck_assert(r.m.handed_all);
	ck_assert_int_eq(hand_over(&r, 1, "l4"), ENOSPC);
	ck_assert_int_eq(hand_over(&r, 0, ""), 0); /* it begins anew */
	ck_assert(!r.m.handed_all);
	ck_assert_uint_eq(r.m.handed_count, 0);
	ck_assert_int_eq(hand_over(&r, 2, "g615"), 0);
	ck_assert_int_eq(hand_over(&r, 1, "state"), 0);
	ck_assert(r.m.handed_all);
	tear_down(&r);
}
END_TEST

START_TEST(names_are_those_of_a_gateway)
{
	static const char *const bad[] = {"", "F", "f1", "l5", "g4x", "g", "state2", "f:b", "f\n", "bundle"};
	struct rig r;
	int fd;

	set_up(&r, "");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_int_eq(hand_over(&r, 1, bad[i]), EINVAL);
	memset(&r.req, 0, sizeof(r.req));
	r.req.handover.count = 1;
	memset(r.req.handover.names[0], 'a', MONITOR_FD_NAME); /* without an end */
	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	ck_assert_int_eq(ask_with(&r, MONITOR_HANDOVER, &fd, 1), EINVAL);
	ck_assert(is_closed(fd));
	tear_down(&r);
}
END_TEST

START_TEST(descriptors_are_for_the_handover)
{
	struct rig r;

	set_up(&r, "");
	for (int type = 0; type < MONITOR_TYPES; type++) {
		int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

		memset(&r.req, 0, sizeof(r.req));
		ck_assert_int_eq(ask_with(&r, (enum monitor_type)type, &fd, 1), EINVAL);
		ck_assert(is_closed(fd));
	}
	r.req.handover.count = 2; /* more names than descriptors */
	ck_assert_int_eq(ask(&r, MONITOR_HANDOVER), EINVAL);
	tear_down(&r);
}
END_TEST

START_TEST(inherited_ones_are_given_once)
{
	struct handover_fd *in = calloc(1, sizeof(*in));
	struct rig r;

	set_up(&r, "");
	in->fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	memset(in->name, 'x', 5);
	r.m.inherited = in;
	r.m.inherited_count = 1;
	ck_assert_int_eq(ask(&r, MONITOR_SETTLED), EINVAL); /* without having taken any */
	ck_assert_int_eq(ask(&r, MONITOR_INHERIT), 0);
	ck_assert(r.fds_count == 1 && r.reply.inherit.count == 1);
	ck_assert_str_eq(r.reply.inherit.names[0], "xxxxx");
	close(r.fds[0]);
	ck_assert_int_eq(ask(&r, MONITOR_INHERIT), 0);
	ck_assert(r.fds_count == 0 && r.reply.inherit.count == 0);
	ck_assert_uint_eq(r.m.inherited_count, 1); /* for another process, should this one end */
	ck_assert_int_eq(ask(&r, MONITOR_SETTLED), 0);
	ck_assert_uint_eq(r.m.inherited_count, 0);
	ck_assert_int_eq(ask(&r, MONITOR_SETTLED), 0);
	free(in);
	tear_down(&r);
}
END_TEST

/* More than a new configuration allows. */
START_TEST(there_is_room_for_what_was_inherited)
{
	struct handover_fd many[100] = {{.fd = -1}};
	struct rig r;

	set_up(&r, "");
	monitor_handover(&r.m, many, 2, NULL, NULL);
	free(r.m.inherited);
	monitor_handover(&r.m, many, 100, NULL, NULL);
	free(r.m.inherited);
	ck_assert_int_eq(hand_over(&r, 32, "f"), 0);
	ck_assert_int_eq(hand_over(&r, 32, "f"), 0);
	ck_assert_int_eq(hand_over(&r, 32, "f"), 0);
	ck_assert_int_eq(hand_over(&r, 9, "f"), 0);
	tear_down(&r);
}
END_TEST

START_TEST(a_journal_that_others_may_write_to_is_not_taken)
{
	char dir[] = "/tmp/test-monitor-XXXXXX", path[64], other[64];
	struct config c = {.state_dir = dir};
	int fd;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/gates.journal", dir);
	snprintf(other, sizeof(other), "%s/other", dir);
	fd = monitor_open_journal(&c);
	ck_assert(fd >= 0 && close(fd) == 0);
	fd = monitor_open_journal(&c); /* the one that is there */
	ck_assert(fd >= 0 && close(fd) == 0);
	ck_assert(chmod(path, 0620) == 0 && monitor_open_journal(&c) == -1 && errno == EPERM);
	ck_assert(chmod(path, 0600) == 0 && link(path, other) == 0 && monitor_open_journal(&c) == -1 && errno == EPERM);
	ck_assert(unlink(other) == 0 && (fd = monitor_open_journal(&c)) >= 0 && close(fd) == 0);
	if (geteuid() == 0)
		ck_assert(chown(path, 65534, 65534) == 0 && monitor_open_journal(&c) == -1 && errno == EPERM);
	ck_assert(unlink(path) == 0 && rmdir(dir) == 0);
}
END_TEST

START_TEST(requests_have_their_form)
{
	static const uint8_t longer[sizeof(struct monitor_request) + 1];
	struct priv_reply reply = {0};
	struct rig r;

	set_up(&r, "");
	for (size_t len = 0; len < sizeof(r.req); len++)
		ck_assert_int_eq(monitor_handle(&r.m, (const uint8_t *)&r.req, len, NULL, 0, &reply, r.fds), EINVAL);
	ck_assert_int_eq(monitor_handle(&r.m, longer, sizeof(longer), NULL, 0, &reply, r.fds), EINVAL);
	ck_assert_int_eq(ask(&r, MONITOR_TYPES), EINVAL);
	ck_assert_int_eq(ask(&r, (enum monitor_type)UINT32_MAX), EINVAL);
	ck_assert_int_eq(ask(&r, MONITOR_RELOAD), EINVAL); /* nothing to read anew */
	tear_down(&r);
}
END_TEST

/* --- the worker's side ------------------------------------------------------------------------- */

static void
count_added(void *user, int error, const struct monitor_reply *reply, const int *fds, size_t nfds)
{
	int *count = user;

	(void)reply, (void)fds, (void)nfds;
	ck_assert_int_eq(error, 0);
	++*count;
}

/* Nothing runs the loop here: it is the call that deals with the answers. */
START_TEST(sync_waits_for_answers)
{
	struct rig r;
	struct priv_policy policy = {.types[PRIV_PROGRAM] = true, .program = {.handle = monitor_handle}};
	struct event_base *base = event_base_new();
	struct priv *p;
	int answered = 0;

	set_up(&r, "");
	policy.program.user = &r.m;
	p = priv_start_inline(&policy);
	ck_assert_ptr_nonnull(p);
	ck_assert_int_eq(monitor_sync(p), 0);
	ck_assert_int_eq(priv_attach(p, base, NULL, NULL), 0);
	for (uint64_t id = 1; id <= 3; id++) {
		memset(&r.req, 0, sizeof(r.req));
		r.req.type = MONITOR_GATE_ADD;
		r.req.pair = pair_of(id, C, S, N, S);
		ck_assert_int_eq(monitor_send(p, &r.req, count_added, &answered), 0);
	}
	ck_assert_int_eq(answered, 0);
	ck_assert_int_eq(monitor_sync(p), 0);
	ck_assert_int_eq(answered, 3);
	priv_free(p);
	event_base_free(base);
	tear_down(&r);
}
END_TEST

Suite *
suite_monitor(void)
{
	Suite *s = suite_create("monitor");
	TCase *c = tcase_create("monitor");

	tcase_add_test(c, gates_come_and_go);
	tcase_add_test(c, what_the_data_path_refuses_is_not_held);
	tcase_add_test(c, gates_that_cannot_be_put_back_are_held_no_more);
	tcase_add_loop_test(c, gates_of_nobody_are_refused, 0, sizeof(nobody) / sizeof(nobody[0]));
	tcase_add_loop_test(c, gates_that_are_no_pair_are_refused, 0, sizeof(breaks) / sizeof(breaks[0]));
	tcase_add_test(c, peers_may_have_call_id_0);
	tcase_add_test(c, an_id_stands_for_one_pair);
	tcase_add_test(c, gates_are_bounded);
	tcase_add_test(c, gates_keep_to_the_policies);
	tcase_add_test(c, reads_are_bounded);
	tcase_add_test(c, only_control_connections_are_looked_up);
	tcase_add_loop_test(c, kernel_gates_are_not_diverted, 0, 2);
	tcase_add_test(c, diverts_are_bounded);
	tcase_add_test(c, no_trace_unless_configured);
	tcase_add_test(c, a_handover_is_bounded);
	tcase_add_test(c, names_are_those_of_a_gateway);
	tcase_add_test(c, there_is_room_for_what_was_inherited);
	tcase_add_test(c, a_journal_that_others_may_write_to_is_not_taken);
	tcase_add_test(c, descriptors_are_for_the_handover);
	tcase_add_test(c, inherited_ones_are_given_once);
	tcase_add_test(c, requests_have_their_form);
	tcase_add_test(c, sync_waits_for_answers);
	suite_add_tcase(s, c);
	return s;
}
