/* relay - a transparent TCP relay: the gateway's sockets without the gateway, for tests of its nftables table.
 *
 *   relay PORT MARK [SOURCE]
 *
 * Listens on PORT for what TPROXY leads to it, and connects to where each connection was going, from the client's own address or from
 * SOURCE, with MARK on the socket. Prints "CLIENT DIALED DESTINATION" for each connection and passes bytes both ways until either end
 * closes. */
#include <arpa/inet.h>
#include <errno.h>
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

enum { ORIGINAL_DST = 80 /* SO_ORIGINAL_DST, IP6T_SO_ORIGINAL_DST */ };

union address {
	struct sockaddr sa;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static void __attribute__((noreturn)) die(const char *what)
{
	fprintf(stderr, "relay: %s: %s\n", what, strerror(errno));
	exit(1);
}

static socklen_t
length(const union address *a)
{
	return a->sa.sa_family == AF_INET ? sizeof(a->v4) : sizeof(a->v6);
}

static void
set(int fd, int level, int option, int value)
{
	if (setsockopt(fd, level, option, &value, sizeof(value)) != 0)
		die("setsockopt");
}

static int
transparent(int family)
{
	int fd = socket(family, SOCK_STREAM, 0);

	if (fd < 0)
		die("socket");
	if (family == AF_INET)
		set(fd, IPPROTO_IP, IP_TRANSPARENT, 1);
	else
		set(fd, IPPROTO_IPV6, IPV6_TRANSPARENT, 1);
	return fd;
}

static int
listener(int family, uint16_t port)
{
	union address any = {.v6 = {.sin6_family = (sa_family_t)family, .sin6_port = htons(port)}};
	int fd = transparent(family);

	set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (family == AF_INET6)
		set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	if (bind(fd, &any.sa, length(&any)) != 0 || listen(fd, 16) != 0)
		die("listen");
	return fd;
}

static void
print(const union address *a)
{
	char text[INET6_ADDRSTRLEN];
	bool v4 = a->sa.sa_family == AF_INET;

	inet_ntop(a->sa.sa_family, v4 ? (const void *)&a->v4.sin_addr : &a->v6.sin6_addr, text, sizeof(text));
	printf("%s%c%u ", text, v4 ? ':' : '#', ntohs(a->v4.sin_port));
}

static void
pass(int from, int to)
{
	char buf[16384];
	ssize_t n = read(from, buf, sizeof(buf));

	if (n <= 0 || write(to, buf, (size_t)n) != n)
		exit(0);
}

/* One connection's process. */
static void __attribute__((noreturn)) serve(int in, uint32_t mark, const char *source)
{
	union address client, server, dialed;
	socklen_t len = sizeof(client), server_len = sizeof(server), dialed_len = sizeof(dialed);
	int out, family;

	if (getpeername(in, &client.sa, &len) != 0 || getsockname(in, &server.sa, &server_len) != 0)
		die("names");
	family = server.sa.sa_family;
	if (getsockopt(in, family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6, ORIGINAL_DST, &dialed, &dialed_len) != 0)
		dialed = server;
	out = transparent(family);
	set(out, SOL_SOCKET, SO_MARK, (int)mark);
	print(&client);
	print(&dialed);
	print(&server);
	printf("\n");
	fflush(stdout);
	client.v4.sin_port = 0; /* of either family */
	if (source != NULL && inet_pton(family, source, family == AF_INET ? (void *)&client.v4.sin_addr : &client.v6.sin6_addr) != 1)
		die(source);
	if (bind(out, &client.sa, length(&client)) != 0)
		die("bind");
	if (connect(out, &server.sa, length(&server)) != 0)
		die("connect");
	for (struct pollfd p[2] = {{.fd = in, .events = POLLIN}, {.fd = out, .events = POLLIN}}; poll(p, 2, -1) > 0;) {
		if (p[0].revents != 0)
			pass(in, out);
		if (p[1].revents != 0)
			pass(out, in);
	}
	die("poll");
}

int
main(int argc, char **argv)
{
	struct pollfd p[2];
	uint32_t mark;

	if (argc < 3) {
		fprintf(stderr, "usage: relay PORT MARK [SOURCE]\n");
		return 2;
	}
	signal(SIGCHLD, SIG_IGN);
	mark = (uint32_t)strtoul(argv[2], NULL, 0);
	p[0] = (struct pollfd){.fd = listener(AF_INET, (uint16_t)atoi(argv[1])), .events = POLLIN};
	p[1] = (struct pollfd){.fd = listener(AF_INET6, (uint16_t)atoi(argv[1])), .events = POLLIN};
	printf("ready\n");
	fflush(stdout);
	while (poll(p, 2, -1) > 0) {
		for (int i = 0; i < 2; i++) {
			int fd = p[i].revents != 0 ? accept(p[i].fd, NULL, NULL) : -1;

			if (fd >= 0 && fork() == 0) {
				close(p[0].fd);
				close(p[1].fd);
				serve(fd, mark, argc > 3 ? argv[3] : NULL);
			}
			close(fd);
		}
	}
	return 1;
}
