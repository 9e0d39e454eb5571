/* From a wish to a control connection: the interface, the server's name, its address, TCP. */
#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/timerheap.h"
#include "pptpc/client.h"
#include "pptpc/resolve.h"
#include "sys/clock.h"
#include "sys/log.h"
#include "tunnel/control.h"

static const char *const state_names[] = {
    [DIAL_DOWN] = "down",
    [DIAL_STANDBY] = "standby",
    [DIAL_RESOLVE] = "resolving",
    [DIAL_CONNECT] = "connecting",
    [DIAL_CALL] = "calling",
    [DIAL_LINK] = "negotiating",
    [DIAL_UP] = "up",
    [DIAL_HANGUP] = "hanging-up",
    [DIAL_WAIT] = "waiting",
};

const char *
dial_state_name(enum dial_state state)
{
	return state_names[state];
}

static struct timeval
tv_of(uint64_t ns)
{
	return (struct timeval){.tv_sec = (time_t)(ns / 1000000000), .tv_usec = (suseconds_t)(ns % 1000000000 / 1000)};
}

void
dial_arm(struct dial *d, uint64_t ns)
{
	struct timeval tv = tv_of(ns);

	if (ns == 0)
		event_del(d->timer);
	else
		event_add(d->timer, &tv);
}

/* What a person in front of it is told when a state begins. */
static void
say_state(const struct dial *d)
{
	const struct client *c = d->client;
	char text[ADDR_TEXT_MAX];

	if (d->state == DIAL_STANDBY)
		client_say(c, "Waiting for a packet that wants through the tunnel.");
	else if (d->state == DIAL_RESOLVE)
		client_say(c, "Looking up %s ...", servers_name(&d->servers));
	else if (d->state == DIAL_CONNECT)
		client_say(c, "Connecting to %s port %u ...", addr_text(&d->server, text), d->profile->port);
	else if (d->state == DIAL_CALL)
		client_say(c, "The server answers; asking for a call ...");
	else if (d->state == DIAL_LINK)
		client_say(c, "The call is up; negotiating PPP over GRE ...");
}

void
dial_set_state(struct dial *d, enum dial_state state)
{
	if (d->state == state)
		return;
	log_event(LOG_LEVEL_DEBUG, "state", "tunnel=%s from=%s to=%s", d->profile->name, state_names[d->state], state_names[state]);
	d->state = state;
	dial_arm(d, 0);
	say_state(d);
}

/* --- time ---------------------------------------------------------------------------- */

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct dial *d = arg;

	(void)fd;
	(void)what;
	if (d->state == DIAL_HANGUP)
		dial_hangup_timeout(d);
	else if (d->state == DIAL_WAIT && d->profile->demand && d->was_up && !d->waiting)
		dial_stand_by(d);
	else if (d->state == DIAL_WAIT)
		dial_attempt(d);
	else if (d->state == DIAL_LINK)
		dial_settle(d);
}

static uint64_t
last_traffic(const struct dial *d)
{
	uint64_t last = d->up_ts, rx, tx;

	if (d->counters == NULL)
		return last;
	rx = atomic_load_explicit(&d->counters->last_rx_ts, memory_order_relaxed);
	tx = atomic_load_explicit(&d->counters->last_tx_ts, memory_order_relaxed);
	last = rx > last ? rx : last;
	return tx > last ? tx : last;
}

uint64_t
dial_idle_ns(const struct dial *d, uint64_t now)
{
	uint64_t last = last_traffic(d);

	return now > last ? now - last : 0;
}

/* LCP, then the network protocols and encryption: each begins to count anew when the server refuses, and a server that always agrees but
 * wants what it can't have keeps that up for ever. */
static uint64_t
negotiation_max_ns(const struct profile *p)
{
	const struct ppp_link_config *link = &p->tunnel.link;

	return link->auth_timeout_ns + 6 * link->max_configure * link->restart_ns;
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct dial *d = arg;
	uint64_t now = clock_ts();

	(void)fd;
	(void)what;
	if (d->state == DIAL_LINK && now - d->link_ts >= negotiation_max_ns(d->profile))
		dial_hangup_kind(d, TROUBLE_ENDLESS, NULL);
	if (d->state != DIAL_UP)
		return;
	if (d->profile->session_ns != 0 && now - d->up_ts >= d->profile->session_ns)
		dial_hangup_kind(d, TROUBLE_SESSION_TIMEOUT, NULL);
	else if (d->profile->idle_ns != 0 && dial_idle_ns(d, now) >= d->profile->idle_ns)
		dial_hangup_kind(d, TROUBLE_IDLE, NULL);
}

