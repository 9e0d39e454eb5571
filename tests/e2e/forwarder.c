/* forwarder - the gateway's user-space data path by hand, for tests and benches.
 *
 *   forwarder [-t THREADS] [-m MARK] [-n CALLS] UP DOWN
 *
 * A gate is SOURCE,DESTINATION,CALL-ID,NEW-SOURCE,NEW-DESTINATION,NEW-CALL-ID; the call ids of further calls count on from there. Prints
 * "ready" and forwards until standard input ends; for each line there it prints the counters of all calls, and what was dropped:
 * "up PACKETS BYTES down PACKETS BYTES short N not-gre N unknown N ttl N own N send N". What is addressed to others comes here by
 * `gatectl divert`. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alg/datapath/user.h"
#include "sys/gresock.h"

enum { MAX_CALLS = 65535 };

static void __attribute__((noreturn, format(printf, 1, 2))) die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fprintf(stderr, "forwarder: ");
	vfprintf(stderr, fmt, ap);
	fprintf(stderr, "\n");
	va_end(ap);
	exit(1);
}

static struct addr
address(const char *text)
{
	struct addr a;

	if (text == NULL || !addr_parse(&a, text))
		die("%s is no address", text != NULL ? text : "nothing");
	return a;
}

static uint16_t
number(const char *text)
{
	if (text == NULL)
		die("a call id is missing");
	return (uint16_t)strtoul(text, NULL, 0);
}

static struct gate
gate(char *text)
{
	struct gate g;
	char *rest = text;

	g.src = address(strsep(&rest, ","));
	g.dst = address(strsep(&rest, ","));
	g.call_id = number(strsep(&rest, ","));
	g.new_src = address(strsep(&rest, ","));
	g.new_dst = address(strsep(&rest, ","));
	g.new_call_id = number(strsep(&rest, ","));
	return g;
}

static struct gate_pair
nth(const struct gate_pair *first, unsigned n)
{
	struct gate_pair p = *first;

	p.id = n;
	p.up.call_id = (uint16_t)(p.up.call_id + n);
	p.up.new_call_id = (uint16_t)(p.up.new_call_id + n);
	p.down.call_id = (uint16_t)(p.down.call_id + n);
	p.down.new_call_id = (uint16_t)(p.down.new_call_id + n);
	return p;
}

static struct datapath *
start(unsigned threads, uint32_t mark, unsigned calls)
{
	struct datapath_user_config c = {.max_gates = calls, .threads = threads};
	struct datapath *dp;
	char err[256];

	if (threads == 0 || threads > DATAPATH_USER_THREADS)
		die("%u threads can't be", threads);
	for (uint16_t i = 0; i < threads; i++) {
		c.fd4[i] = gresock_open_transparent(4, NULL, i, (uint16_t)threads, mark, NULL);
		c.fd6[i] = gresock_open_transparent(6, NULL, i, (uint16_t)threads, mark, NULL);
		if (c.fd4[i] < 0 || c.fd6[i] < 0)
			die("no raw sockets: %m");
	}
	dp = datapath_user_open(&c, err, sizeof(err));
	if (dp == NULL)
		die("%s", err);
	return dp;
}

static void
print(struct datapath *dp, const struct gate_pair *first, unsigned calls)
{
	static const char *const words[USER_DROPS] = {"short", "not-gre", "unknown", "ttl", "own", "send"};
	struct datapath_user_stats stats;
	struct gate_counters sum = {0};

	for (unsigned i = 0; i < calls; i++) {
		struct gate_pair pair = nth(first, i);
		struct gate_counters c;

		dp->ops->read(dp, &pair, &c);
		sum.up_pkts += c.up_pkts;
		sum.up_bytes += c.up_bytes;
		sum.down_pkts += c.down_pkts;
		sum.down_bytes += c.down_bytes;
	}
	printf("up %" PRIu64 " %" PRIu64 " down %" PRIu64 " %" PRIu64, sum.up_pkts, sum.up_bytes, sum.down_pkts, sum.down_bytes);
	datapath_user_stats(dp, &stats);
	for (int i = 0; i < USER_DROPS; i++)
		printf(" %s %" PRIu64, words[i], stats.dropped[i]);
	printf("\n");
	fflush(stdout);
}

int
main(int argc, char **argv)
{
	unsigned threads = datapath_user_threads(), calls = 1;
	struct gate_pair first = {.id = 0};
	struct datapath *dp;
	uint32_t mark = 0;
	char line[64];
	int opt;

	while ((opt = getopt(argc, argv, "t:m:n:")) != -1) {
		switch (opt) {
		case 't':
			threads = (unsigned)strtoul(optarg, NULL, 0);
			break;
		case 'm':
			mark = (uint32_t)strtoul(optarg, NULL, 0);
			break;
		case 'n':
			calls = (unsigned)strtoul(optarg, NULL, 0);
			break;
		default:
			return 2;
		}
	}
	if (argc - optind != 2 || calls == 0 || calls > MAX_CALLS)
		die("usage: forwarder [-t THREADS] [-m MARK] [-n CALLS] UP DOWN");
	first.up = gate(argv[optind]);
	first.down = gate(argv[optind + 1]);
	dp = start(threads, mark, calls);
	for (unsigned i = 0; i < calls; i++) {
		struct gate_pair pair = nth(&first, i);
		int error = dp->ops->add(dp, &pair);

		if (error != 0)
			die("add: %s", strerror(error));
	}
	printf("ready\n");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin) != NULL)
		print(dp, &first, calls);
	dp->ops->close(dp, false);
	return 0;
}
