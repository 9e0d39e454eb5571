#include <errno.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sys/log.h"
#include "sys/priv_core.h"

enum { OPEN_FILES = 65536, FEW_FILES = 4096 };

/* Sessions with interfaces of their own take a descriptor or two each. */
static void
raise_open_files(void)
{
	struct rlimit limit, more = {OPEN_FILES, OPEN_FILES};

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= OPEN_FILES)
		return;
	if (more.rlim_max < limit.rlim_max)
		more.rlim_max = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &more) == 0)
		return;
	limit.rlim_cur = limit.rlim_max < OPEN_FILES ? limit.rlim_max : OPEN_FILES;
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < FEW_FILES)
		log_event(LOG_LEVEL_WARN, "limits",
		    "open-files=%llu reason=\"each session takes one or two, and more can't be had: raise the hard limit (ulimit -Hn)\"",
		    (unsigned long long)limit.rlim_cur);
}

static const struct passwd *
find_user(const char *name)
{
	const struct passwd *user = name != NULL ? getpwnam(name) : NULL;

	if (user == NULL)
		log_event(
		    LOG_LEVEL_ERROR, "privileges", "reason=\"the worker's user does not exist\" user=%s", name != NULL ? name : "none");
	else if (user->pw_uid == 0)
		log_event(LOG_LEVEL_ERROR, "privileges", "reason=\"the worker's user must not be root\" user=%s", name);
	return user != NULL && user->pw_uid != 0 ? user : NULL;
}

/* Who executed this program may have left signals blocked so that none got lost on the way. */
static void
unblock_passed(void)
{
	sigset_t passed;

	priv_passed_signals(&passed);
	sigprocmask(SIG_UNBLOCK, &passed, NULL);
}

/* In the worker. Never returns without having dropped everything. */
static struct priv *
become_worker(const struct priv_policy *policy, const struct passwd *user, int fd, pid_t monitor, int (*prepare)(void *user), void *arg)
{
	struct priv *p;

	if (prepare != NULL && prepare(arg) != 0)
		_exit(1);
	if (!priv_drop(user->pw_uid, user->pw_gid, policy->chroot_dir))
		_exit(1);
	/* A worker without its monitor can do nothing and must not stay; changing the user has reset this, so it comes last. */
	if (prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0) != 0 || getppid() != monitor)
		_exit(1);
	p = priv_new(fd, NULL);
	if (p == NULL) {
		log_event(LOG_LEVEL_ERROR, "worker", "error=\"%m\"");
		_exit(1);
	}
	return p;
}

static void __attribute__((noreturn)) become_monitor(struct priv_core *core, int fd, pid_t worker, const sigset_t *before)
{
	int status = priv_monitor_run(core, fd, worker, before);

	close(fd);
	priv_core_end(core, status);
	priv_core_fini(core);
	fflush(NULL);
	_exit(status);
}

struct priv *
priv_start(const struct priv_policy *policy, int (*prepare)(void *user), void *arg)
{
	const struct passwd *user = find_user(policy->user);
	pid_t monitor = getpid(), worker;
	struct priv_core core;
	sigset_t all, before;
	int fds[2];

	if (user == NULL || !priv_core_init(&core, policy))
		return NULL;
	raise_open_files();
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) != 0) {
		log_event(LOG_LEVEL_ERROR, "monitor", "error=\"socketpair: %m\"");
		priv_core_fini(&core);
		return NULL;
	}
	fflush(NULL);
	/* A signal to the monitor is the worker's to answer from the first moment on. */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	worker = fork();
	if (worker != 0)
		close(fds[1]);
	if (worker > 0)
		become_monitor(&core, fds[0], worker, &before);
	if (worker == 0) {
		sigprocmask(SIG_SETMASK, &before, NULL);
		unblock_passed();
		close(fds[0]);
		priv_core_fini(&core); /* its descriptors are the monitor's; nothing was done yet that could be undone */
		return become_worker(policy, user, fds[1], monitor, prepare, arg);
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	log_event(LOG_LEVEL_ERROR, "monitor", "error=\"fork: %m\"");
	close(fds[0]);
	priv_core_fini(&core);
	return NULL;
}

struct priv *
priv_start_inline(const struct priv_policy *policy)
{
	struct priv_core *core = malloc(sizeof(*core));
	struct priv *p = NULL;

	if (core == NULL)
		return NULL;
	raise_open_files();
	unblock_passed();
	if (priv_core_init(core, policy))
		p = priv_new(-1, core);
	if (p == NULL)
		free(core);
	return p;
}

struct priv *
priv_start_as_user(const struct priv_policy *policy, int (*prepare)(void *user), void *arg)
{
	if (policy->user == NULL || strcmp(policy->user, "root") != 0)
		return priv_start(policy, prepare, arg);
	return prepare(arg) == 0 ? priv_start_inline(policy) : NULL;
}
