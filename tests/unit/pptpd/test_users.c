#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pptpd/users.h"
#include "tests/unit/suite.h"

static char errors[4096];

static void
note_error(void *user, const char *line)
{
	size_t n = strlen(errors);

	(void)user;
	snprintf(errors + n, sizeof(errors) - n, "%s\n", line);
}

static struct users *
parse(const char *text)
{
	errors[0] = '\0';
	return users_parse("f", text, strlen(text), note_error, NULL);
}

static struct users *
good(const char *text)
{
	struct users *u = parse(text);

	ck_assert_msg(u != NULL, "%s", errors);
	ck_assert_str_eq(errors, "");
	return u;
}

static const char *
bad(const char *text)
{
	ck_assert_ptr_null(parse(text));
	return errors;
}

START_TEST(golden_file)
{
	struct users *u = good("# client server secret addresses\n"
			       "alice\tpptpd\t\"correct horse\"\t*\n"
			       "branch pptpd secret 10.0.0.5 10.0.1.1-3 route=10.1.0.0/24 route=fd00:1::/48\n"
			       "bob * nthash:8846f7eaee8fb117ad06bdd830b7586c * from=192.0.2.0/24 sessions=2\n"
			       "carol * 'nthash:plain' * ifname=carol0 session-timeout=8h idle-timeout=0 fd00:77::/64\n"
			       "dave * {NT}8846F7EAEE8FB117AD06BDD830B7586C -\n");
	const struct user *c;

	ck_assert_uint_eq(users_count(u), 5);
	c = users_at(u, 0);
	ck_assert_str_eq(c->client, "alice");
	ck_assert_uint_eq(c->line, 2);
	ck_assert_uint_eq(c->secret.len, 13);
	ck_assert_mem_eq(c->secret.data, "correct horse", 13);
	ck_assert_uint_eq(c->profile.v4_count, 0);
	ck_assert_uint_eq(c->profile.session_timeout_ns, UINT64_MAX);
	c = users_at(u, 1);
	ck_assert_uint_eq(c->profile.v4_count, 2);
	ck_assert_uint_eq(c->profile.v4[0].first, 0x0a000005);
	ck_assert_uint_eq(c->profile.v4[1].last, 0x0a000103);
	ck_assert_uint_eq(c->profile.routes_count, 2);
	ck_assert_uint_eq(c->profile.routes[1].len, 48);
	c = users_at(u, 2);
	ck_assert(c->secret.is_nt_hash);
	ck_assert_uint_eq(c->secret.data[0], 0x88);
	ck_assert_uint_eq(c->profile.sessions, 2);
	ck_assert_uint_eq(c->profile.from_count, 1);
	c = users_at(u, 3);
	ck_assert(!c->secret.is_nt_hash);
	ck_assert_str_eq(c->profile.ifname, "carol0");
	ck_assert_uint_eq(c->profile.session_timeout_ns, UINT64_C(8) * 3600 * 1000000000);
	ck_assert_uint_eq(c->profile.idle_timeout_ns, 0);
	ck_assert_uint_eq(c->profile.v6.len, 64);
	c = users_at(u, 4);
	ck_assert_uint_eq(c->secret.data[15], 0x6c);
	ck_assert(c->profile.no_v4);
	users_free(u);
}
END_TEST

START_TEST(the_best_entry_is_found)
{
	struct users *u = good("* * any\nalice * star\nalice pptpd exact\nalice pptpd second\n* other o\n");

	ck_assert_uint_eq(users_find(u, "alice", "pptpd")->line, 3);
	ck_assert_uint_eq(users_find(u, "alice", "else")->line, 2);
	ck_assert_uint_eq(users_find(u, "bob", "pptpd")->line, 1);
	ck_assert_uint_eq(users_find(u, "bob", "other")->line, 5);
	ck_assert_uint_eq(users_find(u, "*", "pptpd")->line, 1);
	ck_assert_uint_eq(users_find(u, "Alice", "pptpd")->line, 1);
	users_free(u);
	u = good("alice pptpd x\n");
	ck_assert_ptr_null(users_find(u, "alice", "other"));
	ck_assert_ptr_null(users_find(u, "bob", "pptpd"));
	ck_assert_ptr_null(users_find(u, "", "pptpd"));
	users_free(u);
	u = good("");
	ck_assert_ptr_null(users_find(u, "alice", "pptpd"));
	users_free(u);
}
END_TEST

