#include "tests/unit/suite.h"

Suite *suite_csum(void);
Suite *suite_ip(void);
Suite *suite_segment(void);
Suite *suite_coalesce(void);
Suite *suite_mss(void);
Suite *suite_nat(void);
Suite *suite_fib(void);
Suite *suite_ra(void);
Suite *suite_fit(void);
Suite *suite_control(void);
Suite *suite_engine(void);
Suite *suite_options(void);

int
main(void)
{
	static const suite_fn suites[] = {suite_csum, suite_ip, suite_segment, suite_coalesce, suite_mss, suite_nat, suite_fib, suite_ra,
	    suite_fit, suite_control, suite_engine, suite_options};

	return run_suites(suites, sizeof(suites) / sizeof(suites[0]));
}
