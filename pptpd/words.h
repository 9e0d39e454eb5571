/* Words of a chap-secrets file: separated by blanks, quoted with " or ', escaped with a backslash, # begins a comment. */
#ifndef PPTPD_WORDS_H
#define PPTPD_WORDS_H

#include <stdbool.h>
#include <stddef.h>

struct words {
	const char *p;
	const char *end;
	unsigned line;   /* of the next word, from 1 */
	bool started;    /* a word was asked for */
	const char *err; /* why the last word is bad; NULL: it is not */
};

enum { WORD_MAX = 1024 }; /* bytes; a longer word is read to its end and reported */

struct word {
	char text[WORD_MAX + 1]; /* NUL-terminated; holds no other NUL */
	size_t len;
	bool quoted; /* any part of it was quoted */
	bool first;  /* of its line */
	unsigned line;
};

void words_init(struct words *w, const char *text, size_t textlen);

/* Reads the next word; false at the end of the text. On a bad word it returns true with w->err set, and *word is cut. */
bool words_next(struct words *w, struct word *word);

/* Skips to the next line. */
void words_skip_line(struct words *w);

#endif
