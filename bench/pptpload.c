/* pptpload - many PPTP clients in one process, against any server.
 *
 *   pptpload [-n CLIENTS] [-c AT-ONCE] [-u USER] [-p PASSWORD] [-t SECONDS] [-e] [-s SECONDS] [-k] SERVER
 *
 *   -n  how many sessions (default 100)         -c  how many are being set up at once (default 64)
 *   -u  user name; "%d" becomes the number      -p  password (a test's: it shows in ps)
 *   -t  give up on a session after so long (10) -e  ask for no encryption (default: MPPE, 128-bit)
 *   -s  keep them all up for so long (0)        -k  end without saying goodbye, as a crash would
 *
 * Each session is a control connection, a call, and PPP up to an IP address. Packets from inside the tunnels are taken and
 * dropped. Prints how many came up, how fast, how long each took, and why the others did not; exit status 0 if all did. Runs as root. */
#include <errno.h>
#include <event2/event.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/timerheap.h"
#include "libppp/crypto.h"
#include "sys/clock.h"
#include "sys/gresock.h"
#include "sys/log.h"
#include "tunnel/control.h"
#include "tunnel/engine.h"

enum state { WAITING, CONNECTING, CALLING, NEGOTIATING, UP, FAILED };

struct client {
	struct load *load;
	enum state state;
	struct control *control;
	struct tunnel_counters counters;
	uint16_t call_id;
	uint64_t started, took;
};

struct load {
	struct event_base *base;
	struct event *tick;
	struct tunnel_engine *engine;
	struct pptp_callid_pool *ids;
	struct ppp_crypto *crypto;
	struct addr server;
	struct client *clients;
	unsigned count, at_once;
	unsigned next, busy, up, failed, lost;
	const char *user, *password;
	uint64_t patience_ns, stay_ns, began, done_at;
	bool clear, crash, ending;
	char why[512]; /* of the first failure */
};

static void
settle(struct client *c, enum state state, const char *why)
{
	struct load *l = c->load;

	if (c->state == UP && state == FAILED && !l->ending) {
		l->lost++;
		fprintf(stderr, "pptpload: client %u was up and fell: %s\n", (unsigned)(c - l->clients), why);
	}
	if (c->state == UP || c->state == FAILED)
		return;
	c->state = state;
	c->took = clock_ts() - c->started;
	l->busy--;
	if (state == UP) {
		l->up++;
		return;
	}
	l->failed++;
	if (l->why[0] == '\0')
		snprintf(l->why, sizeof(l->why), "client %u: %s", (unsigned)(c - l->clients), why);
}

/* Session numbers are places in the array, counted from 1. */
static struct client *
client_of(struct load *l, uint64_t session)
{
	return &l->clients[session - 1];
}

static void
post(struct client *c, struct tunnel_command *command)
{
	command->session = (uint64_t)(c - c->load->clients) + 1;
	tunnel_post(c->load->engine, tunnel_worker_of(c->load->engine, c->call_id), command);
}

/* The pattern with its first "%d" replaced by the client's number. */
static void
user_name(const struct client *c, char *buf, size_t size)
{
	const char *pattern = c->load->user, *place = strstr(pattern, "%d");

	if (place == NULL)
		snprintf(buf, size, "%s", pattern);
	else
		snprintf(buf, size, "%.*s%u%s", (int)(place - pattern), pattern, (unsigned)(c - c->load->clients), place + 2);
}

static void
open_session(struct client *c)
{
	struct load *l = c->load;
	struct tunnel_command command = {
	    .type = TUNNEL_SESSION_OPEN,
	    .open = {.call_id = c->call_id,
		.local = *control_local(c->control),
		.peer = *control_peer(c->control),
		.counters = &c->counters},
	};
	struct ppp_link_config *link = &command.open.link;

	pptp_gre_config_init(&command.open.gre);
	command.open.peer_later = true;
	ppp_link_config_init(link);
	link->allow = PPP_AUTH_ALL;
	user_name(c, link->local_name, sizeof(link->local_name));
	link->secret.len = (uint16_t)strlen(l->password);
	memcpy(link->secret.data, l->password, link->secret.len);
	post(c, &command);
}

static void
bind_session(struct client *c)
{
	struct tunnel_command command = {.type = TUNNEL_SESSION_BIND};
	struct ppp_bundle_config *bundle = &command.bind.bundle;

	ppp_bundle_config_init(bundle);
	bundle->ipv4 = true;
	bundle->ipv6 = false;
	bundle->mppe = c->load->clear ? PPP_MPPE_DENY : PPP_MPPE_REQUIRE;
	bundle->mppe_bits = PPP_MPPE_128;
	post(c, &command);
}

