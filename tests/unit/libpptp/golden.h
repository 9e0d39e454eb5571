/* One message of each type, written by hand from RFC 2637's drawings, and what it says. */
#ifndef TESTS_UNIT_LIBPPTP_GOLDEN_H
#define TESTS_UNIT_LIBPPTP_GOLDEN_H

#include <pptp/msg.h>

struct golden {
	const char *hex; /* blanks are for reading; `*N` repeats the last byte until the message has N bytes */
	struct pptp_msg msg;
	const char *text;
};

/* By type: golden_messages[PPTP_ECHO_REQUEST]; the first is empty. */
extern const struct golden golden_messages[16];

/* The bytes of a message's hex in buf (PPTP_MAX_MESSAGE bytes); returns their number. */
size_t golden_bytes(uint8_t *buf, const char *hex);

#endif
