#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alg/config.h"
#include "alg/trace.h"
#include "tests/unit/pptpalg/source.h"
#include "tests/unit/suite.h"

static const uint64_t second = 1000000000;

static char out[65536];

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

START_TEST(an_empty_file_works)
{
	struct config *c = good("");

	ck_assert_uint_eq(c->ports_count, 1);
	ck_assert_uint_eq(c->ports[0], 1723);
	ck_assert_uint_eq(c->interfaces_count, 0);
	ck_assert(c->own_connections && c->ipv4 && c->ipv6);
	ck_assert_int_eq(c->datapath, DATAPATH_AUTO);
	ck_assert(!c->strict && !c->random_ids);
	ck_assert_int_eq(c->protocol, PPTP_LENIENT);
	ck_assert_int_eq(c->other_version, ALG_VERSION_PASS);
	ck_assert_int_eq(c->nat, NAT_AUTO);
	ck_assert_uint_eq(c->policies_count, 0);
	ck_assert_uint_eq(c->servers_count, 0);
	ck_assert_uint_eq(c->nat64_prefix.addr.family, 0);
	ck_assert_uint_eq(c->max_calls, 10000);
	ck_assert_uint_eq(c->max_calls_per_client, 200);
	ck_assert_uint_eq(c->max_waiting, 10000);
	ck_assert_uint_eq(c->max_ids, 20000);
	ck_assert_uint_eq(c->ageing_ns, 120 * second);
	ck_assert_uint_eq(c->idle_ns, 1800 * second);
	ck_assert_uint_eq(c->adopted_ns, c->idle_ns);
	ck_assert_uint_eq(c->linger_ns, 0);
	ck_assert(c->keep_with_control);
	ck_assert_uint_eq(c->mark, 0x10000000);
	ck_assert_uint_eq(c->proxy_port, 1724);
	ck_assert_str_eq(c->user, OPENPPTP_USER);
	ck_assert_str_eq(c->control_socket, PPTPALG_DEFAULT_SOCKET);
	ck_assert_str_eq(c->state_dir, "/run/pptpalg");
	ck_assert_uint_eq(c->metrics_addr.family, 0);
	ck_assert_ptr_null(c->trace.file);
	ck_assert_uint_eq(c->trace.flags, TRACE_ALL);
	config_free(c);
}
END_TEST

static const char full[] =
    "ports = {1723, 1800}\ninterfaces = {eth1, \"br-lan.5\"}\nown-connections = no\nipv4 = yes\nipv6 = yes\ndatapath = bpf\n"
    "bpf-interfaces = {eth0}\nstrict = yes\ngate-life = 3h\nprotocol = strict\nother-version = refuse\nrandom-ids = yes\nid-rest = 5s\n"
    "nat = interface\nnat64-prefix = \"64:ff9b::/96\"\nnat64-source = 192.0.2.64\nmax-connections = 50\nmax-connections-per-source = 5\n"
    "max-half-open = 7\nmax-calls = 40\nmax-calls-per-client = 4\nmax-calls-per-connection = 3\nmax-waiting = 6\nmax-ids = 99\n"
    "connect-timeout = 11s\nhandshake-timeout = 12s\ncontrol-timeout = 13s\nageing-timeout = 60s\nidle-timeout = 5m\nadopted-timeout = "
    "1m\nkeep-with-control = "
    "no\n"
    "linger = 3s\npoll-interval = 500ms\nkeepalive = 0\nmark = 0x100\ntable = 77\nproxy-port = 1999\nuser = nobody\n"
    "control-socket = \"/x/sock\"\ncontrol-mode = 0660\nstate-dir = \"/x/state\"\nmetrics = \"[::1]:9723\"\nlog = journal\n"
    "log-level = debug\n"
    "trace {\n\tfile = \"/x/trace\"\n\tsize = 10m\n\tfiles = 7\n\tlevel = verbose\n\tflags = {messages, gates}\n}\n"
    "policy guests {\n\tsource = {10.9.0.0/16, \"fd09::/16\"}\n\tinterface = {eth7}\n\taction = refuse\n}\n"
    "policy one {\n\tsource = {10.0.0.0/25}\n\tdestination = {203.0.113.0/24}\n\tport = {1800}\n\tnat = static\n\tinside = 10.0.0.0/24\n"
    "\toutside = {198.51.100.0/24}\n}\n"
    "policy \"two words\" {\n\tnat = pool\n\toutside = {198.51.100.0/28, 198.51.100.32, \"2001:db8::/64\"}\n}\n"
    "server vpn {\n\taddress = 198.51.100.7\n\tport = 1800\n\tto = 10.0.0.7\n\tto-port = 1723\n}\n"
    "server other {\n\taddress = 198.51.100.7\n\tport = 1723\n\tto = 10.0.0.8\n}\n";

