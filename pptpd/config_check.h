/* Checks of pptpd's own options while they are parsed, for libconfuse's validcb: 0, or -1 with the error reported. */
#ifndef PPTPD_CONFIG_CHECK_H
#define PPTPD_CONFIG_CHECK_H

#include <confuse.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"

int check_listen(cfg_t *cfg, cfg_opt_t *opt);
int check_auth(cfg_t *cfg, cfg_opt_t *opt);
int check_pool6(cfg_t *cfg, cfg_opt_t *opt);
int check_ifname(cfg_t *cfg, cfg_opt_t *opt);
int check_interface(cfg_t *cfg, cfg_opt_t *opt);

/* "ADDR", "V4:PORT" or "[V6]:PORT"; *port is left alone when there is none. */
bool parse_listen(const char *s, struct addr *addr, uint16_t *port);

#endif
