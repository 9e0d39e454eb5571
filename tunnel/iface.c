/* A worker's queues of interfaces, and the packets that wait at one for its session. */
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "sys/log.h"
#include "tunnel/ip.h"
#include "tunnel/worker.h"

static struct iface **
bucket(struct worker *w, uint32_t id)
{
	return &w->ifaces[id % IFACE_BUCKETS];
}

struct iface *
iface_find(const struct worker *w, uint32_t id)
{
	struct iface *i = w->ifaces[id % IFACE_BUCKETS];

	while (i != NULL && i->id != id)
		i = i->next;
	return i;
}

/* Closing a TUN waits for the kernel for 16 ms: not on the packets' time. */
static void
close_later(struct worker *w, int fd)
{
	if (!mbox_post(w->engine->reaper_box, &fd))
		close(fd);
}

void
iface_add(struct worker *w, const struct tunnel_if *config)
{
	struct iface *i = calloc(1, sizeof(*i));
	struct epoll_event event = {.events = EPOLLIN};

	if (i == NULL) {
		log_event(LOG_LEVEL_ERROR, "interface", "if=%u error=\"out of memory\"", config->id);
		close_later(w, config->fd);
		return;
	}
	i->source = (struct source){SOURCE_TUN, i};
	i->id = config->id;
	i->fd = config->fd;
	i->vnet_hdr = config->vnet_hdr;
	i->shared = config->shared;
	i->hold = config->hold;
	parcel_queue_init(&i->held);
	i->next = *bucket(w, i->id);
	*bucket(w, i->id) = i;
	event.data.ptr = &i->source;
	if (epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD, i->fd, &event) != 0)
		log_event(LOG_LEVEL_ERROR, "interface", "if=%u error=\"can't wait for its packets\"", i->id);
}

void
iface_free(struct worker *w, struct iface *i)
{
	(void)epoll_ctl(w->epoll_fd, EPOLL_CTL_DEL, i->fd, NULL);
	close_later(w, i->fd);
	parcel_queue_clear(&i->held);
	free(i);
}

static void
unbind(struct worker *w, const struct iface *i)
{
	for (size_t b = 0; b < NUMBER_BUCKETS; b++)
		for (struct session *s = w->by_number[b]; s != NULL; s = s->next)
			if (s->iface == i)
				s->iface = NULL;
}

void
iface_remove(struct worker *w, uint32_t id)
{
	struct iface **at = bucket(w, id);

	while (*at != NULL && (*at)->id != id)
		at = &(*at)->next;
	if (*at == NULL)
		return;
	struct iface *i = *at;

	*at = i->next;
	if (i->shared)
		unbind(w, i);
	else if (i->session != NULL)
		i->session->iface = NULL;
	fib_remove_if(w->fib, id);
	iface_free(w, i);
}

/* What the kernel says by itself about an interface is no reason to dial. */
static bool
is_wanted(const uint8_t *packet, size_t len)
{
	struct addr source, destination;
	struct ip_info ip;

	if (!ip_parse(&ip, packet, len))
		return false;
	source = ip_source(&ip, packet);
	destination = ip_destination(&ip, packet);
	return !ip_is_multicast(&destination) && !ip_is_link_local(&source) && !ip_is_unspecified(&source);
}

static void
ask_to_dial(struct worker *w, struct iface *i, uint64_t ts)
{
	struct tunnel_event event = {.type = TUNNEL_EVENT_DIAL, .if_id = i->id};

	if (i->session != NULL || (i->dial_ts != 0 && ts - i->dial_ts < DIAL_AGAIN_NS))
		return;
	i->dial_ts = ts;
	worker_post(w, &event);
}

void
iface_hold(struct worker *w, struct iface *i, const uint8_t *packet, size_t len, const struct virtio_net_hdr *h, uint64_t ts)
{
	struct parcel *p;

	if (!is_wanted(packet, len))
		return;
	/* The oldest goes first: who sent it has given up on it first. */
	while (i->held.count == TUNNEL_HOLD_PKTS || (i->held.count > 0 && i->held.bytes + len > HOLD_BYTES)) {
		free(parcel_take(&i->held));
		count(&w->counters.tun_no_route, 1);
	}
	p = parcel_new(packet, len, h, 0);
	if (p != NULL)
		parcel_put(&i->held, p);
	ask_to_dial(w, i, ts);
}

static bool
may_come_up(const struct session *s, uint8_t version)
{
	return version == 6 ? s->want_ipv6 && !s->ipv6_up : s->want_ipv4 && !s->ipv4_up;
}

/* IPv4 packets wait for IPCP, IPv6 ones for IPV6CP, if it was asked for: either may be the first to come up. */
void
iface_release(struct iface *i, struct session *s, uint64_t ts)
{
	size_t left = i->held.count;

	while (left-- > 0) {
		struct parcel *p = parcel_take(&i->held);

		if (may_come_up(s, p->bytes[0] >> 4)) {
			parcel_put(&i->held, p);
			continue;
		}
		tx_packet(s, p->bytes, p->len, &p->h, ts);
		free(p);
	}
}
