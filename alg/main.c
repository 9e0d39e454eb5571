/* pptpalg: the application level gateway for PPTP. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alg/config.h"
#include "alg/gateway.h"
#include "alg/machine.h"
#include "sys/args.h"
#include "sys/handover.h"
#include "sys/log.h"

struct start {
	struct handover_fd *fds;
	size_t count;
	char path[PATH_MAX]; /* of this program, to execute it anew */
	char config[PATH_MAX];
	char *argv[5];
};

static const char usage[] = "usage: pptpalg [-dfnv] [-c FILE]\n"
			    "  -c FILE    configuration (default " PPTPALG_DEFAULT_CONFIG ")\n"
			    "  -n         check the configuration, and exit\n"
			    "  -nv        the same, and print the configuration in force\n"
			    "  -f         stay in the foreground\n"
			    "  -d         the same, with debug messages; twice: with a trace of every message\n"
			    "  --version  print the version\n";

/* How this program is to be executed anew, from whatever folder: the path that it has now, since after an upgrade there is another file,
 * and the kernel tells of the old one that it is deleted. */
static void
prepare_again(struct start *s, const struct args *a, char *name)
{
	static char option[] = "-c", flags[][4] = {"-f", "-d", "-dd"};
	static const char deleted[] = " (deleted)"; /* what the kernel puts behind the path of a file that has been replaced */
	ssize_t n = readlink("/proc/self/exe", s->path, sizeof(s->path) - 1), end = (ssize_t)sizeof(deleted) - 1;

	s->path[n > 0 ? n : 0] = '\0';
	if (n > end && strcmp(s->path + n - end, deleted) == 0)
		s->path[n - end] = '\0';
	if (realpath(a->config, s->config) == NULL)
		snprintf(s->config, sizeof(s->config), "%s", a->config);
	s->argv[0] = name;
	s->argv[1] = option;
	s->argv[2] = s->config;
	s->argv[3] = a->foreground ? flags[a->debug > 2 ? 2 : a->debug] : NULL;
}

static int
serve(struct config *config, struct start *s)
{
	struct gateway_prepared prepared = {.config = config, .control_fd = -1, .metrics_fd = -1, .table_fd = -1, .rules_fd = -1};
	struct priv_policy policy;
	struct priv *priv;
	int claimed;

	if (geteuid() != 0) {
		log_event(LOG_LEVEL_ERROR, "start",
		    "error=\"pptpalg must be started as root: part of it changes nftables, routing rules and connection tracking\"");
		return 1;
	}
	claimed = machine_claim();
	/* A process that goes on in another's place has its sockets already. */
	if (claimed < 0 || (s->count == 0 && !machine_check_port(config)))
		return 1;
	prepared.monitor = monitor_new(config);
	if (prepared.monitor == NULL)
		return 1;
	prepared.datapath = monitor_datapath(prepared.monitor);
	monitor_handover(prepared.monitor, s->fds, s->count, s->path, s->argv);
	prepared.forked = strcmp(config->user, "root") != 0;
	gateway_policy(config, &policy);
	monitor_policy(prepared.monitor, &policy);
	priv = priv_start_as_user(&policy, gateway_prepare, &prepared);
	if (priv == NULL) {
		monitor_give_up(prepared.monitor);
		return 1;
	}
	/* It is the monitor's, which owns the table. */
	if (prepared.forked)
		close(claimed);
	return gateway_run(config, priv, &prepared);
}

int
main(int argc, char **argv)
{
	static const char program[] = "pptpalg";
	enum { MAX_FDS = 65536 };
	struct args a = {.config = PPTPALG_DEFAULT_CONFIG};
	struct start s = {.fds = calloc(MAX_FDS, sizeof(*s.fds))};
	int status = args_parse(&a, program, usage, argc, argv);
	struct config *config;

	if (s.fds != NULL)
		s.count = handover_take(s.fds, MAX_FDS);
	if (status >= 0 || s.fds == NULL) {
		free(s.fds);
		return status >= 0 ? status : 1;
	}
	config = config_load(a.config);
	if (config != NULL && a.print)
		config_print(config);
	if (config == NULL || a.check || a.print) {
		status = config == NULL;
	} else {
		args_log(&a, program, config->log_target, config->log_level);
		prepare_again(&s, &a, argv[0]);
		/* A process that goes on in another's place (exec, with the same pid) is where it should be already. */
		status = s.count > 0 || args_background(&a, program, config->log_target) ? serve(config, &s) : 1;
	}
	config_free(config);
	free(s.fds);
	return status;
}
