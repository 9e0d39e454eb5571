/* Who is let in: an accepted connection's addresses, the limits, the policy. */
#include <errno.h>
#include <event2/event.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "alg/flow.h"
#include "sys/log.h"
#include "sys/sockaddr.h"

/* SO_ORIGINAL_DST and IP6T_SO_ORIGINAL_DST, whose headers quarrel with <net/if.h>. */
enum { ORIGINAL_DST = 80, ACCEPT_BATCH = 64 };

void
flow_reset(int fd)
{
	const struct linger at_once = {.l_onoff = 1, .l_linger = 0};

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close(fd);
}

/* --- what the kernel knows of it ---------------------------------------------------- */

/* TCP keeps the interface that the client's last packet of the handshake came in on for IP_PKTOPTIONS (IPv6: its older form). */
static int
arrival_ifindex(int fd, uint8_t family)
{
	const int on = 1, off = 0, level = family == 4 ? IPPROTO_IP : IPPROTO_IPV6;
	const int ask = family == 4 ? IP_PKTINFO : IPV6_RECVPKTINFO, get = family == 4 ? IP_PKTOPTIONS : IPV6_2292PKTOPTIONS;
	union {
		struct cmsghdr align;
		char bytes[256];
	} control;
	socklen_t len = sizeof(control);
	struct msghdr msg = {.msg_control = control.bytes};
	int ifindex = 0;

	if (setsockopt(fd, level, ask, &on, sizeof(on)) != 0)
		return 0;
	if (getsockopt(fd, level, get, &control, &len) != 0)
		len = 0;
	setsockopt(fd, level, ask, &off, sizeof(off));
	msg.msg_controllen = len;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c != NULL; c = CMSG_NXTHDR(&msg, c)) {
		struct in_pktinfo v4;
		struct in6_pktinfo v6;

		if (family == 4 && c->cmsg_type == IP_PKTINFO && c->cmsg_len >= CMSG_LEN(sizeof(v4))) {
			memcpy(&v4, CMSG_DATA(c), sizeof(v4));
			ifindex = v4.ipi_ifindex;
		} else if (family == 6 && c->cmsg_type == IPV6_PKTINFO && c->cmsg_len >= CMSG_LEN(sizeof(v6))) {
			memcpy(&v6, CMSG_DATA(c), sizeof(v6));
			ifindex = (int)v6.ipi6_ifindex;
		}
	}
	return ifindex;
}

/* Before the box's own destination NAT; without any, and where nothing is tracked, it is where the connection was led to. */
static void
dialed(int fd, uint8_t family, struct policy_query *q)
{
	struct sockaddr_storage ss = {0};
	socklen_t len = sizeof(ss);
	int error =
	    family == 4 ? getsockopt(fd, IPPROTO_IP, ORIGINAL_DST, &ss, &len) : getsockopt(fd, IPPROTO_IPV6, ORIGINAL_DST, &ss, &len);

	q->dialed = q->dst;
	q->dialed_port = q->dst_port;
	if (error == 0 && ss.ss_family == (family == 4 ? AF_INET : AF_INET6))
		q->dialed = sockaddr_addr(&ss, &q->dialed_port);
}

static void
query(int fd, const struct addr *client, struct policy_query *q)
{
	struct sockaddr_storage ss = {0};
	socklen_t len = sizeof(ss);
	int ifindex;

	*q = (struct policy_query){.client = *client};
	if (getsockname(fd, (struct sockaddr *)&ss, &len) == 0)
		q->dst = sockaddr_addr(&ss, &q->dst_port);
	dialed(fd, client->family, q);
	ifindex = arrival_ifindex(fd, client->family);
	if (ifindex <= 0 || if_indextoname((unsigned)ifindex, q->ifname) == NULL)
		q->ifname[0] = '\0';
	q->own = strcmp(q->ifname, "lo") == 0;
}

/* --- limits -------------------------------------------------------------------------------- */

/* Makes room for one more of this client; false with *why when there is none to be made. */
static bool
make_room(struct gateway *gw, const struct addr *client, const char **why)
{
	const struct config *c = gw->config;

	*why = "the gateway is shutting down";
	if (gw->stopping)
		return false;
	*why = "max-connections-per-source is reached";
	if (c->max_connections_per_source != 0 && flow_count_source(gw, client) >= c->max_connections_per_source &&
	    !flow_drop_half_open(gw, client, "half-open, and its source has too many connections"))
		return false;
	*why = "max-connections is reached";
	if (gw->flows_count >= c->max_connections && !flow_drop_half_open(gw, NULL, "half-open, and others wait"))
		return false;
	if (c->max_half_open != 0 && gw->half_open_count >= c->max_half_open)
		flow_drop_half_open(gw, NULL, "half-open, and others wait");
	return true;
}

