/* Control frames as lines of text: `[LCP ConfReq id=1 <mru 1400> <magic 0a1b2c3d>]`. */
#ifndef LIBPPP_TRACE_H
#define LIBPPP_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

struct ppp_link;

enum { TRACE_LINE_MAX = 512 };

/* Adds the line of one packet of proto: any bytes at all, cut where they make no sense. No password, response or key. */
void trace_packet(struct text *t, unsigned proto, const uint8_t *packet, size_t len);

/* Gives it to the link's or, for a network control protocol, its bundle's trace callback, if there is one. */
void trace_frame(struct ppp_link *link, bool sent, unsigned proto, const uint8_t *packet, size_t len);

#endif
