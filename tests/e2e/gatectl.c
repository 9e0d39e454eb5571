/* gatectl - the gateway's data path and firewall table by hand, for tests and benches.
 *
 *   gatectl [OPTION...] [-r TIMES] add|del|read ID UP DOWN     one pair of gates
 *   gatectl [OPTION...] [-n COUNT] hold ID UP DOWN [UP DOWN]   so many pairs of each, whose ids count up, as long as it lives: it says
 *                                                              "ready", tells counters at SIGUSR1, removes the pairs at SIGTERM
 *   gatectl [OPTION...] bench COUNT                            so many pairs made, read and removed, with the times
 *   gatectl lookup SOURCE PORT DESTINATION PORT                what the other end of a TCP connection sees
 *   gatectl -c CONFIG nft start|stop|text                       the table, rules and routes of a configuration
 *   gatectl -c CONFIG divert GATE ...                           the same, and GRE of these gates goes to raw sockets
 *
 * A gate is SOURCE,DESTINATION,CALL-ID,NEW-SOURCE,NEW-DESTINATION,NEW-CALL-ID. Counters are printed as
 * "up PACKETS BYTES down PACKETS BYTES"; errors as their name, with exit status 1. Options: -d conntrack|bpf, the data path;
 * -i INTERFACE (of bpf; once for each); -m PAIRS, that the table of bpf is made for (of hold: as many as it holds); -l SECONDS, how long
 * gates live. -r repeats, each second. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "alg/config.h"
#include "alg/ct.h"
#include "alg/datapath/datapath.h"
#include "alg/nft.h"
#include "tests/e2e/gate_args.h"

enum { MAX_GATES = 100000, MAX_INTERFACES = 16 };

static void
check(const char *what, int error)
{
	if (error != 0)
		die("%s: %s", what, strerrorname_np(error) != NULL ? strerrorname_np(error) : "unknown error");
}

/* --- one pair --- */

static void
print_counters(const struct gate_counters *c)
{
	printf("up %" PRIu64 " %" PRIu64 " down %" PRIu64 " %" PRIu64 "\n", c->up_pkts, c->up_bytes, c->down_pkts, c->down_bytes);
	fflush(stdout);
}

static void
one_pair(struct datapath *dp, char **args, unsigned times)
{
	struct gate_pair pair = {.id = strtoull(args[1], NULL, 0), .up = gate(args[2]), .down = gate(args[3])};
	struct gate_counters counters;

	if (strcmp(args[0], "add") == 0) {
		check("add", dp->ops->add(dp, &pair));
		return;
	}
	if (strcmp(args[0], "del") == 0) {
		check("del", dp->ops->del(dp, &pair, &counters));
		print_counters(&counters);
		return;
	}
	for (unsigned i = 0; i < times; i++) {
		if (i > 0)
			sleep(1);
		check("read", dp->ops->read(dp, &pair, &counters));
		print_counters(&counters);
	}
}

/* --- many of one kind, held --- */

static void
sum_up(struct datapath *dp, const struct gate_pair *first, unsigned count,
    int (*fn)(struct datapath *dp, const struct gate_pair *pair, struct gate_counters *counters))
{
	struct gate_counters sum = {0}, c = {0};

	for (unsigned n = 0; n < count; n++) {
		struct gate_pair pair = later_pair(first, n);

		check("hold", fn(dp, &pair, &c));
		sum.up_pkts += c.up_pkts;
		sum.up_bytes += c.up_bytes;
		sum.down_pkts += c.down_pkts;
		sum.down_bytes += c.down_bytes;
	}
	print_counters(&sum);
}

static void
hold(struct datapath *dp, char **args, unsigned count)
{
	struct gate_pair first[2];
	size_t kinds = 0;
	sigset_t signals;
	int got;

	sigemptyset(&signals);
	sigaddset(&signals, SIGUSR1);
	sigaddset(&signals, SIGTERM);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	for (; kinds < 2 && args[2 + 2 * kinds] != NULL; kinds++) {
		first[kinds] = (struct gate_pair){.id = strtoull(args[1], NULL, 0) + kinds * MAX_GATES,
		    .up = gate(args[2 + 2 * kinds]),
		    .down = gate(args[3 + 2 * kinds])};
		for (unsigned n = 0; n < count; n++) {
			struct gate_pair pair = later_pair(&first[kinds], n);

			check("add", dp->ops->add(dp, &pair));
		}
	}
	printf("ready\n");
	fflush(stdout);
	while (sigwait(&signals, &got) == 0 && got == SIGUSR1)
		for (size_t i = 0; i < kinds; i++)
			sum_up(dp, &first[i], count, dp->ops->read);
	for (size_t i = 0; i < kinds; i++)
		sum_up(dp, &first[i], count, dp->ops->del);
}

/* --- many --- */

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* 200 clients and one server behind a gateway that translates addresses and ids. */
static struct gate_pair
nth_pair(unsigned n)
{
	struct addr client = {.family = 4, .bytes = {10, (uint8_t)(n % 200), (uint8_t)(n >> 16), 1}};
	struct addr outside = {.family = 4, .bytes = {192, 0, 2, 1}};
	struct addr server = {.family = 4, .bytes = {198, 51, (uint8_t)(n / 60000), 1}};
	uint16_t id = (uint16_t)(n % 60000 + 1);

	return (struct gate_pair){.id = n + 1,
	    .up = {client, server, id, outside, server, id},
	    .down = {server, outside, id, server, client, (uint16_t)(n / 200 + 1)}};
}

static void
bench_step(const char *what, unsigned count, int (*fn)(struct datapath *dp, const struct gate_pair *pair), struct datapath *dp)
{
	double since = now();

	for (unsigned n = 0; n < count; n++) {
		struct gate_pair pair = nth_pair(n);

		check(what, fn(dp, &pair));
	}
	printf("%s %u pairs: %.0f/s\n", what, count, count / (now() - since));
}

