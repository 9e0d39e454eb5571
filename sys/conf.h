/* What configuration files share: libconfuse set up so that every error names file and line, and checks of common values. */
#ifndef SYS_CONF_H
#define SYS_CONF_H

#include <confuse.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/addr.h"
#include "sys/log.h"

/* An option with a validator, for option tables: what CFG_STR() and the like make, and the check that runs after each value set.
 * With a list, the check sees the value set last. */
#define CONF_STR(NAME, DEFAULT, CHECK)                                                                                                     \
	{                                                                                                                                  \
		.name = (NAME), .type = CFGT_STR, .def = {.string = (DEFAULT)}, .validcb = (CHECK)                                         \
	}
#define CONF_STR_LIST(NAME, DEFAULT, CHECK)                                                                                                \
	{                                                                                                                                  \
		.name = (NAME), .type = CFGT_STR, .flags = CFGF_LIST, .def = {.parsed = (DEFAULT)}, .validcb = (CHECK)                     \
	}
#define CONF_INT(NAME, DEFAULT, CHECK)                                                                                                     \
	{                                                                                                                                  \
		.name = (NAME), .type = CFGT_INT, .def = {.number = (DEFAULT)}, .validcb = (CHECK)                                         \
	}
#define CONF_INT_LIST(NAME, DEFAULT, CHECK)                                                                                                \
	{                                                                                                                                  \
		.name = (NAME), .type = CFGT_INT, .flags = CFGF_LIST, .def = {.parsed = (DEFAULT)}, .validcb = (CHECK)                     \
	}
/* Sections with titles, each of another one; the check runs at the end of each, which is the last value then. */
#define CONF_SECTIONS(NAME, OPTS, CHECK)                                                                                                   \
	{                                                                                                                                  \
		.name = (NAME), .type = CFGT_SEC, .flags = CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES, .subopts = (OPTS),               \
		.validcb = (CHECK)                                                                                                         \
	}

/* Parses path with opts. Nothing is taken from the environment ("${HOME}" is text), at most 16 MiB are read. Unknown keys, bad values and syntax errors are printed as `FILE:LINE: what` to stderr; returns
 * NULL then. The caller frees it with cfg_free(). */
cfg_t *conf_parse(const char *path, cfg_opt_t *opts);
/* The same from memory, for tests and built-in defaults; name stands in errors. */
cfg_t *conf_parse_text(const char *name, const char *text, cfg_opt_t *opts);

/* Validators, for CONF_STR() or cfg_set_validate_func(): an error names file, line, option and the value refused. */
int conf_check_addr(cfg_t *cfg, cfg_opt_t *opt);     /* address of either family */
int conf_check_range(cfg_t *cfg, cfg_opt_t *opt);    /* IPv4 pool: A-B, A.B.C.x-y, ADDR/LEN or ADDR */
int conf_check_duration(cfg_t *cfg, cfg_opt_t *opt); /* "0", "30" (seconds), "500ms", "15m", "2h", "1d" */
int conf_check_port(cfg_t *cfg, cfg_opt_t *opt);     /* of an integer option */
int conf_check_v4(cfg_t *cfg, cfg_opt_t *opt);       /* an address of this family, or nothing */
int conf_check_v6(cfg_t *cfg, cfg_opt_t *opt);
int conf_check_path(cfg_t *cfg, cfg_opt_t *opt); /* absolute, or nothing */
int conf_check_mode(cfg_t *cfg, cfg_opt_t *opt); /* of a file, in octal */
int conf_check_name(cfg_t *cfg, cfg_opt_t *opt); /* 1 to 255 bytes */
int conf_check_log(cfg_t *cfg, cfg_opt_t *opt);
int conf_check_log_level(cfg_t *cfg, cfg_opt_t *opt);

/* For validators of one's own: the value that was parsed last, which is the one at the parser's line, never NULL; and the error
 * "option 'NAME': 'VALUE' is not WANTED", -1. */
const char *conf_last(cfg_opt_t *opt);
int conf_refuse(cfg_t *cfg, cfg_opt_t *opt, const char *wanted);

/* Parts of such validators; 0, or -1 with the error reported. words end with NULL. */
int conf_check_word(cfg_t *cfg, cfg_opt_t *opt, const char *const *words, const char *wanted);
/* A list of max values at most; what they are, in the plural. */
int conf_check_count(cfg_t *cfg, cfg_opt_t *opt, unsigned max, const char *what);

struct conf_number {
	const char *name; /* of the option */
	long min, max;
};

/* The integer is in its option's range; what has no range passes. */
int conf_check_number(cfg_t *cfg, cfg_opt_t *opt, const struct conf_number *numbers, size_t count);

/* Values of checked options: a text, NULL when it is empty; a duration; a number; a file's mode; where the log goes. */
const char *conf_text(cfg_t *cfg, const char *name);
uint64_t conf_ns(cfg_t *cfg, const char *name);
size_t conf_number(cfg_t *cfg, const char *name);
unsigned conf_mode(cfg_t *cfg, const char *name);
enum log_target conf_log_target(cfg_t *cfg, const char *name);
/* A word's place in words. */
int conf_get_word(cfg_t *cfg, const char *name, const char *const *words);
/* For what only the whole configuration shows: prints `FILE: what` to stderr; false. */
bool conf_say(cfg_t *cfg, const char *what);

/* "15m" as nanoseconds; false if it is no duration. */
bool conf_duration(const char *s, uint64_t *ns);
/* The place of word in words, which end with NULL; -1: it is not there. */
int conf_word(const char *const *words, const char *word);
/* "V4:PORT" or "[V6]:PORT"; false if it is neither. */
bool conf_endpoint(const char *s, struct addr *addr, uint16_t *port);
/* An IPv4 range as text, first and last in host order; false if it is none or last < first. */
bool conf_range(const char *s, uint32_t *first, uint32_t *last);

/* Prints the effective configuration, with the defaults, to stdout so that it parses back to itself. An option's print function
 * (cfg_set_print_func()) prints its value. */
void conf_print(cfg_t *cfg);
void conf_print_to(cfg_t *cfg, FILE *fp);

#endif
