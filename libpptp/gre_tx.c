/* The session itself, sent packets and acknowledgements. */
#include "base/wire.h"
#include "libpptp/alloc.h"
#include "libpptp/gre_private.h"

enum { MS = 1000000 };

void
pptp_gre_config_init(struct pptp_gre_config *config)
{
	*config = (struct pptp_gre_config){
	    .reorder_pkts = 64,
	    .reorder_ns = UINT64_C(100) * MS,
	    .ack_delay_ns = UINT64_C(100) * MS,
	    .ack_pkts = 32,
	    .max_jump = 1U << 20,
	};
}

static bool
config_is_valid(const struct pptp_gre_config *c)
{
	return c->reorder_pkts <= PPTP_GRE_MAX_REORDER && c->ack_pkts >= 1 && c->max_jump >= c->reorder_pkts && c->max_jump <= 1U << 30;
}

/* Room for reorder_pkts numbers behind rx_next, also when a first packet numbered 0 comes behind 1. */
static uint32_t
ring_size(uint32_t reorder_pkts)
{
	uint32_t size = 1;

	while (size < reorder_pkts + 2)
		size *= 2;
	return size;
}

static void
session_init(struct pptp_gre_session *s, const struct pptp_gre_config *config)
{
	s->rx_slow = true;
	s->peer_call_id = config->peer_call_id;
	s->ack_delay_ns = config->ack_delay_ns;
	s->ack_pkts = config->ack_pkts;
	s->max_jump = config->max_jump;
	s->reorder_pkts = config->reorder_pkts;
	s->reorder_ns = config->reorder_ns;
	s->ring_mask = ring_size(config->reorder_pkts) - 1;
	s->window_wanted = config->window;
	gre_window_init(&s->window, config->window, config->peer_window, config->peer_delay, 0);
}

int
pptp_gre_session_new(struct pptp_gre_session **session, const struct pptp_gre_config *config, const struct pptp_mem *mem)
{
	struct pptp_gre_session *s;

	if (!config_is_valid(config))
		return PPTP_ERR_INVALID;
	s = alloc_zeroed(mem, 1, sizeof(*s));
	if (s == NULL)
		return PPTP_ERR_NOMEM;
	s->mem = mem;
	session_init(s, config);
	s->ring = alloc_zeroed(mem, (size_t)s->ring_mask + 1, sizeof(*s->ring));
	if (s->ring == NULL) {
		pptp_gre_session_free(s);
		return PPTP_ERR_NOMEM;
	}
	*session = s;
	return PPTP_OK;
}

void
pptp_gre_session_free(struct pptp_gre_session *s)
{
	if (s == NULL)
		return;
	alloc_free(s->mem, s->ring);
	alloc_free(s->mem, s);
}

void
pptp_gre_set_peer(struct pptp_gre_session *s, uint16_t peer_call_id, uint16_t peer_window, uint16_t peer_delay)
{
	s->peer_call_id = peer_call_id;
	s->tx_una = s->tx_next;
	gre_window_init(&s->window, s->window_wanted, peer_window, peer_delay, s->tx_una);
}

static void
sent(struct pptp_gre_session *s, uint16_t payload_length, uint64_t ts)
{
	struct gre_window *w = &s->window;

	if (w->on || !w->sampling)
		gre_window_sent(w, s->tx_next, s->tx_una == s->tx_next, ts);
	s->tx_next++;
	s->stats.tx_pkts++;
	s->stats.tx_bytes += payload_length;
}

size_t
pptp_gre_tx(struct pptp_gre_session *s, uint8_t *payload, uint16_t payload_length, uint64_t ts)
{
	bool ack = s->ack_owed > 0;
	size_t len = ack ? 16 : 12;
	uint8_t *p = payload - len;

	put_u16(p, (uint16_t)(GRE_BITS | GRE_BIT_S | (ack ? GRE_BIT_A : 0)));
	put_u16(p + 2, PPTP_GRE_PROTOCOL);
	put_u16(p + 4, payload_length);
	put_u16(p + 6, s->peer_call_id);
	put_u32(p + 8, s->tx_next);
	if (ack) {
		put_u32(p + 12, gre_ack_number(s));
		s->ack_owed = 0;
	}
	sent(s, payload_length, ts);
	return len;
}

static bool
ack_is_due(const struct pptp_gre_session *s, uint64_t ts)
{
	return s->ack_owed > 0 && (s->ack_owed >= s->ack_pkts || ts >= s->ack_at);
}

static __attribute__((noinline)) size_t
write_ack(struct pptp_gre_session *s, uint8_t *buf)
{
	struct pptp_gre_header h = {.has_ack = true, .ack = gre_ack_number(s), .call_id = s->peer_call_id};

	s->ack_owed = 0;
	s->stats.tx_acks++;
	return pptp_gre_encode(buf, &h);
}

size_t
pptp_gre_ack(struct pptp_gre_session *s, uint8_t *buf, uint64_t ts)
{
	return ack_is_due(s, ts) ? write_ack(s, buf) : 0;
}

/* Whether ack is the number of a packet that was sent. */
static bool
ack_is_known(const struct pptp_gre_session *s, uint32_t ack)
{
	uint32_t age = s->tx_next - 1 - ack;

	return age < s->stats.tx_pkts && age < UINT32_C(1) << 31;
}

void
gre_acked(struct pptp_gre_session *s, uint32_t ack, uint64_t ts)
{
	if (!ack_is_known(s, ack)) {
		s->stats.bad_ack++;
		return;
	}
	if (serial_lt(ack, s->tx_una))
		return;
	s->tx_una = ack + 1;
	if (gre_window_acked(&s->window, s->tx_una, s->tx_una == s->tx_next, ts))
		s->stats.rtt_ns = s->window.rtt_ns;
}

bool
pptp_gre_may_send(struct pptp_gre_session *s, uint64_t ts)
{
	const struct gre_window *w = &s->window;

	if (!w->on)
		return true;
	pptp_gre_expire(s, ts);
	if (s->tx_next - s->tx_una < w->size)
		return true;
	s->stats.window_full++;
	return false;
}

static uint64_t
ack_expiry(const struct pptp_gre_session *s)
{
	if (s->ack_owed == 0)
		return PPTP_TS_NEVER;
	return s->ack_owed >= s->ack_pkts ? 0 : s->ack_at;
}

uint64_t
pptp_gre_expiry(const struct pptp_gre_session *s)
{
	uint64_t ts = ack_expiry(s);
	uint64_t held = gre_held_expiry(s);

	if (held < ts)
		ts = held;
	return s->window.expires < ts ? s->window.expires : ts;
}

void
pptp_gre_expire(struct pptp_gre_session *s, uint64_t ts)
{
	if (ts < s->window.expires || s->window.expires == PPTP_TS_NEVER)
		return;
	s->stats.timeouts++;
	s->tx_una = s->tx_next;
	gre_window_timed_out(&s->window, s->tx_next);
}

const struct pptp_gre_stats *
pptp_gre_stats(const struct pptp_gre_session *s)
{
	return &s->stats;
}
