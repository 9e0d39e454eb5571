#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pptpd/auth.h"
#include "tests/unit/suite.h"

static struct ppp_crypto *crypto;
static struct users *users;

static const char file[] = "alice pptpd secret *\n"
			   "bob pptpd secret * from=192.0.2.0/24 from=2001:db8::/32 sessions=2\n"
			   "hash pptpd nthash:8846f7eaee8fb117ad06bdd830b7586c *\n"
			   "WORK\\\\carol pptpd secret *\n";

static void
setup(void)
{
	char err[256];

	ck_assert_int_eq(ppp_crypto_new(&crypto, err, sizeof(err)), 0);
	users = users_parse("f", file, strlen(file), NULL, NULL);
	ck_assert_ptr_nonnull(users);
}

static void
teardown(void)
{
	users_free(users);
	ppp_crypto_free(crypto);
}

static struct auth_answer
decide(const char *name, enum ppp_auth_method method, const char *password, const char *from)
{
	struct auth_query q;
	struct auth_answer a;

	memset(&q, 0, sizeof(q));
	q.session = 77;
	ck_assert(addr_parse(&q.peer, from));
	q.request.method = method;
	q.request.id = 9;
	q.request.name_len = (uint16_t)snprintf(q.request.name, sizeof(q.request.name), "%s", name);
	if (method == PPP_AUTH_PAP) {
		q.request.response_len = (uint16_t)strlen(password);
		memcpy(q.request.response, password, q.request.response_len);
	} else {
		/* CHAP-MD5: of id, password and challenge */
		uint8_t id = 9;
		struct ppp_iov iov[] = {{&id, 1}, {password, strlen(password)}, {"0123456789abcdef", 16}};

		q.request.challenge_len = 16;
		memcpy(q.request.challenge, "0123456789abcdef", 16);
		q.request.response_len = 16;
		ppp_md5(crypto, q.request.response, iov, 3);
	}
	auth_users_decide(crypto, users, "pptpd", &q, &a);
	ck_assert_uint_eq(a.session, 77);
	ck_assert_uint_eq(a.id, 9);
	ck_assert(a.verdict.ok == (a.reason == AUTH_OK));
	return a;
}

START_TEST(right_and_wrong_passwords)
{
	struct auth_answer a = decide("alice", PPP_AUTH_PAP, "secret", "192.0.2.1");

	ck_assert_int_eq(a.reason, AUTH_OK);
	ck_assert_str_eq(a.user, "alice");
	a = decide("alice", PPP_AUTH_CHAP_MD5, "secret", "192.0.2.1");
	ck_assert_int_eq(a.reason, AUTH_OK);
	a = decide("alice", PPP_AUTH_PAP, "Secret", "192.0.2.1");
	ck_assert_int_eq(a.reason, AUTH_WRONG_PASSWORD);
	ck_assert_uint_eq(a.verdict.mschap_error, PPP_MSE_WRONG_PASSWORD);
	a = decide("alice", PPP_AUTH_PAP, "", "192.0.2.1");
	ck_assert_int_eq(a.reason, AUTH_WRONG_PASSWORD);
}
END_TEST

/* A stranger can't tell an unknown name from a wrong password; the log can. */
START_TEST(unknown_names_look_like_wrong_passwords)
{
	struct auth_answer a = decide("nobody", PPP_AUTH_PAP, "x", "192.0.2.1"), b = decide("alice", PPP_AUTH_PAP, "x", "192.0.2.1");

	ck_assert_int_eq(a.reason, AUTH_UNKNOWN_USER);
	ck_assert_str_eq(a.user, "nobody");
	ck_assert_str_eq(a.verdict.message, b.verdict.message);
	ck_assert_uint_eq(a.verdict.mschap_error, b.verdict.mschap_error);
	a = decide("nobody", PPP_AUTH_PAP, "no user has this secret", "192.0.2.1");
	ck_assert_int_eq(a.reason, AUTH_UNKNOWN_USER);
	a = decide("", PPP_AUTH_PAP, "", "192.0.2.1");
	ck_assert_int_eq(a.reason, AUTH_UNKNOWN_USER);
}
END_TEST

