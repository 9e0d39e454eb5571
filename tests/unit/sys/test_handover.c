/* Descriptors to the next process: a service manager that the test plays, and a shell that reads what it was left. */
#include "sys/handover.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/suite.h"
#include "tests/unit/sys/netns.h"

Suite *suite_handover(void);

/* --- taking ------------------------------------------------------------------- */

/* Puts pipes at the descriptors from 3 on, as they are when a process begins. */
static void
leave(int count, const char *names, int pid)
{
	char text[16];

	for (int fd = 3; fd < 3 + count; fd++) {
		int p[2];

		CHECK(pipe(p) == 0 && write(p[1], &(char){(char)('0' + fd)}, 1) == 1);
		CHECK(dup2(p[0], 100 + fd) == 100 + fd);
		close(p[0]);
		close(p[1]);
	}
	for (int fd = 3; fd < 3 + count; fd++)
		CHECK(dup2(100 + fd, fd) == fd && close(100 + fd) == 0);
	snprintf(text, sizeof(text), "%d", pid);
	CHECK(setenv("LISTEN_PID", text, 1) == 0);
	snprintf(text, sizeof(text), "%d", count);
	CHECK(setenv("LISTEN_FDS", text, 1) == 0);
	if (names != NULL)
		CHECK(setenv("LISTEN_FDNAMES", names, 1) == 0);
}

static bool
environment_is_clear(void)
{
	return getenv("LISTEN_PID") == NULL && getenv("LISTEN_FDS") == NULL && getenv("LISTEN_FDNAMES") == NULL;
}

static void
take_body(void)
{
	struct handover_fd fds[4];
	char c, names[200] = "one::a.b-c_d:";

	memset(names + strlen(names), 'x', 100);
	leave(6, names, getpid());
	CHECK(handover_take(fds, 4) == 4 && environment_is_clear());
	CHECK(strcmp(fds[0].name, "one") == 0 && strcmp(fds[1].name, "unknown") == 0 && strcmp(fds[2].name, "a.b-c_d") == 0);
	CHECK(strlen(fds[3].name) == HANDOVER_NAME - 1);
	for (int i = 0; i < 4; i++) {
		CHECK(fds[i].fd == 3 + i && fcntl(fds[i].fd, F_GETFD) == FD_CLOEXEC);
		CHECK(read(fds[i].fd, &c, 1) == 1 && c == '0' + fds[i].fd);
	}
	CHECK(fcntl(7, F_GETFD) == -1 && fcntl(8, F_GETFD) == -1); /* there was no room for them */
	CHECK(handover_take(fds, 4) == 0);
	/* Without names, and with a gap. */
	leave(3, NULL, getpid());
	close(4);
	CHECK(handover_take(fds, 4) == 2 && fds[0].fd == 3 && fds[1].fd == 5 && strcmp(fds[1].name, "unknown") == 0);
}

static void
raise_limit(void)
{
	struct rlimit limit;

	CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_max > 3000);
	limit.rlim_cur = limit.rlim_max;
	CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
}

/* Low numbers are for libraries that use select(2). */
static void
take_many_body(void)
{
	enum { COUNT = 300, MAX = 512 };
	struct handover_fd fds[MAX];
	int null = open("/dev/null", O_RDONLY);

	CHECK(null >= 0);
	raise_limit();
	leave(0, NULL, getpid());
	for (int fd = 3; fd < 3 + COUNT; fd++)
		CHECK(fd == null || dup2(null, fd) == fd);
	CHECK(setenv("LISTEN_FDS", "300", 1) == 0);
	CHECK(handover_take(fds, MAX) == COUNT);
	for (int i = 0; i < COUNT; i++)
		CHECK(fds[i].fd >= FD_SETSIZE && fcntl(fds[i].fd, F_GETFD) == FD_CLOEXEC && fcntl(3 + i, F_GETFD) == -1);
}

START_TEST(many_leave_the_low_numbers_free)
{
	in_child(take_many_body);
}
END_TEST

START_TEST(what_was_left_is_taken)
{
	in_child(take_body);
}
END_TEST

