#include "pptpc/cmdline.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pptpc/option.h"

struct parser {
	char **argv;
	int argc;
	int next;
	struct cmdline *line;
	struct client_config *config;
	struct profile *profile;
	FILE *text;
	char *err;
	size_t errlen;
};

static bool fail(struct parser *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static bool
fail(struct parser *p, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(p->err, p->errlen, fmt, ap);
	va_end(ap);
	return false;
}

static void
print_option(FILE *f, const char *name, const char *value)
{
	fprintf(f, "\t%s = \"", name);
	for (; *value != '\0'; value++)
		fprintf(f, "%s%c", *value == '"' || *value == '\\' ? "\\" : "", *value);
	fputs("\"\n", f);
}

static bool
set(struct parser *p, const char *name, const char *value)
{
	char what[256];

	/* Whoever lists processes reads arguments. */
	if (strcmp(name, "password") == 0)
		return fail(p, "a password on the command line is seen by every user of this machine: use password-file, password-fd, "
			       "the environment's PPTPC_PASSWORD, or wait to be asked");
	if (!profile_set(p->profile, name, value, what, sizeof(what)))
		return fail(p, "%s", what);
	print_option(p->text, name, value);
	return true;
}

static bool
is_boolean(const char *word)
{
	static const char *const words[] = {"yes", "no", "on", "off", "true", "false"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(word, words[i]) == 0)
			return true;
	return false;
}

/* Splits "--user=bob" or takes the next argument. */
static bool
parse_option(struct parser *p, const char *word)
{
	const char *equals = strchr(word, '=');
	char name[64];

	snprintf(name, sizeof(name), "%.*s", equals != NULL ? (int)(equals - word) : (int)sizeof(name) - 1, word);
	if (equals != NULL)
		return set(p, name, equals + 1);
	if (profile_is_switch(name)) {
		bool given = p->next < p->argc && is_boolean(p->argv[p->next]);

		return set(p, name, given ? p->argv[p->next++] : "yes");
	}
	if (p->next == p->argc && strcmp(name, "password") != 0) {
		if (option_find(name) == NULL && !tunnel_option_known(name))
			return fail(p, "no option \"%s\"", name);
		return fail(p, "%s: a value is missing", name);
	}
	return set(p, name, p->next < p->argc ? p->argv[p->next++] : "");
}

static bool
start_tunnel(struct parser *p)
{
	if (p->profile != NULL)
		return true;
	p->config->by_hand = true;
	p->profile = client_config_add(p->config, "by-hand");
	return p->profile != NULL || fail(p, "out of memory");
}

static bool
parse_host(struct parser *p, const char *host)
{
	snprintf(p->profile->name, sizeof(p->profile->name), "%s", host);
	return set(p, "server", host);
}

/* "-nv", "-c FILE", "-cFILE" */
static bool
parse_short(struct parser *p, const char *word)
{
	for (const char *c = word + 1; *c != '\0'; c++) {
		if (*c == 'c' || *c == 's') {
			const char *value = c[1] != '\0' ? c + 1 : p->next < p->argc ? p->argv[p->next++] : NULL;

			if (value == NULL)
				return fail(p, "-%c needs a path", *c);
			*(*c == 'c' ? &p->line->file : &p->line->socket) = value;
			return true;
		}
		if (*c == 'n')
			p->line->check = true;
		else if (*c == 'v')
			p->line->verbose = true;
		else if (*c == 'd')
			p->line->debug = true;
		else if (*c == 'h')
			p->line->help = true;
		else if (*c == 'V')
			p->line->version = true;
		else
			return fail(p, "unknown option -%c", *c);
	}
	return true;
}

static bool
parse_word(struct parser *p, const char *word)
{
	if (strcmp(word, "--help") == 0 || strcmp(word, "--version") == 0) {
		*(word[2] == 'h' ? &p->line->help : &p->line->version) = true;
		return true;
	}
	if (word[0] == '-' && word[1] != '-' && word[1] != '\0')
		return parse_short(p, word);
	if (!start_tunnel(p))
		return false;
	if (word[0] == '-' && word[1] == '-')
		return parse_option(p, word + 2);
	if (p->profile->servers.count == 0)
		return parse_host(p, word);
	return parse_option(p, word);
}

static bool
check_whole(struct parser *p)
{
	char what[256];

	if (p->line->help || p->line->version)
		return true;
	if (p->line->socket != NULL && strlen(p->line->socket) >= sizeof(p->config->control_socket))
		return fail(p, "-s: longer than %zu characters", sizeof(p->config->control_socket) - 1);
	if (p->line->file != NULL)
		return p->profile == NULL || fail(p, "a tunnel by hand and -c don't go together");
	if (p->profile == NULL)
		return fail(p, "neither HOST nor -c FILE is given (see pptpc --help)");
	return profile_check(p->profile, what, sizeof(what)) || fail(p, "%s", what);
}

bool
cmdline_parse(int argc, char **argv, struct cmdline *line, struct client_config *c, char *err, size_t errlen)
{
	size_t textlen;
	struct parser p = {.argv = argv, .argc = argc, .next = 1, .line = line, .config = c, .err = err, .errlen = errlen};
	bool ok = true;

	memset(line, 0, sizeof(*line));
	p.text = open_memstream(&line->text, &textlen);
	if (p.text == NULL)
		return fail(&p, "out of memory");
	fputs("tunnel \"by-hand\" {\n\tretry = \"no\"\n", p.text);
	while (ok && p.next < argc) {
		const char *word = argv[p.next++];

		ok = parse_word(&p, word);
	}
	fputs("}\n", p.text);
	fclose(p.text);
	return ok && check_whole(&p);
}