START_TEST(every_option_is_read)
{
	struct config *c = good(full);
	char buf[ADDR_TEXT_MAX];

	ck_assert_uint_eq(c->ports_count, 2);
	ck_assert_uint_eq(c->ports[1], 1800);
	ck_assert_str_eq(c->interfaces[1], "br-lan.5");
	ck_assert(!c->own_connections && c->strict && c->random_ids && !c->keep_with_control);
	ck_assert_int_eq(c->datapath, DATAPATH_BPF);
	ck_assert_str_eq(c->bpf_interfaces[0], "eth0");
	ck_assert_uint_eq(c->life_ns, 3 * 3600 * second);
	ck_assert_int_eq(c->protocol, PPTP_STRICT);
	ck_assert_int_eq(c->other_version, ALG_VERSION_REFUSE);
	ck_assert_uint_eq(c->id_rest_ns, 5 * second);
	ck_assert_int_eq(c->nat, NAT_INTERFACE);
	ck_assert_str_eq(prefix_text(&c->nat64_prefix, buf), "64:ff9b::/96");
	ck_assert_str_eq(addr_text(&c->nat64_source, buf), "192.0.2.64");
	ck_assert_uint_eq(c->max_connections, 50);
	ck_assert_uint_eq(c->max_connections_per_source, 5);
	ck_assert_uint_eq(c->max_half_open, 7);
	ck_assert_uint_eq(c->max_calls, 40);
	ck_assert_uint_eq(c->max_calls_per_client, 4);
	ck_assert_uint_eq(c->max_calls_per_connection, 3);
	ck_assert_uint_eq(c->max_waiting, 6);
	ck_assert_uint_eq(c->max_ids, 99);
	ck_assert_uint_eq(c->connect_timeout_ns, 11 * second);
	ck_assert_uint_eq(c->handshake_timeout_ns, 12 * second);
	ck_assert_uint_eq(c->control_timeout_ns, 13 * second);
	ck_assert_uint_eq(c->ageing_ns, 60 * second);
	ck_assert_uint_eq(c->idle_ns, 300 * second);
	ck_assert_uint_eq(c->adopted_ns, 60 * second);
	ck_assert_uint_eq(c->linger_ns, 3 * second);
	ck_assert_uint_eq(c->poll_ns, second / 2);
	ck_assert_uint_eq(c->keepalive_ns, 0);
	ck_assert_uint_eq(c->mark, 0x100);
	ck_assert_uint_eq(c->table, 77);
	ck_assert_uint_eq(c->proxy_port, 1999);
	ck_assert_str_eq(c->user, "nobody");
	ck_assert_str_eq(c->control_socket, "/x/sock");
	ck_assert_uint_eq(c->control_mode, 0660);
	ck_assert_str_eq(c->state_dir, "/x/state");
	ck_assert_str_eq(addr_text(&c->metrics_addr, buf), "::1");
	ck_assert_uint_eq(c->metrics_port, 9723);
	ck_assert_int_eq(c->log_target, LOG_TO_JOURNAL);
	ck_assert_int_eq(c->log_level, LOG_LEVEL_DEBUG);
	ck_assert_str_eq(c->trace.file, "/x/trace");
	ck_assert_uint_eq(c->trace.size, 10 * 1024 * 1024);
	ck_assert_uint_eq(c->trace.files, 7);
	ck_assert_uint_eq(c->trace.level, TRACE_VERBOSE);
	ck_assert_uint_eq(c->trace.flags, TRACE_MESSAGES | TRACE_GATES);
	config_free(c);
}
END_TEST

