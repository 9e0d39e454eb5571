#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pptpd/config.h"
#include "pptpd/users.h"
#include "tests/unit/suite.h"

static char out[16384];

static FILE *
catch_begin(int fd, int *saved)
{
	FILE *f = tmpfile();

	ck_assert_ptr_nonnull(f);
	fflush(NULL);
	*saved = dup(fd);
	dup2(fileno(f), fd);
	return f;
}

static void
catch_end(FILE *f, int fd, int saved)
{
	size_t n;

	fflush(NULL);
	dup2(saved, fd);
	close(saved);
	rewind(f);
	n = fread(out, 1, sizeof(out) - 1, f);
	out[n] = '\0';
	fclose(f);
}

static struct config *
load(const char *text)
{
	int saved;
	FILE *f = catch_begin(STDERR_FILENO, &saved);
	struct config *c = config_load_text("/etc/t.conf", text);

	catch_end(f, STDERR_FILENO, saved);
	return c;
}

static struct config *
good(const char *text)
{
	struct config *c = load(text);

	ck_assert_msg(c != NULL, "%s", out);
	ck_assert_str_eq(out, "");
	return c;
}

static const char *
print(const struct config *c)
{
	int saved;
	FILE *f = catch_begin(STDOUT_FILENO, &saved);

	config_print(c);
	catch_end(f, STDOUT_FILENO, saved);
	return out;
}

START_TEST(defaults_are_safe)
{
	struct config *c = good("local-ip = 10.0.0.1\npool = {\"10.0.0.10-20\"}\n");

	ck_assert_uint_eq(c->auth, PPP_AUTH_MSCHAPV2);
	ck_assert_int_eq(c->options.bundle.mppe, PPP_MPPE_REQUIRE);
	ck_assert_uint_eq(c->options.bundle.mppe_bits, PPP_MPPE_128);
	ck_assert(c->options.bundle.mppe_stateless);
	ck_assert(!c->options.bundle.mppe_stateful_ok);
	ck_assert_uint_eq(c->options.link.mru, 1400);
	ck_assert_uint_eq(c->options.link.mtu_max, 1400);
	ck_assert_uint_eq(c->options.link.require, PPP_AUTH_MSCHAPV2);
	ck_assert_str_eq(c->options.link.local_name, "pptpd");
	ck_assert_uint_eq(c->listen_count, 2);
	ck_assert_uint_eq(c->listen[0].port, 1723);
	ck_assert_uint_eq(c->listen[1].addr.family, 6);
	ck_assert(!c->per_session);
	ck_assert_str_eq(c->ifname, "pptp0");
	ck_assert_str_eq(c->users_path, "/etc/chap-secrets");
	ck_assert(c->accept_outgoing_calls);
	ck_assert(!c->accept_incoming_calls);
	ck_assert_uint_eq(c->pool_v4[0].first, 0x0a00000a);
	ck_assert_uint_eq(c->pool_v4[0].last, 0x0a000014);
	ck_assert_ptr_null(c->ip_up);
	config_free(c);
}
END_TEST

static const char full[] = "listen = {192.0.2.1, \"192.0.2.2:1724\", \"[2001:db8::1]:1725\", \"2001:db8::2\"}\n"
			   "port = 1800\nusers = \"/x/users\"\nserver-name = vpn\nauth = {mschap2, chap}\nmppe = allow\n"
			   "mppe-bits = {128, 40}\nmppe-mode = any\nlocal-ip = 10.0.0.1\nlocal-ipv6 = \"fd00::1\"\n"
			   "pool = {\"10.1.0.0/24\", \"10.2.0.5\"}\npool-skip-0-255 = no\npool-ipv6 = {\"fd00:1::/56\"}\n"
			   "dns = {10.0.0.2, 10.0.0.3}\nwins = {10.0.0.4}\ndns-ipv6 = {\"fd00::2\"}\ninterface = per-session\n"
			   "interface-name = \"vpn%d\"\nproxy-arp = yes\nidle-timeout = 15m\nsession-timeout = 1d\nip-up = \"/x/up\"\n"
			   "ip-down = \"/x/down\"\nworkers = 3\nuser = root\ncontrol-mode = 0660\nlog = syslog\nlog-level = debug\n"
			   "trace = yes\nmtu = 1300\nmss = off\nreorder-time = 5ms\necho-interval = 0\nstrict = yes\n";

