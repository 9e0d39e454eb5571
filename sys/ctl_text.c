#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "sys/ctl.h"
#include "sys/utf8.h"

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
