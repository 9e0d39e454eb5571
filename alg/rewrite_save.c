#include <string.h>

#include "alg/rewrite_private.h"
#include "alg/saved.h"
#include "base/wire.h"

/* One number in front tells the form; a process that doesn't know it refuses, and the connection is closed instead of misread. */
enum { FORM = 1 };

/* --- save -------------------------------------------------------------------------- */

static void
save_block(struct wr *w, const uint8_t *data, size_t len)
{
	wr_u16(w, (uint16_t)len);
	wr_bytes(w, data, len);
}

/* Half a message is nothing any more once messages aren't looked at. */
static void
save_half(struct wr *w, const struct alg_rewrite *rw, enum alg_side side)
{
	const struct half *h = &rw->half[side];

	save_block(w, h->framer.buf, rw->phase < PHASES ? h->framer.len : 0);
	save_block(w, h->held, h->held_len);
	wr_u32(w, h->held_call);
	save_block(w, h->out, h->out_len);
}

static void
save_call(struct wr *w, const struct call *c)
{
	wr_u32(w, c->number);
	wr_u8(w, (uint8_t)c->requester);
	wr_u8(w, c->incoming);
	wr_u8(w, (uint8_t)c->state);
	wr_u8(w, c->cleared);
	wr_u8(w, (uint8_t)c->doom);
	wr_u8(w, c->tell);
	for (int side = 0; side < 2; side++) {
		wr_u8(w, c->taken[side]);
		wr_u16(w, c->id[side]);
		wr_u16(w, c->xid[side]);
	}
}

static void
save_recent(struct wr *w, const struct recent *r)
{
	wr_u8(w, r->owes_end);
	for (int side = 0; side < 2; side++) {
		wr_u8(w, r->taken[side]);
		wr_u16(w, r->id[side]);
		wr_u16(w, r->xid[side]);
	}
}

static void
save_event(struct wr *w, const struct event *e)
{
	wr_u8(w, (uint8_t)e->type);
	wr_u8(w, (uint8_t)e->from);
	wr_u8(w, (uint8_t)e->why);
	wr_u8(w, e->msg_type);
	wr_u8(w, (uint8_t)e->note);
	wr_u16(w, e->value);
	wr_u32(w, e->call.number);
	wr_u8(w, (uint8_t)e->call.requester);
	wr_u8(w, e->call.incoming);
	wr_u16(w, e->call.client_id);
	wr_u16(w, e->call.client_xid);
	wr_u16(w, e->call.server_id);
	wr_u16(w, e->call.server_xid);
}

static void
save_stats(struct wr *w, const struct alg_rewrite_stats *s)
{
	const uint64_t values[] = {s->received[0], s->received[1], s->forwarded, s->made, s->refused, s->late, s->repaired};

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		wr_u64(w, values[i]);
}

size_t
alg_rewrite_save(const struct alg_rewrite *rw, uint8_t *buf, size_t buflen)
{
	struct wr w = wr_init(buf, buflen);

	wr_u8(&w, FORM);
	wr_u8(&w, (uint8_t)rw->phase);
	wr_u8(&w, rw->started);
	wr_u8(&w, rw->close_told);
	save_event(&w, &rw->closing);
	wr_u32(&w, rw->next_number);
	save_stats(&w, &rw->stats);
	save_half(&w, rw, ALG_CLIENT);
	save_half(&w, rw, ALG_SERVER);
	for (size_t i = 0; i < RECENT; i++)
		save_recent(&w, &rw->recent[(rw->next_recent + i) % RECENT]);
	wr_u8(&w, (uint8_t)rw->nevents);
	for (size_t i = 0; i < rw->nevents; i++)
		save_event(&w, &rw->events[(rw->first_event + i) % EVENTS]);
	wr_u32(&w, (uint32_t)rw->ncalls);
	for (size_t i = 0; i < rw->ncalls; i++)
		save_call(&w, &rw->calls[i]);
	return w.ok ? wr_len(&w) : 0;
}

/* --- load --------------------------------------------------------------------------- */

static size_t
load_block(struct rd *r, uint8_t *to, size_t max)
{
	size_t len = rd_u16(r);
	const uint8_t *p;

	if (len > max)
		r->ok = false;
	p = rd_bytes(r, len);
	if (p == NULL)
		return 0;
	memcpy(to, p, len);
	return len;
}

/* Half a message is taken in as it was when it came: more than half, or what is no message's beginning, is refused. */
static void
load_framer(struct rd *r, struct pptp_framer *f)
{
	size_t len = rd_u16(r);
	const uint8_t *data = rd_bytes(r, len), *msg;

	if (data != NULL && pptp_framer_next(f, &data, &len, &msg) != 0)
		r->ok = false;
}

static void
load_half(struct rd *r, struct half *h)
{
	load_framer(r, &h->framer);
	h->held_len = load_block(r, h->held, sizeof(h->held));
	h->held_call = rd_u32(r);
	h->out_len = load_block(r, h->out, sizeof(h->out));
}

static void
load_call(struct rd *r, struct call *c)
{
	c->number = rd_u32(r);
	c->requester = (enum alg_side)rd_below(r, 2);
	c->incoming = rd_bool(r);
	c->state = (enum call_state)rd_below(r, CALL_STATES);
	c->cleared = (uint8_t)rd_below(r, 4);
	c->doom = (enum alg_why)rd_below(r, ALG_WHYS);
	c->tell = rd_bool(r);
	for (int side = 0; side < 2; side++) {
		c->taken[side] = rd_bool(r);
		c->id[side] = rd_u16(r);
		c->xid[side] = rd_u16(r);
	}
}

