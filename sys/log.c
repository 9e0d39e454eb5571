#include "sys/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "sys/log_backend.h"

enum { LINE_MAX_BYTES = 4096 };

static const char *const level_words[] = {"error", "warning", "info", "debug", "trace"};

/* A process has one log. Only the level changes once threads run. */
static struct {
	const char *ident;
	const struct log_backend *backend;
	_Atomic int level;
} log_state = {.ident = "openpptp", .backend = &log_backend_stderr, .level = LOG_LEVEL_INFO};

void
log_init(const char *ident, enum log_target target, enum log_level level)
{
	static const struct log_backend *const backends[] = {
	    [LOG_TO_STDERR] = &log_backend_stderr, [LOG_TO_SYSLOG] = &log_backend_syslog, [LOG_TO_JOURNAL] = &log_backend_journal};

	log_state.ident = ident;
	log_set_level(level);
	log_state.backend = backends[target];
	if (!log_state.backend->open(ident)) {
		log_state.backend = &log_backend_stderr;
		log_event(LOG_LEVEL_WARN, "log", "reason=\"the chosen log is not there, lines go to stderr\"");
	}
}

void
log_set_level(enum log_level level)
{
	atomic_store_explicit(&log_state.level, (int)level, memory_order_relaxed);
}

bool
log_enabled(enum log_level level)
{
	return (int)level <= atomic_load_explicit(&log_state.level, memory_order_relaxed);
}

int
log_parse_level(const char *word)
{
	for (size_t i = 0; i < sizeof(level_words) / sizeof(level_words[0]); i++) {
		if (strcmp(word, level_words[i]) == 0)
			return (int)i;
	}
	return -1;
}

/* A newline in a value would forge a second event. */
static void
one_line(char *s)
{
	for (; *s != '\0'; s++) {
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			*s = ' ';
	}
}

static void __attribute__((format(printf, 3, 0))) write_line(enum log_level level, const char *event, const char *fmt, va_list ap)
{
	int saved = errno;
	char line[LINE_MAX_BYTES];
	int n = snprintf(line, sizeof(line), "event=%s ", event);
	size_t used = n < 0 ? 0 : (size_t)n < sizeof(line) ? (size_t)n : sizeof(line) - 1;

	errno = saved; /* fmt may hold %m */
	vsnprintf(line + used, sizeof(line) - used, fmt, ap);
	one_line(line);
	used = strlen(line);
	while (used > 0 && line[used - 1] == ' ')
		line[--used] = '\0';
	log_state.backend->write(log_state.ident, level, line, used);
	errno = saved;
}

void
log_event(enum log_level level, const char *event, const char *fmt, ...)
{
	va_list ap;

	if (!log_enabled(level))
		return;
	va_start(ap, fmt);
	write_line(level, event, fmt, ap);
	va_end(ap);
}

const char *
log_quote(char *buf, size_t size, const char *value)
{
	struct text t;

	if (size < 3) {
		if (size > 0)
			buf[0] = '\0';
		return buf;
	}
	text_init(&t, buf, size - 1); /* the closing quote always fits */
	text_addf(&t, "\"");
	text_add_untrusted(&t, value, strlen(value));
	buf[t.len] = '"';
	buf[t.len + 1] = '\0';
	return buf;
}

void
log_fatal(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	write_line(LOG_LEVEL_ERROR, "fatal", fmt, ap);
	va_end(ap);
	exit(1);
}