START_TEST(every_key_is_read)
{
	struct config *c = good(full);

	ck_assert_uint_eq(c->listen_count, 4);
	ck_assert_uint_eq(c->listen[0].port, 1800);
	ck_assert_uint_eq(c->listen[1].port, 1724);
	ck_assert_uint_eq(c->listen[2].port, 1725);
	ck_assert_uint_eq(c->listen[3].port, 1800);
	ck_assert_str_eq(c->users_path, "/x/users");
	ck_assert_str_eq(c->options.link.local_name, "vpn");
	ck_assert_uint_eq(c->auth, PPP_AUTH_MSCHAPV2 | PPP_AUTH_CHAP_MD5);
	ck_assert_int_eq(c->options.bundle.mppe, PPP_MPPE_ALLOW);
	ck_assert_uint_eq(c->options.bundle.mppe_bits, PPP_MPPE_128 | PPP_MPPE_40);
	ck_assert(c->options.bundle.mppe_stateful_ok);
	ck_assert_uint_eq(c->pool_v4_count, 2);
	ck_assert(!c->pool_skip_ends);
	ck_assert_uint_eq(c->pool_v6[0].last - c->pool_v6[0].first + 1, 256);
	ck_assert_uint_eq(c->dns[1].bytes[3], 3);
	ck_assert_uint_eq(c->wins[0].bytes[3], 4);
	ck_assert_uint_eq(c->dns_v6[0].family, 6);
	ck_assert(c->per_session && c->proxy_arp);
	ck_assert_str_eq(c->ifname, "vpn%d");
	ck_assert_uint_eq(c->idle_timeout_ns, UINT64_C(900000000000));
	ck_assert_str_eq(c->ip_down, "/x/down");
	ck_assert_uint_eq(c->workers, 3);
	ck_assert_uint_eq(c->control_mode, 0660);
	ck_assert_int_eq(c->log_target, LOG_TO_SYSLOG);
	ck_assert_int_eq(c->log_level, LOG_LEVEL_DEBUG);
	ck_assert_uint_eq(c->options.link.mtu_max, 1300);
	ck_assert_uint_eq(c->options.mss_max, UINT16_MAX);
	ck_assert_uint_eq(c->options.gre.reorder_ns, 5000000);
	ck_assert_uint_eq(c->options.echo_interval_ns, PPTP_TS_NEVER);
	ck_assert_int_eq(c->options.policy, PPTP_STRICT);
	config_free(c);
}
END_TEST

/* What is printed reads back to the same, and prints the same. */
START_TEST(prints_itself)
{
	struct config *c = good(full), *again;
	char *first = strdup(print(c));

	again = good(first);
	ck_assert_str_eq(print(again), first);
	ck_assert_uint_eq(again->auth, c->auth);
	ck_assert_mem_eq(again->listen, c->listen, sizeof(c->listen));
	ck_assert_mem_eq(&again->options.bundle, &c->options.bundle, sizeof(c->options.bundle));
	ck_assert_mem_eq(again->pool_v4, c->pool_v4, sizeof(c->pool_v4));
	config_free(c);
	config_free(again);
	free(first);
}
END_TEST

static void
say(void *user, const char *line)
{
	(void)user;
	fprintf(stderr, "%s\n", line);
}

/* What is shipped as an example is good. */
START_TEST(samples)
{
	const char *srcdir = getenv("srcdir");
	char path[4096];
	struct config *c;
	struct users *u;
	int fd;

	snprintf(path, sizeof(path), "%s/etc/pptpd.conf", srcdir != NULL ? srcdir : ".");
	c = config_load(path);
	ck_assert_ptr_nonnull(c);
	ck_assert_int_eq(c->users_path[0], '/');
	fd = open(c->users_path, O_RDONLY);
	ck_assert_int_ge(fd, 0);
	u = users_read(c->users_path, fd, say, NULL);
	ck_assert_ptr_nonnull(u);
	ck_assert_uint_ge(users_count(u), 4);
	users_free(u);
	close(fd);
	config_free(c);
}
END_TEST

