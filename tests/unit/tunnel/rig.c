#include "tests/unit/tunnel/rig.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/timerheap.h"
#include "sys/clock.h"
#include "sys/gresock.h"
#include "sys/tunq.h"
#include "tests/unit/suite.h"

enum { SERVER_CALLS = 100, CLIENT_CALLS = 200, BARRIER = 1000 };

static void
link_up(const char *name, int mtu)
{
	struct ifreq ifr = {0};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	memcpy(ifr.ifr_name, name, strnlen(name, IFNAMSIZ - 1));
	if (mtu > 0) {
		ifr.ifr_mtu = mtu;
		ck_assert_int_eq(ioctl(fd, SIOCSIFMTU, &ifr), 0);
	}
	ifr.ifr_flags = IFF_UP;
	ck_assert_int_eq(ioctl(fd, SIOCSIFFLAGS, &ifr), 0);
	close(fd);
}

bool
rig_enter(void)
{
	if (geteuid() != 0 || access("/dev/net/tun", R_OK | W_OK) != 0 || unshare(CLONE_NEWNET) != 0)
		return false;
	link_up("lo", 0);
	return true;
}

static int
open_packet_socket(const char *ifname)
{
	struct ifreq ifr = {0};
	struct sockaddr_ll name = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), on = 1, size = 4 << 20;

	ck_assert_int_ge(fd, 0);
	memcpy(ifr.ifr_name, ifname, strnlen(ifname, IFNAMSIZ - 1));
	ck_assert_int_eq(ioctl(fd, SIOCGIFINDEX, &ifr), 0);
	name.sll_ifindex = ifr.ifr_ifindex;
	ck_assert_int_eq(setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on)), 0);
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)), 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&name, sizeof(name)), 0);
	return fd;
}

static struct addr
outer_address(const struct rig *r, int end)
{
	struct addr a;

	/* IPv6 has one loopback address: both ends use it, told apart by call ids alone. */
	ck_assert(addr_parse(&a, r->options.family6 ? "::1" : end == RIG_SERVER ? "127.0.0.1" : "127.0.0.2"));
	return a;
}

static void
start_engine(struct rig *r, int end)
{
	struct rig_end *e = &r->ends[end];
	struct tunnel_engine_config c = {.workers = e->workers, .crypto = r->crypto};

	c.gre_pktinfo[r->options.family6] = r->options.unbound;
	for (unsigned i = 0; i < e->workers; i++) {
		c.gre_fd[i][0] = c.gre_fd[i][1] = -1;
		c.gre_fd[i][r->options.family6] = gresock_open(
		    r->options.family6 ? 6 : 4, r->options.unbound ? NULL : &e->outer, (uint16_t)i, (uint16_t)e->workers, 0, NULL);
		ck_assert_int_ge(c.gre_fd[i][r->options.family6], 0);
	}
	e->engine = tunnel_engine_new(&c);
	ck_assert_ptr_nonnull(e->engine);
}

static void
add_interface(struct rig *r, int end)
{
	struct rig_end *e = &r->ends[end];
	struct tunnel_command c = {.type = TUNNEL_IF_ADD, .iface = {.id = RIG_IF, .mtu = RIG_MTU}};
	char name[16] = "rig%d";
	int fds[TUNNEL_MAX_WORKERS];

	ck_assert_int_eq(tunq_open(name, e->workers, !r->options.plain, false, fds, &c.iface.offloads, &c.iface.vnet_hdr), 0);
	ck_assert(c.iface.vnet_hdr == !r->options.plain);
	c.iface.shared = end == RIG_SERVER && r->options.shared;
	c.iface.hold = end == RIG_CLIENT && r->options.hold;
	link_up(name, RIG_MTU);
	e->packet_fd = open_packet_socket(name);
	for (unsigned i = 0; i < e->workers; i++) {
		c.iface.fd = fds[i];
		ck_assert(tunnel_post(e->engine, i, &c));
	}
}

void
rig_start(struct rig *r, const struct rig_options *options)
{
	char err[256];

	memset(r, 0, sizeof(*r));
	r->options = *options;
	ck_assert_msg(ppp_crypto_new(&r->crypto, err, sizeof(err)) == 0, "%s", err);
	for (int end = 0; end < RIG_ENDS; end++) {
		r->ends[end].outer = outer_address(r, end);
		r->ends[end].workers = end == RIG_SERVER && options->workers > 0 ? options->workers : 1;
		start_engine(r, end);
		add_interface(r, end);
	}
}