static void
not_taken_body(void)
{
	static const char *const bad[] = {"", "-1", "x", "2x", " 2", "99999999999999999999", "0"};
	struct handover_fd fds[4];

	leave(2, "a:b", getpid() + 1);
	CHECK(handover_take(fds, 4) == 0 && environment_is_clear());
	CHECK(fcntl(3, F_GETFD) == 0 && fcntl(4, F_GETFD) == 0); /* another's: untouched */
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		leave(1, "a", getpid());
		CHECK(setenv("LISTEN_FDS", bad[i], 1) == 0);
		CHECK(handover_take(fds, 4) == 0 && environment_is_clear());
	}
	leave(1, "a", getpid());
	CHECK(unsetenv("LISTEN_PID") == 0 && handover_take(fds, 4) == 0);
	/* A lie about how many ends with what there can be. */
	leave(2, "a:b", getpid());
	CHECK(setenv("LISTEN_FDS", "2147483644", 1) == 0 && handover_take(fds, 2) == 2);
}

START_TEST(what_is_not_ours_is_not_taken)
{
	in_child(not_taken_body);
}
END_TEST

/* --- the service manager ---------------------------------------------------------- */

static char path[64];

/* A manager's socket: in the file system, or abstract. */
static int
manager(bool abstract)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(path, sizeof(path), "%s/tmp/test-handover-%d", abstract ? "@" : "", (int)getpid());
	memcpy(name.sun_path, path, strlen(path));
	if (abstract)
		name.sun_path[0] = '\0';
	else
		unlink(path);
	CHECK(fd >= 0 && bind(fd, (struct sockaddr *)&name, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path))) == 0);
	CHECK(setenv("NOTIFY_SOCKET", path, 1) == 0);
	return fd;
}

/* Reads one message; returns how many descriptors it brought. */
static size_t
next_message(int fd, char text[256], int fds[253])
{
	char control[CMSG_SPACE(253 * sizeof(int))] __attribute__((aligned(8)));
	struct iovec iov = {text, 255};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
	struct pollfd p = {.fd = fd, .events = POLLIN};
	ssize_t n;
	size_t count = 0;

	CHECK(poll(&p, 1, 20000) == 1);
	n = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);
	CHECK(n >= 0 && (msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0);
	text[n] = '\0';
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c != NULL; c = CMSG_NXTHDR(&msg, c)) {
		count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(fds, CMSG_DATA(c), count * sizeof(int));
	}
	return count;
}

static bool
hears(int fd, const char *wanted)
{
	int fds[253];
	char text[256];

	return next_message(fd, text, fds) == 0 && strcmp(text, wanted) == 0;
}

static void
notify_body(void)
{
	const struct handover_fd taken[] = {{.name = "a-1"}, {.name = "b"}, {.name = "a-1"}, {.name = "a:1"}};
	int fds[253], fd;
	char text[256];

	CHECK(unsetenv("NOTIFY_SOCKET") == 0 && !handover_managed() && handover_notify("READY=1") == 0);
	CHECK(handover_store(NULL, 0) == -1 && errno == ENOTCONN);
	handover_empty(taken, 4); /* nobody to tell it to */
	for (int abstract = 0; abstract < 2; abstract++) {
		fd = manager(abstract != 0);
		CHECK(handover_managed() && handover_notify("READY=1\nSTATUS=well") == 0);
		CHECK(next_message(fd, text, fds) == 0 && strcmp(text, "READY=1\nSTATUS=well") == 0);
		handover_empty(taken, 0);
		handover_empty(taken, 4);
		CHECK(hears(fd, "FDSTOREREMOVE=1\nFDNAME=a-1") && hears(fd, "FDSTOREREMOVE=1\nFDNAME=b"));
		CHECK(hears(fd, "FDSTOREREMOVE=1\nFDNAME=bundle"));
		CHECK(recv(fd, text, 1, MSG_DONTWAIT) == -1 && errno == EAGAIN);
		close(fd);
		CHECK(handover_notify("READY=1") == -1 && errno == ECONNREFUSED);
		unlink(path);
	}
	CHECK(setenv("NOTIFY_SOCKET", "vsock:2:3", 1) == 0 && !handover_managed() && handover_notify("READY=1") == 0);
	memset(text, '/', 200);
	text[200] = '\0';
	CHECK(setenv("NOTIFY_SOCKET", text, 1) == 0 && handover_notify("READY=1") == -1 && errno == ENAMETOOLONG);
}

