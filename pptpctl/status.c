/* pptpctl status */
#include <stdio.h>

#include "pptpctl/pptpctl.h"

int
cmd_status(const struct context *ctx, int argc, char **argv)
{
	json_t *answer;
	int status;

	(void)argv;
	if (argc != 0) {
		fprintf(stderr, "usage: pptpctl status\n");
		return STATUS_USAGE;
	}
	answer = request(ctx, "status", NULL, NULL, &status);
	if (answer == NULL)
		return status;
	if (ctx->json)
		print_json(json_object_get(answer, "result"));
	else
		print_object(json_object_get(answer, "result"));
	json_decref(answer);
	return status;
}
