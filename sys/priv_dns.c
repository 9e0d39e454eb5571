/* Resolvers of interfaces, by the way that this system has: systemd-resolved, resolvconf, or its file. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"
#include "sys/log.h"
#include "sys/priv_core.h"

enum { HELPER_TIMEOUT_MS = 5000, SETS_MAX = 64, OPTIONS_MAX = 512 };

enum way { BY_FILE, BY_RESOLVED, BY_RESOLVCONF };

struct dns_set {
	TAILQ_ENTRY(dns_set) entry;
	struct priv_request request;
	enum way way;
};

struct priv_dns {
	const char *path; /* of the file */
	bool file_only;
	char options[OPTIONS_MAX]; /* option lines of the original file, which stay in force */
	size_t count;
	TAILQ_HEAD(, dns_set) sets; /* newest first */
};

/* --- helper programs -------------------------------------------------------------- */

static bool
ended_well(pid_t pid)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0), status = -1;
	struct pollfd p = {.fd = pidfd, .events = POLLIN};

	if (pidfd < 0 || poll(&p, 1, HELPER_TIMEOUT_MS) != 1)
		kill(pid, SIGKILL);
	if (pidfd >= 0)
		close(pidfd);
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* Runs a program found in the system's path, with input on stdin. 0 or an errno. */
static int
run(char *const argv[], const char *input)
{
	static char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
	char *envp[] = {path, NULL};
	posix_spawn_file_actions_t actions;
	int pipe_fds[2], error;
	pid_t pid = -1;

	if (pipe2(pipe_fds, O_CLOEXEC) != 0)
		return errno;
	/* What is written is far smaller than a pipe, so it never blocks. */
	error = write(pipe_fds[1], input, strlen(input)) < 0 ? errno : 0;
	close(pipe_fds[1]);
	if (error == 0)
		error = posix_spawn_file_actions_init(&actions);
	if (error == 0) {
		error = posix_spawn_file_actions_adddup2(&actions, pipe_fds[0], STDIN_FILENO);
		if (error == 0)
			error = posix_spawn(&pid, argv[0], &actions, NULL, argv, envp);
		posix_spawn_file_actions_destroy(&actions);
	}
	close(pipe_fds[0]);
	if (error == 0 && !ended_well(pid))
		error = EIO;
	if (error != 0)
		log_event(LOG_LEVEL_WARN, "dns", "program=%s error=\"%s\"", argv[0], strerror(error));
	return error;
}

static const char *
program(const char *const *paths)
{
	for (; *paths != NULL; paths++) {
		if (access(*paths, X_OK) == 0)
			return *paths;
	}
	return NULL;
}

static const char *
resolvectl(void)
{
	static const char *const paths[] = {"/usr/bin/resolvectl", "/bin/resolvectl", NULL};

	return program(paths);
}

static const char *
resolvconf(void)
{
	static const char *const paths[] = {"/usr/sbin/resolvconf", "/sbin/resolvconf", "/usr/bin/resolvconf", NULL};

	return program(paths);
}

/* --- which way ------------------------------------------------------------------------ */

/* The file is a mount of its own, as `ip netns exec` makes it: then the system's services look after another one. */
static bool
is_mount(const char *path)
{
	char line[4096];
	bool found = false;
	FILE *fp = fopen("/proc/self/mountinfo", "re");

	while (fp != NULL && !found && fgets(line, sizeof(line), fp) != NULL) {
		char where[1024];

		found = sscanf(line, "%*d %*d %*s %*s %1023s", where) == 1 && strcmp(where, path) == 0;
	}
	if (fp != NULL)
		fclose(fp);
	return found;
}

static bool
file_names_resolved(const char *path)
{
	char text[4096], target[256];
	ssize_t n = readlink(path, target, sizeof(target) - 1);
	int fd;

	target[n > 0 ? n : 0] = '\0';
	if (strstr(target, "/systemd/resolve/") != NULL)
		return true;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : 0;
	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = '\0';
	return strstr(text, "nameserver 127.0.0.53") != NULL;
}

static enum way
way_of(const struct priv_dns *d)
{
	if (d->file_only || is_mount(d->path))
		return BY_FILE;
	if (access("/run/systemd/resolve", F_OK) == 0 && resolvectl() != NULL && file_names_resolved(d->path))
		return BY_RESOLVED;
	return resolvconf() != NULL ? BY_RESOLVCONF : BY_FILE;
}

/* --- systemd-resolved and resolvconf ----------------------------------------------------- */

static int
resolved_set(const struct priv_request *r)
{
	char servers[PRIV_MAX_DNS][ADDR_TEXT_MAX], name[PRIV_IFNAME], domain[130];
	char *tool = (char *)(uintptr_t)resolvectl(), dns[] = "dns", dom[] = "domain", all[] = "~.";
	char *argv[4 + PRIV_MAX_DNS] = {tool, dns, name}, *domain_argv[] = {tool, dom, name, r->dns.domain[0] != '\0' ? domain : all, NULL};
	int error;

	memcpy(name, r->dns.ifname, sizeof(name));
	memcpy(domain, r->dns.domain, sizeof(r->dns.domain));
	for (size_t i = 0; i < PRIV_MAX_DNS && r->dns.servers[i].family != 0; i++) {
		addr_text(&r->dns.servers[i], servers[i]);
		argv[3 + i] = servers[i];
	}
	error = run(argv, "");
	return error != 0 ? error : run(domain_argv, "");
}