START_TEST(every_section_is_read)
{
	struct config *c = good(full);
	const struct config_policy *p = c->policies;
	char buf[ADDR_TEXT_MAX];

	ck_assert_uint_eq(c->policies_count, 3);
	ck_assert_str_eq(p[0].name, "guests");
	ck_assert_int_eq(p[0].action, ACTION_REFUSE);
	ck_assert_uint_eq(p[0].sources_count, 2);
	ck_assert_str_eq(prefix_text(&p[0].sources[1], buf), "fd09::/16");
	ck_assert_str_eq(p[0].interfaces[0], "eth7");
	ck_assert_uint_eq(p[0].ports_count, 0);
	ck_assert_int_eq(p[1].action, ACTION_PROXY);
	ck_assert_int_eq(p[1].nat, NAT_STATIC);
	ck_assert_uint_eq(p[1].destinations_count, 1);
	ck_assert_uint_eq(p[1].ports[0], 1800);
	ck_assert_str_eq(prefix_text(&p[1].inside, buf), "10.0.0.0/24");
	ck_assert_str_eq(p[2].name, "two words");
	ck_assert_uint_eq(p[2].outside_count, 3);
	ck_assert_str_eq(prefix_text(&p[2].outside[1], buf), "198.51.100.32/32");
	ck_assert_uint_eq(c->servers_count, 2);
	ck_assert_str_eq(c->servers[0].name, "vpn");
	ck_assert_str_eq(addr_text(&c->servers[0].to, buf), "10.0.0.7");
	ck_assert_uint_eq(c->servers[0].port, 1800);
	ck_assert_uint_eq(c->servers[0].to_port, 1723);
	ck_assert_uint_eq(c->servers[1].to_port, 0);
	config_free(c);
}
END_TEST

/* What is printed reads back to the same, and prints the same. */
static void
prints_itself(const char *text)
{
	struct config *c = good(text), *again;
	char *first = strdup(print(c));

	again = good(first);
	ck_assert_str_eq(print(again), first);
	ck_assert_mem_eq(again->ports, c->ports, sizeof(c->ports));
	ck_assert_uint_eq(again->mark, c->mark);
	ck_assert_uint_eq(again->max_ids, c->max_ids);
	ck_assert_uint_eq(again->trace.flags, c->trace.flags);
	ck_assert_uint_eq(again->trace.size, c->trace.size);
	ck_assert_uint_eq(again->policies_count, c->policies_count);
	for (size_t i = 0; i < c->policies_count; i++) {
		ck_assert_str_eq(again->policies[i].name, c->policies[i].name);
		ck_assert_int_eq(again->policies[i].nat, c->policies[i].nat);
		ck_assert_mem_eq(again->policies[i].outside, c->policies[i].outside, sizeof(c->policies[i].outside));
	}
	ck_assert_uint_eq(again->servers_count, c->servers_count);
	config_free(c);
	config_free(again);
	free(first);
}

START_TEST(prints_what_reads_back)
{
	prints_itself(full);
	prints_itself("");
	prints_itself("nat = route\npolicy a {}\n");
}
END_TEST

START_TEST(a_policy_inherits_nat)
{
	struct config *c = good("nat = route\npolicy a {\n}\npolicy b {\n nat = auto\n}\n");

	ck_assert_int_eq(c->policies[0].nat, NAT_ROUTE);
	ck_assert_int_eq(c->policies[1].nat, NAT_AUTO);
	config_free(c);
}
END_TEST

START_TEST(limits_fit_each_other)
{
	struct config *c = good("max-calls = 50\nmax-connections = 20\n");

	ck_assert_uint_eq(c->max_calls_per_client, 50);
	ck_assert_uint_eq(c->max_waiting, 50);
	ck_assert_uint_eq(c->max_connections_per_source, 20);
	ck_assert_uint_eq(c->max_half_open, 20);
	ck_assert_uint_eq(c->max_ids, 100);
	config_free(c);
}
END_TEST

