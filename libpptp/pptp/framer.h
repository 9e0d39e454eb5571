/* Cuts the TCP byte stream of a control connection into whole messages.
 *
 * Holds at most one message (220 bytes) and never allocates. Used by the control connection, and by
 * whatever else reads a control stream (a gateway). */
#ifndef PPTP_FRAMER_H
#define PPTP_FRAMER_H

#include <pptp/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct pptp_framer {
	uint8_t buf[PPTP_MAX_MESSAGE];
	size_t len; /* bytes held */
	int error;  /* sticky: after a lost stream nothing more is framed */
};

PPTP_API void pptp_framer_init(struct pptp_framer *f);

/* Takes bytes from *data (which it moves on, with *datalen) until one message is whole.
 * Returns that message's length with *msg pointing at its bytes, valid until the next call or until
 * the input is gone, whichever comes first; 0 when all input is taken and no message is whole; or
 * PPTP_ERR_LENGTH, _KIND or _MAGIC as soon as the header shows that the stream can't be followed: a length below 12 or
 * above 220, or not that of its type. A message of an unknown type is returned for the codec to refuse. */
PPTP_API int pptp_framer_next(struct pptp_framer *f, const uint8_t **data, size_t *datalen, const uint8_t **msg);

#ifdef __cplusplus
}
#endif
#endif
