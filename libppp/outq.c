#include "libppp/outq.h"

/* 2 bytes of frame length, 2 of protocol, then the packet's code, id and length */
enum { FRAME_PREFIX = 2, PACKET_AT = 4 };

void
outq_init(struct outq *q)
{
	q->head = 0;
	q->tail = 0;
	q->dropped = 0;
	q->w = wr_init(q->buf, 0);
}

static void
compact(struct outq *q)
{
	memmove(q->buf, q->buf + q->head, q->tail - q->head);
	q->tail -= q->head;
	q->head = 0;
}

struct wr *
outq_begin(struct outq *q, enum ppp_proto proto, uint8_t code, uint8_t id)
{
	size_t room;

	if (q->head > 0)
		compact(q);
	room = OUTQ_BYTES - q->tail;
	if (room > FRAME_PREFIX + 2 + PPP_MAX_CONTROL)
		room = FRAME_PREFIX + 2 + PPP_MAX_CONTROL;
	q->w = wr_init(q->buf + q->tail, room);
	wr_u16(&q->w, 0);
	wr_u16(&q->w, (uint16_t)proto);
	wr_u8(&q->w, code);
	wr_u8(&q->w, id);
	wr_u16(&q->w, 0);
	return &q->w;
}

bool
outq_end(struct outq *q)
{
	size_t len = wr_len(&q->w);

	if (!q->w.ok) {
		q->dropped++;
		return false;
	}
	put_u16(q->w.base, (uint16_t)(len - FRAME_PREFIX));
	put_u16(q->w.base + PACKET_AT + 2, (uint16_t)(len - PACKET_AT));
	q->tail += len;
	return true;
}

size_t
outq_take(struct outq *q, uint8_t *buf, size_t buflen)
{
	size_t len;

	if (q->head == q->tail)
		return 0;
	len = get_u16(q->buf + q->head);
	if (len <= buflen)
		memcpy(buf, q->buf + q->head + FRAME_PREFIX, len);
	else
		q->dropped++;
	q->head += FRAME_PREFIX + len;
	return len <= buflen ? len : 0;
}

unsigned
outq_peek(const struct outq *q)
{
	return q->head < q->tail ? get_u16(q->buf + q->head + FRAME_PREFIX) : 0;
}
