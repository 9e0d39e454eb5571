#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pptpc/option.h"
#include "pptpc/secret.h"
#include "tests/unit/suite.h"

static struct profile p;
static char err[256];
static char path[32];

static void
setup(void)
{
	profile_init(&p, false);
	strcpy(path, "/tmp/pptpc-test-XXXXXX");
	close(mkstemp(path));
	unsetenv("PPTPC_PASSWORD");
}

static void
teardown(void)
{
	unlink(path);
}

static void
write_file(const char *text, mode_t mode)
{
	FILE *f = fopen(path, "w");

	fputs(text, f);
	fclose(f);
	chmod(path, mode);
}

static bool
has(const char *password)
{
	const struct ppp_secret *s = &p.tunnel.link.secret;

	return !s->is_nt_hash && s->len == strlen(password) && memcmp(s->data, password, s->len) == 0;
}

static void
set(const char *name, const char *value)
{
	ck_assert(profile_set(&p, name, value, err, sizeof(err)));
}

START_TEST(test_from_the_configuration)
{
	set("password", "s3cret");
	ck_assert(secret_load(&p, false, err, sizeof(err)));
	ck_assert(has("s3cret"));
}
END_TEST

START_TEST(test_from_a_file)
{
	static const char *const contents[] = {"s3cret\n", "s3cret", "s3cret\r\n", "s3cret\nmore\n"};

	set("password-file", path);
	for (size_t i = 0; i < sizeof(contents) / sizeof(contents[0]); i++) {
		write_file(contents[i], 0600);
		ck_assert_msg(secret_load(&p, false, err, sizeof(err)), "%s", err);
		ck_assert(has("s3cret"));
	}
}
END_TEST

START_TEST(test_files_that_are_refused)
{
	set("password-file", path);
	write_file("s3cret\n", 0644);
	ck_assert(!secret_load(&p, false, err, sizeof(err)));
	ck_assert_ptr_nonnull(strstr(err, "chmod 600"));
	write_file("\n", 0600);
	ck_assert(!secret_load(&p, false, err, sizeof(err)));
	ck_assert_ptr_nonnull(strstr(err, "empty"));
	unlink(path);
	ck_assert(!secret_load(&p, false, err, sizeof(err)));
	ck_assert_ptr_nonnull(strstr(err, path));
}
END_TEST

START_TEST(test_from_a_descriptor)
{
	char number[16];
	int fds[2];

	ck_assert_int_eq(pipe(fds), 0);
	ck_assert_int_eq(write(fds[1], "first\nsecond\n", 13), 13);
	close(fds[1]);
	snprintf(number, sizeof(number), "%d", fds[0]);
	set("password-fd", number);
	ck_assert(secret_load(&p, false, err, sizeof(err)));
	ck_assert(has("first"));
	/* Byte by byte: what follows belongs to the next reader. */
	ck_assert(secret_load(&p, false, err, sizeof(err)));
	ck_assert(has("second"));
	ck_assert(!secret_load(&p, false, err, sizeof(err)));
	close(fds[0]);
	ck_assert(!secret_load(&p, false, err, sizeof(err)));
}
END_TEST

START_TEST(test_from_the_environment_only_by_hand)
{
	setenv("PPTPC_PASSWORD", "s3cret", 1);
	ck_assert(!secret_load(&p, false, err, sizeof(err)));
	ck_assert(secret_load(&p, true, err, sizeof(err)));
	ck_assert(has("s3cret"));
}
END_TEST

START_TEST(test_the_environment_is_scrubbed)
{
	const char *value;

	setenv("PPTPC_PASSWORD", "s3cret", 1);
	value = getenv("PPTPC_PASSWORD");
	secret_scrub_environment();
	ck_assert_ptr_null(getenv("PPTPC_PASSWORD"));
	ck_assert_int_eq(value[0], '\0');
	secret_scrub_environment();
}
END_TEST

START_TEST(test_a_hash)
{
	const struct ppp_secret *s = &p.tunnel.link.secret;

	set("password", "hash:44EBBA8D5312b8d611474411f56989ae");
	ck_assert(secret_load(&p, false, err, sizeof(err)));
	ck_assert(s->is_nt_hash);
	ck_assert_uint_eq(s->len, 16);
	ck_assert_uint_eq(s->data[0], 0x44);
	ck_assert_uint_eq(s->data[15], 0xae);
	set("password", "hash:44EBBA");
	ck_assert(!secret_load(&p, false, err, sizeof(err)));
	set("password", "hash:44EBBA8D5312b8d611474411f56989ae00");
	ck_assert(!secret_load(&p, false, err, sizeof(err)));
	set("password", "hash:44EBBA8D5312b8d611474411f56989ax");
	ck_assert(!secret_load(&p, false, err, sizeof(err)));
}
END_TEST

START_TEST(test_long_passwords)
{
	char text[PPP_SECRET_MAX + 3];

	memset(text, 'x', sizeof(text));
	text[PPP_SECRET_MAX] = '\0';
	set("password-file", path);
	write_file(text, 0600);
	ck_assert(secret_load(&p, false, err, sizeof(err)));
	ck_assert(has(text));
	text[PPP_SECRET_MAX] = 'x';
	text[PPP_SECRET_MAX + 1] = '\0';
	write_file(text, 0600);
	ck_assert(!secret_load(&p, false, err, sizeof(err)));
	ck_assert_ptr_nonnull(strstr(err, "longer"));
}
END_TEST

Suite *suite_secret(void);

Suite *
suite_secret(void)
{
	Suite *s = suite_create("secret");
	TCase *t = tcase_create("secret");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_from_the_configuration);
	tcase_add_test(t, test_from_a_file);
	tcase_add_test(t, test_files_that_are_refused);
	tcase_add_test(t, test_from_a_descriptor);
	tcase_add_test(t, test_from_the_environment_only_by_hand);
	tcase_add_test(t, test_the_environment_is_scrubbed);
	tcase_add_test(t, test_a_hash);
	tcase_add_test(t, test_long_passwords);
	suite_add_tcase(s, t);
	return s;
}
