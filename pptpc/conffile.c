#include "pptpc/conffile.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "pptpc/option.h"
#include "sys/conf.h"
#include "sys/log.h"

enum { MAX_OPTIONS = 96 };

/* Checks the value just read, alone, while the parser still knows its line. */
static int
check_value(cfg_t *cfg, cfg_opt_t *opt)
{
	const char *value = cfg_opt_getnstr(opt, cfg_opt_size(opt) - 1);
	struct profile scratch;
	char err[256];

	memset(&scratch, 0, sizeof(scratch));
	if (profile_set(&scratch, cfg_opt_name(opt), value, err, sizeof(err)))
		return 0;
	cfg_error(cfg, "%s", err);
	return -1;
}

static int
check_socket(cfg_t *cfg, cfg_opt_t *opt)
{
	const char *path = cfg_opt_getnstr(opt, 0);
	const size_t room = sizeof(((struct client_config *)NULL)->control_socket);

	if (path[0] != '\0' && path[0] != '/')
		cfg_error(cfg, "control-socket: \"%s\" is no absolute path", path);
	else if (strlen(path) >= room)
		cfg_error(cfg, "control-socket: longer than %zu characters", room - 1);
	else
		return 0;
	return -1;
}

static int
check_level(cfg_t *cfg, cfg_opt_t *opt)
{
	const char *word = cfg_opt_getnstr(opt, 0);

	if (log_parse_level(word) >= 0)
		return 0;
	cfg_error(cfg, "log-level: \"%s\" is none of error, warning, info, debug, trace", word);
	return -1;
}

static int
check_target(cfg_t *cfg, cfg_opt_t *opt)
{
	const char *word = cfg_opt_getnstr(opt, 0);

	if (strcmp(word, "stderr") == 0 || strcmp(word, "syslog") == 0 || strcmp(word, "journal") == 0)
		return 0;
	cfg_error(cfg, "log: \"%s\" is none of stderr, syslog, journal", word);
	return -1;
}

static void
print_hidden(cfg_opt_t *opt, unsigned index, FILE *f)
{
	(void)opt;
	(void)index;
	fputs("\"(hidden)\"", f);
}

static cfg_opt_t
row_opt(const struct option_row *row)
{
	/* libconfuse takes list defaults as text in braces, through a pointer to char that it only reads. */
	static char no_items[] = "{}", methods[] = "{mschap2, eap-mschap2}";
	cfg_opt_t opt;

	if (option_is_list(row))
		opt = (cfg_opt_t)CFG_STR_LIST(row->name, row->kind == OPTION_AUTH ? methods : no_items, CFGF_NONE);
	else
		opt = (cfg_opt_t)CFG_STR(row->name, row->initial, CFGF_NONE);
	opt.validcb = check_value;
	if (row->kind == OPTION_SECRET)
		opt.pf = print_hidden;
	return opt;
}

static size_t
tunnel_opts(cfg_opt_t *opts)
{
	size_t rows_count, count;
	const struct option_row *rows = option_rows(&rows_count);

	for (count = 0; count < rows_count; count++)
		opts[count] = row_opt(&rows[count]);
	count += tunnel_options_cfg(opts + count, TUNNEL_CLIENT);
	opts[count] = (cfg_opt_t)CFG_END();
	return count;
}

/* The values were checked one by one; a list as a whole may still hold too many. */
static bool
read_tunnel(const char *name, cfg_t *section, struct client_config *c)
{
	struct profile *p = client_config_add(c, cfg_title(section));
	size_t count;
	const struct option_row *rows = option_rows(&count);
	char joined[8192], err[256];

	if (p == NULL) {
		fprintf(stderr, "%s: tunnel \"%s\": more than %d tunnels\n", name, cfg_title(section), PROFILE_MAX_TUNNELS);
		return false;
	}
	for (size_t i = 0; i < count; i++) {
		cfg_opt_t *opt = cfg_getopt(section, rows[i].name);
		const char *value = option_is_list(&rows[i]) ? tunnel_cfg_join(opt, joined, sizeof(joined)) : cfg_opt_getnstr(opt, 0);

		if (value != NULL && !profile_set(p, rows[i].name, value, err, sizeof(err))) {
			fprintf(stderr, "%s: tunnel \"%s\": %s\n", name, p->name, err);
			return false;
		}
	}
	tunnel_options_read(&p->tunnel, section);
	if (!profile_check(p, err, sizeof(err))) {
		fprintf(stderr, "%s: tunnel \"%s\": %s\n", name, p->name, err);
		return false;
	}
	return true;
}

static bool
read_all(const char *name, cfg_t *cfg, struct client_config *c)
{
	char err[256];
	bool ok = true;

	snprintf(c->control_socket, sizeof(c->control_socket), "%s", cfg_getstr(cfg, "control-socket"));
	snprintf(c->log_level, sizeof(c->log_level), "%s", cfg_getstr(cfg, "log-level"));
	snprintf(c->log_target, sizeof(c->log_target), "%s", cfg_getstr(cfg, "log"));
	snprintf(c->worker, sizeof(c->worker), "%s", cfg_getstr(cfg, "worker"));
	for (unsigned i = 0; ok && i < cfg_size(cfg, "tunnel"); i++)
		ok = read_tunnel(name, cfg_getnsec(cfg, "tunnel", i), c);
	if (ok && !client_config_check(c, err, sizeof(err))) {
		fprintf(stderr, "%s: %s\n", name, err);
		ok = false;
	}
	return ok;
}

static bool
secrets_are_private(const char *path, const struct client_config *c)
{
	struct stat st;

	if (stat(path, &st) != 0 || (st.st_mode & (S_IRWXG | S_IRWXO)) == 0)
		return true;
	for (size_t i = 0; i < c->count; i++) {
		if (c->tunnels[i].password_set) {
			fprintf(stderr, "%s: holds the password of tunnel \"%s\", and others than its owner may read it: chmod 600 %s\n",
			    path, c->tunnels[i].name, path);
			return false;
		}
	}
	return true;
}

static cfg_t *
read_config(const char *path, const char *text, struct client_config *c)
{
	cfg_opt_t tunnel[MAX_OPTIONS];
	cfg_opt_t opts[] = {
	    CFG_STR("control-socket", c->control_socket, CFGF_NONE),
	    CFG_STR("log-level", c->log_level, CFGF_NONE),
	    CFG_STR("log", c->log_target, CFGF_NONE),
	    CFG_STR("worker", c->worker, CFGF_NONE),
	    CFG_SEC("tunnel", tunnel, CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES),
	    CFG_END(),
	};
	cfg_t *cfg;

	tunnel_opts(tunnel);
	opts[0].validcb = check_socket;
	opts[1].validcb = check_level;
	opts[2].validcb = check_target;
	cfg = text != NULL ? conf_parse_text(path, text, opts) : conf_parse(path, opts);
	if (cfg != NULL && !read_all(path, cfg, c)) {
		cfg_free(cfg);
		return NULL;
	}
	return cfg;
}

cfg_t *
conffile_read(const char *path, struct client_config *c)
{
	cfg_t *cfg = read_config(path, NULL, c);

	if (cfg != NULL && !secrets_are_private(path, c)) {
		cfg_free(cfg);
		return NULL;
	}
	return cfg;
}

cfg_t *
conffile_read_text(const char *name, const char *text, struct client_config *c)
{
	return read_config(name, text, c);
}
