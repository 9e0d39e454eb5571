/* What configuration files share: libconfuse set up so that every error names file and line, and checks of common values. */
#ifndef SYS_CONF_H
#define SYS_CONF_H

#include <confuse.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/addr.h"

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

/* Parses path with opts. Nothing is taken from the environment ("${HOME}" is text), at most 16 MiB are read. Unknown keys, bad values and syntax errors are printed as `FILE:LINE: what` to stderr; returns
 * NULL then. The caller frees it with cfg_free(). */
cfg_t *conf_parse(const char *path, cfg_opt_t *opts);
/* The same from memory, for tests and built-in defaults; name stands in errors. */
cfg_t *conf_parse_text(const char *name, const char *text, cfg_opt_t *opts);

/* Validators, for CONF_STR() or cfg_set_validate_func(): an error names file, line, option and the value refused. */
int conf_check_addr(cfg_t *cfg, cfg_opt_t *opt);     /* address of either family */
int conf_check_prefix(cfg_t *cfg, cfg_opt_t *opt);   /* ADDR/LEN */
int conf_check_range(cfg_t *cfg, cfg_opt_t *opt);    /* IPv4 pool: A-B, A.B.C.x-y, ADDR/LEN or ADDR */
int conf_check_duration(cfg_t *cfg, cfg_opt_t *opt); /* "0", "30" (seconds), "500ms", "15m", "2h", "1d" */
int conf_check_port(cfg_t *cfg, cfg_opt_t *opt);     /* of an integer option */
int conf_check_auth(cfg_t *cfg, cfg_opt_t *opt);     /* authentication methods, as ppp_auth_parse() names them */

/* "15m" as nanoseconds; false if it is no duration. */
bool conf_duration(const char *s, uint64_t *ns);
/* An IPv4 range as text, first and last in host order; false if it is none or last < first. */
bool conf_range(const char *s, uint32_t *first, uint32_t *last);

/* Prints the effective configuration, with the defaults, to stdout so that it parses back to itself. An option's print function
 * (cfg_set_print_func()) prints its value. */
void conf_print(cfg_t *cfg);
void conf_print_to(cfg_t *cfg, FILE *fp);

#endif
