/* Reads what code under test prints to stderr. */
#ifndef TESTS_UNIT_SYS_CAPTURE_H
#define TESTS_UNIT_SYS_CAPTURE_H

/* From now on stderr goes into a file. */
void capture_begin(void);
/* stderr is as before. Returns what was printed, until the next capture_end(). */
const char *capture_end(void);

#endif
