/* The commands of the control socket. */
#ifndef PPTPD_CTL_H
#define PPTPD_CTL_H

#include "sys/ctl.h"

/* For ctl_server_new(); their user is a struct server. */
extern const struct ctl_command server_commands[];

#endif
