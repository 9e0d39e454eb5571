/* Trace options: what of the gateway's work is written down, into files of bounded size and number. */
#ifndef ALG_TRACE_H
#define ALG_TRACE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum trace_level { TRACE_ERROR, TRACE_WARNING, TRACE_NOTICE, TRACE_INFO, TRACE_VERBOSE };

enum trace_flag {
	TRACE_MESSAGES = 1 << 0, /* each control message, received and as forwarded */
	TRACE_CONNECTIONS = 1 << 1,
	TRACE_CALLS = 1 << 2,
	TRACE_GATES = 1 << 3,
	TRACE_XLATE = 1 << 4,
	TRACE_DATAPATH = 1 << 5,
	TRACE_POLICY = 1 << 6,
	TRACE_ALL = (1 << 7) - 1,
};

/* False: no such word. */
bool trace_flag_parse(const char *word, unsigned *flag);
bool trace_level_parse(const char *word, unsigned *level);
const char *trace_flag_text(unsigned flag);
const char *trace_level_text(unsigned level);

struct trace_config {
	unsigned level, flags;
	uint64_t size; /* bytes, then renew */
	/* Asks for a file, when the first line comes or the present one is full: trace_file() is to be called, now or later; 32 KiB of
	 * lines wait for it, others are counted and told of. */
	void (*renew)(void *user);
	void *user;
};

struct trace;

/* NULL when memory ran out. */
struct trace *trace_new(const struct trace_config *config);
void trace_free(struct trace *t);
/* Takes a descriptor to append to; the one before is closed. -1: there is none to be had, and no other is asked for. */
void trace_file(struct trace *t, int fd);
/* False: don't trouble to build the line. NULL is allowed. */
bool trace_wants(const struct trace *t, enum trace_level level, enum trace_flag flag);
/* One line, with the time in front. NULL is allowed. */
void trace_line(struct trace *t, enum trace_level level, enum trace_flag flag, const char *fmt, ...) __attribute__((format(printf, 4, 5)));

#endif
