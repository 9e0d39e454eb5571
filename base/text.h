/* Bounded building of one line of text, for traces and errors.
 *
 * What does not fit is cut, never overrun; the result always ends with NUL. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text {
	char *buf;
	size_t size; /* of buf, with the NUL; at least 1 */
	size_t len;  /* without the NUL */
	bool cut;    /* something did not fit */
};

void text_init(struct text *t, char *buf, size_t size);
void text_addf(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A peer's bytes: printable ASCII as it is, quotes, backslashes and all else as \xNN; stops at a NUL. */
void text_add_untrusted(struct text *t, const void *data, size_t datalen);
/* Bytes as lower-case hexadecimal digits without separators. */
void text_add_hex(struct text *t, const void *data, size_t datalen);

#endif
