#include "tests/unit/suite.h"

Suite *suite_config(void);
Suite *suite_policy(void);
Suite *suite_trace(void);

int
main(void)
{
	static const suite_fn suites[] = {
	    suite_config,
	    suite_policy,
	    suite_trace,
	};

	return run_suites(suites, sizeof(suites) / sizeof(suites[0]));
}
