/* GRE to TUN: receive, order, decrypt, check, join, write. */
#include <stdlib.h>

#include "sys/tunq.h"
#include "tunnel/ip.h"
#include "tunnel/mss.h"
#include "tunnel/nat.h"
#include "tunnel/worker.h"

/* --- buffers ---------------------------------------------------------------------- */

static struct pktbuf *
pool_take(struct worker *w)
{
	struct pktbuf *b = w->pool;

	if (b != NULL) {
		w->pool = b->next;
		return b;
	}
	if (w->pool_made == POOL_SPARE)
		return NULL;
	b = malloc(sizeof(*b));
	if (b != NULL)
		w->pool_made++;
	return b;
}

static void
pool_put(struct worker *w, struct pktbuf *b)
{
	b->next = w->pool;
	w->pool = b;
}

/* A buffer that left its batch because it is held is delivered: its memory is in use until the flush. */
static void
retire(struct worker *w, struct pktbuf *b)
{
	b->next = w->done;
	w->done = b;
}

void
rx_flush(struct worker *w)
{
	coalesce_flush(&w->coalescer);
	while (w->done != NULL) {
		struct pktbuf *b = w->done;

		w->done = b->next;
		pool_put(w, b);
	}
}

static void
write_to_tun(void *user, void *to, const struct virtio_net_hdr *h, struct iovec *iov, unsigned iovcnt, unsigned segments)
{
	const struct iface *i = to;

	(void)user;
	(void)segments;
	/* An interface that is down refuses packets, as a wire that is unplugged would lose them. */
	(void)tunq_write(i->fd, i->vnet_hdr, h, iov, iovcnt);
}

static struct rx_family *
family_new(int fd, uint8_t family)
{
	struct rx_family *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return NULL;
	gresock_reader_init(&f->reader, fd, family);
	for (unsigned i = 0; i < GRESOCK_BATCH; i++) {
		f->bufs[i] = malloc(sizeof(*f->bufs[i]));
		if (f->bufs[i] == NULL)
			return f; /* rx_init() sees it */
	}
	return f;
}

bool
rx_init(struct worker *w)
{
	coalesce_init(&w->coalescer, write_to_tun, w);
	for (unsigned f = 0; f < 2; f++) {
		int fd = w->engine->config.gre_fd[w->index][f];

		if (fd < 0)
			continue;
		w->rx[f] = family_new(fd, f == 0 ? 4 : 6);
		if (w->rx[f] == NULL || w->rx[f]->bufs[GRESOCK_BATCH - 1] == NULL)
			return false;
	}
	return true;
}

void
rx_fini(struct worker *w)
{
	for (unsigned f = 0; f < 2; f++) {
		for (unsigned i = 0; w->rx[f] != NULL && i < GRESOCK_BATCH; i++)
			free(w->rx[f]->bufs[i]);
		free(w->rx[f]);
	}
	while (w->done != NULL) {
		struct pktbuf *b = w->done;

		w->done = b->next;
		free(b);
	}
	while (w->pool != NULL) {
		struct pktbuf *b = w->pool;

		w->pool = b->next;
		free(b);
	}
}

/* --- inner packets ------------------------------------------------------------------ */

static bool
source_allowed(const struct session *s, const struct addr *source)
{
	if (s->sources_count == 0)
		return true;
	for (unsigned i = 0; i < s->sources_count; i++)
		if (prefix_contains(&s->sources[i], source))
			return true;
	return false;
}

/* Packets of the link itself; on a shared interface nobody could tell whose link-local addresses they are about. */
static bool
is_links_own(struct session *s, const struct ip_info *ip, const uint8_t *packet, const struct addr *source, uint64_t ts)
{
	if (ip->version != 6 || !(ip_is_link_local(source) || ip_is_unspecified(source)))
		return false;
	return nd_rx(s, ip, packet, ts) || s->iface->shared || ip_is_unspecified(source);
}

static void
rx_bad(struct session *s)
{
	s->own_bad++;
	count(&s->counters->dropped_bad, 1);
}

static void
rx_ip(struct session *s, uint8_t version, uint8_t *packet, size_t len, uint64_t ts)
{
	struct ip_info ip;
	struct addr source;

	if (s->iface == NULL || !ip_parse(&ip, packet, len) || ip.version != version) {
		rx_bad(s);
		return;
	}
	source = ip_source(&ip, packet);
	if (is_links_own(s, &ip, packet, &source, ts))
		return;
	if (!ip_is_link_local(&source) && !source_allowed(s, &source)) {
		count(&s->counters->dropped_spoofed, 1);
		return;
	}
	count(&s->counters->rx_pkts, 1);
	count(&s->counters->rx_bytes, ip.length);
	set(&s->counters->last_rx_ts, ts);
	if (s->nat_inside.family == 4)
		nat_destination(&ip, packet, s->local_v4.bytes, s->nat_inside.bytes);
	mss_clamp(&ip, packet, version == 4 ? s->mss_v4 : s->mss_v6);
	coalesce_add(&s->worker->coalescer, s->iface, s->iface->vnet_hdr, &ip, packet);
}

