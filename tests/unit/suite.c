#include "tests/unit/suite.h"

#include <stdlib.h>

int
run_suites(const suite_fn *fns, size_t count)
{
	SRunner *runner;
	int failed;

	/* A test that hangs is to end, but four seconds are nothing to a sanitizer on a machine with other work. Before tests are made. */
	setenv("CK_DEFAULT_TIMEOUT", "60", 0);
	runner = srunner_create(NULL);
	for (size_t i = 0; i < count; i++)
		srunner_add_suite(runner, fns[i]());
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
