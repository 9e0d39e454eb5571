#include <stdio.h>
#include <string.h>

#include "sys/priv_core.h"
#include "tests/unit/suite.h"

Suite *suite_priv_wire(void);

static struct addr
addr(const char *s)
{
	struct addr a = {0};

	ck_assert(addr_parse(&a, s));
	return a;
}

/* A request of each type that is well formed. */
static struct priv_request
good(enum priv_type type)
{
	struct priv_request r = {.type = type};

	switch (type) {
	case PRIV_ADDR_ADD:
	case PRIV_ADDR_DEL:
		r.addr.local = addr("10.0.0.1");
		r.addr.prefix_len = 32;
		break;
	case PRIV_ROUTE_ADD:
	case PRIV_ROUTE_DEL:
		ck_assert(prefix_parse(&r.route.dst, "10.1.0.0/16"));
		break;
	case PRIV_PROXY_ADD:
	case PRIV_PROXY_DEL:
		r.proxy.addr = addr("::1");
		break;
	case PRIV_GRE_OPEN:
		r.gre.family = 4;
		r.gre.shards = 1;
		break;
	case PRIV_TCP_LISTEN:
	case PRIV_TCP_SOCKET:
		r.tcp.bind = addr("0.0.0.0");
		break;
	case PRIV_SCRIPT:
		ck_assert(priv_env_add(&r, "PPTP_IFNAME", "pptp0"));
		ck_assert(priv_env_add(&r, "PPTP_EMPTY", ""));
		break;
	case PRIV_DNS_SET:
	case PRIV_DNS_CLEAR:
		strcpy(r.dns.ifname, "pptp0");
		break;
	case PRIV_PROGRAM:
		r.program.len = 3;
		break;
	default:
		break;
	}
	return r;
}

START_TEST(well_formed_requests_of_every_length)
{
	for (unsigned type = 0; type < PRIV_TYPES; type++) {
		struct priv_request r = good(type), out;
		size_t len = priv_request_len(&r);

		ck_assert_uint_gt(len, 4);
		ck_assert_msg(priv_request_decode(&out, &r, len), "type %u", type);
		for (size_t n = 0; n <= sizeof(r); n++) {
			if (n != len)
				ck_assert_msg(!priv_request_decode(&out, &r, n), "type %u, %zu of %zu bytes", type, n, len);
		}
	}
}
END_TEST

START_TEST(malformed_requests)
{
	static const struct {
		enum priv_type type;
		size_t at;
		uint8_t byte;
	} rows[] = {
	    {PRIV_TUN_OPEN, offsetof(struct priv_request, tun.vnet_hdr), 2},
	    {PRIV_TUN_OPEN, offsetof(struct priv_request, tun.tap), 0xff},
	    {PRIV_ADDR_ADD, offsetof(struct priv_request, addr.local.family), 0},
	    {PRIV_ADDR_ADD, offsetof(struct priv_request, addr.local.family), 5},
	    {PRIV_ADDR_ADD, offsetof(struct priv_request, addr.peer.family), 6},
	    {PRIV_ADDR_ADD, offsetof(struct priv_request, addr.prefix_len), 33},
	    {PRIV_ADDR_DEL, offsetof(struct priv_request, addr.prefix_len), 255},
	    {PRIV_ROUTE_ADD, offsetof(struct priv_request, route.dst.len), 33},
	    {PRIV_ROUTE_ADD, offsetof(struct priv_request, route.dst.len), 8}, /* host bits */
	    {PRIV_ROUTE_ADD, offsetof(struct priv_request, route.dst.addr.family), 0},
	    {PRIV_ROUTE_ADD, offsetof(struct priv_request, route.gateway.family), 7},
	    {PRIV_ROUTE_DEL, offsetof(struct priv_request, route.source.family), 6},
	    {PRIV_PROXY_ADD, offsetof(struct priv_request, proxy.addr.family), 0},
	    {PRIV_PROXY_DEL, offsetof(struct priv_request, proxy.addr.family), 9},
	    {PRIV_GRE_OPEN, offsetof(struct priv_request, gre.family), 5},
	    {PRIV_GRE_OPEN, offsetof(struct priv_request, gre.bind.family), 6},
	    {PRIV_GRE_OPEN, offsetof(struct priv_request, gre.shards), 0},
	    {PRIV_GRE_OPEN, offsetof(struct priv_request, gre.shard), 1},
	    {PRIV_TCP_LISTEN, offsetof(struct priv_request, tcp.bind.family), 0},
	    {PRIV_TCP_SOCKET, offsetof(struct priv_request, tcp.bind.family), 1},
	    {PRIV_SCRIPT, offsetof(struct priv_request, script.when), 2},
	    {PRIV_SCRIPT, offsetof(struct priv_request, script.when), PRIV_SCRIPT_AT_EXIT}, /* without a key */
	    {PRIV_SCRIPT, offsetof(struct priv_request, script.envlen) + 1, 0x10},
	    {PRIV_SCRIPT, offsetof(struct priv_request, script.env), '='},
	    {PRIV_SCRIPT, offsetof(struct priv_request, script.env), 'i'},
	    {PRIV_SCRIPT, offsetof(struct priv_request, script.env) + 11, 'X'},
	    {PRIV_SCRIPT, offsetof(struct priv_request, script.env) + 13, '\n'},
	    {PRIV_SCRIPT, offsetof(struct priv_request, script.env) + 29, 'x'}, /* the last NUL */
	    {PRIV_DNS_SET, offsetof(struct priv_request, dns.domain), '-'},
	    {PRIV_DNS_SET, offsetof(struct priv_request, dns.domain), '\n'},
	    {PRIV_DNS_SET, offsetof(struct priv_request, dns.servers[1].family), 4}, /* a gap before it */
	    {PRIV_DNS_CLEAR, offsetof(struct priv_request, dns.servers[0].family), 3},
	    {PRIV_GRE_OPEN, offsetof(struct priv_request, gre.transparent), 2},
	    {PRIV_TCP_LISTEN, offsetof(struct priv_request, tcp.transparent), 0x80},
	    {PRIV_PROGRAM, offsetof(struct priv_request, program.len), 4}, /* of 3 */
	    {PRIV_PROGRAM, offsetof(struct priv_request, program.len) + 1, 0xff},
	    {PRIV_FILE_OPEN, offsetof(struct priv_request, type), PRIV_TYPES},
	    {PRIV_FILE_OPEN, offsetof(struct priv_request, type) + 3, 0x80},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct priv_request r = good(rows[i].type), out;
		size_t len = priv_request_len(&r);

		((uint8_t *)&r)[rows[i].at] = rows[i].byte;
		ck_assert_msg(!priv_request_decode(&out, &r, len), "row %zu was taken", i);
	}
}
END_TEST

