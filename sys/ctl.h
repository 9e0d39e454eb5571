/* The control socket: JSON lines over a Unix socket, one request object a line, one reply object a line.
 *
 *     {"command": "kick", "session": "1f3a"}
 *     {"ok": true, "result": {...}}   or   {"ok": false, "error": "no such session: 1f3a"}
 *
 * A command may stream: several {"ok": true, "row": {...}} lines before the last one, which has "done": true (and no "row").
 * Requests of one client are answered in order. "help" lists the commands as rows. */
#ifndef SYS_CTL_H
#define SYS_CTL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct event_base;
struct ctl_server;
struct ctl_client;

/* One request being answered. */
struct ctl_reply;

/* A string that may hold any bytes (a peer's) as a JSON string: what is no UTF-8, and control characters, as \xNN. New reference. */
json_t *ctl_text(const char *s);

/* Sends a row of a streamed answer; takes the reference. NULL sends nothing. */
void ctl_reply_row(struct ctl_reply *r, json_t *row);
/* Ends the answer with a result (may be NULL); takes the reference. */
void ctl_reply_done(struct ctl_reply *r, json_t *result);
/* Ends the answer with an error sentence. */
void ctl_reply_error(struct ctl_reply *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

struct ctl_command {
	const char *name;
	const char *help; /* one line, for {"command": "help"} */
	/* Answers now: must end the reply before it returns (else the client gets an error). args is the request object, borrowed. It
	 * may not free the server. */
	void (*run)(void *user, json_t *args, struct ctl_reply *reply);
};

/* Serves the socket fd (listening; the server owns it) on the loop. commands ends with a NULL name; it and user must
 * outlive the server. At most 32 clients; a client's line is at most 64 KiB; a client that does not read is
 * dropped, after 10 s without progress or when 32 MiB wait for it. Makes the process ignore SIGPIPE. Returns NULL, with
 * fd closed, when memory ran out. */
struct ctl_server *ctl_server_new(struct event_base *base, int fd, const struct ctl_command *commands, void *user);
void ctl_server_free(struct ctl_server *s);

/* Makes a listening Unix socket at path with mode, replacing a stale one; -1 with errno (EADDRINUSE: somebody serves it). */
int ctl_listen(const char *path, unsigned mode);
/* The same at a daemon's start: *fd is the socket, or -1 without a path (NULL). Where only the socket's folder is missing, it is made. False
 * with the reason logged. */
bool ctl_listen_at_start(const char *path, unsigned mode, int *fd);

/* For pptpctl: sends a request, then reads rows until done. No wait for the server takes longer than timeout_ms; -1: for ever. NULL
 * with errno. */
struct ctl_client *ctl_client_open(const char *path, int timeout_ms);
void ctl_client_close(struct ctl_client *c);
/* Calls row (may be NULL) for each row; returns the final object (a new reference), or NULL with err filled. */
json_t *ctl_client_call(struct ctl_client *c, json_t *request, void (*row)(void *user, json_t *row), void *user, char *err, size_t errlen);

#endif
