/* Inside of the data plane: a worker's thread and what it owns. Nothing here is shared between threads but the engine's mailboxes
 * and the counters. */
#ifndef TUNNEL_WORKER_H
#define TUNNEL_WORKER_H

#include <linux/virtio_net.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/timerheap.h"
#include "sys/gresock.h"
#include "sys/mbox.h"
#include "tunnel/coalesce.h"
#include "tunnel/engine.h"
#include "tunnel/fib.h"

enum {
	PKTBUF_BYTES = 2048,  /* of a received packet, outer IP header included: longer ones are cut and dropped */
	TX_SLOT_BYTES = 2048, /* of a packet to send, headroom included */
	POOL_SPARE = 4096,    /* buffers that may be held by reordering, all sessions of a worker together */
	NUMBER_BUCKETS = 4096,
	IFACE_BUCKETS = 1024,
	SESSION_QUEUE = 64,    /* packets that wait for the sliding window */
	HOLD_BYTES = 1 << 20,  /* held at an interface without session */
	HAND_OVER_PKTS = 1024, /* between two workers */
	TUN_READS = 8,         /* of one interface in one turn */
	COMMANDS_PER_TURN = 256,
	EPOLL_EVENTS = 64,
};

#define CLOSE_NS TS_S(2) /* for LCP's Terminate-Ack */
#define DIAL_AGAIN_NS TS_S(10)
#define RA_DELAY_NS TS_S(3) /* between answers to solicitations, RFC 4861 section 10 */

/* A received packet. Its struct stays with it while a GRE session holds it for its order. */
struct pktbuf {
	struct pktbuf *next;
	uint8_t *payload; /* behind the GRE header */
	size_t len;
	uint8_t bytes[PKTBUF_BYTES];
};

/* A copied packet from a TUN: held, queued or handed over. */
struct parcel {
	struct parcel *next;
	uint16_t call_id;
	struct virtio_net_hdr h;
	uint32_t len;
	uint8_t bytes[];
};

struct parcel_queue {
	struct parcel *head;
	struct parcel **tail;
	size_t count, bytes;
};

enum source_kind { SOURCE_GRE, SOURCE_TUN, SOURCE_COMMANDS, SOURCE_HAND_OVER };

/* What epoll gives back. */
struct source {
	enum source_kind kind;
	void *object;
};

struct session;

struct iface {
	struct source source;
	struct iface *next; /* in its bucket */
	uint32_t id;
	int fd;
	bool vnet_hdr, shared, hold;
	struct session *session; /* of an interface that is not shared */
	struct parcel_queue held;
	uint64_t dial_ts; /* of the last TUNNEL_EVENT_DIAL; 0: none since a session was bound */
};

struct session {
	struct session *next; /* in its bucket by number */
	struct session *next_touched;
	bool touched; /* is in the worker's list */
	bool down;    /* to be freed at the end of the turn */
	bool said_no_gre;
	bool windowed;
	bool peer_known; /* its call id: GRE can be sent */
	bool opened;     /* the link is */
	bool listening;  /* the call is gone, but why may still be heard */
	uint64_t number;
	uint16_t call_id;
	struct addr local, peer;
	struct pptp_gre_session *gre;
	struct ppp_link *link;
	struct ppp_bundle *bundle;
	struct tunnel_counters *counters;
	struct worker *worker;
	struct theap_node timer;
	uint64_t no_gre_ns;
	uint64_t no_gre_ts, close_ts, nd_ts; /* TS_NEVER: off */
	uint64_t own_bad;                    /* malformed inner packets; counters->dropped_bad has PPP's too */
	struct parcel_queue queue;

	/* From TUNNEL_SESSION_BIND. */
	struct iface *iface;
	uint16_t mss_max;
	uint8_t sources_count;
	bool accept_ra;
	struct prefix sources[8];
	struct prefix ra;
	struct addr ra_dns[2];
	struct addr nat_inside;
	bool want_ipv4, want_ipv6;

