/* A daemon to talk to, in a process of its own: it answers as the table in daemon.c says; and what pptpctl prints meanwhile. */
#ifndef TESTS_UNIT_PPTPCTL_DAEMON_H
#define TESTS_UNIT_PPTPCTL_DAEMON_H

#include "pptpctl/pptpctl.h"

/* Fixtures. */
void daemon_start(void);
void daemon_stop(void);

extern struct context daemon_context; /* of the daemon's socket, for text */
extern struct context daemon_json;

/* Runs a subcommand with the words of a line and returns what it printed, errors behind; valid until the next call. */
const char *run_command(int (*cmd)(const struct context *, int, char **), const struct context *ctx, const char *line, int *status);
/* The same of a function that prints JSON. */
const char *printed(void (*print)(json_t *), const char *json);

#endif
