#include "tests/e2e/gate_args.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fprintf(stderr, "%s: ", program_invocation_short_name);
	vfprintf(stderr, fmt, ap);
	fprintf(stderr, "\n");
	va_end(ap);
	exit(1);
}

struct addr
address(const char *text)
{
	struct addr a;

	if (text == NULL || !addr_parse(&a, text))
		die("%s is no address", text != NULL ? text : "nothing");
	return a;
}

uint16_t
number(const char *text)
{
	char *end;
	unsigned long n = text != NULL ? strtoul(text, &end, 0) : 0;

	if (text == NULL || *end != 0 || n > UINT16_MAX)
		die("%s is no number of 16 bits", text != NULL ? text : "nothing");
	return (uint16_t)n;
}

struct gate
gate(char *text)
{
	struct gate g;
	char *rest = text;

	g.src = address(strsep(&rest, ","));
	g.dst = address(strsep(&rest, ","));
	g.call_id = number(strsep(&rest, ","));
	g.new_src = address(strsep(&rest, ","));
	g.new_dst = address(strsep(&rest, ","));
	g.new_call_id = number(strsep(&rest, ","));
	return g;
}

static struct gate
later_gate(const struct gate *first, unsigned n)
{
	struct gate g = *first;

	g.call_id = (uint16_t)(g.call_id + n);
	g.new_call_id = (uint16_t)(g.new_call_id + n);
	return g;
}

struct gate_pair
later_pair(const struct gate_pair *first, unsigned n)
{
	return (struct gate_pair){.id = first->id + n, .up = later_gate(&first->up, n), .down = later_gate(&first->down, n)};
}
