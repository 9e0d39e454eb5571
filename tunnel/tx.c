/* TUN to GRE: read, cut, find the session, fit, encrypt, send. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "sys/log.h"
#include "sys/tunq.h"
#include "tunnel/frag.h"
#include "tunnel/icmp.h"
#include "tunnel/mss.h"
#include "tunnel/nat.h"
#include "tunnel/segment.h"
#include "tunnel/worker.h"

static struct tx_family *
family_new(int fd, uint8_t family, bool pktinfo)
{
	struct tx_family *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return NULL;
	gresock_writer_init(&f->writer, fd, family, pktinfo);
	f->slots = malloc(sizeof(*f->slots) * GRESOCK_BATCH);
	if (f->slots != NULL)
		return f;
	free(f);
	return NULL;
}

bool
tx_init(struct worker *w)
{
	const struct tunnel_engine_config *c = &w->engine->config;

	for (unsigned f = 0; f < 2; f++) {
		int fd = c->gre_fd[w->index][f];

		if (fd < 0)
			continue;
		w->tx[f] = family_new(fd, f == 0 ? 4 : 6, c->gre_pktinfo[f]);
		if (w->tx[f] == NULL)
			return false;
	}
	w->tun_buf = malloc(TUNQ_READ_BYTES);
	return w->tun_buf != NULL;
}

void
tx_fini(struct worker *w)
{
	for (unsigned f = 0; f < 2; f++) {
		if (w->tx[f] != NULL)
			free(w->tx[f]->slots);
		free(w->tx[f]);
	}
	free(w->tun_buf);
}

static void
flush_family(struct worker *w, struct tx_family *f)
{
	unsigned failed = f->writer.count > 0 ? gresock_flush(&f->writer) : 0;

	if (failed > 0)
		count(&w->counters.tx_errors, failed);
}

void
tx_flush(struct worker *w)
{
	for (unsigned f = 0; f < 2; f++)
		if (w->tx[f] != NULL)
			flush_family(w, w->tx[f]);
}

/* --- one packet ----------------------------------------------------------------- */

/* Where the next packet of a session is made: in the slot that it will be sent from. */
static void
slot_open(struct session *s, struct pkt *p)
{
	struct tx_family *f = s->worker->tx[family_index(s->peer.family)];

	if (f->writer.count == GRESOCK_BATCH)
		flush_family(s->worker, f);
	pkt_init(p, f->slots[f->writer.count], TX_SLOT_BYTES, PKT_HEADROOM);
}

static size_t
slot_room(const struct pkt *p)
{
	return (size_t)(p->end - p->data);
}

/* Puts the GRE header in front of a frame and into the batch. */
static void
slot_send(struct session *s, struct pkt *p, uint64_t ts)
{
	size_t header = pptp_gre_tx(s->gre, p->data, (uint16_t)p->len, ts);
	struct tx_family *f = s->worker->tx[family_index(s->peer.family)];

	gresock_push(&f->writer, p->data - header, p->len + header, &s->local, &s->peer);
}

static void
send_ip(struct session *s, struct pkt *p, uint8_t version, uint64_t ts)
{
	size_t len = p->len;

	if (!ppp_link_tx(s->link, p, version == 4 ? PPP_PROTO_IP : PPP_PROTO_IPV6, ts)) {
		count(&s->counters->dropped_queue, 1);
		return;
	}
	slot_send(s, p, ts);
	count(&s->counters->tx_pkts, 1);
	count(&s->counters->tx_bytes, len);
}

static bool
must_queue(struct session *s, uint64_t ts)
{
	return s->windowed && (s->queue.count > 0 || !pptp_gre_may_send(s->gre, ts));
}

/* The peer's window is closed: the packet waits, within bounds. */
static void
enqueue(struct session *s, const struct pkt *p)
{
	static const struct virtio_net_hdr plain;
	struct parcel *copy = s->queue.count < SESSION_QUEUE ? parcel_new(p->data, p->len, &plain, s->call_id) : NULL;

	if (copy == NULL)
		count(&s->counters->dropped_queue, 1);
	else
		parcel_put(&s->queue, copy);
}

void
tx_queued(struct session *s, uint64_t ts)
{
	struct parcel *copy;
	struct pkt p;

	while (s->queue.count > 0 && pptp_gre_may_send(s->gre, ts) && (copy = parcel_take(&s->queue)) != NULL) {
		slot_open(s, &p);
		memcpy(p.data, copy->bytes, copy->len);
		p.len = copy->len;
		send_ip(s, &p, copy->bytes[0] >> 4, ts);
		free(copy);
	}
}

