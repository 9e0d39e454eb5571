/* The command line:
 *
 *     pptpc [-dhnvV] [-s SOCKET] HOST [OPTION [VALUE]] ...
 *     pptpc [-dhnvV] [-s SOCKET] -c FILE
 *
 * An OPTION is one of pptpc.conf's tunnel section, bare or with two dashes: `user bob`, `--user bob`, `--user=bob`. A yes-or-no
 * option alone stands for yes. HOST may be several, with commas. */
#ifndef PPTPC_CMDLINE_H
#define PPTPC_CMDLINE_H

#include <stdbool.h>

#include "pptpc/profile.h"

struct cmdline {
	const char *file;   /* -c */
	const char *socket; /* -s */
	bool check;         /* -n */
	bool verbose;       /* -v: with -n, print the configuration */
	bool debug;         /* -d: every message */
	bool help, version;
	char *text; /* the tunnel as a configuration section, for -nv; to free() */
};

/* Reads argv into *line and, for a tunnel by hand, into a new tunnel of *c (initialised). False with a sentence in err that
 * names the argument. */
bool cmdline_parse(int argc, char **argv, struct cmdline *line, struct client_config *c, char *err, size_t errlen);

#endif