static int
resolved_clear(const struct priv_request *r)
{
	char revert[] = "revert", name[PRIV_IFNAME];
	char *argv[] = {(char *)(uintptr_t)resolvectl(), revert, name, NULL};

	memcpy(name, r->dns.ifname, sizeof(name));
	/* When the interface is gone, resolved has forgotten it. */
	run(argv, "");
	return 0;
}

static void
add_lines(struct text *t, const struct priv_request *r)
{
	char text[ADDR_TEXT_MAX];

	for (size_t i = 0; i < PRIV_MAX_DNS && r->dns.servers[i].family != 0; i++)
		text_addf(t, "nameserver %s\n", addr_text(&r->dns.servers[i], text));
	if (r->dns.domain[0] != '\0')
		text_addf(t, "search %s\n", r->dns.domain);
}

static int
resolvconf_run(const struct priv_request *r, bool set)
{
	char add[] = "-a", del[] = "-d", name[PRIV_IFNAME + 16], input[1024];
	char *argv[] = {(char *)(uintptr_t)resolvconf(), set ? add : del, name, NULL};
	struct text t;

	text_init(&t, name, sizeof(name));
	text_addf(&t, "%s.openpptp", r->dns.ifname);
	text_init(&t, input, sizeof(input));
	if (set)
		add_lines(&t, r);
	return run(argv, input);
}

/* --- the file ------------------------------------------------------------------------------- */

static void
read_options(struct priv_dns *d)
{
	FILE *fp = fopen(d->path, "re");
	char line[256];
	struct text t;

	text_init(&t, d->options, sizeof(d->options));
	while (fp != NULL && fgets(line, sizeof(line), fp) != NULL) {
		if (strncmp(line, "options ", 8) == 0)
			text_addf(&t, "%s", line);
	}
	if (t.cut)
		d->options[0] = '\0';
	else if (t.len > 0 && d->options[t.len - 1] != '\n')
		text_addf(&t, "\n");
	if (fp != NULL)
		fclose(fp);
}

/* Writes the file anew for the sets in force; the original when there are none. */
static int
file_update(struct priv_dns *d)
{
	char text[8192];
	struct dns_set *set;
	struct text t;
	int error = priv_resolv_restore(d->path, false);
	bool any = false;

	if (error != 0)
		return error;
	read_options(d);
	text_init(&t, text, sizeof(text));
	TAILQ_FOREACH(set, &d->sets, entry)
	{
		if (set->way == BY_FILE) {
			any = true;
			add_lines(&t, &set->request);
		}
	}
	text_addf(&t, "%s", d->options);
	return any ? priv_resolv_set(d->path, text) : 0;
}

/* --- sets --------------------------------------------------------------------------------------- */

struct priv_dns *
priv_dns_new(const char *resolv_conf)
{
	struct priv_dns *d = calloc(1, sizeof(*d));
	int error;

	if (d == NULL)
		return NULL;
	d->path = resolv_conf != NULL ? resolv_conf : "/etc/resolv.conf";
	d->file_only = resolv_conf != NULL;
	TAILQ_INIT(&d->sets);
	error = priv_resolv_restore(d->path, true);
	if (error != 0)
		log_event(LOG_LEVEL_WARN, "dns", "path=%s reason=\"can't restore what a killed process left\" error=\"%s\"", d->path,
		    strerror(error));
	return d;
}

static struct dns_set *
find(struct priv_dns *d, const char *ifname)
{
	struct dns_set *set;

	TAILQ_FOREACH(set, &d->sets, entry)
	{
		if (strcmp(set->request.dns.ifname, ifname) == 0)
			return set;
	}
	return NULL;
}

static int
apply(struct priv_dns *d, const struct dns_set *set)
{
	if (set->way == BY_RESOLVED)
		return resolved_set(&set->request);
	return set->way == BY_RESOLVCONF ? resolvconf_run(&set->request, true) : file_update(d);
}

int
priv_dns_clear(struct priv_dns *d, const char *ifname)
{
	struct dns_set *set = find(d, ifname);
	int error;

	if (set == NULL)
		return ENOENT;
	TAILQ_REMOVE(&d->sets, set, entry);
	d->count--;
	if (set->way == BY_RESOLVED)
		error = resolved_clear(&set->request);
	else
		error = set->way == BY_RESOLVCONF ? resolvconf_run(&set->request, false) : file_update(d);
	free(set);
	return error;
}

int
priv_dns_set(struct priv_dns *d, const struct priv_request *r)
{
	struct dns_set *set = find(d, r->dns.ifname);
	int error;

	if (set == NULL) {
		set = d->count < SETS_MAX ? calloc(1, sizeof(*set)) : NULL;
		if (set == NULL)
			return ENOSPC;
		set->way = way_of(d);
		TAILQ_INSERT_HEAD(&d->sets, set, entry);
		d->count++;
	}
	set->request = *r;
	error = apply(d, set);
	if (error != 0)
		priv_dns_clear(d, r->dns.ifname);
	return error;
}

void
priv_dns_free(struct priv_dns *d)
{
	struct dns_set *set;

	if (d == NULL)
		return;
	while ((set = TAILQ_FIRST(&d->sets)) != NULL) {
		char name[PRIV_IFNAME];

		memcpy(name, set->request.dns.ifname, sizeof(name));
		if (priv_dns_clear(d, name) != 0)
			log_event(LOG_LEVEL_WARN, "dns", "ifname=%s reason=\"the resolvers could not be restored\"", name);
	}
	free(d);
}
