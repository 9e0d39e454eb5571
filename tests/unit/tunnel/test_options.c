/* The options that server and client share, from text and from a file. */
#include <stdio.h>
#include <string.h>

#include "base/timerheap.h"
#include "tests/unit/suite.h"
#include "tunnel/options.h"

Suite *suite_options(void);

/* --- one value ------------------------------------------------------------------------------------ */

#define FIELD(f) offsetof(struct tunnel_options, f), sizeof(((struct tunnel_options *)NULL)->f)

/* The option's value makes its field this number. */
static const struct {
	const char *name, *value;
	size_t offset, size;
	uint64_t number;
} good[] = {
    {"mru", "1500", FIELD(link.mru), 1500},
    {"mtu", "1400", FIELD(link.mtu_max), 1400},
    {"mss", "auto", FIELD(mss_max), 0},
    {"mss", "off", FIELD(mss_max), UINT16_MAX},
    {"mss", "1200", FIELD(mss_max), 1200},
    {"mppe", "deny", FIELD(bundle.mppe), PPP_MPPE_DENY},
    {"mppe", "allow", FIELD(bundle.mppe), PPP_MPPE_ALLOW},
    {"mppe", "require", FIELD(bundle.mppe), PPP_MPPE_REQUIRE},
    {"mppe-bits", "128", FIELD(bundle.mppe_bits), PPP_MPPE_128},
    {"mppe-bits", "40,56", FIELD(bundle.mppe_bits), PPP_MPPE_40 | PPP_MPPE_56},
    {"mppe-bits", "{128, 40}", FIELD(bundle.mppe_bits), PPP_MPPE_128 | PPP_MPPE_40},
    {"mppe-mode", "stateless", FIELD(bundle.mppe_stateful_ok), false},
    {"mppe-mode", "stateful", FIELD(bundle.mppe_stateless), false},
    {"mppe-mode", "any", FIELD(bundle.mppe_stateful_ok), true},
    {"ipv4", "no", FIELD(bundle.ipv4), false},
    {"ipv6", "Off", FIELD(bundle.ipv6), false},
    {"ipv6", "on", FIELD(bundle.ipv6), true},
    {"lcp-echo-interval", "0", FIELD(link.echo_interval_ns), 0},
    {"lcp-echo-interval", "1h", FIELD(link.echo_interval_ns), TS_S(3600)},
    {"lcp-echo-failures", "255", FIELD(link.echo_failures), 255},
    {"lcp-restart", "100ms", FIELD(link.restart_ns), TS_MS(100)},
    {"lcp-max-configure", "1", FIELD(link.max_configure), 1},
    {"lcp-passive", "yes", FIELD(link.passive), true},
    {"pfc", "0", FIELD(link.pfc), false},
    {"acfc", "1", FIELD(link.acfc), true},
    {"auth-timeout", "1m", FIELD(link.auth_timeout_ns), TS_S(60)},
    {"auth-retries", "10", FIELD(link.auth_retries), 10},
    {"echo-interval", "5s", FIELD(echo_interval_ns), TS_S(5)},
    {"echo-interval", "0", FIELD(echo_interval_ns), PPTP_TS_NEVER},
    {"echo-timeout", "2", FIELD(echo_timeout_ns), TS_S(2)},
    {"reply-timeout", "1500ms", FIELD(reply_timeout_ns), TS_MS(1500)},
    {"receive-window", "65535", FIELD(recv_window), UINT16_MAX},
    {"sliding-window", "true", FIELD(gre.window), true},
    {"reorder-packets", "0", FIELD(gre.reorder_pkts), 0},
    {"reorder-time", "10s", FIELD(gre.reorder_ns), TS_S(10)},
    {"ack-packets", "1", FIELD(gre.ack_pkts), 1},
    {"ack-delay", "0", FIELD(gre.ack_delay_ns), 0},
    {"strict", "yes", FIELD(policy), PPTP_STRICT},
    {"strict", "no", FIELD(policy), PPTP_LENIENT},
};

static uint64_t
number_at(const struct tunnel_options *o, size_t offset, size_t size)
{
	const void *field = (const char *)o + offset;

	return size == 1   ? *(const uint8_t *)field
	       : size == 2 ? *(const uint16_t *)field
	       : size == 4 ? *(const uint32_t *)field
			   : *(const uint64_t *)field;
}

START_TEST(values)
{
	struct tunnel_options o;
	char err[128] = "";

	tunnel_options_init(&o, TUNNEL_CLIENT);
	ck_assert_msg(tunnel_option_set(&o, good[_i].name, good[_i].value, err, sizeof(err)), "%s", err);
	ck_assert_uint_eq(number_at(&o, good[_i].offset, good[_i].size), good[_i].number);
}
END_TEST

