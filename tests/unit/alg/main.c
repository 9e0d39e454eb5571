#include "tests/unit/suite.h"

Suite *suite_gates(void);
Suite *suite_gates_fsm(void);
Suite *suite_rewrite(void);
Suite *suite_rewrite_rx(void);
Suite *suite_rewrite_save(void);
Suite *suite_rewrite_state(void);
Suite *suite_rewrite_streams(void);
Suite *suite_rewrite_tx(void);
Suite *suite_table(void);
Suite *suite_user_gates(void);
Suite *suite_user_packet(void);
Suite *suite_xlate(void);

int
main(void)
{
	static const suite_fn suites[] = {
	    suite_gates,
	    suite_gates_fsm,
	    suite_rewrite,
	    suite_rewrite_rx,
	    suite_rewrite_save,
	    suite_rewrite_state,
	    suite_rewrite_streams,
	    suite_rewrite_tx,
	    suite_table,
	    suite_user_gates,
	    suite_user_packet,
	    suite_xlate,
	};

	return run_suites(suites, sizeof(suites) / sizeof(suites[0]));
}
