/* ctlload: PPTP's control protocol without PPP behind it, for what lies between its two ends: a gateway, a helper.
 *
 *     ctlload serve ADDRESS [PORT]
 *     ctlload dial [-n CALLS] [-k CONNECTIONS] [-w WINDOW] [-g] ADDRESS [PORT]
 *
 * serve answers every connection and call; its call ids count up from 1. dial makes CALLS connections with a call each, WINDOW of them
 * at a time, prints how long that took, holds them, answering echoes, until SIGTERM, and closes them. -k: no more connections than
 * that; the last calls are second ones of the first connections. -g: sends a GRE packet for each call as soon as it is answered,
 * which gives a helper its translation. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <pptp/framer.h>
#include <pptp/msg.h>

enum { MAX_CONNECTIONS = 65536, EVENTS = 256, GRE_LEN = 8 };

struct connection {
	bool used;
	struct pptp_framer framer;
	uint16_t call_id;
};

struct load {
	int epoll, listener, gre;
	struct sockaddr_storage address;
	socklen_t address_len;
	unsigned calls, most, window;
	bool with_gre;
	unsigned begun, dialed, done, failed;
	int next_again; /* descriptor */
	uint16_t next_id;
	double since;
	struct connection connections[MAX_CONNECTIONS]; /* by descriptor */
};

static volatile sig_atomic_t stopped;

static void
on_signal(int number)
{
	(void)number;
	stopped = 1;
}

static void __attribute__((noreturn)) die(const char *what)
{
	fprintf(stderr, "ctlload: ");
	perror(what);
	exit(1);
}

static double
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* --- messages --- */

static void
say(int fd, const struct pptp_msg *msg)
{
	uint8_t buf[PPTP_MAX_MESSAGE];
	int n = pptp_msg_encode(buf, sizeof(buf), msg);

	if (n > 0 && send(fd, buf, (size_t)n, MSG_NOSIGNAL) != n)
		shutdown(fd, SHUT_RDWR);
}

static void
say_start(int fd, enum pptp_msg_type type)
{
	struct pptp_msg msg = {.type = type};

	msg.start.protocol_version = 0x0100;
	msg.start.result_code = type == PPTP_START_CONTROL_CONNECTION_REPLY ? PPTP_START_OK : 0;
	msg.start.framing_capabilities = PPTP_FRAMING_ASYNC | PPTP_FRAMING_SYNC;
	msg.start.bearer_capabilities = PPTP_BEARER_ANALOG | PPTP_BEARER_DIGITAL;
	msg.start.maximum_channels = 1;
	snprintf(msg.start.host_name, sizeof(msg.start.host_name), "ctlload");
	say(fd, &msg);
}

static void
say_call(struct load *l, int fd)
{
	struct pptp_msg msg = {.type = PPTP_OUTGOING_CALL_REQUEST};

	l->connections[fd].call_id = ++l->next_id;
	msg.outgoing_call_request = (struct pptp_outgoing_call_request){
	    .call_id = l->next_id,
	    .call_serial_number = l->next_id,
	    .minimum_bps = 2400,
	    .maximum_bps = 10000000,
	    .bearer_type = PPTP_BEARER_ANALOG | PPTP_BEARER_DIGITAL,
	    .framing_type = PPTP_FRAMING_ASYNC | PPTP_FRAMING_SYNC,
	    .packet_recv_window_size = 64,
	};
	say(fd, &msg);
}

static void
answer_call(struct load *l, int fd, const struct pptp_outgoing_call_request *request)
{
	struct pptp_msg msg = {.type = PPTP_OUTGOING_CALL_REPLY};

	msg.outgoing_call_reply = (struct pptp_outgoing_call_reply){
	    .call_id = ++l->next_id,
	    .peer_call_id = request->call_id,
	    .result_code = PPTP_OCRP_CONNECTED,
	    .connect_speed = 10000000,
	    .packet_recv_window_size = 64,
	};
	say(fd, &msg);
}

