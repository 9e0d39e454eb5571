/* pptpctl show sessions|session ID|pools|counters */
#include <stdio.h>
#include <string.h>

#include "pptpctl/pptpctl.h"

static int
show_rows(const struct context *ctx, const char *command, const char *none)
{
	json_t *rows, *answer;
	int status;

	answer = request(ctx, command, NULL, &rows, &status);
	if (answer != NULL && ctx->json)
		print_json(rows);
	else if (answer != NULL && json_array_size(rows) == 0)
		fprintf(stderr, "%s\n", none);
	else if (answer != NULL)
		print_table(rows);
	json_decref(rows);
	json_decref(answer);
	return status;
}

static int
show_object(const struct context *ctx, const char *command, json_t *args)
{
	json_t *answer, *result;
	int status;

	answer = request(ctx, command, args, NULL, &status);
	if (answer == NULL)
		return status;
	result = json_object_get(answer, "result");
	if (ctx->json)
		print_json(result);
	else
		print_object(result);
	json_decref(answer);
	return status;
}

int
cmd_show(const struct context *ctx, int argc, char **argv)
{
	const char *what = argc > 0 ? argv[0] : "";

	if (argc == 1 && strcmp(what, "sessions") == 0)
		return show_rows(ctx, "show sessions", "no sessions");
	if (argc == 1 && strcmp(what, "pools") == 0)
		return show_rows(ctx, "show pools", "no pools");
	if (argc == 1 && strcmp(what, "counters") == 0)
		return show_object(ctx, "show counters", NULL);
	if (argc == 2 && strcmp(what, "session") == 0) {
		json_t *args = parse_selector(argv[1]);

		return args != NULL ? show_object(ctx, "show session", args) : STATUS_USAGE;
	}
	fprintf(stderr, "usage: pptpctl show sessions | session ID | pools | counters\n");
	return STATUS_USAGE;
}