/* PPP counts its own drops. */
static void
copy_drops(struct session *s)
{
	struct ppp_bundle_info info;

	if (s->bundle == NULL)
		return;
	ppp_bundle_info(s->bundle, &info);
	set(&s->counters->dropped_clear, info.rx_clear_dropped);
	set(&s->counters->dropped_bad, s->own_bad + info.rx_bad + info.rx_unexpected);
	set(&s->counters->mppe_resets, info.mppe_resets);
}

static void
rx_frame(struct session *s, uint8_t *frame, size_t framelen, uint64_t ts)
{
	uint8_t *payload;
	size_t len;

	if (s->down)
		return;
	switch (ppp_link_rx(s->link, frame, framelen, ts, &payload, &len)) {
	case PPP_RX_IP:
		rx_ip(s, 4, payload, len, ts);
		break;
	case PPP_RX_IPV6:
		rx_ip(s, 6, payload, len, ts);
		break;
	case PPP_RX_DROP:
		copy_drops(s);
		break;
	case PPP_RX_CONTROL:
		break;
	}
}

/* --- GRE ------------------------------------------------------------------------------ */

void
rx_held(struct session *s, uint64_t ts)
{
	struct pktbuf *b;

	while ((b = pptp_gre_next(s->gre, ts)) != NULL) {
		rx_frame(s, b->payload, b->len, ts);
		retire(s->worker, b);
	}
}

void
rx_drain(struct session *s, uint64_t ts)
{
	struct pktbuf *b;

	while ((b = pptp_gre_drain(s->gre)) != NULL) {
		rx_frame(s, b->payload, b->len, ts);
		retire(s->worker, b);
	}
}

void
rx_discard(struct session *s)
{
	struct pktbuf *b;

	while ((b = pptp_gre_drain(s->gre)) != NULL)
		retire(s->worker, b);
}

/* A held buffer is replaced in its batch. When the pool is empty, the session that wants to hold gives up waiting, so that no
 * session takes buffers from the others: what it holds is delivered. */
static struct pktbuf *
replace(struct session *s, uint64_t ts)
{
	struct worker *w = s->worker;
	struct pktbuf *b = pool_take(w);

	if (b != NULL)
		return b;
	rx_drain(s, ts);
	rx_flush(w);
	return pool_take(w);
}

static struct session *
session_of(struct worker *w, const struct pptp_gre_header *h, const struct addr *source)
{
	struct session *s = session_of_call(w, h->call_id);

	if (s == NULL) {
		count(&w->counters.gre_unknown_call, 1);
		return NULL;
	}
	if (!addr_equal(source, &s->peer)) {
		count(&w->counters.gre_wrong_source, 1);
		return NULL;
	}
	return s;
}

/* Returns the buffer for the next batch: the same one, unless it is held. */
static struct pktbuf *
rx_gre(struct worker *w, struct pktbuf *b, uint8_t *gre, size_t grelen, const struct addr *source, uint64_t ts)
{
	struct pptp_gre_header h;
	struct session *s;

	if (pptp_gre_decode(&h, gre, grelen) != PPTP_OK) {
		count(&w->counters.gre_bad, 1);
		return b;
	}
	s = session_of(w, &h, source);
	if (s == NULL || s->down)
		return b;
	count(&s->counters->gre_rx, 1);
	worker_touch(w, s);
	session_start(s, ts);
	b->payload = gre + h.header_length;
	b->len = h.payload_length;
	switch (pptp_gre_rx(s->gre, &h, b, ts)) {
	case PPTP_GRE_DELIVER:
		rx_frame(s, b->payload, b->len, ts);
		break;
	case PPTP_GRE_HELD:
		b = replace(s, ts);
		break;
	case PPTP_GRE_ACK_ONLY:
	case PPTP_GRE_DROP:
		break;
	}
	rx_held(s, ts);
	return b;
}

unsigned
rx_batch(struct worker *w, unsigned family, uint64_t ts)
{
	struct rx_family *f = w->rx[family];
	unsigned n, max = 0;

	while (max < GRESOCK_BATCH && (f->bufs[max] != NULL || (f->bufs[max] = pool_take(w)) != NULL)) {
		f->bytes[max] = f->bufs[max]->bytes;
		max++;
	}
	n = max > 0 ? gresock_recv(&f->reader, f->bytes, PKTBUF_BYTES, max) : 0;
	for (unsigned i = 0; i < n; i++) {
		struct addr source;
		uint8_t *gre;
		size_t grelen;

		if (gresock_packet(&f->reader, i, &gre, &grelen, &source))
			f->bufs[i] = rx_gre(w, f->bufs[i], gre, grelen, &source, ts);
		else
			count(&w->counters.gre_bad, 1);
	}
	rx_flush(w);
	return n;
}