static void
on_control(void *user, struct control *control, const struct pptp_event *event)
{
	struct client *c = user;
	struct tunnel_command command;
	char why[256];

	switch (event->type) {
	case PPTP_EVENT_ESTABLISHED:
		c->state = CALLING;
		if (pptp_call_open(control_conn(control), &(struct pptp_call_params){0}, &c->call_id, clock_ts()) == PPTP_OK)
			open_session(c);
		else
			settle(c, FAILED, "no call could be opened");
		break;
	case PPTP_EVENT_CALL_UP:
		c->state = NEGOTIATING;
		command = (struct tunnel_command){.type = TUNNEL_SESSION_PEER};
		command.peer.call_id = event->call.peer_call_id;
		command.peer.window = event->call.peer_window;
		command.peer.delay = event->call.peer_delay;
		post(c, &command);
		break;
	case PPTP_EVENT_CALL_DOWN:
	case PPTP_EVENT_CLOSED:
		snprintf(why, sizeof(why), "%s (result %u, error %u) %s", pptp_end_text(event->end), event->result_code, event->error_code,
		    event->text);
		if (c->state == CALLING || c->state == NEGOTIATING || c->state == UP)
			post(c, &(struct tunnel_command){.type = TUNNEL_SESSION_ABORT});
		settle(c, FAILED, why);
		if (event->type == PPTP_EVENT_CLOSED) {
			control_free(control);
			c->control = NULL;
		}
		break;
	default:
		break;
	}
}

static void
on_unreachable(void *user, struct control *control, int error)
{
	struct client *c = user;

	settle(c, FAILED, strerror(error));
	control_free(control);
	c->control = NULL;
}

static const struct control_ops control_ops = {.event = on_control, .unreachable = on_unreachable};

