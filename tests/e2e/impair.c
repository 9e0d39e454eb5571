/* impair - a bridge between two interfaces that does harm: loss, duplication, reordering, and a protocol that is blocked.
 *
 *   impair IF1 IF2 [drop=PERCENT] [dup=PERCENT] [swap=PERCENT] [block=gre] [seed=N]
 *
 * Runs in a namespace of its own between two others, until it is killed. drop, dup and swap strike IP packets that carry GRE
 * only, so that TCP's control connection is not what a test measures; the choice comes from a seed, so a run can be
 * repeated. On SIGUSR1 it starts to block GRE altogether, and on SIGUSR2 it lets it through again. At its end (SIGTERM) it prints its counts. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FRAME_MAX = 65536 + 64 };

struct harm {
	unsigned drop, dup, swap; /* in 1/100 of a percent */
	uint64_t seed;
};

struct counts {
	unsigned long passed, dropped, duplicated, swapped, blocked;
};

struct side {
	int fd;
	uint8_t held[FRAME_MAX]; /* a frame that waits for the next one to overtake it */
	size_t held_len;
};

static volatile sig_atomic_t block_gre, stop;

static void
on_signal(int sig)
{
	if (sig == SIGUSR1)
		block_gre = 1;
	else if (sig == SIGUSR2)
		block_gre = 0;
	else
		stop = 1;
}

static int
open_port(const char *ifname)
{
	struct sockaddr_ll ll = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = (int)if_nametoindex(ifname)};
	struct packet_mreq promisc = {.mr_ifindex = ll.sll_ifindex, .mr_type = PACKET_MR_PROMISC};
	int size = 4 << 20, one = 1, fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL));

	if (fd < 0 || ll.sll_ifindex == 0 || bind(fd, (struct sockaddr *)&ll, sizeof(ll)) < 0 ||
	    setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &promisc, sizeof(promisc)) < 0 ||
	    setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one)) < 0) {
		fprintf(stderr, "impair: %s: %s\n", ifname, strerror(errno));
		exit(1);
	}
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	return fd;
}

static bool
is_gre(const uint8_t *frame, size_t len)
{
	uint16_t type;

	if (len < 34)
		return false;
	type = (uint16_t)((frame[12] << 8) | frame[13]);
	return (type == ETH_P_IP && frame[23] == IPPROTO_GRE) || (type == ETH_P_IPV6 && frame[20] == IPPROTO_GRE);
}

static bool
strikes(struct harm *h, unsigned chance)
{
	h->seed = h->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (h->seed >> 33) % 10000 < chance;
}

static void
put(int fd, const uint8_t *frame, size_t len)
{
	while (send(fd, frame, len, 0) < 0 && (errno == EINTR || errno == ENOBUFS))
		continue;
}

/* One frame from `from` towards `to`. */
static void
forward(struct harm *h, struct counts *n, struct side *to, const uint8_t *frame, size_t len)
{
	bool gre = is_gre(frame, len);

	if (gre && block_gre) {
		n->blocked++;
		return;
	}
	if (gre && strikes(h, h->drop)) {
		n->dropped++;
		return;
	}
	if (gre && to->held_len == 0 && strikes(h, h->swap)) {
		memcpy(to->held, frame, len);
		to->held_len = len;
		n->swapped++;
		return;
	}
	put(to->fd, frame, len);
	n->passed++;
	if (gre && strikes(h, h->dup)) {
		put(to->fd, frame, len);
		n->duplicated++;
	}
	if (gre && to->held_len > 0) {
		put(to->fd, to->held, to->held_len);
		to->held_len = 0;
	}
}

static unsigned
percent(const char *s)
{
	return (unsigned)(strtod(s, NULL) * 100);
}

static void
parse(struct harm *h, const char *arg)
{
	if (strncmp(arg, "drop=", 5) == 0)
		h->drop = percent(arg + 5);
	else if (strncmp(arg, "dup=", 4) == 0)
		h->dup = percent(arg + 4);
	else if (strncmp(arg, "swap=", 5) == 0)
		h->swap = percent(arg + 5);
	else if (strncmp(arg, "seed=", 5) == 0)
		h->seed = strtoull(arg + 5, NULL, 10);
	else if (strcmp(arg, "block=gre") == 0)
		block_gre = 1;
	else {
		fprintf(stderr, "impair: unknown argument: %s\n", arg);
		exit(2);
	}
}

int
main(int argc, char **argv)
{
	static struct side side[2];
	static uint8_t frame[FRAME_MAX];
	struct harm harm = {.seed = 1};
	struct counts n = {0};
	struct pollfd fds[2];

	if (argc < 3) {
		fprintf(stderr, "usage: impair IF1 IF2 [drop=PERCENT] [dup=PERCENT] [swap=PERCENT] [block=gre] [seed=N]\n");
		return 2;
	}
	for (int i = 3; i < argc; i++)
		parse(&harm, argv[i]);
	for (int i = 0; i < 2; i++) {
		side[i].fd = open_port(argv[1 + i]);
		fds[i] = (struct pollfd){.fd = side[i].fd, .events = POLLIN};
	}
	signal(SIGUSR1, on_signal);
	signal(SIGUSR2, on_signal);
	signal(SIGTERM, on_signal);
	printf("ready\n");
	fflush(stdout);
	while (!stop) {
		if (poll(fds, 2, 1000) < 0)
			continue;
		for (int i = 0; i < 2; i++) {
			for (;;) {
				ssize_t len = recv(side[i].fd, frame, sizeof(frame), MSG_DONTWAIT);

				if (len <= 0)
					break;
				forward(&harm, &n, &side[1 - i], frame, (size_t)len);
			}
		}
	}
	printf("passed=%lu dropped=%lu duplicated=%lu swapped=%lu blocked=%lu\n", n.passed, n.dropped, n.duplicated, n.swapped, n.blocked);
	return 0;
}
