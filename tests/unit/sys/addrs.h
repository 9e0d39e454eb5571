/* Addresses as text, where a test may not use libcheck's macros (see netns.h). */
#ifndef TESTS_UNIT_SYS_ADDRS_H
#define TESTS_UNIT_SYS_ADDRS_H

#include "base/addr.h"

/* What is no address or network ends the test. */
struct addr addr_of(const char *s);
struct prefix prefix_of(const char *s);

#endif