	/* As agreed with the peer, kept up to date. */
	bool ipv4_up, ipv6_up;
	uint16_t mss_v4, mss_v6;
	uint32_t mtu;
	struct addr local_v4, peer_v4, peer_v6;
	uint8_t local_ifid[8];
	uint8_t nd_left; /* solicitations, or quick advertisements, to go */
	uint64_t ra_sent_ts;
	struct prefix heard_ra; /* what was told with TUNNEL_EVENT_PREFIX, and when */
	uint64_t heard_ts;
};

/* Sending, one family. */
struct tx_family {
	struct gresock_writer writer;
	uint8_t (*slots)[TX_SLOT_BYTES]; /* GRESOCK_BATCH; NULL: no socket */
};

struct rx_family {
	struct gresock_reader reader;
	struct pktbuf *bufs[GRESOCK_BATCH];
	uint8_t *bytes[GRESOCK_BATCH];
};

struct worker {
	struct tunnel_engine *engine;
	struct tunnel_counters nobodys; /* of sessions that are closed but not freed yet */
	unsigned index;
	pthread_t thread;
	bool running;
	bool stop;
	int epoll_fd;
	struct mbox *commands;
	struct mbox *hand_over; /* struct parcel * */
	struct source gre_source[2], commands_source, hand_over_source;
	struct rx_family *rx[2]; /* NULL: no socket */
	struct tx_family *tx[2];
	struct pktbuf *pool; /* free buffers */
	unsigned pool_made;  /* beyond the receive batches' own */
	struct pktbuf *done; /* delivered from a reorder buffer, in use until the coalescer is flushed */
	unsigned last_batch; /* packets of the last GRE batch of the turn */
	struct coalescer coalescer;
	struct fib *fib;
	struct session **by_call; /* index: call id / workers */
	struct session *by_number[NUMBER_BUCKETS];
	struct iface *ifaces[IFACE_BUCKETS];
	struct session *touched;
	struct theap timers;
	struct tunnel_worker_counters counters;
	uint8_t *tun_buf;
};

struct tunnel_engine {
	struct tunnel_engine_config config;
	unsigned started; /* workers whose thread runs */
	struct mbox *events;
	struct mbox *reaper_box; /* descriptors to close; -1 ends the thread */
	pthread_t reaper;
	bool reaping;
	atomic_bool stopping;
	struct worker *workers[TUNNEL_MAX_WORKERS];
};

/* Adds to a counter that only this thread writes. */
static inline void
count(_Atomic uint64_t *counter, uint64_t n)
{
	atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n, memory_order_relaxed);
}

static inline void
set(_Atomic uint64_t *counter, uint64_t value)
{
	atomic_store_explicit(counter, value, memory_order_relaxed);
}

static inline unsigned
family_index(uint8_t family)
{
	return family == 6;
}

/* --- worker.c: the thread ------------------------------------------------------- */

/* NULL when memory or descriptors ran out. */
struct worker *worker_new(struct tunnel_engine *e, unsigned index);
/* After its thread has ended; sessions end without an event. */
void worker_free(struct worker *w);
void *worker_run(void *worker);
/* The session will be served at the end of the turn: output, events, timers. */
void worker_touch(struct worker *w, struct session *s);
/* Tells the control thread, waiting as long as its mailbox is full. */
void worker_post(struct worker *w, const struct tunnel_event *event);

/* --- command.c ------------------------------------------------------------------ */

void command_run(struct worker *w, const struct tunnel_command *c, uint64_t ts);

/* --- session.c ------------------------------------------------------------------ */

