#include "tests/unit/suite.h"

Suite *suite_commands(void);
Suite *suite_print(void);
Suite *suite_sort(void);

int
main(void)
{
	static const suite_fn suites[] = {suite_commands, suite_print, suite_sort};

	return run_suites(suites, sizeof(suites) / sizeof(suites[0]));
}
