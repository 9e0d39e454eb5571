/* Where finished log lines go. Each backend is a file; log.c picks one at start. */
#ifndef SYS_LOG_BACKEND_H
#define SYS_LOG_BACKEND_H

#include <stddef.h>
#include <stdbool.h>

#include "sys/log.h"

struct log_backend {
	/* Connects; false when this system or build has no such log. Holds its descriptor from then on, so that it works
	 * after a chroot. */
	bool (*open)(const char *ident);
	/* Writes one line (no newline in it; ends with NUL). Called by many threads at once. */
	void (*write)(const char *ident, enum log_level level, const char *line, size_t len);
};

extern const struct log_backend log_backend_stderr;
extern const struct log_backend log_backend_syslog;
extern const struct log_backend log_backend_journal; /* log_journal.c, or log_journal_none.c without libsystemd */

/* The priority of syslog(3) for a level. */
int log_priority(enum log_level level);

#endif
