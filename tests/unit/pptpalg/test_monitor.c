#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "alg/monitor_private.h"
#include "tests/unit/suite.h"

Suite *suite_monitor(void);

enum { PAIRS = 4 };

/* --- a data path that only counts, and a monitor without a kernel --- */

static unsigned adds, dels;
static int add_error;

static int
fake_add(struct datapath *dp, const struct gate_pair *pair)
{
	(void)dp, (void)pair;
	adds++;
	return add_error;
}

static int
fake_del(struct datapath *dp, const struct gate_pair *pair, struct gate_counters *last)
{
	(void)dp;
	*last = (struct gate_counters){.up_pkts = pair->id};
	dels++;
	return 0;
}

static int
fake_read(struct datapath *dp, const struct gate_pair *pair, struct gate_counters *counters)
{
	(void)dp;
	*counters = (struct gate_counters){.up_pkts = pair->id};
	return pair->id < 1000 ? 0 : ENOENT;
}

static const struct datapath_ops fake_ops = {.name = "fake", .add = fake_add, .del = fake_del, .read = fake_read};
static struct datapath fake = {&fake_ops};
static struct handover_fd handed[2];
static struct config *config;
static struct monitor monitor;
static struct priv_reply reply;
static struct monitor_reply answer;

static void
set_up(const char *text)
{
	static const uint64_t key[2] = {1, 2};

	config = config_load_text("t.conf", text);
	ck_assert_ptr_nonnull(config);
	monitor = (struct monitor){.config = config, .datapath = &fake, .pairs_max = PAIRS, .handed = handed, .handed_max = 2};
	ck_assert(table_init(&monitor.by_id, PAIRS, key, NULL));
	adds = dels = 0;
	add_error = 0;
}

static void
tear_down(void)
{
	monitor_forget_gates(&monitor);
	table_fini(&monitor.by_id, NULL);
	config_free(config);
}

static int
ask_with(const struct monitor_request *request, size_t len, const int *fds, size_t count)
{
	uint8_t bytes[sizeof(*request) + 8] = {0};
	int given[PRIV_MAX_FDS], error;

	memcpy(bytes, request, sizeof(*request));
	error = monitor_handle(&monitor, bytes, len, fds, count, &reply, given);
	ck_assert_uint_eq(reply.fds, 0);
	ck_assert_uint_eq(reply.program.len, sizeof(answer));
	memcpy(&answer, reply.program.data, sizeof(answer));
	return error;
}

static int
ask(const struct monitor_request *request)
{
	return ask_with(request, sizeof(*request), NULL, 0);
}

static struct addr
addr(const char *s)
{
	struct addr a = {0};

	ck_assert_msg(addr_parse(&a, s), "%s", s);
	return a;
}

/* A masqueraded call of a client to a server. */
static struct monitor_request
pair(uint64_t id, const char *client, const char *server)
{
	struct monitor_request r;
	struct addr c = addr(client), s = addr(server), n = addr(s.family == 4 ? "192.0.2.254" : "2001:db8::fe");

	memset(&r, 0, sizeof(r));
	r.type = MONITOR_GATE_ADD;
	r.pair.id = id;
	r.pair.up = (struct gate){.src = c, .dst = s, .call_id = 9, .new_src = n, .new_dst = s, .new_call_id = 9};
	r.pair.down = (struct gate){.src = s, .dst = n, .call_id = 7, .new_src = s, .new_dst = c, .new_call_id = 7};
	return r;
}

static struct monitor_request
about(enum monitor_type type, uint64_t id)
{
	struct monitor_request r;

	memset(&r, 0, sizeof(r));
	r.type = type;
	r.id = id;
	return r;
}

/* --- gates --- */

START_TEST(gates_are_added_read_and_removed)
{
	struct monitor_request r = pair(1, "10.1.0.2", "192.0.2.1");

	set_up("");
	ck_assert_int_eq(ask(&r), 0);
	ck_assert_int_eq(ask(&r), 0); /* put back where somebody removed them */
	ck_assert_uint_eq(adds, 2);
	ck_assert_uint_eq(monitor.pairs_count, 1);
	r = about(MONITOR_GATES_READ, 0);
	r.read.count = 2;
	r.read.ids[0] = 1;
	r.read.ids[1] = 2;
	ck_assert_int_eq(ask(&r), 0);
	ck_assert(answer.read.found[0] && !answer.read.found[1]);
	ck_assert_uint_eq(answer.read.counters[0].up_pkts, 1);
	r = about(MONITOR_GATE_DEL, 1);
	ck_assert_int_eq(ask(&r), 0);
	ck_assert_uint_eq(answer.last.up_pkts, 1);
	ck_assert_int_eq(ask(&r), ENOENT);
	ck_assert_uint_eq(dels, 1);
	tear_down();
}
END_TEST

