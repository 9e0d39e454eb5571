/* How a unit test program runs: one Suite per source file under test, all of them listed in its main.c. */
#ifndef TESTS_UNIT_SUITE_H
#define TESTS_UNIT_SUITE_H

#include <check.h>
#include <stddef.h>

typedef Suite *(*suite_fn)(void);

/* Runs the suites and returns main()'s status. Under a sanitizer the tests run without fork. */
int run_suites(const suite_fn *fns, size_t count);

#endif
