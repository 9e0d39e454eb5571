#include "tests/unit/suite.h"

Suite *suite_link(void);

int
main(void)
{
	static const suite_fn suites[] = {
	    suite_link,
	};

	return run_suites(suites, sizeof(suites) / sizeof(suites[0]));
}
