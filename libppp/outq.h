/* The control frames a link or bundle has yet to send: bounded, first in first out, oldest kept.
 *
 * A peer that makes us answer faster than the channel drains loses answers, never memory. */
#ifndef LIBPPP_OUTQ_H
#define LIBPPP_OUTQ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/wire.h"
#include "libppp/proto.h"

enum { OUTQ_BYTES = 4096 };

struct outq {
	uint8_t buf[OUTQ_BYTES]; /* frames, each behind its 2-byte length; starts with the 2-byte protocol */
	size_t head, tail;
	struct wr w;      /* of the frame that is being written */
	uint64_t dropped; /* frames that did not fit */
};

void outq_init(struct outq *q);
/* Starts a control packet {code, id, length, ...} of proto; write its data through the result, then outq_end(). The
 * writer goes not ok when the queue is full. */
struct wr *outq_begin(struct outq *q, enum ppp_proto proto, uint8_t code, uint8_t id);
/* Fills in the length and queues the packet; false when it did not fit and was dropped. */
bool outq_end(struct outq *q);
/* Takes the oldest frame (protocol, code, ...) into buf; its length, 0: none, or none that fits buflen (dropped). */
size_t outq_take(struct outq *q, uint8_t *buf, size_t buflen);
/* The protocol of the oldest frame; 0: none. */
unsigned outq_peek(const struct outq *q);

#endif