static const struct {
	const char *text, *says;
} wrongs[] = {
    {"colour = blue", "/etc/t.conf:1: "},
    {"\nports = {0}", "/etc/t.conf:2: option 'ports': 0 is no port"},
    {"ports = {1723, 1723}", "/etc/t.conf:1: option 'ports': 1723 stands there twice"},
    {"ports = {1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17}", "/etc/t.conf:1: option 'ports': more than 16 ports"},
    {"ports = {}", "/etc/t.conf: option 'ports': an empty list"},
    {"ports = {1724}", "/etc/t.conf: option 'proxy-port': it must be none of the ports"},
    {"interfaces = {\"a/b\"}", "/etc/t.conf:1: option 'interfaces': 'a/b' is not an interface name"},
    {"interfaces = {a, a}", "/etc/t.conf:1: option 'interfaces': 'a' stands there twice"},
    {"interfaces = {0123456789abcdef}", "/etc/t.conf:1: option 'interfaces'"},
    {"ipv4 = no\nipv6 = no", "/etc/t.conf: ipv4 = no and ipv6 = no"},
    {"datapath = fast", "/etc/t.conf:1: option 'datapath': 'fast' is not auto, conntrack, bpf or user"},
    {"gate-life = long", "/etc/t.conf:1: option 'gate-life'"},
    {"gate-life = 30s", "/etc/t.conf:1: option 'gate-life': less than a minute"},
    {"protocol = loose", "/etc/t.conf:1: option 'protocol': 'loose' is not lenient or strict"},
    {"other-version = 2", "/etc/t.conf:1: option 'other-version': '2' is not pass or refuse"},
    {"nat = none", "/etc/t.conf:1: option 'nat': 'none' is not auto, route or interface"},
    {"nat = pool", "/etc/t.conf:1: option 'nat': 'pool' is not auto, route or interface (this one needs addresses"},
    {"nat64-prefix = \"64:ff9b::/64\"", "/etc/t.conf:1: option 'nat64-prefix': '64:ff9b::/64' is not an IPv6 network of 96 bits"},
    {"nat64-prefix = 10.0.0.0/8", "/etc/t.conf:1: option 'nat64-prefix'"},
    {"nat64-source = \"::1\"", "/etc/t.conf:1: option 'nat64-source': '::1' is not an IPv4 address"},
    {"nat64-source = 192.0.2.1", "/etc/t.conf: nat64-source means nothing without nat64-prefix"},
    {"nat64-prefix = \"64:ff9b::/96\"\nipv6 = no", "/etc/t.conf: nat64-prefix needs ipv6 = yes"},
    {"max-calls = 0", "/etc/t.conf:1: option 'max-calls': 0 is not in 1..1000000"},
    {"max-calls = many", "/etc/t.conf:1: option 'max-calls': 'many' is no whole number"},
    {"max-ids = 19999", "/etc/t.conf: option 'max-ids': less than two for each"},
    {"handshake-timeout = 0", "/etc/t.conf:1: option 'handshake-timeout': 0 would let connections"},
    {"idle-timeout = 0", "/etc/t.conf:1: option 'idle-timeout': 0 would let gates"},
    {"poll-interval = 5m", "/etc/t.conf: option 'poll-interval': longer than ageing-timeout"},
    {"\npoll-interval = 0ms", "/etc/t.conf:2: option 'poll-interval': 0"},
    {"poll-interval = 1m\nidle-timeout = 1h\ngate-life = 60s", "/etc/t.conf: option 'gate-life': less than two poll-intervals"},
    {"connect-timeout = 0", "/etc/t.conf:1: option 'connect-timeout': 0"},
    {"ageing-timeout = 0", "/etc/t.conf:1: option 'ageing-timeout': 0"},
    {"linger = soon", "/etc/t.conf:1: option 'linger': 'soon' is not a time like 30, 500ms"},
    {"keepalive = 10ms", "/etc/t.conf:1: option 'keepalive': less than a second"},
    {"mark = 0x30000000", "/etc/t.conf:1: option 'mark': 0x30000000 is not one bit"},
    {"mark = 0x40000000", "/etc/t.conf:1: option 'mark': 0x40000000 is not one bit, 0x20000000 at most"},
    {"mark = 0", "/etc/t.conf:1: option 'mark'"},
    {"table = 32001", "/etc/t.conf:1: option 'table': 32001 is not in 1..32000"},
    {"table = 254", "/etc/t.conf:1: option 'table': 253 to 255 are the system's own"},
    {"control-socket = \"sock\"", "/etc/t.conf:1: option 'control-socket'"},
    {"control-mode = 9", "/etc/t.conf:1: option 'control-mode'"},
    {"state-dir = \"\"", "/etc/t.conf:1: option 'state-dir': it is empty"},
    {"metrics = 9723", "/etc/t.conf:1: option 'metrics': '9723' is not ADDRESS:PORT"},
    {"metrics = \"::1:9723\"", "/etc/t.conf:1: option 'metrics'"},
    {"metrics = \"[1.2.3.4]:1\"", "/etc/t.conf:1: option 'metrics'"},
    {"user = \"\"", "/etc/t.conf:1: option 'user'"},
    {"log = paper", "/etc/t.conf:1: option 'log'"},
    {"log-level = loud", "/etc/t.conf:1: option 'log-level'"},
    {"trace {\n file = x\n}", "/etc/t.conf:2: option 'file': 'x' is not an absolute path"},
    {"trace {\n size = 1k\n}", "/etc/t.conf:2: option 'size': '1k' is not a size from 4k"},
    {"trace {\n size = 1mb\n}", "/etc/t.conf:2: option 'size'"},
    {"trace {\n files = 0\n}", "/etc/t.conf:2: option 'files': 0 is not in 1..1000"},
    {"trace {\n level = all\n}", "/etc/t.conf:2: option 'level'"},
    {"trace {\n flags = {calls,\n noise}\n}", "/etc/t.conf:3: option 'flags': 'noise' is not messages, connections"},
    {"policy {\n}", "/etc/t.conf:1: "},
    {"policy a {\n source = {10.0.0.0/33}\n}", "/etc/t.conf:2: option 'source': '10.0.0.0/33' is not an address or a network"},
    {"policy a {\n colour = blue\n}", "/etc/t.conf:2: "},
    {"policy a {\n action = drop\n}", "/etc/t.conf:2: option 'action': 'drop' is not proxy, refuse or pass"},
    {"policy a {\n}\npolicy a {\n}", "/etc/t.conf:3: "},
    {"policy a {\n nat = static\n}", "/etc/t.conf:3: policy 'a', which ends here: nat = static needs inside and one outside"},
    {"policy a {\n nat = static\n inside = 10.0.0.0/24\n outside = {1.0.0.0/24, 2.0.0.0/24}\n}", "/etc/t.conf:5: policy 'a'"},
    {"policy a {\n nat = static\n inside = 10.0.0.0/24\n outside = {1.0.0.0/25}\n}",
	"/etc/t.conf:5: policy 'a', which ends here: inside and outside must be of one family and length"},
    {"policy a {\n nat = static\n inside = 10.0.0.0/24\n outside = {\"fd00::/24\"}\n}", "/etc/t.conf:5: policy 'a'"},
    {"policy a {\n nat = pool\n}", "/etc/t.conf:3: policy 'a', which ends here: nat = pool needs outside"},
    {"policy a {\n nat = pool\n outside = {127.0.0.1}\n}", "/etc/t.conf:3: option 'outside': '127.0.0.1' has addresses that are no host's"},
    {"policy a {\n nat = pool\n outside = {1.0.0.0/25,\n 0.0.0.0/0}\n}", "/etc/t.conf:4: option 'outside': '0.0.0.0/0' has"},
    {"policy a {\n nat = pool\n outside = {192.0.0.0/2}\n}", "/etc/t.conf:3: option 'outside': '192.0.0.0/2' has"},
    {"policy a {\n nat = pool\n outside = {\"ff02::1\"}\n}", "/etc/t.conf:3: option 'outside': 'ff02::1' has"},
    {"policy a {\n nat = static\n inside = \"::1\"\n outside = {\"2001:db8::1\"}\n}", "/etc/t.conf:3: option 'inside': '::1' has"},
    {"nat64-prefix = \"64:ff9b::/96\"\nnat64-source = 0.0.0.0", "/etc/t.conf:2: option 'nat64-source': '0.0.0.0' has"},
    {"server s {\n address = 224.0.0.1\n}", "/etc/t.conf:2: option 'address': '224.0.0.1' has"},
    {"server s {\n address = 1.2.3.4\n to = 127.0.0.1\n}", "/etc/t.conf:3: option 'to': '127.0.0.1' has"},
    {"policy a {\n outside = {1.0.0.0/25}\n}", "/etc/t.conf:3: policy 'a', which ends here: outside is for"},
    {"policy a {\n inside = 1.0.0.0/25\n}", "/etc/t.conf:3: policy 'a', which ends here: inside is for"},
    {"policy a {\n action = pass\n nat = auto\n}", "/etc/t.conf:4: policy 'a', which ends here: nat means nothing unless"},
    {"policy a {\n source = {10.0.0.0/8}\n destination = {\"fd00::/8\"}\n}", "/etc/t.conf:4: policy 'a', which ends here: source and dest"},
    {"policy a {\n port = {99}\n}", "/etc/t.conf: policy 'a': port 99 is none of ports"},
    {"server s {\n}", "/etc/t.conf:2: server 's', which ends here: it needs address"},
    {"server s {\n address = here\n}", "/etc/t.conf:2: option 'address': 'here' is not an IPv4 or IPv6 address"},
    {"server s {\n address = 1.2.3.4\n to = \"fd00::1\"\n}", "/etc/t.conf:4: server 's', which ends here: address and to must be of one"},
    {"server s {\n address = 1.2.3.4\n to = 1.2.3.4\n}", "/etc/t.conf:4: server 's', which ends here: address and to are the same"},
    {"server s {\n address = 1.2.3.4\n to = 1.2.3.5\n port = 5\n}", "/etc/t.conf: server 's': port 5 is none of ports"},
    {"server s {\n address = 1.2.3.4\n to = 1.2.3.5\n}\nserver t {\n address = 1.2.3.4\n port = 1723\n to = 1.2.3.6\n}",
	"/etc/t.conf: server 't' is dialed at the same address and port as server 's'"},
};

