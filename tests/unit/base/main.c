#include "tests/unit/suite.h"

Suite *suite_timerheap(void);

int
main(void)
{
	static const suite_fn suites[] = {suite_timerheap};

	return run_suites(suites, sizeof(suites) / sizeof(suites[0]));
}
