/* The clock and the random source that the sans-I/O rooms are fed with. */
#ifndef SYS_CLOCK_H
#define SYS_CLOCK_H

#include <stddef.h>
#include <stdint.h>

/* Nanoseconds of CLOCK_MONOTONIC. */
uint64_t clock_ts(void);
/* Seconds of CLOCK_REALTIME, for people and for accounting. */
uint64_t clock_unix(void);
/* Fills buf from the kernel's generator; has the form of pptp_random_fn. Never fails: aborts if the kernel can't. */
void clock_random(void *user, void *buf, size_t len);

#endif
