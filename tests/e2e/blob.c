/* blob - sends and checks a known stream over TCP, first one way and then the other.
 *
 *   blob serve   ADDRESS PORT BYTES SEED     waits for one connection, receives, then sends
 *   blob connect ADDRESS PORT BYTES SEED     sends, then receives
 *
 * Both ends make the same bytes from the seed, so each one compares what arrives byte for byte. Prints `sent SUM` and `received SUM`
 * with a checksum of the stream and MB/s, and exits with 0 only if all of it arrived unharmed. Gives up after 100 s without progress. */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { CHUNK = 65536 };

struct stream {
	uint64_t state;
	uint64_t sum;
};

static void
make(struct stream *s, uint8_t *buf, size_t len)
{
	for (size_t i = 0; i < len; i += 8) {
		uint64_t x;

		s->state += UINT64_C(0x9e3779b97f4a7c15);
		x = s->state;
		x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
		x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
		x ^= x >> 31;
		memcpy(buf + i, &x, len - i < 8 ? len - i : 8);
		s->sum = (s->sum ^ x) * UINT64_C(0x100000001b3);
	}
}

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
report(const char *what, const struct stream *s, uint64_t bytes, double since)
{
	printf("%s %016llx %.1f MB/s\n", what, (unsigned long long)s->sum, (double)bytes / 1e6 / (now() - since));
	fflush(stdout);
}

static bool
send_stream(int fd, uint64_t bytes, uint64_t seed)
{
	struct stream s = {.state = seed};
	static uint8_t buf[CHUNK];
	double since = now();

	for (uint64_t done = 0; done < bytes;) {
		size_t n = bytes - done < CHUNK ? (size_t)(bytes - done) : CHUNK;

		make(&s, buf, n);
		for (size_t off = 0; off < n;) {
			ssize_t w = send(fd, buf + off, n - off, MSG_NOSIGNAL);

			if (w < 0 && errno == EINTR)
				continue;
			if (w <= 0) {
				fprintf(stderr, "blob: send after %llu bytes: %s\n", (unsigned long long)(done + off), strerror(errno));
				return false;
			}
			off += (size_t)w;
		}
		done += n;
	}
	report("sent", &s, bytes, since);
	return true;
}

/* Like recv() of all, but a stop of this process (SIGSTOP, a debugger) does not end it early. */
static size_t
receive_all(int fd, uint8_t *buf, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = recv(fd, buf + done, len - done, 0);

		if (n == 0 || (n < 0 && errno != EINTR))
			break;
		if (n > 0)
			done += (size_t)n;
	}
	return done;
}

static bool
receive_stream(int fd, uint64_t bytes, uint64_t seed)
{
	struct stream s = {.state = seed};
	static uint8_t buf[CHUNK], want[CHUNK];
	double since = now();

	for (uint64_t done = 0; done < bytes;) {
		size_t n = bytes - done < CHUNK ? (size_t)(bytes - done) : CHUNK;

		make(&s, want, n);
		if (receive_all(fd, buf, n) != n) {
			fprintf(stderr, "blob: the stream ended early, after %llu bytes: %s\n", (unsigned long long)done, strerror(errno));
			return false;
		}
		if (memcmp(buf, want, n) != 0) {
			fprintf(
			    stderr, "blob: wrong bytes between %llu and %llu\n", (unsigned long long)done, (unsigned long long)(done + n));
			return false;
		}
		done += n;
	}
	report("received", &s, bytes, since);
	return true;
}

static int
open_socket(bool serve, const char *address, const char *port)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV}, *ai;
	struct timeval patience = {.tv_sec = 100};
	int fd, one = 1;

	if (getaddrinfo(address, port, &hints, &ai) != 0)
		return -1;
	fd = socket(ai->ai_family, SOCK_STREAM, 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (serve) {
		if (bind(fd, ai->ai_addr, ai->ai_addrlen) == 0 && listen(fd, 1) == 0)
			fd = accept(fd, NULL, NULL);
		else
			fd = -1;
		if (fd >= 0) {
			setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
			setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
		}
	} else if (connect(fd, ai->ai_addr, ai->ai_addrlen) < 0) {
		fd = -1;
	}
	freeaddrinfo(ai);
	return fd;
}

int
main(int argc, char **argv)
{
	uint64_t bytes, seed;
	bool serve, good;
	int fd;

	if (argc != 6 || (strcmp(argv[1], "serve") != 0 && strcmp(argv[1], "connect") != 0)) {
		fprintf(stderr, "usage: blob serve|connect ADDRESS PORT BYTES SEED\n");
		return 2;
	}
	serve = strcmp(argv[1], "serve") == 0;
	bytes = strtoull(argv[4], NULL, 10);
	seed = strtoull(argv[5], NULL, 10);
	fd = open_socket(serve, argv[2], argv[3]);
	if (fd < 0) {
		fprintf(stderr, "blob: %s port %s: %s\n", argv[2], argv[3], strerror(errno));
		return 1;
	}
	if (serve)
		good = receive_stream(fd, bytes, seed) && send_stream(fd, bytes, seed + 1);
	else
		good = send_stream(fd, bytes, seed) && receive_stream(fd, bytes, seed + 1);
	if (good && serve) {
		char c;

		shutdown(fd, SHUT_WR);
		good = recv(fd, &c, 1, 0) == 0;
		if (!good)
			fprintf(stderr, "blob: the other end did not close: %s\n", strerror(errno));
	}
	close(fd);
	return good ? 0 : 1;
}
