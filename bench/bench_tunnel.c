/* One end of a tunnel without a control connection: an engine with one session on a fixed pair of call ids, for measuring the data path
 * and for its tests. Runs until SIGTERM or SIGINT, then prints the session's counters.
 *
 *     bench_tunnel server LOCAL PEER IFNAME INNER_LOCAL INNER_PEER [mppe] [plain] [trace] [v6]
 *     bench_tunnel client LOCAL PEER IFNAME INNER_LOCAL INNER_PEER [mppe] [plain] [trace] [v6]
 *
 * mppe: MS-CHAPv2 and MPPE-128, else neither. plain: a TUN without offloads. bench/tunnel runs both ends in two namespaces. */
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/timerheap.h"
#include "sys/gresock.h"
#include "sys/tunq.h"
#include "tunnel/engine.h"

enum { SERVER_CALL = 4000, CLIENT_CALL = 5000, IF_ID = 1, MTU = 1400 };

struct end {
	bool server, mppe, plain, trace, v6;
	struct addr local, peer, inner_local, inner_peer;
	char ifname[16];
	struct ppp_crypto *crypto;
	struct tunnel_engine *engine;
	struct tunnel_counters counters;
	uint16_t call_id;
};

static void
die(const char *what)
{
	perror(what);
	exit(1);
}

static void
trace(void *user, uint64_t session, const char *line)
{
	const struct end *e = user;

	fprintf(stderr, "%s session=%" PRIu64 " %s\n", e->server ? "server" : "client", session, line);
}

static void
secret(struct ppp_secret *s)
{
	s->len = 6;
	memcpy(s->data, "secret", 6);
}

static void
post(struct end *e, const struct tunnel_command *c)
{
	if (!tunnel_post(e->engine, tunnel_worker_of(e->engine, e->call_id), c)) {
		fprintf(stderr, "mailbox full\n");
		exit(1);
	}
}

static void
start_engine(struct end *e)
{
	struct tunnel_engine_config c = {.workers = 1, .trace = e->trace ? trace : NULL, .trace_user = e};
	uint8_t family = e->local.family;
	char err[256];

	if (ppp_crypto_new(&e->crypto, err, sizeof(err)) != 0) {
		fprintf(stderr, "%s\n", err);
		exit(1);
	}
	c.crypto = e->crypto;
	c.gre_fd[0][0] = c.gre_fd[0][1] = -1;
	c.gre_fd[0][family == 6] = gresock_open(family, &e->local, 0, 1, 0, NULL);
	if (c.gre_fd[0][family == 6] < 0)
		die("raw socket");
	e->engine = tunnel_engine_new(&c);
	if (e->engine == NULL)
		exit(1);
}

static void
add_interface(struct end *e)
{
	struct tunnel_command c = {.type = TUNNEL_IF_ADD, .iface = {.id = IF_ID, .mtu = MTU}};
	char cmd[128];

	if (tunq_open(e->ifname, 1, !e->plain, false, &c.iface.fd, &c.iface.offloads, &c.iface.vnet_hdr) != 0)
		die("tun");
	snprintf(cmd, sizeof(cmd), "ip link set %s mtu %d up", e->ifname, MTU);
	if (system(cmd) != 0)
		exit(1);
	post(e, &c);
}

static void
open_session(struct end *e)
{
	struct tunnel_command c = {.type = TUNNEL_SESSION_OPEN, .session = 1};

	c.open.call_id = e->call_id;
	c.open.local = e->local;
	c.open.peer = e->peer;
	c.open.counters = &e->counters;
	c.open.no_gre_ns = TS_S(10);
	pptp_gre_config_init(&c.open.gre);
	c.open.gre.peer_call_id = e->server ? CLIENT_CALL : SERVER_CALL;
	ppp_link_config_init(&c.open.link);
	strcpy(c.open.link.local_name, e->server ? "server" : "client");
	secret(&c.open.link.secret);
	if (e->mppe && e->server)
		c.open.link.require = PPP_AUTH_MSCHAPV2;
	else if (e->mppe)
		c.open.link.allow = PPP_AUTH_MSCHAPV2;
	post(e, &c);
}

static void
bind_session(struct end *e)
{
	struct tunnel_command c = {.type = TUNNEL_SESSION_BIND, .session = 1};

	ppp_bundle_config_init(&c.bind.bundle);
	c.bind.if_id = IF_ID;
	c.bind.bundle.ipv4 = true;
	c.bind.bundle.ipv6 = e->v6;
	c.bind.bundle.local_v4 = e->inner_local;
	c.bind.bundle.peer_v4 = e->inner_peer;
	c.bind.bundle.mppe = e->mppe ? PPP_MPPE_REQUIRE : PPP_MPPE_DENY;
	c.bind.bundle.mppe_bits = PPP_MPPE_128;
	c.bind.bundle.mppe_stateless = true;
	if (e->v6 && e->server)
		(void)prefix_parse(&c.bind.ra, "2001:db8:1::/64");
	c.bind.accept_ra = e->v6 && !e->server;
	post(e, &c);
}

static void
decide(struct end *e, const struct ppp_auth_request *request)
{
	struct tunnel_command c = {.type = TUNNEL_SESSION_AUTH, .session = 1};
	struct ppp_secret s = {0};

	secret(&s);
	c.auth.id = request->id;
	ppp_auth_check(e->crypto, request, &s, &c.auth.verdict);
	post(e, &c);
}

