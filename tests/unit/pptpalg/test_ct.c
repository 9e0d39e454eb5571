#include "alg/ct.h"

#include <arpa/inet.h>
#include <errno.h>
#include <nftables/libnftables.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "alg/ctnl.h"
#include "tests/unit/suite.h"
#include "tests/unit/sys/netns.h"

Suite *suite_ct(void);

static struct addr
addr(const char *s)
{
	struct addr a;

	CHECK(addr_parse(&a, s));
	return a;
}

/* Connects over loopback, IPv4 or IPv6, to a listener's socket; tells the connection as its initiator sees it. */
static int
dial(int family, const char *to, struct ct_tcp *tcp)
{
	union {
		struct sockaddr sa;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} a = {.v6 = {.sin6_family = (sa_family_t)family, .sin6_port = htons(5723)}};
	socklen_t len = family == AF_INET ? sizeof(a.v4) : sizeof(a.v6);
	int listener = socket(family, SOCK_STREAM, 0), fd = socket(family, SOCK_STREAM, 0);

	CHECK(bind(listener, &a.sa, len) == 0 && listen(listener, 1) == 0);
	CHECK(inet_pton(family, to, family == AF_INET ? (void *)&a.v4.sin_addr : (void *)&a.v6.sin6_addr) == 1);
	CHECK(connect(fd, &a.sa, len) == 0 && getsockname(fd, &a.sa, &len) == 0);
	close(listener);
	*tcp = (struct ct_tcp){.dst = addr(to), .dport = 5723, .sport = ntohs(a.v4.sin_port)};
	tcp->src = family == AF_INET ? addr_v4((const uint8_t *)&a.v4.sin_addr) : addr_v6((const uint8_t *)&a.v6.sin6_addr);
	return fd;
}

static void
nft(const char *text)
{
	struct nft_ctx *ctx = nft_ctx_new(NFT_CTX_DEFAULT);

	CHECK(ctx != NULL && nft_run_cmd_from_buffer(ctx, text) == 0);
	nft_ctx_free(ctx);
}

static void
lookup_body(void)
{
	struct ct *ct = ct_open();
	struct ct_tcp tcp, seen;
	int fd;

	CHECK(ct != NULL && shell("ip link set lo up"));
	/* Nobody tracks: no rule needs it. */
	fd = dial(AF_INET, "127.0.0.2", &tcp);
	CHECK(ct_lookup(ct, &tcp, &seen) == ENOENT);
	close(fd);
	nft("table inet t { chain c { type nat hook postrouting priority srcnat; ct state new ip daddr 127.0.0.3 meta l4proto tcp "
	    "snat ip to 127.0.0.9:777; }; }\n");
	fd = dial(AF_INET, "127.0.0.2", &tcp);
	CHECK(ct_lookup(ct, &tcp, &seen) == 0);
	CHECK(addr_equal(&seen.src, &tcp.src) && addr_equal(&seen.dst, &tcp.dst) && seen.sport == tcp.sport && seen.dport == 5723);
	close(fd);
	fd = dial(AF_INET, "127.0.0.3", &tcp);
	CHECK(ct_lookup(ct, &tcp, &seen) == 0);
	tcp.src = addr("127.0.0.9");
	CHECK(addr_equal(&seen.src, &tcp.src) && addr_equal(&seen.dst, &tcp.dst) && seen.sport == 777 && seen.dport == 5723);
	CHECK(ct_lookup(ct, &tcp, &seen) == ENOENT);
	close(fd);
	/* In the zone of connections onward. */
	nft("table inet z { chain c { type filter hook output priority raw; ip daddr 127.0.0.4 ct original zone set 1723; }; "
	    "chain n { type nat hook postrouting priority srcnat; ip daddr 127.0.0.4 meta l4proto tcp snat ip to 127.0.0.9:778; }; }\n");
	fd = dial(AF_INET, "127.0.0.4", &tcp);
	CHECK(ct_lookup(ct, &tcp, &seen) == 0 && addr_equal(&seen.dst, &tcp.dst) && seen.sport == 778);
	close(fd);
	fd = dial(AF_INET6, "::1", &tcp);
	CHECK(ct_lookup(ct, &tcp, &seen) == 0 && addr_equal(&seen.src, &tcp.src) && seen.sport == tcp.sport);
	close(fd);
	ct_close(ct);
	ct_close(NULL);
}

START_TEST(translated_connections)
{
	in_netns(lookup_body);
}
END_TEST

/* Many requests in one piece, of which some fail, and one too many. */
static void
batch_body(void)
{
	struct ctnl *nl = ctnl_open();
	struct addr a = addr("10.0.0.1"), b = addr("10.0.0.2"), src, dst;
	struct nf_conntrack *full = nfct_new(), *key = nfct_new(), *found = nfct_new();
	uint16_t sport, dport;
	struct ctnl_op ops[CTNL_MAX_OPS + 1] = {{.type = CTNL_GET, .what = key, .answer = found}, {.type = CTNL_CREATE, .what = full},
	    {.type = CTNL_CREATE, .what = full}, {.type = CTNL_GET, .what = key, .answer = found}, {.type = CTNL_DELETE, .what = key},
	    {.type = CTNL_DELETE, .what = key}};

	CHECK(nl != NULL);
	ctnl_set(full, CTNL_ORIGINAL, IPPROTO_GRE, &a, &b, 0, 5);
	ctnl_set(full, CTNL_REPLY, IPPROTO_GRE, &b, &a, 5, 0);
	nfct_set_attr_u32(full, ATTR_TIMEOUT, 30);
	ctnl_set(key, CTNL_ORIGINAL, IPPROTO_GRE, &a, &b, 0, 5);
	CHECK(ctnl_run(nl, ops, 6) == 0);
	CHECK(ops[0].error == ENOENT && ops[1].error == 0 && ops[2].error == EEXIST && ops[3].error == 0);
	CHECK(ops[4].error == 0 && ops[5].error == ENOENT);
	ctnl_get(found, CTNL_REPLY, &src, &dst, &sport, &dport);
	CHECK(addr_equal(&src, &b) && addr_equal(&dst, &a) && sport == 5 && dport == 0);
	/* By its reply. */
	ops[0] = (struct ctnl_op){.type = CTNL_CREATE, .what = full};
	CHECK(ctnl_run(nl, ops, 1) == 0 && ops[0].error == 0);
	ctnl_set(key, CTNL_ORIGINAL, IPPROTO_GRE, &b, &a, 5, 0);
	ops[0] = (struct ctnl_op){.type = CTNL_GET, .by_reply = true, .what = key, .answer = found};
	ops[1] = (struct ctnl_op){.type = CTNL_DELETE, .by_reply = true, .what = key};
	CHECK(ctnl_run(nl, ops, 2) == 0 && ops[0].error == 0 && ops[1].error == 0);
	CHECK(ctnl_run(nl, ops, CTNL_MAX_OPS + 1) == EINVAL);
	nfct_destroy(full);
	nfct_destroy(key);
	nfct_destroy(found);
	ctnl_close(nl);
	ctnl_close(NULL);
}

START_TEST(requests_in_one_piece)
{
	in_netns(batch_body);
}
END_TEST

Suite *
suite_ct(void)
{
	Suite *s = suite_create("ct");
	TCase *t = tcase_create("ct");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, translated_connections);
	tcase_add_test(t, requests_in_one_piece);
	suite_add_tcase(s, t);
	return s;
}