/* --- TCP -------------------------------------------------------------------------------- */

static void
trace_message(void *user, bool sent, const struct pptp_msg *msg)
{
	const struct dial *d = user;
	char line[512];

	log_event(
	    LOG_LEVEL_TRACE, "pptp", "tunnel=%s %s %s", d->profile->name, sent ? "send" : "recv", pptp_msg_text(line, sizeof(line), msg));
}

static void
conn_config(struct dial *d, struct pptp_conn_config *config)
{
	pptp_conn_config_init(config);
	tunnel_options_conn(&d->profile->tunnel, config);
	config->call_ids = d->client->call_ids;
	config->max_calls = 1;
	if (d->profile->tunnel.host_name[0] == '\0')
		config->host_name = d->client->host_name;
	config->start_timeout_ns = config->reply_timeout_ns;
	if (d->client->trace) {
		config->trace = trace_message;
		config->trace_user = d;
	}
}

/* A request to the monitor that belongs to one attempt. */
struct ticket {
	struct dial *dial;
	unsigned attempt;
};

/* What is bound to must be there; it may come later. */
static struct trouble
no_socket(const struct dial *d, int error)
{
	char text[128], at[ADDR_TEXT_MAX];

	if (error == ENODEV && d->profile->bind_interface[0] != '\0')
		snprintf(text, sizeof(text), "there is no interface %s (bind-interface)", d->profile->bind_interface);
	else if (error == EADDRNOTAVAIL && d->profile->bind_address.family != 0)
		snprintf(text, sizeof(text), "%s is no address of this machine (bind-address)", addr_text(&d->profile->bind_address, at));
	else
		return trouble_from_tcp(error);
	return trouble_make(TROUBLE_LOCAL, text);
}

static void
on_socket(void *user, const struct priv_reply *reply, const int *fds)
{
	struct ticket ticket = *(struct ticket *)user;
	struct dial *d = ticket.dial;
	struct pptp_conn_config config;
	bool current = ticket.attempt == d->attempt && d->state == DIAL_CONNECT;

	free(user);
	if (!current) {
		if (reply->error == 0 && reply->fds == 1)
			close(fds[0]);
		return;
	}
	if (reply->error != 0 || reply->fds != 1) {
		struct trouble t = no_socket(d, reply->error != 0 ? reply->error : EIO);

		dial_hangup(d, &t);
		return;
	}
	conn_config(d, &config);
	d->control = control_connect(
	    d->client->base, fds[0], &d->server, (uint16_t)d->profile->port, d->profile->connect_ns, &config, &dial_control_ops, d);
	if (d->control == NULL)
		dial_hangup_kind(d, TROUBLE_MEMORY, NULL);
}

static bool
ask_socket(struct dial *d)
{
	struct priv_request request = {.type = PRIV_TCP_SOCKET};
	struct ticket *ticket = malloc(sizeof(*ticket));

	if (ticket == NULL)
		return false;
	*ticket = (struct ticket){.dial = d, .attempt = d->attempt};
	request.tcp.bind = d->profile->bind_address;
	if (request.tcp.bind.family != d->server.family)
		request.tcp.bind = (struct addr){.family = d->server.family};
	request.tcp.mark = d->profile->mark;
	memcpy(request.tcp.ifname, d->profile->bind_interface, sizeof(request.tcp.ifname));
	if (priv_send(d->client->priv, &request, on_socket, ticket) == 0)
		return true;
	free(ticket);
	return false;
}

static void
connect_next(struct dial *d)
{
	d->server = servers_addr(&d->servers);
	dial_set_state(d, DIAL_CONNECT);
	/* The monitor works in order: the route is there before the socket comes. */
	hostroute_place(d, &d->server);
	if (!ask_socket(d))
		dial_hangup_kind(d, TROUBLE_MEMORY, NULL);
}

/* --- the name ------------------------------------------------------------------------------ */

