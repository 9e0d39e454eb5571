#include "tests/unit/suite.h"

Suite *suite_callid(void);
Suite *suite_framer(void);
Suite *suite_msg(void);

int
main(void)
{
	static const suite_fn suites[] = {
	    suite_callid,
	    suite_framer,
	    suite_msg,
	};

	return run_suites(suites, sizeof(suites) / sizeof(suites[0]));
}
