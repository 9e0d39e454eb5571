#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/priv_core.h"
#include "tests/unit/suite.h"

Suite *suite_priv_resolv(void);

static char path[64], text[70000];

static void
put(const char *s)
{
	FILE *fp = fopen(path, "w");

	ck_assert_ptr_nonnull(fp);
	ck_assert_int_ge(fputs(s, fp), 0);
	fclose(fp);
}

static const char *
get(void)
{
	int fd = open(path, O_RDONLY);
	ssize_t n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;

	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = '\0';
	return n < 0 ? NULL : text;
}

static void
setup(void)
{
	strcpy(path, "/tmp/test-resolv-XXXXXX");
	close(mkstemp(path));
}

static void
teardown(void)
{
	unlink(path);
}

START_TEST(restored_byte_for_byte)
{
	static const char *const originals[] = {"", "\n", "nameserver 192.0.2.1\n", "nameserver 192.0.2.1", "# c\n\n\nsearch a b\n",
	    "#openpptp# looks like ours\n#openpptp$ too", "a\n\n"};

	for (size_t i = 0; i < sizeof(originals) / sizeof(originals[0]); i++) {
		put(originals[i]);
		ck_assert_int_eq(priv_resolv_set(path, "nameserver 10.0.0.1\nsearch x\n"), 0);
		ck_assert_ptr_nonnull(strstr(get(), "\nnameserver 10.0.0.1\nsearch x\n"));
		ck_assert_ptr_null(strstr(text, "\nnameserver 192"));
		ck_assert_int_eq(priv_resolv_restore(path, false), 0);
		ck_assert_str_eq(get(), originals[i]);
	}
}
END_TEST

START_TEST(written_in_place)
{
	struct stat before, after;
	char link_path[80];

	put("nameserver 192.0.2.1\n");
	ck_assert_int_eq(chmod(path, 0640), 0);
	ck_assert_int_eq(stat(path, &before), 0);
	snprintf(link_path, sizeof(link_path), "%s.link", path);
	ck_assert_int_eq(symlink(path, link_path), 0);
	ck_assert_int_eq(priv_resolv_set(link_path, "nameserver 10.0.0.1\n"), 0);
	ck_assert_int_eq(lstat(link_path, &after), 0);
	ck_assert(S_ISLNK(after.st_mode));
	ck_assert_int_eq(priv_resolv_restore(link_path, false), 0);
	ck_assert_int_eq(stat(path, &after), 0);
	ck_assert_uint_eq(after.st_ino, before.st_ino);
	ck_assert_uint_eq(after.st_mode, before.st_mode);
	ck_assert_str_eq(get(), "nameserver 192.0.2.1\n");
	unlink(link_path);
}
END_TEST

START_TEST(a_file_that_was_not_there)
{
	unlink(path);
	ck_assert_int_eq(priv_resolv_restore(path, true), 0);
	ck_assert_int_eq(priv_resolv_set(path, "nameserver 10.0.0.1\n"), 0);
	ck_assert_ptr_nonnull(get());
	ck_assert_int_eq(priv_resolv_restore(path, false), 0);
	ck_assert_int_eq(access(path, F_OK), -1);
}
END_TEST

START_TEST(files_of_others_are_left_alone)
{
	static const char *const theirs[] = {
	    "nameserver 192.0.2.1\n", "# openpptp", "# openpptp x\n#openpptp# y\n", "# openpptp 0 0:\n#openpptp# y\n"};

	for (size_t i = 0; i < sizeof(theirs) / sizeof(theirs[0]); i++) {
		put(theirs[i]);
		ck_assert_int_eq(priv_resolv_restore(path, true), 0);
		ck_assert_str_eq(get(), theirs[i]);
	}
	/* Somebody wrote it anew while we had it. */
	ck_assert_int_eq(priv_resolv_set(path, "nameserver 10.0.0.1\n"), 0);
	put("nameserver 198.51.100.1\n");
	ck_assert_int_eq(priv_resolv_restore(path, false), 0);
	ck_assert_str_eq(get(), "nameserver 198.51.100.1\n");
}
END_TEST

/* Runs priv_resolv_set() in a child that stays until *stop is closed. */
static pid_t
set_in_child(const char *servers, int *stop)
{
	int down[2], up[2];
	char c;
	pid_t pid;

	ck_assert_int_eq(pipe(down), 0);
	ck_assert_int_eq(pipe(up), 0);
	pid = fork();
	if (pid == 0) {
		close(down[1]);
		c = priv_resolv_set(path, servers) == 0 ? 'k' : 'x';
		if (write(up[1], &c, 1) == 1 && read(down[0], &c, 1) != 0)
			_exit(1);
		_exit(0);
	}
	close(down[0]);
	ck_assert_int_eq(read(up[0], &c, 1), 1);
	ck_assert_int_eq(c, 'k');
	close(up[0]);
	close(up[1]);
	*stop = down[1];
	return pid;
}

START_TEST(owners_alive_and_dead)
{
	int stop, stop2;
	pid_t first, second;

	put("nameserver 192.0.2.1\n");
	first = set_in_child("nameserver 10.0.0.1\n", &stop);
	ck_assert_int_eq(priv_resolv_restore(path, true), 0); /* it lives: its work stays */
	ck_assert_ptr_nonnull(strstr(get(), "\nnameserver 10.0.0.1\n"));
	second = set_in_child("nameserver 10.0.0.2\n", &stop2); /* on top of it */
	close(stop);
	close(stop2);
	ck_assert_int_eq(waitpid(first, NULL, 0), first);
	ck_assert_int_eq(waitpid(second, NULL, 0), second);
	ck_assert_int_eq(priv_resolv_restore(path, false), 0); /* not ours, and dead ones were not asked for */
	ck_assert_ptr_nonnull(strstr(get(), "\nnameserver 10.0.0.2\n"));
	ck_assert_int_eq(priv_resolv_restore(path, true), 0); /* both layers */
	ck_assert_str_eq(get(), "nameserver 192.0.2.1\n");
}
END_TEST

START_TEST(files_too_big_or_binary_are_refused)
{
	FILE *fp = fopen(path, "w");

	for (int i = 0; i < 66000; i++)
		fputc('\n', fp);
	fclose(fp);
	ck_assert_int_ne(priv_resolv_set(path, "nameserver 10.0.0.1\n"), 0);
	fp = fopen(path, "w");
	for (int i = 0; i < 20000; i++) /* fits, but not with a mark on every line */
		fputc('\n', fp);
	fclose(fp);
	ck_assert_int_ne(priv_resolv_set(path, "nameserver 10.0.0.1\n"), 0);
	ck_assert_uint_eq(strspn(get(), "\n"), 20000);
	fp = fopen(path, "w");
	fwrite("a\0b", 1, 3, fp);
	fclose(fp);
	ck_assert_int_ne(priv_resolv_set(path, "nameserver 10.0.0.1\n"), 0);
}
END_TEST

Suite *
suite_priv_resolv(void)
{
	Suite *s = suite_create("priv_resolv");
	TCase *t = tcase_create("priv_resolv");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, restored_byte_for_byte);
	tcase_add_test(t, written_in_place);
	tcase_add_test(t, a_file_that_was_not_there);
	tcase_add_test(t, files_of_others_are_left_alone);
	tcase_add_test(t, owners_alive_and_dead);
	tcase_add_test(t, files_too_big_or_binary_are_refused);
	suite_add_tcase(s, t);
	return s;
}
