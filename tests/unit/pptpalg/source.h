/* Files of the source tree that tests hold against the code. */
#ifndef TESTS_UNIT_PPTPALG_SOURCE_H
#define TESTS_UNIT_PPTPALG_SOURCE_H

/* The text of a file, by its path from the top of the tree, until the next call. */
const char *read_source(const char *name);

#endif
