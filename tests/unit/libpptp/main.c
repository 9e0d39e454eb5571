#include "tests/unit/suite.h"

Suite *suite_call(void);
Suite *suite_callid(void);
Suite *suite_conn(void);
Suite *suite_conn_streams(void);
Suite *suite_conn_time(void);
Suite *suite_framer(void);
Suite *suite_fsm(void);
Suite *suite_gre_header(void);
Suite *suite_gre_rx(void);
Suite *suite_gre_tx(void);
Suite *suite_gre_window(void);
Suite *suite_msg(void);

int
main(void)
{
	static const suite_fn suites[] = {
	    suite_call,
	    suite_callid,
	    suite_conn,
	    suite_conn_streams,
	    suite_conn_time,
	    suite_framer,
	    suite_fsm,
	    suite_gre_header,
	    suite_gre_rx,
	    suite_gre_tx,
	    suite_gre_window,
	    suite_msg,
	};

	return run_suites(suites, sizeof(suites) / sizeof(suites[0]));
}
