#include "sys/sockaddr.h"

#include <netinet/in.h>
#include <string.h>

#include "tests/unit/suite.h"

Suite *suite_sockaddr(void);

static struct addr
addr(const char *text)
{
	struct addr a;

	ck_assert(addr_parse(&a, text));
	return a;
}

START_TEST(there_and_back)
{
	static const char *const texts[] = {"192.0.2.1", "0.0.0.0", "2001:db8::1", "::"};
	struct sockaddr_storage ss;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct addr a = addr(texts[i]), b;
		uint16_t port = 0;

		memset(&ss, 0xff, sizeof(ss));
		ck_assert_uint_eq(sockaddr_make(&ss, &a, 1723), a.family == 4 ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6));
		b = sockaddr_addr(&ss, &port);
		ck_assert(addr_equal(&a, &b));
		ck_assert_uint_eq(port, 1723);
		b = sockaddr_addr(&ss, NULL);
		ck_assert(addr_equal(&a, &b));
	}
}
END_TEST

START_TEST(all_else_is_zero)
{
	struct addr a = addr("2001:db8::1");
	struct sockaddr_storage ss;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&ss;

	memset(&ss, 0xff, sizeof(ss));
	sockaddr_make(&ss, &a, 1723);
	ck_assert_int_eq(in6->sin6_family, AF_INET6);
	ck_assert_uint_eq(ntohs(in6->sin6_port), 1723);
	ck_assert_uint_eq(in6->sin6_flowinfo, 0);
	ck_assert_uint_eq(in6->sin6_scope_id, 0);
}
END_TEST

START_TEST(mapped_ipv4_is_ipv4)
{
	static const uint8_t mapped[16] = {[10] = 0xff, [11] = 0xff, 192, 0, 2, 1};
	struct addr a = addr_v6(mapped), wanted = addr("192.0.2.1");
	struct sockaddr_storage ss;
	uint16_t port = 0;

	sockaddr_make(&ss, &a, 5);
	a = sockaddr_addr(&ss, &port);
	ck_assert(addr_equal(&a, &wanted));
	ck_assert_uint_eq(port, 5);
}
END_TEST

START_TEST(another_family_is_none)
{
	struct sockaddr_storage ss = {.ss_family = AF_UNIX};
	uint16_t port = 9;

	ck_assert_uint_eq(sockaddr_addr(&ss, &port).family, 0);
	ck_assert_uint_eq(port, 0);
}
END_TEST

Suite *
suite_sockaddr(void)
{
	Suite *s = suite_create("sockaddr");
	TCase *t = tcase_create("sockaddr");

	tcase_add_test(t, there_and_back);
	tcase_add_test(t, all_else_is_zero);
	tcase_add_test(t, mapped_ipv4_is_ipv4);
	tcase_add_test(t, another_family_is_none);
	suite_add_tcase(s, t);
	return s;
}