START_TEST(what_the_data_path_refuses_is_not_held)
{
	struct monitor_request r = pair(1, "10.1.0.2", "192.0.2.1");

	set_up("");
	add_error = EEXIST;
	ck_assert_int_eq(ask(&r), EEXIST);
	ck_assert_uint_eq(monitor.pairs_count, 0);
	tear_down();
}
END_TEST

START_TEST(another_pairs_id_is_refused)
{
	struct monitor_request r = pair(1, "10.1.0.2", "192.0.2.1");

	set_up("");
	ck_assert_int_eq(ask(&r), 0);
	r.pair.down.new_call_id = 8;
	ck_assert_int_eq(ask(&r), EPERM);
	r.type = MONITOR_GATE_ADOPT;
	ck_assert_int_eq(ask(&r), EPERM);
	ck_assert_uint_eq(adds, 1);
	tear_down();
}
END_TEST

START_TEST(only_so_many)
{
	struct monitor_request r;

	set_up("");
	for (uint64_t id = 1; id <= PAIRS + 2; id++) {
		r = pair(id, "10.1.0.2", "192.0.2.1");
		ck_assert_int_eq(ask(&r), id <= PAIRS ? 0 : ENOSPC);
	}
	r.type = MONITOR_GATE_ADOPT;
	ck_assert_int_eq(ask(&r), ENOSPC);
	ck_assert_uint_eq(adds, PAIRS);
	tear_down();
}
END_TEST

/* One way in which gates don't belong together, or are none. */
static void
spoil(struct monitor_request *r, int how)
{
	struct gate *up = &r->pair.up, *down = &r->pair.down;
	struct addr other = addr("198.51.100.1"), v6 = addr("2001:db8::1");

	switch (how) {
	case 0:
		r->pair.id = 0;
		break;
	case 1:
		up->src = other;
		break;
	case 2:
		up->dst = other;
		break;
	case 3:
		up->new_src = other;
		break;
	case 4:
		up->new_dst = other;
		break;
	case 5:
		down->src = other;
		break;
	case 6:
		up->src.family = down->new_dst.family = 5;
		break;
	case 7:
		up->src.bytes[15] = down->new_dst.bytes[15] = 1;
		break;
	case 8:
		up->new_src = down->dst = v6;
		break;
	default:
		up->src = up->dst = down->new_src = down->new_dst = v6;
		break;
	}
}

START_TEST(gates_that_do_not_belong_together_are_refused)
{
	struct monitor_request r = pair(1, "10.1.0.2", "192.0.2.1");

	set_up("");
	spoil(&r, _i);
	ck_assert_int_eq(ask(&r), EINVAL);
	ck_assert_uint_eq(adds, 0);
	ck_assert_uint_eq(monitor.pairs_count, 0);
	tear_down();
}
END_TEST

START_TEST(gates_are_for_whom_a_policy_lets_through)
{
	struct monitor_request r;

	set_up("policy no { source = {\"10.1.0.66/32\"}\n action = \"refuse\" }\n"
	       "policy some { source = {\"10.1.0.0/24\"}\n destination = {\"192.0.2.0/24\"} }\n"
	       "policy rest { action = \"refuse\" }\n");
	r = pair(1, "10.1.0.2", "192.0.2.1");
	ck_assert_int_eq(ask(&r), 0);
	r = pair(2, "10.1.0.66", "192.0.2.1");
	ck_assert_int_eq(ask(&r), EPERM);
	r = pair(3, "10.1.0.2", "198.51.100.1");
	ck_assert_int_eq(ask(&r), EPERM);
	r = pair(4, "198.51.100.1", "10.1.0.2");
	ck_assert_int_eq(ask(&r), EPERM);
	r = pair(5, "2001:db8::2", "2001:db8::1");
	ck_assert_int_eq(ask(&r), EPERM);
	ck_assert_uint_eq(adds, 1);
	tear_down();
}
END_TEST

/* They were let through by the policies of their time; and where the kernel has none, there is nothing to be had. */
START_TEST(adopted_gates_must_be_there)
{
	struct monitor_request r = pair(1, "10.1.0.2", "192.0.2.1");

	set_up("policy rest { action = \"refuse\" }\n");
	r.type = MONITOR_GATE_ADOPT;
	ck_assert_int_eq(ask(&r), 0);
	ck_assert_uint_eq(answer.last.up_pkts, 1);
	r.type = MONITOR_GATE_ADD; /* and are put back */
	ck_assert_int_eq(ask(&r), 0);
	r = pair(1000, "10.1.0.2", "192.0.2.1");
	r.type = MONITOR_GATE_ADOPT;
	ck_assert_int_eq(ask(&r), ENOENT);
	ck_assert_uint_eq(monitor.pairs_count, 1);
	tear_down();
}
END_TEST

