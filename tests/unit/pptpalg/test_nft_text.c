#include "alg/nft_text.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/suite.h"

Suite *suite_nft_text(void);

static char *
text_of(const struct config *c, size_t (*fn)(const struct config *config, char *buf, size_t buflen))
{
	size_t len = fn(c, NULL, 0);
	char *text = malloc(len + 1);

	ck_assert_ptr_nonnull(text);
	ck_assert_uint_eq(fn(c, text, len + 1), len);
	ck_assert_uint_eq(strlen(text), len);
	return text;
}

static char *
table(const char *config)
{
	struct config *c = config_load_text("t.conf", config);
	char *text;

	ck_assert_ptr_nonnull(c);
	text = text_of(c, nft_text);
	config_free(c);
	return text;
}

/* Each part of `parts`, one a line, stands in the table, in this order. */
static void
has(const char *config, const char *const parts[])
{
	char *text = table(config), *at = text;

	for (size_t i = 0; parts[i] != NULL; i++) {
		at = strstr(at, parts[i]);
		ck_assert_msg(at != NULL, "no \"%s\" (part %zu) in\n%s", parts[i], i, text);
		at += strlen(parts[i]);
	}
	free(text);
}

static void
has_not(const char *config, const char *part)
{
	char *text = table(config);

	ck_assert_msg(strstr(text, part) == NULL, "\"%s\" in\n%s", part, text);
	free(text);
}

START_TEST(marks_are_three_bits)
{
	struct config *c = config_load_text("t.conf", "mark = 0x100\n");
	struct nft_marks m = nft_marks(c);

	ck_assert_uint_eq(m.local, 0x100);
	ck_assert_uint_eq(m.proxy, 0x200);
	ck_assert_uint_eq(m.fixed, 0x400);
	config_free(c);
}
END_TEST

START_TEST(the_default_takes_all_but_what_is_for_the_box)
{
	has("", (const char *const[]){"table inet pptpalg {", "chain take {",
		    "iif != lo meta l4proto tcp tproxy to :1724 ct mark set ct mark & 0x8fffffff | 0x10000000 meta mark set meta",
		    "tproxy to :1724 meta mark set meta mark & 0x8fffffff | 0x10000000 accept", "chain choose {\n\t\tgoto take\n",
		    "type filter hook prerouting priority dstnat + 10;",
		    "tcp dport { 1723 } tcp flags & (syn | ack) != syn socket transparent 1",
		    "tcp sport { 1723 } tcp dport != 1724 socket transparent 1", "!= syn return",
		    "tcp dport 1724 fib daddr type local reject", "iif lo meta mark & 0x70000000 == 0x50000000 goto take", "iif lo return",
		    "tcp dport != { 1723 } return", "fib daddr type local return", "goto choose", "chain own_take {",
		    "ct mark set ct mark & 0x8fffffff | 0x50000000 meta mark set meta mark & 0x8fffffff | 0x50000000 accept",
		    "type route hook output priority -90;", "meta mark & 0x20000000 != 0 return",
		    "type nat hook postrouting priority srcnat - 10;", "meta nfproto ipv4 meta mark & 0x40000000 != 0 snat ip to ip saddr",
		    "chain unheard4 {\n\t\t@th,136,8 47 @th,224,32 & 0x0007ffff == 0x0001880b drop\n",
		    "icmp type destination-unreachable icmp code 2 jump unheard4",
		    "icmpv6 type parameter-problem icmpv6 code 1 jump unheard6", "chain errors {\n\t\ttype filter hook output",
		    "chain forward {", "meta mark & 0x30000000 == 0x10000000 drop", "meta l4proto { icmp, icmpv6 } jump unheard", NULL});
	has_not("", "gre");
	has_not("", "nfproto ipv4 return");
	has_not("", "iifname");
}
END_TEST

