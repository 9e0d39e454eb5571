/* Makes a configuration text safe for libconfuse's scanner, which miscounts lines at comments, skips characters that it does not
 * know, and stays inside a string that an error ended, also for the next file. */
#ifndef SYS_CONF_TEXT_H
#define SYS_CONF_TEXT_H

#include <stdbool.h>
#include <stddef.h>

struct conf_text_error {
	int line; /* from 1 */
	char what[96];
};

/* Copies text with comments blanked (newlines kept) and "${" escaped, so that nothing is read from the environment. Returns a
 * string to free(), or NULL with error filled: an open string, comment or brace, a bad escape, or a character that means nothing
 * outside of quotes. */
char *conf_text_clean(const char *text, size_t len, struct conf_text_error *error);

#endif
