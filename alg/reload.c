#include "alg/reload.h"

#include <libgen.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sys/log.h"

enum { SAID_MAX = 8192 };

/* config_load() with what it says to stderr in `said`, since stderr may lead nowhere by now. */
static struct config *
load(const char *path, char said[SAID_MAX])
{
	int fd = memfd_create("reload", MFD_CLOEXEC), before = dup(STDERR_FILENO);
	struct config *c;
	ssize_t n;

	said[0] = '\0';
	if (fd >= 0 && before >= 0)
		dup2(fd, STDERR_FILENO);
	c = config_load(path);
	fflush(stderr);
	if (fd >= 0 && before >= 0) {
		dup2(before, STDERR_FILENO);
		n = pread(fd, said, SAID_MAX - 1, 0);
		said[n > 0 ? n : 0] = '\0';
	}
	if (fd >= 0)
		close(fd);
	if (before >= 0)
		close(before);
	return c;
}

static void
log_refused(const char *path, const char *why)
{
	char file[512], error[512];

	log_event(LOG_LEVEL_ERROR, "reload", "file=%s result=unchanged error=%s", log_quote(file, sizeof(file), path),
	    log_quote(error, sizeof(error), why));
}

static void
log_lines(const char *path, char *said)
{
	char *rest = said;

	if (*said == '\0')
		log_refused(path, "it can't be read");
	for (char *line; (line = strtok_r(rest, "\n", &rest)) != NULL;)
		log_refused(path, line);
}

/* The first option that connections and calls would not survive; NULL: none. */
static const char *
changed(const struct config *now, const struct config *c)
{
	if (c->mark != now->mark)
		return "mark";
	if (c->table != now->table)
		return "table";
	if (c->proxy_port != now->proxy_port)
		return "proxy-port";
	if (c->datapath != now->datapath)
		return "datapath";
	return strcmp(c->state_dir, now->state_dir) != 0 ? "state-dir" : NULL;
}

/* Whether a socket could be made there. */
static bool
has_folder(const char *path)
{
	char folder[PATH_MAX];

	snprintf(folder, sizeof(folder), "%s", path);
	return access(dirname(folder), W_OK) == 0;
}

/* What the process that goes on would fail of, when it is too late to go back. */
static void
check_start(const struct config *now, const struct config *c, char *why, size_t size)
{
	const char *socket = c->control_socket;

	if (strcmp(c->user, now->user) != 0 && getpwnam(c->user) == NULL)
		snprintf(why, size, "option 'user': there is no user '%s'", c->user);
	else if (socket != NULL && (now->control_socket == NULL || strcmp(socket, now->control_socket) != 0) && !has_folder(socket))
		snprintf(why, size, "option 'control-socket': there is no folder for '%s'", socket);
}

bool
reload_check(const struct config *now, const char *path, size_t calls)
{
	char said[SAID_MAX], why[512] = "";
	struct config *c = load(path, said);
	const char *option;

	if (c == NULL) {
		log_lines(path, said);
		return false;
	}
	option = changed(now, c);
	if (option != NULL)
		snprintf(why, sizeof(why), "option '%s' can't change while calls are to be kept: stop and start instead", option);
	else if (c->max_calls < calls)
		snprintf(why, sizeof(why), "option 'max-calls': %zu calls are up, and would be lost", calls);
	else
		check_start(now, c, why, sizeof(why));
	if (why[0] != '\0')
		log_refused(path, why);
	config_free(c);
	return why[0] == '\0';
}
