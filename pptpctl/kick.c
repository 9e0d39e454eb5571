/* pptpctl kick ID|user=NAME|address=A|tunnel=NAME */
#include <stdio.h>

#include "pptpctl/pptpctl.h"

int
cmd_kick(const struct context *ctx, int argc, char **argv)
{
	json_t *args = argc == 1 ? parse_selector(argv[0]) : NULL, *answer, *result;
	int status;

	if (args == NULL) {
		if (argc != 1)
			fprintf(stderr, "usage: pptpctl kick ID | user=NAME | address=A | tunnel=NAME\n");
		return STATUS_USAGE;
	}
	answer = request(ctx, "kick", args, NULL, &status);
	if (answer == NULL)
		return status;
	result = json_object_get(answer, "result");
	if (ctx->json)
		print_json(result);
	else
		printf("%" JSON_INTEGER_FORMAT " ended\n", json_integer_value(json_object_get(result, "kicked")));
	json_decref(answer);
	return status;
}
