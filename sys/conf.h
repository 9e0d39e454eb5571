/* What configuration files share: libconfuse set up so that every error names file and line, and checks of common values. */
#ifndef SYS_CONF_H
#define SYS_CONF_H

#include <confuse.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

/* Parses path with opts. Unknown keys, bad values and syntax errors are printed as `FILE:LINE: what` to stderr; returns
 * NULL then. The caller frees it with cfg_free(). */
cfg_t *conf_parse(const char *path, cfg_opt_t *opts);
/* The same from memory, for tests and built-in defaults; name stands in errors. */
cfg_t *conf_parse_text(const char *name, const char *text, cfg_opt_t *opts);

/* Validators for cfg_set_validate_func(): an error names file, line, option and the value refused. */
int conf_check_addr(cfg_t *cfg, cfg_opt_t *opt);     /* address of either family */
int conf_check_prefix(cfg_t *cfg, cfg_opt_t *opt);   /* ADDR/LEN */
int conf_check_range(cfg_t *cfg, cfg_opt_t *opt);    /* IPv4 pool: A-B, A.B.C.x-y, ADDR/LEN or ADDR */
int conf_check_duration(cfg_t *cfg, cfg_opt_t *opt); /* "0", "30" (seconds), "500ms", "15m", "2h", "1d" */
int conf_check_port(cfg_t *cfg, cfg_opt_t *opt);
int conf_check_auth(cfg_t *cfg, cfg_opt_t *opt); /* a list of authentication methods */

/* "15m" as nanoseconds; false if it is no duration. */
bool conf_duration(const char *s, uint64_t *ns);
/* An IPv4 range as text, first and last in host order; false if it is none or last < first. */
bool conf_range(const char *s, uint32_t *first, uint32_t *last);

/* Prints the effective configuration so that it parses back to itself. */
void conf_print(cfg_t *cfg);

#endif