START_TEST(errors_name_file_and_line)
{
	struct config *c = load(wrongs[_i].text);

	ck_assert_msg(c == NULL, "\"%s\" was taken", wrongs[_i].text);
	ck_assert_msg(strncmp(out, wrongs[_i].says, strlen(wrongs[_i].says)) == 0, "\"%s\" instead of \"%s\"", out, wrongs[_i].says);
	ck_assert_msg(strchr(out, '\n') == out + strlen(out) - 1, "not one line: %s", out);
}
END_TEST

/* ---- the sample and the manual ---- */

static const char *file; /* what was read last */

/* Whether a line of the sample is an option or part of a section that stands behind a comment sign. */
static bool
is_option(const char *line)
{
	size_t word = strspn(line + 2, "abcdefghijklmnopqrstuvwxyz0123456789-");
	const char *rest = line + 2 + word;

	if (strncmp(line, "#\t", 2) == 0 || strncmp(line, "# }", 3) == 0)
		return true;
	if (strncmp(line, "# ", 2) != 0 || word == 0)
		return false;
	if (strncmp(rest, " = ", 3) == 0 || strncmp(rest, " {\n", 3) == 0)
		return true;
	rest += *rest == ' ';
	rest += strspn(rest, "abcdefghijklmnopqrstuvwxyz-");
	return strncmp(rest, " {\n", 3) == 0;
}

