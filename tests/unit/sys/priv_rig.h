/* A monitor and a real worker in a network namespace (see netns.h), with a link eth0 that is up, and with files and scripts in a fresh
 * directory. */
#ifndef TESTS_UNIT_SYS_PRIV_RIG_H
#define TESTS_UNIT_SYS_PRIV_RIG_H

#include "sys/priv.h"

/* A policy that allows most things. */
struct priv_policy rig_set_up(void);
void rig_tear_down(void);
/* The path of a file in the directory; the fourth call after it overwrites it. */
const char *rig_path(const char *name);
/* Whether a line of this file matches. */
bool rig_file_has(const char *name, const char *what);
bool rig_resolv_is_original(void);

/* Runs the worker function behind a monitor; returns the monitor's wait status. */
int rig_run(const struct priv_policy *policy, void (*worker)(struct priv *p));
/* As priv_call(); fds NULL: there are none, or they are left open. */
struct priv_reply rig_call(struct priv *p, const struct priv_request *r, int *fds);
/* Opens a TUN interface, which must succeed; returns its index. */
int rig_tun(struct priv *p, const char *name, uint16_t queues, int *fds);

#endif
