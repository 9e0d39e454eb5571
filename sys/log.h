/* The log: one line an event, `event=auth session=1f3a peer=192.0.2.7 user="bob" result=ok`, to stderr, syslog or journal.
 *
 * On stderr, `time=2026-11-21T09:57:06.123Z level=info ` comes before it. Thread-safe; a line is written whole, of at most
 * 4 KiB, with control characters replaced by spaces. Values that came from a peer go through log_quote(). */
#ifndef SYS_LOG_H
#define SYS_LOG_H

#include <stdbool.h>
#include <stddef.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG, LOG_LEVEL_TRACE };
enum log_target { LOG_TO_STDERR, LOG_TO_SYSLOG, LOG_TO_JOURNAL };

/* ident: the program's name, static. Call it once before threads start; until then lines go to stderr at INFO. When the
 * chosen target is not there (no journal in this system or build), lines go to stderr, and one says so. */
void log_init(const char *ident, enum log_target target, enum log_level level);
void log_set_level(enum log_level level);
bool log_enabled(enum log_level level);
/* "error", "warning", "info", "debug", "trace"; -1 for another word. */
int log_parse_level(const char *word);

/* Logs `event=EVENT ` and the formatted rest, which is key=value pairs. event is a fixed word. %m works; errno
 * is kept. */
void log_event(enum log_level level, const char *event, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* An untrusted value in double quotes, escaped, cut to size with its NUL; returns buf. */
const char *log_quote(char *buf, size_t size, const char *value);

/* Ends the program before it serves: prints to the log and exits with 1. A peer can never reach it. */
void log_fatal(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

#endif
