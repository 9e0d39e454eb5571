/* pptpctl: what its files share. A subcommand is a file; main.c has the table. */
#ifndef PPTPCTL_PPTPCTL_H
#define PPTPCTL_PPTPCTL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* Exit statuses. */
enum {
	STATUS_OK = 0,
	STATUS_REFUSED = 1, /* the daemon said no */
	STATUS_USAGE = 2,
	STATUS_DOWN = 3, /* no daemon to talk to */
};

struct context {
	const char *socket; /* NULL: the daemons' usual ones */
	const char *daemon; /* who should be there; NULL: pptpd or pptpc */
	bool json;
};

/* Runs one request {"command": command, ...args} at the daemon and returns its final object, with rows (if wanted) collected
 * into *rows, a JSON array. Errors are printed; then *status is set and NULL is returned. args may be NULL; its reference is taken. The
 * caller drops both references. */
json_t *request(const struct context *ctx, const char *command, json_t *args, json_t **rows, int *status);

/* "NAME=VALUE" of user, address, tunnel, or a session's number, as an object; NULL with the error printed. */
json_t *parse_selector(const char *word);

/* Sorts rows by the values of keys, which end with NULL: texts by their first words, in which numbers count as such (9.1, 10, 10.1),
 * integers by value. What is equal stays in its order. rows may be NULL. */
void sort_rows(json_t *rows, const char *const *keys);

/* Prints rows as a table with aligned columns, in the order in which the keys come first. Keys that end in _s, _bytes and _unix are
 * printed for people, and control characters as question marks. Nothing for no rows. */
void print_table(json_t *rows);
/* Prints an object as "key  value" lines. */
void print_object(json_t *object);
/* Prints JSON with a newline. */
void print_json(json_t *value);

/* The subcommands: argv begins behind the subcommand's name. Each returns an exit status. */
int cmd_show(const struct context *ctx, int argc, char **argv);
int cmd_kick(const struct context *ctx, int argc, char **argv);
int cmd_status(const struct context *ctx, int argc, char **argv);
int cmd_reload(const struct context *ctx, int argc, char **argv);
int cmd_connect(const struct context *ctx, int argc, char **argv);
int cmd_alg(const struct context *ctx, int argc, char **argv);
int cmd_disconnect(const struct context *ctx, int argc, char **argv);

#endif