static const struct {
	const char *text, *error;
} wrongs[] = {
    {"alice\n", "f:1: 'alice' has no server and no secret\n"},
    {"# c\nalice pptpd\n", "f:2: 'alice' has no secret\n"},
    {"a\nb\n", "f:1: 'a' has no server and no secret\nf:2: 'b' has no server and no secret\n"},
    {"a * nthash:12\n", "f:1: an NT hash has 32 hexadecimal digits, not 2 characters\n"},
    {"a * nthash:8846f7eaee8fb117ad06bdd830b7586x\n", "f:1: the NT hash holds something else than hexadecimal digits\n"},
    {"a * @/etc/secret\n", "f:1: a secret in a file of its own (@FILE) is not supported; quote a secret that begins with @/\n"},
    {"a * s nonsense\n", "f:1: 'nonsense' is no address, * or -, nor a known key=value\n"},
    {"a * s 10.0.0.300\n", "f:1: '10.0.0.300' is no address, * or -, nor a known key=value\n"},
    {"a * s rout=10.0.0.0/8\n", "f:1: unknown key 'rout'\n"},
    {"a * s route=10.0.0.0/33\n", "f:1: route=10.0.0.0/33 is no network (like 10.1.0.0/24)\n"},
    {"a * s from=\n", "f:1: from= is no network (like 10.1.0.0/24)\n"},
    {"a * s sessions=0\n", "f:1: sessions=0 is not a number from 1 to 65535\n"},
    {"a * s sessions=2x\n", "f:1: sessions=2x is not a number from 1 to 65535\n"},
    {"a * s ifname=../x\n", "f:1: ifname=../x is no interface name (1 to 15 letters, digits, - _ .)\n"},
    {"a * s ifname=sixteen-letters0\n", "f:1: ifname=sixteen-letters0 is no interface name (1 to 15 letters, digits, - _ .)\n"},
    {"a * s fd00::/48\n", "f:1: ipv6=fd00::/48 is no IPv6 prefix of 64 bits\n"},
    {"a * s idle-timeout=soon\n", "f:1: idle-timeout=soon is no duration (like 15m)\n"},
    {"a * \"s\nb * t\n", "f:1: a quote is not closed on its line\n"},
    {"a * s route=1.0.0.0/8 route=2.0.0.0/8 route=3.0.0.0/8 route=4.0.0.0/8 route=5.0.0.0/8 route=6.0.0.0/8\n",
	"f:1: more than 5 times route=\n"},
};

START_TEST(errors_name_file_and_line)
{
	ck_assert_str_eq(bad(wrongs[_i].text), wrongs[_i].error);
}
END_TEST

START_TEST(long_words)
{
	static const size_t lengths[] = {255, 256, 1024, 1025, 70000};

	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		size_t len = lengths[i];
		char *word = malloc(len + 1), *text = malloc(4 * len + 64);

		memset(word, 'w', len);
		word[len] = '\0';
		for (int where = 0; where < 4; where++) {
			struct users *u;

			sprintf(text, "%s %s %s %s%s\n", where == 0 ? word : "a", where == 1 ? word : "*", where == 2 ? word : "s",
			    where == 3 ? "route=" : "", where == 3 ? word : "*");
			u = parse(text);
			ck_assert((u != NULL) == (len <= 255 && where != 3));
			ck_assert((errors[0] == '\0') == (u != NULL));
			users_free(u);
		}
		free(word);
		free(text);
	}
}
END_TEST

START_TEST(errors_are_bounded)
{
	char *text = calloc(1, 200001);

	for (size_t i = 0; i < 200000; i += 2)
		memcpy(text + i, "x\n", 2);
	ck_assert_ptr_null(parse(text));
	ck_assert_ptr_nonnull(strstr(errors, "f:20:"));
	ck_assert_ptr_null(strstr(errors, "f:21:"));
	free(text);
}
END_TEST

/* Every cut and every changed byte of a good file either parses or says why not. */
START_TEST(garbage)
{
	static const char text[] =
	    "al\\x41ce 'pp tpd' \"s\\\"\" 10.0.0.1 route=10.0.0.0/8 # c\nbob * nthash:8846f7eaee8fb117ad06bdd830b7586c";
	char copy[sizeof(text)];

	for (size_t i = 0; i < sizeof(text); i++) {
		struct users *u;

		errors[0] = '\0';
		u = users_parse("f", text, i, note_error, NULL);
		ck_assert((errors[0] == '\0') == (u != NULL));
		users_free(u);
		for (int byte = 0; byte < 256; byte += 3) {
			memcpy(copy, text, sizeof(text));
			copy[i] = (char)byte;
			errors[0] = '\0';
			u = users_parse("f", copy, sizeof(copy), note_error, NULL);
			ck_assert((errors[0] == '\0') == (u != NULL));
			users_free(u);
		}
	}
}
END_TEST

START_TEST(reads_a_descriptor)
{
	char path[] = "/tmp/openpptp-users-XXXXXX";
	int fd = mkstemp(path);
	struct users *u;

	ck_assert_int_ge(fd, 0);
	for (int i = 0; i < 1000; i++)
		dprintf(fd, "user%d pptpd secret%d *\n", i, i);
	lseek(fd, 0, SEEK_SET);
	errors[0] = '\0';
	u = users_read(path, fd, note_error, NULL);
	ck_assert_msg(u != NULL, "%s", errors);
	ck_assert_uint_eq(users_count(u), 1000);
	ck_assert_uint_eq(users_find(u, "user999", "pptpd")->line, 1000);
	users_free(u);
	close(fd);
	unlink(path);
	ck_assert_ptr_null(users_read("gone", -1, note_error, NULL));
	ck_assert_str_eq(errors, "gone: Bad file descriptor\n");
}
END_TEST

Suite *suite_users(void);

Suite *
suite_users(void)
{
	Suite *s = suite_create("pptpd/users");
	TCase *t = tcase_create("users");

	tcase_add_test(t, golden_file);
	tcase_add_test(t, the_best_entry_is_found);
	tcase_add_loop_test(t, errors_name_file_and_line, 0, (int)(sizeof(wrongs) / sizeof(wrongs[0])));
	tcase_add_test(t, long_words);
	tcase_add_test(t, errors_are_bounded);
	tcase_add_test(t, garbage);
	tcase_add_test(t, reads_a_descriptor);
	suite_add_tcase(s, t);
	return s;
}
