#include <stdio.h>
#include <string.h>
#include <time.h>

#include "pptpctl/pptpctl.h"

enum { MAX_COLUMNS = 32, CELL = 256 };

static bool
ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n > m && strcmp(s + n - m, end) == 0;
}

static void
format_duration(char *buf, size_t size, json_int_t s)
{
	if (s >= 86400)
		snprintf(buf, size, "%" JSON_INTEGER_FORMAT "d%02dh", s / 86400, (int)(s % 86400 / 3600));
	else if (s >= 3600)
		snprintf(buf, size, "%dh%02dm", (int)(s / 3600), (int)(s % 3600 / 60));
	else if (s >= 60)
		snprintf(buf, size, "%dm%02ds", (int)(s / 60), (int)(s % 60));
	else
		snprintf(buf, size, "%ds", (int)s);
}

static void
format_bytes(char *buf, size_t size, json_int_t n)
{
	static const char *const units[] = {"", "K", "M", "G", "T", "P"};
	double v = (double)n;
	size_t u = 0;

	while (v >= 1000 && u + 1 < sizeof(units) / sizeof(units[0])) {
		v /= 1000;
		u++;
	}
	snprintf(buf, size, u == 0 ? "%.0f%s" : "%.1f%s", v, units[u]);
}

static void
format_time(char *buf, size_t size, json_int_t unix_s)
{
	time_t t = (time_t)unix_s;
	struct tm tm;

	if (localtime_r(&t, &tm) == NULL || strftime(buf, size, "%Y-%m-%d %H:%M:%S", &tm) == 0)
		snprintf(buf, size, "%" JSON_INTEGER_FORMAT, unix_s);
}

/* Names and words in it are strangers', and a terminal obeys control characters: each byte of one becomes a question mark. */
static char *
harmless(char *text)
{
	for (unsigned char *p = (unsigned char *)text; *p != '\0'; p++) {
		if (*p < 0x20 || *p == 0x7f)
			*p = '?';
		else if (*p == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0)
			*p = p[1] = '?';
	}
	return text;
}

static const char *
cell(char buf[CELL], const char *key, json_t *value)
{
	json_int_t n = json_integer_value(value);

	if (json_is_string(value))
		snprintf(buf, CELL, "%s", json_string_value(value));
	else if (json_is_boolean(value))
		snprintf(buf, CELL, "%s", json_is_true(value) ? "yes" : "no");
	else if (!json_is_integer(value))
		buf[0] = '\0';
	else if (ends_with(key, "_bytes"))
		format_bytes(buf, CELL, n);
	else if (ends_with(key, "_unix"))
		format_time(buf, CELL, n);
	else if (ends_with(key, "_s"))
		format_duration(buf, CELL, n);
	else
		snprintf(buf, CELL, "%" JSON_INTEGER_FORMAT, n);
	return buf[0] != '\0' ? harmless(buf) : "-";
}

/* Without the unit, which the cell shows. */
static void
heading(char buf[CELL], const char *key)
{
	static const char *const units[] = {"_bytes", "_unix", "_s"};

	snprintf(buf, CELL, "%s", key);
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (ends_with(buf, units[i])) {
			buf[strlen(buf) - strlen(units[i])] = '\0';
			break;
		}
	}
	for (char *p = buf; *p != '\0'; p++) {
		if (*p == '_')
			*p = ' ';
	}
}

struct column {
	const char *key;
	int width;
	bool right; /* numbers */
};

static struct column *
find_column(struct column *columns, size_t *count, const char *key)
{
	char buf[CELL];

	for (size_t i = 0; i < *count; i++) {
		if (strcmp(columns[i].key, key) == 0)
			return &columns[i];
	}
	if (*count == MAX_COLUMNS)
		return NULL;
	heading(buf, key);
	columns[*count] = (struct column){key, (int)strlen(buf), true};
	return &columns[(*count)++];
}

static size_t
measure(json_t *rows, struct column columns[MAX_COLUMNS])
{
	size_t count = 0, i;
	const char *key;
	json_t *row, *value;
	char buf[CELL];

	json_array_foreach(rows, i, row)
	{
		json_object_foreach(row, key, value)
		{
			struct column *c = find_column(columns, &count, key);
			int width = (int)strlen(cell(buf, key, value));

			if (c == NULL)
				continue;
			c->width = width > c->width ? width : c->width;
			c->right = c->right && (json_is_integer(value) || json_is_null(value));
		}
	}
	return count;
}

static void
print_cell(const struct column *c, const char *text, bool last)
{
	if (last && !c->right)
		printf("%s\n", text);
	else
		printf("%*s%s", c->right ? c->width : -c->width, text, last ? "\n" : "  ");
}

void
print_table(json_t *rows)
{
	struct column columns[MAX_COLUMNS];
	size_t count = measure(rows, columns), i;
	char buf[CELL];
	json_t *row;

	for (size_t c = 0; c < count; c++) {
		heading(buf, columns[c].key);
		print_cell(&columns[c], buf, c + 1 == count);
	}
	json_array_foreach(rows, i, row)
	{
		for (size_t c = 0; c < count; c++)
			print_cell(&columns[c], cell(buf, columns[c].key, json_object_get(row, columns[c].key)), c + 1 == count);
	}
}

void
print_object(json_t *object)
{
	const char *key;
	json_t *value;
	char head[CELL], buf[CELL];
	int width = 0;

	json_object_foreach(object, key, value)
	{
		heading(head, key);
		width = (int)strlen(head) > width ? (int)strlen(head) : width;
	}
	json_object_foreach(object, key, value)
	{
		heading(head, key);
		printf("%-*s  %s\n", width, head, cell(buf, key, value));
	}
}

void
print_json(json_t *value)
{
	json_dumpf(value, stdout, JSON_INDENT(2) | JSON_ENCODE_ANY);
	putchar('\n');
}