START_TEST(states_are_told)
{
	in_child(notify_body);
}
END_TEST

/* Reads messages until the barrier; checks that each brings the same file under the expected names. */
static void
serve_store(int fd, size_t want, size_t want_messages)
{
	struct stat st, null;
	size_t got = 0, messages = 0;

	CHECK(stat("/dev/null", &null) == 0);
	for (;;) {
		char text[256], name[80];
		int fds[253];
		size_t n = next_message(fd, text, fds);

		if (strcmp(text, "BARRIER=1") == 0) {
			CHECK(n == 1 && got == want && messages == want_messages);
			close(fds[0]);
			return;
		}
		snprintf(name, sizeof(name), "FDSTORE=1\nFDPOLL=0\nFDNAME=%s", got < 600 ? "many" : got == 600 ? "one" : "two");
		CHECK(strcmp(text, name) == 0);
		for (size_t i = 0; i < n; i++) {
			CHECK(fstat(fds[i], &st) == 0 && st.st_rdev == null.st_rdev);
			close(fds[i]);
		}
		got += n;
		messages++;
	}
}

static void
store_body(void)
{
	struct handover_fd fds[602];
	int fd = manager(false), status;
	pid_t pid;

	for (size_t i = 0; i < 602; i++) {
		fds[i].fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
		CHECK(fds[i].fd >= 0);
		snprintf(fds[i].name, sizeof(fds[i].name), "%s", i < 600 ? "many" : i == 600 ? "one" : "two");
	}
	pid = fork();
	if (pid == 0) {
		serve_store(fd, 602, 5); /* 253, 253, 94, 1, 1 */
		_exit(0);
	}
	CHECK(handover_store(fds, 602) == 0);
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	CHECK(fcntl(fds[601].fd, F_GETFD) == FD_CLOEXEC); /* still ours */
	/* What can't be is said before anything is sent. */
	strcpy(fds[1].name, "");
	CHECK(handover_store(fds, 2) == -1 && errno == EINVAL);
	strcpy(fds[1].name, "a b");
	CHECK(handover_store(fds, 2) == -1 && errno == EINVAL);
	memset(fds[1].name, 'x', HANDOVER_NAME);
	CHECK(handover_store(fds, 2) == -1 && errno == EINVAL);
	CHECK(recv(fd, fds, 1, MSG_DONTWAIT) == -1 && errno == EAGAIN);
	unlink(path);
}

START_TEST(descriptors_are_stored_in_batches)
{
	in_child(store_body);
}
END_TEST

enum { MANY = 1100 };

static void __attribute__((noreturn)) store_many(struct handover_fd *fds)
{
	for (size_t i = 0; i < MANY; i++) {
		fds[i].fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
		snprintf(fds[i].name, sizeof(fds[i].name), "%s", i < 2 ? "l" : "f");
	}
	_exit(handover_store(fds, MANY) == 0 ? 0 : 1);
}

/* As a process that the manager starts. */
static size_t
take_bundle(int bundle, struct handover_fd *fds, size_t max)
{
	struct stat st, null;
	size_t n;

	CHECK(dup2(bundle, 3) == 3);
	leave(0, "bundle", getpid());
	CHECK(setenv("LISTEN_FDS", "1", 1) == 0 && stat("/dev/null", &null) == 0);
	n = handover_take(fds, max);
	for (size_t i = 0; i < n; i++) {
		CHECK(strcmp(fds[i].name, i < 2 ? "l" : "f") == 0);
		CHECK(fstat(fds[i].fd, &st) == 0 && st.st_rdev == null.st_rdev && close(fds[i].fd) == 0);
	}
	return n;
}

