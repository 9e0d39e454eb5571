#include "tunnel/control.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/timerheap.h"
#include "sys/clock.h"
#include "tests/unit/suite.h"

Suite *suite_control(void);

/* A server and a client on one loop. */
static struct event_base *base;
static struct pptp_callid_pool *server_ids, *client_ids;
static struct control *server, *client;
static int listener;
static uint16_t port;
static struct {
	int established, requests, up, down, closed;
	int unreachable;
	enum pptp_end end;
	bool free_on_closed;
} seen[2]; /* 0: server, 1: client */

static void
on_event(void *user, struct control *c, const struct pptp_event *event)
{
	size_t i = *(const size_t *)user;
	uint16_t id;

	switch (event->type) {
	case PPTP_EVENT_ESTABLISHED:
		seen[i].established++;
		if (i == 1)
			ck_assert_int_eq(pptp_call_open(control_conn(c), &(struct pptp_call_params){0}, &id, clock_ts()), PPTP_OK);
		break;
	case PPTP_EVENT_CALL_REQUEST:
		seen[i].requests++;
		ck_assert_int_eq(pptp_call_accept(control_conn(c), event->call_id, &(struct pptp_call_params){0}, clock_ts()), PPTP_OK);
		break;
	case PPTP_EVENT_CALL_UP:
		seen[i].up++;
		break;
	case PPTP_EVENT_CALL_DOWN:
		seen[i].down++;
		seen[i].end = event->end;
		break;
	case PPTP_EVENT_CLOSED:
		seen[i].closed++;
		if (seen[i].free_on_closed) {
			control_free(c);
			*(i == 0 ? &server : &client) = NULL;
		}
		break;
	default:
		break;
	}
}

static void
on_unreachable(void *user, struct control *c, int error)
{
	(void)user;
	seen[1].unreachable = error;
	control_free(c);
	client = NULL;
}

static const struct control_ops ops = {on_event, on_unreachable};
static const size_t side[2] = {0, 1};

static struct pptp_conn_config
config(struct pptp_callid_pool *ids, bool accept)
{
	struct pptp_conn_config c;

	pptp_conn_config_init(&c);
	c.call_ids = ids;
	c.accept_outgoing_calls = accept;
	c.host_name = "test";
	c.vendor_name = "test";
	c.max_calls = 4;
	return c;
}

static void
setup(void)
{
	struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(name);

	memset(seen, 0, sizeof(seen));
	server = client = NULL;
	base = event_base_new();
	ck_assert_int_eq(pptp_callid_pool_new(&server_ids, 0, clock_random, NULL, NULL), PPTP_OK);
	ck_assert_int_eq(pptp_callid_pool_new(&client_ids, 0, clock_random, NULL, NULL), PPTP_OK);
	listener = socket(AF_INET, SOCK_STREAM, 0);
	ck_assert_int_eq(bind(listener, (struct sockaddr *)&name, sizeof(name)), 0);
	ck_assert_int_eq(listen(listener, 4), 0);
	ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&name, &len), 0);
	port = ntohs(name.sin_port);
}

static void
teardown(void)
{
	if (server != NULL)
		control_free(server);
	if (client != NULL)
		control_free(client);
	if (listener >= 0)
		close(listener);
	pptp_callid_pool_free(server_ids);
	pptp_callid_pool_free(client_ids);
	event_base_free(base);
}

/* Turns the loop until the condition holds, 40 s at most. */
#define UNTIL(condition)                                                                                                                   \
	do {                                                                                                                               \
		uint64_t end_ = clock_ts() + TS_S(40);                                                                                     \
		while (!(condition)) {                                                                                                     \
			ck_assert_msg(clock_ts() < end_, "never: " #condition);                                                            \
			event_base_loop(base, EVLOOP_NONBLOCK);                                                                            \
		}                                                                                                                          \
	} while (0)

static void
connect_client(uint16_t to, uint64_t timeout_ns, const char *address)
{
	struct pptp_conn_config c = config(client_ids, false);
	struct addr a;

	ck_assert(addr_parse(&a, address));
	client = control_connect(
	    base, socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), &a, to, timeout_ns, &c, &ops, (void *)(uintptr_t)&side[1]);
	ck_assert_ptr_nonnull(client);
}

static int
accept_fd(void)
{
	int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);

	ck_assert_int_ge(fd, 0);
	return fd;
}

static void
accept_server(int fd)
{
	struct pptp_conn_config c = config(server_ids, true);

	server = control_accept(base, fd, &c, &ops, (void *)(uintptr_t)&side[0]);
	ck_assert_ptr_nonnull(server);
}

static void
bring_up(void)
{
	connect_client(port, TS_S(30), "127.0.0.1");
	accept_server(accept_fd());
	UNTIL(seen[0].up == 1 && seen[1].up == 1);
}

