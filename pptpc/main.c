/* pptpc: the PPTP client. */
#include <confuse.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pptpc/client.h"
#include "pptpc/cmdline.h"
#include "pptpc/conffile.h"
#include "pptpc/secret.h"
#include "sys/conf.h"
#include "sys/log.h"

static void
usage(FILE *to)
{
	fputs("usage: pptpc [-dnv] [-s SOCKET] HOST [OPTION [VALUE]] ...\n"
	      "       pptpc [-dnv] [-s SOCKET] -c FILE\n"
	      "  HOST       the server (several with commas), then options of pptpc.conf(5) in plain words:\n"
	      "             pptpc vpn.example.org user bob default-route dns\n"
	      "             pptpc vpn.example.org user bob routes 10.0.0.0/8,192.168.7.0/24 retry\n"
	      "             The password is asked for, or comes from password-file FILE, password-fd NUMBER or PPTPC_PASSWORD.\n"
	      "  -c FILE    the tunnels of a configuration file\n"
	      "  -n         check the options, and exit\n"
	      "  -nv        the same, and print the configuration in force\n"
	      "  -d         show every message\n"
	      "  -s SOCKET  where pptpctl finds this client; \"\" for nowhere\n"
	      "  --version  print the version\n",
	    to);
}

/* Reads everything that there is to configure; NULL with the reason printed. */
static cfg_t *
read_config(const struct cmdline *line, struct client_config *config)
{
	struct client_config scratch;
	cfg_t *cfg;

	if (line->file != NULL)
		return conffile_read(line->file, config);
	/* By hand the options are in force already; as a file they can be printed. */
	client_config_init(&scratch);
	cfg = conffile_read_text("command line", line->text, &scratch);
	client_config_fini(&scratch);
	return cfg;
}

static bool
load_secrets(struct client_config *config)
{
	char err[256];
	bool ok = true;

	for (size_t i = 0; i < config->count; i++) {
		if (!secret_load(&config->tunnels[i], config->by_hand, err, sizeof(err))) {
			fprintf(stderr, "pptpc: %s%s%s%s\n", config->by_hand ? "" : "tunnel \"",
			    config->by_hand ? "" : config->tunnels[i].name, config->by_hand ? "" : "\": ", err);
			ok = false;
		}
	}
	secret_scrub_environment();
	return ok;
}

static void
start_log(const struct cmdline *line, const struct client_config *config)
{
	int level = log_parse_level(config->log_level);
	enum log_target target = strcmp(config->log_target, "syslog") == 0    ? LOG_TO_SYSLOG
				 : strcmp(config->log_target, "journal") == 0 ? LOG_TO_JOURNAL
									      : LOG_TO_STDERR;

	/* A person reads sentences; the log would say the same again. */
	if (config->by_hand)
		level = LOG_LEVEL_WARN;
	if (line->debug)
		level = LOG_LEVEL_TRACE;
	log_init("pptpc", line->debug ? LOG_TO_STDERR : target, level < 0 ? LOG_LEVEL_INFO : (enum log_level)level);
}

static int
serve(const struct client_config *config, const struct client_policy *policy)
{
	struct client_prepared prepared = {.config = config, .control_fd = -1};
	bool trace = log_enabled(LOG_LEVEL_TRACE);
	struct priv *priv = priv_start_as_user(&policy->policy, client_prepare, &prepared);

	return priv != NULL ? client_run(config, priv, &prepared, trace) : EXIT_LOCAL;
}

static int
run(const struct cmdline *line, struct client_config *config)
{
	static struct client_policy policy;
	cfg_t *cfg = read_config(line, config);
	char err[256];

	if (cfg == NULL)
		return EXIT_USAGE;
	if (!client_policy_fill(&policy, config, err, sizeof(err))) {
		fprintf(stderr, "pptpc: %s\n", err);
		cfg_free(cfg);
		return EXIT_USAGE;
	}
	if (line->check && line->verbose)
		conf_print(cfg);
	cfg_free(cfg);
	if (line->socket != NULL)
		snprintf(config->control_socket, sizeof(config->control_socket), "%s", line->socket);
	if (line->check)
		return EXIT_STOPPED;
	if (geteuid() != 0) {
		fprintf(stderr, "pptpc: only root can make tunnels\n");
		return EXIT_LOCAL;
	}
	if (!load_secrets(config))
		return EXIT_USAGE;
	start_log(line, config);
	return serve(config, &policy);
}

int
main(int argc, char **argv)
{
	struct client_config config;
	struct cmdline line;
	char err[512];
	int status;

	client_config_init(&config);
	if (!cmdline_parse(argc, argv, &line, &config, err, sizeof(err))) {
		fprintf(stderr, "pptpc: %s\n", err);
		status = EXIT_USAGE;
	} else if (line.help || line.version) {
		if (line.help)
			usage(stdout);
		else
			printf("pptpc %s\n", PACKAGE_VERSION);
		status = EXIT_STOPPED;
	} else {
		status = run(&line, &config);
	}
	free(line.text);
	client_config_fini(&config);
	return status;
}
