/* pptpctl connect TUNNEL, pptpctl disconnect TUNNEL: of a client */
#include <stdio.h>

#include "pptpctl/pptpctl.h"

static const char client_socket[] = "/run/pptpc/control.sock";

static int
steer(const struct context *outer, const char *command, int argc, char **argv)
{
	struct context ctx = *outer;
	json_t *answer;
	int status;

	if (argc != 1) {
		fprintf(stderr, "usage: pptpctl %s TUNNEL\n", command);
		return STATUS_USAGE;
	}
	/* A server may run beside it, which has no tunnels to dial. */
	ctx.daemon = "pptpc";
	if (ctx.socket == NULL)
		ctx.socket = client_socket;
	answer = request(&ctx, command, json_pack("{s:s}", "tunnel", argv[0]), NULL, &status);
	if (answer != NULL && ctx.json)
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