static const struct {
	const char *name, *value, *error;
} bad[] = {
    {"mru", "", "mru: \"\" is not a number"},
    {"mru", "12x", "mru: \"12x\" is not a number"},
    {"mru", "-1", "mru: \"-1\" is not a number"},
    {"mru", " 1400", "mru: \" 1400\" is not a number"},
    {"mru", "1501", "1501 is not in "},
    {"mru", "99999999999999999999999", "is not a number"},
    {"mss", "63", "63 is not in 64..1460"},
    {"mss", "none", "neither auto, off nor a number"},
    {"mppe", "yes", "neither deny, allow nor require"},
    {"mppe-bits", "", "empty (write mppe = deny"},
    {"mppe-bits", "{}", "empty"},
    {"mppe-bits", "128 64", "\"64\" is neither 128, 56 nor 40"},
    {"mppe-mode", "both", "neither stateless, stateful nor any"},
    {"ipv4", "maybe", "neither yes nor no"},
    {"lcp-echo-interval", "soon", "is not a duration"},
    {"lcp-echo-interval", "2h", "2h is too long"},
    {"lcp-restart", "99ms", "99ms is too short"},
    {"lcp-echo-failures", "0", "0 is not in 1..255"},
    {"lcp-echo-failures", "256", "256 is not in 1..255"},
    {"receive-window", "0", "0 is not in 1..65535"},
    {"strict", "2", "neither yes nor no"},
    {"identification", "0123456789012345678901234567890123456789012345678901234567890123x", "longer than 64 bytes"},
    {"host-name", "0123456789012345678901234567890123456789012345678901234567890123x", "longer than 64 bytes"},
    {"no-such-option", "1", "no option \"no-such-option\""},
};

START_TEST(bad_values_change_nothing)
{
	struct tunnel_options o, before;
	char err[160] = "";

	tunnel_options_init(&o, TUNNEL_SERVER);
	before = o;
	ck_assert(!tunnel_option_set(&o, bad[_i].name, bad[_i].value, err, sizeof(err)));
	ck_assert_msg(strstr(err, bad[_i].error) != NULL && strstr(err, bad[_i].name) != NULL, "%s", err);
	ck_assert_mem_eq(&o, &before, sizeof(o));
}
END_TEST

START_TEST(texts)
{
	static const char name[] = "0123456789012345678901234567890123456789012345678901234567890123";
	struct tunnel_options o;
	struct pptp_conn_config config;
	char err[64];

	tunnel_options_init(&o, TUNNEL_CLIENT);
	ck_assert(tunnel_option_set(&o, "identification", "hello world", err, sizeof(err)));
	ck_assert_str_eq(o.link.identification, "hello world");
	ck_assert(tunnel_option_set(&o, "host-name", name, err, sizeof(err)));
	ck_assert(tunnel_option_set(&o, "echo-interval", "0", err, sizeof(err)));
	ck_assert(tunnel_option_set(&o, "strict", "yes", err, sizeof(err)));
	pptp_conn_config_init(&config);
	tunnel_options_conn(&o, &config);
	ck_assert_str_eq(config.host_name, name);
	ck_assert_uint_eq(config.echo_interval_ns, PPTP_TS_NEVER);
	ck_assert_uint_eq(config.reply_timeout_ns, TS_S(20));
	ck_assert_int_eq(config.policy, PPTP_STRICT);
}
END_TEST

START_TEST(known_names)
{
	ck_assert(tunnel_option_known("mppe-mode"));
	ck_assert(!tunnel_option_known("mppe_mode"));
	ck_assert(!tunnel_option_known("user"));
	ck_assert(!tunnel_option_known(""));
}
END_TEST

START_TEST(roles_differ_in_their_defaults)
{
	struct tunnel_options server, client;

	tunnel_options_init(&server, TUNNEL_SERVER);
	tunnel_options_init(&client, TUNNEL_CLIENT);
	ck_assert(server.link.passive && !client.link.passive);
	ck_assert(!server.bundle.mppe_stateful_ok && client.bundle.mppe_stateful_ok);
	ck_assert_uint_eq(server.reply_timeout_ns, TS_S(60));
	ck_assert_int_eq(server.bundle.mppe, PPP_MPPE_REQUIRE);
	ck_assert_int_eq(client.bundle.mppe, PPP_MPPE_REQUIRE);
}
END_TEST

/* --- lists of methods -------------------------------------------------------------------------------- */

static const struct {
	const char *list;
	unsigned methods;
} lists[] = {
    {"", 0},
    {"none", 0},
    {"all", PPP_AUTH_ALL},
    {"mschap2", PPP_AUTH_MSCHAPV2},
    {"MSCHAP2, eap-mschap2", PPP_AUTH_MSCHAPV2 | PPP_AUTH_EAP_MSCHAPV2},
    {"{pap chap}", PPP_AUTH_PAP | PPP_AUTH_CHAP_MD5},
    {"none,mschap,", PPP_AUTH_MSCHAP},
};

START_TEST(lists_of_methods)
{
	unsigned methods = 99;
	char err[128] = "";

	ck_assert_msg(tunnel_parse_auth(lists[_i].list, &methods, err, sizeof(err)), "%s", err);
	ck_assert_uint_eq(methods, lists[_i].methods);
}
END_TEST

START_TEST(unknown_methods)
{
	unsigned methods = 99;
	char err[160];

	ck_assert(!tunnel_parse_auth("mschap2, kerberos", &methods, err, sizeof(err)));
	ck_assert_ptr_nonnull(strstr(err, "no authentication method \"kerberos\""));
	ck_assert_uint_eq(methods, 99);
}
END_TEST