START_TEST(at_the_end_all_are_removed)
{
	struct monitor_request r;

	set_up("");
	for (uint64_t id = 1; id <= 3; id++) {
		r = pair(id, "10.1.0.2", "192.0.2.1");
		ck_assert_int_eq(ask(&r), 0);
	}
	monitor_remove_gates(&monitor);
	ck_assert_uint_eq(dels, 3);
	ck_assert_uint_eq(monitor.pairs_count, 0);
	tear_down();
}
END_TEST

/* --- everything else --- */

START_TEST(requests_of_another_size_or_type_are_refused)
{
	struct monitor_request r = pair(1, "10.1.0.2", "192.0.2.1");

	set_up("");
	ck_assert_int_eq(ask_with(&r, sizeof(r) - 1, NULL, 0), EINVAL);
	ck_assert_int_eq(ask_with(&r, sizeof(r) + 1, NULL, 0), EINVAL);
	ck_assert_int_eq(ask_with(&r, 0, NULL, 0), EINVAL);
	r.type = MONITOR_TYPES;
	ck_assert_int_eq(ask(&r), EINVAL);
	r.type = (enum monitor_type) - 1;
	ck_assert_int_eq(ask(&r), EINVAL);
	r = about(MONITOR_GATES_READ, 0);
	r.read.count = MONITOR_READ_MAX + 1;
	ck_assert_int_eq(ask(&r), EINVAL);
	r = about(MONITOR_TRACE, 0);
	ck_assert_int_eq(ask(&r), EPERM); /* none is configured */
	r = about(MONITOR_RELOAD, 0);
	ck_assert_int_eq(ask(&r), EINVAL); /* not started from a file */
	ck_assert_uint_eq(adds, 0);
	tear_down();
}
END_TEST

static int
some_fd(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	return fd;
}

static bool
is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

START_TEST(descriptors_are_for_a_hand_over_only)
{
	struct monitor_request r = pair(1, "10.1.0.2", "192.0.2.1");
	int fd = some_fd();

	set_up("");
	ck_assert_int_eq(ask_with(&r, sizeof(r), &fd, 1), EINVAL);
	ck_assert(!is_open(fd));
	ck_assert_uint_eq(adds, 0);
	tear_down();
}
END_TEST

static int
hand_over(const char *name, uint32_t count, const int *fds, size_t sent)
{
	struct monitor_request r = about(MONITOR_HANDOVER, 0);

	r.handover.count = count;
	for (uint32_t i = 0; i < count && i < MONITOR_HANDOVER_FDS; i++)
		memcpy(r.handover.names[i], name, strnlen(name, MONITOR_FD_NAME));
	return ask_with(&r, sizeof(r), fds, sent);
}

START_TEST(handed_over_descriptors_have_names_and_a_limit)
{
	static const char *const bad[] = {"", "a b", "a:b", "../x", "a name without an end of it"};
	int fds[2];

	set_up("");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		fds[0] = some_fd();
		ck_assert_msg(hand_over(bad[i], 1, fds, 1) == EINVAL, "%s", bad[i]);
		ck_assert(!is_open(fds[0]));
	}
	ck_assert_int_eq(hand_over("c1", 0, NULL, 0), EINVAL);
	fds[0] = some_fd();
	ck_assert_int_eq(hand_over("c1", 2, fds, 1), EINVAL);
	ck_assert_int_eq(hand_over("c1", MONITOR_HANDOVER_FDS + 1, NULL, 0), EINVAL);
	fds[0] = some_fd();
	fds[1] = some_fd();
	ck_assert_int_eq(hand_over("c1", 2, fds, 2), 0);
	ck_assert(is_open(fds[0]) && is_open(fds[1]));
	ck_assert_uint_eq(monitor.handed_count, 2);
	ck_assert_str_eq(monitor.handed[1].name, "c1");
	ck_assert(!monitor.handed_all);
	close(fds[0]);
	close(fds[1]);
	fds[0] = some_fd();
	ck_assert_int_eq(hand_over("c2", 1, fds, 1), ENOSPC);
	ck_assert(!is_open(fds[0]));
	tear_down();
}
END_TEST

Suite *
suite_monitor(void)
{
	Suite *s = suite_create("monitor");
	TCase *t = tcase_create("monitor");

	tcase_add_test(t, gates_are_added_read_and_removed);
	tcase_add_test(t, what_the_data_path_refuses_is_not_held);
	tcase_add_test(t, another_pairs_id_is_refused);
	tcase_add_test(t, only_so_many);
	tcase_add_loop_test(t, gates_that_do_not_belong_together_are_refused, 0, 10);
	tcase_add_test(t, gates_are_for_whom_a_policy_lets_through);
	tcase_add_test(t, adopted_gates_must_be_there);
	tcase_add_test(t, at_the_end_all_are_removed);
	tcase_add_test(t, requests_of_another_size_or_type_are_refused);
	tcase_add_test(t, descriptors_are_for_a_hand_over_only);
	tcase_add_test(t, handed_over_descriptors_have_names_and_a_limit);
	suite_add_tcase(s, t);
	return s;
}