START_TEST(options_that_change_it)
{
	has("strict = yes\n", (const char *const[]){"meta l4proto gre jump strict",
				  "@th,0,32 & 0x0007ffff == 0x0001880b ct state new,invalid,untracked counter drop", NULL});
	has_not("own-connections = no\n", "chain own_");
	/* Those that there are go on. */
	has("own-connections = no\n",
	    (const char *const[]){"chain own {\n\t\tct direction original ct mark & 0x70000000 == 0x50000000 meta mark set meta mark & "
				  "0x8fffffff | 0x50000000 accept\n\t}\n",
		NULL});
	has_not("own-connections = no\n", "iif lo meta mark");
	has("interfaces = {eth1, br-lan}\n", (const char *const[]){"iifname != { \"eth1\", \"br-lan\" } return", NULL});
	has("ipv4 = no\n", (const char *const[]){"meta nfproto ipv4 return", NULL});
	has("ipv6 = no\n", (const char *const[]){"meta nfproto ipv6 return", NULL});
	has("ports = {1723, 5000}\nproxy-port = 9\n",
	    (const char *const[]){"tproxy to :9", "tcp dport { 1723, 5000 } tcp flags", "tcp dport != { 1723, 5000 } return", NULL});
	has("mark = 0x1\n",
	    (const char *const[]){"meta mark & 0xfffffff8 | 0x00000001", "meta mark & 0x00000003 == 0x00000001 drop", NULL});
}
END_TEST

START_TEST(servers_are_taken_before_the_box_s_own_addresses_are_not)
{
	has("ports = {1723, 5000}\nserver a { address = 192.0.2.1 to = 10.0.0.1 }\n"
	    "server b { address = \"2001:db8::1\" port = 5000 to = \"fd00::1\" to-port = 6000 }\n",
	    (const char *const[]){"tcp dport { 1723, 5000, 5000, 6000 }", "ip daddr 192.0.2.1 tcp dport { 1723, 5000 } goto choose",
		"ip6 daddr 2001:db8::1 tcp dport { 5000 } goto choose", "fib daddr type local return", "chain own {",
		"ip daddr 192.0.2.1 tcp dport { 1723, 5000 } goto own_choose", NULL});
}
END_TEST

START_TEST(policies_stand_in_their_order_up_to_the_last_that_passes)
{
	static const char config[] =
	    "policy a { source = {10.0.0.0/8, 10.1.0.0/16, \"fd00::/8\"} destination = {192.0.2.0/24} action = refuse }\n"
	    "policy b { interface = {eth1} port = {1723} action = pass }\n"
	    "policy c { source = {\"fd00::1\"} action = pass }\n"
	    "policy d { source = {10.3.0.0/16} }\n";

	has(config,
	    (const char *const[]){"chain choose {\n",
		"\t\tmeta l4proto tcp meta nfproto ipv4 ip saddr { 10.0.0.0/8 } ct original ip daddr { 192.0.2.0/24 } goto take\n",
		"\t\tmeta l4proto tcp iifname { \"eth1\" } ct original proto-dst { 1723 } return\n",
		"\t\tmeta l4proto tcp meta nfproto ipv6 ip6 saddr { fd00::1/128 } return\n\t\tgoto take\n", "chain own_choose {\n",
		"goto own_take\n\t\tmeta l4proto tcp meta nfproto ipv6 ip6 saddr { fd00::1/128 } return\n\t\tgoto own_take\n", NULL});
	has_not(config, "10.3.0.0");
	has_not(config, "10.1.0.0"); /* stands in 10.0.0.0/8: nft takes no overlaps */
}
END_TEST

START_TEST(a_policy_of_everything_in_a_family)
{
	has("policy a { source = {0.0.0.0/0, 10.0.0.0/8} action = pass }\n",
	    (const char *const[]){"meta l4proto tcp meta nfproto ipv4 return\n", NULL});
	has("policy a { destination = {\"::/0\"} source = {10.0.0.0/8, \"fd00::/8\"} action = pass }\n",
	    (const char *const[]){"chain choose {\n\t\tmeta l4proto tcp meta nfproto ipv6 ip6 saddr { fd00::/8 } return\n", NULL});
	has("policy a { nat = static inside = 10.1.0.0/24 outside = {198.51.100.0/24} }\npolicy b { action = pass }\n",
	    (const char *const[]){
		"chain choose {\n\t\tmeta l4proto tcp meta nfproto ipv4 ip saddr { 10.1.0.0/24 } goto take\n\t\tmeta l4proto tcp return\n",
		NULL});
}
END_TEST

