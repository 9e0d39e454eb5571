/* Checks of pptpalg's options while they are parsed, for libconfuse's validcb: 0, or -1 with the error reported. */
#ifndef ALG_CONFIG_CHECK_H
#define ALG_CONFIG_CHECK_H

#include <confuse.h>
#include <stdbool.h>
#include <stdint.h>

int check_number(cfg_t *cfg, cfg_opt_t *opt);
int check_time(cfg_t *cfg, cfg_opt_t *opt); /* a duration, in its option's range */
int check_state_dir(cfg_t *cfg, cfg_opt_t *opt);
int check_ports(cfg_t *cfg, cfg_opt_t *opt);
int check_ifnames(cfg_t *cfg, cfg_opt_t *opt);
int check_prefixes(cfg_t *cfg, cfg_opt_t *opt);
int check_outside(cfg_t *cfg, cfg_opt_t *opt); /* a network of hosts */
int check_inside(cfg_t *cfg, cfg_opt_t *opt);  /* the same, or nothing */
int check_host(cfg_t *cfg, cfg_opt_t *opt);    /* a host's address */
int check_datapath(cfg_t *cfg, cfg_opt_t *opt);
int check_protocol(cfg_t *cfg, cfg_opt_t *opt);
int check_other_version(cfg_t *cfg, cfg_opt_t *opt);
int check_nat(cfg_t *cfg, cfg_opt_t *opt);
int check_policy_nat(cfg_t *cfg, cfg_opt_t *opt);
int check_action(cfg_t *cfg, cfg_opt_t *opt);
int check_nat64_source(cfg_t *cfg, cfg_opt_t *opt);
int check_nat64_prefix(cfg_t *cfg, cfg_opt_t *opt);
int check_metrics(cfg_t *cfg, cfg_opt_t *opt);
int check_size(cfg_t *cfg, cfg_opt_t *opt);
int check_trace_level(cfg_t *cfg, cfg_opt_t *opt);
int check_trace_flags(cfg_t *cfg, cfg_opt_t *opt);

/* Checks of a whole section, which has just ended: opt is the section's, its last value the section. */
int check_policy(cfg_t *cfg, cfg_opt_t *opt);
int check_server(cfg_t *cfg, cfg_opt_t *opt);

/* Words of options, in the order of the enums; each list ends with NULL. */
extern const char *const nat_words[], *const action_words[], *const datapath_words[], *const protocol_words[], *const version_words[];

/* "10m" as bytes: k, m and g are powers of 1024. */
bool parse_size(const char *s, uint64_t *bytes);

#endif
