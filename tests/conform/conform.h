/* RFC 2637 conformance cases against any PPTP server: what a case is, and the connection that it speaks over.
 *
 * Sockets are plain and blocking, every wait has a limit, and what is sent is encoded by libpptp and then, where the
 * case wants it, damaged. A case says with conform_fail() what the server did wrong; the first failure of a case stays. */
#ifndef TESTS_CONFORM_CONFORM_H
#define TESTS_CONFORM_CONFORM_H

#include <pptp/framer.h>
#include <pptp/msg.h>

#include <netinet/in.h>
#include <sys/socket.h>

struct conform {
	struct sockaddr_storage addr;
	socklen_t addrlen;
	int timeout_ms; /* how long the server may take to answer */
	bool failed;
	unsigned dropped; /* connections closed before the answer to Start, and tried again */
	char text[200];   /* what happened */
};

struct conform_case {
	const char *name;
	const char *section; /* of RFC 2637 */
	const char *doc;
	void (*run)(struct conform *c);
};

extern const struct conform_case conform_cases[];
extern const size_t conform_case_count;

/* The case failed, for this reason. Returns false. */
bool conform_fail(struct conform *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* What is worth telling of a case that did not fail. */
void conform_note(struct conform *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* --- one TCP connection --------------------------------------------------------- */

struct peer {
	struct conform *c;
	int fd;
	struct pptp_framer framer;
	uint8_t in[4096];
	const uint8_t *next; /* received, not yet framed */
	size_t left;
};

enum got {
	GOT_MESSAGE,
	GOT_CLOSE,   /* the server closed or reset the connection */
	GOT_NOTHING, /* within the time */
	GOT_GARBAGE, /* what libpptp refuses to read */
};

/* Connects; on failure the case fails and false is returned. Close in any case with peer_close(). */
bool peer_open(struct peer *p, struct conform *c);
void peer_close(struct peer *p);
/* Closes with a reset instead of an orderly end. */
void peer_reset(struct peer *p);
/* False when the server no longer takes bytes, which is no failure by itself. */
bool peer_send(struct peer *p, const uint8_t *data, size_t datalen);
bool peer_send_msg(struct peer *p, const struct pptp_msg *msg);
enum got peer_recv(struct peer *p, struct pptp_msg *msg, int timeout_ms);

/* --- steps that many cases take --------------------------------------------------- */

/* The next message of this type, passing over Set-Link-Info and echo requests; anything else fails the case. */
bool expect_msg(struct peer *p, struct pptp_msg *msg, enum pptp_msg_type type);
/* The server closes, whatever it sends before. */
bool expect_close(struct peer *p, const char *after);
/* An Echo-Request is answered (true), or the connection is gone (*closed). Silence fails the case. */
bool expect_echo_or_close(struct peer *p, const char *after, bool *closed);
bool expect_echo(struct peer *p, const char *after);
/* Opens a connection and starts the control connection. One that is closed unanswered is tried once more and counted as
 * dropped: some servers lose a few of many quick connections, and a case must not blame its own messages for that. */
bool begin(struct peer *p, struct conform *c);
/* begin(), and a call with our id; *server_id gets the server's. */
bool begin_call(struct peer *p, struct conform *c, uint16_t id, uint16_t *server_id);
bool open_call(struct peer *p, uint16_t id, uint16_t *server_id);
/* A new connection is served at once: what came before did no harm. */
bool expect_alive(struct conform *c, const char *after);
/* Waits shortly for whatever comes of what was sent, until silence or the end. */
void let_settle(struct peer *p);

/* --- messages ----------------------------------------------------------------------- */

/* A correct message of any type, call ids filled in where it has them. */
struct pptp_msg make_msg(enum pptp_msg_type type, uint16_t call_id, uint16_t peer_call_id);
/* Its bytes, in buf of PPTP_MAX_MESSAGE; returns their number. */
size_t make_bytes(uint8_t *buf, enum pptp_msg_type type, uint16_t call_id, uint16_t peer_call_id);

/* --- the cases, by file ---------------------------------------------------------------- */

void case_start(struct conform *c);
void case_reconnect(struct conform *c);
void case_wrong_version(struct conform *c);
void case_second_start(struct conform *c);
void case_types_before_start(struct conform *c);
void case_types_without_call(struct conform *c);
void case_echo(struct conform *c);
void case_stop(struct conform *c);
void case_stop_bad_reason(struct conform *c);

void case_call(struct conform *c);
void case_two_calls(struct conform *c);
void case_call_ids(struct conform *c);
void case_same_call_id(struct conform *c);
void case_window_zero(struct conform *c);
void case_odd_framing(struct conform *c);
void case_incoming_call(struct conform *c);
void case_incoming_reply_unasked(struct conform *c);
void case_clear(struct conform *c);
void case_clear_wrong_id(struct conform *c);
void case_clear_behind_call(struct conform *c);
void case_disconnect_our_id(struct conform *c);
void case_set_link_info(struct conform *c);
void case_wan_error(struct conform *c);
void case_many_calls(struct conform *c);

void case_unknown_type(struct conform *c);
void case_bad_magic(struct conform *c);
void case_bad_kind(struct conform *c);
void case_bad_length(struct conform *c);
void case_wrong_length_later(struct conform *c);
void case_reserved(struct conform *c);
void case_one_segment(struct conform *c);
void case_split(struct conform *c);
void case_unterminated(struct conform *c);
void case_idle_connections(struct conform *c);
void case_slow_loris(struct conform *c);
void case_broken_off(struct conform *c);
void case_alive(struct conform *c);

#endif