START_TEST(domains)
{
	struct auth_answer a = decide("CORP\\alice", PPP_AUTH_PAP, "secret", "192.0.2.1");

	ck_assert_int_eq(a.reason, AUTH_OK);
	ck_assert_str_eq(a.user, "alice");
	a = decide("WORK\\carol", PPP_AUTH_PAP, "secret", "192.0.2.1");
	ck_assert_int_eq(a.reason, AUTH_OK);
	ck_assert_str_eq(a.user, "WORK\\carol");
	a = decide("carol", PPP_AUTH_PAP, "secret", "192.0.2.1");
	ck_assert_int_eq(a.reason, AUTH_UNKNOWN_USER);
}
END_TEST

START_TEST(caller_addresses)
{
	ck_assert_int_eq(decide("bob", PPP_AUTH_PAP, "secret", "192.0.2.9").reason, AUTH_OK);
	ck_assert_int_eq(decide("bob", PPP_AUTH_PAP, "secret", "2001:db8::9").reason, AUTH_OK);
	ck_assert_int_eq(decide("bob", PPP_AUTH_PAP, "secret", "198.51.100.9").reason, AUTH_WRONG_SOURCE);
	/* who does not know the password learns nothing about addresses */
	ck_assert_int_eq(decide("bob", PPP_AUTH_PAP, "wrong", "198.51.100.9").reason, AUTH_WRONG_PASSWORD);
}
END_TEST

START_TEST(hashes)
{
	ck_assert_int_eq(decide("hash", PPP_AUTH_PAP, "password", "192.0.2.9").reason, AUTH_OK);
	ck_assert_int_eq(decide("hash", PPP_AUTH_PAP, "passwort", "192.0.2.9").reason, AUTH_WRONG_PASSWORD);
	ck_assert_int_eq(decide("hash", PPP_AUTH_CHAP_MD5, "password", "192.0.2.9").reason, AUTH_BAD_SECRET);
}
END_TEST

START_TEST(session_limits)
{
	struct auth_answer a = decide("bob", PPP_AUTH_PAP, "secret", "192.0.2.9");

	auth_limit_sessions(&a, 1, 1);
	ck_assert(a.verdict.ok);
	auth_limit_sessions(&a, 2, 0);
	ck_assert_int_eq(a.reason, AUTH_TOO_MANY_SESSIONS);
	ck_assert(!a.verdict.ok);
	a = decide("alice", PPP_AUTH_PAP, "secret", "192.0.2.9");
	auth_limit_sessions(&a, 1000, 0);
	ck_assert(a.verdict.ok);
	auth_limit_sessions(&a, 1, 1);
	ck_assert(!a.verdict.ok);
	/* a refusal keeps its reason */
	a = decide("alice", PPP_AUTH_PAP, "wrong", "192.0.2.9");
	auth_limit_sessions(&a, 9, 1);
	ck_assert_int_eq(a.reason, AUTH_WRONG_PASSWORD);
}
END_TEST

START_TEST(refusals_carry_no_keys)
{
	static const uint8_t zero[sizeof(struct ppp_mppe_keys)];
	struct auth_answer a;

	memset(&a, 0xff, sizeof(a));
	auth_refuse(&a, AUTH_METHOD);
	ck_assert(!a.verdict.ok);
	ck_assert_mem_eq(&a.verdict.keys, zero, sizeof(zero));
	ck_assert_str_eq(a.verdict.message, "authentication method not allowed");
}
END_TEST

Suite *suite_auth(void);

Suite *
suite_auth(void)
{
	Suite *s = suite_create("pptpd/auth");
	TCase *t = tcase_create("auth");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, right_and_wrong_passwords);
	tcase_add_test(t, unknown_names_look_like_wrong_passwords);
	tcase_add_test(t, domains);
	tcase_add_test(t, caller_addresses);
	tcase_add_test(t, hashes);
	tcase_add_test(t, session_limits);
	tcase_add_test(t, refusals_carry_no_keys);
	suite_add_tcase(s, t);
	return s;
}