static void
dial(struct client *c)
{
	struct load *l = c->load;
	struct pptp_conn_config config;
	int fd = socket(l->server.family == 4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	c->started = clock_ts();
	c->state = CONNECTING;
	l->busy++;
	pptp_conn_config_init(&config);
	config.call_ids = l->ids;
	config.host_name = "pptpload";
	if (fd < 0) {
		settle(c, FAILED, strerror(errno));
		return;
	}
	c->control = control_connect(l->base, fd, &l->server, PPTP_PORT, l->patience_ns, &config, &control_ops, c);
	if (c->control == NULL)
		settle(c, FAILED, "out of memory");
}

static void
on_engine(evutil_socket_t fd, short what, void *user)
{
	struct load *l = user;
	struct tunnel_event event;

	(void)fd;
	(void)what;
	while (tunnel_take_event(l->engine, &event)) {
		struct client *c = client_of(l, event.session);
		char why[400];

		if (event.type == TUNNEL_EVENT_NETWORK) {
			bind_session(c);
		} else if (event.type == TUNNEL_EVENT_UP && event.up.bundle.ipv4_up) {
			settle(c, UP, "");
		} else if (event.type == TUNNEL_EVENT_CLOSED) {
			snprintf(why, sizeof(why), "%s %s", ppp_down_text(event.down), event.message);
			settle(c, FAILED, why);
		}
	}
}

static void
on_tick(evutil_socket_t fd, short what, void *user)
{
	struct load *l = user;
	uint64_t ts = clock_ts();

	(void)fd;
	(void)what;
	for (unsigned i = 0; i < l->next && l->busy > 0; i++) {
		struct client *c = &l->clients[i];

		if (c->state != UP && c->state != FAILED && ts - c->started > l->patience_ns)
			settle(c, FAILED, "no progress in time");
	}
	while (l->next < l->count && l->busy < l->at_once)
		dial(&l->clients[l->next++]);
	if (l->next < l->count || l->busy > 0)
		return;
	if (l->done_at == 0)
		l->done_at = ts;
	if (ts - l->done_at >= l->stay_ns)
		event_base_loopbreak(l->base);
}

static int
by_time(const void *a, const void *b)
{
	uint64_t x = ((const struct client *)a)->took, y = ((const struct client *)b)->took;

	return (x > y) - (x < y);
}

static void
report(struct load *l)
{
	double seconds = (double)(l->done_at - l->began) / 1e9;
	struct client *sorted = calloc(l->count, sizeof(*sorted));
	unsigned n = 0;

	for (unsigned i = 0; i < l->count && sorted != NULL; i++)
		if (l->clients[i].state == UP)
			sorted[n++] = l->clients[i];
	if (n > 0)
		qsort(sorted, n, sizeof(*sorted), by_time);
	printf("sessions: %u of %u up in %.2f s, %.0f per second; lost later: %u\n", l->up, l->count, seconds, l->up / seconds, l->lost);
	if (n > 0)
		printf("set-up time: median %.1f ms, 99%% %.1f ms, longest %.1f ms\n", (double)sorted[n / 2].took / 1e6,
		    (double)sorted[n - 1 - n / 100].took / 1e6, (double)sorted[n - 1].took / 1e6);
	if (l->failed > 0)
		printf("failed: %u; the first: %s\n", l->failed, l->why);
	fflush(stdout);
	free(sorted);
}

/* Goodbye in order: Stop-Control-Connection to all, and a bounded wait for the answers. */
static void
leave(struct load *l)
{
	struct timeval limit = {.tv_sec = 5};

	l->ending = true;
	for (unsigned i = 0; i < l->count; i++) {
		struct client *c = &l->clients[i];

		if (c->control == NULL)
			continue;
		pptp_conn_stop(control_conn(c->control), PPTP_STOP_NONE, clock_ts());
		control_kick(c->control);
	}
	event_base_loopexit(l->base, &limit);
	for (bool left = true; left && !event_base_got_exit(l->base);) {
		event_base_loop(l->base, EVLOOP_ONCE);
		left = false;
		for (unsigned i = 0; i < l->count; i++)
			left = left || l->clients[i].control != NULL;
	}
}

static void
start_engine(struct load *l)
{
	struct tunnel_engine_config config = {.workers = 1, .gre_fd = {{-1, -1}}, .gre_pktinfo = {true, true}};
	int family = l->server.family == 4 ? 0 : 1;
	char err[256];

	if (ppp_crypto_new(&l->crypto, err, sizeof(err)) != 0)
		log_fatal("%s", err);
	config.crypto = l->crypto;
	config.gre_fd[0][family] = gresock_open(l->server.family, NULL, 0, 1, 0, NULL);
	if (config.gre_fd[0][family] < 0)
		log_fatal("raw GRE socket: %s", strerror(errno));
	l->engine = tunnel_engine_new(&config);
	if (l->engine == NULL)
		exit(1);
}

static void
run(struct load *l)
{
	struct timeval every = {.tv_usec = 2000};
	struct event *events;

	l->base = event_base_new();
	if (l->base == NULL || pptp_callid_pool_new(&l->ids, TS_S(10), clock_random, NULL, NULL) != PPTP_OK)
		log_fatal("out of memory");
	start_engine(l);
	events = event_new(l->base, tunnel_event_fd(l->engine), EV_READ | EV_PERSIST, on_engine, l);
	l->tick = event_new(l->base, -1, EV_PERSIST, on_tick, l);
	event_add(events, NULL);
	event_add(l->tick, &every);
	l->began = clock_ts();
	event_base_dispatch(l->base);
	report(l);
	event_del(l->tick);
	if (!l->crash)
		leave(l);
	for (unsigned i = 0; i < l->count; i++)
		if (l->clients[i].control != NULL)
			control_free(l->clients[i].control);
	event_free(events);
	event_free(l->tick);
	tunnel_engine_free(l->engine);
	ppp_crypto_free(l->crypto);
	pptp_callid_pool_free(l->ids);
	event_base_free(l->base);
}

static void
usage(void)
{
	fprintf(stderr, "usage: pptpload [-ek] [-n clients] [-c at-once] [-u user] [-p password] [-t seconds] [-s seconds] server\n");
	exit(2);
}

static uint64_t
seconds(const char *text)
{
	return (uint64_t)(strtod(text, NULL) * 1e9);
}

int
main(int argc, char **argv)
{
	struct load l = {.count = 100, .at_once = 64, .user = "user%d", .password = "secret", .patience_ns = TS_S(10)};
	struct rlimit files = {65536, 65536};
	int option;

	while ((option = getopt(argc, argv, "n:c:u:p:t:s:ek")) != -1) {
		switch (option) {
		case 'n':
			l.count = (unsigned)strtoul(optarg, NULL, 10);
			break;
		case 'c':
			l.at_once = (unsigned)strtoul(optarg, NULL, 10);
			break;
		case 'u':
			l.user = optarg;
			break;
		case 'p':
			l.password = optarg;
			break;
		case 't':
			l.patience_ns = seconds(optarg);
			break;
		case 's':
			l.stay_ns = seconds(optarg);
			break;
		case 'e':
			l.clear = true;
			break;
		case 'k':
			l.crash = true;
			break;
		default:
			usage();
		}
	}
	if (optind + 1 != argc || !addr_parse(&l.server, argv[optind]) || l.count == 0 || l.at_once == 0 ||
	    strlen(l.password) > PPP_SECRET_MAX)
		usage();
	log_init("pptpload", LOG_TO_STDERR, LOG_LEVEL_WARN);
	setrlimit(RLIMIT_NOFILE, &files);
	l.clients = calloc(l.count, sizeof(*l.clients));
	if (l.clients == NULL)
		log_fatal("out of memory");
	for (unsigned i = 0; i < l.count; i++)
		l.clients[i].load = &l;
	run(&l);
	free(l.clients);
	return l.up == l.count && l.lost == 0 ? 0 : 1;
}
