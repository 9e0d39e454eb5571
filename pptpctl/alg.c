/* pptpctl alg status|flows|gates|xlate|resources|counters|clear: of a gateway */
#include <stdio.h>
#include <string.h>

#include "pptpctl/pptpctl.h"

static const char gateway_socket[] = "/run/pptpalg/control.sock";

static const struct {
	const char *name;
	bool rows;
	const char *none;    /* said instead of an empty table */
	const char *keys[3]; /* by which rows are sorted: what belongs to a connection stands together */
} tables[] = {
    {"status", false, NULL, {NULL}},
    {"flows", true, "no flows", {"session", NULL}},
    {"gates", true, "no gates", {"call", NULL}},
    {"xlate", true, "no translated call ids", {"owner", "id", NULL}},
    {"resources", true, "no resources", {"group", "resource", NULL}},
    {"counters", false, NULL, {NULL}},
};

static void
usage(FILE *to)
{
	fprintf(to, "usage: pptpctl [-s SOCKET] [--json] alg COMMAND\n"
		    "  status                   data path, use of limits, who was refused last and why\n"
		    "  flows [FILTER]           control connections and calls, a line for each direction\n"
		    "  gates [FILTER]           what GRE of calls may pass, and what it is translated to\n"
		    "  xlate [FILTER]           translated call ids: whose, to what, since when\n"
		    "  resources [FILTER]       connections with their calls and gates, and who owns them\n"
		    "  counters                 all counters, as Prometheus gets them\n"
		    "  clear CALL               end a call, such as 12.1; both ends are told\n"
		    "  clear connection NUMBER  reset a control connection, such as 12\n"
		    "FILTER is client=ADDRESS, server=ADDRESS, or both.\n");
}

/* Says what is wrong with a word, where one word is to blame. */
static int
wrong(const char *what, const char *word)
{
	if (what != NULL)
		fprintf(stderr, "pptpctl: %s: \"%s\"\n", what, word);
	usage(stderr);
	return STATUS_USAGE;
}

/* "client=A" and "server=A" as an object; NULL: something else stands in argv[*bad]. */
static json_t *
parse_filter(int argc, char **argv, int *bad)
{
	json_t *args = json_object();

	for (int i = 0; i < argc; i++) {
		bool server = strncmp(argv[i], "server=", 7) == 0;

		if (!server && strncmp(argv[i], "client=", 7) != 0) {
			json_decref(args);
			*bad = i;
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
	print_table(rows);
	fflush(stdout);
	if (json_array_size(rows) == 0)
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
show(const struct context *ctx, size_t table, int argc, char **argv)
{
	bool has_rows = tables[table].rows;
	char command[32];
	json_t *rows = NULL, *args, *answer, *result;
	int status, bad = 0;

	args = has_rows || argc == 0 ? parse_filter(argc, argv, &bad) : NULL;
	if (args == NULL)
		return wrong(has_rows ? "neither client=ADDRESS nor server=ADDRESS" : "an argument too many", argv[bad]);
	snprintf(command, sizeof(command), "alg %s", tables[table].name);
	answer = request(ctx, command, args, has_rows ? &rows : NULL, &status);
	result = json_object_get(answer, "result");
	sort_rows(rows, tables[table].keys);
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
	bool connection = argc > 0 && strcmp(argv[0], "connection") == 0;
	json_t *answer;
	int status;

	if (argc != 1 + connection)
		return wrong(NULL, NULL);
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

	ctx.daemon = "pptpalg";
	if (ctx.socket == NULL)
		ctx.socket = gateway_socket;
	if (argc == 0)
		return wrong(NULL, NULL);
	if (strcmp(argv[0], "help") == 0) {
		usage(stdout);
		return STATUS_OK;
	}
	if (strcmp(argv[0], "clear") == 0)
		return clear(&ctx, argc - 1, argv + 1);
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		if (strcmp(tables[i].name, argv[0]) == 0)
			return show(&ctx, i, argc - 1, argv + 1);
	}
	return wrong("alg has no such command", argv[0]);
}
