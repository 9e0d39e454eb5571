/* What of the machine's own set-up would spoil the gateway's work: looked at when the gateway starts and when it is reloaded, by the
 * monitor, and told in words in the log, `event=machine`: what is so, what comes of it, and what to do. */
#ifndef ALG_MACHINE_H
#define ALG_MACHINE_H

#include <stdbool.h>
#include <stddef.h>

#include "alg/config.h"

/* Files below /proc and /sys: forwarding, bridges whose packets meet the IP rules, interfaces that are not there, the kernel's PPTP helper. datapath is monitor.h's
 * word; root stands in front of the paths, "" but in tests. */
void machine_check_files(const struct config *c, const char *datapath, const char *root);

/* By netlink: routing rules that clash with the gateway's, and nftables objects that call the kernel's helper. */
void machine_check_netlink(const struct config *c);

/* Makes this the one gateway of the network namespace, since there is one table of its name: waits up to a second for one that is about to
 * end. Returns a descriptor to be kept by the process that owns the table; -1: there is another, said in the log. */
int machine_claim(void);

/* Whether nobody listens on the proxy port: waits up to a second for a program that is about to end. False: said in the log. */
bool machine_check_port(const struct config *c);

#endif
