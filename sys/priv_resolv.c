/* Editing a resolver file in place. The original is kept in comments of the file itself: it is then found after a crash, in the
 * right network namespace (where the file may be a bind mount that can't be renamed), and with the file if somebody copies it.
 *
 *     # openpptp 4711 123456: put back by it, or by its next start
 *     nameserver 10.0.0.1
 *     #openpptp# nameserver 192.0.2.53
 *     #openpptp$ search example.org            <- the last line, which had no newline
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "sys/priv_core.h"

enum { FILE_MAX_BYTES = 65536, NESTED_MAX = 16 };

static const char mark[] = "# openpptp ";
static const char kept_line[] = "#openpptp# ";
static const char kept_end[] = "#openpptp$ ";
static const char absent_line[] = "#openpptp-\n"; /* there was no file */

/* When a process started, in clock ticks: with its number, this tells it from later ones. 0: it does not live. */
static unsigned long long
start_time(int pid)
{
	char path[32], text[1024];
	unsigned long long ticks = 0;
	const char *p;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	p = strrchr(text, ')'); /* the name before it may hold anything */
	for (int field = 2; p != NULL && field < 22; field++)
		p = strchr(p + 1, ' ');
	if (p != NULL)
		ticks = strtoull(p, NULL, 10);
	return ticks;
}

/* Whole file with a NUL; NULL with errno. */
static char *
read_all(const char *path, size_t *len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), saved;
	char *text = fd >= 0 ? malloc(FILE_MAX_BYTES + 1) : NULL;
	ssize_t n = 0;

	*len = 0;
	while (text != NULL && *len < FILE_MAX_BYTES && (n = read(fd, text + *len, FILE_MAX_BYTES - *len)) > 0)
		*len += (size_t)n;
	saved = n < 0 ? errno : *len == FILE_MAX_BYTES ? EFBIG : 0;
	if (fd >= 0)
		close(fd);
	else
		saved = errno;
	if (text != NULL && saved == 0) {
		text[*len] = '\0';
		return text;
	}
	free(text);
	errno = saved != 0 ? saved : ENOMEM;
	return NULL;
}

/* In place: rename() can't replace a bind mount, and a link shall stay one. */
static int
write_all(const char *path, const char *text, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644), error = 0;

	if (fd < 0)
		return errno;
	if (pwrite(fd, text, len, 0) != (ssize_t)len || ftruncate(fd, (off_t)len) != 0 || fsync(fd) != 0)
		error = errno != 0 ? errno : EIO;
	close(fd);
	return error;
}

/* Appends the present content line by line, in comments. */
static void
keep(struct text *t, const char *old, size_t len)
{
	while (len > 0) {
		const char *newline = memchr(old, '\n', len);
		size_t n = newline != NULL ? (size_t)(newline - old) : len;

		text_addf(t, "%s%.*s\n", newline != NULL ? kept_line : kept_end, (int)n, old);
		n += newline != NULL;
		old += n;
		len -= n;
	}
}

int
priv_resolv_set(const char *path, const char *text)
{
	size_t len = 0, room = 4 * FILE_MAX_BYTES;
	char *old = read_all(path, &len), *buf;
	struct text t;
	int error;

	if (old == NULL && errno != ENOENT)
		return errno;
	if (old != NULL && memchr(old, '\0', len) != NULL) {
		free(old);
		return EINVAL;
	}
	buf = malloc(room);
	if (buf == NULL) {
		free(old);
		return ENOMEM;
	}
	text_init(&t, buf, room);
	text_addf(&t, "%s%d %llu: put back by it, or by its next start\n%s", mark, (int)getpid(), start_time((int)getpid()), text);
	if (old != NULL)
		keep(&t, old, len);
	else
		text_addf(&t, "%s", absent_line);
	error = t.cut || t.len >= FILE_MAX_BYTES ? EFBIG : write_all(path, buf, t.len);
	free(buf);
	free(old);
	return error;
}

/* Whether the file was put by this process, or by a dead one. */
static bool
may_restore(const char *text, bool dead_too)
{
	unsigned long long ticks;
	int pid;

	if (strncmp(text, mark, strlen(mark)) != 0 || sscanf(text + strlen(mark), "%d %llu:", &pid, &ticks) != 2 || pid <= 0)
		return false;
	if (start_time(pid) == ticks)
		return pid == (int)getpid();
	return dead_too;
}

static bool
starts_with(const char *line, const char *what)
{
	return strncmp(line, what, strlen(what)) == 0;
}

/* Moves the kept lines to the front of text; returns their length, or -1 when there was no file. */
static ssize_t
unpack(char *text)
{
	char *out = text, *line = text;

	while (*line != '\0') {
		char *newline = strchr(line, '\n'), *next = newline != NULL ? newline + 1 : line + strlen(line);
		size_t skip = strlen(kept_line);

		if (starts_with(line, absent_line))
			return -1;
		if (starts_with(line, kept_line) || starts_with(line, kept_end)) {
			size_t n = (size_t)(next - line) - skip;

			if (starts_with(line, kept_end) && newline != NULL)
				n--;
			memmove(out, line + skip, n);
			out += n;
		}
		line = next;
	}
	*out = '\0';
	return out - text;
}

int
priv_resolv_restore(const char *path, bool dead_too)
{
	/* Once restored, it may be the work of another process that died. */
	for (int i = 0; i < NESTED_MAX; i++) {
		size_t len;
		char *text = read_all(path, &len);
		ssize_t n;
		int error;

		if (text == NULL)
			return errno == ENOENT ? 0 : errno;
		if (!may_restore(text, dead_too)) {
			free(text);
			return 0;
		}
		n = unpack(text);
		if (n < 0)
			error = unlink(path) == 0 ? 0 : errno;
		else
			error = write_all(path, text, (size_t)n);
		free(text);
		if (error != 0)
			return error;
	}
	return 0;
}
