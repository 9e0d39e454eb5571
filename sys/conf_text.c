#include "sys/conf_text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct cleaner {
	const char *in, *end;
	char *out;
	int line;
	int depth, depth_line; /* open braces, and where the outermost of them is */
	struct conf_text_error *error;
};

static bool
refuse(struct cleaner *c, int line, const char *what)
{
	c->error->line = line;
	snprintf(c->error->what, sizeof(c->error->what), "%s", what);
	return false;
}

static bool
at(const struct cleaner *c, const char *s)
{
	size_t n = strlen(s);

	return (size_t)(c->end - c->in) >= n && memcmp(c->in, s, n) == 0;
}

static void
copy(struct cleaner *c)
{
	c->line += *c->in == '\n';
	*c->out++ = *c->in++;
}

static void
blank(struct cleaner *c)
{
	c->line += *c->in == '\n';
	*c->out++ = *c->in++ == '\n' ? '\n' : ' ';
}

static bool
line_comment(struct cleaner *c)
{
	while (c->in < c->end && *c->in != '\n')
		blank(c);
	return true;
}

static bool
block_comment(struct cleaner *c)
{
	int start = c->line;

	blank(c);
	blank(c);
	while (c->in < c->end && !at(c, "*/"))
		blank(c);
	if (c->in == c->end)
		return refuse(c, start, "a comment that begins here with /* is never closed");
	blank(c);
	blank(c);
	return true;
}

/* A backslash in double quotes: at most three octal digits of at most 377, or any other character. */
static bool
escape(struct cleaner *c)
{
	size_t digits = 0;
	unsigned value = 0;

	copy(c);
	while (c->in + digits < c->end && isdigit((unsigned char)c->in[digits]))
		digits++;
	for (size_t i = 0; i < digits; i++) {
		if (i == 3 || c->in[i] > '7')
			return refuse(c, c->line, "bad escape: after a backslash come at most three octal digits");
		value = value * 8 + (unsigned)(c->in[i] - '0');
	}
	if (digits > 0 && (value == 0 || value > 0377))
		return refuse(c, c->line, "bad escape: octal values go from 1 to 377");
	if (at(c, "x0") && !(c->in + 2 < c->end && isxdigit((unsigned char)c->in[2]) && c->in[2] != '0'))
		return refuse(c, c->line, "bad escape: a NUL can't stand in a string");
	if (c->in < c->end)
		copy(c);
	return true;
}

static bool
double_quoted(struct cleaner *c)
{
	int start = c->line;

	copy(c);
	while (c->in < c->end && *c->in != '"') {
		if (*c->in == '\\') {
			if (!escape(c))
				return false;
			continue;
		}
		if (at(c, "${"))
			*c->out++ = '\\';
		copy(c);
	}
	if (c->in == c->end)
		return refuse(c, start, "a string that begins here is never closed");
	copy(c);
	return true;
}

static bool
single_quoted(struct cleaner *c)
{
	int start = c->line;

	copy(c);
	while (c->in < c->end && *c->in != '\'') {
		if (*c->in == '\\' && c->in + 1 < c->end)
			copy(c);
		copy(c);
	}
	if (c->in == c->end)
		return refuse(c, start, "a string that begins here is never closed");
	copy(c);
	return true;
}

static bool
in_word(const struct cleaner *c)
{
	return c->in < c->end && strchr(" #\"'\t\n\r={}()+,*", *c->in) == NULL && !at(c, "${");
}

static bool
bare(struct cleaner *c)
{
	if (strchr(" \t\n\r={}(),", *c->in) != NULL || at(c, "+=")) {
		if (*c->in == '{' && c->depth++ == 0)
			c->depth_line = c->line;
		else if (*c->in == '}' && c->depth > 0)
			c->depth--;
		copy(c);
		return true;
	}
	if (!in_word(c))
		return refuse(c, c->line, "a value with one of + * $ in it must stand in quotes");
	while (in_word(c)) {
		if (iscntrl((unsigned char)*c->in))
			return refuse(c, c->line, "control character outside of quotes");
		copy(c);
	}
	return true;
}

static bool
token(struct cleaner *c)
{
	if (*c->in == '#' || at(c, "//"))
		return line_comment(c);
	if (at(c, "/*"))
		return block_comment(c);
	if (*c->in == '"')
		return double_quoted(c);
	if (*c->in == '\'')
		return single_quoted(c);
	return bare(c);
}

char *
conf_text_clean(const char *text, size_t len, struct conf_text_error *error)
{
	struct cleaner c = {.in = text, .end = text + len, .line = 1, .error = error};
	char *copied = malloc(2 * len + 1);
	bool ok = true;

	if (copied == NULL) {
		refuse(&c, 1, "out of memory");
		return NULL;
	}
	c.out = copied;
	if (memchr(text, '\0', len) != NULL)
		ok = refuse(&c, 1, "the file holds NUL bytes: it is no text");
	while (ok && c.in < c.end)
		ok = token(&c);
	/* The scanner takes the end of the file for the end of a section. */
	if (ok && c.depth > 0)
		ok = refuse(&c, c.depth_line, "a brace that is opened here is never closed");
	if (!ok) {
		free(copied);
		return NULL;
	}
	*c.out = '\0';
	return copied;
}