static void
on_resolved(void *user, int error, const struct addr *addrs, size_t count)
{
	struct dial *d = user;
	struct trouble t;

	d->resolve = NULL;
	if (error == 0 && servers_resolved(&d->servers, addrs, count)) {
		connect_next(d);
		return;
	}
	if (error == RESOLVE_TIMEOUT)
		t = trouble_make(TROUBLE_NAME_TIMEOUT, NULL);
	else
		t = error == 0 ? trouble_make(TROUBLE_NAME_FAMILY, NULL) : trouble_from_lookup(error);
	if (error != 0 && servers_use_known(&d->servers)) {
		log_event(LOG_LEVEL_WARN, "resolve", "tunnel=%s server=%s result=%s using=earlier-addresses", d->profile->name,
		    servers_name(&d->servers), trouble_word(t.kind));
		connect_next(d);
		return;
	}
	dial_hangup(d, &t);
}

void
dial_attempt(struct dial *d)
{
	d->attempt++;
	d->was_up = false;
	d->no_gre = d->identified = false;
	d->prefix = (struct prefix){.len = 0};
	d->trouble = (struct trouble){.kind = TROUBLE_NONE};
	d->waiting = false;
	resolve_cancel(d->resolve);
	d->resolve = NULL;
	if (servers_addr(&d->servers).family != 0) {
		connect_next(d);
		return;
	}
	dial_set_state(d, DIAL_RESOLVE);
	d->resolve = resolve_start(d->client->base, servers_name(&d->servers), d->profile->connect_ns, on_resolved, d);
	if (d->resolve == NULL)
		dial_hangup_kind(d, TROUBLE_MEMORY, NULL);
}

/* --- wishes ---------------------------------------------------------------------------------- */

/* Before the routes go in: with a default route that dials, a question to a name server would itself wait for the tunnel. */
static void
on_known(void *user, int error, const struct addr *addrs, size_t count)
{
	struct dial *d = user;

	d->resolve = NULL;
	if (error == 0)
		servers_resolved(&d->servers, addrs, count);
	servers_restart(&d->servers);
	netif_open(d);
}

void
dial_stand_by(struct dial *d)
{
	servers_restart(&d->servers);
	dial_set_state(d, DIAL_STANDBY);
	if (d->waiting) {
		dial_attempt(d);
		return;
	}
	if (d->netif.ifindex != 0)
		return;
	d->resolve = resolve_start(d->client->base, servers_name(&d->servers), TS_S(5), on_known, d);
	if (d->resolve == NULL)
		netif_open(d);
}

void
dial_start(struct dial *d)
{
	d->restart = d->state == DIAL_HANGUP;
	d->wanted = true;
	if (d->state == DIAL_WAIT || d->state == DIAL_STANDBY) {
		dial_attempt(d);
		return;
	}
	if (d->state != DIAL_DOWN)
		return;
	backoff_reset(&d->backoff);
	servers_restart(&d->servers);
	if (d->profile->demand)
		dial_stand_by(d);
	else
		dial_attempt(d);
}

void
dial_stop(struct dial *d)
{
	d->wanted = d->restart = false;
	if (d->state != DIAL_DOWN)
		dial_hangup_kind(d, TROUBLE_STOPPED, NULL);
}

void
dial_netif_ready(struct dial *d, int error)
{
	if (error != 0) {
		char text[128];

		snprintf(text, sizeof(text), "the interface %s can't be made: %s", d->profile->interface, strerror(error));
		dial_hangup_kind(d, TROUBLE_LOCAL, text);
		return;
	}
	if (!d->wanted) {
		netif_close(d);
		return;
	}
	netif_update(d);
	if (d->state == DIAL_LINK && d->network)
		dial_bind(d);
}

int
dial_init(struct dial *d, struct client *c, unsigned index)
{
	const struct profile *p = &c->config->tunnels[index];
	const struct timeval second = {.tv_sec = 1};

	*d = (struct dial){.client = c, .profile = p, .index = index};
	servers_init(&d->servers, &p->servers, (enum profile_family)p->family);
	d->timer = evtimer_new(c->base, on_timer, d);
	d->tick = event_new(c->base, -1, EV_PERSIST, on_tick, d);
	if (d->timer == NULL || d->tick == NULL || event_add(d->tick, &second) != 0)
		return -1;
	return 0;
}

void
dial_fini(struct dial *d)
{
	resolve_cancel(d->resolve);
	if (d->control != NULL)
		control_free(d->control);
	if (d->timer != NULL)
		event_free(d->timer);
	if (d->tick != NULL)
		event_free(d->tick);
	free(d->counters);
}
