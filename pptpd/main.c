/* pptpd: the PPTP server. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pptpd/config.h"
#include "pptpd/server.h"
#include "sys/args.h"
#include "sys/log.h"

static const char usage[] = "usage: pptpd [-dfnv] [-c FILE]\n"
			    "  -c FILE    configuration (default " PPTPD_DEFAULT_CONFIG ")\n"
			    "  -n         check configuration and users file, and exit\n"
			    "  -nv        the same, and print the configuration in force\n"
			    "  -f         stay in the foreground\n"
			    "  -d         the same, with debug messages; twice: with a trace of every message\n"
			    "  --version  print the version\n";

static void
print_error(void *user, const char *line)
{
	(void)user;
	fprintf(stderr, "%s\n", line);
}

static struct users *
load_users(const struct config *config)
{
	int fd = open(config->users_path, O_RDONLY | O_CLOEXEC);
	struct users *users;
	struct stat st;

	if (fd < 0) {
		fprintf(stderr, "%s: %s\n", config->users_path, strerror(errno));
		return NULL;
	}
	users = users_read(config->users_path, fd, print_error, NULL);
	if (users != NULL && fstat(fd, &st) == 0 && (st.st_mode & S_IROTH) != 0)
		fprintf(stderr, "%s: warning: everybody can read the secrets\n", config->users_path);
	close(fd);
	return users;
}

static int
serve(struct config *config, struct users *users)
{
	struct server_prepared prepared = {.config = config, .control_fd = -1};
	struct priv_policy policy;
	struct priv *priv;

	server_policy(config, &policy);
	priv = priv_start_as_user(&policy, server_prepare, &prepared);
	if (priv == NULL) {
		users_free(users);
		return 1;
	}
	return server_run(config, users, priv, &prepared);
}

int
main(int argc, char **argv)
{
	static const char program[] = "pptpd";
	struct args a = {.config = PPTPD_DEFAULT_CONFIG};
	int status = args_parse(&a, program, usage, argc, argv);
	enum log_level level;
	struct config *config;
	struct users *users;

	if (status >= 0)
		return status;
	config = config_load(a.config);
	users = config != NULL ? load_users(config) : NULL;
	if (users == NULL) {
		config_free(config);
		return 1;
	}
	if (a.print)
		config_print(config);
	if (a.check || a.print) {
		users_free(users);
		config_free(config);
		return 0;
	}
	level = args_log(&a, program, config->log_target, config->trace ? LOG_LEVEL_TRACE : config->log_level);
	config->trace = level == LOG_LEVEL_TRACE;
	if (!args_background(&a, program, config->log_target))
		return 1;
	status = serve(config, users);
	config_free(config);
	return status;
}
