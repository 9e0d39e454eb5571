/* pptpctl alg status|flows|gates|xlate|resources|counters|clear: of a gateway */
#include <stdio.h>
#include <string.h>

#include "pptpctl/pptpctl.h"

static const char gateway_socket[] = "/run/pptpalg/control.sock";

static const struct {
	const char *name;
	bool rows;
	const char *none; /* said instead of an empty table */
} tables[] = {
    {"status", false, NULL},
    {"flows", true, "no flows"},
    {"gates", true, "no gates"},
    {"xlate", true, "no translated call ids"},
    {"resources", true, "no resources"},
    {"counters", false, NULL},
};

static int
usage(void)
{
	fprintf(stderr, "usage: pptpctl alg status | counters\n"
			"       pptpctl alg flows | gates | xlate | resources [client=ADDRESS] [server=ADDRESS]\n"
			"       pptpctl alg clear CALL | clear connection NUMBER\n");
	return STATUS_USAGE;
}

/* "client=A" and "server=A" as an object; NULL: something else stands there. */
static json_t *
parse_filter(int argc, char **argv)
{
	json_t *args = json_object();

	for (int i = 0; i < argc; i++) {
		bool server = strncmp(argv[i], "server=", 7) == 0;

		if (!server && strncmp(argv[i], "client=", 7) != 0) {
			json_decref(args);
			return NULL;
		}
		json_object_set_new(args, server ? "server" : "client", json_string(argv[i] + 7));
	}
	return args;
}

/* An object's own values, then each list in it as a table. */
static void
print_result(json_t *result)
{
	json_t *flat = json_object(), *value;
	const char *key;

	json_object_foreach(result, key, value)
	{
		if (!json_is_array(value))
			json_object_set(flat, key, value);
	}
	print_object(flat);
	json_object_foreach(result, key, value)
	{
		if (json_array_size(value) > 0) {
			putchar('\n');
			print_table(value);
		}
	}
	json_decref(flat);
}

static void
print_rows(json_t *result, json_t *rows, const char *none)
{
	if (json_is_object(result)) {
		print_result(result);
		putchar('\n');
	}
	if (json_array_size(rows) > 0)
		print_table(rows);
	else
		fprintf(stderr, "%s\n", none);
}

/* With a summary, JSON has it beside the rows. */
static void
print_rows_json(json_t *result, json_t *rows)
{
	if (!json_is_object(result)) {
		print_json(rows);
		return;
	}
	json_object_set(result, "rows", rows);
	print_json(result);
}

static int
show(const struct context *ctx, size_t table, json_t *args)
{
	bool has_rows = tables[table].rows;
	char command[32];
	json_t *rows = NULL, *answer, *result;
	int status;

	snprintf(command, sizeof(command), "alg %s", tables[table].name);
	answer = request(ctx, command, args, has_rows ? &rows : NULL, &status);
	result = json_object_get(answer, "result");
	if (answer != NULL && ctx->json && has_rows)
		print_rows_json(result, rows);
	else if (answer != NULL && ctx->json)
		print_json(result);
	else if (answer != NULL && has_rows)
		print_rows(result, rows, tables[table].none);
	else if (answer != NULL)
		print_result(result);
	json_decref(rows);
	json_decref(answer);
	return status;
}

static int
clear(const struct context *ctx, int argc, char **argv)
{
	bool connection = argc == 2 && strcmp(argv[0], "connection") == 0;
	json_t *answer;
	int status;

	if (argc != 1 && !connection)
		return usage();
	answer = request(ctx, "alg clear", json_pack("{s:s}", connection ? "connection" : "call", argv[argc - 1]), NULL, &status);
	if (answer != NULL && ctx->json)
		print_json(json_object_get(answer, "result"));
	json_decref(answer);
	return status;
}

int
cmd_alg(const struct context *outer, int argc, char **argv)
{
	struct context ctx = *outer;

	if (ctx.socket == NULL)
		ctx.socket = gateway_socket;
	if (argc > 1 && strcmp(argv[0], "clear") == 0)
		return clear(&ctx, argc - 1, argv + 1);
	for (size_t i = 0; argc > 0 && i < sizeof(tables) / sizeof(tables[0]); i++) {
		json_t *args =
		    strcmp(tables[i].name, argv[0]) == 0 && (argc == 1 || tables[i].rows) ? parse_filter(argc - 1, argv + 1) : NULL;

		if (args != NULL)
			return show(&ctx, i, args);
	}
	return usage();
}