/* A whole IP packet that fits, in its slot. */
static void
finish_ip(struct session *s, struct pkt *p, const struct ip_info *ip, uint64_t ts)
{
	if (s->nat_inside.family == 4)
		nat_source(ip, p->data, s->nat_inside.bytes, s->local_v4.bytes);
	mss_clamp(ip, p->data, ip->version == 4 ? s->mss_v4 : s->mss_v6);
	if (must_queue(s, ts))
		enqueue(s, p);
	else
		send_ip(s, p, ip->version, ts);
}

void
tx_own(struct session *s, const uint8_t *packet, size_t len, uint64_t ts)
{
	struct pkt p;

	slot_open(s, &p);
	memcpy(p.data, packet, len);
	p.len = len;
	if (ppp_link_tx(s->link, &p, PPP_PROTO_IPV6, ts))
		slot_send(s, &p, ts);
}

/* --- what does not fit ------------------------------------------------------------- */

static void
tell_too_big(struct session *s, const struct ip_info *ip, const uint8_t *packet)
{
	static const struct virtio_net_hdr plain;
	uint8_t buf[ICMP_ERROR_MAX];
	struct iovec iov[2] = {{0}, {buf, 0}};

	iov[1].iov_len = icmp_too_big(buf, ip, packet, s->mtu, ip->version == 4 ? &s->peer_v4 : &s->peer_v6);
	if (iov[1].iov_len > 0 && s->iface != NULL)
		(void)tunq_write(s->iface->fd, s->iface->vnet_hdr, &plain, iov, 2);
	count(&s->counters->dropped_queue, 1);
}

/* packet: whole, its checksum finished. */
static void
send_fragments(struct session *s, const struct ip_info *ip, const uint8_t *packet, uint64_t ts)
{
	struct fragmenter f;
	struct pkt p;

	if (!frag_init(&f, ip, packet, s->mtu)) {
		tell_too_big(s, ip, packet);
		return;
	}
	for (;;) {
		struct ip_info part;

		slot_open(s, &p);
		p.len = frag_next(&f, p.data, slot_room(&p));
		if (p.len == 0 || !ip_parse(&part, p.data, p.len))
			return;
		finish_ip(s, &p, &part, ts);
	}
}

static void
send_too_big(struct session *s, struct segmenter *sg, uint64_t ts)
{
	uint8_t *whole;

	if (sg->ip.dont_fragment || sg->gso_size > 0 || (whole = malloc(sg->ip.length)) == NULL) {
		tell_too_big(s, &sg->ip, sg->packet);
		return;
	}
	if (segment_next(sg, whole, sg->ip.length) > 0)
		send_fragments(s, &sg->ip, whole, ts);
	free(whole);
}

/* Our own GRE, which a route leads into the tunnel that it comes from (the way to the server was lost): it would go round, a packet more
 * each time, until the sequence numbers say nothing any more, and MPPE never finds its place again. */
static bool
is_own_gre(const struct session *s, const struct ip_info *ip, const uint8_t *packet)
{
	struct addr source, destination;

	if (ip->proto != IP_PROTO_GRE)
		return false;
	source = ip_source(ip, packet);
	destination = ip_destination(ip, packet);
	return addr_equal(&source, &s->local) && addr_equal(&destination, &s->peer);
}

void
tx_packet(struct session *s, const uint8_t *packet, size_t len, const struct virtio_net_hdr *h, uint64_t ts)
{
	struct segmenter sg;
	struct pkt p;

	if (!segment_init(&sg, packet, len, h) || !(sg.ip.version == 4 ? s->ipv4_up : s->ipv6_up) || is_own_gre(s, &sg.ip, packet)) {
		count(&s->counters->dropped_queue, 1);
		return;
	}
	set(&s->counters->last_tx_ts, ts);
	worker_touch(s->worker, s);
	if (segment_max(&sg) > s->mtu) {
		send_too_big(s, &sg, ts);
		return;
	}
	for (;;) {
		struct ip_info ip = sg.ip;

		slot_open(s, &p);
		p.len = segment_next(&sg, p.data, slot_room(&p));
		if (p.len == 0)
			return;
		ip.length = p.len;
		finish_ip(s, &p, &ip, ts);
	}
}