void
rig_stop(struct rig *r)
{
	for (int end = 0; end < RIG_ENDS; end++) {
		tunnel_engine_free(r->ends[end].engine);
		close(r->ends[end].packet_fd);
	}
	ppp_crypto_free(r->crypto);
}

static uint16_t
call_id(int end, unsigned n)
{
	return (uint16_t)((end == RIG_SERVER ? SERVER_CALLS : CLIENT_CALLS) + n);
}

void
rig_post(struct rig *r, int end, unsigned n, struct tunnel_command *c)
{
	struct rig_end *e = &r->ends[end];

	c->session = n + 1;
	ck_assert(tunnel_post(e->engine, tunnel_worker_of(e->engine, call_id(end, n)), c));
}

static void
secret(struct ppp_secret *s, const char *password)
{
	s->len = (uint16_t)strlen(password);
	memcpy(s->data, password, s->len);
}

void
rig_open(struct rig *r, int end, unsigned n)
{
	struct tunnel_command c = {.type = TUNNEL_SESSION_OPEN};

	r->ends[end].last[TUNNEL_EVENT_UP].session = 0; /* what an earlier one said is not about this one */
	c.open.call_id = call_id(end, n);
	c.open.local = r->ends[end].outer;
	c.open.peer = r->ends[!end].outer;
	c.open.counters = &r->ends[end].counters[n];
	c.open.no_gre_ns = r->options.deaf ? TS_MS(200) : TS_S(60);
	pptp_gre_config_init(&c.open.gre);
	c.open.gre.peer_call_id = call_id(!end, n);
	c.open.gre.window = r->options.window;
	c.open.gre.peer_window = 8;
	ppp_link_config_init(&c.open.link);
	c.open.link.restart_ns = TS_MS(100);
	strcpy(c.open.link.local_name, end == RIG_SERVER ? "server" : "client");
	secret(&c.open.link.secret, r->options.wrong_password ? "wrong" : "right");
	if (r->options.mppe && end == RIG_SERVER)
		c.open.link.require = PPP_AUTH_MSCHAPV2;
	else if (r->options.mppe)
		c.open.link.allow = PPP_AUTH_MSCHAPV2;
	rig_post(r, end, n, &c);
}

void
rig_addresses(unsigned n, uint8_t server[4], uint8_t client[4])
{
	memcpy(server, (const uint8_t[]){10, 0, 0, 1}, 4);
	memcpy(client, (const uint8_t[]){10, 0, 1, (uint8_t)n}, 4);
}

static void
bind_server(struct rig *r, unsigned n, struct tunnel_bind *b)
{
	uint8_t server[4], client[4];

	rig_addresses(n, server, client);
	b->bundle.local_v4 = addr_v4(server);
	b->bundle.peer_v4 = addr_v4(client);
	b->sources_count = 1;
	b->sources[0] = (struct prefix){addr_v4(client), 32};
	if (!r->options.ipv6)
		return;
	ck_assert(prefix_parse(&b->ra, "2001:db8:1::/64"));
	b->sources[b->sources_count++] = b->ra;
}

static void
bind_session(struct rig *r, int end, unsigned n)
{
	struct tunnel_command c = {.type = TUNNEL_SESSION_BIND};
	struct tunnel_command route = {.type = TUNNEL_ROUTE_ADD};

	ppp_bundle_config_init(&c.bind.bundle);
	c.bind.if_id = RIG_IF;
	c.bind.bundle.ipv4 = true;
	c.bind.bundle.ipv6 = r->options.ipv6;
	c.bind.bundle.restart_ns = TS_MS(100);
	c.bind.bundle.mppe = r->options.mppe ? PPP_MPPE_REQUIRE : PPP_MPPE_DENY;
	c.bind.bundle.mppe_bits = PPP_MPPE_128;
	c.bind.bundle.mppe_stateless = true;
	if (end == RIG_SERVER) {
		bind_server(r, n, &c.bind);
		route.route.if_id = RIG_IF;
		route.route.dst = c.bind.sources[0];
		route.route.call_id = call_id(end, n);
		ck_assert(tunnel_post_all(r->ends[end].engine, &route));
	} else {
		c.bind.accept_ra = true;
		if (r->options.nat)
			ck_assert(addr_parse(&c.bind.nat_inside, "192.168.99.9"));
	}
	rig_post(r, end, n, &c);
}