static void
load_recent(struct rd *r, struct recent *recent)
{
	recent->owes_end = rd_bool(r);
	for (int side = 0; side < 2; side++) {
		recent->taken[side] = rd_bool(r);
		recent->id[side] = rd_u16(r);
		recent->xid[side] = rd_u16(r);
	}
}

static void
load_event(struct rd *r, struct event *e)
{
	e->type = (enum alg_event_type)rd_below(r, ALG_EVENT_CLOSED + 1);
	e->from = (enum alg_side)rd_below(r, 2);
	e->why = (enum alg_why)rd_below(r, ALG_WHYS);
	e->msg_type = rd_u8(r);
	e->note = (enum note)rd_below(r, NOTES);
	e->value = rd_u16(r);
	e->call.number = rd_u32(r);
	e->call.requester = (enum alg_side)rd_below(r, 2);
	e->call.incoming = rd_bool(r);
	e->call.client_id = rd_u16(r);
	e->call.client_xid = rd_u16(r);
	e->call.server_id = rd_u16(r);
	e->call.server_xid = rd_u16(r);
}

static void
load_stats(struct rd *r, struct alg_rewrite_stats *s)
{
	s->received[0] = rd_u64(r);
	s->received[1] = rd_u64(r);
	s->forwarded = rd_u64(r);
	s->made = rd_u64(r);
	s->refused = rd_u64(r);
	s->late = rd_u64(r);
	s->repaired = rd_u64(r);
}

/* Only what was claimed is noted as taken, so that alg_rewrite_free() gives back that and nothing else. */
static bool
claim(struct alg_rewrite *rw, struct call *c, const bool wanted[2])
{
	for (int side = 0; side < 2; side++) {
		if (wanted[side])
			c->taken[side] = rw->config.xlate.claim(rw->config.xlate_user, (enum alg_side)side, c->id[side], c->xid[side]);
		if (c->taken[side] != wanted[side])
			return false;
	}
	return true;
}

static bool
load_calls(struct alg_rewrite *rw, struct rd *r, uint32_t count)
{
	enum { CALL_BYTES = 20 };

	if (count > rd_left(r) / CALL_BYTES || !rewrite_grow(rw, count))
		return false;
	for (uint32_t i = 0; i < count; i++) {
		struct call *c = &rw->calls[rw->ncalls];
		bool wanted[2];

		load_call(r, c);
		memcpy(wanted, c->taken, sizeof(wanted));
		c->taken[0] = c->taken[1] = false;
		rw->ncalls++;
		rw->ndoomed += c->doom != ALG_WHY_NONE;
		if (!r->ok || !claim(rw, c, wanted))
			return false;
	}
	return true;
}

/* What the rest of the code takes for granted: a held message is whole, its call there, and its room still free; and there is no half
 * message where save_half() leaves none. */
static bool
sound(const struct alg_rewrite *rw)
{
	size_t held = 0;

	for (int side = 0; side < 2; side++) {
		const struct half *h = &rw->half[side], *to = &rw->half[!side];
		const struct call *call = h->held_len > 0 ? rewrite_by_number(rw, h->held_call) : NULL;

		if (rw->phase >= PHASES && h->framer.len > 0)
			return false;
		if (h->held_len == 0)
			continue;
		held++;
		if (call == NULL || call->state != CALL_HELD || (int)call->requester == side || !call->taken[0] || !call->taken[1])
			return false;
		if (h->held_len < 12 || pptp_msg_info(get_u16(h->held + 8)) == NULL || to->out_len + PPTP_MAX_MESSAGE > OUT_BYTES ||
		    h->held_len != pptp_msg_info(get_u16(h->held + 8))->length)
			return false;
	}
	for (size_t i = 0; i < rw->ncalls; i++)
		held -= rw->calls[i].state == CALL_HELD;
	return held == 0;
}

static bool
load(struct alg_rewrite *rw, struct rd *r)
{
	uint32_t count;

	if (rd_u8(r) != FORM)
		return false;
	rw->phase = (enum phase)rd_below(r, PHASE_CLOSED + 1);
	rw->started = (uint8_t)rd_below(r, 4);
	rw->close_told = rd_bool(r);
	load_event(r, &rw->closing);
	rw->next_number = rd_u32(r);
	load_stats(r, &rw->stats);
	load_half(r, &rw->half[ALG_CLIENT]);
	load_half(r, &rw->half[ALG_SERVER]);
	for (size_t i = 0; i < RECENT; i++)
		load_recent(r, &rw->recent[i]);
	rw->nevents = rd_below(r, EVENTS + 1);
	for (size_t i = 0; i < rw->nevents; i++)
		load_event(r, &rw->events[i]);
	count = rd_u32(r);
	return r->ok && load_calls(rw, r, count) && rd_left(r) == 0 && sound(rw);
}

int
alg_rewrite_load(struct alg_rewrite **out, const struct alg_rewrite_config *config, const uint8_t *data, size_t datalen)
{
	struct rd r = rd_init(data, datalen);
	struct alg_rewrite *rw;

	if (alg_rewrite_new(&rw, config) != 0)
		return -1;
	if (!load(rw, &r)) {
		alg_rewrite_free(rw);
		return -1;
	}
	*out = rw;
	return 0;
}
