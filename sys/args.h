/* The command line of the daemons with a configuration file. */
#ifndef SYS_ARGS_H
#define SYS_ARGS_H

#include <stdbool.h>

struct args {
	const char *config; /* -c; to be set to the default before */
	bool check, print;  /* -n, -v */
	bool foreground;    /* -f, and -d */
	unsigned debug;     /* how often -d was given */
};

/* Reads them. usage is the text for --help, and for what is wrong. Returns -1 to go on, or the exit status: 0 when all is said, 2. */
int args_parse(struct args *a, const char *program, const char *usage, int argc, char **argv);

#endif