static void
send_gre(const struct load *l, uint16_t call_id)
{
	uint8_t packet[GRE_LEN] = {0x20, 0x01, 0x88, 0x0b, 0, 0, (uint8_t)(call_id >> 8), (uint8_t)call_id};

	struct sockaddr_storage to = l->address;

	((struct sockaddr_in *)&to)->sin_port = 0; /* of IPv6 in the same place */
	if (sendto(l->gre, packet, sizeof(packet), 0, (const struct sockaddr *)&to, l->address_len) < 0)
		die("GRE");
}

static void
is_answered(struct load *l, const struct pptp_outgoing_call_reply *reply)
{
	if (reply->result_code != PPTP_OCRP_CONNECTED) {
		l->failed++;
		return;
	}
	if (l->with_gre)
		send_gre(l, reply->call_id);
	l->done++;
}

static void
on_message(struct load *l, int fd, const struct pptp_msg *msg)
{
	struct pptp_msg reply = {.type = PPTP_ECHO_REPLY};

	switch (msg->type) {
	case PPTP_START_CONTROL_CONNECTION_REQUEST:
		say_start(fd, PPTP_START_CONTROL_CONNECTION_REPLY);
		break;
	case PPTP_START_CONTROL_CONNECTION_REPLY:
		say_call(l, fd);
		break;
	case PPTP_OUTGOING_CALL_REQUEST:
		answer_call(l, fd, &msg->outgoing_call_request);
		break;
	case PPTP_OUTGOING_CALL_REPLY:
		is_answered(l, &msg->outgoing_call_reply);
		break;
	case PPTP_ECHO_REQUEST:
		reply.echo = (struct pptp_echo){.identifier = msg->echo.identifier, .result_code = 1};
		say(fd, &reply);
		break;
	default:
		break;
	}
}

/* --- connections --- */

static void
watch(struct load *l, int fd, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.fd = fd};

	if (fd >= MAX_CONNECTIONS) {
		errno = EMFILE;
		die("connections");
	}
	pptp_framer_init(&l->connections[fd].framer);
	l->connections[fd].used = true;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
	if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, fd, &event) != 0)
		die("epoll");
}

static void
drop(struct load *l, int fd)
{
	if (l->connections[fd].used && l->listener < 0)
		l->failed++;
	l->connections[fd].used = false;
	close(fd);
}

