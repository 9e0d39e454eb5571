#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "pptpctl/pptpctl.h"
#include "sys/ctl.h"

enum { TIMEOUT_MS = 10000 };

static const char *const usual_sockets[] = {"/run/pptpd/control.sock", "/run/pptpc/control.sock"};

static bool
nobody_there(int error)
{
	return error == ENOENT || error == ECONNREFUSED;
}

static void
say_unreachable(const char *daemon, const char *path, int error)
{
	if (error == ENOENT)
		fprintf(stderr, "pptpctl: %s isn't running: no socket at %s (use -s for another)\n", daemon, path);
	else if (error == ECONNREFUSED)
		fprintf(stderr, "pptpctl: %s isn't running: nobody serves %s\n", daemon, path);
	else if (error == EACCES)
		fprintf(stderr, "pptpctl: %s: only its owner and those whom control-mode lets may use it (try as root)\n", path);
	else
		fprintf(stderr, "pptpctl: %s: %s\n", path, strerror(error));
}

static struct ctl_client *
open_usual(void)
{
	struct ctl_client *c = NULL;

	for (size_t i = 0; c == NULL && i < sizeof(usual_sockets) / sizeof(usual_sockets[0]); i++) {
		c = ctl_client_open(usual_sockets[i], TIMEOUT_MS);
		if (c == NULL && !nobody_there(errno)) {
			say_unreachable("the daemon", usual_sockets[i], errno);
			return NULL;
		}
	}
	if (c == NULL)
		fprintf(stderr, "pptpctl: neither pptpd nor pptpc is running: no socket at %s or %s (use -s)\n", usual_sockets[0],
		    usual_sockets[1]);
	return c;
}

static struct ctl_client *
open_daemon(const struct context *ctx)
{
	struct ctl_client *c;

	if (ctx->socket == NULL)
		return open_usual();
	c = ctl_client_open(ctx->socket, TIMEOUT_MS);
	if (c == NULL)
		say_unreachable(ctx->daemon != NULL ? ctx->daemon : "the daemon", ctx->socket, errno);
	return c;
}

static void
collect(void *user, json_t *row)
{
	json_array_append(user, row);
}

static json_t *
say_refused(json_t *answer, const char *err, int *status)
{
	const char *text = answer != NULL ? json_string_value(json_object_get(answer, "error")) : err;

	fprintf(stderr, "pptpctl: %s\n", text != NULL ? text : "the daemon refused without a reason");
	json_decref(answer);
	*status = answer != NULL ? STATUS_REFUSED : STATUS_DOWN;
	return NULL;
}

json_t *
request(const struct context *ctx, const char *command, json_t *args, json_t **rows, int *status)
{
	json_t *req = args != NULL ? args : json_object(), *answer;
	struct ctl_client *c = open_daemon(ctx);
	char err[256] = "";

	*status = STATUS_DOWN;
	if (rows != NULL)
		*rows = json_array();
	if (c == NULL) {
		json_decref(req);
		return NULL;
	}
	json_object_set_new(req, "command", json_string(command));
	answer = ctl_client_call(c, req, rows != NULL ? collect : NULL, rows != NULL ? *rows : NULL, err, sizeof(err));
	json_decref(req);
	ctl_client_close(c);
	if (answer == NULL || !json_is_true(json_object_get(answer, "ok")))
		return say_refused(answer, err, status);
	*status = STATUS_OK;
	return answer;
}

json_t *
parse_selector(const char *word)
{
	static const char *const keys[] = {"user", "address", "tunnel", "session"};
	const char *eq = strchr(word, '=');

	if (eq == NULL)
		return json_pack("{s:s}", "session", word);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (strlen(keys[i]) == (size_t)(eq - word) && strncmp(keys[i], word, (size_t)(eq - word)) == 0)
			return json_pack("{s:s}", keys[i], eq + 1);
	}
	fprintf(stderr, "pptpctl: \"%s\": there are ID, user=NAME, address=A and tunnel=NAME\n", word);
	return NULL;
}