/* --- a file ------------------------------------------------------------------------------------------- */

static char said[512];

static void __attribute__((format(printf, 2, 0))) note(cfg_t *cfg, const char *fmt, va_list ap)
{
	(void)cfg;
	vsnprintf(said, sizeof(said), fmt, ap);
}

/* Reads the text into *o, on top of the role's defaults; false when the parser refuses it. */
static bool
read_text(struct tunnel_options *o, enum tunnel_role role, const char *text)
{
	cfg_opt_t opts[TUNNEL_OPTIONS_MAX + 1];
	cfg_opt_t end = CFG_END();
	size_t n = tunnel_options_cfg(opts, role);
	bool ok;
	cfg_t *cfg;

	ck_assert_uint_le(n, TUNNEL_OPTIONS_MAX);
	opts[n] = end;
	cfg = cfg_init(opts, CFGF_NONE);
	cfg_set_error_function(cfg, note);
	said[0] = '\0';
	tunnel_options_init(o, role);
	ok = cfg_parse_buf(cfg, text) == CFG_SUCCESS;
	if (ok)
		tunnel_options_read(o, cfg);
	cfg_free(cfg);
	return ok;
}

START_TEST(a_file_without_options_is_the_defaults)
{
	struct tunnel_options o, defaults;

	for (int role = TUNNEL_SERVER; role <= TUNNEL_CLIENT; role++) {
		tunnel_options_init(&defaults, (enum tunnel_role)role);
		ck_assert(read_text(&o, (enum tunnel_role)role, ""));
		/* The bundle's restarts are the link's, once a file was read. */
		defaults.bundle.restart_ns = defaults.link.restart_ns;
		defaults.bundle.max_configure = defaults.link.max_configure;
		ck_assert_mem_eq(&o, &defaults, sizeof(o));
	}
}
END_TEST

START_TEST(a_file_sets_options)
{
	struct tunnel_options o;

	ck_assert(read_text(&o, TUNNEL_SERVER,
	    "mru = 1300\nmss = 1200\nmppe-bits = {40, 56}\nmppe-mode = stateful\nipv6 = no\nlcp-restart = \"250ms\"\n"
	    "lcp-max-configure = 3\nhost-name = \"here\"\n"));
	ck_assert_uint_eq(o.link.mru, 1300);
	ck_assert_uint_eq(o.mss_max, 1200);
	ck_assert_uint_eq(o.bundle.mppe_bits, PPP_MPPE_40 | PPP_MPPE_56);
	ck_assert(!o.bundle.mppe_stateless && !o.bundle.ipv6);
	ck_assert_uint_eq(o.bundle.restart_ns, TS_MS(250));
	ck_assert_uint_eq(o.bundle.max_configure, 3);
	ck_assert_str_eq(o.host_name, "here");
}
END_TEST

START_TEST(a_file_with_bad_values_is_refused)
{
	struct tunnel_options o;

	ck_assert(!read_text(&o, TUNNEL_CLIENT, "mru = 9000\n"));
	ck_assert_ptr_nonnull(strstr(said, "9000 is not in"));
	ck_assert(!read_text(&o, TUNNEL_CLIENT, "mppe-bits = {64}\n"));
	ck_assert_ptr_nonnull(strstr(said, "neither 128, 56 nor 40"));
	ck_assert(!read_text(&o, TUNNEL_CLIENT, "no-such-option = 1\n"));
}
END_TEST

START_TEST(lists_are_joined)
{
	cfg_opt_t opts[] = {CFG_STR_LIST("list", "{one, two, three}", CFGF_NONE), CFG_END()};
	cfg_t *cfg = cfg_init(opts, CFGF_NONE);
	char buf[64], small[8];

	ck_assert_str_eq(tunnel_cfg_join(cfg_getopt(cfg, "list"), buf, sizeof(buf)), "one, two, three");
	ck_assert_str_eq(tunnel_cfg_join(cfg_getopt(cfg, "list"), small, sizeof(small)), "one, tw");
	cfg_free(cfg);
}
END_TEST

Suite *
suite_options(void)
{
	Suite *s = suite_create("options");
	TCase *t = tcase_create("options");

	tcase_add_loop_test(t, values, 0, (int)(sizeof(good) / sizeof(good[0])));
	tcase_add_loop_test(t, bad_values_change_nothing, 0, (int)(sizeof(bad) / sizeof(bad[0])));
	tcase_add_test(t, texts);
	tcase_add_test(t, known_names);
	tcase_add_test(t, roles_differ_in_their_defaults);
	tcase_add_loop_test(t, lists_of_methods, 0, (int)(sizeof(lists) / sizeof(lists[0])));
	tcase_add_test(t, unknown_methods);
	tcase_add_test(t, a_file_without_options_is_the_defaults);
	tcase_add_test(t, a_file_sets_options);
	tcase_add_test(t, a_file_with_bad_values_is_refused);
	tcase_add_test(t, lists_are_joined);
	suite_add_tcase(s, t);
	return s;
}