static void
dial_one(struct load *l)
{
	int fd = socket(l->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		die("socket");
	if (connect(fd, (struct sockaddr *)&l->address, l->address_len) != 0 && errno != EINPROGRESS)
		die("connect");
	watch(l, fd, EPOLLIN | EPOLLOUT | EPOLLET);
	l->dialed++;
}

/* A further call of the next connection that has one. */
static void
call_again(struct load *l)
{
	while (l->next_again < MAX_CONNECTIONS - 1 && l->connections[l->next_again].call_id == 0)
		l->next_again++;
	say_call(l, l->next_again++);
}

static void
accept_all(struct load *l)
{
	int fd;

	while ((fd = accept4(l->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0)
		watch(l, fd, EPOLLIN | EPOLLET);
}

static void
read_all(struct load *l, int fd)
{
	uint8_t buf[4096];
	const uint8_t *message, *data;
	struct pptp_msg msg;
	ssize_t n;

	while ((n = recv(fd, buf, sizeof(buf), 0)) > 0) {
		size_t left = (size_t)n;
		int len;

		data = buf;
		while ((len = pptp_framer_next(&l->connections[fd].framer, &data, &left, &message)) > 0)
			if (pptp_msg_decode(&msg, message, (size_t)len, PPTP_LENIENT, NULL) == PPTP_OK)
				on_message(l, fd, &msg);
		if (len < 0)
			break;
	}
	if (n == 0 || (n < 0 && errno != EAGAIN) || n > 0)
		drop(l, fd);
}

static void
on_event(struct load *l, const struct epoll_event *event)
{
	int fd = event->data.fd;
	struct epoll_event reading = {.events = EPOLLIN | EPOLLET, .data.fd = fd};

	if (fd == l->listener) {
		accept_all(l);
		return;
	}
	if (event->events & EPOLLOUT) {
		epoll_ctl(l->epoll, EPOLL_CTL_MOD, fd, &reading);
		say_start(fd, PPTP_START_CONTROL_CONNECTION_REQUEST);
	}
	if (event->events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		read_all(l, fd);
}

static void
turn(struct load *l)
{
	struct epoll_event events[EVENTS];
	int n = epoll_wait(l->epoll, events, EVENTS, 1000);

	for (int i = 0; i < n; i++)
		on_event(l, &events[i]);
}

/* --- the two ends --- */

static int
serve(struct load *l)
{
	int on = 1;

	l->listener = socket(l->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (l->listener < 0 || setsockopt(l->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
	    bind(l->listener, (struct sockaddr *)&l->address, l->address_len) != 0 || listen(l->listener, 4096) != 0)
		die("listen");
	watch(l, l->listener, EPOLLIN | EPOLLET);
	printf("ready\n");
	fflush(stdout);
	while (!stopped)
		turn(l);
	return 0;
}

static int
dial(struct load *l)
{
	bool told = false;

	if (l->with_gre && (l->gre = socket(l->address.ss_family, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_GRE)) < 0)
		die("raw socket");
	l->since = now();
	while (!stopped) {
		for (; l->begun < l->calls && l->begun - l->done - l->failed < l->window; l->begun++)
			if (l->dialed < l->most)
				dial_one(l);
			else
				call_again(l);
		turn(l);
		if (!told && l->done + l->failed >= l->calls) {
			double seconds = now() - l->since;

			told = true;
			printf("calls %u failed %u seconds %.3f rate %.0f\n", l->done, l->failed, seconds, l->done / seconds);
			fflush(stdout);
		}
	}
	printf("at the end: calls %u failed %u\n", l->done, l->failed);
	return l->failed != 0;
}

static bool
parse_address(struct load *l, const char *text, const char *port)
{
	struct sockaddr_in *sin = (struct sockaddr_in *)&l->address;
	struct sockaddr_in6 *sin6 = (struct sockaddr_in6 *)&l->address;
	uint16_t number = htons((uint16_t)(port != NULL ? atoi(port) : 1723));

	if (inet_pton(AF_INET, text, &sin->sin_addr) == 1) {
		sin->sin_family = AF_INET;
		sin->sin_port = number;
		l->address_len = sizeof(*sin);
		return true;
	}
	sin6->sin6_family = AF_INET6;
	sin6->sin6_port = number;
	l->address_len = sizeof(*sin6);
	return inet_pton(AF_INET6, text, &sin6->sin6_addr) == 1;
}

static int
usage(void)
{
	fprintf(stderr, "usage: ctlload serve ADDRESS [PORT]\n"
			"       ctlload dial [-n CALLS] [-k CONNECTIONS] [-w WINDOW] [-g] ADDRESS [PORT]\n");
	return 2;
}

int
main(int argc, char **argv)
{
	static struct load l = {.listener = -1, .gre = -1, .calls = 1, .most = MAX_CONNECTIONS, .window = 64};
	struct rlimit files = {MAX_CONNECTIONS, MAX_CONNECTIONS};
	const char *what = argc > 1 ? argv[1] : "";

	for (int c; argc > 1 && (c = getopt(argc - 1, argv + 1, "n:k:w:g")) != -1;) {
		if (c == '?')
			return usage();
		if (c == 'g')
			l.with_gre = true;
		else
			*(c == 'n' ? &l.calls : c == 'k' ? &l.most : &l.window) = (unsigned)atoi(optarg);
	}
	if (argc <= optind + 1 || !parse_address(&l, argv[optind + 1], argv[optind + 2]))
		return usage();
	setrlimit(RLIMIT_NOFILE, &files);
	signal(SIGTERM, on_signal);
	l.epoll = epoll_create1(EPOLL_CLOEXEC);
	return strcmp(what, "serve") == 0 ? serve(&l) : strcmp(what, "dial") == 0 ? dial(&l) : usage();
}
