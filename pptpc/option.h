/* The client's own options of a tunnel as one table: configuration file, command line and tests read the same rows.
 * Those it shares with the server are in tunnel/options.h. */
#ifndef PPTPC_OPTION_H
#define PPTPC_OPTION_H

#include <stdbool.h>
#include <stddef.h>

#include "pptpc/profile.h"

enum option_kind {
	OPTION_BOOL,     /* bool */
	OPTION_NUMBER,   /* uint32_t within min..max */
	OPTION_FD,       /* int64_t, a descriptor */
	OPTION_DURATION, /* uint64_t, nanoseconds */
	OPTION_WAIT,     /* the same, or "stop" as TS_NEVER */
	OPTION_TEXT,     /* char[max] */
	OPTION_SECRET,   /* the same, and never printed */
	OPTION_ADDRESS,  /* struct addr */
	OPTION_PREFIXES, /* struct prefix_list */
	OPTION_NAMES,    /* struct name_list */
	OPTION_AUTH,     /* unsigned, methods */
	OPTION_CHOICE,   /* int, index into words */
};

struct option_row {
	const char *name;
	enum option_kind kind;
	const char *initial; /* the default, as text; NULL: empty */
	size_t offset;       /* in struct profile */
	uint32_t min, max;
	const char *const *words; /* OPTION_CHOICE, NULL-terminated */
};

/* All rows; *count of them, static. */
const struct option_row *option_rows(size_t *count);
/* The row of a name; NULL if there is none. */
const struct option_row *option_find(const char *name);
/* Whether several values may be given. */
bool option_is_list(const struct option_row *row);

/* Sets the field of row in *p from text; lists take commas and blanks between items and replace what was there.
 * False with a sentence in err, and *p unchanged, when it is no such value. */
bool option_set(struct profile *p, const struct option_row *row, const char *value, char *err, size_t errlen);

/* The same by name, which then begins the sentence in err, the options that server and client share (tunnel/options.h) included. */
bool profile_set(struct profile *p, const char *name, const char *value, char *err, size_t errlen);
/* Whether an option of that name is a plain yes or no, so that the name alone can stand for yes. */
bool profile_is_switch(const char *name);

#endif
