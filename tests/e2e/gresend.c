/* gresend - PPTP's GRE packets of all sorts, from a raw socket.
 *
 *   gresend [-n COUNT] [-s PAYLOAD-BYTES] [-t TTL] [-o] [-d] [-f FLAGS] SOURCE DESTINATION CALL-ID
 *
 * -o adds IP options, -d forbids fragments, -f gives GRE's first 16 bits (0x3001 unless told otherwise). */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { GRE_LEN = 12, PACKET_MAX = 4096 };

static void __attribute__((noreturn)) die(const char *what)
{
	perror(what);
	exit(1);
}

struct what {
	unsigned count, size, ttl, flags;
	bool options, whole;
};

static void
put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static int
open_socket(const struct what *w, bool ipv6)
{
	static const uint8_t nops[4] = {1, 1, 1, 0} /* three of "no operation", and the end */;
	int fd = socket(ipv6 ? AF_INET6 : AF_INET, SOCK_RAW, IPPROTO_GRE);
	int ttl = (int)w->ttl, discover = w->whole ? IP_PMTUDISC_PROBE : IP_PMTUDISC_DONT;

	if (fd < 0)
		die("gresend: raw socket");
	if (setsockopt(fd, ipv6 ? IPPROTO_IPV6 : IPPROTO_IP, ipv6 ? IPV6_UNICAST_HOPS : IP_TTL, &ttl, sizeof(ttl)) != 0)
		die("gresend: TTL");
	if (!ipv6 && setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &discover, sizeof(discover)) != 0)
		die("gresend: fragments");
	if (!ipv6 && w->options && setsockopt(fd, IPPROTO_IP, IP_OPTIONS, nops, sizeof(nops)) != 0)
		die("gresend: options");
	return fd;
}

static void
bind_and_connect(int fd, const char *source, const char *destination, bool ipv6)
{
	for (int i = 0; i < 2; i++) {
		struct sockaddr_in sin = {.sin_family = AF_INET};
		struct sockaddr_in6 sin6 = {.sin6_family = AF_INET6};
		const struct sockaddr *sa = ipv6 ? (const struct sockaddr *)&sin6 : (const struct sockaddr *)&sin;
		socklen_t len = ipv6 ? sizeof(sin6) : sizeof(sin);
		const char *text = i == 0 ? source : destination;

		if (inet_pton(ipv6 ? AF_INET6 : AF_INET, text, ipv6 ? (void *)&sin6.sin6_addr : (void *)&sin.sin_addr) != 1) {
			fprintf(stderr, "gresend: %s is no address\n", text);
			exit(2);
		}
		if ((i == 0 ? bind : connect)(fd, sa, len) != 0)
			die(text);
	}
}

static void
send_all(int fd, const struct what *w, unsigned call_id)
{
	uint8_t packet[PACKET_MAX] = {0};

	put16(packet, w->flags);
	put16(packet + 2, 0x880b);
	put16(packet + 4, w->size);
	put16(packet + 6, call_id);
	for (unsigned i = 0; i < w->count; i++) {
		put16(packet + 10, i);
		if (send(fd, packet, GRE_LEN + w->size, 0) < 0)
			die("gresend: send");
	}
}

static int
usage(void)
{
	fprintf(stderr, "usage: gresend [-n COUNT] [-s PAYLOAD-BYTES] [-t TTL] [-o] [-d] [-f FLAGS] SOURCE DESTINATION CALL-ID\n");
	return 2;
}

int
main(int argc, char **argv)
{
	struct what w = {.count = 1, .size = 64, .ttl = 64, .flags = 0x3001};
	bool ipv6;
	int fd;

	for (int c; (c = getopt(argc, argv, "n:s:t:f:od")) != -1;) {
		if (c == 'o')
			w.options = true;
		else if (c == 'd')
			w.whole = true;
		else if (c == '?')
			return usage();
		else
			*(c == 'n' ? &w.count : c == 's' ? &w.size : c == 't' ? &w.ttl : &w.flags) = (unsigned)strtoul(optarg, NULL, 0);
	}
	if (argc - optind != 3 || w.size > PACKET_MAX - GRE_LEN)
		return usage();
	ipv6 = strchr(argv[optind], ':') != NULL;
	fd = open_socket(&w, ipv6);
	bind_and_connect(fd, argv[optind], argv[optind + 1], ipv6);
	send_all(fd, &w, (unsigned)strtoul(argv[optind + 2], NULL, 0));
	return 0;
}
