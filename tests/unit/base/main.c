#include "tests/unit/suite.h"

Suite *suite_addr(void);
Suite *suite_mem(void);
Suite *suite_pkt(void);
Suite *suite_text(void);
Suite *suite_timerheap(void);
Suite *suite_wire(void);

int
main(void)
{
	static const suite_fn suites[] = {
	    suite_addr,
	    suite_mem,
	    suite_pkt,
	    suite_text,
	    suite_timerheap,
	    suite_wire,
	};

	return run_suites(suites, sizeof(suites) / sizeof(suites[0]));
}
