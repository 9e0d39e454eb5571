#include "sys/conf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "sys/conf_text.h"

enum { FILE_MAX_BYTES = 16 * 1024 * 1024 };

static void __attribute__((format(printf, 2, 0))) print_error(cfg_t *cfg, const char *fmt, va_list ap)
{
	/* One write for a line: stderr is unbuffered. */
	char what[512];

	vsnprintf(what, sizeof(what), fmt, ap);
	fprintf(stderr, "%s:%d: %s\n", cfg->filename != NULL ? cfg->filename : "configuration", cfg->line, what);
}

/* libconfuse's own reading of numbers takes "" for 0, trusts a stale errno, and does not print what it refused. */
static int
parse_int(cfg_t *cfg, cfg_opt_t *opt, const char *value, void *result)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(value, &end, 0);
	if (*value == '\0' || *end != '\0' || errno == ERANGE) {
		cfg_error(cfg, "option '%s': '%s' is no whole number", opt->name, value);
		return -1;
	}
	*(long *)result = n;
	return 0;
}

static int
parse_bool(cfg_t *cfg, cfg_opt_t *opt, const char *value, void *result)
{
	int b = cfg_parse_boolean(value);

	if (b < 0) {
		cfg_error(cfg, "option '%s': '%s' is neither yes nor no", opt->name, value);
		return -1;
	}
	*(int *)result = b;
	return 0;
}

/* Sets up options, and sections that exist already because they have no title: libconfuse made them without a file name. */
static bool
prepare(cfg_opt_t *opts, const char *name)
{
	for (cfg_opt_t *o = opts; o != NULL && o->name != NULL; o++) {
		if (o->type == CFGT_INT && o->parsecb == NULL)
			o->parsecb = parse_int;
		else if (o->type == CFGT_BOOL && o->parsecb == NULL)
			o->parsecb = parse_bool;
		else if (o->type == CFGT_SEC && !prepare(o->subopts, name))
			return false;
		for (unsigned i = 0; o->type == CFGT_SEC && i < o->nvalues; i++) {
			cfg_t *section = o->values[i]->section;

			section->filename = strdup(name);
			if (section->filename == NULL || !prepare(section->opts, name))
				return false;
		}
	}
	return true;
}

static bool
parse_clean(cfg_t *cfg, char *text)
{
	FILE *fp;
	bool ok;

	if (text[0] == '\0')
		return true;
	fp = fmemopen(text, strlen(text), "r");
	if (fp == NULL)
		return false;
	errno = 0;
	ok = cfg_parse_fp(cfg, fp) == CFG_SUCCESS;
	fclose(fp);
	return ok;
}

static cfg_t *
parse(const char *name, const char *text, size_t len, cfg_opt_t *opts)
{
	struct conf_text_error error;
	char *clean = conf_text_clean(text, len, &error);
	cfg_t *cfg;

	if (clean == NULL) {
		fprintf(stderr, "%s:%d: %s\n", name, error.line, error.what);
		return NULL;
	}
	cfg = cfg_init(opts, CFGF_NONE);
	if (cfg != NULL) {
		cfg_set_error_function(cfg, print_error);
		cfg->filename = strdup(name);
		if (cfg->filename == NULL || !prepare(cfg->opts, name) || !parse_clean(cfg, clean)) {
			cfg_free(cfg);
			cfg = NULL;
		}
	}
	free(clean);
	return cfg;
}

cfg_t *
conf_parse_text(const char *name, const char *text, cfg_opt_t *opts)
{
	return parse(name, text, strlen(text), opts);
}

/* The whole file, or NULL with errno. */
static char *
read_file(const char *path, size_t *len)
{
	FILE *fp = fopen(path, "re");
	struct stat st;
	char *text = NULL;

	if (fp == NULL)
		return NULL;
	if (fstat(fileno(fp), &st) == 0) {
		/* Pipes and the like have no size: room for the most that is read. */
		size_t room = S_ISREG(st.st_mode) && st.st_size < FILE_MAX_BYTES ? (size_t)st.st_size : FILE_MAX_BYTES;

		errno = S_ISDIR(st.st_mode) ? EISDIR : 0;
		text = errno == 0 ? malloc(room + 1) : NULL;
		if (text != NULL) {
			*len = fread(text, 1, room + 1, fp);
			if (ferror(fp) || *len > room) {
				errno = ferror(fp) ? EIO : EFBIG;
				free(text);
				text = NULL;
			}
		}
	}
	fclose(fp);
	return text;
}

cfg_t *
conf_parse(const char *path, cfg_opt_t *opts)
{
	size_t len = 0;
	char *text = read_file(path, &len);
	cfg_t *cfg;

	if (text == NULL) {
		fprintf(stderr, "%s: can't read the configuration: %s\n", path, strerror(errno));
		return NULL;
	}
	cfg = parse(path, text, len, opts);
	free(text);
	return cfg;
}