static void
bundle_body(void)
{
	static struct handover_fd fds[2 * MANY];
	int fd, given[253], bundle, status;
	char text[256];
	pid_t pid;

	raise_limit();
	fd = fcntl(manager(false), F_DUPFD_CLOEXEC, 100);
	pid = fork();
	if (pid == 0)
		store_many(fds);
	CHECK(next_message(fd, text, given) == 1 && strcmp(text, "FDSTORE=1\nFDPOLL=0\nFDNAME=bundle") == 0);
	bundle = fcntl(given[0], F_DUPFD_CLOEXEC, 100);
	CHECK(next_message(fd, text, given) == 1 && strcmp(text, "BARRIER=1") == 0 && close(given[0]) == 0);
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	/* Whoever comes is given all of them, until one says that it has them. */
	for (int process = 0; process < 3; process++)
		CHECK(take_bundle(bundle, fds, 2 * MANY) == MANY);
	handover_empty(fds, MANY);
	CHECK(hears(fd, "FDSTOREREMOVE=1\nFDNAME=l") && hears(fd, "FDSTOREREMOVE=1\nFDNAME=f"));
	CHECK(hears(fd, "FDSTOREREMOVE=1\nFDNAME=bundle"));
	unlink(path);
}

START_TEST(what_is_stored_as_one_stays_until_it_is_taken_over)
{
	in_child(bundle_body);
}
END_TEST

static void
bad_manager_body(void)
{
	struct handover_fd one = {.fd = 9999, .name = "a"};
	int fd = manager(false);

	CHECK(handover_store(&one, 1) == -1 && errno == EBADF);
	/* One that reads nothing: the socket is full at some time, and the wait has an end. */
	one.fd = 0;
	CHECK(handover_store(&one, 1) == -1 && errno == ETIMEDOUT);
	close(fd);
	CHECK(handover_store(&one, 1) == -1 && errno == ECONNREFUSED);
	unlink(path);
	CHECK(handover_store(&one, 1) == -1 && errno == ENOENT);
}

START_TEST(a_manager_that_does_not_answer)
{
	in_child(bad_manager_body);
}
END_TEST

/* --- executing oneself anew -------------------------------------------------------------- */

static int
pipe_with(const char *text)
{
	int p[2];

	CHECK(pipe2(p, O_CLOEXEC) == 0 && write(p[1], text, strlen(text)) == (ssize_t)strlen(text));
	close(p[1]);
	return p[0];
}

static void
exec_in_disorder(void)
{
	char script[] = "read a <&3 && read b <&4 && read c <&5 && [ \"$a$b$c\" = threeonetwo ] && [ $LISTEN_FDS = 3 ] && "
			"[ $LISTEN_PID = $$ ] && [ $LISTEN_FDNAMES = second:first:second ] && ! [ -e /proc/$$/fd/6 ] && "
			"! [ -e /proc/$$/fd/77 ] && kill -PIPE $$; exit 9";
	char *argv[] = {(char[]){"sh"}, (char[]){"-c"}, script, NULL};
	struct handover_fd fds[3] = {{.name = "first"}, {.name = "second"}, {.name = "second"}};
	int other = pipe_with("x\n");

	fds[0].fd = pipe_with("one\n");
	fds[1].fd = pipe_with("two\n");
	fds[2].fd = pipe_with("three\n");
	CHECK(dup3(other, 77, O_CLOEXEC) == 77);
	/* In the row already: each has the place it will have. */
	CHECK(fcntl(other, F_GETFD) >= 0);
	for (int i = 0; i < 3; i++)
		CHECK(dup3(fds[i].fd, 80 + i, O_CLOEXEC) == 80 + i);
	for (int i = 0; i < 3; i++)
		CHECK(dup3(80 + i, 3 + (i + 1) % 3, O_CLOEXEC) >= 0 && close(80 + i) == 0);
	for (int i = 0; i < 3; i++)
		fds[i].fd = 3 + (i + 1) % 3;
	for (int fd = 6; fd < 70; fd++)
		fcntl(fd, F_SETFD, FD_CLOEXEC);
	signal(SIGPIPE, SIG_IGN);
	handover_exec("/bin/sh", argv, fds, 3);
	CHECK(false); /* executed */
}

static void
exec_body(void)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		exec_in_disorder();
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE); /* the script came to its end, with SIGPIPE as at a start */
}

START_TEST(the_next_process_finds_them)
{
	in_child(exec_body);
}
END_TEST

