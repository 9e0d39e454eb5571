/* pptpctl reload */
#include <stdio.h>

#include "pptpctl/pptpctl.h"

int
cmd_reload(const struct context *ctx, int argc, char **argv)
{
	int status;

	(void)argv;
	if (argc != 0) {
		fprintf(stderr, "usage: pptpctl reload\n");
		return STATUS_USAGE;
	}
	json_decref(request(ctx, "reload", NULL, NULL, &status));
	return status;
}
