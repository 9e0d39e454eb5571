/* Lines to stderr: `time=2026-11-21T09:57:06.123Z level=info event=...`; under a service manager that reads priorities, `<6>event=...`. */
#include "sys/log_backend.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* Whether stderr is the journal's stream, which takes "<N>" prefixes and stamps lines itself: systemd says so by device and inode. */
static bool
is_journal_stream(void)
{
	const char *value = getenv("JOURNAL_STREAM");
	char mine[64];
	struct stat st;

	if (value == NULL || fstat(STDERR_FILENO, &st) != 0)
		return false;
	snprintf(mine, sizeof(mine), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	return strcmp(mine, value) == 0;
}

static size_t
stamp(char *buf, size_t size, enum log_level level)
{
	static const char *const words[] = {"error", "warning", "info", "debug", "trace"};
	struct timespec now;
	struct tm tm;
	size_t n;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	n = strftime(buf, size, "time=%Y-%m-%dT%H:%M:%S", &tm);
	return n + (size_t)snprintf(buf + n, size - n, ".%03dZ level=%s ", (int)(now.tv_nsec / 1000000), words[level]);
}

static bool
stderr_open(const char *ident)
{
	(void)ident;
	return true;
}

static void
stderr_write(const char *ident, enum log_level level, const char *line, size_t len)
{
	char head[80];
	size_t n =
	    is_journal_stream() ? (size_t)snprintf(head, sizeof(head), "<%d>", log_priority(level)) : stamp(head, sizeof(head), level);
	/* One system call, so that lines of threads and processes do not mix. */
	struct iovec iov[] = {{head, n}, {(char *)(uintptr_t)line, len}, {(char *)(uintptr_t) "\n", 1}};

	(void)ident;
	if (writev(STDERR_FILENO, iov, 3) < 0)
		return; /* nobody is left to tell */
}

const struct log_backend log_backend_stderr = {stderr_open, stderr_write};