START_TEST(names_without_their_end)
{
	static const struct {
		enum priv_type type;
		size_t at, size;
	} rows[] = {
	    {PRIV_TUN_OPEN, offsetof(struct priv_request, tun.name), PRIV_IFNAME},
	    {PRIV_GRE_OPEN, offsetof(struct priv_request, gre.ifname), PRIV_IFNAME},
	    {PRIV_TCP_SOCKET, offsetof(struct priv_request, tcp.ifname), PRIV_IFNAME},
	    {PRIV_DNS_SET, offsetof(struct priv_request, dns.ifname), PRIV_IFNAME},
	    {PRIV_DNS_SET, offsetof(struct priv_request, dns.domain), 128},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct priv_request r = good(rows[i].type), out;

		memset((uint8_t *)&r + rows[i].at, 'a', rows[i].size - 1);
		ck_assert(priv_request_decode(&out, &r, priv_request_len(&r)));
		((uint8_t *)&r)[rows[i].at + rows[i].size - 1] = 'a';
		ck_assert_msg(!priv_request_decode(&out, &r, priv_request_len(&r)), "row %zu was taken", i);
	}
}
END_TEST

START_TEST(environment_names)
{
	static const char *const bad[] = {"PATH", "LD_PRELOAD", "BASH_ENV", "XTABLES_LIBDIR", "OPENSSL_CONF", "", "A", "PPTP", "PPTP_",
	    "pPTP_A", "PPTP_a", "PPTP_A-B", "PPTP_A=B", "PPTP_A B", "LD_PPTP_A"};
	struct priv_request r = {.type = PRIV_SCRIPT};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(!priv_env_add(&r, bad[i], "x"), "%s was taken", bad[i]);
	ck_assert_uint_eq(r.script.envlen, 0);
	ck_assert(priv_env_add(&r, "PPTP_NAME2", "bob\n=\x7f x"));
	ck_assert_uint_eq(r.script.envlen, 20);
	ck_assert_str_eq(r.script.env, "PPTP_NAME2=bob =  x");
}
END_TEST

START_TEST(environment_is_bounded)
{
	struct priv_request r = {.type = PRIV_SCRIPT}, out;
	char value[1001];
	int added = 0;

	memset(value, 'x', 1000);
	value[1000] = '\0';
	while (priv_env_add(&r, "PPTP_A", value))
		added++;
	ck_assert_int_eq(added, PRIV_ENV_BYTES / 1008);
	value[PRIV_ENV_BYTES - 4 * 1008 - 8] = '\0'; /* what is left, exactly */
	ck_assert(priv_env_add(&r, "PPTP_B", value));
	ck_assert_uint_eq(r.script.envlen, PRIV_ENV_BYTES);
	ck_assert(!priv_env_add(&r, "PPTP_C", ""));
	ck_assert(priv_request_decode(&out, &r, priv_request_len(&r)));
	r.script.envlen++;
	ck_assert_uint_eq(priv_request_len(&r), 0);
}
END_TEST

START_TEST(random_bytes_never_crash)
{
	uint32_t seed = 42;
	unsigned taken = 0;

	for (int i = 0; i < 20000; i++) {
		struct priv_request r, out;
		uint8_t *bytes = (uint8_t *)&r;
		unsigned type = (unsigned)i % (PRIV_TYPES + 1);

		for (size_t j = 0; j < 256; j++)
			bytes[j] = (uint8_t)((seed = seed * 1664525 + 1013904223) >> 24);
		r.type = type;
		taken += priv_request_decode(&out, &r, i % 3 == 0 ? seed % 256 : priv_request_len(&r));
	}
	ck_assert_uint_gt(taken, 0);
}
END_TEST

Suite *
suite_priv_wire(void)
{
	Suite *s = suite_create("priv_wire");
	TCase *t = tcase_create("priv_wire");

	tcase_add_test(t, well_formed_requests_of_every_length);
	tcase_add_test(t, malformed_requests);
	tcase_add_test(t, names_without_their_end);
	tcase_add_test(t, environment_names);
	tcase_add_test(t, environment_is_bounded);
	tcase_add_test(t, random_bytes_never_crash);
	suite_add_tcase(s, t);
	return s;
}
