/* Gates as words of a command line: SOURCE,DESTINATION,CALL-ID,NEW-SOURCE,NEW-DESTINATION,NEW-CALL-ID. What can't be ends the program. */
#ifndef TESTS_E2E_GATE_ARGS_H
#define TESTS_E2E_GATE_ARGS_H

#include "alg/datapath/datapath.h"

/* Says why on stderr, after the program's name, and exits with 1. */
void __attribute__((noreturn, format(printf, 1, 2))) die(const char *fmt, ...);

/* text may be NULL: there is none. gate() writes into it. */
struct addr address(const char *text);
uint16_t number(const char *text);
struct gate gate(char *text);

/* The pair n after the first: ids and call ids count up. */
struct gate_pair later_pair(const struct gate_pair *first, unsigned n);

#endif
