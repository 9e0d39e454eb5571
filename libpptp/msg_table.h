/* The message table: what the codec, the trace, the dispatcher and the tests know of each control message. */
#ifndef LIBPPTP_MSG_TABLE_H
#define LIBPPTP_MSG_TABLE_H

#include <pptp/msg.h>

enum { MSG_TYPES = 15, MSG_HEADER = 12 /* bytes, section 1.4 */ };

enum field_kind {
	FIELD_DEC,  /* a number, traced in decimal */
	FIELD_HEX,  /* a number, traced in hexadecimal */
	FIELD_TEXT, /* a string, padded with zeros on the wire */
	FIELD_RESERVED,
};

/* One field. The value check is PPTP_STRICT's: a number lies within min..max, a reserved field is zero, a text is
 * zero behind its end and as long as its length field says. PPTP_LENIENT reads every value, since none of them can do
 * harm here: what they mean is the state machines' business (see quirks.c). */
struct field {
	const char *name; /* in traces and in errors */
	uint8_t wire;     /* bytes from the message's start */
	uint8_t width;    /* bytes on the wire */
	enum field_kind kind;
	uint16_t offset; /* bytes into struct pptp_msg; a text has width + 1 bytes there */
	uint16_t length; /* the same for a text's own length field; 0: it has none */
	uint32_t min, max;
};

enum msg_scope {
	SCOPE_CONN, /* about the control connection */
	SCOPE_NEW,  /* makes a call */
	SCOPE_CALL, /* about a call that exists */
};

/* Which call id of the message names the call. */
enum msg_select {
	SELECT_NONE,
	SELECT_SENDERS,   /* its Call ID, which the sender chose */
	SELECT_RECEIVERS, /* its Peer's Call ID, which the receiver chose */
};

enum { ROLE_PNS = 1, ROLE_PAC = 2 };

struct msg_row {
	struct pptp_msg_info info;
	enum msg_scope scope;
	enum msg_select select;
	uint8_t receivers; /* the roles to which RFC 2637 has it sent, a bit set */
	const struct field *fields;
	size_t nfields;
	const char *const *results; /* words for its result codes from 0 on; NULL ends; NULL: has none */
};

/* NULL for a type that RFC 2637 does not have. */
const struct msg_row *msg_row(unsigned type);

/* Where a row's field is in a message, for rows with a number or a text. */
static inline const uint8_t *
msg_field(const struct pptp_msg *msg, const struct field *f)
{
	return (const uint8_t *)msg + f->offset;
}

/* The number in a field of 1, 2 or 4 bytes. */
uint32_t msg_number(const struct pptp_msg *msg, const struct field *f);

/* The two steps of pptp_msg_decode(): the form of the header and length, then the fields' values. */
int msg_read(struct pptp_msg *msg, const uint8_t *data, size_t datalen);
int msg_check(const struct pptp_msg *msg, const uint8_t *data, enum pptp_policy policy, const char **field);

#endif
