/* pptpctl connect TUNNEL, pptpctl disconnect TUNNEL: of a client */
#include <stdio.h>

#include "pptpctl/pptpctl.h"

static int
steer(const struct context *ctx, const char *command, int argc, char **argv)
{
	json_t *answer;
	int status;

	if (argc != 1) {
		fprintf(stderr, "usage: pptpctl %s TUNNEL\n", command);
		return STATUS_USAGE;
	}
	answer = request(ctx, command, json_pack("{s:s}", "tunnel", argv[0]), NULL, &status);
	if (answer != NULL && ctx->json)
		print_json(json_object_get(answer, "result"));
	json_decref(answer);
	return status;
}

int
cmd_connect(const struct context *ctx, int argc, char **argv)
{
	return steer(ctx, "connect", argc, argv);
}

int
cmd_disconnect(const struct context *ctx, int argc, char **argv)
{
	return steer(ctx, "disconnect", argc, argv);
}