/* The sample with all that stands behind comment signs; sections: also those, else only what comes in front of and behind them. */
static void
uncomment(char *text, bool sections)
{
	char *to = text, *end;
	bool inside = false;

	for (const char *line = file; *line != '\0'; line = end + 1) {
		bool option = is_option(line), starts;

		end = strchr(line, '\n');
		ck_assert_ptr_nonnull(end);
		starts = option && end[-1] == '{';
		if (option && (sections || (!inside && !starts))) {
			memcpy(to, line + 1, (size_t)(end - line));
			to += end - line;
		}
		inside = (inside || starts) && strncmp(line, "# }", 3) != 0;
	}
	*to = '\0';
}

static char text[65536];

START_TEST(the_sample_is_good)
{
	file = read_source("etc/pptpalg.conf");
	config_free(good(file));
	uncomment(text, true);
	config_free(good(text));
}
END_TEST

/* But for the user, which is chosen when the program is built. */
static void
drop_user(char *printed)
{
	char *line = strstr(printed, "\nuser = "), *end = line != NULL ? strchr(line + 1, '\n') : NULL;

	ck_assert_ptr_nonnull(end);
	memmove(line, end, strlen(end) + 1);
}

/* Each between .Bd -literal and .Ed behind .Sh EXAMPLES. */
START_TEST(the_manuals_examples_are_good)
{
	static const char begin[] = "\n.Bd -literal -offset indent\n", end[] = "\n.Ed\n";
	const char *at = strstr(read_source("man/pptpalg.conf.5"), "\n.Sh EXAMPLES\n");
	int count = 0;

	while ((at = strstr(at, begin)) != NULL) {
		const char *stop = strstr(at, end);

		snprintf(text, sizeof(text), "%.*s\n", (int)(stop - at - (ptrdiff_t)strlen(begin)), at + strlen(begin));
		config_free(good(text));
		at = stop;
		count++;
	}
	ck_assert_int_ge(count, 7);
}
END_TEST

