/* A packet in a buffer with headroom: headers are pushed in front and pulled off without moving the payload.
 *
 *   head        data                    data + len       end
 *    | headroom  | payload ...............| tailroom      |
 *
 * The struct does not own its memory; whoever made the buffer does. */
#ifndef BASE_PKT_H
#define BASE_PKT_H

#include <stddef.h>
#include <stdint.h>

/* GRE (16) + PPP address/control (2) + MPPE (2 + 2) + protocol (2) + virtio (12) headers fit, and stay 8-byte aligned. */
enum { PKT_HEADROOM = 64 };

struct pkt {
	uint8_t *head;
	uint8_t *data;
	uint8_t *end;
	size_t len;
};

static inline void
pkt_init(struct pkt *p, uint8_t *buf, size_t buflen, size_t headroom)
{
	p->head = buf;
	p->data = buf + headroom;
	p->end = buf + buflen;
	p->len = 0;
}

static inline size_t
pkt_headroom(const struct pkt *p)
{
	return (size_t)(p->data - p->head);
}

/* Moves the start back by n bytes and returns it; NULL, with nothing changed, when the headroom is shorter. */
static inline uint8_t *
pkt_push(struct pkt *p, size_t n)
{
	if (pkt_headroom(p) < n)
		return NULL;
	p->data -= n;
	p->len += n;
	return p->data;
}

/* Takes n bytes off the front and returns where they were; NULL, with nothing changed, when there are fewer. */
static inline uint8_t *
pkt_pull(struct pkt *p, size_t n)
{
	uint8_t *was = p->data;

	if (p->len < n)
		return NULL;
	p->data += n;
	p->len -= n;
	return was;
}

#endif