static void
decide(struct rig *r, int end, unsigned n, const struct ppp_auth_request *request)
{
	struct tunnel_command c = {.type = TUNNEL_SESSION_AUTH};
	struct ppp_secret s = {0};

	secret(&s, "right");
	c.auth.id = request->id;
	ppp_auth_check(r->crypto, request, &s, &c.auth.verdict);
	rig_post(r, end, n, &c);
}

static void
pump_end(struct rig *r, int end)
{
	struct rig_end *e = &r->ends[end];
	struct tunnel_event event;

	while (tunnel_take_event(e->engine, &event)) {
		unsigned n = (unsigned)event.session - 1;

		if (event.session == BARRIER) {
			e->barriers++;
			continue;
		}
		e->last[event.type] = event;
		e->seen[event.type]++;
		if (event.type == TUNNEL_EVENT_AUTH_REQUEST)
			decide(r, end, n, &event.request);
		else if (event.type == TUNNEL_EVENT_NETWORK)
			bind_session(r, end, n);
	}
}

void
rig_pump(struct rig *r)
{
	struct pollfd p[RIG_ENDS];

	for (int end = 0; end < RIG_ENDS; end++)
		p[end] = (struct pollfd){.fd = tunnel_event_fd(r->ends[end].engine), .events = POLLIN};
	(void)poll(p, RIG_ENDS, 10);
	for (int end = 0; end < RIG_ENDS; end++)
		pump_end(r, end);
}

static bool
is_up(const struct rig *r, int end, unsigned n)
{
	const struct tunnel_event *e = &r->ends[end].last[TUNNEL_EVENT_UP];

	return e->session == n + 1 && e->up.bundle.ipv4_up && e->up.bundle.ipv6_up == r->options.ipv6 &&
	       e->up.bundle.mppe_up == r->options.mppe;
}

/* A session that can't open, as its peer has no address, is answered at once, behind all that was posted before. */
void
rig_settle(struct rig *r, int end)
{
	const struct tunnel_command c = {.type = TUNNEL_SESSION_OPEN, .session = BARRIER};
	struct rig_end *e = &r->ends[end];

	e->barriers = 0;
	for (unsigned i = 0; i < e->workers; i++)
		ck_assert(tunnel_post(e->engine, i, &c));
	RIG_UNTIL(r, e->barriers == e->workers);
}

void
rig_up(struct rig *r, unsigned n)
{
	rig_open(r, RIG_SERVER, n);
	rig_open(r, RIG_CLIENT, n);
	RIG_UNTIL(r, is_up(r, RIG_SERVER, n) && is_up(r, RIG_CLIENT, n));
	rig_settle(r, RIG_SERVER);
}

void
rig_inject(struct rig *r, int end, const uint8_t *packet, size_t len, const struct virtio_net_hdr *h)
{
	struct virtio_net_hdr copy = {0};
	struct iovec iov[2] = {{&copy, sizeof(copy)}, {(void *)(uintptr_t)packet, len}};

	if (h != NULL)
		copy = *h;
	ck_assert_int_eq(writev(r->ends[end].packet_fd, iov, 2), (ssize_t)(len + sizeof(copy)));
}

/* Packet sockets see both what goes into the interface and what comes out of it. */
size_t
rig_receive(struct rig *r, int end, uint8_t *buf, size_t buflen, struct virtio_net_hdr *h, int timeout_ms)
{
	uint64_t until = clock_ts() + TS_MS((uint64_t)timeout_ms);
	struct virtio_net_hdr own;
	struct sockaddr_ll from;
	struct iovec iov[2] = {{h != NULL ? h : &own, sizeof(own)}, {buf, buflen}};

	for (;;) {
		struct msghdr m = {.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = iov, .msg_iovlen = 2};
		ssize_t n = recvmsg(r->ends[end].packet_fd, &m, MSG_DONTWAIT);
		struct pollfd p = {.fd = r->ends[end].packet_fd, .events = POLLIN};

		if (n > (ssize_t)sizeof(own) && from.sll_pkttype != PACKET_OUTGOING)
			return (size_t)n - sizeof(own);
		if (n >= 0)
			continue;
		if (clock_ts() >= until)
			return 0;
		(void)poll(&p, 1, 10);
		rig_pump(r);
	}
}