START_TEST(the_sample_tells_the_defaults)
{
	struct config *c;
	char *defaults;

	file = read_source("etc/pptpalg.conf");
	uncomment(text, false);
	c = good(text);
	drop_user((char *)(uintptr_t)print(c));
	config_free(c);
	defaults = strdup(out);
	c = good("");
	drop_user((char *)(uintptr_t)print(c));
	ck_assert_str_eq(out, defaults);
	free(defaults);
	config_free(c);
}
END_TEST

static void
each_option(const cfg_t *cfg, void (*fn)(const char *name))
{
	for (const cfg_opt_t *o = cfg->opts; o->name != NULL; o++) {
		fn(o->name);
		if (o->type == CFGT_SEC && o->nvalues > 0)
			each_option(o->values[0]->section, fn);
	}
}

static void
in_sample(const char *name)
{
	char wanted[64];

	snprintf(wanted, sizeof(wanted), "%s = ", name);
	if (strstr(file, wanted) != NULL)
		return;
	snprintf(wanted, sizeof(wanted), "\n# %s ", name);
	ck_assert_msg(strstr(file, wanted) != NULL, "the sample has no %s", name);
}

/* `.It Cm a , b No =`, `.Cm name :` behind a section, or a section as it is written. */
static bool
tells_of(const char *line, const char *name)
{
	size_t len = strlen(name);

	if (strncmp(line, ".Cm ", 4) == 0)
		return strncmp(line + 4, name, len) == 0;
	if (strncmp(line, ".It Cm ", 7) != 0)
		return strncmp(line, name, len) == 0 && strncmp(line + len, " name {\n", 8) == 0;
	for (const char *p = line + 7; *p != '\n' && strncmp(p, "No ", 3) != 0; p++) {
		if (p[-1] == ' ' && strncmp(p, name, len) == 0 && p[len] == ' ')
			return true;
	}
	return false;
}

static void
in_manual(const char *name)
{
	for (const char *line = file, *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
		if (tells_of(line, name))
			return;
	}
	ck_abort_msg("the manual has no %s", name);
}

START_TEST(every_option_is_told_of)
{
	struct config *c = good(full);

	file = read_source("etc/pptpalg.conf");
	each_option(c->cfg, in_sample);
	file = read_source("man/pptpalg.conf.5");
	each_option(c->cfg, in_manual);
	config_free(c);
}
END_TEST

Suite *suite_config(void);

Suite *
suite_config(void)
{
	Suite *s = suite_create("pptpalg/config");
	TCase *t = tcase_create("config");

	tcase_add_test(t, an_empty_file_works);
	tcase_add_test(t, every_option_is_read);
	tcase_add_test(t, every_section_is_read);
	tcase_add_test(t, prints_what_reads_back);
	tcase_add_test(t, a_policy_inherits_nat);
	tcase_add_test(t, limits_fit_each_other);
	tcase_add_test(t, the_sample_is_good);
	tcase_add_test(t, the_manuals_examples_are_good);
	tcase_add_test(t, the_sample_tells_the_defaults);
	tcase_add_test(t, every_option_is_told_of);
	tcase_add_loop_test(t, errors_name_file_and_line, 0, (int)(sizeof(wrongs) / sizeof(wrongs[0])));
	suite_add_tcase(s, t);
	return s;
}
