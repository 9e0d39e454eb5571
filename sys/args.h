/* The command line of the daemons with a configuration file, and what it decides. */
#ifndef SYS_ARGS_H
#define SYS_ARGS_H

#include <stdbool.h>

#include "sys/log.h"

struct args {
	const char *config; /* -c; to be set to the default before */
	bool check, print;  /* -n, -v */
	bool foreground;    /* -f, and -d */
	unsigned debug;     /* how often -d was given */
};

/* Reads them. usage is the text for --help, and for what is wrong. Returns -1 to go on, or the exit status: 0 when all is said, 2. */
int args_parse(struct args *a, const char *program, const char *usage, int argc, char **argv);

/* Starts the log as configured; with -d on stderr and with more. program is static. Returns the level in force. */
enum log_level args_log(const struct args *a, const char *program, enum log_target target, enum log_level level);

/* Goes into the background, unless -f or -d was given; a log that goes to stderr keeps it. False with the reason on stderr. */
bool args_background(const struct args *a, const char *program, enum log_target target);

#endif
