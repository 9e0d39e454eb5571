/* The sliding window and its adaptive time-out, RFC 2637 sections 4.2 and 4.4. Nothing is ever sent again:
 * the window only paces. */
#include "libpptp/gre_private.h"

#define TENTH_NS UINT64_C(100000000) /* the unit of the packet processing delay */
#define FIRST_TIMEOUT_NS (5 * TENTH_NS)
#define MIN_TIMEOUT_NS TENTH_NS
#define MAX_TIMEOUT_NS (30 * TENTH_NS)

void
gre_window_init(struct gre_window *w, bool wanted, uint16_t peer_window, uint16_t peer_delay, uint32_t una)
{
	uint32_t size = (peer_window + 1U) / 2;

	*w = (struct gre_window){
	    .on = wanted && peer_window > 0,
	    .max = peer_window,
	    .size = size,
	    .grow_at = una + size,
	    .expires = PPTP_TS_NEVER,
	    .rtt_ns = peer_delay * TENTH_NS,
	};
}

static uint64_t
timeout_ns(const struct gre_window *w)
{
	uint64_t ns = w->rtt_ns == 0 ? FIRST_TIMEOUT_NS : w->rtt_ns + 4 * w->dev_ns;

	if (ns < MIN_TIMEOUT_NS)
		return MIN_TIMEOUT_NS;
	return ns < MAX_TIMEOUT_NS ? ns : MAX_TIMEOUT_NS;
}

static void
measured(struct gre_window *w, uint64_t sample_ns)
{
	uint64_t diff_ns = sample_ns > w->rtt_ns ? sample_ns - w->rtt_ns : w->rtt_ns - sample_ns;

	w->sampling = false;
	if (w->rtt_ns == 0) {
		w->rtt_ns = sample_ns;
		w->dev_ns = sample_ns / 2;
		return;
	}
	w->dev_ns = w->dev_ns - w->dev_ns / 4 + diff_ns / 4;
	w->rtt_ns = sample_ns > w->rtt_ns ? w->rtt_ns + diff_ns / 8 : w->rtt_ns - diff_ns / 8;
}

void
gre_window_sent(struct gre_window *w, uint32_t seq, bool alone, uint64_t ts)
{
	if (!w->sampling) {
		w->sampling = true;
		w->sample = seq;
		w->sample_ts = ts;
	}
	if (w->on && alone)
		w->expires = ts + timeout_ns(w);
}

bool
gre_window_acked(struct gre_window *w, uint32_t una, bool all, uint64_t ts)
{
	bool sampled = w->sampling && serial_lt(w->sample, una);

	if (sampled)
		measured(w, ts > w->sample_ts ? ts - w->sample_ts : 0);
	if (!w->on)
		return sampled;
	if (serial_le(w->grow_at, una)) {
		if (w->size < w->max)
			w->size++;
		w->grow_at = una + w->size;
	}
	w->expires = all ? PPTP_TS_NEVER : ts + timeout_ns(w);
	return sampled;
}

void
gre_window_timed_out(struct gre_window *w, uint32_t tx_next)
{
	w->size = (w->size + 1) / 2;
	w->grow_at = tx_next + w->size;
	w->rtt_ns = w->rtt_ns == 0 ? FIRST_TIMEOUT_NS : w->rtt_ns * 2;
	if (w->rtt_ns > MAX_TIMEOUT_NS)
		w->rtt_ns = MAX_TIMEOUT_NS;
	w->sampling = false;
	w->expires = PPTP_TS_NEVER;
}
