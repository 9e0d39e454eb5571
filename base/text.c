#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>

void
text_init(struct text *t, char *buf, size_t size)
{
	*t = (struct text){.buf = buf, .size = size};
	buf[0] = '\0';
}

void
text_addf(struct text *t, const char *fmt, ...)
{
	size_t room = t->size - t->len;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(t->buf + t->len, room, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	if ((size_t)n >= room) {
		t->cut = true;
		t->len = t->size - 1;
	} else {
		t->len += (size_t)n;
	}
}

void
text_add_untrusted(struct text *t, const void *data, size_t datalen)
{
	const uint8_t *p = data;

	for (size_t i = 0; i < datalen && p[i] != '\0' && !t->cut; i++) {
		if (p[i] < 0x20 || p[i] > 0x7e || p[i] == '"' || p[i] == '\\')
			text_addf(t, "\\x%02x", p[i]);
		else
			text_addf(t, "%c", p[i]);
	}
}

void
text_add_hex(struct text *t, const void *data, size_t datalen)
{
	const uint8_t *p = data;

	for (size_t i = 0; i < datalen && !t->cut; i++)
		text_addf(t, "%02x", p[i]);
}
