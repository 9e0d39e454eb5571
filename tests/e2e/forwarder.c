/* forwarder - the gateway's user-space data path by hand, for tests and benches.
 *
 *   forwarder [-t THREADS] [-m MARK] [-n CALLS] UP DOWN
 *
 * A gate is SOURCE,DESTINATION,CALL-ID,NEW-SOURCE,NEW-DESTINATION,NEW-CALL-ID; the call ids of further calls count on from there. Prints
 * "ready" and forwards until standard input ends; for each line there it prints the counters of all calls, and what was dropped:
 * "up PACKETS BYTES down PACKETS BYTES short N not-gre N unknown N ttl N own N send N". What is addressed to others comes here by
 * `gatectl divert`. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alg/datapath/user.h"
#include "sys/gresock.h"
#include "tests/e2e/gate_args.h"

enum { MAX_CALLS = 65535 };

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
		struct gate_pair pair = later_pair(first, i);
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
		struct gate_pair pair = later_pair(&first, i);
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
