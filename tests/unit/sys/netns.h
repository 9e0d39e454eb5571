/* Runs a test's body in a network namespace of its own, in a child process. */
#ifndef TESTS_UNIT_SYS_NETNS_H
#define TESTS_UNIT_SYS_NETNS_H

#include <stdbool.h>

/* Forks, unshares the network and runs body(), which reports by CHECK(). Fails the test when the child does not end well; says
 * that it is skipped when there is no right to make a namespace. */
void in_netns(void (*body)(void));
/* The same without a namespace of its own. */
void in_child(void (*body)(void));
/* Whether this process may make namespaces; says so on stderr if not. */
bool can_unshare(void);

/* In such a child, where libcheck's macros must not be used (they would return to the test program): says what and where, and ends. */
#define CHECK(COND) check_at((COND), #COND, __FILE__, __LINE__)
void check_at(bool ok, const char *what, const char *file, int line);

/* Runs a shell command; true if it succeeds. */
bool shell(const char *command);
/* Waits until the shell command succeeds, for at most 5 s. */
bool shell_soon(const char *command);

#endif
