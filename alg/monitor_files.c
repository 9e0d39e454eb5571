/* Files that only root may make, and the worker writes. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alg/monitor_private.h"
#include "sys/log.h"

enum { SUFFIX = 16 };

/* The worker maps the file: who may write to it, too, could end the worker, or have gates taken over that are none. */
static int
only_roots(int fd, const char *path)
{
	struct stat st;

	if (fd < 0 || (fstat(fd, &st) == 0 && st.st_uid == geteuid() && (st.st_mode & 022) == 0 && st.st_nlink == 1))
		return fd;
	log_event(LOG_LEVEL_WARN, "journal", "file=\"%s\" error=\"it is another user's, or others may write to it: remove it\"", path);
	close(fd);
	errno = EPERM;
	return -1;
}

int
monitor_open_journal(const struct config *config)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/gates.journal", config->state_dir) >= (int)sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (mkdir(config->state_dir, 0755) != 0 && errno != EEXIST)
		return -1;
	return only_roots(open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600), path);
}

static void
renamed(char *buf, size_t size, const char *file, unsigned n)
{
	if (n == 0)
		snprintf(buf, size, "%s", file);
	else
		snprintf(buf, size, "%s.%u", file, n);
}

/* FILE becomes FILE.1, that FILE.2, and so on; the last one goes. */
int
monitor_open_trace(const struct config *config)
{
	const char *file = config->trace.file;
	unsigned files = config->trace.files > 0 ? config->trace.files : 1;
	char from[PATH_MAX], to[PATH_MAX];

	if (strlen(file) + SUFFIX > sizeof(from)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	renamed(to, sizeof(to), file, files - 1);
	unlink(to);
	for (unsigned n = files - 1; n > 0; n--) {
		renamed(from, sizeof(from), file, n - 1);
		renamed(to, sizeof(to), file, n);
		rename(from, to);
	}
	return open(file, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
}
