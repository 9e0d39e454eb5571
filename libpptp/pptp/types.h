/* libpptp: errors, time and memory, shared by all its headers.
 *
 * The library is sans-I/O: it opens no socket, reads no clock, draws no random numbers and prints
 * nothing. Bytes and times go in; bytes, events and the next expiry come out. No function calls
 * back into the program, but for the allocator, the random source and the trace observer that the
 * caller gives, and these must not call the library.
 *
 * Times are nanoseconds of any clock that never goes back (`ts`). Objects are not thread-safe; one
 * object belongs to one thread at a time. */
#ifndef PPTP_TYPES_H
#define PPTP_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PPTP_API __attribute__((visibility("default")))

#define PPTP_TS_NEVER UINT64_MAX

enum {
	PPTP_PORT = 1723,       /* TCP, RFC 2637 section 1 */
	PPTP_MAX_MESSAGE = 220, /* bytes of the longest control message (Incoming-Call-Request) */
	PPTP_MAGIC_COOKIE = 0x1A2B3C4D,
	PPTP_VERSION_1 = 0x0100,
};

/* What a function that can fail returns: PPTP_OK or one of the negative errors. */
enum pptp_error {
	PPTP_OK = 0,
	PPTP_ERR_NOMEM = -1,      /* the allocator gave nothing; the object is unchanged */
	PPTP_ERR_SHORT = -2,      /* fewer bytes than the header or message needs (yet) */
	PPTP_ERR_LENGTH = -3,     /* the length field does not fit the message type */
	PPTP_ERR_MAGIC = -4,      /* not the magic cookie: the stream is lost (RFC 2637 section 1.4) */
	PPTP_ERR_KIND = -5,       /* PPTP message type is not 1, control message */
	PPTP_ERR_TYPE = -6,       /* unknown control message type */
	PPTP_ERR_FIELD = -7,      /* a field has a value that the RFC or the policy forbids */
	PPTP_ERR_STATE = -8,      /* not legal in the present state */
	PPTP_ERR_FULL = -9,       /* output or events must be drained first */
	PPTP_ERR_EXHAUSTED = -10, /* no call id is free */
	PPTP_ERR_INVALID = -11,   /* the caller's argument is out of its range */
	PPTP_ERR_NOTFOUND = -12,  /* no such call */
};

/* A short English name of an error ("wrong magic cookie"); never NULL, static. */
PPTP_API const char *pptp_strerror(int error);

/* The caller's allocator; NULL wherever one is asked for means the C library. Must outlive the object. */
struct pptp_mem {
	void *user;
	void *(*calloc)(void *user, size_t n, size_t size); /* zeroed memory or NULL */
	void (*free)(void *user, void *p);
};

/* Fills buf with len unpredictable bytes. Call ids come from it. */
typedef void (*pptp_random_fn)(void *user, void *buf, size_t len);

#ifdef __cplusplus
}
#endif
#endif