static const struct {
	const char *text, *says;
} wrongs[] = {
    {"\nlisten = {nowhere}", "/etc/t.conf:2: option 'listen': 'nowhere' is not an address"},
    {"listen = {\"1.2.3.4:0\"}", "/etc/t.conf:1: option 'listen'"},
    {"listen = {\"[1.2.3.4]:5\"}", "/etc/t.conf:1: option 'listen'"},
    {"colour = blue", "/etc/t.conf:1: "},
    {"port = 0", "/etc/t.conf:1: option 'port': 0 is not in 1..65535"},
    {"max-sessions = many", "/etc/t.conf:1: "},
    {"\n\nauth = {mschap2, magic}", "/etc/t.conf:3: option 'auth': no authentication method \"magic\""},
    {"mppe = maybe", "/etc/t.conf:1: mppe: \"maybe\" is neither deny, allow nor require"},
    {"mppe-bits = {64}", "/etc/t.conf:1: mppe-bits: \"64\" is neither 128, 56 nor 40"},
    {"mtu = 9000", "/etc/t.conf:1: mtu: 9000 is not in 128..1500"},
    {"mss = much", "/etc/t.conf:1: mss"},
    {"idle-timeout = soon", "/etc/t.conf:1: "},
    {"pool = {10.0.0.9-3}", "/etc/t.conf:1: "},
    {"pool-ipv6 = {\"fd00::/65\"}", "/etc/t.conf:1: option 'pool-ipv6'"},
    {"dns = {\"fd00::1\"}", "/etc/t.conf:1: option 'dns'"},
    {"interface = some", "/etc/t.conf:1: option 'interface'"},
    {"interface-name = \"a/b\"", "/etc/t.conf:1: option 'interface-name'"},
    {"interface-name = \"a%s\"", "/etc/t.conf:1: option 'interface-name'"},
    {"ip-up = \"up\"", "/etc/t.conf:1: option 'ip-up'"},
    {"control-mode = 9", "/etc/t.conf:1: option 'control-mode'"},
    {"log = paper", "/etc/t.conf:1: option 'log'"},
    {"", "/etc/t.conf: local-ip is missing"},
    {"local-ip = 10.0.0.5\npool = {10.0.0.0/24}", "/etc/t.conf: local-ip lies in the pool"},
    {"local-ip = 10.0.0.5\nlocal-ipv6 = \"fd00:0:0:9::1\"\npool-ipv6 = {\"fd00::/60\"}", "/etc/t.conf: local-ipv6 lies in pool-ipv6"},
    {"local-ip = 10.0.0.5\npool = {\"11.0.0.0/9\"}", "/etc/t.conf: option 'pool': the pool is larger"},
    {"local-ip = 10.0.0.5\npool = {\"11.0.0.0-11.0.0.0\"}", "/etc/t.conf: option 'pool': the pool is empty"},
    {"local-ip = 10.0.0.5\nauth = {chap}", "/etc/t.conf: mppe = require needs mschap2"},
    {"local-ip = 10.0.0.5\ninterface = per-session\ninterface-name = one", "/etc/t.conf: interface-name: "},
    {"ipv4 = no\nipv6 = no", "/etc/t.conf: ipv4 = no and ipv6 = no leave nothing to carry"},
    {"local-ip = 10.0.0.5\ndns = {1.1.1.1, 2.2.2.2, 3.3.3.3}", "/etc/t.conf: option 'dns': more than 2 servers"},
    {"local-ip = 10.0.0.5\nhandshake-timeout = 0", "/etc/t.conf: option 'handshake-timeout'"},
};

START_TEST(errors_name_file_and_line)
{
	struct config *c = load(wrongs[_i].text);

	ck_assert_ptr_null(c);
	ck_assert_msg(strncmp(out, wrongs[_i].says, strlen(wrongs[_i].says)) == 0, "\"%s\" instead of \"%s\"", out, wrongs[_i].says);
}
END_TEST

Suite *suite_config(void);

Suite *
suite_config(void)
{
	Suite *s = suite_create("pptpd/config");
	TCase *t = tcase_create("config");

	tcase_add_test(t, defaults_are_safe);
	tcase_add_test(t, every_key_is_read);
	tcase_add_test(t, prints_itself);
	tcase_add_test(t, samples);
	tcase_add_loop_test(t, errors_name_file_and_line, 0, (int)(sizeof(wrongs) / sizeof(wrongs[0])));
	suite_add_tcase(s, t);
	return s;
}