START_TEST(a_call_comes_up)
{
	struct addr loopback;

	bring_up();
	ck_assert_int_eq(seen[0].established, 1);
	ck_assert_int_eq(seen[0].requests, 1);
	ck_assert(addr_parse(&loopback, "127.0.0.1"));
	ck_assert(addr_equal(control_peer(server), &loopback));
	ck_assert(addr_equal(control_local(server), &loopback));
	ck_assert(addr_equal(control_local(client), &loopback));
	ck_assert_uint_eq(control_peer_port(client), port);
	ck_assert_uint_ne(control_peer_port(server), 0);
}
END_TEST

START_TEST(a_stop_from_outside_is_kicked_out)
{
	bring_up();
	seen[0].free_on_closed = seen[1].free_on_closed = true;
	ck_assert_int_eq(pptp_conn_stop(control_conn(client), PPTP_STOP_LOCAL_SHUTDOWN, clock_ts()), PPTP_OK);
	control_kick(client);
	UNTIL(seen[0].closed == 1 && seen[1].closed == 1);
	ck_assert_int_eq(seen[0].down, 1);
	ck_assert_ptr_null(server);
	ck_assert_ptr_null(client);
}
END_TEST

START_TEST(a_lost_peer_ends_calls)
{
	bring_up();
	seen[0].free_on_closed = true;
	control_free(client);
	client = NULL;
	UNTIL(seen[0].closed == 1);
	ck_assert_int_eq(seen[0].down, 1);
	ck_assert_int_eq(seen[0].end, PPTP_END_TRANSPORT);
}
END_TEST

START_TEST(a_closed_port_is_unreachable)
{
	close(listener);
	listener = -1;
	connect_client(port, TS_S(30), "127.0.0.1");
	ck_assert_int_eq(seen[1].unreachable, 0); /* told from the loop only */
	UNTIL(seen[1].unreachable != 0);
	ck_assert_int_eq(seen[1].unreachable, ECONNREFUSED);
}
END_TEST

/* A full accept queue swallows SYNs as a black hole does. */
START_TEST(a_silent_server_times_out)
{
	int fds[8];

	ck_assert_int_eq(listen(listener, 0), 0);
	for (size_t i = 0; i < 8; i++) {
		struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

		fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)!connect(fds[i], (struct sockaddr *)&name, sizeof(name));
	}
	connect_client(port, TS_MS(50), "127.0.0.1");
	UNTIL(seen[1].unreachable != 0);
	ck_assert_int_eq(seen[1].unreachable, ETIMEDOUT);
	for (size_t i = 0; i < 8; i++)
		close(fds[i]);
}
END_TEST

/* Garbage ends the connection; the callee is told once. */
START_TEST(garbage_closes)
{
	int fds[2];
	uint8_t junk[300];

	memset(junk, 0x41, sizeof(junk));
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	accept_server(fds[0]);
	seen[0].free_on_closed = true;
	ck_assert_int_eq(write(fds[1], junk, sizeof(junk)), (ssize_t)sizeof(junk));
	UNTIL(seen[0].closed == 1);
	close(fds[1]);
}
END_TEST

/* A peer that asks without reading the answers stops being read: the socket fills up, memory does not. */
START_TEST(a_peer_that_does_not_read_is_not_read)
{
	uint8_t echo[16] = {0, 16, 0, 1, 0x1a, 0x2b, 0x3c, 0x4d, 0, 5, 0, 0, 0, 0, 0, 1};
	struct pptp_msg start = {.type = PPTP_START_CONTROL_CONNECTION_REQUEST, .start = {.protocol_version = PPTP_VERSION_1}};
	uint8_t msg[PPTP_MAX_MESSAGE];
	size_t sent = 0, quiet = 0;
	struct pptp_conn_stats stats;
	int fds[2], len;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	accept_server(fds[0]);
	len = pptp_msg_encode(msg, sizeof(msg), &start);
	ck_assert_int_gt(len, 0);
	ck_assert_int_eq(write(fds[1], msg, (size_t)len), len);
	UNTIL(seen[0].established == 1);
	while (quiet < 50) {
		quiet = write(fds[1], echo, sizeof(echo)) == (ssize_t)sizeof(echo) ? (sent++, 0) : quiet + 1;
		event_base_loop(base, EVLOOP_NONBLOCK);
	}
	pptp_conn_stats(control_conn(server), &stats);
	ck_assert_uint_lt(stats.rx_messages, sent);
	/* Once it reads, all is answered. */
	UNTIL((recv(fds[1], msg, sizeof(msg), MSG_DONTWAIT), pptp_conn_stats(control_conn(server), &stats), stats.rx_messages > sent));
	close(fds[1]);
}
END_TEST

Suite *
suite_control(void)
{
	Suite *s = suite_create("control");
	TCase *tc = tcase_create("control");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, a_call_comes_up);
	tcase_add_test(tc, a_stop_from_outside_is_kicked_out);
	tcase_add_test(tc, a_lost_peer_ends_calls);
	tcase_add_test(tc, a_closed_port_is_unreachable);
	tcase_add_test(tc, a_silent_server_times_out);
	tcase_add_test(tc, garbage_closes);
	tcase_add_test(tc, a_peer_that_does_not_read_is_not_read);
	suite_add_tcase(s, tc);
	return s;
}
