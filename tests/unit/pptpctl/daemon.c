#include "tests/unit/pptpctl/daemon.h"

#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/ctl.h"
#include "tests/unit/suite.h"

struct context daemon_context, daemon_json;

static char dir[] = "/tmp/test-pptpctl-XXXXXX";
static char path[64];
static pid_t pid;

/* --- the daemon ---------------------------------------------------------------------------------- */

static void
two_rows(void *user, json_t *args, struct ctl_reply *r)
{
	(void)user, (void)args;
	ctl_reply_row(r, json_pack("{s:s, s:i}", "name", "a", "count", 1));
	ctl_reply_row(r, json_pack("{s:s, s:i}", "name", "b", "count", 20));
	ctl_reply_done(r, NULL);
}

static void
no_rows(void *user, json_t *args, struct ctl_reply *r)
{
	(void)user, (void)args;
	ctl_reply_done(r, NULL);
}

/* The request itself as the result, so that a test sees how it was built. */
static void
mirror(void *user, json_t *args, struct ctl_reply *r)
{
	(void)user;
	ctl_reply_done(r, json_incref(args));
}

/* A summary, and the request as a row. */
static void
mirror_row(void *user, json_t *args, struct ctl_reply *r)
{
	(void)user;
	ctl_reply_row(r, json_incref(args));
	ctl_reply_done(r, json_pack("{s:i}", "used", 3));
}

static void
nested(void *user, json_t *args, struct ctl_reply *r)
{
	(void)user, (void)args;
	ctl_reply_done(r, json_pack("{s:s, s:[{s:s, s:i}], s:[]}", "program", "pptpalg", "refusals", "why", "full", "count", 7, "none"));
}

static void
kick(void *user, json_t *args, struct ctl_reply *r)
{
	(void)user;
	if (json_object_get(args, "user") == NULL)
		ctl_reply_error(r, "no such session: %s", json_string_value(json_object_get(args, "session")));
	else
		ctl_reply_done(r, json_pack("{s:i}", "kicked", 2));
}

static const struct ctl_command commands[] = {
    {"show sessions", "", two_rows},
    {"show pools", "", no_rows},
    {"show session", "", mirror},
    {"show counters", "", mirror},
    {"status", "", mirror},
    {"reload", "", mirror},
    {"kick", "", kick},
    {"connect", "", mirror},
    {"disconnect", "", mirror},
    {"alg status", "", nested},
    {"alg flows", "", two_rows},
    {"alg gates", "", no_rows},
    {"alg xlate", "", mirror_row},
    {"alg clear", "", mirror},
    {NULL, NULL, NULL},
};

static void __attribute__((noreturn)) serve(int fd)
{
	struct event_base *base = event_base_new();

	if (base == NULL || ctl_server_new(base, fd, commands, NULL) == NULL)
		_exit(1);
	event_base_loop(base, EVLOOP_NO_EXIT_ON_EMPTY);
	_exit(0);
}

void
daemon_start(void)
{
	int fd;

	strcpy(dir + sizeof(dir) - 7, "XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/sock", dir);
	fd = ctl_listen(path, 0600);
	ck_assert_int_ge(fd, 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		serve(fd);
	close(fd);
	daemon_context = (struct context){.socket = path};
	daemon_json = (struct context){.socket = path, .json = true};
}

void
daemon_stop(void)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	unlink(path);
	rmdir(dir);
}

/* --- what is printed ------------------------------------------------------------------------------- */

struct capture {
	FILE *file;
	int saved[2];
};

static void
capture_begin(struct capture *c)
{
	fflush(NULL);
	c->file = tmpfile();
	ck_assert_ptr_nonnull(c->file);
	for (int i = 0; i < 2; i++) {
		c->saved[i] = dup(i + 1);
		dup2(fileno(c->file), i + 1);
	}
}

static const char *
capture_end(struct capture *c)
{
	static char text[16384];
	size_t n;

	fflush(NULL);
	for (int i = 0; i < 2; i++) {
		dup2(c->saved[i], i + 1);
		close(c->saved[i]);
	}
	rewind(c->file);
	n = fread(text, 1, sizeof(text) - 1, c->file);
	text[n] = '\0';
	fclose(c->file);
	return text;
}

const char *
run_command(int (*cmd)(const struct context *, int, char **), const struct context *ctx, const char *line, int *status)
{
	char words[256], *argv[16], *save = NULL;
	struct capture c;
	int argc = 0;

	snprintf(words, sizeof(words), "%s", line);
	for (char *w = strtok_r(words, " ", &save); w != NULL && argc < 15; w = strtok_r(NULL, " ", &save))
		argv[argc++] = w;
	argv[argc] = NULL;
	capture_begin(&c);
	*status = cmd(ctx, argc, argv);
	return capture_end(&c);
}

const char *
printed(void (*print)(json_t *), const char *json)
{
	json_t *value = json_loads(json, JSON_DECODE_ANY, NULL);
	struct capture c;

	ck_assert_ptr_nonnull(value);
	capture_begin(&c);
	print(value);
	json_decref(value);
	return capture_end(&c);
}
