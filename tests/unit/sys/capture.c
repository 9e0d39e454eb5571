#include "tests/unit/sys/capture.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

static int saved_fd = -1, file_fd = -1;
static char text[65536];

void
capture_begin(void)
{
	fflush(stderr);
	file_fd = memfd_create("stderr", MFD_CLOEXEC);
	fcntl(file_fd, F_SETFL, O_APPEND); /* else the kernel does not lock the position of such a file between writers */
	saved_fd = dup(STDERR_FILENO);
	ck_assert_int_ge(file_fd, 0);
	ck_assert_int_ge(saved_fd, 0);
	ck_assert_int_ge(dup2(file_fd, STDERR_FILENO), 0);
}

const char *
capture_end(void)
{
	ssize_t n;

	fflush(stderr);
	dup2(saved_fd, STDERR_FILENO);
	n = pread(file_fd, text, sizeof(text) - 1, 0);
	text[n > 0 ? n : 0] = '\0';
	close(saved_fd);
	close(file_fd);
	return text;
}