static void
refuse(struct gateway *gw, int fd, const struct policy_query *q, uint64_t *count, const char *policy, const char *why)
{
	char client[ADDR_TEXT_MAX], dst[ADDR_TEXT_MAX];
	uint64_t n = ++*count;

	if (log_may(&gw->limits.refused, "control-refused"))
		log_event(LOG_LEVEL_WARN, "control-refused", "client=%s dialed=%s port=%u ifname=%s policy=%s reason=\"%s\" count=%llu",
		    addr_text(&q->client, client), addr_text(&q->dialed, dst), q->dialed_port, q->ifname[0] != '\0' ? q->ifname : "-",
		    policy, why, (unsigned long long)n);
	trace_line(gw->trace, TRACE_WARNING, TRACE_POLICY, "client=%s dialed=%s refused by %s: %s", addr_text(&q->client, client),
	    addr_text(&q->dialed, dst), policy, why);
	flow_reset(fd);
}

/* --- in ------------------------------------------------------------------------------------------ */

static void
take_verdict(struct flow *f, const struct policy_query *q, const struct policy_verdict *v)
{
	f->client = q->client;
	f->dialed = q->dialed;
	f->dialed_port = q->dialed_port;
	f->server = v->server;
	f->server_port = v->server_port;
	memcpy(f->ifname, q->ifname, sizeof(f->ifname));
	f->own = q->own;
	f->nat64 = v->nat64;
	f->user = v->nat64 || strcmp(f->gw->datapath, "user") == 0;
	f->action = v->action;
	f->nat = v->nat;
	f->source_kind = v->source_kind;
	f->source = v->source;
	snprintf(f->policy, sizeof(f->policy), "%s", v->policy);
}

static void
let_in(struct gateway *gw, int fd, uint16_t client_port, const struct policy_query *q, const struct policy_verdict *v)
{
	struct flow *f = flow_new(gw, fd);

	if (f == NULL)
		return;
	take_verdict(f, q, v);
	f->client_port = client_port;
	flow_set_up_socket(f, fd);
	if (!flow_link(f)) {
		flow_drop(f);
		return;
	}
	gw->counters.flows++;
	flow_begin(f, FLOW_ACCEPTED);
}

static void
accepted(struct gateway *gw, int fd, const struct addr *client, uint16_t client_port)
{
	struct policy_verdict v;
	struct policy_query q;
	const char *why;

	query(fd, client, &q);
	if (!make_room(gw, client, &why)) {
		refuse(gw, fd, &q, &gw->counters.refused_limit, "limits", why);
		return;
	}
	policy_decide(gw->config, &q, &v);
	if (v.action == ACTION_PROXY)
		let_in(gw, fd, client_port, &q, &v);
	else
		refuse(gw, fd, &q, &gw->counters.refused_policy, v.policy, v.reason != NULL ? v.reason : "the policy refuses it");
}

/* The oldest half-open connection gives its descriptors. Without one, the listener would spin, so it rests until the next tick. */
static void
out_of_descriptors(struct listener *l)
{
	l->gw->counters.refused_descriptor++;
	if (flow_drop_half_open(l->gw, NULL, "half-open, and descriptors are short"))
		return;
	log_event(LOG_LEVEL_ERROR, "accept", "error=\"out of descriptors; new connections wait\"");
	event_del(l->event);
}

void
flow_on_accept(int fd, short what, void *arg)
{
	struct listener *l = arg;

	(void)what;
	for (int i = 0; i < ACCEPT_BATCH; i++) {
		struct sockaddr_storage ss;
		socklen_t len = sizeof(ss);
		struct addr client;
		uint16_t port;
		int conn_fd = accept4(fd, (struct sockaddr *)&ss, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (conn_fd >= 0) {
			client = sockaddr_addr(&ss, &port);
			accepted(l->gw, conn_fd, &client, port);
		} else if (errno == EMFILE || errno == ENFILE) {
			out_of_descriptors(l);
			return;
		} else if (errno != ECONNABORTED && errno != EINTR) {
			return;
		}
	}
}
