#include "alg/trace.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 2048, PENDING_MAX = 32768 };

static const struct {
	const char *word;
	unsigned flag;
} flags[] = {
    {"messages", TRACE_MESSAGES},
    {"connections", TRACE_CONNECTIONS},
    {"calls", TRACE_CALLS},
    {"gates", TRACE_GATES},
    {"xlate", TRACE_XLATE},
    {"datapath", TRACE_DATAPATH},
    {"policy", TRACE_POLICY},
    {"all", TRACE_ALL},
};

static const char *const levels[] = {"error", "warning", "notice", "info", "verbose"};

bool
trace_flag_parse(const char *word, unsigned *flag)
{
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		if (strcmp(flags[i].word, word) == 0) {
			*flag = flags[i].flag;
			return true;
		}
	}
	return false;
}

bool
trace_level_parse(const char *word, unsigned *level)
{
	for (unsigned i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		if (strcmp(levels[i], word) == 0) {
			*level = i;
			return true;
		}
	}
	return false;
}

const char *
trace_flag_text(unsigned flag)
{
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		if (flags[i].flag == flag)
			return flags[i].word;
	}
	return "unknown";
}

const char *
trace_level_text(unsigned level)
{
	return level < sizeof(levels) / sizeof(levels[0]) ? levels[level] : "unknown";
}

struct trace {
	struct trace_config config;
	int fd;
	uint64_t written; /* bytes in the file */
	uint64_t lost;    /* lines since the last that found room */
	bool waiting;     /* for a new file */
	size_t pending_len;
	char pending[PENDING_MAX]; /* lines that wait to be written */
};

struct trace *
trace_new(const struct trace_config *config)
{
	struct trace *t = calloc(1, sizeof(*t));

	if (t != NULL) {
		t->config = *config;
		t->fd = -1;
	}
	return t;
}

void
trace_free(struct trace *t)
{
	if (t == NULL)
		return;
	if (t->fd >= 0)
		close(t->fd);
	free(t);
}

/* Writes what waits, line by line. Asks for the first file, and for the next when this one would grow beyond its size; if that comes
 * at once, trace_file() has written the line when renew() returns. */
static void
flush(struct trace *t)
{
	while (t->pending_len > 0 && !t->waiting) {
		size_t len = (size_t)((const char *)memchr(t->pending, '\n', t->pending_len) - t->pending) + 1;

		if (t->fd < 0 || (t->written > 0 && t->written + len > t->config.size)) {
			t->waiting = true;
			t->config.renew(t->config.user);
			continue;
		}
		if (write(t->fd, t->pending, len) == (ssize_t)len)
			t->written += len;
		else
			t->lost++;
		t->pending_len -= len;
		memmove(t->pending, t->pending + len, t->pending_len);
	}
}

void
trace_file(struct trace *t, int fd)
{
	struct stat st;

	if (t->fd >= 0)
		close(t->fd);
	t->fd = fd;
	t->written = fd >= 0 && fstat(fd, &st) == 0 && st.st_size > 0 ? (uint64_t)st.st_size : 0;
	t->waiting = fd < 0;
	flush(t);
}

bool
trace_wants(const struct trace *t, enum trace_level level, enum trace_flag flag)
{
	return t != NULL && level <= t->config.level && (flag & t->config.flags) != 0;
}

/* The time and what kind of line it is. */
static size_t
head(char *buf, size_t size, enum trace_level level, enum trace_flag flag)
{
	struct timespec now;
	struct tm tm;
	size_t n;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	n = strftime(buf, size, "%Y-%m-%dT%H:%M:%S", &tm);
	n += (size_t)snprintf(
	    buf + n, size - n, ".%06dZ %s %s: ", (int)(now.tv_nsec / 1000), trace_level_text(level), trace_flag_text(flag));
	return n;
}

/* False: no room. */
static bool
put(struct trace *t, const char *line, size_t len)
{
	if (len > sizeof(t->pending) - t->pending_len)
		return false;
	memcpy(t->pending + t->pending_len, line, len);
	t->pending_len += len;
	return true;
}

/* Tells of lines that are not there, in front of the first that is. */
static void
put_lost(struct trace *t)
{
	char line[128];
	size_t n;

	if (t->lost == 0)
		return;
	n = head(line, sizeof(line), TRACE_ERROR, TRACE_ALL);
	n += (size_t)snprintf(line + n, sizeof(line) - n, "%" PRIu64 " lines are missing here\n", t->lost);
	if (put(t, line, n))
		t->lost = 0;
}

void
trace_line(struct trace *t, enum trace_level level, enum trace_flag flag, const char *fmt, ...)
{
	char line[LINE_MAX_BYTES];
	size_t n;
	va_list ap;
	int more;

	if (!trace_wants(t, level, flag))
		return;
	put_lost(t);
	n = head(line, sizeof(line), level, flag);
	va_start(ap, fmt);
	more = vsnprintf(line + n, sizeof(line) - n - 1, fmt, ap);
	va_end(ap);
	if (more < 0)
		return;
	n += (size_t)more < sizeof(line) - n - 1 ? (size_t)more : sizeof(line) - n - 2;
	for (char *p = line; p < line + n; p++) {
		if ((unsigned char)*p < 0x20)
			*p = ' ';
	}
	line[n++] = '\n';
	if (t->lost > 0 || !put(t, line, n))
		t->lost++;
	flush(t);
}
