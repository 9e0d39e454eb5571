#include "tests/unit/sys/netns.h"

#include <check.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

void
check_at(bool ok, const char *what, const char *file, int line)
{
	if (ok)
		return;
	fprintf(stderr, "%s:%d: failed: %s (errno: %s)\n", file, line, what, strerror(errno));
	_exit(1);
}

bool
can_unshare(void)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(unshare(CLONE_NEWNET) == 0 && access("/dev/net/tun", R_OK | W_OK) == 0 ? 0 : 1);
	if (pid > 0 && waitpid(pid, &status, 0) == pid && status == 0)
		return true;
	fprintf(stderr, "skipped: needs root and /dev/net/tun for a network namespace\n");
	return false;
}

static void
run_child(void (*body)(void), bool netns)
{
	int status;
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		if (netns)
			CHECK(unshare(CLONE_NEWNET) == 0);
		body();
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(status == 0, "the child ended with status %#x", status);
}

void
in_netns(void (*body)(void))
{
	if (can_unshare())
		run_child(body, true);
}

void
in_child(void (*body)(void))
{
	run_child(body, false);
}

bool
shell(const char *command)
{
	return system(command) == 0;
}

bool
shell_soon(const char *command)
{
	for (int i = 0; i < 1000; i++) {
		if (shell(command))
			return true;
		nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
	}
	return false;
}
