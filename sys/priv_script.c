/* Scripts run as children: in line, a few at once, for a bounded time, each watched by a descriptor. */
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/queue.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/clock.h"
#include "sys/log.h"
#include "sys/priv_core.h"

enum { ENV_MAX = 256, BUCKETS = 1024, SECOND = 1000000000 };

struct script {
	TAILQ_ENTRY(script) entry;
	const char *path; /* lives as long as the process */
	uint64_t key;     /* 0: none */
	pid_t pid;
	int pidfd;
	uint64_t deadline;
	size_t envlen;
	char env[];
};

TAILQ_HEAD(script_list, script);

struct priv_scripts {
	int epoll_fd, timer_fd;
	unsigned at_once, running_count;
	uint64_t timeout_ns;
	unsigned refused;
	size_t waiting_count, waiting_bytes, kept_count, kept_bytes;
	struct script_list waiting, running;
	struct script_list kept[BUCKETS];
};

struct priv_scripts *
priv_scripts_new(unsigned at_once, unsigned timeout_s)
{
	struct priv_scripts *s = calloc(1, sizeof(*s));
	struct epoll_event e = {.events = EPOLLIN};

	if (s == NULL)
		return NULL;
	s->at_once = at_once;
	s->timeout_ns = (uint64_t)timeout_s * SECOND;
	TAILQ_INIT(&s->waiting);
	TAILQ_INIT(&s->running);
	for (size_t i = 0; i < BUCKETS; i++)
		TAILQ_INIT(&s->kept[i]);
	s->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	s->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (s->epoll_fd >= 0 && s->timer_fd >= 0 && epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, s->timer_fd, &e) == 0)
		return s;
	priv_scripts_free(s);
	return NULL;
}

static void
free_list(struct script_list *list)
{
	struct script *script;

	while ((script = TAILQ_FIRST(list)) != NULL) {
		TAILQ_REMOVE(list, script, entry);
		free(script);
	}
}

void
priv_scripts_free(struct priv_scripts *s)
{
	struct script *script;

	if (s == NULL)
		return;
	TAILQ_FOREACH(script, &s->running, entry)
	{
		close(script->pidfd);
	}
	free_list(&s->running);
	free_list(&s->waiting);
	for (size_t i = 0; i < BUCKETS; i++)
		free_list(&s->kept[i]);
	if (s->epoll_fd >= 0)
		close(s->epoll_fd);
	if (s->timer_fd >= 0)
		close(s->timer_fd);
	free(s);
}

int
priv_scripts_fd(const struct priv_scripts *s)
{
	return s->epoll_fd;
}

/* --- the child -------------------------------------------------------------------- */

static void __attribute__((noreturn)) exec_script(struct script *script)
{
	static char path_env[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	char *envp[ENV_MAX + 2] = {path_env}, *argv[] = {(char *)(uintptr_t)script->path, NULL};
	size_t count = 1;
	sigset_t none;
	int null_fd;

	for (size_t at = 0; at < script->envlen && count <= ENV_MAX; at += strlen(script->env + at) + 1)
		envp[count++] = script->env + at;
	/* A session of its own, so that a time-out gets its children too. */
	setsid();
	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	null_fd = open("/dev/null", O_RDWR);
	if (null_fd < 0 || dup2(null_fd, STDIN_FILENO) < 0 || syscall(SYS_close_range, 3u, ~0u, 0u) != 0 || chdir("/") != 0)
		_exit(126);
	execve(script->path, argv, envp);
	_exit(127);
}

static void
set_timer(struct priv_scripts *s)
{
	struct itimerspec when = {0};
	struct script *first = TAILQ_FIRST(&s->running); /* all have the same time: the oldest ends first */

	if (first != NULL) {
		when.it_value.tv_sec = (time_t)(first->deadline / SECOND);
		when.it_value.tv_nsec = (long)(first->deadline % SECOND);
	}
	timerfd_settime(s->timer_fd, TFD_TIMER_ABSTIME, &when, NULL);
}

static bool
start(struct priv_scripts *s, struct script *script)
{
	struct epoll_event e = {.events = EPOLLIN, .data.ptr = script};

	script->pid = fork();
	if (script->pid == 0)
		exec_script(script);
	if (script->pid < 0)
		return false;
	script->deadline = clock_ts() + s->timeout_ns;
	script->pidfd = (int)syscall(SYS_pidfd_open, script->pid, 0);
	if (script->pidfd >= 0 && epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, script->pidfd, &e) == 0)
		return true;
	/* It can't be watched, so it can't be run. */
	kill(script->pid, SIGKILL);
	waitpid(script->pid, NULL, 0);
	if (script->pidfd >= 0)
		close(script->pidfd);
	return false;
}

static bool
is_running(const struct priv_scripts *s, uint64_t key)
{
	const struct script *script;

	TAILQ_FOREACH(script, &s->running, entry)
	{
		if (script->key == key)
			return true;
	}
	return false;
}

/* The first one that may start: what ip-up does must be done when its ip-down begins. */
static struct script *
next_script(struct priv_scripts *s)
{
	struct script *script;

	TAILQ_FOREACH(script, &s->waiting, entry)
	{
		if (script->key == 0 || !is_running(s, script->key))
			return script;
	}
	return NULL;
}

static void
wait_in_line(struct priv_scripts *s, struct script *script)
{
	TAILQ_INSERT_TAIL(&s->waiting, script, entry);
	s->waiting_count++;
	s->waiting_bytes += script->envlen;
}