/* --- control frames ----------------------------------------------------------------- */

void
tx_control(struct session *s, uint64_t ts)
{
	struct tx_family *f = s->worker->tx[family_index(s->peer.family)];
	struct pkt p;

	for (;;) {
		slot_open(s, &p);
		p.len = ppp_link_output(s->link, p.data, slot_room(&p));
		if (p.len == 0)
			break;
		slot_send(s, &p, ts);
	}
	p.len = pptp_gre_ack(s->gre, p.data, ts);
	if (p.len > 0)
		gresock_push(&f->writer, p.data, p.len, &s->local, &s->peer);
}

/* --- interfaces ----------------------------------------------------------------------- */

static void
hand_over(struct worker *w, unsigned to, uint16_t call_id, const uint8_t *packet, size_t len, const struct virtio_net_hdr *h)
{
	struct parcel *p = parcel_new(packet, len, h, call_id);

	if (p != NULL && mbox_post(w->engine->workers[to]->hand_over, &p)) {
		count(&w->counters.tun_handed_over, 1);
		return;
	}
	free(p);
	count(&w->counters.tun_no_route, 1);
}

void
tx_handed_over(struct worker *w, uint64_t ts)
{
	struct parcel *p;

	for (unsigned i = 0; i < HAND_OVER_PKTS && mbox_take(w->hand_over, &p); i++) {
		struct session *s = session_of_call(w, p->call_id);

		if (s != NULL && !s->down)
			tx_packet(s, p->bytes, p->len, &p->h, ts);
		else
			count(&w->counters.tun_no_route, 1);
		free(p);
	}
}

static void
from_shared(struct worker *w, struct iface *i, const uint8_t *packet, size_t len, const struct virtio_net_hdr *h, uint64_t ts)
{
	struct ip_info ip;
	struct addr destination;
	struct session *s;
	unsigned owner;
	int call_id;

	if (!ip_parse(&ip, packet, len))
		return;
	destination = ip_destination(&ip, packet);
	call_id = fib_lookup(w->fib, i->id, &destination);
	if (call_id < 0) {
		/* The kernel's own noise about the interface (multicast) is nobody's lost packet. */
		if (!ip_is_multicast(&destination))
			count(&w->counters.tun_no_route, 1);
		return;
	}
	owner = (unsigned)call_id % w->engine->config.workers;
	if (owner != w->index) {
		hand_over(w, owner, (uint16_t)call_id, packet, len, h);
		return;
	}
	s = session_of_call(w, (uint16_t)call_id);
	if (s != NULL && !s->down)
		tx_packet(s, packet, len, h, ts);
	else
		count(&w->counters.tun_no_route, 1);
}

static bool
carries(const struct session *s, uint8_t version)
{
	return s != NULL && !s->down && (version == 4 ? s->ipv4_up : s->ipv6_up);
}

static void
from_tun(struct worker *w, struct iface *i, const uint8_t *packet, size_t len, const struct virtio_net_hdr *h, uint64_t ts)
{
	if (i->shared)
		from_shared(w, i, packet, len, h, ts);
	else if (carries(i->session, packet[0] >> 4))
		tx_packet(i->session, packet, len, h, ts);
	else if (i->hold)
		iface_hold(w, i, packet, len, h, ts);
	else
		count(&w->counters.tun_no_route, 1);
}

/* Somebody deleted it. */
static void
interface_lost(struct worker *w, const struct iface *i)
{
	struct tunnel_event event = {.type = TUNNEL_EVENT_IF_LOST, .if_id = i->id};

	log_event(LOG_LEVEL_WARN, "interface", "if=%u error=\"%s\"", i->id, strerror(errno));
	epoll_ctl(w->epoll_fd, EPOLL_CTL_DEL, i->fd, NULL);
	worker_post(w, &event);
}

void
tx_from_tun(struct worker *w, struct iface *i, uint64_t ts)
{
	for (unsigned n = 0; n < TUN_READS; n++) {
		struct virtio_net_hdr h;
		uint8_t *packet;
		ssize_t len = tunq_read(i->fd, i->vnet_hdr, w->tun_buf, &packet, &h);

		if (len < 0) {
			interface_lost(w, i);
			return;
		}
		if (len == 0)
			return;
		from_tun(w, i, packet, (size_t)len, &h, ts);
	}
}
