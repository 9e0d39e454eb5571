/* Prometheus's text format: a name, labels in braces, a value, one a line. */
#include "sys/metrics_impl.h"

#include <event2/buffer.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sys/utf8.h"

enum { NUMBER = 32 };

static void
add(struct metrics_out *out, const char *text, size_t len)
{
	if (!out->failed && (evbuffer_get_length(out->buf) + len > METRICS_ANSWER_MAX || evbuffer_add(out->buf, text, len) != 0))
		out->failed = true;
}

static void
add_text(struct metrics_out *out, const char *text)
{
	add(out, text, strlen(text));
}

/* Bytes from the start that need no escape. */
static size_t
plain_len(const char *text, const char *more)
{
	size_t len = 0, n;

	while (text[len] != '\0' && text[len] != '\n' && text[len] != '\\' && strchr(more, text[len]) == NULL) {
		n = utf8_len(text + len);
		if (n == 0)
			break;
		len += n;
	}
	return len;
}

/* Backslashes, line feeds, and what is in more become escapes; what is no UTF-8 would make the whole answer unreadable. */
static void
add_escaped(struct metrics_out *out, const char *text, const char *more)
{
	for (;; text++) {
		size_t n = plain_len(text, more);
		char escape[8];

		add(out, text, n);
		text += n;
		if (*text == '\0')
			return;
		if (*text == '\n')
			strcpy(escape, "\\n");
		else if (utf8_len(text) == 0)
			snprintf(escape, sizeof(escape), "\\\\x%02x", (unsigned)(unsigned char)*text);
		else
			snprintf(escape, sizeof(escape), "\\%c", *text);
		add_text(out, escape);
	}
}

/* A name with no byte that is not allowed there. */
static void
clean(char *name, const char *colon)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";

	for (char *p = name; *p != '\0'; p++) {
		if (strchr(letters, *p) == NULL && strchr(colon, *p) == NULL)
			*p = '_';
	}
	if (name[0] >= '0' && name[0] <= '9')
		name[0] = '_';
}

static bool
ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);

	return n >= m && strcmp(text + n - m, end) == 0;
}

void
metrics_family(struct metrics_out *out, enum metrics_type type, const char *name, const char *help)
{
	static const char *const types[] = {" counter\n", " gauge\n", " histogram\n"};
	const char *total = type == METRICS_COUNTER && !ends_with(name, "_total") ? "_total" : "";

	snprintf(out->name, sizeof(out->name), "%.100s%s", name, total);
	clean(out->name, ":");
	add_text(out, "# HELP ");
	add_text(out, out->name);
	add_text(out, " ");
	add_escaped(out, help, "");
	add_text(out, "\n# TYPE ");
	add_text(out, out->name);
	add_text(out, types[type]);
}

static void
add_label(struct metrics_out *out, const char *before, const char *name, const char *value)
{
	char cleaned[METRICS_NAME];

	snprintf(cleaned, sizeof(cleaned), "%s", name);
	clean(cleaned, "");
	add_text(out, before);
	add_text(out, cleaned);
	add_text(out, "=\"");
	add_escaped(out, value, "\"");
	add_text(out, "\"");
}

/* A line; le: NULL for none. */
static void
add_sample(struct metrics_out *out, const char *suffix, const struct metrics_label *labels, size_t n, const char *le, const char *value)
{
	add_text(out, out->name);
	add_text(out, suffix);
	for (size_t i = 0; i < n; i++)
		add_label(out, i == 0 ? "{" : ",", labels[i].name, labels[i].value);
	if (le != NULL)
		add_label(out, n == 0 ? "{" : ",", "le", le);
	add_text(out, n > 0 || le != NULL ? "} " : " ");
	add_text(out, value);
	add_text(out, "\n");
}

/* With as few digits as give the same number again. */
static const char *
double_text(double value, char text[NUMBER])
{
	if (isnan(value))
		return "NaN";
	if (isinf(value))
		return value > 0 ? "+Inf" : "-Inf";
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, NUMBER, "%.*g", digits, value);
		if (!(strtod(text, NULL) < value) && !(strtod(text, NULL) > value))
			break;
	}
	return text;
}

static const char *
u64_text(uint64_t value, char text[NUMBER])
{
	snprintf(text, NUMBER, "%" PRIu64, value);
	return text;
}

void
metrics_u64(struct metrics_out *out, uint64_t value, const struct metrics_label *labels, size_t n)
{
	char text[NUMBER];

	add_sample(out, "", labels, n, NULL, u64_text(value, text));
}

void
metrics_double(struct metrics_out *out, double value, const struct metrics_label *labels, size_t n)
{
	char text[NUMBER];

	add_sample(out, "", labels, n, NULL, double_text(value, text));
}

void
metrics_histogram(struct metrics_out *out, const struct metrics_buckets *b, const struct metrics_label *labels, size_t n)
{
	char text[NUMBER], le[NUMBER];
	uint64_t count = 0;

	for (size_t i = 0; i < b->n; i++) {
		count += b->counts[i];
		add_sample(out, "_bucket", labels, n, double_text(b->bounds[i], le), u64_text(count, text));
	}
	count += b->counts[b->n];
	add_sample(out, "_bucket", labels, n, "+Inf", u64_text(count, text));
	add_sample(out, "_sum", labels, n, NULL, double_text(b->sum, text));
	add_sample(out, "_count", labels, n, NULL, u64_text(count, text));
}