/* False at the end. */
static bool
on_event(struct end *e, const struct tunnel_event *event)
{
	char text[ADDR_TEXT_MAX], encoding[32];

	switch (event->type) {
	case TUNNEL_EVENT_AUTH_REQUEST:
		decide(e, &event->request);
		break;
	case TUNNEL_EVENT_NETWORK:
		bind_session(e);
		break;
	case TUNNEL_EVENT_UP:
		printf("up v4=%d v6=%d mtu=%u %s\n", event->up.bundle.ipv4_up, event->up.bundle.ipv6_up, event->up.link.mtu,
		    ppp_encoding_text(&event->up.bundle, encoding));
		break;
	case TUNNEL_EVENT_PREFIX:
		printf("prefix %s\n", prefix_text(&event->prefix, text));
		break;
	case TUNNEL_EVENT_NO_GRE:
		printf("no gre\n");
		break;
	case TUNNEL_EVENT_CLOSED:
		printf("closed: %s; %s\n", ppp_down_text(event->down), event->message);
		return false;
	case TUNNEL_EVENT_IDENTIFICATION:
	case TUNNEL_EVENT_IF_LOST:
	case TUNNEL_EVENT_DIAL:
		break;
	}
	fflush(stdout);
	return true;
}

static void
print_counters(const struct end *e)
{
	const struct tunnel_counters *c = &e->counters;
	const struct tunnel_worker_counters *w = tunnel_worker_counters(e->engine, 0);
	uint64_t packets = c->rx_pkts + c->tx_pkts;
	struct rusage use;
	double us;

	getrusage(RUSAGE_SELF, &use);
	us = (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) * 1e6 + (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec);
	printf("cpu: %.2f us a packet, %.2f of it in user space\n", us / (double)(packets + 1),
	    ((double)use.ru_utime.tv_sec * 1e6 + (double)use.ru_utime.tv_usec) / (double)(packets + 1));

	printf("rx_pkts=%" PRIu64 " tx_pkts=%" PRIu64 " gre_rx=%" PRIu64 " lost=%" PRIu64 " duplicate=%" PRIu64 " late=%" PRIu64
	       " reordered=%" PRIu64 " bad=%" PRIu64 " clear=%" PRIu64 " spoofed=%" PRIu64 " dropped_bad=%" PRIu64 " dropped_queue=%" PRIu64
	       "\n",
	    c->rx_pkts, c->tx_pkts, c->gre_rx, c->gre_lost, c->gre_duplicate, c->gre_late, c->gre_reordered, c->gre_bad, c->dropped_clear,
	    c->dropped_spoofed, c->dropped_bad, c->dropped_queue);
	printf("worker: gre_bad=%" PRIu64 " unknown=%" PRIu64 " wrong_source=%" PRIu64 " no_route=%" PRIu64 " tx_errors=%" PRIu64 "\n",
	    w->gre_bad, w->gre_unknown_call, w->gre_wrong_source, w->tun_no_route, w->tx_errors);
}

static int
signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

static void
serve(struct end *e, int signal_fd)
{
	struct pollfd p[2] = {{.fd = tunnel_event_fd(e->engine), .events = POLLIN}, {.fd = signal_fd, .events = POLLIN}};
	struct tunnel_command close_it = {.type = TUNNEL_SESSION_CLOSE, .session = 1, .close = {.why = PPP_DOWN_LOCAL, .reason = "done"}};
	struct tunnel_event event;

	for (;;) {
		(void)poll(p, 2, -1);
		if (p[1].revents != 0) {
			p[1].fd = -1;
			post(e, &close_it);
		}
		while (tunnel_take_event(e->engine, &event))
			if (!on_event(e, &event))
				return;
	}
}

static void
parse(struct end *e, int argc, char **argv)
{
	if (argc < 7 || !addr_parse(&e->local, argv[2]) || !addr_parse(&e->peer, argv[3]) || !addr_parse(&e->inner_local, argv[5]) ||
	    !addr_parse(&e->inner_peer, argv[6])) {
		fprintf(stderr, "usage: bench_tunnel server|client LOCAL PEER IFNAME INNER_LOCAL INNER_PEER [mppe] [plain] [trace] [v6]\n");
		exit(2);
	}
	e->server = strcmp(argv[1], "server") == 0;
	e->call_id = e->server ? SERVER_CALL : CLIENT_CALL;
	snprintf(e->ifname, sizeof(e->ifname), "%s", argv[4]);
	for (int i = 7; i < argc; i++) {
		e->mppe |= strcmp(argv[i], "mppe") == 0;
		e->plain |= strcmp(argv[i], "plain") == 0;
		e->trace |= strcmp(argv[i], "trace") == 0;
		e->v6 |= strcmp(argv[i], "v6") == 0;
	}
}

int
main(int argc, char **argv)
{
	static struct end e;
	int signal_fd;

	parse(&e, argc, argv);
	signal_fd = signals();
	start_engine(&e);
	add_interface(&e);
	open_session(&e);
	serve(&e, signal_fd);
	print_counters(&e);
	tunnel_engine_free(e.engine);
	ppp_crypto_free(e.crypto);
	close(signal_fd);
	return 0;
}