static int
add(struct datapath *dp, const struct gate_pair *pair)
{
	return dp->ops->add(dp, pair);
}

static int
read_one(struct datapath *dp, const struct gate_pair *pair)
{
	struct gate_counters counters;

	return dp->ops->read(dp, pair, &counters);
}

static int
del(struct datapath *dp, const struct gate_pair *pair)
{
	struct gate_counters counters;

	return dp->ops->del(dp, pair, &counters);
}

static void
bench(struct datapath *dp, unsigned count)
{
	bench_step("add", count, add, dp);
	bench_step("read", count, read_one, dp);
	bench_step("del", count, del, dp);
}

/* --- conntrack's view --- */

static void
lookup(char **args)
{
	struct ct *ct = ct_open();
	struct ct_tcp tcp = {.src = address(args[1]), .sport = number(args[2]), .dst = address(args[3]), .dport = number(args[4])}, seen;
	char src[ADDR_TEXT_MAX], dst[ADDR_TEXT_MAX];

	if (ct == NULL)
		die("no ctnetlink: %s", strerror(errno));
	check("lookup", ct_lookup(ct, &tcp, &seen));
	printf("%s %u %s %u\n", addr_text(&seen.src, src), seen.sport, addr_text(&seen.dst, dst), seen.dport);
	ct_close(ct);
}

/* --- the table --- */

static void
print_table(const struct config *config)
{
	size_t len = nft_text(config, NULL, 0);
	char *text = malloc(len + 1);

	if (text == NULL)
		die("out of memory");
	nft_text(config, text, len + 1);
	fputs(text, stdout);
	free(text);
}

static void
table(const char *file, char **args)
{
	struct config *config = config_load(file);
	char err[512] = "";
	struct nft *n;

	if (config == NULL)
		exit(1);
	if (args[1] != NULL && strcmp(args[1], "text") == 0) {
		print_table(config);
		config_free(config);
		return;
	}
	n = nft_start(config, err, sizeof(err));
	if (n == NULL)
		die("%s", err);
	for (int i = 1; strcmp(args[0], "divert") == 0 && args[i] != NULL; i++) {
		struct gate g = gate(args[i]);

		check("divert", nft_divert(n, &g));
	}
	nft_stop(n, args[1] == NULL || strcmp(args[1], "stop") != 0);
	config_free(config);
}

/* --- the command line --- */

struct options {
	unsigned life, times, count, pairs;
	const char *datapath, *config;
	const char *ifnames[MAX_INTERFACES + 1];
	size_t ifnames_count;
};

static struct datapath *
open_datapath(const struct options *o, uint32_t pairs)
{
	struct datapath_config config = {.max_gates = o->pairs > 0 ? o->pairs : pairs, .life_ns = o->life * UINT64_C(1000000000)};
	char err[256] = "";
	struct datapath *dp = NULL;

	config.ifnames = o->ifnames_count > 0 ? o->ifnames : NULL;
	if (strcmp(o->datapath, "conntrack") == 0)
		dp = datapath_conntrack_open(&config, err, sizeof(err));
	else if (strcmp(o->datapath, "bpf") == 0)
		dp = datapath_bpf_open(&config, err, sizeof(err));
	else
		die("%s is no data path", o->datapath);
	if (dp == NULL)
		die("%s", err);
	return dp;
}

static void __attribute__((noreturn)) usage(void)
{
	fprintf(stderr, "usage: gatectl [OPTION...] add|del|read|hold|bench|lookup|nft|divert ...; the comment in gatectl.c tells more\n");
	exit(2);
}

static void
gates(const struct options *o, int argc, char **argv)
{
	struct datapath *dp;
	bool many = (argc == 4 || argc == 6) && strcmp(argv[0], "hold") == 0;
	bool one = argc == 4 && (strcmp(argv[0], "add") == 0 || strcmp(argv[0], "del") == 0 || strcmp(argv[0], "read") == 0);

	if (!one && !many && !(argc == 2 && strcmp(argv[0], "bench") == 0))
		usage();
	dp = open_datapath(o, many ? 2 * o->count : MAX_GATES);
	if (many)
		hold(dp, argv, o->count);
	else if (one)
		one_pair(dp, argv, o->times);
	else
		bench(dp, (unsigned)strtoul(argv[1], NULL, 0));
	dp->ops->close(dp, true);
}

static void
parse(struct options *o, int argc, char **argv)
{
	for (int c; (c = getopt(argc, argv, "l:r:c:d:i:m:n:")) != -1;) {
		if (c == 'l')
			o->life = number(optarg);
		else if (c == 'r')
			o->times = number(optarg);
		else if (c == 'n')
			o->count = number(optarg);
		else if (c == 'm')
			o->pairs = number(optarg);
		else if (c == 'c')
			o->config = optarg;
		else if (c == 'd')
			o->datapath = optarg;
		else if (c == 'i' && o->ifnames_count < MAX_INTERFACES)
			o->ifnames[o->ifnames_count++] = optarg;
		else
			usage();
	}
}

int
main(int argc, char **argv)
{
	struct options o = {.life = 3600, .times = 1, .count = 1, .datapath = "conntrack"};

	parse(&o, argc, argv);
	argv += optind;
	argc -= optind;
	if (argc == 5 && strcmp(argv[0], "lookup") == 0)
		lookup(argv);
	else if (o.config != NULL && argc >= 2 && (strcmp(argv[0], "nft") == 0 || strcmp(argv[0], "divert") == 0))
		table(o.config, argv);
	else
		gates(&o, argc, argv);
	return 0;
}