START_TEST(text_is_cut_to_the_buffer_but_its_length_told)
{
	struct config *c = config_load_text("t.conf", "");
	char small[16] = "xxxxxxxxxxxxxxx";

	ck_assert_uint_eq(nft_text(c, small, 10), nft_text(c, NULL, 0));
	ck_assert_str_eq(small, "table ine");
	ck_assert_int_eq(small[10], 'x');
	config_free(c);
}
END_TEST

START_TEST(divert_is_apart)
{
	struct config *c = config_load_text("t.conf", "");
	char *text = text_of(c, nft_divert_text);

	ck_assert_ptr_nonnull(strstr(text, "set divert4 {\n\t\ttypeof ip saddr . ip daddr . @th,48,16\n"));
	ck_assert_ptr_nonnull(
	    strstr(text, "ip6 saddr . ip6 daddr . @th,48,16 @divert6 meta mark set meta mark & 0x8fffffff | 0x10000000 notrack\n"));
	ck_assert_ptr_nonnull(strstr(text, "frag nexthdr gre meta mark set meta mark & 0x8fffffff | 0x20000000\n"));
	ck_assert_ptr_nonnull(strstr(text, "ip6 nexthdr { 43, 60 } meta mark & 0x70000000 == 0x20000000 @th"));
	ck_assert_ptr_nonnull(strstr(text, "@divert6 ip6 nexthdr set 47\n"));
	ck_assert_ptr_nonnull(strstr(text, "== 0x20000000 meta mark set meta mark & 0x8fffffff | 0x00000000\n"));
	ck_assert_ptr_nonnull(strstr(text, "type filter hook output priority raw;"));
	ck_assert_ptr_null(strstr(text, "too_big"));
	free(text);
	config_free(c);
	c = config_load_text("t.conf", "nat64-prefix = \"64:ff9b::/96\"\n");
	text = text_of(c, nft_divert_text);
	ck_assert_ptr_nonnull(strstr(text, "\t\tip6 daddr 64:ff9b::/96 icmpv6 type packet-too-big jump too_big\n"));
	ck_assert_ptr_nonnull(strstr(text, "\t\t@th,112,8 44 @th,384,8 47 meta mark set meta mark & 0x8fffffff | 0x10000000 notrack\n"));
	free(text);
	config_free(c);
}
END_TEST

START_TEST(connections_onward_are_in_a_zone)
{
	struct config *c = config_load_text("t.conf", "mark = 0x100\n");
	char *text = text_of(c, nft_apart_text);

	ck_assert_ptr_nonnull(strstr(text, "type filter hook output priority raw;"));
	ck_assert_ptr_nonnull(strstr(text, "meta l4proto tcp meta mark & 0x00000200 != 0 ct original zone set 1723\n"));
	free(text);
	config_free(c);
}
END_TEST

Suite *
suite_nft_text(void)
{
	Suite *s = suite_create("nft_text");
	TCase *t = tcase_create("nft_text");

	tcase_add_test(t, marks_are_three_bits);
	tcase_add_test(t, the_default_takes_all_but_what_is_for_the_box);
	tcase_add_test(t, options_that_change_it);
	tcase_add_test(t, servers_are_taken_before_the_box_s_own_addresses_are_not);
	tcase_add_test(t, policies_stand_in_their_order_up_to_the_last_that_passes);
	tcase_add_test(t, a_policy_of_everything_in_a_family);
	tcase_add_test(t, text_is_cut_to_the_buffer_but_its_length_told);
	tcase_add_test(t, divert_is_apart);
	tcase_add_test(t, connections_onward_are_in_a_zone);
	suite_add_tcase(s, t);
	return s;
}
