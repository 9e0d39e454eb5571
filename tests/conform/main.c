/* pptp-conform: runs RFC 2637 conformance cases against the server at an address. */
#include "tests/conform/conform.h"

#include <getopt.h>
#include <jansson.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum format { TABLE, TAP, JSON };

struct options {
	const char *port;
	const char *address;
	const char *only;
	enum format format;
	int timeout_ms;
};

static const char usage_text[] =
    "usage: pptp-conform [-jl] [--tap] [-k CASE] [-p PORT] [-t SECONDS] ADDRESS\n"
    "  -j          print JSON lines\n"
    "  -k CASE     run one case only\n"
    "  -l          list the cases\n"
    "  -p PORT     TCP port (1723)\n"
    "  -t SECONDS  how long an answer may take (3)\n"
    "  --tap       print TAP\n"
    "ADDRESS is IPv4 or IPv6. The exit status is 0 when all cases pass, 1 when one fails, 2 for a wrong use.\n";

static _Noreturn void
usage(void)
{
	fputs(usage_text, stderr);
	exit(2);
}

static _Noreturn void
list_cases(void)
{
	for (size_t i = 0; i < conform_case_count; i++)
		printf("%-20s %-12s %s\n", conform_cases[i].name, conform_cases[i].section, conform_cases[i].doc);
	exit(0);
}

static void
parse_options(struct options *o, int argc, char **argv)
{
	static const struct option longs[] = {{"tap", no_argument, NULL, 'T'}, {NULL, 0, NULL, 0}};
	double seconds;
	char *end;
	int ch;

	*o = (struct options){.port = "1723", .timeout_ms = 3000};
	while ((ch = getopt_long(argc, argv, "jk:lp:t:", longs, NULL)) != -1) {
		switch (ch) {
		case 'j':
			o->format = JSON;
			break;
		case 'T':
			o->format = TAP;
			break;
		case 'k':
			o->only = optarg;
			break;
		case 'l':
			list_cases();
		case 'p':
			o->port = optarg;
			break;
		case 't':
			seconds = strtod(optarg, &end);
			if (*end != '\0' || !(seconds > 0 && seconds <= 600)) {
				fprintf(stderr, "pptp-conform: -t %s: not a number of seconds up to 600\n", optarg);
				exit(2);
			}
			o->timeout_ms = (int)(seconds * 1000);
			break;
		default:
			usage();
		}
	}
	if (optind + 1 != argc)
		usage();
	o->address = argv[optind];
}

static void
resolve(struct conform *c, const struct options *o)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST};
	struct addrinfo *found;
	int error = getaddrinfo(o->address, o->port, &hints, &found);

	if (error != 0) {
		fprintf(stderr, "pptp-conform: %s port %s: %s\n", o->address, o->port, gai_strerror(error));
		exit(2);
	}
	memcpy(&c->addr, found->ai_addr, found->ai_addrlen);
	c->addrlen = found->ai_addrlen;
	freeaddrinfo(found);
}

static void
report(const struct conform *c, const struct conform_case *k, enum format format, size_t number)
{
	const char *result = c->failed ? "fail" : "pass";
	const char *text = c->text[0] != '\0' ? c->text : k->doc;
	json_t *line;

	switch (format) {
	case TABLE:
		printf("%-20s | %-11s | %s | %s\n", k->name, k->section, c->failed ? "FAIL" : "pass", text);
		break;
	case TAP:
		printf("%s %zu - %s (RFC 2637 %s)\n# %s\n", c->failed ? "not ok" : "ok", number, k->name, k->section, text);
		break;
	case JSON:
		line = json_pack("{ss ss ss ss ss}", "case", k->name, "section", k->section, "result", result, "what", text, "doc", k->doc);
		if (line == NULL || json_dumpf(line, stdout, JSON_COMPACT) != 0)
			fprintf(stderr, "pptp-conform: %s: JSON can't be written\n", k->name);
		json_decref(line);
		putchar('\n');
		break;
	}
	fflush(stdout);
}

/* What was tried again is told with the result, whatever the result. */
static void
tell_dropped(struct conform *c, const struct conform_case *k)
{
	size_t len = strlen(c->text);

	if (c->dropped == 0)
		return;
	snprintf(c->text + len, sizeof(c->text) - len, "%s (%u connections dropped at Start and tried again)", len == 0 ? k->doc : "",
	    c->dropped);
}

static size_t
count_cases(const char *only)
{
	size_t n = 0;

	for (size_t i = 0; i < conform_case_count; i++)
		n += only == NULL || strcmp(only, conform_cases[i].name) == 0;
	return n;
}

int
main(int argc, char **argv)
{
	struct conform c = {0};
	struct options o;
	size_t count, failed = 0, number = 0;

	parse_options(&o, argc, argv);
	signal(SIGPIPE, SIG_IGN);
	resolve(&c, &o);
	c.timeout_ms = o.timeout_ms;
	count = count_cases(o.only);
	if (count == 0) {
		fprintf(stderr, "pptp-conform: no case is called %s; -l lists them\n", o.only);
		return 2;
	}
	if (o.format == TAP)
		printf("1..%zu\n", count);
	if (o.format == TABLE)
		printf("%-20s | %-11s | %s | %s\n", "case", "RFC section", "    ", "what happened");
	for (size_t i = 0; i < conform_case_count; i++) {
		const struct conform_case *k = &conform_cases[i];

		if (o.only != NULL && strcmp(o.only, k->name) != 0)
			continue;
		c.failed = false;
		c.text[0] = '\0';
		c.dropped = 0;
		k->run(&c);
		tell_dropped(&c, k);
		report(&c, k, o.format, ++number);
		failed += c.failed;
	}
	if (o.format == TABLE)
		printf("%zu of %zu cases passed\n", count - failed, count);
	return failed > 0;
}