static void
failed_exec_body(void)
{
	char *argv[] = {(char[]){"x"}, NULL};
	struct handover_fd fds[40], *many;
	char c;

	for (int fd = 3; fd < 200; fd++)
		close(fd);
	for (int i = 0; i < 40; i++) {
		fds[i] = (struct handover_fd){.fd = pipe_with(&(char[]){(char)('0' + i), '\0'}[0]), .name = "n"};
		CHECK(fds[i].fd == 3 + i || i > 0);
	}
	for (int i = 0; i < 20; i++) { /* backwards, so that each is moved */
		struct handover_fd other = fds[i];

		fds[i] = fds[39 - i];
		fds[39 - i] = other;
	}
	close(fds[39].fd);
	fds[39].fd = fds[38].fd;
	signal(SIGPIPE, SIG_IGN);
	handover_exec("/nonexistent/program", argv, fds, 40);
	CHECK(errno == ENOENT && environment_is_clear());
	CHECK(signal(SIGPIPE, SIG_DFL) == SIG_IGN);
	for (int i = 0; i < 39; i++)
		CHECK(fcntl(fds[i].fd, F_GETFD) == FD_CLOEXEC && read(fds[i].fd, &c, 1) == 1 && c == '0' + 39 - i);
	CHECK(fcntl(3, F_GETFD) == -1); /* nothing was there, nothing is */
	for (int fd = 43; fd < 200; fd++)
		CHECK(fcntl(fd, F_GETFD) == -1); /* no copy is left */
	fds[1].fd = 9999;
	handover_exec("/bin/true", argv, fds, 2);
	CHECK(errno == EBADF && fcntl(3, F_GETFD) == -1);
	many = calloc(4000, sizeof(*many));
	CHECK(many != NULL);
	for (int i = 0; i < 4000; i++)
		snprintf(many[i].name, sizeof(many[i].name), "a-name-that-makes-them-too-long-%05d", i);
	handover_exec("/bin/true", argv, many, 4000);
	CHECK(errno == E2BIG);
	CHECK(setenv("NOTIFY_SOCKET", "/nonexistent", 1) == 0 && handover_store(many, 4000) == -1 && errno == E2BIG);
	free(many);
}

/* Thousands take hardly more descriptors than they are. */
static void
frugal_exec_body(void)
{
	enum { COUNT = 100, LIMIT = 120 };
	char *argv[] = {(char[]){"x"}, NULL};
	const struct rlimit limit = {LIMIT, LIMIT};
	struct handover_fd fds[COUNT];

	for (int fd = 3; fd < 200; fd++)
		close(fd);
	for (int i = 0; i < COUNT; i++)
		fds[i] = (struct handover_fd){.fd = fcntl(0, F_DUPFD_CLOEXEC, 6), .name = "n"};
	CHECK(fds[COUNT - 1].fd == COUNT + 5 && setrlimit(RLIMIT_NOFILE, &limit) == 0);
	handover_exec("/nonexistent/program", argv, fds, COUNT);
	CHECK(errno == ENOENT);
	for (int i = 0; i < COUNT; i++)
		CHECK(fds[i].fd == 6 + i && fcntl(fds[i].fd, F_GETFD) == FD_CLOEXEC);
	CHECK(fcntl(3, F_GETFD) == -1 && fcntl(COUNT + 6, F_GETFD) == -1);
}

START_TEST(an_exec_needs_few_more_descriptors)
{
	in_child(frugal_exec_body);
}
END_TEST

START_TEST(a_failed_exec_changes_nothing)
{
	in_child(failed_exec_body);
}
END_TEST

Suite *
suite_handover(void)
{
	Suite *s = suite_create("handover");
	TCase *t = tcase_create("handover");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, what_was_left_is_taken);
	tcase_add_test(t, many_leave_the_low_numbers_free);
	tcase_add_test(t, what_is_not_ours_is_not_taken);
	tcase_add_test(t, states_are_told);
	tcase_add_test(t, descriptors_are_stored_in_batches);
	tcase_add_test(t, what_is_stored_as_one_stays_until_it_is_taken_over);
	tcase_add_test(t, a_manager_that_does_not_answer);
	tcase_add_test(t, the_next_process_finds_them);
	tcase_add_test(t, an_exec_needs_few_more_descriptors);
	tcase_add_test(t, a_failed_exec_changes_nothing);
	suite_add_tcase(s, t);
	return s;
}
