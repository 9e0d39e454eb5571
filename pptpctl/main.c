/* pptpctl: looks into a running pptpd, pptpc or pptpalg, and steers it. */
#include "pptpctl/pptpctl.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

struct subcommand {
	const char *name;
	int (*run)(const struct context *ctx, int argc, char **argv);
	const char *usage;
	const char *help;
};

static const struct subcommand subcommands[] = {
    {"show", cmd_show, "show sessions | session ID | pools | counters", "tables of what there is now"},
    {"kick", cmd_kick, "kick ID | user=NAME | address=A | tunnel=NAME", "end sessions"},
    {"status", cmd_status, "status", "version, uptime and totals"},
    {"reload", cmd_reload, "reload", "server: read the users file anew"},
    {"alg", cmd_alg, "alg status | flows | gates | xlate | resources", "gateway: tables of what there is now"},
    {"alg", cmd_alg, "alg counters | clear CALL | help", "gateway: counters; end a call; all of its commands"},
    {"connect", cmd_connect, "connect TUNNEL", "client: dial a tunnel"},
    {"disconnect", cmd_disconnect, "disconnect TUNNEL", "client: end a tunnel and leave it down"},
};

enum { SUBCOMMANDS = sizeof(subcommands) / sizeof(subcommands[0]) };

static void
usage(FILE *to)
{
	fprintf(to, "usage: pptpctl [-s SOCKET] [--json] COMMAND\n");
	for (size_t i = 0; i < SUBCOMMANDS; i++)
		fprintf(to, "  %-48s %s\n", subcommands[i].usage, subcommands[i].help);
	fprintf(to, "  %-48s %s\n", "help", "this text");
	fprintf(to, "Without -s the server's socket /run/pptpd/control.sock is tried, then the client's, /run/pptpc/control.sock, which\n"
		    "alone it is for connect and disconnect; for alg it is the gateway's, /run/pptpalg/control.sock.\n");
}

static int
dispatch(const struct context *ctx, int argc, char **argv)
{
	if (strcmp(argv[0], "help") == 0) {
		usage(stdout);
		return STATUS_OK;
	}
	for (size_t i = 0; i < SUBCOMMANDS; i++) {
		if (strcmp(subcommands[i].name, argv[0]) == 0)
			return subcommands[i].run(ctx, argc - 1, argv + 1);
	}
	fprintf(stderr, "pptpctl: no command \"%s\"\n", argv[0]);
	usage(stderr);
	return STATUS_USAGE;
}

int
main(int argc, char **argv)
{
	static const struct option longs[] = {{"json", no_argument, NULL, 'j'}, {"socket", required_argument, NULL, 's'},
	    {"version", no_argument, NULL, 'V'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	struct context ctx = {.socket = NULL};
	int c;

	while ((c = getopt_long(argc, argv, "s:jh", longs, NULL)) != -1) {
		switch (c) {
		case 's':
			ctx.socket = optarg;
			break;
		case 'j':
			ctx.json = true;
			break;
		case 'V':
			printf("pptpctl %s\n", PACKAGE_VERSION);
			return STATUS_OK;
		case 'h':
			usage(stdout);
			return STATUS_OK;
		default:
			usage(stderr);
			return STATUS_USAGE;
		}
	}
	if (optind == argc) {
		usage(stderr);
		return STATUS_USAGE;
	}
	return dispatch(&ctx, argc - optind, argv + optind);
}