static void
start_waiting(struct priv_scripts *s)
{
	struct script *script;

	while (s->running_count < s->at_once && (script = next_script(s)) != NULL) {
		TAILQ_REMOVE(&s->waiting, script, entry);
		s->waiting_count--;
		s->waiting_bytes -= script->envlen;
		if (start(s, script)) {
			TAILQ_INSERT_TAIL(&s->running, script, entry);
			s->running_count++;
		} else {
			log_event(LOG_LEVEL_WARN, "script", "path=%s error=\"%m\"", script->path);
			free(script);
		}
	}
	set_timer(s);
}

/* --- the parent ----------------------------------------------------------------------- */

static struct script *
new_script(uint64_t key, const char *path, const char *env, size_t envlen)
{
	struct script *script = calloc(1, sizeof(*script) + envlen);

	if (script != NULL) {
		script->key = key;
		script->path = path;
		script->envlen = envlen;
		memcpy(script->env, env, envlen);
	}
	return script;
}

/* A script that does not run is a rule that stays, or a bill that is not sent: it is said, the first time and at powers of two. */
static int
refuse(struct priv_scripts *s, const char *path, int error)
{
	unsigned n = ++s->refused;

	if ((n & (n - 1)) == 0)
		log_event(LOG_LEVEL_ERROR, "script", "path=%s error=\"not run: %s\" count=%u", path,
		    error == EAGAIN ? "too many wait" : strerror(error), n);
	return error;
}

int
priv_scripts_run(struct priv_scripts *s, uint64_t key, const char *path, const char *env, size_t envlen)
{
	struct script *script;

	if (s->waiting_count >= PRIV_SCRIPTS_WAITING || s->waiting_bytes + envlen > PRIV_SCRIPTS_BYTES)
		return refuse(s, path, EAGAIN);
	script = new_script(key, path, env, envlen);
	if (script == NULL)
		return refuse(s, path, ENOMEM);
	wait_in_line(s, script);
	start_waiting(s);
	return 0;
}

int
priv_scripts_keep(struct priv_scripts *s, uint64_t key, const char *path, const char *env, size_t envlen)
{
	struct script *script;

	priv_scripts_forget(s, key);
	if (s->kept_count >= PRIV_SCRIPTS_KEPT || s->kept_bytes + envlen > PRIV_SCRIPTS_BYTES)
		return ENOSPC;
	script = new_script(key, path, env, envlen);
	if (script == NULL)
		return ENOMEM;
	TAILQ_INSERT_TAIL(&s->kept[key % BUCKETS], script, entry);
	s->kept_count++;
	s->kept_bytes += envlen;
	return 0;
}

void
priv_scripts_forget(struct priv_scripts *s, uint64_t key)
{
	struct script *script;

	TAILQ_FOREACH(script, &s->kept[key % BUCKETS], entry)
	{
		if (script->key == key) {
			TAILQ_REMOVE(&s->kept[key % BUCKETS], script, entry);
			s->kept_count--;
			s->kept_bytes -= script->envlen;
			free(script);
			return;
		}
	}
}

static void
log_end(const struct script *script, int status)
{
	if (WIFSIGNALED(status))
		log_event(LOG_LEVEL_WARN, "script", "path=%s signal=%d", script->path, WTERMSIG(status));
	else if (WEXITSTATUS(status) == 127)
		log_event(LOG_LEVEL_WARN, "script", "path=%s error=\"can't be executed\"", script->path);
	else
		log_event(WEXITSTATUS(status) == 0 ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO, "script", "path=%s status=%d", script->path,
		    WEXITSTATUS(status));
}

static void
reap(struct priv_scripts *s)
{
	struct script *script, *next;
	uint64_t now = clock_ts();

	for (script = TAILQ_FIRST(&s->running); script != NULL; script = next) {
		int status;

		next = TAILQ_NEXT(script, entry);
		if (waitpid(script->pid, &status, WNOHANG) == script->pid) {
			log_end(script, status);
			TAILQ_REMOVE(&s->running, script, entry);
			s->running_count--;
			close(script->pidfd);
			free(script);
		} else if (script->deadline <= now) {
			log_event(LOG_LEVEL_WARN, "script", "path=%s reason=\"ran too long, killed\"", script->path);
			kill(-script->pid, SIGKILL);
			kill(script->pid, SIGKILL);
			script->deadline = UINT64_MAX;
			TAILQ_REMOVE(&s->running, script, entry);
			TAILQ_INSERT_TAIL(&s->running, script, entry);
		}
	}
}

void
priv_scripts_service(struct priv_scripts *s)
{
	uint64_t expirations;

	if (read(s->timer_fd, &expirations, sizeof(expirations)) < 0 && errno != EAGAIN)
		log_event(LOG_LEVEL_WARN, "script", "error=\"timer: %m\"");
	reap(s);
	start_waiting(s);
}

void
priv_scripts_finish(struct priv_scripts *s)
{
	for (size_t i = 0; i < BUCKETS; i++) {
		struct script *script;

		while ((script = TAILQ_FIRST(&s->kept[i])) != NULL) {
			TAILQ_REMOVE(&s->kept[i], script, entry);
			wait_in_line(s, script);
		}
	}
	s->kept_count = s->kept_bytes = 0;
	start_waiting(s);
	while (s->running_count > 0) {
		struct epoll_event e;

		if (epoll_wait(s->epoll_fd, &e, 1, -1) < 0 && errno != EINTR)
			break;
		priv_scripts_service(s);
	}
}
