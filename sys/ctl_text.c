#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "sys/ctl.h"

/* Bytes of the UTF-8 sequence at s, 0 when there is none (overlong forms, surrogates and the like included). */
static size_t
utf8_len(const unsigned char *s)
{
	size_t n = s[0] < 0x80                   ? 1
		   : s[0] >= 0xc2 && s[0] < 0xe0 ? 2
		   : s[0] >= 0xe0 && s[0] < 0xf0 ? 3
		   : s[0] >= 0xf0 && s[0] < 0xf5 ? 4
						 : 0;

	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	}
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) || (s[0] == 0xf0 && s[1] < 0x90) ||
	    (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}

json_t *
ctl_text(const char *s)
{
	size_t size = 4 * strlen(s) + 1;
	char *buf = malloc(size);
	struct text t;
	json_t *string;

	if (buf == NULL)
		return NULL;
	text_init(&t, buf, size);
	while (*s != '\0') {
		size_t n = utf8_len((const unsigned char *)s);

		if (n == 0 || (unsigned char)*s < 0x20 || *s == 0x7f) {
			text_addf(&t, "\\x%02x", (unsigned char)*s);
			n = 1;
		} else {
			text_addf(&t, "%.*s", (int)n, s);
		}
		s += n;
	}
	string = json_string(buf);
	free(buf);
	return string;
}
