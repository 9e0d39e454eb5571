#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "sys/ctl.h"
#include "sys/utf8.h"

/* Those of ASCII, and the 32 behind it that UTF-8 writes in two bytes: terminals obey them as well. */
static bool
is_control(const unsigned char *s)
{
	return s[0] < 0x20 || s[0] == 0x7f || (s[0] == 0xc2 && s[1] >= 0x80 && s[1] < 0xa0);
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
		size_t n = utf8_len(s);

		if (n == 0 || is_control((const unsigned char *)s)) {
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
