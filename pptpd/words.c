#include "pptpd/words.h"

#include <stdint.h>

void
words_init(struct words *w, const char *text, size_t textlen)
{
	w->p = text;
	w->end = text + textlen;
	w->line = 1;
	w->started = false;
	w->err = NULL;
}

static bool
at_end(const struct words *w)
{
	return w->p == w->end;
}

static char
take(struct words *w)
{
	char c = *w->p++;

	if (c == '\n')
		w->line++;
	return c;
}

void
words_skip_line(struct words *w)
{
	while (!at_end(w)) {
		if (take(w) == '\n')
			return;
	}
}

/* Skips blanks, comments and continued lines; *newline tells whether a line ended on the way. */
static void
skip_blanks(struct words *w, bool *newline)
{
	while (!at_end(w)) {
		char c = *w->p;

		if (c == '#') {
			words_skip_line(w);
			*newline = true;
		} else if (c == '\\' && w->end - w->p > 1 && w->p[1] == '\n') {
			take(w);
			take(w);
		} else if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v') {
			*newline |= take(w) == '\n';
		} else {
			return;
		}
	}
}

static void
add(struct words *w, struct word *word, char c)
{
	if (c == '\0')
		w->err = "a NUL byte in a word";
	else if (word->len == WORD_MAX)
		w->err = "a word longer than 1024 bytes";
	else
		word->text[word->len++] = c;
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* \OOO, with one to three octal digits, the first of which is c. */
static char
octal(struct words *w, char c)
{
	unsigned v = (unsigned)(c - '0');

	for (int i = 0; i < 2 && !at_end(w) && *w->p >= '0' && *w->p <= '7'; i++)
		v = v * 8 + (unsigned)(take(w) - '0');
	return (char)(uint8_t)v;
}

static char
hex(struct words *w)
{
	unsigned v = 0;
	int i = 0;

	for (; i < 2 && !at_end(w) && hex_digit(*w->p) >= 0; i++)
		v = v * 16 + (unsigned)hex_digit(take(w));
	return i > 0 ? (char)(uint8_t)v : 'x';
}

static void
escape(struct words *w, struct word *word)
{
	static const char letters[] = "abefnrstv", values[] = "\a\b\x1b\f\n\r \t\v";
	char c;

	if (at_end(w))
		return;
	c = take(w);
	if (c == '\n')
		return;
	if (c >= '0' && c <= '7') {
		add(w, word, octal(w, c));
		return;
	}
	if (c == 'x') {
		add(w, word, hex(w));
		return;
	}
	for (size_t i = 0; letters[i] != '\0'; i++) {
		if (letters[i] == c)
			c = values[i];
	}
	add(w, word, c);
}

static void
quoted(struct words *w, struct word *word, char quote)
{
	char c;

	word->quoted = true;
	while (!at_end(w)) {
		if (*w->p == '\n')
			break;
		c = take(w);
		if (c == quote)
			return;
		if (c == '\\')
			escape(w, word);
		else
			add(w, word, c);
	}
	w->err = "a quote is not closed on its line";
}

static bool
ends_word(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v' || c == '#';
}

bool
words_next(struct words *w, struct word *word)
{
	char c;

	word->first = !w->started;
	w->started = true;
	skip_blanks(w, &word->first);
	w->err = NULL;
	word->len = 0;
	word->quoted = false;
	word->line = w->line;
	if (at_end(w))
		return false;
	while (!at_end(w) && !ends_word(*w->p)) {
		c = take(w);
		if (c == '"' || c == '\'')
			quoted(w, word, c);
		else if (c == '\\')
			escape(w, word);
		else
			add(w, word, c);
	}
	word->text[word->len] = '\0';
	return true;
}
