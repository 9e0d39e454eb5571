#include "sys/args.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int
wrong(const char *usage)
{
	fputs(usage, stderr);
	return 2;
}

int
args_parse(struct args *a, const char *program, const char *usage, int argc, char **argv)
{
	static const struct option longs[] = {{"version", no_argument, NULL, 'V'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	int c;

	while ((c = getopt_long(argc, argv, "c:nvfdh", longs, NULL)) != -1) {
		switch (c) {
		case 'c':
			a->config = optarg;
			break;
		case 'n':
			a->check = true;
			break;
		case 'v':
			a->print = true;
			break;
		case 'f':
			a->foreground = true;
			break;
		case 'd':
			a->foreground = true;
			a->debug++;
			break;
		case 'V':
			printf("%s %s\n", program, PACKAGE_VERSION);
			return 0;
		case 'h':
			fputs(usage, stdout);
			return 0;
		default:
			return wrong(usage);
		}
	}
	if (optind == argc)
		return -1;
	fprintf(stderr, "%s: unexpected argument: %s\n", program, argv[optind]);
	return wrong(usage);
}

enum log_level
args_log(const struct args *a, const char *program, enum log_target target, enum log_level level)
{
	if (a->debug == 1 && level < LOG_LEVEL_DEBUG)
		level = LOG_LEVEL_DEBUG;
	if (a->debug > 1)
		level = LOG_LEVEL_TRACE;
	log_init(program, a->debug > 0 ? LOG_TO_STDERR : target, level);
	return level;
}

bool
args_background(const struct args *a, const char *program, enum log_target target)
{
	if (a->foreground || daemon(0, target == LOG_TO_STDERR) == 0)
		return true;
	fprintf(stderr, "%s: can't go into the background: %s\n", program, strerror(errno));
	return false;
}