void session_open(struct worker *w, uint64_t number, const struct tunnel_open *open, uint64_t ts);
struct session *session_find(const struct worker *w, uint64_t number);
struct session *session_of_call(const struct worker *w, uint16_t call_id);
/* The link starts: the call is answered, or the peer's first packet shows that it soon will be. */
void session_start(struct session *s, uint64_t ts);
void session_peer(struct session *s, uint16_t call_id, uint16_t window, uint16_t delay, uint64_t ts);
void session_bind(struct session *s, const struct tunnel_bind *bind, uint64_t ts);
void session_close(struct session *s, enum ppp_down why, const char *reason, uint64_t ts);
/* The call is gone; listens for the peer's last words for so long. */
void session_abort(struct session *s, uint64_t listen_ns, uint64_t ts);
/* A timer of it is due. */
void session_expire(struct session *s, uint64_t ts);
/* Sends what its machines have to say, posts their events, sets its timer; frees it when it is down. */
void session_serve(struct session *s, uint64_t ts);
/* Frees it without a word. */
void session_free(struct session *s);

/* --- rx.c: GRE to TUN ------------------------------------------------------------- */

/* Receives a batch of one family; returns the number of packets. */
unsigned rx_batch(struct worker *w, unsigned family, uint64_t ts);
/* Delivers what the GRE session has in order now. */
void rx_held(struct session *s, uint64_t ts);
/* Delivers all it holds. */
void rx_drain(struct session *s, uint64_t ts);
/* Writes what waits to be joined, and takes back the buffers. */
void rx_flush(struct worker *w);
/* Frees what a GRE session holds. */
void rx_discard(struct session *s);
bool rx_init(struct worker *w);
void rx_fini(struct worker *w);

/* --- nd.c: Neighbor Discovery and echoes on the link --------------------------------- */

/* An IPv6 packet from a link-local address or from none. True when it was for us. */
bool nd_rx(struct session *s, const struct ip_info *ip, const uint8_t *packet, uint64_t ts);
/* IPv6 came up: solicits or advertises. */
void nd_start(struct session *s, uint64_t ts);
void nd_expire(struct session *s, uint64_t ts);

/* --- tx.c: TUN to GRE ------------------------------------------------------------- */

bool tx_init(struct worker *w);
void tx_fini(struct worker *w);
/* Reads and sends what waits at an interface. */
void tx_from_tun(struct worker *w, struct iface *i, uint64_t ts);
/* Packets that other workers read. */
void tx_handed_over(struct worker *w, uint64_t ts);
/* Sends a packet (or super-packet) through a session. */
void tx_packet(struct session *s, const uint8_t *packet, size_t len, const struct virtio_net_hdr *h, uint64_t ts);
/* Sends one IP packet made here. */
void tx_own(struct session *s, const uint8_t *packet, size_t len, uint64_t ts);
/* Sends the link's control frames and a due acknowledgement. */
void tx_control(struct session *s, uint64_t ts);
/* Sends what waited for the window, as far as it is open. */
void tx_queued(struct session *s, uint64_t ts);
void tx_flush(struct worker *w);

/* --- iface.c ---------------------------------------------------------------------- */

void iface_add(struct worker *w, const struct tunnel_if *config);
void iface_remove(struct worker *w, uint32_t id);
struct iface *iface_find(const struct worker *w, uint32_t id);
void iface_free(struct worker *w, struct iface *i);
/* Keeps a packet until a session is up, and asks for one. */
void iface_hold(struct worker *w, struct iface *i, const uint8_t *packet, size_t len, const struct virtio_net_hdr *h, uint64_t ts);
/* Sends what was held, as far as the session can carry it now. */
void iface_release(struct iface *i, struct session *s, uint64_t ts);

/* --- parcel.c --------------------------------------------------------------------- */

/* NULL when memory ran out. */
struct parcel *parcel_new(const uint8_t *packet, size_t len, const struct virtio_net_hdr *h, uint16_t call_id);
void parcel_queue_init(struct parcel_queue *q);
void parcel_put(struct parcel_queue *q, struct parcel *p);
/* The oldest, which is the callee's to free(); NULL: none. */
struct parcel *parcel_take(struct parcel_queue *q);
void parcel_queue_clear(struct parcel_queue *q);

#endif
